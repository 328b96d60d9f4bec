#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# The documentation: command lines that firn knows, files that are there, names that are right.
. "${srcdir:-.}/tests/lib.sh"
. "$srcdir/tests/tour.sh"
needs firn exec /usr true

# What the pages' lines name.
make_small "$scratch/rootfs"
cd "$scratch" || exit 1
mkdir data changes home
export HOME="$scratch/home"
echo A=1 >vars.env
mkdir rootfs/.firn
echo '{"config": {"Entrypoint": ["/bin/true"]}}' >rootfs/.firn/config.json
squash rootfs app.sqfs
for name in debian_12.sqfs app.sqsh app.sif own.sqfs rootfs.sqfs IMAGE; do
	cp app.sqfs $name
done
# A path that is there goes before a registry's name, which this machine may not reach.
mkdir docker: && cp app.sqfs docker:/debian:12 && cp app.sqfs debian:12
for page in README.md doc/slurm.md doc/slurm-admin.md doc/coming-from/apptainer.md doc/coming-from/charliecloud.md \
	doc/coming-from/docker.md doc/coming-from/pyxis.md; do
	parsed "$page"
done
# Console blocks are done: by tour.t, and by tests/root/slurm_tour.t.
blocks=$(cd "$srcdir" && grep -l '^```console' ./*.md doc/*.md doc/*/*.md tests/*/*.md | tr '\n' ' ')
ok 'no page has console blocks that nobody does' [ "$blocks" = './README.md doc/recipes.md doc/slurm.md ' ]
for page in apptainer charliecloud docker pyxis; do
	ok "coming from $page is one screen" test "$(wc -l <"$srcdir/doc/coming-from/$page.md")" -le 60
done

# What pages and comments name is there; what has a second place is the same in both.
ok 'files that pages and comments name are there' succeeds python3 "$srcdir/tests/tools/pages.py" "$srcdir"
mkdir -p tree/lib
printf 'See `lib/gone.c`, `lib/a.c` and [this](nowhere.md).\n\n    lost.c\n' >tree/A.md
printf '/* As b.c does; lib/a.c, too. */\n' >tree/lib/a.c
ok '... and those that are not are seen'     status_is 1 python3 "$srcdir/tests/tools/pages.py" tree
ok '... in a page'                           says 'A.md: lib/gone.c'
ok '... as a link'                           says 'A.md: nowhere.md'
ok '... in a picture'                        says 'A.md: lost.c'
ok '... and in a comment'                    says 'lib/a.c: b.c'
ok '... but not what is there'               says_not ': lib/a.c'

# What errors say.
ok 'errors and warnings speak with one voice' succeeds python3 "$srcdir/tests/tools/voice.py" "$srcdir"
ok '... hundreds of them'                    grep -qE '^[0-9]{3,} texts' "$last"
mkdir tree/runner
printf 'int f(void)\n{\n\treturn err_set(err, "Failed to "\n\t\t"read.");\n}\n' >tree/runner/b.c
ok '... and one that does not is seen'       status_is 1 python3 "$srcdir/tests/tools/voice.py" tree
ok '... for its begin'                       says 'runner/b.c:3: begins with a capital letter'
ok '... and its end'                         says 'ends with a full stop: Failed to read.'
ok '... and its word'                        says 'does not come to the point'

# Manual pages, as make has made them.
for page in firn.1 firn-build.1 firn-images.1 firn.conf.5; do
	manual=$builddir/doc/$page
	ok "$page has its date and version"      grep -qE '^\.TH [A-Z\\.-]+ [15] "20[0-9]{2}-[0-9]{2}-[0-9]{2}" "firn [0-9.]+"' "$manual"
	ok "$page has nothing left to fill in"   denied grep -E '@[A-Za-z]+@' "$manual"
	if command -v mandoc >/dev/null; then
		ok "mandoc takes $page"          succeeds mandoc -T lint -W warning "$manual"
	else
		skip "mandoc takes $page" 'there is no mandoc'
	fi
	if command -v groff >/dev/null; then
		groff -man -ww -K utf8 -T utf8 "$manual" 2>"$last" >page.txt
		ok "groff takes $page"           [ ! -s "$last" ]
	else
		skip "groff takes $page" 'there is no groff'
	fi
done
# Every verb that the program knows is in its synopsis.
verbs=$(firn --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
ok 'there are verbs'                         [ "$(echo "$verbs" | wc -l)" -ge 9 ]
for verb in $verbs; do
	ok "firn(1) has '$verb' in its synopsis" grep -qxF ".SY \"firn $verb\"" "$srcdir/doc/firn.1.in"
done
for verb in exec build pull verify cache images; do
	manual=$srcdir/doc/firn-build.1.in
	[ "$verb" != exec ] || manual=$srcdir/doc/firn.1.in
	[ "$verb" != images ] || manual=$srcdir/doc/firn-images.1.in
	for option in $(firn help "$verb" | grep -o -- '--[a-z][a-z-]*' | sort -u); do
		ok "the manual has $verb $option" grep -qF -e "$(echo "$option" | sed 's/-/\\-/g')" "$manual"
	done
done

# What numbers of firn.conf may be is in its page, as errors say it.
for key in server.cache server.metadata server.threads pull.stall build.max-entries build.max-size build.max-ratio build.max-memory; do
	printf '[%s]\n%s = x\n' "${key%.*}" "${key#*.}" >wrong.conf
	ok "'${key#*.}' cannot be 'x'"           fails firn exec --config wrong.conf /usr true
	range=$(sed -n 's/.* \(from [0-9A-Z]* to [0-9A-Z]*\).*/\1/p' "$last")
	ok "firn.conf(5) has '$range'"           [ -n "$range" -a "$(sed -n "/\"${key#*.} = \|^\.SH \[${key%.*}/,/^\.TP/p" "$builddir/doc/firn.conf.5" | sed 's/\\//g' | grep -ciF "$range")" -gt 0 ]
done

# The picture in README.
python3 "$srcdir/doc/picture.py" >picture.svg
ok 'the picture is what its script draws'    cmp picture.svg "$srcdir/doc/picture.svg"
ok 'it needs nothing from elsewhere'         denied grep -E 'href|url\([^#]|<script' picture.svg
debian() { sed -n '/^| needed /,/^$/p' "$srcdir/README.md" | cut -d'|' -f3 | grep -o '`[^`]*`' | tr -d '`' | tr ' ' '\n' | sort; }
debian >named
sed -n 's/^build //p' "$srcdir/tests/packages" | sort >needed
ok "README's packages are those of quickstart" cmp named needed
done_testing
