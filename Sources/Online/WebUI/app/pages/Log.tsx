// The log of a job as it grows.

import { ReactNode, memo, useEffect, useMemo, useRef, useState } from "react";
import { Failure } from "../api/client";
import { readStream } from "../api/stream";
import { useLocale } from "../base/locale";
import { IconButton } from "../parts/Button";
import { SearchField } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Empty, FailureState } from "../parts/States";

/** Lines that are kept; the file has all. */
const capacity = 20_000;
/** Lines that are laid out together, so that those out of sight cost nothing. */
const block = 200;

interface Log {
  readonly lines: readonly string[];
  /** Earlier ones that are no longer kept. */
  readonly dropped: number;
  readonly isComplete: boolean;
  readonly failure: Failure | undefined;
}

const nothing: Log = { lines: [], dropped: 0, isComplete: false, failure: undefined };

/** Reads a log to its end, and goes on where it was when the connection is lost. */
function useLog(id: string): Log {
  const [log, setLog] = useState<Log>(nothing);
  useEffect(() => {
    setLog(nothing);
    const abort = new AbortController();
    let lastID: string | undefined;
    let fresh: string[] = [];
    let frame: number | undefined;
    let attempts = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      frame = undefined;
      const added = fresh;
      fresh = [];
      setLog((old) => {
        const lines = [...old.lines, ...added];
        const surplus = Math.max(0, lines.length - capacity);
        return { ...old, failure: undefined, lines: surplus > 0 ? lines.slice(surplus) : lines, dropped: old.dropped + surplus };
      });
    };
    const follow = async () => {
      let isOver = false;
      try {
        await readStream(`/jobs/${id}/log`, lastID, abort.signal, () => (attempts = 0), (event) => {
          if (event.id !== undefined) lastID = event.id;
          if (event.name === "lines") {
            fresh.push(...(JSON.parse(event.data) as { lines: string[] }).lines);
            frame ??= requestAnimationFrame(show);
          }
          if (event.name === "end") isOver = true;
        });
      } catch (error) {
        if (abort.signal.aborted) return;
        if (error instanceof Failure && error.status >= 400 && error.status < 500) {
          const failure = error;
          setLog((old) => ({ ...old, failure, isComplete: true }));
          return;
        }
      }
      if (abort.signal.aborted) return;
      if (isOver) {
        // Before it is said to be complete.
        if (frame !== undefined) cancelAnimationFrame(frame);
        show();
        setLog((old) => ({ ...old, isComplete: true }));
        return;
      }
      attempts += 1;
      timer = setTimeout(() => void follow(), Math.min(10_000, 300 * 2 ** attempts));
    };
    void follow();
    return () => {
      abort.abort();
      clearTimeout(timer);
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [id]);
  return log;
}

function toneOf(line: string): string | undefined {
  if (/\berror\b/i.test(line)) return "log-bad";
  if (/\bwarning\b/i.test(line)) return "log-warn";
  return undefined;
}

/** A line with what is looked for marked. */
function marked(line: string, wanted: string): ReactNode {
  if (wanted === "") return line;
  const low = line.toLowerCase();
  const parts: ReactNode[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    parts.push(line.slice(from, at), <mark key={at}>{line.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return [...parts, line.slice(from)];
}

/** Hands a text to the browser as a file. */
function save(name: string, lines: readonly string[]): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/plain" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

interface Numbered {
  readonly number: number;
  /** When it was written, where it says so. */
  readonly time: string | undefined;
  readonly text: string;
}

const stamp = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z) /;

/** The time of the day, here, of a moment. */
function clockTime(moment: string): string {
  const date = new Date(moment);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

function numbered(line: string, number: number): Numbered {
  const time = stamp.exec(line)?.[1];
  return { number, time, text: time === undefined ? line : line.slice(time.length + 1) };
}

const Block = memo(function Block({ lines, wanted }: { readonly lines: readonly Numbered[]; readonly wanted: string }) {
  return (
    <div className="log-block">
      {lines.map((line) => (
        <div key={line.number} className={`log-line ${toneOf(line.text) ?? ""}`}>
          <span className="log-number" aria-hidden="true">{line.number}</span>
          <span className="log-text">{line.time && <time className="log-time" dateTime={line.time} title={line.time}>{clockTime(line.time)}</time>}{marked(line.text, wanted)}</span>
        </div>
      ))}
    </div>
  );
}, (old, next) => old.wanted === next.wanted && old.lines.length === next.lines.length && old.lines[0]?.number === next.lines[0]?.number);

export function LogView({ id, isRunning }: { readonly id: string; readonly isRunning: boolean }) {
  const { t, f } = useLocale();
  const log = useLog(id);
  const [search, setSearch] = useState("");
  const [isFollowing, setFollowing] = useState(true);
  const [isWrapped, setWrapped] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const wanted = search.trim().toLowerCase();
  const shown = useMemo(() => {
    const found: Numbered[] = [];
    log.lines.forEach((text, index) => {
      const line = numbered(text, log.dropped + index + 1);
      if (wanted === "" || line.text.toLowerCase().includes(wanted)) found.push(line);
    });
    return found;
  }, [log.lines, log.dropped, wanted]);
  const blocks = useMemo(() => {
    const made: Numbered[][] = [];
    // Cut at fixed numbers, so that a block that is full never changes.
    for (const line of shown) {
      const last = made[made.length - 1];
      if (last?.[0] && Math.floor(last[0].number / block) === Math.floor(line.number / block)) last.push(line);
      else made.push([line]);
    }
    return made;
  }, [shown]);
  useEffect(() => {
    const { current } = box;
    if (isFollowing && current) current.scrollTop = current.scrollHeight;
  }, [shown, isFollowing]);
  const scroll = () => {
    const { current } = box;
    if (!current) return;
    const isAtEnd = current.scrollHeight - current.scrollTop - current.clientHeight < 24;
    // Whoever scrolls up wants to read; at the end it goes on.
    if (isAtEnd !== isFollowing) setFollowing(isAtEnd);
  };
  if (log.failure && log.lines.length === 0) {
    return log.failure.status === 404 || log.failure.status === 410 ? <Empty icon="clock" title={t.log.gone} hint={t.log.goneHint} /> : <FailureState failure={log.failure} />;
  }
  return (
    <div className="log">
      <div className="log-tools">
        <SearchField label={t.log.search} value={search} onChange={setSearch} wait={80} />
        <span className="quiet numbers" role="status">{wanted === "" ? t.count.lines(log.dropped + log.lines.length) : t.log.matches(f.number(shown.length), t.count.lines(log.lines.length))}</span>
        <IconButton icon="download" label={t.log.save} disabled={log.lines.length === 0} onClick={() => save(`ferry-job-${id}.log`, log.lines)} />
        <button type="button" className="toggle" aria-pressed={isWrapped} onClick={() => setWrapped(!isWrapped)}><Icon name="wrap" />{t.log.wrap}</button>
        {(isRunning || !log.isComplete) && (
          <button type="button" className="toggle" aria-pressed={isFollowing} onClick={() => setFollowing(!isFollowing)}><Icon name="down" />{t.log.follow}</button>
        )}
      </div>
      {log.dropped > 0 && <p className="log-note">{t.log.dropped(f.number(log.dropped))}</p>}
      <div className={`log-box${isWrapped ? " is-wrapped" : ""}${isRunning ? " is-running" : ""}`} ref={box} onScroll={scroll} tabIndex={0} role="log" aria-live="off" aria-label={t.log.label}>
        {shown.length === 0
          ? <p className="log-empty">{wanted !== "" ? t.log.noMatch : log.isComplete ? t.log.empty : isRunning ? t.log.empty : t.common.loading}</p>
          : blocks.map((lines) => <Block key={Math.floor((lines[0]?.number ?? 0) / block)} lines={lines} wanted={wanted} />)}
      </div>
    </div>
  );
}
