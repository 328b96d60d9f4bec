# Whoever of a session is killed, and whenever: nobody hangs, and nothing is left.
. "$srcdir/tests/lib.sh"
needs_python
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs

# Six ranks a round. The first one, another, or the server is killed while a rank is at one of its
# system calls, another one each round: who builds, who waits and who enters is then anyone's guess.
cat >"$scratch/kills.py" <<'TXT'
import os, re, signal, subprocess, sys, tempfile, time
firn, hold_at, image, count = *sys.argv[1:4], int(sys.argv[4])
CALLS = 170 # of the last ones: with the sanitizers there are hundreds before, which are theirs
names = set()
first_call = 1 + max(0, int(subprocess.run([hold_at, "100000", firn, "exec", image, "true"], stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE).stdout.split()[1]) - CALLS)

def helpers(wanted=("firn-server\n", "firn-keeper\n")):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read() in wanted and \
               image.encode() in open(f"/proc/{pid}/cmdline", "rb").read():
                yield int(pid)
        except OSError:
            pass

unharmed = 0
for i in range(count):
    env = dict(os.environ, SLURM_JOB_ID=str(os.getpid()), SLURM_STEP_ID=str(i))
    log = tempfile.TemporaryFile()
    command = [firn, "exec", "-vv", image, "probe", "stay"]
    kind = i % 3
    held = 0 if kind < 2 else i % 6
    at = str(first_call + i * 61 % CALLS)
    # A rank that is held says so; one that has fewer calls has run and ended.
    ranks = [subprocess.Popen([hold_at, at, *command] if number == held else command, env=env, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE if number == held else subprocess.DEVNULL, stderr=log)
             for number in range(6)]
    ranks[held].stdout.readline()
    # The server, its keeper, or both; a server that is killed alone harms nobody.
    alone = kind == 0 and i // 3 % 3 == 0
    if kind == 0:
        for pid in list(helpers(*[[("firn-server\n",)], [("firn-keeper\n",)], []][i // 3 % 3])):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    for rank in [ranks[held], *ranks]:
        rank.stdin.close()
    for number, rank in enumerate(ranks):
        # A hang ends here, with a traceback.
        status = rank.wait(20)
        if number == held:
            if status not in (0, 3):
                print("round", i, "hold_at", status)
            continue
        # Whoever was not killed, and did not lose its files, has worked.
        if (kind != 0 or alone) and status != 0:
            print("round", i, "status", status)
        unharmed += status == 0
    ranks[held].stdout.close()
    log.seek(0)
    names.update(re.findall(rb"session (firn-[0-9a-f]{32})", log.read()))

for attempt in range(200):
    sockets = open("/proc/net/unix", "rb").read()
    left = [name for name in names if name in sockets]
    if not left and not list(helpers()):
        break
    time.sleep(0.05)
print("left:", len(left), len(list(helpers())), "rounds:", len(names), "enough" if unharmed > 3 * count else unharmed)
TXT
kills() { timeout 300 /usr/bin/python3 "$scratch/kills.py" "$FIRN" "$tools/hold_at" "$@"; }
mounts() { grep -cE -e "$scratch| firn |fuse\.firn" /proc/self/mountinfo; }
ok 'SIGKILL at 150 system calls'            prints 'left: 0 0 rounds: 150 enough' kills "$small" 150
ok '... and of a directory'"'"'s'                prints 'left: 0 0 rounds: 60 enough' kills "$scratch/root" 60
ok '... leaves no mount'                    test "$(mounts)" = 0

# A session whose first one dies while it builds, at any of its calls: the next takes over.
cat >"$scratch/stopped.py" <<'TXT'
import os, re, subprocess, sys, time
firn, hold_at, image = sys.argv[1:4]
env = dict(os.environ, SLURM_JOB_ID=str(os.getpid()), SLURM_STEP_ID="0")
command = [firn, "exec", image, "probe", "where"]

def rests(process):
    """Whether it waits for something, or has ended."""
    return open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()[0] in "SZ"

# As above, without the calls of the sanitizers.
ended = subprocess.run([hold_at, "100000", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
call = begin = max(0, int(re.search(rb"ended (\d+)", ended)[1]) - 220)
good = waited = 0
while True:
    call += 1
    first = subprocess.Popen([hold_at, str(call), *command], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if not first.stdout.readline().startswith(b"held"):
        break
    others = [subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) for _ in range(3)]
    while not all(map(rests, others)):
        time.sleep(0.001)
    waited += any(other.poll() is None for other in others)
    first.stdin.close()
    first.wait(20)
    good += all(other.wait(20) == 0 for other in others)
calls = call - begin - 1
print("all" if good == calls else good, "waited" if waited > 20 else waited, "calls" if calls > 100 else calls)
TXT
ok 'a first one that dies while it builds'  prints 'all waited calls' timeout 100 /usr/bin/python3 "$scratch/stopped.py" \
	"$FIRN" "$tools/hold_at" "$small"
ok '... leaves nothing, either'             wait_for no_servers

# Ranks that come while the last one leaves: in the old container or in a new one, but always in.
cat >"$scratch/relay.py" <<'TXT'
import os, subprocess, sys
firn, image = sys.argv[1:3]
env = dict(os.environ, SLURM_JOB_ID=str(os.getpid()), SLURM_STEP_ID="0")
loop = 'for i in $(seq 100); do "$0" exec "$1" true || echo failed; done'
loops = [subprocess.Popen(["sh", "-c", loop, firn, image], env=env, stdout=subprocess.PIPE) for _ in range(3)]
print(b"".join(each.communicate(timeout=120)[0] for each in loops).decode() or "never")
TXT
ok 'joining while the last one leaves fails' prints never /usr/bin/python3 "$scratch/relay.py" "$FIRN" "$small"
ok '... and leaves nothing'                 wait_for no_servers
done_testing
