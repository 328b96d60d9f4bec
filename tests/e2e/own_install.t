#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# An install of an ordinary user's own, below his home: it works at once, and firn.conf is his.
. "${srcdir:-.}/tests/lib.sh"
needs make --version
needs cc --version
[ ! -e "$srcdir/config.status" ] || skip_all 'the sources are configured themselves: no other build can be made of them'
! grep -q __asan_init "$FIRN" || skip_all 'a build with sanitizers is not what is installed, and takes long'
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR FIRN_CACHE

home=$scratch/home
own=$home/.local
conf=$own/etc/firn/firn.conf
mkdir "$home" "$scratch/build"
# As the build under test was configured, but for its places; the last word counts.
configured() {
	eval "set -- $("$builddir/config.status" --config)"
	cd "$scratch/build" && "$srcdir/configure" -q "$@" --prefix="$own" --sysconfdir="$own/etc" \
		--bindir="$own/bin" --libexecdir="$own/libexec" --datadir="$own/share" CFLAGS='-O1 -g0'
}
ok 'configure --prefix=$HOME/.local'       succeeds configured
ok 'make && make install'                  succeeds make -s -j2 -C "$scratch/build" install
[ "$tap_failed" = 0 ] || { done_testing; exit; }
mine() { env HOME="$home" XDG_CACHE_HOME="$home/.cache" PATH="$own/bin:$PATH" "$@"; }
make_small "$scratch/root"

ok 'its configuration is there'            [ -f "$conf" ]
ok 'exec runs a program'                   prints 'a b' mine firn exec "$scratch/root" probe args 'a b'
ok 'build makes an image'                  succeeds mine firn build -q "$scratch/a.sqfs" "dir:$scratch/root"
ok '... that runs'                         prints 'a b' mine firn exec "$scratch/a.sqfs" probe args 'a b'
ok 'doctor is content'                     succeeds mine firn doctor
ok '... with this configuration'           says "ok       configuration: $conf is in order"

ok '... and profiles of MPIs'              says 'ok       mpi profiles: cray-mpich intel-mpi mpich openmpi'
printf 'lib = a\n' >"$own/etc/firn/profiles.d/wrong.conf"
ok 'one that is wrong is told'             succeeds mine firn doctor
ok '... with its name'                     says "warning  mpi profiles: '$own/etc/firn/profiles.d/wrong.conf' does not say 'match'"
ok '... by who needs it as well'           status_is 125 mine firn exec --mpi=host "$scratch/root" true
rm -f "$own/etc/firn/profiles.d/wrong.conf"
ok 'a name that is none of them'           status_is 125 mine firn exec --mpi=host:none "$scratch/root" true
ok '... is told'                           says "there is no profile 'none' in '$own/etc/firn/profiles.d'"

# What the user writes there holds, as a site's word does.
printf '[users]\ndeny = root\n[server]\ncage = require\n' >"$conf"
ok 'he may deny himself an option'         status_is 125 mine firn exec --root "$scratch/root" true
ok '... by name'                           says "option '--root' is not allowed on this machine"
ok 'a kernel without Landlock reads no image then' status_is 125 mine "$tools/enosys" landlock_create_ruleset firn inspect "$scratch/a.sqfs"
ok '... and says so'                       says 'cannot use Landlock'
ok '... for no question'                   status_is 125 mine "$tools/enosys" landlock_create_ruleset firn image-has "$scratch/a.sqfs" /bin
ok '... one that has it does'              succeeds mine firn inspect "$scratch/a.sqfs"
printf '[users]\ndeny = bind\n' >"$scratch/lower"
ok 'another file does not change that'     status_is 125 mine firn exec --config "$scratch/lower" "$scratch/root" true
ok '... and says so'                       says "only the site may set 'deny'"
: >"$scratch/lower"
ok 'an empty one neither'                  status_is 125 mine firn exec --config "$scratch/lower" --root "$scratch/root" true

chmod 664 "$conf"
ok 'a file that his group can write to is not read' status_is 125 mine firn exec "$scratch/root" true
ok '... says why'                          says "'$conf' is not read: others can write to it (mode 0664)"
ok 'doctor'                                status_is 1 mine firn doctor -q
ok '... has the remedy'                    says "remedy: chmod go-w $conf"
ok '... which is one'                      sh -c "$(sed -n 's/^ *remedy: \(chmod go-w .*\)/\1/p' "$last")"
printf '[run]\nengin = firn\n' >"$conf"
ok 'a mistake in it'                       status_is 125 mine firn exec "$scratch/root" true
ok '... is told with its line'             says "'$conf' line 2: there is no key 'engin'"
ok 'doctor'                                status_is 1 mine firn doctor -q
ok '... too'                               says "remedy: correct line 2 of $conf"
rm "$conf"
ok 'without it all is well'                succeeds mine firn exec "$scratch/root" true
ok 'doctor'                                succeeds mine firn doctor
ok '... says so'                           says "there is no $conf"

if [ "$(id -u)" = 0 ]; then
	: >"$conf"
	chown 12345 "$conf"
	ok 'the file of another user is not read' status_is 125 mine firn exec "$scratch/root" true
	ok '... says whose it is'              says 'it belongs to another user (12345)'
	ok 'doctor'                            status_is 1 mine firn doctor -q
	ok '... has the remedy'                says "remedy: as root: chown root:root $conf"
	rm "$conf"
else
	skip 'the file of another user is not read' 'only root can make one'
fi

# pull, from a registry that is a process of this test.
if ! python3 -c 'import hashlib, json, tarfile, ssl' 2>/dev/null || ! command -v docker-registry >/dev/null ||
	! command -v skopeo >/dev/null; then
	skip 'pull' 'there is no whole python3, docker-registry or skopeo'
	done_testing
fi
here=$srcdir/tests/registry
trap '"$here/serve" stop "$scratch/plain"; cleanup' EXIT
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch" || exit 1
python3 "$srcdir/tests/images/mkoci.py" --tag latest "$scratch/oci" "$scratch/base.tar" || exit 1
plain=$("$here/serve" start "$scratch/plain") || skip_all 'no registry can be started'
HOME=$home XDG_RUNTIME_DIR=$scratch skopeo --insecure-policy copy -q --dest-tls-verify=false \
	"oci:$scratch/oci:latest" "docker://$plain/a:latest" >"$last" 2>&1 || skip_all 'skopeo cannot push'
mkdir "$scratch/pulled"
cd "$scratch/pulled" || exit 1
ok 'pull fetches an image'                 succeeds mine firn pull -q "$plain/a" pulled.sqfs
ok '... that runs'                         succeeds mine firn exec pulled.sqfs true
ok '... into a cache below his home'       [ -d "$home/.cache/firn/blobs" ]
done_testing
