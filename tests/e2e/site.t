#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# The site's firn.conf, in a namespace where its directory is the test's.
. "${srcdir:-.}/tests/lib.sh"
needs unshare -Urm true
conf=$("$FIRN" doctor | sed -n 's/.*configuration:.* \(\/[^ ]*firn\.conf\).*/\1/p')
[ -n "$conf" ] || conf=$("$FIRN" doctor | sed -n 's/.*configuration: \(\/[^ ]*firn\.conf\).*/\1/p')
above=${conf%/firn/firn.conf}
while [ ! -d "$above" ]; do above=${above%/*}; done
[ -n "$above" ] || skip_all 'the configuration has no directory above it'
make_small "$scratch/root"
mkdir "$scratch/shown"

# site TEXT COMMAND...: with TEXT as the site's configuration, root's.
site() {
	text=$1
	shift
	unshare -Urm sh -c 'mount -t tmpfs none "$1" && mkdir -p "${2%/*}" && printf "$3" >"$2" && shift 3 && exec "$@"' \
		sh "$above" "$conf" "$text" "$@"
}
denied='[users]\ndeny = --root, bind pull no-cache\n'
ok 'what is not denied works'            site "$denied" "$FIRN" exec "$scratch/root" true
ok 'an option that is denied: 125'       status_is 125 site "$denied" "$FIRN" exec --root "$scratch/root" true
ok '... is named'                        says "option '--root' is not allowed on this machine"
ok '... by its letter'                   status_is 125 site "$denied" "$FIRN" exec -B "$scratch/shown" "$scratch/root" true
ok '... by its other name'               status_is 125 site "$denied" "$FIRN" exec --mount "type=bind,src=$scratch/shown,dst=/mnt" "$scratch/root" true
ok '... and in a file of the user'       status_is 125 site "$denied" sh -c 'printf "[run]\nbind = /tmp\n" >'"$scratch/own"' && exec "$@"' sh "$FIRN" exec --config "$scratch/own" "$scratch/root" true
ok 'an option of the builder is denied'  status_is 125 site "$denied" "$FIRN" build --no-cache "$scratch/x.sqfs" "dir:$scratch/root"
ok '... is named'                        says "option '--no-cache' is not allowed on this machine"
ok 'a verb is denied'                    status_is 125 site "$denied" "$FIRN" pull 127.0.0.1:1/a
ok '... is named'                        says "'firn pull' is not allowed on this machine"
ok 'doctor tells them'                   site "$denied" sh -c '"$0" doctor | grep -qF "; denied: root bind pull no-cache"' "$FIRN"
ok 'an unknown word stops all'           status_is 125 site '[users]\ndeny = nosuch\n' "$FIRN" exec "$scratch/root" true
ok '... with its line'                   says "line 2: 'deny' cannot be 'nosuch'"
each='[run]\nbind = /tmp/$USER.firn:/$USER:optional\nbind = ~/data:/data\n'
mkdir -p "$scratch/home/data"
as_alice() { site "$each" env USER=alice HOME="$scratch/home" "$@"; }
ok 'each user has binds of his own'      succeeds as_alice "$FIRN" exec --print-plan "$scratch/root" true
ok '... by ~'                            as_alice sh -c '"$0" exec --print-plan "$1" true | grep -qF " $2/home/data /data"' "$FIRN" "$scratch/root" "$scratch"
ok 'a variable that is not set: 125'     status_is 125 site "$each" env -u USER "$FIRN" exec "$scratch/root" true
ok '... is named'                        says "firn.conf's bind: '/tmp/\$USER.firn': USER is not set"
ok 'doctor tells it, too'                site "$each" env -u USER sh -c '"$0" doctor | grep -qF "USER is not set"' "$FIRN"
if [ "$(id -u)" != 0 ]; then
	ok 'a cache for all that is none'    site '[build]\ncache = /usr\n' sh -c 'FIRN_CACHE= "$0" doctor | grep -qF "belongs to another user"' "$FIRN"
	ok '... with the remedy'             site '[build]\ncache = /usr\n' sh -c 'FIRN_CACHE= "$0" doctor | grep -qF "or for all: chown root:root '"'/usr'"'"' "$FIRN"
fi
in_cache() { site "[build]\\ncache = $1\\n" sh -c 'mkdir -m "$2" "$1/shown/c"; FIRN_CACHE= HOME=/nosuch "$3" doctor; rmdir "$1/shown/c"' sh "$scratch" "$2" "$FIRN"; }
ok 'a cache that is root'"'"'s alone'    succeeds in_cache "$scratch/shown/c" 755
ok '... is told to root'                 says "warning  cache: '$scratch/shown/c' is root's alone: no other user has a cache"
ok '... with the remedy'                 says "chown root:root '$scratch/shown/c' && chmod 1777"
ok 'one for all is in order'             succeeds in_cache "$scratch/shown/c" 1777
ok '... it says'                         says "ok       cache: '$scratch/shown/c', with a folder for each user"
ok 'one of a directory for each'         succeeds in_cache "$scratch/shown/c/\$UID" 755
ok '... is in order, too'                says "ok       cache: '$scratch/shown/c/0', made when it is needed"

# What a site denies is not suggested.
mkdir -p "$scratch/root/.firn"
echo '{"config": {"Volumes": {"/data": {}}}}' >"$scratch/root/.firn/config.json"
for word in writable-tmpfs overlay 'overlay writable-tmpfs'; do
	ok "inspect where '$word' is denied"   site "[users]\\ndeny = $word\\n" sh -c '"$1" inspect "$2" >"$0"' "$last" "$FIRN" "$scratch/root"
	ok '... tells of the volume'             says 'to write there   -B DIR:VOLUME'
	for option in $word; do
		ok "... without '--$option'"   says_not "--$option"
	done
done
ok 'the other one is told'               site '[users]\ndeny = overlay\n' sh -c '"$0" inspect "$1" | grep -qF "has the directory, --writable-tmpfs, too"' "$FIRN" "$scratch/root"

# site_link TARGET NAME COMMAND...: with NAME in the configuration's path a symlink to TARGET.
site_link() {
	unshare -Urm sh -c 'mount -t tmpfs none "$1" && mkdir -p "${2%/*}" && rm -rf "$2" && ln -s "$3" "$2" && shift 3 && exec "$@"' \
		sh "$above" "$2" "$1" "$FIRN" exec "$scratch/root" true
}
printf '%b' "$denied" >"$scratch/good"
chmod 644 "$scratch/good"
ok 'a file by a symlink is read'         site_link "$scratch/good" "$conf"
for name in "$conf" "${conf%/firn.conf}"; do
	ok "'$name' that leads nowhere: 125" status_is 125 site_link "$scratch/away" "$name"
	ok '... is named'                says "firn: cannot read '$conf': it is a symlink that leads nowhere"
done
ok 'a directory by a symlink may be empty' site_link "$scratch/shown" "${conf%/firn.conf}"
ok 'no directory is no file'             site '' sh -c 'rm -r "${0%/*}" && exec "$@"' "$conf" "$FIRN" exec "$scratch/root" true
ok '... nor is an empty one'             site '' sh -c 'rm "$0" && exec "$@"' "$conf" "$FIRN" exec "$scratch/root" true
ok 'a file in place of the directory: 125' status_is 125 site '' sh -c 'rm -r "${0%/*}" && : >"${0%/*}" && exec "$@"' "$conf" "$FIRN" exec "$scratch/root" true
ok '... is named'                        says "firn: cannot read '$conf': Not a directory"
ok 'a wrong bind of the site: 125'       status_is 125 site '[run]\nbind = /tmp\nbind = /scratch:optional\n' "$FIRN" exec "$scratch/root" true
ok '... with its line'                   says "'$conf' line 3: 'bind' cannot be '/scratch:optional'"

# Root's own file, in a namespace that does not know root.
foreign() {
	unshare -Urm sh -c 'mount -t tmpfs none "$1" && mkdir -p "${2%/*}" && : >"$2" && mount --bind "$3" "$2" && shift 3 && exec "$@"' \
		sh "$above" "$conf" "$@"
}
ok 'root'\''s file is read where root is not'  status_is 125 foreign /etc/passwd "$FIRN" exec "$scratch/root" true
ok '... to its first odd line'           says 'line 1 is not of the form KEY = VALUE'
ok 'in a namespace without users: 125'   status_is 125 unshare -U "$FIRN" exec "$scratch/root" true
ok '... says why'                        says 'no user is mapped'
ok 'a file of others to write is not'    status_is 125 site "$denied" sh -c 'chmod 666 "$0" && exec "$@"' "$conf" "$FIRN" exec "$scratch/root" true
ok '... and says why'                    says 'others can write to it'
done_testing
