#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Who builds does not matter: root and a user make the same image of the same layers.
. "${srcdir:-.}/tests/lib.sh"
needs_python
[ "$(id -u)" = 0 ] || skip_all 'needs root'
needs firn build --help

user=${user_id:-61234}
make_small "$scratch/root"
python3 "$srcdir/tests/images/mksample.py" "$scratch/root" "$scratch" || exit 1
python3 "$srcdir/tests/images/mkoci.py" "$scratch/oci" "$scratch/base.tar" "$scratch/changes.tar" || exit 1
mkdir "$scratch/users"
chown "$user:$user" "$scratch/users"
chmod -R a+rX "$scratch/oci"
as_user() {
	env HOME="$scratch/users" setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs "$@"
}
HOME=$scratch
export HOME
ok 'root builds an image'         succeeds firn build -q "$scratch/root.sqfs" "oci:$scratch/oci"
ok 'a user builds it'             succeeds as_user "$FIRN" build -q "$scratch/users/users.sqfs" "oci:$scratch/oci"
ok 'and it is the same'           cmp "$scratch/root.sqfs" "$scratch/users/users.sqfs"
ok "but it is the user's file"    prints "$user" stat -c %u "$scratch/users/users.sqfs"
done_testing
