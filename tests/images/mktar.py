# SPDX-License-Identifier: LGPL-3.0-or-later
"""mktar.py: tar archives to the byte, so that any field of them can be wrong.

A layer is b"".join([file(...), dir_(...), ..., END]). Names are bytes or str. Each
helper returns whole blocks; what does not fit a plain header becomes a pax record, unless
the caller says otherwise with fields of its own (checksum=b"...", size=b"..." go into the
header as they are).

Formats: POSIX.1-2017 pax(1), "ustar Interchange Format" and "pax Extended Header";
GNU tar's manual, "Basic Tar Format" and "Storing Sparse Files".
"""

BLOCK = 512
END = bytes(2 * BLOCK)
FIELDS = {
    "name": (0, 100), "mode": (100, 8), "uid": (108, 8), "gid": (116, 8), "size": (124, 12),
    "mtime": (136, 12), "checksum": (148, 8), "kind": (156, 1), "link": (157, 100),
    "magic": (257, 8), "uname": (265, 32), "gname": (297, 32), "major": (329, 8),
    "minor": (337, 8), "prefix": (345, 155),
    "sparse": (386, 96), "extended": (482, 1), "realsize": (483, 12),
}
USTAR, GNU = b"ustar\x0000", b"ustar  \0"


def raw(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def number(value, size):
    """Octal where it fits, else GNU's base-256: the top bit, then a big-endian integer."""
    if 0 <= value < 8 ** (size - 1):
        return b"%0*o\0" % (size - 1, value)
    return bytes([0x80 if value >= 0 else 0xFF]) + (value % (1 << 8 * (size - 1))).to_bytes(size - 1, "big")


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def header(**fields):
    """One block. Integers are written as numbers, bytes as they are."""
    values = {"name": b"", "mode": 0o644, "uid": 0, "gid": 0, "size": 0, "mtime": 0, "kind": b"0",
              "magic": USTAR, **fields}
    block = bytearray(BLOCK)
    for field, value in values.items():
        at, size = FIELDS[field]
        value = number(value, size) if isinstance(value, int) else raw(value)[:size]
        block[at:at + len(value)] = value
    if "checksum" not in values:
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def record(key, value):
    """A pax record; the length counts its own digits."""
    rest = b" " + raw(key) + b"=" + raw(value) + b"\n"
    size = len(rest) + 1
    while len(b"%d" % size) + len(rest) != size:
        size = len(b"%d" % size) + len(rest)
    return b"%d" % size + rest


def pax(records, kind=b"x", **fields):
    """An extended header: of (key, value) pairs, or of bytes as they are."""
    data = records if isinstance(records, bytes) else b"".join(record(key, value) for key, value in records)
    return header(**{"name": b"PaxHeaders/x", "kind": kind, "size": len(data), **fields}) + padded(data)


def gnu_long(text, kind=b"L"):
    """GNU's long name (L) or long link target (K), for the entry that follows."""
    data = raw(text) + b"\0"
    return header(name=b"././@LongLink", kind=kind, size=len(data), magic=GNU) + padded(data)


def entry(name, data=b"", xattrs=None, records=(), **fields):
    """Any entry, after the extended header that it needs."""
    name, link = raw(name), raw(fields.get("link", b""))
    records = list(records)
    if len(name) > 100:
        records.append(("path", name))
    if len(link) > 100:
        records.append(("linkpath", link))
    records += [("SCHILY.xattr." + key, value) for key, value in sorted((xattrs or {}).items())]
    fields = {"size": len(data), **fields, "name": name[:100], "link": link[:100]}
    return (pax(records) if records else b"") + header(**fields) + padded(data)


def file(name, data=b"", **fields):
    return entry(name, raw(data), **{"kind": b"0", **fields})


def dir_(name, **fields):
    return entry(raw(name).rstrip(b"/") + b"/", **{"kind": b"5", "mode": 0o755, **fields})


def symlink(name, target, **fields):
    return entry(name, **{"kind": b"2", "link": target, "mode": 0o777, **fields})


def hardlink(name, target, **fields):
    return entry(name, **{"kind": b"1", "link": target, **fields})


def node(name, kind, major=0, minor=0, **fields):
    """A device (kind b"3" or b"4") or a fifo (b"6")."""
    return entry(name, **{"kind": kind, "major": major, "minor": minor, **fields})


def whiteout(path):
    """Hides @path of the layers below."""
    folder, slash, base = raw(path).rpartition(b"/")
    return file(folder + slash + b".wh." + base)


def opaque(path):
    """Hides all below @path of the layers below."""
    return file(raw(path) + b"/.wh..wh..opq")


def sparse_old(name, realsize, holes, data, **fields):
    """GNU's oldest form: @holes are the (offset, size) of what is stored, four in the header."""
    pairs = [number(offset, 12) + number(size, 12) for offset, size in holes]
    first, rest = b"".join(pairs[:4]), pairs[4:]
    blocks = [header(**{"name": name, "kind": b"S", "size": len(data), "magic": GNU, "sparse": first,
                        "extended": b"\1" if rest else b"\0", "realsize": realsize, **fields})]
    while rest:
        more, rest = rest[:21], rest[21:]
        blocks.append((b"".join(more).ljust(504, b"\0") + (b"\1" if rest else b"\0")).ljust(BLOCK, b"\0"))
    return b"".join(blocks) + padded(data)


def sparse_00(name, realsize, holes, data, **fields):
    """pax format 0.0: offset and size are records that repeat."""
    records = [("GNU.sparse.size", b"%d" % realsize), ("GNU.sparse.numblocks", b"%d" % len(holes))]
    for offset, size in holes:
        records += [("GNU.sparse.offset", b"%d" % offset), ("GNU.sparse.numbytes", b"%d" % size)]
    return entry(name, data, records=records, **fields)


def sparse_01(name, realsize, holes, data, **fields):
    """pax format 0.1: one record with all pairs, and the true name in another."""
    pairs = b",".join(b"%d,%d" % hole for hole in holes)
    records = [("GNU.sparse.name", name), ("GNU.sparse.size", b"%d" % realsize),
               ("GNU.sparse.numblocks", b"%d" % len(holes)), ("GNU.sparse.map", pairs)]
    return entry("GNUSparseFile.0/x", data, records=records, **fields)


def sparse_10(name, realsize, holes, data, **fields):
    """pax format 1.0: the pairs are decimal lines in front of the data."""
    lines = b"%d\n" % len(holes) + b"".join(b"%d\n%d\n" % hole for hole in holes)
    records = [("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.name", name),
               ("GNU.sparse.realsize", b"%d" % realsize)]
    return entry("GNUSparseFile.0/x", padded(lines) + data, records=records, **fields)
