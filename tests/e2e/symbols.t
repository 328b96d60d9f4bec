#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# A function of ours must not take the place of a library's of the same name: the linker
# does not say so, and the library's callers get ours.
. "${srcdir:-.}/tests/lib.sh"
needs nm --version
needs ldd --version
build_program=$(dirname "$FIRN")/firn-build
[ -f libfirn.a ] && [ -f libfirn-builder.a ] && [ -x "$build_program" ] || skip_all 'not run in the build folder'

defined() { awk 'NF == 3 {sub(/@.*/, "", $3); print $3}'; }
nm -g --defined-only libfirn.a libfirn-builder.a | defined | sort >"$scratch/ours"
ldd "$build_program" | awk '$3 ~ /^\// {print $3}' | while read -r library; do
	nm -D --defined-only "$library" | defined
done | sort -u >"$scratch/theirs"

ok 'our functions were found'       grep -qx squashfs_open "$scratch/ours"
ok "the libraries' were, too"       grep -qx json_object_get "$scratch/theirs"
uniq -d "$scratch/ours" >"$last"
ok 'no two functions of a name'     test ! -s "$last"
sort -u "$scratch/ours" | comm -12 - "$scratch/theirs" >"$last"
ok 'none with the name of a library function' test ! -s "$last"
done_testing
