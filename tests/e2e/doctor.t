#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn doctor: what this machine allows, with the remedies.
. "${srcdir:-.}/tests/lib.sh"

ok 'where exec works, doctor says so'  succeeds firn doctor
ok 'in words'                          says 'firn exec can work here'
ok 'it tried user namespaces'          says 'ok       user namespaces: a user and a mount namespace can be made'
ok 'and a mount'                       says 'ok       fuse: an image can be mounted'
ok '--quiet leaves out what is well'   succeeds firn doctor --quiet
ok 'all of it'                         says_not 'ok  '
ok 'an unknown option'                 status_is 125 firn doctor --verbose
ok 'gets one line'                     one_line

# A file system of one's own hides the device.
without_dev() { unshare -Urm sh -c 'mount -t tmpfs none /dev && exec "$@"' sh "$@"; }
ok 'without /dev/fuse doctor fails'    status_is 1 without_dev env FIRN_CONTAINER=x "$FIRN" doctor -q
ok 'names the device'                  says 'missing  fuse: /dev/fuse: No such file or directory'
ok 'and the remedy'                    says 'remedy: start the container around with: firn exec --bind /dev/fuse'
ok 'in podman'                         status_is 1 without_dev env -u FIRN_CONTAINER sh -c 'mount -t tmpfs none /run && touch /run/.containerenv && exec "$@"' sh "$FIRN" doctor -q
ok 'the option of podman'              says 'remedy: start this container with: podman run --device /dev/fuse'
ok 'and the verdict'                   says 'firn exec cannot work here'


# What reads --json finds in it what people read.
json() { python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
assert sorted(d) == ["items", "status"], d
assert all(sorted(i) == ["name", "remedy", "state", "text"] for i in d["items"]), d
i = {i["name"]: i for i in d["items"]}
assert eval(sys.argv[2]), d' "$last" "$1"; }
if command -v python3 >/dev/null; then
	ok '--json where exec works'       succeeds firn doctor --json
	ok '... is one object'             json 'd["status"] == "ok" and i["fuse"]["state"] == "ok" and i["fuse"]["remedy"] is None'
	firn doctor | sed -n 's/^[a-z]*  *\([^:]*\): .*/\1/p' | grep -vE '^(if wanted|remedy|firn exec)' >"$scratch/names"
	ok '... of the same things'        json 'list(i) == open("'"$scratch/names"'").read().splitlines()'
	ok '... which doc/json.md names'   json 'all("`" + n + "`" in open("'"$srcdir/doc/json.md"'").read() for n in i)'
	ok '--json where it does not: 1'   status_is 1 without_dev "$FIRN" doctor --json
	ok '... says so'                   json 'd["status"] == "missing" and i["fuse"]["state"] == "missing" and "/dev/fuse" in i["fuse"]["remedy"]'
	ok '--json --quiet'                status_is 1 without_dev "$FIRN" doctor --json -q
	ok '... has what is not well'      json 'i and all(x["state"] != "ok" for x in d["items"])'
else
	skip '--json' 'there is no python3'
fi

# The limit that is reached, by its name, from both: a namespace has limits of its own.
limited() { unshare -Urm sh -c 'echo 0 >"/proc/sys/user/max_$1_namespaces" && shift && exec "$@"' sh "$@"; }
for kind in user mnt; do
	ok "without $kind namespaces doctor fails" status_is 1 limited $kind "$FIRN" doctor -q
	ok '... names that limit'          says "user namespaces: cannot be made: the limit user.max_${kind}_namespaces is reached"
	ok '... in both lines'             says "namespace limits: user.max_${kind}_namespaces is 0"
	ok '... with one remedy'           [ "$(grep 'remedy:.*max_.*_namespaces' "$last" | sort -u | wc -l)" = 1 ]
	ok 'exec'                          status_is 125 limited $kind "$FIRN" exec / true
	ok '... names it, too'             says "(the limit user.max_${kind}_namespaces is reached; see 'firn doctor')"
done
ok 'no two remedies write one file'    succeeds sh -c 'files=$(sed -n "/>\/etc\//s/.*>\(\/etc\/[^ \"]*\).*/\1/p" "$1"/*.c "$1"/doctor.h | sort | uniq -d); echo "$files"; [ -z "$files" ]' sh "$srcdir/runner/doctor"

ok 'without a user in the namespace'   status_is 1 unshare -U "$FIRN" doctor -q
ok 'that is the remedy'                says 'remedy: map a user into the namespace around: unshare -r'

# The store, likewise.
store() { env -u XDG_DATA_HOME HOME="$scratch" FIRN_STORE="$1" "$FIRN" doctor; }
ok 'the store is told'                  succeeds store ''
ok '... with its place'                 says "store: '$scratch/.local/share/firn/images', made when it is needed"
mkdir "$scratch/own" "$scratch/loose" && chmod 755 "$scratch/own" && chmod 777 "$scratch/loose"
ok 'one of the user'"'"'s own'          succeeds store "$scratch/own"
ok '... is told'                        says "store: '$scratch/own'"
ok 'one that all can write to'          succeeds store "$scratch/loose"
ok '... is told'                        says "warning  store: '$scratch/loose' is not used: others can write to it"

# The cache: where it is, and why it is not used.
cache() { env -u XDG_CACHE_HOME HOME="$scratch" FIRN_CACHE="$1" "$FIRN" doctor; }
ok 'the cache is told'                 succeeds cache ''
ok '... with its place'                says "cache: '$scratch/.cache/firn', made when it is needed"
ok 'one for all'                       succeeds unshare -Ur sh -c 'mkdir -m 1777 "$1/all" && FIRN_CACHE=$1/all "$2" doctor' sh "$scratch" "$FIRN"
ok '... is told'                       says "cache: '$scratch/all', with a folder for each user"
mkdir -m 777 "$scratch/open"
ok 'one that all can write to'         succeeds cache "$scratch/open"
ok '... is told'                       says "warning  cache: '$scratch/open' is not used: others can write to it"
ok '... with the remedy'               says "remedy: chmod go-w '$scratch/open'"
if [ "$(id -u)" != 0 ]; then
	ok 'one of another user'           succeeds cache /etc
	ok '... is told'                   says "warning  cache: '/etc' is not used: it belongs to another user (0)"
	ok '... with the remedy'           says 'remedy: let FIRN_CACHE name a directory of your own, or unset it'
fi

mkdir -m 500 "$scratch/shut"
mkdir -m 700 "$scratch/own"
ok 'one whose part is a link'          succeeds sh -c 'ln -s /tmp "$1/blobs" && FIRN_CACHE=$1 "$2" doctor' sh "$scratch/own" "$FIRN"
ok '... is told'                       says "warning  cache: cannot open '$scratch/own/blobs': Not a directory"
ok '... with the remedy'               says "remedy: rm -r '$scratch/own/blobs'"
rm "$scratch/own/blobs"
ok 'a file in the way'                 succeeds cache /etc/passwd
ok '... is told'                       says "warning  cache: '/etc/passwd' is no directory"
ok '... above it, too'                 succeeds cache /etc/passwd/x
ok '... is told'                       says "warning  cache: cannot open '/etc/passwd': Not a directory"
# mounted OPTIONS NAME: NAME in a small file system of its own as the cache.
mounted() { unshare -Urm sh -c 'mount -t tmpfs -o "size=128k,mode=700,$1" none "$2" && { [ "${1#rw}" = "$1" ] || head -c 128k /dev/zero >"$2/full"; } && FIRN_CACHE=$2/$3 exec "$4" doctor' sh "$1" "$scratch/own" "$2" "$FIRN"; }
for name in '' new; do
	ok "a full one, '$name'"       succeeds mounted rw "$name"
	ok '... is told'               grep -qE "warning  cache: cannot (write to|make) '$scratch/own.*': No space left on device" "$last"
	ok "a read-only one, '$name'"  succeeds mounted ro "$name"
	ok '... is told'               grep -qE "warning  cache: cannot (write to|make) '$scratch/own.*': Read-only file system" "$last"
done
ok 'nothing is left there'             test -z "$(ls -A "$scratch/own")"
if [ "$(id -u)" != 0 ]; then
	ok 'one that cannot be made'   succeeds cache "$scratch/shut/new"
	ok '... is told'               says "warning  cache: cannot make '$scratch/shut/new': Permission denied"
	ok '... at the top'            succeeds cache /nosuch/of/mine
	ok '... is told'               says "warning  cache: cannot make '/nosuch': Permission denied"
	ok 'one without permission'    succeeds cache "$scratch/shut"
	ok '... is told'               says "warning  cache: cannot write to '$scratch/shut': Permission denied"
	ok '... with the remedy'       says "remedy: chmod u+rwx '$scratch/shut'"
fi

mkdir "$scratch/bin"
printf '#!/bin/sh\necho slurm 99.1\n' >"$scratch/bin/srun"
printf '#!/bin/sh\nsleep 60\n' >"$scratch/bin/mpiexec"
chmod 755 "$scratch/bin/srun" "$scratch/bin/mpiexec"
ok 'Slurm is asked for its version'    succeeds env PATH="$scratch/bin:$PATH" "$FIRN" doctor
ok 'and tells it'                      says 'slurm: slurm 99.1'
ok 'a program that hangs is left'      says 'mpiexec does not tell its version'

hidden() { unshare -Urmpf sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh "$@"; }
if hidden true 2>/dev/null; then
	ok 'hidepid is told'                   succeeds hidden "$FIRN" doctor
	ok '... as it is'                      says '(hidepid='
else
	skip 'hidepid is told' 'no /proc can be mounted here'
fi
done_testing
