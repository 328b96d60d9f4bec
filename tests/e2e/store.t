#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn images: an image of a registry's name is built once, whoever asks, however many, whatever dies.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python
needs docker-registry --version
needs skopeo --version

HOME=$scratch/home XDG_CACHE_HOME=$scratch/cache XDG_DATA_HOME=$scratch/data TMPDIR=$scratch/tmp XDG_RUNTIME_DIR=$scratch/run
export HOME XDG_CACHE_HOME XDG_DATA_HOME TMPDIR XDG_RUNTIME_DIR
mkdir "$HOME" "$TMPDIR" "$XDG_RUNTIME_DIR" "$scratch/out"
stop_all() {
	"$srcdir/tests/registry/serve" stop "$scratch/registry"
	cleanup
}
trap stop_all EXIT

# An image of two layers, of which one does not compress: it takes some moments to be built.
make_small "$scratch/root"
mkdir "$scratch/more"
python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(16 << 20))' >"$scratch/more/noise"
tar cf "$scratch/base.tar" -C "$scratch/root" . && tar cf "$scratch/more.tar" -C "$scratch/more" noise || exit 1
python3 "$srcdir/tests/images/mkoci.py" --tag latest "$scratch/oci" "$scratch/base.tar" "$scratch/more.tar" || exit 1
python3 "$srcdir/tests/images/mkoci.py" --tag latest "$scratch/oci2" "$scratch/base.tar" || exit 1
at=$("$srcdir/tests/registry/serve" start "$scratch/registry") || exit 1
push() { skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$1:latest" "docker://$at/$2" >"$scratch/skopeo.log" 2>&1 || { cat "$scratch/skopeo.log"; exit 1; }; }
push "$scratch/oci" group/tool:1
push "$scratch/oci2" group/other:1
digest_of() { skopeo inspect --tls-verify=false "docker://$at/$1" | sed -n 's/.*"Digest": "\([^"]*\)".*/\1/p'; }
digest=$(digest_of group/tool:1)
firn build -q "$scratch/wanted.sqfs" "oci:$scratch/oci:latest" || exit 1
tree_of() { firn inspect "$1" 2>/dev/null | sed -n 's/^tree digest *//p'; }
right=$(tree_of "$scratch/wanted.sqfs")
[ -n "$digest" ] && [ -n "$right" ] || { echo 'no digests'; exit 1; }

store=$XDG_DATA_HOME/firn/images
blobs() { grep -c 'GET /v2/group/[a-z]*/blobs' "$scratch/registry/log"; }
clear_store() { rm -rf "$XDG_DATA_HOME" "$XDG_CACHE_HOME"; }
# clean [DIR]: nothing is there but images and the names of some.
clean() {
	find "${1:-$store}" -type f ! -name 'sha256-*.sqfs' ! -path '*/names/[0-9a-f]*' >"$scratch/left"
	[ ! -s "$scratch/left" ] || { cat "$scratch/left" >>"$last"; return 1; }
}
# gets NAME [OPTION...]: firn images get NAME prints one path, of the image that the layout gives.
gets() {
	path=$("$FIRN" images get "$@" 2>"$last") || return 1
	echo "$path" >>"$last"
	[ -f "$path" ] && [ "$(tree_of "$path")" = "$right" ]
}

ok 'the store is empty'                 prints '' firn images
ok 'an image that is not there is built' gets "$at/group/tool:1"
ok 'it has the name of its digest'      test "${path##*/}" != "${path#*"sha256-${digest#sha256:}-"}"
ok 'it runs'                            succeeds firn exec "$path" /bin/true
ok 'nothing else is left'               clean
before=$(blobs)
rm -rf "$XDG_CACHE_HOME"
ok 'it is there the second time'        gets "$at/group/tool:1"
ok 'also by its digest'                 gets "$at/group/tool@$digest"
ok "also as docker://"                  gets "docker://$at/group/tool:1"
ok "also as enroot has it"              gets "$at#group/tool:1"
ok 'and no blob is fetched'             test "$(blobs)" = "$before"
ok 'it is listed'                       succeeds firn images
ok 'with its name'                      says "$at/group/tool:1"
ok 'with its digest'                    says "$(echo "$digest" | cut -c 1-19)"
ok 'for programs, too'                  sh -c '"$1" images --json | python3 -c "import json, sys
image, = json.load(sys.stdin)[\"images\"]
assert image[\"digest\"] == sys.argv[1] and image[\"size\"] > 1 << 24 and sys.argv[2] in image[\"names\"], image" "$2" "$3"' sh "$FIRN" "$digest" "$at/group/tool:1"
ok 'it is verified'                     succeeds firn images verify
ok 'by its name'                        succeeds firn images verify "$at/group/tool:1"
ok 'other settings are another image'   sh -c '[ "$(SOURCE_DATE_EPOCH=1 "$0" images get "$1")" != "$2" ]' "$FIRN" "$at/group/tool:1" "$path"
ok 'of which each has the name'         test "$(firn images | grep -c "group/tool:1")" = 2

# Names where a file can stand.
cd "$scratch/out" || exit 1
for name in "$at/group/tool:1" "docker://$at/group/tool:1" "$at#group/tool:1" "$at/group/tool@$digest"; do
	ok "exec of $(echo "$name" | cut -c 1-40)" succeeds firn exec "$name" true
done
ok 'run'                                succeeds firn run "$at/group/tool:1" true
ok 'the plan has the file'              succeeds firn exec --print-plan "$at/group/tool:1" true
ok 'of the store'                       says "image $path "
ok 'standard input is the program'\''s'   prints hello sh -c 'echo hello | "$0" exec "$1" probe read 0' "$FIRN" "$at/group/tool:1"
ok 'also where children are ignored'    succeeds sh -c 'trap "" CHLD; exec "$0" exec "$1" true' "$FIRN" "$at/group/tool:1"
ok 'a name that no registry has'        status_is 125 firn exec "$at/group/tool:2" true
ok 'is one line'                        one_line
ln -s "$scratch/wanted.sqfs" tool:1
ok 'a path that is there is that'       prints 'image '"$scratch/wanted.sqfs" sh -c '"$0" exec --print-plan tool:1 true | sed -n "s/^\(image [^ ]*\).*/\1/p"' "$FIRN"
rm tool:1
ok 'what begins as a path is one'       status_is 125 firn exec ./tool:1 true
ok 'and missing'                        says "cannot open './tool:1'"
ok 'a file that is missing is one'      status_is 125 firn exec tool.sqfs true
ok 'and no name'                        says "cannot open 'tool.sqfs'"
ok 'what others name otherwise is told' status_is 125 firn exec podman:tool true
ok 'as ever'                            says 'firn build OUT SOURCE'
mkdir -p "$HOME/.config/containers"
printf '[aliases]\n"tool" = "%s/group/tool"\n' "$at" >"$HOME/.config/containers/registries.conf"
ok 'a short name'                       succeeds firn exec tool:1 true
rm -r "$HOME/.config"
asked() { grep -c 'GET /v2/group/tool/manifests/1 ' "$scratch/registry/log"; }
ranks() {
	for _ in $(seq 16); do
		SLURM_JOB_ID=1 SLURM_STEP_ID=$$ SLURMD_NODENAME=n "$FIRN" exec "$at/group/tool:1" true &
	done >"$last" 2>&1
	wait
	[ ! -s "$last" ]
}
before=$(asked)
ok '16 ranks of a launcher'             ranks
if grep -q _uid "/proc/keys" 2>/dev/null; then
	ok 'ask once'                   test "$(($(asked) - before))" = 1
else
	skip 'ask once' 'no keyrings'
fi
cd / || exit 1

# One build, whoever asks.
# together COUNT NAME: so many ask at once, and get the same.
together() {
	rm -f "$scratch/out/"*
	for i in $(seq "$1"); do
		"$FIRN" images -v get "$2" >"$scratch/out/$i" 2>"$scratch/out/$i.err" &
	done
	wait
	cat "$scratch/out/"*.err >"$last"
	[ "$(cat "$scratch"/out/*[0-9] | wc -l)" = "$1" ] && [ "$(cat "$scratch"/out/*[0-9] | sort -u | wc -l)" = 1 ] &&
		[ "$(tree_of "$(cat "$scratch/out/1")")" = "$right" ]
}
clear_store
before=$(blobs)
ok 'it is asked for by 64 at once'      together 64 "$at/group/tool@$digest"
ok 'one of them builds'                 test "$(grep -c 'is built into' "$last")" = 1
ok 'each blob is fetched once'          test "$(($(blobs) - before))" = 3
ok 'nothing is left behind'             clean

# kill -9 at any moment.
kills() {
	for i in $(seq 20); do
		clear_store
		"$FIRN" images -q get "$at/group/tool:1" >"$scratch/killed" 2>&1 &
		python3 -c 'import random, sys, time; time.sleep(random.Random(int(sys.argv[1])).random() * 0.35)' "$i"
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		begin=$(date +%s)
		gets "$at/group/tool:1" || { echo "after kill $i" >>"$last"; return 1; }
		[ $(($(date +%s) - begin)) -lt 15 ] || { echo "slow after kill $i" >>"$last"; return 1; }
		firn images gc -q --older 1d || return 1
		clean || { echo "left by kill $i" >>"$last"; return 1; }
	done 2>/dev/null
}
ok 'kill -9 at 20 moments blocks nobody' kills
interrupted() {
	clear_store
	"$FIRN" images -q get "$at/group/tool:1" >"$scratch/killed" 2>&1 &
	wait_for sh -c 'ls -A "$1" | grep -q "^\.sha"' sh "$store"
	kill -TERM $!
	wait $! 2>/dev/null
	[ -z "$(ls -A "$store" | grep '^\.sha')" ]
}
ok 'one that is told to end takes its half image along' interrupted

# What fails, fails for all who wait.
printf '[build]\nmax-entries = 3\n' >"$scratch/few.conf"
all_fail() {
	clear_store
	for i in $(seq 8); do
		"$FIRN" images get --config "$scratch/few.conf" "$at/group/tool:1" 2>"$scratch/out/$i.err" && return 1 &
	done
	wait
	cat "$scratch"/out/?.err >"$last"
	[ "$(wc -l <"$last")" = 8 ] && ! grep -qv 'max-entries' "$last"
}
ok 'a build that fails tells all who wait' all_fail
ok 'who comes later tries anew'         gets "$at/group/tool:1"
ok 'and nothing of it is left'          clean

# The registry is away.
ok 'a name that no registry has'        status_is 125 firn images get "$at/group/tool:2"
ok 'is one line'                        one_line
gets "$at/group/tool:1"
python3 -c 'import sys, urllib.request; urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="DELETE"))' \
	"http://$at/v2/group/tool/manifests/$digest"
ok 'a tag that is gone'                 status_is 125 firn images get "$at/group/tool:1"
ok 'is gone, though its image is here'  says "has no '1' of the image"
push "$scratch/oci" group/tool:1
gets "$at/group/tool:1"
push "$scratch/oci2" group/tool:1
ok 'a tag that moved is noticed'        sh -c '[ "$("$0" images get "$1")" != "$2" ]' "$FIRN" "$at/group/tool:1" "$path"
push "$scratch/oci" group/tool:1
gets "$at/group/tool:1"
printf '[store]\nfresh = 600\n' >"$scratch/fresh.conf"
push "$scratch/oci2" group/tool:1
before=$(asked)
ok 'unless the answer is fresh enough'  gets "$at/group/tool:1" --config "$scratch/fresh.conf"
ok 'then nobody is asked'               test "$(asked)" = "$before"
push "$scratch/oci" group/tool:1
gets "$at/group/tool:1"
"$srcdir/tests/registry/serve" stop "$scratch/registry"
ok 'without its registry'               gets "$at/group/tool:1"
ok 'the last answer counts, and that is said' says "warning: '$at/group/tool:1' is taken as its registry had it on 20"
ok 'a digest needs no registry'         gets "$at/group/tool@$digest"
ok 'and no word'                        test "$(wc -l <"$last")" = 1
ok 'nobody is asked with --offline'     gets "$at/group/tool:1" --offline
ok 'which is said'                      says "is taken as its registry had it on 20"
ok 'what is not there is not got'       status_is 125 firn images get --offline "$at/group/none:1"
ok 'in one line'                        says 'is not in the store, and no registry is asked'
at=$("$srcdir/tests/registry/serve" start "$scratch/registry") || exit 1

# More directories.
clear_store
gets "$at/group/tool:1" && mv "$store" "$scratch/site" && chmod -R a-w "$scratch/site"
printf '[store]\ndir = %s/site\n' "$scratch" >"$scratch/site.conf"
before=$(blobs)
if [ "$(id -u)" != 0 ]; then
	ok "a site's directory is read"         gets "$at/group/tool:1" --config "$scratch/site.conf"
	ok 'no blob is fetched'                 test "$(blobs)" = "$before"
	ok 'what it lacks goes elsewhere'       sh -c 'case $("$0" images get --config "$1" "$2") in "$3"/*) ;; *) exit 1 ;; esac' "$FIRN" "$scratch/site.conf" "$at/group/other:1" "$store"
	ok 'both are listed'                    test "$(firn images --config "$scratch/site.conf" | grep -c group/)" = 2
	ok 'the site'\''s is not removed'       status_is 125 firn images rm --config "$scratch/site.conf" "$at/group/tool:1"
	ok 'as it is not yours'                 says 'is not yours to write to'
	ok 'nor by gc'                          succeeds firn images gc --config "$scratch/site.conf" --keep 0
	ok 'which removes one'                  says '1 images of'
else
	skip "a site's directory" 'root writes to all'
fi
chmod -R u+w "$scratch/site"

mkdir "$scratch/plain"
ok 'a directory that is looked at'      succeeds env FIRN_STORE="$scratch/plain" "$FIRN" images
ok 'stays as it is'                     test -z "$(ls -A "$scratch/plain")"

# What is in the way, or makes no sense.
clear_store
gets "$at/group/tool:1"
file=$path
ok 'a link in the place of an image'    sh -c 'rm -f "$1" && ln -s /etc/passwd "$1"' sh "$file"
ok 'is none'                            gets "$at/group/tool:1"
ok 'a directory'                        sh -c 'rm -f "$1" && mkdir "$1"' sh "$file"
ok 'is none'                            gets "$at/group/tool:1"
ok 'an empty file'                      sh -c 'rm -f "$1" && : >"$1"' sh "$file"
ok 'is none'                            gets "$at/group/tool:1"
for name in "$store"/names/*; do head -c 1000 /dev/urandom >"$name"; done
ok 'names of noise'                     gets "$at/group/tool:1"
ok 'are replaced'                       succeeds firn images
ok 'by what they mean'                  says "$at/group/tool:1"
chmod u+w "$file" && python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(1 << 20); f.write(b"damage")' "$file"
ok 'a damaged image is found out'       status_is 125 firn images verify
ok 'and told'                           says '1 of 1 images are damaged'
rm -f "$file"
rm -rf "$store/names" && ln -s "$scratch/out" "$store/names"
ok 'a link in the place of a folder'    succeeds firn images
ok 'is told'                            says "cannot open '$store/names'"
rm -f "$store/names"
chmod 777 "$store"
ok 'a directory that all can write to'  succeeds firn images
ok 'is not used'                        says 'others can write to it'
chmod 700 "$store"

# Removing.
gets "$at/group/tool:1"
gets "$at/group/tool@$digest"
ok 'by one of two names'                succeeds firn images rm "$at/group/tool@$digest"
ok 'only that goes'                     says 'its image has other names, and stays'
ok 'the image is there'                 test -f "$path"
exec 9<"$path"
ok 'one in use'                         succeeds firn images rm "$at/group/tool:1"
ok 'is said to be'                      says 'is in use'
exec 9<&-
ok 'it is gone'                         denied test -f "$path"
ok 'once'                               status_is 125 firn images rm "$at/group/tool:1"
gets "$at/group/tool:1"
ok 'by some digits of its digest'       succeeds firn images rm "$(echo "$digest" | cut -c 1-20)"
gets "$at/group/tool:1"
exec 9<"$path"
ok 'gc leaves what is in use'           succeeds firn images gc --keep 0
ok 'and says so'                        says '1 image is in use, and left'
exec 9<&-
ok 'what was used a moment ago'         succeeds firn images gc --older 1d
ok 'is left'                            test -f "$path"
touch -d '3 days ago' "$store"/names/* && chmod u+w "$path" && touch -d '3 days ago' "$path"
ok 'what was not used for days'         succeeds firn images gc --older 1d
ok 'is not'                             denied test -f "$path"
ok 'nor is its name'                    test -z "$(ls "$store/names")"
ok 'gc wants to know what to leave'     status_is 125 firn images gc

# A store that is full.
full() {
	unshare -Urm sh -c 'mkdir -p "$2" && mount -t tmpfs -o size=4M none "$2" && export FIRN_STORE="$2" || exit 1
		"$1" images get "$3" && exit 1
		find "$2" -type f | grep . && exit 1
		umount "$2" && mount -t tmpfs -o size=64M none "$2" && "$1" images get "$3"' sh "$FIRN" "$scratch/full" "$1" >"$last" 2>&1
}
if unshare -Urm true 2>/dev/null; then
	ok 'a full store is an error, and holds nothing' full "$at/group/tool:1"
	ok 'that names the cause'               says 'No space left on device'
	ok 'and was foreseen'                   says 'MiB, and only'
else
	skip 'a full store' 'no mount namespaces'
fi

# Two machines, played by one: another boot, another name, another time.
# host NAME COMMAND...: its process has the number in NAME.pid.
host() {
	unshare -Urmu sh -c 'cat /proc/sys/kernel/random/uuid >"$1.boot" && mount --bind "$1.boot" /proc/sys/kernel/random/boot_id &&
		hostname "${1##*/}" && echo $$ >"$1.pid" && shift && exec "$@"' sh "$scratch/$@"
}
# two_hosts SECONDS: one builds and sleeps for so long; the other asks meanwhile.
two_hosts() {
	clear_store
	host node1 "$FIRN" images -q get "$at/group/tool:1" >"$scratch/out/one" 2>"$scratch/out/one.err" &
	wait_for sh -c 'ls -A "$1" 2>/dev/null | grep -q "^\.sha"' sh "$store" || return 1
	kill -STOP "$(cat "$scratch/node1.pid")"
	host node2 faketime -f +26h "$FIRN" images get "$at/group/tool:1" >"$scratch/out/two" 2>"$last" &
	sleep "$1"
	kill -CONT "$(cat "$scratch/node1.pid")"
	wait
	cmp "$scratch/out/one" "$scratch/out/two" >>"$last" && [ "$(tree_of "$(cat "$scratch/out/one")")" = "$right" ] && clean
}
# A sanitizer wants to be loaded first.
if unshare -Urmu true 2>/dev/null && faketime -f +1h "$FIRN" --version >/dev/null 2>&1; then
	ok 'another machine waits, a day ahead' two_hosts 6
	ok 'and tells for whom'                 says "on 'node1'"
	ok 'a machine that sleeps loses the build, and notices' two_hosts 36
	ok 'the image is the same'              test -s "$scratch/out/one"
else
	skip 'two machines' 'no namespaces, or no faketime'
fi
done_testing
