#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# What session-start has for a batch system's named containers: they outlive the step that made
# them, later steps need no image, and an image that changed since it was pinned is refused.
. "${srcdir:-.}/tests/lib.sh"
needs_python
needs firn doctor --quiet

make_small "$scratch/root"
small=$scratch/small.sqfs
squash "$scratch/root" "$small"
mkdir "$scratch/job" "$scratch/elsewhere"
enter() { timeout 30 "$tools/enter" 1 "$FIRN" session-start "$@"; }
named() { enter --name=job-7-work --hold-path="$scratch/job" "$@"; }

ok 'without a container a name is nothing'  fails named -- probe where
ok '... which is said'                      says "there is no container 'job-7-work' on this node"
ok 'an image makes one'                     succeeds named --writable-tmpfs "$small" -- probe where
place=$(cat "$last")
ok 'it lives on without any task'           test "$(servers)" = 1
ok 'its name is enough to enter it'         prints "$place" named -- probe where
ok 'so is the same image, from elsewhere'   prints "$place" sh -c 'cd "$1" && shift && "$@"' sh "$scratch/elsewhere" \
	timeout 30 "$tools/enter" 1 "$FIRN" session-start --name=job-7-work --hold-path="$scratch/job" --writable-tmpfs "$small" -- probe where
ok 'nothing asked for is as it was made'    prints "$place" named "$small" -- probe where
ok 'the same asked for, too'                prints "$place" named --writable-tmpfs --asked=--x "$small" -- probe where
ok 'not with other options'                 fails named --asked=--x "$small" -- probe where
ok '... which is said'                      says "container 'job-7-work' was made with other options than --x, and holds what was written in it"
ok '... without the image as well'          fails named --asked=--x --root -- probe where
cp "$small" "$scratch/other.sqfs"
ok 'not with another image'                 fails named --writable-tmpfs "$scratch/other.sqfs" -- probe where
ok '... which is said, too'                 says "container 'job-7-work' exists, of '$small'"
ok 'another name is another container'      fails enter --name=job-7-other --hold-path="$scratch/job" -- probe where
ok '... which is not there'                 says "there is no container 'job-7-other' on this node"

# One in which nothing can be written stands for its image alone.
plain() { enter --name=job-7-plain --hold-path="$scratch/job" "$@"; }
ok 'a container that is read-only'          succeeds plain --bind="$scratch/elsewhere:/a" "$small" -- probe where
plain=$(cat "$last")
ok 'by its name'                            prints "$plain" plain -- probe where
ok 'with the same mounts'                   prints "$plain" plain --bind="$scratch/elsewhere:/a" --asked=--x -- probe where
ok 'with others it is another one'          succeeds plain --bind="$scratch/elsewhere:/b" --asked=--x -- probe where
ok '... indeed'                             test "$(cat "$last")" != "$plain"
ok '... with them'                          prints /b plain --bind="$scratch/elsewhere:/b" --cwd=/b --asked=--x -- probe cwd
ok '... but not to write to'                fails plain --writable-tmpfs --asked=--x -- probe where
ok '... which would be lost'                says 'what is written would not stay in it'
ok '... and the first is as it was'         prints /a plain --cwd=/a -- probe cwd
mv "$small" "$scratch/moved.sqfs"
ok 'its image may be gone'                  prints "$plain" plain -- probe where
ok '... but for another container'          fails plain --root --asked=--x -- probe where
cp "$scratch/other.sqfs" "$small"
ok '... of another file of that name'       fails plain --root --asked=--x -- probe where
ok '... which is said'                      says "image '$small' changed since container 'job-7-plain' was made of it"
mv "$scratch/moved.sqfs" "$small"
rmdir "$scratch/job"
ok 'it ends with the job'                   wait_for no_servers
ok 'a job that is over cannot hold one'     fails named "$small" -- probe where
ok '... which is said'                      says "cannot watch '$scratch/job'"
ok '... and leaves nothing'                 wait_for no_servers

# What the container is made of stays what it was, whatever becomes of the file.
mkdir "$scratch/job" "$scratch/root/.firn"
config() { printf '{"architecture":"amd64","os":"linux","config":{"Env":["MARK=%s"],"Cmd":["%s"]},"rootfs":{"type":"layers","diff_ids":[]}}' "$1" "$1" >"$scratch/root/.firn/config.json"; }
config old
squash "$scratch/root" "$scratch/marked.sqfs"
ok 'an image with a configuration'          succeeds named "$scratch/marked.sqfs" -- env
ok '... gives its environment'              says 'set MARK=old'
config new
squash "$scratch/root" "$scratch/next.sqfs"
mv "$scratch/next.sqfs" "$scratch/marked.sqfs"
ok 'its file is replaced: a name gives'     succeeds named -- env
ok '... the same as before'                 says 'set MARK=old'
ok '... and the path is another image now'  fails named "$scratch/marked.sqfs" -- env
rm "$scratch/marked.sqfs"
ok 'its file is removed: a name gives'      succeeds named -- env
ok '... the same as before'                 says 'set MARK=old'
echo 'no image' >"$scratch/marked.sqfs"
chmod 000 "$scratch/marked.sqfs"
ok 'there is something else: a name gives'  succeeds named -- env
ok '... the same as before'                 says 'set MARK=old'
rm -rf "$scratch/job" "$scratch/root/.firn"
wait_for no_servers
mkdir "$scratch/job"
config2() { mkdir -p "$scratch/root/.firn"; config "$1"; squash "$scratch/root" "$scratch/same.sqfs"; }
config2 old
ok 'an image that is written anew'          succeeds named "$scratch/same.sqfs" -- env
config2 new
ok '... in its own place: a name gives'     succeeds named -- env
ok '... the same as before'                 says 'set MARK=old'
rm -rf "$scratch/job" "$scratch/root/.firn"
wait_for no_servers

# The pin. Its words are what lib/image/identity.c prints; here from the file itself.
identity() {
	python3 - "$1" <<-'END'
		import hashlib, os, struct, sys
		data, stat = open(sys.argv[1], "rb").read(), os.stat(sys.argv[1])
		used, inodes = struct.unpack_from("<Q", data, 40)[0], struct.unpack_from("<Q", data, 64)[0]
		pieces = [data[96:inodes]]
		if inodes - 96 > 64 * 8192:
		    pieces = [data[at:at + 8192] for at in (96 + (inodes - 96 - 8192) // 63 * i for i in range(64))]
		digest = hashlib.sha256(b"".join([struct.pack("<Q", len(data)), data[:96], data[inodes:used], *pieces]))
		time = lambda ns: f"{ns // 10**9}.{ns % 10**9:09}"
		print(f"file:{stat.st_ino}:{stat.st_size}:{time(stat.st_mtime_ns)}:{time(stat.st_ctime_ns)}:{digest.hexdigest()}")
	END
}
pin=$(identity "$small")
ok 'the pinned image is taken'              succeeds enter --expect="$pin" "$small" -- probe where
ok 'so is a copy of it'                     succeeds enter --expect="$pin" "$scratch/other.sqfs" -- probe where
touch "$small"
chmod 600 "$small"
ok 'so is one of another time and mode'     succeeds enter --expect="$pin" "$small" -- probe where
printf x | dd of="$small" bs=1 seek=2000 conv=notrunc 2>/dev/null
ok 'one that was written to is not'         fails enter --expect="$pin" "$small" -- probe where
ok '... which is said'                      says "image '$small' changed since submission (it was written to, with other contents)"
echo new >"$scratch/root/new"
squash "$scratch/root" "$scratch/new.sqfs"
ok 'nor is another one'                     fails enter --expect="$pin" "$scratch/new.sqfs" -- probe where
ok '... which is said with its name'        says "image '$scratch/new.sqfs' changed since submission"
ok 'nor a directory'                        fails enter --expect="$pin" "$scratch/root" -- probe where
ok '... which is named'                     says "'$scratch/root'"
ok 'words that are no pin'                  fails enter --expect=12 "$small" -- probe where
ok '... are called that'                    says "--expect '12' is no identity"
ok 'nothing is left'                        wait_for no_servers
ok 'a name that is empty'          status_is 125 firn exec --session '' "$small" true
ok '... is an error'               says 'firn: --session needs a name that is not empty'
done_testing
