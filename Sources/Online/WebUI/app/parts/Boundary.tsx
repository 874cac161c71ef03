import { Component, ReactNode } from "react";
import { useLocale } from "../base/locale";
import { Button } from "./Button";
import { Empty } from "./States";

interface Props {
  readonly children: ReactNode;
}

/** Keeps a page that fails from taking the others along: the way out stays. */
export class Boundary extends Component<Props, { readonly reason: string | undefined }> {
  override state = { reason: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    return this.state.reason === undefined ? this.props.children : <Broken reason={this.state.reason} />;
  }
}

function Broken({ reason }: { readonly reason: string }) {
  const { t } = useLocale();
  return (
    <div role="alert">
      <Empty icon="alert" title={t.failure.page} hint={`${t.failure.pageHint} (${reason})`}>
        <Button look="primary" icon="again" onClick={() => location.reload()}>{t.failure.reload}</Button>
      </Empty>
    </div>
  );
}
