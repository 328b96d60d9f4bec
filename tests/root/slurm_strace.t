# slurmstepd, while it is root, opens, looks at or executes nothing that the user names; and the epilog
# looks for what is left of jobs with a container alone.
. "$srcdir/tests/slurm.sh"
needs strace --version
cat >"$scratch/stepd" <<-END
	#!/bin/sh
	# A job's prolog or epilog: no user's words.
	[ "\$1" != spank ] || exec strace -o "$scratch/script.\$\$" -e trace=%file $(command -v slurmstepd) "\$@"
	exec strace -f -b execve -o "$scratch/trace.\$\$" -e trace=%file,clone,clone3,fork,vfork,setresuid,setuid,setreuid "\$STEPD" "\$@"
END
chmod 755 "$scratch/stepd"
export CLUSTER_STEPD="$scratch/stepd"
begin
debian=$(image debian.sqfs)
mkdir "$home/mine" "$home/mine/data"
cp "$debian" "$home/mine/image.sqfs"
chown -R "$user_id" "$home/mine"
script mine/job <<-'END'
	#!/bin/sh
	cat /data/../etc/debian_version
END
each() {
	for one in "$scratch"/trace.*; do
		python3 "$srcdir/tests/tools/as_root.py" "$one" "$1" || return 1
	done
}

cd "$home/mine" || exit 1
looked() { wait_for idle && cat "$scratch"/script.* >"$last" 2>/dev/null && grep -q '"/proc/self/mounts"' "$last"; }
idle() { [ -z "$(user squeue -h)" ] && [ "$(user sinfo -h -o %t)" = idle ]; }
ok 'a step without a container'             succeeds srun true
ok '... is no epilog'\''s concern'            denied looked
ok '... which there was'                    grep -q "$dir/run" "$last"
ok 'a step with one'                        succeeds srun --container=image.sqfs true
ok '... is'                                 looked
ok 'a step with options of all kinds'       succeeds srun -n2 --container=image.sqfs --container-mounts="$home/mine/data:/data" --container-workdir=/data --container-name=box sh -c 'pwd; ls /etc/debian_version'
ok '... ran'                                says /data
ok 'a batch script'                         succeeds sbatch -W -o "$home/mine/out" --container-image=image.sqfs --container-mounts="$home/mine/data:/data" "$home/mine/job"
ok '... ran'                                grep -q '^12' "$home/mine/out"
ok 'an image that is none'                  fails srun --container="$home/mine/nosuch" true
ok 'a command that is none'                 denied srun --container=image.sqfs "$home/mine/nosuch"
each_says_none() { grep -v '^0 calls as root' "$scratch/calls"; test $? -eq 1; }
each "$home/mine" >"$scratch/calls"
ok 'no call on these names was made as root' prints '' each_says_none
ok '... though some were made'              grep -qE ', [1-9][0-9]* as others' "$scratch/calls"
each "$FIRN" >"$scratch/calls"
ok 'nor was firn run as root'               prints '' each_says_none
ok '... though it was run'                  grep -qE ', [1-9][0-9]* as others' "$scratch/calls"
done_testing
