// What happens, as the service tells it: one stream for the whole page, which is found again when it is lost.

import { useSyncExternalStore } from "react";
import { Job, Reply } from "./schema";
import { readStream } from "./stream";

/**
 * Something that a query may depend on: `open` is the stream being there (again), `jobs` the beginning, the end or the coming of a job, `ended`
 * the end of one, `media` a change of what is plugged in, `replies` what destinations said, or what a person decided about them.
 */
export type Topic = "open" | "jobs" | "ended" | "media" | "replies";

export type Connection =
  | { readonly state: "connecting" | "live" | "asleep" }
  /** Lost at a moment; tried again at another. */
  | { readonly state: "lost"; readonly since: number; readonly next: number };

const shortest = 500;
const longest = 15_000;
/** The service gives a sign of life every 15 seconds at least; this is when it is taken for gone. */
const silence = 40_000;

class LiveFeed {
  private connection: Connection = { state: "connecting" };
  private jobs = new Map<number, Job>();
  private isHeld = false;
  private replies = new Map<string, readonly Reply[]>();
  private version = 0;
  private lastID: string | undefined;
  private attempts = 0;
  private lostSince = 0;
  private abort: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private listeners = new Set<() => void>();
  private topics = new Map<Topic, Set<() => void>>();

  start(): void {
    // A tab that nobody looks at holds no connection: browsers allow six to a server, over all tabs.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.sleep() : this.connect()));
    window.addEventListener("online", () => this.connect());
    if (document.hidden) this.become({ state: "asleep" });
    else this.connect();
  }

  private sleep(): void {
    this.abort?.abort();
    this.abort = undefined;
    clearTimeout(this.timer);
    this.become({ state: "asleep" });
  }

  /** Connects now, whatever was waited for. */
  connect = (): void => {
    if (document.hidden || this.connection.state === "live") return;
    clearTimeout(this.timer);
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    void this.follow(abort);
  };

  private async follow(abort: AbortController): Promise<void> {
    let watch: ReturnType<typeof setTimeout> | undefined;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => abort.abort(), silence);
    };
    alive();
    try {
      await readStream("/events", this.lastID, abort.signal, () => {
        this.attempts = 0;
        // What was told meanwhile is not told again.
        this.replies.clear();
        this.become({ state: "live" });
        this.tell("open");
      }, (event) => {
        alive();
        if (event.id !== undefined) this.lastID = event.id;
        if (event.name === "job") this.take(JSON.parse(event.data) as Job);
        if (event.name === "media") this.takeMedia(JSON.parse(event.data) as { readonly removed: readonly string[] });
        if (event.name === "replies") this.takeReplies(JSON.parse(event.data) as { readonly medium: string; readonly items: readonly Reply[] });
        if (event.name === "destinations" && !this.isHeld) this.tell("replies");
      });
    } catch {
      // Whatever the reason, it is tried again.
    }
    clearTimeout(watch);
    if (this.abort !== abort) return;
    this.abort = undefined;
    const now = Date.now();
    if (this.connection.state !== "lost") this.lostSince = now;
    const wait = Math.min(longest, shortest * 2 ** this.attempts);
    this.attempts += 1;
    this.become({ state: "lost", since: this.lostSince, next: now + wait });
    this.timer = setTimeout(this.connect, wait);
  }

  private take(job: Job): void {
    const known = this.jobs.get(job.id);
    if (known && known.revision >= job.revision) return;
    this.jobs.set(job.id, job);
    if (this.jobs.size > 500) this.jobs.delete(Math.min(...this.jobs.keys()));
    this.changed();
    if (known?.state === job.state) return;
    this.tell("jobs");
    if (isEnded(job)) this.tell("ended");
  }

  private takeMedia({ removed }: { readonly removed: readonly string[] }): void {
    for (const medium of removed) this.replies.delete(medium);
    this.changed();
    this.tell("media");
  }

  private takeReplies({ medium, items }: { readonly medium: string; readonly items: readonly Reply[] }): void {
    const before = new Map(this.replies.get(medium)?.map((reply) => [keyOf(reply), reply]));
    // What was read before is told by its name only; the first time, all of it was.
    this.replies.set(medium, items.map((reply) => {
      const old = before.get(keyOf(reply));
      return reply.event === "known" && old && old.event !== "refused" ? old : reply;
    }));
    this.changed();
    this.tell("replies");
  }

  /** Keeps the page from asking for what its person is about to remove, until `release`. */
  hold = (): void => {
    this.isHeld = true;
  };

  /** Ends `hold`, and tells what was not told meanwhile. */
  release = (): void => {
    this.isHeld = false;
    this.tell("replies");
  };

  /** Tells the page that its person has changed how a destination, or a request, stands; the event may be long in coming. */
  decided = (): void => this.tell("replies");

  private become(connection: Connection): void {
    this.connection = connection;
    this.changed();
  }

  private changed(): void {
    this.version += 1;
    for (const listener of [...this.listeners]) listener();
  }

  private tell(topic: Topic): void {
    for (const listener of [...(this.topics.get(topic) ?? [])]) listener();
  }

  listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  on(topic: Topic, listener: () => void): () => void {
    const known = this.topics.get(topic) ?? new Set();
    this.topics.set(topic, known.add(listener));
    return () => known.delete(listener);
  }

  readonly getConnection = () => this.connection;
  readonly getVersion = () => this.version;
  readonly getReplies = (medium: string) => this.replies.get(medium);

  /** The newer one of what was asked for and what was told since. */
  newest(job: Job): Job {
    const told = this.jobs.get(job.id);
    return told && told.revision > job.revision ? told : job;
  }
}

/** What document of a medium it tells of: the name of its file without what is the same for all. */
export function keyOf(reply: Reply): string {
  if (reply.receipt) return `${reply.receipt.destination} ${reply.receipt.counter}`;
  if (reply.request) return reply.request.request;
  if (reply.destination) return reply.destination;
  const [id = "", , counter] = (reply.name ?? "").replace(/\.json$/, "").split(".");
  return counter === undefined ? id : `${id} ${counter}`;
}

export const live = new LiveFeed();

export const isEnded = (job: Job) => job.state !== "queued" && job.state !== "running";

export const useConnection = () => useSyncExternalStore(live.listen, live.getConnection);

/** Jobs as they are now, drawn again whenever one changes. */
export function useLiveJobs(jobs: readonly Job[]): readonly Job[] {
  useSyncExternalStore(live.listen, live.getVersion);
  return jobs.map((job) => live.newest(job));
}

export function useLiveJob(job: Job | undefined): Job | undefined {
  useSyncExternalStore(live.listen, live.getVersion);
  return job && live.newest(job);
}

/** What came back on a medium, as far as that was told since it was plugged in. */
export function useReplies(medium: string): readonly Reply[] | undefined {
  return useSyncExternalStore(live.listen, () => live.getReplies(medium));
}
