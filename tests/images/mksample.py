#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""mksample.py ROOT DIR: tar layers that are one image, and the same image flattened.

ROOT is a directory with a program in it (tests/lib.sh, make_small). Written below DIR:
base.tar (ROOT, and some MB that several threads compress), changes.tar (whiteouts, hard
links to lower files, other types), and flat.tar, in which the two are merged by hand.
"""
import os
import random
import stat
import sys

sys.dont_write_bytecode = True
from mktar import END, dir_, file, hardlink, opaque, symlink, whiteout  # noqa: E402

NOW = {"mtime": 1700000000}


def root_of(top):
    """@top as root's, with one time."""
    for folder, names, files in sorted(os.walk(top)):
        here = os.path.relpath(folder, top)
        if here != ".":
            yield dir_(here, **NOW)
        for name in sorted(files + [name for name in names if os.path.islink(os.path.join(folder, name))]):
            full, path = os.path.join(folder, name), os.path.normpath(os.path.join(here, name))
            if os.path.islink(full):
                yield symlink(path, os.readlink(full), **NOW)
                continue
            with open(full, "rb") as source:
                yield file(path, source.read(), mode=stat.S_IMODE(os.lstat(full).st_mode), **NOW)


def data():
    """Text, numbers and holes, of many sizes: whole blocks, tails, duplicates."""
    chance = random.Random(3)
    words = [bytes(chance.choices(b"abcdefghijklmnop ", k=9)) for _ in range(500)]
    for number in range(250):
        size = chance.choice([0, 100, 5000, 40000, 131072, 200000])
        kind = chance.random()
        text = b" ".join(chance.choices(words, k=size // 10)) if kind < 0.7 else \
            chance.randbytes(size) if kind < 0.9 else bytes(size)
        yield f"data/{number:03}", text.ljust(size, b".")
    for number in range(4):
        yield f"data/large{number}", b"".join(chance.choices(words, k=200000))


def main():
    base, out = list(root_of(sys.argv[1])), sys.argv[2]
    files = dict(data())
    base += [dir_("data", mode=0o1777, uid=3, **NOW), *(file(name, text, **NOW) for name, text in files.items())]
    gone = [name for name in files if name.endswith("7")]
    changes = [*(whiteout(name) for name in gone), opaque("data/none"), hardlink("linked", "data/001"),
               file("data/002", "changed", uid=70000, **NOW), dir_("data/003", **NOW), symlink("data/004", "003", **NOW),
               dir_("data", mode=0o755, xattrs={"user.note": "changed"}, **NOW)]
    left = {name: text for name, text in files.items() if name not in gone and name[-3:] not in ("002", "003", "004")}
    flat = [*base[:-len(files) - 1], dir_("data", mode=0o755, xattrs={"user.note": "changed"}, **NOW),
            *(file(name, text, **NOW) for name, text in left.items()), file("data/002", "changed", uid=70000, **NOW),
            dir_("data/003", **NOW), symlink("data/004", "003", **NOW), hardlink("linked", "data/001")]
    for name, entries in (("base", base), ("changes", changes), ("flat", flat)):
        with open(os.path.join(out, name + ".tar"), "wb") as tar:
            tar.writelines([*entries, END])


main()
