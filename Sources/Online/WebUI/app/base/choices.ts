// What a person chose for this browser.

export type Theme = "system" | "light" | "dark";
export type Language = "en" | "ru";

export interface Choices {
  readonly theme: Theme;
  readonly language: Language;
}

const place = "ferry.choices";

function read(): Partial<Choices> {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "{}") as Partial<Choices>;
  } catch {
    // Storage may be forbidden, or hold what another program wrote.
    return {};
  }
}

/** What was chosen before; where nothing was, what the browser says. */
export function storedChoices(): Choices {
  const stored = read();
  const language = stored.language ?? (navigator.languages.find((tag) => /^(ru|en)\b/.test(tag)) ?? "en").slice(0, 2);
  return {
    theme: stored.theme === "light" || stored.theme === "dark" ? stored.theme : "system",
    language: language === "ru" ? "ru" : "en",
  };
}

export function storeChoices(choices: Choices): void {
  try {
    localStorage.setItem(place, JSON.stringify(choices));
  } catch {
    // It holds for as long as the page is open.
  }
}
