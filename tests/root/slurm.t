# srun --container=IMAGE in a real Slurm of two nodes: options, streams, statuses, batch scripts.
. "$srcdir/tests/slurm.sh"
begin
small_image
debian=$(image debian.sqfs)

# One container on each node, Slurm's own everything else.
ok 'a step runs in the image'               prints 12 srun --container="$debian" sh -c 'cut -d. -f1 /etc/debian_version'
ok 'all tasks of a node are in one container' succeeds srun -N2 --ntasks-per-node=4 --container="$small" probe where
ok '... and each node has one'              test "$(sort "$last" | uniq -c | awk '$1 == 4' | wc -l)" = 2
ok 'the host is not the image'              denied srun --container="$small" ls /
ok 'a command that only the image has'      succeeds srun --container="$small" probe where
ok 'no capability is left'                  prints 0000000000000000 srun --container="$debian" sh -c 'grep CapEff /proc/self/status | cut -f2'
ok '... and there is no way to new ones'     prints 1 srun --container="$debian" sh -c 'grep NoNewPrivs /proc/self/status | cut -f2'
ok '... for root of the container either'   prints 1 srun --container="$debian" --container-remap-root sh -c 'grep NoNewPrivs /proc/self/status | cut -f2'
ok 'tasks start where the user is'          prints "$home" srun --container="$debian" pwd
ok '... but not where the image has no such place' prints "$home" srun -Q --chdir=/usr/share --container="$small" probe cwd
ok '... which is said'                      succeeds srun --chdir=/usr/share --container="$small" probe cwd
ok '... with where it is'                   says "firn: warning: the working directory '/usr/share' is not in the container: starting in '$home'"
ok 'stdin reaches the task'                 prints hello sh -c 'echo hello | "$@"' sh sh "$srcdir/tests/cluster" user "$dir" srun --container="$debian" cat
ok '--label'                                prints "0: x
1: x" sh -c '"$@" | sort' sh sh "$srcdir/tests/cluster" user "$dir" srun -n2 --label --container="$debian" echo x
script multi <<-'END'
	0 echo zero %t
	1 cat /etc/debian_version
END
ok '--multi-prog'                           succeeds srun -n2 --container="$debian" --multi-prog multi
ok '... each its own'                       says 'zero 0'
ok '... in the image'                       says '12.'
# srun asks for a terminal of its own.
on_terminal() { user script -qec "$*" /dev/null; }
ok '--pty'                                  succeeds on_terminal "srun --pty --container=$debian sh -c 'tty; stty size; cut -d. -f1 /etc/debian_version'"
ok '... is a terminal'                      says '/dev/pts/'
ok '... in the image'                       says 12
ok 'heterogeneous jobs'                     succeeds srun -n1 --container="$debian" sh -c 'echo "a $(cut -d. -f1 /etc/debian_version)"' : -n1 sh -c 'echo "b $SLURM_HET_SIZE"; test -e "$0" && echo outside' "$srcdir/configure.ac"
ok '... one in its image'                   says 'a 12'
ok '... one without'                        says 'b 2'
ok '... outside'                            says outside
ok 'where it is, in words of Apptainer'     prints "$debian ${debian##*/}" srun --container="$debian" sh -c 'echo "$SINGULARITY_CONTAINER $APPTAINER_NAME"'
# What an image of Apptainer's keeps as scripts.
scripts=$dir/scripts
make_small "$scripts"
add_shells "$scripts" "$(image debian.dir)"
mkdir -p "$scripts/.singularity.d/env"
printf 'export FOO="${FOO:-bar}" PATH=/opt/bin:/bin\n' >"$scripts/.singularity.d/env/10-docker2singularity.sh"
chmod -R a+rX "$scripts"
foos() { srun -n2 --container="$scripts" probe env FOO; }
ok 'scripts make the environment'              all_print_one 2 foos
ok '... of each task'                          says bar
printf 'for i in 1 2; do FOO=$FOO$i; done; export FOO\n' >"$scripts/.singularity.d/env/90-environment.sh"
ok '... by the image'\''s shell, too'           all_print_one 2 foos
ok '... once'                                  says bar12
printf 'exit 4\n' >"$scripts/.singularity.d/env/90-environment.sh"
ok 'one that exits ends the step'              status_is 125 foos
ok '... with a line'                           says 'ended before its end, with status 4'
ok 'without an option nothing changes'      succeeds srun sh -c 'test -e "$0"' "$srcdir/configure.ac"

# Statuses and signals are the task's own.
ok 'an exit status'                         status_is 3 srun --container="$debian" sh -c 'exit 3'
ok 'a signal'                               status_is 143 srun --container="$debian" sh -c 'kill -TERM $$'
ok 'a command that is nowhere'              status_is 2 srun --container="$debian" nosuch
ok 'several steps at once'                  succeeds user sh -c 'for i in 1 2 3 4; do srun -Q -n1 --overlap --container="$0" sh -c "sleep 0.2; echo $i" & done; wait' "$debian"
ok '... all run'                            test "$(sort "$last" | tr -d '\n')" = 1234

# Options, with pyxis's names.
ok 'mounts, workdir, env'                   succeeds env FOO=bar sh "$srcdir/tests/cluster" user "$dir" env FOO=bar srun --container-image="$debian" --container-mounts=/usr:/h/usr:ro,/opt --container-workdir=/h/usr --container-env=FOO sh -c 'pwd; ls -d /opt; echo $FOO; ! touch /h/usr/x'
ok '... the directory'                      says /h/usr
ok '... the variable'                       says bar
ok '... read-only'                          says 'Read-only file system'
ok 'remap-root'                             prints 0 srun --container="$debian" --container-remap-root id -u
ok 'no-container-remap-root'                prints "$user_id" srun --container="$debian" --container-remap-root --no-container-remap-root id -u
ok 'readonly'                               denied srun --container="$debian" touch /x
ok '... as touch says'                      says 'Read-only file system'
ok 'writable'                               succeeds srun --container="$debian" --container-writable touch /x
ok 'no home'                                denied srun --container="$debian" --no-container-mount-home test -e "$small"
ok 'the home'                               succeeds srun --container="$debian" --container-mount-home test -e "$small"
ok 'what firn lacks is refused'             status_is 125 srun --container="$debian" --container-save=x true
ok '... with what to use instead'           says "--container-save is not there: images are not changed; use 'firn build'"
ok 'an option alone'                        status_is 125 srun --container-mounts=/opt true
ok '... is no container'                    says 'firn: --container-mounts says nothing without an image'
ok 'so is one that takes away'              status_is 125 srun --no-container-mount-home true
ok '--help tells'                           succeeds srun --help
ok '... of the plugin'                      says '--container-image=IMAGE'

# The entrypoint.
mkdir "$scratch/root/.firn"
printf '{"config": {"Entrypoint": ["/bin/probe", "args", "one two"], "Cmd": ["three"]}}' >"$scratch/root/.firn/config.json"
squash "$scratch/root" "$home/entry.sqfs"
rm -r "$scratch/root/.firn"
ok 'an entrypoint'                          prints 'one two
x y
z' srun --container=entry.sqfs --container-entrypoint 'x y' z
ok 'not unless asked for'                   denied srun --container=entry.sqfs 'x y' z
ok 'an image without one'                   prints x srun --container="$debian" --container-entrypoint echo x

# Errors: one line with node and cause, status 125, and no task runs.
ok 'an image that is none'                  status_is 125 srun --container=/etc/passwd true
ok '... is said before submission'          one_line
ok '... with the cause'                     says "firn: '/etc/passwd' is not an image"
ok 'a job of root'\''s'                        fails cluster root "$dir" srun --container="$debian" true
ok '... has no container'                   says "no container is made for a job of root's"
ok 'an empty name'                          status_is 125 srun --container= true
ok '... is none'                            says 'firn: --container names no image'
# What can be on no node is found out before anything waits for one.
head -c 100000 "$debian" >"$home/short.sqfs"
echo '#!/bin/sh' | script empty
for submit in srun sbatch 'user salloc'; do
	for option in container container-image; do
		# salloc has --container only where it starts the shell on a node.
		[ "$submit $option" != 'user salloc container' ] || continue
		ok "a missing image: $submit --$option" status_is 125 $submit "--$option=/srv/nosuch.sqfs" empty
		ok '... is named'                   says "firn: cannot open '/srv/nosuch.sqfs': No such file or directory"
		ok '... once'                       one_line
		ok 'a truncated one'                status_is 125 $submit "--$option=short.sqfs" empty
		ok '... is told'                    says "firn: '$home/short.sqfs' is truncated: "
	done
	ok "a missing mount: $submit"   status_is 125 $submit "--container-image=$debian" --container-mounts=/usr:/a,/home/nosuch:/b empty
	ok '... is named'                       says "firn: --container-mounts: '/home/nosuch' does not exist"
	ok '... once'                           one_line
	ok "a missing directory: $submit"       status_is 125 $submit "--container-image=$debian" --container-workdir=/wrokspace empty
	ok '... is named'                       says "firn: --container-workdir: '/wrokspace' is no directory of '$debian'"
	ok '... once'                           one_line
	ok "a registry's image: $submit" status_is 125 $submit --container-image=nvcr.io#nvidia/pytorch:24 empty
	ok '... is none'                        says "there is no file 'nvcr.io#nvidia/pytorch:24', and no such image can be had"
done
ok 'a directory of the image'               prints /usr/lib srun --container="$debian" --container-workdir=/usr/lib pwd
ok '... of a mount'                         prints /made/up srun --container="$debian" --container-mounts=/usr:/made/up --container-workdir=/made/up pwd
ok '... above it'                           prints /made srun --container="$debian" --container-mounts=/usr:/made/up --container-workdir=/made pwd
ok 'what only nodes may have'               succeeds sbatch --container=/nosuch/a.sqfs --container-mounts=/nosuch/b:/x --wrap true
ok '... is submitted'                       says 'Submitted batch job'
ok '... with a warning for the image'       says "firn: warning: the nodes must have it: cannot open '/nosuch/a.sqfs'"
ok '... and for the mount'                  says "firn: warning: --container-mounts: '/nosuch/b' does not exist here: the nodes must have it"
ok 'a file that no node has'                status_is 125 srun -N2 --container=/nosuch/a.sqfs sh -c 'echo runs'
ok '... is said by each'                    says "firn: node2: cannot open '/nosuch/a.sqfs': No such file or directory"
ok '... and nothing ran'                    says_not runs
ok 'a mount that is not there'              status_is 125 srun -w node1 --container="$debian" --container-mounts=/nosuch:/x true
ok '... is said'                            says "firn: node1: cannot bind '/nosuch'"
cat >"$scratch/half" <<-END
	#!/bin/sh
	case \$* in *node2*) exit 9 ;; esac
	exec "$FIRN" "\$@"
END
chmod 755 "$scratch/half"
sed -i "s#firn=[^ ]*#firn=$scratch/half#" "$dir/plugstack.conf"
ok 'one node fails'                         status_is 137 srun -N2 --container="$debian" sh -c 'sleep 50 && echo unharmed'
ok '... which is said'                      says 'firn: node2: firn session-start ended without a word'
ok '... and ends the tasks of the others'   says_not unharmed
sed -i "2a case \$* in *node1*) sleep 2 ;; esac" "$scratch/half"
script slow <<-END
	#!/bin/sh
	#SBATCH -N2 -o slow.out
	srun -Q --container=$debian sh -c 'sleep 50 && echo unharmed'
	echo "and then \$?"
END
ok 'another takes its time'                 succeeds sbatch -W slow
ok '... and ends, too'                      sh -c 'grep -q "and then [1-9]" slow.out && ! grep -q unharmed slow.out'
late() {
	kill -STOP "$(cat "$dir/slurmd.node1.pid")"
	srun -N2 --container="$debian" sh -c 'sleep 50 && echo unharmed' >"$scratch/late" 2>&1 &
	wait_for grep -q 'firn: node2: ' "$scratch/late"
	kill -CONT "$(cat "$dir/slurmd.node1.pid")"
	wait $!
	set -- $?
	cat "$scratch/late"
	return "$1"
}
sed -i '/sleep 2/d' "$scratch/half"
ok 'another begins late'                    status_is 137 late
ok '... and ends, too'                      says_not unharmed
sed -i "s#firn=[^ ]*#firn=/nosuch/firn#" "$dir/plugstack.conf"
ok 'a node without firn'                    status_is 125 srun -w node1 --container="$debian" true
ok '... is said'                            says "firn: node1: '/nosuch/firn' cannot be executed on this node"
sed -i "s#firn=[^ ]*#firn=$FIRN#" "$dir/plugstack.conf"
ok 'then nothing is left'                   nothing_left

# Batch scripts.
script job <<-'END'
	#!/bin/bash
	#SBATCH --container=small/../image.sqfs -o out
	echo "$(cut -d. -f1 /etc/debian_version) $(pwd) $SLURM_CONTAINER"
	echo "$0"
END
ln -s "$debian" "$home/image.sqfs"
mkdir "$home/small"
ok 'a batch script runs in the image'       succeeds sbatch -W job
ok '... of the name in it'                  prints "12 $home $home/small/../image.sqfs" head -n1 out
ok '... from the spool'                     succeeds grep -q '/slurm_script$' out
ok 'also without an environment'            succeeds sbatch -W --export=NONE -o out2 job
ok '... it is in the image'                 grep -q '^12 ' out2
sed -i 2d "$home/job"
ok 'the plugin'\''s option'                 succeeds sbatch -W -o out3 --container-image=image.sqfs --container-workdir=/usr job
ok '... runs it, too'                       prints '12 /usr ' head -n1 out3
ok '... without an environment'             succeeds sbatch -W --export=NONE -o out4 --container-image=image.sqfs --container-workdir=/usr job
ok '... as well'                            prints '12 /usr ' head -n1 out4
ok 'a script whose image is missing'        status_is 125 sbatch -W -w node1 -o out5 --container=/nosuch/a.sqfs job
ok '... fails in one line'                  prints "firn: node1: cannot open '/nosuch/a.sqfs': No such file or directory" cat out5
ok '... and drains no node'                 prints idle user sinfo -h -o %t
script steps <<-'END'
	#!/bin/bash
	#SBATCH -N2 -o steps.out
	test -e /etc/slurm-test-host || echo on the host
	srun -Q --container=image.sqfs sh -c 'echo "step $(cut -d. -f1 /etc/debian_version)"'
END
ok 'steps of a script on the host'          succeeds sbatch -W steps
ok '... run in the image'                   prints 2 grep -c 'step 12' steps.out

# Containers with a name.
script named <<-'END'
	#!/bin/bash
	#SBATCH -N2 -o named.out
	srun -Q -N1 -n1 --container-name=box true; echo "none $?"
	srun -Q --container=image.sqfs --container-name=box --container-writable sh -c 'echo "$SLURMD_NODENAME" >/made'
	srun -Q --container-name=box sh -c 'echo "made on $(cat /made), am on $SLURMD_NODENAME"'
	srun -Q -N1 -n1 --container=image.sqfs --container-name=other ls /made; echo "other $?"
	srun -Q -N1 -n1 --container=entry.sqfs --container-name=box true; echo "mixed $?"
	script -qec 'srun -N1 -n1 --overlap --pty --container-name=box sh -c "tty; cat /made"' /dev/null
	firn=$(pgrep -cu "$(id -u)" firn-server); echo "servers $firn"
END
ok 'a named container'                      succeeds sbatch -W named
cp "$home/named.out" "$last"
ok '... does not come from nothing'         says 'none 125'
ok '... as is said'                         says "there is no container 'box' on this node"
ok '... lives on between steps, on node1'   says 'made on node1, am on node1'
ok '... and on node2'                       says 'made on node2, am on node2'
ok '... is another by another name'         says 'other 2'
ok '... is of one image'                    says 'mixed 125'
ok '... as is said'                         says "container 'box' exists, of '$debian'"
ok '... can be entered with a terminal'     says /dev/pts/
ok '... and ends with the job'              nothing_left
ok '... without a trace'                    test -z "$(ls "$dir/run")"

script eight <<-'END'
	#!/bin/bash
	#SBATCH -N1 -n8 -o eight.out
	for i in 1 2 3 4 5 6 7 8; do srun -Q -n1 --overlap --container=image.sqfs --container-name=box readlink /proc/self/ns/mnt & done
	wait
END
ok 'eight steps that make it at once'       succeeds sbatch -W eight
ok '... make one'                           test "$(sort eight.out | uniq -c | awk '{print $1}')" = 8
ok '... which ends with the job'            nothing_left

# The mark of a job with a named container is root's alone.
box() { srun -w node1 --container=image.sqfs --container-name=box true; }
mkdir -m 1777 "$scratch/open"
mkdir -m 755 "$scratch/users"
chown "$user_id" "$scratch/users"
for place in open users; do
	sed -i "s#run=[^ ]*#run=$scratch/$place#" "$dir/plugstack.conf"
	ok "not in a directory of others ($place)" status_is 125 box
	ok '... which is said'              says "firn: node1: '$scratch/$place' can be written to by others than root"
done
sed -i "s#run=[^ ]*#run=/proc/nosuch#" "$dir/plugstack.conf"
ok 'not where none can be made'             status_is 125 box
ok '... which is said'                      says "firn: node1: cannot make '/proc/nosuch'"
ok 'a step without a name needs none'       succeeds srun --container=image.sqfs true
sed -i "s#run=[^ ]*#run=$dir/run#" "$dir/plugstack.conf"

# Unhurried: a container that takes long says so.
cat >"$scratch/slow" <<-END
	#!/bin/sh
	until [ -e "$scratch/told" ]; do sleep 0.1; done
	exec "$FIRN" "\$@"
END
chmod 755 "$scratch/slow"
unhurried() {
	srun -w node1 --container="$debian" true >"$scratch/unhurried" 2>&1 &
	wait_for grep -q 'so far' "$scratch/unhurried"
	touch "$scratch/told"
	wait $!
	set -- $?
	cat "$scratch/unhurried"
	return "$1"
}
sed -i "s#firn=[^ ]*#firn=$scratch/slow#" "$dir/plugstack.conf"
ok 'a container that takes long'            succeeds unhurried
ok '... says so'                            says 'firn: node1: the container is being made, 3 s so far'
ok 'nothing is left'                        nothing_left
done_testing
