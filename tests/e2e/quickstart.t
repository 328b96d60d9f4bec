#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# quickstart where all is there already: it says what it does and what to type next, as often as one likes.
. "${srcdir:-.}/tests/lib.sh"
needs dpkg-query --version
needs firn exec /usr true
needs_programs make setpriv
unset MAKEFLAGS MFLAGS MAKELEVEL
image=$(image debian.sqfs)
lacks=$(top=$srcdir && . "$srcdir/tests/setup.sh" && missing build image)
[ -z "$lacks" ] || skip_all "these packages are not installed: $lacks"

# The tree, with what was built here as its build/.
mkdir "$scratch/tree" "$scratch/home"
for entry in "$srcdir"/*; do
	[ "${entry##*/}" = build ] || ln -s "$entry" "$scratch/tree/"
done
rm "$scratch/tree/quickstart"
cp "$srcdir/quickstart" "$scratch/tree/"
ln -s "$builddir" "$scratch/tree/build"
export HOME="$scratch/home"
unset CI

ok 'quickstart works'                        succeeds "$scratch/tree/quickstart"
for step in '1/4  packages' '2/4  building' "3/4  the image $image is there" '4/4  running'; do
	ok "it says '$step'"                 says "$step"
done
ok 'something is seen while it builds'       grep -q '^2/4 .*\.\.* [0-9]* s$' "$last"
ok 'a command ran in the image'              says 'Debian GNU/Linux 12 (bookworm) as uid'
ok 'it says what to type: the way to firn'   says "export PATH=$scratch/tree/build:"
ok '... an image that is there'              says "firn shell $image"
typed=$(sed -n 's/^ *export PATH=\(.*\):.*/\1/p' "$last")
ok '... which works'                         prints bookworm env PATH="$typed:$PATH" sh -c 'firn exec "$1" sh -c ". /etc/os-release; echo \$VERSION_CODENAME"' sh "$image"
ok 'it works again'                          succeeds "$scratch/tree/quickstart"
ok 'build/ is one to go on with'             succeeds make -s -C "$scratch/tree/build"
if [ "$(id -u)" = 0 ]; then
	skip 'without an image it builds, too' 'root would make one'
else
	ok 'without an image it builds, too' succeeds env FIRN_TEST_CACHE="$scratch/none" "$scratch/tree/quickstart"
	ok '... says so'                     says '3/4  no image'
	ok '... and how to have one'         says 'firn pull debian:12'
	ok '... and names none'              says_not 'firn shell /'
fi

# What fails says so, with its last words.
cat >"$scratch/busy" <<'SH'
. "$srcdir/tests/setup.sh"
busy 'doing it' sh -c 'echo the cause; exit 3'
echo not here
SH
export srcdir
ok 'a step that fails is the end'            denied sh "$scratch/busy"
ok '... with its words'                      says 'the cause'
ok '... and nothing after it'                says_not 'not here'
done_testing
