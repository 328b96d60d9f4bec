#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# What --json prints and what doc/json.md says of it: the same members, of the same types.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python

HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache TMPDIR=$scratch/tmp
export HOME XDG_CACHE_HOME TMPDIR
mkdir "$HOME" "$TMPDIR"
make_small "$scratch/root"
tar -C "$scratch/root" --owner=0 --group=0 -cf "$scratch/layer.tar" .
python3 "$srcdir/tests/images/mkoci.py" --tag latest --config '{"architecture": "amd64", "os": "linux", "created": "2024-02-03T04:05:06Z",
	"config": {"Env": ["PATH=/bin"], "Entrypoint": ["/bin/probe"], "Cmd": ["ids"], "User": "7", "WorkingDir": "/tmp",
	"Volumes": {"/data": {}, "/odd\u001b": {}}, "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}}}' "$scratch/oci" "$scratch/layer.tar" || exit 1

# described COMMAND: the members that the section of "firn COMMAND --json" describes, as lines NAME TYPE.
# checked COMMAND FILE...: each file is an object with members that are described, of their types; kept in $scratch/seen.
cat >"$scratch/check" <<'END'
import json, re, sys
doc, command, files = sys.argv[1], sys.argv[2], sys.argv[3:]
sections = re.split(r"^## ", open(doc).read(), flags=re.M)
section, = [s for s in sections if f"firn {command} --json" in s.split("\n")[0]]
described = dict(re.findall(r"^\| `(\w+)` \|(?: ([a-z ]+) \|)?", section, flags=re.M))
types = {"string": str, "number": int, "boolean": bool, "null": type(None), "list of strings": list, "list of objects": list}
seen, wrong = set(), []

def look(member, value):
    seen.add(member)
    if member not in described:
        wrong.append(f"'{member}' is not described")
    elif described[member] and not any(type(value) is types[t] for t in described[member].split(" or ")):
        wrong.append(f"'{member}' is {value!r}, not {described[member]}")
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            for inner, inner_value in item.items():
                look(inner, inner_value)
        elif type(item) is not str:
            wrong.append(f"'{member}' holds {item!r}")

for file in files:
    text = open(file).read()
    assert text.endswith("}\n"), text
    for member, value in json.loads(text).items():
        look(member, value)
wrong += [f"'{member}' is described, but was not seen" for member in sorted(set(described) - seen)]
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
END
checked() { run_last python3 "$scratch/check" "$srcdir/doc/json.md" "$@"; }
# json FILE STATUS WORD...: what firn WORD... prints into FILE; it ends with STATUS.
json() {
	to=$scratch/$1 wanted=$2
	shift 2
	"$FIRN" "$@" >"$to" 2>"$last"
	ended $? "$wanted" "$wanted"
}

image=$scratch/image.sqfs
ok 'build'                            json build 0 build -q --json "$image" "oci:$scratch/oci"
ok 'prints what is described'         checked build "$scratch/build"
ok 'sha256 is that of sha256sum'      grep -qF -e "\"sha256\": \"$(sha256sum <"$image" | cut -d' ' -f1)\"" "$scratch/build"

# As pulled: an origin behind the squashfs.
python3 - "$image" "$scratch/pulled.sqfs" <<-'END'
	import hashlib, json, struct, sys
	data = open(sys.argv[1], "rb").read()
	end = struct.unpack_from("<Q", data, 40)[0] + 4095 & ~4095
	digest = "sha256:" + "0" * 64
	text = json.dumps({"reference": "docker://example.org/a@" + digest, "tag": "1", "index": digest, "manifest": digest, "config": digest,
	                   "layers": [{"digest": digest, "size": 1}], "image": "sha256:" + hashlib.sha256(data[:end]).hexdigest()}).encode()
	section = b"firnorig" + struct.pack("<IIQ", 1, 0, len(text)) + text
	open(sys.argv[2], "wb").write(data[:end] + section + bytes(-len(section) % 4096))
END
ok 'verify'                           json verify 0 verify --json --rebuild --from "oci:$scratch/oci" "$image"
ok 'says yes'                         grep -q '"verified": true' "$scratch/verify"
ok '... and the sha256'               grep -qF -e "\"sha256\": \"$(sha256sum <"$image" | cut -d' ' -f1)\"" "$scratch/verify"
printf x | dd of="$scratch/pulled.sqfs" bs=1 seek=8 conv=notrunc 2>/dev/null # the time of creation
ok 'verify of what is wrong'          json verify-wrong 125 verify --json "$scratch/pulled.sqfs"
ok 'says so in JSON'                  grep -q '"verified": false' "$scratch/verify-wrong"
ok 'and to people'                    one_line
ok 'verify of what is not there'      json verify-none 125 verify --json "$scratch/none.sqfs"
ok 'says why'                         grep -q '"error": ".*No such file' "$scratch/verify-none"
ok 'verify prints what is described'  checked verify "$scratch/verify" "$scratch/verify-wrong" "$scratch/verify-none"

# A cache with an image that is there and one that is not.
mkdir -p -m 700 "$XDG_CACHE_HOME/firn"
ok 'cache list'                       json empty 0 cache list --json
manifest=$(python3 - "$scratch/oci" "$XDG_CACHE_HOME/firn" <<-'END'
	import json, os, shutil, sys
	source, cache = sys.argv[1:]
	entry = json.load(open(f"{source}/index.json"))["manifests"][0]
	blobs = f"{source}/blobs/sha256"
	for name in os.listdir(blobs):
	    shutil.copy(f"{blobs}/{name}", f"{cache}/blobs/sha256/{name}")
	entry["annotations"] = {"org.opencontainers.image.ref.name": "example.org/a:1"}
	gone = dict(entry, digest="sha256:" + "0" * 64, annotations={"org.opencontainers.image.ref.name": "example.org/gone:1"})
	json.dump({"schemaVersion": 2, "manifests": [entry, gone]}, open(f"{cache}/index.json", "w"))
	print(entry["digest"][7:])
END
)
touch -d @86400 "$XDG_CACHE_HOME"/firn/blobs/sha256/*
ok 'cache list of an image'           json list 0 cache list --json
ok 'prints what is described'         checked 'cache list' "$scratch/empty" "$scratch/list"
ok 'with the time of its last use'    grep -q '"used": "1970-01-02T00:00:00Z"' "$scratch/list"
ok 'none where it is gone'            grep -q '"used": null' "$scratch/list"
ok 'for people, too'                  succeeds firn cache list
ok 'as a date'                        grep -q "1970-01-02  sha256:$(echo "$manifest" | cut -c 1-12)  example.org/a:1\$" "$last"
ok 'cache gc'                         json gc 0 cache gc --keep 0 --json
ok 'prints what is described'         checked 'cache gc' "$scratch/gc"

# inspect: images of several origins, which together have all there is.
mkdir "$scratch/root/.singularity.d"
echo '{"org.label-schema.schema-version": "1.0"}' >"$scratch/root/.singularity.d/labels.json"
for file in runscript startscript test runscript.help Singularity; do
	printf '#!/bin/sh\n# %s\n' "$file" >"$scratch/root/.singularity.d/$file"
done
mkdir "$scratch/root/.singularity.d/env"
echo 'export A=1' >"$scratch/root/.singularity.d/env/10-a.sh"
squash "$scratch/root" "$scratch/root.sqfs"
python3 "$srcdir/tests/images/mksif.py" "$scratch/root.sqfs" "$scratch/app.sif" || exit 1
SOURCE_DATE_EPOCH=86400 "$FIRN" build -q --compress zstd:7 "$scratch/dated.sqfs" "oci:$scratch/oci" || exit 1
ok 'inspect of an image with its origin' json inspect-pulled 0 inspect --json "$scratch/pulled.sqfs"
ok '... of one with a date'           json inspect-dated 0 inspect --json "$scratch/dated.sqfs"
ok '... of a SIF'                     json inspect-sif 0 inspect --json "$scratch/app.sif"
ok '... of a directory'               json inspect-directory 0 inspect --json "$scratch/root"
ok '... of the labels and the help alone' json inspect-some 0 inspect --json --labels --helpfile "$scratch/app.sif"
ok '... which is all there is'        prints 'apptainer_labels helpfile' python3 -c 'import json, sys; print(*json.load(open(sys.argv[1])))' "$scratch/inspect-some"
ok 'print what is described'          checked inspect "$scratch/inspect-pulled" "$scratch/inspect-dated" "$scratch/inspect-sif" "$scratch/inspect-directory"
ok 'people see volumes'               succeeds firn inspect "$image"
ok '... each'                         says 'volumes          /data'
ok '... made harmless'                says 'volumes          /odd\033'
ok '... and how to write there'       says '--writable-tmpfs'
ok 'and ports'                        says 'exposed ports    80/tcp'
ok 'and user and directory'           sh -c 'grep -q "^user  *7\$" "$1" && grep -q "^workdir  */tmp\$" "$1"' sh "$last"
if firn doctor --help | grep -q -e --json; then
	"$FIRN" doctor --json >"$scratch/doctor" 2>"$last"
	ok 'doctor prints what is described' checked doctor "$scratch/doctor"
fi
done_testing
