# Ranks of one launcher share one container; others do not.
. "$srcdir/tests/lib.sh"
needs_python
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
squash "$scratch/root" "$scratch/other.sqfs"
small=$scratch/small.sqfs
ulimit -n 1024

# ranks N [VARIABLE=VALUE...] -- COMMAND...: N at once as a launcher's, all alive at the same
# time; print how many containers they were in, and how many servers and keepers there were.
cat >"$scratch/ranks.py" <<'TXT'
import os, signal, subprocess, sys
count = int(sys.argv[1])
split = sys.argv.index("--")
env = dict(os.environ, **dict(word.split("=", 1) for word in sys.argv[2:split]))
command = sys.argv[split + 1:]
ranks = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env=dict(env, PMI_RANK=str(i))) for i in range(count)]
places = [rank.stdout.readline() for rank in ranks]
names = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        name = open(f"/proc/{pid}/comm").read().strip()
        state = open(f"/proc/{pid}/stat").read().split(")")[1].split()[0]
        if name in ("firn-server", "firn-keeper") and state != "Z" and \
           os.path.dirname(sys.argv[0]).encode() in open(f"/proc/{pid}/cmdline", "rb").read():
            names.append(name)
    except OSError:
        pass
for rank in ranks:
    rank.stdin.close()
status = {rank.wait(20) for rank in ranks}
print(len(set(places)), *sorted(names), "" if status == {0} and b"" not in places else status)
TXT
ranks() { timeout 60 /usr/bin/python3 "$scratch/ranks.py" "$@" | sed 's/ $//'; }
slurm='SLURM_JOB_ID=7 SLURM_STEP_ID=1'

ok '64 ranks at once are in one container'  prints '1 firn-keeper firn-server' ranks 64 $slurm -- "$FIRN" exec "$small" probe stay
ok '... and nothing is left'                wait_for no_servers
ok 'a directory has a keeper instead'       prints '1 firn-keeper' ranks 8 $slurm -- "$FIRN" exec "$scratch/root" probe stay
ok '... of which nothing is left'           wait_for no_servers
ok 'an overlay in memory is shared, too'    prints '1 firn-keeper firn-server' ranks 8 $slurm -- "$FIRN" exec --writable-tmpfs "$small" probe stay
ok 'so is a private /tmp'                   prints '1 firn-keeper firn-server' ranks 8 $slurm -- "$FIRN" exec --contain "$small" probe stay
ok 'and being root'                         prints '1 firn-keeper firn-server' ranks 8 $slurm -- "$FIRN" exec --root "$small" probe stay

ok 'PMIx names a launch'                    prints '1 firn-keeper firn-server' ranks 4 PMIX_RANK=0 PMIX_NAMESPACE=a -- "$FIRN" exec "$small" probe stay
ok 'for Hydra it is the daemon'             prints '1 firn-keeper firn-server' ranks 4 PMI_FD=9 -- "$FIRN" exec "$small" probe stay
ok '... through the user'\''s script'       prints '1 firn-keeper firn-server' ranks 4 OMPI_COMM_WORLD_RANK=0 -- sh -c 'exec "$0" "$@"' "$FIRN" exec "$small" probe stay
ln -s /usr/bin/python3 "$scratch/mpiexec"
mpiexec() { timeout 60 "$scratch/mpiexec" "$scratch/ranks.py" "$@" | sed 's/ $//'; }
ok '... which stays between them'           prints '1 firn-keeper firn-server' mpiexec 4 PMI_FD=9 -- sh -c '"$@"; exit $?' sh "$FIRN" exec "$small" probe stay
ok 'a name of the user'\''s choice'         prints '1 firn-keeper firn-server' ranks 4 -- "$FIRN" exec --session mine "$small" probe stay
unlaunched() { ranks "$@" -- env -u PMI_RANK "$FIRN" exec "$small" probe stay; }
ok 'without a launcher nothing is shared'   prints '2 firn-keeper firn-keeper firn-server firn-server' unlaunched 2
ok '--private shares nothing'               prints '2 firn-keeper firn-keeper firn-server firn-server' ranks 2 $slurm -- "$FIRN" exec --private "$small" probe stay
ok '... and excludes --session'             status_is 125 firn exec --private --session a "$small" true

# What makes another container.
mkfifo "$scratch/end"
env $slurm "$FIRN" exec "$small" probe stay <"$scratch/end" >"$scratch/place" &
exec 9>"$scratch/end"
wait_for test -s "$scratch/place"
place=$(cat "$scratch/place")
here() { [ "$(env $slurm "$FIRN" exec "$@" </dev/null)" = "$place" ]; }
elsewhere() { where=$(env $slurm "$FIRN" exec "$@" </dev/null) && [ "$where" != "$place" ] && [ -n "$where" ]; }
ok 'a later rank joins'                     here "$small" probe where
ok 'by another name of the image, too'      here "$scratch/./root/../small.sqfs" probe where
ok 'another image is another container'     elsewhere "$scratch/other.sqfs" probe where
ok 'another mount is another container'     elsewhere -B "$scratch:/data" "$small" probe where
ok 'being root is another container'        elsewhere --root "$small" probe where
! command -v squashfuse >/dev/null ||
	ok 'so is another engine'           elsewhere --engine squashfuse "$small" probe where
slurm='SLURM_JOB_ID=7 SLURM_STEP_ID=2'
ok 'another step is another container'      elsewhere "$small" probe where
slurm='SLURM_JOB_ID=7 SLURM_STEP_ID=1'
ok 'a variable is the rank'\''s own'        prints mine env $slurm MINE=mine "$FIRN" exec "$small" probe env MINE
ok '... by option as well'                  prints yours env $slurm "$FIRN" exec --env MINE=yours "$small" probe env MINE
printf 'MINE=from a file\n' >"$scratch/vars"
in_scratch() { (cd "$scratch" && env $slurm "$FIRN" exec --env-file vars --cwd / "$small" probe env MINE); }
ok '... from a file by its own name for it' prints 'from a file' in_scratch
ok 'so is the working directory'            prints /etc env $slurm "$FIRN" exec --cwd /etc "$small" probe cwd
ok 'and the words'                          prints 'a b' env $slurm "$FIRN" exec "$small" probe args 'a b'
ok 'the process stays the same'             all_print_one 2 env $slurm sh -c 'echo $$; exec "$0" exec "$1" probe pid' "$FIRN" "$small"
ok 'inherited descriptors stay'             prints through env $slurm sh -c '"$0" exec "$1" probe read 7 7<"$2"' "$FIRN" "$small" "$(echo through >"$scratch/text"; echo "$scratch/text")"
ok '... and no others come'                 prints "$("$tools/probe" fds </dev/null 2>/dev/null)" env $slurm "$FIRN" exec "$small" probe fds
ok 'no child is left with the program'      prints none env $slurm "$FIRN" exec "$small" probe children
ok 'signals are as they were'               prints "$("$tools/probe" signals)" env $slurm "$FIRN" exec "$small" probe signals
ok 'the exit status comes back'             status_is 3 env $slurm "$FIRN" exec "$small" probe exit 3
ok 'a signal, too'                          status_is 143 env $slurm sh -c '"$0" exec "$1" probe kill 15' "$FIRN" "$small"
ok 'a command that is not there: 127'       status_is 127 env $slurm "$FIRN" exec "$small" nosuch
ok '... with a line'                        says "'nosuch' is not in '$small'"
ok 'a directory that is not there'          status_is 125 env $slurm "$FIRN" exec --cwd /nosuch "$small" true

# A launcher signals the whole step; the program's files must survive it.
server=$(helpers firn-server)
keeper=$(helpers firn-keeper)
for name in HUP INT TERM USR1 USR2 ALRM XCPU TSTP 32 33 34 50 64; do kill -s $name "$server" "$keeper"; done
ok 'the server survives what a step gets'   here "$small" probe where
exec 9>&-
wait
ok 'and goes when the last task ends'       wait_for no_servers

# A task's child outlives it: it keeps its root, but lets nobody in.
child=$(env $slurm "$FIRN" exec "$small" probe fork-and-wait)
ok 'a stray keeps the image'                test "$(servers)" = 1
stray=$(readlink "/proc/$child/ns/user")
ok '... but who comes later builds anew'    succeeds env $slurm "$FIRN" exec "$small" probe where
ok '... in a namespace of its own'          says 'user:['
ok '... not that of the stray'              says_not "${stray:-user:}"
kill "$child"
ok '... and the server goes with it'        wait_for no_servers

# The first one fails: everybody says why, nobody waits.
ok 'a broken container fails for all'       status_is 125 env $slurm "$FIRN" exec -B "$scratch/text:/etc" "$small" true

# The first rank is bound to a processor; the server is everybody's.
if [ "$(nproc)" -gt 1 ]; then
	rm -f "$scratch/place"
	env $slurm taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$FIRN" exec "$small" probe stay <"$scratch/end" >"$scratch/place" &
	exec 9>"$scratch/end"
	wait_for test -s "$scratch/place"
	server=$(helpers firn-server)
	allowed() { grep Cpus_allowed_list "/proc/$1/status"; }
	ok 'the server is not bound with a rank'    test "$(allowed "$server")" = "$(allowed $$)"
	exec 9>&-
	wait
	wait_for no_servers
fi

# What is offered to a batch system's daemon.
enter() { timeout 30 "$tools/enter" "$@"; }
ok 'session-start offers one to all tasks'  all_print_one 4 enter 4 "$FIRN" session-start "$small" -- probe where
ok '... and none is left'                   wait_for no_servers
if [ "$(id -u)" != 0 ]; then
	mkdir "$scratch/closed"
	ok 'one that starts where its user cannot be' succeeds sh -c 'cd "$0" && chmod 0 . && exec "$@"' "$scratch/closed" \
		"$tools/enter" 1 "$FIRN" session-start "$small" -- env
	ok '... is at the top'                  says 'cwd /'
	ok '... alone'                          says_not closed
	chmod 755 "$scratch/closed"
fi
ok 'what is not the task'\''s is taken away' succeeds env LD_LIBRARY_PATH=/x MINE=1 "$tools/enter" 1 "$FIRN" session-start --env 'A=b c' "$small" -- env
ok '... by name'                            says 'unset LD_LIBRARY_PATH'
ok '... what is new is set'                 says 'set A=b c'
ok '... what stays is not mentioned'        says_not MINE
ok '... where to go'                        says "cwd $PWD"
wait_for no_servers
ok 'no capability is left to a task'        prints 0000000000000000 sh -c '"$@" | grep CapEff | cut -f2' sh "$tools/enter" 1 "$FIRN" session-start "$small" -- probe cat /proc/self/status
if strace -V >/dev/null 2>&1; then
	cat >"$scratch/traced" <<-END
		#!/bin/sh
		exec strace -o "$scratch/trace" -e trace=openat,prctl,sendmsg "$FIRN" "\$@"
	END
	chmod 755 "$scratch/traced"
	# Before it says anything to anybody.
	closes() { grep -E 'gid_map|PR_SET_DUMPABLE|sendmsg' "$scratch/trace" | grep -A1 gid_map | sed -n '2s/.*SUID_DUMP_DISABLE.*= 0/it does/p'; }
	ok 'a traced session-start'             succeeds enter 1 "$scratch/traced" session-start "$small" -- true
	ok '... lets nobody trace it, once its ids are written' prints 'it does' closes
else
	skip 'session-start lets nobody trace it' 'there is no strace'
fi
ok 'an image that is none'                  status_is 1 enter 1 "$FIRN" session-start /etc/passwd -- true
ok '... is said to the daemon'              says "enter: 125 '/etc/passwd' is not an image"
ok 'a step that has one offers the same'    all_print_one 2 env $slurm "$tools/enter" 2 "$FIRN" session-start "$small" -- "$tools/probe" where
wait_for no_servers
# It holds the container of others as long as its caller wants, not only while they run.
mkfifo "$scratch/end2"
rm -f "$scratch/place" "$scratch/place2"
env $slurm "$FIRN" exec "$small" probe stay <"$scratch/end" >"$scratch/place" &
first=$!
exec 8>"$scratch/end"
wait_for test -s "$scratch/place"
place=$(cat "$scratch/place")
env $slurm "$tools/enter" 1 "$FIRN" session-start "$small" -- "$tools/probe" stay <"$scratch/end2" >"$scratch/place2" 8>&- &
second=$!
exec 9>"$scratch/end2"
wait_for test -s "$scratch/place2"
exec 8>&-
wait "$first"
ok 'a step that came to one holds it, too'  here "$small" probe where
exec 9>&-
wait "$second"
ok '... and lets it go'                     wait_for no_servers
ok 'words that are wrong'                       status_is 1 enter 1 "$FIRN" session-start --gpu=all "$small" -- true
ok '... are said to the daemon, too'            says "enter: 125 option '--gpu' is not in this version"
ok 'the verb is for programs'               status_is 125 firn session-start "$small"
ok 'its options are not for users'          status_is 125 firn exec --control-fd 3 "$small" true
done_testing
