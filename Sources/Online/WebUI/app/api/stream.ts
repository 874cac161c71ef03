// Server-sent events over `fetch`, which can say where it goes on from, unlike the browser's own.

import { failureOf } from "./client";

export interface StreamEvent {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: string;
}

/**
 * Reads a stream to its end.
 *
 * @param lastID the id of the last event that is known
 * @param onOpen told once the service has answered
 */
export async function readStream(
  address: string, lastID: string | undefined, signal: AbortSignal, onOpen: () => void, onEvent: (event: StreamEvent) => void,
): Promise<void> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (lastID !== undefined) headers["Last-Event-ID"] = lastID;
  const response = await fetch(address, { headers, signal, cache: "no-store" });
  if (!response.ok || !response.body) throw await failureOf(response);
  onOpen();
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    const parts = rest.split("\n\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const event = parse(part);
      if (event) onEvent(event);
    }
  }
}

function parse(text: string): StreamEvent | undefined {
  let id: string | undefined;
  let name = "message";
  const data: string[] = [];
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    switch (line.slice(0, colon)) {
      case "id": id = value; break;
      case "event": name = value; break;
      case "data": data.push(value); break;
    }
  }
  return data.length === 0 ? undefined : { id, name, data: data.join("\n") };
}
