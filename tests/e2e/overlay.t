#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# --overlay DIR: one container at a time, one image, and a directory like others.
. "${srcdir:-.}/tests/lib.sh"
make_small "$scratch/root"
mkdir "$scratch/root/var" "$scratch/over"
cp -r "$scratch/root" "$scratch/other"
echo other >"$scratch/other/etc/issue"
squash "$scratch/root" "$scratch/root.sqfs"
squash "$scratch/other" "$scratch/other.sqfs"
cp "$scratch/root.sqfs" "$scratch/copy.sqfs"
debian=$(image debian.sqfs)

# A container that stays until its input ends: hold NAME OPTION... IMAGE. $holder is its process.
hold() {
	mkfifo "$scratch/in.$1"
	name=$1
	shift
	"$FIRN" exec "$@" sh -c 'echo up; read line' <"$scratch/in.$name" >"$scratch/$name.out" 2>&1 &
	holder=$!
	exec 9>"$scratch/in.$name"
	wait_for grep -q up "$scratch/$name.out"
}
release() {
	exec 9>&-
	wait "$holder"
}

for root in "$debian" "$(image debian.dir)"; do
	kind=${root##*.}
	rm -rf "$scratch/over"
	mkdir "$scratch/over"
	ok "$kind: a container uses it"             hold "$kind" --private --overlay "$scratch/over" "$root"
	ok "$kind: a second one does not: 125"      status_is 125 firn exec --private --overlay "$scratch/over" "$root" true
	ok '... and who does is told'               says "overlay '$scratch/over' is in use by another container (process $holder on $(uname -n))"
	ok '... in one line'                        one_line
	release
	ok "$kind: when it ended the next one does" succeeds firn exec --private --overlay "$scratch/over" "$root" true
	ok "$kind: many one after the other"        succeeds sh -c 'for i in 1 2 3 4 5 6 7 8; do "$@" || exit 1; done' sh "$FIRN" exec --private --overlay "$scratch/over" "$root" true
done

# What is left behind by the program still uses it.
mkfifo "$scratch/daemon"
exec 9<>"$scratch/daemon"
"$FIRN" exec --private --overlay "$scratch/over" "$(image debian.dir)" sh -c '(read line) <&9 & true'
ok 'a daemon still uses it'                 status_is 125 firn exec --private --overlay "$scratch/over" "$(image debian.dir)" true
echo end >&9
exec 9>&-
ok 'until it ends'                          wait_for firn exec --private --overlay "$scratch/over" "$(image debian.dir)" true
hold killed --private --overlay "$scratch/over" "$(image debian.dir)"
kill -KILL "$holder"
wait "$holder" 2>/dev/null
exec 9>&-
ok 'one that was killed does not use it'    wait_for firn exec --private --overlay "$scratch/over" "$(image debian.dir)" true

mkdir "$scratch/shared"
ok 'ranks of one session share it'          hold shared --session "s$$" --overlay "$scratch/shared" "$debian"
ok '... also those that come later'         succeeds firn exec --session "s$$" --overlay "$scratch/shared" "$debian" touch /from-rank
ok '... others do not'                      status_is 125 firn exec --session "t$$" --overlay "$scratch/shared" "$debian" true
release
ok 'its files are there'                    test -e "$scratch/shared/upper/from-rank"

mkdir "$scratch/one"
on() { firn exec --private --overlay "$scratch/one" "$@"; }
ok 'an overlay is made on an image'         on "$scratch/root.sqfs" true
ok '... and goes on with it'                on "$scratch/root.sqfs" true
ok '... and with a copy of it'              on "$scratch/copy.sqfs" true
ok '... not with another one: 125'          status_is 125 firn exec --private --overlay "$scratch/one" "$scratch/other.sqfs" true
ok '... and both are named'                 says "was made on '$scratch/root.sqfs', which is another image than '$scratch/other.sqfs' (--overlay-any takes any)"
ok '... nor with a directory'               status_is 125 firn exec --private --overlay "$scratch/one" "$scratch/root" true
ok '... unless told'                        on --overlay-any "$scratch/other.sqfs" true
ok '... which it remembers'                 on "$scratch/other.sqfs" true
ok '--overlay-any alone is refused'         status_is 125 firn exec --overlay-any "$scratch/root.sqfs" true

for name in image lock; do
	rm -rf "$scratch/fifo"
	mkdir "$scratch/fifo"
	mkfifo "$scratch/fifo/$name"
	ok "'$name' that is a FIFO: 125"    status_is 125 firn exec --overlay "$scratch/fifo" "$scratch/root.sqfs" true
	ok '... is named'                   says "firn: '$name' in overlay '$scratch/fifo' is no regular file"
done
ok 'umask 077 does not close its root'      sh -c 'umask 077; mkdir "$1/closed" && "$0" exec --overlay "$1/closed" "$2" true' "$FIRN" "$scratch" "$scratch/root.sqfs"
ok '... which has the mode of the image'    test "$(stat -c %a "$scratch/closed/upper")" = "$(stat -c %a "$scratch/root")"
ok 'a directory with one in it is built'    succeeds firn build -q "$scratch/with.sqfs" "dir:$scratch/one"
ok 'its owner can remove it'                rm -rf "$scratch/one" "$scratch/over" "$scratch/shared" "$scratch/closed"
no_holders() { ! ps -ww -u "$(id -u)" -o stat=,comm=,args= | grep '^[^Z].*firn-overlay' | grep -qF -e "$scratch"; }
ok 'no holder of a lock is left'            wait_for no_holders
done_testing
