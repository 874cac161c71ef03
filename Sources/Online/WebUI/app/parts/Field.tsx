import { InputHTMLAttributes, ReactNode, useEffect, useId, useRef, useState } from "react";
import { useLocale } from "../base/locale";
import { IconButton } from "./Button";
import { Icon } from "./Icon";

/** What is asked for, with its name, what it is for, and what is wrong with it. */
export function Field({ label, hint, problem, children }: {
  readonly label: string;
  readonly hint?: string;
  readonly problem?: ReactNode;
  readonly children: (ids: { id: string; "aria-describedby": string | undefined; "aria-invalid": true | undefined }) => ReactNode;
}) {
  const id = useId();
  const hints = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": hints, "aria-invalid": problem ? true : undefined })}
      {hint && <p id={`${id}-hint`} className="field-hint">{hint}</p>}
      {problem && <p id={`${id}-problem`} className="field-problem">{problem}</p>}
    </div>
  );
}

export function Checkbox({ label, hint, ...rest }: { readonly label: string; readonly hint?: string } & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className="checkbox">
      <input {...rest} id={id} type="checkbox" aria-describedby={hint && `${id}-hint`} />
      <div>
        <label htmlFor={id}>{label}</label>
        {hint && <p id={`${id}-hint`} className="field-hint">{hint}</p>}
      </div>
    </div>
  );
}

/** A choice in a line of filters; its first option is none of them. */
export function Select<Value extends string>({ label, value, options, none, onChange }: {
  readonly label: string;
  readonly value: Value | "";
  readonly options: readonly (readonly [Value, string])[];
  readonly none?: string;
  readonly onChange: (value: Value | "") => void;
}) {
  return (
    <select className={`select${value === "" || none === undefined ? "" : " is-set"}`} aria-label={label} value={value} onChange={(event) => onChange(event.target.value as Value | "")}>
      {none !== undefined && <option value="">{none}</option>}
      {options.map(([word, text]) => <option key={word} value={word}>{text}</option>)}
    </select>
  );
}

/** A text to look for; what is typed counts after a moment of rest. */
export function SearchField({ label, hint, value, onChange, jumps = false, wait = 150 }: {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Whether `/` leads to it from anywhere. */
  readonly jumps?: boolean;
  readonly wait?: number;
}) {
  const { t } = useLocale();
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  const tell = useRef(onChange);
  tell.current = onChange;
  useEffect(() => {
    // The address has changed without this field.
    if (value === told.current) return;
    told.current = value;
    setText(value);
  }, [value]);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      tell.current(text);
    }, wait);
    return () => clearTimeout(timer);
  }, [text, wait]);
  useEffect(() => {
    if (!jumps) return;
    const jump = (event: globalThis.KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || target.closest("input, textarea, select, dialog")) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    window.addEventListener("keydown", jump);
    return () => window.removeEventListener("keydown", jump);
  }, [jumps]);
  return (
    <div className="search">
      <Icon name="search" />
      <input
        ref={field} type="search" aria-label={label} placeholder={hint ?? label} value={text} autoComplete="off" spellCheck={false} maxLength={214}
        onChange={(event) => setText(event.target.value)} onKeyDown={(event) => event.key === "Escape" && setText("")} />
      {text !== "" && <IconButton icon="close" small label={t.common.clear} onClick={() => { setText(""); field.current?.focus(); }} />}
    </div>
  );
}
