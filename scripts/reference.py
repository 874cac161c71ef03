"""Writes the parts of docs/ that the program itself knows best: the settings and the interface."""

import argparse
import difflib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(os.environ.get("FERRY_BUILD", os.path.join(TOP, ".build/debug")), "ferry-online")
METHODS = ["get", "post", "put", "patch", "delete"]
TAGS = {"service": "The service itself"}


def settings():
    # Defaults that are the machine's own are written as those of a machine that goes by UTC.
    environment = {**os.environ, "TZ": "UTC"}
    return subprocess.run([PROGRAM, "config", "reference"], check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


def document():
    """The OpenAPI document, from a server that is started for it."""
    with tempfile.TemporaryDirectory(prefix="ferry-reference-") as state:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRY_")}
        server = subprocess.Popen(
            [PROGRAM, "serve", "--state", state, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True, env=clean)
        try:
            for line in server.stderr:
                found = re.search(r"http://127\.0\.0\.1:\d+", line)
                if found:
                    with urllib.request.urlopen(f"{found.group()}/openapi.json", timeout=30) as answer:
                        return json.load(answer)
            raise SystemExit(f"reference: error: {PROGRAM} serve ended before it listened")
        finally:
            server.send_signal(signal.SIGTERM)
            server.stderr.close()
            server.wait(30)


class Interface:
    """The interface as a page of Markdown."""

    def __init__(self, source):
        self.source = source
        self.lines = []

    def say(self, *lines):
        self.lines += lines

    def page(self):
        info = self.source["info"]
        self.say(
            "# The HTTP interface", "", "<!-- Written by scripts/reference; a test holds it against the program. -->", "",
            info["description"], "", "The same, for machines, is `GET /openapi.json` of a running server.", "")
        self.say("| | | |", "| --- | --- | --- |")
        groups = self.groups()
        for tag, operations in groups:
            for method, path, operation in operations:
                name = f"{method} {path}"
                self.say(f"| [`{name}`](#{self.anchor(name)}) | {self.cell(operation['summary'])} | {tag} |")
        self.say("")
        for tag, operations in groups:
            self.say(f"## {TAGS.get(tag, tag.capitalize())}", "")
            for method, path, operation in operations:
                self.operation(method, path, operation)
        self.say("## Objects", "", "Members without a mark are always there; those with `?` may be missing or `null`.", "")
        for name, schema in sorted(self.source["components"]["schemas"].items()):
            self.object(name, schema)
        return "\n".join(self.lines).rstrip() + "\n"

    def groups(self):
        found = {}
        for path, methods in self.source["paths"].items():
            for method in METHODS:
                if method in methods:
                    found.setdefault(methods[method]["tags"][0], []).append((method.upper(), path, methods[method]))
        return sorted(found.items())

    def operation(self, method, path, operation):
        self.say(f"### `{method} {path}`", "", operation["summary"])
        if operation.get("description"):
            self.say("", operation["description"])
        parameters = operation.get("parameters", [])
        if parameters:
            self.say("", "| parameter | in | takes | |", "| --- | --- | --- | --- |")
            for parameter in parameters:
                schema = parameter["schema"]
                words = parameter.get("description", "")
                if schema.get("default") is not None:
                    words += f" Default `{self.plain(schema['default'])}`."
                self.say(f"| `{parameter['name']}`{'' if parameter['required'] else '?'} | {parameter['in']} | {self.form(schema)} | "
                         f"{self.cell(words)} |")
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            self.say("", f"Body: {self.form(schema)}")
            self.members(schema)
        self.say("", "| answer | |", "| --- | --- |")
        for status, response in sorted(operation["responses"].items()):
            shapes = [self.form(content["schema"]) for kind, content in response.get("content", {}).items()
                      if "schema" in content and kind != "application/problem+json"]
            kinds = [f"`{kind}`" for kind in response.get("content", {}) if kind not in ("application/json", "application/problem+json")]
            tail = f" – {', '.join(kinds + shapes)}" if kinds or shapes else ""
            self.say(f"| {status} | {self.cell(response['description'])}{tail} |")
        self.say("")

    def object(self, name, schema):
        self.say(f"### {name}", "")
        if schema.get("description"):
            self.say(schema["description"], "")
        if "properties" not in schema:
            self.say(f"{self.form(schema)}", "")
            return
        self.members(schema)
        self.say("")

    def members(self, schema):
        if "properties" not in schema:
            return
        self.say("", "| member | takes | |", "| --- | --- | --- |")
        needed = set(schema.get("required", []))
        for name, member in schema["properties"].items():
            self.say(f"| `{name}`{'' if name in needed else '?'} | {self.form(member)} | {self.cell(member.get('description', ''))} |")

    def form(self, schema):
        """What a value looks like, in a few words."""
        if "$ref" in schema:
            name = schema["$ref"].split("/")[-1]
            return f"[{name}](#{self.anchor(name)})"
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return " or ".join(dict.fromkeys(self.form(choice) for choice in schema[word]))
        if "const" in schema:
            return f"`{self.plain(schema['const'])}`"
        if "enum" in schema:
            return ", ".join(f"`{self.plain(value)}`" for value in schema["enum"])
        kinds = schema.get("type", "any")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        return " or ".join(self.kind(kind, schema) for kind in kinds)

    def kind(self, kind, schema):
        if kind == "array":
            return f"list of {self.form(schema.get('items', {}))}"
        if kind == "object":
            items = schema.get("properties", {}).get("items")
            return f"page of {self.form(items['items'])}" if items else "object"
        bounds = [f"{word} {schema[name]}" for name, word in (("minimum", "from"), ("maximum", "to")) if name in schema]
        words = {"string": schema.get("format", "text"), "integer": "whole number", "boolean": "`true` or `false`", "null": "`null`"}
        return " ".join([words.get(kind, kind), *bounds])

    @staticmethod
    def plain(value):
        return value if isinstance(value, str) else json.dumps(value)

    @staticmethod
    def cell(text):
        return text.replace("|", "\\|").replace("\n", " ")

    @staticmethod
    def anchor(title):
        return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def main():
    parser = argparse.ArgumentParser(prog="scripts/reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and end with 1 where something would be written")
    arguments = parser.parse_args()
    stale = False
    for name, make in (("docs/settings.md", settings), ("docs/api.md", lambda: Interface(document()).page())):
        path = os.path.join(TOP, name)
        text = make()
        kept = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        if text == kept:
            continue
        stale = True
        if arguments.check:
            sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), text.splitlines(True), name, "what the program says"))
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            print(name)
    if stale and arguments.check:
        print('reference: error: docs/ says something else than the program; "scripts/reference" writes it anew', file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
