import { ReactNode, useEffect, useId, useRef } from "react";
import { useLocale } from "../base/locale";
import { IconButton } from "./Button";

/** A question before the page: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, onClose, children, actions, wide = false }: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
  readonly wide?: boolean;
}) {
  const { t } = useLocale();
  const element = useRef<HTMLDialogElement>(null);
  const label = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog || dialog.open) return;
    dialog.showModal();
    // The browser would take the first button, which closes it.
    dialog.querySelector<HTMLElement>(".dialog-body input, .dialog-body select, .dialog-actions button")?.focus();
  }, []);
  return (
    <dialog
      ref={element} className={`dialog${wide ? " dialog-wide" : ""}`} aria-labelledby={label} onClose={onClose}
      onClick={(event) => event.target === element.current && onClose()}>
      <div className="dialog-frame">
        <header className="dialog-head">
          <h2 id={label}>{title}</h2>
          <IconButton icon="close" small label={t.common.close} onClick={onClose} />
        </header>
        <div className="dialog-body">{children}</div>
        {actions && <footer className="dialog-actions">{actions}</footer>}
      </div>
    </dialog>
  );
}
