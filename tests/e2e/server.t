# The mount server: what it answers, and what it survives.
. "$srcdir/tests/lib.sh"
needs_python
make_small "$scratch/root"
head -c 1200000 /dev/urandom | base64 >"$scratch/root/data"
echo small >"$scratch/root/small"
mksquashfs "$scratch/root" "$scratch/good.sqfs" -noappend -quiet -no-progress -comp zstd -noI -noF -noX -no-xattrs >/dev/null
debian=$(image debian.sqfs)

long=$(printf '%0300d' 0)
ok 'a name of 300 bytes is too long'        denied firn exec "$scratch/good.sqfs" probe cat "/$long"
ok '... and not merely missing'             says 'File name too long'

# What one walk asks of the server, and two.
messages() {
	"$FIRN" exec -vv "$debian" sh -c "for i in $1; do find / -xdev -printf '%s %m %l' >/dev/null 2>&1; done" 2>&1 |
		sed -n 's/.* \([0-9]*\) messages in all.*/\1/p'
}
wait_for no_servers
once=$(messages 1)
twice=$(messages '1 2')
echo "one walk: $once messages, two: $twice" >"$last"
ok 'a second walk asks nothing'             test "$twice" -le "$((once + 5))"
ok 'a walk asks less than once per file'    test "$once" -lt "$(find "$images/debian.dir" -xdev 2>/dev/null | wc -l)"

# Eight readers of one file begin at once, while the server starts its threads.
sum_of_programs='cd "$0/usr/bin" && find . -type f | LC_ALL=C sort | xargs cat | md5sum'
ok 'eight readers read the same'            all_print_one 8 firn exec "$debian" sh -c \
	'for i in 1 2 3 4 5 6 7 8; do sh -c "$1" "" & done; wait' sh "$sum_of_programs"
ok '... which is what is there'             says "$(sh -c "$sum_of_programs" "$images/debian.dir")"

# Damage is told on the program's standard error. Nobody may be reading that any more.
python3 "$srcdir/tests/images/broken.py" make data-late "$scratch/good.sqfs" "$scratch/late.sqfs" || exit 1
# The shell is the machine's; what it reads is the image's.
damage() {
	"$FIRN" exec -B /usr -B /usr/lib:/lib -B /usr/lib64:/lib64 "$scratch/late.sqfs" /usr/bin/sh -c \
		'trap "" XFSZ; /usr/bin/cat /data >/dev/null && echo no damage; /usr/bin/cat /small'
}
# Its standard error is a pipe whose reader is gone before anything is said.
mkfifo "$scratch/pipe"
deaf() {
	exec 4<>"$scratch/pipe" 5>"$scratch/pipe" 4<&-
	damage 2>&5 5>&-
}
full() { (ulimit -f 0; damage 2>>"$scratch/full") | cat; }
ok 'a broken pipe does not end the server'  prints small deaf
ok 'nor does a file at its limit'           prints small full
ok 'nothing is left running'                wait_for no_servers

# What everybody on the machine may read of the processes beside the program.
make_small "$scratch/titled"
squash "$scratch/titled" "$scratch/titled.sqfs"
echo "TOKEN=secret$$" >"$scratch/secret"
for engine in firn squashfuse; do
	command -v squashfuse_ll >/dev/null || [ "$engine" = firn ] || continue
	mkfifo "$scratch/in.$engine"
	"$FIRN" exec --session "title$$" --engine "$engine" -e "$(cat "$scratch/secret")" -B "$scratch" "$scratch/titled.sqfs" probe stay <"$scratch/in.$engine" >"$scratch/out.$engine" 2>&1 &
	exec 9>"$scratch/in.$engine"
	wait_for test -s "$scratch/out.$engine"
	ps -ww -u "$(id -u)" -o comm=,args= | grep -F firn- >"$scratch/ps"
	ok "$engine: a process tells its image"      grep -qE "^firn-[a-z]+ +firn-[a-z]+ $scratch/titled.sqfs\$" "$scratch/ps"
	ok "$engine: and no word of the command line" test "$(cat /proc/[0-9]*/cmdline 2>/dev/null | grep -acF -f "$scratch/secret")" = 0
	exec 9>&-
	wait $!
done
ok 'the servers go'                          wait_for no_servers
done_testing
