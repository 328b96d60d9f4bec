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

# What Apptainer writes into its images.
rm -rf "$scratch/root/.firn"
mkdir "$scratch/root/.singularity.d/env"
cd "$scratch/root/.singularity.d" || exit 1
printf '#!/bin/sh\nexec "$@" \033[31m\n' >runscript
printf 'call it\n' >runscript.help
printf 'Bootstrap: docker\nFrom: x' >Singularity
printf 'export B=1\n' >env/90-b.sh
printf 'export A=1\n' >env/10-a.sh
printf 'export N=1\n' >env/none
cd "$OLDPWD" || exit 1
squash "$scratch/root" "$scratch/app.sqfs"
python3 "$srcdir/tests/images/mksif.py" "$scratch/app.sqfs" "$scratch/app.sif" || exit 1
for app in "$scratch/root" "$scratch/app.sqfs" "$scratch/app.sif"; do
	kind=${app##*[./]}
	ok "$kind: its files are told"       succeeds firn inspect "$app"
	ok '... the runscript'               says 'runscript        is there; --runscript shows it'
	ok '... help and definition'         sh -c 'grep -q "^helpfile " "$1" && grep -q "^deffile " "$1"' sh "$last"
	ok '... the environment'             prints '/.singularity.d/env/10-a.sh /.singularity.d/env/90-b.sh' sh -c 'echo $("$0" inspect "$1" | sed -n "s/^env scripts *//p")' "$FIRN" "$app"
	ok '... and nothing that is not there' denied grep -qE '^(test|startscript) ' "$last"
	ok "$kind: the runscript whole"      prints "$(cat "$scratch/root/.singularity.d/runscript")" firn inspect --runscript "$app"
	ok "$kind: the definition, as lines" prints "$(printf 'Bootstrap: docker\nFrom: x\n')" firn inspect -d "$app"
	ok "$kind: the environment in its order" prints "$(printf '==> /.singularity.d/env/10-a.sh <==\nexport A=1\n==> /.singularity.d/env/90-b.sh <==\nexport B=1')" firn inspect --environment "$app"
	ok "$kind: labels"                   prints 'org.label-schema.schema-version=1.0' firn inspect --labels "$app"
	ok "$kind: what it has not"          status_is 125 firn inspect --test "$app"
	ok '... is an error'                 says "firn: '$app' has no test"
done
ok 'a terminal is not driven'        sh -c 'python3 "$1/tests/tools/screen.py" 80x24 "$2" inspect --runscript "$3" | grep -qF "exec \"\$@\" ?[31m"' sh "$srcdir" "$FIRN" "$scratch/app.sif"
ok 'nearly an option'                status_is 125 firn inspect --runscrip "$scratch/app.sif"
ok '... is told'                     says "did you mean '--runscript'?"

ok '--help'                          succeeds firn inspect --help
done_testing
