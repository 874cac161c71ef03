#!/usr/bin/env python3
"""How the isolated side holds out: imports and rollbacks killed with kill -9 at random moments, with a registry serving and somebody publishing.

After each kill, over the whole storage: every packument can be read, every version it names is there with its digest, and nothing that
was published is lost. What was killed is then done again, or undone. Ends with 1 at the first thing that is not so, and says the seed.

Everything lies below bench-run/importkill."""

import argparse
import base64
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import registries

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN = os.path.join(TOP, "bench-run", "importkill")


class Failure(Exception):
    """Something is not as it has to be."""


def integrity(content):
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def below(*parts):
    return os.path.join(RUN, *parts)


class Side:
    """One of the programs with its storage and state."""

    def __init__(self, build, program, storage, state):
        self.program = os.path.join(build, program)
        variable = "FERRY_ONLINE_STATE" if program == "ferry-online" else "FERRY_OFFLINE_STATE"
        self.env = dict(os.environ, FERRY_STORAGE=storage, **{variable: state})

    def run(self, *arguments):
        result = subprocess.run([self.program, *arguments], env=self.env, capture_output=True, text=True, timeout=300)
        if result.returncode != 0:
            raise Failure(f"{' '.join(arguments)} ended with {result.returncode}: {result.stdout}{result.stderr}")
        return result.stdout

    def killed(self, seconds, *arguments):
        """Runs until it ends, or kills it after so long; returns whether it ended."""
        with open(below("last.log"), "wb") as log:
            process = subprocess.Popen([self.program, *arguments], env=self.env, stdout=log, stderr=log)
            try:
                status = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return False
        if status != 0:
            with open(below("last.log"), encoding="utf-8") as log:
                raise Failure(f"{' '.join(arguments)} ended with {status}: {log.read()}")
        return True


def put(storage, name, versions):
    """A package as Verdaccio keeps it."""
    folder = os.path.join(storage, name)
    os.makedirs(folder, exist_ok=True)
    entries = {}
    for version in versions:
        file, content = f"{name.split('/')[-1]}-{version}.tgz", f"{name} {version} ".encode() * 400
        with open(os.path.join(folder, file), "wb") as tarball:
            tarball.write(content)
        entries[version] = {"name": name, "version": version, "dist": {
            "integrity": integrity(content), "tarball": f"http://localhost/{name}/-/{file}"}}
    with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as file:
        json.dump({"name": name, "versions": entries, "dist-tags": {"latest": versions[-1]}, "time": {}, "_attachments": {},
                   "_rev": "1-0", "_uplinks": {}, "_distfiles": {}, "readme": ""}, file)


class Publisher(threading.Thread):
    """Publishes one version after the other, and remembers what the registry has acknowledged."""

    def __init__(self, url, names, chance):
        super().__init__(daemon=True)
        self.url, self.names, self.chance = url, names, chance
        self.published, self.failed, self.count = {}, 0, 0
        self.quiet, self.over = threading.Lock(), False

    def run(self):
        while not self.over:
            with self.quiet:
                self.count += 1
                self.publish(self.chance.choice(self.names), f"900.0.{self.count}")
            time.sleep(0.02)

    def publish(self, name, version):
        file, content = f"{name.split('/')[-1]}-{version}.tgz", f"published {name} {version}".encode()
        document = {
            "_id": name, "name": name, "dist-tags": {"inside": version}, "versions": {version: {
                "name": name, "version": version, "_id": f"{name}@{version}", "dist": {
                    "integrity": integrity(content), "shasum": hashlib.sha1(content).hexdigest(), "tarball": f"{self.url}/{name}/-/{file}"}}},
            "_attachments": {file: {
                "content_type": "application/octet-stream", "data": base64.b64encode(content).decode(), "length": len(content)}}}
        request = urllib.request.Request(
            f"{self.url}/{urllib.parse.quote(name, safe='@')}", json.dumps(document).encode(), {"content-type": "application/json"}, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=200):
                self.published[(name, version)] = content
        except (urllib.error.HTTPError, OSError):
            # Its package went away under it, or the registry was stopped; whoever published was told.
            self.failed += 1


def check(storage, published):
    """The whole storage, while nothing runs."""
    packages = {}
    for top in sorted(os.listdir(storage)):
        if not top.startswith("."):
            below_it = [f"{top}/{name}" for name in os.listdir(os.path.join(storage, top))] if top.startswith("@") else [top]
            for name in (name for name in below_it if not name.split("/")[-1].startswith(".")):
                packages[name] = packument(storage, name)
    for (name, version), content in published.items():
        entry = packages.get(name, {}).get(version)
        if entry is None:
            raise Failure(f"{name}@{version} was published, and is not there")
        if entry != integrity(content):
            raise Failure(f"{name}@{version} was published, and is another one now")
    return packages


def packument(storage, name):
    folder = os.path.join(storage, name)
    try:
        with open(os.path.join(folder, "package.json"), encoding="utf-8") as file:
            versions = json.load(file)["versions"]
    except (OSError, ValueError, KeyError) as error:
        raise Failure(f"{name}: its packument cannot be read: {error}") from error
    for version, entry in versions.items():
        file = entry["dist"]["tarball"].split("/")[-1]
        try:
            with open(os.path.join(folder, file), "rb") as tarball:
                found = integrity(tarball.read())
        except OSError as error:
            raise Failure(f"{name}@{version} is named, and its tarball is not there") from error
        if found != entry["dist"]["integrity"]:
            raise Failure(f"{name}@{version}: its tarball has other bytes than it declares")
    return {version: entry["dist"]["integrity"] for version, entry in versions.items()}


def prepare(options, names):
    """A connected side of two states, and what brings the second into an isolated one that holds the first."""
    shutil.rmtree(RUN, ignore_errors=True)
    for folder in ("connected", "isolated", "first", "second"):
        os.makedirs(below(folder))
    online = Side(options.programs, "ferry-online", below("connected"), below("online-state"))
    offline = Side(options.programs, "ferry-offline", below("isolated/storage"), below("offline-state"))
    online.run("keys", "generate")
    for name in names[: len(names) // 2]:
        put(below("connected"), name, ["1.0.0", "1.1.0"])
    take(online, below("first"))
    for place, name in enumerate(names):
        put(below("connected"), name, ["1.0.0", "1.1.0", "2.0.0"] if place % 3 else ["1.0.0", "1.1.0", "1.2.0", "1.3.0"])
    take(online, below("second"))
    return online, offline


def take(online, medium):
    online.run("snapshot")
    made = json.loads(online.run("bundle", "--json").splitlines()[-1])
    online.run("export", made["bundle"], "--to", medium)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default=os.path.join(TOP, ".build/debug"), help="where the programs lie")
    parser.add_argument("--registry", help="a Verdaccio; else the project's stand-in")
    parser.add_argument("--rounds", type=int, default=200, help="how often something is killed")
    parser.add_argument("--packages", type=int, default=60)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    try:
        print(run(options, random.Random(seed)))
    except Failure as failure:
        print(f"importkill: error: {failure} (--seed {seed})", file=sys.stderr)
        sys.exit(1)


def run(options, chance):
    names = [f"@scope/p{number:03}" if number % 7 == 0 else f"p{number:03}" for number in range(options.packages)]
    online, offline = prepare(options, names)
    registry = registries.Registry(options.registry or os.path.join(options.programs, "loopback-registry"), below("isolated"))
    publisher = None
    try:
        offline.run("init")
        origin = online.run("keys", "show").split()[1]
        for key in (file for file in os.listdir(below("online-state/keys")) if file.endswith(".pub")):
            offline.run("trust", "add", below("online-state/keys", key), "--origin", origin)
        offline.run("import", below("first"))
        publisher = Publisher(registry.url, ["inside", *names[: len(names) // 2]], random.Random(chance.random()))
        publisher.publish("inside", "1.0.0")
        publisher.start()
        return rounds(options, chance, offline, publisher, names)
    finally:
        if publisher:
            publisher.over = True
        registry.stop()


def rounds(options, chance, offline, publisher, names):
    storage = below("isolated/storage")
    began = time.time()
    offline.run("import", below("second"))
    span = time.time() - began
    kills = completed = undone = 0
    while kills < options.rounds:
        newest = next(entry for entry in map(json.loads, offline.run("history", "--json").splitlines()) if entry["kind"] == "import")
        isOpen = newest["state"] in ("applying", "rolling-back")
        undo = newest["state"] == "applied" or (isOpen and chance.random() < 0.5)
        if undo:
            ended = offline.killed(chance.uniform(0, span * 2), "rollback", str(newest["import"]), "--accept-losses")
        else:
            ended = offline.killed(chance.uniform(0, span * 2), "import", below("second"))
        with publisher.quiet:
            packages = check(storage, publisher.published)
        kills += not ended
        if not ended:
            continue
        has = sum("2.0.0" in packages.get(name, {}) or "1.3.0" in packages.get(name, {}) for name in names)
        if has != (0 if undo else len(names)):
            raise Failure(f"{'rolled back' if undo else 'imported'}, and {has} of {len(names)} packages have what the bundle brings")
        completed, undone = completed + (not undo), undone + undo
    offline.run("ledger", "verify")
    return (f"{kills} times killed: {completed} imports and {undone} rollbacks completed meanwhile, {len(publisher.published)} versions "
            f"published ({publisher.failed} refused), none lost; every version named was there with its digest")


if __name__ == "__main__":
    main()
