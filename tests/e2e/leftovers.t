# Nothing is left behind: no process, no mount, no file.
. "$srcdir/tests/lib.sh"
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs
mounts() { wc -l </proc/self/mountinfo; }
# Other tests run beside this one; what MPI has in /dev/shm for a moment is theirs.
files() { find "${TMPDIR:-/tmp}" /dev/shm /var/tmp -maxdepth 1 -user "$(id -u)" 2>/dev/null | grep -cvE 'firn-|vader_segment|mpich|ucx_shm'; }
before="$(mounts) $(files)"

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

# SIGKILL at any moment, of the launcher, the program (the same process) or the server.
cat >"$scratch/kills" <<'TXT'
import os, random, signal, subprocess, sys, time
firn, image, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(7)
for i in range(count):
    p = subprocess.Popen([firn, "exec", image, "probe", "wait"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(random.random() * 0.01)
    if i % 2:
        # the server: a child of nobody, with our image open
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if open(f"/proc/{pid}/comm").read() == "firn-server\n" and image in open(f"/proc/{pid}/cmdline").read():
                    os.kill(int(pid), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                pass
    p.kill()
    p.wait(10)
TXT
ok '200 random SIGKILLs'                    succeeds python3 "$scratch/kills" "$FIRN" "$small" 200
ok '... leave no server'                    wait_for no_servers
cat >"$scratch/dead" <<'TXT'
import os, signal, subprocess, sys
firn, image = sys.argv[1:3]
p = subprocess.Popen([firn, "exec", image, "probe", "later", "/etc/passwd"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
p.stdout.readline()
killed = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        # Of this test alone: others run beside it.
        if open(f"/proc/{pid}/comm").read() == "firn-server\n" and image in open(f"/proc/{pid}/cmdline").read():
            os.kill(int(pid), signal.SIGKILL)
            killed += 1
    except OSError:
        pass
# The kernel gives ENOTCONN, or ECONNABORTED to the first that notices.
said = p.communicate("go\n", timeout=10)[1]
print(killed, "error" if "not connected" in said or "connection abort" in said else said)
TXT
ok 'a dead server is an error, not a hang'  prints '1 error' timeout 20 python3 "$scratch/dead" "$FIRN" "$small"
ok 'no mount and no file is left'           test "$(mounts) $(files)" = "$before"
ok 'the end of a pipe is seen at once'      prints ok timeout 20 sh -c '"$1" exec "$2" probe args ok | cat' sh "$FIRN" "$small"
done_testing
