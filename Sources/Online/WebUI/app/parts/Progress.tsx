import { useLocale } from "../base/locale";
import { Job } from "../api/schema";

/** A bar of how much is done; `undefined` where nobody can tell. */
export function Bar({ share, label, tone = "busy" }: { readonly share: number | undefined; readonly label: string; readonly tone?: "busy" | "good" | "warn" | "bad" }) {
  const percent = share === undefined ? undefined : Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  return (
    <div
      className={`bar bar-${tone}${percent === undefined ? " bar-unknown" : ""}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100}
      aria-valuenow={percent}>
      <div style={percent === undefined ? undefined : { width: `${percent}%` }} />
    </div>
  );
}

/** How far a running job is: its phase, the amounts, how fast it goes and how long that takes. */
export function JobProgress({ job, brief = false }: { readonly job: Job; readonly brief?: boolean }) {
  const { t, f } = useLocale();
  const { progress } = job;
  const phases: Readonly<Record<string, string>> = t.phase;
  if (!progress) {
    return (
      <div className="progress">
        <div className="progress-line"><span>{t.job.begins}</span></div>
        <Bar share={undefined} label={t.jobs.progress} />
        {!brief && <div className="progress-item">{"\u00a0"}</div>}
      </div>
    );
  }
  const share = progress.total > 0 ? progress.done / progress.total : undefined;
  const parts = [
    progress.total > 0 ? t.common.of(f.amount(progress.done, progress.unit), f.amount(progress.total, progress.unit)) : f.amount(progress.done, progress.unit),
    ...(progress.ratePerSecond > 0 && !brief ? [f.rate(progress.ratePerSecond, progress.unit)] : []),
    ...(progress.secondsLeft !== null && progress.secondsLeft > 0 ? [t.common.left(f.duration(progress.secondsLeft))] : []),
  ];
  return (
    <div className="progress">
      <div className="progress-line">
        <span>{phases[progress.phase] ?? progress.phase}</span>
        <span className="numbers">{parts.join(" · ")}</span>
      </div>
      <Bar share={share} label={t.jobs.progress} />
      {!brief && <div className="progress-item mono" title={progress.item}>{progress.item || "\u00a0"}</div>}
    </div>
  );
}
