#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""picture.py >doc/picture.svg: one run of firn as a picture, for README.md.

All text stands on a fill of its own and the lines are of a middle grey, so that it can be read on white and on black.
"""
WIDTH, HEIGHT = 860, 400
LINE, INK = "#7d8590", "#1c2128"
FILLS = {"user": "#dbe9f4", "server": "#fbe3c0", "file": "#d9ead3", "kernel": "#e4e4e7", "word": "#f4f4f5"}
parts = []


def text(x, y, words, size=12, anchor="middle", weight="normal"):
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    parts.append(f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" fill="{INK}">{words}</text>')


def box(x, y, width, height, kind, title, *lines):
    parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="7" fill="{FILLS[kind]}" stroke="{LINE}"/>')
    top = y + height / 2 - 8.5 * len(lines) + 5
    text(x + width / 2, top, title, 15, weight="bold")
    for row, line in enumerate(lines):
        text(x + width / 2, top + 19 + 17 * row, line)


def arrow(points, *label, at=None):
    """@label stands at @at, on a ground of its own."""
    path = " ".join(f"{x},{y}" for x, y in points)
    parts.append(f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2" marker-end="url(#head)"/>')
    if label:
        width, x, y = 7 * max(map(len, label)) + 12, *at
        parts.append(f'<rect x="{x - width / 2}" y="{y - 14}" width="{width}" height="{16 * len(label) + 5}" rx="4" fill="{FILLS["word"]}"/>')
        for row, line in enumerate(label):
            text(x, y + 16 * row, line, 12)


box(20, 20, 200, 64, "word", "you type", "firn exec app.sqfs solver")
box(320, 20, 220, 64, "user", "firn", "one static program: plans,", "mounts, becomes the program")
box(620, 20, 220, 64, "user", "solver", "same process number, terminal,", "signals, limits, exit status")
arrow([(220, 52), (316, 52)])
arrow([(540, 52), (616, 52)], "exec", at=(576, 57))

parts.append(f'<rect x="560" y="128" width="280" height="150" rx="7" fill="{FILLS["user"]}" stroke="{LINE}" stroke-dasharray="6 4"/>')
text(700, 152, "what solver sees", 15, weight="bold")
text(700, 176, "/            the image, read-only")
text(700, 196, "home, working directory, /tmp: the host's")
text(700, 216, "/dev /proc /sys, network: the host's")
text(700, 236, "no capability, no setuid, no way")
text(700, 254, "to the host's old root")
arrow([(740, 84), (740, 124)])

box(275, 150, 205, 106, "kernel", "Linux", "user and mount namespace,", "FUSE, page cache: what was", "read once is not asked again")
arrow([(556, 203), (484, 203)], "open, read", at=(520, 182))
box(20, 300, 190, 74, "file", "app.sqfs", "one file, plain squashfs,", "tells what it was built from")
box(320, 300, 200, 74, "server", "firn-server", "reads the image, in a cage:", "17 system calls, no open()")
box(600, 300, 240, 74, "server", "firn-keeper", "lets other ranks in, starts a new", "server; ends with the last process")
arrow([(395, 256), (395, 296)], "/dev/fuse", at=(395, 281))
arrow([(320, 337), (214, 337)], "pread", at=(266, 342))
arrow([(600, 337), (524, 337)], "starts", at=(561, 342))
box(20, 150, 205, 106, "user", "other ranks", "mpirun, srun: they enter the", "same namespaces and share", "one mount and its cache")
arrow([(225, 203), (271, 203)])

print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
      'font-family="sans-serif" role="img" aria-label="firn mounts an image through a server of its own and becomes the program">')
print(f'<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
      f'<path d="M0,0 L10,5 L0,10 z" fill="{LINE}"/></marker></defs>')
print("\n".join(parts))
print("</svg>")
