"""Makes what Ferry is installed from: a Debian package of each side, and a tarball that can be put anywhere.

The programs are linked with Swift's library in them, so that no Swift is needed where they run. Packages are for the distribution that they
are made on, since they need its libraries; the tarball brings those along.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PARTS = os.path.join(TOP, "scripts/packaging")
SCRATCH = os.path.join(TOP, ".build/package")
PROGRAMS = {"ferry-online": "the connected side", "ferry-offline": "the isolated side"}
LIBRARIES = {
    "sqlite3": "libsqlite3-dev", "libzstd": "libzstd-dev", "libarchive": "libarchive-dev", "libisal": "libisal-dev",
    "libsodium": "libsodium-dev", "libcrypto": "libssl-dev",
}
# Of the C library, and of the system itself: never brought along.
SYSTEM = re.compile(r"^(ld-linux.*|libc|libm|libdl|libpthread|librt|libresolv|libutil)\.so")
MAINTAINER = "Ferry <ferry@localhost>"


class Failure(Exception):
    """Why nothing was made, and what to do."""

    def __init__(self, words, *hints):
        super().__init__(words)
        self.hints = hints


def run(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if result.returncode != 0:
        raise Failure(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result.stdout


def need(program, package):
    if shutil.which(program) is None:
        raise Failure(f"{program} is missing", f"apt-get install {package}")


# What is packed


class Release:
    """Programs of one build, and what they say of themselves."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        for name in PROGRAMS:
            if not os.path.exists(self.program(name)):
                raise Failure(f"there is no {name} in {folder}")
        first, *facts = run([self.program("ferry-offline"), "--version"]).splitlines()
        self.number = first.split()[1]
        commit = dict(re.split(r"  +", line, maxsplit=1) for line in facts)["commit"]
        self.commit = commit.split(",")[0] if re.match(r"[0-9a-f]{40}", commit) else None
        if "changes" in commit:
            print("package: warning: the programs were built from changed sources", file=sys.stderr)

    def program(self, name):
        return os.path.join(self.folder, name)

    def revision(self):
        """Grows with every commit; 0 where the sources came without their history."""
        if self.commit is None:
            return "0"
        counted = subprocess.run(
            ["git", "-C", TOP, "rev-list", "--count", self.commit], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return f"{counted.stdout.strip() or '0'}.{self.commit[:12]}"


def build():
    need("swift", "nothing: install Swift 6.2 or later from https://www.swift.org/install/linux/")
    need("pkg-config", "pkg-config")
    missing = [package for name, package in LIBRARIES.items() if subprocess.run(["pkg-config", "--exists", name]).returncode != 0]
    if missing:
        raise Failure(f"system libraries are missing: {', '.join(missing)}", "scripts/setup installs them")
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "--scratch-path", SCRATCH]
    for name in PROGRAMS:
        print(f"package: building {name}, which takes minutes the first time", file=sys.stderr)
        if subprocess.run([*command, "--product", name], cwd=TOP, stdout=sys.stderr).returncode != 0:
            raise Failure(f"{name} does not build")
    return run([*command, "--show-bin-path"], cwd=TOP).strip()


def distribution(path):
    """(id, version) of the distribution that packages are made on."""
    found = {}
    for line in open(path, encoding="utf-8"):
        name, _, value = line.strip().partition("=")
        found[name] = value.strip('"')
    names = [found.get("ID", ""), *found.get("ID_LIKE", "").split()]
    if not {"debian", "ubuntu"} & set(names):
        raise Failure(f"no packages can be made on \"{found.get('PRETTY_NAME', found.get('ID', 'an unknown distribution'))}\"",
                      "make the tarball: ./package tarball")
    return found["ID"], found.get("VERSION_ID", "0")


class Tree:
    """Files to be installed, below a folder that stands for the root."""

    def __init__(self, root):
        self.root = root

    def write(self, path, content, mode=0o644):
        place = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(place, mode)

    def program(self, source, path):
        place = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copyfile(source, place)
        run(["strip", "--strip-unneeded", place])
        os.chmod(place, 0o755)
        return place


def packed(text):
    return gzip.compress(text.encode(), 9, mtime=0)


def papers(release, name, tree, base="usr/share"):
    """Man page, completions and documents of a program."""
    program = release.program(name)
    tree.write(f"{base}/man/man1/{name}.1.gz", packed(ManPage(json.loads(run([program, "--experimental-dump-help"])), release).text()))
    for shell, path in (("bash", f"bash-completion/completions/{name}"), ("zsh", f"zsh/vendor-completions/_{name}"),
                        ("fish", f"fish/vendor_completions.d/{name}.fish")):
        tree.write(f"{base}/{path}", run([program, "--generate-completion-script", shell]))
    for document in ("README.md", "README.ru.md", "CHANGELOG.md"):
        text = open(os.path.join(TOP, document), encoding="utf-8").read()
        tree.write(f"{base}/doc/{name}/{document}.gz", packed(text))
    for document in sorted(os.listdir(os.path.join(TOP, "docs"))):
        if document.endswith(".md"):
            tree.write(f"{base}/doc/{name}/docs/{document}", open(os.path.join(TOP, "docs", document), encoding="utf-8").read())
    tree.write(f"{base}/doc/{name}/FORMAT.md", open(os.path.join(TOP, "media-layout/FORMAT.md"), encoding="utf-8").read())


class ManPage:
    """A page for man(1) of a program's own help."""

    def __init__(self, dump, release):
        self.command, self.release = dump["command"], release
        self.lines = []

    def text(self):
        name = self.command["commandName"]
        self.say(f'.TH {name.upper()} 1 "" "Ferry {self.release.number}" "Ferry"', ".nh", ".SH NAME",
                 f"{self.escaped(name)} \\- {self.escaped(self.command['abstract'].rstrip('.'))}", ".SH SYNOPSIS",
                 f".B {self.escaped(name)}", ".I command", "[\\fIoptions\\fR]", ".SH DESCRIPTION")
        self.prose(self.command.get("discussion", ""))
        self.say(".SH COMMANDS")
        for inner in self.command["subcommands"]:
            self.about(inner, [])
        self.say(".SH SEE ALSO", ".BR ferry\\-online (1),", ".BR ferry\\-offline (1),", ".BR minisign (1)", ".PP",
                 f"/usr/share/doc/{self.escaped(name)}/docs/operating.md")
        return "\n".join(self.lines) + "\n"

    def about(self, command, path):
        if command["commandName"] == "help" or not command.get("shouldDisplay", True):
            return
        path = [*path, command["commandName"]]
        inner = [one for one in command.get("subcommands", []) if one["commandName"] != "help"]
        if not inner:
            self.say(".SS " + self.escaped(" ".join(path)), self.escaped(command.get("abstract", "")), ".PP")
            self.prose(command.get("discussion", ""))
            for argument in command.get("arguments", []):
                if argument.get("shouldDisplay", True) and not {"help", "version"} & {one["name"] for one in argument.get("names", [])}:
                    self.argument(argument)
        for one in inner:
            self.about(one, path)

    def argument(self, argument):
        value = argument.get("valueName", "")
        names = ", ".join(("--" if one["kind"] == "long" else "-") + one["name"] for one in argument.get("names", []))
        title = f"\\fB{self.escaped(names)}\\fR" if names else f"\\fI{self.escaped(value)}\\fR"
        if argument["kind"] == "option":
            title += f" \\fI{self.escaped(value)}\\fR"
        words = " ".join(part for part in (argument.get("abstract"), argument.get("discussion")) if part)
        if argument.get("defaultValue"):
            words += f" Default: {argument['defaultValue']}."
        self.say(".TP", title, self.escaped(words))

    def prose(self, text):
        plain = True
        for line in text.splitlines():
            example = line.startswith("  ")
            if example and plain:
                self.say(".PP", ".nf", ".RS")
            if not example and not plain:
                self.say(".RE", ".fi", ".PP")
            plain = not example
            self.say(".PP" if not line.strip() and plain else self.escaped(line.strip()))
        if not plain:
            self.say(".RE", ".fi")

    def say(self, *lines):
        self.lines += lines

    @staticmethod
    def escaped(text):
        text = text.replace("\\", "\\e").replace("-", "\\-")
        return "\\&" + text if text.startswith((".", "'")) else text


# Debian packages


def unit(release):
    """The server's unit: the program's own, for a storage that is not known yet."""
    with tempfile.TemporaryDirectory(prefix="ferry-package-") as folder:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRY_")}
        text = run([release.program("ferry-online"), "config", "unit", "--state", "/var/lib/ferry-online", "--user", "verdaccio"], cwd=folder, env=clean)
    lines = []
    for line in text.splitlines():
        if line.startswith("# Made by"):
            line = ("# Of the package. Where the storage is elsewhere, or belongs to somebody else, say so with \"systemctl edit ferry-online\":\n"
                    "# ReadWritePaths= and User= of [Service]; or write another to /etc/systemd/system with \"ferry-online config unit\".")
        elif line.startswith("ExecStart="):
            line = "ExecStart=/usr/bin/ferry-online serve --state /var/lib/ferry-online\nEnvironmentFile=-/etc/default/ferry-online"
        elif line.startswith("ReadWritePaths=") and "ferry-online" in line:
            line = "ReadWritePaths=/var/lib/ferry-online -/var/lib/verdaccio"
        lines.append(line)
    return "\n".join(lines) + "\n"


def settings(release):
    """The example, with the one value that the package knows."""
    text = run([release.program("ferry-online"), "config", "example"])
    kept = text.replace("#state: /var/lib/ferry-online", "state: /var/lib/ferry-online")
    if kept == text:
        raise Failure("the example of the settings has no \"#state: /var/lib/ferry-online\" to be set")
    return kept


def depends(paths):
    """What the programs need of the distribution, as dpkg-shlibdeps says."""
    need("dpkg-shlibdeps", "dpkg-dev")
    for name, path in {name: path for program in paths for name, path in libraries_of(program).items()}.items():
        # A package knows a file by the name it came with, which may lead through a link to /usr.
        names = {path, os.path.realpath(path), os.path.realpath(path).removeprefix("/usr")}
        if all(subprocess.run(["dpkg-query", "-S", one], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode for one in names):
            raise Failure(f"{name} is of no package, so no package can ask for it: {path}",
                          "build without --programs, which links Swift's library into the programs")
    with tempfile.TemporaryDirectory(prefix="ferry-package-") as folder:
        os.makedirs(os.path.join(folder, "debian"))
        with open(os.path.join(folder, "debian/control"), "w", encoding="utf-8") as file:
            file.write(f"Source: ferry\nMaintainer: {MAINTAINER}\n\nPackage: ferry\nArchitecture: any\nDescription: x\n")
        said = run(["dpkg-shlibdeps", "-O", *paths], cwd=folder)
    return said.strip().removeprefix("shlibs:Depends=")


def deb(release, name, version, output):
    need("dpkg-deb", "dpkg")
    with tempfile.TemporaryDirectory(prefix="ferry-package-") as folder:
        os.chmod(folder, 0o755)
        tree = Tree(folder)
        place = tree.program(release.program(name), f"usr/bin/{name}")
        papers(release, name, tree)
        libraries = depends([place])
        if name == "ferry-online":
            tree.write("lib/systemd/system/ferry-online.service", unit(release))
            tree.write("etc/ferry/ferry.yaml", settings(release))
            tree.write("etc/default/ferry-online", open(os.path.join(PARTS, name, "default"), encoding="utf-8").read())
        parts = os.path.join(PARTS, name)
        for script in ("preinst", "postinst", "prerm", "postrm"):
            if os.path.exists(os.path.join(parts, script)):
                text = open(os.path.join(parts, script), encoding="utf-8").read()
                tree.write(f"DEBIAN/{script}", text.replace("@VERSION@", version), 0o755)
        if name == "ferry-online":
            tree.write("DEBIAN/conffiles", "/etc/ferry/ferry.yaml\n/etc/default/ferry-online\n")
        sizes = sum(os.path.getsize(os.path.join(at, file)) for at, _, files in os.walk(folder) if "DEBIAN" not in at for file in files)
        more = "adduser, " if name == "ferry-online" else ""
        tree.write("DEBIAN/control", (
            f"Package: {name}\nVersion: {version}\nArchitecture: {architecture()}\nMaintainer: {MAINTAINER}\n"
            f"Installed-Size: {sizes // 1024}\nDepends: {more}{libraries}\nSuggests: minisign, zstd\nSection: net\nPriority: optional\n"
            f"Description: carries an npm registry across an air gap: {PROGRAMS[name]}\n"
            f"{open(os.path.join(parts, 'description'), encoding='utf-8').read()}"))
        for at, folders, _ in os.walk(folder):
            for one in folders:
                os.chmod(os.path.join(at, one), 0o755)
        path = os.path.join(output, f"{name}_{version}_{architecture()}.deb")
        run(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", folder, path])
    return path


def architecture():
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


# The tarball


def libraries_of(path):
    """{name: path} of the shared libraries that a program needs, but for those of the C library."""
    found = {}
    for line in run(["ldd", path]).splitlines():
        match = re.match(r"\s*(\S+) => (\S+)? ?\(?", line)
        if not match or SYSTEM.match(match.group(1)):
            continue
        if match.group(2) in (None, "not"):
            raise Failure(f"{os.path.basename(path)} needs {match.group(1)}, which is not here", "scripts/setup installs what is needed")
        found[match.group(1)] = match.group(2)
    return found


def tarball(release, output):
    need("patchelf", "patchelf")
    title = f"ferry-{release.number}-{release.revision()}-linux-{os.uname().machine}"
    with tempfile.TemporaryDirectory(prefix="ferry-package-") as folder:
        tree = Tree(os.path.join(folder, title))
        brought = {}
        for name in PROGRAMS:
            place = tree.program(release.program(name), f"bin/{name}")
            brought.update(libraries_of(place))
            run(["patchelf", "--set-rpath", "$ORIGIN/../lib/ferry", place])
            papers(release, name, tree, "share")
        for name, path in brought.items():
            tree.write(f"lib/ferry/{name}", open(path, "rb").read())
            run(["patchelf", "--set-rpath", "$ORIGIN", os.path.join(tree.root, "lib/ferry", name)])
        tree.write("share/ferry/ferry-online.service", unit(release))
        tree.write("share/ferry/ferry.yaml", settings(release))
        tree.write("README.txt", open(os.path.join(PARTS, "tarball.txt"), encoding="utf-8").read())
        path = os.path.join(output, f"{title}.tar.gz")
        with tarfile.open(path, "w:gz") as file:
            def plain(entry):
                entry.uid = entry.gid = 0
                entry.uname = entry.gname = "root"
                return entry
            file.add(tree.root, title, filter=plain)
    return path


def main():
    parser = argparse.ArgumentParser(prog="./package", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["all", "deb", "tarball", "papers"], default="all",
                        help="all by default; \"papers\" are man pages, completions and the unit alone")
    parser.add_argument("--output", default=os.path.join(TOP, "dist"), metavar="DIR", help="where it is put; dist/ by default")
    parser.add_argument("--programs", metavar="DIR", help="take built programs from there, in place of building them")
    parser.add_argument("--os-release", default="/etc/os-release", metavar="FILE", help="which distribution this is")
    parser.add_argument("--test", action="store_true", help="install what was made into a new system, use it, and purge it; needs root and debootstrap")
    arguments = parser.parse_args()
    try:
        if arguments.what in ("all", "deb"):
            name, number = distribution(arguments.os_release)
        if arguments.test:
            import packagetest
            packagetest.check_needs()
        release = Release(arguments.programs or build())
        os.makedirs(arguments.output, exist_ok=True)
        made = []
        if arguments.what in ("all", "deb"):
            version = f"{release.number}-{release.revision()}~{name}{number}"
            made += [deb(release, program, version, arguments.output) for program in PROGRAMS]
        if arguments.what in ("all", "tarball"):
            made.append(tarball(release, arguments.output))
        if arguments.what == "papers":
            tree = Tree(arguments.output)
            for program in PROGRAMS:
                papers(release, program, tree, "share")
            tree.write("ferry-online.service", unit(release))
            tree.write("ferry.yaml", settings(release))
        for path in made:
            print(path)
        if arguments.test:
            packagetest.test(made)
    except Failure as failure:
        print(f"package: error: {failure}", file=sys.stderr)
        for hint in failure.hints:
            print(f"package: hint: {hint}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    # As the module that packagetest knows, too.
    import package

    package.main()
