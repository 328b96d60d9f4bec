#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# make bench: one group of figures, and the page that it is shown on.
. "${srcdir:-.}/tests/lib.sh"
needs firn exec /usr true
needs_python
bench=$srcdir/tests/bench
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$srcdir/tests/images"

# Small roots stand for the real ones.
make_small "$scratch/python.dir"
squash "$scratch/python.dir" "$scratch/python.sqfs"
# Of this build alone: other runners might not like the small roots.
mkdir -p "$scratch/build/tests/bench" "$scratch/bin"
ln -s "$FIRN" "$scratch/build/firn"
ln -s "$builddir/tests/bench/race" "$scratch/build/tests/bench/race"
ln -s "$(command -v python3)" "$scratch/bin/python3"
measure() {
	env PATH="$scratch/bin" FIRN_TEST_CACHE="$scratch" BENCH_RUNS=2 BENCH_ONLY=start python3 "$bench/bench.py" "$scratch/build" "$scratch/out"
}
page=$scratch/out/index.html
ok 'the start is measured'                     succeeds measure
ok 'it makes one page'                         [ -s "$page" ]
ok '... a table'                               [ -s "$scratch/out/figures.txt" ]
ok '... a CSV'                                 grep -q '^start-image,firn,ms,1,[0-9.]*$' "$scratch/out/figures.csv"
ok '... and nothing else but JSON'             [ "$(cd "$scratch/out" && echo *)" = 'figures.csv figures.json figures.txt index.html' ]
cp "$page" "$last"
ok 'the page names day and machine'            says "$(date +%Y-)"
ok '... and its kernel'                        says "Linux $(uname -r)"
ok 'a plot says what is measured'              says 'Exec /bin/true of an image'
ok '... in which unit, and which way is good'  says '(ms; lower is better)'
ok '... and what must be'                      says 'Must: '
ok 'who is who is told'                        says 'this build of firn'
ok 'the page is well-formed'                   python3 -c 'import sys, xml.dom.minidom as d; d.parseString(open(sys.argv[1]).read().replace("<!DOCTYPE html>", "").replace("<meta charset=\"utf-8\">", "").replace("class=n", "class=\"n\""))' "$page"
ok '... with its plots in it'                  [ "$(grep -c '<svg' "$page")" = 2 ]
ok '... and asks nobody for anything'          denied grep -E '<script|<link|<img|src=|url\(|@import|https?:' "$page"

# Numbers that nobody can read are told in another unit; what is measured together is one plot.
mkdir "$scratch/made"
cat >"$scratch/made/figures.json" <<'JSON'
	{"opening": ["2026-01-02: <machine>"], "notes": [], "figures": [
	{"name": "cpu", "what": "CPU of a walk / other", "unit": "us", "samples": {"firn": [218202, 218300], "floor": [4e5]}, "ratio": ["firn", "floor"],
	 "value": 0.55, "must": 0.5, "reach": null, "verdict": "MISSED"},
	{"name": "again", "what": "the same / other", "unit": "us", "samples": {"firn": [218202, 218300], "floor": [4e5]}, "ratio": ["firn", "floor"],
	 "value": 0.55, "must": [0.5, 0.6], "reach": null, "verdict": "met"},
	{"name": "wide", "what": "bandwidth", "unit": "MB/s", "samples": {"firn": [5000]}, "ratio": null, "value": 5000, "must": null, "reach": null, "verdict": "met"}]}
JSON
ok 'a page of what was measured before'        succeeds python3 "$bench/page.py" "$scratch/made" "$scratch/nosuch"
cp "$scratch/made/index.html" "$last"
ok 'microseconds by the thousand are ms'       says '218 ms (218 to 218, 2 runs)'
ok 'the floor is explained'                    says 'the smallest program that makes such a container'
ok 'two goals of the same samples are one plot' [ "$(grep -c '<svg' "$last")" = 2 ]
ok '... with both goals'                       says 'Must: 0.5 to 0.6'
ok 'more is better where it is'                says '(MB/s; higher is better)'
ok 'names are text'                            says '&lt;machine&gt;'

# What is not measured is not made.
cat >"$scratch/group" <<'SH'
made() { echo "made $*"; }
make_root() { made "$@"; }
make_real() { made real; }
say() { :; }
SH
sed -n '/^for_groups() {/,/make_real$/p' "$bench/run" >>"$scratch/group"
makes() { BENCH_ONLY=$1 sh "$scratch/group" | cut -d' ' -f2 | tr '\n' ' '; }
ok 'a group makes only the images that it needs' [ "$(makes start)" = 'debian python ' ]
ok '... that of messages'                        [ "$(makes mpi)" = 'debian mpi ' ]
ok '... under Slurm'                             [ "$(makes slurm)" = 'debian ' ]
ok '... and all make all'                        [ "$(makes '')" = 'debian python mpi real ' ]
done_testing
