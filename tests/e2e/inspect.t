#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn inspect: what an image is and says of itself.
. "${srcdir:-.}/tests/lib.sh"

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
if command -v python3 >/dev/null; then
	ok 'JSON is valid for any name' \
		sh -c '"$0" inspect --json "$1" | python3 -c "import json, sys; d = json.load(sys.stdin); assert d[\"kind\"] == \"squashfs\" and d[\"entrypoint\"][1] == \"two words\""' \
		"$FIRN" "$odd"
else
	skip 'JSON is valid for any name' 'python3 is not installed'
fi

echo '{"config": {"Env": 7}}' >"$scratch/root/.firn/config.json"
ok 'a wrong configuration fails'     status_is 125 firn inspect "$scratch/root"
ok 'and what is wrong is told'       says "'Env' of the OCI configuration is of the wrong type"
ok 'a missing image'                 status_is 125 firn inspect "$scratch/none"
ok 'gets one line'                   one_line
ok 'an unknown option'               status_is 125 firn inspect --jsn "$scratch/a.sqfs"
ok 'gets one line, too'              one_line
ok 'no image'                        status_is 125 firn inspect
ok 'two images'                      status_is 125 firn inspect "$scratch/a.sqfs" "$scratch/a.sqfs"
ok '--help'                          succeeds firn inspect --help
done_testing
