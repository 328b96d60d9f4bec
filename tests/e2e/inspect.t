#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn inspect: what an image is and says of itself.
. "${srcdir:-.}/tests/lib.sh"
needs_python

make_small "$scratch/root"
mkdir -p "$scratch/root/.firn" "$scratch/root/.singularity.d"
cat >"$scratch/root/.firn/config.json" <<'END'
{"architecture": "amd64", "os": "linux", "created": "2024-02-03T04:05:06Z",
 "config": {"Env": ["PATH=/bin", "ODD=a\u001b[31m\"b"], "Entrypoint": ["/bin/probe", "two words"],
            "Cmd": ["ids"], "WorkingDir": "/tmp", "User": "4321", "Labels": {"org.example": "yes"}}}
END
echo '{"org.label-schema.schema-version": "1.0", "n": 7}' >"$scratch/root/.singularity.d/labels.json"
squash "$scratch/root" "$scratch/a.sqfs"

ok 'inspect reads a squashfs'        succeeds firn inspect "$scratch/a.sqfs"
ok 'its kind'                        says 'kind             squashfs'
ok 'its compression'                 says 'compression      zstd'
ok 'its block size'                  says '131072 (128 KiB)'
ok 'the entrypoint, word by word'    says "'/bin/probe' 'two words'"
ok 'the environment, made harmless'  says 'ODD=a\033[31m"b'
ok 'the labels'                      says 'org.example=yes'
ok "Apptainer's labels"              says 'org.label-schema.schema-version=1.0'
ok 'a directory too'                 succeeds firn inspect "$scratch/root"
ok 'with the same configuration'     says 'workdir          /tmp'

odd=$(printf '%s/b "\\\n\377.sqfs' "$scratch")
cp "$scratch/a.sqfs" "$odd"
ok 'JSON is valid for any name' \
	sh -c '"$0" inspect --json "$1" | python3 -c "import json, sys; d = json.load(sys.stdin); assert d[\"kind\"] == \"squashfs\" and d[\"entrypoint\"][1] == \"two words\""' \
	"$FIRN" "$odd"
ok 'in which bytes that are no UTF-8 can be told' \
	sh -c '"$0" inspect --json "$1" | python3 -c "import json, sys; assert json.load(sys.stdin)[\"image\"].endswith(\"/b \\\"\\\\\\n\\\\xff.sqfs\")"' \
	"$FIRN" "$odd"
# A configuration is JSON, which is UTF-8: anything else in it is an error, and nothing is shown for it.
not_utf8() {
	for text in "{\"config\": {\"Labels\": {\"a\": \"$1\"}}}" "{\"config\": {\"Labels\": {\"$1\": \"a\"}}}" \
		"{\"config\": {\"Env\": [\"A=$1\"]}}" "{\"config\": {\"Cmd\": [\"$1\"]}}"; do
		printf '%s' "$text" >"$scratch/root/.firn/config.json"
		status_is 125 firn inspect --json "$scratch/root" && one_line && says 'no valid JSON' || return 1
	done
}
ok 'a byte in a configuration that is no UTF-8' not_utf8 "$(printf 'a\377b')"
ok 'half of a pair, written out'     not_utf8 '\ud800'
ok '... the other'                   not_utf8 '\udc00'
ok 'a character that is cut off'     not_utf8 "$(printf 'a\303')"

echo '{"config": {"Env": 7}}' >"$scratch/root/.firn/config.json"
ok 'a wrong configuration fails'     status_is 125 firn inspect "$scratch/root"
ok 'and what is wrong is told'       says "'Env' of the OCI configuration is of the wrong type"
ok 'a missing image'                 status_is 125 firn inspect "$scratch/none"
ok 'gets one line'                   one_line
ok 'an unknown option'               status_is 125 firn inspect --jsn "$scratch/a.sqfs"
ok 'gets one line, too'              one_line
ok 'no image'                        status_is 125 firn inspect
ok 'two images'                      status_is 125 firn inspect "$scratch/a.sqfs" "$scratch/a.sqfs"
# What firn build writes into an image and behind it.
if firn build --help >/dev/null 2>&1; then
	echo '{"config": {"Cmd": ["ids"]}}' >"$scratch/root/.firn/config.json"
	HOME=$scratch SOURCE_DATE_EPOCH=86400 firn build -q --compress gzip:3 "$scratch/built.sqfs" "dir:$scratch/root"
	tree=$(HOME=$scratch SOURCE_DATE_EPOCH=86400 firn build -f --json --compress xz "$scratch/other.sqfs" "dir:$scratch/root" 2>/dev/null |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["tree_digest"])')
	ok 'an image of firn build'          succeeds firn inspect "$scratch/built.sqfs"
	ok 'the tree digest, of any codec'   says "tree digest      $tree"
	ok 'how it was compressed'           says 'compress         gzip:3'
	ok 'SOURCE_DATE_EPOCH'               says 'created          1970-01-02T00:00:00Z'
	ok 'that it is not sealed'           says 'sealed           no'
	tar cf "$scratch/layer.tar" -C "$scratch/root" .
	python3 "$srcdir/tests/images/mkoci.py" --tag t "$scratch/oci" "$scratch/layer.tar@gzip"
	HOME=$scratch firn build -q "$scratch/layered.sqfs" "oci:$scratch/oci:t"
	ok 'the layers of an OCI image'      succeeds firn inspect "$scratch/layered.sqfs"
	ok 'by the digest of their tar'      says "layers           sha256:$(sha256sum <"$scratch/layer.tar" | cut -d' ' -f1)"
	# A hash tree begins on the page behind the squashfs.
	truncate -s "%4096" "$scratch/layered.sqfs"
	printf 'verity\0\0' >>"$scratch/layered.sqfs"
	ok 'a seal is seen'                  succeeds firn inspect "$scratch/layered.sqfs"
	ok 'and told'                        says 'sealed           yes'
	cp "$scratch/built.sqfs" "$scratch/cut.sqfs"
	truncate -s "%4096" "$scratch/cut.sqfs"
	printf 'firnorig\1\0\0\0\0\0\0\0\377\0\0\0\0\0\0\0{' >>"$scratch/cut.sqfs"
	ok 'a damaged origin fails'          status_is 125 firn inspect "$scratch/cut.sqfs"
	ok 'and is told'                     says 'the origin is cut off'
	ok 'by no half an object'            prints '' sh -c '"$0" inspect --json "$1" || true' "$FIRN" "$scratch/cut.sqfs"
else
	skip 'images of firn build' 'firn-build is not there'
fi

ok '--help'                          succeeds firn inspect --help
done_testing
