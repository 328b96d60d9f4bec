# However a step ends, nothing of its container is left, and Slurm tells the truth.
. "$srcdir/tests/slurm.sh"
export CLUSTER_CLOCK=1
begin
small_image
debian=$(image debian.sqfs)
state() { user scontrol show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
has_state() { [ "$(state "$1")" = "$2" ]; }
# Of the directory that is not this test's own.
keepers() { pgrep -u "$user_id" -f "^firn-keeper $images/debian.dir"; }
lives() { [ -n "$(helpers 'firn-.*')$(keepers)" ] && [ -e "$home/up" ]; }
# Those of this cluster's own jobs.
stepds() {
	for job in $(user squeue -h -o %A); do
		ps -eo stat=,pid=,args= | grep "^[^Z].*[s]lurmstepd: \[$job\." | awk '{print $2}'
	done
}
no_stepds() { [ -z "$(stepds)" ]; }
mounts() { grep -c firn "/proc/$(cat "$dir/up")/mounts" || true; }

no_jobs() { [ -z "$(user squeue -h)" ]; }

# background COMMAND...: a step that has begun.
background() {
	rm -f "$home/up"
	"$@" >"$scratch/background" 2>&1 </dev/null &
	started=$!
	wait_for lives
}
stays='touch up; trap "" TERM; sleep 100'

script batch <<-'END'
	#!/bin/sh
	touch up
	sleep 100
END
cp "$debian" "$home/image.sqfs"   # so that servers() finds its servers
chown "$user_id" "$home/image.sqfs"

rm -f "$home/up"
job=$(sbatch --parsable -o out --container=image.sqfs batch | tail -n 1)
ok 'a batch job begins'                     wait_for lives
user scancel "$job"
ok 'scancel ends it'                        wait_for has_state "$job" CANCELLED
ok '... and leaves nothing'                 nothing_left

background srun -N2 -n4 --container=image.sqfs sh -c "$stays"
ok 'a step that ignores SIGTERM'            test -e "$home/up"
user scancel -u user
wait "$started"
ok '... ends by scancel, all of it'         wait_for no_jobs
ok '... and leaves nothing'                 nothing_left

rm -f "$home/up"
job=$(sbatch --parsable -t 1 -o limit --container=image.sqfs batch | tail -n 1)
wait_for lives
cluster later "$dir" 120
ok 'a time limit ends a job'                wait_for has_state "$job" TIMEOUT
ok '... and is told'                        grep -q 'DUE TO TIME LIMIT' limit
ok '... and leaves nothing'                 nothing_left

background srun -w node2 --container=image.sqfs sh -c 'touch up; sleep 2; exit 7'
cluster root "$dir" scontrol update nodename=node2 state=drain reason=test
wait "$started"
ok 'a drained node lets its step end'       test $? -eq 7
ok '... and leaves nothing'                 nothing_left
cluster root "$dir" scontrol update nodename=node2 state=resume

background srun -w node1 --container=image.sqfs sh -c "$stays"
kill -9 $(stepds)
ok 'kill -9 of slurmstepd'                  wait_for no_stepds
ok '... leaves its task with its files'     test "$(servers)" = 1
pkill -9 -u "$user_id" -f 'sleep 100'
ok '... and nothing when that ends'         nothing_left
user scancel -u user
wait "$started"
ok '... srun tells that it went wrong'      test $? -ne 0

background srun --container=image.sqfs sh -c 'touch up; sleep 1; cat /etc/debian_version; cat /usr/share/dict/none /etc/motd; exec /bin/true'
kill -9 $(helpers firn-server)
wait "$started"
ok 'kill -9 of the server'                  grep -q '^12' "$scratch/background"
ok '... leaves nothing'                     nothing_left

background srun --container=image.sqfs sh -c 'touch up; sleep 1; cat /etc/debian_version; cat /usr/share/dict/none /etc/motd; exec /bin/true'
pkill -9 -u "$user_id" 'firn-(keeper|server)'
wait "$started"
ok 'kill -9 of its keeper, too, is an error' test $? -ne 0
ok '... and leaves nothing'                 nothing_left

background srun --container="$images/debian.dir" --container-mounts="$home" sh -c 'touch up; sleep 1; cat /etc/debian_version'
ok 'a directory has a keeper alone'         test "$(keepers | wc -l)" = 1
kill -9 $(keepers)
wait "$started"
ok 'kill -9 of it harms no task'            grep -q '^12' "$scratch/background"
ok '... and leaves nothing'                 nothing_left

# A named container's keeper is no step's; its server's end is the end of it.
script named <<-'END'
	#!/bin/bash
	#SBATCH -o named.out
	srun -Q --container=image.sqfs --container-name=box true
	pkill -9 -u "$(id -u)" 'firn-(keeper|server)'
	while pgrep -u "$(id -u)" -r S,R 'firn-(keeper|server)' >/dev/null; do sleep 0.1; done
	srun -Q --container-name=box true; echo "gone $?"
	srun -Q --container=image.sqfs --container-name=box true; echo "again $?"
END
ok 'a named container whose server died'    succeeds sbatch -W named
ok '... is gone'                            grep -q 'gone 125' named.out
ok '... and can be made again'              grep -q 'again 0' named.out
ok '... and leaves nothing'                 nothing_left
script requeued <<-'END'
	#!/bin/bash
	#SBATCH -o requeued.out --open-mode=append
	srun -Q --container=image.sqfs --container-name=box --container-writable sh -c 'ls /made; touch /made'
	test "$SLURM_RESTART_COUNT" = 1 || scontrol requeue "$SLURM_JOB_ID"
	test "$SLURM_RESTART_COUNT" = 1 || sleep 100
END
job=$(sbatch --parsable requeued | tail -n 1)
requeued() { has_state "$job" COMPLETED || { cluster later "$dir" 100; false; }; } # it may begin again in two minutes
ok 'a job that is queued again'             wait_for requeued
ok '... gets a new container of its name'   test "$(grep -c "cannot access '/made'" requeued.out)" = 2
ok '... and leaves nothing'                 nothing_left

# What a task leaves running keeps its files; it is Slurm's to end, and proctrack/linuxproc does not.
ok 'a task that leaves a child'             succeeds srun --container=image.sqfs sh -c 'sleep 200 >/dev/null 2>&1 </dev/null & exit 0'
ok '... ends, its child has its files'      test "$(servers)" = 1
pkill -u "$user_id" -f 'sleep 200'
ok '... until it ends, too'                 nothing_left
ok 'no mount either'                        test "$(mounts)" = 0
all_idle() { [ "$(user sinfo -h -o %t)" = idle ]; }
ok 'the nodes are there'                    wait_for all_idle
ok 'no directory of a job'                  wait_for sh -c 'test -z "$(ls "$0")"' "$dir/run"
done_testing
