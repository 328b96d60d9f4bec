#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""slurm.py BUILD OUT CLUSTER: figures under a real Slurm (tests/cluster), as root.

srun with and without a container, interleaved; what 64 ranks cost a node; and steps whose parts
are killed at random, to see that nothing is left of them. Environment: BENCH_RUNS, BENCH_STEPS.
"""
import os
import random
import re
import statistics
import subprocess
import sys
import time

import report

BUILD, OUT, CLUSTER = sys.argv[1:]
HERE = os.path.dirname(os.path.abspath(__file__))
IMAGES = os.environ.get("FIRN_TEST_CACHE", "/var/tmp/firn-images")
RUNS = int(os.environ.get("BENCH_RUNS", "31"))
STEPS = int(os.environ.get("BENCH_STEPS", "1000"))
USER = int(open(f"{CLUSTER}/user").read())
IMAGE = f"{CLUSTER}/home/image.sqfs"
AT_ONCE = 8
VICTIMS = ("task", "server", "slurmstepd", "srun")
results = []


def user(*command):
    return ["sh", f"{HERE}/cluster", "user", CLUSTER, *command]


def record(name, what, unit, samples, value, must, reach):
    results.append({"name": name, "what": what, "unit": unit, "samples": samples, "value": value, "must": must, "reach": reach})
    report.line(results[-1])


def processes():
    """(pid, uid, name, command line, parent) of all that are no zombies."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = open(f"/proc/{pid}/status").read()
            words = open(f"/proc/{pid}/cmdline").read().replace("\0", " ")
        except OSError:
            continue
        if not re.search(r"^State:\s+Z", status, re.M):
            yield (int(pid), int(re.search(r"^Uid:\s+(\d+)", status, re.M)[1]), status.split("\n", 1)[0].split("\t")[1], words)


def servers():
    return [pid for pid, uid, name, words in processes() if uid == USER and name.startswith("firn-") and CLUSTER in words]


def steps():
    cases = {"native": ["srun", "-n8", "true"], "firn": ["srun", "-n8", f"--container={IMAGE}", "true"]}
    line = [word for command in cases.values() for word in ("---", *command)][1:]
    times = {name: [] for name in cases}
    done = subprocess.run(user(f"{BUILD}/tests/bench/race", str(RUNS), *line), check=True, stdout=subprocess.PIPE, text=True)
    for row in done.stdout.splitlines():
        number, wall, _ = row.split()
        times[list(cases)[int(number)]].append(float(wall) / 1000)
    ratio = statistics.median(times["firn"]) / statistics.median(times["native"])
    record("srun", "srun -n 8 --container=IMAGE true / srun -n 8 true", "ms", times, ratio, 1.3, 1.1)


def memory():
    """64 ranks of one step on one node: our processes, and their PSS, which root may read."""
    count, pss = [], []
    for _ in range(5):
        step = subprocess.Popen(user("srun", "-N1", "-n64", "--overcommit", f"--container={IMAGE}", "sh", "-c", "touch up.$SLURM_PROCID; sleep 30"),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        folder = f"{CLUSTER}/home"
        deadline = time.monotonic() + 30
        while sum(name.startswith("up.") for name in os.listdir(folder)) < 64 and time.monotonic() < deadline:
            time.sleep(0.05)
        found = servers()
        count.append(len(found))
        pss.append(sum(int(re.search(r"^Pss:\s+(\d+)", open(f"/proc/{pid}/smaps_rollup").read(), re.M)[1]) for pid in found))
        subprocess.run(user("scancel", "-u", "user"), check=True)
        step.kill()
        step.wait()
        for name in os.listdir(folder):
            if name.startswith("up."):
                os.unlink(f"{folder}/{name}")
    record("slurm-processes", "extra processes of a node with 64 ranks", "", {"firn": count}, statistics.median(count), 1, 1)
    record("slurm-memory", "their PSS", "KiB", {"firn": pss}, statistics.median(pss), 8192, 4096)


def kill_one(job):
    """Kill a part of the job's step, chosen by chance; returns which, or "none" when it was not there (yet)."""
    victim, found = random.choice(VICTIMS), "none"
    for pid, uid, name, words in processes():
        hit = {"task": uid == USER and f"sleep 3.{job}" in words and name == "sleep",
               "server": name.startswith("firn-") and f"slurm {job}." in words,
               "slurmstepd": words.startswith(f"slurmstepd: [{job}."),
               "srun": name == "srun" and f"3.{job}" in words}[victim]
        if hit:
            try:
                os.kill(pid, 9)
                found = victim
            except ProcessLookupError:
                pass
    return found


def one_job(number):
    """An allocation with one step that reads its image until it is hit, or ends."""
    job = subprocess.run(user("salloc", "-n2", "--no-shell", "-J", f"kill{number}"), capture_output=True, text=True, check=True)
    job = re.search(r"Granted job allocation (\d+)", job.stderr)[1]
    step = subprocess.Popen(user("srun", f"--jobid={job}", "-n2", f"--container={IMAGE}", "sh", "-c", f"cat /usr/bin/* >/dev/null; exec sleep 3.{job}"),
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return job, step


def kills():
    """Leftovers after many steps, eight at a time, each of which loses a part at some moment."""
    killed = dict.fromkeys((*VICTIMS, "none"), 0)
    random.seed(int(os.environ.get("BENCH_SEED", "1")))
    for number in range(0, STEPS, AT_ONCE):
        jobs = [one_job(number + i) for i in range(min(AT_ONCE, STEPS - number))]
        time.sleep(random.choice((0, 0.02, 0.05, 0.1, 0.2)))
        for job, _ in jobs:
            killed[kill_one(job)] += 1
        subprocess.run(user("scancel", *(job for job, _ in jobs)), stderr=subprocess.DEVNULL)
        # With firn or without: a srun whose slurmstepd was killed does not notice, and the orphans are
        # nobody's under proctrack/linuxproc.
        patience = time.monotonic() + 1
        for job, step in jobs:
            try:
                step.wait(max(0.1, patience - time.monotonic()))
            except subprocess.TimeoutExpired:
                step.kill()
                step.wait()
            for pid, uid, name, words in processes():
                if uid == USER and (f"3.{job}" in words):
                    os.kill(pid, 9)
    deadline = time.monotonic() + 30
    while servers() and time.monotonic() < deadline:
        time.sleep(0.1)
    alive = set(servers())
    left = [words for pid, _, _, words in processes() if pid in alive]
    sockets = [row for row in open("/proc/net/unix") if "@firn-" in row]
    root = open(f"{CLUSTER}/up").read().strip()
    mounts = [row for row in open(f"/proc/{root}/mountinfo") if "firn" in row and "fuse" in row]
    files = os.listdir(f"{CLUSTER}/run") if os.path.isdir(f"{CLUSTER}/run") else []
    for text in left + sockets + mounts + files:
        report.note(f"left: {text.strip()}")
    report.note(f"killed in {STEPS} steps: {killed}")
    record("kills", f"left by {STEPS} steps with random kills: processes, sockets, mounts, files", "",
           {"firn": [len(left) + len(sockets) + len(mounts) + len(files)]}, len(left) + len(sockets) + len(mounts) + len(files), 0, 0)


def main():
    os.makedirs(OUT, exist_ok=True)
    report.begin(RUNS)
    for group in steps, memory, kills:
        group()
    report.end(results, OUT)


main()
