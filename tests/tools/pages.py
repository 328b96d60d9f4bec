#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""pages.py TOP: files that pages and comments of the tree name, and which are not there.

In pages (*.md) every link, and every name between backticks that looks like a source file or begins with a folder of the
tree; in sources every such name in a comment. A name may lack folders in front (server/ops.c) and have * in it.
"""
import fnmatch
import os
import re
import sys

SOURCE = (".c", ".h", ".py", ".t", ".am", ".ac", ".md", ".sh")
# Other projects' files, which comments tell as where something is from, and those of a reader of a page.
OTHERS = {"fs/squashfs/squashfs_fs.h", "linux/fuse.h", "slurm/spank.h", "slurmd/slurmstepd/req.c", "sqfs/super.h", "sqfs/error.h",
          "fs/fuse/dev.c", "spank.h", "dl-cache.h",
          "config.md", "descriptor.md", "image-index.md", "image-layout.md", "layer.md", "manifest.md", "job.sh", "main.c",
          "tests/tools/firn_hooked"}
MADE = ("", ".c", ".in")  # what a name may be made from


def tree(top):
    files = []
    for folder, folders, names in os.walk(top):
        folders[:] = [f for f in folders if not f.startswith(".") and not os.path.exists(os.path.join(folder, f, "config.status"))]
        files += [os.path.relpath(os.path.join(folder, name), top) for name in names]
    return files


def is_there(page, name, files, folders):
    name = name.rstrip("/")
    if name.startswith("../"):
        name = os.path.normpath(os.path.join(os.path.dirname(page), name))
    return any(fnmatch.fnmatch(path, pattern + end) for pattern in (name, "*/" + name) for end in MADE for path in files + folders)


def main():
    top = sys.argv[1]
    files = sorted(tree(top))
    folders = sorted({os.path.dirname(path) for path in files if os.path.dirname(path)})
    rooms = {folder.split("/")[0] for folder in folders}
    lost = set()
    for path in files:
        is_page = path.endswith(".md")
        if not is_page and not path.endswith((".c", ".h")):
            continue
        with open(os.path.join(top, path), encoding="utf-8") as file:
            text = file.read()
        if is_page:
            names = re.findall(r"`([\w./*-]+)`", text)
            names += re.findall(r"[\w./*-]+\.[ch]\b", "\n".join(re.findall(r"^ {4}.*", text, re.M)))
            links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if ":" not in link]
            lost.update((path, link) for link in links
                        if not os.path.exists(os.path.join(top, os.path.dirname(path), link)))
        else:
            comments = " ".join(re.findall(r"/\*.*?\*/", text, re.S))
            names = re.findall(r"(?<![\w./<\"-])([\w-][\w./*-]*\.[a-z]+)\b", comments)
        for name in names:
            if name.startswith("/"):
                continue  # of a machine or an image
            like = name.endswith(SOURCE) or (is_page and "/" in name and name.split("/")[0] in rooms)
            if like and name not in OTHERS and not is_there(path, name, files, folders):
                lost.add((path, name))
    for path, name in sorted(lost):
        print(f"{path}: {name}")
    return 1 if lost else 0


sys.exit(main())
