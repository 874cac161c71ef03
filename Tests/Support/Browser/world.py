"""A connected side for the page to show: an upstream, a proxy and a running "ferry-online serve", in a temporary directory."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("FERRY_BUILD", os.path.join(TOP, ".build/debug"))
sys.path.insert(0, os.path.join(TOP, "scripts"))

import corpus  # noqa: E402
import registries  # noqa: E402

# What the world's packages are: a name, its versions, and what the newest one needs.
PACKAGES = [
    ("left-side", ["1.0.0", "1.1.0", "2.0.0"], {}), ("right-side", ["0.9.0", "1.0.0"], {"left-side": "^1.0.0"}),
    ("harbour", ["3.0.0", "3.1.0", "3.2.0-beta.1"], {"right-side": "*"}), ("@quay/crane", ["1.0.0", "1.0.1"], {"harbour": "^3.0.0"}),
    ("@quay/rope", ["5.0.0"], {}), ("@quay/anchor", ["2.0.0", "2.1.0"], {"@quay/rope": "^5.0.0"}), ("lighthouse-keeper", ["1.2.3"], {}),
    ("tide-table", ["4.0.0", "4.1.0", "4.1.1"], {"left-side": "^2.0.0"}), ("sextant", ["0.1.0"], {}), ("compass-rose", ["7.0.0"], {}),
    ("buoy", ["1.0.0", "1.0.1", "1.0.2", "1.1.0"], {}), ("mooring", ["2.2.0"], {"buoy": "^1.0.0"}),
]


class Failure(Exception):
    """Something is not as it should be; the message says what."""


def wait_for(what, condition, seconds=30):
    """Asks again and again until something holds, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, urllib.error.URLError):
            if found := condition():
                return found
        time.sleep(0.05)
    raise Failure(f"{what} did not come about in {seconds} seconds")


class World:
    """The connected side. `serve` starts the server; `close` ends and removes everything."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="ferry-page-")
        self.upstream = self.proxy = self.server = self.silence = None
        self.port = 0
        for name in ("upstream/storage", "connected/storage", "state", "media"):
            os.makedirs(self.path(name))
        for name, versions, needs in PACKAGES:
            self.publish(name, versions, needs)
        program = os.path.join(BUILD, "loopback-registry")
        self.upstream = registries.Registry(program, self.path("upstream"))
        self.proxy = registries.Registry(program, self.path("connected"), self.upstream.url)
        self.configure()
        self.ferry("keys", "generate")

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def publish(self, name, versions, needs=None, bulk=0):
        """Publishes versions upstream, each with some bytes that do not compress."""
        packument = corpus.new_packument(name, "")
        tarballs = {}
        for version in versions:
            manifest = {"name": name, "version": version, "description": f"What {name} is for", "dependencies": needs or {}}
            contents = [("package.json", json.dumps(manifest).encode()), ("bulk.bin", os.urandom(bulk or 2000 + 700 * len(name)))]
            data = tarballs[corpus.file_name(name, version)] = corpus.tarball(contents)
            corpus.add_release(packument, manifest, version, data, kept=True)
        packument["_uplinks"] = packument["_distfiles"] = {}
        corpus.write_files(self.path("upstream/storage", name), tarballs, packument)

    def configure(self, registry=None):
        """Writes the settings; the server reads them when it starts."""
        with open(self.path("ferry.yaml"), "w", encoding="utf-8") as file:
            file.write(
                f"state: {self.path('state')}\nverdaccio:\n  config: {self.proxy.config}\n  registry: {registry or self.proxy.url}\n"
                f"media:\n  roots: [{self.path('media')}]\nserve:\n  grace: 1 seconds\n")

    def ferry(self, *arguments):
        """Runs "ferry-online" and returns what it prints."""
        command = [os.path.join(BUILD, "ferry-online"), *arguments, "--config", self.path("ferry.yaml")]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode not in (0, 3):
            raise Failure(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def fill(self):
        """Brings packages into the cache, proves them, and makes a bundle of them."""
        self.ferry("want", *[name for name, _, _ in PACKAGES])
        self.ferry("refresh", "full")
        self.ferry("scan")
        self.ferry("check")
        self.ferry("bundle", "--target", "new")

    def damage(self, name, version):
        """Cuts a tarball of the cache off."""
        path = self.path("connected/storage", name, corpus.file_name(name, version))
        with open(path, "r+b") as file:
            file.truncate(100)

    # The server

    def serve(self):
        """Starts the server, on the same port every time, in a mount namespace of its own."""
        program = [os.path.join(BUILD, "ferry-online"), "serve", "--config", self.path("ferry.yaml"), "--listen", f"127.0.0.1:{self.port}"]
        log = open(self.path("serve.log"), "ab")
        before = os.path.getsize(self.path("serve.log"))
        self.server = subprocess.Popen([*namespace(), *program], stdout=log, stderr=log)

        def address():
            if self.server.poll() is not None:
                raise Failure(f"the server ended: {self.log()}")
            with open(self.path("serve.log"), encoding="utf-8") as file:
                file.seek(before)
                lines = [line for line in file.read().splitlines() if " at http://" in line]
            return int(lines[-1].rpartition(":")[2]) if lines else None

        self.port = wait_for("the server's address", address)
        return self.url

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def log(self):
        with open(self.path("serve.log"), encoding="utf-8") as file:
            return file.read()

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait()
            self.server = None

    def enter(self, *command):
        """Runs a command where the server's mounts are, and returns what it prints."""
        enter = ["nsenter", "--target", str(self.server.pid), "--mount", "--root"] + ([] if os.geteuid() == 0 else ["--user", "--preserve-credentials"])
        done = subprocess.run([*enter, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def plug(self, name, fill=None):
        """Mounts a file system where the server looks for media; before it sees it, `fill` may write to where it is mounted meanwhile."""
        away, place = self.path("away", name), self.path("media", name)
        for folder in (away, place):
            os.makedirs(folder, exist_ok=True)
        self.enter("mount", "-t", "tmpfs", "-o", "size=64m", name, away)
        if fill:
            fill(away)
        self.enter("mount", "--move", away, place)
        return place

    def pull(self, name):
        """Takes a medium away, where it can be written to, and returns that place."""
        away = self.path("away", name)
        self.enter("mount", "--move", self.path("media", name), away)
        return away

    def replug(self, name):
        self.enter("mount", "--move", self.path("away", name), self.path("media", name))

    # The other side of the gap

    def offline(self, *arguments, storage=True):
        """Runs "ferry-offline" of the isolated side, and returns what it prints."""
        os.makedirs(self.path("isolated/storage"), exist_ok=True)
        where = ["--storage", self.path("isolated/storage")] if storage else []
        return self.enter(os.path.join(BUILD, "ferry-offline"), *arguments, "--state", self.path("isolated/state"), *where)

    def isolate(self, name):
        """Makes an isolated side that trusts this one, and returns its id."""
        made = self.offline("init", "--name", name, storage=False).strip()
        (_, origin), (_, key, *_) = [line.split()[:2] for line in self.ferry("keys", "show").splitlines()]
        self.offline("trust", "add", self.path("state/keys", f"{key}.pub"), "--origin", origin, storage=False)
        return made

    def correspond(self):
        """Has an isolated side that is known, behind, and asks for packages and for a filler, and another that introduces itself."""
        bundle = self.get("/artifacts")["items"][-1]["bundle"]
        plant = self.isolate("Plant 7")
        self.plug("plant")
        self.export("plant", bundle)
        place = self.pull("plant")
        self.offline("import", place)
        self.offline("request", "sextant@^9", "left-side@^2", "--to", place)
        self.replug("plant")
        known = wait_for("the card", lambda: [each["standing"] for each in self.get("/destinations")["items"] if each["standing"]])
        self.confirm(plant, known[0]["fingerprint"])
        self.read("plant")
        self.export("plant", self.get("/artifacts")["items"][0]["bundle"])
        shutil.rmtree(self.path("isolated"))
        self.isolate("Laboratory, building 4")
        place = self.pull("plant")
        self.offline("receipt", "--to", place)
        self.replug("plant")
        wait_for("the other card", lambda: len([each for each in self.get("/destinations")["items"] if each["standing"]]) == 2)

    def medium(self, name):
        """The id of a medium that is plugged in."""
        return wait_for("the medium", lambda: next((each["id"] for each in self.get("/media")["items"] if each["root"] == self.path("media", name)), None))

    def read(self, name):
        """Has what came back on a medium read again."""
        return self.post(f"/media/{self.medium(name)}/read")["items"]

    def confirm(self, destination, fingerprint):
        self.post(f"/destinations/{destination}/confirm?fingerprint={fingerprint.replace(' ', '')}")

    def export(self, name, bundle):
        """Writes a bundle to a medium that is plugged in."""
        self.ended(self.post(f"/media/{self.medium(name)}/export?artifact={bundle}&initialise=true")["id"])

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def post(self, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"} if data else {}, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def ended(self, job):
        """Waits until a job has ended, and returns it."""
        return wait_for(f"the end of job {job}", lambda: (found := self.get(f"/jobs/{job}"))["ended"] and found)

    def run(self, address, body=None):
        """Runs a job of the server to its end."""
        return self.ended(self.post(f"/jobs/{address}", body)["id"])

    def silent_registry(self):
        """The address of a registry that takes requests and never answers."""
        listener = self.silence = socket.create_server(("127.0.0.1", 0))
        kept = []

        def take():
            with contextlib.suppress(OSError):
                while True:
                    kept.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def close(self):
        self.stop()
        for registry in (self.proxy, self.upstream):
            if registry:
                registry.stop()
        if self.silence:
            self.silence.close()
        shutil.rmtree(self.root, ignore_errors=True)


def namespace():
    """What runs a program with mounts of its own; nothing where that is not allowed."""
    found = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    return found if subprocess.run([*found, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0 else []


@contextlib.contextmanager
def world():
    made = World()
    try:
        yield made
    finally:
        made.close()
