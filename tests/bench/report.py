# SPDX-License-Identifier: LGPL-3.0-or-later
"""How figures are shown: a line each as they come, then a table, a CSV, JSON and a page (page.py)."""
import csv
import datetime
import json
import os
import platform
import statistics

import page

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
    opening = [f"{datetime.date.today()}: {machine()}", f"before: {load()}; {runs} runs of each start, fewer of long figures"]
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


def end(results, out):
    with open(f"{out}/figures.txt", "w") as file:
        file.write(table(results))
    with open(f"{out}/figures.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["figure", "case", "unit", "run", "value"])
        for result in results:
            for case, values in result["samples"].items():
                for run, value in enumerate(values):
                    rows.writerow([result["name"], case, result["unit"], run, value])
    with open(f"{out}/figures.json", "w") as file:
        json.dump({"opening": [*opening, f"after: {load()}"], "notes": notes,
                   "figures": [{**result, "verdict": verdict(result)} for result in results]}, file, indent=1)
    page.write([out])
    print(f"\n{table(results)}")
