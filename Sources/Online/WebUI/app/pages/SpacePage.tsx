// How full the disks are, what takes the room, and how that went.

import { useQuery } from "../api/query";
import { Space } from "../api/schema";
import { formPath } from "../base/jobs";
import { Foreign, Moment, useLocale } from "../base/locale";
import { Badge, Tone } from "../parts/Badge";
import { ButtonLink } from "../parts/Button";
import { AreaChart, Point } from "../parts/Charts";
import { Icon } from "../parts/Icon";
import { Card, Facts, PageHead } from "../parts/Layout";
import { Bar } from "../parts/Progress";
import { Empty, Loaded } from "../parts/States";

type Disk = Space["disks"][number];
type Measurement = Space["measurements"][number];

const tones: Readonly<Record<Disk["level"], Tone>> = { ok: "good", warning: "warn", critical: "bad" };

/** When a disk will be full, in words. */
export function useForecast(): (disk: Disk) => string {
  const { t } = useLocale();
  return (disk) => disk.daysLeft !== null ? t.dashboard.diskLeft(t.count.days(disk.daysLeft)) : disk.forecast.startsWith("not known") ? t.dashboard.diskUnknown : t.dashboard.diskSteady;
}

export function SpacePage() {
  const { t } = useLocale();
  const space = useQuery("getSpace", { days: 90 });
  // They come in the order of measuring, which a clock that was set back does not change.
  const measurements = [...(space.value?.measurements ?? [])].sort((a, b) => (a.taken < b.taken ? -1 : 1));
  return (
    <>
      <PageHead title={t.space.title} above={[["/", t.nav.dashboard]]} actions={<ButtonLink to={formPath("retention")} icon="archive">{t.kind.retention}</ButtonLink>} />
      <Loaded query={space} lines={8}>
        {(value) => (
          <div className="columns">
            <div className="column-main">
              <Free measurements={measurements} />
            </div>
            <div className="column-side">
              {value.disks.map((disk) => <DiskCard key={disk.path} disk={disk} />)}
              <Parts measurements={measurements} />
            </div>
          </div>
        )}
      </Loaded>
    </>
  );
}

function DiskCard({ disk }: { readonly disk: Disk }) {
  const { t, f } = useLocale();
  const forecast = useForecast();
  const used = disk.totalBytes > 0 ? 1 - disk.freeBytes / disk.totalBytes : 0;
  return (
    <Card title={disk.holds.map((each) => t.space.holds[each]).join(", ")} actions={<Badge tone={tones[disk.level]} dot>{t.space.levels[disk.level]}</Badge>}>
      <Bar share={used} label={t.dashboard.disk} tone={disk.level === "ok" ? "good" : disk.level === "warning" ? "warn" : "bad"} />
      <p className="quiet small numbers below-bar">{t.media.free(f.bytes(disk.freeBytes), f.bytes(disk.totalBytes))}</p>
      <Facts
        facts={[
          [t.space.forecast, <span title={disk.forecast}>{forecast(disk)}</span>],
          disk.freeFiles !== null && disk.totalFiles !== null && [t.space.files, t.common.of(f.number(disk.freeFiles), f.number(disk.totalFiles))],
          [t.space.path, <code className="break">{disk.path}</code>],
        ]} />
      {disk.reasons.map((reason) => <p key={reason} className={`note note-${disk.level === "critical" ? "bad" : "warn"}`}><Icon name="alert" /><Foreign>{reason}</Foreign></p>)}
    </Card>
  );
}

function Free({ measurements }: { readonly measurements: readonly Measurement[] }) {
  const { t, f } = useLocale();
  const points = measurements.flatMap((each): readonly Point[] => [{ at: Date.parse(each.taken), value: each.storageFreeBytes ?? each.stateFreeBytes, label: f.moment(each.taken) }]);
  // One a day is enough to see how it goes.
  const daily = points.filter((point, index) => f.day(point.at) !== f.day(points[index + 1]?.at ?? 0));
  return (
    <Card title={t.space.free} hint={t.count.days(90)}>
      <div className="chart-place">
        {daily.length < 2 ? <Empty icon="clock" title={daily.length === 0 ? t.space.noMeasurements : t.chart.tooFew} /> : <AreaChart title={t.space.free} points={daily} write={f.bytes} isBinary height={260} />}
      </div>
    </Card>
  );
}

function Parts({ measurements }: { readonly measurements: readonly Measurement[] }) {
  const { t, f } = useLocale();
  const last = [...measurements].reverse().find((each) => each.stateBytes !== null);
  if (!last) return null;
  const parts = [
    [t.space.holds.storage, last.storageBytes], [t.space.snapshots, last.snapshotsBytes], [t.space.holds.artifacts, last.artifactsBytes], [t.space.logs, last.logsBytes],
  ] as const;
  const most = Math.max(1, ...parts.map(([, bytes]) => bytes ?? 0));
  return (
    <Card title={t.space.parts} hint={<Moment at={last.taken} />}>
      <ul className="running">
        {parts.map(([name, bytes]) => bytes !== null && (
          <li key={name}>
            <div className="line"><span>{name}</span><span className="push numbers">{f.bytes(bytes)}</span></div>
            <Bar share={bytes / most} label={name} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
