# SPDX-License-Identifier: LGPL-3.0-or-later
# Lines of scripts that were written for pyxis: doc/coming-from/pyxis.md says what becomes of each.
. "$srcdir/tests/slurm.sh"
begin
small_image
debian=$(image debian.sqfs)
other=$(image bullseye.sqfs)
as_user mkdir "$home/data"
echo plain | as_user tee "$home/data/f" >/dev/null
script empty </dev/null
echo '#!/bin/sh' | script empty
in_image='cut -d. -f1 /etc/debian_version'

# Options.
ok 'an image'                               prints 12 srun --container-image="$debian" sh -c "$in_image"
ok 'a relative one'                         succeeds srun --container-image=./small.sqfs /bin/true
ok 'mounts'                                 prints plain srun --container-image="$debian" --container-mounts="$home/data:/d:ro+rprivate, tmpfs:/t" cat /d/f
ok 'one as it is called outside'            prints plain srun --container-image="$debian" --container-mounts="$home/data" cat "$home/data/f"
ok 'a directory to start in'                prints /usr srun --container-image="$debian" --container-workdir=/usr pwd
ok 'the entrypoint'\''s output'             succeeds srun --container-image="$debian" --container-entrypoint-log true
ok 'what is not there'                      status_is 125 sbatch --container-image="$debian" --container-save=x.sqsh empty
ok '... has a line'                         says '--container-save is not there'
ok '... nor this'                           status_is 125 srun --container-image="$debian" --container-unshare=net true
ok '... and another'                        says '--container-unshare is not there: network, IPC and host name are the node'
ok '... nor is that'                        status_is 125 srun --container-image="$debian" --container-name=c:no_exec true
ok '... which says what to do'              says "':no_exec' is not there: a container with a name is entered; for one of its own leave the name out"

# How a name is used.
script names <<-END
	#!/bin/bash
	#SBATCH -N1 -n1 -o names.out
	srun -Q --container-image=$debian --container-name=c:exec true; echo "none \$?"
	srun -Q --container-image=$debian --container-name=c:create --container-writable touch /made; echo "made \$?"
	srun -Q --container-name=c:exec ls /made
	srun -Q --container-name=c:auto ls /made
	srun -Q --container-image=$debian --container-name=c:create true; echo "again \$?"
	srun -Q --container-name=d:create true; echo "of nothing \$?"
END
ok 'names'                                  succeeds sbatch -W names
cp names.out "$last"
ok '... none to enter'                      says 'none 125'
ok '... is said'                            says "there is no container 'c' on this node to enter"
ok '... one is made'                        says 'made 0'
ok '... and entered'                        test "$(grep -c '^/made$' "$last")" = 2
ok '... not made twice'                     says 'again 125'
ok '... is said as well'                    says "container 'c' is there already on this node"
ok '... nor of no image'                    says 'of nothing 125'

# Variables, which options go before.
with() { user env "$@"; }
ok 'an image by a variable'                 prints 11 with PYXIS_CONTAINER_IMAGE="$other" srun -Q sh -c "$in_image"
ok '... an option goes before'              prints 12 with PYXIS_CONTAINER_IMAGE="$other" srun -Q --container-image="$debian" sh -c "$in_image"
ok '... by its other name, too'             prints 12 with PYXIS_CONTAINER_IMAGE="$other" srun -Q --container="$debian" sh -c "$in_image"
ok 'mounts by one'                          prints plain with PYXIS_CONTAINER_MOUNTS="$home/data:/e" srun -Q --container-image="$debian" cat /e/f
ok '... not beside an option'               denied with PYXIS_CONTAINER_MOUNTS="$home/data:/e" srun -Q --container-image="$debian" --container-mounts="$home/data:/d" ls /e
ok 'a directory by one'                     prints /usr with PYXIS_CONTAINER_WORKDIR=/usr srun -Q --container-image="$debian" pwd
ok 'a variable by one'                      prints outside with A=outside PYXIS_CONTAINER_ENV=A srun -Q --container-image="$debian" sh -c 'echo $A'
ok 'root by one'                            prints 0 with PYXIS_CONTAINER_REMAP_ROOT=1 srun -Q --container-image="$debian" id -u
ok '... or not'                             prints "$user_id" with PYXIS_CONTAINER_REMAP_ROOT=1 srun -Q --container-image="$debian" --no-container-remap-root id -u
ok 'writes by one'                          succeeds with PYXIS_CONTAINER_WRITABLE=yes srun -Q --container-image="$debian" touch /x
ok 'no home by one'                         denied with PYXIS_CONTAINER_MOUNT_HOME=0 srun -Q --container-image="$debian" test -e "$home/data"
ok 'what tells how is nothing without one'  succeeds with PYXIS_CONTAINER_MOUNTS="$home/data:/e" srun -Q sh -c '! test -e /e'
ok 'what is neither yes nor no'             status_is 125 with PYXIS_CONTAINER_WRITABLE=perhaps srun -Q --container-image="$debian" true
ok '... is named'                           says "PYXIS_CONTAINER_WRITABLE: it takes 1 or 0, not 'perhaps'"
ok 'an empty image'                         status_is 125 with PYXIS_CONTAINER_IMAGE= srun -Q true
ok '... is not the host'                    says 'PYXIS_CONTAINER_IMAGE: --container-image is empty'
ok 'what is not there'                      status_is 125 with PYXIS_CONTAINER_SAVE=x srun -Q --container-image="$debian" true
ok '... by its variable'                    says 'PYXIS_CONTAINER_SAVE: --container-save is not there'
ok 'a script by one'                        succeeds with PYXIS_CONTAINER_IMAGE="$other" sbatch -W -o script.out --wrap "echo \$($in_image) \${PYXIS_CONTAINER_IMAGE-gone}"
ok '... runs in it'                         test "$(cat script.out)" = '11 gone'
script steps <<-END
	srun -Q sh -c 'echo "step \$($in_image)"'
	PYXIS_CONTAINER_IMAGE=$debian srun -Q sh -c 'echo "another \$($in_image)"'
END
ok 'an allocation by one'                   succeeds with PYXIS_CONTAINER_IMAGE="$other" salloc -N1 -n1 sh steps
ok '... for its steps'                      says 'step 11'
ok '... unless they say another'            says 'another 12'
ok 'a component'                            succeeds with PYXIS_CONTAINER_IMAGE="$other" srun -Q -n1 sh -c "$in_image" : -n1 --container-image="$debian" sh -c "$in_image"
ok '... and the other'                      test "$(sort "$last" | tr -d '\n')" = 1112

# The site's words.
settings() { printf '%s\n' "$(plugin "$@")" >"$dir/plugstack.conf"; }
settings container_scope=job
ok 'names of a job'                         succeeds srun --container-image="$debian" true
settings container_scope=global
ok 'not those of a machine'                 status_is 125 srun --container-image="$debian" true
ok '... as is said'                         says "plugstack.conf: 'container_scope=global' is not there: a container with a name ends with its job"
ok 'and nothing is left'                    nothing_left
done_testing
