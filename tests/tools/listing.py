# SPDX-License-Identifier: LGPL-3.0-or-later
"""listing.py: what is in a squashfs (by sqfs2tar) or in a directory, to be compared.

A listing maps paths (bytes, no slash in front; b"" is the root) to Entry. Programs that
know nothing of firn do the reading, so that a fault of firn's cannot hide itself.
"""
import hashlib
import os
import stat
import subprocess
import tarfile
from collections import namedtuple

# kind: file, dir, link, fifo, char, block; links: all names of a file, sorted, where it has several
Entry = namedtuple("Entry", "kind mode uid gid mtime target xattrs size digest links")

# What firn adds where an image lacks it, so that any runner can mount over it.
POINTS = {b"dev", b"proc", b"sys", b"tmp", b"run", b"home", b"mnt", b"etc/hosts", b"etc/resolv.conf",
          b"etc/passwd", b"etc/group", b"ch", b"ch/environment"}
KINDS = {tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "link", tarfile.FIFOTYPE: "fifo", tarfile.CHRTYPE: "char",
         tarfile.BLKTYPE: "block"}


def raw(text):
    return text.encode("utf-8", "surrogateescape")


def tidy(name):
    path = raw(name).strip(b"/")
    return b"" if path == b"." else path.removeprefix(b"./")


def is_point(path):
    return path in POINTS or path.split(b"/")[0] == b".firn"


def digest_of(file):
    return hashlib.sha256(file.read()).hexdigest()


def with_links(entries, same):
    """Tell each file that has several names all of them. @same: name -> key of its inode."""
    names = {}
    for path, key in same.items():
        names.setdefault(key, []).append(path)
    for group in names.values():
        if len(group) > 1:
            for path in group:
                entries[path] = entries[path]._replace(links=tuple(sorted(group)))
    return entries


def read_tar(stream):
    entries, same = {}, {}
    with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as tar:
        for member in tar:
            path = tidy(member.name)
            if member.islnk():
                first = tidy(member.linkname)
                same[path] = same[first]
                entries[path] = entries[first]
                continue
            kind = KINDS.get(member.type, "file")
            xattrs = {raw(key[13:]): raw(value) for key, value in member.pax_headers.items()
                      if key.startswith("SCHILY.xattr.")}
            entries[path] = Entry(
                kind, member.mode & 0o7777, member.uid, member.gid, int(member.mtime),
                raw(member.linkname) if kind == "link" else None, xattrs, member.size if kind == "file" else 0,
                digest_of(tar.extractfile(member)) if kind == "file" else None, ())
            if kind != "dir":
                same[path] = path
    return with_links(entries, same)


def read_squashfs(path):
    """All of an image, its root too."""
    with subprocess.Popen(["sqfs2tar", "--root-becomes", ".", path], stdout=subprocess.PIPE) as process:
        entries = read_tar(process.stdout)
    if process.returncode != 0:
        raise SystemExit(f"sqfs2tar cannot read {path}")
    return entries


def owner_of(xattrs, found, rootless):
    """Where umoci could not chown, it wrote the owner down unless it is 0:0: a protocol buffer of two varints."""
    data = xattrs.pop(b"user.rootlesscontainers", None)
    if data is None:
        return (0, 0) if rootless else (found.st_uid, found.st_gid)
    fields, at = {1: 0, 2: 0}, 0
    while at < len(data):
        key, at, value, shift = data[at] >> 3, at + 1, 0, 0
        while True:
            value |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 0x80:
                break
        fields[key] = value
    nobody = 2**32 - 1      # written for "no owner noted"
    return tuple(0 if fields[n] == nobody else fields[n] for n in (1, 2))


def read_entry(path, rootless):
    found = os.lstat(path)
    kind = {stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo", stat.S_IFCHR: "char",
            stat.S_IFBLK: "block", stat.S_IFREG: "file"}[stat.S_IFMT(found.st_mode)]
    names = os.listxattr(path, follow_symlinks=False)
    xattrs = {raw(name): os.getxattr(path, name, follow_symlinks=False) for name in names}
    uid, gid = owner_of(xattrs, found, rootless)
    digest = None
    if kind == "file":
        with open(path, "rb") as file:
            digest = digest_of(file)
    return found, Entry(kind, stat.S_IMODE(found.st_mode), uid, gid, int(found.st_mtime // 1),
                        os.readlink(path) if kind == "link" else None, xattrs,
                        found.st_size if kind == "file" else 0, digest, ())


def read_directory(top):
    """A tree on disk. Where it is a user's, owners are those that umoci noted; folders are opened on the way."""
    entries, same, todo, closed = {}, {}, [b""], []
    top = os.fsencode(top)
    rootless = os.lstat(top).st_uid != 0
    while todo:
        path = todo.pop()
        full = os.path.join(top, path) if path else top
        mode = os.lstat(full).st_mode
        if not stat.S_ISLNK(mode) and not os.access(full, os.R_OK | os.X_OK * stat.S_ISDIR(mode)):
            os.chmod(full, 0o700)
            closed.append((full, stat.S_IMODE(mode)))
        found, entries[path] = read_entry(full, rootless)
        entries[path] = entries[path]._replace(mode=stat.S_IMODE(mode))
        if entries[path].kind == "dir":
            todo += [os.path.join(path, name) for name in os.listdir(full)]
        else:
            same[path] = found.st_ino
    for full, mode in reversed(closed):
        os.chmod(full, mode)
    return with_links(entries, same)


def differences(wanted, found, skip=lambda path: False, ignored=lambda path, entry: ()):
    """Lines that tell how two listings differ; none where they do not."""
    lines = []
    for path in sorted(set(wanted) | set(found)):
        if skip(path):
            continue
        if path not in found or path not in wanted:
            lines.append(f"{path!r} is {'missing' if path in wanted else 'too much'}")
            continue
        for field in Entry._fields:
            want, got = getattr(wanted[path], field), getattr(found[path], field)
            if want != got and field not in ignored(path, wanted[path]):
                lines.append(f"{path!r}: {field} is {got!r}, not {want!r}")
    return lines
