// Whom bundles are for: what each has, and how far behind it is.

import { FormEvent, useState } from "react";
import { Failure, ask } from "../api/client";
import { live } from "../api/live";
import { useQuery } from "../api/query";
import { Destination, Standing } from "../api/schema";
import { Next, isConfirmed, useDestinations, useNextBundles } from "../base/destinations";
import { formPath } from "../base/jobs";
import { Moment, useLocale } from "../base/locale";
import { Link } from "../base/router";
import { Badge } from "../parts/Badge";
import { Button, ButtonLink } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { PageHead, Tabs } from "../parts/Layout";
import { Empty, FailureNote, FailureState } from "../parts/States";
import { Column, Table } from "../parts/Table";
import { useSay } from "../parts/Toasts";

export function DestinationTabs({ on }: { readonly on: "destinations" | "requests" }) {
  const { t, f } = useLocale();
  const asked = useQuery("listRequests", { state: "new", limit: 1 }, ["open", "ended", "replies"]);
  return (
    <Tabs
      label={t.destinations.title}
      tabs={[
        { to: "/destinations", label: t.destinations.title, isOn: on === "destinations" },
        { to: "/requests", label: t.requests.title, isOn: on === "requests", ...(asked.value?.total ? { count: f.number(asked.value.total) } : {}) },
      ]} />
  );
}

export function Destinations() {
  const { t } = useLocale();
  const destinations = useDestinations();
  const snapshots = useQuery("listSnapshots", { limit: 1 });
  const items = destinations.value?.items;
  const next = useNextBundles(items, snapshots.value?.items[0]?.snapshot);
  const columns: readonly Column<Destination>[] = [
    {
      id: "name", title: t.destinations.name, isMain: true,
      cell: (item) => (
        <div className="two-lines">
          <span className="cut">
            {item.standing ? <Link to={`/destinations/${item.destination}`} className="strong">{item.standing.name}</Link>
              : <span className="strong cut">{item.destination === "any" ? t.dashboard.everyone : item.destination}</span>}
          </span>
          <span className="quiet cut">{item.standing && hasWarnings(item.standing) ? <Warnings standing={item.standing} /> : item.standing ? <code>{item.destination}</code> : item.destination === "any" ? t.destinations.anyHint : t.destinations.noCard}</span>
        </div>
      ),
    },
    { id: "has", title: t.destinations.has, width: "11rem", cell: (item) => <Has standing={item.standing} /> },
    { id: "behind", title: t.destinations.pending, width: "9rem", hide: "phone", cell: (item) => <Pending item={item} /> },
    {
      id: "export", title: t.destinations.exported, width: "10rem", hide: "tablet",
      cell: (item) => (item.standing?.lastExport
        ? <div className="two-lines"><Moment at={item.standing.lastExport.written} /><span className="quiet cut" title={item.standing.lastExport.medium}>{lastPart(item.standing.lastExport.medium)}</span></div>
        : <span className="quiet">–</span>),
    },
    { id: "next", title: t.destinations.next, width: "9.5rem", hide: "phone", cell: (item) => <NextCell next={next.get(item.destination)} hasSnapshot={snapshots.value === undefined || snapshots.value.total > 0} /> },
  ];
  return (
    <>
      <PageHead title={t.destinations.title} actions={<ButtonLink to={formPath("diff_build")} look="primary" icon="plus">{t.artifacts.make}</ButtonLink>}>
        <DestinationTabs on="destinations" />
      </PageHead>
      <div className="stack">
        {items?.flatMap((item) => (item.standing && !isConfirmed(item.standing) ? <Introduced key={item.destination} standing={item.standing} /> : []))}
      </div>
      {destinations.failure && items === undefined ? <FailureState failure={destinations.failure} onRetry={destinations.reload} />
        : items?.length === 0 ? <Empty icon="place" title={t.destinations.none} hint={t.destinations.noneHint} />
          : <Table
              label={t.destinations.title} columns={columns} rows={items} keyOf={(item) => item.destination}
              to={(item) => (item.standing ? `/destinations/${item.destination}` : undefined)} />}
    </>
  );
}

/** What people call a medium that is known by its label, or by where it was mounted. */
export const lastPart = (medium: string) => medium.split("/").filter((part) => part !== "").pop() ?? medium;

export const hasWarnings = (standing: Standing) => !isConfirmed(standing) || standing.quietFor !== null;

/** What somebody should know of a destination, in a word each. */
export function Warnings({ standing }: { readonly standing: Standing }) {
  const { t } = useLocale();
  return (
    <>
      {!isConfirmed(standing) && <Badge tone="warn">{t.destinations.unconfirmed}</Badge>}
      {standing.quietFor !== null && <Badge tone="warn">{t.destinations.quiet(t.count.days(standing.quietFor))}</Badge>}
    </>
  );
}

/** What a destination has acknowledged, and when that was read. */
export function Has({ standing }: { readonly standing: Standing | null }) {
  const { t, f } = useLocale();
  const receipt = standing?.receipt;
  if (!receipt) return <span className="quiet">{standing ? t.destinations.noReceipt : "–"}</span>;
  return (
    <div className="two-lines">
      <span className="numbers">{receipt.sequence === null ? t.destinations.hasNothing : t.destinations.state(f.number(receipt.sequence))}{receipt.missing > 0 && <span className="warn"> {t.destinations.without(t.count.files(receipt.missing))}</span>}</span>
      <span className="quiet"><Moment at={receipt.read} /></span>
    </div>
  );
}

/** How far behind it is: what was made for it and is not acknowledged. */
export function Pending({ item }: { readonly item: Destination }) {
  const { t } = useLocale();
  const { standing } = item;
  if (!standing) return <span className="quiet">–</span>;
  if (standing.pending.length === 0) return <Badge tone="good">{t.destinations.hasAll}</Badge>;
  const isOut = standing.lastExport !== null;
  return <div className="two-lines"><span>{t.count.bundles(standing.pending.length)}</span><span className="quiet">{isOut ? t.destinations.isOut : t.destinations.isNotOut}</span></div>;
}

/** The next bundle in numbers. */
export function NextCell({ next, hasSnapshot }: { readonly next: Next | Failure | undefined; readonly hasSnapshot: boolean }) {
  const { t, f } = useLocale();
  if (next instanceof Failure) return <span className="quiet" title={next.message}>–</span>;
  if (!next) return hasSnapshot ? <span className="skeleton-line" aria-busy="true" /> : <span className="quiet">–</span>;
  if (next.files + next.removed === 0) return <span className="quiet">{t.dashboard.nothingNew}</span>;
  const words = (
    <>
      <span>{t.count.packages(next.packages)}</span>
      <span className="quiet">{t.count.versions(next.versions)}, {f.bytes(next.bytes)}</span>
    </>
  );
  return <Link to={`/snapshots/compare?from=${next.baseline ?? "empty"}&to=${next.target}`} className="two-lines">{words}</Link>;
}

/** Tells that a destination wants to be known, and lets its key be confirmed. */
export function Introduced({ standing }: { readonly standing: Standing }) {
  const { t } = useLocale();
  const [isAsking, setAsking] = useState(false);
  return (
    <section className="card action action-warn" aria-label={t.destinations.introduced(standing.name)}>
      <span className="action-icon"><Icon name="key" size={20} /></span>
      <div className="action-words"><h2>{t.destinations.introduced(standing.name)}</h2><p>{t.destinations.introducedHint}</p></div>
      <Button look="primary" onClick={() => setAsking(true)}>{t.destinations.confirm}</Button>
      {isAsking && <ConfirmDialog standing={standing} onClose={() => setAsking(false)} />}
    </section>
  );
}

const digits = (text: string) => text.replace(/\s/g, "").toLowerCase();

/** Takes the fingerprint from the people of a destination, and says while it is typed where it differs. */
export function ConfirmDialog({ standing, onClose }: { readonly standing: Standing; readonly onClose: () => void }) {
  const { t } = useLocale();
  const say = useSay();
  const [text, setText] = useState("");
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setBusy] = useState(false);
  const wanted = digits(standing.fingerprint);
  const told = digits(text);
  const wrong = [...told].findIndex((digit, index) => digit !== wanted[index]);
  const isSame = told === wanted;
  const send = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    ask("confirmDestination", { id: standing.destination, fingerprint: text }).then(async () => {
      await readAgain();
      live.decided();
      say({ tone: "good", text: t.destinations.confirmedDone(standing.name) });
      onClose();
    }, (error: unknown) => setFailure(error instanceof Failure ? error : new Failure("failed", 0, String(error), ""))).finally(() => setBusy(false));
  };
  return (
    <Dialog title={t.destinations.confirmTitle(standing.name)} onClose={onClose}>
      <form onSubmit={send} className="dialog-form">
        <p>{t.destinations.confirmHint}</p>
        <Field
          label={t.destinations.fingerprint} hint={wrong >= 0 || isSame ? undefined : told === "" ? t.destinations.fingerprintHint : t.destinations.soFar(told.length, wanted.length)}
          problem={wrong >= 0 ? t.destinations.differs(wrong + 1) : undefined}>
          {(ids) => <input {...ids} type="text" className="mono" value={text} maxLength={64} autoComplete="off" spellCheck={false} onChange={(event) => setText(event.target.value)} />}
        </Field>
        {isSame && <p className="note note-good" role="status"><Icon name="check" />{t.destinations.same}</p>}
        <FailureNote failure={failure} />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type="submit" look="primary" icon="key" busy={isBusy} disabled={!isSame}>{t.destinations.confirm}</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Has the media read again that are plugged in: what was refused before its sender was confirmed counts now. */
async function readAgain(): Promise<void> {
  try {
    const media = await ask("listMedia", { limit: 100 });
    for (const medium of media.items) if (medium.state === "ready") await ask("readMedium", { id: medium.id });
  } catch {
    // It is read when it is plugged in the next time.
  }
}
