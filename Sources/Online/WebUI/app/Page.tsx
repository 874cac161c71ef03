// The page around the pages: where one can go, how the server is, and what stands at an address.

import { ReactNode, useEffect, useRef, useState } from "react";
import { live, useConnection } from "./api/live";
import { useQuery } from "./api/query";
import { isConfirmed, useDestinations } from "./base/destinations";
import { useLocale, useNow } from "./base/locale";
import { Link, usePlace } from "./base/router";
import { Language, Theme } from "./base/choices";
import { Boundary } from "./parts/Boundary";
import { Button, Segments } from "./parts/Button";
import { Icon, IconName } from "./parts/Icon";
import { ButtonLink } from "./parts/Button";
import { PageHead } from "./parts/Layout";
import { Empty } from "./parts/States";
import { useSay } from "./parts/Toasts";
import { Palette } from "./Palette";
import { Artifact } from "./pages/Artifact";
import { Artifacts } from "./pages/Artifacts";
import { Broken } from "./pages/Broken";
import { Compare } from "./pages/Compare";
import { Dashboard } from "./pages/Dashboard";
import { DestinationPage } from "./pages/Destination";
import { Destinations } from "./pages/Destinations";
import { JobPage } from "./pages/Job";
import { Jobs } from "./pages/Jobs";
import { Media } from "./pages/Media";
import { PackagePage } from "./pages/Package";
import { Packages } from "./pages/Packages";
import { RequestPage } from "./pages/RequestPage";
import { Requests } from "./pages/Requests";
import { Schedules } from "./pages/Schedules";
import { SettingsPage } from "./pages/SettingsPage";
import { Snapshots } from "./pages/Snapshots";
import { SpacePage } from "./pages/SpacePage";
import { StartJob, StartList } from "./pages/Start";

type Section = "dashboard" | "packages" | "jobs" | "artifacts" | "broken" | "destinations" | "media";

const sections: readonly { readonly section: Section; readonly to: string; readonly icon: IconName }[] = [
  { section: "dashboard", to: "/", icon: "dashboard" },
  { section: "packages", to: "/packages", icon: "package" },
  { section: "jobs", to: "/jobs", icon: "jobs" },
  { section: "artifacts", to: "/artifacts", icon: "archive" },
  { section: "broken", to: "/broken-archives", icon: "alert" },
  { section: "destinations", to: "/destinations", icon: "place" },
  { section: "media", to: "/media", icon: "media" },
];

/** What stands at an address. */
function content(segments: readonly string[]): { readonly section: Section | undefined; readonly page: ReactNode } {
  const [first, second, third, ...more] = segments;
  switch (first) {
    case undefined: return { section: "dashboard", page: <Dashboard /> };
    case "packages":
      if (second === undefined) return { section: "packages", page: <Packages /> };
      return { section: "packages", page: <PackagePage key={segments.join("/")} name={segments.slice(1).join("/")} /> };
    case "jobs":
      if (second === undefined) return { section: "jobs", page: <Jobs /> };
      if (second === "new") return { section: "jobs", page: third === undefined ? <StartList /> : <StartJob key={third} address={third} /> };
      if (/^[1-9]\d*$/.test(second) && third === undefined) return { section: "jobs", page: <JobPage key={second} id={second} /> };
      break;
    case "schedules":
      if (second === undefined) return { section: "jobs", page: <Schedules /> };
      break;
    case "artifacts":
      if (second === undefined) return { section: "artifacts", page: <Artifacts /> };
      if (third === undefined) return { section: "artifacts", page: <Artifact key={second} id={second} /> };
      break;
    case "snapshots":
      if (second === undefined) return { section: "artifacts", page: <Snapshots /> };
      if (second === "compare" && third === undefined) return { section: "artifacts", page: <Compare /> };
      break;
    case "broken-archives":
      if (second === undefined) return { section: "broken", page: <Broken /> };
      break;
    case "destinations":
      if (second === undefined) return { section: "destinations", page: <Destinations /> };
      if (third === undefined) return { section: "destinations", page: <DestinationPage key={second} id={second} /> };
      break;
    case "requests":
      if (second === undefined) return { section: "destinations", page: <Requests /> };
      if (third === undefined) return { section: "destinations", page: <RequestPage key={second} id={second} /> };
      break;
    case "disks":
      if (second === undefined) return { section: "dashboard", page: <SpacePage /> };
      break;
    case "settings":
      if (second === undefined) return { section: undefined, page: <SettingsPage /> };
      break;
    case "media":
      if (second === undefined && more.length === 0) return { section: "media", page: <Media /> };
      break;
  }
  return { section: undefined, page: <NotFound /> };
}

function NotFound() {
  const { t } = useLocale();
  return (
    <>
      <PageHead title={t.notFound.title} />
      <Empty icon="search" title={t.notFound.title} hint={t.notFound.hint}>
        <ButtonLink to="/" look="primary">{t.notFound.home}</ButtonLink>
      </Empty>
    </>
  );
}

export function Page() {
  const { t } = useLocale();
  const { segments } = usePlace();
  const { section, page } = content(segments);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPaletteOpen(true);
      }
    };
    window.addEventListener("keydown", open);
    return () => window.removeEventListener("keydown", open);
  }, []);
  return (
    <div className="frame">
      <a className="skip" href="#content">{t.nav.skip}</a>
      <aside className="side">
        <Link to="/" className="brand"><Logo /><span>Ferry</span></Link>
        <button type="button" className="palette-button" onClick={() => setPaletteOpen(true)}>
          <Icon name="search" /><span>{t.palette.shortcut}</span><kbd>Ctrl K</kbd>
        </button>
        <Navigation section={section} />
        <div className="side-foot">
          <div className="line"><ConnectionState /><Link to="/settings" className="icon-button push" aria-label={t.settings.title} title={t.settings.title}><Icon name="settings" /></Link></div>
          <Chooser />
        </div>
      </aside>
      <header className="top">
        <Link to="/" className="brand"><Logo /><span>Ferry</span></Link>
        <ConnectionState />
        <button type="button" className="icon-button" aria-label={t.palette.shortcut} title={t.palette.shortcut} onClick={() => setPaletteOpen(true)}><Icon name="search" /></button>
        <Chooser small />
        <Link to="/settings" className="icon-button" aria-label={t.settings.title} title={t.settings.title}><Icon name="settings" /></Link>
      </header>
      <main id="content" className="content" tabIndex={-1}>
        <LostNotice />
        <Boundary key={segments.join("/")}>{page}</Boundary>
      </main>
      {isPaletteOpen && <Palette onClose={() => setPaletteOpen(false)} />}
    </div>
  );
}

function Logo() {
  return (
    <svg className="logo" width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path className="logo-hull" d="M7 18.5h18l-2.600 5.200a1.500 1.500 0 0 1-1.300.800H10.900a1.500 1.500 0 0 1-1.300-.800z" />
      <path className="logo-deck" d="M10 15.500v-4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v4M16 10.500v-3" />
    </svg>
  );
}

function Navigation({ section }: { readonly section: Section | undefined }) {
  const { t, f } = useLocale();
  const broken = useQuery("listBrokenArchives", { state: "open", limit: 1 });
  const running = useQuery("listJobs", { state: "running", limit: 1 }, ["open", "jobs"]);
  const asked = useQuery("listRequests", { state: "new", limit: 1 }, ["open", "ended", "replies"]);
  const strangers = (useDestinations().value?.items ?? []).filter((item) => item.standing && !isConfirmed(item.standing)).length;
  const counts: Partial<Record<Section, { readonly count: number; readonly tone: string }>> = {
    broken: { count: broken.value?.total ?? 0, tone: "bad" }, jobs: { count: running.value?.total ?? 0, tone: "busy" },
    destinations: { count: (asked.value?.total ?? 0) + strangers, tone: "warn" },
  };
  return (
    <nav className="nav" aria-label={t.nav.label}>
      {sections.map((each) => {
        const count = counts[each.section];
        return (
          <Link key={each.section} to={each.to} aria-current={each.section === section ? "page" : undefined}>
            <Icon name={each.icon} />
            <span className="nav-long">{t.nav[each.section]}</span>
            <span className="nav-short">{t.nav.short[each.section]}</span>
            {count && count.count > 0 && <span className={`nav-count tone-${count.tone} numbers`}>{f.number(count.count)}</span>}
          </Link>
        );
      })}
    </nav>
  );
}

function ConnectionState() {
  const { t } = useLocale();
  const connection = useConnection();
  const words = connection.state === "lost" ? t.connection.lost : t.connection[connection.state];
  return (
    <span className={`connection connection-${connection.state}`} title={words}>
      <span className="connection-dot" /><span className="connection-words">{words}</span>
    </span>
  );
}

/** Says that the server is gone, for as long as it is, and that it is back. */
function LostNotice() {
  const { t, f } = useLocale();
  const connection = useConnection();
  const say = useSay();
  const wasLost = useRef(false);
  const isLost = connection.state === "lost" || (connection.state === "connecting" && wasLost.current);
  useEffect(() => {
    if (connection.state === "live" && wasLost.current) say({ tone: "good", text: t.connection.back });
    wasLost.current = isLost;
  }, [connection.state, isLost, say, t]);
  return connection.state === "lost" ? (
    <div className="lost" role="alert">
      <Icon name="offline" />
      <span>{t.connection.lostSince(f.moment(new Date(connection.since).toISOString()))}</span>
      <Countdown to={connection.next} />
      <Button small onClick={live.connect}>{t.connection.retry}</Button>
    </div>
  ) : null;
}

function Countdown({ to }: { readonly to: number }) {
  const { t } = useLocale();
  const now = useNow(500);
  // It would be read aloud every second.
  return <span className="lost-next" aria-hidden="true">{t.connection.next(Math.max(0, Math.ceil((to - now) / 1000)))}</span>;
}

/** Theme and language. */
function Chooser({ small = false }: { readonly small?: boolean }) {
  const { t, theme, language, choose } = useLocale();
  const themes: readonly { readonly value: Theme; readonly label: string; readonly icon: IconName }[] = [
    { value: "system", label: t.choices.system, icon: "screen" }, { value: "light", label: t.choices.light, icon: "sun" }, { value: "dark", label: t.choices.dark, icon: "moon" },
  ];
  if (small) {
    const index = themes.findIndex((each) => each.value === theme);
    const next = themes[(index + 1) % themes.length];
    const other: Language = language === "en" ? "ru" : "en";
    return (
      <>
        <button
          type="button" className="icon-button" aria-label={`${t.choices.theme}: ${themes[index]?.label ?? ""}`} title={`${t.choices.theme}: ${themes[index]?.label ?? ""}`}
          onClick={() => next && choose({ theme: next.value })}>
          <Icon name={themes[index]?.icon ?? "screen"} />
        </button>
        <button type="button" className="icon-button language-button" aria-label={`${t.choices.language}: ${language === "en" ? "English" : "Русский"}`} onClick={() => choose({ language: other })}>
          {language === "en" ? "EN" : "RU"}
        </button>
      </>
    );
  }
  return (
    <div className="chooser">
      <Segments label={t.choices.theme} value={theme} options={themes} onChange={(value) => choose({ theme: value })} />
      <Segments<Language> label={t.choices.language} value={language} options={[{ value: "en", label: "EN" }, { value: "ru", label: "RU" }]} onChange={(value) => choose({ language: value })} />
    </div>
  );
}

