// Reads the OpenAPI document of the service from standard input, and writes app/api/schema.ts: its types and addresses for the page.

import { readFileSync } from "node:fs";

const document = JSON.parse(readFileSync(0, "utf8"));
const isName = (text) => /^[A-Za-z_$][\w$]*$/.test(text);
const key = (text) => (isName(text) ? text : JSON.stringify(text));

function type(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return [...new Set(schema.anyOf.map(type))].join(" | ");
  switch (schema.type) {
    case "string": return schema.enum ? schema.enum.map((word) => JSON.stringify(word)).join(" | ") : "string";
    case "integer": case "number": return "number";
    case "boolean": return "boolean";
    case "null": return "null";
    case "array": return `readonly (${type(schema.items)})[]`;
    case "object":
      if (schema.properties) return members(Object.entries(schema.properties).map(([name, value]) => [name, value, schema.required.includes(name)]));
      return `Readonly<Record<string, ${schema.additionalProperties ? type(schema.additionalProperties) : "unknown"}>>`;
    default: return "unknown";
  }
}

const members = (list) => list.length ? `{ ${list.map(([name, schema, isRequired]) => `readonly ${key(name)}${isRequired ? "" : "?"}: ${type(schema)}`).join("; ")} }` : "{}";

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })));
operations.sort((a, b) => (a.operationId < b.operationId ? -1 : 1));

function answer(operation) {
  const found = Object.entries(operation.responses).filter(([status]) => status < 300).map(([, response]) => response.content?.["application/json"]?.schema);
  return [...new Set(found.map((schema) => (schema ? type(schema) : "undefined")))].join(" | ");
}

const lines = ["// Made of the service's OpenAPI document by tools/schema.mjs; a test holds them together. Do not edit.", ""];
for (const [name, schema] of Object.entries(document.components.schemas).sort()) {
  if (!schema.properties) {
    lines.push(`export type ${name} = ${type(schema)};`, "");
    continue;
  }
  lines.push(`export interface ${name} {`);
  for (const [member, value] of Object.entries(schema.properties)) {
    if (value.description) lines.push(`  /** ${value.description} */`);
    lines.push(`  readonly ${key(member)}${schema.required.includes(member) ? "" : "?"}: ${type(value)};`);
  }
  lines.push("}", "");
}
lines.push("/** What every operation takes and gives. */", "export interface Operations {");
for (const operation of operations) {
  const parameters = (operation.parameters ?? []).map((parameter) => [parameter.name, parameter.schema, parameter.required]);
  const body = operation.requestBody?.content["application/json"].schema;
  lines.push(`  readonly ${key(operation.operationId)}: {`, `    readonly parameters: ${members(parameters)};`,
    `    readonly body: ${body ? type(body) : "undefined"};`, `    readonly answer: ${answer(operation)};`, "  };");
}
lines.push("}", "", "/** Where every operation is. */", "export const addresses = {");
for (const operation of operations) lines.push(`  ${key(operation.operationId)}: ["${operation.method}", "${operation.path}"],`);
lines.push("} as const;");
process.stdout.write(lines.join("\n") + "\n");
