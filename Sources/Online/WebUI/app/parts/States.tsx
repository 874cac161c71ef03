import { ReactNode, useCallback } from "react";
import { Failure } from "../api/client";
import { Query } from "../api/query";
import { Foreign, useLocale } from "../base/locale";
import { Link } from "../base/router";
import { Button } from "./Button";
import { Icon, IconName } from "./Icon";

/** Nothing, and what to do about it. */
export function Empty({ icon, title, hint, children }: { readonly icon: IconName; readonly title: string; readonly hint?: ReactNode; readonly children?: ReactNode }) {
  return (
    <div className="state">
      <span className="state-icon"><Icon name={icon} size={20} /></span>
      <p className="state-title">{title}</p>
      {hint && <p className="state-hint">{hint}</p>}
      {children && <div className="state-actions">{children}</div>}
    </div>
  );
}

/** What kind of failure it is, in words of the page; the service's own where the page has none. */
export function useTitleOf(): (failure: Failure) => string {
  const { t } = useLocale();
  return useCallback((failure) => {
    const titles: Readonly<Record<string, string>> = t.problem;
    return failure.isUnreachable ? t.failure.unreachable : titles[failure.word] ?? (failure.title || t.failure.refused);
  }, [t]);
}

/** What could not be had, why, and what to do. */
export function FailureState({ failure, onRetry }: { readonly failure: Failure; readonly onRetry?: () => void }) {
  const { t } = useLocale();
  const isMissing = failure.status === 404;
  const titleOf = useTitleOf();
  return (
    <div role="alert">
      <Empty
        icon={failure.isUnreachable ? "offline" : isMissing ? "search" : "alert"} title={titleOf(failure)}
        hint={failure.isUnreachable ? t.failure.unreachableHint : isMissing ? <><Foreign>{failure.message}.</Foreign> {t.failure.notFoundHint}</> : <Foreign>{failure.message}</Foreign>}>
        {onRetry && !isMissing && <Button icon="again" onClick={onRetry}>{t.failure.retry}</Button>}
      </Empty>
    </div>
  );
}

/** A failure in a line, beside what was asked for. */
export function FailureNote({ failure }: { readonly failure: Failure | undefined }) {
  const { t } = useLocale();
  const titleOf = useTitleOf();
  if (!failure) return null;
  return (
    <div className="note note-bad" role="alert">
      <Icon name="alert" />
      <div>
        <strong>{titleOf(failure)}</strong>
        {!failure.isUnreachable && failure.word !== "job-open" && <p><Foreign>{failure.message}</Foreign></p>}
        {failure.see && <p><Link to={failure.see}>{t.failure.see}</Link></p>}
      </div>
    </div>
  );
}

/** Lines in the place of what is still coming, of its height. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  const { t } = useLocale();
  return (
    <div className="skeleton" aria-busy="true" aria-label={t.common.loading} role="status">
      {Array.from({ length: lines }, (_, index) => <span key={index} className="skeleton-line" />)}
    </div>
  );
}

/** What a query has brought, or is bringing, or why it has not. */
export function Loaded<Value>({ query, lines, children }: { readonly query: Query<Value>; readonly lines?: number; readonly children: (value: Value) => ReactNode }) {
  if (query.value !== undefined) return <>{children(query.value)}</>;
  if (query.failure) return <FailureState failure={query.failure} onRetry={query.reload} />;
  return <Skeleton lines={lines ?? 3} />;
}
