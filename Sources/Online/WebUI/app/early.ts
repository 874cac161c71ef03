// Runs before anything is painted, so that a chosen theme or language never flashes.

import { storedChoices } from "./base/choices";

const { theme, language } = storedChoices();
if (theme !== "system") document.documentElement.dataset.theme = theme;
document.documentElement.lang = language;
