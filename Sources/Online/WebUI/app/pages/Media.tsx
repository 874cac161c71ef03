// What is plugged in, and writing to it.

import { FormEvent, ReactNode, useEffect, useState } from "react";
import { Failure, ask } from "../api/client";
import { isEnded, keyOf, useLiveJobs, useReplies } from "../api/live";
import { useQuery } from "../api/query";
import { Bundle, Job, Medium, Reply } from "../api/schema";
import { isConfirmed, useDestinations, useNameOf } from "../base/destinations";
import { Foreign, Moment, useLocale } from "../base/locale";
import { Link } from "../base/router";
import { Badge, Tone } from "../parts/Badge";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Checkbox, Field } from "../parts/Field";
import { Icon, IconName } from "../parts/Icon";
import { PageHead } from "../parts/Layout";
import { Bar, JobProgress } from "../parts/Progress";
import { Empty, FailureNote, Loaded } from "../parts/States";
import { useSay, useSayJob } from "../parts/Toasts";
import { RequestState, useAskedWords } from "./Requests";

const tones: Readonly<Record<Medium["state"], Tone>> = { ready: "good", uninitialised: "neutral", unusable: "bad" };

/** What people call a medium. */
export const mediumName = (medium: Medium) => medium.label ?? (medium.root.split("/").filter((part) => part !== "").pop() || medium.root);

/** The newest export to each medium, by where it is mounted. */
export function useExports(): (medium: Medium) => Job | undefined {
  const jobs = useQuery("listJobs", { kind: "export", limit: 50 }, ["open", "jobs"]);
  const shown = useLiveJobs(jobs.value?.items ?? []);
  return (medium) => shown.find((job) => job.parameters.medium === medium.root && (job.parameters.mediumId === undefined || job.parameters.mediumId === medium.id));
}

export function Media() {
  const { t } = useLocale();
  const media = useQuery("listMedia", { limit: 100 }, ["open", "media", "ended"]);
  const exportOf = useExports();
  const [chosen, setChosen] = useState<Medium>();
  return (
    <>
      <PageHead title={t.media.title} />
      <Loaded query={media} lines={5}>
        {(page) => (page.items.length === 0 ? <Empty icon="media" title={t.media.none} hint={t.media.noneHint} /> : (
          <ul className="media">
            {page.items.map((medium) => <MediumCard key={medium.id} medium={medium} job={exportOf(medium)} onExport={() => setChosen(medium)} />)}
          </ul>
        ))}
      </Loaded>
      {chosen && <ExportDialog medium={chosen} onClose={() => setChosen(undefined)} />}
    </>
  );
}

function MediumCard({ medium, job, onExport }: { readonly medium: Medium; readonly job: Job | undefined; readonly onExport: () => void }) {
  const { t, f } = useLocale();
  const name = mediumName(medium);
  const used = medium.totalBytes > 0 ? 1 - medium.freeBytes / medium.totalBytes : 0;
  const isWriting = job !== undefined && !isEnded(job);
  return (
    <li className="card medium">
      <header className="medium-head">
        <span className="medium-icon"><Icon name="media" size={20} /></span>
        <div>
          <h2>{name}</h2>
          <p className="quiet cut">{[medium.model, medium.fileSystem, medium.root].filter(Boolean).join(" · ")}</p>
        </div>
        <span className="line">
          <Badge tone={tones[medium.state]} dot>{t.media.state[medium.state]}</Badge>
          {medium.readOnly && <Badge tone="warn">{t.media.readOnly}</Badge>}
        </span>
      </header>
      <div>
        <Bar share={used} label={t.media.free(f.bytes(medium.freeBytes), f.bytes(medium.totalBytes))} tone={used > 0.95 ? "bad" : used > 0.85 ? "warn" : "good"} />
        <p className="quiet small numbers">{t.media.free(f.bytes(medium.freeBytes), f.bytes(medium.totalBytes))}</p>
      </div>
      {medium.detail && <p className="note note-bad"><Icon name="alert" /><Foreign>{medium.detail}</Foreign></p>}
      {job && <ExportState job={job} />}
      <div>
        <h3>{t.media.bundles}</h3>
        {medium.bundles.length + medium.parts.length === 0 ? <p className="quiet">{medium.state === "uninitialised" ? t.media.uninitialisedHint : t.media.noBundles}</p> : (
          <ul className="plain-list">
            {medium.bundles.slice(0, 5).map((bundle) => (
              <li key={bundle.bundle}><Link to={`/artifacts/${bundle.bundle}`}>{bundle.label}</Link><span className="quiet numbers">{f.bytes(bundle.sizeBytes)} · <Moment at={bundle.created} /></span></li>
            ))}
            {medium.parts.map((part) => (
              <li key={`part ${part.bundle}`}><Link to={`/artifacts/${part.bundle}`}>{part.label}</Link><span className="quiet numbers">{t.media.part(part.volumes.length, part.volumeCount)} · {f.bytes(part.sizeBytes)}</span></li>
            ))}
            {medium.bundleCount > 5 && <li className="quiet">{t.media.otherBundles(medium.bundleCount)}</li>}
          </ul>
        )}
      </div>
      {medium.state === "ready" && <Replies medium={medium} />}
      {medium.state !== "unusable" && !medium.readOnly && (
        <div><Button look={isWriting ? "plain" : "primary"} icon="media" disabled={isWriting} onClick={onExport} aria-label={`${t.media.export}: ${name}`}>{t.media.export}</Button></div>
      )}
    </li>
  );
}

/** What destinations say on a medium, and what came of it. */
function Replies({ medium }: { readonly medium: Medium }) {
  const { t } = useLocale();
  const say = useSay();
  const sayJob = useSayJob();
  const replies = useReplies(medium.id);
  const [isBusy, setBusy] = useState(false);
  const isKnown = replies !== undefined;
  useEffect(() => {
    // It was plugged in before this page was there to be told. What it says comes as an event.
    if (!isKnown) ask("readMedium", { id: medium.id }).catch(() => undefined);
  }, [isKnown, medium.id]);
  if (replies === undefined || replies.length === 0) return null;
  const accept = () => {
    setBusy(true);
    ask("readMedium", { id: medium.id, acceptOlder: true }).then(() => say({ tone: "good", text: t.media.accepted }), sayJob.failed).finally(() => setBusy(false));
  };
  const isOlder = replies.some((reply) => reply.refusal === "older");
  return (
    <div>
      <h3>{t.media.replies}</h3>
      <ul className="replies">{replies.map((reply) => <ReplyLine key={keyOf(reply)} reply={reply} />)}</ul>
      {isOlder && (
        <div className="note note-warn">
          <Icon name="alert" />
          <div><p>{t.media.olderHint}</p><p className="side-actions"><Button small busy={isBusy} onClick={accept}>{t.media.acceptOlder}</Button></p></div>
        </div>
      )}
    </div>
  );
}

function ReplyLine({ reply }: { readonly reply: Reply }) {
  const { t, f } = useLocale();
  const nameOf = useNameOf();
  const askedWords = useAskedWords();
  const { value: destinations } = useDestinations();
  const isStranger = (id: string) => destinations?.items.some((item) => item.destination === id && item.standing && !isConfirmed(item.standing));
  // A request goes on after it was read.
  const now = useQuery("getRequest", reply.event !== "refused" && keyOf(reply).startsWith("r-") ? { id: keyOf(reply) } : undefined, ["replies", "ended"]);
  const request = now.value ?? reply.request;
  const [id = "", counter] = keyOf(reply).split(" ");
  const line = (icon: IconName, words: ReactNode, more?: ReactNode) => <li><Icon name={icon} /><span>{words}</span>{more}</li>;
  const who = (destination: string) => <Link to={`/destinations/${destination}`}>{nameOf(destination)}</Link>;
  switch (reply.event) {
    case "introduced":
      return line("key", who(id), isStranger(id) && <Badge tone="warn">{t.destinations.unconfirmed}</Badge>);
    case "receipt":
      return line("check", <>{t.media.receiptOf} {who(id)}</>, reply.receipt && <span className="quiet numbers">{reply.receipt.sequence === null ? t.destinations.hasNothing : t.destinations.state(f.number(reply.receipt.sequence))}{reply.behind !== undefined && <>; {t.media.behind(t.destinations.state(f.number(reply.behind)))}</>}</span>);
    case "refused":
      return line("alert", <span className="bad">{counter !== undefined ? `${t.media.receiptOf} ${nameOf(id)}` : id.startsWith("r-") ? t.media.request : nameOf(id)}: {t.media.refusals[reply.refusal ?? "unusable"]}{reply.refusal === "unusable" && <> (<Foreign>{reply.reason}</Foreign>)</>}</span>);
    case "request":
    case "known":
      if (request) return line("letter", <Link to={`/requests/${request.request}`}>{t.requests.asks(nameOf(request.destination), askedWords(request))}</Link>, <RequestState state={request.state} />);
      return line(counter === undefined ? "place" : "check", counter === undefined ? who(id) : <>{t.media.receiptOf} {who(id)}</>, <span className="quiet">{t.media.readBefore}</span>);
  }
}

/** How an export goes, or went: not to be pulled, or safe. */
export function ExportState({ job }: { readonly job: Job }) {
  const { t } = useLocale();
  if (!isEnded(job)) {
    return (
      <div className="export-state">
        <p className="line strong"><span className="spinner" />{t.media.exporting}<Link to={`/jobs/${job.id}`} className="push">#{job.id}</Link></p>
        <JobProgress job={job} brief />
      </div>
    );
  }
  const isGood = job.state === "succeeded";
  const missing = (job.report as { readonly missing?: readonly number[] } | null)?.missing ?? [];
  return (
    <div className={`note note-${isGood ? "good" : "bad"}`} role="status">
      <Icon name={isGood ? "check" : "alert"} />
      <div>
        <strong>{!isGood ? t.media.failed : job.parameters.eject === true ? t.media.safeNow : t.media.safe}</strong>
        <p>{isGood ? t.media.safeHint : <Foreign>{job.reason}</Foreign>}</p>
        {isGood && missing.length > 0 && <p>{t.media.more}: {missing.join(", ")}</p>}
        <p>{job.ended && <Moment at={job.ended} />} · <Link to={`/jobs/${job.id}`}>#{job.id}</Link></p>
      </div>
    </div>
  );
}

/** Chooses bundle and medium, of which one may stand already. */
export function ExportDialog({ bundle, medium, onClose }: { readonly bundle?: string; readonly medium?: Medium; readonly onClose: () => void }) {
  const { t, f } = useLocale();
  const media = useQuery("listMedia", { limit: 100 }, ["open", "media"]);
  const bundles = useQuery("listArtifacts", { limit: 100 });
  const usable = (media.value?.items ?? []).filter((each) => each.state !== "unusable" && !each.readOnly);
  const there = (bundles.value?.items ?? []).filter((each) => each.pruned === null);
  const [bundleID, setBundleID] = useState(bundle ?? "");
  const [mediumID, setMediumID] = useState(medium?.id ?? "");
  const [volumeSize, setVolumeSize] = useState("");
  const [isSpread, setSpread] = useState(false);
  const [isEjected, setEjected] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setBusy] = useState(false);
  const [started, setStarted] = useState<Job>();
  const chosenMedium = usable.find((each) => each.id === mediumID) ?? usable[0];
  const chosenBundle: Bundle | undefined = there.find((each) => each.bundle === bundleID) ?? there[0];
  const [live] = useLiveJobs(started ? [started] : []);
  const isTooLarge = !isSpread && chosenBundle !== undefined && chosenMedium !== undefined && chosenMedium.freeBytes < chosenBundle.sizeBytes;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!chosenMedium || !chosenBundle) return;
    setBusy(true);
    setFailure(undefined);
    ask("exportToMedium", {
      id: chosenMedium.id, artifact: chosenBundle.bundle, volumeSize: volumeSize === "" ? undefined : Number(volumeSize), spread: isSpread ? true : undefined, eject: isEjected ? true : undefined, initialise: chosenMedium.state === "uninitialised" ? true : undefined,
    }).then(setStarted, (error: unknown) => setFailure(error instanceof Failure ? error : new Failure("failed", 0, String(error), ""))).finally(() => setBusy(false));
  };
  const title = medium ? t.media.exportTo(mediumName(medium)) : t.media.export;
  if (live) {
    return (
      <Dialog title={title} onClose={onClose} actions={<Button onClick={onClose}>{t.common.close}</Button>}>
        <ExportState job={live} />
      </Dialog>
    );
  }
  const isReady = media.value !== undefined && bundles.value !== undefined;
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={send} className="dialog-form">
        {media.failure && <FailureNote failure={media.failure} />}
        {isReady && usable.length === 0 && <Empty icon="media" title={t.media.none} hint={t.media.noneHint} />}
        {isReady && there.length === 0 && <p className="note note-warn"><Icon name="alert" />{t.media.noArtifacts}</p>}
        {usable.length > 0 && there.length > 0 && (
          <>
            <Field label={t.media.bundle}>
              {(ids) => (
                <select {...ids} value={chosenBundle?.bundle ?? ""} onChange={(event) => setBundleID(event.target.value)} disabled={bundle !== undefined}>
                  {there.map((each, index) => <option key={each.bundle} value={each.bundle}>{each.label} · {f.bytes(each.sizeBytes)}{index === 0 ? ` · ${t.media.newest}` : ""}</option>)}
                </select>
              )}
            </Field>
            <Field label={t.media.title} hint={chosenMedium?.state === "uninitialised" ? t.media.uninitialisedHint : undefined} problem={isTooLarge ? t.media.tooSmall : undefined}>
              {(ids) => (
                <select {...ids} value={chosenMedium?.id ?? ""} onChange={(event) => setMediumID(event.target.value)} disabled={medium !== undefined}>
                  {usable.map((each) => <option key={each.id} value={each.id}>{mediumName(each)} · {t.media.free(f.bytes(each.freeBytes), f.bytes(each.totalBytes))}</option>)}
                </select>
              )}
            </Field>
            <Field label={t.media.volumeSize} hint={t.media.volumeHint} problem={failure?.parameter === "volumeSize" ? <Foreign>{failure.message}</Foreign> : undefined}>
              {(ids) => <input {...ids} type="number" min={4} step={4} max={16_777_216} value={volumeSize} placeholder={t.common.asDefault} onChange={(event) => setVolumeSize(event.target.value)} />}
            </Field>
            <Checkbox label={t.media.spread} hint={t.media.spreadHint} checked={isSpread} onChange={(event) => setSpread(event.target.checked)} />
            <Checkbox label={t.media.eject} checked={isEjected} onChange={(event) => setEjected(event.target.checked)} />
          </>
        )}
        <FailureNote failure={failure?.parameter === "volumeSize" ? undefined : failure} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type="submit" look="primary" icon="media" busy={isBusy} disabled={!chosenMedium || !chosenBundle || isTooLarge}>{t.media.start}</Button>
        </div>
      </form>
    </Dialog>
  );
}
