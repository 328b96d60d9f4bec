# The host's MPI in an image: firn exec --mpi=host IMAGE PROGRAM, whatever the image has of its own.
. "$srcdir/tests/lib.sh"
[ -e "$images/mpi.sqfs" ] || skip_all 'there is no image mpi.sqfs (tests/run makes it, as root)'
needs_programs cc
mpi=$images/mpi.sqfs newer=$images/mpi5.sqfs older=$images/bullseye.sqfs
chmod 755 "$scratch"
export OMPI_MCA_rmaps_base_oversubscribe=1 TMPDIR="$scratch"
profiles=$srcdir/conf/profiles.d
case $profiles in /*) ;; *) profiles=$PWD/$profiles ;; esac
libdir=/usr/lib/$(cc -print-multiarch)
host() { firn exec --mpi="host:$profiles/" -q "$@"; }

# What the words are, before anything is looked at.
printf 'match = libno.so.1\nlib = libno.so.1\n' >"$scratch/no.conf"
printf 'match = libno.so.1\nlib = libc.so.6\nrequire = /dev/no-such-fabric*\n' >"$scratch/fabric.conf"
printf 'match = libno.so.1\nlib = libc.so.6\nlibrary = libno.so.1\n' >"$scratch/wrong.conf"
chmod 644 "$scratch"/*.conf
refused() {
	promise=$1 why=$2
	shift 2
	ok "$promise"                                   status_is 125 firn exec "$@"
	ok '... in a line'                              one_line
	ok '... that says why'                          says "$why"
}
refused 'a profile that the site has not'       "there is no profile 'none'" --mpi=host:none "$mpi" true
refused 'a library that is not here'            "this machine has no 'libno.so.1'" --mpi="host:$scratch/no.conf" "$mpi" true
refused 'a fabric that is not here'             "needs '/dev/no-such-fabric*'" --mpi="host:$scratch/fabric.conf" "$mpi" true
refused 'a profile that is wrong'               "line 3: there is no key 'library'" --mpi="host:$scratch/wrong.conf" "$mpi" true
refused 'not where nothing of the host may be'  '--contain' --mpi=host --contain "$mpi" true
refused 'a libc alone does not go in'           '--glibc=host goes with --mpi=host' --glibc=host "$mpi" true

both=
for kind in openmpi mpich; do
	command -v "mpirun.$kind" >/dev/null && command -v "mpicc.$kind" >/dev/null || {
		skip "$kind" "this machine lacks mpirun.$kind or mpicc.$kind"
		continue
	}
	both=$both$kind
	case $kind in openmpi) soname=libmpi.so.40 ;; mpich) soname=libmpich.so.12 ;; esac
	launch() { timeout 120 "mpirun.$kind" -np "$@"; }
	for link in plain runpath rpath; do
		case $link in
		plain) flags= ;;
		runpath) flags="-Wl,-rpath,$libdir -Wl,--enable-new-dtags" ;;
		rpath) flags="-Wl,-rpath,$libdir -Wl,--disable-new-dtags" ;;
		esac
		# shellcheck disable=SC2086
		needs "mpicc.$kind" -O2 $flags -o "$scratch/$kind.$link" "$srcdir/tests/tools/mpi_ring.c"
	done
	# What the host's library is, as a program of the host's sees it.
	theirs=$(timeout 60 "$scratch/$kind.plain" maps "$soname" 2>/dev/null)
	ok "$kind: the host's library is known"         test -n "$theirs"
	for image in "$mpi" "$newer"; do
		[ -e "$image" ] || { skip "$kind" "there is no image $image"; continue; }
		named="$kind in $(basename "$image")"
		for link in plain runpath rpath; do
			ok "$named: the host's is loaded by a program with $link" prints "$theirs" \
				host "$image" "$scratch/$kind.$link" maps "$soname"
		done
		# Open MPI's own programs are looked for in PATH, and all of its libraries are not in each image.
		[ "$kind" = openmpi ] || ok "$named: ... by one with a RPATH without environment" prints "$theirs" \
			firn exec --mpi="host:$profiles/$kind.conf" -q "$image" env -i "$scratch/$kind.rpath" maps "$soname"
		ok "$named: and the image's own as ever"        succeeds firn exec -q "$image" "$scratch/$kind.plain" maps "$soname"
		ok "$named: ... is another"                     test "$(cat "$last")" != "$theirs"
		for ranks in 2 4; do
			ok "$named: $ranks ranks, each byte right"      prints "ranks=$ranks nodes=1 namespaces=1 right" \
				launch "$ranks" "$FIRN" exec --mpi="host:$profiles/" -q "$image" "$scratch/$kind.rpath" 4194304
		done
		ok "$named: each of them has the host's"        prints "$theirs
$theirs" launch 2 "$FIRN" exec --mpi="host:$profiles/" -q "$image" "$scratch/$kind.plain" maps "$soname"
		ok "$named: ping-pong"                          succeeds launch 2 "$FIRN" exec --mpi="host:$profiles/$kind.conf" -q "$image" "$scratch/$kind.plain" pingpong
		ok "$named: ... of four sizes"                  test "$(grep -cE '^[0-9]+ [0-9.]+ [0-9.]+$' "$last")" = 4
	done
	if [ -e "$images/mpi5.dir/$libdir/$soname" ]; then
		needs "mpicc.$kind" -O2 -c -o "$scratch/$kind.o" "$srcdir/tests/tools/mpi_ring.c"
		needs cc -o "$scratch/$kind.theirs" "$scratch/$kind.o" "$images/mpi5.dir/$libdir/$soname" -Wl,--allow-shlib-undefined
		ok "$kind: a program linked to Debian 13's"     prints 'ranks=2 nodes=1 namespaces=1 right' \
			launch 2 "$FIRN" exec --mpi=host:"$profiles/" -q "$newer" "$scratch/$kind.theirs" 65536
		ok "$kind: ... of which the image is older than the host's" succeeds firn exec --mpi=host:"$profiles/" "$newer" "$scratch/$kind.theirs" 64
		ok "$kind: ... is told so"                      says 'older'
	fi
	if [ -d "$images/mpi.dir" ]; then
		ok "$kind: in a directory"                      prints 'ranks=2 nodes=1 namespaces=1 right' \
			launch 2 "$FIRN" exec --mpi=host:"$profiles/" -q "$images/mpi.dir" "$scratch/$kind.plain" 65536
	fi
	if [ -e "$older" ]; then
		refused "$kind: not into an older image"        '--glibc=host' --mpi=host:"$profiles/" "$older" "$scratch/$kind.plain" 64
		ok "$kind: ... it says for what"                says "host $soname needs GLIBC_2.3"
		for link in plain runpath rpath; do
			ok "$kind: ... with the host's libc it goes, with $link" prints 'ranks=2 nodes=1 namespaces=1 right' \
				launch 2 "$FIRN" exec --mpi=host:"$profiles/" --glibc=host -q "$older" "$scratch/$kind.$link" 65536
		done
		ok "$kind: ... and the image's programs run"    prints 'yes' firn exec --mpi="host:$profiles/$kind.conf" --glibc=host -q "$older" perl -e 'print "yes\n"'
	else
		skip "$kind: not into an older image" 'there is no image bullseye.sqfs'
	fi
done

# What is done can be read before, and cannot be changed after.
if [ "$both" = openmpimpich ]; then
	ok 'the plan says what goes in'                 succeeds firn exec --mpi=host:"$profiles/" --print-plan "$mpi" "$scratch/openmpi.plain"
	ok '... over which file of the image'           grep -q '^edit over .*/libmpi.so.40 .*/libmpi.so.40 # it was asked for' "$last"
	ok '... where the plugins are'                  says 'edit directory'
	ok '... what becomes of the environment'        says 'env LD_LIBRARY_PATH=/.firn/injected/lib'
	ok '... which profile was asked for'            says "mpi=host:$profiles/,glibc=image"
	ok 'two MPIs need a name'                       status_is 125 host "$mpi" true
	ok '... of which there are two'                 says "'mpich' and 'openmpi' both fit '$mpi'"
	ok 'a program of another MPI than named'        status_is 125 firn exec --mpi=host:"$profiles/mpich.conf" "$mpi" "$scratch/openmpi.plain"
	ok '... says which it needs'                    says 'needs libmpi.so.40'
	ok 'a program that is not there'                status_is 127 host "$mpi" /no/such/program
	ok '... is told'                                says "cannot find '/no/such/program' in '$mpi'"
	ok 'the directory cannot be changed'            denied firn exec --mpi=host:"$profiles/mpich.conf" -q "$mpi" touch /.firn/injected/lib/more
	ok 'nor a library in it'                        denied firn exec --mpi=host:"$profiles/mpich.conf" -q "$mpi" sh -c 'echo >>/.firn/injected/lib/libmpich.so.12'
	ok 'what the user sets comes behind'            prints '/.firn/injected/lib:/mine' \
		firn exec --mpi=host:"$profiles/mpich.conf" -q -e LD_LIBRARY_PATH=/mine "$mpi" sh -c 'echo $LD_LIBRARY_PATH'
	cp "$profiles/mpich.conf" "$scratch/own.conf"
	printf 'env.set = OWN_LIBDIR=$LIBDIR\nenv.append = PATH=/own\nenv.unset = GONE\n' >>"$scratch/own.conf"
	ok 'a profile of the user'\''s own'             prints "$libdir own none" firn exec --mpi=host:"$scratch/own.conf" -q -e GONE=1 \
		"$mpi" sh -c 'echo "$OWN_LIBDIR ${PATH##*/} ${GONE-none}"'
	ok '... for those who join, too'                all_print_one 2 mpirun.mpich -np 2 "$FIRN" exec --mpi=host:"$scratch/own.conf" -q \
		-e GONE=1 "$mpi" sh -c 'echo "$OWN_LIBDIR ${PATH##*/} ${GONE-none}"'
	ok '... who say the same'                       says "$libdir own none"
fi

# An image of musl, as far as it matters: its loader, and no other.
make_small "$scratch/musl"
mkdir -p "$scratch/musl/lib"
cp "$tools/probe" "$scratch/musl/lib/ld-musl-$(uname -m).so.1"
if [ "${both#*openmpi}" != "$both" ]; then
	refused 'not into an image of musl'             'the image has musl' --mpi=host:"$profiles/openmpi.conf" "$scratch/musl" /bin/true
fi
ok 'nothing is left'                            wait_for no_servers
done_testing
