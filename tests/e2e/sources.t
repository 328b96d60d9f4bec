#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# What images are made of: archives through pipes and packed in every way, told by what is in
# them; the names of images in them; other engines' stores.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs python3 --version
needs zstd --version

HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache TMPDIR=$scratch/tmp
export HOME XDG_CACHE_HOME TMPDIR
mkdir "$HOME" "$TMPDIR" "$scratch/out" "$scratch/bin"
out=$scratch/out/image
python3 - "$srcdir/tests/images" "$scratch" <<-'END' || exit 1
	import bz2, gzip, hashlib, json, lzma, os, subprocess, sys
	sys.dont_write_bytecode = True
	sys.path.insert(0, sys.argv[1])
	import mkoci
	from mkoci import Image, Layer
	from mktar import END, dir_, file, symlink
	at = lambda name: os.path.join(sys.argv[2], name)
	def write(name, data):
	    with open(at(name), "wb") as out:
	        out.write(data)
	def read(name):
	    with open(at(name), "rb") as data:
	        return data.read()

	root = dir_("usr") + file("usr/data", bytes(range(256)) * 3000) + symlink("lib", "usr/lib") + file("usr/lib/a", "a")
	image = lambda text, tag=None, **more: Image([Layer(root + END, "plain"), Layer(file("which", text) + END, "plain")], tag, **more)
	write("root.tar", root + END)
	mkoci.write_layout(at("oci"), image("1", "latest"))
	mkoci.write_oci_archive(at("oci.tar"), image("1", "latest"))
	mkoci.write_docker_archive(at("docker.tar"), image("1", ["lab/one:1"]))
	mkoci.write_docker_archive(at("late.tar"), image("1", ["lab/one:1"]), late=False)
	for form in ("root", "oci", "docker"):
	    data = read(form + ".tar")
	    half = len(data) // 2
	    write(form + ".tar.gz", gzip.compress(data[:half]) + gzip.compress(data[half:]))
	    write(form + ".tar.xz", lzma.compress(data[:half]) + bytes(4) + lzma.compress(data[half:]))
	    write(form + ".tar.bz2", bz2.compress(data[:half]) + bz2.compress(data[half:]))
	    for part in (data[:half], data[half:]):
	        subprocess.run(["zstd", "-q", "-c"], input=part, stdout=open(at(form + ".tar.zst"), "ab"), check=True)

	# Docker since 25 writes both tables; hand-made archives have names of all kinds.
	both = mkoci.Layout(at("both"))
	found = both.add(image("1"), False)
	both.index["manifests"].append({**found, "annotations": {"io.containerd.image.name": "docker.io/lab/one:1",
	                                                         "org.opencontainers.image.ref.name": "1"}})
	both.close()
	document = json.load(open(at("both/blobs/sha256/") + found["digest"][7:]))
	blob = lambda what: "blobs/sha256/" + what["digest"][7:]
	write("both/manifest.json", mkoci.dump([{"Config": blob(document["config"]), "RepoTags": ["lab/one:1"],
	                                         "Layers": [blob(layer) for layer in document["layers"]]}]))
	subprocess.run(["tar", "-C", at("both"), "-cf", at("both.tar"), "."], check=True)
	os.makedirs(at("unpacked/first"))
	for n, layer in enumerate(image("1").layers):
	    write(f"unpacked/first/{n}.tar", b"".join(layer.blob()))
	digests = ["sha256:" + hashlib.sha256(read(f"unpacked/first/{n}.tar")).hexdigest() for n in (0, 1)]
	write("unpacked/it.json", mkoci.dump(mkoci.config_of(Image([Layer(diff_id=digest) for digest in digests]))))
	write("unpacked/manifest.json", mkoci.dump([{"Config": "it.json", "RepoTags": None, "Layers": ["first/0.tar", "first/1.tar"]}]))
	subprocess.run(["tar", "-C", at("unpacked"), "-cf", at("odd.tar"), "first", "it.json", "manifest.json"], check=True)

	# A root file system that only looks like one of these.
	write("web.tar", file("config.json", "{}") + file("manifest.json", '{"name": "an app"}') + dir_("blobs") + root + END)

	# What skopeo calls dir:
	os.makedirs(at("skopeo"))
	write("skopeo/version", b"Directory Transport Version: 1.1\n")
	write("skopeo/manifest.json", mkoci.dump(document))

	# Several images with full names, as podman and buildah write them, and beside them what is none.
	names = mkoci.Layout(at("names"))
	for text, name in (("1", "localhost/lab/tool:1"), ("2", "localhost/lab/tool:2"), ("3", "localhost/other/tool:2")):
	    names.add(image(text, name))
	names.tag(names.blob([b"{}"], mediaType=mkoci.MEDIA["manifest"][0], artifactType="application/x-signature"), "sig")
	names.close()
	subprocess.run(["tar", "-C", at("names"), "-cf", at("names.tar"), "."], check=True)
	mkoci.write_docker_archive(at("names.docker"), image("1", ["localhost/lab/tool:1", "lab/alias:9"]),
	                           image("2", ["localhost/lab/tool:2"]), image("3", ["localhost/other/tool:2"]))
	one = mkoci.Layout(at("one"))
	found = one.add(image("1", "a:1"))
	one.tag(found, "a:latest")
	artifact = one.blob([mkoci.dump({"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.empty.v1+json",
	                     "digest": found["digest"], "size": 2}, "layers": []})], mediaType=mkoci.MEDIA["manifest"][0])
	one.tag(artifact, "b:1")
	one.close()
	END

build() { firn build -q -f "$out" "$@"; }
# same SOURCE: the image that the layout gives.
same() { succeeds build "$1" && cmp "$out" "$scratch/out/oci" >>"$last" 2>&1; }
same_root() { succeeds build "$1" && cmp "$out" "$scratch/out/root" >>"$last" 2>&1; }
refused() { status_is 125 build "$@" && one_line; }
is_image() { succeeds build "$2" && [ "$(unsquashfs -cat "$out" which 2>>"$last")" = "$1" ]; }
piped() { file=$1; shift; cat "$file" | "$FIRN" build -q -f "$out" "$@" >"$last" 2>&1; }
not_piped() { ! piped "$@" && one_line; }

firn build -q "$scratch/out/oci" "oci:$scratch/oci" || exit 1
firn build -q "$scratch/out/root" "tar:$scratch/root.tar" || exit 1

# Packed as a whole, in one go and in several
bzip2=bz2
ldd "$(dirname "$FIRN")/firn-build" 2>/dev/null | grep -q libbz2 || bzip2=
for how in gz xz zst $bzip2; do
	ok "tar:, packed as $how"            same_root "tar:$scratch/root.tar.$how"
	ok "a plain path, packed as $how"    same_root "$scratch/root.tar.$how"
	ok "oci-archive:, packed as $how"    same "oci-archive:$scratch/oci.tar.$how"
	ok "docker-archive:, packed as $how" same "docker-archive:$scratch/docker.tar.$how"
done
[ "$bzip2" ] || skip 'bzip2' 'built without libbz2'
head -c 300 "$scratch/root.tar.xz" >"$scratch/cut.tar.xz"
ok 'a packed archive that is cut is refused' refused "tar:$scratch/cut.tar.xz"
ok 'for what it is'                          says 'xz data'

# Told by what is in it
for name in oci.tar docker.tar late.tar both.tar odd.tar oci.tar.xz docker.tar.gz; do
	ok "$name is recognized as tar:"     same "tar:$scratch/$name"
	ok "$name is recognized by its path" same "$scratch/$name"
done
ok 'a layout is recognized by its path'  same "$scratch/oci"
ok 'and its images have names there'     same "$scratch/oci:latest"
ok 'as those of an archive have'         same "$scratch/docker.tar:one:1"
ok 'a root file system has none'         refused "$scratch/root.tar:latest"
ok 'which is said'                       says 'root file system'
ok 'an image has none either'            refused "$scratch/out/root:latest"
ok 'which is said as well'               says "one image, in which nothing is called 'latest'"
ok 'a root file system stays one'        succeeds build "$scratch/web.tar"
ok 'with its files'                      prints '{"name": "an app"}' unsquashfs -cat "$out" manifest.json
ok 'oci-archive: of a docker archive'    refused "oci-archive:$scratch/docker.tar"
ok 'says the right kind'                 says "docker-archive:$scratch/docker.tar"
ok 'docker-archive: of a layout'         refused "docker-archive:$scratch/oci.tar"
ok 'says the right kind as well'         says "oci-archive:$scratch/oci.tar"
ok 'oci: of an archive'                  refused "oci:$scratch/oci.tar"
ok 'says what that is'                   says "oci-archive:$scratch/oci.tar"
ok 'tar: of a layout is a layout'        same "tar:$scratch/oci"
ok 'tar: of another directory'           refused "tar:$scratch/out"
ok 'says what that is'                   says "dir:$scratch/out"
ok 'dir: of a layout'                    refused "dir:$scratch/oci"
ok 'says its kind'                       says "oci:$scratch/oci"
for kind in '' dir:; do
	ok "$kind of skopeo's dir:"            refused "$kind$scratch/skopeo"
	ok 'says how to make another'          says 'skopeo copy'
	ok "$kind of an unpacked archive"      refused "$kind$scratch/unpacked"
	ok 'says how to pack it'               says 'firn build OUT -'
done
python3 - "$srcdir/tests/images" >"$scratch/many.tar" <<-'END'
	import sys
	sys.dont_write_bytecode = True
	sys.path.insert(0, sys.argv[1])
	from mktar import END, file
	sys.stdout.buffer.write(file("a.json", "{}") + b"".join(file(str(n), "") for n in range(100001)) + END)
	END
ok 'more files than archives have'       succeeds build "$scratch/many.tar"
ok 'are one'                             prints '{}' unsquashfs -cat "$out" a.json
ok 'but no archive of images'            refused "docker-archive:$scratch/many.tar"
ok 'which is said'                       says 'more than 100000 members'
rm "$scratch/many.tar"
echo 'no archive' >"$scratch/text"
: >"$scratch/empty"
ok 'a text is nothing'                   refused "$scratch/text"
ok 'an empty file is none either'        refused "tar:$scratch/empty"
ok 'a name that is of a registry'        refused 'localhost:1/lab/tool:1'
ok 'is shown how it is written'          says 'docker://localhost:1/lab/tool:1'

# Through a pipe
for source in - docker-archive:- tar:/dev/stdin docker-archive:/dev/stdin docker-archive:-:one:1; do
	ok "a docker archive through a pipe: $source" piped "$scratch/docker.tar" "$source"
	ok 'is the same image'                        cmp "$out" "$scratch/out/oci"
done
for name in oci.tar oci.tar.xz both.tar docker.tar.zst; do
	ok "$name through a pipe" piped "$scratch/$name" -
	ok 'is the same image'    cmp "$out" "$scratch/out/oci"
done
ok 'a root file system through a pipe' piped "$scratch/root.tar.gz" -
ok 'is the same'                       cmp "$out" "$scratch/out/root"
ok 'an image through a pipe'           piped "$scratch/out/root" -
ok 'has the same files'                prints a unsquashfs -cat "$out" usr/lib/a
ok 'a file as standard input'          sh -c '"$0" build -q -f "$1" - <"$2" && cmp "$1" "$3"' "$FIRN" "$out" "$scratch/docker.tar" "$scratch/out/oci"
{ echo 'a line'; cat "$scratch/docker.tar"; } >"$scratch/behind"
ok 'the rest of one'                   sh -c '{ read -r _; exec "$0" build -q -f "$1" -; } <"$2" && cmp "$1" "$3"' "$FIRN" "$out" "$scratch/behind" "$scratch/out/oci"
mkfifo "$scratch/fifo"
cat "$scratch/oci.tar" >"$scratch/fifo" &
ok 'a FIFO'                            same "oci-archive:$scratch/fifo"
wait
cat "$scratch/out/root" >"$scratch/fifo" &
ok 'an image through one'              succeeds build "$scratch/fifo"
wait
ok 'has the same files, too'           prints a unsquashfs -cat "$out" usr/lib/a
echo 'no image' >"$scratch/fifo" &
ok 'nothing of these through one'      refused "$scratch/fifo"
wait
ok 'is called by its name'             says "'$scratch/fifo' is not an image"
ok 'nothing through a pipe'            not_piped /dev/null -
ok 'is said'                           says 'is empty'
head -c 500000 "$scratch/docker.tar" >"$scratch/half"
ok 'half an archive'                   not_piped "$scratch/half" -
ok 'is said'                           says 'ends too soon'
ok '/dev/null is no archive'           refused -
printf '[build]\nmax-size = 500K\n' >"$scratch/firn.conf"
ok 'more than a build may take'        not_piped "$scratch/docker.tar" --config "$scratch/firn.conf" -
ok 'is said'                           says 'max-size'
ok 'nothing of it is left'             sh -c '[ -z "$(ls -A "$0")" ]' "$TMPDIR"

# Names
for source in "oci:$scratch/names" "oci-archive:$scratch/names.tar" "$scratch/names" "$scratch/names.tar" "docker-archive:$scratch/names.docker"; do
	ok "a full name: ${source%%"$scratch"*}..." is_image 1 "$source:localhost/lab/tool:1"
	ok 'its end'                             is_image 2 "$source:lab/tool:2"
	ok 'or its tag'                          is_image 1 "$source:1"
	ok 'a tag of two'                        refused "$source:2"
	ok 'is told with both'                   says 'localhost/lab/tool:2, localhost/other/tool:2'
	ok 'none'                                refused "$source"
	ok 'is told with all'                    says 'localhost/lab/tool:1, localhost/lab/tool:2, localhost/other/tool:2'
	ok 'nor does it list what is no image'   says_not 'sig'
	ok 'a name that is not there'            refused "$source:tool:7"
	ok 'is told with all, too'               says 'localhost/other/tool:2'
done
ok 'any of the names of one image'       is_image 1 "docker-archive:$scratch/names.docker:alias:9"
ok 'one manifest under two tags is one'  is_image 1 "oci:$scratch/one"
ok 'by an end that fits both, too'       is_image 1 "oci:$scratch/one:latest"

# A docker archive whose configuration is called by another one's digest
digest=$(sha256sum "$scratch/unpacked/it.json" | cut -d' ' -f1)
called() {
	mv "$scratch/unpacked/it.json" "$scratch/unpacked/$1.json"
	sed -i "s/\"Config\": *\"[^\"]*\"/\"Config\":\"$1.json\"/" "$scratch/unpacked/manifest.json"
	tar -C "$scratch/unpacked" -cf "$scratch/called.tar" .
}
called "$digest"
ok 'a configuration by its digest'       same "docker-archive:$scratch/called.tar:sha256:$digest"
mv "$scratch/unpacked/$digest.json" "$scratch/unpacked/it.json"
called "$(echo other | sha256sum | cut -d' ' -f1)"
ok 'and by what is only called so'       refused "docker-archive:$scratch/called.tar:sha256:$(echo other | sha256sum | cut -d' ' -f1)"
ok 'is said'                             says 'does not match its digest'

# A colon in the path itself
mv "$scratch/oci" "$scratch/oci:latest"
ok 'a path with a colon'                 same "oci:$scratch/oci:latest"
ok 'and a name behind it'                same "oci:$scratch/oci:latest:latest"

# An image whose paths are longer than paths may be: cut, two files would become one
deep() {
	python3 - "$srcdir/tests/images" "$1" <<-'END' | tar2sqfs -q -f "$scratch/deep.sqfs" 2>"$last"
		import sys
		sys.dont_write_bytecode = True
		sys.path.insert(0, sys.argv[1])
		from mktar import END, dir_, file
		names = ["d" * 200] * 20
		sys.stdout.buffer.write(b"".join(dir_("/".join(names[:n])) for n in range(1, 21)))
		sys.stdout.buffer.write(b"".join(file("/".join(names) + "/" + c * int(sys.argv[2])) for c in "xy") + END)
	END
}
if command -v tar2sqfs >/dev/null; then
	deep 75
	ok 'paths of 4095 bytes are packed anew' succeeds build "$scratch/deep.sqfs"
	deep 76
	ok 'those of 4096 are refused'           refused "$scratch/deep.sqfs"
	ok 'with their name'                     says 'xxxx'
else
	skip 'paths of 4095 bytes' 'tar2sqfs is not installed'
fi

# Other engines
cat >"$scratch/bin/podman" <<'SH'
#!/bin/sh
[ "$#" = 2 ] && [ "$1" = save ] || { echo "usage: $*" >&2; exit 64; }
case $2 in
quay.io/lab/one:1) exec cat "$archive" ;;
much) yes | head -c 3000000 >&2; exec cat "$archive" ;;
endless) exec yes ;;
silent) exit 0 ;;
dies) kill -9 $$ ;;
half) head -c 5000 "$archive"; exit 3 ;;
privileges) grep NoNewPrivs /proc/self/status >&2; exit 1 ;;
*) printf 'time="now" level=warning msg="x"\nError: %s: \033[1mimage not known\nmore\n' "$2" >&2; exit 125 ;;
esac
SH
chmod 755 "$scratch/bin/podman"
cp "$scratch/bin/podman" "$scratch/bin/docker"
PATH=$scratch/bin:$PATH archive=$scratch/docker.tar
export archive
for engine in podman docker-daemon; do
	program=${engine%-daemon}
	ok "$engine: by $program save"      same "$engine:quay.io/lab/one:1"
	ok 'whatever it says beside it'     same "$engine:much"
	ok 'an image that it lacks'         refused "$engine:nosuch"
	ok 'is told in its words'           says 'Error: nosuch: ?[1mimage not known'
	ok 'a failure behind half of it'    refused "$engine:half"
	ok 'is one'                         says "'$program save half' failed (exit status 3)"
	ok 'nothing'                        refused "$engine:silent"
	ok 'is said'                        says "'$program save silent' gave nothing"
	ok 'a program that dies'            refused "$engine:dies"
	ok 'is said'                        says 'signal 9'
	ok 'more than a build may take'     refused --config "$scratch/firn.conf" "$engine:endless"
	ok 'is stopped'                     says 'max-size'
	ok 'an option for a name'           refused "$engine:--help"
	ok 'no name'                        refused "$engine:"
	ok 'it may gain privileges if we may' refused "$engine:privileges"
	ok 'as rootless engines need it'    says "$(grep NoNewPrivs /proc/self/status | tr '\t' ' ')"
done
archive=$scratch/oci.tar.xz
ok 'an archive of another form'     same "podman:quay.io/lab/one:1"
# What is told as it is meant.
head -c 10240 /dev/zero >"$scratch/zeros"
for source in "$scratch/zeros" "tar:$scratch/zeros"; do
	ok "zeros are no root ($source)"    refused "$source"
	ok 'which is told'                  says 'no file is in it, only zeros'
done
python3 "$srcdir/tests/images/mkoci.py" --form oci --tag x:1 "$scratch/no-index" "$scratch/root.tar"
: >"$scratch/no-index/index.json"
ok 'an empty index.json'            refused "oci:$scratch/no-index"
ok 'is called so'                   says "index.json of '"
for level in ' 4' +4 4x '' 0x4; do
	ok "a level '$level'"               refused -c "zstd:$level" "tar:$scratch/root.tar"
	ok 'is none'                        says "levels from 1 to 22, not '$level'"
done
ok 'a size for a number'            refused --jobs 1K "tar:$scratch/root.tar"
ok 'is none'                        says "--jobs is a number from 1 to 1024, not '1K'"
ok 'standard output'                status_is 125 sh -c 'cd "$2" && exec "$0" build - "$1"' "$FIRN" "tar:$scratch/root.tar" "$scratch/out"
ok 'is no place for an image'       says 'not written to standard output'
ok 'nor for a pull'                 status_is 125 sh -c 'cd "$1" && exec "$0" pull 127.0.0.1:9/a -' "$FIRN" "$scratch/out"
ok 'as is told'                     says 'not written to standard output'
ok 'nothing is there'               test ! -e "$scratch/out/-"

# A root file system may have names like those by which layers hide others.
mkdir -p "$scratch/marks/d"
for name in .wh.x x d/.wh..wh..opq d/.wh..wh.aufs; do echo "$name" >"$scratch/marks/$name"; done
find "$scratch/marks" -exec touch -d @0 {} +
tar --owner=0 --group=0 -C "$scratch/marks" -cf "$scratch/marks.tar" .
ok 'names of whiteouts in a root'   succeeds firn build -f "$out" "tar:$scratch/marks.tar"
ok 'are told'                       says "3 names begin with '.wh.'"
tree=$(sed -n 's/^tree *//p' "$last")
ok 'a directory has them, too'      succeeds firn build -f --all-root "$out" "dir:$scratch/marks"
ok 'and gives the same tree'        test "$tree" = "$(sed -n 's/^tree *//p' "$last")"
rm -f "$out"

# A variant of a platform that only the image's own configuration tells.
for form in docker-archive oci; do
	python3 "$srcdir/tests/images/mkoci.py" --form $form --tag x:1 --platform linux/amd64/v3 "$scratch/later-$form" "$scratch/root.tar"
	python3 - "$scratch/later-$form/index.json" <<-'END'
		import json, os, sys
		if os.path.exists(sys.argv[1]):
		    index = json.load(open(sys.argv[1]))
		    for entry in index["manifests"]:
		        entry.pop("platform", None)
		    json.dump(index, open(sys.argv[1], "w"))
	END
	ok "another variant ($form)"        refused --platform linux/amd64/v1 "$form:$scratch/later-$form"
	ok 'is told'                        says 'is for linux/amd64/v3, not for linux/amd64/v1'
	ok 'the one that it is for'         succeeds firn build -q -f --platform linux/amd64/v3 "$out" "$form:$scratch/later-$form"
	ok 'none that was named'            succeeds firn build -f --platform linux/amd64 "$out" "$form:$scratch/later-$form"
	ok 'is warned of'                   says 'nothing for linux/amd64 but linux/amd64/v3'
	rm -f "$out"
done
mkdir "$scratch/empty-bin"
without() { status_is 125 env PATH="$scratch/empty-bin" "$FIRN" build -q -f "$out" "$1" && one_line; }
ok 'an engine that is not there'    without podman:a
ok 'is told'                        says "cannot execute 'podman'"
ok 'the store by its other name'    refused "containers-storage:localhost/lab/tool:1"
ok 'is shown how it is written'     says 'podman:NAME'

# What takes a source apart is in a cage: a fault in it is one line, and what takes it over gets nowhere.
hooked=$tools/firn_build_hooked
python3 - "$srcdir/tests/images" "$scratch" <<-'END' || exit 1
	import gzip, os, sys
	sys.dont_write_bytecode = True
	sys.path.insert(0, sys.argv[1])
	import mkoci
	from mkoci import Image, Layer
	from mktar import END, file
	at = lambda name: os.path.join(sys.argv[2], name)
	for name in ("crash", "escape"):
	    data = file("data", "x" * 100000) + file("usr/" + name, name) + END
	    open(at(name + ".tar"), "wb").write(data)
	    open(at(name + ".tar.gz"), "wb").write(gzip.compress(data))
	    mkoci.write_layout(at(name + "-oci"), Image([Layer(data, "gzip")], "latest"))
	    mkoci.write_docker_archive(at(name + "-docker.tar"), Image([Layer(data, "plain")], ["lab/one:1"]))
END
for name in crash escape; do
	mkdir "$scratch/$name.dir"
	echo >"$scratch/$name.dir/$name"
	mksquashfs "$scratch/$name.dir" "$scratch/$name.sqfs" -noappend -quiet -no-progress >/dev/null
	python3 "$srcdir/tests/images/mksif.py" "$scratch/$name.sqfs" "$scratch/$name-image.sif" || exit 1
done
mkdir "$scratch/in"
hook() { # hook NAME SOURCE: by a path that the hook itself does not know
	rm -rf "$out" "$scratch/in/it"
	cp -r "$scratch/$1" "$scratch/in/it"
	run_last "$hooked" build ${3:-"-q"} "$out" "$2"
	status=$?
}
nothing() { [ -z "$(ls -A "$TMPDIR")$(ls -A "$scratch/out")" ] && [ -z "$(helpers 'firn_build_hook|firn-build')" ]; }
crashes() {
	hook "$1" "$2"
	ended $status 125 125 && one_line && says "it' cannot be read: the process that read it " && nothing
}
holds() {
	hook "$1" "$2" --jobs=2 # what a stranger says is not said with -q
	ended $status 0 0 && says "it': of 40 attempts 40 were refused"
}
rm -f "$scratch"/out/*
for form in .tar .tar.gz -docker.tar .sqfs -image.sif; do
	ok "what crashes who reads *$form"  crashes "crash$form" "$scratch/in/it"
done
ok 'what crashes who reads a layout'    crashes crash-oci "oci:$scratch/in/it"
case $(printf '%s' "${ASAN_OPTIONS:-}")$(ldd "$hooked" 2>/dev/null) in
*libasan*) skip 'the cage' 'a sanitizer needs more calls' ;;
*)
	for form in .tar .tar.gz -docker.tar .sqfs -image.sif; do
		ok "the cage holds for *$form"  holds "escape$form" "$scratch/in/it"
	done
	ok 'and for a layout'           holds escape-oci "oci:$scratch/in/it"
	mkdir "$scratch/escape.it"
	echo '[]' >"$scratch/escape.it/manifest.json"
	ok 'a directory may have something to be parsed'  status_is 125 "$hooked" build -q -f "$out" "$scratch/escape.it"
	ok '... in a cage'              says 'firn: of 40 attempts 40 were refused' ;;
esac
rm -f "$scratch"/out/*
printf '[server]\ncage = require\n' >"$scratch/require"
chmod 644 "$scratch/require"
older() { calls=$1; shift; "$tools/enosys" "$calls" "$FIRN" build -f "$@" "$out" "$scratch/oci.tar"; }
ok 'a kernel without Landlock will do'  succeeds older landlock_create_ruleset -v
ok '... and is told to who asks'        says "'$scratch/oci.tar' is read without Landlock, which this kernel lacks"
ok 'a whole cage can be required'       succeeds firn build -q -f --config "$scratch/require" "$out" "$scratch/oci.tar"
rm -f "$out"
ok '... and is an error without Landlock' status_is 125 older landlock_create_ruleset --config "$scratch/require"
ok '... in one line'                    one_line
ok '... and without an image'           nothing
ok 'nothing is left'                sh -c '[ -z "$(ls -A "$0")" ]' "$TMPDIR"
# What is made is no part of what it is made of.
mkdir "$scratch/bare"
echo hi >"$scratch/bare/a"
cd "$scratch/bare" || exit 1
ok 'a folder that looks like no root'        succeeds firn build x.sqfs .
ok '... is packed with a warning'            says "firn: warning: '.' has no bin, usr or etc, as a root file system has"
ok '... by its kind without one'             succeeds firn build -f x.sqfs dir:.
ok '... it says'                             says_not warning
ok 'the image in its source'                 succeeds firn build -f x.sqfs dir:.
ok '... is left out, as is said'             says "firn: '/x.sqfs' of '.' is left out: it is the image itself"
ok '... and of others all is there'          sh -c '"$0" build -q y.sqfs dir:. && "$0" exec y.sqfs /a 2>&1 | grep -q "cannot run" && unsquashfs -l y.sqfs | grep -q "/x.sqfs$" && ! unsquashfs -l x.sqfs | grep -q "sqfs$"' "$FIRN"
rm x.sqfs y.sqfs
ok 'without O_TMPFILE'                       succeeds "$tools/enosys" O_TMPFILE "$FIRN" build -q x.sqfs dir:.
ok '... its unfinished file is no part'      sh -c 'unsquashfs -l x.sqfs | grep -q "/a$" && ! unsquashfs -l x.sqfs | grep "tmp$" | grep -v /tmp$'
cd "$OLDPWD" || exit 1
done_testing
