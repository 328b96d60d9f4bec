#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Devices that are named, terminals of a contained program, and modes of what firn makes.
. "${srcdir:-.}/tests/lib.sh"
debian=$(image debian.sqfs)
dir=$(image debian.dir)
python=$(image python.sqfs)
cat >"$scratch/pty.py" <<'TXT'
import os, sys
master, slave = os.openpty()
os.write(slave, b"through\n")
print(os.read(master, 100).strip().decode(), os.path.exists(os.ttyname(slave)))
TXT

for how in --contain --frozen '--contain --root' '--contain --engine squashfuse' '--contain --writable-tmpfs'; do
	ok "$how: a terminal can be made"   prints 'through True' firn exec $how -B "$scratch/pty.py:/pty.py" "$python" python3 /pty.py
done
for how in '' --contain --frozen; do
	ok "$how a device that is named can be opened"  succeeds firn exec $how -B /dev/fuse "$debian" sh -c 'exec 3<>/dev/fuse'
	[ -z "$how" ] || ok '... by another name' succeeds firn exec $how -B /dev/zero:/dev/shm/zero "$debian" sh -c 'head -c 1 /dev/shm/zero'
	[ -z "$how" ] || ok '... in a directory' succeeds firn exec $how -B /dev:/dev/all "$dir" sh -c 'head -c 1 /dev/all/zero'
	ok '... and in all of /dev'         succeeds firn exec $how -B /dev "$debian" sh -c 'exec 3<>/dev/fuse'
	ok '... not elsewhere'              denied firn exec $how -B /dev/zero:/zero "$debian" head -c 1 /zero
done
ok 'all but /dev is still nodev'            prints 0 firn exec --contain -B /dev -B /var "$debian" sh -c 'cut -d" " -f5,6 /proc/self/mountinfo | grep -v "^/dev[/ ]" | grep -vcw nodev; true'
for calls in mount_setattr open_tree,move_mount,mount_setattr openat2; do
	ok "without $calls: a terminal"     prints 'through True' "$tools/enosys" "$calls" "$FIRN" exec --contain -B "$scratch/pty.py:/pty.py" "$python" python3 /pty.py
	ok '... and a device'               succeeds "$tools/enosys" "$calls" "$FIRN" exec --contain -B /dev/fuse "$debian" sh -c 'exec 3<>/dev/fuse'
done

# The caller's terminal is another file system's. isatty(3) and ttyname(3) work all the same.
on_pty() { python3 -c 'import os, pty, sys
status = pty.spawn(sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(status))' "$@"; }
ok 'contained: the terminal is a terminal'  succeeds on_pty "$FIRN" exec --contain "$debian" sh -c 'test -t 0 && tty'
ok '... that has a name'                    says /dev/console
ok '... and can be opened by it'            succeeds on_pty "$FIRN" exec --contain "$debian" sh -c 'echo opened >$(tty) && exec 3<>/dev/tty'
ok '... and says so'                        says opened
ok 'else it has its own name'               succeeds on_pty "$FIRN" exec "$debian" tty
ok '...'                                    says /dev/pts/
ok 'ranks on terminals of their own share a container' prints 1 sh -c '"$@" | sort -u | wc -l' sh python3 -c 'import os, pty, sys
ends = []
for rank in range(3):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(PMIX_RANK=str(rank), PMIX_NAMESPACE=f"devices-{os.getppid()}")
        os.execvp(sys.argv[1], sys.argv[1:])
    ends.append(fd)
    print(os.read(fd, 1000).decode().split()[0])
for fd in ends:
    os.close(fd)' "$FIRN" exec --contain "$debian" sh -c 'readlink /proc/self/ns/mnt; read x'

# What firn makes is for all to read, whatever the caller's umask.
mkdir "$scratch/upper"
for how in --writable-tmpfs "--overlay $scratch/upper"; do
	ok "umask 077, ${how%% *}: the root"  prints 755 sh -c 'umask 077; exec "$@"' sh "$FIRN" exec $how "$debian" stat -c %a /
done
ok '... directories on the way to a bind'   prints 755 sh -c 'umask 077; exec "$@"' sh "$FIRN" exec -B /etc:/a/b/c "$dir" stat -c %a /a/b
ok '... and in a tmpfs'                     prints 755 sh -c 'umask 077; exec "$@"' sh "$FIRN" exec --tmpfs /t -B /etc:/t/b/c "$dir" stat -c %a /t/b
ok '... passwd'                             prints 644 sh -c 'umask 077; exec "$@"' sh "$FIRN" exec "$dir" stat -c %a /etc/passwd
ok '... and the program has its umask'      prints 0077 sh -c 'umask 077; exec "$@"' sh "$FIRN" exec "$debian" sh -c umask

# More file systems of its own than anybody wants.
many=
for i in $(seq 100); do many="$many --tmpfs /many/$i"; done
ok 'a hundred tmpfs'                        succeeds firn exec $many -B /etc:/many/100/new "$dir" test -e /many/100/new/passwd
done_testing
