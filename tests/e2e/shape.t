#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# The shape of the sources: what must hold does, the rest is told.
. "${srcdir:-.}/tests/lib.sh"
needs_python

table() { python3 "$srcdir/tests/shape" "$@" "$tree"; }
tree=$srcdir
table | sed 's/^/# /'
ok 'includes follow the arrows between rooms'  succeeds table
ok '... and were counted'                      says 'lines over 100 columns'

# Of a tree of its own, in which everything is wrong.
tree=$scratch/tree
mkdir -p "$tree/lib" "$tree/runner/plan" "$tree/runner/mount" "$tree/builder"
printf '#ifndef FIRN_A_H\n#define FIRN_A_H\n#include "runner/b.h"\nstruct same {\n};\n#endif\n' >"$tree/lib/a.h"
printf '#ifndef FIRN_A_H\n#define FIRN_A_H\n#include "lib/a.h"\nstruct same {\n};\n#endif\n' >"$tree/runner/b.h"
printf '\t%093d\n\t%092d\n#include "b.h"\n' 0 0 >"$tree/runner/b.c"
printf '#include "runner/b.h"\n' >"$tree/builder/c.c"
printf '#include "runner/mount/e.h"\n' >"$tree/runner/plan/d.c"
printf '#include "runner/plan/d.h"\n' >"$tree/runner/mount/e.h"
: >"$tree/runner/plan/d.h"
seq 501 | sed 's,^,// ,' >"$tree/builder/long.c"
seq 500 | sed 's,^,// ,' >"$tree/builder/short.c"
printf 'x = strcpy(a, b);\nx = snprintf(a, 1, "");\nx = my_system(a);\n/* strcpy() */\n' >"$tree/builder/copy.c"
ok 'arrows that go back are an error'          status_is 1 table -v
ok '... those of lib'                          says 'lib/a.h: runner/b.h'
ok '... and of builder'                        says 'builder/c.c: runner/b.h'
ok '... but of none that go on'                says_not 'runner/b.h: lib/a.h'
ok 'what is planned knows no mount'            says 'runner/plan/d.c: runner/mount/e.h'
ok '... but a mount the plan'                  says_not 'runner/mount/e.h: runner/plan/d.h'
ok 'a circle is seen'                          says 'lib/a runner/b'
ok 'a line of 101 columns, with its tab'       says 'runner/b.c:1'
ok '... but not one of 100'                    says_not 'runner/b.c:2'
ok 'a file of 501 lines'                       says 'builder/long.c: 501'
ok '... but not one of 500'                    says_not 'builder/short.c: 500'
ok 'a copy without a limit'                    says 'builder/copy.c:1'
ok '... but none with one'                     says_not 'builder/copy.c:2'
ok '... nor a name that ends so'               says_not 'builder/copy.c:3'
ok '... nor a comment'                         says_not 'builder/copy.c:4'
ok 'a guard that is not its path'              says 'runner/b.h: FIRN_A_H'
ok '... and that of two'                       says 'FIRN_A_H: lib/a.h runner/b.h'
ok 'a tag of two structs'                      says 'same: lib/a.h runner/b.h'
ok 'headers without a word, and which'          says ' 0.0 %   must be 48 %'
ok '... with the lines that they have'         says 'runner/b.h: 0 of 6 lines'
ok 'a tree without sources has no shape'       denied python3 "$srcdir/tests/shape" "$scratch/nosuch"
done_testing
