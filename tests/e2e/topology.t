# The node's topology is found out once for all tasks of a step, where the image's hwloc can use it.
. "$srcdir/tests/lib.sh"
[ -x "$builddir/firn-topology" ] || skip_all 'built without hwloc'
make_small "$scratch/root"
mkdir -p "$scratch/root/usr/lib"
squash "$scratch/root" "$scratch/none.sqfs"
touch "$scratch/root/usr/lib/libhwloc.so.15"
squash "$scratch/root" "$scratch/hwloc2.sqfs"
touch "$scratch/root/usr/lib/libhwloc.so.5"
squash "$scratch/root" "$scratch/both.sqfs"
rm "$scratch/root/usr/lib/libhwloc.so.15"
squash "$scratch/root" "$scratch/hwloc1.sqfs"
image=$scratch/hwloc2.sqfs

unset HWLOC_XMLFILE HWLOC_THISSYSTEM HWLOC_SYNTHETIC HWLOC_FSROOT
enter() { timeout 30 "$tools/enter" "$@"; }
start() { timeout 30 "$tools/enter" 1 "$FIRN" session-start "$@"; }
# The value of a variable in a task of session-start OPTION... IMAGE; "unset" if the task has none.
value() {
	variable=$1
	shift
	start "$@" -- probe env "$variable" 2>"$scratch/said"
	status=$?
	cat "$scratch/said" >&2
	[ $status = 0 ] && return
	[ $status = 1 ] && ! grep -q '^enter: ' "$scratch/said" && echo unset
}

ok 'tasks are told of the file'                 prints /.firn/hwloc.xml value HWLOC_XMLFILE "$image"
ok '... that it is of this machine'             prints 1 value HWLOC_THISSYSTEM "$image"
ok '... and to ask the kernel what is allowed'  prints 1 value HWLOC_THISSYSTEM_ALLOWED_RESOURCES "$image"
ok 'the file is XML of version 2'               succeeds start "$image" -- probe cat /.firn/hwloc.xml
ok '... from its begin'                         says '<topology version="2.0">'
ok '... to its end'                             says '</topology>'
ok 'all tasks read one file'                    all_print_one 4 "$tools/enter" 4 "$FIRN" session-start "$image" -- probe env HWLOC_XMLFILE
ok 'nothing is left'                            wait_for no_servers

# Where it is of no use.
ok 'an image without hwloc is left alone'       prints unset value HWLOC_XMLFILE "$scratch/none.sqfs"
ok '... and -v says why'                        succeeds value HWLOC_XMLFILE -v "$scratch/none.sqfs"
ok '... in a line'                              says 'no topology is shown: the image has no hwloc, or one that cannot read it'
ok 'hwloc 1 cannot read it'                     prints unset value HWLOC_XMLFILE "$scratch/hwloc1.sqfs"
ok '... also if it is beside hwloc 2'           prints unset value HWLOC_XMLFILE "$scratch/both.sqfs"
ok 'a directory has no place for it'            prints unset value HWLOC_XMLFILE "$scratch/root"
ok '--mpi none is without'                      prints unset value HWLOC_XMLFILE --mpi none "$image"
printf '[run]\ntopology = no\n' >"$scratch/conf"
chmod 644 "$scratch/conf"
ok 'the configuration can say so'               prints unset value HWLOC_XMLFILE --config "$scratch/conf" "$image"
ok 'a user'\''s own topology stays'             prints /mine env HWLOC_XMLFILE=/mine "$tools/enter" 1 "$FIRN" session-start "$image" -- probe env HWLOC_XMLFILE
ok '... by --env as well'                       prints /mine value HWLOC_XMLFILE -e HWLOC_XMLFILE=/mine "$image"
ok '... and a user'\''s own setting'            prints 0 value HWLOC_THISSYSTEM -e HWLOC_THISSYSTEM=0 "$image"

# Helpers that fail. A program finds the helper beside itself.
mkdir "$scratch/fake"
cp "$FIRN" "$scratch/fake/firn"
helper() { printf '#!/bin/sh\n%s\n' "$1" >"$scratch/fake/firn-topology" && chmod 755 "$scratch/fake/firn-topology"; }
fake() { FIRN="$scratch/fake/firn" value HWLOC_XMLFILE -v "$image"; }
without() {
	helper "$1"
	run_last fake && says unset && says "$2"
}
ok 'one that fails'                             without 'exit 1' 'the program that finds it out gives no answer'
ok 'one that is cut off'                        without 'printf "<topology>"' 'the program that finds it out gives no answer'
ok 'one that never ends'                        without 'while :; do :; done' 'it is not there after 2000 ms'
ok '... is ended'                               wait_for no_servers
ok 'one that says too much'                     without 'exec cat /dev/zero' 'it is larger than'
helper 'ls -l /proc/self/fd; printf "\0"'
FIRN="$scratch/fake/firn" start "$image" -- probe cat /.firn/hwloc.xml >"$last" 2>/dev/null 9<"$scratch/conf"
ok 'it holds no file of the step'               says_not "$scratch/conf"
ok '... but its own pipe'                       says 'pipe:'

# Who starts a container in a launch path does not wait for hwloc.
helper ": >'$scratch/started'"
ok 'a rank of a launcher starts no discovery'   succeeds env SLURM_JOB_ID=$$ SLURM_STEP_ID=1 "$scratch/fake/firn" exec "$image" true
ok '... really not'                             test ! -e "$scratch/started"

# The same session, whether or not somebody has the topology: its name does not tell.
mkfifo "$scratch/end"
slurm="SLURM_JOB_ID=$$ SLURM_STEP_ID=2"
# shellcheck disable=SC2086
env $slurm "$tools/enter" 1 "$FIRN" session-start "$image" -- "$tools/probe" stay <"$scratch/end" >"$scratch/place" &
exec 9>"$scratch/end"
wait_for test -s "$scratch/place"
# shellcheck disable=SC2086
ok 'firn exec of the step enters the container' prints "$(cut -d' ' -f1 "$scratch/place")" sh -c '"$@" | cut -d" " -f1' sh env $slurm "$FIRN" exec "$image" "$tools/probe" where
exec 9>&-
wait

# A real hwloc reads it: three packages are shown because the file says so.
if [ -e "$images/mpi.sqfs" ] && lstopo=$(command -v lstopo-no-graphics) &&
	firn exec -B "$lstopo:/lstopo" "$images/mpi.sqfs" /lstopo --version >/dev/null 2>&1; then
	"$lstopo" -i 'pack:3 core:2 pu:1' --of xml >"$scratch/three.xml" 2>/dev/null
	helper "cat '$scratch/three.xml'; printf '\\0'"
	shown() { FIRN="$scratch/fake/firn" start -e HWLOC_THISSYSTEM=0 -B "$lstopo:/lstopo" "$images/mpi.sqfs" -- /lstopo --of console | grep -c Package; }
	ok 'hwloc in a real image reads the file'       prints 3 shown
	ok 'it cannot be changed'                       denied start "$images/mpi.sqfs" -- sh -c 'echo >>/.firn/hwloc.xml'
	ok '... it says'                                says 'Read-only file system'
	ok 'and of this machine what is here'           prints "$("$lstopo" --of console --no-io | grep -c 'PU L#')" \
		sh -c '"$@" | grep -c "PU L#"' sh "$tools/enter" 1 "$FIRN" session-start -B "$lstopo:/lstopo" "$images/mpi.sqfs" -- /lstopo --of console --no-io
	ok '... on the processors of a task'            prints 1 sh -c '"$@" | grep -c "PU L#"' sh \
		"$tools/enter" 1 "$FIRN" session-start -B "$lstopo:/lstopo" "$images/mpi.sqfs" -- /usr/bin/taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" /lstopo --restrict binding --of console --no-io
else
	skip 'hwloc in a real image reads the file' 'no mpi.sqfs, or no lstopo-no-graphics that runs in it'
fi
ok 'nothing is left in the end'                 wait_for no_servers
done_testing
