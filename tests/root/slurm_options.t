# What a user asks for reaches the task it was asked for, and no other: components, lists, environments.
. "$srcdir/tests/slurm.sh"
begin
small_image
debian=$(image debian.sqfs)
other=$(image bullseye.sqfs)
release() { echo 'echo "'"$1"' $(cut -d. -f1 /etc/debian_version 2>/dev/null)"'; }
host=$(user sh -c 'cut -d. -f1 /etc/debian_version')

# Heterogeneous steps: each component has its image, or none.
both() { prints "$1" user sh -c '"$@" | sort' sh "$2" -Q "$3" "$4" sh -c "$(release a)" : "$5" "$6" sh -c "$(release b)"; }
ok 'components of two images'               both "a 12
b 11" srun -n1 --container="$debian" -n1 --container="$other"
ok '... by the option of the plugin'        both "a 11
b 12" srun -n1 --container-image="$other" -n1 --container-image="$debian"
ok '... by one of each'                     both "a 11
b 12" srun -n1 --container="$other" -n1 --container-image="$debian"
ok 'the first one alone'                    both "a 11
b $host" srun -n1 --container="$other" -n1 -Q
ok 'the second one alone'                   both "a $host
b 11" srun -n1 -Q -n1 --container="$other"
ok '... by the option of the plugin'        both "a $host
b 11" srun -n1 -Q -n1 --container-image="$other"
ok 'each its own options'                   succeeds user srun -Q -n1 --container="$debian" --container-mounts=/usr:/a --container-remap-root sh -c 'echo "a $(id -u) $(ls -d /a /b 2>/dev/null)"' : -n1 --container="$debian" --container-mounts=/usr:/b sh -c 'echo "b $(id -u) $(ls -d /a /b 2>/dev/null)"'
ok '... of the first'                       says 'a 0 /a'
ok '... of the second'                      says "b $user_id /b"
script groups <<-END
	srun -Q --het-group=1 --container=$other sh -c '$(release only)'
	srun -Q --het-group=1 --container=$debian sh -c '$(release one)' : --het-group=0 sh -c '$(release zero)'
	srun -Q --het-group=0,1 --container=$other sh -c '$(release all)'
	srun -Q --het-group=1 --container=nosuch.sqfs true : --het-group=0 --container=$debian sh -c '$(release zero)'; echo "then \$?"
END
ok 'groups of a job'                        succeeds user salloc -n1 : -n1 sh groups
ok '... one of them'                        says 'only 11'
ok '... in the order of their numbers'      says "zero $host"
ok '... which is not that of the line'      says 'one 12'
ok '... with one word for all'              test "$(grep -c 'all 11' "$last")" = 2
ok '... and one that fails, by its name'    says "nosuch.sqfs': No such file"
ok 'components in one job'                  succeeds user salloc -N2 -n2 srun -Q -N1 -n1 --container="$debian" --container-name=c sh -c "$(release a)" : -N1 -n1 sh -c "$(release b)"
ok '... the first'                          says 'a 12'
ok '... the second'                         says "b $host"
ok 'a job of components'                    status_is 125 sbatch -n1 --container="$debian" : -n1 --container="$other" --wrap true
ok '... has one script'                     says 'firn: a heterogeneous job has one script and one environment'
ok '... and is not submitted'               says_not Submitted
ok 'nor an allocation'                      status_is 125 user salloc -n1 : -n1 --container-image="$debian" true
script both <<-END
	#!/bin/sh
	#SBATCH -n1 -o both.out --container=$debian
	#SBATCH hetjob
	#SBATCH -n1
	$(release script)
END
ok 'the first one'\''s is the job'\''s'             succeeds sbatch -W both
ok '... is the script'\''s'                 prints 'script 12' cat both.out

# Lists add up; the flags of pyxis.
mkdir "$home/a,b" "$home/c:d" "$home/x"
echo comma >"$home/a,b/f"
echo colon >"$home/c:d/f"
echo plain >"$home/x/f"
chmod -R a+rX "$home/a,b" "$home/c:d" "$home/x"
small() { srun --container="$debian" "$@"; }
mkdir -p "$scratch/data/sub"
echo data >"$scratch/data/f"
echo deep >"$scratch/data/sub/f"
squash "$scratch/data" "$home/data.sqsh"
ok 'a data image'                           prints data small --container-mounts="$home/data.sqsh:/data:sqsh" sh -c 'cat /data/f'
ok '... by what is in it'                   prints data small --container-mounts="data.sqsh:/data" sh -c 'cat /data/f'
ok '... a directory of it'                  prints deep small --container-mounts="$home/data.sqsh:/data:sqsh+image-src=/sub" sh -c 'cat /data/f'
ok '... or its file'                        succeeds small --container-mounts="$home/data.sqsh:/data:file" sh -c 'test -f /data'
ok '... for all tasks of a step'            all_print_one 8 small -n8 --container-mounts="$home/data.sqsh:/data:sqsh" sh -c 'grep -o " [0-9:]* / /data " /proc/self/mountinfo'
echo text >"$home/text"
ok 'one that is none is refused'            status_is 125 small --container-mounts="$home/text:/data:sqsh" true
ok '... when it is submitted'               says "firn: --container-mounts: '$home/text' is not an image"
head -c 200 "$home/data.sqsh" >"$home/cut.sqsh"
ok 'so is one that is cut off'              status_is 125 small --container-mounts="$home/cut.sqsh:/data" true
ok '... in a line'                          says "firn: --container-mounts: '$home/cut.sqsh' is truncated"
ok 'mounts given twice add up'              prints 'plain comma' small --container-mounts="$home/x:/one" --container-mounts="$home/a\\,b:/two" sh -c 'echo $(cat /one/f /two/f)'
ok '... in a script, too'                   succeeds sbatch -W -o twice --container="$debian" --container-mounts="$home/x:/one" --container-mounts="$home/c\\:d:/two" --wrap 'echo $(cat /one/f /two/f)'
ok '... both'                               prints 'plain colon' cat twice
ok 'variables given twice add up'           prints '1 2' user env PATH="$PATH" A=1 B=2 srun -Q --container="$debian" --container-env=A --container-env=B sh -c 'echo $A $B'
ok 'a comma in a name'                      prints comma small --container-mounts="/opt, $home/a\\,b:/two:ro+rprivate" cat /two/f
ok 'read-only in pyxis'\''s words'          denied small --container-mounts="$home/x:/one:bind+ro" touch /one/new
ok '... is that'                            says 'Read-only file system'
ok 'writable in them'                       succeeds small --container-mounts="/tmp:/one:rw+rslave" test -w /one
ok 'an empty file system'                   prints '1' small --container-mounts=tmpfs:/one sh -c 'echo 1 >/one/f; cat /one/f'
ok 'a flag that is none'                    status_is 125 small --container-mounts=/usr:/one:ro+sync true
ok '... is named at once'                   says "firn: --container-mounts: '/usr:/one:ro+sync': flag 'sync' is not understood"
ok 'a target that is none'                  status_is 125 small --container-mounts=/usr:ro true
ok '... is named'                           says "'ro' is not an absolute path"
ok 'an empty list'                          status_is 125 small --container-mounts= true
ok '... is named'                           says 'firn: --container-mounts is empty'
ok 'a relative directory'                   status_is 125 small --container-workdir=usr true
ok '... is named'                           says "firn: --container-workdir 'usr' is not an absolute path"
ok 'two images'                             status_is 125 small --container-image="$other" true
ok '... are one too many'                   says 'firn: --container and --container-image name two images'
ok 'one image twice'                        prints 12 small --container-image="$debian" cut -d. -f1 /etc/debian_version

# What the environment has: a step takes it, a job does not.
where='cut -d. -f1 /etc/debian_version'
grep -v PlugStackConfig "$SLURM_CONF" >"$home/bare.conf"
says_in() { grep -qx -e "$2" "$1"; }
ok 'srun reads SLURM_CONTAINER'             prints 11 user env SLURM_CONTAINER="$other" srun -Q sh -c "$where"
ok '... unless it names an image'           prints 12 user env SLURM_CONTAINER="$other" srun -Q --container="$debian" sh -c "$where"
ok 'sbatch does not'                        succeeds user env SLURM_CONTAINER="$other" sbatch -W -o env1 --wrap "$where"
ok '... and runs on the host'               prints "$host" cat env1
ok 'nor salloc'                             prints "$host" user env SLURM_CONTAINER="$other" salloc -Q srun -Q sh -c "$where"
printf 'A=1\0' >"$home/variables"
for option in container container-image; do
	ok "--$option with an environment from a file" succeeds sbatch -W -o env4 --export-file=variables "--$option=$other" --container-mounts=/usr:/one --wrap "$where; ls -d /one; env | grep -c FIRN_OPTIONS"
	ok '... is heeded'                  prints "11
/one
1" cat env4
done
ok 'sbatch reads SBATCH_CONTAINER'          succeeds user env SBATCH_CONTAINER="$other" sbatch -W -o env2 --wrap "$where"
ok '... and runs in it'                     prints 11 cat env2
for option in container container-image; do
	script alloc <<-END
		srun -Q sh -c '$where'
		srun -Q --container=$debian sh -c '$where'
		sbatch -W -o env3 --wrap '$where' >/dev/null
		cat env3
		srun -Q --no-container-mount-home sh -c 'ls -d /one; test -e x || echo no home'
	END
	# salloc has --container only where it starts the shell on a node.
	[ "$option" = container ] || ok "a job's --$option" prints "11
12
$host
/one
no home" user salloc -Q "--$option=$other" --container-mounts=/usr:/one sh alloc
	script nested <<-END
		#!/bin/sh
		#SBATCH -o nested.out
		$where
	END
	# A script in an image has no srun of it; what it would hand on is in its environment.
	script outer <<-END
		#!/bin/sh
		#SBATCH -o outer.out --$option=$other --container-mounts=/usr:/one
		export -p >outer.sh
	END
	ok "a script's --$option"           succeeds sbatch -W outer
	ok '... makes no other job its own' succeeds user sh -c '. ./outer.sh; PATH=/usr/bin:/bin; unset SLURM_JOB_ID; exec sbatch -W nested'
	ok '... which is on the host'       prints "$host" cat nested.out
	ok '... by an sbatch without firn'  succeeds user sh -c '. ./outer.sh; PATH=/usr/bin:/bin; unset SLURM_JOB_ID; SLURM_CONF=$PWD/bare.conf; exec sbatch -W nested'
	ok '... which is on the host, too'  says_in nested.out "$host"
	ok '... and says so'                grep -q '^firn: node[12]: warning: the script runs on the host' nested.out
done

# A container with a name: what its later steps say.
script named <<-END
	#!/bin/bash
	#SBATCH -N1 -n1 -o named.out
	export A=host
	srun -Q --container=$debian --container-name=c --container-mounts=$home/x:/one true
	srun -Q --container-name=c sh -c 'echo "as made \$(cat /one/f)"'
	srun -Q --container-name=c --container-mounts=$home/x:/one sh -c 'echo "the same \$(cat /one/f)"'
	srun -Q --container-name=c --container-workdir=/one --container-env=A sh -c 'echo "its task \$(pwd) \$A"'
	srun -Q --container-name=c --container-mounts=$home/a\\\\,b:/two --container-remap-root sh -c 'echo "others \$(cat /two/f) \$(id -u) \$(ls -d /one 2>&1)"'
	srun -Q --container-name=c sh -c 'echo "as made \$(cat /one/f) \$(id -u)"'
	srun -Q --container=$debian --container-name=c sh -c 'echo "with its image \$(cat /one/f)"'
	srun -Q --container=$other --container-name=c true; echo "another image \$?"
	srun -Q --container-name=c --container-writable true; echo "writes \$?"
	srun -Q --container=$debian --container-name=w --container-writable touch /made
	srun -Q --container-name=w --container-mounts=$home/x:/one true; echo "other mounts \$?"
	srun -Q --container-name=w --container-writable sh -c 'ls /made'
	srun -Q --container-name=w --container-readonly true; echo "no writes \$?"
	srun -Q --container=$debian --container-name=n --container-mpi=none true
	srun -Q --container-name=n --container-mpi=hybrid true; echo "wired \$?"
	srun -Q --container=entry.sqfs --container-name=e true
	srun -Q --container-name=e --container-entrypoint 'x y'
	mv entry.sqfs gone.sqfs
	srun -Q --container-name=e --container-entrypoint 'without its file'
	srun -Q --container-name=e --container-mounts=/usr:/one true; echo "of no file \$?"
END
mkdir "$scratch/root/.firn"
printf '{"config": {"Entrypoint": ["/bin/probe", "args", "run:"]}}' >"$scratch/root/.firn/config.json"
squash "$scratch/root" "$home/entry.sqfs"
ok 'later steps of a name'                  succeeds sbatch -W named
cp named.out "$last"
ok '... have it as it was made'             says 'as made plain'
ok '... also if they say so'                says 'the same plain'
ok '... start where they like, with theirs' says 'its task /one host'
ok '... or one of the same image, as asked' says 'others comma 0 ls: cannot access'
ok '... which leaves the first as it was'   says "as made plain $user_id"
ok '... naming its image says no more'      says 'with its image plain'
ok '... another image is refused'           says 'another image 125'
ok '... writes that would not stay, too'    says 'writes 125'
ok '... as is said'                         says "container 'c' was made with other options than --container-writable, and what is written would not stay in it"
ok '... what was written is not left'       says 'other mounts 125'
ok '... as is said'                         says "container 'w' was made with other options than --container-mounts, and holds what was written in it"
ok '... but entered'                        says /made
ok '... as nobody writes to it: refused'    says 'no writes 125'
ok '... a launcher it was not made for'     says 'wired 125'
ok '... as is said'                         says "container 'n' was made for no launcher's MPI"
ok '... the entrypoint is the task'\''s'    says 'run:
x y'
ok '... the image'\''s file may be gone'    says 'without its file'
ok '... but not for another container'      says 'of no file 125'
ok 'and nothing is left'                    nothing_left
done_testing
