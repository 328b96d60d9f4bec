"""as_root.py TRACE FOLDER: the calls on paths in FOLDER that strace -f saw made with effective uid 0.

Prints each, then "N calls as root, M as others". strace must have traced clone and fork in all
forms, setuid and its kind, and %file. A process has its parent's uid until it changes its own.
"""
import re, sys

trace, folder = sys.argv[1:]
euid, begun = {}, {}
as_root = as_other = 0

for line in open(trace, errors="replace"):
    found = re.match(r"(\d+) +(.*)", line)
    if not found:
        continue
    pid, call = int(found[1]), found[2]
    if call.endswith("<unfinished ...>"):
        begun[pid] = call[: -len(" <unfinished ...>")]
        # A child may be seen before its parent's call returns.
        if not re.match(r"(clone3?|v?fork)\(", call):
            continue
    if call.startswith("<... ") and pid in begun:
        call = begun.pop(pid) + call.split(" resumed>", 1)[1]
    uid = euid.setdefault(pid, 0)
    if made := re.match(r"(?:clone3?|v?fork)\(.*= (\d+)$", call):
        euid.setdefault(int(made[1]), uid)
    elif changed := re.match(r"setresuid\(-?\d+, (-?\d+), -?\d+\) += 0", call):
        if changed[1] != "-1":
            euid[pid] = int(changed[1])
    elif changed := re.match(r"(?:setuid|setreuid)\((?:-?\d+, )?(-?\d+)\) += 0", call):
        if changed[1] != "-1":
            euid[pid] = int(changed[1])
    elif f'"{folder}' in call and not call.startswith("getcwd("):  # which tells a name, and looks at none
        if uid == 0:
            print(call)
            as_root += 1
        else:
            as_other += 1
print(f"{as_root} calls as root, {as_other} as others")
