# SPDX-License-Identifier: LGPL-3.0-or-later
"""stacks_bombs.py: small files that unpack to huge ones, to be refused in little memory (mklayers.py).

They are written as streams, from pieces that repeat, in a few seconds.
"""
import mkoci
from mkoci import Layer
from mktar import BLOCK, END, entry, file, header, symlink

GIB = 1 << 30
NO_ID = "sha256:" + "0" * 64            # what they unpack to is too long to be hashed here


def gzip_gib():
    """One GiB of zeros as a gzip member: 1 MB."""
    return b"".join(mkoci.gzip_one((bytes(1 << 20) for _ in range(1024)), 9))


def gzip_bomb(gib):
    def make():
        yield b"".join(mkoci.gzip_one([header(name="bomb", size=gib * GIB)]))
        member = gzip_gib()
        for _ in range(gib):
            yield member
        yield b"".join(mkoci.gzip_one([END]))
    return make()


def zstd_run(size):
    """@size zeros, a multiple of 128 KiB, as blocks of four bytes."""
    return mkoci.zstd_run(0, 1 << 17) * (size >> 17)


def zstd_bomb(gib):
    yield mkoci.zstd_header() + mkoci.zstd_block(header(name="bomb", size=gib * GIB))
    for _ in range(gib):
        yield zstd_run(GIB)
    yield mkoci.zstd_block(END, True)


def zstd_giant(head, size, byte=0x61):
    """A header of @head that is followed by @size times one byte."""
    yield mkoci.zstd_header() + mkoci.zstd_block(head)
    yield mkoci.zstd_run(byte, 1 << 17) * (size >> 17)
    yield mkoci.zstd_block(file("x") + END, True)


def many(count):
    """@count empty files. A number and its nines' complement have the same sum for every number, so
    that all headers have one checksum and differ in the name only."""
    head = header(name=b"00000000" + b"99999999")
    rest, top = head[16:], 10**8 - 1
    for start in range(0, count, 10000):
        yield b"".join(b"%08d%08d" % (n, top - n) + rest for n in range(start, min(start + 10000, count)))
    yield END


def lone(packed, words="layer 1"):
    def run(place):
        mkoci.write_layout(place + "/oci", mkoci.Image([Layer(packed=packed(), diff_id=NO_ID)]))
        return f"oci:{place}/oci"
    return run, words


def many_entries(place):
    """Through the zstd program at its quickest: 1.5 GB of headers."""
    layer = Layer(packed=mkoci.zstd_one(many(3000000), "-1"), diff_id=NO_ID)
    mkoci.write_layout(place + "/oci", mkoci.Image([layer]))
    return f"oci:{place}/oci"


def many_members(count):
    """An empty gzip member, over and over: work without result."""
    yield b"".join(mkoci.gzip_one([file("a")]))
    empty = b"".join(mkoci.gzip_one([b""])) * 1000
    for _ in range(count // 1000):
        yield empty
    yield b"text"


def deep_names(count):
    """Each entry has 2000 folders of its own."""
    return b"".join(file(f"{number}/" + "d/" * 1990 + "a") for number in range(count)) + END


def gzip_archive(place):
    """Not a layer, but the archive with the image in it."""
    with open(place + "/bomb.tar.gz", "wb") as out:
        out.writelines(gzip_bomb(2))
    return f"oci-archive:{place}/bomb.tar.gz"


def repeated(one, times):
    """The same entries over and over, each a gzip member: what is kept in memory of them adds up."""
    def packed():
        member = b"".join(mkoci.gzip_one([one], 9))
        for _ in range(times):
            yield member
        yield b"".join(mkoci.gzip_one([END]))
    return lone(packed)


STACKS = {
    "bomb-gzip": lone(lambda: gzip_bomb(64)),
    "bomb-zstd": lone(lambda: zstd_bomb(512)),
    "bomb-pax": lone(lambda: zstd_giant(header(name="PaxHeaders", kind=b"x", size=GIB), GIB)),
    "bomb-pax-global": lone(lambda: zstd_giant(header(name="PaxHeaders", kind=b"g", size=GIB), GIB)),
    "bomb-pax-value": lone(lambda: zstd_giant(header(name="PaxHeaders", kind=b"x", size=GIB + BLOCK) +
                                              (b"%d comment=" % (GIB + BLOCK)).ljust(BLOCK, b"x"), GIB)),
    "bomb-gnu-name": lone(lambda: zstd_giant(header(name="././@LongLink", kind=b"L", size=GIB), GIB)),
    "bomb-entries": (many_entries, "layer 1"),
    "bomb-xattrs": repeated(entry("a", xattrs={f"user.{n}": b"x" * 60000 for n in range(17)}), 3000),
    "bomb-sparse-maps": repeated(entry("a", records=[("GNU.sparse.size", "0"), ("GNU.sparse.map", "0,0," * 131000 + "0,0")]), 3000),
    "bomb-targets": repeated(symlink("a", "t" * 4000) * 1000, 500),
    "bomb-paths": repeated(file("d/" * 2000 + "a") * 1000, 500),
    "bomb-names": ([deep_names(1000)], "layer 1|max-entries|max-memory"),
    "bomb-xattr-names": repeated(entry("a", xattrs={f"user.{n:04}": b"" for n in range(4000)}), 3000),
    "bomb-archive": (gzip_archive, "bomb.tar.gz"),
    "bomb-members": lone(lambda: many_members(2000000)),
}
