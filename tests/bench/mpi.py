# SPDX-License-Identifier: LGPL-3.0-or-later
"""Messages between two ranks, in the image and on the host: the group "mpi" of bench.py.

The same binary, by the same launcher, with the same version of the MPI: the image mpi is
the host's own release. Runs alternate, each tells its best tenth of many short batches,
and the ratio of the medians over all runs is judged.
"""
import os
import shutil
import subprocess
import tempfile

SIZES = {8: "8 B", 64 << 10: "64 KiB", 1 << 20: "1 MiB", 4 << 20: "4 MiB"}
MUST, REACH = (0.97, 1.03), (0.99, 1.01)
FAILURES = 3


def version(package, root=None):
    """Of a Debian package here or in a root directory; None where it is not."""
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    if root:
        command[1:1] = ["--admindir", f"{root}/var/lib/dpkg"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout or None


def pingpong(bench, command, environment):
    """{size: (microseconds, megabytes per second)}"""
    rows = bench.output([*command, "pingpong"], cwd="/tmp", env={**os.environ, **environment}, timeout=120,
                        stderr=subprocess.DEVNULL).splitlines()
    table = {int(size): (float(time), float(rate)) for size, time, rate in map(str.split, rows)}
    if set(table) != set(SIZES):
        raise ValueError(f"not the figures that were asked for: {rows}")
    return table


def series(bench, launcher, program, image, environment):
    """{case: [table]}, alternating, and which case goes first does, too."""
    cases = {"native": [*launcher, program],
             "firn": [*launcher, bench.FIRN, "exec", "-B", f"{program}:{program}:ro", image, program]}
    tables, failures = {case: [] for case in cases}, 0
    for run in range(max(7, bench.RUNS // 2)):
        order = list(cases) if run % 2 else list(reversed(cases))
        for case in order:
            try:
                tables[case].append(pingpong(bench, cases[case], environment))
            except (subprocess.SubprocessError, ValueError) as error:
                failures += 1
                if failures > FAILURES:
                    raise
                bench.report.note(f"{case}: {str(error)[:100]}")
    return tables


def measure(bench):
    image, root = f"{bench.IMAGES}/mpi.sqfs", f"{bench.IMAGES}/mpi.dir"
    # One place that both see by one name, as /tmp is shown.
    folder = tempfile.mkdtemp(prefix="firn-mpi.", dir="/tmp")
    # Debian keeps Open MPI's settings in openmpi-bin, which the image lacks: without them it chooses the
    # transport of a fabric, and is 40 times slower. Here both get the same.
    environment = {"OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "self,vader",
                   "TMPDIR": folder}
    try:
        for kind, package in (("openmpi", "libopenmpi3"), ("mpich", "libmpich12")):
            launcher, program = bench.have(f"mpirun.{kind}"), f"{bench.TOOLS}/mpi_ring.{kind}"
            here, there = version(package), version(package, root)
            if not (launcher and os.access(program, os.X_OK) and os.path.exists(image)):
                bench.report.note(f"{kind}: no launcher, no program or no image mpi.sqfs")
                continue
            if here != there:
                bench.report.note(f"{kind}: version {here} here, {there} in the image: not compared")
                continue
            own = shutil.copy(program, folder)
            tables = series(bench, [launcher, "-np", "2"], own, image, environment)
            for size, name in SIZES.items():
                latency = size == 8
                samples = {case: [table[size][0 if latency else 1] for table in rows] for case, rows in tables.items()}
                what = "latency" if latency else "bandwidth"
                bench.record(f"{kind}-{name.replace(' ', '')}", f"{kind}: {what} at {name} in the image / on the host",
                             "us" if latency else "MB/s", samples, ("firn", "native"), MUST, REACH)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
