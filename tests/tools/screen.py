#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""screen.py: what a terminal shows in the end of what comes on standard input.

It knows what firn's progress uses (ECMA-48): CR, LF, CUU (A), EL (K), ED (J).
"""
import re
import sys

rows, at, column = [""], 0, 0
for part in re.findall(r"\x1b\[\d*[A-Z]|\r|\n|[^\x1b\r\n]+", sys.stdin.read()):
    if part == "\r":
        column = 0
    elif part == "\n":
        at += 1
        rows += [""] * (at + 1 - len(rows))
    elif part.startswith("\x1b["):
        if part[-1] == "A":
            at = max(0, at - int(part[2:-1] or 1))
        elif part[-1] == "K":
            rows[at] = rows[at][:column]
        elif part[-1] == "J":
            rows[at] = rows[at][:column]
            del rows[at + 1:]
    else:
        rows[at] = rows[at][:column].ljust(column) + part + rows[at][column + len(part):]
        column += len(part)
print("\n".join(rows).rstrip("\n"))
