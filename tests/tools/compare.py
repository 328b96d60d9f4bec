#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""compare.py DIR IMAGE, or DIR1 DIR2 with --all: what umoci unpacked and what is in a squashfs.

    compare.py ROOT IMAGE           lines that tell how they differ; exit 1 if they do
    compare.py --all ROOTS IMAGES   each ROOTS/NAME with IMAGES/NAME.sqfs: "right NAME" or "wrong NAME: ..."

All that a listing has is compared (listing.py), but for the root itself, what is below /dev
(firn drops devices) and the mount points that firn adds. Run by a user, umoci writes owners down as attributes, which symlinks
and fifos cannot have: their owners are not compared then.
"""
import os
import sys

sys.dont_write_bytecode = True
import listing  # noqa: E402


def compare(root, image):
    wanted, found = listing.read_directory(root), listing.read_squashfs(image)
    lost = ("uid", "gid") if os.geteuid() != 0 else ()
    return listing.differences(
        wanted, found, lambda path: path == b"" or path.startswith(b"dev/") or
        (listing.is_point(path) or path == b"etc") and path not in wanted,
        lambda path, entry: lost if entry.kind in ("link", "fifo") else ())


def main():
    if sys.argv[1] == "--all":
        for name in sorted(os.listdir(sys.argv[2])):
            image = os.path.join(sys.argv[3], name + ".sqfs")
            lines = compare(os.path.join(sys.argv[2], name), image) if os.path.exists(image) else ["not built"]
            print("\n".join([f"wrong {name}: {line}" for line in lines[:10]] or [f"right {name}"]))
        return
    lines = compare(sys.argv[1], sys.argv[2])
    print("\n".join(lines[:100]))
    sys.exit(1 if lines else 0)


main()
