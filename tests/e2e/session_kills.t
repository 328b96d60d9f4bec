# Whoever of a session is killed, and whenever: nobody hangs, and nothing is left.
. "$srcdir/tests/lib.sh"
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs

# Six ranks a round; a SIGKILL at a random moment for the first, another rank, or the server.
cat >"$scratch/kills.py" <<'TXT'
import os, random, re, signal, subprocess, sys, tempfile, time
firn, image, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(4)
names = set()

def helpers():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read() in ("firn-server\n", "firn-keeper\n") and \
               image.encode() in open(f"/proc/{pid}/cmdline", "rb").read():
                yield int(pid)
        except OSError:
            pass

unharmed = 0
for i in range(count):
    env = dict(os.environ, SLURM_JOB_ID=str(os.getpid()), SLURM_STEP_ID=str(i))
    log = tempfile.TemporaryFile()
    ranks = [subprocess.Popen([firn, "exec", "-vv", image, "probe", "stay"], env=env,
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log) for _ in range(6)]
    time.sleep(random.random() * 0.02)
    kind = i % 3
    try:
        if kind == 0:
            victims = list(helpers())
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
        else:
            victims = [ranks[0] if kind == 1 else random.choice(ranks)]
            victims[0].kill()
    except ProcessLookupError:
        pass
    for rank in ranks:
        rank.stdin.close()
    for rank in ranks:
        # A hang ends here, with a traceback.
        status = rank.wait(20)
        # Whoever was not killed, and did not lose its files, has worked.
        if kind != 0 and rank not in victims and status != 0:
            print("round", i, "status", status)
        unharmed += status == 0
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
kills() { timeout 300 /usr/bin/python3 "$scratch/kills.py" "$FIRN" "$@"; }
before=$(wc -l </proc/self/mountinfo)
ok 'SIGKILL at 150 random moments'          prints 'left: 0 0 rounds: 150 enough' kills "$small" 150
ok '... and of a directory'"'"'s'                prints 'left: 0 0 rounds: 60 enough' kills "$scratch/root" 60
ok '... leaves no mount'                    test "$(wc -l </proc/self/mountinfo)" = "$before"

# A session whose first one dies while it builds: the next takes over.
cat >"$scratch/stopped.py" <<'TXT'
import os, signal, subprocess, sys, time
firn, image = sys.argv[1:3]
env = dict(os.environ, SLURM_JOB_ID=str(os.getpid()), SLURM_STEP_ID="0")
def start():
    return subprocess.Popen([firn, "exec", image, "probe", "where"], env=env, stdout=subprocess.PIPE)
good = 0
for i in range(40):
    first = start()
    time.sleep(0.0005 * (i % 8))
    first.send_signal(signal.SIGSTOP)
    others = [start() for _ in range(3)]
    time.sleep(0.01)
    first.kill()
    first.wait(20)
    good += all(other.wait(20) == 0 for other in others)
print(good)
TXT
ok 'a first one that dies while it builds'  prints 40 timeout 100 /usr/bin/python3 "$scratch/stopped.py" "$FIRN" "$small"
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
