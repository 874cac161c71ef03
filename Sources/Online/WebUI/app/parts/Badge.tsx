import { ReactNode } from "react";
import { useLocale } from "../base/locale";
import { Job } from "../api/schema";

export type Tone = "neutral" | "good" | "warn" | "bad" | "busy";

/** A state in a word; the colour repeats what the word says. */
export function Badge({ tone = "neutral", dot = false, title, children }: { readonly tone?: Tone; readonly dot?: boolean; readonly title?: string; readonly children: ReactNode }) {
  return <span className={`badge tone-${tone}`} title={title}>{dot && <span className="badge-dot" />}{children}</span>;
}

const tones: Readonly<Record<Job["state"], Tone>> = {
  queued: "neutral", running: "busy", succeeded: "good", failed: "bad", cancelled: "neutral", interrupted: "warn",
};

/** Where a job stands; one that did its work and found what somebody has to see to is not green. */
export function JobState({ job }: { readonly job: Job }) {
  const { t } = useLocale();
  const isClean = job.state !== "succeeded" || job.exitCode === 0;
  return <Badge tone={isClean ? tones[job.state] : "warn"} dot>{t.state[job.state]}</Badge>;
}
