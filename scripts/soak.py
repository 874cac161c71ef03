#!/usr/bin/env python3
"""How the server of the connected side holds out.

  load   a catalog of very many packages: the time of each page under wrk, 500 listeners of /events while a job runs, and
         mixed requests for minutes on end, with the memory that it all takes
  kill   jobs of every kind, killed at random moments, and the server with them: what is recorded afterwards, and whether
         the work is done in the end

Everything lies below bench-run/; storages are made once for each size."""

import argparse
import concurrent.futures
import itertools
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import corpus
import registries

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PARTS = "react vue babel webpack eslint types node util core plugin loader parser stream http fs path cli dev test color array".split()


class Failure(Exception):
    """Something is not as it has to be."""


def name_of(index):
    """A name as people give them, one of very many."""
    words = [PARTS[index % len(PARTS)], PARTS[index // 7 % len(PARTS)]]
    scope = f"@{PARTS[index // 3 % len(PARTS)]}/" if index % 5 == 0 else ""
    return f"{scope}{'-'.join(words)}-{index}"


def write_known(storage, index, versions, kept):
    """A package of many versions, a few of them with a tiny tarball."""
    name = name_of(index)
    packument, tarballs = corpus.new_packument(name, ""), {}
    for minor in range(versions):
        version = f"1.{minor}.0"
        manifest = {"name": name, "version": version, "description": f"the {PARTS[index % len(PARTS)]} of {index}"}
        data = f"{name} {version}".encode()
        corpus.add_release(packument, manifest, version, data, kept=minor >= versions - kept)
        if minor >= versions - kept:
            tarballs[corpus.file_name(name, version)] = data
    corpus.write_files(os.path.join(storage, name), tarballs, packument)


class World:
    """A state, the storage it is about, and the server over both."""

    def __init__(self, options, folder, storage, registry="http://127.0.0.1:9", settings="", config=None):
        self.programs, self.folder, self.storage = options.programs, folder, storage
        self.state, self.process, self.config = os.path.join(folder, "state"), None, config
        os.makedirs(self.state, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(os.path.join(self.state, "ferry.yaml"), "w", encoding="utf-8") as file:
            storage_line = f"storage: {storage}\n" if config is None else ""
            verdaccio = f"verdaccio: {{registry: '{registry}'" + (f", config: {config}" if config else "") + "}\n"
            never = ", ".join(f"{name}: {{when: never}}" for name in ("delta-refresh", "full-refresh", "scan", "broken-scan", "retention"))
            file.write(
                f"{storage_line}{verdaccio}serve: {{listen: '127.0.0.1:{self.port}', grace: 5 seconds}}\nschedules: {{{never}}}\n"
                f"chains: {{after-full-refresh: {{after: never}}}}\nmedia: {{roots: ['{folder}/media']}}\n{settings}")

    def run(self, *arguments):
        command = [os.path.join(self.programs, "ferry-online"), *arguments, "--state", self.state]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def start(self):
        with open(os.path.join(self.folder, "serve.log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.programs, "ferry-online"), "serve", "--state", self.state], stdout=log, stderr=log)
        for _ in range(600):
            try:
                self.get("/schedules")
                return
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise Failure(f"the server does not start; see {self.folder}/serve.log")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    def ask(self, path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def get(self, path):
        return self.ask(path)

    def memory(self):
        """MiB that the server holds now, and at most."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
        return [int(lines[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM")]

    def ended(self, job, patience=600):
        """Waits for a job's end."""
        for _ in range(patience * 10):
            record = self.get(f"/jobs/{job}")
            if record["state"] not in ("queued", "running"):
                return record
            time.sleep(0.1)
        raise Failure(f"job {job} does not end: {record}")


# Load


def load(options):
    base = os.path.join(ROOT, "bench-run")
    storage = os.path.join(base, f"soak-{options.packages}x{options.versions}")
    if not os.path.exists(storage):
        say(f"making {options.packages} packages of {options.versions} versions")
        shutil.rmtree(storage + ".draft", ignore_errors=True)
        with concurrent.futures.ProcessPoolExecutor() as pool:
            counts = (itertools.repeat(count) for count in (options.versions, 2))
            list(pool.map(write_known, itertools.repeat(storage + ".draft"), range(options.packages), *counts, chunksize=100))
        os.rename(storage + ".draft", storage)
    folder = tempfile.mkdtemp(prefix="soak-", dir=base)
    world = World(options, folder, storage)
    try:
        began = time.monotonic()
        scanned = world.run("scan")
        if scanned.returncode:
            raise Failure(scanned.stderr)
        say(f"scanned in {time.monotonic() - began:.0f} s")
        world.run("check")
        for _ in range(3):
            world.run("snapshot")
        world.start()
        pages(world, options)
        listeners(world, options)
        soak(world, options)
    finally:
        world.stop()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def addresses(options, count=400):
    """What people ask for, by the kind of page."""
    dice = random.Random(20261128)
    sorts = ["name", "-name", "latest", "-source", "-known", "-cached", "-bytes", "-broken", "-published", "-changed", "first-seen"]
    name = lambda: name_of(dice.randrange(options.packages)).replace("/", "%2F")
    typed = lambda: (lambda word: word[:dice.randint(1, len(word))])(name_of(dice.randrange(options.packages)).split("/")[-1])
    pick = lambda make: [make() for _ in range(count)]
    return {
        "list": pick(lambda: f"/packages?limit=50&offset={dice.randrange(0, options.packages, 50)}&sort={dice.choice(sorts)}"),
        "first page": pick(lambda: f"/packages?limit=50&sort={dice.choice(sorts)}"),
        "search": pick(lambda: f"/packages?limit=50&search={typed()}"),
        "search two words": pick(lambda: f"/packages?limit=50&search={typed()}+{dice.choice(PARTS)[:3]}"),
        "detail": pick(lambda: f"/packages/{name()}"),
        "jobs": pick(lambda: f"/jobs?limit=50&offset={dice.randrange(0, 50)}"),
        "snapshots": ["/snapshots"], "artifacts": ["/artifacts"], "broken archives": ["/broken-archives?state=all"],
        "statistics": ["/statistics"], "health": ["/health"], "metrics": ["/metrics"],
    }


def wrk(world, paths, seconds, connections):
    """Asks for the paths in turn; returns (requests per second, p50, p99, slowest, in ms)."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as script:
        listed = ",".join(json.dumps(path) for path in paths)
        script.write(
            f"local paths = {{{listed}}}\nlocal at = math.random(#paths)\n"
            "request = function() at = at % #paths + 1; return wrk.format('GET', paths[at]) end\n"
            "done = function(summary, latency) local e = summary.errors\n"
            "io.write(string.format('figures %d %d %d %d %d %d\\n', summary.requests, latency:percentile(50), latency:percentile(99),\n"
            "latency.max, e.status, e.connect + e.read + e.write + e.timeout)) end\n")
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, f"http://127.0.0.1:{world.port}"],
        capture_output=True, text=True, check=True).stdout
    os.unlink(script.name)
    requests, p50, p99, slowest, refused, failed = map(int, said.rpartition("figures ")[2].split())
    if refused or failed:
        raise Failure(f"{refused} answers are no success and {failed} requests failed, such as {paths[0]}")
    return requests / seconds, p50 / 1000, p99 / 1000, slowest / 1000


def pages(world, options):
    print(f"{'page':<18}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}")
    for page, paths in addresses(options).items():
        rate, p50, p99, slowest = wrk(world, paths, options.seconds, options.connections)
        print(f"{page:<18}{rate:>12.0f}{p50:>10.2f}{p99:>10.2f}{slowest:>10.1f}", flush=True)
    print("memory %.0f MiB, at most %.0f MiB" % tuple(world.memory()))


def listeners(world, options):
    """A scan with nobody who listens, and one with very many; every listener must hear its end."""

    def scan():
        job = world.ask("/jobs/metadata-scan", "POST")["id"]
        return job, world.ended(job)["seconds"]

    quiet = min(scan()[1] for _ in range(2))
    sockets = []
    for _ in range(options.listeners):
        listener = socket.create_connection(("127.0.0.1", world.port))
        listener.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\n\r\n".encode())
        sockets.append(listener)
    heard = {listener: b"" for listener in sockets}
    ends = set()

    def hear(patience):
        ready = select.select(sockets, [], [], patience)[0]
        for listener in ready:
            heard[listener] = heard[listener][-4000:] + listener.recv(65536)
            if wanted and wanted in heard[listener]:
                ends.add(listener)
        return ready

    wanted = b""
    began = time.monotonic()
    while not all(heard.values()):
        hear(1)
        if time.monotonic() > began + 60:
            raise Failure(f"only {sum(map(bool, heard.values()))} of {len(sockets)} listeners are let in")
    job = world.ask("/jobs/metadata-scan", "POST")["id"]
    wanted = f'"id":{job},"kind"'.encode()
    deadline = time.monotonic() + 120
    loud = None
    while time.monotonic() < deadline and (len(ends) < len(sockets) or loud is None):
        hear(0.2)
        if loud is None:
            record = world.get(f"/jobs/{job}")
            loud = record["seconds"] if record["state"] == "succeeded" else None
    for listener in sockets:
        listener.close()
    if len(ends) < len(sockets):
        raise Failure(f"{len(sockets) - len(ends)} of {len(sockets)} listeners did not hear of job {job}")
    print(f"a scan takes {quiet:.2f} s, and {loud:.2f} s while {len(sockets)} listen; all of them heard of it")
    print("memory %.0f MiB, at most %.0f MiB" % tuple(world.memory()), flush=True)


def soak(world, options):
    """Mixed requests for minutes, while jobs run one after the other."""
    mixed = [path for paths in addresses(options, 100).values() for path in paths]
    random.Random(1).shuffle(mixed)
    ends = time.monotonic() + options.minutes * 60
    samples = []
    while time.monotonic() < ends:
        try:
            world.ask("/jobs/metadata-scan", "POST")
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
        rate, p50, p99, slowest = wrk(world, mixed, 15, options.connections)
        samples.append((world.memory()[0], rate, p99))
        print(f"soak: {rate:.0f} requests/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms, slowest {slowest:.0f} ms, {samples[-1][0]:.0f} MiB", flush=True)
    if samples:
        third = max(1, len(samples) // 3)
        early, late = (sum(sample[0] for sample in part) / len(part) for part in (samples[:third], samples[-third:]))
        print(f"memory over {options.minutes:g} minutes: {early:.0f} MiB at first, {late:.0f} MiB at last")


# Kill


def kill(options):
    base = os.path.join(ROOT, "bench-run")
    os.makedirs(base, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="kill-", dir=base)
    stand_in = os.path.join(options.programs, "loopback-registry")
    dice = random.Random(options.seed)
    say(f"seed {options.seed}")
    world = None
    try:
        upstream = registries.Registry(stand_in, os.path.join(folder, "upstream"))
        proxy = registries.Registry(stand_in, os.path.join(folder, "proxy"), uplink=upstream.url)
        for index in range(options.kill_packages):
            name = f"thing-{index}"
            corpus.write_tiny_package(upstream.storage, name, 4)
            proxy.get(f"/{name}")
        world = World(
            options, folder, proxy.storage, proxy.url, "jobs: {resumptions: 50}\n", proxy.config)
        world.run("keys", "generate")
        world.start()
        for path in ("/jobs/full-refresh", "/jobs/metadata-scan", "/jobs/snapshot", "/jobs/diff-build?baseline=empty"):
            if world.ended(world.ask(path, "POST")["id"])["state"] != "succeeded":
                raise Failure(f"{path} does not succeed: {world.get('/jobs?limit=1')['items'][0]['reason']}")
        stick = os.path.join(folder, "media/stick")
        os.makedirs(stick)
        exports = []
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "stick", stick], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            medium, bundle = world.get("/media")["items"][0]["id"], world.get("/artifacts")["items"][0]["bundle"]
            exports = [f"/media/{medium}/export?artifact={bundle}&initialise=true"]
        else:
            say("nothing can be mounted here: exports are left out")
        kinds = exports + [
            "/jobs/full-refresh", "/jobs/delta-refresh", "/jobs/metadata-scan", "/jobs/broken-rescan?everything=true", "/jobs/broken-repair",
            "/jobs/snapshot", "/jobs/diff-build?baseline=empty&target=new", "/jobs/retention",
        ]
        for number in range(options.rounds):
            path, victim = kinds[number % len(kinds)], dice.choice(["job", "server"])
            if "repair" in path or "rescan" in path:
                spoil(proxy.storage, dice)
            killed(world, path, victim, dice)
            proven(world)
            if path in exports:
                shutil.rmtree(os.path.join(stick, "ferry"))
        states = {}
        offset = 0
        while True:
            page = world.get(f"/jobs?limit=500&offset={offset}")
            for record in page["items"]:
                key = (record["kind"], record["state"])
                states[key] = states.get(key, 0) + 1
            offset += len(page["items"])
            if not page["items"]:
                break
        for (kind, state), count in sorted(states.items()):
            print(f"{kind:<20}{state:<14}{count:>5}")
        print(f"{options.rounds} kills, every record right after each, and the work done in the end")
    finally:
        if world:
            world.stop()
        registries.stop_all()
        subprocess.run(["umount", "-l", os.path.join(folder, "media/stick")], stderr=subprocess.DEVNULL, check=False)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def spoil(storage, dice):
    """Damages a tarball, so that there is something to find and to repair."""
    name = dice.choice(sorted(os.listdir(storage)))
    directory = os.path.join(storage, name)
    files = [file for file in os.listdir(directory) if file.endswith(".tgz")] if os.path.isdir(directory) else []
    if files:
        with open(os.path.join(directory, dice.choice(sorted(files))), "r+b") as stream:
            stream.truncate(20)


def workers(job):
    """The processes that do a job."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if f"FERRY_JOB={job}".encode() in file.read().split(b"\0"):
                        found.append(int(entry))
            except OSError:
                pass
    return found


def killed(world, path, victim, dice):
    """Starts a job, kills it or the server at a random moment, and waits until the work has been done after all."""
    job = world.ask(path, "POST")["id"]
    record = {}
    for _ in range(2000):
        record = world.get(f"/jobs/{job}")
        if record["state"] != "queued":
            break
        time.sleep(0.005)
    time.sleep(dice.random() * dice.choice([0.01, 0.1, 0.5]))
    if victim == "server":
        world.process.send_signal(signal.SIGKILL)
        world.process.wait()
        # The job's process hears of it by itself.
        for _ in range(600):
            if not workers(job):
                break
            time.sleep(0.05)
        else:
            raise Failure(f"job {job} goes on without its server")
        world.start()
    else:
        for process in workers(job):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
    first = world.ended(job)
    if first["state"] not in ("succeeded", "interrupted"):
        raise Failure(f"job {job} ({path}), killed with its {victim}: {first}")
    if first["state"] == "interrupted" and first["kind"] == "export":
        # A person sees to the medium, and asks again.
        last = world.ended(world.ask(path, "POST")["id"])
        if last["state"] != "succeeded":
            raise Failure(f"an export after job {job} is {last['state']}: {last['reason']}")
    elif first["state"] == "interrupted":
        # It is begun again, until it is done.
        for _ in range(100):
            later = [item for item in world.get(f"/jobs?kind={first['kind']}&limit=50")["items"] if item["askedBy"] == f"resumption:{job}"]
            if later:
                break
            time.sleep(0.1)
        else:
            raise Failure(f"job {job} ({path}) was interrupted and is not begun again")
        last = world.ended(later[0]["id"])
        if last["state"] != "succeeded":
            raise Failure(f"job {job} ({path}) was begun again as {last['id']} and is {last['state']}: {last['reason']}")


def proven(world):
    """No record says that something runs which does not."""
    for record in world.get("/jobs?state=running")["items"]:
        if not workers(record["id"]):
            raise Failure(f"job {record['id']} is said to run, and no process does it")


def say(text):
    print(f"soak: {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["load", "kill"])
    parser.add_argument("--packages", type=int, default=100_000, metavar="N", help="packages of the catalog (default: %(default)s)")
    parser.add_argument("--versions", type=int, default=10, metavar="N", help="versions of each (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=10, metavar="N", help="how long each page is asked for (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=4, metavar="N", help="of wrk (default: %(default)s)")
    parser.add_argument("--listeners", type=int, default=500, metavar="N", help="of /events (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="of mixed requests (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=80, metavar="N", help="kills (default: %(default)s)")
    parser.add_argument("--kill-packages", type=int, default=400, metavar="N", help="packages of the killed jobs (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), metavar="N", help="of the moments")
    parser.add_argument("--keep", action="store_true", help="leave state and logs")
    parser.add_argument("--programs", default=os.path.join(ROOT, ".build/release"), metavar="DIR", help="where the programs are")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        {"load": load, "kill": kill}[options.work](options)
    except (Failure, registries.NotStarted) as failure:
        say(f"error: {failure}")
        sys.exit(1)


main()
