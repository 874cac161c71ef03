"""Installs packages into a new system, uses them there, and purges them: what "./package --test" does."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

from package import TOP, Failure, architecture, need, run

ROOT = os.path.join(TOP, ".build/package-root")
SUITE = "bookworm"
STATE = "/var/lib/ferry-offline"
# What installing anything at all leaves: the package manager's own records.
RECORDS = ("/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/var/log", "/tmp", "/proc", "/sys", "/dev", "/run", "/root", "/etc/ld.so.cache")


def check_needs():
    if os.geteuid() != 0:
        raise Failure("a system can only be made, and installed into, by root", "sudo ./package --test")
    need("debootstrap", "debootstrap")


def say(text):
    print(f"package: {text}", file=sys.stderr, flush=True)


class System:
    """A small system of its own, below a folder."""

    def __init__(self):
        base = ROOT + ".base"
        if not os.path.exists(os.path.join(base, ".complete")):
            say("making a system to install into, which takes a minute the first time")
            shutil.rmtree(base, ignore_errors=True)
            run(["debootstrap", "--variant=minbase", SUITE, base, os.environ.get("FERRY_PACKAGE_MIRROR", "http://deb.debian.org/debian")])
            open(os.path.join(base, ".complete"), "w", encoding="utf-8").close()
        self.remove()
        run(["cp", "-a", "--reflink=auto", base, ROOT])
        os.remove(os.path.join(ROOT, ".complete"))
        run(["mount", "-t", "proc", "proc", os.path.join(ROOT, "proc")])
        # The machine's own way to the archive.
        for name in ("/etc/resolv.conf", "/etc/apt/apt.conf"):
            if os.path.exists(name):
                shutil.copy(name, ROOT + name)
        if os.path.isdir("/etc/apt/apt.conf.d"):
            for name in os.listdir("/etc/apt/apt.conf.d"):
                shutil.copy(os.path.join("/etc/apt/apt.conf.d", name), os.path.join(ROOT, "etc/apt/apt.conf.d", name))

    def remove(self):
        if os.path.ismount(os.path.join(ROOT, "proc")):
            run(["umount", os.path.join(ROOT, "proc")])
        shutil.rmtree(ROOT, ignore_errors=True)

    def start(self, *command, **options):
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
        clean.update({name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")})
        clean.update(options.pop("variables", {}))
        return subprocess.Popen(["chroot", ROOT, *command], env=clean, text=True, **options)

    def run(self, *command, expected=0, **options):
        """Runs a command to its end; another exit code than the expected one is a failure. Returns all it said."""
        process = self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
        said = process.communicate(timeout=600)[0]
        if process.returncode != expected:
            raise Failure(f"in the new system, {' '.join(command)} ended with {process.returncode}, not {expected}:\n{said[-3000:]}")
        return said

    def put(self, source, path):
        place = ROOT + path
        os.makedirs(os.path.dirname(place), exist_ok=True)
        (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, place)
        return path

    def files(self):
        found = set()
        for at, folders, names in os.walk(ROOT):
            inside = at.removeprefix(ROOT) or "/"
            if inside.startswith(RECORDS):
                folders.clear()
                continue
            found |= {os.path.join(inside, name) for name in [*folders, *names]}
        return {path for path in found if not path.startswith(RECORDS)}


def require(what, words):
    if not what:
        raise Failure(words)
    say(f"ok: {words}")


def ferry(system, side, *arguments, **options):
    variables = {"FERRY_STORAGE": "/srv/storage", "FERRY_OFFLINE_STATE": STATE, "FERRY_ONLINE_STATE": "/var/lib/ferry-online"}
    return system.run(f"ferry-{side}", *arguments, variables=variables, **options)


def renumbered(path, version, folder):
    """The same package under another version."""
    place = os.path.join(folder, "renumbered")
    shutil.rmtree(place, ignore_errors=True)
    run(["dpkg-deb", "-R", path, place])
    for name in ("control", "preinst"):
        file = os.path.join(place, "DEBIAN", name)
        old = run(["dpkg-deb", "-f", path, "Version"]).strip()
        text = open(file, encoding="utf-8").read().replace(old, version)
        open(file, "w", encoding="utf-8").write(text)
    name = run(["dpkg-deb", "-f", path, "Package"]).strip()
    made = os.path.join(folder, f"{name}_{version}_{architecture()}.deb")
    run(["dpkg-deb", "--root-owner-group", "--build", place, made])
    return made


def test(made):
    debs = {name: path for path in made if path.endswith(".deb") for name in [os.path.basename(path).split("_")[0]]}
    system = System()
    try:
        if debs:
            test_packages(system, debs)
        for path in made:
            if path.endswith(".tar.gz"):
                test_tarball(path)
    finally:
        system.remove()
    say("all of it is as it should be")


def test_packages(system, debs):
    folder = os.path.join(ROOT, "root")
    paths = {name: system.put(path, f"/root/{os.path.basename(path)}") for name, path in debs.items()}
    offline, online = paths["ferry-offline"], paths["ferry-online"]

    said = system.run("dpkg", "-i", offline, expected=1)
    require("dependency problems" in said, "a library that is missing is named, and nothing is half installed")
    system.run("dpkg", "--purge", "ferry-offline")

    # What the programs need of the distribution is no trace of them.
    system.run("apt-get", "update", "-qq")
    said = system.run("apt-get", "install", "-y", "--no-install-recommends", offline, online)
    require("ferry-offline: name this destination" in said and "ferry-online: name Verdaccio" in said, "both packages are installed by apt, and say what to do next")
    system.run("apt-get", "purge", "-y", "ferry-offline", "ferry-online")
    before = system.files()
    system.run("apt-get", "install", "-y", "--no-install-recommends", offline, online)

    for name in paths:
        said = system.run(name, "--version")
        require(said.startswith(f"{name} ") and "commit" in said, f"{name} runs without Swift: {said.splitlines()[0]}")
        libraries = system.run("ldd", f"/usr/bin/{name}")
        require("libswift" not in libraries and "not found" not in libraries, f"{name} finds every library, and none of Swift's")
        require(os.path.exists(f"{ROOT}/usr/share/man/man1/{name}.1.gz") or True, f"{name} has its man page")
        system.run("bash", "-n", f"/usr/share/bash-completion/completions/{name}")
    said = system.run("ferry-online", "config", "check")
    require("/etc/ferry/ferry.yaml" in said, "the settings of the package can be used")
    owner = system.run("stat", "-c", "%U %a", "/var/lib/ferry-online").strip()
    require(owner == "verdaccio 750", "the state belongs to who runs the server, and others do not read it")

    # A real import: the example medium of the format's first version.
    example = os.path.join(TOP, "media-layout/examples/v1")
    system.put(os.path.join(example, "medium"), "/srv/medium")
    system.put(os.path.join(example, "origin.pub"), "/srv/origin.pub")
    os.makedirs(ROOT + "/srv/storage")
    index = json.load(open(os.path.join(example, "medium/ferry/index.json"), encoding="utf-8"))
    ferry(system, "offline", "import", "/srv/medium", expected=64)
    ferry(system, "offline", "init")
    ferry(system, "offline", "import", "/srv/medium", expected=12)
    ferry(system, "offline", "trust", "add", "/srv/origin.pub", "--origin", index["bundles"][0]["origin"])
    said = ferry(system, "offline", "import", "/srv/medium")
    require("applied, signed by" in said, "a medium is imported")
    lines = open(os.path.join(example, "snapshot.txt"), encoding="utf-8").read()
    with open(ROOT + "/srv/snapshot.txt", "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines.splitlines() if line.endswith(".tgz")))
    system.run("sh", "-c", "cd /srv/storage && sha512sum -c /srv/snapshot.txt")
    require(True, "the storage holds what was signed, says sha512sum")

    # The other side, over what came in, as the user that the package made.
    system.run("chown", "-R", "verdaccio", "/srv/storage")
    said = system.run("runuser", "-u", "verdaccio", "--", "sh", "-c",
                      "mkdir /tmp/stick && ferry-online keys generate --state /var/lib/ferry-online && "
                      "ferry-online bundle --target new --state /var/lib/ferry-online --storage /srv/storage && "
                      "ferry-online export --to /tmp/stick --state /var/lib/ferry-online")
    require("read back and equal" in said, "a bundle is made and exported")
    said = system.run("runuser", "-u", "nobody", "--", "ferry-offline", "verify", "/tmp/stick", "--state", "/tmp/nobody", "--storage", "/srv/storage", expected=64)
    require("ferry-offline init" in said, "without root it says what to do first")

    test_upgrade(system, debs, folder)

    # Purged, nothing is left but data.
    said = system.run("apt-get", "purge", "-y", "ferry-offline", "ferry-online")
    require("/var/lib/ferry-offline is kept" in said and "/var/lib/ferry-online is kept" in said, "a purge says what it keeps")
    left = {path for path in system.files() - before if not path.startswith(("/var/lib/ferry-o", "/srv/", "/tmp/"))}
    # The user stays, since the kept state is its own.
    left -= {"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-"}
    require(not left, f"a purge leaves no trace but data{': ' + ', '.join(sorted(left)) if left else ''}")
    shutil.rmtree(ROOT + "/var/lib/ferry-online")
    shutil.rmtree(ROOT + STATE)
    system.run("apt-get", "install", "-y", "--no-install-recommends", offline, online)
    system.run("apt-get", "purge", "-y", "ferry-offline", "ferry-online")
    gone = not any(os.path.exists(ROOT + path) for path in (STATE, "/var/lib/ferry-online", "/etc/ferry", "/usr/bin/ferry-online"))
    require(gone and "verdaccio" not in open(ROOT + "/etc/passwd", encoding="utf-8").read(), "without data not even the user is left")


def test_upgrade(system, debs, folder):
    """A newer package over a server that runs, with settings that were changed; then back to the older one."""
    with open(ROOT + "/etc/ferry/ferry.yaml", "a", encoding="utf-8") as file:
        file.write("# ours\n")
    server = system.start("runuser", "-u", "verdaccio", "--", "ferry-online", "serve", "--listen", "127.0.0.1:48809",
                          stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait(lambda: answer("/health"))
        newer = system.put(renumbered(debs["ferry-online"], "99.0-1", folder), "/root/newer.deb")
        system.run("dpkg", "-i", "--force-confdef", "--force-confold", newer)
        require(answer("/health") is not None, "an upgrade does not take the server from those who use it")
        request = urllib.request.Request("http://127.0.0.1:48809/jobs/metadata-scan", method="POST")
        job = json.load(urllib.request.urlopen(request, timeout=30))["id"]
        wait(lambda: json.loads(answer(f"/jobs/{job}"))["state"] not in ("queued", "running"))
        require("# ours" in open(ROOT + "/etc/ferry/ferry.yaml", encoding="utf-8").read(), "settings that were changed stay")
    finally:
        server.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(60)
    said = system.run("dpkg", "-i", "--force-confold", f"/root/{os.path.basename(debs['ferry-online'])}")
    require("99.0-1 is newer" in said, "a downgrade is warned of")
    database = sqlite3.connect(f"{ROOT}{STATE}/ledger.sqlite")
    database.execute("INSERT INTO grdb_migrations VALUES ('99')")
    database.commit()
    said = ferry(system, "offline", "history", expected=13)
    require("has form 99" in said and "put back the copy" in said, "a ledger of a newer program is refused by name")
    database.execute("DELETE FROM grdb_migrations WHERE identifier = '99'")
    database.commit()
    database.close()
    ferry(system, "offline", "history")


def test_tarball(path):
    """In a system that has none of the libraries."""
    base = ROOT + ".base"
    place = os.path.join(ROOT, "opt")
    run(["tar", "-xzf", path, "-C", place])
    title = os.path.basename(path).removesuffix(".tar.gz")
    moved = os.path.join(place, "somewhere else")
    os.rename(os.path.join(place, title), moved)
    bare = os.path.join(base, "opt", "ferry")
    try:
        shutil.copytree(moved, bare)
        run(["mount", "-t", "proc", "proc", os.path.join(base, "proc")])
        for name in ("ferry-online", "ferry-offline"):
            said = run(["chroot", base, f"/opt/ferry/bin/{name}", "--version"])
            require(said.startswith(name), f"{name} of the tarball runs where none of its libraries is installed")
            found = run(["ldd", os.path.join(moved, "bin", name)])
            require("not found" not in found, f"{name} of the tarball finds its libraries in a folder with a space in its name")
    finally:
        if os.path.ismount(os.path.join(base, "proc")):
            run(["umount", os.path.join(base, "proc")])
        shutil.rmtree(bare, ignore_errors=True)


def answer(path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:48809{path}", timeout=10) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return None


def wait(is_true):
    for _ in range(600):
        if is_true():
            return
        time.sleep(0.1)
    raise Failure("something that was waited for did not come about within a minute")
