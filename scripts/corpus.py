"""Real npm packages found on this machine, packed as a registry would hold them. For the demo and the benchmarks."""

import base64
import gzip
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import tarfile

PLACE = re.compile(r"/(?:node_modules|nodejs)/(?:@[^/]+/)?[^/@]+$")
NAME = re.compile(r"(?:@[a-z0-9._~-]+/)?[a-z0-9_~-][a-z0-9._~-]*", re.IGNORECASE)


class Missing(Exception):
    """There is nothing to make a corpus of."""


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


# Reads {name: packument}; prints "name@version" of the versions that can be installed from these packuments alone, on any machine.
CLOSED = r"""
const load = require("module").createRequire(process.argv[1] + "/");
const [npa, pick] = [load("npm-package-arg"), load("npm-pick-manifest")];
const packuments = JSON.parse(require("fs").readFileSync(0));

function picked(name, range) {
  try {
    const spec = npa.resolve(name, range), wanted = spec.subSpec || spec;
    const found = wanted.registry && pick(packuments[wanted.name], wanted.fetchSpec);
    return found && `${found.name}@${found.version}`;
  } catch { return null; }
}

const needs = new Map();
for (const { versions } of Object.values(packuments))
  for (const manifest of Object.values(versions)) {
    const ranges = { ...manifest.peerDependencies, ...manifest.dependencies, ...manifest.optionalDependencies };
    const found = Object.entries(ranges).map(([name, range]) => picked(name, range));
    needs.set(`${manifest.name}@${manifest.version}`, manifest.os || manifest.cpu ? [null] : found);
  }
for (let count = -1; count !== needs.size;) {
  count = needs.size;
  for (const [version, found] of needs) if (!found.every(other => needs.has(other))) needs.delete(version);
}
console.log(JSON.stringify([...needs.keys()]));
"""


def closed_packages():
    """{name: [(version, folder), …]}, oldest first, of the real packages that need nothing but one another, as npm itself picks."""
    packuments, folders = {}, {}
    for name, version, folder in sorted(packages(), key=lambda package: (package[0], version_key(package[1]))):
        packument = packuments.setdefault(name, {"name": name, "versions": {}, "dist-tags": {}})
        packument["versions"][version] = {**manifest_of(folder), "name": name, "version": version}
        packument["dist-tags"]["latest"] = version
        folders[f"{name}@{version}"] = name, version, folder
    command = ["node", "-e", CLOSED, npm_folder()]
    result = subprocess.run(command, input=json.dumps(packuments), stdout=subprocess.PIPE, text=True, check=True)
    found = {}
    for key in json.loads(result.stdout):
        name, version, folder = folders[key]
        found.setdefault(name, []).append((version, folder))
    return found


NPM_TIME = 499162500


def pack(folder, time=NPM_TIME, **changes):
    """The tarball of a package, the same bytes each time; `changes` replace members of its package.json."""
    return tarball(files(folder), time, **changes)


def files(folder):
    """Yields (path, content) of what a package is made of, without the packages it brings along."""
    for here, names, found in os.walk(folder):
        if "node_modules" in names:
            names.remove("node_modules")
        names.sort()
        for file in sorted(found):
            path = os.path.join(here, file)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as source:
                yield os.path.relpath(path, folder), source.read()


def tarball(contents, time=NPM_TIME, **changes):
    """A tarball of (path, content), the same bytes each time; `changes` replace members of its package.json."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as stream:
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path, content in contents:
                if path == "package.json":
                    content = json.dumps({**json.loads(content), **changes}, indent=2).encode()
                entry = tarfile.TarInfo("package/" + path)
                entry.size, entry.mode, entry.mtime = len(content), 0o644, time
                tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def unpacked(path):
    """Yields the (path, content) a tarball holds."""
    with tarfile.open(path) as tar:
        for entry in tar:
            yield entry.name.removeprefix("package/"), tar.extractfile(entry).read()


def file_name(name, version):
    """The name a registry keeps the tarball under."""
    return f"{name.split('/')[-1]}-{version}.tgz"


# A storage as Verdaccio's proxy keeps it


UPLINK = "https://registry.npmjs.org"
FETCHED = 1795439936969


def number(text, limit):
    """A number below the limit, for a text always the same."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % limit


def endless(real=None):
    """Yields (name, [(version, folder), …]) without end: the real packages, then the same again as name-2, name-3, …"""
    if real is None:
        real = {}
        for name, version, folder in packages():
            real.setdefault(name, []).append((version, folder))
    if not real:
        raise Missing("no npm packages lie on this machine; install npm with its modules")
    for time in itertools.count(1):
        for name, versions in real.items():
            again = name if time == 1 else f"{name}-{time}"
            if time == 1 or again not in real:
                yield again, versions


def later(version, steps):
    """The version so many patches later."""
    release = version.split("-")[0].split(".")
    return version if steps == 0 else ".".join([*release[:2], str(int(release[2]) + steps)])


def version_key(version):
    release, _, prerelease = version.partition("-")
    return [int(number) for number in release.split(".")], prerelease == "", prerelease


def releases(name, versions):
    """What upstream released, {version: (folder, kept)}, oldest first; a proxy keeps the 1 to 6 that were asked for, and the real ones."""
    kept, every = 1 + number(name, 6), 1 + number(f"every of {name}", 4)
    unseen = 2 if number(f"unseen of {name}", 4) == 0 else 0
    found = {version: (folder, True) for version, folder in versions}
    version, folder = versions[0]
    for step in range((kept - 1) * every + 1 + unseen):
        found.setdefault(later(version, step), (folder, step % every == 0 and step < kept * every))
    return dict(sorted(found.items(), key=lambda item: version_key(item[0])))


def write_package(storage, name, versions):
    """Writes one package as a proxy's storage holds it; returns (tarballs, their bytes, bytes of package.json)."""
    packument = new_packument(name, readme(versions[0][1]))
    tarballs = {}
    for version, (folder, kept) in releases(name, versions).items():
        data = pack(folder, own_time(name, version), name=name, version=version) if kept else f"{name}@{version}".encode()
        add_release(packument, manifest_of(folder), version, data, kept)
        if kept:
            tarballs[file_name(name, version)] = data
    return write_files(os.path.join(storage, name), tarballs, packument)


def write_released_package(storage, name, versions):
    """Writes one package as the registry that it was published to holds it; returns what write_package returns."""
    packument = new_packument(name, readme(versions[0][1]))
    tarballs = {}
    for version, folder in versions:
        data = tarballs[file_name(name, version)] = pack(folder, own_time(name, version), name=name, version=version)
        add_release(packument, manifest_of(folder), version, data, kept=True)
    packument["_uplinks"] = packument["_distfiles"] = {}
    return write_files(os.path.join(storage, name), tarballs, packument)


def write_known_package(storage, name, upstream, url, kept):
    """Writes one package of an upstream's storage as a proxy of its address knows it, asked for long ago; its tarballs are kept or not."""
    packument = manifest_of(os.path.join(upstream, name))
    for version, entry in packument["versions"].items():
        file = file_name(name, version)
        entry["dist"]["tarball"] = f"{url}/{name}/-/{file}"
        packument["_distfiles"][file] = {"url": entry["dist"]["tarball"], "sha": entry["dist"]["shasum"], "registry": "npmjs"}
    packument["_uplinks"] = {"npmjs": {"fetched": 0}}
    if not kept:
        packument["_attachments"] = {}
    write_files(os.path.join(storage, name), {}, packument)
    for file in packument["_attachments"]:
        os.link(os.path.join(upstream, name, file), os.path.join(storage, name, file))


def write_tiny_package(storage, name, count):
    """Writes a package of so many versions with next to nothing in them; returns what write_package returns."""
    packument = new_packument(name, "")
    tarballs = {}
    for version in (f"1.{minor}.0" for minor in range(count)):
        manifest = {"name": name, "version": version}
        data = tarballs[file_name(name, version)] = tarball([("package.json", json.dumps(manifest).encode())])
        add_release(packument, manifest, version, data, kept=True)
    return write_files(os.path.join(storage, name), tarballs, packument)


def publish_next(storage, name):
    """The newest kept version of a package again as upstream's next one, fetched by the proxy; returns what write_package returns."""
    directory = os.path.join(storage, name)
    packument = manifest_of(directory)
    latest = packument["dist-tags"]["latest"]
    version = later(latest, 1)
    newest = os.path.join(directory, list(packument["_attachments"])[-1])
    data = tarball(unpacked(newest), own_time(name, version), version=version)
    add_release(packument, packument["versions"][latest], version, data, kept=True)
    return write_files(directory, {file_name(name, version): data}, packument)


def own_time(name, version):
    """A time that only this tarball has: otherwise versions with the same files would share most of their bytes, as real ones do not."""
    return NPM_TIME + number(f"{name}@{version}", 10**8)


def new_packument(name, text):
    """The packument of a package of which nothing is known yet."""
    return {
        "name": name, "versions": {}, "time": {"modified": moment(0), "created": moment(0)}, "users": {}, "dist-tags": {},
        "_uplinks": {"npmjs": {"etag": f'"{number(name, 1 << 32):08x}"', "fetched": FETCHED}}, "_distfiles": {}, "_attachments": {},
        "_rev": f"{2 + number(name, 60)}-{number(f'rev of {name}', 1 << 32):016x}", "_id": name, "readme": text,
    }


def add_release(packument, manifest, version, data, kept):
    """Enters a release into a packument as Verdaccio does: named with its upstream address, attached where its tarball is kept."""
    name = packument["name"]
    file = file_name(name, version)
    address, sha = f"{UPLINK}/{name}/-/{file}", hashlib.sha1(data).hexdigest()
    packument["versions"][version] = {
        **{key: value for key, value in manifest.items() if not key.startswith("_") and key not in ("readme", "dist", "contributors")},
        "name": name, "version": version, "_id": f"{name}@{version}", "_nodeVersion": "20.20.2", "_npmVersion": "10.8.2",
        "dist": {
            "integrity": "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode(), "shasum": sha, "tarball": address},
        "contributors": [],
    }
    packument["time"][version] = packument["time"]["modified"] = moment(len(packument["versions"]))
    packument["dist-tags"]["latest"] = version
    packument["_distfiles"][file] = {"url": address, "sha": sha, "registry": "npmjs"}
    if kept:
        packument["_attachments"][file] = {"shasum": sha}


def write_files(directory, tarballs, packument):
    """Writes tarballs and then the packument, as the proxy does; returns (tarballs, their bytes, bytes of package.json)."""
    os.makedirs(directory, exist_ok=True)
    for file, data in tarballs.items():
        with open(os.path.join(directory, file), "wb") as stream:
            stream.write(data)
    path = os.path.join(directory, "package.json")
    with open(path + ".draft", "w", encoding="utf-8") as stream:
        json.dump(packument, stream, indent="\t", ensure_ascii=False)
    os.rename(path + ".draft", path)
    return len(tarballs), sum(map(len, tarballs.values())), os.path.getsize(path)


def moment(month):
    """A time so many months after a first one."""
    return f"{2015 + month // 12}-{1 + month % 12:02}-01T12:00:00.000Z"


def readme(folder):
    """What the readme of a folder says, as far as a registry keeps it."""
    for name in sorted(os.listdir(folder)):
        if name.lower() in ("readme.md", "readme", "readme.markdown"):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                return file.read(64 * 1024)
    return "ERROR: No README data found!"
