# SPDX-License-Identifier: LGPL-3.0-or-later
# slurm_cgroup.sh - where control groups keep track of a job's processes, as on most clusters. Sourced
# by tests/root/slurm_cgroup1.t and slurm_cgroup2.t, which say of what version: $CLUSTER_CGROUP.
. "$srcdir/tests/slurm.sh"
export CLUSTER_CGROUP
begin
debian=$(image debian.sqfs)
cp "$debian" "$home/image.sqfs"
# Of this cluster's own jobs, whose numbers begin alike.
first=$(sed -n 's/^FirstJobId=\(.*\)00$/\1/p' "$SLURM_CONF")
jobs_groups() { cluster root "$dir" find /sys/fs/cgroup -type d -name "job_$first*" 2>/dev/null; }
no_groups() { [ -z "$(jobs_groups)" ]; }

ok 'tasks are in groups of the step'        succeeds srun -n2 --container=image.sqfs cat /proc/self/cgroup
ok '... Slurm'\''s'                         says '/step_0'
ok '... and nothing is left'                nothing_left
ok '... no group either'                    wait_for no_groups
srun -w node1 --container=image.sqfs sh -c 'touch up; exec sleep 100' >/dev/null 2>&1 &
wait_for test -e "$home/up"
servers=$(helpers 'firn-.*')
in_job() { for pid in $servers; do grep -q '/job_' "/proc/$pid/cgroup" || return 1; done; [ -n "$servers" ]; }
ok 'keeper and server are in a group of the job' in_job
user scancel -u user
wait
ok '... and ends with it'                   nothing_left
ok '... which is at once'                   succeeds timeout 5 sh "$srcdir/tests/cluster" user "$dir" srun --container=image.sqfs true
ok 'what a task leaves running'             succeeds srun --container=image.sqfs sh -c 'sleep 200 >/dev/null 2>&1 </dev/null & exit 0'
ok '... is ended, and its server'           nothing_left
ok '... without a group'                    wait_for no_groups
script steps <<-'END'
	#!/bin/bash
	#SBATCH -N1 -o steps.out
	for i in {1..16}; do srun -Q --container=image.sqfs true; done
	groups() { find /sys/fs/cgroup -type d -path "*/job_$SLURM_JOB_ID/*" -name 'step_[0-9]*'; }
	for i in {1..30}; do [ "$(groups)" ] || exit 0; sleep 0.1; done
	groups
END
ok 'sixteen steps of a job'                 succeeds sbatch -W steps
ok '... leave no group while it goes on'    prints '' cat steps.out
script named <<-'END'
	#!/bin/bash
	#SBATCH -N2 -o named.out
	srun -Q --container=image.sqfs --container-name=box --container-writable sh -c 'echo "$SLURMD_NODENAME" >/made'
	srun -Q --container-name=box cat /made
	srun -Q --container-name=box sh -c 'sleep 200 >/dev/null 2>&1 </dev/null & exit 0'
	srun -Q --container-name=box cat /made
END
ok 'a container with a name'                succeeds sbatch -W named
ok '... lives on, on each node'             prints 'node1
node1
node2
node2' sort named.out
ok '... until the job ends'                 nothing_left
ok '... without a group'                    wait_for no_groups

# Whoever traces what the plugin has started gets a process where Slurm does not look for any: in the
# job's own group, or in that of its named containers. And a slurmstepd is not who says so.
own_group() {
	case $CLUSTER_CGROUP in
	v1) cluster root "$dir" find /sys/fs/cgroup/freezer -type d -name "job_$1" ;;
	v2) cluster root "$dir" find /sys/fs/cgroup -type d -path "*/job_$1/firn" ;;
	esac
}
rm -f "$home/up"
srun -w node1 --container=image.sqfs --container-name=box sh -c 'touch up; exec sleep 100' >/dev/null 2>&1 &
step=$!
wait_for test -e "$home/up"
job=$(user squeue -h -o %A)
as_other() { exec setpriv --reuid="$user_id" --regid="$user_id" --clear-groups "$@"; }
as_other sleep 60 &
kept=$!
# Not dumpable, so that /proc shows it as root's.
as_other bash -c 'exec -a "$0" python3 -c "import ctypes, time; ctypes.CDLL(None).prctl(4, 0); print(flush=True); time.sleep(60)"' \
	"slurmstepd: [$job.0]" >"$scratch/feigned" &
feigned=$!
wait_for test -s "$scratch/feigned"
ok 'a process in the job'\''s own group'      cluster root "$dir" sh -c 'echo "$0" >"$1/cgroup.procs"' "$kept" "$(own_group "$job")"
user scancel "$job"
wait "$step"
wait "$kept" 2>/dev/null
ok '... ends with the job'                  test $? = 137
ok '... without a group, though one feigns to be a slurmstepd' wait_for no_groups
kill "$feigned"
ok 'the nodes are there'                    prints idle user sinfo -h -o %t
done_testing
