# A first rank that takes its time: whoever comes meanwhile waits for it, and joins.
. "$srcdir/tests/lib.sh"
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs

# Stop the first rank while it builds, let others come twice a second, and let it go on.
cat >"$scratch/slow.py" <<'TXT'
import os, signal, subprocess, sys, time
firn, image, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])

def start(step):
    env = dict(os.environ, SLURM_JOB_ID=str(os.getpid()), SLURM_STEP_ID=str(step))
    return subprocess.Popen([firn, "exec", image, "probe", "stay"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

def name_of(pid):
    try:
        return open(f"/proc/{pid}/comm").read().strip()
    except OSError:
        return ""

def keepers(image, before):
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and pid not in before and name_of(pid) == "firn-keeper"]

# Its keeper is there and it is not the program yet: that is while it builds.
for step in range(500):
    before = set(os.listdir("/proc"))
    first = start(step)
    while first.poll() is None and not keepers(image, before) and name_of(first.pid) in ("firn", "python3", ""):
        pass
    first.send_signal(signal.SIGSTOP)
    state = name_of(first.pid)
    if state == "firn" and keepers(image, before):
        break
    first.send_signal(signal.SIGCONT)
    first.stdin.close()
    first.wait(20)
else:
    sys.exit("it was never caught")
others = []
end = time.monotonic() + seconds
while time.monotonic() < end:
    others.append(start(step))
    time.sleep(0.5)
early = sum(other.poll() is not None for other in others)
first.send_signal(signal.SIGCONT)
places = {rank.stdout.readline() for rank in [first] + others}
for rank in [first] + others:
    rank.stdin.close()
status = {rank.wait(30) for rank in [first] + others}
print(len(places), "container,", early, "ended early, status", *status)
TXT
slow() { timeout 100 /usr/bin/python3 "$scratch/slow.py" "$FIRN" "$@"; }
ok 'a first rank that stands still for 8 s' prints '1 container, 0 ended early, status 0' slow "$small" 8
ok '... leaves nothing'                     wait_for no_servers
ok '... nor does one of a directory'        prints '1 container, 0 ended early, status 0' slow "$scratch/root" 6
ok '... of which nothing is left'           wait_for no_servers
done_testing
