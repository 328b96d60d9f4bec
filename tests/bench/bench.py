#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""make bench: the figures that firn wants to reach, measured on this machine.

Everything is interleaved (A B A B ...) and judged by ratios of medians, so that
a machine whose speed drifts still tells the truth. Cold means: a new mount, and
the image's pages dropped from the page cache. Environment: BENCH_RUNS (default
31), BENCH_ONLY=name,name, FIRN_TEST_CACHE (where the images are).
"""
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import builds
import data_images
import mpi
import report
import survival

BUILD = os.path.abspath(sys.argv[1])
OUT = os.path.abspath(sys.argv[2])
IMAGES = os.environ.get("FIRN_TEST_CACHE", "/var/tmp/firn-images")
RUNS = int(os.environ.get("BENCH_RUNS", "31"))
ONLY = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]
SCRATCH = tempfile.mkdtemp(prefix="firn-bench.")
os.chmod(SCRATCH, 0o755)
FIRN = f"{BUILD}/firn"
TOOLS = f"{BUILD}/tests/bench"
IMPORT = "import numpy, scipy.stats"
results = []


def have(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def output(command, **more):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True, **more).stdout


def drop(path):
    """The file's pages leave the page cache: no privilege is needed to forget one's own."""
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def race(cases, runs=RUNS):
    """{name: [milliseconds]} of whole commands, interleaved."""
    line = []
    for command in cases.values():
        line += ["---", *command]
    times = {name: [] for name in cases}
    names = list(cases)
    for row in output([f"{TOOLS}/race", str(runs), *line[1:]], cwd="/tmp").splitlines():
        number, wall, _ = row.split()
        times[names[int(number)]].append(float(wall) / 1000)
    return times


def median(values):
    return statistics.median(values)


def record(name, what, unit, samples, ratio=None, must=None, reach=None, base=None):
    """samples: {case: [values]}; ratio: (case, case) compared with the goals."""
    value = None
    if ratio and all(samples.get(case) for case in ratio):
        below = median(samples[ratio[1]])
        value = median(samples[ratio[0]]) / below if below else None
    elif not ratio and base and samples.get(base):
        value = median(samples[base])
    results.append({"name": name, "what": what, "unit": unit, "samples": samples, "ratio": ratio,
                    "value": value, "must": must, "reach": reach})
    report.line(results[-1])


# Ways to run a command in the image directory or file.
def native_dir(name):
    return f"{IMAGES}/{name}.dir"


def firn_in(image, *command, options=()):
    return [FIRN, "exec", *options, image, *command]


def start_up():
    directory, image = f"{IMAGES}/python.dir", f"{IMAGES}/python.sqfs"
    empty = f"{SCRATCH}/empty"
    os.makedirs(empty, exist_ok=True)
    floor = f"{TOOLS}/floor"
    cases = {"native": ["/bin/true"], "firn": firn_in(directory, "/bin/true")}
    if os.access(floor, os.X_OK):
        cases["floor"] = [floor, directory, "/bin/true"]
    if have("bwrap"):
        cases["bubblewrap"] = [have("bwrap"), "--ro-bind", directory, "/", "--dev-bind", "/dev", "/dev",
                               "--bind", "/proc", "/proc", "--bind", "/sys", "/sys", "--bind", "/tmp", "/tmp",
                               "/bin/true"]
    if have("ch-run"):
        cases["Charliecloud"] = [have("ch-run"), directory, "--", "/bin/true"]
    if have("crun"):
        cases.update(crun_case(directory))
    times = race(cases)
    record("start-directory", "exec /bin/true of a directory / smallest launcher", "ms", times,
           ("firn", "floor"), 1.3, 1.1)
    cases = {"native": ["/bin/true"], "firn": firn_in(image, "/bin/true")}
    if os.access(floor, os.X_OK):
        cases["floor"] = [floor, "-s", image, empty, "/bin/true"]
    if have("ch-run"):
        cases["Charliecloud"] = [have("ch-run"), image, "--", "/bin/true"]
    times = race(cases)
    record("start-image", "exec /bin/true of an image / smallest launcher with stock libsquashfuse",
           "ms", times, ("firn", "floor"), 1.0, 0.7)
    record("start-charliecloud", "the same / ch-run", "ms", times, ("firn", "Charliecloud"), 0.8, 0.6)


def crun_case(directory):
    """crun with the host's namespaces, if it runs here at all (hybrid cgroups stop it)."""
    bundle = f"{SCRATCH}/bundle"
    os.makedirs(bundle, exist_ok=True)
    config = {
        "ociVersion": "1.0.0", "root": {"path": directory, "readonly": True},
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "cwd": "/"},
        "mounts": [{"destination": "/proc", "type": "bind", "source": "/proc", "options": ["rbind"]}],
        "linux": {"namespaces": [{"type": "mount"}, {"type": "user"}],
                  "uidMappings": [{"containerID": 0, "hostID": os.getuid(), "size": 1}],
                  "gidMappings": [{"containerID": 0, "hostID": os.getgid(), "size": 1}]}}
    with open(f"{bundle}/config.json", "w") as file:
        json.dump(config, file)
    command = [have("crun"), "--root", f"{SCRATCH}/crun", "--cgroup-manager=disabled", "run", "--bundle", bundle, "bench"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
    except (subprocess.SubprocessError, OSError) as error:
        report.note(f"crun does not run here: {str(getattr(error, 'stderr', error) or error).strip()[:100]}")
        return {}
    return {"crun": command}


def syscalls():
    if not have("strace"):
        return report.note("system calls: no strace here")
    counts = {}
    for kind in ("sqfs", "dir"):
        log = f"{SCRATCH}/strace"
        # Only the launcher: tracing it and the server that it waits for would lock both.
        subprocess.run(["strace", "-o", log, *firn_in(f"{IMAGES}/python.{kind}", "/bin/true")],
                       check=True, stdin=subprocess.DEVNULL, cwd="/tmp", stderr=subprocess.DEVNULL)
        with open(log) as file:
            lines = file.read().splitlines()
        last = max(n for n, text in enumerate(lines) if text.startswith("execve("))
        counts[kind] = [last]
    record("syscalls", "system calls before execve of the program (image)", "", counts, None, 150, 100, "sqfs")
    record("syscalls-directory", "the same (directory)", "", counts, None, 150, 100, "dir")


def work(*words):
    return ["/bench/work", *words]


def in_firn(image, *words, options=()):
    return firn_in(image, *work(*words), options=("-B", f"{TOOLS}:/bench:ro", *options))


def numbers(command):
    return [float(word) for word in output(command, cwd="/tmp").split()]


def pairs(name, what, unit, make, goals, runs):
    """make: {case: command that prints one number}, interleaved; firn against native."""
    samples = {case: [] for case in make}
    for _ in range(runs):
        for case, command in make.items():
            samples[case].append(numbers(command)[0])
    record(name, what, unit, samples, ("firn", "native"), *goals)


def inside():
    image, directory = f"{IMAGES}/python.sqfs", native_dir("python")
    runs = max(5, RUNS // 4)
    file, folder = "/usr/lib/python3/dist-packages/numpy/__init__.py", "/usr/lib/python3/dist-packages/scipy/stats"
    native = [f"{TOOLS}/work"]
    pairs("open-close", "open and close in the image / native", "ns",
          {"native": [*native, "open", directory + file], "firn": in_firn(image, "open", file)}, (1.6, 1.4), runs)
    pairs("readdir", "readdir in the image / native", "ns",
          {"native": [*native, "readdir", directory + folder], "firn": in_firn(image, "readdir", folder)}, (1.0, 0.5), runs)
    for what in ("loop", "getpid", "pipe", "tcp"):
        pairs(what, f"{what} inside / native", "ns",
              {"native": [*native, what], "firn": in_firn(image, what)}, (1.05, 1.0), runs)


def served_by_firn(image, command, options=()):
    """Run in a new mount. Returns what it prints and the server's messages, CPU us, resident KiB."""
    done = subprocess.run([FIRN, "exec", "-vv", "-B", f"{TOOLS}:/bench:ro", *options, image, *command], check=True,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/tmp")
    messages = int(re.search(r"(\d+) messages in all", done.stderr).group(1))
    user, system, resident = map(int, re.search(r"(\d+) us user, (\d+) us system, (\d+) KiB", done.stderr).groups())
    return done.stdout, messages, user + system, resident


def served_by_squashfuse(image, command, debug=False):
    """The same by squashfuse_ll; @command gets the mount point for {mnt}."""
    mnt = f"{SCRATCH}/mnt"
    os.makedirs(mnt, exist_ok=True)
    log = open(f"{SCRATCH}/squashfuse.log", "w+")
    server = subprocess.Popen([have("squashfuse_ll"), "-d" if debug else "-f", image, mnt], stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log)
    try:
        while not os.path.ismount(mnt):
            if server.poll() is not None:
                raise RuntimeError("squashfuse_ll does not mount here")
        text = output([word.replace("{mnt}", mnt) for word in command], cwd="/tmp")
    finally:
        subprocess.run(["fusermount3", "-u", mnt], check=False, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(server.pid, 0)
    server.returncode = 0
    log.seek(0)
    messages = sum(1 for row in log if "opcode" in row and "unique" in row)
    return text, messages, (usage.ru_utime + usage.ru_stime) * 1e6, usage.ru_maxrss


def walks():
    image = f"{IMAGES}/python.sqfs"
    fuse = have("squashfuse_ll") and have("fusermount3")
    once, counts = f"{TOOLS}/work walk {{mnt}}", {}
    _, first, _, _ = served_by_firn(image, work("walk", "/"))
    _, both, _, _ = served_by_firn(image, ["sh", "-c", "/bench/work walk /; /bench/work walk /"])
    _, shell, _, _ = served_by_firn(image, ["sh", "-c", "/bench/work walk /"])
    counts["firn"] = [first]
    counts["firn, second walk"] = [both - shell]
    if fuse:
        counts["squashfuse_ll"] = [served_by_squashfuse(image, once.split(), debug=True)[1]]
    record("walk-messages", "messages of a cold walk of the image", "", counts, None, 7000, None, "firn")
    record("walk-again", "messages of the second walk", "", counts, None, 0, None, "firn, second walk")
    if not fuse:
        return
    cpu = {"firn": [], "squashfuse_ll": []}
    for _ in range(max(5, RUNS // 4)):
        text, _, server, _ = served_by_firn(image, work("walk", "/"))
        cpu["firn"].append(server + float(text.split()[1]))
        text, _, server, _ = served_by_squashfuse(image, once.split())
        cpu["squashfuse_ll"].append(server + float(text.split()[1]))
    record("walk-cpu", "CPU of a cold walk, client and server / squashfuse_ll", "us", cpu, ("firn", "squashfuse_ll"), 0.5, 0.4)


def imports():
    image = f"{IMAGES}/python.sqfs"
    fuse = have("squashfuse_ll") and have("fusermount3")
    # The same interpreter and paths on a mount that is not the root: what is served counts, not what is computed.
    loader = ["/bin/sh", "-c", "exec bwrap --ro-bind {mnt} / --dev-bind /dev /dev --proc /proc --tmpfs /tmp "
              "/bin/sh -c '" + "{times}" + "'"]

    def script(times):
        return "; ".join([f'python3 -c "{IMPORT}"'] * times)

    counts, cpu, memory = {}, {"firn": []}, []
    counts["firn"] = [served_by_firn(image, ["sh", "-c", script(1)])[1]]
    for _ in range(max(3, RUNS // 10)):
        one = served_by_firn(image, ["sh", "-c", script(1)])
        five = served_by_firn(image, ["sh", "-c", script(5)])
        cpu["firn"].append(max(0, five[2] - one[2]) / 4)
        memory.append(one[3])
    if fuse and have("bwrap"):
        def with_squashfuse(times, **more):
            return served_by_squashfuse(image, [word.replace("{times}", script(times)) for word in loader], **more)
        cpu["squashfuse_ll"] = []
        counts["squashfuse_ll"] = [with_squashfuse(1, debug=True)[1]]
        for _ in range(max(3, RUNS // 10)):
            cpu["squashfuse_ll"].append((with_squashfuse(5)[2] - with_squashfuse(1)[2]) / 4)
    record("import-messages", f"messages of '{IMPORT}' / squashfuse_ll", "", counts, ("firn", "squashfuse_ll"), 0.6, 0.55)
    record("import-cpu", "server CPU of a warm import / squashfuse_ll", "us", cpu, ("firn", "squashfuse_ll"), 0.35, 0.2)
    record("import-memory", "server's resident memory during the import", "KiB", {"firn": memory}, None, 32768, 16384, "firn")


def make_data():
    """A gibibyte that compresses by half, and eight files of 64 MiB: made once."""
    image = f"{IMAGES}/data.sqfs"
    if os.path.exists(image):
        return image
    report.note("making the data image (1.5 GiB)")
    folder = tempfile.mkdtemp(prefix="data.", dir=os.path.dirname(IMAGES) if os.access(IMAGES, os.W_OK) else SCRATCH)
    target = image if os.access(IMAGES, os.W_OK) else f"{SCRATCH}/data.sqfs"
    for name, size in [("big", 1024)] + [(f"p{i}", 64) for i in range(8)]:
        with open(f"{folder}/{name}", "wb") as file:
            for _ in range(size):
                noise = os.urandom(1 << 18)
                file.write(b"".join(noise[n:n + 64] + b"0123456789abcdef" * 12 for n in range(0, 1 << 18, 64)))
    subprocess.run([have("mksquashfs"), folder, target, "-comp", "zstd", "-Xcompression-level", "3", "-b", "128K",
                    "-noappend", "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)
    return target


def data():
    if not (have("squashfuse_ll") and have("fusermount3") and have("mksquashfs")):
        return report.note("sequential reads: no squashfuse_ll here")
    image = make_data()
    samples = {what: {"firn": [], "squashfuse_ll": []} for what in ("seq", "par")}
    for _ in range(max(3, RUNS // 6)):
        for what, path in (("seq", "/big"), ("par", "/")):
            drop(image)
            samples[what]["firn"].append(float(served_by_firn(image, work(what, path))[0]) / 1000)
            drop(image)
            text = served_by_squashfuse(image, [f"{TOOLS}/work", what, "{mnt}" + path])[0]
            samples[what]["squashfuse_ll"].append(float(text) / 1000)
    record("sequential", "1 GiB, cold / squashfuse_ll", "ms", samples["seq"], ("firn", "squashfuse_ll"), 0.65, 0.45)
    record("parallel", "8 readers of 64 MiB, cold / squashfuse_ll", "ms", samples["par"], ("firn", "squashfuse_ll"), 0.6, 0.4)


def build():
    builds.measure(sys.modules[__name__])


def messages():
    mpi.measure(sys.modules[__name__])


def joining():
    """A rank that finds its container, against the smallest program that enters one."""
    image = f"{IMAGES}/python.sqfs"
    name = f"bench{os.getpid()}"
    held = subprocess.Popen(firn_in(image, "/bench/work", "stamp", options=("--session", name, "-B", f"{TOOLS}:/bench:ro")),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/tmp")
    try:
        held.stdout.readline()
        times = race({"native": ["/bin/true"], "smallest": [f"{TOOLS}/join", str(held.pid), "/bin/true"],
                      "firn": firn_in(image, "/bin/true", options=("--session", name, "-B", f"{TOOLS}:/bench:ro"))},
                     runs=4 * RUNS)
    finally:
        held.stdin.close()
        held.wait(20)
    record("join", "joining a session / smallest program that does setns and exec", "ms", times, ("firn", "smallest"), 1.3, 1.1)
    record("join-native", "the same / native", "ms", times, ("firn", "native"), 2.3, 2.0)


def helpers(image):
    """Processes of ours that serve or keep the image, and their PSS in KiB (None where it may not be read)."""
    count, memory = 0, 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm") as file:
                if file.read().strip() not in ("firn-server", "firn-keeper"):
                    continue
            with open(f"/proc/{pid}/cmdline") as file:
                if image not in file.read():
                    continue
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    continue
            count += 1
            with open(f"/proc/{pid}/smaps_rollup") as file:
                memory += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))
        except PermissionError:
            memory = None
        except OSError:
            pass
    return count, memory


def burst(command, look=lambda: None, **variables):
    """64 from one barrier: milliseconds until the last is in main(), and what @look saw meanwhile."""
    done = subprocess.Popen([f"{TOOLS}/burst", "64", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            cwd="/tmp", env=dict(os.environ, **variables))
    took = float(done.stdout.readline())
    seen = look()
    done.communicate(timeout=60)
    if took < 0 or done.returncode:
        raise RuntimeError(f"a burst of {command[0]} failed")
    return took / 1000, seen


def ranks():
    """A whole launch: the first rank builds the container, 63 join it."""
    image = f"{IMAGES}/python.sqfs"
    stamp = ["/bench/work", "stamp"]
    samples = {"native": [], "firn": []}
    charliecloud = have("ch-run") and image
    if charliecloud:
        samples["Charliecloud"] = []
    count, memory = [], []
    for run in range(max(5, RUNS // 3)):
        samples["native"].append(burst([f"{TOOLS}/work", "stamp"])[0])
        took, seen = burst(firn_in(image, *stamp, options=("-B", f"{TOOLS}:/bench:ro")), lambda: helpers(image),
                           SLURM_JOB_ID=str(os.getpid()), SLURM_STEP_ID=str(run))
        samples["firn"].append(took)
        count.append(seen[0])
        if seen[1] is not None:
            memory.append(seen[1])
        if charliecloud:
            samples["Charliecloud"].append(burst(
                [have("ch-run"), "--join", "--join-ct=64", f"--join-tag={os.getpid()}.{run}", "-b", f"{TOOLS}:/mnt",
                 charliecloud, "--", "/mnt/work", "stamp"])[0])
    record("ranks", "64 ranks from one barrier, all in main() / native", "ms", samples, ("firn", "native"), 4, 2.5)
    record("ranks-charliecloud", "the same / ch-run --join", "ms", samples, ("firn", "Charliecloud"), 0.5, 0.25)
    record("ranks-processes", "extra processes with 64 ranks", "", {"firn": count}, None, 2, 2, "firn")
    if memory:
        record("ranks-memory", "their PSS", "KiB", {"firn": memory}, None, 8192, 5120, "firn")
    else:
        report.note("the server's PSS may not be read by an ordinary user: it is not dumpable")


def sessions():
    joining()
    ranks()


GROUPS = {"start": start_up, "syscalls": syscalls, "inside": inside, "walk": walks, "import": imports, "data": data,
          "dataimage": lambda: data_images.measure(sys.modules[__name__]),
          "build": build, "session": sessions, "mpi": messages, "survival": lambda: survival.survival(sys.modules[__name__])}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.makedirs(OUT, exist_ok=True)
    report.begin(RUNS)
    try:
        for name, group in GROUPS.items():
            if not ONLY or name in ONLY:
                group()
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
        report.end(results, OUT)


main()
