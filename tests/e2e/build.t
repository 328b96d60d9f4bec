#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn build: from any source to an image that runs; and what a user gets wrong.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python

HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache TMPDIR=$scratch/tmp
export HOME XDG_CACHE_HOME TMPDIR
mkdir "$HOME" "$TMPDIR" "$scratch/out"
make_small "$scratch/root"
mkoci=$srcdir/tests/images/mkoci.py
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch" || exit 1
config='{"created": "2024-02-03T04:05:06Z", "config": {"Env": ["PATH=/bin", "GREETING=hello world"],
	"Entrypoint": ["/bin/probe"], "Cmd": ["ids"], "Labels": {"org.example": "yes"}}}'
python3 "$mkoci" --config "$config" "$scratch/oci" "$scratch/base.tar" "$scratch/changes.tar" || exit 1
python3 "$mkoci" --config "$config" --form oci-archive "$scratch/oci.tar" "$scratch/base.tar" "$scratch/changes.tar"
python3 "$mkoci" --config "$config" --form docker-archive "$scratch/docker.tar" "$scratch/base.tar" "$scratch/changes.tar"

squash "$scratch/root" "$scratch/root.sqfs" gzip
python3 "$srcdir/tests/images/mksif.py" "$scratch/root.sqfs" "$scratch/root.sif" || exit 1

# Every source, and the image runs.
n=0
for source in "oci:$scratch/oci" "oci:$scratch/oci:latest" "oci-archive:$scratch/oci.tar" "docker-archive:$scratch/docker.tar" \
	"tar:$scratch/flat.tar" "dir:$scratch/root" "$scratch/root" "$scratch/out/1.sqfs" "$scratch/root.sif"; do
	n=$((n + 1))
	ok "built from ${source%%"$scratch"*}..." succeeds firn build -q "$scratch/out/$n.sqfs" "$source"
	ok 'and it runs'                          succeeds firn exec "$scratch/out/$n.sqfs" /bin/true
done
python3 "$mkoci" --form docker-archive --tag docker.io/lab/tool:1 "$scratch/named.tar" "$scratch/base.tar"
for tag in docker.io/lab/tool:1 lab/tool:1 tool:1 1; do
	ok "a docker-archive's image called $tag" succeeds firn build -q -f "$scratch/out/named.sqfs" "docker-archive:$scratch/named.tar:$tag"
done
for tag in ool:1 tool latest; do
	ok "but not $tag" status_is 125 firn build -q -f "$scratch/out/named.sqfs" "docker-archive:$scratch/named.tar:$tag"
done
ok 'which is said' says "no image 'latest' in '$scratch/named.tar'; there are: docker.io/lab/tool:1"
ok 'archives give what the layout gives' cmp "$scratch/out/1.sqfs" "$scratch/out/3.sqfs"
image=$scratch/out/1.sqfs
ok 'firn run takes the entrypoint'  succeeds firn run "$image"
ok 'the environment is there'       succeeds firn exec "$image" /bin/probe env GREETING
ok 'firn inspect reads the image'   succeeds firn inspect "$image"
ok 'its label'                      says 'org.example=yes'
ok 'its entrypoint'                 says '/bin/probe'
if command -v ch-run >/dev/null; then
	mkdir "$scratch/ch"
	ok "Charliecloud's ch-run runs it" succeeds env USER=me ch-run --mount="$scratch/ch" "$image" -- /bin/true
else
	skip "Charliecloud's ch-run runs it" 'ch-run is not installed'
fi
for point in /dev /proc /sys /tmp /run /home /mnt /etc/hosts /etc/resolv.conf /etc/passwd /etc/group; do
	ok "the mount point $point is there" sh -c 'unsquashfs -ll "$0" | grep -q " squashfs-root$1$"' "$image" "$point"
done

# What is told
ok 'the result as JSON' sh -c '"$0" build --json -q "$1" "$2" >"$3"' "$FIRN" "$scratch/out/j.sqfs" "oci:$scratch/oci" "$scratch/json"
ok 'holds the digest of the file' python3 -c '
import hashlib, json, sys
result = json.load(open(sys.argv[1]))
image = open(result["image"], "rb").read()
assert result["image_digest"] == "sha256:" + hashlib.sha256(image).hexdigest(), result
' "$scratch/json"
ok '-q prints nothing' prints '' firn build -q "$scratch/out/q.sqfs" "oci:$scratch/oci"
for codec in zstd zstd:3 lz4 gzip xz none; do
	ok "--compress $codec" succeeds firn build -q --force --compress "$codec" "$scratch/out/c.sqfs" "oci:$scratch/oci"
	ok 'runs'              succeeds firn exec "$scratch/out/c.sqfs" /bin/true
done
ok '--block-size 256K'    succeeds firn build -q --force --block-size 256K "$scratch/out/c.sqfs" "oci:$scratch/oci"
ok 'is taken'             sh -c '"$0" inspect "$1" | grep -q 262144' "$FIRN" "$scratch/out/c.sqfs"
ok '--all-root'           succeeds firn build -q --force --all-root "$scratch/out/c.sqfs" "oci:$scratch/oci"
ok 'leaves only root'     sh -c 'unsquashfs -lln "$0" | tail -n +2 | awk "\$2 != \"0/0\" {bad = 1} END {exit bad}"' "$scratch/out/c.sqfs"

# Closed streams: nothing that is said gets into a file that took their number.
closed_streams() {
	rm -f "$scratch/out/closed.sqfs"
	(eval "exec $1"; exec "$FIRN" build -vv "$scratch/out/closed.sqfs" "oci:$scratch/oci") >"$last.out" 2>"$last"
	[ $? = "$2" ] && cmp "$image" "$scratch/out/closed.sqfs"
}
ok 'with standard input and errors closed'  closed_streams '<&- 2>&-' 0
ok 'with all streams closed, the image is right' closed_streams '<&- >&- 2>&-' 125
(exec >&-; exec "$FIRN" build -f "$scratch/out/closed.sqfs" "oci:$scratch/oci") 2>"$last" </dev/null
ok 'and a result that cannot be told is an error' says 'cannot write to standard output'

# What is there stays there
echo precious >"$scratch/out/there"
ok 'a file that is there is not replaced'  status_is 125 firn build -q "$scratch/out/there" "oci:$scratch/oci"
ok 'by one line'                           one_line
ok 'and stays'                             prints precious cat "$scratch/out/there"
ok '--force keeps it where the build fails' status_is 125 firn build -q --force "$scratch/out/there" "oci:$scratch/oci:nosuch"
ok 'it is as it was'                       prints precious cat "$scratch/out/there"
ok '--force replaces no file that is no image' status_is 125 firn build -q -f "$scratch/out/there" "oci:$scratch/oci"
ok 'it says so'                            says "'$scratch/out/there' exists and is no image; --force (-f) replaces only images"
ok 'and it stays'                          prints precious cat "$scratch/out/there"
head -c 5000 "$image" >"$scratch/out/there"
ok '--force replaces a damaged image'      succeeds firn build -q --force "$scratch/out/there" "oci:$scratch/oci"
: >"$scratch/out/there"
ok '--force replaces an empty file'        succeeds firn build -q --force "$scratch/out/there" "oci:$scratch/oci"
ok 'by the image'                          cmp "$image" "$scratch/out/there"
ok 'a directory is not replaced'           status_is 125 firn build -q --force "$scratch/root" "oci:$scratch/oci"
ok 'by one line'                           one_line
ok 'a folder that is not there'            status_is 125 firn build -q "$scratch/nosuch/a.sqfs" "oci:$scratch/oci"
ok 'gets one line'                         one_line

# What users get wrong: one line each.
wrong() {
	promise=$1
	shift
	ok "$promise" status_is 125 firn build -q "$@"
	ok 'gets one line' one_line
}
wrong 'no argument'
wrong 'no source'                "$scratch/out/w.sqfs"
wrong 'a third argument'         "$scratch/out/w.sqfs" "oci:$scratch/oci" more
wrong 'an unknown option'        --nosuch "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'an unknown kind'          "$scratch/out/w.sqfs" "cpio:$scratch/oci"
wrong 'a source that is not there' "$scratch/out/w.sqfs" "tar:$scratch/nosuch.tar"
wrong 'a path that is not there' "$scratch/out/w.sqfs" "$scratch/nosuch"
wrong 'an unknown codec'         --compress lzma "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'a level that is none'     --compress zstd:99 "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'a level with a sign'      --compress zstd:+3 "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'a level for none'         --compress none:3 "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'an odd block size'        --block-size 100000 "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'a block size too large'   --block-size 2M "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'no threads'               -j 0 "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'threads that are no number' -j many "$scratch/out/w.sqfs" "oci:$scratch/oci"
wrong 'threads as a size'        -j 1k "$scratch/out/w.sqfs" "oci:$scratch/oci"
ok 'nothing of these is left'    sh -c '[ ! -e "$0" ]' "$scratch/out/w.sqfs"

# More layers than descriptors
python3 - "$srcdir/tests/images" "$scratch/layers" <<-'END' || exit 1
	import sys
	sys.dont_write_bytecode = True
	sys.path.insert(0, sys.argv[1])
	import mkoci, mktar
	layer = lambda n: mkoci.Layer(mktar.file(f"f{n % 150}", f"{n}") + mktar.END)
	mkoci.write_layout(sys.argv[2], mkoci.Image([layer(n) for n in range(300)]))
END
few() { (ulimit -n 40 && exec "$FIRN" build -q "$scratch/out/layers.sqfs" "oci:$scratch/layers"); }
ok '300 layers with 40 descriptors' succeeds few
ok 'and the last ones count'        sh -c 'unsquashfs -cat "$0" f7 f149 2>/dev/null | grep -qx 157299' "$scratch/out/layers.sqfs"

# Stopped in the middle: nothing is left. xz takes its time; the build is on its way once it
# has the file that would become the image.
mkdir "$scratch/stop"
started() { ls -l "/proc/$1/task" >/dev/null 2>&1 && ls -l "/proc/$1/fd" 2>/dev/null | grep -q "$scratch/stop/"; }
stopped_by() {
	# sh starts what is in the background with SIGINT ignored
	# shellcheck disable=SC2086 # nothing, or words
	env --default-signal=INT ${enosys:-} "$FIRN" build -q --compress xz "$scratch/stop/a.sqfs" "oci:$scratch/oci" >"$last" 2>&1 </dev/null &
	pid=$!
	wait_for started $pid || echo "never began" >>"$last"
	kill "-$1" $pid
	wait $pid
	status=$?
	[ $status != 0 ] && [ $status != 127 ]
}
for signal in INT TERM KILL; do
	ok "a build stopped by $signal fails" stopped_by $signal
	ok 'and leaves nothing'               sh -c '[ -z "$(ls -A "$0" "$1" | grep -v ":$")" ]' "$scratch/stop" "$TMPDIR"
done
ok 'and can be done again'   succeeds firn build -q "$scratch/stop/a.sqfs" "oci:$scratch/oci"
ok 'with the same result'    cmp "$image" "$scratch/stop/a.sqfs"

# Where a file without a name is not to be had (NFS, Lustre): a hidden name, and nothing is left either.
named() { "$tools/enosys" O_TMPFILE "$FIRN" build -q "$@"; }
ok 'a file system without O_TMPFILE'   succeeds named "$scratch/stop/named.sqfs" "oci:$scratch/oci"
ok 'gets the same image'               cmp "$image" "$scratch/stop/named.sqfs"
ok 'which is not replaced'             status_is 125 named "$scratch/stop/named.sqfs" "oci:$scratch/oci"
ok 'but by --force'                    succeeds named --force "$scratch/stop/named.sqfs" "oci:$scratch/oci"
rm "$scratch/stop/named.sqfs" "$scratch/stop/a.sqfs"
ok 'a build that fails there'          status_is 125 named "$scratch/stop/named.sqfs" "oci:$scratch/oci:nosuch"
ok 'leaves nothing'                    sh -c '[ -z "$(ls -A "$0" "$1" | grep -v ":$")" ]' "$scratch/stop" "$TMPDIR"
enosys="$tools/enosys O_TMPFILE"
for signal in INT TERM; do
	ok "one stopped by $signal fails"      stopped_by $signal
	ok 'and leaves nothing'                sh -c '[ -z "$(ls -A "$0" "$1" | grep -v ":$")" ]' "$scratch/stop" "$TMPDIR"
done

# No room: a limit of 512 KiB on files.
limited() { (ulimit -f 1024 && exec "$FIRN" build -q "$scratch/stop/b.sqfs" "oci:$scratch/oci"); }
ok 'a file that may not grow fails the build' status_is 125 limited
ok 'by one line'                              one_line
ok 'and leaves nothing'                       sh -c '[ ! -e "$0" ] && [ -z "$(ls -A "$1")" ]' "$scratch/stop/b.sqfs" "$TMPDIR"

# No room: which disk is full is told, not what was being packed.
if unshare -rm true 2>/dev/null; then
	mkdir "$scratch/full" "$scratch/noise"
	head -c 3000000 /dev/urandom >"$scratch/noise/x"
	tar cf "$scratch/noise.tar" -C "$scratch/noise" .
	gzip -c "$scratch/noise.tar" >"$scratch/noise.tgz"
	full() { unshare -rm sh -c 'mount -t tmpfs -o size=1m none "$0" && exec "$@"' "$scratch/full" "$@"; }
	for source in "dir:$scratch/noise" "tar:$scratch/noise.tar"; do
		ok "no room for an image of ${source%%:*}" status_is 125 full "$FIRN" build -q "$scratch/full/x.sqfs" "$source"
		ok '... is told'           prints '' sh -c 'grep -vxF "firn: cannot write '"'$scratch/full/x.sqfs'"'; name OUT in a folder with room: No space left on device" "$1"; true' sh "$last"
	done
	in_full() { full env TMPDIR="$scratch/full" "$@"; }
	no_room="firn: cannot write a temporary file in '$scratch/full'; set TMPDIR to a directory with room: No space left on device"
	ok 'no room for a layer'           status_is 125 in_full "$FIRN" build -q "$scratch/none" "tar:$scratch/noise.tgz"
	ok '... is told'                   grep -qxF "$no_room" "$last"
	ok 'no room for a pipe'            status_is 125 in_full sh -c 'cat "$1" | "$0" build -q "$2" -' "$FIRN" "$scratch/noise.tar" "$scratch/none"
	ok '... is told'                   grep -qxF "$no_room" "$last"
	ok 'an image'                      succeeds firn build -q "$scratch/noise.sqfs" "tar:$scratch/noise.tar"
	ok 'no room to build it again'     status_is 125 in_full "$FIRN" verify --rebuild --from "tar:$scratch/noise.tar" "$scratch/noise.sqfs"
	ok '... is told'                   grep -qxF "$no_room" "$last"
	rm -r "$scratch/noise" "$scratch/noise.tar" "$scratch/noise.tgz" "$scratch/noise.sqfs"
else
	skip 'no room' 'user namespaces are not to be had'
fi

# What an image may take, by firn.conf: the key is named, whatever the source.
printf '[build]\nmax-memory = 1K\n' >"$scratch/little"
mkdir "$scratch/many"
(cd "$scratch/many" && seq 3000 | xargs touch)
tar cf "$scratch/little.tar" -C "$scratch/many" .
squash "$scratch/many" "$scratch/little.sqfs"
for source in "dir:$scratch/many" "$scratch/little.sqfs" "tar:$scratch/little.tar"; do
	ok "too little memory for ${source%%:*}" status_is 125 firn build --config "$scratch/little" "$scratch/none" "$source"
	ok '... names its key'             says "(firn.conf's [build] max-memory)"
done
done_testing
