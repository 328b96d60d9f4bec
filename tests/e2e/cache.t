#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn's cache: shared, bounded, never trusted, and never in the way of a pull.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python
needs docker-registry --version
needs skopeo --version

serve=$srcdir/tests/registry/serve
HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache
# skopeo would look into /run/containers, where others may have left what cannot be read.
XDG_RUNTIME_DIR=$scratch/run
export HOME XDG_CACHE_HOME XDG_RUNTIME_DIR
unset DOCKER_CONFIG REGISTRY_AUTH_FILE FIRN_CACHE
mkdir "$HOME" "$XDG_RUNTIME_DIR" "$scratch/out" "$scratch/tars"
trap '"$serve" stop "$scratch/registry"; cleanup' EXIT
registry=$("$serve" start "$scratch/registry") || exit 1
# image NAME SEED: half a MiB that does not compress, in a registry.
push_image() {
	python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(int(sys.argv[1])).randbytes(500000))' "$2" >"$scratch/tars/noise"
	tar cf "$scratch/tars/$1.tar" -C "$scratch/tars" noise
	python3 "$srcdir/tests/images/mkoci.py" --tag "$1" "$scratch/oci-$1" "$scratch/tars/$1.tar"
	skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$scratch/oci-$1:$1" "docker://$registry/$1:1" || exit 1
}
push_image one 1
push_image two 2
push_image three 3
cache=$XDG_CACHE_HOME/firn
pull() { "$FIRN" pull -f "$registry/$1:1" "$scratch/out/${2:-$1}.sqfs"; }

ok 'a pull'                        succeeds pull one
cp "$scratch/out/one.sqfs" "$scratch/right.sqfs"
# right_again COMMAND...: it succeeds, and out/one.sqfs is what it was.
right_again() {
	rm -f "$scratch/out/one.sqfs"
	succeeds "$@" && cmp "$scratch/right.sqfs" "$scratch/out/one.sqfs" >>"$last" 2>&1
}
ok 'and others'                    succeeds sh -c '"$1" pull -q "$2/two:1" "$3/two.sqfs" && "$1" pull -q "$2/three:1" "$3/three.sqfs"' sh "$FIRN" "$registry" "$scratch/out"
ok 'the list'                      succeeds firn cache list
ok 'names the images'              sh -c 'grep -q "^ *[0-9.]* [A-Za-z]*  20..-..-..  sha256:" "$1"' sh "$last"
ok 'as they were asked for'        says "$registry/two:1"
ok 'in JSON'                       sh -c '"$1" cache list --json | python3 -c "import json, sys; d = json.load(sys.stdin); assert len(d[\"images\"]) == 3 and d[\"size\"] > 1500000, d"' sh "$FIRN"
ok 'a place of its own by FIRN_CACHE' right_again env FIRN_CACHE="$scratch/elsewhere" "$FIRN" pull -q "$registry/one:1" "$scratch/out/one.sqfs"
ok 'is used'                       test -d "$scratch/elsewhere/blobs/sha256"
mkdir -m 700 "$scratch/configured"
printf '[build]\ncache = %s/configured\n' "$scratch" >"$scratch/conf"
chmod 644 "$scratch/conf"
ok 'a place by firn.conf'          right_again firn pull -q --config "$scratch/conf" "$registry/one:1" "$scratch/out/one.sqfs"
ok 'is used, too'                  test -d "$scratch/configured/blobs/sha256"
ok 'none with --no-cache'          right_again env FIRN_CACHE="$scratch/none" "$FIRN" pull -q --no-cache "$registry/one:1" "$scratch/out/one.sqfs"
ok 'is made'                       test ! -e "$scratch/none"
one_digest=$(firn cache list --json | python3 -c 'import json, sys; print(*[i["manifest"] for i in json.load(sys.stdin)["images"] if i["name"].endswith("one:1")])')
listed() { firn cache list | grep -c "$1"; }
ok 'an image by its digest'        succeeds firn pull -q "$registry/one@$one_digest" "$scratch/out/first.sqfs"
ok '... is listed once'            test "$(listed one)" = 1
ok '... under its tag'             test "$(listed 'one:1$')" = 1
ok 'the digest first'              succeeds sh -c 'FIRN_CACHE=$3/first; export FIRN_CACHE; for name in "one@$2" one:1 "one@$2"; do "$0" pull -f -q "$1/$name" "$3/out/first.sqfs"; "$0" cache list | grep one; done' "$FIRN" "$registry" "$one_digest" "$scratch"
ok '... until there is a tag'      test "$(grep -c "one@sha256:" "$last") $(grep -c 'one:1$' "$last")" = '1 2'
rm "$scratch/out/first.sqfs"

# gc removes what was used longest ago.
find "$cache/blobs" -type f -exec touch -d '2 days ago' {} +
succeeds pull one
size_of() { du -sb "$cache/blobs" | cut -f1; }
ok 'gc needs to know how much'     status_is 125 firn cache gc
ok 'and says so'                   says '--keep SIZE'
for size in '1 ' ' 1' +1 -1 '' K 1KB 1.5G 0x10 1E 99999999999T; do
	ok "'$size' is no size"            status_is 125 firn cache gc --keep "$size"
	ok '... and is named'              says "not '$size'"
done
ok 'gc'                            succeeds firn cache gc --keep 600K
ok 'leaves as much'                test "$(size_of)" -le 700000
ok 'the list again'                succeeds firn cache list
ok 'knows what was used last'      says "$registry/one:1"
ok 'and nothing else'              says_not "$registry/two:1"
ok 'what is left serves'           right_again pull one
ok 'gc of everything'              succeeds firn cache gc --keep 0
ok 'says what it did'              says '0 bytes left'
ok 'after which all is fetched'    right_again pull one

# Twenty at once, and somebody who removes what they fetch.
at_once() {
	rm -rf "$cache" "$scratch"/out/*
	for i in 1 2 3 4 5 6; do
		for name in one two three; do
			"$FIRN" pull -q "$registry/$name:1" "$scratch/out/$name.$i" &
		done
		"$FIRN" cache gc -q --keep 0 >/dev/null &
	done
	wait
	for i in 1 2 3 4 5 6; do
		cmp "$scratch/right.sqfs" "$scratch/out/one.$i" || return 1
		cmp "$scratch/out/two.1" "$scratch/out/two.$i" && cmp "$scratch/out/three.1" "$scratch/out/three.$i" || return 1
	done
}
ok 'eighteen pulls and six gcs at once' succeeds at_once
ok 'leave no unfinished download'  sh -c 'test -d "$0" && test -z "$(find "$0" -name "*.part")"' "$cache/ingest"
rm -f "$scratch"/out/*

# What somebody did to it.
echo '{"manifests": 7' >"$cache/index.json"
ok 'a damaged index'               right_again pull one
ok 'is written anew'               succeeds firn cache list
ok 'with the image'                says "$registry/one:1"
for blob in "$cache"/blobs/sha256/*; do
	: >"$blob"
done
ok 'empty blobs are fetched again' right_again pull one
for blob in "$cache"/blobs/sha256/*; do
	rm "$blob" && ln -s /etc/passwd "$blob"
done
ok 'links are not followed'        right_again pull one
for blob in "$cache"/blobs/sha256/*; do
	rm -r "$blob" && mkdir "$blob"
done
ok 'empty directories make room'   right_again timeout 60 "$FIRN" pull -q "$registry/one:1" "$scratch/out/one.sqfs"
for blob in "$cache"/blobs/sha256/*; do
	rm -r "$blob" && mkdir -p "$blob/full"
done
ok 'full ones cost the cache'      right_again timeout 60 "$FIRN" pull "$registry/one:1" "$scratch/out/one.sqfs"
ok 'which is told'                 says 'going on without it'
ok 'and nothing of theirs'         test "$(find "$cache/blobs" -name full | wc -l)" -ge 3
ok 'gc passes over them'           succeeds firn cache gc --keep 0
rm -rf "$cache/blobs"
if [ "$(id -u)" -ne 0 ]; then
	succeeds pull one
	for blob in "$cache"/blobs/sha256/*; do
		echo more >>"$blob"
	done
	chmod 500 "$cache/blobs/sha256"
	ok 'wrong blobs that stay'         right_again timeout 60 "$FIRN" pull -q "$registry/one:1" "$scratch/out/one.sqfs"
	chmod -R u+w "$cache"
	rm -rf "$cache/blobs"
fi
mkdir "$scratch/target" && ln -s "$scratch/target" "$cache/blobs"
ok 'a link in place of a folder'   right_again pull one
ok 'is told'                       says 'going on without a cache'
ok 'and not followed'              test -z "$(ls -A "$scratch/target")"
rm -rf "$cache" && mkdir "$cache" && chmod 777 "$cache"
ok 'a cache that others can write to' right_again pull one
ok 'is told'                       says 'others can write to it (mode 0777)'
ok 'and not used'                  test -z "$(ls -A "$cache")"
rm -rf "$cache" && echo file >"$cache"
ok 'a file in its place'           right_again pull one
rm -rf "$cache" && mkdir "$cache" && chmod 500 "$cache"
ok 'one that cannot be written to' right_again pull one
rm -rf "$cache"

# No room for what is fetched, in a file system of 300 KiB.
if unshare -rm true 2>/dev/null; then
	mkdir "$cache"
	no_room() {
		unshare -rm sh -c 'mount -t tmpfs -o size=300k,mode=700 none "$4" && exec "$1" pull "$2/one:1" "$3"' sh \
			"$FIRN" "$registry" "$scratch/out/one.sqfs" "$cache"
	}
	ok 'a cache without room'          right_again no_room
	ok 'is told'                       says 'No space left on device; going on without it'
	ok 'with its place'                says "cannot write to the cache '$cache'"
	no_room_for_out() {
		unshare -rm sh -c 'mount -t tmpfs -o size=300k none "$3" && exec "$1" pull -q "$2/one:1" "$3/one.sqfs"' sh \
			"$FIRN" "$registry" "$scratch/target"
	}
	ok 'no room for the image'         status_is 125 no_room_for_out
	ok 'gets one line'                 one_line
	ok 'with the cause'                says 'No space left on device'
	ok 'the image and what to do'      says "firn: cannot write '$scratch/target/one.sqfs'; name OUT in a folder with room"
	no_room_to_wait() {
		unshare -rm sh -c 'mount -t tmpfs -o size=300k none "$3" && TMPDIR=$3 exec "$1" pull -q "$2/one:1" "$4"' sh \
			"$FIRN" "$registry" "$scratch/target" "$scratch/out/waiting.sqfs"
	}
	ok 'no room for what waits'        status_is 125 no_room_to_wait
	ok 'gets one line, too'            one_line
	ok 'which names TMPDIR'            says "firn: cannot write a temporary file in '$scratch/target'; set TMPDIR to a directory with room: No space"
	ok 'and no image'                  test ! -e "$scratch/out/waiting.sqfs"
else
	skip 'no room' 'user namespaces are not to be had'
fi
done_testing
