# SPDX-License-Identifier: LGPL-3.0-or-later
# A job's own /tmp and /dev/shm: its containers have them, too.
export TMPDIR=/var/tmp
. "$srcdir/tests/slurm.sh"
debian=$(image debian.sqfs)
cluster_slurmd() { ${CLUSTER_ROOT:+sh "$srcdir/tests/tools/in_root" "$CLUSTER_ROOT"} slurmd "$@"; }

# What a job's step leaves in /tmp the next one finds, in a container or not; nobody else does.
check() {
	ok "$1: a step outside"                 succeeds user salloc -N1 -n1 sh -c '
		srun -Q sh -c "echo mine >/tmp/mark; echo mine >/dev/shm/mark"
		srun -Q --container="$0" cat /tmp/mark /dev/shm/mark
		srun -Q --container="$0" sh -c "echo inner >/tmp/inner"
		srun -Q cat /tmp/inner
		srun -Q --container="$0" --container-name=c true
		srun -Q --container-name=c cat /tmp/inner' "$debian"
	ok '... is what the container sees'         test "$(grep -c '^mine$' "$last")" = 2
	ok '... and the other way round'            test "$(grep -c '^inner$' "$last")" = 2
	ok '... nothing of it is on the node'       test ! -e /tmp/mark -a ! -e /tmp/inner
	ok 'the next job'                           denied srun --container="$debian" ls /tmp/mark
	ok '... has another one'                    says "No such file"
	ok 'a directory there'                      succeeds user salloc -N1 -n1 sh -c 'srun -Q mkdir /tmp/work; srun -Q -D /tmp/work pwd; srun -Q -D /tmp/work --container="$0" pwd' "$debian"
	ok '... as without a container'             test "$(grep -c '^/tmp' "$last")" = 2 -a "$(grep '^/tmp' "$last" | sort -u | wc -l)" = 1
	ok 'the home'                               prints "$home" srun --container="$debian" pwd
	ok 'a batch script'                         succeeds user sbatch -W -o batch.out --container="$debian" --wrap 'echo script >/tmp/b; cat /tmp/b'
	ok '... has it as well'                     test "$(cat "$home/batch.out")" = script
	ok 'and nothing is left'                    nothing_left
}
# The other way came with Slurm 23.02.
release=$(cluster_slurmd -V)
export CLUSTER_TMPFS='# as it is'
begin
check 'slurmstepd outside'
case $release in *' 2[012].'*) done_testing ;; esac
cluster stop "$dir" >"$scratch/stop" 2>&1
rm -rf "$dir"/state "$dir"/spool.* "$dir"/tmp.* "$dir"/base
CLUSTER_TMPFS='EntireStepInNS=true'
begin
check 'all of the step inside'
done_testing
