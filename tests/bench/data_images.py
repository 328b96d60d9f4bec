# SPDX-License-Identifier: LGPL-3.0-or-later
"""What a data image costs: at the start, and when it is read."""


def measure(bench):
    image = f"{bench.IMAGES}/python.sqfs"
    times = bench.race({"without": bench.firn_in(image, "/bin/true"),
                        "with": bench.firn_in(image, "/bin/true", options=("-B", f"{image}:/mnt"))}, runs=8 * bench.RUNS)
    added = [with_it - without for with_it, without in zip(times["with"], times["without"])]
    bench.record("data-image", "a data image added to exec /bin/true", "ms", {"firn": added}, None, 0.6, 0.3, "firn")
    walks = {"root": [], "data": []}
    for _ in range(max(5, bench.RUNS // 2)):
        bench.drop(image)
        walks["root"].append(bench.numbers(bench.in_firn(image, "walk", "/usr"))[0] / 1000)
        bench.drop(image)
        walks["data"].append(bench.numbers(bench.in_firn(image, "walk", "/mnt/usr", options=("-B", f"{image}:/mnt")))[0] / 1000)
    bench.record("data-image-walk", "cold walk of a data image / the same as root image", "ms", walks, ("data", "root"), 1.05, 1.0)
