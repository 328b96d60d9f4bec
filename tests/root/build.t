#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# What only root can set up for firn build: the kernel mounts what it made, and disks are full.
. "${srcdir:-.}/tests/lib.sh"
needs_python
[ "$(id -u)" = 0 ] || skip_all 'needs root'
needs firn build --help

user=${user_id:-61234}
make_small "$scratch/root"
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch" || exit 1
python3 "$srcdir/tests/images/mkoci.py" "$scratch/oci" "$scratch/base.tar" "$scratch/changes.tar" || exit 1
chmod -R a+rX "$scratch/oci"
mkdir "$scratch/users" "$scratch/mnt" "$scratch/full" "$scratch/flat"
chown "$user:$user" "$scratch/users"
as_user() {
	env HOME="$scratch/users" setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs "$@"
}
umount_all() {
	umount "$scratch/mnt" "$scratch/full" 2>/dev/null
	cleanup
}
trap umount_all EXIT

ok 'a user builds an image'     succeeds as_user "$FIRN" build -q "$scratch/users/a.sqfs" "oci:$scratch/oci"
ok 'the kernel mounts it'       succeeds mount -t squashfs -o loop,ro "$scratch/users/a.sqfs" "$scratch/mnt"
tar -C "$scratch/flat" --xattrs -xf "$scratch/flat.tar"
"$tools/treehash" "$scratch/flat" >"$scratch/wanted"
"$tools/treehash" "$scratch/mnt" /.firn /ch /home /mnt /run /etc/hosts /etc/resolv.conf >"$scratch/found"
# The root itself is nobody's entry.
ok 'and shows what was put in'  sh -c 'sed 1d "$0" >"$0.a" && sed 1d "$1" >"$1.b" && diff "$0.a" "$1.b"' "$scratch/wanted" "$scratch/found"
umount "$scratch/mnt"

full() {
	mount -t tmpfs -o "size=$1,mode=1777" none "$scratch/full"
}
nothing_left() { [ -z "$(ls -A "$scratch/full")" ]; }
full 512k
ok 'a full disk fails the build' status_is 125 as_user "$FIRN" build -q "$scratch/full/a.sqfs" "oci:$scratch/oci"
ok 'by one line'                 one_line
ok 'that names the cause'        says 'No space left on device'
ok 'and nothing is left'         nothing_left
ok 'a full $TMPDIR fails it'     status_is 125 as_user env TMPDIR="$scratch/full" "$FIRN" build -q "$scratch/users/b.sqfs" "oci:$scratch/oci"
ok 'by one line'                 one_line
ok 'that names the cause'        says 'No space left on device'
ok 'and nothing is left there'   nothing_left
ok 'nor in place of the image'   sh -c '[ ! -e "$0" ]' "$scratch/users/b.sqfs"
echo precious >"$scratch/full/a.sqfs"
chown "$user" "$scratch/full/a.sqfs"
ok '--force on a full disk'      status_is 125 as_user "$FIRN" build -q --force "$scratch/full/a.sqfs" "oci:$scratch/oci"
ok 'keeps what was there'        prints precious cat "$scratch/full/a.sqfs"
umount "$scratch/full"

# A cache for all: a directory of root's, as /tmp is, with a folder for each.
shared=$scratch/shared
mkdir -m 1777 "$shared"
FIRN_CACHE=$shared
export FIRN_CACHE
ok 'a cache for all'            status_is 0 as_user "$FIRN" cache list
ok 'has a folder for the user'  [ "$(stat -c '%u %a' "$shared"/*)" = "$user 700" ]
own=$(basename "$shared"/*)
ok 'and one for another'        status_is 0 env HOME="$scratch/users" setpriv --reuid=12345 --regid=12345 --clear-groups "$FIRN" cache list
ok 'by number where there is no name' [ -d "$shared/12345/blobs" ]
ok 'and root'                   status_is 0 "$FIRN" cache list
ok 'by name'                    [ -d "$shared/root/blobs" ]
rm -rf "${shared:?}/$own"
mkdir "$shared/$own"
chown 12345 "$shared/$own"
ok 'a folder that another made first is not used' status_is 125 as_user "$FIRN" cache list
ok '... says whose it is'       says "'$shared/$own' is not used: it belongs to another user (12345)"
ok '... and the remedy'         says "as root: rm -r '$shared/$own'"
ok 'doctor tells it'            sh -c '"$@" | grep -F "warning  cache: '"'$shared/$own'"' is not used: it belongs to another user (12345)"' sh setpriv --reuid="$user" --regid="$user" --clear-groups env HOME="$scratch/users" "$FIRN" doctor
chmod 700 "$shared/$own"
ok 'nor one that cannot be looked into' status_is 125 as_user "$FIRN" cache list
ok '... says whose it is'       says 'it belongs to another user (12345)'
rm -rf "${shared:?}/$own"
mkdir "$scratch/users/bait"
chown "$user" "$scratch/users/bait"
ln -s "$scratch/users/bait" "$shared/$own"
ok 'nor a link to a place of the user' status_is 125 as_user "$FIRN" cache list
ok '... which gets nothing'     [ -z "$(ls -A "$scratch/users/bait")" ]
rm "$shared/$own"
mkdir -m 777 "$shared/$own"
chown "$user" "$shared/$own"
ok 'nor one that all can write to' status_is 125 as_user "$FIRN" cache list
ok '... says so'                says 'others can write to it (mode 0777)'
chmod 777 "$shared"
rmdir "$shared/$own"
ok 'a directory for all that is not sticky is not used' status_is 125 as_user "$FIRN" cache list
unset FIRN_CACHE
printf '[build]\ncache = %s/$UID/of-$USER\n' "$scratch/users" >"$scratch/conf"
ok 'a place with variables'     status_is 125 as_user env USER=bob "$FIRN" pull --config "$scratch/conf" 127.0.0.1:1/a "$scratch/users/none"
ok '... is each user'"'"'s own'     [ -d "$scratch/users/$user/of-bob/blobs" ]

# What is the same for all in firn.conf's line, no user makes: he would shut out the others.
as_other() { setpriv --reuid=12345 --regid=12345 --clear-groups env HOME="$scratch/users" "$@"; }
chmod 1777 "$shared"
for line in '%s/firn/$UID' '%s/firn/$USER/cache' '%s/firn'; do
	printf "[build]\\ncache = $line\\n" "$shared" >"$scratch/conf"
	ok "no cache by $line"          status_is 125 as_user env USER=ann "$FIRN" pull --config "$scratch/conf" 127.0.0.1:1/a "$scratch/users/none"
	ok '... is told, with the remedy' says "as root: mkdir -p '$shared/firn' && chmod 1777 '$shared/firn'; going on without a cache"
	ok '... nor does root'          status_is 125 "$FIRN" pull --config "$scratch/conf" 127.0.0.1:1/a "$scratch/users/none"
	ok '... and nothing is made'    [ ! -e "$shared/firn" ]
done
mkdir -m 1777 "$shared/firn"
for line in '%s/firn/$UID' '%s/firn/$UID-$USER/cache' '%s/firn'; do
	printf "[build]\\ncache = $line\\n" "$shared" >"$scratch/conf"
	for who in as_user as_other; do
		ok "$who has one by $line"      status_is 125 $who env USER=ann "$FIRN" pull --config "$scratch/conf" 127.0.0.1:1/a "$scratch/users/none"
		ok '... of his own'             says_not 'without a cache'
	done
	rm -rf "${shared:?}/firn"/*
done
chmod 700 "$shared/firn"
printf '[build]\ncache = %s/firn/$UID\n' "$shared" >"$scratch/conf"
ok 'one that only root may enter' status_is 125 as_user "$FIRN" pull --config "$scratch/conf" 127.0.0.1:1/a "$scratch/users/none"
ok '... is told, with the remedy' says "for all, as root: chown root:root '$shared/firn' && chmod 1777 '$shared/firn'; going on without a cache"
done_testing
