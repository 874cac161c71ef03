import { FormEvent, ReactNode, useEffect, useState } from "react";
import { Failure, ask } from "../api/client";
import { live } from "../api/live";
import { useQuery } from "../api/query";
import { DestinationDetail } from "../api/schema";
import { isConfirmed } from "../base/destinations";
import { formPath } from "../base/jobs";
import { Foreign, Moment, useLocale } from "../base/locale";
import { Link, navigate } from "../base/router";
import { Button, ButtonLink } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Card, Code, Facts, PageHead } from "../parts/Layout";
import { FailureNote, Loaded } from "../parts/States";
import { Column, Table } from "../parts/Table";
import { useSay } from "../parts/Toasts";
import { Introduced, Warnings, lastPart } from "./Destinations";
import { RequestTable } from "./Requests";

const topics = ["open", "ended", "replies"] as const;

/** One destination: what it has and asks for, what goes there next, and how it is treated. */
export function DestinationPage({ id }: { readonly id: string }) {
  const { t } = useLocale();
  const detail = useQuery("getDestination", { id }, topics);
  const [isForgetting, setForgetting] = useState(false);
  return (
    <>
      <PageHead
        title={detail.value?.name ?? id} above={[["/destinations", t.destinations.title]]} badge={detail.value && <Warnings standing={detail.value} />}
        actions={detail.value && (
          <>
            <Button look="danger" icon="trash" onClick={() => setForgetting(true)}>{t.destinations.forget}</Button>
            <ButtonLink to={`${formPath("diff_build")}?destination=${id}`} look="primary" icon="plus">{t.artifacts.make}</ButtonLink>
          </>
        )} />
      <Loaded query={detail} lines={8}>
        {(value) => (
          <>
            {!isConfirmed(value) && <Introduced standing={value} />}
            {value.quietFor !== null && <p className="note note-warn"><Icon name="clock" />{t.destinations.quietHint(t.count.days(value.quietFor))}</p>}
            <div className="columns">
              <div className="column-main">
                <NextBundle detail={value} />
                <OnItsWay detail={value} />
                <Receipts detail={value} />
                <Requests id={id} />
              </div>
              <div className="column-side">
                <About detail={value} />
                <Policy key={`${value.baseline} ${value.approvesRequests} ${value.quietDays}`} detail={value} />
              </div>
            </div>
          </>
        )}
      </Loaded>
      {isForgetting && detail.value && <ForgetDialog detail={detail.value} onClose={() => setForgetting(false)} />}
    </>
  );
}

function NextBundle({ detail }: { readonly detail: DestinationDetail }) {
  const { t, f } = useLocale();
  const next = useQuery("getNextBundle", { id: detail.destination }, topics);
  const figure = (label: string, value: ReactNode) => <div><dt>{label}</dt><dd className="numbers">{value}</dd></div>;
  return (
    <Card title={t.destinations.next} hint={next.value && next.value.baseline === null ? t.destinations.full : t.destinations.nextHint}>
      <Loaded query={next} lines={3}>
        {(value) => {
          const { counts } = value;
          const isNothing = counts.files + counts.removed === 0;
          return (
            <>
              {value.target === null ? <p className="quiet">{t.snapshots.none}.</p> : isNothing ? <p className="line good"><Icon name="check" />{t.destinations.nothingNext}</p> : (
                <dl className="figures">
                  {figure(t.figure.packages, f.number(counts.packages))}
                  {figure(t.figure.versions, f.number(value.versions))}
                  {figure(t.figure.files, f.number(counts.files))}
                  {figure(t.figure.bytes, f.bytes(counts.bytes))}
                  {counts.removed > 0 && figure(t.figure.removed, f.number(counts.removed))}
                  {value.again > 0 && figure(t.destinations.again, t.count.files(value.again))}
                </dl>
              )}
              <p className="quiet small">{t.destinations.grounds[value.ground](f.number(value.state ?? 0))}</p>
              {value.target !== null && !isNothing && (
                <p className="side-actions"><ButtonLink small icon="compare" to={`/snapshots/compare?from=${value.baseline ?? "empty"}&to=${value.target}`}>{t.artifact.compare}</ButtonLink></p>
              )}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

function OnItsWay({ detail }: { readonly detail: DestinationDetail }) {
  const { t, f } = useLocale();
  const { pending, lastExport } = detail;
  return (
    <Card title={t.destinations.pending} hint={t.destinations.pendingHint}>
      {pending.length === 0 ? <p className="line good"><Icon name="check" />{t.destinations.noPending}</p> : (
        <ul className="plain-list">
          {[...pending].reverse().map((bundle) => (
            <li key={bundle.bundle}>
              <Link to={`/artifacts/${bundle.bundle}`}>{bundle.label}</Link>
              <span className="quiet numbers">{t.destinations.state(f.number(bundle.sequence))}{lastExport?.bundle === bundle.bundle && <> · {t.destinations.onMedium(lastPart(lastExport.medium))} <Moment at={lastExport.written} /></>}</span>
            </li>
          ))}
        </ul>
      )}
      {pending.length > 0 && lastExport === null && <p className="note note-warn"><Icon name="media" />{t.destinations.onNoMedium}</p>}
    </Card>
  );
}

type Receipt = DestinationDetail["receipts"][number];

function Receipts({ detail }: { readonly detail: DestinationDetail }) {
  const { t, f } = useLocale();
  const columns: readonly Column<Receipt>[] = [
    { id: "counter", title: t.destinations.counter, isNumber: true, width: "4rem", cell: (receipt) => f.number(receipt.counter) },
    {
      id: "state", title: t.destinations.has, isMain: true,
      cell: (receipt) => (receipt.sequence === null ? <span className="quiet">{t.destinations.hasNothing}</span>
        : receipt.bundle === null ? t.destinations.state(f.number(receipt.sequence)) : <Link to={`/artifacts/${receipt.bundle}`}>{t.destinations.state(f.number(receipt.sequence))}</Link>),
    },
    { id: "missing", title: t.destinations.missing, isNumber: true, width: "6.5rem", hide: "phone", cell: (receipt) => (receipt.missing > 0 ? <span className="warn">{f.number(receipt.missing)}</span> : "0") },
    { id: "refused", title: t.destinations.refused, isNumber: true, width: "7rem", hide: "phone", cell: (receipt) => f.number(receipt.refused) },
    { id: "created", title: t.destinations.written, isNumber: true, width: "9rem", hide: "phone", cell: (receipt) => <Moment at={receipt.created} /> },
    { id: "read", title: t.destinations.read, isNumber: true, width: "8.5rem", cell: (receipt) => <Moment at={receipt.read} /> },
  ];
  return (
    <Card title={t.destinations.receipts} flush={detail.receipts.length > 0}>
      {detail.receipts.length === 0 ? <p className="quiet">{t.destinations.noReceipts}</p>
        : <Table label={t.destinations.receipts} columns={columns} rows={detail.receipts} keyOf={(receipt) => `${receipt.counter} ${receipt.read}`} />}
    </Card>
  );
}

function Requests({ id }: { readonly id: string }) {
  const { t } = useLocale();
  const requests = useQuery("listRequests", { limit: 1000 }, topics);
  const own = requests.value?.items.filter((request) => request.destination === id);
  return (
    <Card title={t.requests.title} flush={own?.length !== 0}>
      {own?.length === 0 ? <p className="quiet">{t.requests.noneOfIt}</p> : <RequestTable requests={own} isShort />}
    </Card>
  );
}

function About({ detail }: { readonly detail: DestinationDetail }) {
  const { t, f } = useLocale();
  const { receipt, lastExport } = detail;
  return (
    <Card title={t.artifact.facts}>
      <Facts
        facts={[
          [t.destinations.has, receipt?.sequence != null ? t.destinations.state(f.number(receipt.sequence)) : <span className="quiet">{receipt ? t.destinations.hasNothing : t.destinations.noReceipt}</span>],
          receipt !== null && [t.destinations.lastReceipt, <Moment at={receipt.read} />],
          [t.destinations.exported, lastExport ? <><Moment at={lastExport.written} />, <span title={lastExport.medium}>{lastPart(lastExport.medium)}</span></> : <span className="quiet">–</span>],
          [t.destinations.firstSeen, <Moment at={detail.firstSeen} />],
          [t.destinations.confirmedAt, detail.confirmed ? <Moment at={detail.confirmed} /> : t.common.no],
          [t.artifact.id, <Code text={detail.destination} />],
          [t.destinations.key, <code>{detail.keyId}</code>],
          [t.destinations.fingerprint, <code className="fingerprint">{detail.fingerprint}</code>],
        ]} />
    </Card>
  );
}

function Policy({ detail }: { readonly detail: DestinationDetail }) {
  const { t } = useLocale();
  const say = useSay();
  const [baseline, setBaseline] = useState(detail.baseline);
  const [requests, setRequests] = useState<"ask" | "approve">(detail.approvesRequests ? "approve" : "ask");
  const [quietDays, setQuietDays] = useState(String(detail.quietDays));
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setBusy] = useState(false);
  const isChanged = baseline !== detail.baseline || (requests === "approve") !== detail.approvesRequests || quietDays !== String(detail.quietDays);
  useEffect(() => setFailure(undefined), [quietDays]);
  const send = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    ask("setDestinationPolicy", { id: detail.destination, baseline, requests, quietDays: Number(quietDays) }).then(() => {
      live.decided();
      say({ tone: "good", text: t.destinations.saved });
    }, (error: unknown) => setFailure(error instanceof Failure ? error : new Failure("failed", 0, String(error), ""))).finally(() => setBusy(false));
  };
  return (
    <Card title={t.destinations.policy}>
      <form onSubmit={send} className="card-form">
        <Field label={t.destinations.baseline} hint={t.destinations.baselineHints[baseline]}>
          {(ids) => (
            <select {...ids} value={baseline} onChange={(event) => setBaseline(event.target.value as typeof baseline)}>
              {(["acknowledged", "assume-applied"] as const).map((word) => <option key={word} value={word}>{t.destinations.baselines[word]}</option>)}
            </select>
          )}
        </Field>
        <Field label={t.destinations.requests}>
          {(ids) => (
            <select {...ids} value={requests} onChange={(event) => setRequests(event.target.value as typeof requests)}>
              {(["ask", "approve"] as const).map((word) => <option key={word} value={word}>{t.destinations.requestPolicies[word]}</option>)}
            </select>
          )}
        </Field>
        <Field label={t.destinations.quietDays} problem={failure?.parameter === "quietDays" ? <Foreign>{failure.message}</Foreign> : undefined}>
          {(ids) => <input {...ids} type="number" min={1} max={3650} required value={quietDays} onChange={(event) => setQuietDays(event.target.value)} />}
        </Field>
        <FailureNote failure={failure?.parameter === "quietDays" ? undefined : failure} />
        <div><Button type="submit" busy={isBusy} disabled={!isChanged}>{t.destinations.save}</Button></div>
      </form>
    </Card>
  );
}

/** Asks before a destination is forgotten, and says what is lost by it. */
function ForgetDialog({ detail, onClose }: { readonly detail: DestinationDetail; readonly onClose: () => void }) {
  const { t, f } = useLocale();
  const say = useSay();
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setBusy] = useState(false);
  const forget = () => {
    setBusy(true);
    setFailure(undefined);
    live.hold();
    ask("removeDestination", { id: detail.destination }).then(() => {
      say({ tone: "good", text: t.destinations.forgotten(detail.name) });
      navigate("/destinations");
      live.release();
    }, (error: unknown) => {
      live.release();
      setFailure(error instanceof Failure ? error : new Failure("failed", 0, String(error), ""));
      setBusy(false);
    });
  };
  const has = detail.receipt?.sequence;
  return (
    <Dialog
      title={t.destinations.forgetQuestion(detail.name)} onClose={onClose}
      actions={<><Button onClick={onClose}>{t.common.cancel}</Button><Button look="danger" icon="trash" busy={isBusy} onClick={forget}>{t.destinations.forget}</Button></>}>
      <p>{t.destinations.forgetLoses}</p>
      <ul className="bullets">
        {has != null && <li>{t.destinations.losesState(f.number(has))}</li>}
        <li>{t.destinations.losesKey}</li>
        {detail.openRequests > 0 && <li>{t.destinations.losesRequests(detail.openRequests)}</li>}
      </ul>
      <p className="quiet">{t.destinations.forgetKeeps}</p>
      <FailureNote failure={failure} />
    </Dialog>
  );
}
