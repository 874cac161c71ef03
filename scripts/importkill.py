#!/usr/bin/env python3
"""How the isolated side holds out: its work killed with kill -9 at random moments, with a registry serving and somebody publishing.

Killed are imports and their rollbacks; imports that put aside or delete what has left its origin, and their rollbacks; releases from quarantine;
adoptions of a storage that scripts have filled, and their rollbacks. After each kill, over the whole storage: every packument can be read, every
version it names is there with its digest, and nothing that was published is lost. What was killed is then done again, or undone. Ends with 1 at
the first thing that is not so, and says the seed.

Everything lies below bench-run/importkill."""

import argparse
import base64
import contextlib
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

    def run(self, *arguments, accepted=(0,)):
        result = subprocess.run([self.program, *arguments], env=self.env, capture_output=True, text=True, timeout=300)
        if result.returncode not in accepted:
            raise Failure(f"{' '.join(arguments)} ended with {result.returncode}: {result.stdout}{result.stderr}")
        return result.stdout

    def killed(self, seconds, *arguments, accepted=(0,)):
        """Runs until it ends, or kills it after so long; returns whether it ended."""
        with open(below("last.log"), "wb") as log:
            process = subprocess.Popen([self.program, *arguments], env=self.env, stdout=log, stderr=log)
            try:
                status = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return False
        if status not in accepted:
            with open(below("last.log"), encoding="utf-8") as log:
                raise Failure(f"{' '.join(arguments)} ended with {status}: {log.read()}")
        return True


def put(storage, name, versions, known=()):
    """A package as Verdaccio keeps it; of the versions that are only known, a proxy never fetched the tarballs."""
    folder = os.path.join(storage, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    entries, addresses = {}, {}
    for version in [*versions, *known]:
        file, content = f"{name.split('/')[-1]}-{version}.tgz", f"{name} {version} ".encode() * 400
        if version in versions:
            with open(os.path.join(folder, file), "wb") as tarball:
                tarball.write(content)
        if known:
            addresses[file] = {"url": f"http://127.0.0.1:9/{name}/-/{file}", "sha": "", "registry": "npmjs"}
        entries[version] = {"name": name, "version": version, "dist": {
            "integrity": integrity(content), "tarball": f"http://localhost/{name}/-/{file}"}}
    with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as file:
        json.dump({"name": name, "versions": entries, "dist-tags": {"latest": [*versions, *known][-1]}, "time": {}, "_attachments": {},
                   "_rev": "1-0", "_uplinks": {}, "_distfiles": addresses, "readme": ""}, file)


class Publisher(threading.Thread):
    """Publishes one version after the other of some packages, and remembers what the registry has acknowledged."""

    def __init__(self, url, chance):
        super().__init__(daemon=True)
        self.url, self.names, self.chance = url, [], chance
        self.published, self.failed, self.count = {}, 0, 0
        self.quiet, self.over = threading.Lock(), False

    def run(self):
        while not self.over:
            with self.quiet:
                if self.names:
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


@contextlib.contextmanager
def quiet(publisher):
    """Nothing is published meanwhile; a publish that hangs at a lock which was left is not waited for, and nothing comes of it either."""
    isHeld = publisher.quiet.acquire(timeout=3)
    try:
        yield
    finally:
        if isHeld:
            publisher.quiet.release()


def check(storage, published, missing=None):
    """The whole storage, while nothing of ours runs; of packages in `missing`, these versions may be named without a tarball, all or none."""
    published, packages = dict(published), {}
    for top in sorted(os.listdir(storage)):
        if not top.startswith("."):
            below_it = [f"{top}/{name}" for name in os.listdir(os.path.join(storage, top))] if top.startswith("@") else [top]
            for name in (name for name in below_it if not name.split("/")[-1].startswith(".")):
                packages[name] = packument(storage, name, (missing or {}).get(name, set()))
    for (name, version), content in published.items():
        entry = packages.get(name, {}).get(version)
        if entry is None:
            raise Failure(f"{name}@{version} was published, and is not there")
        if entry != integrity(content):
            raise Failure(f"{name}@{version} was published, and is another one now")
    return packages


def packument(storage, name, missing):
    folder = os.path.join(storage, name)
    try:
        with open(os.path.join(folder, "package.json"), encoding="utf-8") as file:
            document = json.load(file)
            versions = document["versions"]
    except (OSError, ValueError, KeyError) as error:
        raise Failure(f"{name}: its packument cannot be read: {error}") from error
    absent = missing & set(versions)
    if absent and absent != missing:
        raise Failure(f"{name}: some of the versions that are not here are named, and some are not: {sorted(absent)}")
    if missing and not absent and document["_distfiles"]:
        raise Failure(f"{name}: the versions that are not here are gone, and the addresses to fetch them from are not")
    for version, entry in versions.items():
        if version in absent:
            continue
        file = entry["dist"]["tarball"].split("/")[-1]
        try:
            with open(os.path.join(folder, file), "rb") as tarball:
                found = integrity(tarball.read())
        except OSError as error:
            raise Failure(f"{name}@{version} is named, and its tarball is not there") from error
        if found != entry["dist"]["integrity"]:
            raise Failure(f"{name}@{version}: its tarball has other bytes than it declares")
    return {version: entry["dist"]["integrity"] for version, entry in versions.items()}


class World:
    """A connected side of three states, an isolated side, its registry, and somebody who publishes there.

    The second state has more than the first. From the third, versions are gone, and whole packages."""

    def __init__(self, options, chance):
        self.options, self.chance = options, chance
        self.names = [f"@scope/p{number:03}" if number % 7 == 0 else f"p{number:03}" for number in range(options.packages)]
        shutil.rmtree(RUN, ignore_errors=True)
        for folder in ("connected", "isolated", "first", "second", "third"):
            os.makedirs(below(folder))
        self.storage, self.state = below("isolated/storage"), below("offline-state")
        self.online = Side(options.programs, "ferry-online", below("connected"), below("online-state"))
        self.offline = Side(options.programs, "ferry-offline", self.storage, self.state)
        self.online.run("keys", "generate")
        self.write()
        self.registry = registries.Registry(options.registry or os.path.join(options.programs, "loopback-registry"), below("isolated"))
        self.publisher = Publisher(self.registry.url, random.Random(chance.random()))

    def write(self):
        """Three media, each with a bundle of one state."""
        names = self.names
        for name in names[: len(names) // 2]:
            put(below("connected"), name, ["1.0.0", "1.1.0"])
        self.take("first")
        self.second = {name: ["1.0.0", "1.1.0", "2.0.0"] if place % 3 else ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]
                       for place, name in enumerate(names)}
        for name, versions in self.second.items():
            put(below("connected"), name, versions)
        baseline = self.take("second")
        self.leaving = {}
        for place, (name, versions) in enumerate(self.second.items()):
            if place % 4 == 1:
                self.leaving[name] = versions
                shutil.rmtree(os.path.join(below("connected"), name))
            elif place % 2 == 0:
                self.leaving[name] = versions[:2]
                put(below("connected"), name, versions[2:])
        self.take("third", baseline)

    def take(self, medium, baseline=None):
        said = self.online.run("snapshot", "--allow-shrink")
        made = json.loads(self.online.run("bundle", "--json", *(["--baseline", baseline] if baseline else [])).splitlines()[-1])
        self.online.run("export", made["bundle"], "--to", below(medium))
        return said.split()[0]

    def begin(self):
        """A destination that trusts the origin."""
        self.offline.run("init", "--yes")
        origin = self.online.run("keys", "show").split()[1]
        for key in (file for file in os.listdir(below("online-state/keys")) if file.endswith(".pub")):
            self.offline.run("trust", "add", below("online-state/keys", key), "--origin", origin)

    def empty(self):
        """Makes storage and state new, and ends the publishing; what the registry keeps of its own stays."""
        with quiet(self.publisher):
            self.publisher.names = []
            self.publisher.published.clear()
            shutil.rmtree(self.state, ignore_errors=True)
            for name in os.listdir(self.storage):
                if not name.startswith(".") or name.startswith(".ferry"):
                    remove(os.path.join(self.storage, name))

    def keep(self):
        """Storage and state as they are, for `bring_back`."""
        with quiet(self.publisher):
            for source, place in ((self.storage, "kept-storage"), (self.state, "kept-state")):
                shutil.rmtree(below(place), ignore_errors=True)
                shutil.copytree(source, below(place), symlinks=True)
            self.kept = dict(self.publisher.published)

    def bring_back(self):
        self.empty()
        with quiet(self.publisher):
            self.publisher.published.update(self.kept)
            shutil.copytree(below("kept-storage"), self.storage, symlinks=True, dirs_exist_ok=True)
            shutil.copytree(below("kept-state"), self.state, symlinks=True)

    def publish(self, names):
        """Lets these packages, and one that nobody else gives, be published from now on."""
        self.publisher.names = ["inside", *names]

    def check(self, missing=None):
        with quiet(self.publisher):
            return check(self.storage, self.publisher.published, missing)

    def newest(self):
        return next(entry for entry in map(json.loads, self.offline.run("history", "--json").splitlines()) if entry["kind"] != "rollback")

    def timed(self, *arguments):
        began = time.time()
        self.offline.run(*arguments)
        return time.time() - began


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.remove(path)


def imports(world):
    """Imports of the second state, and their rollbacks."""
    def judge(packages, isUndone):
        has = sum("2.0.0" in packages.get(name, {}) or "1.3.0" in packages.get(name, {}) for name in world.names)
        if has != (0 if isUndone else len(world.names)):
            raise Failure(f"{'rolled back' if isUndone else 'imported'}, and {has} of {len(world.names)} packages have what the bundle brings")

    world.offline.run("import", below("first"))
    # What is published before it is imported is not mixed with what comes.
    world.publish(world.names[: len(world.names) // 2])
    return there_and_back(world, judge, "import", below("second"))


def removals(world):
    """Imports of the third state, which put aside or delete what has left, and their rollbacks."""
    def judge(packages, isUndone):
        for name, versions in world.leaving.items():
            for version in versions:
                if (version in packages.get(name, {})) != isUndone:
                    raise Failure(f"{'rolled back' if isUndone else 'imported'}, and {name}@{version} is {'gone' if isUndone else 'there'}")

    world.offline.run("import", below("second"))
    world.publish(world.names)
    policy = world.chance.choice(["quarantine", "delete"])
    return there_and_back(world, judge, "import", below("third"), "--removed", policy)


def there_and_back(world, judge, *arguments):
    """Does something and undoes it, killed at times, until it was killed often enough."""
    span = world.timed(*arguments)
    kills = done = undone = 0
    while kills < world.options.rounds:
        newest = world.newest()
        isOpen = newest["state"] in ("applying", "rolling-back")
        undo = newest["state"] == "applied" or (isOpen and world.chance.random() < 0.5)
        seconds = world.chance.uniform(0, span * 2)
        ended = world.offline.killed(seconds, *(["rollback", str(newest["import"]), "--accept-losses"] if undo else arguments))
        packages = world.check()
        kills += not ended
        if ended:
            judge(packages, undo)
            done, undone = done + (not undo), undone + undo
    return f"{kills} times killed; {done} imports and {undone} rollbacks completed meanwhile"


def releases(world):
    """Releases from quarantine, several packages at once."""
    world.offline.run("import", below("second"))
    world.offline.run("import", below("third"), "--removed", "quarantine")
    world.keep()
    kills = released = 0
    span = None
    while kills < world.options.rounds:
        world.publish(world.names)
        left = list(world.leaving)
        world.chance.shuffle(left)
        while left and kills < world.options.rounds:
            names, left = left[:6], left[6:]
            if span is None:
                span = world.timed("quarantine", "release", *names)
                continue
            # What was released before it was killed is in quarantine no more, and is said to be so.
            while not world.offline.killed(world.chance.uniform(0, span * 1.5), "quarantine", "release", *names, accepted=(0, 13)):
                kills += 1
                packages = world.check()
                aside = {(entry["package"], entry["version"]) for entry in map(json.loads, world.offline.run("quarantine", "--json").splitlines())}
                for name in names:
                    for version in world.leaving[name]:
                        if version not in packages.get(name, {}) and (name, version) not in aside:
                            raise Failure(f"{name}@{version} is neither in quarantine nor released")
            packages = world.check()
            for name in names:
                for version in world.leaving[name]:
                    if version not in packages.get(name, {}):
                        raise Failure(f"{name} was released, and {version} is not there")
            released += len(names)
        world.offline.run("ledger", "verify")
        world.bring_back()
    return f"{kills} times killed; {released} packages released meanwhile"


def adoptions(world):
    """Adoptions of a storage that a copy of a proxy's has filled, and their rollbacks."""
    known, void = ["3.0.0", "4.0.0-beta.1"], set(world.names[4::5])
    missing = {name: set(known) for name in world.names if name not in void}
    kills = adopted = undone = 0
    span = None
    while kills < world.options.rounds:
        world.empty()
        with quiet(world.publisher):
            for name in world.names:
                put(world.storage, name, [] if name in void else ["1.0.0", "1.1.0"], known)
        # Of packages of which nothing is here, Verdaccio serves a packument whose versions cannot be had, until they are taken away.
        absent = {**missing, **{name: set(known) for name in void}}
        world.publish(world.names)
        if span is None:
            span = world.timed("init", "--yes")
        else:
            while not world.offline.killed(world.chance.uniform(0, span * 1.5), "init", "--yes"):
                kills += 1
                world.check(absent)
        packages = world.check()
        for name in missing:
            if not {"1.0.0", "1.1.0"} <= set(packages.get(name, {})):
                raise Failure(f"{name} was adopted, and a version of it is gone")
        adopted += 1
        if world.chance.random() < 0.5:
            # One that was killed at its very end is done, and is said to be so.
            while not world.offline.killed(world.chance.uniform(0, span * 1.5), "rollback", "1", "--accept-losses", accepted=(0, 13)):
                kills += 1
                world.check(absent)
            if world.newest()["state"] != "rolled-back":
                raise Failure("the adoption could not be rolled back")
            packages, published = world.check(absent), {name for name, _ in dict(world.publisher.published)}
            for name in set(missing) - published:
                # What nobody could install is not put into a packument that was written since.
                if not set(known) <= set(packages[name]):
                    raise Failure(f"the adoption was rolled back, and {name} lacks what it named before")
            undone += 1
        world.offline.run("ledger", "verify")
    return f"{kills} times killed; {adopted} adoptions and {undone} rollbacks completed meanwhile"


TRIALS = {"imports": imports, "removals": removals, "releases": releases, "adoptions": adoptions}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default=os.path.join(TOP, ".build/debug"), help="where the programs lie")
    parser.add_argument("--registry", help="a Verdaccio; else the project's stand-in")
    parser.add_argument("--rounds", type=int, default=200, help="how often something is killed in each trial")
    parser.add_argument("--packages", type=int, default=60)
    parser.add_argument("--only", action="append", choices=list(TRIALS), help="this trial; may be given several times")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    try:
        run(options, random.Random(seed))
    except Failure as failure:
        print(f"importkill: error: {failure} (--seed {seed})", file=sys.stderr)
        sys.exit(1)


def run(options, chance):
    world = World(options, chance)
    publisher = world.publisher
    try:
        publisher.start()
        for name in options.only or TRIALS:
            world.empty()
            if name != "adoptions":
                world.begin()
            said, before = TRIALS[name](world), len(publisher.published)
            print(f"{name}: {said}; {before} versions published since the storage was made, none lost", flush=True)
            world.offline.run("ledger", "verify")
        print(f"{publisher.count} publishes, {publisher.failed} refused; every version named was there with its digest")
    finally:
        publisher.over = True
        world.registry.stop()


if __name__ == "__main__":
    main()
