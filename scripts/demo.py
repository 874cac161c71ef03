"""The whole way once, on real packages: an upstream registry, a connected proxy, a stick, an isolated registry, real npm.

Everything lies below demo-run/. A registry is Verdaccio where there is one (FERRY_VERDACCIO, or "verdaccio" on the PATH), else the
stand-in of this project. In the end the page of the connected side is left open, with the registries behind it: "scripts/demo --stop" ends
them, and so does the next run.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import corpus
import registries

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN = os.path.join(TOP, "demo-run")
BUILD = os.path.join(TOP, ".build/debug")
ROOTS = 3
TOOL = "ferry-demo-tool"
PLATFORMS = ["linux-x64", "win32-x64"]
CHANGED = 5


class Failure(Exception):
    """A step that did not end as it should; the message says which and why."""


def below(*parts):
    return os.path.join(RUN, *parts)


def say(text):
    print(text, flush=True)


# Programs


def run(command, cwd=None, env=None):
    """Runs a program to its end and returns its standard output; a failure shows all it said."""
    result = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)}\nended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result.stdout


def ferry(side, *arguments):
    """Runs one of our programs on its side's storage and state, shows the command, and returns its standard output."""
    options = ["--state", below(side, "state")]
    if arguments[0] in ("refresh", "snapshot", "bundle", "verify", "import"):
        options += ["--verdaccio-config", below(side, "config.yaml")]
    program = "ferry-online" if side == "connected" else "ferry-offline"
    shown = [argument.replace(TOP + "/", "") for argument in (*arguments, *options)]
    say(painted(f"  $ {program} {' '.join(shown)}", DIM))
    return run([os.path.join(BUILD, program), *arguments, *options])


def npm(registry, *arguments, cwd):
    """Runs npm against a registry with nothing of this user's: own cache, no settings."""
    settings = {
        "registry": registry, "userconfig": below("npmrc"), "globalconfig": below("npmrc-global"), "cache": os.path.join(cwd, ".npm"),
        "audit": "false", "fund": "false", "update_notifier": "false", "fetch_retries": "0", "loglevel": "error",
        f"{registry.removeprefix('http:')}/:_authToken": "demo",
    }
    clean = {key: value for key, value in os.environ.items() if not key.lower().startswith("npm_config_")}
    env = {**clean, **{f"npm_config_{key}": value for key, value in settings.items()}}
    return run(["npm", *arguments], cwd=cwd, env=env)


def takes_platforms(folder):
    """Whether this npm can be told to install for another platform; older ones cannot."""
    return "os" in json.loads(run(["npm", "config", "ls", "-l", "--json"], cwd=folder))


def serve(name, uplink=None):
    """Starts a registry over demo-run/<name>/storage."""
    program = os.environ.get("FERRY_VERDACCIO") or shutil.which("verdaccio") or os.path.join(BUILD, "loopback-registry")
    return registries.Registry(program, below(name), uplink)


def address(name):
    return "/" + urllib.parse.quote(name, safe="@")


# The stations of the way


def make_tarballs():
    """Packs what npm is made of; returns {(name, version): (tarball, folder)}."""
    found = {}
    os.makedirs(below("tarballs"), exist_ok=True)
    for name, version, folder in corpus.npm_modules():
        path = below("tarballs", name.replace("/", "+") + "-" + version + ".tgz")
        if not os.path.exists(path):
            with open(path + ".draft", "wb") as file:
                file.write(corpus.pack(folder))
            os.rename(path + ".draft", path)
        found[name, version] = (path, folder)
    if len(found) < 100:
        raise Failure(f"only {len(found)} npm packages lie on this machine; install npm with its modules")
    return found


def publish(registry, tarballs):
    """Publishes tarballs as npm does, oldest versions first, a few at a time."""
    waves = {}
    for name, version in sorted(tarballs, key=lambda key: corpus.version_key(key[1])):
        wave = sum(1 for other in waves.values() for key in other if key[0] == name)
        waves.setdefault(wave, []).append((name, version))

    def one(key):
        with open(tarballs[key], "rb") as file:
            data = file.read()
        registry.publish(json.loads(dict(corpus.unpacked(tarballs[key]))["package.json"]), data)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for wave in sorted(waves):
            list(pool.map(one, waves[wave]))


def make_tool():
    """A tool with a binary for each platform, as esbuild and rollup have; returns {(name, version): tarball}."""
    binaries = {f"@{TOOL}/{platform}": platform.split("-") for platform in PLATFORMS}
    manifests = {name: {"os": [system], "cpu": [cpu]} for name, (system, cpu) in binaries.items()}
    manifests[TOOL] = {"optionalDependencies": {name: "1.0.0" for name in binaries}}
    made = {}
    for name, manifest in manifests.items():
        path = made[name, "1.0.0"] = below("tarballs", name.replace("/", "+") + "-1.0.0.tgz")
        text = json.dumps({"name": name, "version": "1.0.0", **manifest})
        with open(path, "wb") as file:
            file.write(corpus.tarball([("package.json", text.encode())]))
    return made


def refresh(proxy):
    """Makes the proxy's cache current and complete, for two platforms; returns what the program tells."""
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    return json.loads(ferry("connected", "refresh", "full", "--registry", proxy.url, *platforms, "--json"))


def choose_roots(proxy, tarballs):
    """The packages with the most dependencies that npm can resolve from what was published."""
    candidates = {}
    for (name, version), (_, folder) in tarballs.items():
        candidates[name] = len(corpus.manifest_of(folder).get("dependencies", {}))

    def resolves(name):
        try:
            npm(proxy.url, "install", "--package-lock-only", cwd=project(f"probe-{name.replace('/', '+')}", [name]))
            return True
        except Failure:
            return False

    chosen, names = [], sorted(candidates, key=lambda name: (-candidates[name], name))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(names), ROOTS):
            some = names[first:first + ROOTS]
            chosen += [name for name, does in zip(some, pool.map(resolves, some)) if does]
            if len(chosen) >= ROOTS:
                return chosen[:ROOTS]
    raise Failure("npm can resolve none of the packages of this machine from one another")


def project(name, dependencies):
    """A fresh project that depends on packages, by name or by {name: range}."""
    folder = below("work", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    ranges = dependencies if isinstance(dependencies, dict) else {name: "*" for name in dependencies}
    with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as file:
        json.dump({"name": "demo", "version": "1.0.0", "private": True, "dependencies": ranges}, file)
    return folder


def installed(folder):
    """{path: version} of what npm installed, as the package.json at each path says."""
    with open(os.path.join(folder, "package-lock.json"), encoding="utf-8") as file:
        lock = json.load(file)["packages"]
    found = {}
    for path, entry in lock.items():
        manifest = os.path.join(folder, path, "package.json")
        if path and (os.path.exists(manifest) or not entry.get("optional")):
            found[path] = corpus.manifest_of(os.path.join(folder, path))["version"]
    return found


def carry(baseline):
    """Connected side: snapshot, bundle, export to the stick. Returns (snapshot, bundle) as the program tells of them."""
    snapshot = json.loads(ferry("connected", "snapshot", "--json"))
    bundle = json.loads(ferry("connected", "bundle", "--baseline", baseline, "--json"))
    ferry("connected", "export", bundle["bundle"], "--to", below("stick"))
    return snapshot, bundle


def receive():
    """Isolated side: what is on the stick, verified and imported. Returns what the program tells of the newest bundle."""
    ferry("isolated", "verify", below("stick"))
    return json.loads(ferry("isolated", "import", below("stick"), "--json").splitlines()[-1])


def archive(bundle):
    """The archive of a bundle on the stick, which is in one volume."""
    folder = below("stick", "ferry", "bundles", bundle["bundle"])
    return os.path.join(folder, f"{bundle['label']}.tar.zst")


def newer(tarballs, names):
    """Packs a next patch version of packages: {(name, version): tarball}."""
    made = {}
    for name in names:
        version = max((version for other, version in tarballs if other == name), key=corpus.version_key)
        release = version.split("-")[0].split(".")
        next_version = ".".join([*release[:2], str(int(release[2]) + 1)])
        path = below("tarballs", name.replace("/", "+") + "-" + next_version + ".tgz")
        with open(path, "wb") as file:
            file.write(corpus.pack(tarballs[name, version][1], version=next_version))
        made[name, next_version] = path
    return made


def painted(text, *codes):
    """The text in colours, where somebody looks."""
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


BOLD, DIM, GREEN, CYAN = "1", "2", "32", "36"


class Table:
    """What was done, with how much of it and how long it took."""

    def __init__(self):
        self.rows = []

    def step(self, title):
        say("\n" + painted(title, BOLD))
        self.started = time.monotonic()
        self.title = title

    def done(self, result):
        self.rows.append((self.title, result, time.monotonic() - self.started))
        say(f"  {painted('✓', GREEN)} {result} {painted(f'· {self.rows[-1][2]:.1f} s', DIM)}")

    def show(self):
        """A bar for each step, as long as it took, and what came of it."""
        longest = max(seconds for _, _, seconds in self.rows)
        for title, result, seconds in self.rows:
            bar = "▇" * max(1, round(12 * seconds / longest))
            say(f"  {seconds:5.1f} s {painted(f'{bar:<12}', CYAN)} {title}\n{' ' * 23}{painted(result, DIM)}")


# What is left open


SERVERS = below("servers.json")


def stop():
    """Ends what the run before left open; returns how many processes that were."""
    try:
        with open(SERVERS, encoding="utf-8") as file:
            kept = json.load(file)
    except FileNotFoundError:
        return 0
    ended = 0
    for process, program in kept:
        try:
            # The number may be another program's by now.
            if os.path.basename(os.readlink(f"/proc/{process}/exe")) == program:
                os.kill(process, signal.SIGTERM)
                ended += 1
        except (FileNotFoundError, ProcessLookupError):
            pass
    os.remove(SERVERS)
    return ended


def leave_open(*machines):
    """Opens the page over the registries, which go on when this has ended; returns its address."""
    log = below("connected", "serve.log")
    command = [os.path.join(BUILD, "ferry-online"), "serve", "--state", below("connected", "state"),
               "--verdaccio-config", below("connected", "config.yaml"), "--registry", machines[0].url]
    for listen in ("127.0.0.1:4880", "127.0.0.1:0"):
        with open(log, "wb") as said:
            server = subprocess.Popen([*command, "--listen", listen], stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        for _ in range(300):
            with open(log, encoding="utf-8") as said:
                found = re.search(r"http://127\.0\.0\.1:\d+", said.read())
            if found or server.poll() is not None:
                break
            time.sleep(0.1)
        if found and server.poll() is None:
            break
    else:
        raise Failure(f"the page does not open; see {log}")
    for machine in machines:
        registries.Registry.running.remove(machine)
    kept = [server.pid, *(machine.process.pid for machine in machines)]
    with open(SERVERS, "w", encoding="utf-8") as file:
        json.dump([(process, os.path.basename(os.readlink(f"/proc/{process}/exe"))) for process in kept], file)
    return found.group()


def have_done(page, *kinds):
    """Lets the server do jobs, so that there is something to be seen; returns the last one's state."""
    for kind in kinds:
        request = urllib.request.Request(f"{page}/jobs/{kind}", method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            job = json.load(answer)["id"]
        for _ in range(600):
            with urllib.request.urlopen(f"{page}/jobs/{job}", timeout=30) as answer:
                state = json.load(answer)["state"]
            if state not in ("queued", "running"):
                break
            time.sleep(0.1)
        if state != "succeeded":
            raise Failure(f"the job {kind} ended as {state}; see {page}/jobs/{job}")


def size(count):
    return f"{count / 1024:.0f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stop", action="store_true", help="end what the run before left open, and do nothing else")
    ended = stop()
    if parser.parse_args().stop:
        return say(f"demo: {ended} processes were ended" if ended else "demo: nothing was open")
    started = time.monotonic()
    kept = below("upstream-published")
    for name in ("upstream", "connected", "isolated", "by-hand", "stick", "work"):
        shutil.rmtree(below(name), ignore_errors=True)
    for name in ("stick", "work"):
        os.makedirs(below(name))
    table = Table()

    table.step("pack the packages npm is made of")
    tarballs = make_tarballs()
    tool = make_tool()
    table.done(f"{len({name for name, _ in tarballs})} packages, {len(tarballs)} versions, "
               f"{size(sum(os.path.getsize(path) for path, _ in tarballs.values()))}")

    table.step("publish them upstream")
    listing = "\n".join(sorted(f"{name}@{version}" for name, version in [*tarballs, *tool]))
    complete = os.path.join(kept, ".complete")
    if os.path.exists(complete) and open(complete, encoding="utf-8").read() == listing:
        shutil.copytree(os.path.join(kept, "storage"), below("upstream", "storage"))
        table.done("kept from the run before")
        upstream = serve("upstream")
    else:
        shutil.rmtree(kept, ignore_errors=True)
        upstream = serve("upstream")
        publish(upstream, {**{key: path for key, (path, _) in tarballs.items()}, **tool})
        shutil.copytree(below("upstream", "storage"), os.path.join(kept, "storage"))
        with open(complete, "w", encoding="utf-8") as file:
            file.write(listing)
        table.done(f"{len(tarballs) + len(tool)} versions published")

    table.step("choose what the people inside will install")
    proxy = serve("connected", uplink=upstream.url)
    roots = choose_roots(proxy, tarballs)
    lockfile = project("lockfile", roots)
    npm(proxy.url, "install", "--package-lock-only", cwd=lockfile)
    table.done(", ".join(roots))

    table.step("refresh the connected proxy, for two platforms")
    ferry("connected", "want", *roots, TOOL)
    fetched = refresh(proxy)
    table.done(f"{fetched['tarballs']['fetched']} tarballs of {fetched['packages']['visited']} packages, "
               f"{size(fetched['tarballs']['bytes'])}, through {os.path.basename(proxy.program)}")

    table.step("full bundle onto the stick")
    ferry("connected", "keys", "generate")
    origin, key = (line.split()[1] for line in ferry("connected", "keys", "show").splitlines()[:2])
    snapshot, full = carry("empty")
    table.done(f"{full['counts']['files']} files of {full['counts']['packages']} packages, {size(full['sizeBytes'])}, signed")

    proxy.stop()
    upstream.stop()

    table.step("import into the isolated storage, upstream stopped, its registry running")
    isolated = serve("isolated")
    ferry("isolated", "init")
    ferry("isolated", "trust", "add", below("connected", "state", "keys", f"{key}.pub"), "--origin", origin)
    report = receive()
    table.done(f"{report['result']}: {report['newPackages']} new packages, versions: {outcomes(report)}")

    table.step("npm install inside")
    inside = project("install", roots)
    npm(isolated.url, "install", cwd=inside)
    before = installed(inside)
    table.done(f"{len(before)} packages for {', '.join(roots)}")

    table.step("npm ci inside, with a lockfile made outside")
    ci = below("work", "ci")
    shutil.copytree(lockfile, ci, ignore=shutil.ignore_patterns(".npm"))
    npm(isolated.url, "ci", "--replace-registry-host=always", cwd=ci)
    table.done(f"{len(installed(ci))} packages, each with the integrity of the lockfile")

    table.step("npm install inside, on two platforms")
    for platform in PLATFORMS:
        folder = project(f"install-{platform}", [TOOL])
        system, cpu = platform.split("-")
        if takes_platforms(folder):
            npm(isolated.url, "install", f"--os={system}", f"--cpu={cpu}", cwd=folder)
        else:
            npm(isolated.url, "install", "--force", f"@{TOOL}/{platform}", cwd=folder)
        if f"node_modules/@{TOOL}/{platform}" not in installed(folder):
            raise Failure(f"the binary for {platform} did not come")
    table.done(f"{TOOL} with its binary for {' and for '.join(PLATFORMS)}")

    table.step("the same bundle with tar alone, into an empty storage")
    os.makedirs(below("by-hand"))
    run(["tar", "--zstd", "-xf", archive(full), "-C", below("by-hand"), "storage"])
    by_hand = serve("by-hand")
    unpacked = project("install-by-hand", roots)
    npm(by_hand.url, "install", cwd=unpacked)
    by_hand.stop()
    if installed(unpacked) != before:
        raise Failure("npm installs something else from the storage that tar unpacked")
    table.done(f"npm install: the same {len(before)} packages")

    table.step("publish newer versions upstream, refresh again")
    upstream = serve("upstream")
    fresh = newer(tarballs, changing(before, roots, tarballs))
    publish(upstream, fresh)
    proxy = serve("connected", uplink=upstream.url)
    came = {(entry["package"], version) for entry in refresh(proxy)["newVersions"] for version in entry["versions"]}
    if came != set(fresh):
        raise Failure(f"{sorted(fresh)} are new upstream, and {sorted(came)} came")
    for name, version in sorted(fresh):
        say(f"  + {name}@{version}")
    table.done(f"{len(fresh)} newer versions")

    table.step("incremental bundle onto the stick")
    _, delta = carry(snapshot["snapshot"])
    carried = sorted(line[2:] for line in ferry("connected", "diff", snapshot["snapshot"]).splitlines())
    expected = sorted(
        [f"{name}/{corpus.file_name(name, version)}" for name, version in fresh] + [f"{name}/package.json" for name, _ in fresh])
    if carried != expected or delta["counts"]["files"] != len(expected):
        raise Failure(f"the bundle holds {carried}, and only {expected} changed")
    table.done(f"{delta['counts']['files']} files of {delta['counts']['packages']} packages, {size(delta['sizeBytes'])}: "
               f"only what changed ({size(full['sizeBytes'])} in full)")
    proxy.stop()
    upstream.stop()

    table.step("import it, upstream stopped again")
    report = receive()
    table.done(f"{report['result']}: versions: {outcomes(report)}")

    table.step("npm install inside, again")
    again = project("install-again", {**{name: "*" for name in roots}, **{name: f">={version}" for name, version in fresh}})
    npm(isolated.url, "install", cwd=again)
    after = installed(again)
    for name, version in fresh:
        if after.get(f"node_modules/{name}") != version:
            raise Failure(f"{name} {version} was published, and {after.get(f'node_modules/{name}')} came in")
    table.done(f"{len(after)} packages, the {len(fresh)} newer versions among them")

    table.step("leave the page open, and let it do something")
    upstream = serve("upstream")
    proxy = serve("connected", uplink=upstream.url)
    page = leave_open(proxy, upstream, isolated)
    have_done(page, "metadata-scan", "broken-rescan")
    table.done(f"{page}: packages, versions, jobs, bundles")

    say(painted(f"\nFerry took {len(tarballs) + len(fresh)} versions across the gap in {time.monotonic() - started:.0f} s.\n", BOLD))
    table.show()
    say(f"""
  the stick                demo-run/stick/ferry
  isolated storage         demo-run/isolated/storage (demo-run/by-hand/storage from tar alone)
  connected storage        demo-run/connected/storage
  what npm installed       demo-run/work/install, demo-run/work/ci, demo-run/work/install-again

  Look at it:           {painted(page, BOLD, CYAN)}
  Install from inside:  npm install {' '.join(roots)} --registry {isolated.url} --cache .npm --no-audit
  Stop it:              {painted("scripts/demo --stop", BOLD)}
""")


def outcomes(report):
    return ", ".join(f"{count} {word}" for word, count in sorted(report["outcomes"].items())) or "none"


def changing(before, roots, tarballs):
    """Packages to publish anew: dependencies that stand at the top of what npm installed, roots left out."""
    known = {name for name, _ in tarballs}
    names = [path.removeprefix("node_modules/") for path in before if re.fullmatch(r"node_modules/(@[^/]+/)?[^/]+", path)]
    return [name for name in names if name in known and name not in roots][:CHANGED]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except (Failure, registries.NotStarted) as failure:
        say(f"\ndemo: error: {failure}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        registries.stop_all()
