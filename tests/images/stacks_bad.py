# SPDX-License-Identifier: LGPL-3.0-or-later
"""stacks_bad.py: layers that must be refused, each with words of its message (mklayers.py).

Each bad entry stands in the second of two layers, after a good one: the message has to
name the layer and the entry.
"""
import lzma
import os
import struct

import mkoci
from mkoci import Image, Layer
from mktar import (END, GNU, dir_, entry, file, gnu_long, hardlink, header, number, padded, pax, record,
                   sparse_01, sparse_10, sparse_old, symlink, whiteout)

GOOD = dir_("d") + file("d/f", "first") + END


def in_layer(*entries, words="", end=END):
    return [GOOD, file("before") + b"".join(entries) + end], words


def named(name, *entries, end=END):
    """The message names entry @name."""
    return in_layer(*entries, words="layer 2.*" + name, end=end)


def packed(bytes_, words="layer 2"):
    """A blob that is no right packing of anything."""
    return [GOOD, Layer(file("before") + END, packed=bytes_)], words


def with_record(data, name="x"):
    return named(name, pax(data) + file("x", "data"))


def number_field(field, value):
    return named("x", header(name="x", **{field: value}))


TAR = file("a", "some data " * 1000) + END
GZIP = b"".join(mkoci.gzip_one([TAR]))
XZ = lzma.compress(TAR)
ZSTD = mkoci.zstd_header() + mkoci.zstd_block(TAR[:10000]) + mkoci.zstd_block(TAR[10000:], True)


def sparse_lie(pieces, data=b"x" * 512, size=70000):
    return sparse_10("x", size, pieces, data)


def archive_with(form, change):
    """A docker-archive of one layer whose table is changed."""
    def run(place):
        path = os.path.join(place, "docker.tar")
        mkoci.write_docker_archive(path, Image([Layer(GOOD, "plain")], ["example.org/a:1"]), changes=change)
        return f"{form}:{path}"
    return run


def changed(**values):
    return lambda entries: [{**entries[0], **values}]


def cut_archive(place):
    path = os.path.join(place, "docker.tar")
    mkoci.write_docker_archive(path, Image([Layer(GOOD, "plain")], ["example.org/a:1"]))
    os.truncate(path, 1000)
    return "docker-archive:" + path


def loop_archive(place):
    path = os.path.join(place, "docker.tar")
    table = mkoci.dump([{"Config": "c.json", "RepoTags": None, "Layers": ["a/layer.tar"]}])
    config = mkoci.dump(mkoci.config_of(Image([Layer(GOOD, diff_id="sha256:" + "0" * 64)])))
    mkoci.archive(path, [("a/layer.tar", ("link", "../b/layer.tar")), ("b/layer.tar", ("link", "../a/layer.tar")),
                         ("c.json", config), ("manifest.json", table)])
    return "docker-archive:" + path


def text_as(form, data=b"this is no archive\n" * 200):
    def run(place):
        path = os.path.join(place, "text")
        with open(path, "wb") as out:
            out.write(data)
        return f"{form}:{path}"
    return run


STACKS = {
    # Names
    "dotdot": named("escape", file("../escape", "x")),
    "dotdot-inside": named("escape", file("d/../../escape", "x")),
    "dotdot-end": named("d", dir_("d/..")),
    "dotdot-only": named(r"\.\.", dir_("..")),
    "dotdot-pax": named("escape", entry("x", records=[("path", "a/../../escape")])),
    "dotdot-gnu": named("escape", gnu_long("../" * 50 + "escape") + file("x")),
    "dotdot-whiteout": named("", whiteout("../escape")),
    "empty-name": named("", file("")),
    "dot-as-file": named("", file(".")),
    "dot-slash-as-file": named("", entry("./", kind=b"0", size=3) + padded(b"abc")),
    "dot-as-link": named("", symlink(".", "/tmp")),
    "nul-in-path": named("", entry("x", records=[("path", b"a\0b")])),
    "nul-in-linkpath": named("x", pax([("linkpath", b"a\0b")]) + symlink("x", "a")),
    "empty-linkpath": named("x", symlink("x", "")),
    "name-256": named("n" * 20, file("n" * 256)),
    "name-256-inside": named("n" * 20, file("d/" + "n" * 256 + "/x")),
    "path-5000": named("bytes", file("/".join(["d" * 99] * 50))),
    "depth-3000": named("bytes", file("a/" * 3000 + "x")),
    "target-70000": named("bytes", symlink("x", "t" * 70000)),
    # Hard links
    "link-outside": named("x", hardlink("x", "../../etc/passwd")),
    "link-absolute": named("x", hardlink("x", "/etc/passwd")),
    "link-missing": named("x", hardlink("x", "nosuch")),
    "link-forward": named("x", hardlink("x", "later"), file("later")),
    "link-itself": named("x", hardlink("x", "x")),
    "link-circle": named("x", hardlink("x", "y"), hardlink("y", "x")),
    "link-to-directory": named("x", hardlink("x", "d")),
    "link-to-root": named("x", hardlink("x", ".")),
    "link-empty": named("x", hardlink("x", "")),
    "link-to-lower-pseudo-link": ([file(".wh..wh.plnk/1.2", "x") + END, hardlink("x", ".wh..wh.plnk/1.2") + END], "layer 2.*x"),
    "link-through-loop": named("x", symlink("s", "t"), symlink("t", "s"), hardlink("x", "s/y")),
    "link-through-file": named("x", file("s"), hardlink("x", "s/y")),
    "link-through-symlink": named("x", symlink("s", "/etc"), hardlink("x", "s/passwd")),
    # Whiteouts
    "whiteout-alone": named(r"\.wh\.", file(".wh.")),
    "whiteout-alone-inside": named(r"d/\.wh\.", file("d/.wh.")),
    "whiteout-dot": named(r"\.wh\.\.", file("d/.wh..")),
    "whiteout-dotdot": named(r"\.wh\.\.\.", file("d/.wh...")),
    "whiteout-root": named("", file("./.wh.")),
    "whiteout-as-folder": named(r"\.wh\.d", file("d/.wh.d/x")),
    "opaque-as-folder": named(r"\.wh\.", file("d/.wh..wh..opq/x")),
    # Extended headers
    "pax-giant-claimed": named("", pax(b"", size=1 << 30), end=b""),
    "pax-length-long": with_record(b"99 path=x\n", ""),
    "pax-length-short": with_record(b"6 path=xyz\n", ""),
    "pax-length-zero": with_record(b"0 path=x\n", ""),
    "pax-length-text": with_record(b"ab path=x\n", ""),
    "pax-length-negative": with_record(b"-10 path=x\n", ""),
    "pax-length-overflow": with_record(b"99999999999999999999999 path=x\n", ""),
    "pax-length-only": with_record(b"12", ""),
    "pax-no-equals": with_record(b"10 path x\n", ""),
    "pax-no-newline": with_record(b"9 path=xy", ""),
    "pax-no-key": with_record(b"6 =xy\n", ""),
    "pax-size-negative": with_record(record("size", "-1")),
    "pax-size-overflow": with_record(record("size", "99999999999999999999")),
    "pax-size-huge": with_record(record("size", str(1 << 62))),
    "pax-size-text": with_record(record("size", "4x")),
    "pax-uid-negative": with_record(record("uid", "-1")),
    "pax-uid-huge": with_record(record("uid", str(1 << 33))),
    "pax-mtime-text": with_record(record("mtime", "yesterday")),
    "xattr-no-name": with_record(record("SCHILY.xattr.", "1")),
    "pax-path-empty-file": with_record(record("path", "."), ""),
    "pax-nothing-after": named("", pax([("path", "x")])),
    "gnu-long-giant": named("", header(name="././@LongLink", kind=b"L", size=1 << 30, magic=GNU), end=b""),
    "gnu-long-nothing-after": named("", gnu_long("x" * 200)),
    # Numbers and checksums
    "size-text": number_field("size", b"12x45678901"),
    "size-negative": number_field("size", b"\xff" * 12),
    "size-overflow": number_field("size", b"\x80" + b"\xff" * 11),
    "size-2^63": number_field("size", b"\x80\0\0\0" + struct.pack(">Q", 1 << 63)),
    "size-exabytes": named("x", header(name="x", size=1 << 60), end=b""),
    "uid-negative": number_field("uid", b"\xff" * 8),
    "uid-2^32": number_field("uid", number(1 << 32, 8)),
    "mode-text": number_field("mode", b"rw-r--r-"),
    "checksum-wrong": named("", header(name="x", checksum=b"000000\0 ")),
    "checksum-text": named("", header(name="x", checksum=b"nosuchck")),
    "text-for-tar": in_layer(b"this is no tar header at all, but a text " * 100, words="layer 2"),
    # Ends
    "cut-in-header": named("", file("x")[:300], end=b""),
    "cut-in-data": named("x", file("x", "y" * 5000)[:2000], end=b""),
    "cut-in-padding": named("x", file("x", "y" * 5000)[:512 + 4999], end=b""),
    "gzip-cut": packed(GZIP[:-20]),
    "gzip-cut-header": packed(GZIP[:7]),
    "gzip-bad-crc": packed(GZIP[:-8] + b"\0\0\0\0" + GZIP[-4:]),
    "gzip-bad-length": packed(GZIP[:-4] + b"\1\2\3\4"),
    "gzip-bad-data": packed(GZIP[:40] + b"\xff" * 20 + GZIP[60:]),
    "gzip-garbage-after": packed(GZIP + b"garbage after the end"),
    "zstd-cut": packed(ZSTD[:-2000]),
    "zstd-cut-header": packed(ZSTD[:5]),
    "zstd-bad-block": packed(mkoci.zstd_header() + b"\x07\0\0"),
    "zstd-garbage-after": packed(ZSTD + b"garbage after the end"),
    "zstd-dictionary": packed(mkoci.zstd_header(dictionary=12345) + ZSTD[6:]),
    "zstd-window-2g": packed(mkoci.zstd_header(31) + ZSTD[6:]),
    "zstd-skippable-cut": packed(ZSTD + struct.pack("<II", 0x184D2A50, 1 << 30)),
    "bzip2-bad": packed(b"BZh91AY&SY" + bytes(500), "layer 2.*bzip2"),
    "lz4": packed(b"\x04\x22\x4d\x18" + bytes(500), "layer 2.*lz4"),
    "zip": packed(b"PK\x03\x04" + bytes(500), "layer 2.*zip"),
    "xz-cut": packed(XZ[:-20], "layer 2.*xz"),
    "xz-flipped": packed(XZ[:60] + bytes([XZ[60] ^ 1]) + XZ[61:], "layer 2.*xz"),
    "xz-garbage-after": packed(XZ + b"garbage after the end", "layer 2.*xz"),
    "xz-giant-dictionary": packed(lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 512 << 20}]),
                                  "layer 2.*memory"),
    "packed-text": packed(b"neither tar nor gzip " * 100),
    # Sparse files
    "sparse-overlap": named("x", sparse_lie([(0, 256), (100, 256)])),
    "sparse-unsorted": named("x", sparse_lie([(5000, 256), (0, 256)])),
    "sparse-beyond": named("x", sparse_lie([(69900, 512)])),
    "sparse-overflow": named("x", sparse_lie([((1 << 63) - 100, 512)])),
    "sparse-2^64": named("x", sparse_lie([(1 << 64, 512)])),
    "sparse-short-data": named("x", sparse_lie([(0, 5000)])),
    "sparse-long-data": named("x", sparse_lie([(0, 100)])),
    "sparse-size-huge": named("x", sparse_lie([(0, 512)], size=1 << 62)),
    "sparse-size-negative": named("x", sparse_lie([(0, 512)], size=-1)),
    "sparse-map-text": named("x", entry("x", padded(b"one\n0\n512\n") + b"x" * 512, records=[
        ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "x"), ("GNU.sparse.realsize", "512")])),
    "sparse-map-endless": named("x", entry("x", padded(b"1" * 5000), records=[
        ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "x"), ("GNU.sparse.realsize", "512")])),
    "sparse-map-count": named("x", entry("x", padded(b"1000000000000\n0\n1\n"), records=[
        ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "x"), ("GNU.sparse.realsize", "512")])),
    "sparse-0.0-half": named("x", entry("x", b"", records=[("GNU.sparse.size", "9"), ("GNU.sparse.numblocks", "1"),
                                                           ("GNU.sparse.offset", "0")])),
    "sparse-0.1-odd": named("x", entry("x", b"", records=[("GNU.sparse.size", "9"), ("GNU.sparse.numblocks", "2"),
                                                          ("GNU.sparse.map", "0,1,2")])),
    "sparse-0.1-dotdot": named("escape", sparse_01("../escape", 512, [(0, 512)], b"x" * 512)),
    "sparse-map-in-a-pair": named("x", entry("x", b"", records=[
        ("GNU.sparse.size", "9"), ("GNU.sparse.offset", "1"), ("GNU.sparse.map", ""), ("GNU.sparse.numbytes", "7")])),
    "sparse-old-overlap": named("x", sparse_old("x", 70000, [(0, 512), (10, 512)], b"x" * 1024)),
    "sparse-old-negative": named("x", sparse_old("x", -1, [(0, 512)], b"x" * 512)),
    "sparse-old-cut": named("x", sparse_old("x", 70000, [(n * 1000, 512) for n in range(30)], b"")[:700], end=b""),
    # Archives
    "tar-text": (text_as("tar"), "text"),
    "oci-archive-text": (text_as("oci-archive"), "text"),
    "docker-archive-text": (text_as("docker-archive"), "text"),
    "docker-archive-empty": (text_as("docker-archive", END), "manifest.json"),
    "docker-archive-cut": (cut_archive, "docker.tar"),
    "docker-archive-loop": (loop_archive, "layer"),
    "docker-archive-outside": (archive_with("docker-archive", changed(Layers=["../../../../etc/passwd"])), "has no '../"),
    "docker-archive-no-layer": (archive_with("docker-archive", changed(Layers=["nosuch/layer.tar"])), "nosuch"),
    "docker-archive-no-config": (archive_with("docker-archive", changed(Config="nosuch.json")), "nosuch.json"),
    "docker-archive-types": (archive_with("docker-archive", changed(Layers="text")), "manifest.json"),
    "docker-archive-no-image": (archive_with("docker-archive", lambda entries: []), "no image"),
    "docker-archive-object": (archive_with("docker-archive", lambda entries: {"a": 1}), "manifest.json|no image"),
}
