#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""voice.py TOP: texts of errors and warnings that do not speak as the others do.

One line, lower case (but for names: Slurm, variables), no full stop at the end, names in single quotes, the cause rather than "error",
"failed", "invalid", "unable" or "please". Looked for in what err_set(), err_sys(), err_aim(), err_code(), log_error(), log_warning()
and log_info() are given.
"""
import os
import re
import sys

ROOMS = ("lib", "mpi-glue", "runner", "builder", "slurm-plugin")
CALL = re.compile(r'\b(err_set|err_sys|err_aim|err_code|log_error|log_warning|log_info)\s*\(')
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
NAMES = re.compile(r"(Slurm|SOURCE_DATE_EPOCH|LD_|[A-Z][A-Z_]+)\b")
# A text of another program's, or a word that is the point of the sentence.
ALLOWED = ("%s of '%s' ends the mount server (%s): its readers get an error", "not read: another layer failed",
           "'%s save %s' failed (exit status %d)%s%s")


def texts(path):
    """(line, text) of each call: the strings of its first argument that has some, joined."""
    with open(path, encoding="utf-8") as file:
        source = file.read()
    for call in CALL.finditer(source):
        at, depth, argument, found = call.end(), 1, [], ""
        while depth > 0 and at < len(source):
            string = STRING.match(source, at)
            if string:
                argument.append(string[1])
                at = string.end()
                continue
            depth += {"(": 1, ")": -1}.get(source[at], 0)
            if (source[at] == "," and depth == 1) or depth == 0:
                if argument:
                    found = "".join(argument)
                    break
            at += 1
        if found:
            yield source.count("\n", 0, call.start()) + 1, found


def faults(text):
    if re.match(r"[A-Z]", text) and not NAMES.match(text):
        yield "begins with a capital letter"
    if text.endswith(".") and not text.endswith("..."):
        yield "ends with a full stop"
    if "\\n" in text:
        yield "is of two lines"
    if re.search(r"`|(?<!\[registry )\\\"%", text):
        yield "quotes names otherwise"
    if re.search(r"\b(error|failed|invalid|illegal|unable|could not|please|sorry)\b|!", text, re.I) and text not in ALLOWED:
        yield "does not come to the point"


def main():
    count = bad = 0
    for room in ROOMS:
        for folder, _, names in sorted(os.walk(os.path.join(sys.argv[1], room))):
            for name in sorted(names):
                if not name.endswith(".c"):
                    continue
                path = os.path.join(folder, name)
                for line, text in texts(path):
                    count += 1
                    for fault in faults(text):
                        bad += 1
                        print(f"{os.path.relpath(path, sys.argv[1])}:{line}: {fault}: {text}")
    print(f"{count} texts, {bad} faults")
    return 1 if bad or not count else 0


sys.exit(main())
