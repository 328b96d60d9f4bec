# SPDX-License-Identifier: LGPL-3.0-or-later
"""What a build costs, against the programs that it does without: the group "build" of bench.py.

The real image of three layers (tests/images/mkreal.py), gzip'ed, from a layout and from a
registry on this machine; everybody compresses with the same codec, level and block size.
"""
import hashlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import zlib

import mkoci

LEVEL, BLOCK = 4, "128K"  # firn's defaults


class Builds:
    """@bench is the module bench: its settings, record() and have()."""

    def __init__(self, bench):
        self.bench, self.scratch = bench, bench.SCRATCH + "/build"
        self.layout = f"{bench.IMAGES}/real.oci"
        self.root, self.port = self.scratch + "/root/rootfs", None
        os.makedirs(self.scratch)

    def run(self, *command, **environment):
        """Seconds that a command takes; its outputs are kept away, and shown when it fails."""
        start = time.monotonic()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env={**os.environ, **environment})
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stdout[-300:]}")
        return time.monotonic() - start

    def fresh(self, *names):
        """New empty places: nobody profits from what was there."""
        for name in names:
            path = f"{self.scratch}/{name}"
            if os.path.isdir(path) and not os.path.islink(path):
                subprocess.run(["chmod", "-R", "u+rwX", path], check=True)
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)
        return [f"{self.scratch}/{name}" for name in names]

    def firn(self, *words, **environment):
        cache, = self.fresh("cache")
        return self.run(self.bench.FIRN, *words, XDG_CACHE_HOME=cache, **environment)

    def build(self, *options, out="firn.sqfs", layout=None, **environment):
        """firn build from a layout."""
        path, = self.fresh(out)
        return self.firn("build", "-q", "--compress", f"zstd:{LEVEL}", "--block-size", BLOCK, *options, path,
                         "oci:" + (layout or self.layout), **environment)

    def mksquashfs(self, root, out="mksquashfs.sqfs"):
        path, = self.fresh(out)
        return self.run(self.bench.have("mksquashfs"), root, path, "-comp", "zstd", "-Xcompression-level", str(LEVEL),
                        "-b", BLOCK, "-noappend", "-quiet", "-no-progress")

    def unpack(self, layout, place):
        path, = self.fresh(place)
        return self.run("umoci", "unpack", "--rootless", "--image", layout + ":latest", path)

    def pipeline(self):
        """What others do: copy, unpack, pack."""
        copy, = self.fresh("copy")
        seconds = self.run("skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://127.0.0.1:{self.port}/real:latest",
                           f"oci:{copy}:latest")
        seconds += self.unpack(copy, "unpacked")
        return seconds + self.mksquashfs(f"{self.scratch}/unpacked/rootfs", "pipeline.sqfs")

    def pull(self):
        path, = self.fresh("pulled.sqfs")
        return self.firn("pull", "-q", "--compress", f"zstd:{LEVEL}", "--block-size", BLOCK,
                         f"docker://127.0.0.1:{self.port}/real:latest", path)

    def registry(self):
        """Start one on a free port, with the image in it."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with open(f"{self.scratch}/registry.yml", "w", encoding="utf-8") as file:
            file.write(f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {self.scratch}/registry\n"
                       f"http:\n  addr: 127.0.0.1:{self.port}\nlog:\n  level: error\n")
        server = subprocess.Popen(["docker-registry", "serve", f"{self.scratch}/registry.yml"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        self.run("skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{self.layout}:latest",
                 f"docker://127.0.0.1:{self.port}/real:latest")
        return server

    def times(self, runs):
        samples = {"firn": [], "mksquashfs": []}
        for _ in range(runs):
            samples["firn"].append(self.build() * 1000)
            samples["mksquashfs"].append(self.mksquashfs(self.root) * 1000)
        self.bench.record("build", "build from an OCI layout / mksquashfs of the ready, warm root", "ms", samples,
                          ("firn", "mksquashfs"), 2.0, 1.3)
        size = {"firn": [os.path.getsize(f"{self.scratch}/firn.sqfs")],
                "mksquashfs": [os.path.getsize(f"{self.scratch}/mksquashfs.sqfs")]}
        self.bench.record("build-size", "size of the image / mksquashfs', same codec, level, block size", "B", size,
                          ("firn", "mksquashfs"), 1.01, 1.0)

    def pulls(self, runs):
        if not all(map(self.bench.have, ("docker-registry", "skopeo", "umoci"))):
            return self.bench.report.note("pull: no docker-registry, skopeo or umoci here")
        server = self.registry()
        try:
            samples = {"firn": [], "skopeo, umoci, mksquashfs": []}
            for _ in range(runs):
                samples["firn"].append(self.pull() * 1000)
                samples["skopeo, umoci, mksquashfs"].append(self.pipeline() * 1000)
        finally:
            server.terminate()
            server.wait()
        return self.bench.record("pull", "pull from a registry / skopeo copy, umoci unpack, mksquashfs", "ms", samples,
                                 ("firn", "skopeo, umoci, mksquashfs"), 0.35, 0.15)

    def inodes(self):
        """Names and nameless files that one build makes, counted in its system calls."""
        path, cache, trace = self.fresh("traced.sqfs", "cache", "trace")
        os.makedirs(cache)
        self.run("strace", "-f", "-qq", "-o", trace, "-e", "trace=open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,"
                 "symlink,symlinkat", self.bench.FIRN, "build", "-q", path, "oci:" + self.layout, XDG_CACHE_HOME=cache)
        with open(trace, encoding="utf-8", errors="replace") as file:
            made = [row for row in file if re.search(r"= \d+$", row.strip()) and "/dev/" not in row and
                    re.search(r"O_CREAT|O_TMPFILE|mkdir|mknod|symlink|creat\(", row)]
        self.bench.record("build-inodes", "inodes made on disk by a build", "", {"firn": [len(made)]}, None, 10, 3, "firn")

    def memory(self, runs):
        """The most anonymous memory that was seen, looked at every few milliseconds."""
        peaks = []
        for _ in range(runs):
            path, cache = self.fresh("memory.sqfs", "cache")
            process = subprocess.Popen([self.bench.FIRN, "build", "-q", path, "oci:" + self.layout],
                                       env={**os.environ, "XDG_CACHE_HOME": cache}, stdin=subprocess.DEVNULL)
            peak = [0]

            def watch():
                while process.poll() is None:
                    try:
                        with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
                            found = re.search(r"RssAnon:\s+(\d+)", file.read())
                    except OSError:
                        break
                    peak[0] = max(peak[0], int(found.group(1)) if found else 0)
                    time.sleep(0.004)
            watcher = threading.Thread(target=watch)
            watcher.start()
            process.wait()
            watcher.join()
            peaks.append(peak[0] / 1024)
        self.bench.record("build-memory", "anonymous memory of the builder, at its peak", "MiB", {"firn": peaks}, None,
                          256, 64, "firn")

    def plain_layers(self):
        """The tars of the layers, as streams."""
        def inflated(digest):
            inflate = zlib.decompressobj(31)
            with open(f"{self.layout}/blobs/sha256/{digest[7:]}", "rb") as file:
                while chunk := file.read(1 << 18):
                    yield inflate.decompress(chunk)
        for layer in mkoci.read_manifest(self.layout)["layers"]:
            yield inflated(layer["digest"])

    def same(self):
        """Twenty builds that have nothing in common but what the layers hold: how many images?"""
        languages, zones = ["C", "C.UTF-8", "tr_TR.UTF-8", "de_DE"], ["UTC", "Asia/Tokyo", "Pacific/Kiritimati"]
        layouts, sums = [self.layout], set()
        for how in ("zstd", "plain"):
            layouts += self.fresh(how)
            mkoci.write_layout(layouts[-1], mkoci.Image([mkoci.Layer(tar, how) for tar in self.plain_layers()],
                                                        platform="linux/amd64"))
        for n in range(20):
            self.build("-j", str(n % 8 + 1), out="same.sqfs", layout=layouts[n % 3], LC_ALL=languages[n % 4],
                       TZ=zones[n % 3], USER=f"user{n}")
            with open(f"{self.scratch}/same.sqfs", "rb") as file:
                sums.add(hashlib.file_digest(file, "sha256").hexdigest())
        self.bench.record("build-same", "different images of 20 builds: -j 1..8, languages, zones, layers' compression", "",
                          {"firn": [len(sums)]}, None, 1, 1, "firn")


def measure(bench):
    builds = Builds(bench)
    if not os.path.isdir(builds.layout) or not bench.have("umoci") or not bench.have("mksquashfs"):
        return bench.report.note("builds: no real.oci, umoci or mksquashfs here")
    runs = max(3, bench.RUNS // 8)
    builds.unpack(builds.layout, "root")
    builds.times(runs)
    builds.pulls(runs)
    builds.inodes()
    builds.memory(min(runs, 3))
    return builds.same()
