// Goes anywhere by a few letters: Ctrl-K.

import { KeyboardEvent, useEffect, useId, useState } from "react";
import { useQuery } from "./api/query";
import { formPath, startKinds } from "./base/jobs";
import { useLocale } from "./base/locale";
import { navigate, packagePath } from "./base/router";
import { Dialog } from "./parts/Dialog";
import { Icon, IconName } from "./parts/Icon";

interface Goal {
  readonly to: string;
  readonly label: string;
  readonly group: string;
  readonly icon: IconName;
}

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const { t } = useLocale();
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useId();
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 120);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useQuery("listPackages", asked === "" ? undefined : { search: asked, limit: 8 }, []);
  const fixed: readonly Goal[] = [
    { to: "/", label: t.nav.dashboard, group: t.palette.pages, icon: "dashboard" },
    { to: "/packages", label: t.nav.packages, group: t.palette.pages, icon: "package" },
    { to: "/jobs", label: t.nav.jobs, group: t.palette.pages, icon: "jobs" },
    { to: "/schedules", label: t.jobs.tabSchedules, group: t.palette.pages, icon: "clock" },
    { to: "/artifacts", label: t.nav.artifacts, group: t.palette.pages, icon: "archive" },
    { to: "/snapshots", label: t.artifacts.tabSnapshots, group: t.palette.pages, icon: "camera" },
    { to: "/snapshots/compare", label: t.artifacts.tabDiff, group: t.palette.pages, icon: "compare" },
    { to: "/broken-archives", label: t.nav.broken, group: t.palette.pages, icon: "alert" },
    { to: "/destinations", label: t.nav.destinations, group: t.palette.pages, icon: "place" },
    { to: "/requests", label: t.requests.title, group: t.palette.pages, icon: "letter" },
    { to: "/disks", label: t.space.title, group: t.palette.pages, icon: "screen" },
    { to: "/settings", label: t.settings.title, group: t.palette.pages, icon: "settings" },
    { to: "/media", label: t.nav.media, group: t.palette.pages, icon: "media" },
    ...startKinds.map((kind): Goal => ({ to: formPath(kind), label: t.kind[kind], group: t.palette.start, icon: "play" })),
  ];
  const wanted = text.trim().toLowerCase();
  const goals: readonly Goal[] = [
    ...fixed.filter((goal) => goal.label.toLowerCase().includes(wanted)),
    ...(asked === "" ? [] : (found.value?.items ?? []).map((item): Goal => ({ to: packagePath(item.name), label: item.name, group: t.palette.packages, icon: "package" }))),
  ];
  const at = Math.min(chosen, goals.length - 1);
  const go = (goal: Goal | undefined) => {
    if (!goal) return;
    onClose();
    navigate(goal.to);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setChosen(Math.min(at + 1, goals.length - 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(at - 1, 0));
    else if (event.key === "Enter") go(goals[at]);
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    document.getElementById(`${list}-${at}`)?.scrollIntoView({ block: "nearest" });
  }, [list, at]);
  return (
    <Dialog title={t.palette.title} onClose={onClose}>
      <div className="palette">
        <div className="search">
          <Icon name="search" />
          <input
            type="text" role="combobox" aria-expanded={goals.length > 0} aria-controls={goals.length > 0 ? list : undefined} aria-activedescendant={goals.length > 0 ? `${list}-${at}` : undefined}
            aria-label={t.palette.hint} placeholder={t.palette.hint} autoComplete="off" spellCheck={false} value={text} maxLength={214}
            onChange={(event) => { setText(event.target.value); setChosen(0); }} onKeyDown={press} />
        </div>
        {goals.length > 0 && <ul id={list} role="listbox" aria-label={t.palette.title}>
          {goals.map((goal, index) => (
            <li
              key={goal.group + goal.to} id={`${list}-${index}`} role="option" aria-selected={index === at} onPointerMove={() => setChosen(index)} onClick={() => go(goal)}>
              <Icon name={goal.icon} /><span>{goal.label}</span><span className="palette-group">{goal.group}</span>
            </li>
          ))}
        </ul>}
        {goals.length === 0 && <p className="palette-none">{t.palette.none}</p>}
      </div>
    </Dialog>
  );
}
