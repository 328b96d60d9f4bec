#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn inside of what others (and firn) make, where the machine's root is unknown: an image, a
# directory, and what doctor says.
. "${srcdir:-.}/tests/lib.sh"
needs unshare -Urm true
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
bin=$(dirname "$FIRN")

# works NAME WORDS...: all three, behind these words.
works() {
	name=$1
	shift
	ok "$name: an image"               prints 'a b' "$@" "$FIRN" exec "$scratch/small.sqfs" probe args 'a b'
	ok "$name: a directory"            prints 'a b' "$@" "$FIRN" exec "$scratch/root" probe args 'a b'
	ok "$name: doctor"                 succeeds "$@" "$FIRN" doctor
	ok "$name: ... says so"            says 'firn exec can work here'
}
# lacks_fuse NAME REMEDY WORDS...: there is no device for an image.
lacks_fuse() {
	name=$1 remedy=$2
	shift 2
	ok "$name: a directory"            prints 'a b' "$@" "$FIRN" exec "$scratch/root" probe args 'a b'
	ok "$name: no image"               status_is 125 "$@" "$FIRN" exec "$scratch/small.sqfs" true
	ok "$name: ... says why"           says "cannot open '/dev/fuse' (see 'firn doctor')"
	ok "$name: doctor"                 status_is 1 "$@" "$FIRN" doctor
	ok "$name: ... has the remedy"     says "remedy: $remedy"
}

works 'unshare -r' unshare -r
works 'unshare -c' unshare -c
works 'unshare with all' unshare -Urmpf --mount-proc

if command -v bwrap >/dev/null && bwrap --dev-bind / / true 2>/dev/null; then
	works bwrap bwrap --dev-bind / /
	works 'bwrap of its own' bwrap --ro-bind / / --dev /dev --dev-bind /dev/fuse /dev/fuse --proc /proc --unshare-all
	lacks_fuse 'bwrap --dev' '' bwrap --ro-bind / / --dev /dev --proc /proc
else
	skip 'bwrap' 'there is none that works'
fi

# The images of firn around are as small; they show the build as well.
inner() { firn exec "$@"; }
set -- -B "$bin" -B "$scratch"
"$FIRN" exec "$@" "$scratch/small.sqfs" "$FIRN" --version >"$last" 2>&1 ||
	skip_all 'this build needs libraries that a root of one program lacks'
works 'firn' inner "$@" "$scratch/small.sqfs"
works 'firn in a directory' inner "$@" "$scratch/root"
works 'firn --root' inner --root "$@" "$scratch/small.sqfs"
works 'firn --writable-tmpfs' inner --writable-tmpfs "$@" "$scratch/small.sqfs"
works 'firn in firn' inner "$@" "$scratch/small.sqfs" "$FIRN" exec "$@" "$scratch/small.sqfs"
works 'firn --contain with the device' inner --contain -B /dev/fuse "$@" "$scratch/small.sqfs"
lacks_fuse 'firn --contain' 'start the container around with: firn exec --bind /dev/fuse' inner --contain "$@" "$scratch/small.sqfs"

# podman needs a runtime that takes this machine's control groups.
podman=
mkdir -m 700 "$scratch/run" "$scratch/home"
for runtime in crun runc; do
	in_podman() {
		HOME=$scratch/home XDG_RUNTIME_DIR=$scratch/run timeout 120 podman --cgroup-manager=cgroupfs --runtime="$podman" \
			--storage-driver=vfs --root "$scratch/pods" --runroot "$scratch/run/pods" run --rm --network=host \
			-v "$bin:$bin:ro" -v "$scratch:$scratch:ro" "$@"
	}
	podman=$runtime
	run_last in_podman --rootfs "$scratch/root" /bin/probe args x && break
	podman=
done
if [ -n "$podman" ]; then
	works podman in_podman --device /dev/fuse --rootfs "$scratch/root"
	if grep -q "^$(id -un 2>/dev/null || id -u):" /etc/subuid; then
		works 'podman --userns=keep-id' in_podman --device /dev/fuse --userns=keep-id --rootfs "$scratch/root"
		works 'podman --user' in_podman --device /dev/fuse --user 1000 --rootfs "$scratch/root"
	else
		skip 'podman with other users' 'this one has no range in /etc/subuid'
	fi
	lacks_fuse 'podman without the device' 'start this container with: podman run --device /dev/fuse' in_podman --rootfs "$scratch/root"
else
	skip 'podman' "it does not work here: $(last_line "$last")"
fi
command -v podman >/dev/null && HOME=$scratch/home XDG_RUNTIME_DIR=$scratch/run podman unshare rm -rf "$scratch/pods" 2>/dev/null
done_testing
