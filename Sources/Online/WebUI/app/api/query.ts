// What the page shows of the service: asked for once, kept while it is looked at again, and asked for anew when it may have changed.

import { useCallback, useEffect, useRef, useState } from "react";
import { AnswerOf, Failure, OperationName, ParametersOf, addressOf, ask, unreachable } from "./client";
import { Topic, live } from "./live";

export interface Query<Value> {
  /** The newest answer; of the question before where this one has none yet. */
  readonly value: Value | undefined;
  /** Why there is no newer one. */
  readonly failure: Failure | undefined;
  /** Whether `value` answers another question, the one before. */
  readonly isOld: boolean;
  readonly reload: () => void;
}

const kept = new Map<string, unknown>();
const capacity = 200;

function keep(address: string, value: unknown): void {
  kept.delete(address);
  kept.set(address, value);
  const [oldest] = kept.keys();
  if (kept.size > capacity && oldest !== undefined) kept.delete(oldest);
}

/** At most so often, for topics that come in swarms. */
const pace = 400;

/**
 * Asks for something, and again when a topic is told.
 *
 * @param parameters `undefined` asks nothing
 */
export function useQuery<Name extends OperationName>(
  name: Name, parameters: ParametersOf<Name> | undefined, topics: readonly Topic[] = ["open", "ended"],
): Query<AnswerOf<Name>> {
  const address = parameters === undefined ? undefined : addressOf(name, parameters);
  const [state, setState] = useState<{ address: string | undefined; value: AnswerOf<Name> | undefined; failure: Failure | undefined }>(
    () => ({ address, value: address === undefined ? undefined : (kept.get(address) as AnswerOf<Name> | undefined), failure: undefined }));
  const latest = useRef({ name, parameters, address });
  latest.current = { name, parameters, address };
  const running = useRef<AbortController>();

  const load = useCallback(() => {
    const asked = latest.current;
    if (asked.address === undefined || asked.parameters === undefined) return;
    running.current?.abort();
    const abort = (running.current = new AbortController());
    const { address } = asked;
    ask(asked.name, asked.parameters, { signal: abort.signal }).then(
      (value) => {
        keep(address, value);
        if (!abort.signal.aborted) setState({ address, value, failure: undefined });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const failure = error instanceof Failure ? error : unreachable(error);
        // What is not there, or was asked for wrongly, is not what is shown.
        const isGone = failure.status >= 400 && failure.status < 500;
        setState((old) => ({ address, value: isGone || old.address !== address ? undefined : old.value, failure }));
      });
  }, []);

  useEffect(() => {
    const known = address === undefined ? undefined : (kept.get(address) as AnswerOf<Name> | undefined);
    if (known !== undefined) setState({ address, value: known, failure: undefined });
    load();
    return () => running.current?.abort();
  }, [address, load]);

  const words = topics.join(" ");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        load();
      }, pace);
    };
    const leave = words.split(" ").filter((word) => word !== "").map((topic) => live.on(topic as Topic, soon));
    return () => {
      clearTimeout(timer);
      for (const stop of leave) stop();
    };
  }, [words, load]);

  const isOld = state.address !== address;
  return { value: state.value, failure: isOld ? undefined : state.failure, isOld, reload: load };
}
