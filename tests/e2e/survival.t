# A mount server may end at any moment, in any way: programs do not notice, or get an error and a line.
. "$srcdir/tests/lib.sh"
make_small "$scratch/root"
mkdir "$scratch/root/files"
for i in 1 2 3 4 5 6 7 8; do head -c 3000000 /dev/urandom >"$scratch/root/files/$i"; done
head -c 66666 /dev/urandom >"$scratch/root/files/poison"
echo good >"$scratch/root/files/good"
squash "$scratch/root" "$scratch/image.sqfs"
image=$scratch/image.sqfs
hooked=$tools/firn_hooked

# reading FIRN IMAGE SECONDS WHAT: eight readers compare checksums with dropped caches, while WHAT happens.
cat >"$scratch/reading.py" <<'TXT'
import hashlib, os, signal, subprocess, sys, time
firn, image, root, seconds, what = sys.argv[1:6]
wanted = {name: hashlib.sha256(open(f"{root}/files/{name}", "rb").read()).hexdigest() for name in "12345678"}
reader = r'''
import hashlib, os, sys, time
end = time.monotonic() + float(sys.argv[2]); rounds = errors = wrong = 0; worst = 0.0
while time.monotonic() < end:
    try:
        begin = time.monotonic()
        fd = os.open(sys.argv[1], os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        data = b"".join(iter(lambda: os.read(fd, 1 << 17), b""))
        os.close(fd)
        worst = max(worst, time.monotonic() - begin)
        wrong += hashlib.sha256(data).hexdigest() != sys.argv[3]
    except OSError as error:
        errors += 1
    rounds += 1
os.write(1, f"{rounds} {errors} {wrong} {worst}\n".encode())
'''
hosts = [arg for d in ("/usr", "/lib", "/lib64") for arg in ("-B", d)]
script = " & ".join(f"python3 -c \"$READER\" /files/{n} {seconds} {wanted[n]}" for n in wanted) + " & wait"
job = subprocess.Popen([firn, "exec"] + hosts + ["-e", "READER=" + reader, image, "/usr/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True)

def servers():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{pid}/comm").read() == "firn-server\n" and image.encode() in open(f"/proc/{pid}/cmdline", "rb").read():
                yield int(pid)
        except OSError:
            pass
time.sleep(0.3)
end = time.monotonic() + float(seconds) - 1
hit = 0
while time.monotonic() < end:
    for pid in servers():
        try:
            os.kill(pid, signal.SIGKILL if what == "kill" else signal.SIGSTOP)
            hit += 1
        except OSError:
            pass
    time.sleep(0.05 if what == "kill" else 10)
rows = [list(map(float, line.split())) for line in job.communicate(timeout=60)[0].splitlines()]
print(len(rows), "readers,", int(sum(row[1] for row in rows)), "errors,", int(sum(row[2] for row in rows)), "wrong,",
      "read" if all(row[0] > 0 for row in rows) else "not read", "hit" if hit else "not hit")
TXT
reading() { timeout 120 /usr/bin/python3 "$scratch/reading.py" "$FIRN" "$image" "$scratch/root" "$@"; }
fine='8 readers, 0 errors, 0 wrong, read hit'
ok 'killed every 50 ms while eight read'    prints "$fine" reading 6 kill
export FIRN_TEST_NO_RESEND=1
ok '... on a kernel that sends nothing again' prints "$fine" reading 6 kill
unset FIRN_TEST_NO_RESEND
ok 'one that is stopped is replaced'        prints "$fine" reading 5 stop
ok 'nothing is left'                        wait_for no_servers

# The image's file goes bad under the server, and the server goes, too.
cat >"$scratch/bad.py" <<'TXT'
import os, signal, subprocess, sys, time
firn, image, what = sys.argv[1:4]
good = image + ".good"
subprocess.run(["cp", image, good], check=True)
job = subprocess.Popen([firn, "exec", good, "probe", "later", "/files/8"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
job.stdout.readline()
if what == "truncated":
    os.truncate(good, 4096)
if what == "empty":
    os.truncate(good, 0)
if what == "removed":
    os.unlink(good)
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if open(f"/proc/{pid}/comm").read() == "firn-server\n" and good.encode() in open(f"/proc/{pid}/cmdline", "rb").read():
            os.kill(int(pid), signal.SIGKILL)
    except OSError:
        pass
out, said = job.communicate(b"go\n", timeout=20)
lines = [line for line in said.decode().splitlines() if line.startswith("firn: ")]
print(job.returncode, len(out) == 3000000, "Input/output error" in said.decode(), len(lines))
TXT
bad() { timeout 60 /usr/bin/python3 "$scratch/bad.py" "$FIRN" "$image" "$@"; }
ok 'its file is cut off: an error, and a line' prints '1 False True 1' bad truncated
ok '... all of it'                          prints '1 False True 1' bad empty
ok 'its name is gone: that is no matter'    prints '0 True False 0' bad removed
ok 'nothing is left of these'               wait_for no_servers

# What ends the server again and again is an error for who asks for it, and a line.
hook() { timeout 60 "$hooked" exec "$image" "$@"; }
hook_sh() { timeout 60 "$hooked" exec -B /usr -B /usr/lib:/lib -B /usr/lib64:/lib64 "$image" /usr/bin/sh -c "$1"; }
ok 'a file that ends the server'            fails hook probe cat /files/poison
ok '... is an error'                        says 'Input/output error'
ok '... and a line with its name'           says "firn: '/files/poison' of '$image' ends the mount server ("
ok '... only one'                           test "$(grep -c '^firn:' "$last")" = 1
ok 'a name that does'                       fails hook probe cat /files/crash
ok '... is told by its directory'           says "firn: '/files' of '$image' ends the mount server"
FIRN_TEST_NO_RESEND=1 run_last hook probe cat /files/poison
ok 'the same on a kernel that sends nothing again' says "firn: '/files/poison' of '$image' ends the mount server"
ok 'other files can be read after that'     prints good hook_sh 'cat /files/poison || cat /files/good'
end='i=0; while [ $i -lt 200 ]; do [ -e /files/crash$i ]; i=$((i + 1)); done; cat /files/good'
ok 'one that ends again and again'          fails hook_sh "$end"
ok '... is given up, in a line'             says ', 5 times within a second): its files are gone'
ok '... one'                                test "$(grep -c 'its files are gone' "$last")" = 1
ok 'nothing is left of that'                wait_for no_servers

# Whoever has taken over the server is in a cage.
case $(printf '%s' "${ASAN_OPTIONS:-}")$(ldd "$hooked" 2>/dev/null) in
*libasan*) skip 'the cage' 'a sanitizer needs more calls' ;;
*)
	ok 'the cage holds'                         fails hook probe cat /files/escape
	ok '... whatever is tried'                  says 'of 41 attempts 41 were refused'
	;;
esac

# A kernel that lacks a part of the cage (Linux 5.13 has all), and a site that insists.
printf '[server]\ncage = require\n' >"$scratch/conf"
chmod 644 "$scratch/conf"
older() { calls=$1; shift; "$tools/enosys" "$calls" "$FIRN" exec "$@"; }
ok 'a kernel without Landlock will do'      prints good older landlock_create_ruleset "$image" probe cat /files/good
ok 'one without seccomp, too'               prints good older seccomp "$image" probe cat /files/good
ok 'a whole cage can be required'           prints good firn exec --config "$scratch/conf" "$image" probe cat /files/good
ok '... and is an error without Landlock'   status_is 125 older landlock_create_ruleset --config "$scratch/conf" "$image" true
ok '... in one line'                        one_line
ok '... that says so'                       says 'cannot cage the mount server: cannot use Landlock: Function not implemented'
case $(ldd "$FIRN" 2>/dev/null) in
*libasan*) ;;
*) ok '... or without seccomp'              status_is 125 older seccomp --config "$scratch/conf" "$image" true ;;
esac
ok 'nothing is left in the end'             wait_for no_servers
done_testing
