# SPDX-License-Identifier: LGPL-3.0-or-later
if ! grep -q ' /sys/fs/cgroup/freezer cgroup .*freezer' /proc/self/mounts || [ ! -w /sys/fs/cgroup/freezer/cgroup.procs ]; then
	echo '1..0 # SKIP this machine has no control groups of version 1'
	exit 0
fi
CLUSTER_CGROUP=v1
. "$srcdir/tests/slurm_cgroup.sh"
