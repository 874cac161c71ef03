// Asking for a job: forms made of the service's own document.

import { FormEvent, ReactNode, useMemo, useState } from "react";
import { Failure } from "../api/client";
import { useQuery } from "../api/query";
import { useDestinations, useNameOf } from "../base/destinations";
import { formPath, startJob, startKinds, startOperations } from "../base/jobs";
import { Foreign, useLocale } from "../base/locale";
import { Link, navigate, usePlace } from "../base/router";
import { Button } from "../parts/Button";
import { Checkbox, Field } from "../parts/Field";
import { Icon } from "../parts/Icon";
import { Card, PageHead } from "../parts/Layout";
import { Empty, FailureNote, FailureState, Skeleton } from "../parts/States";
import { useSayJob } from "../parts/Toasts";

/** What can be started. */
export function StartList() {
  const { t } = useLocale();
  return (
    <>
      <PageHead title={t.start.title} above={[["/jobs", t.nav.jobs]]}><p className="page-hint">{t.start.which}</p></PageHead>
      <ul className="choices">
        {startKinds.map((kind) => (
          <li key={kind}>
            <Link to={formPath(kind)}>
              <span><strong>{t.kind[kind]}</strong><span className="quiet">{t.kindHint[kind]}</span></span>
              <Icon name="right" />
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What the document says of a parameter. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly description?: string;
}

type Value = string | boolean | readonly string[];

/** The parameters of an operation by its document: those of its body, which has all, in the order in which the query has them. */
function parametersOf(document: unknown, address: string): readonly (readonly [string, Schema])[] | undefined {
  const paths = (document as { paths?: Record<string, Record<string, { parameters?: { name: string }[]; requestBody?: { content: Record<string, { schema: { properties?: Record<string, Schema> } }> } }>> }).paths;
  const operation = paths?.[`/jobs/${address}`]?.post;
  if (!operation) return undefined;
  const properties = operation.requestBody?.content["application/json"]?.schema.properties ?? {};
  const order = (operation.parameters ?? []).map((parameter) => parameter.name);
  // For whom comes before what these have.
  const rank = (name: string) => (name in implied ? Object.keys(implied).indexOf(name) - 10 : order.includes(name) ? order.indexOf(name) : -1);
  return Object.entries(properties).sort(([a], [b]) => rank(a) - rank(b));
}

/** Seldom needed: shown when asked for. */
const rare = new Set(["request", "idleTimeout", "driver", "tool", "installs", "cpus", "installMinutes", "node", "allowUnsettled", "allowShrink", "unsigned", "allowEmpty"]);

/** What a bundle is made of where nothing is said, and what is chosen from what the service knows. */
const implied: Readonly<Record<string, string>> = { destination: "any", baseline: "next", target: "new" };

export function StartJob({ address }: { readonly address: string }) {
  const { t } = useLocale();
  const document = useQuery("getDocument", {}, []);
  const kind = startKinds.find((each) => startOperations[each] === `start-${address}`);
  const parameters = useMemo(() => document.value && parametersOf(document.value, address), [document.value, address]);
  const title = kind ? t.kind[kind] : address;
  return (
    <>
      <PageHead title={title} above={[["/jobs", t.nav.jobs], ["/jobs/new", t.start.title]]}>
        {kind && <p className="page-hint">{t.kindHint[kind]}</p>}
      </PageHead>
      {document.value === undefined
        ? document.failure ? <FailureState failure={document.failure} onRetry={document.reload} /> : <Skeleton lines={6} />
        : parameters === undefined || kind === undefined ? <Empty icon="search" title={t.failure.notFound} hint={t.failure.notFoundHint} />
          : <Form kind={kind} parameters={parameters} />}
    </>
  );
}

function Form({ kind, parameters }: { readonly kind: keyof typeof startOperations; readonly parameters: readonly (readonly [string, Schema])[] }) {
  const { t } = useLocale();
  const { query } = usePlace();
  const sayJob = useSayJob();
  const [values, setValues] = useState<Readonly<Record<string, Value>>>(() => {
    const given: Record<string, Value> = {};
    for (const [name, schema] of parameters) {
      const text = query.get(name);
      // What is implied need not be said.
      if (text === null || text === implied[name]) continue;
      given[name] = schema.type === "boolean" ? text === "true" : schema.items?.enum ? text.split(",") : text;
    }
    return given;
  });
  const [timeLimit, setTimeLimit] = useState("");
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState<"start" | "dry">();
  const set = (name: string, value: Value) => setValues((old) => ({ ...old, [name]: value }));
  const hasDryRun = parameters.some(([name]) => name === "dryRun");
  const shown = parameters.filter(([name]) => name !== "dryRun");
  // A bundle that answers a request has all of it from there.
  const isAnswer = values.request !== undefined && values.request !== "";
  const common = shown.filter(([name]) => !rare.has(name) && !(isAnswer && name in implied));
  const others = shown.filter(([name]) => rare.has(name));

  const submit = (dryRun: boolean) => {
    const body: Record<string, unknown> = {};
    for (const [name, schema] of [...common, ...others]) {
      const value = read(values[name], schema);
      if (value !== undefined) body[name] = value;
    }
    if (dryRun) body.dryRun = true;
    setFailure(undefined);
    setBusy(dryRun ? "dry" : "start");
    startJob(startOperations[kind], body, timeLimit === "" ? undefined : Number(timeLimit)).then((job) => {
      sayJob.started(job);
      navigate(`/jobs/${job.id}`);
    }, (error: unknown) => setFailure(error instanceof Failure ? error : new Failure("failed", 0, String(error), ""))).finally(() => setBusy(undefined));
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    submit(false);
  };
  const control = ([name, schema]: readonly [string, Schema]) => (
    <Control key={name} name={name} schema={schema} value={values[name]} problem={failure?.parameter === name ? <Foreign>{failure.message}</Foreign> : undefined} onChange={(value) => set(name, value)} />
  );
  return (
    <form className="form" onSubmit={send}>
      <Card>
        {common.map(control)}
        <details className="more" open={others.some(([name]) => values[name] !== undefined)}>
          <summary>{t.start.more}</summary>
          {others.map(control)}
          <Field label={t.start.timeLimit} hint={t.start.timeLimitHint} problem={failure?.parameter === "timeLimitSeconds" ? <Foreign>{failure.message}</Foreign> : undefined}>
            {(ids) => <input {...ids} type="number" min={1} max={31_536_000} value={timeLimit} placeholder={t.job.noLimit} onChange={(event) => setTimeLimit(event.target.value)} />}
          </Field>
        </details>
      </Card>
      <FailureNote failure={failure} />
      <div className="form-actions">
        <Button type="submit" look="primary" icon="play" busy={busy === "start"} disabled={busy !== undefined}>{t.start.submit}</Button>
        {hasDryRun && <Button busy={busy === "dry"} disabled={busy !== undefined} onClick={() => submit(true)}>{t.start.dryRun}</Button>}
        {hasDryRun && <span className="quiet">{t.start.dryRunHint}</span>}
      </div>
    </form>
  );
}

/** What is sent for what was entered; `undefined` for nothing. */
function read(value: Value | undefined, schema: Schema): unknown {
  if (value === undefined || value === "" || value === false) return undefined;
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return value.length === 0 ? undefined : value;
  if (schema.type === "integer") return Number(value);
  if (schema.type !== "array") return value;
  const words = value.split(/[\s,]+/).filter((word) => word !== "");
  return words.length === 0 ? undefined : words;
}

function Control({ name, schema, value, problem, onChange }: {
  readonly name: string;
  readonly schema: Schema;
  readonly value: Value | undefined;
  readonly problem: ReactNode;
  readonly onChange: (value: Value) => void;
}) {
  const { t, f } = useLocale();
  const labels: Readonly<Record<string, readonly [string, string]>> = t.parameter;
  // A newer service may have parameters that this page has no words for.
  const [label, hint] = labels[name] ?? [name, schema.description ?? ""];
  if (schema.type === "boolean") return <Checkbox label={label} hint={hint} checked={value === true} onChange={(event) => onChange(event.target.checked)} />;
  if (schema.items?.enum) {
    const chosen = Array.isArray(value) ? (value as readonly string[]) : [];
    return (
      <fieldset className="field">
        <legend>{label}</legend>
        <div className="options">
          {schema.items.enum.map((word) => (
            <label key={word} className="option">
              <input type="checkbox" checked={chosen.includes(word)} onChange={(event) => onChange(event.target.checked ? [...chosen, word] : chosen.filter((other) => other !== word))} />
              <code>{word}</code>
            </label>
          ))}
        </div>
        <p className="field-hint">{hint}</p>
        {problem && <p className="field-problem">{problem}</p>}
      </fieldset>
    );
  }
  const text = typeof value === "string" ? value : "";
  const range = schema.type === "integer" && schema.minimum !== undefined && schema.maximum !== undefined ? t.start.range(f.number(schema.minimum), f.number(schema.maximum)) : undefined;
  return (
    <Field label={label} hint={[hint, range && `${range}.`, schema.type === "array" && t.start.list].filter(Boolean).join(" ")} problem={problem}>
      {(ids) => schema.enum
        ? <select {...ids} value={text} onChange={(event) => onChange(event.target.value)}>
            <option value="">{t.start.byDefault}</option>
            {schema.enum.map((word) => <option key={word} value={word}>{word}</option>)}
          </select>
        : name in implied || name === "request"
          ? <Chooser ids={ids} name={name} label={label} pattern={schema.pattern} value={text} onChange={onChange} />
          : <input
              {...ids} type={schema.type === "integer" ? "number" : "text"} min={schema.minimum} max={schema.maximum} pattern={schema.pattern} value={text} placeholder={t.start.byDefault}
              autoComplete="off" spellCheck={false} className={schema.type === "integer" ? undefined : "mono"} onChange={(event) => onChange(event.target.value)} />}
    </Field>
  );
}

/** A choice among what the service knows, by the names that people have for it, or an id that is entered. */
function Chooser({ ids, name, label, pattern, value, onChange }: {
  readonly ids: { id: string; "aria-describedby": string | undefined; "aria-invalid": true | undefined };
  readonly name: string;
  readonly label: string;
  readonly pattern: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const { t, f } = useLocale();
  const [isOther, setOther] = useState(false);
  const destinations = useDestinations();
  const nameOf = useNameOf();
  const snapshots = useQuery("listSnapshots", name === "baseline" || name === "target" ? { limit: 100 } : undefined);
  const requests = useQuery("listRequests", name === "request" ? { state: "approved", limit: 100 } : undefined);
  const taken = (snapshots.value?.items ?? []).map((item) => [item.snapshot, `${f.moment(item.created)} · ${t.count.packages(item.packages)}`] as const);
  const words = t.start.choices;
  const choices: readonly (readonly [string, string])[] = name === "destination"
    ? [["", words.any], ...(destinations.value?.items ?? []).filter((item) => item.destination !== "any").map((item) => [item.destination, nameOf(item.destination)] as const)]
    : name === "baseline" ? [["", words.next], ["last-bundle", words.lastBundle], ["empty", words.empty], ...taken]
      : name === "target" ? [["", words.new], ["newest", words.newest], ...taken]
        : [["", words.noRequest], ...(requests.value?.items ?? []).filter((item) => item.kind === "gap").map((item) => [item.request, `${nameOf(item.destination)} · ${t.count.files(item.items)}`] as const)];
  const isListed = choices.some(([word]) => word === value);
  return (
    <>
      <select
        {...ids} value={isOther || !isListed ? other : value}
        onChange={(event) => {
          setOther(event.target.value === other);
          onChange(event.target.value === other ? "" : event.target.value);
        }}>
        {choices.map(([word, text]) => <option key={word} value={word}>{text}</option>)}
        <option value={other}>{words.other}</option>
      </select>
      {(isOther || !isListed) && (
        <input
          type="text" className="mono" aria-label={`${label}: ${words.otherLabel}`} value={value} pattern={pattern} placeholder={words.otherLabel} autoComplete="off" spellCheck={false}
          onChange={(event) => onChange(event.target.value)} />
      )}
    </>
  );
}

const other = "…";
