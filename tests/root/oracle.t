# The same tree through firn, squashfuse and the kernel's own squashfs: every
# byte, mode, link, attribute and time. Run as root, which mounts the third.
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/setup.sh"
top=$srcdir
grep -qw squashfs /proc/filesystems || modprobe squashfs 2>/dev/null
grep -qw squashfs /proc/filesystems || skip_all 'this kernel has no squashfs'
chmod 711 "$scratch"
mkdir "$scratch/kernel" "$scratch/views"
chown "$user_id" "$scratch/views"
cp "$tools/treehash" "$scratch/views/treehash"
chmod 755 "$scratch/views/treehash"
trap 'umount "$scratch/kernel" 2>/dev/null; cleanup' EXIT

# What firn puts over an image, and the directories whose times its mount points change in an overlay.
places='/proc /sys /dev /tmp /var/tmp /etc/hosts /etc/resolv.conf /etc/localtime /mnt/views'
compare() {
	name=$1 file=$2
	mount -t squashfs -o ro,loop "$file" "$scratch/kernel" || { ok "$name: the kernel mounts it" false; return; }
	"$tools/treehash" "$scratch/kernel" $places /home/user >"$scratch/views/kernel" 2>"$scratch/views/kernel.err"
	umount "$scratch/kernel"
	for engine in firn squashfuse; do
		as_user "$FIRN" exec --engine $engine --root --frozen --no-home -B "$scratch/views:/mnt/views" "$file" \
			/mnt/views/treehash / $places /home/user >"$scratch/views/$engine" 2>"$scratch/views/$engine.err"
	done
	ok "$name: firn shows what the kernel shows"       succeeds diff "$scratch/views/kernel" "$scratch/views/firn"
	ok "$name: it is a tree of some size"              test "$(wc -l <"$scratch/views/kernel")" -gt "$3"
	# Mount points that the image lacks take an overlay with this engine: directories it touches have other times.
	grep -v '^04' "$scratch/views/kernel" >"$scratch/views/a"
	grep -v '^04' "$scratch/views/squashfuse" >"$scratch/views/b"
	ok "$name: and so does squashfuse"                 succeeds diff "$scratch/views/a" "$scratch/views/b"
}

# A tree of odd things: long directories, sparse and hard-linked files, fragments, links, attributes, devices, names.
odd=$scratch/odd
mkdir -p "$odd/many" "$odd/deep/a/b/c/d/e/f/g" "$odd/home/user" "$odd/mnt/views" "$odd/var/tmp" "$odd/proc" "$odd/sys" "$odd/dev" "$odd/tmp" "$odd/etc"
for i in $(seq 3000); do echo "$i" >"$odd/many/file-with-a-rather-long-name-$i"; done
head -c 1500000 /dev/urandom >"$odd/random"
truncate -s 40M "$odd/sparse"
printf middle | dd of="$odd/sparse" bs=1 seek=20000000 conv=notrunc 2>/dev/null
head -c 131072 /dev/zero >"$odd/block"
head -c 131073 /dev/urandom >"$odd/block-and-one"
head -c 70000000 /dev/zero | openssl enc -aes-128-ctr -K 0 -iv 0 2>/dev/null | head -c 70000000 >"$odd/large" || head -c 70000000 /dev/urandom >"$odd/large"
: >"$odd/empty"
ln "$odd/random" "$odd/hard"
ln -s random "$odd/soft"
ln -s "$(head -c 3000 /dev/zero | tr '\0' x)" "$odd/long-link"
mkfifo "$odd/fifo"
mknod "$odd/null" c 1 3
mknod "$odd/loop" b 7 0
setfattr -n user.short -v value "$odd/random"
setfattr -n user.long -v "$(head -c 2000 /dev/zero | tr '\0' y)" "$odd/empty"
setfattr -n user.long -v "$(head -c 2000 /dev/zero | tr '\0' y)" "$odd/block"
chmod 4755 "$odd/block"
chmod 1777 "$odd/many"
touch -d 2001-02-03T04:05:06Z "$odd/empty"
touch "$odd/$(printf 'sp ace\nnew\303\251\377')"
find "$odd" -exec chmod u+r,o+r {} + 2>/dev/null
chmod -R a+rX "$odd/deep"
n=0
for options in '-comp zstd' '-comp gzip' '-comp lz4' '-comp xz' '-noI -noD -noF -noX' '-comp zstd -b 4K' '-comp zstd -b 1M' '-comp zstd -no-fragments' '-comp zstd -always-use-fragments' '-comp zstd -no-xattrs'; do
	# Another file each: a loop device may outlive its mount, in a namespace of somebody else's, and is used again.
	n=$((n + 1))
	mksquashfs "$odd" "$scratch/odd.$n.sqfs" -noappend -quiet -no-progress $options >/dev/null
	compare "odd tree, $options" "$scratch/odd.$n.sqfs" 3000
	rm "$scratch/odd.$n.sqfs"
done
for suite in debian python bullseye trixie; do
	[ -f "$images/$suite.sqfs" ] && compare "real image $suite" "$images/$suite.sqfs" 5000
done
done_testing
