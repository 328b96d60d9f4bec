# SPDX-License-Identifier: LGPL-3.0-or-later
if ! grep -qw cgroup2 /proc/filesystems; then
	echo '1..0 # SKIP this machine has no control groups of version 2'
	exit 0
fi
CLUSTER_CGROUP=v2
export CLUSTER_PRELOAD="$builddir/tests/tools/one_hierarchy.so"
. "$srcdir/tests/slurm_cgroup.sh"
