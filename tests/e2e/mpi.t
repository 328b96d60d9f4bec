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
	ok "$kind: four ranks, messages up to 64 MiB"  prints '4 ranks, 1 namespace, right' \
		launch 4 "$FIRN" exec "$mpi" "$scratch/$kind"
	ok "$kind: ... and nothing is left"            wait_for sh -c '! pgrep -u "$(id -u)" -f "firn exec $1 $2" >/dev/null' sh "$mpi" "$scratch/$kind"
	ok "$kind: from a script of the user's"        prints '4 ranks, 1 namespace, right' \
		launch 4 sh -c '"$0" "$@"; exit $?' "$FIRN" exec "$mpi" "$scratch/$kind" 4194304
	ok "$kind: in a directory"                     prints '2 ranks, 1 namespace, right' \
		launch 2 "$FIRN" exec "$images/mpi.dir" "$scratch/$kind" 4194304
	ok "$kind: beside a second launch"             prints '2 ranks, 1 namespace, right
2 ranks, 1 namespace, right' sh -c 'for i in 1 2; do timeout 120 "$@" & done; wait' sh \
		"mpirun.$kind" -np 2 "$FIRN" exec "$mpi" "$scratch/$kind" 4194304
done
done_testing
