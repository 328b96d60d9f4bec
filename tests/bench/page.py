#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""page.py DIR...: the figures of all DIR/figures.json as one page, DIR/index.html of the first: tables and plots, no script.

What is measured together is one plot: bars are medians, the thin line goes from the least to the most.
"""
import html
import json
import os
import statistics
import sys

COLOURS = {"firn": "#2a8fb0", "native": "#8a8f98", "floor": "#b4b8bf", "smallest": "#b4b8bf"}
OTHER = "#d9a441"
WHO = {
    "native": "the same on the host, without a container",
    "floor": "the smallest program that makes such a container: two namespaces, nine mounts, exec; with an image, stock "
             "libsquashfuse in one thread beside it. A yardstick, no runner: it checks nothing and prepares nothing",
    "smallest": "the smallest program that enters a container which is there: setns twice, exec",
    "firn": "this build of firn",
    "old": "the firn that BENCH_OLD names",
    "Charliecloud": "ch-run",
    "bubblewrap": "bwrap with the same directories",
    "squashfuse_ll": "the stock FUSE server for squashfs, of Debian",
    "mksquashfs": "of a root that is unpacked and in the cache already",
}
MORE_IS_BETTER = ("MB/s",)
GROUND = """
:root { color-scheme: light dark; --ink: #1c2128; --soft: #59636e; --ground: #fff; --line: #d0d7de; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --ground: #0d1117; --line: #3d444d; } }
body { font: 15px/1.45 sans-serif; color: var(--ink); background: var(--ground); max-width: 60em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 2px 10px; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; } h2 { margin: 1.6em 0 0; font-size: 1.1em; } p { margin: .3em 0; }
.soft { color: var(--soft); } .MISSED { font-weight: bold; } svg { display: block; max-width: 100%; }
svg text { font: 13px sans-serif; fill: currentColor; }
"""


def measured(figure):
    """What is measured, without what it is compared with."""
    what = figure["what"].partition(" / ")[0]
    return what[:1].upper() + what[1:]


def scale(unit, top):
    """A unit in which @top has few digits: (name, what to divide by)."""
    steps = {"ns": [("µs", 1e3), ("ms", 1e6)], "us": [("ms", 1e3), ("s", 1e6)], "ms": [("s", 1e3)],
             "KiB": [("MiB", 1024)], "B": [("KiB", 1024), ("MiB", 1024 ** 2)]}.get(unit, [])
    best = ("µs" if unit == "us" else unit, 1)
    for name, by in steps:
        if top / by >= (10 if unit == "ms" else 1):
            best = (name, by)
    return best


def few(value):
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def goal(value, number):
    return "-" if value is None else f"{value[0]:g} to {value[1]:g}" if isinstance(value, list) else number(value)


def plot(samples, unit):
    cases = {case: values for case, values in samples.items() if values}
    top = max(max(values) for values in cases.values()) or 1
    name, by = scale(unit, top)
    width, left, bar, long = 860, 190, 24, 400
    height = len(cases) * (bar + 10) + 6
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">']
    for row, (case, values) in enumerate(cases.items()):
        y, middle = 4 + row * (bar + 10), statistics.median(values)
        low, high = left + min(values) * long / top, left + max(values) * long / top
        numbers = f"{few(middle / by)} {name}"
        if len(values) > 1:
            numbers += f" ({few(min(values) / by)} to {few(max(values) / by)}, {len(values)} runs)"
        parts += [f'<text x="{left - 10}" y="{y + 17}" text-anchor="end">{html.escape(case)}</text>',
                  f'<rect x="{left}" y="{y}" width="{max(middle * long / top, 1):.1f}" height="{bar}" '
                  f'fill="{COLOURS.get(case.split(",")[0], OTHER)}"/>',
                  f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y + bar / 2}" y2="{y + bar / 2}" stroke="currentColor"/>',
                  f'<text x="{left + long + 12}" y="{y + 17}">{html.escape(numbers)}</text>']
    return "\n".join(parts) + "\n</svg>"


def verdict(figure):
    """The comparison, and what is to be reached."""
    def number(value):
        return few(value / by) + (f" {unit}" if unit else "")
    unit, by = "", 1
    text = f"firn / {figure['ratio'][1]}" if figure.get("ratio") else "firn"
    if not figure.get("ratio"):
        unit, by = scale(figure["unit"], figure["value"] or 0)
    value = "" if figure["value"] is None else f"{number(figure['value'])}: "
    return (f"{text}: {value}{figure['verdict']}. Must: {goal(figure['must'], number)}; to reach: "
            f"{goal(figure['reach'], number)}")


def together(figures):
    """Figures of the same samples, one after another."""
    groups = []
    for figure in figures:
        if groups and groups[-1][0]["samples"] == figure["samples"]:
            groups[-1].append(figure)
        else:
            groups.append([figure])
    return groups


def show(group):
    first = group[0]
    name, _ = scale(first["unit"], max((max(v) for v in first["samples"].values() if v), default=0))
    better = "higher is better" if first["unit"] in MORE_IS_BETTER else "lower is better"
    parts = [f'<h2 id="{first["name"]}">{html.escape(measured(first))} '
             f'<span class="soft">({name + "; " if name else "count; "}{better})</span></h2>']
    parts += [f'<p class="{figure["verdict"]}">{html.escape(verdict(figure))}</p>' for figure in group]
    if any(first["samples"].values()):
        parts.append(plot(first["samples"], first["unit"]))
    return "\n".join(parts)


def page(runs):
    figures = [figure for run in runs for figure in run["figures"]]
    cases = {case.split(",")[0] for figure in figures for case in figure["samples"]}
    parts = ['<!DOCTYPE html>', '<html lang="en"><head><meta charset="utf-8"><title>firn: figures</title>',
             f"<style>{GROUND}</style></head><body>", "<h1>What firn costs</h1>"]
    for run in runs:
        parts += [f'<p>{html.escape(line)}</p>' for line in run["opening"]]
    parts += ['<p class="soft">Cases run in turn, so that a machine whose speed drifts tells the truth; bars are medians, the thin '
              'line goes from the least to the most. Goals are ratios of medians where something else is named.</p>', "<table>"]
    parts += [f"<tr><th>{case}</th><td>{html.escape(WHO[case])}</td></tr>" for case in WHO if case in cases]
    parts += ["</table>", "<table><tr><th>figure</th><th class=n>value</th><th class=n>must</th><th class=n>reach</th><th></th></tr>"]
    for group in together(figures):
        for figure in group:
            value = "-" if figure["value"] is None else few(figure["value"])
            unit = "" if figure.get("ratio") or figure["value"] is None else f' {figure["unit"]}'
            parts.append(f'<tr class="{figure["verdict"]}"><td><a href="#{group[0]["name"]}">{html.escape(figure["what"])}</a></td>'
                         f'<td class=n>{value}{unit}</td><td class=n>{goal(figure["must"], few)}</td>'
                         f'<td class=n>{goal(figure["reach"], few)}</td><td>{figure["verdict"]}</td></tr>')
    parts += ["</table>", *map(show, together(figures))]
    parts += [f'<p class="soft">Note: {html.escape(note)}</p>' for run in runs for note in run["notes"]]
    return "\n".join(parts) + "\n</body></html>\n"


def write(folders):
    runs = []
    for folder in folders:
        if os.path.exists(f"{folder}/figures.json"):
            with open(f"{folder}/figures.json", encoding="utf-8") as file:
                runs.append(json.load(file))
    with open(f"{folders[0]}/index.html", "w", encoding="utf-8") as file:
        file.write(page(runs))


if __name__ == "__main__":
    write(sys.argv[1:])
