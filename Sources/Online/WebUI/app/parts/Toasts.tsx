import { ReactNode, createContext, useCallback, useContext, useMemo, useState } from "react";
import { Failure } from "../api/client";
import { Job } from "../api/schema";
import { Foreign, useLocale } from "../base/locale";
import { Link } from "../base/router";
import { IconButton } from "./Button";
import { Icon } from "./Icon";
import { useTitleOf } from "./States";

interface Toast {
  readonly id: number;
  readonly tone: "good" | "bad";
  readonly text: ReactNode;
  readonly link?: { readonly to: string; readonly label: string };
}

type Say = (toast: Omit<Toast, "id">) => void;

const Context = createContext<Say>(() => undefined);
const lifetime = 6000;
let lastID = 0;

/** Shows short messages in a corner, which go by themselves; those of failures stay. */
export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const { t } = useLocale();
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const drop = useCallback((id: number) => setToasts((old) => old.filter((toast) => toast.id !== id)), []);
  const say = useCallback<Say>((toast) => {
    const id = (lastID += 1);
    setToasts((old) => [...old.slice(-3), { ...toast, id }]);
    if (toast.tone === "good") setTimeout(() => drop(id), lifetime);
  }, [drop]);
  return (
    <Context.Provider value={say}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className={`toast toast-${toast.tone}`}>
            <Icon name={toast.tone === "good" ? "check" : "alert"} />
            <span>{toast.text}</span>
            {toast.link && <Link to={toast.link.to} onClick={() => drop(toast.id)}>{toast.link.label}</Link>}
            <IconButton icon="close" small label={t.common.close} onClick={() => drop(toast.id)} />
          </div>
        ))}
      </div>
    </Context.Provider>
  );
}

export const useSay = () => useContext(Context);

/** Says how asking for a job went. */
export function useSayJob() {
  const say = useSay();
  const { t } = useLocale();
  const titleOf = useTitleOf();
  return useMemo(() => ({
    started: (job: Job, text = t.job.started(job.id)) => say({ tone: "good", text, link: { to: `/jobs/${job.id}`, label: t.job.watch } }),
    failed: (error: unknown) => {
      const failure = error instanceof Failure ? error : undefined;
      const isPlain = failure && (failure.isUnreachable || failure.word === "job-open");
      const text = isPlain ? titleOf(failure) : failure ? <>{titleOf(failure)}: <Foreign>{failure.message}</Foreign></> : `${t.failure.refused}: ${String(error)}`;
      say({ tone: "bad", text, ...(failure?.see ? { link: { to: failure.see, label: t.failure.see } } : {}) });
    },
  }), [say, t, titleOf]);
}
