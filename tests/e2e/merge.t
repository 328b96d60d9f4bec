#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Layers are merged as umoci unpacks them, to the last attribute: stacks by chance, the same
# ones each time, and the real image. tests/images/mkrandom.py tells what is kept away from;
# FIRN_TEST_SEED chooses other stacks.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python
needs umoci --version
needs sqfs2tar --version

count=200 seed=${FIRN_TEST_SEED:-1}
compare=$srcdir/tests/tools/compare.py
rootless=
[ "$(id -u)" = 0 ] || rootless=--rootless   # tests/root/merge.t is the other case
HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache
export HOME XDG_CACHE_HOME
mkdir "$HOME" "$scratch/roots" "$scratch/images"

python3 "$srcdir/tests/images/mkrandom.py" "$scratch/oci" "$count" "$seed" ${rootless:+rootless} || exit 1
both() {
	for n in $(seq "$count"); do
		umoci raw unpack $rootless --image "$scratch/oci:s$n" "$scratch/roots/s$n" >"$scratch/umoci.log" 2>&1 ||
			{ tail -n 1 "$scratch/umoci.log"; return 1; }
		firn build -q "$scratch/images/s$n.sqfs" "oci:$scratch/oci:s$n" || return 1
	done
}
all_right() {
	python3 "$compare" --all "$scratch/roots" "$scratch/images" >"$scratch/compared" 2>&1
	grep -v '^right' "$scratch/compared" >"$last"
	[ "$(grep -c '^right' "$scratch/compared")" = "$count" ]
}
ok "umoci and firn take $count stacks by chance (seed $seed)" succeeds both
ok 'and make the same trees of them'                          all_right

if [ -d "$images/real.oci" ]; then
	rm -rf "$scratch/roots" "$scratch/images"
	ok 'umoci unpacks the real image' succeeds umoci raw unpack $rootless --image "$images/real.oci:latest" "$scratch/real"
	ok 'firn builds it'               succeeds firn build -q "$scratch/real.sqfs" "oci:$images/real.oci"
	ok 'and the trees are the same'   succeeds python3 "$compare" "$scratch/real" "$scratch/real.sqfs"
else
	skip 'the real image' "there is no real.oci in $images (tests/run makes it)"
fi
done_testing
