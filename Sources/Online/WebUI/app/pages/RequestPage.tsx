import { isEnded, useLiveJobs } from "../api/live";
import { useQuery } from "../api/query";
import { RequestDetail } from "../api/schema";
import { useNameOf } from "../base/destinations";
import { Moment, useLocale } from "../base/locale";
import { Link, packagePath } from "../base/router";
import { JobState } from "../parts/Badge";
import { Icon } from "../parts/Icon";
import { Card, Code, Facts, PageHead } from "../parts/Layout";
import { JobProgress } from "../parts/Progress";
import { Loaded } from "../parts/States";
import { Destination } from "./Artifacts";
import { Decide, RequestState, useAskedWords } from "./Requests";

/** One request: what is asked for, what follows from it, and the decision. */
export function RequestPage({ id }: { readonly id: string }) {
  const { t } = useLocale();
  const detail = useQuery("getRequest", { id }, ["open", "ended", "replies"]);
  const words = useAskedWords();
  const nameOf = useNameOf();
  const { value } = detail;
  return (
    <>
      <PageHead
        title={value ? t.requests.asks(nameOf(value.destination), words(value)) : id} above={[["/destinations", t.destinations.title], ["/requests", t.requests.title]]} badge={value && <RequestState state={value.state} />}
        actions={value && value.state !== "fulfilled" && <Decide request={value} />} />
      <Loaded query={detail} lines={8}>
        {(request) => (
          <div className="columns">
            <div className="column-main">
              <Meaning request={request} />
              <Asked request={request} />
            </div>
            <div className="column-side">
              <Card title={t.artifact.facts}>
                <Facts
                  facts={[
                    [t.requests.from, <Destination id={request.destination} />],
                    request.bundle !== null && [t.requests.bundle, <Misfit id={request.bundle} />],
                    [t.requests.created, <Moment at={request.created} exact />],
                    [t.requests.read, <Moment at={request.read} exact />],
                    request.state !== "new" && [t.requests.changed, <Moment at={request.changed} exact />],
                    [t.artifact.id, <Code text={request.request} />],
                  ]} />
              </Card>
            </div>
          </div>
        )}
      </Loaded>
    </>
  );
}

/** The bundle that did not fit, by its name where it is still known. */
function Misfit({ id }: { readonly id: string }) {
  const bundle = useQuery("getArtifact", { id }, []);
  return <Link to={`/artifacts/${id}`} className="break">{bundle.value?.label ?? id}</Link>;
}

/** What a decision means, and the job that came of it. */
function Meaning({ request }: { readonly request: RequestDetail }) {
  const { t } = useLocale();
  const isGap = request.kind === "gap";
  const jobs = useQuery("listJobs", { kind: isGap ? "diff_build" : "delta_refresh", limit: 100 }, ["open", "jobs", "replies"]);
  // A refresh fetches all that is wanted; a filler answers the one request.
  const related = (jobs.value?.items ?? []).find((job) => (isGap ? job.parameters.request === request.request : request.state !== "declined" && job.created >= request.changed));
  const [job] = useLiveJobs(related && request.state !== "new" ? [related] : []);
  return (
    <Card title={t.requests.follows}>
      <p>{isGap ? t.requests.gapHint(t.count.files(request.items)) : t.requests.wantHint}</p>
      {job && (
        <div className={isEnded(job) ? "follow" : "export-state follow"}>
          <p className="line"><Icon name="jobs" /><Link to={`/jobs/${job.id}`} className="strong">{t.job.title(t.kind[job.kind], job.id)}</Link><span className="push"><JobState job={job} /></span></p>
          {!isEnded(job) && <JobProgress job={job} brief />}
        </div>
      )}
    </Card>
  );
}

function Asked({ request }: { readonly request: RequestDetail }) {
  const { t } = useLocale();
  return (
    <Card title={request.kind === "gap" ? t.requests.files : t.requests.packages}>
      <ul className="plain-list">
        {request.asked.map((asked) => <li key={asked}><Link to={packagePath(packageOf(asked, request.kind))} className="mono break">{asked}</Link></li>)}
      </ul>
      {request.items > request.asked.length && <p className="quiet side-actions">{t.count.more(request.items - request.asked.length)}</p>}
    </Card>
  );
}

/** The package in what npm takes (`@s/n@^1`), or in a path of the storage (`@s/n/n-1.0.0.tgz`). */
function packageOf(asked: string, kind: RequestDetail["kind"]): string {
  if (kind === "gap") return asked.slice(0, asked.lastIndexOf("/"));
  const at = asked.indexOf("@", 1);
  return at < 0 ? asked : asked.slice(0, at);
}
