import { useQuery } from "../api/query";
import { Snapshot } from "../api/schema";
import { startJob } from "../base/jobs";
import { Moment, useLocale } from "../base/locale";
import { Link } from "../base/router";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { PageHead } from "../parts/Layout";
import { Empty } from "../parts/States";
import { Column, ListTable, pageSize, usePageNumber } from "../parts/Table";
import { useSayJob } from "../parts/Toasts";
import { ArtifactTabs } from "./Artifacts";

/** What the storage held at moments. */
export function Snapshots() {
  const { t, f } = useLocale();
  const page = usePageNumber();
  const sayJob = useSayJob();
  const snapshots = useQuery("listSnapshots", { limit: pageSize, offset: (page - 1) * pageSize });
  const take = () => startJob("start-snapshot", {}).then(sayJob.started, sayJob.failed);
  const items = snapshots.value?.items ?? [];
  const before = (snapshot: Snapshot) => items[items.indexOf(snapshot) + 1]?.snapshot ?? "empty";
  const columns: readonly Column<Snapshot>[] = [
    {
      id: "snapshot", title: t.snapshots.snapshot, isMain: true,
      cell: (snapshot) => (
        <div className="two-lines">
          <span className="line"><Link className="mono strong" to={`/snapshots/compare?from=${before(snapshot)}&to=${snapshot.snapshot}`}>{snapshot.snapshot}</Link>{!snapshot.settled && <Badge tone="warn">{t.snapshots.unsettled}</Badge>}</span>
          <code className="quiet cut">{snapshot.stateRoot.slice(0, 32)}…</code>
        </div>
      ),
    },
    { id: "packages", title: t.snapshots.packages, isNumber: true, width: "8rem", hide: "phone", cell: (snapshot) => f.number(snapshot.packages) },
    { id: "files", title: t.snapshots.files, isNumber: true, width: "8rem", hide: "phone", cell: (snapshot) => f.number(snapshot.files) },
    { id: "size", title: t.snapshots.size, isNumber: true, width: "8rem", cell: (snapshot) => f.bytes(snapshot.bytes) },
    { id: "created", title: t.snapshots.created, isNumber: true, width: "10rem", cell: (snapshot) => <Moment at={snapshot.created} /> },
  ];
  const button = <Button look="primary" icon="camera" onClick={() => void take()}>{t.snapshots.take}</Button>;
  return (
    <>
      <PageHead title={t.artifacts.title} actions={button}><ArtifactTabs on="snapshots" /></PageHead>
      <ListTable
        query={snapshots} label={t.artifacts.tabSnapshots} columns={columns} keyOf={(snapshot) => snapshot.snapshot}
        to={(snapshot) => `/snapshots/compare?from=${before(snapshot)}&to=${snapshot.snapshot}`}
        empty={<Empty icon="camera" title={t.snapshots.none} hint={t.snapshots.noneHint}>{button}</Empty>} />
    </>
  );
}
