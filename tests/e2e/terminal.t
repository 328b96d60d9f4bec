# Terminals and job control: as if the program had been started directly.
. "$srcdir/tests/lib.sh"
needs_python
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
debian=$(image debian.sqfs)
cat >"$scratch/pty" <<'TXT'
"""pty HOW COMMAND...: run COMMAND on a terminal of its own and do as a user would."""
import os, pty, select, signal, sys, termios, time

how, command = sys.argv[1], sys.argv[2:]
scratch = os.path.dirname(sys.argv[0])
pid, fd = pty.fork()
if pid == 0:
    # Whoever runs the tests in the background has these ignored.
    for number in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP:
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)
seen = b""

def until(word, other=None, seconds=10):
    global seen
    end = time.monotonic() + seconds
    while word not in seen and (other is None or other not in seen):
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"no {word} in {seen}")
        try:
            seen += os.read(fd, 4096)
        except OSError:
            sys.exit(f"ended without {word}: {seen}")

def servers():
    alive = []
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{p}/comm").read() == "firn-server\n" and scratch in open(f"/proc/{p}/cmdline").read() \
                    and open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
                alive.append(int(p))
        except OSError:
            pass
    return alive

if how == "interrupt":
    until(b"ready")
    os.write(fd, b"\x03")
elif how == "stop":
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), status
    assert servers(), "the server went"
    os.kill(pid, signal.SIGCONT)
elif how == "jobs":
    # In an interactive shell of the host: ^Z, then the job goes on and is ended. (Root may have another prompt.)
    until(b"$ ", b"# ")
    os.write(fd, b"%s exec %s probe wait\n" % (os.environb[b"FIRN"], os.environb[b"IMAGE"]))
    until(b"ready")
    os.write(fd, b"\x1a")
    until(b"Stopped")
    os.write(fd, b"kill %1; fg; echo rc=$?; exit 6\n")
    until(b"rc=143")
elif how == "size":
    termios.tcsetwinsize(fd, (33, 99)) if hasattr(termios, "tcsetwinsize") else __import__("fcntl").ioctl(
        fd, termios.TIOCSWINSZ, __import__("struct").pack("HHHH", 33, 99, 0, 0))
    os.write(fd, b"go\n")
    until(b"33 99")
elif how == "shell":
    until(b"$ ")
    os.write(fd, b"sleep 100 &\njobs -l; kill %1; exit 4\n")
    until(b"Running")
_, status = os.waitpid(pid, 0)
print(f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}")
TXT
on_pty() { python3 "$scratch/pty" "$@"; }

ok 'Ctrl-C ends the program by SIGINT'      prints 'signal 2' on_pty interrupt "$FIRN" exec "$scratch/small.sqfs" probe wait
ok '... and then the server goes'           wait_for no_servers
ok 'Ctrl-C that the program handles'        prints 'exit 9' on_pty interrupt "$FIRN" exec "$debian" sh -c 'trap "cat /etc/debian_version >/dev/null && exit 9" INT; echo ready; while :; do sleep 0.05; done'
ok 'it can be stopped and go on'            prints 'exit 0' on_pty stop "$FIRN" exec "$scratch/small.sqfs" probe stop
ok 'it is a job of the shell: Ctrl-Z, fg'   prints 'exit 6' env FIRN="$FIRN" IMAGE="$scratch/small.sqfs" PS1='$ ' python3 "$scratch/pty" jobs bash --norc --noprofile -i
ok 'the terminal is a terminal'             prints 'exit 0' on_pty size "$FIRN" exec "$debian" sh -c 'read x; tty -s && stty size'
ok 'a shell has job control'                prints 'exit 4' on_pty shell env -u ENV SHELL=/bin/bash PS1='$ ' "$FIRN" shell -e 'PS1=$ ' "$debian" --norc --noprofile
mkfifo "$scratch/fifo"
term() {
	"$FIRN" exec "$debian" sh -c 'trap "exit 8" TERM; echo up; while :; do sleep 0.05; done' >"$scratch/fifo" &
	read -r _ <"$scratch/fifo"
	kill $!
	wait $!
}
ok 'SIGTERM reaches the program'            status_is 8 term
ok 'nothing is left running'                wait_for no_servers
done_testing
