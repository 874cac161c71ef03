import { createRoot } from "react-dom/client";
import { live } from "./api/live";
import { DestinationsProvider } from "./base/destinations";
import { LocaleProvider } from "./base/locale";
import { ToastProvider } from "./parts/Toasts";
import { Page } from "./Page";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/pages.css";

live.start();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <LocaleProvider>
      <ToastProvider>
        <DestinationsProvider>
          <Page />
        </DestinationsProvider>
      </ToastProvider>
    </LocaleProvider>,
  );
}
