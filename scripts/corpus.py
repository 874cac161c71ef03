"""Real npm packages found on this machine, packed as a registry would hold them. For the demo and the benchmarks."""

import gzip
import io
import json
import os
import re
import shutil
import tarfile

PLACE = re.compile(r"/(?:node_modules|nodejs)/(?:@[^/]+/)?[^/@]+$")
NAME = re.compile(r"(?:@[a-z0-9._~-]+/)?[a-z0-9_~-][a-z0-9._~-]*", re.IGNORECASE)


def npm_folder():
    """Where npm itself lies."""
    return os.path.dirname(os.path.dirname(os.path.realpath(shutil.which("npm"))))


def roots():
    """The folders that hold packages: npm's own modules, and what Debian's node-* packages brought."""
    return [folder for folder in (os.path.join(npm_folder(), "node_modules"), "/usr/share/nodejs") if os.path.isdir(folder)]


def manifest_of(folder):
    """What the package.json of a folder says."""
    with open(os.path.join(folder, "package.json"), encoding="utf-8") as file:
        return json.load(file)


def npm_modules():
    """The (name, version, folder) of what npm is made of: its dependencies, theirs, and so on, wherever they lie."""
    found = {}
    for name, version, folder in packages():
        found.setdefault(name, []).append((version, folder))
    modules = {}
    ahead = [npm_folder()]
    while ahead:
        for name, wanted in manifest_of(ahead.pop()).get("dependencies", {}).items():
            alias = re.fullmatch(r"npm:(.+)@[^@]*", wanted)
            name = alias[1] if alias else name
            for version, folder in found.pop(name, []):
                modules[name, version] = folder
                ahead.append(folder)
    return [(name, version, folder) for (name, version), folder in sorted(modules.items())]


def packages(folders=None):
    """Yields (name, version, folder) of every package below the folders, each name and version once.

    An alias lies under another name than its own, so the name is that of its package.json.
    """
    seen = set()
    for top in folders or roots():
        for folder, names, files in os.walk(top):
            names.sort()
            if "package.json" not in files or not PLACE.search(folder):
                continue
            try:
                manifest = manifest_of(folder)
            except ValueError:
                continue
            name, version = manifest.get("name"), manifest.get("version")
            if not isinstance(name, str) or not isinstance(version, str) or (name, version) in seen or manifest.get("private"):
                continue
            if not NAME.fullmatch(name) or not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", version):
                continue
            seen.add((name, version))
            yield name, version, folder


def pack(folder, **changes):
    """The tarball of a package, the same bytes each time; `changes` replace members of its package.json."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as stream:
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for here, names, files in os.walk(folder):
                if "node_modules" in names:
                    names.remove("node_modules")
                names.sort()
                for file in sorted(files):
                    path = os.path.join(here, file)
                    if os.path.islink(path) or not os.path.isfile(path):
                        continue
                    with open(path, "rb") as source:
                        content = source.read()
                    if path == os.path.join(folder, "package.json"):
                        content = json.dumps({**json.loads(content), **changes}, indent=2).encode()
                    entry = tarfile.TarInfo("package/" + os.path.relpath(path, folder))
                    entry.size, entry.mode, entry.mtime = len(content), 0o644, 499162500
                    tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def file_name(name, version):
    """The name a registry keeps the tarball under."""
    return f"{name.split('/')[-1]}-{version}.tgz"
