#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# The same layers give the same image, to the byte: whatever their compression, the number of
# threads, the language, the clock, the place and (tests/root/rebuild.t) the user.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python
needs zstd --version

HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache
export HOME XDG_CACHE_HOME
mkdir "$HOME"
make_small "$scratch/root"
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch" || exit 1
layout() {
	python3 "$srcdir/tests/images/mkoci.py" --tag "$1" "$scratch/oci" "$scratch/base.tar@$1" "$scratch/changes.tar@$1"
}
for how in gzip members zstd frames plain; do
	layout "$how" || exit 1
done
python3 "$srcdir/tests/images/mkoci.py" --form docker-archive "$scratch/docker.tar" "$scratch/base.tar" "$scratch/changes.tar"
python3 "$srcdir/tests/images/mkoci.py" --docker --tag types "$scratch/oci" "$scratch/base.tar" "$scratch/changes.tar"

sum_of() { sha256sum "$1" | cut -d' ' -f1; }
# same COMMAND...: run with "build ... OUT oci:..." at its end, it gives the first image again.
same() {
	rm -f "$scratch/again.sqfs"
	succeeds "$@" || return 1
	cmp "$scratch/first.sqfs" "$scratch/again.sqfs" >>"$last" 2>&1
}
again=$scratch/again.sqfs source=oci:$scratch/oci:gzip
ok 'an image is built' succeeds firn build -q -j 1 "$scratch/first.sqfs" "$source"
for jobs in 1 2 3 4 5 6 7 8; do
	ok "the same with -j $jobs" same firn build -q -j "$jobs" "$again" "$source"
done
for how in members zstd frames plain types; do
	ok "the same from layers as $how" same firn build -q "$again" "oci:$scratch/oci:$how"
done
ok 'the same from a docker-archive' same firn build -q "$again" "docker-archive:$scratch/docker.tar"
for language in C C.UTF-8 tr_TR.UTF-8 de_DE@euro; do
	ok "the same in $language" same env LC_ALL=$language "$FIRN" build -q "$again" "$source"
done
ok 'the same in another time zone' same env TZ=Pacific/Kiritimati "$FIRN" build -q "$again" "$source"
ok 'the same with umask 077'       same sh -c 'umask 077; "$@"' sh "$FIRN" build -q "$again" "$source"
ok 'the same with umask 0'         same sh -c 'umask 0; "$@"' sh "$FIRN" build -q "$again" "$source"
ok 'the same from another folder'  same sh -c 'cd / && "$@"' sh "$FIRN" build -q "$again" "$source"
ok 'the same without environment'  same env -i "$FIRN" build -q "$again" "$source"
if unshare -r true 2>/dev/null; then
	ok 'the same as root of a user namespace' same unshare -r "$FIRN" build -q "$again" "$source"
else
	skip 'the same as root of a user namespace' 'user namespaces are not to be had'
fi
ok 'the same as a user of another name' same env USER=other LOGNAME=other HOME=/ "$FIRN" build -q "$again" "$source"
if [ -w /dev/shm ]; then
	ok 'the same with its scratch in memory' same env TMPDIR=/dev/shm "$FIRN" build -q "$again" "$source"
fi
if faketime -f '@2031-05-06 07:08:09' "$FIRN" --version >/dev/null 2>&1; then
	ok 'the same in another year' same faketime -f '@2031-05-06 07:08:09' "$FIRN" build -q "$again" "$source"
else
	skip 'the same in another year' 'faketime is not installed, or does not go with sanitizers'
fi
ok 'the same into a folder on another file system' same sh -c '
	"$1" build -q --force "$4/firn-again.$$" "$3" && mv "$4/firn-again.$$" "$2"' sh "$FIRN" "$again" "$source" "$(
	[ -w /dev/shm ] && echo /dev/shm || echo "$scratch")"

# The tree digest knows nothing of layers and codecs.
tree_digest() { "$FIRN" build --json -q "$@" | python3 -c 'import json, sys; print(json.load(sys.stdin)["tree_digest"])'; }
wanted=$(tree_digest "$scratch/t1.sqfs" "$source")
ok 'the tree digest is a digest'              succeeds expr "$wanted" : 'sha256:[0-9a-f]\{64\}$'
ok 'lz4 keeps the tree digest'                prints "$wanted" tree_digest --compress lz4 "$scratch/t2.sqfs" "$source"
ok 'and another block size'                   prints "$wanted" tree_digest --block-size 64K "$scratch/t3.sqfs" "$source"
ok 'and one flattened tar in place of layers' prints "$wanted" tree_digest "$scratch/t4.sqfs" "tar:$scratch/flat.tar"
ok 'and the image built from the image'       prints "$wanted" tree_digest "$scratch/t5.sqfs" "$scratch/t2.sqfs"
ok 'lz4 makes another image'                  differ "$scratch/t1.sqfs" "$scratch/t2.sqfs"
printf x >"$scratch/root/more"
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch"
another_tree() {
	succeeds tree_digest "$scratch/t6.sqfs" "tar:$scratch/flat.tar" && says sha256: && says_not "$wanted"
}
ok 'one more byte makes another tree'         another_tree

# SOURCE_DATE_EPOCH: no time is later, the image's own included.
SOURCE_DATE_EPOCH=1600000000
export SOURCE_DATE_EPOCH
ok 'SOURCE_DATE_EPOCH is kept'    succeeds firn build -q "$scratch/e1.sqfs" "$source"
ok 'twice'                        succeeds firn build -q -j 3 "$scratch/e2.sqfs" "$source"
ok 'and gives one image'          cmp "$scratch/e1.sqfs" "$scratch/e2.sqfs"
ok 'which is another'             differ "$scratch/e1.sqfs" "$scratch/first.sqfs"
latest() { python3 -c '
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import listing
print(max(entry.mtime for entry in listing.read_squashfs(sys.argv[2]).values()))' "$srcdir/tests/tools" "$1"; }
ok 'no file is younger'           prints 1600000000 latest "$scratch/e1.sqfs"
ok 'nor is the image'             prints 1600000000 python3 -c '
import struct, sys
print(struct.unpack_from("<I", open(sys.argv[1], "rb").read(96), 8)[0])' "$scratch/e1.sqfs"
ok 'a wrong SOURCE_DATE_EPOCH is told' status_is 125 env SOURCE_DATE_EPOCH=now "$FIRN" build -q "$scratch/e3.sqfs" "$source"
ok 'by one line'                  one_line
if command -v unsquashfs >/dev/null; then
	firn build -q --all-root "$scratch/root0.sqfs" "$source"
	unsquashfs -no-progress -d "$scratch/unpacked" "$scratch/root0.sqfs" >/dev/null
	succeeds firn inspect "$scratch/root0.sqfs"
	ok 'the tree digest is the one that doc/format.md defines' says \
		"tree digest      $(python3 "$srcdir/tests/tools/treedigest.py" "$scratch/unpacked")"
else
	skip 'the tree digest is the one that doc/format.md defines' 'unsquashfs is not installed'
fi
done_testing
