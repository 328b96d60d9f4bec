# SPDX-License-Identifier: LGPL-3.0-or-later
# lib.sh - what an end-to-end test needs to speak TAP. Sourced by tests/e2e/*.t.
#
#   ok 'promise' COMMAND...       the command succeeds
#   ok 'promise' fails COMMAND    ... fails
#   ok 'promise' status_is N COMMAND
#   ok 'promise' says 'TEXT'      the output of the last command (both streams) holds TEXT
#   ok 'promise' prints 'TEXT' COMMAND    its standard output is TEXT, to the letter
#   done_testing
#
# $scratch is a folder of the test's own, removed at its end; images: image NAME.

set -u
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
fails() { ! run_last "$@"; }
status_is() {
	wanted=$1
	shift
	run_last "$@"
	status=$?
	[ "$status" = "$wanted" ] || { echo "exit status $status, not $wanted" >>"$last"; return 1; }
}
prints() {
	wanted=$1
	shift
	"$@" >"$last" 2>"$last.err" </dev/null
	[ "$(cat "$last")" = "$wanted" ] || { cat "$last.err" >>"$last"; return 1; }
}
says() { grep -qF -e "$1" "$last"; }
says_not() { ! grep -qF -e "$1" "$last"; }
# One line, from firn, and nothing else.
one_line() { [ "$(wc -l <"$last")" = 1 ] && grep -q '^firn: ' "$last"; }

skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}
skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}
# needs COMMAND: skip the whole test, with a reason, where the machine lacks it.
needs() {
	run_last "$@" || skip_all "this machine lacks: $*"
}

# image NAME: the path of a real image, or of a small one made here.
image() {
	[ -e "$images/$1" ] && { printf '%s\n' "$images/$1"; return; }
	echo "tests/lib.sh: no image $1 in $images (tests/run makes them)" >&2
	exit 1
}

# make_small DIR: a root with one static program that tells what it sees (tests/tools/probe).
make_small() {
	mkdir -p "$1/bin" "$1/etc" "$1/tmp" "$1/proc" "$1/sys" "$1/dev"
	cp "$tools/probe" "$1/bin/probe"
	ln -s probe "$1/bin/true"
	printf 'root:x:0:0:root:/root:/bin/sh\nimage:x:4321:4321::/:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\n' >"$1/etc/group"
}
squash() {
	mksquashfs "$1" "$2" -noappend -quiet -no-progress -comp "${3:-zstd}" >/dev/null
}

# Servers of this test's own images that are alive (a zombie waits for its parent, not for
# us). Other tests run at the same time; a server keeps the launcher's command line.
servers() {
	ps -ww -u "$(id -u)" -o stat=,comm=,args= | grep '^[^Z].*firn-server' | grep -cF -e "$scratch" || true
}
no_servers() { [ "$(servers)" = 0 ]; }
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
