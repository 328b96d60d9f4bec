#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# What firn shows unasked never covers the image's own files by way of a symlink of the image: of
# squashfs, directories, the second engine and overlays alike.
. "${srcdir:-.}/tests/lib.sh"
needs firn doctor --quiet

# $place: where the test's directories are, for the host and as links in the image.
place=$scratch/place
root=$scratch/root
make_small "$root"
mkdir -p "$place/net/el7" "$place/net/el8/sub" "$place/proj/deep" "$place/home" "$place/bound" "$scratch/elsewhere"
echo 7 >"$place/net/el7/rel"
echo 8 >"$place/net/el8/rel"
ln -s net/el8 "$place/system"
for name in proj home bound; do echo host >"$place/$name/file"; done
mkdir -p "$root$place" "$root/opt/app" "$root/opt/empty/x" "$root/var/tmp"
echo image >"$root/opt/app/file"
ln -s "$place/net/el7" "$root$place/system"
for name in proj home bound; do ln -s /opt/app "$root$place/$name"; done
ln -s /opt/empty "$root$place/void"
mkdir "$place/void"
echo host >"$place/void/file"
ln -s loop "$root$place/loop"
mkdir "$place/loop"
printf 'passwd\n' >"$root/opt/passwd"
rm "$root/etc/passwd"
ln -s ../opt/passwd "$root/etc/passwd"
mkdir -p "$root/usr/share/zone"
echo zone >"$root/usr/share/zone/UTC"
ln -s /usr/share/zone/UTC "$root/etc/localtime"
ln -s /opt/app/file "$root/etc/hosts"
ln -s ../run/nowhere/resolv.conf "$root/etc/resolv.conf"
squash "$root" "$scratch/i.sqfs"
printf '[run]\nbind = %s\n' "$place/bound" >"$scratch/conf"
chmod 644 "$scratch/conf"
# The scratch folder is below /tmp, which is shown whole unless it is shown empty.
x() { "$FIRN" exec --home "$scratch/elsewhere:/home/me" --tmpfs /tmp $how "$@"; }
in_dir() { (cd "$1" && shift && "$@"); }

mkdir "$scratch/upper"
for kind in sqfs directory squashfuse tmpfs overlay; do
how=
image=$scratch/i.sqfs
case $kind in
directory) image=$root ;;
squashfuse) how='--engine squashfuse'; command -v squashfuse_ll >/dev/null || continue ;;
tmpfs) how=--writable-tmpfs ;;
overlay) how="--overlay $scratch/upper" ;;
esac
ok "$kind: the image's passwd stays what its link leads to"  prints passwd x "$image" probe cat /opt/passwd
ok "$kind: ... and the user is in /etc/passwd" sh -c '"$@" | grep -q "^[^:]*:x:$(id -u):" && "$@" | grep -qx passwd' sh "$FIRN" exec $how "$image" probe cat /etc/passwd
ok "$kind: the image's zone stays"           prints zone x "$image" probe cat /usr/share/zone/UTC
ok "$kind: ... and the time is the host's"   sh -c '"$@" | cmp -s - /etc/localtime' sh "$FIRN" exec $how "$image" probe cat /etc/localtime
ok "$kind: hosts is the host's"              prints "$(cat /etc/hosts)" x "$image" probe cat /etc/hosts
ok "$kind: ... and not where the image's leads" prints image x "$image" probe cat /opt/app/file
ok "$kind: a dangling resolv.conf is the host's" prints "$(cat /etc/resolv.conf)" x "$image" probe cat /etc/resolv.conf
done

# Not below /tmp, so that nothing covers the place but what is looked at here.
place=$(mktemp -d /var/tmp/firn-links.XXXXXX)
trap 'rm -rf "$place"; cleanup' EXIT
cp -a "$scratch/place/." "$place/"
mv "$root$scratch/place" "$scratch/links"
mkdir -p "$root$place"
cp -a "$scratch/links/." "$root$place/"
rm "$root$place/system"
ln -s "$place/net/el7" "$root$place/system"
squash "$root" "$scratch/i.sqfs"
printf '[run]\nbind = %s\n' "$place/bound" >"$scratch/conf"
x() { "$FIRN" exec $how "$@"; }
for kind in sqfs directory squashfuse tmpfs overlay; do
how=
image=$scratch/i.sqfs
case $kind in
directory) image=$root ;;
squashfuse) how='--engine squashfuse'; command -v squashfuse_ll >/dev/null || continue ;;
tmpfs) how=--writable-tmpfs ;;
overlay) rm -rf "$scratch/upper"; mkdir "$scratch/upper"; how="--overlay $scratch/upper" ;;
esac
ok "$kind: a cwd that is a link in the image"        prints image in_dir "$place/proj" x "$image" probe cat /opt/app/file
ok "$kind: ... is where the program starts all the same" prints host in_dir "$place/proj" x "$image" probe cat file
ok "$kind: ... by another name"                      prints /.firn/cwd in_dir "$place/proj" x "$image" probe cwd
ok "$kind: ... and PWD says so"                      prints /.firn/cwd in_dir "$place/proj" x "$image" probe env PWD
ok "$kind: a cwd below a link"                       prints image in_dir "$place/proj/deep" x "$image" probe cat /opt/app/file
ok "$kind: ... leaves no trace there"                denied in_dir "$place/proj/deep" x "$image" probe cat /opt/app/deep
ok "$kind: a link that is another one in the image"  prints 7 in_dir "$place/system" x -B "$place/net" "$image" probe cat "$place/net/el7/rel"
ok "$kind: ... the program starts in the host's"     prints 8 in_dir "$place/system" x -B "$place/net" "$image" probe cat rel
ok "$kind: ... by its own name"                      prints "$place/net/el8" in_dir "$place/system" x -B "$place/net" "$image" probe cwd
ok "$kind: ... and the image's link is the image's"  prints 7 in_dir "$place/system" x -B "$place/net" "$image" probe cat "$place/system/rel"
ok "$kind: a cwd that is a loop in the image"        prints "$place/loop:" sh -c 'cd "$1/loop" && shift && echo "$PWD:$("$@")"' sh "$place" "$FIRN" exec $how "$image" probe true
ok "$kind: a home that is a link in the image"       prints image env HOME="$place/home" "$FIRN" exec $how "$image" probe cat /opt/app/file
ok "$kind: ... an empty one"                         prints image env HOME="$place/home" "$FIRN" exec --no-home $how "$image" probe cat /opt/app/file
ok "$kind: ... is left out with a word"              succeeds env HOME="$place/home" "$FIRN" exec $how "$image" probe true
ok "$kind: ... that names it"                        says "'$place/home' is not shown: a symlink of the image leads to files of its own there"
ok "$kind: a home through a link to nothing is shown" prints host env HOME="$place/void" "$FIRN" exec $how "$image" probe cat "$place/void/file"
ok "$kind: a home that is a loop does not stop it"   prints image env HOME="$place/loop" "$FIRN" exec $how "$image" probe cat /opt/app/file
ok "$kind: a configured bind"                        prints image x --config "$scratch/conf" "$image" probe cat /opt/app/file
ok "$kind: what is named goes where the link leads"  prints host x -B "$place/bound" "$image" probe cat /opt/app/file
done

how=

# A site's directories that link to each other.
mkdir "$place/sw"
ln -s "$place/net/el7" "$place/sw/apps"
printf '[run]\nbind = %s\nbind = %s\nbind = %s\n' "$place/net" "$place/sw" "$place/sw/apps" >"$scratch/conf"
for image in "$scratch/i.sqfs" "$root"; do
	ok 'a configured bind by way of another one'         prints 7 sh -c '"$@" 2>&1' sh "$FIRN" exec --config "$scratch/conf" "$image" probe cat "$place/sw/apps/rel"
done

# Temporary directories that are links to each other, or to something else.
export HOME=/
links() {
	rm -rf "$root/tmp" "$root/var/tmp"
	[ -z "$3" ] || mkdir -p "$root$3"
	ln -s "$2" "$root$1"
	squash "$root" "$scratch/i.sqfs"
}
for image in "$scratch/i.sqfs" "$root"; do
kind=${image##*.}
[ "$kind" = sqfs ] || kind=directory
links /var/tmp /tmp /tmp
ok "$kind: /var/tmp is /tmp: it starts without a word" prints '' in_dir "$place" sh -c '"$@" 2>&1' sh "$FIRN" exec "$image" probe true
ok "$kind: ... in the caller's directory"    prints 7 in_dir "$place" x "$image" probe cat net/el7/rel
ok "$kind: ... with --contain, too"          succeeds in_dir "$place" x --contain "$image" probe true
links /tmp /var/tmp /var/tmp
ok "$kind: /tmp is /var/tmp: it starts without a word" prints '' in_dir "$place" sh -c '"$@" 2>&1' sh "$FIRN" exec "$image" probe true
ok "$kind: ... in the caller's directory"    prints 7 in_dir "$place" x "$image" probe cat net/el7/rel
ok "$kind: ... and /tmp is the host's"       prints 7 x "$image" probe cat "$scratch/place/net/el7/rel"
ok "$kind: ... with --contain, too"          succeeds in_dir "$place" x --contain "$image" probe true
links /tmp /opt/app ''
ok "$kind: /tmp is a link to the image's files: they stay" prints image x "$image" probe cat /opt/app/file
ok "$kind: ... with --contain, too"          prints image x --contain "$image" probe cat /opt/app/file
done
done_testing
