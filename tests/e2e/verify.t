#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn verify: whatever is changed in an image that says what it was built from is found and named.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs python3 --version
needs sh -c 'command -v unsquashfs'
needs mksquashfs -version

HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache TMPDIR=$scratch/tmp
export HOME XDG_CACHE_HOME TMPDIR
mkdir "$HOME" "$TMPDIR"
make_small "$scratch/root"
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch" || exit 1
layout() {
	python3 "$srcdir/tests/images/mkoci.py" --tag latest \
		--config '{"config": {"Env": ["PATH=/bin", "A=b c"], "Entrypoint": ["/bin/probe"]}}' "$@"
}
layout "$scratch/oci" "$scratch/base.tar" "$scratch/changes.tar" || exit 1
image=$scratch/image.sqfs
firn build -q --all-root "$image" "oci:$scratch/oci" || exit 1

# changed COMMAND: firn verify fails with one line when COMMAND has worked on the image's files.
pack() {
	mksquashfs "$1" "$2" -all-root -noappend -quiet -no-progress -comp zstd ${3:+-p "$3"} >/dev/null 2>&1
}
work_on() {
	chmod -R u+rwX "$scratch/files" 2>/dev/null
	rm -rf "$scratch/files" "$scratch/other.sqfs"
	unsquashfs -no-progress -d "$scratch/files" "${2:-$image}" >/dev/null 2>&1
	(cd "$scratch/files" && eval "$1" && touch -hd @0 .firn .firn/* ch && { [ -h ch ] || touch -d @0 ch/*; }) 2>/dev/null
	touch -hr "$scratch/reference" "$scratch/files"
	pack "$scratch/files" "$scratch/other.sqfs" "${3:-}"
}
changed() { work_on "$@" && status_is 125 firn verify "$scratch/other.sqfs" && one_line; }
unsquashfs -no-progress -d "$scratch/reference" "$image" >/dev/null 2>&1
ok 'an image as it was built'       succeeds firn verify "$image"
ok 'is as recorded'                 says 'as recorded'
work_on :
ok 'so is one that others packed'   succeeds firn verify "$scratch/other.sqfs"

ok 'another entrypoint'             changed 'sed -i s,/bin/probe,/bin/true, .firn/config.json'
ok 'is found'                       says 'configuration (/.firn/config.json) was changed'
ok 'an environment with LD_PRELOAD' changed 'sed -i "s,A=b c,LD_PRELOAD=/x," .firn/config.json'
ok 'is found, too'                  says 'configuration (/.firn/config.json) was changed'
ok 'a blank more in it'             changed 'echo >>.firn/config.json'
ok 'is named'                       says 'configuration (/.firn/config.json) was changed'
ok 'a configuration that went'      changed 'rm .firn/config.json'
ok 'is missed'                      says 'configuration (/.firn/config.json) was removed'
ok 'one behind a link'              changed 'mv .firn/config.json etc/c; ln -s ../etc/c .firn/config.json; touch -hr ../reference/etc etc'
ok 'a configuration as a folder'    changed 'rm .firn/config.json; mkdir .firn/config.json'
ok 'a file more in /.firn'          changed 'echo >.firn/more'
ok 'is named so'                    says "'/.firn/more' was added or changed"
ok 'another mode there'             changed 'chmod 4755 .firn/config.json'
ok 'is named as well'               says "'/.firn/config.json' was added or changed"
ok 'another environment for Charliecloud' changed 'echo LD_PRELOAD=/x >>ch/environment'
ok 'is what was changed'            says 'what is in /ch (the environment for Charliecloud) was changed'
ok 'a file more in /ch'             changed 'echo >ch/more'
ok 'is noticed'                     says '/ch'
ok '/ch as a link'                  changed 'rm -r ch; ln -s etc ch'
ok 'is noticed, too'                says '/ch'
ok 'no /ch'                         changed 'rm -r ch'
ok 'is noticed as well'             says '/ch'
ok 'a file of the image'            changed 'echo x >>etc/passwd; touch -r ../reference/etc/passwd etc/passwd'
ok 'makes another tree'             says 'its tree is'
ok 'a file more'                    changed 'echo >etc/more; touch -r ../reference/etc etc'
ok 'another mode'                   changed 'chmod 755 etc/passwd'
ok 'another time'                   changed 'touch etc/passwd'
ok 'provenance of other layers'     changed "sed -i 's,\"layers\":..sha256:[0-9a-f]*,\"layers\":[\"sha256:$(printf '%064d' 0),' .firn/provenance.json"
ok 'is not that of the configuration' says 'another layer 1 than its configuration'
ok 'provenance without configuration' changed "sed -i 's/\"config\":[^,]*,//' .firn/provenance.json"
ok 'does not hide it'               says 'configuration (/.firn/config.json) was added'
ok 'no provenance'                  changed 'rm .firn/provenance.json'
ok 'is no image of ours'            says 'firn build did not make it'
if [ "$(id -u)" = 0 ]; then
	ok 'a device'                       changed 'mknod dev/sda b 8 0; touch -r ../reference/dev dev'
	ok 'has its name said'              says "the device '/dev/sda' was added"
	ok 'a capability'                   changed 'setfattr -n security.capability -v 0x0000000200000000000000000000000000000000 bin/probe'
	ok 'is an attribute more'           says 'its tree is'
else
	ok 'a device'                       changed : "$image" '/dev/sda b 660 0 0 8 0'
fi

# Metadata that firn's own server does not need, and by which other readers would show something else.
plain=$scratch/plain.sqfs
work_on :
mksquashfs "$scratch/files" "$plain" -all-root -noappend -quiet -no-progress -noI -noF -noX >/dev/null 2>&1
ok 'metadata as it is'              succeeds firn verify "$plain"
for kind in $(python3 "$srcdir/tests/images/broken.py" list unlike); do
	python3 "$srcdir/tests/images/broken.py" make "$kind" "$plain" "$scratch/unlike.sqfs"
	ok "$kind is found"             status_is 125 firn verify "$scratch/unlike.sqfs"
	ok "$kind is told in a line"    one_line
done
python3 "$srcdir/tests/images/broken.py" make number-shared "$plain" "$scratch/unlike.sqfs"
ok 'one number for two files'       status_is 125 firn verify "$scratch/unlike.sqfs"
ok 'is told with both'              says "and is no hard link"
ok 'and not packed anew'            status_is 125 firn build "$scratch/anew.sqfs" "$scratch/unlike.sqfs"

# An origin: what it says of itself, of the image and of the file's end. bent CHANGE: verify when it was bent.
cat >"$scratch/bend.py" <<'END'
import hashlib, json, struct, sys
data = open(sys.argv[1], "rb").read()
used = struct.unpack_from("<Q", data, 40)[0]
end = used + 4095 & ~4095
sums = ["sha256:" + hashlib.sha256(bytes([n])).hexdigest() for n in range(4)]
origin = {"reference": "docker://example.org/a@" + sums[0], "index": sums[0], "manifest": sums[1], "config": sys.argv[3],
          "layers": [{"digest": sums[2], "size": 1}, {"digest": sums[3], "size": 1}],
          "image": "sha256:" + hashlib.sha256(data[:end]).hexdigest()}
flags, pad, behind = 0, 0, b""
exec(sys.argv[4])
text = json.dumps(origin).encode()
section = b"firnorig" + struct.pack("<IIQ", 1, flags, len(text)) + text
section += bytes(-len(section) % 4096 - 1) + bytes([pad]) + behind
open(sys.argv[2], "wb").write(data[:end] + section)
END
config=$(sed -n 's/.*"config":"\([^"]*\)".*/\1/p' "$scratch/reference/.firn/provenance.json")
bend() { python3 "$scratch/bend.py" "$image" "$scratch/bent.sqfs" "$config" "$1"; }
bent() { bend "$1" && status_is 125 firn verify "$scratch/bent.sqfs" && one_line && says "$2"; }
bend pass
ok 'an origin'                      succeeds firn verify "$scratch/bent.sqfs"
ok 'with flags'                     bent 'flags = 1' 'the origin has the unknown flags 1'
ok 'which inspect tells, too'       status_is 125 firn inspect "$scratch/bent.sqfs"
ok 'with other padding'             bent 'pad = 255' 'behind the origin stands what is not zeros'
ok 'which inspect tells, too'       status_is 125 firn inspect "$scratch/bent.sqfs"
ok 'with bytes behind'              bent 'behind = b"x" * 5000' '5000 bytes follow'
ok 'without its index'              bent 'del origin["index"]' "names 'docker://example.org/a@"
ok 'with another index'             bent 'origin["index"] = sums[3]' 'and index'
ok 'with an index that is none'     bent 'origin["index"] = "x"' 'by no digest'
ok 'with a manifest that is none'   bent 'origin["manifest"] = 5' 'by no digest'
ok 'with a tag for a digest'        bent 'origin["reference"] = "docker://example.org/a:1"' 'and index'
ok 'with another configuration'     bent 'origin["config"] = sums[3]' 'name other configurations'
ok 'without layers'                 bent 'origin["layers"] = []' 'names 2 layers, its origin 0'
ok 'with each of them twice'        bent 'origin["layers"] *= 2' 'names 2 layers, its origin 4'
ok 'with one that is none'          bent 'origin["layers"][1] = 5' 'has a layer 2 without a digest'
bend pass
truncate -s -100 "$scratch/bent.sqfs"
ok 'cut in its padding'             status_is 125 firn verify "$scratch/bent.sqfs"
ok 'is told'                        says 'the origin is cut off'
for size in 1 4096; do
	{ cat "$image"; head -c $size /dev/zero; } >"$scratch/bent.sqfs"
	ok "$size bytes behind an image"    status_is 125 firn verify "$scratch/bent.sqfs"
	ok 'are told'                       says "$size bytes follow that are not part of it"
done
cp "$image" "$scratch/bent.sqfs"
printf x | dd of="$scratch/bent.sqfs" bs=1 seek=$(($(stat -c %s "$image") - 1)) conv=notrunc 2>/dev/null
ok 'its padding'                    status_is 125 firn verify "$scratch/bent.sqfs"
ok 'is zeros'                       says 'behind the squashfs stands what is not zeros'

# A seal has a length, and nothing behind it. Its hashes are of nothing here: nobody looks at them.
sealed() { # sealed CHANGE: by Python, of the superblock's fields
	python3 - "$image" "$scratch/sealed.sqfs" "$1" <<-'END' && run_last "$FIRN" verify "$scratch/sealed.sqfs"
		import struct, sys
		image = open(sys.argv[1], "rb").read()
		magic, version, kind, name, data, block, salt, pad, behind = b"verity\0\0", 1, 1, b"sha256", 4096, 4096, b"s" * 32, b"", b""
		blocks = len(image) // data
		tree = [blocks]
		while tree[-1] > 1:
		    tree.append(-(-tree[-1] // (block // 32)))
		hashes = b"h" * (block * sum(tree[1:]))
		exec(sys.argv[3])
		head = magic + struct.pack("<II16s32sIIQH6s256s", version, kind, b"u" * 16, name, data, block, blocks, len(salt), b"", salt) + pad
		open(sys.argv[2], "wb").write(image + head.ljust(block, b"\0") + hashes + behind)
	END
}
is_sealed() { sealed "$1" && says 'the hashes behind it are not checked'; }
ok 'an image with a seal'           is_sealed pass
ok '... of another algorithm'       is_sealed 'name, block = b"sha1", 4096'
ok '... or of smaller blocks'       is_sealed 'block = 512; hashes = b"h" * 512 * sum(-(-blocks // 16 ** i) for i in range(1, 9) if i == 1 or blocks > 16 ** (i - 1))'
unsealed() { ! sealed "$1" && one_line && says "$2"; }
ok 'eight bytes are no seal'        unsealed 'head = 0; hashes = b""; pad = b"junk" * 900' 'what is not zeros'
ok 'bytes behind it'                unsealed 'behind = b"x" * 77' '77 bytes follow'
ok 'a seal cut off'                 unsealed 'hashes = hashes[:-1]' 'the seal is cut off'
ok 'one of less than the image'     unsealed 'blocks -= 1' 'the seal is not of this image'
ok 'one of more'                    unsealed 'blocks += 1' 'the seal is not of this image'
ok 'one of blocks without a size'   unsealed 'data = 0' 'of a kind that is not known'
ok 'of an unknown version'          unsealed 'version = 2' 'of a kind that is not known'
ok 'of an unknown algorithm'        unsealed 'name = b"md5"' 'of a kind that is not known'
ok 'with something behind its salt' unsealed 'pad = b"x"' 'what is not zeros'

# A layer that brings a /ch of its own: its digest is recorded.
mkdir -p "$scratch/own/ch"
echo own >"$scratch/own/ch/environment"
tar -C "$scratch/own" --owner=0 --group=0 -cf "$scratch/own.tar" ch
layout "$scratch/own-oci" "$scratch/base.tar" "$scratch/own.tar" || exit 1
firn build -q --all-root "$scratch/own.sqfs" "oci:$scratch/own-oci" || exit 1
ok 'a /ch of a layer'               succeeds firn verify "$scratch/own.sqfs"
ok 'is built again'                 succeeds firn verify --rebuild --from "oci:$scratch/own-oci" "$scratch/own.sqfs"
ok 'changed'                        changed 'echo more >>ch/environment' "$scratch/own.sqfs"
ok 'it is noticed'                  says '/ch'

# Built again, from what the user names and from nothing else.
ok 'from its source'                succeeds firn verify --rebuild --from "oci:$scratch/oci" "$image"
ok 'come the same bytes'            says 'the same bytes'
ok 'nothing is recorded of a layout' status_is 125 firn verify --rebuild "$image"
ok 'which is told'                  says 'name one with --from'
# claims SOURCE: the image with an origin that names it.
claims() {
	python3 - "$image" "$scratch/claims.sqfs" "$1" <<-'END'
		import hashlib, json, struct, sys
		data = open(sys.argv[1], "rb").read()
		end = struct.unpack_from("<Q", data, 40)[0] + 4095 & ~4095
		text = json.dumps({"reference": sys.argv[3], "image": "sha256:" + hashlib.sha256(data[:end]).hexdigest()}).encode()
		section = b"firnorig" + struct.pack("<IIQ", 1, 0, len(text)) + text
		open(sys.argv[2], "wb").write(data[:end] + section + bytes(-len(section) % 4096))
	END
}
refused() {
	claims "$1" && succeeds firn verify "$scratch/claims.sqfs" &&
		status_is 125 firn verify --rebuild "$scratch/claims.sqfs" && one_line && says "$2" && says '--from'
}
manifest=sha256:$(printf '%064d' 0)
ok 'a folder that it names'         refused "dir:$HOME" 'which no build records'
ok 'a path that it names'           refused "$HOME" 'which no build records'
ok 'a layout that it names'         refused "oci:$scratch/oci" 'which no build records'
ok 'another engine that it names'   refused "podman:x" 'which no build records'
ok 'a host that is not known'       refused "docker://registry.example.org/a@$manifest" 'nothing was fetched from that host before'
ok 'a service of this machine'      refused "docker://127.0.0.1:9/a@$manifest" 'nothing was fetched from that host before'
ok 'under its name, too'            refused "docker://localhost:9/a@$manifest" 'nothing was fetched from that host before'
claims "docker:///a"
ok 'a host that is none'            status_is 125 firn verify --rebuild "$scratch/claims.sqfs"
claims "dir:$HOME"
ok 'but what the user names'        succeeds firn verify --rebuild --from "oci:$scratch/oci" "$scratch/claims.sqfs"
printf '[registry "registry.example.org:9"]\nmirror = https://127.0.0.1:9/\n' >"$scratch/conf"
chmod 644 "$scratch/conf"
claims "docker://registry.example.org:9/a@$manifest"
ok 'a host that firn.conf lists'    status_is 125 firn verify --rebuild --no-cache --config "$scratch/conf" "$scratch/claims.sqfs"
ok 'is asked'                       says "'registry.example.org:9':"

printf '[build]\nmax-memory = 1K\n' >"$scratch/little"
mkdir "$scratch/many"
(cd "$scratch/many" && seq 3000 | xargs touch)
firn build -q "$scratch/many.sqfs" "dir:$scratch/many"
ok 'many names are read'            succeeds firn verify "$scratch/many.sqfs"
ok '... but not without limit'      status_is 125 firn verify --config "$scratch/little" "$scratch/many.sqfs"
ok '... by the limit of a build'    says "(firn.conf's [build] max-memory)"

# What reads the image is in a cage: a fault is one line, and what takes it over gets nowhere.
hooked=$tools/firn_build_hooked
hook() { # hook NAME: of an image with a file of that name
	rm -rf "$scratch/hook" "$scratch/hook.sqfs"
	mkdir -p "$scratch/hook"
	echo >"$scratch/hook/$1"
	squash "$scratch/hook" "$scratch/hook.sqfs"
	shift
	"$@" "$hooked" verify "$scratch/hook.sqfs"
}
gone() { [ -z "$(helpers 'firn_build_hook|firn-build')" ]; }
ok 'an image that crashes its reader'   status_is 125 hook crash env
ok '... is told in one line'            one_line
ok '... with its name'                  says "'$scratch/hook.sqfs' cannot be read: the process that read it "
ok '... and no process is left'         gone
case $(printf '%s' "${ASAN_OPTIONS:-}")$(ldd "$hooked" 2>/dev/null) in
*libasan*) skip 'the cage' 'a sanitizer needs more calls' ;;
*)
	ok 'the cage holds'             status_is 125 hook escape env
	ok '... whatever is tried'      says 'of 40 attempts 40 were refused'
	;;
esac
older() { calls=$1; shift; "$tools/enosys" "$calls" "$FIRN" verify "$@" "$image"; }
printf '[server]\ncage = require\n' >"$scratch/require"
chmod 644 "$scratch/require"
ok 'a kernel without Landlock will do'  succeeds older landlock_create_ruleset -v
ok '... and is told to who asks'        says "'$image' is read without Landlock, which this kernel lacks"
ok 'one without seccomp, too'           succeeds older seccomp
ok 'a whole cage can be required'       succeeds firn verify --config "$scratch/require" "$image"
ok '... and is an error without Landlock' status_is 125 older landlock_create_ruleset --config "$scratch/require"
ok '... in one line'                    one_line
ok '... that says so'                   says 'cannot use Landlock: Function not implemented'
case $(ldd "$hooked" 2>/dev/null) in
*libasan*) ;;
*) ok '... or without seccomp'          status_is 125 older seccomp --config "$scratch/require" ;;
esac
done_testing
