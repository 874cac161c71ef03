// Asks the service.

import { Operations, addresses } from "./schema";

export type OperationName = keyof Operations;
export type ParametersOf<Name extends OperationName> = Operations[Name]["parameters"];
export type BodyOf<Name extends OperationName> = Operations[Name]["body"];
export type AnswerOf<Name extends OperationName> = Operations[Name]["answer"];

/** Why something was not answered as it was asked for. */
export class Failure extends Error {
  /** The word of the service's problem document, such as `job-open`; `unreachable` where no answer came. */
  readonly word: string;
  readonly status: number;
  readonly title: string;
  /** The parameter that is wrong, where one is. */
  readonly parameter: string | undefined;
  /** Where to look instead, such as `/jobs/42`. */
  readonly see: string | undefined;

  constructor(word: string, status: number, title: string, detail: string, parameter?: string, see?: string) {
    super(detail);
    this.word = word;
    this.status = status;
    this.title = title;
    this.parameter = parameter;
    this.see = see;
  }

  get isUnreachable(): boolean {
    return this.word === "unreachable";
  }
}

/** The address of an operation: parameters that its path names stand there, the others in the query. */
export function addressOf<Name extends OperationName>(name: Name, parameters: ParametersOf<Name>): string {
  const rest = new URLSearchParams();
  let path: string = addresses[name][1];
  for (const [key, value] of Object.entries(parameters)) {
    if (value === undefined || value === null) continue;
    const text = String(value);
    if (path.includes(`{${key}}`)) path = path.replace(`{${key}}`, encodeURIComponent(text));
    else rest.set(key, text);
  }
  const query = rest.toString();
  return query === "" ? path : `${path}?${query}`;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The failure that an answer tells of. */
export async function failureOf(response: Response): Promise<Failure> {
  let document: Record<string, unknown> = {};
  try {
    document = (await response.json()) as Record<string, unknown>;
  } catch {
    // Something between here and the service has answered in its own words.
  }
  const word = text(document.type)?.replace(/^urn:ferry:problem:/, "") ?? "failed";
  return new Failure(
    word, response.status, text(document.title) ?? response.statusText, text(document.detail) ?? "", text(document.parameter), text(document.see),
  );
}

export const unreachable = (reason: unknown) => new Failure("unreachable", 0, "", reason instanceof Error ? reason.message : "");

/** Does an operation. */
export async function ask<Name extends OperationName>(
  name: Name, parameters: ParametersOf<Name>, options: { readonly body?: BodyOf<Name>; readonly signal?: AbortSignal } = {},
): Promise<AnswerOf<Name>> {
  const request: RequestInit = { method: addresses[name][0], headers: { Accept: "application/json" } };
  if (options.signal) request.signal = options.signal;
  if (options.body !== undefined) {
    request.body = JSON.stringify(options.body);
    request.headers = { Accept: "application/json", "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(addressOf(name, parameters), request);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable(error);
  }
  // The health of a service that is ill is an answer, too.
  if (!response.ok && !(name === "getHealth" && response.status === 503)) throw await failureOf(response);
  try {
    return (await response.json()) as AnswerOf<Name>;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable(error);
  }
}
