// The language of the page, and its theme.

import { ReactNode, createContext, useContext, useEffect, useMemo, useState } from "react";
import { Words, en } from "../words/en";
import { ru } from "../words/ru";
import { Choices, Language, storeChoices, storedChoices } from "./choices";
import { Format, formats } from "./format";

const words: Readonly<Record<Language, Words>> = { en, ru };

interface Locale extends Choices {
  readonly t: Words;
  readonly f: Format;
  readonly choose: (changes: Partial<Choices>) => void;
}

const Context = createContext<Locale>({ theme: "system", language: "en", t: en, f: formats.en, choose: () => undefined });

export function LocaleProvider({ children }: { readonly children: ReactNode }) {
  const [choices, setChoices] = useState(storedChoices);
  useEffect(() => {
    const { documentElement } = document;
    documentElement.lang = choices.language;
    if (choices.theme === "system") delete documentElement.dataset.theme;
    else documentElement.dataset.theme = choices.theme;
  }, [choices]);
  const locale = useMemo<Locale>(() => ({
    ...choices, t: words[choices.language], f: formats[choices.language],
    choose: (changes) => {
      const next = { ...choices, ...changes };
      storeChoices(next);
      setChoices(next);
    },
  }), [choices]);
  return <Context.Provider value={locale}>{children}</Context.Provider>;
}

/** The words (`t`) and the formats (`f`) of the language that is chosen. */
export const useLocale = () => useContext(Context);

/** What the service says in its own words, which are English whatever the page speaks. */
export function Foreign({ children }: { readonly children: ReactNode }) {
  const { language } = useLocale();
  return language === "en" ? <>{children}</> : <span lang="en">{children}</span>;
}

/** The present, looked at again after so many milliseconds. */
export function useNow(interval: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}

/** A moment as a distance from now, with the moment itself to point at. */
export function Moment({ at, exact = false }: { readonly at: string; readonly exact?: boolean }) {
  const { f } = useLocale();
  const now = useNow(30_000);
  return <time dateTime={at} title={f.exactMoment(at)}>{exact ? f.moment(at) : f.relative(at, now)}</time>;
}
