#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Hostile images: each gets one line that names the layer or the document, and leaves nothing
# behind; images that are only odd are built right. tests/images/mklayers.py has all of them.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python
needs sqfs2tar --version
needs zstd --version

stacks=$srcdir/tests/images/mklayers.py
out=$scratch/out
mkdir "$out" "$scratch/tmp" "$scratch/home"
# What a build may take: seconds, and MiB at the peak (the sanitizers take their own).
seconds=20 memory=256
grep -q __asan_init "$(dirname "$FIRN")/firn-build" && seconds=120 memory=2048
TMPDIR=$scratch/tmp HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache
export TMPDIR HOME XDG_CACHE_HOME
# A site with little memory. (What is left is for file data and the libraries.)
printf '[build]\nmax-entries = 1000000\nmax-memory = 100M\n' >"$scratch/firn.conf"

# build STACK OUT: with the options that the stack asks for.
build() {
	words=$(cat "$1/source")
	source=${words##* }
	# shellcheck disable=SC2086 # options are words
	"$tools/bounded" $seconds $memory "$FIRN" build -q --config "$scratch/firn.conf" ${words%"$source"} "$2" "$source"
}
nothing_left() {
	[ -z "$(ls -A "$out" "$TMPDIR" | grep -v ':$')" ] || { ls -lA "$out" "$TMPDIR" >>"$last"; return 1; }
}
# refused STACK: by one line with the right words, and nothing is left.
refused() {
	status_is 125 build "$1" "$out/image" && one_line && nothing_left || return 1
	grep -qE -f "$1/words" "$last" || { sed 's/^/it should say: /' "$1/words" >>"$last"; return 1; }
}

python3 "$stacks" all bad "$scratch/bad" >"$last" 2>&1 || { cat "$last"; exit 1; }
for name in $(python3 "$stacks" list bad); do
	ok "refused: $name" refused "$scratch/bad/$name"
	rm -rf "$scratch/bad/$name" "$out"/*
done

python3 "$stacks" all good "$scratch/good" >"$last" 2>&1 || { cat "$last"; exit 1; }
for name in $(python3 "$stacks" list good); do
	build "$scratch/good/$name" "$scratch/good/$name/image" >"$scratch/good/$name/said" 2>&1 </dev/null
done
python3 "$stacks" check "$scratch/good" >"$scratch/checked" 2>&1
for name in $(python3 "$stacks" list good); do
	{ grep -F "wrong $name:" "$scratch/checked"; cat "$scratch/good/$name/said"; } >"$last"
	ok "built right: $name" grep -qx "right $name" "$scratch/checked"
done
ok 'builds leave nothing in $TMPDIR' nothing_left
done_testing
