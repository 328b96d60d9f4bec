# SPDX-License-Identifier: LGPL-3.0-or-later
"""What the supervisor costs, and what readers see of workers that are killed.

BENCH_OLD=FIRN is a firn from before, for the ratio of starts; BENCH_KILL_SECONDS (60) how long
eight readers compare checksums while a worker is killed every 50 ms.
"""
import os
import signal
import subprocess
import threading
import time

INTERVAL = 0.05


def workers(image):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as file:
                if file.read() != "firn-server\n":
                    continue
            with open(f"/proc/{pid}/cmdline") as file:
                if image in file.read():
                    yield int(pid)
        except OSError:
            pass


class Killer:
    """Kills the worker of @image again and again; times in microseconds are in self.at."""

    def __init__(self, image):
        self.image, self.at, self.end = image, [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.end.wait(INTERVAL):
            for pid in workers(self.image):
                try:
                    now = time.monotonic() * 1e6
                    os.kill(pid, signal.SIGKILL)
                    self.at.append(now)
                except OSError:
                    pass

    def stop(self):
        self.end.set()
        self.thread.join()


def pauses(bench, image):
    """After each kill, the longest question of those that were open or came in the next 45 ms."""
    tools = ("-B", f"{bench.TOOLS}:/bench:ro")
    job = subprocess.Popen(bench.firn_in(image, "/bench/pause", "10", "/usr", options=tools),
                           stdout=subprocess.PIPE, text=True)
    killer = Killer(image)
    slow = [tuple(map(float, line.split())) for line in job.communicate()[0].splitlines()]
    killer.stop()
    if job.returncode:
        raise RuntimeError("a question was not answered")
    longest = []
    for kill in killer.at[2:-2]:
        near = [took for begin, took in slow if begin + took > kill and begin < kill + 45000]
        longest.append(max(near, default=0.2) / 1000)
    longest.sort()
    bench.record("pause", "pause when the worker is killed, median", "ms", {"firn": longest}, None, 20, 3, "firn")
    bench.record("pause-99", "the same, 99th percentile", "ms",
                 {"firn": [longest[min(len(longest) - 1, len(longest) * 99 // 100)]]}, None, 60, 10, "firn")


READER = r'''
import hashlib, os, sys, time
end, files = time.monotonic() + float(sys.argv[1]), sys.argv[2:]
wanted, errors, wrong = {}, 0, 0
while time.monotonic() < end:
    for name in files:
        try:
            fd = os.open(name, os.O_RDONLY)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            digest = hashlib.sha256(b"".join(iter(lambda: os.read(fd, 1 << 17), b""))).digest()
            os.close(fd)
            wrong += wanted.setdefault(name, digest) != digest
        except OSError:
            errors += 1
os.write(1, f"{errors} {wrong}\n".encode())
'''


def readers(bench, image):
    seconds = os.environ.get("BENCH_KILL_SECONDS", "60")
    script = ("files=$(find /usr/bin /usr/lib -type f -size +100k | head -n 200); for i in 1 2 3 4 5 6 7 8; do "
              f"python3 -c \"$READER\" {seconds} $files & done; wait")
    job = subprocess.Popen(bench.firn_in(image, "/bin/sh", "-c", script, options=("-e", "READER=" + READER)),
                           stdout=subprocess.PIPE, text=True)
    killer = Killer(image)
    rows = [list(map(int, line.split())) for line in job.communicate()[0].splitlines()]
    killer.stop()
    what = f"eight readers, {seconds} s, {len(killer.at)} workers killed"
    bench.record("kill-errors", f"{what}: errors", "", {"firn": [sum(r[0] for r in rows)]}, None, 0, 0, "firn")
    bench.record("kill-wrong", "... wrong files", "", {"firn": [sum(r[1] for r in rows)]}, None, 0, 0, "firn")
    bench.record("kill-readers", "... readers that ended well", "", {"firn": [len(rows)]}, None, 8, 8, "firn")


def survival(bench):
    image = f"{bench.IMAGES}/python.sqfs"
    old = os.environ.get("BENCH_OLD")
    if old:
        times = bench.race({"old": [old, "exec", image, "/bin/true"], "firn": bench.firn_in(image, "/bin/true")},
                           runs=8 * bench.RUNS)
        bench.record("start-old", "exec /bin/true of an image / firn before", "ms", times, ("firn", "old"), 1.05, 0.95)
    entered = [float(line) / 1000 for line in bench.output([f"{bench.TOOLS}/caged", "200"]).split()]
    bench.record("cage", "to enter the cage", "ms", {"firn": entered}, None, 0.3, 0.15, "firn")
    pauses(bench, image)
    readers(bench, image)
