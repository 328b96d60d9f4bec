#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""typed.py KEYS TEXT COMMAND...: start COMMAND (a shell) on a terminal, type KEYS when it is ready (it prints
READY), and wait until TEXT is on the screen: at most ten seconds. "\\t" in KEYS is the tabulator.
"""
import os
import pty
import re
import select
import sys
import time

keys, text, command = sys.argv[1].replace("\\t", "\t"), sys.argv[2], sys.argv[3:]
child, fd = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(command[0], command)
said, typed, until = "", False, time.monotonic() + 10
while time.monotonic() < until:
    if not select.select([fd], [], [], 0.2)[0]:
        continue
    try:
        said += os.read(fd, 65536).decode(errors="replace")
    except OSError:
        break
    plain = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()=>].?)", "", said)
    if not typed and "READY" in plain:
        os.write(fd, keys.encode())
        typed, said = True, ""
    elif typed and text in plain:
        os.kill(child, 9)
        sys.exit(0)
print(repr(said))
os.kill(child, 9)
sys.exit(1)
