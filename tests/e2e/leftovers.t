# Nothing is left behind: no process, no mount, no file.
. "$srcdir/tests/lib.sh"
needs_python
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs
# Mounts, and files where others have theirs: only what can be ours is counted.
mounts() { grep -cE -e "$scratch| firn |fuse\.firn" /proc/self/mountinfo; }
mkdir "$scratch/tmp"
TMPDIR=$scratch/tmp
export TMPDIR
: >"$scratch/begin"
files() {
	find "$TMPDIR" -mindepth 1
	find /tmp /var/tmp /dev/shm -maxdepth 1 -newer "$scratch/begin" -user "$(id -u)" -name '*firn*' ! -name 'firn-*.??????'
}
ok 'an own mount would be seen'             succeeds firn exec "$small" probe cat /proc/self/mountinfo
ok '... by what is looked for'              grep -qE 'fuse\.firn' "$last"

many() {
	count=0
	while [ $count -lt "$1" ]; do
		"$FIRN" exec "$small" true || return 1
		count=$((count + 1))
	done
}
ok '1000 launches in a row'                 succeeds many 1000
ok '... leave no server'                    wait_for no_servers
together() {
	pids=
	for i in $(seq "$1"); do
		"$FIRN" exec "$small" probe exit 3 &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid"
		[ $? = 3 ] || return 1
	done
}
ok '100 at once'                            succeeds together 100
ok '... leave no server'                    wait_for no_servers

# A child outlives the program; the image stays for it, and goes with it.
child=$("$FIRN" exec "$small" probe fork-and-wait)
ok 'a child may outlive the program'        kill -0 "$child"
ok '... then the server does, too'          test "$(servers)" = 1
kill "$child"
ok '... and goes when it goes'              wait_for no_servers

# SIGKILL of the launcher, or of the server, at each of their system calls. With the sanitizers
# there are hundreds before, which are theirs.
killed_at_each() {
	who=$1 least=$2 call=$(($("$tools/hold_at" $1 100000 "$FIRN" exec "$3" true </dev/null | sed -n 's/^ended //p') - 220)) killed=0
	[ $call -ge 1 ] || call=1
	# shellcheck disable=SC2086 # nothing, or an option
	while run_last timeout 20 "$tools/hold_at" $who $call "$FIRN" exec "$3" true || { status=$?; false; }; do
		call=$((call + 1)) killed=$((killed + 1))
	done
	[ $status = 3 ] && [ $killed -gt "$least" ] || no "$killed times until call $call, status $status"
}
ok 'a launcher killed at each system call'  killed_at_each '' 100 "$small"
ok '... leaves nothing'                     wait_for no_servers
ok 'a supervisor killed at each'            killed_at_each -s 30 "$small"
ok '... leaves nothing'                     wait_for no_servers
ok 'a launcher of a directory'              killed_at_each '' 100 "$scratch/root"
ok '... leaves nothing'                     wait_for no_servers
cat >"$scratch/dead" <<'TXT'
import os, signal, subprocess, sys
firn, image = sys.argv[1:3]
victims = [name + "\n" for name in sys.argv[3:]]
p = subprocess.Popen([firn, "exec", image, "probe", "later", "/etc/passwd"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
p.stdout.readline()
killed = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        # Of this test alone: others run beside it.
        if open(f"/proc/{pid}/comm").read() in victims and image in open(f"/proc/{pid}/cmdline").read():
            os.kill(int(pid), signal.SIGKILL)
            killed += 1
    except OSError:
        pass
# The kernel gives ENOTCONN, or ECONNABORTED to the first that notices.
said = p.communicate("go\n", timeout=10)[1]
print(killed, "error" if "not connected" in said or "connection abort" in said else said or "fine")
TXT
dead() { timeout 20 python3 "$scratch/dead" "$FIRN" "$small" "$@"; }
ok 'a server that is killed has a successor' prints '1 fine' dead firn-server
ok 'a keeper that is killed leaves its server' prints '1 fine' dead firn-keeper
ok 'both are an error, not a hang'          prints '2 error' dead firn-keeper firn-server
ok 'and nothing is left of any'             wait_for no_servers
ok 'no mount is left'                       test "$(mounts)" = 0
files >"$last"
ok 'nor a file'                             test ! -s "$last"
ok 'the end of a pipe is seen at once'      prints ok timeout 20 sh -c '"$1" exec "$2" probe args ok | cat' sh "$FIRN" "$small"
done_testing
