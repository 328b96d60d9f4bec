# What else may be found at a session's name: firn then shares with nobody, and runs.
. "$srcdir/tests/lib.sh"
needs_python
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs
needs_programs /usr/bin/python3
# Five times as long a silence is taken for an answer.
export FIRN_TEST_SILENCE_MS=50
slurm='SLURM_JOB_ID=8 SLURM_STEP_ID=1'

# hostile MODE NAME READY: take the name and behave badly.
cat >"$scratch/hostile.py" <<'TXT'
import array, os, socket, struct, sys, time
mode, name, ready = sys.argv[1:4]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind("\0" + name)
if mode != "deaf":
    listener.listen(64)
open(ready, "w").close()
if mode in ("deaf", "silent"):
    time.sleep(60)
while True:
    connection = listener.accept()[0]
    if mode == "close":
        connection.close()
        continue
    number = connection.recv(100).decode()
    if mode == "junk":
        connection.send(b"r")
    if mode == "long":
        connection.send(b"r" * 5000)
    if mode in ("offer", "lure"):
        # What a keeper would do to be believed: see what the rank's eventfd counts.
        rank = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        proof = 0
        try:
            text = open(f"/proc/{rank}/fdinfo/{number}").read()
            proof = int(text.split("eventfd-count:")[1].split()[0], 16)
            print("found out")
        except OSError as error:
            print("refused:", error)
        sys.stdout.flush()
        fds = array.array("i", [os.open("/proc/self/ns/" + ns, os.O_RDONLY) for ns in ("user", "mnt")])
        connection.sendmsg([struct.pack("Qc7x", proof, b"r")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    connection.close()
TXT
name=$(env $slurm "$FIRN" exec -vv "$small" true 2>&1 | grep -o 'firn-[0-9a-f]\{32\}' | head -n 1)
ok 'the session has a name'                 test -n "$name"
wait_for no_servers

hostile() {
	mode=$1
	shift
	rm -f "$scratch/ready"
	"$@" "$scratch/hostile.py" "$mode" "$name" "$scratch/ready" >"$scratch/log" 2>&1 &
	bad=$!
	wait_for test -e "$scratch/ready"
}
be_gone() { kill "$bad"; wait "$bad" 2>/dev/null; }
rank() { env $slurm timeout 30 "$FIRN" exec -v "$small" probe where; }

hostile silent /usr/bin/python3
ok 'one who never answers: it runs'         succeeds rank
ok '... and says why alone'                 says "firn: the container is not shared: its keeper does not answer"
be_gone
hostile deaf /usr/bin/python3
ok 'one who never opens: it runs'           succeeds rank
ok '... and says why alone'                 says "firn: the container is not shared: nobody opens"
be_gone
hostile close /usr/bin/python3
ok 'one who hangs up: it runs'              succeeds rank
ok '... and says why alone'                 says "firn: the container is not shared: nobody opens"
be_gone
hostile junk /usr/bin/python3
ok 'one who talks nonsense: it runs'        succeeds rank
ok '... and says why alone'                 says "firn: the container is not shared: the answer did not come from a keeper"
be_gone
hostile long /usr/bin/python3
ok 'one who talks too much: it runs'        succeeds rank
ok '... and says why alone'                 says "firn: the container is not shared: the answer did not come from a keeper"
be_gone
# The programs of an image are the user, too, but must not offer their root to others.
# The interpreter is the machine's.
hostile offer "$FIRN" exec -B /usr -B /usr/lib:/lib -B /usr/lib64:/lib64 "$small" /usr/bin/python3
ok 'one from inside a container: it runs'   succeeds rank
ok '... and says why alone'                 says "firn: the container is not shared: the answer did not come from a keeper"
ok '... although it knows what to say'       grep -q 'refused: .*Permission denied' "$scratch/log"
be_gone
ok '... and is heard no more'               wait_for no_servers
# From outside it can be said, by the user to himself; but what is offered must be a container.
hostile lure /usr/bin/python3
ok 'one who offers the host: it runs'       succeeds rank
ok '... and says why alone'                 says "firn: the container is not shared: the answer did not come from a keeper"
ok '... although it said the right thing'   grep -q 'found out' "$scratch/log"
be_gone

# A stopped keeper is a silent one. It must not stop those who are inside.
mkfifo "$scratch/end"
env $slurm "$FIRN" exec "$scratch/root" probe stay <"$scratch/end" >"$scratch/place" &
first=$!
exec 9>"$scratch/end"
wait_for test -s "$scratch/place"
keeper=$(helpers firn-keeper)
stopped() { env $slurm timeout 30 "$FIRN" exec -v "$scratch/root" probe where; }
kill -STOP "$keeper"
ok 'a stopped keeper: it runs'              succeeds stopped
ok '... and says why alone'                 says "its keeper does not answer"
kill -CONT "$keeper"
ok '... and joins when it goes on'          prints "$(cat "$scratch/place")" stopped
# Connections that say nothing, or stay, are no harm.
cat >"$scratch/flood.py" <<'TXT'
import socket, sys
held = []
for i in range(3000):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    try:
        s.connect("\0" + sys.argv[1])
        s.send(b"hello")
    except OSError:
        pass
    held.append(s)
    if len(held) > 200:
        held.pop(0).close()
TXT
there=$(env $slurm "$FIRN" exec -vv "$scratch/root" true 2>&1 | grep -o 'firn-[0-9a-f]\{32\}' | head -n 1)
ok '3000 connections'                       succeeds timeout 60 /usr/bin/python3 "$scratch/flood.py" "$there"
ok '... and ranks still join'               prints "$(cat "$scratch/place")" stopped
exec 9>&-
wait "$first"
ok '... and nothing is left'                wait_for no_servers
done_testing
