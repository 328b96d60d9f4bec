#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""treedigest.py DIR: the tree digest of an unpacked image whose owners were all 0, by doc/format.md alone."""
import hashlib
import os
import stat
import sys

TYPES = {stat.S_IFDIR: "d", stat.S_IFREG: "f", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFSOCK: "s"}
first = {}
digest = hashlib.sha256(b"firn-tree-1\n")


def text(value):
    digest.update((value if isinstance(value, bytes) else value.encode()) + b"\0")


def content(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).digest()


def tell(path, name):
    if name in (b"/.firn", b"/ch"):
        return
    info = os.lstat(path)
    text(name)
    if not stat.S_ISDIR(info.st_mode) and info.st_nlink > 1:
        if (info.st_dev, info.st_ino) in first:
            text("=")
            text(first[info.st_dev, info.st_ino])
            return
        first[info.st_dev, info.st_ino] = name
    regular = stat.S_ISREG(info.st_mode)
    xattrs = sorted(os.fsencode(x) for x in os.listxattr(path, follow_symlinks=False) if x.startswith("user."))
    text(f"{TYPES[stat.S_IFMT(info.st_mode)]} {stat.S_IMODE(info.st_mode):04o} 0 0 {int(info.st_mtime)} "
         f"{info.st_size if regular else 0} {len(xattrs)}")
    for key in xattrs:
        value = os.getxattr(path, key, follow_symlinks=False)
        text(key)
        text(str(len(value)))
        digest.update(value)
    if stat.S_ISLNK(info.st_mode):
        text(os.readlink(path))
    if regular:
        digest.update(content(path))
    if stat.S_ISDIR(info.st_mode):
        for entry in sorted(os.listdir(path)):
            tell(os.path.join(path, entry), (b"" if name == b"/" else name) + b"/" + entry)


tell(os.fsencode(sys.argv[1]), b"/")
print("sha256:" + digest.hexdigest())
