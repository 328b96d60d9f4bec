#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn doctor: what this machine allows, with the remedies.
. "${srcdir:-.}/tests/lib.sh"

ok 'where exec works, doctor says so'  succeeds firn doctor
ok 'in words'                          says 'firn exec can work here'
ok 'it tried user namespaces'          says 'ok       user namespaces: a user and a mount namespace can be made'
ok 'and a mount'                       says 'ok       fuse: an image can be mounted'
ok '--quiet leaves out what is well'   succeeds firn doctor --quiet
ok 'all of it'                         says_not 'ok  '
ok 'an unknown option'                 status_is 125 firn doctor --verbose
ok 'gets one line'                     one_line

# A file system of one's own hides the device.
without_dev() { unshare -Urm sh -c 'mount -t tmpfs none /dev && exec "$@"' sh "$@"; }
ok 'without /dev/fuse doctor fails'    status_is 1 without_dev "$FIRN" doctor -q
ok 'names the device'                  says 'missing  fuse: /dev/fuse: No such file or directory'
ok 'and the remedy'                    says 'remedy: modprobe fuse'
ok 'and the verdict'                   says 'firn exec cannot work here'

mkdir "$scratch/bin"
printf '#!/bin/sh\necho slurm 99.1\n' >"$scratch/bin/srun"
printf '#!/bin/sh\nsleep 60\n' >"$scratch/bin/mpiexec"
chmod 755 "$scratch/bin/srun" "$scratch/bin/mpiexec"
ok 'Slurm is asked for its version'    succeeds env PATH="$scratch/bin:$PATH" "$FIRN" doctor
ok 'and tells it'                      says 'slurm: slurm 99.1'
ok 'a program that hangs is left'      says 'mpiexec does not tell its version'

hidden() { unshare -Urmpf sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh "$@"; }
if hidden true 2>/dev/null; then
	ok 'hidepid is told'                   succeeds hidden "$FIRN" doctor
	ok '... as it is'                      says '(hidepid='
else
	skip 'hidepid is told' 'no /proc can be mounted here'
fi
done_testing
