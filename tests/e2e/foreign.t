#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# What users of other tools type is answered with the line to type here, and writes nothing.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python

HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache
export HOME XDG_CACHE_HOME
mkdir -p "$HOME" "$scratch/work/context" "$scratch/work/rootfs/etc"
unset CONTAINERS_REGISTRIES_CONF
cd "$scratch/work" || exit 1
printf '# syntax=docker/dockerfile:1\n\nFROM debian:12\nRUN true\n' >Dockerfile
cp Dockerfile context/Containerfile
cp Dockerfile plain
printf 'Bootstrap: docker\nFrom: debian:12\n' >test.def
cp test.def recipe.txt
printf 'int main(void) { return 0; }\n' >main.c
cp Dockerfile rootfs/Dockerfile
echo 'root:x:0:0::/:/bin/sh' >rootfs/etc/passwd
find . -type f -exec sha256sum {} + | sort >"$scratch/before"

# answered TEXT WORD...: one line that holds TEXT, status 125, and all files as they were.
answered() {
	text=$1
	shift
	status_is 125 "$FIRN" "$@" && one_line && says "$text" || return 1
	find . -type f -exec sha256sum {} + | sort >"$scratch/after"
	cmp -s "$scratch/before" "$scratch/after" || no 'a file was changed'
}
ok 'a definition file'                answered "podman build" build my.sif test.def
ok '... by what is in it'             answered "'recipe.txt': firn builds no Dockerfile" build my.sif recipe.txt
ok 'a Dockerfile'                     answered "podman build" build x.sqfs Dockerfile
ok '... under another name'           answered "'plain': firn builds no Dockerfile" build x.sqfs plain
ok 'build -f Dockerfile .'            answered "'Dockerfile': firn builds no Dockerfile" build -f Dockerfile .
ok 'build -f docker/Dockerfile.gpu .' answered "firn builds no Dockerfile" build -f docker/Dockerfile.gpu .
ok 'build .'                          answered "podman build" build context
ok 'build x.sqfs of a context'        answered "dir:context packs the folder as it is" build x.sqfs context
ok 'build -t name .'                  answered "podman build" build -t name .
ok 'build --tag=name .'               answered "no option '--tag'; firn builds no Dockerfile" build --tag=name .
ok 'a root file system with a Dockerfile is one' succeeds firn build -q "$scratch/root.sqfs" rootfs
ok 'so is any folder that is called so' succeeds firn build -q "$scratch/context.sqfs" dir:context

ok 'build SOURCE OUT'                 answered "the file to write comes first: firn build x.sqfs docker://alpine" build docker://alpine x.sqfs
ok '... of a folder'                  answered "firn build x.sqfs rootfs" build rootfs x.sqfs
ok 'build SOURCE'                     answered "the file to write is missing: firn build OUT.sqfs docker://alpine" build docker://alpine
ok 'build OUT'                        answered "the source is missing: firn build x.sqfs SOURCE" build x.sqfs
ok 'build OUT HOST/NAME'              answered "it is docker://quay.io/lab/tool:1" build x.sqfs quay.io/lab/tool:1
for source in library://lab/tool oras://example.org/tool https://example.org/t.sif shub://a/b; do
	ok "build from $source"       answered "'$source' is no source; " build x.sqfs "$source"
	ok "pull $source"             answered "'$source' is no source; " pull "$source"
	ok "pull OUT $source"         answered "'$source' is no source; " pull my.sif "$source"
done
ok 'build from podman://'             answered 'podman:NAME' build x.sqfs podman://lab/tool
ok 'build from docker:'               answered 'docker://NAME' build x.sqfs docker:alpine
ok 'pull from an archive'             answered 'firn build OUT.sqfs docker-archive:x.tar' pull docker-archive:x.tar
ok 'pull OUT from an archive'         answered 'firn build x.sqfs oci:dir' pull x.sqfs oci:dir
ok 'pull OUT NAME'                    answered "firn pull debian:12 my.sif" pull my.sif debian:12
ok 'pull OUT'                         answered "is the name of a file" pull my.sif
ok 'pull OUT docker://NAME is what Apptainer has' answered "'127.0.0.1:9'" pull -q my.sif docker://127.0.0.1:9/lab/tool:1
ok 'a name that ends in .sif'         succeeds firn build "$scratch/my.sif" rootfs
ok 'is no SIF, which is said'         says "becomes a squashfs image, not a SIF"
ok 'but not with -q'                  prints '' sh -c '"$0" build -q -f "$1" rootfs 2>&1' "$FIRN" "$scratch/my.sif"

for option in --sandbox -s --fakeroot --notest --remote --update --docker-login -T --build-arg=A=1 --nohttps --tls-verify=false \
	--squash --target=x -o --pull; do
	ok "build $option"            answered "firn build has no option '${option%%=*}'; " build "$option" x.sqfs main.c
done
ok 'pull --arch'                      answered '--platform' pull --arch arm64 alpine
ok 'pull --dir'                       answered 'firn pull NAME DIR/NAME.sqfs' pull --dir /tmp alpine
ok 'pull --name'                      answered 'firn pull NAME OUT.sqfs' pull --name x.sif alpine
for word in clean prune rm; do
	ok "cache $word"              answered "firn cache has no '$word'; 'firn cache gc --keep 0' empties" cache "$word"
done
ok 'cache ls'                         answered "'firn cache list'" cache ls
python3 "$srcdir/tests/images/mksif.py" "$scratch/root.sqfs" "$scratch/app.sif"
ok 'verify of a SIF'                  answered "signatures of SIF files are not checked" verify "$scratch/app.sif"
ok 'login'                            answered 'podman' login example.org

# Words that are nearly firn's own.
ok 'an option misspelt'               answered "unknown option '--forse'; did you mean '--force'? see 'firn build --help'" build --forse x.sqfs main.c
ok 'one of another verb'              answered "unknown option '--keep'; see 'firn pull --help'" pull --keep 1 alpine
ok 'one cut short'                    answered "did you mean '--platform'?" pull --plat linux/arm64 alpine
ok 'one that is nothing like it'      answered "unknown option '--nosuch'; see 'firn verify --help'" verify --nosuch x.sqfs
ok 'a letter'                         answered "unknown option '-Z'; see 'firn cache --help'" cache -qZ list
ok 'a value that is missing'          answered "option '--keep' needs a value: SIZE" cache gc --keep
ok 'one too many'                     answered "option '--json' takes no value" cache list --json=yes
ok 'options behind operands'          succeeds firn cache list -q --json
ok '-- ends them'                     answered "usage: firn cache" cache -- list --json
done_testing
