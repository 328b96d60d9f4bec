#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""mkrandom.py: stacks of layers by chance, always the same ones for a seed.

    mkrandom.py DIR COUNT [SEED [rootless]]
                        write COUNT images into the layout DIR, tagged s1, s2...; for
                        umoci --rootless, their owner may read and write all of them

One to five layers of files, folders, symlinks, fifos, hard links, sparse files, user.*
attributes, odd modes, owners and times, whiteouts, opaque folders and changes of type, in
forms of tar that alternate. Kept away from what umoci (0.4.7) does differently:

- It follows a symlink that stands where a folder is implied; we put the folder in its place.
- Folders that nobody names get the time of unpacking; we give them the time 0. Here each
  folder is named once.
- It keeps the devices that it may make; we drop them.
- A hard link to a name that its layer has whited out further up in the archive fails; for
  us the link means what lower layers had.
- Go's tar takes an attribute without a value for none.
- It rounds times; here they are whole seconds, from 1970 on.
"""
import random
import sys

sys.dont_write_bytecode = True
import mkoci  # noqa: E402
from mktar import (END, GNU, dir_, file, gnu_long, hardlink, node, opaque, sparse_00, sparse_01,  # noqa: E402
                   sparse_10, symlink, whiteout)

NAMES = [b"a", b"b", b"c", b"bin", b"lib", b"x.so.1", b"-", b"a b", b"\xc3\xa4", b"\xff\xfe", b"new\nline", b"n" * 120,
         b"m" * 255, b"..a", b"wh.a", b"A", b"a.b", b"a-b", b"a0"]
OWNERS = [0, 0, 0, 1, 1000, 65534, 70000, 3000000]
SIZES = [0, 0, 1, 5, 511, 512, 513, 4096, 70000, 131072, 131073, 270000]


class Stack:
    """@below: what lower layers have, path -> kind; @now: with this layer's own."""

    def __init__(self, seed, least_mode=0):
        self.chance, self.now, self.least_mode = random.Random(seed), {b"": "dir"}, least_mode

    def layers(self):
        return [self.layer() for _ in range(self.chance.randint(1, 5))]

    def pick(self, *kinds, paths=None):
        """A path of one of @kinds; None where there is none."""
        paths = [path for path, kind in (paths or self.now).items() if kind in kinds and path]
        return self.chance.choice(sorted(paths)) if paths else None

    def fields(self, folder=False):
        chance = self.chance
        mode = chance.choice([0o644, 0o755, 0o600, 0o4755, 0o2711, 0o1777, 0, 0o7777, chance.randrange(0o10000)])
        fields = {"mode": mode | self.least_mode, "uid": chance.choice(OWNERS), "gid": chance.choice(OWNERS),
                  "mtime": chance.choice([0, 1, 1700000000, chance.randrange(1 << 31)])}
        if chance.random() < 0.1 or folder and chance.random() < 0.05:
            fields["xattrs"] = {"user." + name: bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40)))
                                for name in chance.sample("abcd", chance.randint(1, 3))}
        return fields

    def content(self):
        size, chance = self.chance.choice(SIZES), self.chance
        if chance.random() < 0.3:
            return bytes(size)
        return (chance.randbytes(64) * (size // 64 + 1))[:size]

    def new_path(self):
        """A name in a folder that is there: new, or of anything but a folder, or of a folder now and then."""
        folder = self.chance.choice(sorted(path for path, kind in self.now.items() if kind == "dir"))
        path = folder + b"/" * bool(folder) + self.chance.choice(NAMES)
        depth, kind = path.count(b"/"), self.now.get(path)
        return None if depth > 5 or kind == "dir" and self.chance.random() < 0.8 else path

    def gone(self, path):
        """No longer there, nor what is below it."""
        for below in [other for other in self.now if other == path or other.startswith(path + b"/")]:
            del self.now[below]

    def put(self, path, kind):
        if kind != "dir" or self.now.get(path) != "dir":
            self.gone(path)
        self.now[path] = kind

    def add_file(self, path):
        fields, chance = self.fields(), self.chance.random()
        self.put(path, "file")
        if chance < 0.1:
            form = self.chance.choice([sparse_00, sparse_01, sparse_10])
            fields.pop("xattrs", None)
            if form is sparse_00 and len(path) > 100:
                form = sparse_10
            return form(path, 300000, [(4096, 1000), (200000, 512)], self.chance.randbytes(1512), **fields)
        if chance < 0.2 and len(path) > 100 and "xattrs" not in fields:
            return gnu_long(path) + file(path[:100], self.content(), magic=GNU, **fields)
        return file(path, self.content(), **fields)

    def add_dir(self, path):
        self.put(path, "dir")
        return dir_(path, **self.fields(True))

    def add_symlink(self, path):
        fields = self.fields()
        fields.pop("xattrs", None)
        self.put(path, "link")
        return symlink(path, self.chance.choice([b"a", b"../..", b"/etc/passwd", b"\xff", b"t" * 200]), **{**fields, "mode": 0o777})

    def add_fifo(self, path):
        fields = self.fields()
        fields.pop("xattrs", None)
        self.put(path, "fifo")
        return node(path, b"6", **fields)

    def add_hardlink(self, path):
        target = self.pick("file", "link")
        if not target or target == path or target.startswith(path + b"/"):
            return b""
        self.put(path, self.now[target])
        return hardlink(path, target)

    def change_dir(self, path):
        """A folder of before, with another owner, mode or time."""
        path = self.pick("dir")
        return self.add_dir(path) if path else b""

    def hidden(self, below):
        """What the layer hides of lower ones, and what is left of them."""
        parts = []
        for _ in range(self.chance.choice([0, 1, 1, 2, 3])):
            path = self.pick("file", "link", "dir", "fifo", paths=below)
            if not path or path not in self.now:
                continue
            if below[path] == "dir" and self.chance.random() < 0.5:
                parts.append(opaque(path))
                for inside in [other for other in self.now if other.startswith(path + b"/")]:
                    del self.now[inside]
            else:
                parts.append(whiteout(path))
                self.gone(path)
        return parts

    def layer(self):
        adds = [self.add_file] * 6 + [self.add_dir] * 4 + [self.add_symlink] * 2 + [self.add_hardlink] * 3 + \
               [self.add_fifo, self.change_dir]
        parts = self.hidden(dict(self.now))
        for _ in range(self.chance.choice([1, 3, 10, 25])):
            path = self.new_path()
            if path:
                parts.append(self.chance.choice(adds)(path))
        return b"".join(parts) + END


def main():
    layout = mkoci.Layout(sys.argv[1])
    seed = sys.argv[3] if len(sys.argv) > 3 else "1"
    least_mode = 0o700 if len(sys.argv) > 4 else 0
    for number in range(1, int(sys.argv[2]) + 1):
        stack = Stack(f"{seed} {number}", least_mode)
        how = stack.chance.choice(["gzip", "gzip", "members", "plain"])
        layout.add(mkoci.Image([mkoci.Layer(layer, how) for layer in stack.layers()], f"s{number}"))
    layout.close()


if __name__ == "__main__":
    main()
