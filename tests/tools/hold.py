# SPDX-License-Identifier: LGPL-3.0-or-later
"""hold.py OWNER FOLDER COMMAND...: run COMMAND, and let nothing that comes of it outlive it.

Whatever descends from COMMAND stays below this process, daemons too (it is their subreaper).
When COMMAND ends, or the process OWNER does (0: none), or SIGTERM comes, all of them are killed. Those
that were there besides COMMAND and its EXPECTED programs are named in FOLDER/left, which appears last.
"""
import ctypes, os, select, signal, subprocess, sys, time

EXPECTED = {'munged', 'slurmctld', 'slurmd', 'slurmscriptd', ': slurmscriptd'}
PATIENCE = 5.0


def parents():
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/stat') as stat:
                    fields = stat.read().rpartition(')')[2].split()
            except OSError:
                continue
            if fields[0] not in 'ZX':
                yield int(name), int(fields[1])


def descendants():
    children = {}
    for pid, parent in parents():
        children.setdefault(parent, []).append(pid)
    found, todo = [], [os.getpid()]
    while todo:
        more = children.get(todo.pop(), [])
        found += more
        todo += more
    return found


def describe(pid):
    try:
        with open(f'/proc/{pid}/comm') as comm, open(f'/proc/{pid}/cmdline') as words:
            return comm.read().strip(), words.read().replace('\0', ' ').strip()
    except OSError:
        return '', ''


def unexpected(child):
    return [f'{pid} {comm}: {words}' for pid in descendants() for comm, words in [describe(pid)]
            if comm and comm not in EXPECTED and pid != child]


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def wait_for_an_end(child, owner):
    """False if it was the owner's."""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    ends = [wake, os.pidfd_open(child)]
    if owner:
        ends.append(os.pidfd_open(owner))
    while True:
        ready = select.select(ends, [], [])[0]
        if ready != [wake] or set(os.read(wake, 4096)) - {signal.SIGCHLD}:
            return len(ends) < 3 or ends[2] not in ready
        reap()


def main():
    owner, folder, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    PR_SET_CHILD_SUBREAPER = 36
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit('hold.py: no subreaper')
    child = subprocess.Popen(command).pid
    patience = PATIENCE if wait_for_an_end(child, owner) else 0
    deadline = time.monotonic() + patience
    while unexpected(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = unexpected(child)
    while found := descendants():
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
        reap()
    with open(folder + '/left.part', 'w') as file:
        file.writelines(line + '\n' for line in left)
    os.rename(folder + '/left.part', folder + '/left')


main()
