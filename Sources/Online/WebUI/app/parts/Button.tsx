import { ButtonHTMLAttributes, ReactNode, useState } from "react";
import { Link } from "../base/router";
import { useLocale } from "../base/locale";
import { Icon, IconName } from "./Icon";

type Look = "primary" | "plain" | "quiet" | "danger";

interface Shown {
  readonly look?: Look;
  readonly icon?: IconName;
  readonly small?: boolean;
  readonly children?: ReactNode;
}

const classOf = (look: Look, small: boolean) => `button button-${look}${small ? " button-small" : ""}`;

/** Does something, and while that goes on cannot be pressed again. */
export function Button({ look = "plain", icon, small = false, busy = false, children, ...rest }: Shown & { readonly busy?: boolean } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" {...rest} className={classOf(look, small)} disabled={busy || rest.disabled} aria-busy={busy || undefined}>
      {busy ? <span className="spinner" /> : icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

/** A button that shows no more than its icon. */
export function IconButton({ icon, label, small = false, ...rest }: { readonly icon: IconName; readonly label: string; readonly small?: boolean } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" {...rest} className={`icon-button${small ? " icon-button-small" : ""}`} aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}

/** Leads somewhere, and looks like a button. */
export function ButtonLink({ to, look = "plain", icon, small = false, children }: Shown & { readonly to: string }) {
  return (
    <Link to={to} className={classOf(look, small)}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </Link>
  );
}

/** A choice between a few, of which one holds. */
export function Segments<Value extends string>({ label, value, options, onChange }: {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly icon?: IconName }[];
  readonly onChange: (value: Value) => void;
}) {
  return (
    <div className="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value} type="button" aria-pressed={option.value === value} onClick={() => onChange(option.value)}
          aria-label={option.icon && option.label} title={option.icon && option.label}>
          {option.icon ? <Icon name={option.icon} /> : option.label}
        </button>
      ))}
    </div>
  );
}

/** Puts a text where it can be pasted from. */
export function CopyButton({ text, label }: { readonly text: string; readonly label?: string }) {
  const { t } = useLocale();
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  const shown = isCopied ? t.common.copied : label ?? t.common.copy;
  return (
    <button type="button" className="icon-button icon-button-small" aria-label={shown} title={shown} onClick={() => void copy()}>
      <Icon name={isCopied ? "check" : "copy"} size={14} />
    </button>
  );
}

async function copyText(text: string): Promise<void> {
  // The clipboard of the browser is there for pages of this machine and of HTTPS only.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
