// What destinations ask for.

import { useState } from "react";
import { ask } from "../api/client";
import { live } from "../api/live";
import { useQuery } from "../api/query";
import { Decision, Request } from "../api/schema";
import { Moment, useLocale } from "../base/locale";
import { Link, useQueryWords } from "../base/router";
import { Badge, Tone } from "../parts/Badge";
import { Button } from "../parts/Button";
import { Select } from "../parts/Field";
import { PageHead } from "../parts/Layout";
import { Empty, FailureState } from "../parts/States";
import { Column, Pager, Table, pageSize, usePageNumber } from "../parts/Table";
import { useSay, useSayJob } from "../parts/Toasts";
import { Destination } from "./Artifacts";
import { DestinationTabs } from "./Destinations";

const tones: Readonly<Record<Request["state"], Tone>> = { new: "warn", approved: "busy", declined: "neutral", fulfilled: "good" };
const states = Object.keys(tones) as readonly Request["state"][];

export function RequestState({ state }: { readonly state: Request["state"] }) {
  const { t } = useLocale();
  return <Badge tone={tones[state]}>{t.requests.states[state]}</Badge>;
}

export function Requests() {
  const { t } = useLocale();
  const [query, change] = useQueryWords();
  const page = usePageNumber();
  const state = (query.get("state") ?? "") as Request["state"] | "";
  const requests = useQuery("listRequests", { state: state === "" ? undefined : state, limit: pageSize, offset: (page - 1) * pageSize }, ["open", "ended", "replies"]);
  return (
    <>
      <PageHead title={t.requests.title}><DestinationTabs on="requests" /></PageHead>
      <div className="filters">
        <Select<Request["state"]> label={t.jobs.state} value={state} none={t.jobs.allStates} options={states.map((word) => [word, t.requests.states[word]] as const)} onChange={(word) => change({ state: word, page: undefined })} />
      </div>
      {requests.failure && !requests.value ? <FailureState failure={requests.failure} onRetry={requests.reload} />
        : requests.value?.total === 0
          ? state === "" ? <Empty icon="letter" title={t.requests.none} hint={t.requests.noneHint} />
            : <Empty icon="filter" title={t.requests.noMatch}><Button onClick={() => change({ state: undefined, page: undefined })}>{t.packages.clearFilters}</Button></Empty>
          : <><RequestTable requests={requests.value?.items} isOld={requests.isOld} />{requests.value && <Pager total={requests.value.total} />}</>}
    </>
  );
}

/** What a request asks for, in a few words. */
export function useAskedWords(): (request: Request) => string {
  const { t } = useLocale();
  return (request) => (request.kind === "want" ? t.requests.wants(t.count.packages(request.items)) : t.requests.lacks(t.count.files(request.items)));
}

/** @param isShort leaves out from whom they are */
export function RequestTable({ requests, isShort = false, isOld = false }: { readonly requests: readonly Request[] | undefined; readonly isShort?: boolean; readonly isOld?: boolean }) {
  const { t } = useLocale();
  const words = useAskedWords();
  const from: Column<Request> = { id: "from", title: t.requests.from, width: "11rem", hide: "tablet", cell: (request) => <span className="cut"><Destination id={request.destination} /></span> };
  const columns: readonly Column<Request>[] = [
    {
      id: "asked", title: t.requests.asked, isMain: true,
      cell: (request) => (
        <div className="two-lines">
          <Link to={`/requests/${request.request}`} className="strong cut">{words(request)}</Link>
          <code className="quiet cut">{request.request}</code>
        </div>
      ),
    },
    ...(isShort ? [] : [from]),
    { id: "state", title: t.jobs.state, width: "9rem", cell: (request) => <RequestState state={request.state} /> },
    { id: "read", title: t.requests.read, isNumber: true, width: "8.5rem", hide: "phone", cell: (request) => <Moment at={request.read} /> },
    { id: "actions", title: t.common.actions, isNumber: true, width: "13rem", hide: "phone", cell: (request) => request.state === "new" && <span className="row-actions"><Decide request={request} small /></span> },
  ];
  return <Table label={t.requests.title} columns={columns} rows={requests} keyOf={(request) => request.request} to={(request) => `/requests/${request.request}`} isOld={isOld} />;
}

/** Approves or declines, and says what follows. */
export function Decide({ request, small = false, onDone }: { readonly request: Request; readonly small?: boolean; readonly onDone?: (decision: Decision) => void }) {
  const { t } = useLocale();
  const say = useSay();
  const sayJob = useSayJob();
  const words = useAskedWords();
  const [isBusy, setBusy] = useState<"approve" | "decline">();
  const decide = (what: "approve" | "decline") => {
    setBusy(what);
    ask(what === "approve" ? "approveRequest" : "declineRequest", { id: request.request }).then((decision) => {
      live.decided();
      onDone?.(decision);
      if (decision.job) sayJob.started(decision.job, t.requests.approvedJob(t.kind[decision.job.kind], decision.job.id));
      else say({ tone: "good", text: what === "approve" ? t.requests.approvedWaits : t.requests.declinedDone });
    }, sayJob.failed).finally(() => setBusy(undefined));
  };
  const label = (text: string) => (small ? { "aria-label": `${text}: ${words(request)}` } : {});
  return (
    <>
      {request.state !== "declined" && <Button small={small} busy={isBusy === "decline"} disabled={isBusy !== undefined} onClick={() => decide("decline")} {...label(t.requests.decline)}>{t.requests.decline}</Button>}
      {request.state !== "approved" && <Button small={small} look="primary" icon="check" busy={isBusy === "approve"} disabled={isBusy !== undefined} onClick={() => decide("approve")} {...label(t.requests.approve)}>{t.requests.approve}</Button>}
    </>
  );
}
