"""Runs the commands that documents show, in their order, as a person would who follows them.

Each document gets a world of its own: an upstream registry, a connected machine with a registry that proxies it, an isolated machine with
another, and a directory that is mounted as a stick. A block with ferry-offline or npm in it is run on the isolated machine, one with
ferry-online on the connected one, any other where the one before it was. Paths such as /var/lib/ferry-online lie in the world, and
addresses lead to its registries and servers. "ferry-online serve" goes on until the end of its block.

  ```sh         commands. "# ends with N" behind one says its exit code, which is 0 otherwise.
  ```console    commands behind "$ ", with what they print: compared line by line, except for digests, times, sizes and such. A line
                that is "…" stands for any number of lines.

A document that says "The commands here are run where a first bundle was carried over." begins there, any other with nothing.

A block that begins with "# Not run by our tests: needs X." is not run, and must be about that. What ferry-online and ferry-offline are told
there, and in the text, is held against their help: there must be such a command, with such flags.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import corpus
import registries

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("FERRY_BUILD", os.path.join(TOP, ".build/debug"))
MARK = re.compile(r"# Not run by our tests: needs ([a-z ]+)\.$")
# What a block that is not run may be about, and the programs that show it.
REASONS = {
    "systemd": {"systemctl", "journalctl", "systemd-analyze"},
    "a package manager": {"apt", "apt-get", "dpkg", "dnf"},
    "an engine of containers": {"docker"},
    "a toolchain": {"swift", "scripts/demo", "scripts/test", "scripts/setup", "scripts/bench", "scripts/soak", "scripts/importkill",
                    "scripts/screenshots", "scripts/documents", "scripts/reference", "./package", "git"},
    "a real stick": {"eject", "mount", "umount", "lsblk", "mkfs.exfat", "udisksctl"},
    "another machine": {"scp", "ssh", "rsync"},
}
KINDS = {"sh", "console", "text", "yaml", "json", "mermaid", "html", ""}
SIDES = ("connected", "isolated")
TIMEOUT = 240


# How a first bundle is carried over.
CARRIED = "The commands here are run where a first bundle was carried over."
CARRYING = (
    "export FERRY_ONLINE_STATE=/var/lib/ferry-online FERRY_VERDACCIO_CONFIG=/etc/verdaccio/config.yaml\n"
    "ferry-online keys generate\nferry-online want react@18\nferry-online refresh full\n"
    "ferry-online bundle --target new\nferry-online export --to /media/stick\ncp /var/lib/ferry-online/keys/*.pub /media/stick/origin.pub",
    "export FERRY_STORAGE=/var/lib/verdaccio/storage FERRY_OFFLINE_STATE=/var/lib/ferry-offline\n"
    "ferry-offline init\nferry-offline trust add /media/stick/origin.pub --origin o-…\nferry-offline import",
)


class Failure(Exception):
    """A document that is not right; the message says where and how."""


# Documents


class Block:
    """A fenced block of a document."""

    def __init__(self, document, kind, line, lines):
        self.document, self.kind, self.line, self.lines = document, kind, line, lines

    def at(self, offset=0):
        return f"{self.document}:{self.line + offset}"

    @property
    def reason(self):
        found = MARK.match(self.lines[0]) if self.kind == "sh" and self.lines else None
        return found.group(1) if found else None


def blocks(document, text):
    found, fence = [], None
    for number, line in enumerate(text.splitlines(), 1):
        opening = re.match(r"( *)```(.*)$", line)
        if opening and fence is None:
            fence = Block(document, opening.group(2).strip(), number + 1, [])
            if fence.kind not in KINDS:
                raise Failure(f"{document}:{number}: a block of the unknown kind \"{fence.kind}\"; there are {', '.join(sorted(KINDS))}")
        elif opening:
            found.append(fence)
            fence = None
        elif fence is not None:
            fence.lines.append(line)
    if fence is not None:
        raise Failure(f"{fence.at()}: a block that does not end")
    return found


def commands(block):
    """(offset, command, exit code, expected output or None) for each command of a block."""
    if block.kind == "console":
        found = []
        for offset, line in enumerate(block.lines):
            if line.startswith("$ "):
                found.append([offset, line[2:], []])
            elif found and line.startswith("> ") and not found[-1][2]:
                found[-1][1] += "\n" + line[2:]
            elif not found:
                raise Failure(f"{block.at(offset)}: output before the first command")
            else:
                found[-1][2].append(line)
        return [(offset, command, code(command), output) for offset, command, output in found]
    found, start, text = [], None, ""
    for offset, line in enumerate(block.lines):
        if start is None and (not line.strip() or line.lstrip().startswith("#")):
            continue
        start, text = (offset, line) if start is None else (start, f"{text}\n{line}")
        if not line.endswith("\\") and complete(text):
            found.append((start, text, code(text), None))
            start = None
    if start is not None:
        raise Failure(f"{block.at(start)}: a command that does not end")
    return found


def complete(text):
    result = subprocess.run(["bash", "-n"], input=text, text=True, stderr=subprocess.PIPE)
    return result.returncode == 0 and "here-document" not in result.stderr


def code(command):
    found = re.search(r"#.*\bends with (\d+)", command) or re.search(r"#.*\bкончается кодом (\d+)", command)
    return int(found.group(1)) if found else 0


# Flags


class Help:
    """What the programs' own help says there is."""

    def __init__(self):
        self.trees = {}

    def tree(self, program):
        if program not in self.trees:
            said = subprocess.run(
                [os.path.join(BUILD, program), "--experimental-dump-help"], check=True, stdout=subprocess.PIPE, text=True).stdout
            self.trees[program] = json.loads(said)["command"]
        return self.trees[program]

    def check(self, words, place):
        """Refuses a command line that the program would not understand."""
        command, words = self.tree(words[0]), words[1:]
        while words and not words[0].startswith("-"):
            inner = {one["commandName"]: one for one in command.get("subcommands", [])}
            if words[0] not in inner:
                if command.get("defaultSubcommand") in inner or any(
                        argument["kind"] == "positional" for argument in command.get("arguments", [])):
                    break
                if inner:
                    raise Failure(f"{place}: {command['commandName']} has no command \"{words[0]}\"")
                break
            command, words = inner[words[0]], words[1:]
        if command.get("defaultSubcommand"):
            command = next(one for one in command["subcommands"] if one["commandName"] == command["defaultSubcommand"])
        known = {"--help", "--version", "--generate-completion-script"}
        for argument in command.get("arguments", []):
            known |= {("--" if name["kind"] == "long" else "-") + name["name"] for name in argument.get("names", [])}
        for word in words:
            flag = word.split("=")[0]
            if flag.startswith("--") and len(flag) > 2 and flag not in known:
                raise Failure(f"{place}: \"{command['commandName']}\" has no flag {flag}")


def told(line):
    """What the programs are told on a line of shell, as lists of words."""
    found = []
    for match in re.finditer(r"(?<![\w/.-])ferry-(?:online|offline)(?= |$)[^|;&<>)`#]*", line):
        try:
            found.append(shlex.split(match.group()))
        except ValueError:
            found.append(match.group().replace('"', " ").replace("'", " ").split())
    return found


def check_words(document, text, known):
    """Holds what the text says of commands, between backticks and in blocks that are not run, against the help."""
    count = 0
    for block in blocks(document, text):
        if block.reason is None and block.kind in ("sh", "console"):
            continue
        for offset, line in enumerate(block.lines):
            for words in told(line) if block.kind == "sh" else []:
                known.check(words, block.at(offset))
                count += 1
    prose = re.sub(r"^ *```.*?^ *```", lambda found: "\n" * found.group().count("\n"), text, flags=re.S | re.M)
    for number, line in enumerate(prose.splitlines(), 1):
        for quoted in re.findall(r"`([^`]+)`", line):
            if quoted.startswith("ferry-"):
                for words in told(quoted.replace("|", " ")):
                    known.check(words, f"{document}:{number}")
                    count += 1
    return count


def check_mark(block):
    programs = REASONS.get(block.reason)
    if programs is None:
        raise Failure(f"{block.at()}: \"{block.reason}\" is no reason not to run something; there are {', '.join(REASONS)}")
    text = "\n".join(block.lines[1:])
    if not any(re.search(rf"(^|[\s(|;&]){re.escape(program)}(\s|$)", text, re.M) for program in programs):
        raise Failure(f"{block.at()}: nothing in it needs {block.reason}")
    if len([line for line in block.lines[1:] if line.strip()]) > 8:
        raise Failure(f"{block.at()}: too long a block not to be run; run what can be run in one of its own")


# The world


def samples():
    """What lies upstream: (name, version, members of package.json), with the names that documents use."""
    tool = {f"@esbuild/{platform}": {"os": [platform.split("-")[0]], "cpu": [platform.split("-")[1]]}
            for platform in ("linux-x64", "linux-arm64", "win32-x64")}
    return [
        ("loose-envify", "1.4.0", {"dependencies": {"js-tokens": "^3.0.0 || ^4.0.0"}}), ("js-tokens", "4.0.0", {}),
        ("react", "17.0.2", {"dependencies": {"loose-envify": "^1.1.0"}}), ("react", "18.3.1", {"dependencies": {"loose-envify": "^1.1.0"}}),
        ("typescript", "5.6.3", {"bin": {"tsc": "index.js"}}), ("lodash", "4.17.21", {}),
        ("left-pad", "1.3.0", {}), ("is-number", "7.0.0", {}), ("is-odd", "3.0.1", {"dependencies": {"is-number": "^7.0.0"}}),
        ("is-even", "1.0.0", {"dependencies": {"is-odd": "^3.0.0"}}), ("@types/node", "22.9.0", {}),
        *[(name, "0.24.0", members) for name, members in tool.items()],
        ("esbuild", "0.24.0", {"optionalDependencies": {name: "0.24.0" for name in tool}}),
    ]


# A project that somebody has.
LOCKFILE = {
    "name": "project", "version": "1.0.0", "lockfileVersion": 3, "packages": {
        "": {"name": "project", "version": "1.0.0", "dependencies": {"loose-envify": "^1.4.0"}},
        "node_modules/js-tokens": {"version": "4.0.0", "resolved": "https://registry.npmjs.org/js-tokens/-/js-tokens-4.0.0.tgz"},
        "node_modules/loose-envify": {"version": "1.4.0", "resolved": "https://registry.npmjs.org/loose-envify/-/loose-envify-1.4.0.tgz",
                                      "dependencies": {"js-tokens": "^3.0.0 || ^4.0.0"}},
    },
}


def publish(registry, name, version, members):
    manifest = {"name": name, "version": version, **members}
    content = [("package.json", json.dumps(manifest).encode()), ("index.js", b"module.exports = 1\n")]
    registry.publish(manifest, corpus.tarball(content))


class World:
    """Two machines and what is between them, below one directory."""

    def __init__(self, root, shows=False):
        self.root = root
        self.shows = shows
        self.side = "connected"
        self.mounts = subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "none", root], stderr=subprocess.DEVNULL).returncode == 0
        for name in ("upstream", "media/stick", "stick", "home"):
            os.makedirs(os.path.join(root, name))
        program = os.environ.get("FERRY_VERDACCIO") or os.path.join(BUILD, "loopback-registry")
        self.upstream = registries.Registry(program, os.path.join(root, "upstream"))
        for name, version, members in samples():
            publish(self.upstream, name, version, members)
        self.registries = {}
        for side in SIDES:
            for name in ("etc/ferry", "var/lib", "work/project", "srv"):
                os.makedirs(os.path.join(root, side, name))
            with open(os.path.join(root, side, "work/project/package-lock.json"), "w", encoding="utf-8") as file:
                json.dump(LOCKFILE, file)
            machine = registries.Registry(
                program, os.path.join(root, side, "etc/verdaccio"), self.upstream.url if side == "connected" else None)
            self.registries[side] = machine
            os.makedirs(os.path.join(root, side, "var/lib/verdaccio"))
            os.symlink(machine.storage, os.path.join(root, side, "var/lib/verdaccio/storage"))
        self.served = free_port()

    def close(self):
        for registry in [self.upstream, *self.registries.values()]:
            registry.stop()

    def on(self, command):
        """The machine that a block is for."""
        if "ferry-offline" in command or re.search(r"(^|\s)npm ", command):
            return "isolated"
        return "connected" if "ferry-online" in command else self.side

    def rewritten(self, command):
        """The command with paths and addresses of this world."""
        command = re.sub(r"(?<![\w./$*}-])/(etc|var/lib|var/backups|srv)(?![\w.-])", f"{self.root}/{self.side}/\\1", command)
        command = re.sub(r"(?<![\w./$*}-])/media(?![\w.-])", f"{self.root}/media", command)
        port = self.registries[self.side].url.split(":")[-1]
        command = re.sub(r"(localhost|127\.0\.0\.1):4873", f"127.0.0.1:{port}", command)
        command = re.sub(r"(localhost|127\.0\.0\.1):4880", f"127.0.0.1:{self.served}", command)
        for letter, words in (("o", "connected"), ("d", "isolated")):
            command = command.replace(f"{letter}-…", f'"$(__{words})"')
        return command.replace("--fingerprint …", '--fingerprint "$(__fingerprint)"')

    def variables(self):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("FERRY_", "npm_config_", "NPM_CONFIG_", "SUDO_"))}
        return {
            **clean, "PATH": f"{BUILD}:{os.path.join(self.root, 'bin')}:{clean['PATH']}", "HOME": os.path.join(self.root, "home"), "LC_ALL": "C.UTF-8", "USER": "ann",
            "FERRY_REGISTRY": self.registries[self.side].url, "FERRY_MEDIA_ROOTS": os.path.join(self.root, "media"),
            "FERRY_SERVE_LISTEN": f"127.0.0.1:{self.served}", "npm_config_update_notifier": "false", "npm_config_loglevel": "error",
        }

    def run(self, block):
        """Runs a block's commands; returns how many there were."""
        found = commands(block)
        self.side = self.on("\n".join(command for _, command, _, _ in found))
        kept = os.path.join(self.root, f"{self.side}.kept")
        out = tempfile.mkdtemp(prefix="block-", dir=self.root)
        script = [
            "set -o pipefail", "set -a", f"cd {self.root}/{self.side}/work", f"if [ -e {kept} ]; then . {kept}; fi",
            f"__connected() {{ ferry-online keys show --state {self.root}/connected/var/lib/ferry-online | sed -n 's/^origin //p'; }}",
            f"__isolated() {{ ferry-offline init --state {self.root}/isolated/var/lib/ferry-offline 2>/dev/null; }}",
            f"__fingerprint() {{ ferry-offline init --state {self.root}/isolated/var/lib/ferry-offline 2>&1 | sed -n 's/.*fingerprint of its key //p'; }}",
        ]
        if self.mounts:
            script += [f"mount -t tmpfs stick {self.root}/media/stick", f"cp -a {self.root}/stick/. {self.root}/media/stick/"]
        else:
            script += [f"cp -a {self.root}/stick/. {self.root}/media/stick/"]
        for number, (_, command, _, _) in enumerate(found):
            text = self.rewritten(command)
            if re.match(r"ferry-online serve\b", text):
                script += [
                    f"{{ exec {text}\n}} >{out}/{number}.out 2>{out}/{number}.err & __servers=\"$__servers $!\"",
                    f"for __try in $(seq 300); do grep -q ' serving ' {out}/{number}.err && break; sleep 0.1; done",
                    f"grep -q ' serving ' {out}/{number}.err; echo $? >{out}/{number}.code"]
            else:
                messages = "&1" if block.kind == "console" else f"{out}/{number}.err"
                script += [f"{{ {text}\n}} >{out}/{number}.out 2>{messages}", f"echo $? >{out}/{number}.code"]
        script += [
            "for __server in $__servers; do kill $__server; wait $__server; done; unset __servers",
            f"declare -px | grep -v -e ' PWD=' -e ' OLDPWD=' -e ' SHLVL=' >{kept}", f"echo \"cd '$PWD'\" >>{kept}",
            f"rm -rf {self.root}/stick; cp -a {self.root}/media/stick {self.root}/stick"]
        path = os.path.join(out, "script")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(script) + "\n")
        prefix = ["unshare", "-m"] if self.mounts else []
        with open(os.path.join(out, "said"), "wb") as said:
            try:
                subprocess.run(
                    [*prefix, "bash", path], env=self.variables(), stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                raise Failure(f"{block.at()}: the block did not end within {TIMEOUT} s") from None
        for number, (offset, command, expected, lines) in enumerate(found):
            def read(kind):
                try:
                    return open(os.path.join(out, f"{number}.{kind}"), encoding="utf-8", errors="replace").read()
                except FileNotFoundError:
                    return ""
            status, printed = read("code").strip(), read("out") + read("err")
            if self.shows:
                print(f"$ {command}\n{self.plain(printed)}", end="", flush=True)
            # Without a mount nothing can be found to be plugged in.
            seeks = not self.mounts and status == "10" and re.match(r"ferry-offline (import|verify)( -|$|\s*#)", command)
            if status != str(expected) and not seeks:
                shown = printed.replace(self.root, "…")[-2000:]
                raise Failure(f"{block.at(offset)}: ended with {status or 'nothing'}, not {expected}:\n  $ {command}\n{shown}")
            if lines is not None:
                self.compare(block, offset, lines, printed)
        shutil.rmtree(out)
        return len(found)

    def plain(self, printed):
        """What was printed, as if the world were a machine."""
        printed = printed.replace(f"{self.root}/{self.side}", "").replace(self.root, "").replace("/etc/verdaccio/storage", "/var/lib/verdaccio/storage")
        return printed.replace(f"127.0.0.1:{self.served}", "127.0.0.1:4880").replace(self.registries[self.side].url, "http://localhost:4873")

    def compare(self, block, offset, expected, printed):
        """Compares what was printed with what the document shows, by what does not differ from time to time."""
        plain = self.plain(printed)
        shown = [alike(line) for line in expected if line.strip()]
        found = [alike(line) for line in plain.splitlines() if line.strip()]
        if not fits(shown, found):
            raise Failure(f"{block.at(offset)}: the document shows other output than there is:\n" + plain[-2000:])


def alike(line):
    """A line without what is another each time."""
    for pattern, word in (
            (r"\b[odb]-[0-9a-hjkmnp-z]{20}", "ID"), (r"diff-\d{12}", "LABEL"), (r"\b\d{8}T\d{6}Z(-\d+)?", "SNAPSHOT"),
            (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"), (r"\b[0-9A-F]{13,16}\b", "KEY"), (r"\b[0-9a-f]{40,128}\b", "DIGEST"),
            (r"(RW[A-Za-z0-9+/=]{50,})", "PUBLIC"), (r"([0-9A-Fa-f]{4}[ :]){3,}[0-9A-Fa-f]{4}", "FINGERPRINT"),
            (r"\d+(\.\d+)? (B|KiB|MiB|GiB|TiB)\b", "SIZE"), (r"\b\d+(\.\d+)? ?(ms|s|seconds?|minutes?|hours?|days?)\b", "SPAN"),
            (r"127\.0\.0\.1:\d+|localhost:\d+", "ADDRESS"), (r"\b\d+\b", "N"), (r"\s+", " ")):
        line = re.sub(pattern, word, line)
    return line.strip()


def fits(shown, found):
    if not shown:
        return not found
    if shown[0] == "…":
        return any(fits(shown[1:], found[start:]) for start in range(len(found) + 1))
    return bool(found) and shown[0] == found[0] and fits(shown[1:], found[1:])


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(prog="scripts/documents", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", nargs="*", help="below the top of the tree; README.md, README.ru.md, CONTRIBUTING.md and docs/ by default")
    parser.add_argument("--list", action="store_true", help="print the documents and run nothing")
    parser.add_argument("--show", action="store_true", help="print every command with what it prints, to be put into a document")
    parser.add_argument("--keep", action="store_true", help="keep the world of a document that is not right, and say where it is")
    arguments = parser.parse_args()
    everything = [name for name in ("README.md", "README.ru.md", "CONTRIBUTING.md", "CHANGELOG.md") if os.path.exists(os.path.join(TOP, name))]
    everything += sorted(f"docs/{name}" for name in os.listdir(os.path.join(TOP, "docs")) if name.endswith(".md"))
    if arguments.list:
        print("\n".join(everything))
        return
    known, failed = Help(), False
    for document in arguments.documents or everything:
        root = tempfile.mkdtemp(prefix="ferry-documents-")
        world = None
        try:
            text = open(os.path.join(TOP, document), encoding="utf-8").read()
            mentioned = check_words(document, text, known)
            ran = left = 0
            for block in blocks(document, text):
                if block.reason is not None:
                    check_mark(block)
                    left += 1
                elif block.kind in ("sh", "console"):
                    if world is None:
                        world = World(root, arguments.show)
                        for words in CARRYING if CARRIED in text else ():
                            world.run(Block("what was carried over", "sh", 1, words.splitlines()))
                    ran += world.run(block)
            print(f"{document}: {ran} commands run, {mentioned} held against the help, {left} blocks not run", flush=True)
        except (Failure, registries.NotStarted) as failure:
            failed = True
            print(f"{failure}", file=sys.stderr, flush=True)
            if arguments.keep:
                print(f"documents: the world is {root}", file=sys.stderr)
        finally:
            if world:
                world.close()
            if not (failed and arguments.keep):
                shutil.rmtree(root, ignore_errors=True)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
