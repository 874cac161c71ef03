"""How fast Ferry is, side by side with the tools everyone has: find, xargs, sha512sum, tar and zstd.

  first        the first snapshot, nothing known           find | xargs -P sha512sum
  large        the same of packages with large tarballs    find | xargs -P sha512sum
  unchanged    a snapshot where nothing changed            find -printf '%s %T@ %p\\n'
  check        every tarball proved, nothing known         find | xargs -P -n 1 tar -tzf, which proves no digest
  recheck      a check where nothing changed               find -name '*.tgz'
  bundle       a full bundle, signed                       tar | zstd -1 -T, then sha512sum, then sync of the file
  import       it into an empty storage                    tar --zstd -x, then sha512sum -c; once more with sync -f
               the same once more: nothing to do
  incremental  1 % of the packages get a new version: snapshot, incremental bundle, import
  memory       peak memory over very many tiny files: scan, check, snapshot, bundle, verify, import (only with --memory)
  refresh      a proxy's cache made complete from the packuments of some packages: ours, and npm installing each of them, once, for it
               takes minutes; then a refresh of very many packages where nothing is new

Ours and the peer take turns, and each round begins with the other one. Peers use as many threads as there are cores. What Ferry
writes is synced when it says so, hence the sync of the peers. Everything lies below bench-run/: a Verdaccio proxy's storage packed from
the real npm packages on this machine, made once for each size, and what the runs write, which is removed at the end.

ext4 without a journal passes over inodes that were freed within the last six minutes, one by one: after large removals, by anyone, it
makes new files up to ten times slower. The header says what a new file costs; where it is more than some 50 µs, wait, or name a folder
on another file system.

The proxy that is refreshed is the Verdaccio that FERRY_VERDACCIO names, else the stand-in of this project, which is its upstream, too.
The packages it refreshes need nothing but one another. npm's requests are counted by passing them on, which costs it next to nothing.
npm runs nice, as the refresh starts it: its time is worth something on a machine that does nothing else; else compare CPU s.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import fcntl
import glob
import itertools
import json
import os
import platform
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

import corpus
import registries

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORES = len(os.sched_getaffinity(0))
BATCH = 100
TINY_VERSIONS = 4
LARGE = 400_000
MIB = 1 << 20
NUMBERS = itertools.count(1)
QUIET = "log: {type: stdout, format: json, level: warn}\n"


class Failure(Exception):
    """A step that did not end as it should; the message says which and why."""


class Place:
    """Where everything lies."""

    run = os.path.join(TOP, "bench-run")


def work(*parts):
    return os.path.join(Place.run, "work", *parts)


def fresh(name):
    """A new directory below work/. Nothing is removed before the end, since a removal may slow down what comes after it."""
    path = work(f"{next(NUMBERS)}-{name}")
    os.makedirs(path)
    return path


@contextlib.contextmanager
def alone():
    """Sees to it that one benchmark runs at a time, and that nothing but the storages is left of it."""
    os.makedirs(Place.run, exist_ok=True)
    with open(os.path.join(Place.run, "lock"), "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure("another benchmark runs") from None
        try:
            shutil.rmtree(work(), ignore_errors=True)
            os.makedirs(work())
            yield
        finally:
            shutil.rmtree(work(), ignore_errors=True)


# The storage that is measured


class Storage:
    """A Verdaccio proxy's storage below bench-run/, made once: it is there when storage.json beside it is."""

    def __init__(self, name, make):
        folder = os.path.join(Place.run, name)
        self.path = os.path.join(folder, "storage")
        complete = os.path.join(folder, "storage.json")
        if not os.path.exists(complete):
            say(f"making {folder}, once")
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(self.path)
            with open(os.path.join(self.path, ".verdaccio-db.json"), "w", encoding="utf-8") as file:
                json.dump({"list": [], "secret": "0" * 32}, file)
            counts = make(self.path)
            os.sync()
            with open(complete, "w", encoding="utf-8") as file:
                json.dump(counts, file)
        with open(complete, encoding="utf-8") as file:
            counts = json.load(file)
        self.packages, self.versions = counts["packages"], counts["versions"]
        self.tarball_bytes, self.packument_bytes = counts["tarballBytes"], counts["packumentBytes"]
        self.files = self.packages + self.versions
        self.bytes = self.tarball_bytes + self.packument_bytes

    def names(self):
        """The names of its packages."""
        for name in sorted(os.listdir(self.path)):
            if name.startswith("@"):
                yield from (f"{name}/{inner}" for inner in sorted(os.listdir(os.path.join(self.path, name))))
            elif not name.startswith("."):
                yield name

    def warm(self):
        """Reads every file, so that all are in the page cache."""
        for folder, _, files in os.walk(self.path):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    while file.read(MIB):
                        pass


def real_storage(packages, megabytes):
    """Real packages, until there are as many packages and as many bytes of tarballs as asked for."""

    def make(path):
        total = collections.Counter()
        everything = corpus.endless()
        with concurrent.futures.ProcessPoolExecutor() as pool:
            while total["packages"] < packages or total["tarballBytes"] < megabytes * 10**6:
                names, versions = zip(*itertools.islice(everything, BATCH))
                add(total, pool.map(corpus.write_package, itertools.repeat(path), names, versions, chunksize=4))
        return total

    return Storage(f"real-{packages}-{megabytes}", make)


def large_storage(megabytes):
    """The real packages of LARGE bytes and more, and copies of them, until there are as many bytes of tarballs as asked for."""

    def make(path):
        total = collections.Counter()
        real = {}
        for name, version, folder in corpus.packages():
            if sum(len(content) for _, content in corpus.files(folder)) >= LARGE:
                real.setdefault(name, []).append((version, folder))
        everything = corpus.endless(real)
        with concurrent.futures.ProcessPoolExecutor() as pool:
            while total["tarballBytes"] < megabytes * 10**6:
                names, versions = zip(*itertools.islice(everything, BATCH))
                add(total, pool.map(corpus.write_package, itertools.repeat(path), names, versions))
        return total

    return Storage(f"large-{megabytes}", make)


def tiny_storage(files):
    """Packages of a few tiny tarballs and a packument, with so many files together."""

    def make(path):
        total = collections.Counter()
        names = [f"tiny-{index:06}" for index in range(files // (TINY_VERSIONS + 1))]
        with concurrent.futures.ProcessPoolExecutor() as pool:
            add(total, pool.map(corpus.write_tiny_package, itertools.repeat(path), names, itertools.repeat(TINY_VERSIONS), chunksize=100))
        return total

    return Storage(f"tiny-{files}", make)


def upstream_storage(packages, closed):
    """What upstream has: packages that need nothing but one another, and copies of them until there are so many."""

    def make(path):
        total = collections.Counter()
        names, versions = zip(*itertools.islice(corpus.endless(closed), packages))
        with concurrent.futures.ProcessPoolExecutor() as pool:
            add(total, pool.map(corpus.write_released_package, itertools.repeat(path), names, versions, chunksize=16))
        return total

    return Storage(f"upstream-{packages}", make)


def add(total, written):
    for versions, tarball_bytes, packument_bytes in written:
        total.update(packages=1, versions=versions, tarballBytes=tarball_bytes, packumentBytes=packument_bytes)


# Programs, timed


Sample = collections.namedtuple("Sample", "seconds cpu peak")


class TreeWatch:
    """Looks again and again at how much memory a process and all it started take together; what they share counts once."""

    def __init__(self, pid):
        self.pid, self.peak, self.ended = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.ended.wait(0.1):
            self.peak = max(self.peak, sum(map(self.share, self.tree(self.pid))))

    def end(self):
        self.ended.set()
        self.thread.join()
        return self.peak

    def tree(self, pid):
        yield pid
        for path in glob.glob(f"/proc/{pid}/task/*/children"):
            with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
                for child in file.read().split():
                    yield from self.tree(child)

    def share(self, pid):
        """What a process takes; of a page that several use, its part. 0 where it is gone."""
        with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
        return 0


class Runner:
    """Runs commands one at a time, each from the same start: nothing left to write back, and the page cache warm or cold."""

    def __init__(self, programs, cold):
        self.programs, self.cold = programs, cold

    def run(self, command, watch=False):
        """Runs a command to its end; returns its Sample and its standard output. A failure shows all it said.

        The peak is that of its largest process; watched, that of all together, as far as it was seen.
        """
        os.sync()
        if self.cold:
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
                file.write("3")
        with open(work("stdout"), "w+", encoding="utf-8") as out, open(work("stderr"), "w+", encoding="utf-8") as err:
            started = time.monotonic()
            process = subprocess.Popen(command, stdout=out, stderr=err)
            tree = TreeWatch(process.pid) if watch else None
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.terminate()
                process.wait()
                raise
            seconds = time.monotonic() - started
            peak = max(usage.ru_maxrss * 1024, tree.end() if tree else 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            said = out.read()
            if process.returncode != 0:
                raise Failure(f"{' '.join(command)}\nended with {process.returncode}:\n{said}{err.read()}")
        return Sample(seconds, usage.ru_utime + usage.ru_stime, peak), said

    def online(self, state, *arguments):
        return [os.path.join(self.programs, "ferry-online"), *arguments, "--state", state]

    def offline(self, state, *arguments):
        return [os.path.join(self.programs, "ferry-offline"), *arguments, "--state", state]

    def json(self, command, watch=False):
        """Runs one of our programs and returns the last JSON it prints with its Sample."""
        sample, said = self.run([*command, "--json"], watch)
        return sample, json.loads(said.splitlines()[-1])


class Connected:
    """A connected side below bench-run/work: a state with a key, over a storage."""

    def __init__(self, runner, name, storage):
        self.runner, self.storage, self.state = runner, storage, fresh(name)
        runner.run(runner.online(self.state, "keys", "generate"))
        said = runner.run(runner.online(self.state, "keys", "show"))[1]
        self.origin, key = (line.split()[1] for line in said.splitlines()[:2])
        self.key = os.path.join(self.state, "keys", f"{key}.pub")

    def snapshot_command(self):
        return self.runner.online(self.state, "snapshot", "--storage", self.storage)

    def check_command(self):
        return self.runner.online(self.state, "check", "--storage", self.storage)

    def bundle_command(self, baseline="empty"):
        return self.runner.online(self.state, "bundle", "--storage", self.storage, "--baseline", baseline)

    def clear_bundles(self):
        shutil.rmtree(os.path.join(self.state, "artifacts"), ignore_errors=True)


class Isolated:
    """An isolated side below bench-run/work: an empty storage, and a state that trusts a connected side."""

    def __init__(self, runner, name, connected):
        self.runner, self.folder = runner, fresh(name)
        self.state, self.storage = os.path.join(self.folder, "state"), os.path.join(self.folder, "storage")
        os.makedirs(self.storage)
        runner.run(runner.offline(self.state, "init"))
        runner.run(runner.offline(self.state, "trust", "add", connected.key, "--origin", connected.origin))

    def command(self, verb, archive):
        return self.runner.offline(self.state, verb, archive, "--storage", self.storage)


class Proxy:
    """A registry below bench-run/work that knows packages of an upstream and keeps their tarballs or none, and a state to refresh it."""

    def __init__(self, runner, name, upstream, packages, kept, maxage):
        self.runner = runner
        folder = fresh(name)
        self.state, storage = os.path.join(folder, "state"), os.path.join(folder, "storage")
        for package in packages:
            corpus.write_known_package(storage, package, upstream.storage, upstream.url, kept)
        self.registry = registries.Registry(self.program(runner), folder, upstream.url, QUIET, maxage)

    @staticmethod
    def program(runner):
        return os.environ.get("FERRY_VERDACCIO") or os.path.join(runner.programs, "loopback-registry")

    def refresh(self, *options, url=None):
        """Refreshes everything; returns the Sample and the report."""
        command = self.runner.online(
            self.state, "refresh", "full", "--verdaccio-config", self.registry.config, "--registry", url or self.registry.url, *options)
        return self.runner.json(command, watch=True)

    def contents(self):
        """The packages it knows in the end, and {path: bytes} of the tarballs it keeps."""
        packages, tarballs = 0, {}
        for folder, _, files in os.walk(self.registry.storage):
            packages += "package.json" in files
            paths = (os.path.join(folder, name) for name in files if name.endswith(".tgz"))
            tarballs.update((os.path.relpath(path, self.registry.storage), os.path.getsize(path)) for path in paths)
        return packages, tarballs


# The measurements


class Entrant:
    """One way of doing a piece of work, and how long it took each time. The first of a measurement is ours."""

    def __init__(self, name, command=None, prepare=lambda: None):
        self.name, self.command, self.prepare = name, command, prepare
        self.samples = []
        self.size = None
        self.counts = {}

    def median(self):
        return statistics.median(sample.seconds for sample in self.samples)

    def peak(self):
        return max(sample.peak for sample in self.samples)


class Measurement:
    """A piece of work, those who do it, and the goal: the least ratio peer/ours and the least MB/s of ours, or the most memory."""

    def __init__(self, name, title, amount, unit, goal, entrants, ratio=None, rate=None, peak=None):
        self.name, self.title, self.amount, self.unit, self.goal, self.entrants = name, title, amount, unit, goal, entrants
        self.least_ratio, self.least_rate, self.most_peak = ratio, rate, peak

    def race(self, runner, rounds):
        for turn in range(rounds):
            for entrant in self.entrants if turn % 2 == 0 else reversed(self.entrants):
                entrant.prepare()
                entrant.samples.append(runner.run(entrant.command())[0])
        return self

    def rate(self, entrant):
        amount = entrant.counts.get("packages", self.amount)
        return amount / entrant.median() if amount else None

    def ratio(self, entrant):
        """How often ours is done while a peer does it once."""
        return entrant.median() / self.entrants[0].median() if self.least_ratio and entrant is not self.entrants[0] else None

    def met(self, entrant):
        """Whether the goal is met, in an entrant's row; None where the row says nothing about it."""
        if self.most_peak:
            return entrant.peak() < self.most_peak
        ratio = self.ratio(entrant)
        if ratio is None or not self.goal:
            return None
        return ratio > self.least_ratio and (not self.least_rate or self.rate(self.entrants[0]) >= self.least_rate)


class Bench:
    """All measurements over one storage, and those of the refresh over an upstream's."""

    def __init__(self, runner, rounds, storage, options):
        self.runner, self.rounds, self.storage = runner, rounds, storage
        self.megabytes, self.roots, self.warm = options.megabytes, options.roots, options.warm
        self.connected = None
        self.archive = None

    def snapshotted(self):
        """A connected side that has its first snapshot."""
        if not self.connected:
            self.connected = Connected(self.runner, "connected", self.storage.path)
            self.check_snapshot(self.runner.json(self.connected.snapshot_command())[1])
        return self.connected

    def check_snapshot(self, report):
        if report["findings"] or report["files"] != self.storage.files or not report["settled"]:
            raise Failure(f"the snapshot should hold {self.storage.files} files without findings: {report}")

    def bundled(self):
        """A full bundle, as the program tells of it."""
        if not self.archive:
            side = self.snapshotted()
            side.clear_bundles()
            self.archive = self.runner.json(side.bundle_command())[1]
            kept = os.path.join(fresh("bundle"), "full.tar.zst")
            os.rename(self.archive["path"], kept)
            self.archive["path"] = kept
        return self.archive

    def first(self):
        return self.first_of(self.storage, "first", "first snapshot")

    def large(self):
        storage = large_storage(self.megabytes * 4)
        storage.warm()
        return self.first_of(storage, "large", f"first snapshot, {storage.tarball_bytes / storage.versions / 1000:,.0f} kB each")

    def first_of(self, storage, name, title):
        def ours():
            self.first_side = Connected(self.runner, name, storage.path)

        # Enough processes to keep all cores busy to the end, and no more: each costs as much as dozens of small files.
        share = storage.files // (8 * CORES) + 1
        found = "find \"$0\" -type f \\( -name '*.tgz' -o -name package.json \\) -print0"
        peer = f"{found} | xargs -0 -P{CORES} -n {share} sha512sum > /dev/null"
        return Measurement(
            name, title, storage.bytes / 10**6, "MB/s", "> 1, toward 3",
            [Entrant("ours", lambda: self.first_side.snapshot_command(), ours),
             Entrant(f"find | xargs -P{CORES} sha512sum", lambda: ["sh", "-c", peer, storage.path])],
            ratio=1).race(self.runner, self.rounds)

    def unchanged(self):
        side = self.snapshotted()
        peer = "find \"$0\" -printf '%s %T@ %p\\n' > /dev/null"
        return Measurement(
            "unchanged", "unchanged snapshot", self.storage.files, "files/s", "> 0.67 (1.5 times its time)",
            [Entrant("ours", side.snapshot_command), Entrant("find -printf", lambda: ["sh", "-c", peer, self.storage.path])],
            ratio=1 / 1.5).race(self.runner, self.rounds)

    def check(self):
        """Each check of ours begins with a scan."""
        def ours():
            self.checked_side = Connected(self.runner, "checked", self.storage.path)

        peer = f"find \"$0\" -name '*.tgz' -print0 | xargs -0 -P{CORES} -n 1 tar -tzf > /dev/null"
        first = Measurement(
            "check", "check, nothing known", self.storage.tarball_bytes / 10**6, "MB/s", "≥ 10",
            [Entrant("ours", lambda: self.checked_side.check_command(), ours),
             Entrant(f"find | xargs -P{CORES} -n1 tar -tzf", lambda: ["sh", "-c", peer, self.storage.path])],
            ratio=10).race(self.runner, self.rounds)
        report = self.runner.json(self.checked_side.check_command())[1]
        if report["broken"] or report["skipped"] != self.storage.versions:
            raise Failure(f"all {self.storage.versions} tarballs should be proved: {report}")
        again = Measurement(
            "recheck", "check, nothing changed", self.storage.files, "files/s", "",
            [Entrant("ours", self.checked_side.check_command),
             Entrant("find", lambda: ["sh", "-c", "find \"$0\" -name '*.tgz' > /dev/null", self.storage.path])],
            ratio=1e-9).race(self.runner, self.rounds)
        return [first, again]

    def bundle(self):
        carried = self.bundled()
        side = self.snapshotted()
        folder, name = os.path.split(self.storage.path)
        archive = os.path.join(fresh("peer"), "full.tar.zst")
        peer = f'tar -c -C "$1" {name} | zstd -q -1 -T{CORES} > "$0" && sha512sum "$0" && sync "$0"'
        result = Measurement(
            "bundle", "full bundle", carried["counts"]["bytes"] / 10**6, "MB/s", "> 1, and 200 MB/s",
            [Entrant("ours, signed and synced", side.bundle_command, side.clear_bundles),
             Entrant(f"tar | zstd -1 -T{CORES}; sha512sum; sync", lambda: ["sh", "-c", peer, archive, folder])],
            ratio=1, rate=200).race(self.runner, self.rounds)
        result.entrants[0].size = carried["sizeBytes"]
        result.entrants[1].size = os.path.getsize(archive)
        side.clear_bundles()
        return result

    def full_import(self):
        carried = self.bundled()

        def ours():
            self.isolated = Isolated(self.runner, "isolated", self.connected)

        def peer(end):
            script = f'cd "$1" && tar --zstd -xf "$0" && sha512sum --quiet -c SHA512SUMS{end}'
            return lambda: ["sh", "-c", script, carried["path"], fresh("peer")]

        result = Measurement(
            "import", "import", carried["counts"]["bytes"] / 10**6, "MB/s", "> 1, durability included",
            [Entrant("ours, synced", lambda: self.isolated.command("import", carried["path"]), ours),
             Entrant("tar --zstd -x; sha512sum -c", peer("")),
             Entrant("tar --zstd -x; sha512sum -c; sync -f", peer(" && sync -f ."))],
            ratio=1).race(self.runner, self.rounds)
        self.check_import(self.isolated)
        again = Entrant("ours: nothing to do")
        for _ in range(self.rounds):
            sample, report = self.runner.json(self.isolated.command("import", carried["path"]))
            again.samples.append(sample)
            if report["result"] != "nothing-to-do":
                raise Failure(f"all of the bundle is here, and the import says {report}")
        return [result, Measurement("import-again", "import, once more", carried["counts"]["bytes"] / 10**6, "MB/s", "", [again])]

    def check_import(self, isolated):
        """Every file that the bundle carries must stand in the storage as it was carried."""
        command = ["sh", "-c", "tar --zstd -xOf \"$0\" SHA512SUMS | grep ' storage/' | sha512sum --quiet -c", self.archive["path"]]
        result = subprocess.run(command, cwd=isolated.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            raise Failure(f"the import left something else than it was given:\n{result.stdout}")

    def incremental(self):
        """Each round gives another hundredth of the packages a new version and carries them on from the round before."""
        changing = os.path.join(fresh("changing"), "storage")
        subprocess.run(["cp", "-a", self.storage.path, changing], check=True)
        connected = Connected(self.runner, "incremental", changing)
        snapshot = self.runner.json(connected.snapshot_command())[1]
        bundle = self.runner.json(connected.bundle_command())[1]
        isolated = Isolated(self.runner, "isolated", connected)
        self.runner.json(isolated.command("import", bundle["path"]))
        names = list(self.storage.names())
        steps = [Entrant("snapshot"), Entrant("bundle"), Entrant("import")]
        for turn in range(self.rounds):
            changed = names[turn::100] or names[:1]
            for name in changed:
                corpus.publish_next(changing, name)
            baseline = snapshot["snapshot"]
            sample, snapshot = self.runner.json(connected.snapshot_command())
            steps[0].samples.append(sample)
            sample, bundle = self.runner.json(connected.bundle_command(baseline))
            steps[1].samples.append(sample)
            steps[1].size = bundle["sizeBytes"]
            if bundle["counts"]["files"] != 2 * len(changed):
                raise Failure(f"{len(changed)} packages got a new version, and the bundle holds {bundle['counts']}")
            sample, report = self.runner.json(isolated.command("import", bundle["path"]))
            steps[2].samples.append(sample)
            if report["outcomes"].get("added") != len(changed):
                raise Failure(f"{len(changed)} packages got a new version, and the import says {report}")
        return Measurement("incremental", f"incremental, {len(changed)} packages", None, "", "", steps)

    def memory(self, files):
        """Peak memory only: one run of each, over another storage."""
        storage = tiny_storage(files)
        connected = Connected(self.runner, "connected", storage.path)
        names = ("first snapshot", "unchanged snapshot", "scan", "check", "bundle", "verify", "import", "import, once more")
        steps = [Entrant(name) for name in names]
        for step in steps[:2]:
            step.samples.append(self.runner.json(connected.snapshot_command())[0])
        steps[2].samples.append(self.runner.json(self.runner.online(connected.state, "scan", "--storage", storage.path))[0])
        steps[3].samples.append(self.runner.json(Connected(self.runner, "checked", storage.path).check_command())[0])
        sample, bundle = self.runner.json(connected.bundle_command())
        steps[4].samples.append(sample)
        steps[4].size = bundle["sizeBytes"]
        isolated = Isolated(self.runner, "isolated", connected)
        for step, verb in zip(steps[5:], ("verify", "import", "import")):
            step.samples.append(self.runner.json(isolated.command(verb, bundle["path"]))[0])
        return Measurement("memory", f"memory, {storage.files:,} files", None, "", "< 100 MiB", steps, peak=100 * MIB)

    def refresh(self):
        """From cold by Ferry and by npm; then by Ferry where nothing is new."""
        closed = corpus.closed_packages()
        storage = upstream_storage(max(self.warm, len(closed)), closed)
        if not self.runner.cold:
            storage.warm()
        folder = fresh("upstream")
        os.symlink(storage.path, os.path.join(folder, "storage"))
        upstream = registries.Registry(os.path.join(self.runner.programs, "loopback-registry"), folder, settings=QUIET)
        names = sorted(closed)
        if self.roots > len(names):
            raise Failure(f"only {len(names)} packages of this machine need nothing but one another")
        roots = [names[index * len(names) // self.roots] for index in range(self.roots)]
        yield self.refresh_cold(upstream, roots)
        yield self.refresh_warm(upstream, [name for name, _ in itertools.islice(corpus.endless(closed), self.warm)])
        upstream.stop()

    def refresh_cold(self, upstream, roots):
        ours = Entrant("ours, 16 requests at once")
        npm = Entrant("npm install of each, 2 at once")
        for turn in range(self.rounds):
            brought = self.refresh_once(ours, upstream, roots, "registry")
            if turn == 0:
                missing = self.refresh_once(npm, upstream, roots, "package-manager").keys() - brought.keys()
                if missing:
                    raise Failure(f"npm needs what the refresh did not bring: {', '.join(sorted(missing))}")
        return Measurement("refresh", f"refresh of {len(roots):,} packages", None, "packages/s", "≥ 20", [ours, npm], ratio=20)

    def refresh_once(self, entrant, upstream, roots, driver):
        """Refreshes a new proxy that keeps nothing; returns {path: bytes} of the tarballs it keeps then."""
        proxy = Proxy(self.runner, driver, upstream, roots, kept=False, maxage="2m")
        counting = registries.Counting(proxy.registry) if driver == "package-manager" else None
        sample, report = proxy.refresh("--driver", driver, url=counting.url if counting else None)
        # npm does not wait until the proxy has given the last tarballs their names.
        time.sleep(1)
        packages, tarballs = proxy.contents()
        proxy.registry.stop()
        entrant.samples.append(sample)
        entrant.size = sum(tarballs.values())
        asked = {"proxyRequests": counting.stop()} if counting else requests(report)
        entrant.counts = {"packages": packages, "tarballs": len(tarballs), **asked}
        return tarballs

    def refresh_warm(self, upstream, names):
        """Once nothing more is fetched, there is nothing new."""
        proxy = Proxy(self.runner, "warm", upstream, names, kept=True, maxage="0s")
        for _ in range(4):
            report = proxy.refresh()[1]
            if report["tarballs"]["fetched"] == 0:
                break
        entrant = Entrant("ours, 16 requests at once")
        for _ in range(self.rounds):
            sample, report = proxy.refresh()
            if report["tarballs"]["fetched"] or report["packages"]["refreshed"] != report["packages"]["visited"]:
                raise Failure(f"nothing is new, each packument is asked for, and the refresh says {report}")
            entrant.samples.append(sample)
        proxy.registry.stop()
        packages, tarballs = proxy.contents()
        entrant.size = sum(tarballs.values())
        entrant.counts = {"packages": packages, "tarballs": len(tarballs), **requests(report)}
        return Measurement("refresh-warm", "refresh, nothing new", None, "packages/s", "", [entrant])


def requests(report):
    """The requests that a refresh reports."""
    return {"proxyRequests": report["requests"]["verdaccio"], "upstreamRequests": report["requests"]["upstream"]}


MEASUREMENTS = {
    "first": Bench.first, "large": Bench.large, "unchanged": Bench.unchanged, "check": Bench.check, "bundle": Bench.bundle,
    "import": Bench.full_import, "incremental": Bench.incremental, "memory": Bench.memory,
    "refresh": Bench.refresh,
}


# What is printed


def say(text):
    print(text, file=sys.stderr, flush=True)


def first_line(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip().splitlines()[0]


def machine():
    """What the figures depend on besides our code."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    device, kind = subprocess.run(
        ["df", "--output=source,fstype", Place.run], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-2:]
    if kind == "ext4" and not glob.glob(f"/proc/fs/jbd2/{os.path.basename(os.path.realpath(device))}-*"):
        kind = "ext4 without a journal"
    return {
        "cores": CORES, "cpu": models[0] if models else platform.machine(), "kernel": platform.release(), "fileSystem": kind,
        "load": os.getloadavg()[0], "newFileMicroseconds": new_file_cost(),
    }


def new_file_cost():
    """What it takes to make a directory or an empty file, in µs."""
    folder = fresh("new-files")
    started = time.monotonic()
    for index in range(1000):
        os.mkdir(os.path.join(folder, str(index)))
        open(os.path.join(folder, str(index), "file"), "wb").close()
    return (time.monotonic() - started) / 2000 * 1e6


def versions(programs, refreshing):
    found = [first_line(*command) for command in (
        [os.path.join(programs, "ferry-online"), "--version"], ["find", "--version"], ["sha512sum", "--version"], ["tar", "--version"],
        ["zstd", "--version"])]
    if refreshing:
        found.append(f"npm {first_line('npm', '--version')}")
        proxy = os.environ.get("FERRY_VERDACCIO")
        found.append(f"Verdaccio {first_line(proxy, '--version')} as the proxy" if proxy else "loopback-registry as the proxy")
    return found


def size(count):
    return f"{count / MIB:.1f} MiB" if count < 100 * MIB else f"{count / MIB:.0f} MiB"


def duration(seconds):
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.2f}"


HEADINGS = ("", "", "median s", "min–max s", "CPU s", "", "size", "peak RSS", "peer/ours", "goal", "met")


def rows(measurement):
    """The table's rows of a measurement, one for each entrant."""
    made = []
    for index, entrant in enumerate(measurement.entrants):
        weighed = measurement.least_ratio is None or index == 0 or entrant.counts
        seconds = [sample.seconds for sample in entrant.samples]
        rate, ratio, met = measurement.rate(entrant), measurement.ratio(entrant), measurement.met(entrant)
        made.append((
            measurement.title if index == 0 else "", entrant.name, duration(entrant.median()),
            f"{duration(min(seconds))}–{duration(max(seconds))}",
            duration(statistics.median(sample.cpu for sample in entrant.samples)),
            f"{rate:,.0f} {measurement.unit}" if rate else "", size(entrant.size) if entrant.size else "",
            size(entrant.peak()) if weighed else "", f"{ratio:.2f}" if ratio else "",
            measurement.goal if met is not None else "", {True: "yes", False: "NO", None: ""}[met]))
    return made


COUNTS = ("", "", "packages", "tarballs", "requests to the proxy", "per package", "to upstream")


def count_rows(measurement):
    """What came of a refresh, one row for each entrant."""
    for index, entrant in enumerate(measurement.entrants):
        counts = entrant.counts
        if counts:
            upstream = counts.get("upstreamRequests")
            yield (
                measurement.title if index == 0 else "", entrant.name, f"{counts['packages']:,}", f"{counts['tarballs']:,}",
                f"{counts['proxyRequests']:,}", f"{counts['proxyRequests'] / counts['packages']:.2f}",
                f"{upstream:,}" if upstream is not None else "")


def aligned(lines, words):
    """Lines of cells, in columns; those of words begin at the left."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" if column in words else f"{cell:>{width}}"
                  for column, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in lines)


def table(measurements):
    made = aligned([HEADINGS, *(row for measurement in measurements for row in rows(measurement))], (0, 1, 9))
    counted = [row for measurement in measurements for row in count_rows(measurement)]
    return made + ("\n\n" + aligned([COUNTS, *counted], (0, 1)) if counted else "")


def figures(measurement):
    """A measurement for machines."""
    return {
        "name": measurement.name, "title": measurement.title, "goal": measurement.goal,
        "entrants": [{
            "name": entrant.name, "seconds": [sample.seconds for sample in entrant.samples],
            "cpuSeconds": [sample.cpu for sample in entrant.samples], "peakBytes": [sample.peak for sample in entrant.samples],
            "rate": measurement.rate(entrant), "rateUnit": measurement.unit, "sizeBytes": entrant.size, "counts": entrant.counts,
            "peerToOurs": measurement.ratio(entrant), "met": measurement.met(entrant),
        } for entrant in measurement.entrants],
    }


def header(storage, about, tools, cold, rounds):
    cache = "dropped before each run" if cold else "warm: every file was read first"
    held = f"""
storage       {storage.packages:,} packages, {storage.versions:,} versions, {storage.files:,} files; tarballs \
{storage.tarball_bytes / 10**6:,.0f} MB, package.json {storage.packument_bytes / 10**6:,.0f} MB""" if storage else ""
    return f"""
machine       {about['cores']} cores, {about['cpu']}, Linux {about['kernel']}, load {about['load']:.1f} at the start
file system   {about['fileSystem']}; {about['newFileMicroseconds']:.0f} µs for a new file; page cache {cache}{held}
programs      {'; '.join(tools)}
rounds        {rounds}
"""


NOTES = """
peer/ours above 1: ours is faster. MB/s: of the storage for the first snapshot, else of what the bundle carries; MB are 10^6 bytes.
CPU s: user and system, all processes of a side. Peak RSS cannot read lower than this script's own {floor}, where it starts from.
Of a refresh: packages/s, of those the proxy knows in the end; size, of the tarballs it keeps; peak RSS, of all processes together but
the proxy, looked at ten times a second."""


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=int, default=2500, metavar="N", help="at least so many packages (default: %(default)s)")
    parser.add_argument(
        "--megabytes", type=int, default=250, metavar="M", help="at least so many megabytes of tarballs (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each is run (default: %(default)s)")
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", metavar="NAME", help="run this one; may be given more than once")
    parser.add_argument("--memory", action="store_true", help="also measure memory over very many files")
    parser.add_argument(
        "--empty-files", type=int, default=100000, metavar="N", help="how many files for --memory (default: %(default)s)")
    parser.add_argument(
        "--roots", type=int, default=300, metavar="N", help="how many packages npm installs for the refresh (default: %(default)s)")
    parser.add_argument(
        "--warm", type=int, default=5000, metavar="N", help="how many packages to refresh where nothing is new (default: %(default)s)")
    parser.add_argument("--cold", action="store_true", help="drop the page cache before each run; needs root")
    parser.add_argument(
        "--programs", default=os.path.join(TOP, ".build/release"), metavar="DIR",
        help="where ferry-online, ferry-offline and loopback-registry lie (default: .build/release)")
    parser.add_argument("--folder", default=Place.run, metavar="DIR", help="where everything lies (default: bench-run)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON; what people read goes to standard error")
    options = parser.parse_args()
    if min(options.packages, options.megabytes, options.rounds, options.roots, options.warm) < 1 or options.empty_files <= TINY_VERSIONS:
        parser.error("a count is too small")
    for program in needed(options.only or MEASUREMENTS):
        if not os.access(os.path.join(options.programs, program), os.X_OK):
            parser.error(f"there is no {program} in {options.programs}")
    if options.cold and os.geteuid() != 0:
        parser.error("--cold needs root")
    return options


def needed(names):
    """The programs that measurements run."""
    return ["ferry-online", *(["ferry-offline"] if {*names} - {"refresh"} else []), *(["loopback-registry"] if "refresh" in names else [])]


def main(options):
    names = options.only or [name for name in MEASUREMENTS if name != "memory" or options.memory]
    about, tools = machine(), versions(options.programs, "refresh" in names)
    storage = real_storage(options.packages, options.megabytes) if {*names} - {"refresh", "large"} else None
    if storage and not options.cold:
        storage.warm()
    print(header(storage, about, tools, options.cold, options.rounds), file=sys.stderr if options.json else sys.stdout, flush=True)
    bench = Bench(Runner(options.programs, options.cold), options.rounds, storage, options)
    done = []
    for name in MEASUREMENTS:
        if name not in names:
            continue
        say(f"==> {name}")
        extra = [options.empty_files] if name == "memory" else []
        measured = MEASUREMENTS[name](bench, *extra)
        done.extend([measured] if isinstance(measured, Measurement) else measured)
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if options.json:
        print(json.dumps({
            "machine": about, "programs": tools, "cold": options.cold, "rounds": options.rounds, "peakFloorBytes": floor,
            "storage": storage and {
                "packages": storage.packages, "versions": storage.versions, "files": storage.files,
                "tarballBytes": storage.tarball_bytes, "packumentBytes": storage.packument_bytes},
            "measurements": [figures(measurement) for measurement in done]}, indent=2))
    else:
        print("\n" + table(done) + "\n" + NOTES.format(floor=size(floor)), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        given = arguments()
        Place.run = os.path.abspath(given.folder)
        with alone():
            try:
                main(given)
            finally:
                registries.stop_all()
    except (Failure, corpus.Missing, registries.NotStarted) as failure:
        say(f"\nbench: error: {failure}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
