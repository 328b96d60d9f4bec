#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""screen.py [COLUMNSxROWS [COMMAND...]]: what a terminal shows in the end of what comes on standard input,
or of what COMMAND says on a terminal of that size; then, on a line of its own, how many lines were
pushed out at the top. Without a size the terminal is endless.

It knows what firn's progress uses (ECMA-48): CR, LF, CUU (A), EL (K), ED (J).
"""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios


def output_of(command, columns, lines):
    """What @command says on its terminal."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    child = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, close_fds=True,
                             env=dict(os.environ, TERM="xterm"))
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    child.wait()
    return said.decode(errors="replace")


columns, lines = map(int, sys.argv[1].split("x")) if len(sys.argv) > 1 else (1 << 30, 1 << 30)
said = output_of(sys.argv[2:], columns, lines) if len(sys.argv) > 2 else sys.stdin.read()
rows, at, column, scrolled = [""], 0, 0, 0


def feed():
    global at, scrolled
    at += 1
    if at == lines:
        rows.pop(0)
        at, scrolled = lines - 1, scrolled + 1
    rows.extend([""] * (at + 1 - len(rows)))


for part in re.findall(r"\x1b\[\d*[A-Z]|\r|\n|[^\x1b\r\n]", said):
    if part == "\r":
        column = 0
    elif part == "\n":
        feed()
    elif part.startswith("\x1b["):
        if part[-1] == "A":
            at = max(0, at - int(part[2:-1] or 1))
        elif part[-1] == "K":
            rows[at] = rows[at][:column]
        elif part[-1] == "J":
            rows[at] = rows[at][:column]
            del rows[at + 1:]
    else:
        if column == columns:
            feed()
            column = 0
        rows[at] = rows[at][:column].ljust(column) + part + rows[at][column + 1:]
        column += 1
print("\n".join(rows).rstrip("\n"))
if len(sys.argv) > 1:
    print(f"scrolled {scrolled}")
