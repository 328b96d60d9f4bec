# SPDX-License-Identifier: LGPL-3.0-or-later
# setup.sh - shared by quickstart and tests/run: packages, the ordinary user, the
# real images. Sourced, with $top as the top of the source tree.

# Everything that a user would do is done as this one: no account, no privilege.
user_id=${FIRN_TEST_UID:-61234}
images=${FIRN_TEST_CACHE:-/var/tmp/firn-images}

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }

# busy TEXT COMMAND...: say what is done, show a dot for each second of it and how long it took; if it fails, what it
# said, and the end.
busy() {
	printf '%s ' "$1"
	shift
	busy_log=$(mktemp "${TMPDIR:-/tmp}/firn-busy.XXXXXX")
	busy_since=$(date +%s)
	"$@" >"$busy_log" 2>&1 </dev/null &
	busy_process=$!
	while kill -0 "$busy_process" 2>/dev/null; do
		sleep 1
		printf '.'
	done
	if ! wait "$busy_process"; then
		printf '\n'
		tail -n 20 "$busy_log" >&2
		rm -f "$busy_log"
		die 'that failed'
	fi
	rm -f "$busy_log"
	say " $(($(date +%s) - busy_since)) s"
}

# missing KIND...: the packages of these kinds that are not installed.
missing() {
	for kind; do
		sed -n "s/^$kind //p" "$top/tests/packages"
	done | while read -r package; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
			printf '%s ' "$package"
	done
}

# install KIND...: install what is missing, as root or by sudo.
install() {
	list=$(missing "$@")
	[ -n "$list" ] || return 0
	say "installing: $list"
	command -v apt-get >/dev/null || die "please install: $list"
	sudo=
	if ! is_root; then
		sudo -n true 2>/dev/null || die "please install (as root): apt-get install $list"
		sudo=sudo
	fi
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	$sudo apt-get install -y --no-install-recommends $list >/dev/null 2>&1 || {
		$sudo apt-get update >/dev/null 2>&1
		$sudo apt-get install -y --no-install-recommends $list >/dev/null ||
			die "cannot install: $list"
	}
}

# as_user COMMAND...: as the ordinary user when we are root, with a home of its own in $home.
as_user() {
	if is_root; then
		env HOME="$home" USER=user LOGNAME=user PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			setpriv --reuid="$user_id" --regid="$user_id" --clear-groups --no-new-privs "$@"
	else
		"$@"
	fi
}

# /dev/fuse is open to all on every cluster (udev's rule); a bare machine may lack that.
open_fuse() {
	if is_root && [ -c /dev/fuse ] && [ "$(stat -c %a /dev/fuse)" != 666 ]; then
		say "opening /dev/fuse to all users, as udev does"
		chmod 0666 /dev/fuse
	fi
	[ -c /dev/fuse ] || { is_root && modprobe fuse 2>/dev/null; }
	[ -c /dev/fuse ] || die "there is no /dev/fuse: load the kernel's fuse module"
}

# copy_sources DIR: the tree as it is, without what was built in it.
copy_sources() {
	(cd "$top" && tar -cf - --exclude=./.git --exclude=./build --exclude='./build-*' --exclude=./sanitize --exclude=./analyze \
		--exclude='./autom4te.cache' .) | tar -xf - -C "$1"
}

# fresh_images: in continuous integration (CI=true) every root is made anew, so that one which can no
# longer be made is seen; below the clone, or where the ordinary user cannot go there, beside others' files.
fresh_images() {
	[ "${CI-}" = true ] && [ -z "${FIRN_TEST_CACHE-}" ] || return 0
	images=$top/build-images
	home=/ as_user test -x "$top" || images=/var/tmp/firn-images-anew
	rm -rf "$images"
}

# make_tree NAME SUITE            a real root directory, $images/NAME.dir, of a release of Debian
# make_tree NAME FROM PACKAGE...  the same of the root FROM, with packages more: apt finds what they
#                                 need, also what another package only provides, which debootstrap does not
# What cannot be made is told in one line; its tests skip, the others run.
make_tree() {
	[ -d "$images/$1.dir" ] && return 0
	is_root || { complain "$1" "it needs root once, for debootstrap"; return 1; }
	mkdir -p "$images"
	chmod 755 "$images"
	(
		flock 9
		[ -d "$images/$1.dir" ] && exit 0
		say "making root '$1' ($(shift && echo "$*")) in $images"
		rm -rf "$images/$1.tmp"
		fill_tree "$@" >"$images/$1.log" 2>&1 || { complain "$1" "$(cause "$images/$1.log")"; exit 1; }
		chmod 755 "$images/$1.tmp"
		mv "$images/$1.tmp" "$images/$1.dir"
	) 9>"$images/.$1.lock"
}
complain() { say "cannot make root '$1': $2"; }
cause() { printf '%s (see %s)' "$(grep -E '^(E|cp|debootstrap|mount|unshare|chroot): ' "$1" | tail -n 1)" "$1"; }

# fill_tree NAME SUITE|FROM [PACKAGE...]: $images/NAME.tmp; its output is for the log.
fill_tree() {
	tree=$images/$1.tmp from=$2
	shift 2
	if [ $# = 0 ]; then
		debootstrap --variant=minbase "$from" "$tree" || return 1
	else
		cp -a "$images/$from.dir" "$tree" || return 1
		add_packages "$tree" "$@" || return 1
	fi
	rm -rf "$tree/var/cache/apt/archives/"*.deb "$tree/var/cache/apt/"*.bin
}

# add_packages TREE PACKAGE...: nothing that is installed may start a service here.
add_packages() {
	tree=$1
	shift
	printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
	chmod 755 "$tree/usr/sbin/policy-rc.d"
	cp -L /etc/resolv.conf "$tree/etc/resolv.conf"
	in_tree "$tree" apt-get update -q && in_tree "$tree" apt-get install -q -y --no-install-recommends "$@" || return 1
	rm -f "$tree/usr/sbin/policy-rc.d"
}
in_tree() {
	# shellcheck disable=SC2016
	DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin unshare --mount sh -c \
		'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$@"
}

# make_image NAME TREE: the image $images/NAME.sqfs of the root $images/TREE.dir.
make_image() {
	[ -f "$images/$1.sqfs" ] && return 0
	(
		flock 9
		[ -f "$images/$1.sqfs" ] && exit 0
		say "making image '$1' in $images"
		mksquashfs "$images/$2.dir" "$images/$1.part" -comp zstd -Xcompression-level 6 \
			-b 128K -noappend -quiet -no-progress >"$images/$1.log" 2>&1 &&
			chmod 644 "$images/$1.part" && mv "$images/$1.part" "$images/$1.sqfs" ||
			{ say "cannot make image '$1': $(tail -n 1 "$images/$1.log") ($images/$1.log)"; exit 1; }
	) 9>"$images/.$1.lock"
}

# make_root NAME SUITE|FROM [PACKAGE...]: a root and its image.
make_root() {
	make_tree "$@" && make_image "$1" "$1"
}

# make_slurm: $images/slurm.dir, a newer system with its Slurm and all that firn is built with.
make_slurm() {
	# shellcheck disable=SC2046
	make_tree slurm trixie slurmctld slurmd slurm-client munge faketime strace \
		$(sed -n 's/^build //p' "$top/tests/packages") || return 1
	# Files for others to be mounted on: tests/tools/in_root shows the rest read-only.
	for file in hosts resolv.conf; do
		[ -e "$images/slurm.dir/etc/$file" ] || : >"$images/slurm.dir/etc/$file"
	done
}

# build_in ROOT DIR CONFIGURE-ARGUMENT...: as check does, with another system's compiler and libraries.
build_in() {
	root=$1 dir=$2
	shift 2
	"$top/tests/tools/in_root" "$root" env HOME="$home" setpriv --reuid="$user_id" --regid="$user_id" --clear-groups --no-new-privs \
		sh -c 'cd "$1" && shift && ../source/configure -q --enable-developer "$@" && make -s -j2 all tests/tools/probe tests/tools/one_hierarchy.so' sh "$dir" "$@"
}

# make_real: the image of three layers that is built, $images/real.oci, from two of the roots.
make_real() {
	[ -d "$images/real.oci" ] && return 0
	is_root || { say "not making the image 'real': that needs root once"; return 0; }
	(
		flock 9
		[ -d "$images/real.oci" ] && exit 0
		say "making the image 'real' of three layers in $images"
		{ python3 "$top/tests/images/mkreal.py" "$images" && chmod -R a+rX "$images/real.oci"; } >"$images/real.log" 2>&1 ||
			{ say "cannot make image 'real': $(tail -n 1 "$images/real.log") ($images/real.log)"; exit 1; }
	) 9>"$images/.real.lock"
}
