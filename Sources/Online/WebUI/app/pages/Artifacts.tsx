import { ParametersOf } from "../api/client";
import { useQuery } from "../api/query";
import { Bundle } from "../api/schema";
import { useDestinations, useNameOf } from "../base/destinations";
import { formPath } from "../base/jobs";
import { Moment, useLocale } from "../base/locale";
import { Link, useQueryWords } from "../base/router";
import { Badge } from "../parts/Badge";
import { ButtonLink } from "../parts/Button";
import { Select } from "../parts/Field";
import { PageHead, Tabs } from "../parts/Layout";
import { Empty } from "../parts/States";
import { Column, ListTable, pageSize, usePageNumber } from "../parts/Table";

type Sort = NonNullable<ParametersOf<"listArtifacts">["sort"]>;

export function ArtifactTabs({ on }: { readonly on: "bundles" | "snapshots" | "compare" }) {
  const { t } = useLocale();
  return (
    <Tabs
      label={t.artifacts.title}
      tabs={[
        { to: "/artifacts", label: t.artifacts.tabBundles, isOn: on === "bundles" }, { to: "/snapshots", label: t.artifacts.tabSnapshots, isOn: on === "snapshots" },
        { to: "/snapshots/compare", label: t.artifacts.tabDiff, isOn: on === "compare" },
      ]} />
  );
}

/** Whom a bundle is for. */
export function Destination({ id }: { readonly id: string }) {
  const { t } = useLocale();
  const name = useNameOf()(id);
  return id === "any" ? <span>{t.artifacts.anyone}</span> : name === id ? <code title={id}>{id}</code> : <Link to={`/destinations/${id}`} title={id}>{name}</Link>;
}

/** Every bundle that was made. */
export function Artifacts() {
  const { t, f } = useLocale();
  const [query, change] = useQueryWords();
  const page = usePageNumber();
  const destination = query.get("destination") ?? "";
  const sort = (query.get("sort") ?? "-sequence") as Sort;
  const bundles = useQuery("listArtifacts", { destination: destination === "" ? undefined : destination, sort, limit: pageSize, offset: (page - 1) * pageSize });
  const destinations = useDestinations();
  const nameOf = useNameOf();
  const columns: readonly Column<Bundle>[] = [
    { id: "sequence", title: t.artifacts.sequence, sort: "sequence", largestFirst: true, isNumber: true, width: "4rem", hide: "phone", cell: (bundle) => f.number(bundle.sequence) },
    {
      id: "bundle", title: t.artifacts.bundle, isMain: true,
      cell: (bundle) => (
        <div className="two-lines">
          <span className="line">
            <Link to={`/artifacts/${bundle.bundle}`} className="strong">{bundle.label}</Link>
            <Badge>{bundle.baseline === null ? t.artifacts.full : t.artifacts.incremental}</Badge>
            {bundle.keys.length === 0 && <Badge tone="warn">{t.artifacts.unsigned}</Badge>}
            {bundle.pruned && <Badge tone="warn">{t.artifacts.pruned}</Badge>}
          </span>
          <code className="quiet cut">{bundle.bundle}</code>
        </div>
      ),
    },
    { id: "destination", title: t.artifacts.destination, width: "9rem", hide: "tablet", cell: (bundle) => <span className="cut"><Destination id={bundle.destination} /></span> },
    {
      id: "contents", title: t.artifacts.contents, width: "12rem", hide: "phone",
      cell: (bundle) => <span className="cut">{t.count.packages(bundle.counts.packages)}<span className="quiet">, {t.count.files(bundle.counts.files)}</span></span>,
    },
    { id: "size", title: t.artifacts.size, isNumber: true, width: "6rem", cell: (bundle) => f.bytes(bundle.sizeBytes) },
    { id: "created", title: t.artifacts.created, isNumber: true, width: "8.5rem", hide: "phone", cell: (bundle) => <Moment at={bundle.created} /> },
  ];
  const make = <ButtonLink to={formPath("diff_build")} look="primary" icon="plus">{t.artifacts.make}</ButtonLink>;
  return (
    <>
      <PageHead title={t.artifacts.title} actions={make}><ArtifactTabs on="bundles" /></PageHead>
      {destinations.value && destinations.value.total > 1 && (
        <div className="filters">
          <Select
            label={t.artifacts.destination} value={destination} none={t.artifacts.allDestinations}
            options={destinations.value.items.map((item) => [item.destination, item.destination === "any" ? t.artifacts.anyone : nameOf(item.destination)] as const)}
            onChange={(word) => change({ destination: word, page: undefined })} />
        </div>
      )}
      <ListTable
        query={bundles} label={t.artifacts.tabBundles} columns={columns} keyOf={(bundle) => bundle.bundle} to={(bundle) => `/artifacts/${bundle.bundle}`} sort={sort}
        onSort={(word) => change({ sort: word === "-sequence" ? undefined : word, page: undefined })}
        empty={<Empty icon="archive" title={t.artifacts.none} hint={t.artifacts.noneHint}>{make}</Empty>} />
    </>
  );
}
