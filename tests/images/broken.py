#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""broken.py: images that are broken in one way each, by name.

    broken.py list                 the names
    broken.py list unlike          those that other readers show otherwise than firn does
    broken.py make NAME GOOD OUT   damage GOOD, a squashfs made with
                                   -noI -noF -noX (metadata stored as it is) so

Where things are: fs/squashfs/squashfs_fs.h of Linux.
"""
import os
import struct
import subprocess
import sys

U64 = "<Q"


class Image:
    """A squashfs in memory, with uncompressed metadata."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.inodes, self.directories = self.get(64, U64), self.get(72, U64)
        self.fragments, self.ids, self.xattrs = self.get(80, U64), self.get(48, U64), self.get(56, U64)

    def get(self, at, form):
        return struct.unpack_from(form, self.data, at)[0]

    def put(self, at, form, *values):
        struct.pack_into(form, self.data, at, *values)

    def each_inode(self):
        """(offset in file, type) of each inode of the first inode block."""
        at, end = self.inodes + 2, self.inodes + 2 + (self.get(self.inodes, "<H") & 0x7FFF)
        block = self.get(12, "<I")
        while at + 16 <= end:
            kind = self.get(at, "<H")
            size = {1: 32, 3: 24, 4: 24, 5: 24, 6: 20, 7: 20}.get(kind, 0)
            if kind == 2:
                bytes_, fragment = self.get(at + 28, "<I"), self.get(at + 20, "<I")
                size = 32 + 4 * (bytes_ // block + (fragment == 0xFFFFFFFF and bytes_ % block > 0))
            if kind == 3:
                size += self.get(at + 20, "<I")
            if kind == 8:
                return
            if kind == 9:
                bytes_, fragment = self.get(at + 24, U64), self.get(at + 44, "<I")
                size = 56 + 4 * (bytes_ // block + (fragment == 0xFFFFFFFF and bytes_ % block > 0))
            if size == 0:
                return
            yield at, kind
            at += size

    def each_entry(self):
        """(offset in file, number in its header, inode number) of each entry of the first block of listings."""
        at = self.directories + 2
        end = at + (self.get(self.directories, "<H") & 0x7FFF)
        while at < end:
            count, base = self.get(at, "<I") + 1, self.get(at + 8, "<I")
            at += 12
            for _ in range(count):
                yield at, base, base + self.get(at + 2, "<h")
                at += 9 + self.get(at + 6, "<H")

    def inode(self, kind):
        return next(at for at, what in self.each_inode() if what == kind)

    def big(self):
        """The largest file: of several blocks, and no program."""
        return max((at for at, what in self.each_inode() if what == 2), key=lambda at: self.get(at + 28, "<I"))

    def small(self):
        """A file that is a fragment only."""
        return next(at for at, what in self.each_inode()
                    if what == 2 and self.get(at + 20, "<I") != 0xFFFFFFFF and self.get(at + 28, "<I") > 0)

    def root(self):
        ref = self.get(32, U64)
        return self.inodes + (ref >> 16) + 2 + (ref & 0xFFFF)

    def listing(self):
        """The root directory's first header."""
        return self.directories + self.get(self.root() + 16, "<I") + 2 + self.get(self.root() + 26, "<H")


def super_(at, form, value):
    return lambda image: image.put(at, form, value)


def inode(kind, at, form, value):
    return lambda image: image.put(image.inode(kind) + at, form, value)


def root(at, form, value):
    return lambda image: image.put(image.root() + at, form, value)


def listing(at, form, value):
    return lambda image: image.put(image.listing() + at, form, value)


def of(where, at, form, value):
    return lambda image: image.put(getattr(image, where)() + at, form, value)


def table(name, form, value, at=0):
    return lambda image: image.put(getattr(image, name) + at, form, value)


def cut(size):
    def run(image):
        del image.data[size if size >= 0 else len(image.data) + size:]
    return run


def fill(start, end, byte):
    def run(image):
        first = start(image) if callable(start) else start
        last = end(image) if callable(end) else end
        image.data[first:last] = bytes([byte]) * (last - first)
    return run


def whole(data):
    def run(image):
        image.data[:] = data
    return run


def own_parent(image):
    """The root lists itself."""
    first = image.listing()
    ref = image.get(32, U64)
    image.put(first + 4, "<I", ref >> 16)
    image.put(first + 12, "<H", ref & 0xFFFF)
    image.put(first + 16, "<H", 1)


def name(data):
    def run(image):
        first = image.listing() + 12
        size = image.get(first + 6, "<H") + 1
        image.data[first + 8:first + 8 + size] = data[:size].ljust(size, b"x")
    return run


def late(image):
    """The third block of the large file is no zstd."""
    at = image.big()
    sizes = [image.get(at + 32 + 4 * n, "<I") & 0xFFFFFF for n in range(3)]
    start = image.get(at + 16, "<I") + sizes[0] + sizes[1]
    image.data[start:start + sizes[2]] = bytes(sizes[2])


KINDS = {
    "empty": whole(b""),
    "one-byte": whole(b"h"),
    "magic-only": cut(4),
    "half-super": cut(48),
    "super-only": cut(96),
    "text": whole(b"this is no image\n" * 200),
    "zeros": whole(bytes(1 << 20)),
    "elf": whole(b"\x7fELF" + bytes(4000)),
    "gzip": whole(b"\x1f\x8b\x08" + bytes(4000)),
    "big-endian": whole(b"sqsh" + bytes(4000)),
    "version-3": super_(28, "<H", 3),
    "version-4.1": super_(30, "<H", 1),
    "compression-0": super_(20, "<H", 0),
    "compression-lzma": super_(20, "<H", 2),
    "compression-lzo": super_(20, "<H", 3),
    "compression-99": super_(20, "<H", 99),
    "compression-other": super_(20, "<H", 4),
    "block-size-0": super_(12, "<I", 0),
    "block-size-odd": super_(12, "<I", 131073),
    "block-size-2G": super_(12, "<I", 1 << 31),
    "block-log-40": super_(22, "<H", 40),
    "no-inodes": super_(0x4, "<I", 0),
    "no-ids": super_(26, "<H", 0),
    "bytes-used-0": super_(40, U64, 0),
    "bytes-used-huge": super_(40, U64, 1 << 62),
    "bytes-used-max": super_(40, U64, (1 << 64) - 1),
    "root-outside": super_(32, U64, 1 << 40),
    "root-max": super_(32, U64, (1 << 64) - 1),
    "root-offset": lambda i: i.put(32, U64, i.get(32, U64) | 0xFFFF),
    "root-is-a-file": lambda i: i.put(32, U64, i.inode(2) - i.inodes - 2),
    "inode-table-outside": super_(64, U64, 1 << 50),
    "inode-table-max": super_(64, U64, (1 << 64) - 1),
    "inode-table-zero": super_(64, U64, 0),
    "tables-swapped": lambda i: (i.put(64, U64, i.directories), i.put(72, U64, i.inodes)),
    "directory-table-outside": super_(72, U64, 1 << 50),
    "fragment-table-outside": super_(80, U64, (1 << 64) - 2),
    "id-table-outside": super_(48, U64, (1 << 64) - 9),
    "id-table-pointer": table("ids", U64, 1 << 60),
    "xattr-table-outside": super_(56, U64, (1 << 64) - 17),
    "fragments-4G": super_(16, "<I", (1 << 32) - 1),
    "truncated-half": lambda i: cut(len(i.data) // 2)(i),
    "truncated-4096": cut(-4096),
    "metadata-length-0": table("inodes", "<H", 0),
    "metadata-length-32K": table("inodes", "<H", 0x7FFF),
    "metadata-garbage": lambda i: i.put(i.inodes, "<H", i.get(i.inodes, "<H") & 0x7FFF),
    "inode-type-0": root(0, "<H", 0),
    "inode-type-99": root(0, "<H", 99),
    "all-inodes-zero": fill(lambda i: i.inodes + 2, lambda i: i.inodes + 200, 0),
    "all-inodes-ff": fill(lambda i: i.inodes + 2, lambda i: i.inodes + 200, 255),
    "owner-outside": root(4, "<H", 0xFFFF),
    "directory-start-outside": root(16, "<I", 0xFFFFFFF0),
    "directory-offset-outside": root(26, "<H", 0xFFFF),
    "directory-size-64K": root(24, "<H", 0xFFFF),
    "directory-size-0": root(24, "<H", 0),
    "directory-size-4": root(24, "<H", 4),
    "entry-count-4G": listing(0, "<I", 0xFFFFFFFF),
    "entry-count-257": listing(0, "<I", 256),
    "entry-inode-outside": listing(4, "<I", 0xFFFFFFF0),
    "entry-offset-outside": listing(12, "<H", 0xFFFF),
    "entry-type-0": listing(16, "<H", 0),
    "entry-type-9": listing(16, "<H", 9),
    "entry-name-64K": listing(18, "<H", 0xFFFF),
    "entry-name-slash": name(b"a/b/c"),
    "entry-name-nul": name(b"a\0b"),
    "entry-name-dotdot": name(b".."),
    "directory-in-itself": own_parent,
    "listing-ff": fill(lambda i: i.directories + 2, lambda i: i.directories + 300, 255),
    "file-size-4G": of("big", 28, "<I", 0xFFFFFFFF),
    "file-start-outside": of("big", 16, "<I", 0xFFFFFFF0),
    "block-length-too-large": of("big", 32, "<I", 0x00FFFFFF),
    "block-length-short": of("big", 32, "<I", 3),
    "block-length-raw": of("big", 32, "<I", 0x01000010),
    "fragment-outside": of("small", 20, "<I", 0xFFFF),
    "fragment-offset-outside": of("small", 24, "<I", 0xFFFFFFF0),
    "fragment-entry": lambda i: i.put(i.get(i.fragments, U64) + 2, U64, 1 << 60),
    "fragment-length": lambda i: i.put(i.get(i.fragments, U64) + 2 + 8, "<I", 0xFFFFFF),
    "link-size-4G": inode(3, 20, "<I", 0xFFFFFFFF),
    "link-size-0": inode(3, 20, "<I", 0),
    "data-late": late,
    "data-garbage": fill(96, 4096, 0x5A),
}


def sif(what):
    def run(good, out):
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run([sys.executable, os.path.join(here, "mksif.py"), good, out, what], check=True)
    return run


def twins(image):
    """Two small files with one inode number, in their inodes and in their directory."""
    first, second = [at for at in (at for at, what in image.each_inode() if what == 2)][:2]
    old, new = image.get(second + 12, "<I"), image.get(first + 12, "<I")
    image.put(second + 12, "<I", new)
    for at, base, number in image.each_entry():
        if number == old:
            image.put(at + 2, "<h", new - base)


def entry(at, form, change):
    """Change a field of the first directory entry that leads to a file."""
    def run(image):
        where = next(where for where, base, number in image.each_entry() if image.get(where + 4, "<H") == 2)
        image.put(where + at, form, change(image.get(where + at, form)))
    return run


def more(kind, at, form="<I"):
    return lambda image: image.put(image.inode(kind) + at, form, image.get(image.inode(kind) + at, form) + 1)


# What firn's mount server does not need to know, and the kernel's squashfs goes by.
UNLIKE = {
    "number-shared": twins,
    "number-outside": inode(2, 12, "<I", 1 << 20),
    "number-in-listing": entry(2, "<h", lambda old: old + 1),
    "type-in-listing": entry(4, "<H", lambda old: 7),
    "mode-socket": inode(2, 2, "<H", 0o140644),
    "mode-of-directory": inode(1, 2, "<H", 0o100755),
    "parent": more(1, 28),
    "links-of-directory": more(1, 20),
    "count-of-inodes": lambda i: i.put(4, "<I", i.get(4, "<I") + 1),
    "count-of-fragments": lambda i: i.put(16, "<I", i.get(16, "<I") + 1),
    "count-of-ids": lambda i: i.put(26, "<H", i.get(26, "<H") + 1),
    "bytes-used-less": lambda i: i.put(40, U64, i.get(40, U64) - 8),
    "bytes-used-more": lambda i: (i.put(40, U64, i.get(40, U64) + 1), i.data.extend(bytes(8))),
    "id-table-earlier": lambda i: i.put(48, U64, i.ids - 8),
    "fragment-table-earlier": lambda i: i.put(80, U64, i.fragments - 16),
    "export-table-gone": super_(88, U64, (1 << 64) - 1),
    "export-table-earlier": lambda i: i.put(88, U64, i.get(88, U64) - 8),
    "export-of-another": lambda i: i.put(i.get(i.get(88, U64), U64) + 2, U64, i.get(32, U64)),
    "flags-unknown": lambda i: i.put(24, "<H", i.get(24, "<H") | 0x8000),
    "flags-no-fragments": lambda i: i.put(24, "<H", i.get(24, "<H") | 0x10),
    "flags-options": lambda i: i.put(24, "<H", i.get(24, "<H") ^ 0x400),
    "links-of-symlink": more(3, 16),
}


SIFS = {f"sif-{what}": sif(what) for what in ("outside", "overflow", "nopart", "ext3", "table")}


def main():
    if sys.argv[1] == "list":
        print("\n".join(UNLIKE if sys.argv[2:] == ["unlike"] else [*KINDS, *SIFS, "sif-truncated"]))
        return
    kind, good, out = sys.argv[2:5]
    if kind in SIFS:
        SIFS[kind](good, out)
        return
    if kind == "sif-truncated":
        sif("")(good, out)
        os.truncate(out, 5000)
        return
    with open(good, "rb") as file:
        image = Image(file.read())
    {**KINDS, **UNLIKE}[kind](image)
    with open(out, "wb") as file:
        file.write(image.data)


main()
