import { useQuery } from "../api/query";
import { Change } from "../api/schema";
import { Foreign, useLocale } from "../base/locale";
import { Link, packagePath, useQueryWords } from "../base/router";
import { Badge, Tone } from "../parts/Badge";
import { Select } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { PageHead } from "../parts/Layout";
import { Empty, FailureState, Skeleton } from "../parts/States";
import { Column, ListTable, pageSize, usePageNumber } from "../parts/Table";
import { ArtifactTabs } from "./Artifacts";

type Kind = Change["change"];

const kinds: readonly Kind[] = ["added", "changed", "removed", "withdrawn", "withheld", "left-out"];
const tones: Readonly<Record<Kind, Tone>> = { added: "good", changed: "busy", removed: "bad", withdrawn: "warn", withheld: "warn", "left-out": "warn" };

/** What differs between two snapshots. */
export function Compare() {
  const { t, f } = useLocale();
  const [query, change] = useQueryWords();
  const page = usePageNumber();
  const snapshots = useQuery("listSnapshots", { limit: 1000 });
  const list = snapshots.value?.items ?? [];
  const to = query.get("to") ?? list[0]?.snapshot;
  const from = query.get("from") ?? list[list.findIndex((snapshot) => snapshot.snapshot === to) + 1]?.snapshot ?? "empty";
  const kind = (query.get("change") ?? "") as Kind | "";
  const diff = useQuery("compareSnapshots", to === undefined ? undefined : { id: to, baseline: from, change: kind === "" ? undefined : kind, limit: pageSize, offset: (page - 1) * pageSize });
  const names = list.map((snapshot) => [snapshot.snapshot, `${snapshot.snapshot} · ${f.moment(snapshot.created)}`] as const);
  const columns: readonly Column<Change>[] = [
    {
      id: "path", title: t.snapshots.path, isMain: true,
      cell: (item) => <Link className="cut" to={packagePath(item.path.slice(0, item.path.lastIndexOf("/")))}>{item.path}</Link>,
    },
    { id: "change", title: t.snapshots.change, width: "9rem", cell: (item) => <Badge tone={tones[item.change]}>{t.snapshots.kinds[item.change]}</Badge> },
    { id: "size", title: t.snapshots.size, isNumber: true, width: "7rem", cell: (item) => (item.sizeBytes === null ? <span className="quiet">–</span> : f.bytes(item.sizeBytes)) },
    { id: "reason", title: t.snapshots.reason, width: "12rem", hide: "phone", cell: (item) => <span className="quiet cut">{item.reason === null ? "–" : <Foreign>{item.reason}</Foreign>}</span> },
  ];
  return (
    <>
      <PageHead title={t.artifacts.title}><ArtifactTabs on="compare" /></PageHead>
      {snapshots.value === undefined
        ? snapshots.failure ? <FailureState failure={snapshots.failure} onRetry={snapshots.reload} /> : <Skeleton lines={6} />
        : to === undefined ? <Empty icon="compare" title={t.snapshots.chooseTwo} hint={t.snapshots.chooseTwoHint} />
          : (
            <>
              <div className="filters">
                <Select label={t.snapshots.from} value={from} options={[["empty", t.snapshots.empty] as const, ...names]} onChange={(word) => change({ from: word, page: undefined, change: undefined })} />
                <Icon name="right" />
                <Select label={t.snapshots.to} value={to} options={names} onChange={(word) => change({ to: word, page: undefined, change: undefined })} />
              </div>
              {diff.value && (
                <ul className="counts">
                  {kinds.filter((each) => (diff.value?.counts[each] ?? 0) > 0 || each === "added" || each === "changed" || each === "removed").map((each) => (
                    <li key={each}>
                      <button type="button" className="toggle" aria-pressed={kind === each} onClick={() => change({ change: kind === each ? undefined : each, page: undefined })}>
                        {t.snapshots.kinds[each]} <strong className="numbers">{f.number(diff.value?.counts[each] ?? 0)}</strong>
                      </button>
                    </li>
                  ))}
                </ul>
              )}
              <ListTable
                query={diff} label={t.artifacts.tabDiff} columns={columns} keyOf={(item) => `${item.change} ${item.path}`}
                empty={<Empty icon="check" title={t.snapshots.noChanges} hint={t.snapshots.noChangesHint} />} />
            </>
          )}
    </>
  );
}
