// Numbers, sizes and moments as people of a language write them.

import { Language } from "./choices";

const units = {
  en: { bytes: ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], second: "s", minute: "min", hour: "h", day: "d", perSecond: "/s", now: "just now" },
  ru: { bytes: ["Б", "КиБ", "МиБ", "ГиБ", "ТиБ", "ПиБ"], second: "с", minute: "мин", hour: "ч", day: "д", perSecond: "/с", now: "только что" },
};

/** No-break, so that a number never stands apart from its unit. */
const space = "\u00a0";

export class Format {
  readonly language: Language;
  private readonly whole: Intl.NumberFormat;
  private readonly tenths: Intl.NumberFormat;
  private readonly percents: Intl.NumberFormat;
  private readonly moments: Intl.DateTimeFormat;
  private readonly seconds: Intl.DateTimeFormat;
  private readonly days: Intl.DateTimeFormat;
  private readonly shortDays: Intl.DateTimeFormat;
  private readonly relatives: Intl.RelativeTimeFormat;
  private readonly plurals: Intl.PluralRules;

  constructor(language: Language) {
    // English as the world writes it: days before months, 24 hours.
    const locale = language === "en" ? "en-GB" : "ru-RU";
    this.language = language;
    this.whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
    this.percents = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
    this.moments = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
    this.seconds = new Intl.DateTimeFormat(locale, {
      day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
    });
    this.days = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
    this.shortDays = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
    this.relatives = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "long" });
    this.plurals = new Intl.PluralRules(locale);
  }

  number = (value: number): string => this.whole.format(value);

  /** With a sign: `+3`, `−2`, `±0`. */
  change = (value: number, write: (value: number) => string = this.number): string =>
    value === 0 ? `±${write(0)}` : `${value > 0 ? "+" : "−"}${write(Math.abs(value))}`;

  private digits = (value: number, count: number): string => value.toLocaleString(this.language === "en" ? "en-GB" : "ru-RU", { maximumFractionDigits: count });

  percent = (share: number): string => this.percents.format(share);

  bytes = (value: number, digits = 1): string => {
    const names = units[this.language].bytes;
    let size = value;
    let unit = 0;
    while (size >= 1000 && unit < names.length - 1) {
      size /= 1024;
      unit += 1;
    }
    const number = unit === 0 || size >= 100 && digits < 2 ? this.whole.format(size) : digits < 2 ? this.tenths.format(size) : this.digits(size, digits);
    return `${number}${space}${names[unit] ?? ""}`;
  };

  /** How many of what a job counts. */
  amount = (value: number, unit: string): string => (unit === "bytes" ? this.bytes(value) : this.number(value));

  rate = (value: number, unit: string): string => {
    const text = unit === "bytes" ? this.bytes(value) : value < 10 ? this.tenths.format(value) : this.whole.format(value);
    return text + units[this.language].perSecond;
  };

  /** Two units at most: `2 h 5 min`. */
  duration = (seconds: number): string => {
    const names = units[this.language];
    if (seconds < 10) return `${this.tenths.format(seconds)}${space}${names.second}`;
    const whole = Math.round(seconds);
    const parts: [number, string][] = [
      [Math.floor(whole / 86_400), names.day], [Math.floor(whole / 3600) % 24, names.hour], [Math.floor(whole / 60) % 60, names.minute],
      [whole % 60, names.second],
    ];
    const first = parts.findIndex(([count]) => count > 0);
    return parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, name]) => `${this.whole.format(count)}${space}${name}`).join(" ");
  };

  moment = (text: string): string => this.moments.format(new Date(text));
  exactMoment = (text: string): string => this.seconds.format(new Date(text));
  day = (time: number): string => this.days.format(time);
  shortDay = (time: number): string => this.shortDays.format(time);

  /** How long ago, or in how long. */
  relative = (text: string, now: number): string => {
    const seconds = (Date.parse(text) - now) / 1000;
    const size = Math.abs(seconds);
    if (size < 45) return seconds > 0 ? this.relatives.format(0, "second") : units[this.language].now;
    if (size < 45 * 60) return this.relatives.format(Math.round(seconds / 60) || Math.sign(seconds), "minute");
    if (size < 22 * 3600) return this.relatives.format(Math.round(seconds / 3600) || Math.sign(seconds), "hour");
    if (size < 26 * 86_400) return this.relatives.format(Math.round(seconds / 86_400), "day");
    if (size < 320 * 86_400) return this.relatives.format(Math.round(seconds / (30.4 * 86_400)), "month");
    return this.relatives.format(Math.round(seconds / (365.25 * 86_400)), "year");
  };

  /** A number with the form of a noun that it takes: one, few (Russian), many. */
  count = (value: number, ...forms: [one: string, many: string] | [one: string, few: string, many: string]): string => {
    const rule = this.plurals.select(value);
    const form = rule === "one" ? forms[0] : rule === "few" && forms.length === 3 ? forms[1] : forms[forms.length - 1];
    return `${this.number(value)}${space}${form ?? ""}`;
  };
}

export const formats: Readonly<Record<Language, Format>> = { en: new Format("en"), ru: new Format("ru") };
