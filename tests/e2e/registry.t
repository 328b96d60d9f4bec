#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# firn pull: from a real registry over http, TLS, with passwords and through a proxy; and from one
# that does everything wrong, one thing at a time (tests/registry/faulty.py).
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help
needs_python
needs docker-registry --version
needs skopeo --version
needs openssl version
needs htpasswd -nbB a b

here=$srcdir/tests/registry
HOME=$scratch/home XDG_CACHE_HOME=$scratch/home/.cache TMPDIR=$scratch/tmp
# skopeo would look into /run/containers, where others may have left what cannot be read.
XDG_RUNTIME_DIR=$scratch/run
export HOME XDG_CACHE_HOME TMPDIR XDG_RUNTIME_DIR
unset DOCKER_CONFIG REGISTRY_AUTH_FILE https_proxy HTTPS_PROXY http_proxy all_proxy ALL_PROXY no_proxy NO_PROXY
unset CONTAINERS_REGISTRIES_CONF
mkdir "$HOME" "$TMPDIR" "$XDG_RUNTIME_DIR" "$scratch/out" "$scratch/faulty" "$scratch/bin"
stop_all() {
	for registry in plain tls locked; do
		"$here/serve" stop "$scratch/$registry"
	done
	[ -z "${faulty:-}" ] || kill "$faulty" 2>/dev/null
	cleanup
}
trap stop_all EXIT

# An image of three layers, one of them of several hundred KiB that do not compress.
make_small "$scratch/root"
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch" || exit 1
mkdir "$scratch/more"
python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(600000))' >"$scratch/more/noise"
tar cf "$scratch/more.tar" -C "$scratch/more" noise
layers="$scratch/base.tar $scratch/changes.tar $scratch/more.tar"
oci() { python3 "$srcdir/tests/images/mkoci.py" "$@"; }
# shellcheck disable=SC2086
oci --tag latest "$scratch/oci" $layers || exit 1
firn build -q "$scratch/wanted.sqfs" "oci:$scratch/oci:latest" || exit 1
digest_of() { firn inspect "$1" | sed -n "s/^$2 digest *//p"; }
right=$(firn verify "$scratch/wanted.sqfs" | sed -n 's/^image  *\([^ ]*\).*/\1/p')
right_tree=$(digest_of "$scratch/wanted.sqfs" tree)
[ -n "$right" ] && [ -n "$right_tree" ] || { echo 'the wanted image has no digests'; exit 1; }

push() { skopeo --insecure-policy copy -q --dest-tls-verify=false "$@" >>"$scratch/skopeo.log" 2>&1; }
out=$scratch/out/image.sqfs
# pulled ARGUMENT...: firn pull gives the image that the layout gives.
pulled() {
	rm -f "$out"
	run_last "$FIRN" pull -q "$@" "$out" || return 1
	[ "$(digest_of "$out" image)" = "$right" ] || { echo "another image: $(digest_of "$out" image)" >>"$last"; return 1; }
}
# refused TEXT ARGUMENT...: firn pull fails with one line that holds TEXT and leaves nothing.
refused() {
	text=$1
	shift
	rm -f "$out"
	status_is 125 "$FIRN" pull -q "$@" "$out" && one_line && says "$text" && [ -z "$(ls "$scratch/out")" ] &&
		[ -z "$(ls -A "$TMPDIR")" ]
}

conf=$scratch/firn.conf
configure() { printf '%s\n' "$@" >"$conf"; chmod 644 "$conf"; }

# A real one.
plain=$("$here/serve" start "$scratch/plain") || exit 1
push "oci:$scratch/oci:latest" "docker://$plain/group/image:latest" &&
	push --format v2s2 "oci:$scratch/oci:latest" "docker://$plain/types:1" || { cat "$scratch/skopeo.log"; exit 1; }
manifest=$(skopeo inspect --tls-verify=false "docker://$plain/group/image" | sed -n 's/.*"Digest": "\([^"]*\)".*/\1/p')
ok 'an image over http from this machine' pulled "$plain/group/image"
ok 'which needs no certificates'    unshare -Urm sh -c 'mount -t tmpfs none /etc/ssl/certs && exec "$@"' sh "$FIRN" pull -q --no-cache "$plain/group/image" "$scratch/bare.sqfs"
ok 'by its tag'                     pulled "$plain/group/image:latest"
ok 'by its digest'                  pulled "$plain/group/image@$manifest"
ok 'by both'                        pulled "$plain/group/image:latest@$manifest"
ok "with Docker's media types"      succeeds firn pull -q -f "$plain/types:1" "$out"
ok 'the same files'                 test "$(digest_of "$out" tree)" = "$right_tree"
ok 'without a cache'                pulled --no-cache "$plain/group/image"
ok 'firn build from docker://'      succeeds firn build -q -f "$out" "docker://$plain/group/image"
ok 'it tells where it is from'      succeeds firn inspect "$out"
ok 'by digest'                      says "docker://$plain/group/image@$manifest"
ok 'its sha256 is that of sha256sum' sh -c '"$0" verify "$1" | grep -qx "sha256 $(sha256sum <"$1" | cut -d" " -f1)"' "$FIRN" "$out"
ok 'not that of the image without its origin' test "$(sha256sum <"$out" | cut -d' ' -f1)" != "${right#sha256:}"
ok 'a pull says both'               succeeds firn pull -f "$plain/group/image" "$out"
ok '... the sum of the file'        says "sha256 $(sha256sum <"$out" | cut -d' ' -f1)"
ok '... and the digest that the layout gives' says "image  $right"
ok 'it runs'                        succeeds firn exec "$out" /bin/true
ok 'it is built again alike'        succeeds firn verify --rebuild "$out"
ok 'to the byte'                    says 'the same bytes'
rm -f "$out"
# named NAME REFERENCE: what firn pull calls the file that it makes of it.
named() {
	rm -rf "$scratch/named" && mkdir "$scratch/named" &&
		(cd "$scratch/named" && run_last "$FIRN" pull -q "$2") && [ "$(ls "$scratch/named")" = "$1" ]
}
ok 'OUT is named after the image'   named image_latest.sqfs "$plain/group/image"
ok 'and its tag'                    named types_1.sqfs "docker://$plain/types:1"
ok 'or the begin of its digest'     named "image_sha256-$(echo "$manifest" | cut -c 8-19).sqfs" "$plain/group/image@$manifest"
ok 'or both'                        named image_latest.sqfs "$plain/group/image:latest@$manifest"
ok 'no such tag'                    refused "has no 'none' of the image 'group/image'" "$plain/group/image:none"
ok 'no such image'                  refused "of the image 'nobody/nothing'" "$plain/nobody/nothing"
ok 'no such digest'                 refused 'has no' "$plain/group/image@sha256:$(printf '%064d' 0)"
ok 'nobody listens'                 refused "'127.0.0.1:9'" 127.0.0.1:9/image
ok 'no such platform'               refused 'linux/s390x' --platform linux/s390x "$plain/group/image"
python3 - "$srcdir/tests/images" "$scratch" <<-'END' || exit 1
	import sys
	sys.dont_write_bytecode = True
	sys.path.insert(0, sys.argv[1])
	import mkoci
	from mkoci import Image, Layer
	for kind in ("oci", "docker"):
	    layout = mkoci.Layout(f"{sys.argv[2]}/many-{kind}")
	    layout.add_index([Image([Layer(open(f"{sys.argv[2]}/{tar}.tar", "rb").read())], platform=platform, docker=kind == "docker")
	                      for tar, platform in (("more", "linux/s390x"), ("base", "linux/arm/v7"), ("base", "linux/amd64/v3"))], docker=kind == "docker")
	    layout.close()
END
for kind in oci docker; do
	push --all "oci:$scratch/many-$kind" "docker://$plain/many:$kind" || { cat "$scratch/skopeo.log"; exit 1; }
	ok "a platform of an index ($kind)"  succeeds firn pull -q --platform linux/s390x "$plain/many:$kind" "$out"
	ok 'its files are there'             sh -c 'unsquashfs -l "$1" | grep -q /noise' sh "$out"
	ok 'it is built again for the same'  succeeds firn verify --rebuild "$out"
	rm -f "$out"
	ok "a later processor's only ($kind)" succeeds firn pull --platform linux/amd64 "$plain/many:$kind" "$out"
	ok 'is told'                         says 'nothing for linux/amd64 but linux/amd64/v3'
	rm -f "$out"
	ok "one that it has not ($kind)"     refused 'there are: linux/s390x, linux/arm/v7' --platform linux/arm/v6 "$plain/many:$kind"
done
blobs=$XDG_CACHE_HOME/firn/blobs/sha256
ok 'the cache holds the blobs'      test "$(ls "$blobs" | wc -l)" -ge 5
ok 'it is private'                  test "$(stat -c %a "$XDG_CACHE_HOME/firn")" = 700
ok 'skopeo can read it'             skopeo --insecure-policy copy -q "oci:$XDG_CACHE_HOME/firn:$plain/group/image:latest" "dir:$scratch/copy"
gets() { grep -c "GET /v2/group/image/blobs" "$scratch/plain/log"; }
before=$(gets)
ok 'a pull again'                   pulled "$plain/group/image"
ok 'fetches no blob'                test "$(gets)" = "$before"

# What is damaged in the cache is fetched anew at once, and nothing else is.
fetched_of() { grep -c "GET /v2/group/image/[a-z]*/$1" "$scratch/plain/log"; }
are_right() {
	for blob in "$blobs"/*; do
		[ "$(sha256sum <"$blob" | cut -d' ' -f1)" = "$(basename "$blob")" ] || { echo "$blob is wrong"; return 1; }
	done
	[ "$(ls -A "$XDG_CACHE_HOME/firn/ingest")" = index.lock ]
}
# flip FILE OFFSET: another byte is there.
flip() { python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1); f.seek(-1, 1); f.write(bytes([b[0] ^ 16]))' "$1" "$2"; }
# The digests of the image's layers and documents, which the registry has.
of_image() { skopeo inspect --raw --tls-verify=false "docker://$plain/group/image" | python3 -c "import json, sys; m = json.load(sys.stdin); $1"; }
layers_of_image=$(of_image 'print(*sorted(set(l["digest"][7:] for l in m["layers"])))')
config_of_image=$(of_image 'print(m["config"]["digest"][7:])')
for blob in $layers_of_image; do
	[ "$(stat -c %s "$blobs/$blob")" -lt 500000 ] || large=$blob
done
# mended HOW BLOB...: a pull fetches each of these once, says so, and all is right then.
mended() {
	how=$1
	shift
	rm -f "$out"
	before=$(gets)
	for blob; do
		eval "before_$blob=$(fetched_of "sha256:$blob")"
		size=$(stat -c %s "$blobs/$blob")
		case $how in
		begin) flip "$blobs/$blob" 0 ;;
		middle) flip "$blobs/$blob" $((size / 2)) ;;
		end) flip "$blobs/$blob" $((size - 1)) ;;
		short) truncate -s $((size - 1)) "$blobs/$blob" ;;
		long) echo >>"$blobs/$blob" ;;
		empty) : >"$blobs/$blob" ;;
		esac
	done
	run_last "$FIRN" pull "$plain/group/image" "$out" || return 1
	{
		[ "$(digest_of "$out" image)" = "$right" ] || { echo 'another image'; return 1; }
		[ "$(gets)" = $((before + $#)) ] || { echo "$(($(gets) - before)) fetched"; return 1; }
		for blob; do
			[ "$(fetched_of "sha256:$blob")" = $((before_$blob + 1)) ] || { echo "not $blob"; return 1; }
		done
		are_right
	} >>"$last" 2>&1
}
damaged="the cache's copy is damaged; it is fetched anew"
for how in begin middle end short long empty; do
	ok "a layer in the cache that is damaged ($how)" mended $how "$large"
	ok '... is fetched once, and told'               test "$(grep -c "$damaged" "$last")" = 1
done
# shellcheck disable=SC2086
ok 'all layers'                     mended middle $layers_of_image
# shellcheck disable=SC2086
ok '... are told'                   test "$(grep -c "$damaged" "$last")" = "$(echo $layers_of_image | wc -w)"
for how in begin middle end short long empty; do
	ok "a configuration ($how)"     mended $how "$config_of_image"
done
at_digest() { "$FIRN" pull -q -f "$plain/group/image@$manifest" "$out"; }
for how in 0 200; do
	flip "$blobs/${manifest#sha256:}" $how
	before=$(gets) before_manifest=$(fetched_of "$manifest")
	ok 'a manifest'                 at_digest
	ok '... is fetched once'        test "$(($(fetched_of "$manifest") - before_manifest)) $(($(gets) - before))" = '1 0'
	ok '... and right'              are_right
done
# cut_off HOW: a download that was cut off, with a byte that is wrong in what there is of it.
cut_off() {
	head -c 400000 "$blobs/$large" >"$XDG_CACHE_HOME/firn/ingest/$large.part" && rm "$blobs/$large" || return 1
	flip "$XDG_CACHE_HOME/firn/ingest/$large.part" "$1"
	pulled "$plain/group/image" && are_right
}
for how in 0 1000 399999; do
	before=$(gets)
	ok "a part of a layer, byte $how"   cut_off $how
	ok '... the rest, and all'          test "$(($(gets) - before))" -le 2
done
twice() {
	rm -f "$scratch"/out/*
	flip "$blobs/$large" 1000
	before=$(gets)
	for i in 1 2; do
		"$FIRN" pull -q "$plain/group/image" "$scratch/out/$i.sqfs" &
	done >"$last" 2>&1
	wait
	for i in 1 2; do
		[ "$(digest_of "$scratch/out/$i.sqfs" image)" = "$right" ] || return 1
	done
	[ $(($(gets) - before)) = 1 ] && are_right
}
for round in 1 2 3 4 5 6; do
	ok "two builds at once: round $round"    twice
done
rm -f "$scratch"/out/*
# What fails for another reason is not fetched for it, neither now nor next time.
configure '[build]' 'max-entries = 2'
before=$(gets)
ok 'a layer with too many files'    refused 'max-entries' --config "$conf" "$plain/group/image"
ok 'stays in the cache'             pulled "$plain/group/image"
ok 'nothing was fetched'            test "$(gets)" = "$before"
rm -rf "$XDG_CACHE_HOME"
before=$(gets)
ok 'one that is not there yet'      refused 'max-entries' --config "$conf" "$plain/group/image"
ok 'is fetched'                     test "$(gets)" -gt "$before"
# Where the registry has nothing better.
ok 'it comes'                       pulled "$plain/group/image"
stored=$(find "$scratch/plain" -path "*$large/data")
ok 'the registry has it'            test -f "$stored"
cp "$stored" "$scratch/stored"
flip "$stored" 1000
flip "$blobs/$large" 1000
before=$(gets)
rm -f "$out"
ok 'a copy that is damaged there, too' status_is 125 firn pull "$plain/group/image" "$out"
ok '... says so, of its layer'      sh -c 'tail -n 1 "$1" | grep -q "^firn: layer [0-9] (sha256:"' sh "$last"
ok '... was fetched once'           test "$(gets)" = $((before + 1))
ok '... and is not kept'            test ! -e "$blobs/$large"
cp "$scratch/stored" "$stored"
ok 'until it is right'              pulled "$plain/group/image"
rm -rf "$XDG_CACHE_HOME"
together() {
	for i in 1 2 3 4 5; do
		"$FIRN" pull -q "$plain/group/image" "$scratch/out/$i.sqfs" &
	done >"$last" 2>&1
	wait
	for i in 1 2 3 4 5; do
		[ "$(digest_of "$scratch/out/$i.sqfs" image)" = "$right" ] || return 1
	done
}
before=$(gets)
ok 'five pulls at once'             together
ok 'fetch each layer once'          test "$(($(gets) - before))" -le 8
rm -f "$scratch"/out/*

# The site's own words.
configure '[pull]' "default = $plain"
ok 'a user cannot say what no host means' refused 'only the site may' --config "$conf" group/image
configure '[registry "registry.example.org"]' 'insecure = yes'
ok 'nor that TLS is not needed'     refused 'only the site may' --config "$conf" "$plain/group/image"
configure '[registry "registry.example.org"]' "mirror = http://$plain"
ok 'a mirror is asked first'        pulled --config "$conf" registry.example.org/group/image:latest
configure "[registry \"$plain\"]" 'mirror = http://127.0.0.1:9/sub'
ok 'a mirror that is down is passed over' pulled --no-cache --config "$conf" "$plain/group/image"

# Names without a registry. A file of the user's own takes the place of the machine's.
mkdir -p "$HOME/.config/containers"
names() { printf '%s\n' "$@" >"$HOME/.config/containers/registries.conf"; }
hub() { configure '[registry "docker.io"]' "mirror = http://$plain"; }
push "oci:$scratch/oci:latest" "docker://$plain/library/image:latest" &&
	push "oci:$scratch/oci:latest" "docker://$plain/me/image:1" || { cat "$scratch/skopeo.log"; exit 1; }
names '# nothing'
hub
ok "Docker Hub's image"             pulled --config "$conf" image
ok "and others' there"              pulled --config "$conf" me/image:1
ok 'what was chosen'                succeeds firn pull -f --config "$conf" image "$out"
ok 'is said'                        says "firn: 'image' is docker.io/library/image:latest"
ok 'also by build'                  succeeds firn build -f --config "$conf" "$out" docker://me/image:1
ok 'in one line'                    says "firn: 'me/image:1' is docker.io/me/image:1"
ok 'and is recorded'                sh -c '"$0" inspect "$1" | grep -q "^reference *docker://docker.io/me/image@sha256:"' "$FIRN" "$out"
ok 'with its registry there is nothing to say' prints '' sh -c '"$0" pull -q -f "$@" 2>&1' "$FIRN" "$plain/me/image:1" "$out"
names "unqualified-search-registries = ['$plain', 'localhost:9']"
ok 'the first registry of registries.conf' pulled group/image
ok 'is asked'                       succeeds firn pull -f group/image "$out"
ok 'and said'                       says "firn: 'group/image' is $plain/group/image:latest, the first registry of the 2 in"
names "unqualified-search-registries = ['localhost:9', '$plain']"
ok 'when it says no, nobody else is asked' refused "'localhost:9'" group/image
names "unqualified-search-registries = ['$plain', 'docker.io']"
ok 'nor when it has no such image'  refused "'$plain' has no 'latest' of the image 'library/image2'" --config "$conf" library/image2
names '[aliases]' "tool = '$plain/group/image'"
ok 'an alias'                       pulled tool
ok 'with a tag'                     refused "'$plain' has no '7' of the image 'group/image'" tool:7
names 'unqualified-search-registries = []'
ok 'no registry to look in'         refused 'names no registry, and' image
names 'what is this'
ok 'a file that is not understood'  refused "registries.conf' line 1:" image
ok 'is none of a full name'         pulled "$plain/group/image"
rm -r "$HOME/.config"

# TLS.
tls=$("$here/serve" start "$scratch/tls" --tls) || exit 1
push "oci:$scratch/oci:latest" "docker://$tls/group/image:latest" || { cat "$scratch/skopeo.log"; exit 1; }
ok 'a certificate that nobody vouches for' refused 'name its CA in firn.conf' "$tls/group/image"
configure "[registry \"$tls\"]" "ca = $scratch/tls/ca.pem"
ok 'with its CA'                    pulled --no-cache --config "$conf" "$tls/group/image"
configure "[registry \"$tls\"]" "ca = $scratch/plain/config.yml"
ok 'with a file that is no CA'      refused "'$tls'" --no-cache --config "$conf" "$tls/group/image"

# Passwords.
locked=$("$here/serve" start "$scratch/locked" --user user secret) || exit 1
push --dest-creds user:secret "oci:$scratch/oci:latest" "docker://$locked/group/image:latest" || { cat "$scratch/skopeo.log"; exit 1; }
login() { printf '{"auths": {"%s": {"auth": "%s"}}}' "$1" "$(printf %s "$2" | base64)"; }
mkdir "$HOME/.docker" "$scratch/elsewhere"
ok 'no password'                    refused 'there are no credentials; log in' --no-cache "$locked/group/image"
login "$locked" user:wrong >"$HOME/.docker/config.json"
ok 'a wrong one'                    refused 'denied' --no-cache "$locked/group/image"
ok 'which is not repeated'          says_not wrong
login "$locked" user:secret >"$HOME/.docker/config.json"
ok 'the right one'                  pulled --no-cache "$locked/group/image"
login "$locked" user:wrong >"$scratch/elsewhere/config.json"
export DOCKER_CONFIG="$scratch/elsewhere"
ok 'DOCKER_CONFIG goes first'       refused 'denied' --no-cache "$locked/group/image"
login "$locked/group/image" user:secret >"$scratch/auth.json"
export REGISTRY_AUTH_FILE="$scratch/auth.json"
ok 'REGISTRY_AUTH_FILE before it; an entry for a repository' pulled --no-cache "$locked/group/image"
echo '{"auths": [' >"$scratch/auth.json"
ok 'a damaged file'                 refused "auth.json' is no valid JSON" --no-cache "$locked/group/image"
cat >"$scratch/bin/docker-credential-test" <<-'END'
	#!/bin/sh
	[ "$1" = get ] && server=$(cat) || exit 1
	echo "$server" >>"$ASKED"
	echo '{"ServerURL": "x", "Username": "user", "Secret": "secret"}'
END
chmod +x "$scratch/bin/docker-credential-test"
PATH=$scratch/bin:$PATH ASKED=$scratch/asked
export ASKED
printf '{"credHelpers": {"%s": "test"}}' "$locked" >"$scratch/auth.json"
ok 'a credential helper'            pulled --no-cache "$locked/group/image"
ok 'is asked for the registry'      grep -qx "$locked" "$scratch/asked"
echo '{"credsStore": "test"}' >"$scratch/auth.json"
ok 'a credential store'             pulled --no-cache "$locked/group/image"
echo '{"credsStore": "missing"}' >"$scratch/auth.json"
ok 'one that is missing'            refused 'docker-credential-missing' --no-cache "$locked/group/image"
echo '{"credsStore": "../../bin/sh"}' >"$scratch/auth.json"
ok 'one that is a path'             refused 'is no name of a credential helper' --no-cache "$locked/group/image"
printf '#!/bin/sh\necho this is no JSON: secret\n' >"$scratch/bin/docker-credential-test"
echo '{"credsStore": "test"}' >"$scratch/auth.json"
ok 'one that talks nonsense'        refused 'does not answer in JSON' --no-cache "$locked/group/image"
login "$locked" user:secret >"$scratch/auth.json"
ok 'no password in any log'         sh -c '! "$1" pull --no-cache -vv "$2" "$3" 2>&1 | grep -E "secret|dXNlcjpzZWNyZXQ"' sh "$FIRN" "$locked/group/image" "$out"
rm -f "$out"
unset REGISTRY_AUTH_FILE DOCKER_CONFIG

# The faulty one.
mkfifo "$scratch/stop"
python3 "$here/faulty.py" "$scratch/oci" "$scratch/faulty" "$scratch/tls" <"$scratch/stop" >"$scratch/faulty/errors" 2>&1 &
faulty=$!
exec 9>"$scratch/stop"
until [ -f "$scratch/faulty/ports" ]; do
	kill -0 $faulty 2>/dev/null || { cat "$scratch/faulty/errors"; exit 1; }
	sleep 0.1
done
read -r port other secure <"$scratch/faulty/ports"
f=127.0.0.1:$port
log=$scratch/faulty/log
configure '[pull]' 'stall = 1'
login "$f" user:secret >"$HOME/.docker/config.json"
fetched() { pulled --no-cache --config "$conf" "$f/$1"; }
failed() { refused "$1" --no-cache --config "$conf" "$f/$2"; }
ok 'a registry of our own'          fetched fine/a
ok 'Basic'                          fetched basic/a
ok 'Bearer'                         fetched bearer/a
ok 'its token server got the scope' grep -q "^$other GET /token/bearer/a?service=test%20service&scope=repository%3Abearer%2Fa%3Apull auth=Basic" "$log"
ok 'Bearer for everyone'            fetched bearer-open/a
ok 'Bearer before Basic'            fetched both/a
ok 'tokens that expire on the way'  fetched bearer-short/a
ok 'are asked for again'            test "$(grep -c "GET /token/bearer-short" "$log")" -gt 1
ok 'a token server that is busy'    fetched bearer-busy/a
ok 'is asked again'                 test "$(grep -c "GET /token/bearer-busy" "$log")" = 2
ok 'a token server that refuses'    failed 'denied: the credentials are not accepted' bearer-refused/a
ok 'a token that breaks headers'    failed 'gives no token' bearer-evil/a
printf '{"auths": {"%s": {"identitytoken": "identity-token"}}}' "$f" >"$HOME/.docker/config.json"
ok 'an identity token'              fetched bearer-refresh/a
ok 'is sent in the body'            grep -q "^$other POST /token/bearer-refresh/a auth=none" "$log"
login "$f" user:secret >"$HOME/.docker/config.json"
ok 'a realm elsewhere over http'    failed 'credentials go over https only' far-realm/a
ok 'a realm that is a file'         failed "'$f'" file-realm/a
ok 'a challenge without an end'     failed 'does not say how to log in' odd/a
ok '401 without a challenge'        failed 'does not say how to log in' speechless/a
ok '403'                            failed 'denied' forbidden/a
ok 'blobs on another host'          fetched redirect/a
ok 'get no Authorization'           grep -q "^$other GET /raw/sha256:[0-9a-f]* auth=none" "$log"
ok 'never'                          sh -c '! grep "^$1 GET /raw/.* auth=[^n]" "$2"' sh "$other" "$log"
ok 'another host'\''s challenge is not answered' failed 'no credentials go there' redirect-ask/a
ok 'its token server was not asked' sh -c '! grep -q "/steal" "$1"' sh "$log"
ok 'a redirection there and back'   fetched redirect-round/a
ok 'brings no Authorization to a path of a stranger'\''s' grep -q "^$port GET /v2/chosen/a/blobs/sha256:[0-9a-f]* auth=none" "$log"
ok 'never'                          sh -c '! grep "/v2/chosen/.* auth=[^n]" "$1"' sh "$log"
printf '{"auths": {"%s": {"identitytoken": "identity-token"}}}' "$f" >"$HOME/.docker/config.json"
posts=$(grep -c "^$port POST" "$log")
for status in 301 302 303 307 308; do
	ok "a token server that moves ($status) gets no form sent elsewhere" failed 'nothing was sent there' bearer-moved-$status-away/a
done
ok 'nobody got one'                 test "$(grep -c "^$port POST" "$log")" = "$posts"
ok 'one that moves within itself'   fetched bearer-moved-307/a
login "$f" user:secret >"$HOME/.docker/config.json"
ok 'a redirection to the same host' fetched redirect-back/a
ok 'one without end'                failed 'redirects more than' loop/a
ok 'one to a file'                  failed 'file' to-file/a
ok 'one to http elsewhere'          failed 'not https' to-http/a
ok 'one to nowhere'                 failed 'redirects to nowhere' nowhere/a
ok 'one to an address without end'  failed 'an address of more than 4095 bytes' far/a
ok '429 with Retry-After'           fetched busy/a
ok '429 for ever'                   failed 'too many requests (429, remaining: 0' always-busy/a
ok 'asked five times'               test "$(grep -c '/v2/always-busy/' "$log")" = 5
seconds=$(date +%s)
ok '503 with Retry-After as a date' fetched busy-until/a
ok 'which was waited for'           test "$(($(date +%s) - seconds))" -ge 1
ok '503 twice'                      fetched broken-twice/a
ok '500 for ever'                   failed 'answers 500' broken/a
ok 'a connection cut in the middle' fetched cut/a
ok 'goes on from there'             grep -q '/v2/cut/a/blobs/.* range=bytes=[1-9]' "$log"
ok 'a registry that is gone for a second' fetched vanish/a
ok 'one that is gone after its first answer' fetched leave/a
ok 'Range ignored'                  fetched no-range/a
ok 'another range'                  failed 'another part of a blob' wrong-range/a
ok 'a stalled transfer'             fetched stall/a
ok 'one that does not begin'        fetched mute/a

# Who is gone, or has failed, is not waited for.
seconds=$(date +%s)
ok 'a wrong layer beside one that drips' failed 'firn: layer ' drip-wrong/a
ok 'is told at once'                test "$(($(date +%s) - seconds))" -le 5
ends_with_its_child() {
	"$FIRN" pull -q --no-cache --config "$conf" "$f/drip/$1" "$scratch/out/drip.sqfs" 9>&- 2>"$scratch/drip" &
	drips=$!
	until grep -q "/v2/drip/$1/blobs/.*" "$log" && child=$(pgrep -P "$drips") && sleep 1; do
		kill -0 $drips && sleep 0.1 || return 1
	done
	kill -"$2" "$child"
	for _ in 1 2 3 4 5; do
		sleep 1
		kill -0 $drips 2>/dev/null || { wait $drips; test $? = 125 && grep -q 'ended by signal' "$scratch/drip"; return; }
	done
	kill -9 $drips
	return 1
}
ok 'the process that reads is killed' ends_with_its_child a KILL
ok 'and nothing is left of it'      test -z "$(ls "$scratch/out")"

# What is told on the way: a transfer that stalls for a second gives it time.
on_terminal() {
	run_last env TERM=xterm python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], lambda fd: os.read(fd, 65536))))' "$@"
}
escape=$(printf '\033[')
ok 'a pull on a terminal'           on_terminal "$FIRN" pull -f --no-cache --config "$conf" "$f/stall/terminal" "$out"
ok 'shows all together'            grep -q 'layers: [0-3] of 3, [0-9]* of [0-9]* .iB' "$last"
ok 'shows a line for each layer'    sh -c 'for n in 1 2 3; do grep -q "layer $n (sha256:[0-9a-f]*): [0-9]* of [0-9]* .iB" "$1" || exit 1; done' sh "$last"
ok 'with the rate and the time left' grep -q 'layer 3 .* of .*, .*/s, .* s left' "$last"
ok 'which are redrawn'              says "$escape"
ok 'and are gone at the end'        sh -c '! python3 "$1/tests/tools/screen.py" <"$2" | grep "^layer [123] "' sh "$srcdir" "$last"
ok 'with what is said meanwhile'    on_terminal "$FIRN" pull -v -f --no-cache --config "$conf" "$f/stall/said" "$out"
screen=$(python3 "$srcdir/tests/tools/screen.py" <"$last")
ok '... it stays'                   sh -c 'echo "$1" | grep -q "going on from there"' sh "$screen"
ok '... and they do not'            sh -c '! echo "$1" | grep "^layer [123] "' sh "$screen"
# sized COLUMNSxROWS: what such a terminal shows of a pull in the end, its result aside.
sized() {
	python3 "$srcdir/tests/tools/screen.py" "$1" sh -c 'exec "$@" >/dev/null' sh \
		"$FIRN" pull -f --no-cache --config "$conf" "$f/stall/sized" "$out"
}
for size in 40x5 66x5 80x5 200x5 40x3 20x24; do
	ok "a terminal of $size is left as it was" prints "$(printf '\nscrolled 0')" sized $size
done
ok 'a terminal that only prints'    on_terminal env TERM=dumb "$FIRN" pull -f --no-cache --config "$conf" "$f/stall/dumb" "$out"
ok 'gets no movements'              says_not "$escape"
ok '-q is silent there'             on_terminal "$FIRN" pull -q -f --no-cache --config "$conf" "$f/stall/quiet" "$out"
ok 'to the letter'                  test ! -s "$last"
configure '[pull]' 'stall = 6'
ok 'elsewhere'                      succeeds firn pull -f --no-cache --config "$conf" "$f/stall/plain" "$out"
ok 'there are plain lines now and then' grep -q '^firn: layer 3 .* of .*' "$last"
ok 'that are only text'             says_not "$escape"
configure '[pull]' 'stall = 1'
rm -f "$out"
ok 'bodies always short'            failed "the configuration of '$f/short/a:latest'" short/a
ok 'a body too long'                failed 'more than' long/a
ok 'a length too long'              failed 'bytes for a blob of' long-length/a
ok 'a wrong byte'                   failed 'digest' wrong/a
ok 'a missing blob'                 failed 'has no' missing-blob/a
ok 'a manifest of 100 MB'           failed 'an answer of more than' giant/a
ok 'a manifest that is no JSON'     failed 'JSON' no-json/a
ok 'a web page'                     failed 'manifest' web-page/a
ok 'another manifest than asked for' failed 'does not match its digest' "another/a@$manifest"
ok 'thousands of headers'           failed "'$f'" many-headers/a
ok 'a header of 1 MiB'              failed "'$f'" long-header/a
ok 'no HTTP at all'                 failed "'$f'" garbage/a
ok 'a mirror without the image'     sh -c 'printf "[registry \"%s\"]\nmirror = http://localhost:%s/v2x\n" "$1" "$2" >"$3"' sh "$plain" "$other" "$conf"
ok 'is passed over'                 pulled --no-cache --config "$conf" "$plain/group/image"
ok 'it was asked'                   grep -q "^$other GET /v2x/v2/group/image/manifests/latest auth=none" "$log"

# Killed in the middle: the rest is fetched next time.
rm -rf "$XDG_CACHE_HOME"
rm -f "$out"
"$FIRN" pull -q "$f/hold/a" "$out" &
pull=$!
until [ -f "$scratch/faulty/held" ]; do
	kill -0 $pull 2>/dev/null || break
	sleep 0.05
done
until [ "$(find "$XDG_CACHE_HOME/firn/ingest" -size +250k | wc -l)" -ge 1 ]; do
	kill -0 $pull 2>/dev/null || break
	sleep 0.05
done
kill -9 $pull 2>/dev/null
wait $pull 2>/dev/null
ok 'kill -9 leaves no image'        test -z "$(ls "$scratch/out")"
ok 'the next pull'                  pulled "$f/hold/a"
ok 'fetches the rest alone'         grep -q '/v2/hold/a/blobs/.* range=bytes=[1-9]' "$log"
rm -f "$out"

# Through a proxy, to a host that only the proxy knows.
echo "$tls" >"$scratch/faulty/target"
configure '[registry "registry.example.org"]' "ca = $scratch/tls/ca.pem"
export https_proxy="http://127.0.0.1:$other"
ok 'a proxy'                        pulled --no-cache --config "$conf" registry.example.org/group/image
ok 'was used'                       grep -q "^$other CONNECT registry.example.org:443" "$log"
ok 'but not for this machine'       pulled --no-cache "$plain/group/image"
export no_proxy=registry.example.org
ok 'nor for what no_proxy names'    refused "'registry.example.org'" --no-cache --config "$conf" registry.example.org/group/image
unset https_proxy no_proxy
open_before=$(grep -c "^$other GET /[rt].*/\(redirect-open\|bearer-open/a\)" "$log")

# What only the site can say, in a mount namespace of our own: registry.example.org is this machine's
# name there, though not one of those that firn knows to be.
site=$(prefix=$(sed -n 's/^prefix = //p' "$builddir/Makefile") && eval "echo $(sed -n 's/^sysconfdir = //p' "$builddir/Makefile")")
mkdir -p "$scratch/site/firn"
printf '127.0.0.1 localhost registry.example.org\n' >"$scratch/hosts"
printf '#!/bin/sh\nexec unshare -rm sh -c '\''mount --bind "%s" "%s" && mount --bind "%s" /etc/hosts && exec "$@"'\'' sh "%s" "$@"\n' \
	"$scratch/site" "$site" "$scratch/hosts" "$FIRN" >"$scratch/bin/at-site"
chmod +x "$scratch/bin/at-site"
if "$scratch/bin/at-site" --version >/dev/null 2>&1; then
	FIRN=$scratch/bin/at-site conf=$scratch/site/firn/firn.conf named=registry.example.org:${plain##*:}
	configure ''
	ok 'plain http, to another name'    refused 'plain http only' --no-cache "$named/group/image"
	configure "[registry \"$named\"]" 'insecure = yes'
	ok 'if the site says so'            pulled --no-cache "$named/group/image"
	configure "[registry \"registry.example.org:${tls##*:}\"]" 'insecure = yes'
	ok 'TLS that nobody vouches for, if the site says so' pulled --no-cache "registry.example.org:${tls##*:}/group/image"
	configure '[pull]' "default = $plain"
	mkdir -p "$HOME/.config/containers"
	names "unqualified-search-registries = ['localhost:9']"
	ok "a site's word for no host"      pulled --no-cache group/image
	ok 'goes before all others'         succeeds firn pull --no-cache -f group/image "$out"
	ok 'and is said'                    says "'group/image' is $plain/group/image:latest, by firn.conf"
	f=registry.example.org:$secure
	configure "[registry \"$f\"]" "ca = $scratch/tls/ca.pem"
	ok 'TLS with the CA that the site names' pulled --no-cache "$f/fine/a"
	ok "but a stranger does not send to this machine's services" refused "'localhost:$other' would be asked over http" --no-cache "$f/redirect-open/a"
	ok 'nor for a token'                refused 'credentials go over https only' --no-cache "$f/bearer-open/a"
	ok 'none of which was asked'        test "$(grep -c "^$other GET /[rt].*/\(redirect-open\|bearer-open/a\)" "$log")" = "$open_before"
else
	skip 'what only the site can say' 'user namespaces are not to be had, or there is no folder for firn.conf'
fi
done_testing
