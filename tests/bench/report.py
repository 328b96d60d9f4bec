# SPDX-License-Identifier: LGPL-3.0-or-later
"""How figures are shown: a line each as they come, then a table, a CSV and a plot per figure."""
import csv
import os
import platform
import statistics

COLOURS = {"firn": "#1f6f8b", "native": "#8a8a8a", "floor": "#b8b8b8"}
notes = []


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for row in file:
            if row.startswith("model name"):
                model = row.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} CPUs, Linux {platform.release()}"


def load():
    return "load " + " ".join(f"{value:.2f}" for value in os.getloadavg())


def begin(runs):
    global opening
    opening = [machine(), f"before: {load()}; {runs} runs of each start, fewer of long figures"]
    print("\n".join(opening), flush=True)


def note(text):
    notes.append(text)
    print(f"  ({text})", flush=True)


def within(value, goal):
    """A goal is the most that a value may be, or (least, most)."""
    return goal[0] <= value <= goal[1] if isinstance(goal, tuple) else value <= goal


def verdict(result):
    value, must, reach = result["value"], result["must"], result["reach"]
    if value is None:
        return "not measured"
    if reach is not None and within(value, reach):
        return "reached"
    return "met" if must is None or within(value, must) else "MISSED"


def number(value):
    if isinstance(value, tuple):
        return f"{value[0]:g}-{value[1]:g}"
    return "-" if value is None else f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def line(result):
    print(f"  {result['name']:20} {number(result['value']):>8}  must {number(result['must']):>9}  "
          f"reach {number(result['reach']):>9}  {verdict(result)}", flush=True)


def table(results):
    rows = [*opening, f"after: {load()}", ""]
    rows.append(f"{'figure':20} {'value':>8} {'must':>9} {'reach':>9}  {'':9} what")
    for result in results:
        rows.append(f"{result['name']:20} {number(result['value']):>8} {number(result['must']):>9} "
                    f"{number(result['reach']):>9}  {verdict(result):9} {result['what']}")
    rows.append("")
    rows.append(f"{'figure':20} {'case':20} {'unit':4} {'minimum':>10} {'median':>10} {'maximum':>10} {'runs':>5}")
    for result in results:
        for case, values in result["samples"].items():
            if values:
                rows.append(f"{result['name']:20} {case:20} {result['unit']:4} {min(values):10.2f} "
                            f"{statistics.median(values):10.2f} {max(values):10.2f} {len(values):5}")
    rows += [f"note: {text}" for text in notes]
    return "\n".join(rows) + "\n"


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plot(result):
    """Bars of the medians with whiskers from minimum to maximum, as SVG."""
    cases = {case: values for case, values in result["samples"].items() if values}
    top = max(max(values) for values in cases.values()) or 1
    width, left, bar, scale = 720, 190, 26, 430 / top
    height = 70 + len(cases) * (bar + 12)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="13">',
             f'<rect width="{width}" height="{height}" fill="white"/>',
             f'<text x="12" y="24" font-size="15">{escape(result["what"])} {("(" + result["unit"] + ")") if result["unit"] else ""}</text>']
    for row, (case, values) in enumerate(cases.items()):
        y = 44 + row * (bar + 12)
        middle = statistics.median(values)
        parts.append(f'<text x="{left - 10}" y="{y + 18}" text-anchor="end">{escape(case)}</text>')
        parts.append(f'<rect x="{left}" y="{y}" width="{middle * scale:.1f}" height="{bar}" '
                     f'fill="{COLOURS.get(case.split(",")[0], "#d9a441")}"/>')
        parts.append(f'<line x1="{left + min(values) * scale:.1f}" x2="{left + max(values) * scale:.1f}" '
                     f'y1="{y + bar / 2}" y2="{y + bar / 2}" stroke="black"/>')
        parts.append(f'<text x="{left + max(max(values), middle) * scale + 8:.1f}" y="{y + 18}">{number(middle)}</text>')
    goal = f"{number(result['value'])}: must {number(result['must'])}, reach {number(result['reach'])}, {verdict(result)}"
    parts.append(f'<text x="12" y="{height - 8}" fill="#555">{escape(goal)}</text></svg>')
    return "\n".join(parts) + "\n"


def end(results, out):
    with open(f"{out}/figures.txt", "w") as file:
        file.write(table(results))
    with open(f"{out}/figures.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["figure", "case", "unit", "run", "value"])
        for result in results:
            for case, values in result["samples"].items():
                for run, value in enumerate(values):
                    rows.writerow([result["name"], case, result["unit"], run, value])
    for result in results:
        if any(result["samples"].values()):
            with open(f"{out}/{result['name']}.svg", "w") as file:
                file.write(plot(result))
    print(f"\n{table(results)}\nwritten to {out}: figures.txt, figures.csv, a plot (SVG) for each figure")
