#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Apptainer's command lines, as its user guide and computing sites print them, with firn called so.
. "${srcdir:-.}/tests/lib.sh"
needs_python
debian=$(image debian.sqfs)
tree=$(image debian.dir)

mkdir "$scratch/bin" "$scratch/home" "$scratch/work" "$scratch/data"
for name in apptainer singularity; do
	ln -s "$(realpath "$(command -v "$FIRN")")" "$scratch/bin/$name"
done
PATH=$scratch/bin:$PATH HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache
export PATH HOME XDG_CACHE_HOME
echo data >"$scratch/data/file"
echo own >"$scratch/home/own"
cd "$scratch/work" || exit 1

# A SIF with all that Apptainer writes into one.
root=$scratch/root
make_small "$root"
add_shells "$root" "$tree"
cp "$tree/bin/ls" "$tree/bin/cat" "$tree/usr/bin/env" "$root/bin/"
cp -L "$tree"/lib/*/libselinux.so.1 "$tree"/usr/lib/*/libpcre2-8.so.0 "$root/lib/"
mkdir -p "$root/.singularity.d/env" "$root/data" "$root/mnt" "$root/opt"
printf '#!/bin/sh\necho "run $*"\n' >"$root/.singularity.d/runscript"
printf '#!/bin/sh\necho "test $*"\n' >"$root/.singularity.d/test"
printf 'how to use it\n' >"$root/.singularity.d/runscript.help"
printf 'Bootstrap: docker\nFrom: debian:12\n' >"$root/.singularity.d/Singularity"
printf '{"org.label-schema.name": "lab"}\n' >"$root/.singularity.d/labels.json"
printf 'export PATH="/opt/tool/bin:/bin"\nexport TOOL="set"\n' >"$root/.singularity.d/env/90-environment.sh"
chmod 755 "$root/.singularity.d/runscript" "$root/.singularity.d/test"
squash "$root" root.sqfs
python3 "$srcdir/tests/images/mksif.py" root.sqfs lab.sif || exit 1

# The page has every word that the tables have.
for option in $({ apptainer exec --help && apptainer shell --help; } | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -e '--[a-z-]+' | sort -u | grep -vx -e --help); do
	grep -qE -e "[\`| ]$option[\`, ]" "$srcdir/doc/apptainer.md" || missing="${missing:-} $option"
done
ok "the page tells of all options${missing:-}" [ -z "${missing:-}" ]

# Its version, as programs read it.
ok 'apptainer --version'            succeeds apptainer --version
ok '... has the form cwltool wants' grep -qxE 'apptainer version [0-9]+\.[0-9]+\.[0-9]+\+firn\.[0-9.]+' "$last"
ok 'singularity --version'          succeeds singularity --version
ok '... is of the same make'        says 'apptainer version '
ok 'apptainer version'              succeeds apptainer version
ok '... is the number alone'        grep -qxE '[0-9]+\.[0-9]+\.[0-9]+\+firn\.[0-9.]+' "$last"
ok 'apptainer help'                 succeeds apptainer help
ok '... begins with its own options' says 'usage: apptainer [OPTION...] VERB'
ok '... lists verbs'                says 'run-help'
ok 'apptainer --help'               succeeds apptainer --help
ok 'apptainer help exec'            succeeds apptainer help exec
ok '... tells what is not offered'  says 'not offered: '
ok 'apptainer shell --help'         succeeds apptainer shell --help
ok 'singularity pull -h'            succeeds singularity pull -h
ok '... by the name called'         says 'usage: singularity pull'

# exec, run, shell and test.
ok 'exec IMAGE cat'                 prints 12 sh -c 'apptainer exec "$0" cat /etc/debian_version | cut -d. -f1' "$debian"
ok 'exec of a sandbox'              succeeds apptainer exec "$tree" true
ok 'exec of a SIF'                  prints 'a b' apptainer exec lab.sif sh -c "echo a b"
ok 'run'                            prints 'run a -b' apptainer run lab.sif a -b
ok 'run ./lab.sif'                  prints 'run ' singularity run ./lab.sif
ok 'test'                           prints 'test x' apptainer test lab.sif x
ok 'shell -c'                       prints in apptainer shell lab.sif -c 'echo in'
ok 'shell --shell /bin/bash'        prints /bin/bash apptainer shell --shell /bin/bash lab.sif -c 'echo $0'
ok 'shell -s'                       prints /bin/dash apptainer shell -s /bin/dash lab.sif -c 'echo $0'
ok 'the image'\''s environment'       prints set apptainer exec lab.sif sh -c 'echo $TOOL'
ok '--cleanenv'                     prints '' env FOO=1 apptainer exec --cleanenv "$debian" sh -c 'echo $FOO'
ok '-e'                             prints '' env FOO=1 apptainer exec -e "$debian" sh -c 'echo $FOO'
ok 'without it variables enter'     prints 1 env FOO=1 apptainer exec "$debian" sh -c 'echo $FOO'
ok '--env A=1,B=2'                  prints '1 2' apptainer exec --env A=1,B=2 "$debian" sh -c 'echo $A $B'
ok '--env with commas in a value'   prints 'x,y' apptainer exec --env A=x,y "$debian" sh -c 'echo $A'
printf '#!/bin/bash\nexport MYVAR="from file"\nOTHER=2\n' >myenvs
ok '--env-file'                     prints 'from file 2' apptainer exec --env-file myenvs "$debian" sh -c 'echo $MYVAR $OTHER'
ok '... under --env'                prints 'over' apptainer exec --env MYVAR=over --env-file myenvs "$debian" sh -c 'echo $MYVAR'
ok '-B SRC'                         prints data apptainer exec -B "$scratch/data" "$debian" cat "$scratch/data/file"
ok '-B SRC:DST'                     prints data apptainer exec -B "$scratch/data:/mnt" "$debian" cat /mnt/file
ok '--bind A:B,C:D'                 prints 'datadata' apptainer exec --bind "$scratch/data:/mnt,$scratch/data:/opt" "$debian" sh -c 'printf %s%s $(cat /mnt/file /opt/file)'
ok '-B A:B:ro,C:D'                  denied apptainer exec -B "$scratch/data:/mnt:ro,$scratch/data:/opt" "$debian" touch /mnt/x
ok '... and the other is writable'  succeeds apptainer exec -B "$scratch/data:/mnt:ro,$scratch/data:/opt" "$debian" touch /opt/x
ok '--mount type=bind'              prints data apptainer exec --mount type=bind,source="$scratch/data",destination=/mnt "$debian" cat /mnt/file
squash "$scratch/data" data.sqfs
ok '-B a data image'                prints data apptainer exec -B data.sqfs:/mnt "$debian" cat /mnt/file
ok '-B one in a list'               prints data apptainer exec -B "$scratch/work:/opt:ro,data.sqfs:/mnt:image-src=/" "$debian" cat /mnt/file
ok '--mount type=image'             prints data apptainer exec --mount type=image,source=data.sqfs,destination=/mnt "$debian" cat /mnt/file
ok '-H DIR'                         prints "$scratch/data" apptainer exec -H "$scratch/data" "$debian" sh -c 'echo $HOME'
ok '--home SRC:DST'                 prints 'data' apptainer exec --home "$scratch/data:/home/me" "$debian" sh -c 'cat $HOME/file'
ok '--no-home'                      denied apptainer exec --no-home --pwd / "$debian" cat "$scratch/home/own"
ok '--pwd'                          prints /opt apptainer exec --pwd /opt "$debian" pwd
ok '--cwd'                          prints /opt apptainer exec --cwd /opt "$debian" pwd
ok '--contain'                      denied apptainer exec --contain "$debian" ls "$scratch/data"
ok '-c'                             denied apptainer exec -c "$debian" ls "$scratch/data"
ok '-c is not --cleanenv'           prints 1 env FOO=1 apptainer exec -c "$debian" sh -c 'echo $FOO'
ok '--containall'                   prints '' env FOO=1 apptainer -q exec --containall "$debian" sh -c 'echo $FOO'
ok '-C'                             succeeds apptainer exec -C "$debian" true
ok '... warns of what it is not'    says 'warning: --containall: no process or IPC namespace'
ok '--compat is writable'           succeeds apptainer exec --compat "$debian" touch /x
ok '--writable-tmpfs'               succeeds apptainer exec --writable-tmpfs "$debian" touch /x
mkdir overlay
ok '--overlay DIR'                  succeeds apptainer exec --overlay overlay "$debian" touch /kept
ok '... keeps writes'               succeeds apptainer exec -o overlay "$debian" ls /kept
ok '--fakeroot'                     prints 0 apptainer exec --fakeroot "$debian" id -u
ok '-f'                             prints 0 singularity exec -f "$debian" id -u
ok '--scratch DIR'                  succeeds apptainer exec --scratch /mnt "$debian" touch /mnt/x
ok '-S with -W'                     succeeds apptainer exec -S /mnt -W "$scratch/work" "$debian" touch /mnt/x
ok '... is kept there'              [ -e "$scratch/work/scratch/mnt/x" ]
ok '-c with -W'                     succeeds apptainer exec -c -W "$scratch/work" "$debian" touch /tmp/y /var/tmp/z
ok '... is kept there'              [ -e "$scratch/work/tmp/y" ]
ok '... both'                       [ -e "$scratch/work/var_tmp/z" ]
ok '--no-mount home'                succeeds apptainer exec --no-mount home,hostfs "$debian" true
ok '--no-umask'                     prints 0022 sh -c 'umask 077; apptainer exec --no-umask "$0" sh -c umask' "$debian"
ok 'the umask is the caller'\''s'     prints 0077 sh -c 'umask 077; apptainer exec "$0" sh -c umask' "$debian"
ok '--userns, --no-init, --no-eval' prints '' apptainer exec --userns --no-init --no-eval "$debian" true
ok '... says nothing'               [ ! -s "$last" ]
ok '... but at -v'                  succeeds apptainer -v exec --userns "$debian" true
ok '... why it has no effect'       says "option '--userns' has no effect: "
ok '--pid'                          succeeds apptainer exec --pid "$debian" true
ok '... warns'                      says "warning: --pid: the host's processes stay visible"
ok '-q says nothing'                succeeds apptainer -q exec --pid "$debian" true
ok '... at all'                     [ ! -s "$last" ]
ok 'a script of the image'\''s'       prints 3 sh -c 'echo "echo 3" | apptainer exec "$0" sh' "$debian"

# Workflow managers' lines.
ok 'snakemake'                      prints 2 singularity --quiet --silent exec --home "$PWD" "$debian" bash -c 'set -euo pipefail; echo 2'
ok 'nextflow'                       prints 2 env SINGULARITYENV_NXF_DEBUG=1 singularity exec --no-home --pid -B "$PWD" "$debian" /bin/bash -c "cd $PWD; echo 2"
ok 'cwltool'                        prints 'run ' singularity --quiet run --contain --ipc --cleanenv --no-eval --userns --home "$scratch/data:/out" \
	--mount=type=bind,source="$scratch/work",target=/tmp --pwd /out lab.sif

# Variables.
ok 'APPTAINER_BIND'                 prints data env APPTAINER_BIND="$scratch/data:/mnt" apptainer exec "$debian" cat /mnt/file
ok 'SINGULARITY_BIND, a list'       prints data env SINGULARITY_BIND="$scratch/work:/opt,$scratch/data:/mnt" singularity exec "$debian" cat /mnt/file
ok 'SINGULARITY_BINDPATH and -B'    prints data env SINGULARITY_BINDPATH="$scratch/work:/opt" singularity exec -B "$scratch/data:/mnt" "$debian" cat /mnt/file
ok 'APPTAINER_CLEANENV'             prints '' env FOO=1 APPTAINER_CLEANENV=1 apptainer exec "$debian" sh -c 'echo $FOO'
ok 'APPTAINER_CONTAIN'              denied env APPTAINER_CONTAIN=true apptainer exec "$debian" ls "$scratch/data"
ok 'APPTAINER_PWD'                  prints /opt env APPTAINER_PWD=/opt apptainer exec "$debian" pwd
ok 'APPTAINER_HOME'                 prints "$scratch/data" env APPTAINER_HOME="$scratch/data" apptainer exec "$debian" sh -c 'echo $HOME'
ok 'APPTAINER_WRITABLE_TMPFS'       succeeds env APPTAINER_WRITABLE_TMPFS=1 apptainer exec "$debian" touch /x
ok 'APPTAINER_SHELL'                prints /bin/dash env APPTAINER_SHELL=/bin/dash apptainer shell lab.sif -c 'echo $0'
ok 'neither true nor false'         status_is 255 env APPTAINER_NO_HOME=maybe apptainer exec "$debian" true
ok '... is told'                    says "'APPTAINER_NO_HOME' is 'maybe'"
ok 'two that differ'                prints 1 env APPTAINERENV_A=1 SINGULARITYENV_A=2 apptainer exec "$debian" sh -c 'echo $A'
ok 'APPTAINERENV_X is X'            prints '1 no' env APPTAINERENV_X=1 apptainer exec -e "$debian" sh -c 'echo $X ${APPTAINERENV_X-no}'
ok 'PREPEND_PATH and APPEND_PATH'   prints '/first:/opt/tool/bin:/bin:/last' env APPTAINERENV_PREPEND_PATH=/first SINGULARITYENV_APPEND_PATH=/last apptainer exec lab.sif sh -c 'echo $PATH'
printf 'for x in 1; do PATH=/made:/bin; done; export PATH\n' >"$root/.singularity.d/env/91-environment.sh"
ok '... when a shell makes PATH'    prints '/first:/made:/bin:/last' env APPTAINERENV_PREPEND_PATH=/first APPTAINERENV_APPEND_PATH=/last apptainer exec "$root" sh -c 'echo $PATH'
ok 'APPTAINERENV_PATH'              prints /bin:/x env APPTAINERENV_PATH=/bin:/x apptainer exec lab.sif sh -c 'echo $PATH'
ok 'inside it is told'              prints "$PWD/lab.sif lab.sif /.singularity.d/env/91-environment.sh" apptainer exec lab.sif sh -c 'echo $APPTAINER_CONTAINER $SINGULARITY_NAME $APPTAINER_ENVIRONMENT'
ok '... with the binds'             prints '/mnt:/mnt:ro,/opt' apptainer exec -B "$scratch/data:/mnt:ro,$scratch/work:/opt" "$debian" sh -c 'echo $APPTAINER_BIND'
ok 'firn itself reads none'         prints 'no no' env APPTAINER_BIND="$scratch/data:/mnt" APPTAINERENV_X=1 "$FIRN" exec "$debian" sh -c 'test -e /mnt/file && echo yes || echo no ${X-no}'

# What is not offered, in one line, and Apptainer's status.
refuses() {
	text=$1
	shift
	status_is 255 "$@" && one_line && says "$text"
}
ok '--nv'                 refuses "option '--nv' is not offered: devices in /dev are visible" apptainer exec --nv "$debian" true
ok 'APPTAINER_NV'         refuses "'APPTAINER_NV' means option '--nv', which is not offered" env APPTAINER_NV=1 apptainer exec "$debian" true
ok '--rocm'               refuses "'--rocm' is not offered" apptainer exec --rocm "$debian" true
ok '--add-caps'           refuses 'has capabilities' apptainer exec --add-caps CAP_NET_RAW "$debian" true
ok '--net'                refuses "host's network" apptainer exec --net --network none "$debian" true
ok '--writable'           refuses '--overlay keeps writes' apptainer exec --writable "$tree" touch /x
ok '--passphrase'         refuses 'encrypted images' apptainer exec --passphrase "$debian" true
ok '--app'                refuses 'SCIF apps' apptainer run --app foo lab.sif
ok '--memory'             refuses 'batch system' apptainer exec --memory 1G "$debian" true
ok 'instance start'       refuses "'instance' is not offered" apptainer instance start lab.sif web
ok 'instance://web'       refuses 'instances are not in this version' apptainer exec instance://web true
ok 'overlay create'       refuses 'mkdir DIR' apptainer overlay create --size 1024 x.img
ok 'sign'                 refuses 'no signatures by keys' apptainer sign lab.sif
ok 'oras://'              refuses 'pull makes one of it' apptainer exec oras://127.0.0.1:9/lab/tool:1 true
ok 'docker://'            refuses '127.0.0.1:9' apptainer exec docker://127.0.0.1:9/lab/tool:1 true
ok 'no such image'        refuses 'cannot open' apptainer exec nosuch.sif true
ok 'no such program'      refuses "'nosuch' is not in" apptainer exec "$debian" nosuch
ok 'no such option'       refuses "see 'apptainer exec --help'" apptainer exec --nosuch "$debian" true
ok 'no such verb'         refuses "did you mean 'exec'" apptainer exce "$debian" true
ok 'the program'\''s status' status_is 3 apptainer exec "$debian" sh -c 'exit 3'
ok '... and signal'       status_is 137 sh -c 'apptainer exec "$0" sh -c "kill -9 \$\$"; exit $?' "$debian"

# inspect and what makes images.
ok 'inspect shows labels'           prints 'org.label-schema.name=lab' sh -c 'apptainer inspect lab.sif | grep -o "org.label-schema.name=lab"'
ok 'inspect --runscript'            prints 'echo "run $*"' sh -c 'apptainer inspect --runscript lab.sif | tail -n 1'
ok 'inspect -r'                     succeeds singularity inspect -r lab.sif
ok 'inspect --deffile'              prints 'From: debian:12' sh -c 'apptainer inspect --deffile lab.sif | tail -n 1'
ok 'inspect -H'                     prints 'how to use it' apptainer inspect -H lab.sif
ok 'run-help'                       prints 'how to use it' apptainer run-help lab.sif
ok 'inspect --environment'          succeeds apptainer inspect --environment lab.sif
ok '... has the script'             says 'TOOL'
ok 'inspect --all is JSON'          succeeds sh -c 'apptainer inspect --all lab.sif | python3 -m json.tool'
ok 'inspect -j is JSON'             succeeds sh -c 'apptainer inspect -j lab.sif | python3 -m json.tool'
if command -v firn-build >/dev/null || [ -x "$(dirname "$(realpath "$scratch/bin/apptainer")")/firn-build" ]; then
	ok 'build OUT.sif DIR'      succeeds apptainer build new.sif "$root"
	ok '... says what it is'    says "'new.sif' becomes a squashfs image, not a SIF"
	ok '... which runs'         prints 'run ' apptainer run new.sif
	ok 'build again'            status_is 255 apptainer build new.sif "$root"
	ok 'build --force'          succeeds apptainer build --force new.sif lab.sif
	ok 'build -F --fakeroot'    succeeds singularity build -F --fakeroot new.sif lab.sif
	ok 'build --sandbox'        refuses 'one file that stays as it is' apptainer build --sandbox dir/ lab.sif
	printf 'Bootstrap: docker\nFrom: debian:12\n' >lab.def
	ok 'build of a definition'  status_is 255 apptainer build def.sif lab.def
	ok 'pull needs a registry'  status_is 255 apptainer -q pull my.sif docker://127.0.0.1:9/lab/tool:1
	ok '... by its name'        says '127.0.0.1:9'
	ok 'pull library://'        status_is 255 apptainer pull library://lab/tool
	ok 'APPTAINER_CACHEDIR'     succeeds env APPTAINER_CACHEDIR="$scratch/home/cache" apptainer cache list
	ok 'cache clean asks'       refuses 'add --force' apptainer cache clean
	ok 'cache clean -f'         succeeds env APPTAINER_CACHEDIR="$scratch/home/cache" apptainer cache clean -f
	ok 'verify'                 succeeds apptainer verify new.sif
	ok '... is not by keys'     says 'signatures by keys are not looked at'
	ok 'pull of an archive needs no registry' status_is 255 apptainer pull x.sif docker-archive:nosuch.tar
else
	skip 'images are made' 'firn-build is not built'
fi

# The way to the program is the same but for the table.
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	calls() { strace -qq -o "$scratch/calls" "$@" >/dev/null 2>&1; wc -l <"$scratch/calls"; }
	theirs=$(calls apptainer exec "$debian" true) ours=$(calls "$FIRN" exec "$debian" true)
	printf '# %s system calls as apptainer, %s as firn\n' "$theirs" "$ours"
	ok 'a start makes as many system calls' [ "$((theirs - ours))" -le 3 ]
else
	skip 'a start makes as many system calls' 'strace does not work here'
fi
done_testing
