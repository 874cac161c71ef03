import { useState } from "react";
import { Failure, addressOf, ask } from "../api/client";
import { useQuery } from "../api/query";
import { BundleContent, BundleDetail, Verification } from "../api/schema";
import { Foreign, Moment, useLocale } from "../base/locale";
import { Link, packagePath, useQueryWords } from "../base/router";
import { Badge } from "../parts/Badge";
import { Button, ButtonLink, CopyButton, Segments } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { Card, Code, Facts, PageHead } from "../parts/Layout";
import { Empty, FailureNote, Loaded } from "../parts/States";
import { Column, ListTable, pageSize, usePageNumber } from "../parts/Table";
import { Destination } from "./Artifacts";
import { ExportDialog } from "./Media";

/** One bundle: what it is, what it carries, to prove, to take and to export. */
export function Artifact({ id }: { readonly id: string }) {
  const { t } = useLocale();
  const detail = useQuery("getArtifact", { id });
  const [isExporting, setExporting] = useState(false);
  const isThere = detail.value !== undefined && detail.value.archive.length > 0;
  return (
    <>
      <PageHead
        title={detail.value?.label ?? id} above={[["/artifacts", t.nav.artifacts]]}
        badge={detail.value && (
          <>
            <Badge>{detail.value.baseline === null ? t.artifacts.full : t.artifacts.incremental}</Badge>
            {detail.value.keys.length === 0 && <Badge tone="warn">{t.artifacts.unsigned}</Badge>}
            {!isThere && <Badge tone="warn">{t.artifacts.pruned}</Badge>}
          </>
        )}
        actions={isThere && (
          <>
            <a className="button button-plain" href={addressOf("downloadArtifact", { id })} download><Icon name="download" /><span>{t.common.download}</span></a>
            <Button look="primary" icon="media" onClick={() => setExporting(true)}>{t.artifact.export}</Button>
          </>
        )} />
      <Loaded query={detail} lines={8}>
        {(value) => (
          <div className="columns">
            <div className="column-main">
              {isThere ? <Contents id={id} counts={value.counts} /> : <Card><Empty icon="archive" title={t.artifact.gone} hint={t.artifact.goneHint} /></Card>}
            </div>
            <div className="column-side">
              <About detail={value} />
              {isThere && <Proof id={id} />}
            </div>
          </div>
        )}
      </Loaded>
      {isExporting && detail.value && <ExportDialog bundle={detail.value.bundle} onClose={() => setExporting(false)} />}
    </>
  );
}

function About({ detail }: { readonly detail: BundleDetail }) {
  const { t, f } = useLocale();
  const byHand = `tar --zstd -xf ${detail.label}.tar.zst -C PARENT storage`;
  return (
    <Card title={t.artifact.facts}>
      <Facts
        facts={[
          [t.artifact.id, <Code text={detail.bundle} />],
          [t.artifacts.sequence, f.number(detail.sequence)],
          [t.artifacts.destination, <Destination id={detail.destination} />],
          [t.artifacts.created, <Moment at={detail.created} exact />],
          [t.artifact.baseline, detail.baseline === null ? <span className="quiet">{t.artifact.nothing}</span> : <code>{detail.baseline}</code>],
          [t.artifact.target, <code>{detail.target}</code>],
          [t.artifacts.contents, `${t.count.packages(detail.counts.packages)}, ${t.count.files(detail.counts.files)}, ${f.bytes(detail.counts.bytes)}`],
          [t.artifacts.size, f.bytes(detail.sizeBytes)],
          [t.artifacts.signed, detail.keys.length > 0 ? <code className="break">{detail.keys.join(", ")}</code> : t.artifacts.unsigned],
          [t.artifact.root, <Code text={detail.targetRoot} short={20} label={t.artifact.copyRoot} />],
          ...detail.archive.map((file) => [t.artifact.archive, <span className="break"><code>{file.name}</code> <span className="quiet">{f.bytes(file.sizeBytes)}</span></span>] as const).slice(0, 1),
        ]} />
      {detail.archive.length > 1 && (
        <ul className="plain-list">{detail.archive.slice(1).map((file) => <li key={file.name}><code>{file.name}</code><span className="quiet">{f.bytes(file.sizeBytes)}</span></li>)}</ul>
      )}
      <div className="side-actions">
        <ButtonLink small icon="compare" to={`/snapshots/compare?from=${detail.baseline ?? "empty"}&to=${detail.target}`}>{t.artifact.compare}</ButtonLink>
      </div>
      <h3>{t.artifact.manual}</h3>
      <p className="quiet small">{t.artifact.manualHint}</p>
      <div className="command"><code>{byHand}</code><CopyButton text={byHand} label={`${t.common.copy}: ${byHand}`} /></div>
    </Card>
  );
}

function Proof({ id }: { readonly id: string }) {
  const { t, f } = useLocale();
  const [isBusy, setBusy] = useState(false);
  const [found, setFound] = useState<Verification>();
  const [failure, setFailure] = useState<Failure>();
  const verify = () => {
    setBusy(true);
    setFailure(undefined);
    ask("verifyArtifact", { id }).then(setFound, (error: unknown) => setFailure(error instanceof Failure ? error : undefined)).finally(() => setBusy(false));
  };
  return (
    <Card title={t.artifact.verify} actions={<Button small icon="shield" busy={isBusy} onClick={verify}>{t.artifact.verify}</Button>}>
      <div role="status" className="proof">
        {isBusy ? <p className="quiet">{t.artifact.verifying}</p> : !found && !failure && <p className="quiet">{t.artifact.verifyHint}</p>}
        {found && !isBusy && (
          <>
            <div className={`note note-${found.intact ? "good" : "bad"}`}>
              <Icon name={found.intact ? "check" : "alert"} />
              <div>
                <strong>{found.intact ? t.artifact.intact : t.artifact.damaged}</strong>
                {found.problem ? <p className="break">{found.problem.subject}: <Foreign>{found.problem.reason}</Foreign></p>
                  : <p>{t.artifact.verifiedHint(f.bytes(found.bytes), t.count.files(found.files), t.artifact.chunks(found.chunks))}</p>}
              </div>
            </div>
            {found.signatures.length === 0 ? <p className="line"><Icon name="alert" />{t.artifact.noSignature}</p> : (
              <ul className="plain-list">
                {found.signatures.map((signature) => (
                  <li key={signature.key} className={signature.valid ? "good" : "bad"}>
                    <Icon name={signature.valid ? "check" : "alert"} />
                    <span>{signature.valid ? t.artifact.signatureGood(signature.key) : signature.known ? t.artifact.signatureBad(signature.key) : t.artifact.signatureUnknown(signature.key)}</span>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </div>
      <FailureNote failure={failure} />
    </Card>
  );
}

function Contents({ id, counts }: { readonly id: string; readonly counts: BundleDetail["counts"] }) {
  const { t, f } = useLocale();
  const [query, change] = useQueryWords();
  const list = query.get("list") === "removed" ? "removed" : "files";
  const page = usePageNumber();
  const contents = useQuery("listArtifactContents", { id, list, limit: pageSize, offset: (page - 1) * pageSize });
  const columns: readonly Column<BundleContent>[] = [
    {
      id: "path", title: t.artifact.path, isMain: true,
      cell: (file) => <div className="two-lines"><Link to={packagePath(file.package)} className="strong cut">{file.path}</Link><code className="quiet cut">{file.sha512.slice(0, 32)}…</code></div>,
    },
    { id: "version", title: t.artifact.version, width: "9rem", hide: "phone", cell: (file) => (file.version === null ? <span className="quiet">{t.artifact.packument}</span> : <span className="mono cut">{file.version}</span>) },
    list === "files"
      ? { id: "size", title: t.artifact.size, isNumber: true, width: "6.5rem", cell: (file) => (file.sizeBytes === null ? "–" : f.bytes(file.sizeBytes)) }
      : { id: "reason", title: t.artifact.reason, width: "11rem", cell: (file) => (file.reason === null ? "–" : t.artifact[file.reason]) },
  ];
  return (
    <Card
      title={t.artifact.contents} flush
      actions={
        <Segments<"files" | "removed">
          label={t.artifact.contents} value={list} onChange={(value) => change({ list: value === "files" ? undefined : value, page: undefined })}
          options={[{ value: "files", label: `${t.artifact.files} ${f.number(counts.files)}` }, { value: "removed", label: `${t.artifact.removed} ${f.number(counts.removed)}` }]} />
      }>
      <ListTable
        query={contents} label={t.artifact.contents} columns={columns} keyOf={(file) => file.path}
        empty={<Empty icon="archive" title={list === "files" ? t.artifact.noFiles : t.artifact.noRemoved} />} />
    </Card>
  );
}
