# SPDX-License-Identifier: LGPL-3.0-or-later
# lib.sh - what an end-to-end test needs to speak TAP. Sourced by tests/e2e/*.t.
#
#   ok 'promise' COMMAND...       the command succeeds
#   ok 'promise' fails COMMAND    firn fails, with a status and a line of its own
#   ok 'promise' denied COMMAND   another program says no, in a container or not
#   ok 'promise' status_is N COMMAND
#   ok 'promise' says 'TEXT'      the output of the last command (both streams) holds TEXT
#   ok 'promise' says_not 'TEXT'  there is some, and it does not
#   ok 'promise' prints 'TEXT' COMMAND    its standard output is TEXT, to the letter
#   ok 'promise' all_print_one N COMMAND  it prints N lines, all the same
#   ok 'promise' every_mount OPTIONS BUT COMMAND  it prints a mountinfo, where all but those like BUT have them
#   ok 'promise' differ A B       two files that are there, neither empty, are not the same
#   done_testing
#
# $scratch is a folder of the test's own, removed at its end; images: image NAME. What a machine
# lacks (needs, image) skips a test; a crash, or a report of a sanitizer, is never what was wanted.

set -u
# The same whoever starts it: of the caller's environment only what tells where things are.
for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z_0-9]*\)=.*/\1/p'); do
	case $name in
	PATH | PWD | HOME | USER | LOGNAME | SHELL | TERM | TMPDIR | XDG_RUNTIME_DIR | LD_LIBRARY_PATH | LD_PRELOAD) ;;
	FIRN | FIRN_TEST_* | CLUSTER_* | srcdir | builddir | user_id | home | *SAN_OPTIONS) ;;
	*) unset "$name" ;;
	esac
done
export LC_ALL=C
# The launcher becomes another program with all it holds, and a search for leaks would trace it.
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}"
FIRN=${FIRN:-firn}
srcdir=${srcdir:-.}
builddir=${builddir:-.}
images=${FIRN_TEST_CACHE:-/var/tmp/firn-images}
tools=$builddir/tests/tools
tap_count=0 tap_failed=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/firn-test.XXXXXX")
chmod 755 "$scratch"
last=$scratch/.last
PATH=$PATH:/usr/sbin:/sbin
export PATH

cleanup() {
	chmod -R u+rwX "$scratch" 2>/dev/null
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

firn() { "$FIRN" "$@"; }

run_last() { "$@" >"$last" 2>&1 </dev/null; }

ok() {
	promise=$1
	shift
	tap_count=$((tap_count + 1))
	if "$@"; then
		printf 'ok %d - %s\n' "$tap_count" "$promise"
	else
		tap_failed=$((tap_failed + 1))
		printf 'not ok %d - %s\n#   failed: %s\n' "$tap_count" "$promise" "$*"
		sed 's/^/#   | /' "$last" 2>/dev/null | head -n 20
	fi
}

# Each of these runs a command with its output kept for says().
succeeds() { run_last "$@"; }
# no REASON: why a promise is broken, for those who read the log.
no() {
	echo "$*" >>"$last"
	return 1
}
# ended STATUS FIRST LAST: the program chose to end so, rather than crash.
ended() {
	! grep -qE 'Sanitizer: |: runtime error: ' "$last" || no 'a report of a sanitizer' || return 1
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || no "exit status $1, not of $2 to $3"
}
# What firn says when it fails; tests/tools/enter repeats what a daemon would be told.
firns_line() { grep -E '^(firn: |enter: 12[567] )' "$last" | grep -qv '^firn: warning: '; }
fails() {
	run_last "$@"
	ended $? 1 125 || return 1
	firns_line || no "no line of firn's"
}
denied() {
	run_last "$@"
	ended $? 1 124 || return 1
	! firns_line || no 'it is firn that fails'
}
status_is() {
	wanted=$1
	shift
	run_last "$@"
	ended $? "$wanted" "$wanted"
}
prints() {
	wanted=$1
	shift
	"$@" >"$last" 2>"$last.err" </dev/null
	status=$?
	printed=$(cat "$last")
	cat "$last.err" >>"$last"
	[ "$printed" = "$wanted" ] && ended $status 0 0
}
says() { grep -qF -e "$1" "$last"; }
says_not() {
	[ -s "$last" ] || no 'nothing was said at all' || return 1
	! grep -qF -e "$1" "$last"
}
all_print_one() {
	wanted=$1
	shift
	run_last "$@" || no "exit status $?" || return 1
	[ "$(wc -l <"$last")" = "$wanted" ] || no "not $wanted lines" || return 1
	! grep -qx '' "$last" || no 'an empty line' || return 1
	[ "$(sort -u "$last" | wc -l)" = 1 ]
}
every_mount() {
	options=$1 but=$2
	shift 2
	run_last "$@" || no "exit status $?" || return 1
	cut -d' ' -f5,6 "$last" | grep -vE -e "$but" >"$last.mounts"
	grep -q '^/ ' "$last.mounts" || no 'no root among the mounts' || return 1
	! grep -vE " ([^ ]*,)?$options(,|\$)" "$last.mounts" >"$last"
}
differ() {
	[ -s "$1" ] && [ -s "$2" ] || { echo 'a file is empty or not there' >"$last"; return 1; }
	cmp "$1" "$2" >"$last" 2>&1
	[ $? = 1 ]
}
# One line, from firn, and nothing else.
one_line() { [ "$(wc -l <"$last")" = 1 ] && grep -q '^firn: ' "$last"; }

skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}
# The rest of a test, or all of it.
skip_all() {
	[ "$tap_count" = 0 ] || { skip 'all that follows' "$1"; done_testing; }
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}
# The last line of FILE, as a reason: "#" would end one.
last_line() { tail -n 1 "$1" 2>/dev/null | tr -d '#' | tr -c '[:print:]\n' '?'; }
# needs COMMAND: skip the whole test, with a reason, where the machine lacks it.
needs() {
	needs_programs "$1"
	run_last "$@" || skip_all "this machine lacks: $* ($(last_line "$last"))"
}
needs_programs() {
	for program; do
		command -v "$program" >/dev/null || skip_all "this machine lacks: $program"
	done
}
# A whole Python: Debian's python3-minimal lacks most of what tests import.
needs_python() { needs python3 -c 'import ctypes, hashlib, json, pty, random, subprocess, tarfile'; }

# image NAME: the path of a real image. Without it the whole test is skipped; as that is found out
# in a $(...), which could end only itself, the test is told by a signal.
image() {
	[ -e "$images/$1" ] && { printf '%s\n' "$images/$1"; return; }
	echo "there is no $1 in $images (tests/run makes it)" >"$scratch/.lacks"
	kill -s USR1 $$
	exit 1
}
trap 'skip_all "$(cat "$scratch/.lacks")"' USR1

# make_small DIR: a root with one static program that tells what it sees (tests/tools/probe).
make_small() {
	needs_programs mksquashfs # whoever has a root makes an image of it
	mkdir -p "$1/bin" "$1/etc" "$1/tmp" "$1/proc" "$1/sys" "$1/dev"
	cp "$tools/probe" "$1/bin/probe"
	ln -s probe "$1/bin/true"
	printf 'root:x:0:0:root:/root:/bin/sh\nimage:x:4321:4321::/:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\n' >"$1/etc/group"
}
# add_shells DIR DEBIAN: and the shells of a Debian root, with their libraries; /bin/sh is dash.
add_shells() {
	mkdir -p "$1/lib" "$1/lib64"
	cp -L "$2/bin/bash" "$2/bin/dash" "$1/bin/"
	ln -s dash "$1/bin/sh"
	cp -L "$2"/lib/*/libc.so.6 "$2"/lib/*/libtinfo.so.6 "$1/lib/"
	cp -L "$2"/lib*/ld-linux* "$1/lib64/"
	ln -s ../lib64/"$(ls "$1/lib64" | head -n 1)" "$1/lib/"
}
squash() {
	mksquashfs "$1" "$2" -noappend -quiet -no-progress -comp "${3:-zstd}" >/dev/null
}

# helpers NAME: the processes of that name (a pattern) that serve this test's own images: their
# title has the image's path. Other tests run at the same time. A zombie waits for its parent,
# not for us.
helpers() {
	for comm in $(grep -lsxE "$1" /proc/[0-9]*/comm); do
		process=${comm%/comm}
		! grep -qsaF -e "$scratch" "$process/cmdline" || grep -qsE '^State:.Z' "$process/status" ||
			echo "${process#/proc/}"
	done
}
servers() { helpers firn-server | wc -l; }
no_servers() { [ -z "$(helpers 'firn-.*')" ]; }
# wait_for COMMAND: until it succeeds, at most ten seconds; for what another process does.
wait_for() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || return 1
		sleep 0.05
	done
}

done_testing() {
	printf '1..%d\n' "$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}
