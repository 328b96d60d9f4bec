#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""mksif.py SQUASHFS OUT [WHAT]: put a squashfs into a minimal SIF file.

WHAT makes one thing wrong: outside, overflow, nopart, ext3, table, arch.
Layout: lib/image/sif.c.
"""
import struct
import sys

squashfs = open(sys.argv[1], "rb").read()
what = sys.argv[3] if len(sys.argv) > 3 else ""
OFFSET = 32768
arch = b"04\0" if what == "arch" else b"02\0"
offset, size = OFFSET, len(squashfs)
if what == "outside":
    offset = OFFSET + len(squashfs) + 4096
if what == "overflow":
    offset, size = 2**63 - 1, 2**63 - 1
count = 2**40 if what == "table" else 48
header = struct.pack("<32s10s3s3s16s8q", b"#!/usr/bin/env run-singularity\n", b"SIF_MAGIC\0",
                     b"01\0", arch, b"\0" * 16, 0, 0, 47, count, 4096, 48 * 585, OFFSET, len(squashfs))
kind = 1 if what == "nopart" else 2
extra = struct.pack("<ii3s", 2 if what == "ext3" else 1, kind, arch)
descriptor = struct.pack("<iBIIIqqqqqqq128s384s", 0x4004, 1, 1, 0xF0000001, 0, offset, size,
                         len(squashfs), 0, 0, 0, 0, b"root", extra)
with open(sys.argv[2], "wb") as out:
    out.write(header)
    out.seek(4096)
    out.write(descriptor.ljust(48 * 585, b"\0"))
    out.seek(OFFSET)
    out.write(squashfs)
