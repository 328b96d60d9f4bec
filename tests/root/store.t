#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# A store that a group shares: what one of it has built, another runs, and notes that.
. "$srcdir/tests/lib.sh"
needs docker-registry --version
needs skopeo --version
needs setpriv --version
etc=$(sed -n 's/^#define SYSCONFDIR "\(.*\)"/\1/p' "$builddir/paths.h")
[ -d "$etc" ] || skip_all "there is no $etc"
other=$((user_id + 1)) group=55555 store=$scratch/group
stop_all() {
	"$srcdir/tests/registry/serve" stop "$scratch/registry"
	cleanup
}
trap stop_all EXIT
make_small "$scratch/root"
tar cf "$scratch/image.tar" -C "$scratch/root" . &&
	python3 "$srcdir/tests/images/mkoci.py" --tag latest "$scratch/oci" "$scratch/image.tar" || exit 1
at=$("$srcdir/tests/registry/serve" start "$scratch/registry") || exit 1
name=$at/lab/tool:1
skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$scratch/oci:latest" "docker://$name" || exit 1
mkdir "$store" && chgrp "$group" "$store" && chmod 2775 "$store"
for user in "$user_id" "$other"; do
	mkdir "$scratch/home.$user" && chown "$user" "$scratch/home.$user"
done
# as USER SHARED COMMAND...: where the site says that groups share (yes), or not (no); with a narrow umask.
as() {
	user=$1 shared=$2
	shift 2
	unshare -m sh -c 'mount -t tmpfs none "$1" && mkdir "$1/firn" && printf "[store]\ndir = %s\ngroup = %s\n" "$2" "$3" >"$1/firn/firn.conf" || exit 1
		user=$4 home=$5 group=$6
		shift 6
		umask 077
		exec setpriv --reuid "$user" --regid "$user" --groups "$group" --no-new-privs env HOME="$home" TMPDIR="$home" "$@"' \
		sh "$etc" "$store" "$shared" "$user" "$scratch/home.$user" "$group" "$FIRN" "$@" >"$last" 2>&1
}
ok 'one user builds'                    as "$user_id" yes images -v get "$name"
ok 'into the group'\''s directory'      says "is built into '$store'"
touch -d '3 days ago' "$store"/names/*
ok 'another gets it'                    as "$other" yes images -v get "$name"
ok 'without a build'                    says_not 'is built into'
ok 'runs it'                            as "$other" yes exec "$name" true
ok 'and has noted its use'              test -z "$(find "$store/names" -type f -mmin +60)"
ok 'where groups do not share'          as "$other" no images -v get "$name"
ok 'it is not used'                     says "'$store' is not used: "
ok 'but one of his own'                 says "is built into '$scratch/home.$other/.local/share/firn/images'"
rm -rf "$scratch/home.$other/.local"
chmod o+w "$store"
ok 'one that all can write to never is' as "$other" yes images -v get "$name"
ok 'as is said'                         says 'others can write to it'
done_testing
