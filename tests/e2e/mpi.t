# A launcher of the host, an MPI of the image: mpirun -np 4 firn exec IMAGE PROGRAM, without a flag.
. "$srcdir/tests/lib.sh"
[ -e "$images/mpi.sqfs" ] || skip_all 'there is no image mpi.sqfs (tests/run makes it, as root)'
mpi=$images/mpi.sqfs
chmod 755 "$scratch"
export OMPI_MCA_rmaps_base_oversubscribe=1
# What Open MPI and MPICH leave in /tmp is theirs.
export TMPDIR="$scratch"

for kind in openmpi mpich; do
	command -v "mpirun.$kind" >/dev/null && command -v "mpicc.$kind" >/dev/null || {
		skip "$kind" "this machine lacks mpirun.$kind or mpicc.$kind"
		continue
	}
	needs "mpicc.$kind" -O2 -o "$scratch/$kind" "$srcdir/tests/tools/mpi_ring.c"
	launch() { timeout 120 "mpirun.$kind" -np "$@"; }
	ok "$kind: four ranks, messages up to 64 MiB"  prints 'ranks=4 nodes=1 namespaces=1 right' \
		launch 4 "$FIRN" exec "$mpi" "$scratch/$kind"
	ok "$kind: ... and nothing is left"            wait_for no_servers
	ok "$kind: from a script of the user's"        prints 'ranks=4 nodes=1 namespaces=1 right' \
		launch 4 sh -c '"$0" "$@"; exit $?' "$FIRN" exec "$mpi" "$scratch/$kind" 4194304
	ok "$kind: in a directory"                     prints 'ranks=2 nodes=1 namespaces=1 right' \
		launch 2 "$FIRN" exec "$images/mpi.dir" "$scratch/$kind" 4194304
	ok "$kind: beside a second launch"             prints 'ranks=2 nodes=1 namespaces=1 right
ranks=2 nodes=1 namespaces=1 right' sh -c 'for i in 1 2; do timeout 120 "$@" & done; wait' sh \
		"mpirun.$kind" -np 2 "$FIRN" exec "$mpi" "$scratch/$kind" 4194304
	# The same, by an MPI that speaks another version of the launcher's protocol.
	if [ -e "$images/mpi5.sqfs" ]; then
		ok "$kind: one of Debian 13"           prints 'ranks=2 nodes=1 namespaces=1 right' \
			launch 2 "$FIRN" exec "$images/mpi5.sqfs" "$scratch/$kind"
		ok "$kind: ... whose PMIx misses nothing" says_not 'requested component was not found'
	else
		skip "$kind: one of Debian 13" 'there is no image mpi5.sqfs'
	fi
	ok "$kind: figures for the bench"              succeeds launch 2 "$FIRN" exec "$mpi" "$scratch/$kind" pingpong
	ok "$kind: ... for four sizes"                 test "$(grep -cE '^[0-9]+ [0-9.]+ [0-9.]+$' "$last")" = 4
done

# What is told to a program, and shown to it.
plan() { "$FIRN" exec "$@" --print-plan "$mpi" true; }
step="SLURM_JOB_ID=1 PMIX_RANK=0 PMIX_SERVER_TMPDIR=/spool/n1/pmix.1.0// PMIX_SECURITY_MODE=munge,native"
printf '[run]\nmpi = none\n' >"$scratch/conf"
chmod 644 "$scratch/conf"
# shellcheck disable=SC2086
{
	ok 'under Slurm the spool directory is shown'   succeeds env $step "$FIRN" exec --print-plan "$mpi" true
	ok '... that of all steps'                      says 'bind /spool/n1 /spool/n1 rw optional'
	ok '... and where munge is'                     says 'bind /run/munge /run/munge'
	ok 'a PMIx client is told what all have'        says 'env PMIX_MCA_psec=native'
	ok 'what is not there is no error'              succeeds env $step "$FIRN" exec "$mpi" true
	ok '... in a directory as well'                 succeeds env $step "$FIRN" exec "$images/mpi.dir" true
	for option in '--mpi none' --contain --frozen; do
		ok "nothing of this with $option"       succeeds env $step "$FIRN" exec $option --print-plan "$mpi" true
		ok '... no directory'                   says_not 'bind /spool/n1'
		ok '... no munge'                       says_not /run/munge
		ok '... no parameter'                   says_not PMIX_MCA
	done
	ok 'the configuration can say so'               succeeds env $step "$FIRN" exec --config "$scratch/conf" --print-plan "$mpi" true
	ok '... as the option does'                     says_not 'bind /spool/n1'
	ok 'a mount of the user'\''s wins'              succeeds env $step "$FIRN" exec -B /tmp:/spool/n1 --print-plan "$mpi" true
	ok '... it comes later'                         test "$(grep -n ' /spool/n1 ' "$last" | tail -n 1 | cut -d: -f2 | cut -d' ' -f2)" = /tmp
}
ok 'outside of a launcher there is nothing'     succeeds plan
ok '... no munge'                               says_not munge
ok 'drivers are refused'                        status_is 125 firn exec --gpu "$mpi" true
ok '... in a line'                              one_line

# The launcher's own directories where nothing else shows them.
far=$(mktemp -d /var/tmp/firn-mpi.XXXXXX)
trap 'rm -rf "$far"; cleanup' EXIT
if [ -x "$scratch/openmpi" ]; then
	ok 'a launcher that works outside of /tmp'      prints 'ranks=2 nodes=1 namespaces=1 right' env TMPDIR="$far" \
		timeout 60 mpirun.openmpi -np 2 "$FIRN" exec "$mpi" "$scratch/openmpi" 65536
	ok '... is found'                               test ! -s "$last.err"
fi
done_testing
