#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""tour.py: do what a page of the documentation prints, and compare.

    tour.py run PAGE WHERE [COMMAND...]
                              in the working directory, all ```console blocks for WHERE, from the top, by a bash that
                              COMMAND starts
    tour.py parse PAGE WISH   see whether firn knows the words of each command line in PAGE, the plugin those in WISH

A block is for "user" unless a comment before it says something else:

    <!-- tour: cluster -->            it is run where WHERE is "cluster"
    <!-- tour: not run, REASON -->    it is not run, and REASON is told

Lines "$ COMMAND" are commands (with "> " before lines that go on), all others are what they print, on both streams.
A line "..." stands for any lines. One shell runs a page, so that directories and variables stay. What differs from run
to run is compared by its kind: sizes, times, digests; the same digest, or number in brackets, must be the same again.
The page's user is tester (1001) at /home/tester. Result: lines "pass TEXT", "fail TEXT" or "skip TEXT # REASON"; what
was wanted and what came is told in between, with "# ".
"""
import os
import re
import shlex
import signal
import subprocess
import sys

LIMIT = 120  # seconds for one command
VERBS = ("exec", "run", "shell", "build", "pull", "verify", "cache", "inspect", "doctor")
USER, NUMBER, HOME = "tester", "1001", "/home/tester"
KINDS = [
    (r"\b\d[\d.,]*(?= (?:bytes|inodes|device nodes|of \d+|s\b|ms\b))", "N"),
    (r"\b\d[\d.,]* ?[kKMGT]i?B\b", "N B"),
    (r"\b\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?Z?)?", "DATE"),
    (r"^(firn: '\S+' is \S+), (by|an alias of) .*", r"\1"),  # what registries.conf of this machine says
    (r"\blinux/(amd64|arm64|ppc64le|riscv64)\b", "linux/CPU"),
]
# What a build says where nobody sees it redrawn, every few seconds: a busy machine has more of it.
PROGRESS = r"firn: .*\d of \d+ [kMG]?B\b"
NAMED = [r"\b[0-9a-f]{64}\b", r"(?<=\[)\d+(?=\])"]


def blocks(path):
    """(line, where or None, reason, [(command, [output])]) of each console block."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    mark, at = "user", 0
    while at < len(lines):
        comment = re.match(r"<!-- tour: (.*) -->$", lines[at])
        if comment:
            mark = comment[1]
        elif lines[at].startswith("```console"):
            start, steps = at + 1, []
            at += 1
            while not lines[at].startswith("```"):
                if lines[at].startswith("$ "):
                    steps.append((lines[at][2:], []))
                elif lines[at].startswith("> ") and not steps[-1][1]:
                    steps[-1] = (steps[-1][0] + "\n" + lines[at][2:], [])
                else:
                    steps[-1][1].append(lines[at])
                at += 1
            reason = mark.partition(", ")[2] if mark.startswith("not run") else ""
            yield start, None if reason else mark, reason, steps
            mark = "user"
        elif lines[at].strip():
            mark = "user"
        at += 1


class Sight:
    """Lines as they are compared: one for each side, for it remembers what has a name by now."""

    def __init__(self):
        self.names = {}

    def plain(self, line):
        for pattern in NAMED:
            line = re.sub(pattern, lambda found: self.names.setdefault(found[0], f"<{len(self.names)}>"), line)
        for pattern, kind in KINDS:
            line = re.sub(pattern, kind, line)
        return line.rstrip()


def own(line, home, number, name):
    """What is this machine's user as the page's."""
    line = line.replace(home, HOME)
    line = re.sub(rf"\b{number}\b", NUMBER, line)
    return re.sub(rf"(?<![\w/.-]){re.escape(name)}(?![\w/-])", USER, line)


def fits(wanted, came):
    """Whether @came is @wanted, where "..." is any number of lines, and the end of a line any end."""
    if not wanted:
        return not came
    if wanted[0] == "...":
        return any(fits(wanted[1:], came[n:]) for n in range(len(came) + 1))
    if not came:
        return False
    end = wanted[0].endswith("...")
    same = came[0].startswith(wanted[0][:-3]) if end else came[0] == wanted[0]
    return same and fits(wanted[1:], came[1:])


class Shell:
    def __init__(self, start):
        clean = {name: value for name, value in os.environ.items() if name != "OLDPWD"}
        self.process = subprocess.Popen([*start, "bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace", env=clean)
        self.user = self.run('echo "$HOME"; id -u; if id -un >/dev/null 2>&1; then id -un; else echo "${USER:-' + USER + '}"; fi')

    def run(self, command):
        mark = "~~end of output~~"
        self.process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '%s\\n' {mark!r}\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.endswith(mark + "\n"):
                if line != mark + "\n":
                    lines.append(line[:-len(mark) - 1])
                return lines
            lines.append(line.rstrip("\n"))
        return lines + ["(the shell has ended)"]


def run(path, where, *start):
    shell, expected, seen, page = Shell(start), Sight(), Sight(), os.path.basename(path)
    for start, place, reason, steps in blocks(path):
        title = f"{page}:{start}: {steps[0][0].splitlines()[0]}".replace("#", "")
        if reason and where == "user":
            print(f"skip {title} # {reason}", flush=True)
        if place != where:
            continue
        for command, output in steps:
            title = f"{page}:{start}: {command.splitlines()[0]}".replace("#", "")
            signal.alarm(LIMIT)  # its death is this program's: no result, which fails
            came = [line for line in shell.run(command) if not re.match(PROGRESS, line)]
            signal.alarm(0)
            wanted = [expected.plain(line) for line in output]
            good = fits(wanted, [seen.plain(own(line, *shell.user)) for line in came])
            print(f"{'pass' if good else 'fail'} {title}", flush=True)
            if not good:
                for name, lines in ("wanted", output), ("came", came):
                    print("\n".join(f"# {name}: {line}" for line in lines or [""]), flush=True)
    shell.process.stdin.close()
    shell.process.wait(10)


def code(path):
    """Lines of fences and what stands between backticks."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.S | re.M)
    outside = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.S | re.M)
    yield from (line for fence in fences for line in fence.replace("\\\n", " ").splitlines())
    yield from (words.replace("\\|", "|") for words in re.findall(r"`([^`\n]+)`", outside))


def answer(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)
    return done.returncode, done.stdout.strip()


def words_of_firn(line):
    """VERB and its words, of a line that runs firn, up to what the shell takes for its own; [""] of another one."""
    found = re.search(r"(?:^|[$|>] |; |&& |[A-Z]=\S+ |^mpirun .*)firn ([a-z].*)", line)
    lexer = shlex.shlex(found[1] if found else "", posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = []
    try:
        for word in lexer:
            if set(word) <= set("();<>|&"):
                break
            words.append(os.path.expandvars(re.sub("^/data:", "$PWD/data:", word)))
    except ValueError:  # a line that goes on in the next one
        pass
    return words or [""]


def parse(path, slurm):
    """Whether firn knows what the page's command lines say; @slurm is the source of the plugin's options."""
    firn, page = os.environ["FIRN"], os.path.basename(path)
    with open(slurm, encoding="utf-8") as file:
        known = {f"--{no}{name}" for name in re.findall(r'"(container-[a-z-]+)"', file.read()) for no in ("", "no-")}
    for line in dict.fromkeys(code(path)):
        for option in re.findall(r"--(?:no-)?container-[a-z-]+", line):
            if option not in known:
                print(f"fail {page}: {option} is in no list of the plugin's", flush=True)
        verb, *words = words_of_firn(line)
        if verb not in VERBS:
            continue
        if words and all(word.startswith("-") for word in words):
            _, said = answer(firn, verb, "--help")
            lost = [word for word in words if not re.search(rf"(?<![\w-]){word}(?![\w-])", said)]
            print(f"{'fail' if lost else 'pass'} {page}: {line}", flush=True)
            continue
        if verb in ("exec", "run", "shell") and words:
            words.insert(0, "--print-plan")
        elif verb not in ("inspect", "doctor"):
            words.append("--help")
        status, said = answer(firn, verb, *words)
        print(f"{'pass' if status == 0 else 'fail'} {page}: {line.strip()}".replace("#", ""), flush=True)
        if status != 0:
            print(f"# came: {said}", flush=True)


if __name__ == "__main__":
    {"run": run, "parse": parse}[sys.argv[1]](*sys.argv[2:])
