#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""mkreal.py IMAGES: the real image of three layers, IMAGES/real.oci, from two real roots.

    layer 1     debian.dir, a minimal Debian
    layer 2     what python.dir has more, less or other: python3, numpy, scipy
    layer 3     changes: whiteouts, opaque folders, other types, hard links to lower files,
                a sparse file, attributes, odd names, 3000 small files

Layers are gzip'ed at level 6, as engines write them. Needs root, for what only root may
read. Takes a minute or two, once.
"""
import filecmp
import os
import shutil
import stat
import sys

sys.dont_write_bytecode = True
import mkoci  # noqa: E402
import mktar  # noqa: E402

KINDS = {stat.S_IFCHR: b"3", stat.S_IFBLK: b"4", stat.S_IFIFO: b"6"}


def walk(top):
    """{path: stat} of all below @top, in byte order."""
    found, todo = {}, [b""]
    while todo:
        path = todo.pop()
        found[path] = os.lstat(os.path.join(top, path))
        if stat.S_ISDIR(found[path].st_mode):
            todo += [os.path.join(path, name) for name in os.listdir(os.path.join(top, path))]
    return dict(sorted(found.items()))


def is_same(path, one, two, place_one, place_two):
    """Nothing that an image keeps differs."""
    if (one.st_mode, one.st_uid, one.st_gid) != (two.st_mode, two.st_uid, two.st_gid):
        return False
    if stat.S_ISREG(one.st_mode):
        return one.st_size == two.st_size and filecmp.cmp(place_one + b"/" + path, place_two + b"/" + path, False)
    if stat.S_ISLNK(one.st_mode):
        return os.readlink(place_one + b"/" + path) == os.readlink(place_two + b"/" + path)
    return True


def file_blocks(full, size):
    left = size
    with open(full, "rb") as source:
        while chunk := source.read(1 << 20):
            left -= len(chunk)
            yield chunk
    if left:
        raise SystemExit(f"{full} changed while it was read")
    yield bytes(-size % mktar.BLOCK)


def entries(top, chosen):
    """The entries of @chosen, {path: stat}, as a stream."""
    links = {}
    for path, found in chosen.items():
        full, name = os.path.join(top, path), b"./" + path
        fields = {"mode": stat.S_IMODE(found.st_mode), "uid": found.st_uid, "gid": found.st_gid,
                  "mtime": int(found.st_mtime)}
        kind = stat.S_IFMT(found.st_mode)
        if kind == stat.S_IFDIR:
            yield mktar.dir_(name, **fields)
        elif kind == stat.S_IFLNK:
            yield mktar.symlink(name, os.readlink(full), **fields)
        elif kind in KINDS:
            yield mktar.node(name, KINDS[kind], os.major(found.st_rdev), os.minor(found.st_rdev), **fields)
        elif (found.st_dev, found.st_ino) in links:
            yield mktar.hardlink(name, links[found.st_dev, found.st_ino], **fields)
        elif kind == stat.S_IFREG:
            if found.st_nlink > 1:
                links[found.st_dev, found.st_ino] = name
            xattrs = {attr: os.getxattr(full, attr) for attr in os.listxattr(full)}
            yield mktar.entry(name, xattrs=xattrs, size=found.st_size, **fields)
            yield from file_blocks(full, found.st_size)


def second(lower, upper):
    """What makes @upper of @lower."""
    below, above = walk(lower), walk(upper)
    for path in below:
        if path not in above and os.path.dirname(path) in above:
            yield mktar.whiteout(b"./" + path)
    yield from entries(upper, {path: found for path, found in above.items()
                               if path not in below or not is_same(path, below[path], found, lower, upper)})
    yield mktar.END


def first(lower):
    yield from entries(lower, walk(lower))
    yield mktar.END


def third():
    """Odd and ordinary changes; all that it names is in every Debian."""
    file, dir_, whiteout, opaque = mktar.file, mktar.dir_, mktar.whiteout, mktar.opaque
    now = {"mtime": 1700000000}
    stored = b"".join(b"%d" % n * 4096 for n in range(6))
    yield from (opaque("usr/share/doc"), file("usr/share/doc/README", "documents are left out\n", **now),
                dir_("usr/share/man", mode=0o755, **now), opaque("usr/share/man"))
    yield from (whiteout("usr/share/" + name) for name in ("info", "lintian", "bug", "common-licenses"))
    yield from (whiteout("usr/bin/" + name) for name in ("wall", "mesg", "chage", "expiry", "faillog", "lastlog"))
    yield from (file("opt", "a file where a folder was\n", **now), dir_("etc/mtab", **now),
                file("etc/mtab/x", "a folder where a symlink may be\n", **now))
    yield from (mktar.hardlink("usr/bin/also-cat", "usr/bin/cat"), mktar.hardlink("usr/bin/was-ls", "usr/bin/ls"),
                file("usr/bin/ls", "#!/bin/sh\nexec was-ls \"$@\"\n", mode=0o755, **now))
    yield from (dir_("data", mode=0o1777, **now), file("data/owned", "x", uid=70000, gid=70000, mode=0o4755, **now),
                file("data/attributes", "x", xattrs={"user.colour": "blue", "user.binary": b"\0\1\2"}, **now),
                mktar.sparse_10("data/sparse", 50 << 20, [(n << 23, 4096) for n in range(6)], stored, **now),
                file("data/new\nline", "x", **now), file(b"data/\xff\xfe", "x", **now), file("data/" + "n" * 255, "x", **now),
                mktar.symlink("data/long", "t" * 800, **now), mktar.node("data/fifo", b"6", **now))
    yield dir_("data/many", **now)
    yield from (file(f"data/many/{n}", f"number {n}\n" * (n % 50), **now) for n in range(3000))
    yield mktar.END


def main():
    images = os.fsencode(sys.argv[1])
    lower, upper, out = (os.path.join(images, name) for name in (b"debian.dir", b"python.dir", b"real.oci"))
    part = os.fsdecode(out) + ".part"
    shutil.rmtree(part, ignore_errors=True)
    mkoci.write_layout(part, mkoci.Image([mkoci.Layer(first(lower)), mkoci.Layer(second(lower, upper)),
                                          mkoci.Layer(third())], platform="linux/amd64"))
    os.rename(part, out)


main()
