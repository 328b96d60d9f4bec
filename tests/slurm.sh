# SPDX-License-Identifier: LGPL-3.0-or-later
# slurm.sh - a real Slurm with firn's plugin, for tests/root/slurm*.t. Sourced.
#
#   begin [WORDS]       start the cluster; WORDS go to the plugin ("pin=off")
#   user COMMAND...     as the ordinary user on the login node, in its home, $home
#   nothing_left        no process of firn's serves this test's images

. "$srcdir/tests/lib.sh"
. "$srcdir/tests/setup.sh"
needs slurmd -V
needs munged --version
[ -e "$builddir/spank_firn.so" ] || skip_all 'the Slurm plugin is not built here'

dir=$scratch/cluster
home=$dir/home
cluster() { sh "$srcdir/tests/cluster" "$@"; }
end() {
	cluster stop "$dir" >"$scratch/stop" 2>&1 || sed 's/^/# /' "$scratch/stop"
	cleanup
}
trap end EXIT
mkdir "$dir"
chmod 755 "$dir"

plugin() {
	echo "required $builddir/spank_firn.so firn=$FIRN munge=$dir/munge.socket run=$dir/run $*"
}
begin() {
	cluster start "$dir" 2 "$(plugin "$@")" >"$scratch/start" 2>&1 || {
		sed 's/^/# /' "$scratch/start"
		skip_all "Slurm does not start on this machine: $(last_line "$scratch/start")"
	}
	export SLURM_CONF="$dir/slurm.conf"
	cd "$home" || exit 1
}
user() { cluster user "$dir" timeout 60 "$@"; }
srun() { user srun -Q "$@"; }
sbatch() { user sbatch "$@"; }

# script FILE: a batch script, from standard input.
script() { cat >"$home/$1" && chmod 755 "$home/$1" && chown "$user_id" "$home/$1"; }

# The small image, its programs named as in lib.sh: $small.
small_image() {
	make_small "$scratch/root"
	squash "$scratch/root" "$home/small.sqfs"
	small=$home/small.sqfs
}
nothing_left() { wait_for no_servers; }
