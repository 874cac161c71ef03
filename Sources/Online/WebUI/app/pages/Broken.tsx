import { useState } from "react";
import { ParametersOf } from "../api/client";
import { useQuery } from "../api/query";
import { BrokenArchive } from "../api/schema";
import { startJob } from "../base/jobs";
import { Foreign, Moment, useLocale } from "../base/locale";
import { Link, packagePath, useQueryWords } from "../base/router";
import { Badge, Tone } from "../parts/Badge";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Select } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Code, Facts, PageHead } from "../parts/Layout";
import { Empty } from "../parts/States";
import { Column, ListTable, pageSize, usePageNumber } from "../parts/Table";
import { useSayJob } from "../parts/Toasts";

type Shown = NonNullable<ParametersOf<"listBrokenArchives">["state"]>;
type Sort = NonNullable<ParametersOf<"listBrokenArchives">["sort"]>;
type Damage = BrokenArchive["kind"];

const tones: Readonly<Record<BrokenArchive["state"], Tone>> = { damaged: "bad", missing: "warn", repaired: "good", cleared: "neutral" };
const damages: readonly Damage[] = [
  "truncated", "empty", "not-gzip", "corrupt-data", "checksum", "bad-tar", "trailing-bytes", "digest-mismatch", "no-packument-entry", "packument-unreadable", "orphan",
];

/** What is damaged or was: to look at, to check again, and to repair. */
export function Broken() {
  const { t, f } = useLocale();
  const [query, change] = useQueryWords();
  const page = usePageNumber();
  const sayJob = useSayJob();
  const [looked, setLooked] = useState<BrokenArchive>();
  const state = (query.get("state") ?? "open") as Shown;
  const kind = (query.get("kind") ?? "") as Damage | "";
  const sort = (query.get("sort") ?? "path") as Sort;
  const archives = useQuery("listBrokenArchives", { state, kind: kind === "" ? undefined : kind, sort, limit: pageSize, offset: (page - 1) * pageSize });
  const open = useQuery("listBrokenArchives", { state: "open", limit: 1 });
  const checks = useQuery("listJobs", { kind: "broken_scan", state: "succeeded", limit: 1 });
  const rescan = (everything: boolean) => startJob("start-broken-rescan", everything ? { everything } : {}).then((job) => sayJob.started(job, t.broken.rescanStarted), sayJob.failed);
  const repair = (packages?: readonly string[]) => startJob("start-broken-repair", packages ? { packages } : {}).then((job) => sayJob.started(job, t.broken.started), sayJob.failed);
  const isFiltered = state !== "open" || kind !== "";
  const isUnchecked = checks.value?.total === 0;
  const columns: readonly Column<BrokenArchive>[] = [
    {
      id: "path", title: t.broken.path, sort: "path", isMain: true,
      cell: (archive) => (
        <div className="two-lines">
          <button type="button" className="link strong cut" onClick={() => setLooked(archive)}>{archive.file}</button>
          <span className="quiet cut"><Link to={packagePath(archive.package)}>{archive.package}</Link></span>
        </div>
      ),
    },
    { id: "kind", title: t.broken.kind, width: "11.5rem", hide: "phone", cell: (archive) => <span title={archive.message}>{t.broken.kinds[archive.kind]}</span> },
    {
      id: "state", title: t.broken.state, width: "7.5rem",
      cell: (archive) => <Badge tone={tones[archive.state]} dot {...(archive.goneUpstream ? { title: t.broken.goneUpstream } : {})}>{t.broken.states[archive.state]}</Badge>,
    },
    { id: "found", title: t.broken.since, sort: "found", largestFirst: true, isNumber: true, width: "8.5rem", hide: "phone", cell: (archive) => <Moment at={archive.found} /> },
    { id: "attempts", title: t.broken.attempts, isNumber: true, width: "5.5rem", hide: "tablet", cell: (archive) => (archive.attempts.length > 0 ? f.number(archive.attempts.length) : <span className="quiet">–</span>) },
    { id: "size", title: t.broken.size, isNumber: true, width: "5.5rem", hide: "tablet", cell: (archive) => f.bytes(archive.sizeBytes) },
    {
      id: "actions", title: t.common.actions, isNumber: true, width: "9.5rem",
      cell: (archive) => (archive.state === "damaged" || archive.state === "missing"
        ? <span className="row-actions"><Button small icon="wrench" onClick={() => void repair([archive.package])} aria-label={`${t.broken.repairOne}: ${archive.file}`}>{t.broken.repairOne}</Button></span>
        : <Button small look="quiet" onClick={() => setLooked(archive)} aria-label={`${t.common.details}: ${archive.file}`}>{t.common.details}</Button>),
    },
  ];
  const number = open.value?.total ?? 0;
  return (
    <>
      <PageHead
        title={t.broken.title} badge={number > 0 && <span className="page-count tone-bad numbers">{f.number(number)}</span>}
        actions={
          <>
            <Button icon="again" onClick={() => void rescan(false)}>{t.broken.rescan}</Button>
            <Button icon="shield" onClick={() => void rescan(true)}>{t.broken.rescanAll}</Button>
            {number > 0 && <Button look="primary" icon="wrench" onClick={() => void repair()}>{t.broken.repair}</Button>}
          </>
        } />
      <div className="filters">
        <Select<Shown>
          label={t.broken.state} value={state}
          options={[["open", t.broken.open], ["damaged", t.broken.states.damaged], ["missing", t.broken.states.missing], ["repaired", t.broken.states.repaired], ["cleared", t.broken.states.cleared], ["all", t.broken.all]]}
          onChange={(word) => change({ state: word === "open" ? undefined : word, page: undefined })} />
        <Select<Damage> label={t.broken.kind} value={kind} none={t.broken.allKinds} options={damages.map((word) => [word, t.broken.kinds[word]] as const)} onChange={(word) => change({ kind: word, page: undefined })} />
      </div>
      <ListTable
        query={archives} label={t.broken.title} columns={columns} keyOf={(archive) => `${archive.path} ${archive.found}`} sort={sort}
        onSort={(word) => change({ sort: word === "path" ? undefined : word, page: undefined })}
        empty={isFiltered ? <Empty icon="filter" title={t.broken.noMatch}><Button onClick={() => change({ state: undefined, kind: undefined, page: undefined })}>{t.packages.clearFilters}</Button></Empty>
          : isUnchecked ? <Empty icon="shield" title={t.broken.noneChecked} hint={t.broken.noneCheckedHint}><Button look="primary" icon="shield" onClick={() => void rescan(false)}>{t.broken.rescan}</Button></Empty>
            : <Empty icon="check" title={t.broken.none} hint={t.broken.noneHint} />} />
      {looked && <Look archive={looked} onClose={() => setLooked(undefined)} onRepair={() => { setLooked(undefined); void repair([looked.package]); }} />}
    </>
  );
}

function Look({ archive, onClose, onRepair }: { readonly archive: BrokenArchive; readonly onClose: () => void; readonly onRepair: () => void }) {
  const { t, f } = useLocale();
  const isOpen = archive.state === "damaged" || archive.state === "missing";
  return (
    <Dialog
      title={archive.file} onClose={onClose} wide
      actions={<><Button onClick={onClose}>{t.common.close}</Button>{isOpen && <Button look="primary" icon="wrench" onClick={onRepair}>{t.broken.repairOne}</Button>}</>}>
      <Facts
        facts={[
          [t.packages.name, <Link to={packagePath(archive.package)} onClick={onClose}>{archive.package}{archive.version && ` ${archive.version}`}</Link>],
          [t.broken.state, <Badge tone={tones[archive.state]} dot>{t.broken.states[archive.state]}</Badge>],
          [t.broken.kind, t.broken.kinds[archive.kind]],
          [t.broken.message, <span className="break"><Foreign>{archive.message}</Foreign></span>],
          [t.broken.since, <Moment at={archive.found} exact />],
          [t.broken.checked, <Moment at={archive.checked} exact />],
          [t.broken.size, f.bytes(archive.sizeBytes)],
          archive.sha512 !== null && ["SHA-512", <Code text={archive.sha512} short={24} />],
          archive.quarantined !== null && [t.broken.quarantined, <code className="break">{archive.quarantined}</code>],
        ]} />
      <p className="side-actions"><Link to={`/jobs?package=${encodeURIComponent(archive.package)}`} onClick={onClose}>{t.package.jobsTitle}</Link></p>
      {archive.goneUpstream && <p className="note note-warn"><Icon name="alert" />{t.broken.goneUpstream}</p>}
      <h3>{t.broken.attempts}</h3>
      {archive.attempts.length === 0 ? <p className="quiet">{t.broken.noAttempts}</p> : (
        <ol className="attempts">
          {[...archive.attempts].reverse().map((attempt) => (
            <li key={attempt.began}>
              <span className="line"><Badge tone={attempt.repaired ? "good" : "bad"}>{attempt.repaired ? t.broken.repaired : t.broken.failed}</Badge><span className="quiet"><Moment at={attempt.ended} exact /></span></span>
              <p className="break"><Foreign>{attempt.reason}</Foreign></p>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}
