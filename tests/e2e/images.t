# Kinds of images, engines, and kernels that lack newer calls.
. "$srcdir/tests/lib.sh"
needs_python
make_small "$scratch/root"
mkdir -p "$scratch/root/var/tmp" "$scratch/root/home/user"
head -c 3000000 /dev/urandom >"$scratch/root/data"
head -c 300000 /dev/zero >>"$scratch/root/data"
cp "$tools/treehash" "$scratch/root/bin/treehash"
sum() { md5sum <"$scratch/root/data"; }
for codec in zstd gzip lz4 xz; do
	squash "$scratch/root" "$scratch/$codec.sqfs" $codec
	ok "$codec: runs and reads right"   prints "$(sum)" sh -c '"$1" exec "$2" probe cat /data | md5sum' sh "$FIRN" "$scratch/$codec.sqfs"
done
mksquashfs "$scratch/root" "$scratch/none.sqfs" -noappend -quiet -no-progress -noI -noD -noF -noX >/dev/null
ok 'uncompressed: runs and reads right'     prints "$(sum)" sh -c '"$1" exec "$2" probe cat /data | md5sum' sh "$FIRN" "$scratch/none.sqfs"
mksquashfs "$scratch/root" "$scratch/lzo.sqfs" -noappend -quiet -no-progress -comp lzo >/dev/null
ok 'lzo is refused'                         status_is 125 firn exec "$scratch/lzo.sqfs" true
ok '... by name'                            says "'lzo'"
for size in 4K 1M; do
	mksquashfs "$scratch/root" "$scratch/b.sqfs" -noappend -quiet -no-progress -comp zstd -b $size >/dev/null
	ok "blocks of $size: reads right"   prints "$(sum)" sh -c '"$1" exec "$2" probe cat /data | md5sum' sh "$FIRN" "$scratch/b.sqfs"
done

python3 "$srcdir/tests/images/mksif.py" "$scratch/zstd.sqfs" "$scratch/app.sif" || exit 1
ok 'a SIF file runs'                        prints hello firn exec "$scratch/app.sif" probe args hello
mkdir "$scratch/root/.singularity.d"
printf '#!/bin/probe\n' >"$scratch/root/.singularity.d/runscript"
chmod 755 "$scratch/root/.singularity.d/runscript"
squash "$scratch/root" "$scratch/run.sqfs"
python3 "$srcdir/tests/images/mksif.py" "$scratch/run.sqfs" "$scratch/run.sif" || exit 1
chmod 755 "$scratch/run.sif"
mkdir "$scratch/bin"
ln -s "$FIRN" "$scratch/bin/run-singularity"
ok 'an executable SIF runs by itself'       succeeds env PATH="$scratch/bin:$PATH" "$scratch/run.sif" a b
ok 'a copy on a read-only place runs'       prints x sh -c 'chmod 444 "$2" && exec "$1" exec "$2" probe args x' sh "$FIRN" "$scratch/gzip.sqfs"

# What the launcher itself takes apart of an image file, it does in a process in a cage: the table of a
# SIF, and the configuration for --print-plan.
hooked=$tools/firn_hooked
for kind in sif sqfs; do
	for name in escape crash; do
		cp "$scratch/run.$kind" "$scratch/$name.$kind"
	done
done
case $(printf '%s' "${ASAN_OPTIONS:-}")$(ldd "$hooked" 2>/dev/null) in
*libasan*) skip 'the cage' 'a sanitizer needs more calls' ;;
*)
	ok 'who reads the table of a SIF is in a cage'  status_is 125 "$hooked" exec "$scratch/escape.sif" true
	ok '... that holds'                 says 'firn: of 40 attempts 40 were refused'
	ok 'so is who reads for --print-plan'   status_is 125 "$hooked" exec --print-plan "$scratch/escape.sqfs" true
	ok '... which holds, too'           says 'firn: of 40 attempts 40 were refused'
	ok 'a start needs no such process'  succeeds "$hooked" exec "$scratch/escape.sqfs" true ;;
esac
ok 'a SIF that crashes its reader'          status_is 125 "$hooked" exec "$scratch/crash.sif" true
ok '... is told in one line'                one_line
ok '... by name'                            says "'$scratch/crash.sif' cannot be read: the process that read it "
ok 'so is an image that crashes --print-plan'   status_is 125 "$hooked" exec --print-plan "$scratch/crash.sqfs" true
ok '... in one line'                        one_line
printf '[server]\ncage = require\n' >"$scratch/conf"
chmod 644 "$scratch/conf"
ok 'without Landlock a SIF is read all the same'  prints x "$tools/enosys" landlock_create_ruleset "$FIRN" exec "$scratch/app.sif" probe args x
ok '... unless a cage is required'          status_is 125 "$tools/enosys" landlock_create_ruleset "$FIRN" exec --config "$scratch/conf" "$scratch/app.sif" true
ok '... in one line'                        one_line
ok 'a plan is that of the same files in a directory'  sh -c 'a=$("$0" shell --print-plan "$1" | grep ^arg) && b=$("$0" shell --print-plan "$2" | grep ^arg) && [ "$a" = "$b" ] && [ -n "$a" ]' \
	"$FIRN" "$scratch/run.sqfs" "$scratch/root"
ok 'with its runscript'                     sh -c '"$0" run --print-plan "$1" a | grep -A1 "^arg .*runscript" | grep -qx "arg a"' "$FIRN" "$scratch/run.sif"

skips='/proc /sys /dev /tmp /var/tmp /home /etc/hosts /etc/resolv.conf /etc/localtime'
tree() { firn exec --root --frozen "$@" treehash / $skips; }
if command -v squashfuse >/dev/null; then
	ok 'the engine squashfuse runs'     prints ok firn exec --engine squashfuse "$scratch/zstd.sqfs" probe args ok
	tree "$scratch/zstd.sqfs" >"$scratch/a" 2>&1
	tree --engine squashfuse "$scratch/zstd.sqfs" >"$scratch/b" 2>&1
	ok 'both engines show the same tree' succeeds diff "$scratch/a" "$scratch/b"
	ok '... which is not empty'         test "$(wc -l <"$scratch/a")" -gt 5
else
	skip 'the engine squashfuse runs' 'this machine lacks: squashfuse'
fi
ok 'an unknown engine is refused'           status_is 125 firn exec --engine fast "$scratch/zstd.sqfs" true

mkdir "$scratch/host"
for missing in openat2 open_tree,move_mount mount_setattr close_range pidfd_open,pidfd_getfd openat2,open_tree,move_mount,mount_setattr,close_range,pidfd_open,pidfd_getfd,fsopen; do
	for root in "$scratch/zstd.sqfs" "$scratch/root"; do
		ok "without $missing: ${root##*/} runs"  prints /proc/self/mountinfo "$tools/enosys" $missing "$FIRN" exec -B "$scratch/host:/h:ro" "$root" probe args /proc/self/mountinfo
		ok '... as restricted as ever'      every_mount nosuid,nodev '^/dev[/ ]' "$tools/enosys" $missing "$FIRN" exec -B "$scratch/host:/h:ro" "$root" probe cat /proc/self/mountinfo
		ok '... ro is ro'                   prints 2 sh -c '"$@" | cut -d" " -f5,6 | grep -cE "^/(h)? ro,"' sh "$tools/enosys" $missing "$FIRN" exec -B "$scratch/host:/h:ro" "$root" probe cat /proc/self/mountinfo
		case $missing in *mount_setattr*)
			ok '... or an error'            status_is 125 "$tools/enosys" "$missing,MS_REMOUNT" "$FIRN" exec -B "$scratch/host:/h:ro" "$root" probe args x
			ok '... that says it'           says 'cannot restrict the mount at' ;;
		esac
	done
done

# Binds in binds: what comes last decides, and all below it.
mkdir -p "$scratch/out/in/most" "$scratch/in/most"
modes() {
	"$@" exec -B "$scratch/out:/a:ro" -B "$scratch/in:/a/in" -B "$scratch/out:/a/in/most:ro" \
		-B "$scratch/in:/b/in:rw" -B "$scratch/out:/b:ro" -B "$scratch/out:/c" -B "$scratch/in:/c/in:ro" \
		--mount "type=bind,src=$scratch/out,dst=/d,ro" --tmpfs /d/in "$scratch/root" probe cat /proc/self/mountinfo |
		sed -nE 's/^[0-9]+ [0-9]+ [^ ]+ [^ ]+ (\/[a-d](\/[^ ]*)?) (r[ow]),.*/\1 \3/p' | sort -u
}
nested='/a ro
/a/in rw
/a/in/most ro
/b ro
/c rw
/c/in ro
/d ro
/d/in rw'
modes "$FIRN" >"$scratch/modes"
ok 'the last bind at a place decides how' test "$(grep -v '^/b/' "$scratch/modes")" = "$nested"
for missing in mount_setattr open_tree,move_mount openat2,open_tree,move_mount,mount_setattr; do
	ok "... without $missing, too"        prints "$(cat "$scratch/modes")" modes "$tools/enosys" "$missing" "$FIRN"
done

# What srun's plugin asks before a job is submitted.
make_small "$scratch/has"
squash "$scratch/has" "$scratch/has.sqfs"
for of in "$scratch/has" "$scratch/has.sqfs"; do
	ok "${of##*/} has a directory"        status_is 0 firn image-has "$of" /bin
	ok '... and not another'              status_is 1 firn image-has "$of" /nosuch/x
	ok '... and no file is one'           status_is 1 firn image-has "$of" /bin/probe
done
ok 'nobody can tell of what is no image'  status_is 125 firn image-has /etc/passwd /bin
done_testing
