#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn verify: what is not as it was built is found and named.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs python3 --version

HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache
export HOME XDG_CACHE_HOME
mkdir "$HOME"
make_small "$scratch/root"
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch" &&
	python3 "$srcdir/tests/images/mkoci.py" --tag latest "$scratch/oci" "$scratch/base.tar@plain" || exit 1
firn build -q --all-root "$scratch/good.sqfs" "oci:$scratch/oci:latest" || exit 1

# forged EXPRESSION: good.sqfs packed again, with what python makes of its unpacked $root.
forged() {
	rm -rf "$scratch/unpacked" "$scratch/forged.sqfs"
	unsquashfs -quiet -no-progress -d "$scratch/unpacked" "$scratch/good.sqfs" >/dev/null 2>&1
	(cd "$scratch/unpacked" && python3 -c "$1") &&
		mksquashfs "$scratch/unpacked" "$scratch/forged.sqfs" -noappend -quiet -no-progress -all-root -comp zstd >/dev/null 2>&1
}
config='import json; p = ".firn/config.json"; c = json.load(open(p))'

ok 'an image as it was built'          succeeds firn verify "$scratch/good.sqfs"
ok 'built from itself'                 succeeds firn build -q "$scratch/again.sqfs" "$scratch/good.sqfs"
ok 'it is as it was built, too'        succeeds firn verify "$scratch/again.sqfs"
ok 'a directory is one, too'           succeeds firn build -q "$scratch/dir.sqfs" "dir:$scratch/root"
ok 'without a configuration'           succeeds firn verify "$scratch/dir.sqfs"
if command -v unsquashfs >/dev/null && [ "$(id -u)" != 0 ]; then
	forged 'pass'
	ok 'packed again, it is the same'  succeeds firn verify "$scratch/forged.sqfs"
	forged "$config; c['config']['Entrypoint'] = ['/bin/evil']; json.dump(c, open(p, 'w'))"
	ok 'another entrypoint'            status_is 125 firn verify "$scratch/forged.sqfs"
	ok 'is named'                      says 'its configuration (/.firn/config.json) is sha256:'
	ok 'in one line'                   one_line
	forged "$config; c['config']['Env'] = c['config'].get('Env', []) + ['LD_PRELOAD=/x.so']; json.dump(c, open(p, 'w'))"
	ok 'a variable more'               status_is 125 firn verify "$scratch/forged.sqfs"
	forged 'import os; os.remove(".firn/config.json")'
	ok 'no configuration any more'     status_is 125 firn verify "$scratch/forged.sqfs"
	ok 'is named as well'              says 'its configuration (/.firn/config.json) is missing'
	forged 'import os; os.remove(".firn/config.json"); os.mkdir(".firn/config.json")'
	ok 'a directory in its place'      status_is 125 firn verify "$scratch/forged.sqfs"
	forged 'open(".firn/more", "w")'
	ok 'a file more beside it'         status_is 125 firn verify "$scratch/forged.sqfs"
	ok 'is named by its name'          says "'/.firn/more' is not of firn build's making"
	forged 'import os; os.makedirs("ch", exist_ok=True); open("ch/environment", "w").write("A=b\n")'
	ok 'what only Charliecloud reads'  succeeds firn verify "$scratch/forged.sqfs"
	ok 'gets a word'                   says "warning: '/ch/environment'"
else
	skip 'a changed configuration is found' 'that needs unsquashfs, and an ordinary user'
fi

# An image that names a file of this machine as its source.
origin() {
	python3 -c '
import struct, sys
text = sys.argv[2].encode()
data = open(sys.argv[1], "rb").read()
data += b"firnorig" + struct.pack("<IIQ", 1, 0, len(text)) + text
open(sys.argv[3], "wb").write(data + bytes(-len(data) % 4096))' "$1" "$2" "$3"
}
for source in "dir:$HOME" "dir:/" "tar:$scratch/base.tar" "$scratch/good.sqfs" "oci:$scratch/oci"; do
	origin "$scratch/good.sqfs" "{\"reference\": \"$source\"}" "$scratch/named.sqfs"
	ok "nothing is read because an image names it: ${source%%[:/]*}" status_is 125 firn verify --rebuild "$scratch/named.sqfs"
	ok 'the remedy is told'            says 'name it with --from'
done
ok 'without --rebuild it is no matter' succeeds firn verify "$scratch/named.sqfs"
ok 'named by the user it is read'      succeeds firn verify --rebuild --from "oci:$scratch/oci:latest" "$scratch/named.sqfs"
# A name that is no UTF-8, and JSON, which is nothing else.
odd=$scratch/$(printf 'odd\377')
# image_of FILE: what its JSON calls the image.
image_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1], encoding="utf-8"))["image"])' "$1"; }
ok 'a name that is no UTF-8'           sh -c '"$1" build -q --json "$2" "dir:$3" >"$4"' sh "$FIRN" "$odd.sqfs" "$scratch/root" "$scratch/json"
ok 'is told in valid JSON'             prints "$scratch/odd\\xff.sqfs" image_of "$scratch/json"
ok 'of verify as well'                 sh -c '"$1" verify --json "$2" >"$3"' sh "$FIRN" "$odd.sqfs" "$scratch/json"
ok 'the same'                          prints "$scratch/odd\\xff.sqfs" image_of "$scratch/json"
ok 'and of the cache'                  sh -c 'FIRN_CACHE=$2 "$1" cache list --json | python3 -m json.tool >/dev/null' sh "$FIRN" "$odd"
cp -r "$scratch/oci" "$odd-oci"
ok 'a source of such a name'           succeeds firn build -q --json "$scratch/of-odd.sqfs" "oci:$odd-oci:latest"
done_testing
