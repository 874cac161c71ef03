"""Registries that run for a while, and what counts the requests that reach one."""

import base64
import contextlib
import hashlib
import json
import os
import socket
import socketserver
import subprocess
import threading
import time
import urllib.error
import urllib.request


class NotStarted(Exception):
    """A registry does not start; the message says where to look."""


class Registry:
    """A registry process over storage/ in a folder: Verdaccio or the stand-in, whichever the program is."""

    running = []

    def __init__(self, program, folder, uplink=None, settings="", maxage="0s"):
        """`settings` are further lines of its configuration; a copy of the uplink's packument is used for `maxage`."""
        self.program, self.folder = program, folder
        self.storage, self.config = os.path.join(folder, "storage"), os.path.join(folder, "config.yaml")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        os.makedirs(self.storage, exist_ok=True)
        uplinks = f"uplinks:\n  npmjs: {{url: '{uplink}/', maxage: {maxage}}}\n" if uplink else ""
        proxy = ", proxy: npmjs" if uplink else ""
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f"storage: ./storage\nauth: {{htpasswd: {{file: ./htpasswd}}}}\nmax_body_size: 200mb\n{settings}{uplinks}"
                f"packages:\n  '**': {{access: $all, publish: $all, unpublish: $all{proxy}}}\n")
        said = os.path.join(folder, "registry.log")
        with open(said, "ab") as log:
            self.process = subprocess.Popen([program, "-c", self.config, "-l", f"127.0.0.1:{port}"], stdout=log, stderr=log)
        Registry.running.append(self)
        for _ in range(600):
            try:
                self.get("/-/ping")
                return
            except urllib.error.URLError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise NotStarted(f"the {os.path.basename(folder)} registry does not start; see {said}")

    def get(self, path):
        """The whole body of a plain GET."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read()

    def publish(self, manifest, tarball):
        """Publishes one version as npm does, as the latest one."""
        name, version = manifest["name"], manifest["version"]
        file = f"{name.split('/')[-1]}-{version}.tgz"
        dist = {
            "integrity": f"sha512-{base64.b64encode(hashlib.sha512(tarball).digest()).decode()}",
            "shasum": hashlib.sha1(tarball).hexdigest(), "tarball": f"{self.url}/{name}/-/{file}",
        }
        body = {
            "_id": name, "name": name, "description": manifest.get("description", ""), "dist-tags": {"latest": version}, "access": None,
            "readme": "", "versions": {version: {**manifest, "_id": f"{name}@{version}", "dist": dist}},
            "_attachments": {
                file: {
                    "content_type": "application/octet-stream", "data": base64.b64encode(tarball).decode(), "length": len(tarball),
                },
            },
        }
        request = urllib.request.Request(
            f"{self.url}/{name.replace('/', '%2f')}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT")
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()

    def stop(self):
        if self in Registry.running:
            Registry.running.remove(self)
            self.process.terminate()
            try:
                self.process.wait(1)
            except subprocess.TimeoutExpired:
                # It waits for connections that somebody keeps open, and has written what it was given.
                self.process.kill()
                self.process.wait()


def stop_all():
    for registry in list(Registry.running):
        registry.stop()


class Counting:
    """Passes every byte on to a registry and back, and counts the requests: GETs, which end with their heads."""

    def __init__(self, registry):
        self.requests = 0
        self.lock = threading.Lock()
        self.target = registry.url.rpartition("/")[2].split(":")
        counting = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                counting.relay(self.request)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.block_on_close = True, False
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def relay(self, client):
        with socket.create_connection(self.target) as registry:
            for end in (client, registry):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=pass_on, args=(registry, client), daemon=True)
            back.start()
            pass_on(client, registry, self.count())
            back.join()

    def count(self):
        """What counts the heads that end in one direction of a connection; it is told the bytes as they come."""
        rest = b""

        def see(data):
            nonlocal rest
            data = rest + data
            with self.lock:
                self.requests += data.count(b"\r\n\r\n")
            rest = data[-3:]

        return see

    def stop(self):
        """Passes nothing on any more; returns how many requests there were."""
        self.server.shutdown()
        self.server.server_close()
        return self.requests


def pass_on(source, target, see=lambda data: None):
    """Passes on what one side says until it says no more."""
    try:
        while data := source.recv(1 << 18):
            see(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone: the other one learns it.
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
