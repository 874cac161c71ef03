import { ParametersOf } from "../api/client";
import { useQuery } from "../api/query";
import { Package } from "../api/schema";
import { startJob } from "../base/jobs";
import { Foreign, Moment, useLocale } from "../base/locale";
import { Link, packagePath, useQueryWords } from "../base/router";
import { Badge } from "../parts/Badge";
import { Button } from "../parts/Button";
import { SearchField, Select } from "../parts/Field";
import { PageHead } from "../parts/Layout";
import { Empty } from "../parts/States";
import { Column, ListTable, pageSize, usePageNumber } from "../parts/Table";
import { useSayJob } from "../parts/Toasts";

type Sort = NonNullable<ParametersOf<"listPackages">["sort"]>;
type Source = Package["source"];

/** Every package in storage: searched, filtered, sorted and paged by the service. */
export function Packages() {
  const { t, f } = useLocale();
  const [query, change] = useQueryWords();
  const page = usePageNumber();
  const search = query.get("search") ?? "";
  const source = (query.get("source") ?? "") as Source | "";
  const damaged = query.get("damaged") === "true";
  const sort = (query.get("sort") ?? "name") as Sort;
  const packages = useQuery("listPackages", {
    search: search === "" ? undefined : search, source: source === "" ? undefined : source, damaged: damaged ? true : undefined, sort, limit: pageSize,
    offset: (page - 1) * pageSize,
  });
  const statistics = useQuery("getStatistics", { days: 30 });
  const sayJob = useSayJob();
  const isFiltered = search !== "" || source !== "" || damaged;
  const scan = () => startJob("start-metadata-scan", {}).then(sayJob.started, sayJob.failed);
  const columns: readonly Column<Package>[] = [
    {
      id: "name", title: t.packages.name, sort: "name", isMain: true,
      cell: (item) => (
        <div className="two-lines">
          <span className="line">
            <Link to={packagePath(item.name)} className="strong">{item.name}</Link>
            {item.gone && <Badge>{t.packages.gone}</Badge>}
            {item.source === "local" && <Badge>{t.packages.sources.local}</Badge>}
          </span>
          <span className="quiet cut">{item.description === null ? "\u00a0" : <Foreign>{item.description}</Foreign>}</span>
        </div>
      ),
    },
    { id: "latest", title: t.packages.latest, cell: (item) => <span className="mono cut latest">{item.latest ?? "–"}</span>, hide: "phone", width: "7.5rem" },
    {
      id: "versions", title: t.packages.cached, sort: "versions", largestFirst: true, isNumber: true, width: "6rem",
      cell: (item) => <>{f.number(item.cachedVersions)}<span className="quiet"> / {f.number(item.versions)}</span></>, hide: "phone",
    },
    { id: "bytes", title: t.packages.size, sort: "bytes", largestFirst: true, isNumber: true, width: "6.5rem", cell: (item) => f.bytes(item.tarballBytes) },
    { id: "published", title: t.packages.published, sort: "published", largestFirst: true, isNumber: true, width: "8.75rem", hide: "tablet", cell: (item) => (item.published ? <Moment at={item.published} /> : "–") },
    { id: "changed", title: t.packages.changed, sort: "changed", largestFirst: true, isNumber: true, width: "8.75rem", hide: "tablet", cell: (item) => <Moment at={item.lastChanged} /> },
    {
      id: "damaged", title: t.packages.damaged, sort: "damaged", largestFirst: true, isNumber: true, width: "5.5rem",
      cell: (item) => (item.damaged > 0 ? <Badge tone="bad">{f.number(item.damaged)}</Badge> : <span className="quiet">–</span>), hide: "phone",
    },
  ];
  const sorts = new Set<string>(["name", "versions", "bytes", "published", "changed", "damaged"]);
  return (
    <>
      <PageHead title={t.packages.title} badge={statistics.value?.latest && <span className="page-count numbers">{f.number(statistics.value.latest.packages)}</span>}>
        {statistics.value?.latest && <p className="page-hint">{t.packages.asOf(f.moment(statistics.value.latest.taken))}</p>}
      </PageHead>
      <div className="filters">
        <SearchField label={t.packages.search} hint={t.packages.searchHint} jumps value={search} onChange={(text) => change({ search: text, page: undefined }, "replace")} />
        <Select<Source>
          label={t.packages.source} value={source} none={t.packages.allSources}
          options={(["proxied", "local", "mixed"] as const).map((word) => [word, t.packages.sources[word]] as const)} onChange={(word) => change({ source: word, page: undefined })} />
        <button type="button" className="toggle" aria-pressed={damaged} onClick={() => change({ damaged: damaged ? undefined : "true", page: undefined })}>{t.packages.onlyDamaged}</button>
      </div>
      <ListTable
        query={packages} label={t.packages.title} columns={columns} keyOf={(item) => item.name} to={(item) => packagePath(item.name)} sort={sort}
        onSort={(word) => change({ sort: word === "name" || !sorts.has(word.replace("-", "")) ? undefined : word, page: undefined })}
        empty={isFiltered
          ? <Empty icon="search" title={t.packages.noMatch} hint={t.packages.noMatchHint}>
              <Button onClick={() => change({ search: undefined, source: undefined, damaged: undefined, page: undefined })}>{t.packages.clearFilters}</Button>
            </Empty>
          : <Empty icon="package" title={t.packages.none} hint={t.packages.noneHint}><Button look="primary" icon="play" onClick={() => void scan()}>{t.dashboard.action.scan.button}</Button></Empty>} />
    </>
  );
}
