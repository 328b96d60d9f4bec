# Broken images: one line, the right status, no crash, no hang, little memory.
. "$srcdir/tests/lib.sh"
needs_python
make_small "$scratch/root"
head -c 1200000 /dev/urandom | base64 >"$scratch/root/data"
echo small >"$scratch/root/small"
ln -s small "$scratch/root/zlink"
mksquashfs "$scratch/root" "$scratch/good.sqfs" -noappend -quiet -no-progress -comp zstd -noI -noF -noX -no-xattrs >/dev/null
broken() { python3 "$srcdir/tests/images/broken.py" "$@"; }
cat >"$scratch/limit" <<'TXT'
import resource, subprocess, sys
# The sanitizers reserve terabytes of address space: there the limit is on what is used.
if sys.argv[1] == "limit":
    resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
try:
    done = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL, timeout=10)
except subprocess.TimeoutExpired:
    print("timed out")
    sys.exit(99)
sys.exit(done.returncode if done.returncode >= 0 else 98)
TXT
limit=limit
grep -qa __asan_init "$FIRN" && limit=none

# Reads all there is: the launch must fail well, or the program see plain I/O errors.
good_end() {
	python3 "$scratch/limit" $limit "$FIRN" exec "$1" probe cat /data >"$scratch/out" 2>"$last" </dev/null
	status=$?
	case $status in
	0) return 0 ;;
	1) grep -qE 'Input/output error|No such file|Not a directory' "$last" ;;
	125 | 126 | 127) one_line && grep -q "'.*$2.sqfs'" "$last" ;;
	*) echo "exit status $status" >>"$last"; false ;;
	esac
}

# inspect reads less: it tells what there is, or says in one line why not.
good_look() {
	python3 "$scratch/limit" $limit "$FIRN" inspect "$1" >"$scratch/out" 2>"$last" </dev/null
	status=$?
	case $status in
	0) [ -s "$scratch/out" ] ;;
	125) one_line ;;
	*) echo "exit status $status" >>"$last"; false ;;
	esac
}

ok 'the good one is good'                   succeeds firn exec "$scratch/good.sqfs" probe cat /small
for kind in $(broken list); do
	broken make "$kind" "$scratch/good.sqfs" "$scratch/$kind.sqfs" || exit 1
	ok "$kind"                          good_end "$scratch/$kind.sqfs" "$kind"
	ok "$kind, inspected"               good_look "$scratch/$kind.sqfs"
	rm -f "$scratch/$kind.sqfs"
done
ok 'there are forty kinds and more'         test "$(broken list | wc -l)" -ge 40

mkfifo "$scratch/fifo.sqfs"
ok 'a FIFO is no image, and no wait'        status_is 125 firn exec "$scratch/fifo.sqfs" true
ok 'nor is a device'                        status_is 125 firn exec /dev/null true
if [ "$(id -u)" != 0 ]; then
	chmod 0 "$scratch/good.sqfs"
	ok 'one that may not be read'       status_is 125 firn exec "$scratch/good.sqfs" true
	ok '... says why'                   says 'Permission denied'
	chmod 644 "$scratch/good.sqfs"
else
	skip 'one that may not be read' 'root may read everything'
fi

# Damage found while the program runs is told in a line of firn's.
broken make data-late "$scratch/good.sqfs" "$scratch/late.sqfs"
ok 'damage met later: the program sees it'  status_is 1 firn exec "$scratch/late.sqfs" probe cat /data
ok '... and the user is told which image'   says "firn: '$scratch/late.sqfs' is damaged"

# Lack of memory is no damage. The sanitizers need more than there is at any of these.
if ! grep -q __asan_init "$FIRN"; then
	for kib in 6000 6500 7000 7500 8000 8500; do
		(ulimit -v "$kib" && exec "$FIRN" exec "$(image debian.sqfs)" sh -c 'id; cat /etc/hostname')
	done >"$last" 2>&1
	ok 'without memory firn says so'    says 'firn: cannot read the image: Cannot allocate memory'
	ok '... and accuses no image'       says_not 'damaged'
fi
ok 'nothing is left running'                wait_for no_servers
done_testing
