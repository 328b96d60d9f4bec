#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Small files of the host and of the user: names, network, and what variables of the host name.
. "${srcdir:-.}/tests/lib.sh"
needs firn doctor --quiet

make_small "$scratch/root"
rm "$scratch/root/etc/passwd" "$scratch/root/etc/group"
squash "$scratch/root" "$scratch/i.sqfs"
cp -a "$scratch/root" "$scratch/noetc"
rmdir "$scratch/noetc/etc"
debian=$(image debian.sqfs)
line="$(id -u):$(id -g)"

# Images that have none of them.
for kind in sqfs directory squashfuse noetc overlay; do
how=
image=$scratch/root
case $kind in
sqfs) image=$scratch/i.sqfs ;;
squashfuse) how='--engine squashfuse' image=$scratch/i.sqfs; command -v squashfuse_ll >/dev/null || continue ;;
noetc) image=$scratch/noetc ;;
overlay) mkdir "$scratch/upper"; how="--overlay $scratch/upper" ;;
esac
ok "$kind: passwd has the user"             sh -c '"$1" exec $3 "$2" probe cat /etc/passwd | grep -q ":x:$4:"' sh "$FIRN" "$image" "$how" "$line"
ok "$kind: group has his group"             sh -c '"$1" exec $3 "$2" probe cat /etc/group | grep -q ":x:$(id -g):"' sh "$FIRN" "$image" "$how"
ok "$kind: hosts is the host's"             prints "$(cat /etc/hosts)" firn exec $how "$image" probe cat /etc/hosts
ok "$kind: resolv.conf is the host's"       prints "$(cat /etc/resolv.conf)" firn exec $how "$image" probe cat /etc/resolv.conf
ok "$kind: with --contain, too"             prints "$(cat /etc/resolv.conf)" firn exec --contain $how "$image" probe cat /etc/resolv.conf
ok "$kind: but not with --frozen"           denied firn exec --frozen $how "$image" probe cat /etc/resolv.conf
done

# Files of the image that are large, or no files.
cp -a "$scratch/root" "$scratch/odd"
mkdir -p "$scratch/odd/etc"
seq 200000 | sed 's/.*/n&:x:&:&::\/:\/bin\/sh/' >"$scratch/odd/etc/passwd"
mkdir "$scratch/odd/etc/group"
ln -s loop "$scratch/odd/loop"
ln -s /loop/hosts "$scratch/odd/etc/hosts"
ln -s resolv.conf "$scratch/odd/etc/resolv.conf"
squash "$scratch/odd" "$scratch/odd.sqfs"
for image in "$scratch/odd.sqfs" "$scratch/odd"; do
	ok 'a passwd of some megabytes is shown whole' prints 200001 sh -c '"$1" exec "$2" probe cat /etc/passwd | wc -l' sh "$FIRN" "$image"
	ok '... with --contain, too'            prints 200001 sh -c '"$1" exec --contain "$2" probe cat /etc/passwd | wc -l' sh "$FIRN" "$image"
	ok 'links that lead nowhere are replaced' prints "$(cat /etc/hosts /etc/resolv.conf)" sh -c '"$1" exec "$2" probe cat /etc/hosts; "$1" exec --contain "$2" probe cat /etc/resolv.conf' sh "$FIRN" "$image"
done

# Something else than files in their places, or than a directory on the way to the host's.
mkdir "$scratch/dirs"
make_small "$scratch/dirs"
rm "$scratch/dirs/etc/passwd"
cp -a "$scratch/dirs" "$scratch/fifos"
mkdir "$scratch/dirs/etc/hosts" "$scratch/dirs/etc/resolv.conf" "$scratch/dirs/etc/passwd"
mkfifo "$scratch/fifos/etc/hosts" "$scratch/fifos/etc/resolv.conf" "$scratch/fifos/etc/passwd"
for of in dirs fifos; do
	squash "$scratch/$of" "$scratch/$of.sqfs"
	ok "$of are replaced"                   prints "$(cat /etc/hosts /etc/resolv.conf)" sh -c 'for f in hosts resolv.conf; do "$1" exec "$2" probe cat /etc/$f; done' sh "$FIRN" "$scratch/$of.sqfs"
	ok '... by what firn makes, too'        succeeds sh -c '"$1" exec "$2" probe cat /etc/passwd | grep -q ":$3:"' sh "$FIRN" "$scratch/$of.sqfs" "$(id -u)"
done
ok '... those of a directory, too'          prints "$(cat /etc/hosts)" firn exec "$scratch/fifos" probe cat /etc/hosts
ok '... but for a directory'                succeeds firn exec "$scratch/dirs" true
for file in hosts resolv.conf passwd; do
	ok "... which is told: $file"           says "'/etc/$file' is not shown: "
done
way() { rm -rf "$scratch/small/.firn"; mkdir -p "$scratch/small"; [ -e "$scratch/small/bin" ] || make_small "$scratch/small"; printf '#image\n' >"$scratch/small/etc/hosts"; "$@"; squash "$scratch/small" "$scratch/way.sqfs"; }
for kind in 'ln -s /tmp' 'ln -s /nosuch' 'touch'; do
	for at in .firn .firn/host; do
		way sh -c 'mkdir -p "${2%/*}" && $1 "$2"' sh "$kind" "$scratch/small/$at"
		ok "$at by '$kind': the image's file"  prints '#image' firn exec "$scratch/way.sqfs" probe cat /etc/hosts
		ok '... in a line'                     says "'/.firn/host' is not shown: "
	done
done

# Files that change while a container lives: written to, or replaced. An /etc of the test's own.
printf '#\n' >"$scratch/root/etc/resolv.conf"
printf '#\n' >"$scratch/root/etc/hosts"
squash "$scratch/root" "$scratch/i.sqfs"
cp -a /etc "$scratch/etc" 2>/dev/null
mkdir -p "$scratch/etc/net"
rm -f "$scratch/etc/hosts" "$scratch/etc/resolv.conf"
follows() { # follows FILE HOW OPTION... IMAGE: what is read of FILE once HOW has changed it.
	file=$1 change=$2
	shift 2
	echo before >"$scratch/etc/net/$file"
	case $change in
	linked*) rm -f "$scratch/etc/$file"; ln -s "net/$file" "$scratch/etc/$file"; to=$scratch/etc/net/$file ;;
	*) rm -f "$scratch/etc/$file"; echo before >"$scratch/etc/$file"; to=$scratch/etc/$file ;;
	esac
	rm -f "$scratch/in" "$scratch/out"
	mkfifo "$scratch/in" "$scratch/out"
	unshare -Urm sh -c 'mount --bind "$1" /etc && shift && exec "$@"' sh "$scratch/etc" \
		"$FIRN" exec "$@" probe later "/etc/$file" <"$scratch/in" >"$scratch/out" &
	exec 7>"$scratch/in" 8<"$scratch/out"
	read -r _ <&8
	case $change in
	*written) echo after >"$to" ;;
	*replaced) echo after >"$to.new"; mv "$to.new" "$to" ;;
	esac
	echo go >&7
	cat <&8
	exec 7>&- 8<&-
	wait $!
}
for file in hosts resolv.conf; do
	ok "$file that is written to is followed"       prints after follows $file written "$scratch/i.sqfs"
	ok "... that is replaced"                       prints after follows $file replaced "$scratch/i.sqfs"
	ok "... whose link's target is replaced"        prints after follows $file linked-replaced "$scratch/i.sqfs"
	ok "... by the second engine, if written to"    prints after follows $file written --engine squashfuse "$scratch/i.sqfs"
	ok "... in a directory, if written to"          prints after follows $file written "$scratch/root"
	ok "... with --contain, if written to"          prints after follows $file written --contain "$scratch/i.sqfs"
	ok "... it may be changed where all may be"     prints "$(cat /etc/$file; echo more)" firn exec --writable-tmpfs "$debian" sh -c "echo more >>/etc/$file && cat /etc/$file"
	ok "... and be bound over"                      prints hello sh -c 'echo hello >"$3/h" && "$1" exec -B "$3/h:/etc/$4" "$2" cat "/etc/$4"' sh "$FIRN" "$debian" "$scratch" $file
	echo hello >"$scratch/h"
	printf '[run]\nbind = %s:/etc/%s\n' "$scratch/h" $file >"$scratch/over"
	chmod 644 "$scratch/over"
	ok "... by the site, too"                       prints hello firn exec --config "$scratch/over" "$debian" cat /etc/$file
	ok "... without a word"                         prints hello sh -c '"$@" 2>&1' sh "$FIRN" exec --config "$scratch/over" "$debian" cat /etc/$file
	ok "... whatever becomes of the host's"         prints hello follows $file replaced -B "$scratch/h:/etc/$file" "$scratch/i.sqfs"
done
ok 'the host'\''s files cannot be written to'  denied firn exec "$debian" touch /.firn/host/hosts
ok '--contain shows no directory of them'   denied firn exec --contain "$scratch/i.sqfs" probe cat /.firn/host/hosts

# Variables that name files: shown, or dropped.
hidden=$(mktemp -d /var/tmp/firn-hidden.XXXXXX)
trap 'rm -rf "$hidden"; cleanup' EXIT
echo cookie >"$hidden/cookie"
cd /
for name in XAUTHORITY SSH_AUTH_SOCK X509_USER_PROXY; do
	ok "$name is shown"                 prints cookie env $name="$hidden/cookie" HOME=/ "$FIRN" exec "$scratch/i.sqfs" probe cat "$hidden/cookie"
	ok '... and passed'                 prints "$hidden/cookie" env $name="$hidden/cookie" HOME=/ "$FIRN" exec "$scratch/i.sqfs" probe env $name
	ok '... not if it is not there'     denied env $name="$hidden/none" HOME=/ "$FIRN" exec "$scratch/i.sqfs" probe env $name
	ok '... nor with --contain'         denied env $name="$hidden/cookie" HOME=/ "$FIRN" exec --contain "$scratch/i.sqfs" probe env $name
	ok '... in a directory image, too'  prints cookie env $name="$hidden/cookie" HOME=/ "$FIRN" exec "$scratch/root" probe cat "$hidden/cookie"
	ok '... and is shown alone'         denied env $name="$hidden/cookie" HOME=/ "$FIRN" exec -B /:/h "$scratch/i.sqfs" probe cat "$hidden/other"
done
ok 'a Kerberos cache likewise'              prints cookie env KRB5CCNAME="FILE:$hidden/cookie" HOME=/ "$FIRN" exec "$scratch/i.sqfs" probe cat "$hidden/cookie"
ok 'a bus that cannot be seen is dropped'   denied env DBUS_SESSION_BUS_ADDRESS="unix:path=$hidden/cookie" HOME=/ "$FIRN" exec "$scratch/i.sqfs" probe env DBUS_SESSION_BUS_ADDRESS
ok '... which -v says'                      succeeds env DBUS_SESSION_BUS_ADDRESS="unix:path=$hidden/cookie" HOME=/ "$FIRN" exec -v "$scratch/i.sqfs" probe true
ok '...'                                    says DBUS_SESSION_BUS_ADDRESS
ok '... but is passed where it is shown'    succeeds env DBUS_SESSION_BUS_ADDRESS="unix:path=$hidden/cookie" HOME=/ "$FIRN" exec -B "$hidden" "$scratch/i.sqfs" probe env DBUS_SESSION_BUS_ADDRESS

# Binds of the configuration.
printf '[run]\nbind = %s/none\nbind = %s/other:/other:ro,optional\n' "$scratch" "$scratch" >"$scratch/conf"
chmod 644 "$scratch/conf"
ok 'a configured bind that is missing'      succeeds firn exec --config "$scratch/conf" "$scratch/i.sqfs" probe true
ok '... is said'                            says "warning: configured bind '$scratch/none' is not shown: it is not on this machine"
ok '... unless it is optional'              says_not "/other"
ok '... and leaves no mount point'          denied firn exec -q --config "$scratch/conf" --contain -B /etc "$scratch/i.sqfs" probe cat "$scratch/none"
rm -f "$scratch/in"; mkfifo "$scratch/in"
ok 'one rank says it for all'               prints 1 sh -c '"$1" exec --session s$$ --config "$2" "$3" probe stay >"$4/o" 2>"$4/e1" <"$4/in" & exec 7>"$4/in"
	until [ -s "$4/o" ]; do :; done
	"$1" exec --session s$$ --config "$2" "$3" probe true 2>"$4/e2"; exec 7>&-; wait; cat "$4/e1" "$4/e2" | wc -l' sh "$FIRN" "$scratch/conf" "$scratch/i.sqfs" "$scratch"
done_testing
