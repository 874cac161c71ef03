import { useMemo, useState } from "react";
import { useQuery } from "../api/query";
import { PackageDetail, PackageVersion, Tarball } from "../api/schema";
import { useDestinations } from "../base/destinations";
import { startJob } from "../base/jobs";
import { Foreign, Moment, useLocale } from "../base/locale";
import { Link, packagePath } from "../base/router";
import { Badge } from "../parts/Badge";
import { Button, CopyButton, Segments } from "../parts/Button";
import { SearchField } from "../parts/Field";
import { Card, Facts, PageHead } from "../parts/Layout";
import { Empty, Loaded } from "../parts/States";
import { Column, Table } from "../parts/Table";
import { useSayJob } from "../parts/Toasts";
import { JobTable } from "./Jobs";

type Shown = "all" | "cached" | "known" | "damaged";

const step = 100;

/** One package: its versions, what of them is here and sound, and how it travelled. */
export function PackagePage({ name }: { readonly name: string }) {
  const { t } = useLocale();
  const detail = useQuery("getPackage", { name });
  const jobs = useQuery("listJobs", { package: name, limit: 10 }, ["open", "jobs"]);
  const sayJob = useSayJob();
  const repair = () => startJob("start-broken-repair", { packages: [name] }).then(sayJob.started, sayJob.failed);
  return (
    <>
      <PageHead
        title={name} above={[["/packages", t.nav.packages]]}
        badge={detail.value?.gone && <Badge>{t.packages.gone}</Badge>}
        actions={detail.value && detail.value.damaged > 0 && <Button icon="wrench" look="primary" onClick={() => void repair()}>{t.package.repair}</Button>}>
        {detail.value?.description && <p className="page-hint"><Foreign>{detail.value.description}</Foreign></p>}
      </PageHead>
      <Loaded query={detail} lines={10}>
        {(value) => (
          <div className="columns">
            <div className="column-main">
              <Versions detail={value} />
              {value.unnamed.length > 0 && <Unnamed tarballs={value.unnamed} />}
              <Card title={t.package.jobsTitle} flush>
                {jobs.value && jobs.value.items.length === 0 ? <p className="quiet pad">{t.package.noJobs}</p> : <JobTable jobs={jobs.value?.items} isShort />}
              </Card>
            </div>
            <div className="column-side">
              <About detail={value} />
              <Dependents name={name} />
              <Bundles detail={value} />
            </div>
          </div>
        )}
      </Loaded>
    </>
  );
}

function About({ detail }: { readonly detail: PackageDetail }) {
  const { t, f } = useLocale();
  const install = `npm install ${detail.name}`;
  const tags = Object.entries(detail.tags).sort(([a], [b]) => (a === "latest" ? -1 : b === "latest" ? 1 : a.localeCompare(b)));
  return (
    <Card title={t.package.facts}>
      <div className="command" title={t.package.install}><code>{install}</code><CopyButton text={install} label={`${t.common.copy}: ${install}`} /></div>
      {detail.packumentError && <p className="note note-bad">{t.package.packumentError}: <Foreign>{detail.packumentError}</Foreign></p>}
      <Facts
        facts={[
          [t.packages.source, t.packages.sources[detail.source]],
          [t.package.versionsTitle, `${f.number(detail.cachedVersions)} / ${f.number(detail.versions.length)}`],
          [t.package.tarballs, f.bytes(detail.tarballBytes)],
          [t.package.packument, f.bytes(detail.packumentBytes)],
          detail.published && [t.packages.published, <Moment at={detail.published} />] as const || false,
          [t.packages.changed, <Moment at={detail.lastChanged} />],
          [t.package.firstSeen, <Moment at={detail.firstSeen} />],
        ]} />
      {tags.length > 0 && (
        <>
          <h3>{t.package.tags}</h3>
          <ul className="tags">
            {tags.map(([tag, version]) => <li key={tag}><span>{tag}</span><code>{version}</code></li>)}
          </ul>
        </>
      )}
    </Card>
  );
}

function Dependents({ name }: { readonly name: string }) {
  const { t, f } = useLocale();
  const [limit, setLimit] = useState(10);
  const dependents = useQuery("listDependents", { name, limit });
  return (
    <Card title={t.package.needed} hint={dependents.value && dependents.value.total > 0 ? f.number(dependents.value.total) : undefined}>
      <Loaded query={dependents}>
        {(page) => (page.total === 0 ? <p className="quiet">{t.package.noDependents}</p> : (
          <>
            <ul className="plain-list">
              {page.items.map((item) => (
                <li key={item.name}>
                  <Link to={packagePath(item.name)} className="cut">{item.name}</Link>
                  <span className="line">
                    {item.kind !== "regular" && <Badge>{item.kind === "optional" ? t.package.optionally : t.package.asPeer}</Badge>}
                    <code className="quiet cut range" title={item.range}>{item.range}</code>
                  </span>
                </li>
              ))}
            </ul>
            {page.total > page.items.length && limit < 1000 && <p className="side-actions"><Button small onClick={() => setLimit(limit === 10 ? 100 : 1000)}>{t.count.more(page.total - page.items.length)}</Button></p>}
          </>
        ))}
      </Loaded>
    </Card>
  );
}

function Bundles({ detail }: { readonly detail: PackageDetail }) {
  const { t } = useLocale();
  const { value: destinations } = useDestinations();
  /** Who has acknowledged the state that a bundle leads to, or a later one. */
  const holders = (bundle: PackageDetail["bundles"][number]) => (destinations?.items ?? []).flatMap(({ standing }) =>
    (standing && (standing.receipt?.sequence ?? 0) >= bundle.sequence && (bundle.destination === "any" || bundle.destination === standing.destination) ? [standing.name] : []));
  return (
    <Card title={t.package.bundlesTitle}>
      {detail.bundles.length === 0 ? <p className="quiet">{t.package.noBundles}</p> : (
        <ul className="plain-list">
          {[...detail.bundles].reverse().map((bundle) => (
            <li key={bundle.bundle}>
              <span className="two-lines">
                <Link to={`/artifacts/${bundle.bundle}`}>{bundle.label}</Link>
                {holders(bundle).length > 0 && <span className="quiet">{t.package.arrived(holders(bundle).join(", "))}</span>}
              </span>
              <span className="quiet"><Moment at={bundle.created} /></span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Status({ version }: { readonly version: PackageVersion }) {
  const { t } = useLocale();
  return (
    <span className="line">
      {version.tarball?.damage ? <Badge tone="bad" dot title={t.broken.kinds[version.tarball.damage]}>{t.package.damaged}</Badge>
        : version.tarball ? <Badge tone="good" dot>{t.package.cached}</Badge> : <Badge dot>{t.package.known}</Badge>}
      {version.deprecated !== null && <Badge tone="warn" title={version.deprecated}>{t.package.deprecated}</Badge>}
      {version.withdrawn && <Badge tone="warn">{t.package.withdrawn}</Badge>}
      {version.local && <Badge>{t.package.local}</Badge>}
    </span>
  );
}

function Versions({ detail }: { readonly detail: PackageDetail }) {
  const { t, f } = useLocale();
  const [shown, setShown] = useState<Shown>("all");
  const [search, setSearch] = useState("");
  const [count, setCount] = useState(step);
  const tagsOf = useMemo(() => {
    const found = new Map<string, string[]>();
    for (const [tag, version] of Object.entries(detail.tags)) found.set(version, [...(found.get(version) ?? []), tag]);
    return found;
  }, [detail.tags]);
  const versions = detail.versions.filter((version) => {
    if (search !== "" && !version.version.includes(search)) return false;
    switch (shown) {
      case "all": return true;
      case "cached": return version.tarball !== null;
      case "known": return version.tarball === null;
      case "damaged": return version.tarball?.damage !== null && version.tarball !== null;
    }
  });
  const columns: readonly Column<PackageVersion>[] = [
    {
      id: "version", title: t.package.version, isMain: true,
      cell: (version) => (
        <span className="line">
          <span className="mono strong">{version.version}</span>
          {(tagsOf.get(version.version) ?? []).slice(0, 3).map((tag) => <Badge key={tag} tone="busy">{tag}</Badge>)}
        </span>
      ),
    },
    { id: "status", title: t.package.status, cell: (version) => <Status version={version} />, width: "11rem" },
    { id: "size", title: t.packages.size, isNumber: true, width: "5.5rem", cell: (version) => (version.tarball ? f.bytes(version.tarball.sizeBytes) : <span className="quiet">–</span>) },
    { id: "published", title: t.packages.published, isNumber: true, width: "8.5rem", hide: "phone", cell: (version) => (version.published ? <Moment at={version.published} /> : <span className="quiet">–</span>) },
    { id: "checked", title: t.package.checked, isNumber: true, width: "9rem", hide: "tablet", cell: (version) => (version.tarball?.checked ? <Moment at={version.tarball.checked} /> : <span className="quiet">–</span>) },
    { id: "bundles", title: t.package.bundles, isNumber: true, width: "6rem", hide: "tablet", cell: (version) => (version.tarball && version.tarball.bundles.length > 0 ? f.number(version.tarball.bundles.length) : <span className="quiet">–</span>) },
  ];
  return (
    <Card
      title={t.package.versionsTitle} hint={t.common.of(f.number(versions.length), f.number(detail.versions.length))} flush
      actions={
        <>
          <Segments<Shown>
            label={t.package.status} value={shown} onChange={(value) => { setShown(value); setCount(step); }}
            options={[
              { value: "all", label: t.package.filterAll }, { value: "cached", label: t.package.filterCached }, { value: "known", label: t.package.filterKnown },
              { value: "damaged", label: t.package.filterDamaged },
            ]} />
          <SearchField label={t.package.search} value={search} onChange={setSearch} wait={0} />
        </>
      }>
      {versions.length === 0 ? <Empty icon="search" title={t.package.noMatch} /> : (
        <>
          <Table label={t.package.versionsTitle} columns={columns} rows={versions.slice(0, count)} keyOf={(version) => version.version} />
          {versions.length > count && <div className="pad center"><Button onClick={() => setCount(count + step)}>{t.common.more} ({t.count.more(versions.length - count)})</Button></div>}
        </>
      )}
    </Card>
  );
}

function Unnamed({ tarballs }: { readonly tarballs: readonly Tarball[] }) {
  const { t, f } = useLocale();
  return (
    <Card title={t.package.unnamed}>
      <ul className="plain-list">
        {tarballs.map((tarball) => <li key={tarball.file}><code>{tarball.file}</code><span className="quiet">{f.bytes(tarball.sizeBytes)}</span></li>)}
      </ul>
    </Card>
  );
}
