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

export function JobState({ state }: { readonly state: Job["state"] }) {
  const { t } = useLocale();
  return <Badge tone={tones[state]} dot>{t.state[state]}</Badge>;
}
