// What pages are laid out of.

import { ReactNode, useEffect, useRef } from "react";
import { useLocale } from "../base/locale";
import { Link, usePlace } from "../base/router";
import { CopyButton } from "./Button";

/** The head of a page: where one is, what can be done. It takes the focus when one comes here. */
export function PageHead({ title, above, badge, actions, children }: {
  readonly title: string;
  /** Where one came from. */
  readonly above?: readonly (readonly [to: string, label: string])[];
  readonly badge?: ReactNode;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}) {
  const { t } = useLocale();
  const heading = useRef<HTMLHeadingElement>(null);
  const { segments } = usePlace();
  const place = segments.join("/");
  const seen = useRef<string>();
  useEffect(() => {
    document.title = t.title(title);
  }, [t, title]);
  useEffect(() => {
    // Not on the first page that is shown, where the browser's own place is right.
    if (hasNavigated && seen.current !== place) heading.current?.focus({ preventScroll: true });
    seen.current = place;
    hasNavigated = true;
  }, [place]);
  return (
    <header className="page-head">
      {above && (
        <nav aria-label={t.common.breadcrumbs} className="above">
          {above.map(([to, label]) => <Link key={to} to={to}>{label}</Link>)}
        </nav>
      )}
      <div className="page-title">
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {badge}
        {actions && <div className="page-actions">{actions}</div>}
      </div>
      {children}
    </header>
  );
}

let hasNavigated = false;

export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly { readonly to: string; readonly label: string; readonly isOn: boolean; readonly count?: string }[] }) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link key={tab.to} to={tab.to} aria-current={tab.isOn ? "page" : undefined}>
          {tab.label}{tab.count !== undefined && <span className="tab-count numbers">{tab.count}</span>}
        </Link>
      ))}
    </nav>
  );
}

export function Card({ title, hint, actions, children, flush = false, id }: {
  readonly title?: ReactNode;
  readonly hint?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  /** Whether the content reaches to the edges, as tables do. */
  readonly flush?: boolean;
  readonly id?: string;
}) {
  return (
    <section className={`card${flush ? " card-flush" : ""}`} id={id}>
      {(title !== undefined || actions !== undefined) && (
        <header className="card-head">
          <div>
            <h2>{title}</h2>
            {hint && <p>{hint}</p>}
          </div>
          {actions && <div className="card-actions">{actions}</div>}
        </header>
      )}
      <div className="card-body">{children}</div>
    </section>
  );
}

/** Names and what they are. */
export function Facts({ facts }: { readonly facts: readonly (readonly [label: string, value: ReactNode] | undefined | false)[] }) {
  return (
    <dl className="facts">
      {facts.map((fact) => fact && (
        <div key={fact[0]}>
          <dt>{fact[0]}</dt>
          <dd>{fact[1]}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A long word of machines, cut where it does not fit, and to copy. */
export function Code({ text, short, label }: { readonly text: string; readonly short?: number; readonly label?: string }) {
  return (
    <span className="code">
      <code title={text}>{short ? `${text.slice(0, short)}…` : text}</code>
      <CopyButton text={text} {...(label ? { label } : {})} />
    </span>
  );
}
