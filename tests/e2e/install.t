#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# make install: what is put where, what is left alone, and the names that firn answers to.
. "${srcdir:-.}/tests/lib.sh"
needs make --version
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR

target=$scratch/target
installs() { run_last make -s -C "$builddir" "$1" DESTDIR="$target"; }
placed() { find "$target" -path "*/$1" ! -type d; }

ok 'make install works'                    installs install
bin=$(dirname "$(placed bin/firn)") conf=$(placed firn/firn.conf) binfmt=$(placed firn/binfmt.d/firn.conf)
manual=$(placed man1/firn.1)
ok 'nothing is setuid or setgid'           [ -z "$(find "$target" -perm /6000)" ]
ok 'firn runs'                             succeeds "$bin/firn" --version
ok 'at no fixed address'                   [ "$(od -An -t u2 -j 16 -N 2 "$bin/firn" | tr -d ' ')" = 3 ]
ok 'the manual is there'                   [ -f "$manual" ]
ok 'it names the right places'             grep -qF "${conf#"$target"}" "$manual"
ok 'so are the pages that it names'         [ -f "$(placed doc/firn/format.md)" -a -f "$(placed doc/firn/recipes.md)" -a -f "$(placed coming-from/docker.md)" ]
[ ! -x "$builddir/firn-topology" ] || ok 'the helper is no program of users' [ -x "$(placed libexec/firn/firn-topology)" ]
if [ -e "$builddir/spank_firn.so" ]; then
	ok 'Slurm'\''s plugin is there'           [ -f "$(placed slurm/spank_firn.so)" ]
	ok 'with a line for plugstack.conf'    grep -qx "required .*$(placed slurm/spank_firn.so | sed "s#^$target##")" "$(placed plugstack.conf.d/firn.conf)"
fi
ok 'a configuration is there'              [ -f "$conf" ]
ok 'that only its owner can write'         [ "$(stat -c %a "$conf")" = 644 ]
ok 'firn-run is firn'                      [ "$(readlink "$bin/firn-run")" = firn ]
ok 'run-singularity is in no package'      [ ! -e "$bin/run-singularity" ]

echo '# mine' >>"$conf"
chmod 640 "$conf"
ln -s apptainer "$bin/run-singularity"
ok 'installing again works'                installs install
ok 'and leaves the configuration alone'    grep -qxF '# mine' "$conf"
ok 'and the mode that it was given'        [ "$(stat -c %a "$conf")" = 640 ]
ok 'and the other runner'                  [ "$(readlink "$bin/run-singularity")" = apptainer ]

# Where nothing is packed, run-singularity is firn's, if nobody else's.
if command -v run-singularity >/dev/null; then
	skip 'run-singularity is firn' 'another runner has the name'
else
	ok 'an install in a place of its own works' run_last make -s -C "$builddir" install-exec-hook prefix="$scratch/own" bindir="$scratch"
	ok 'there run-singularity is firn'     [ "$(readlink "$scratch/run-singularity")" = firn ]
fi

# Apptainer's names are for who asks for them, where nobody has them.
ok 'apptainer is not there'                [ ! -e "$bin/apptainer" ]
ok 'make install-dialect works'            installs install-dialect
ok 'there it is firn'                      [ "$(readlink "$bin/apptainer") $(readlink "$bin/singularity")" = 'firn firn' ]
ok 'it speaks so'                          succeeds "$bin/singularity" version
ok 'again works'                           installs install-dialect
ln -sf elsewhere "$bin/apptainer"
ok 'another runner keeps its name'         denied make -s -C "$builddir" install-dialect DESTDIR="$target"
ok '... and a line says so'                says 'belongs to another runner'
ok '... and it is as it was'               [ "$(readlink "$bin/apptainer")" = elsewhere ]
rm "$bin/apptainer"

make_small "$scratch/root"
mkdir "$scratch/root/.firn"
echo '{"config": {"Entrypoint": ["/bin/probe", "args"], "Cmd": ["default"]}}' >"$scratch/root/.firn/config.json"
squash "$scratch/root" "$scratch/hello.sqfs"
chmod 755 "$scratch/hello.sqfs"
ok 'firn-run does "firn run"'              prints 'a b' "$bin/firn-run" "$scratch/hello.sqfs" 'a b'

# The kernel's table of formats belongs to a user namespace since Linux 6.7.
line=$(sed -n "s|::/.*/firn-run|::$bin/firn-run|p" "$binfmt")
table=/proc/sys/fs/binfmt_misc
in_own_table() { unshare -Urm sh -c 'mount -t binfmt_misc none "$0" && echo "$1" >"$0/register" && shift && "$@"' "$table" "$line" "$@"; }
if [ "${#line}" -gt 255 ] || [ "$(printf %s "$bin/firn-run" | wc -c)" -gt 127 ]; then
	skip 'an executable squashfs runs by itself' 'the build folder has too long a name for binfmt_misc'
elif unshare -Urm mount -t binfmt_misc none "$table" 2>/dev/null; then
	ok 'an executable squashfs runs by itself' prints 'default' in_own_table "$scratch/hello.sqfs"
	ok 'with arguments'                        prints "$(printf '%s\n' 'a b' --x)" in_own_table "$scratch/hello.sqfs" 'a b' --x
	ok 'and doctor knows'                      in_own_table sh -c '"$0" doctor | grep -qF "ok       binfmt: squashfs images can be"' "$bin/firn"
else
	skip 'an executable squashfs runs by itself' 'this kernel (before 6.7) has one table of formats, for root only'
fi

ok 'make uninstall works'                  installs uninstall
ok "and leaves what is the site's"         [ "$(find "$target" ! -type d | sort | tr '\n' ' ')" = "$(printf '%s\n' "$conf" "$bin/run-singularity" | sort | tr '\n' ' ')" ]
done_testing
