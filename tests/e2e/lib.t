#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# What tests/lib.sh takes for a promise that is kept, and what not: a test that cannot fail is none.
. "${srcdir:-.}/tests/lib.sh"

# holds COMMAND... and breaks COMMAND...: what ok() would find; $last stays.
holds() { "$@"; }
breaks() { ! "$@"; }
says_so() { printf '%s\n' "$2"; return "$1"; }
crashes() { sh -c 'kill -SEGV $$'; }

ok 'fails: a line of firn'\''s and a status'    holds fails says_so 125 'firn: no'
ok '... that of a program, too'              holds fails says_so 1 'firn: no'
ok '... also after a warning'                holds fails says_so 125 'firn: warning: odd
firn: no'
ok '... not success'                         breaks fails says_so 0 'firn: no'
ok '... not without a line'                  breaks fails says_so 125 ''
ok '... nor with a warning alone'            breaks fails says_so 125 'firn: warning: odd'
ok '... nor with somebody else'\''s'            breaks fails says_so 1 'touch: no'
ok '... nor what is not there'               breaks fails "$scratch/nosuch"
ok '... nor what cannot be run'              breaks fails says_so 126 'firn: no'
ok '... nor a crash'                         breaks fails crashes
ok '... nor one that speaks'                 breaks fails says_so 139 'firn: no'
ok '... nor a sanitizer'                     breaks fails says_so 1 'firn: no
==7==ERROR: AddressSanitizer: heap-buffer-overflow'
ok '... nor the other one'                   breaks fails says_so 1 'firn: no
lib/err.c:7:2: runtime error: shift exponent 64 is too large'
ok 'firn itself fails'                       holds fails firn exec /nosuch true

ok 'denied: a program says no'               holds denied says_so 1 'touch: no'
ok '... without a word'                      holds denied says_so 2 ''
ok '... not success'                         breaks denied says_so 0 ''
ok '... not when firn fails'                 breaks denied says_so 125 'firn: no'
ok '... whatever its status'                 breaks denied says_so 1 'firn: no'
ok '... nor through enter'                   breaks denied says_so 1 'enter: 125 no'
ok '... nor what is not there'               breaks denied "$scratch/nosuch"
ok '... nor a crash'                         breaks denied crashes

ok 'status_is: the status'                   holds status_is 3 says_so 3 ''
ok '... no other'                            breaks status_is 3 says_so 4 ''
ok '... not with a report'                   breaks status_is 1 says_so 1 'SUMMARY: UndefinedBehaviorSanitizer: x'
ok '... a signal, if that is promised'       holds status_is 139 crashes

printf 'some\n' >"$last"
ok 'says_not: something else is said'        holds says_not other
ok '... not this'                            breaks says_not some
: >"$last"
ok '... and not nothing'                     breaks says_not other

ok 'prints: to the letter'                   holds prints a echo a
ok '... nothing else'                        breaks prints a echo ab
ok '... nothing, if that is promised'        holds prints '' true
ok '... but not of what failed'              breaks prints '' false
ok '... nor of what is not there'            breaks prints '' "$scratch/nosuch"
ok '... what is said besides can be read'    holds prints a sh -c 'echo a; echo b >&2'
ok '... afterwards'                          holds says b

ok 'all_print_one: as many, all alike'       holds all_print_one 2 printf 'a\na\n'
ok '... not fewer'                           breaks all_print_one 2 echo a
ok '... not others'                          breaks all_print_one 2 printf 'a\nb\n'
ok '... not nothing'                         breaks all_print_one 2 printf '\n\n'
ok '... not of what failed'                  breaks all_print_one 2 sh -c 'echo a; echo a; exit 1'

mounts() { printf '1 0 0:1 / %s %s - tmpfs none rw\n' "$@"; }
ok 'every_mount: all have it'                holds every_mount nosuid '^$' mounts / rw,nosuid,nodev /a nosuid
ok '... or are spared'                       holds every_mount nodev '^/dev[/ ]' mounts / rw,nodev /dev rw /dev/shm rw
ok '... one has not'                         breaks every_mount nodev '^/dev[/ ]' mounts / rw,nodev /device rw
ok '... which is shown'                      says '/device rw'
ok '... nothing is nothing'                  breaks every_mount nodev '^$' true

echo a >"$scratch/a"
echo b >"$scratch/b"
: >"$scratch/empty"
ok 'differ: two files'                       holds differ "$scratch/a" "$scratch/b"
ok '... not one'                             breaks differ "$scratch/a" "$scratch/a"
ok '... not one that is not there'           breaks differ "$scratch/a" "$scratch/nosuch"
ok '... not an empty one'                    breaks differ "$scratch/a" "$scratch/empty"

# Whole tests, in a shell of their own.
other() { FIRN_TEST_CACHE="$scratch" srcdir=$srcdir sh -c '. "$srcdir/tests/lib.sh"; '"$1"; }
ok 'an image that is not there skips a test' prints "1..0 # SKIP there is no x.sqfs in $scratch (tests/run makes it)" \
	other 'image=$(image x.sqfs); ok later true; done_testing'
ok 'so does a program, and the log says why' prints '1..0 # SKIP this machine lacks: sh -c echo one; echo two; exit 1 (two)' \
	other 'needs sh -c "echo one; echo two; exit 1"; ok later true; done_testing'
ok 'what was tested until then counts'       denied other 'ok never false; skip_all reason; ok later true'
ok '... with the reason'                     says 'ok 2 - all that follows # SKIP reason'
ok '... and a plan'                          says '1..2'
ok 'one promise that is broken is enough'    denied other 'ok one true; ok two false; ok three true; done_testing'
ok '... and is shown'                        says 'not ok 2 - two'
done_testing
