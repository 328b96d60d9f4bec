#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# The bash completion offers verbs, options, values and files, and knows every option.
. "${srcdir:-.}/tests/lib.sh"
needs bash --version

touch "$scratch/image one.sqfs"
mkdir "$scratch/directory"

# offers WORD... : what is offered for the last of the words.
offers() {
	bash -c '
		. "$0"
		cd "$1" && shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_firn
		printf "%s\n" "${COMPREPLY[@]}"' "$srcdir/conf/firn.bash-completion" "$scratch" "$@"
}

ok 'verbs'                             prints 'exec' offers firn ex
ok 'options of exec'                   prints '--writable-tmpfs' offers firn exec --wr
ok 'after other options'               prints "$(printf -- '--overlay\n--overlay-any')" offers firn exec -B /a --root --ov
ok 'values'                            prints 'squashfuse' offers firn exec --engine sq
ok 'values behind ='                   prints 'squashfuse' offers firn exec --engine = sq
ok 'images'                            prints 'image one.sqfs' offers firn exec --root im
ok 'directories where one is needed'   prints 'directory' offers firn exec --overlay ''
ok 'no options behind the image'       prints '' offers firn exec image.sqfs --wr
ok 'no options behind --'              prints '' offers firn exec -- --wr
ok 'verbs to be helped with'             prints 'shell' offers firn help sh
ok 'options of inspect'                prints '--json' offers firn inspect --j
ok 'options of doctor'                 prints '--quiet' offers firn doctor --q
ok '... all of them'                   prints '--json' offers firn doctor --j

ok 'options of build'                  prints '--compress' offers firn build --comp
ok 'codecs'                            prints 'zstd' offers firn build --compress zs
ok 'verbs of cache'                    prints 'gc' offers firn cache g
ok 'sources'                           prints 'oci-archive:' offers firn build out.sqfs oci-

ok 'codecs behind the letter'          prints 'zstd' offers firn build -c zs
touch "$scratch/notes.txt"
ok 'images before other files'         prints "$(printf 'image one.sqfs\ndirectory')" offers firn exec ''
ok 'other files where no image fits'   prints 'notes.txt' offers firn exec no
ok 'nothing local for pull'            prints '' offers firn pull no

# The other shells ask firn's own help. zsh completes on a terminal alone.
PATH=$(dirname "$FIRN"):$PATH
if fish --version >/dev/null 2>&1; then
	in_fish() { HOME=$scratch fish -c "source '$srcdir/conf/firn.fish-completion'; complete -C '$1'" | cut -f 1; }
	ok 'fish offers verbs'             prints 'inspect' in_fish 'firn ins'
	ok 'options'                       prints '--writable-tmpfs' in_fish 'firn exec --wri'
	ok 'values'                        prints 'zstd' in_fish 'firn build --compress zs'
	ok 'nothing local for pull'        prints '' in_fish "firn pull $scratch/no"
	ok 'images before other files'     [ "$(in_fish "firn inspect $scratch/" | head -n 1)" = "$scratch/image one.sqfs" ]
else
	skip 'fish completes' 'there is no fish'
fi
if zsh --version >/dev/null 2>&1 && python3 -c 'import pty' 2>/dev/null; then
	cp "$srcdir/conf/firn.zsh-completion" "$scratch/_firn"
	echo "fpath=('$scratch' \$fpath); autoload -U compinit; compinit -D -u; PS1='READY> '" >"$scratch/.zshrc"
	in_zsh() { (cd "$scratch" && ZDOTDIR=$scratch python3 "$srcdir/tests/tools/typed.py" "$1" "$2" zsh -i); }
	ok 'zsh offers verbs'              succeeds in_zsh 'firn ins\t' 'firn inspect'
	ok 'options'                       succeeds in_zsh 'firn exec --wri\t' 'exec --writable-tmpfs'
	ok 'values'                        succeeds in_zsh 'firn exec --engine sq\t' 'engine squashfuse'
	ok 'images'                        succeeds in_zsh 'firn exec im\t' '.sqfs'
else
	skip 'zsh completes' 'there is no zsh'
fi

options_of() {
	"$FIRN" "$1" --help | grep -oE '^ {6}--[a-z-]+|^  -., --[a-z-]+' | grep -oE -e '--[a-z-]+' >"$scratch/options"
}
# listed VERB...: each option of its --help is offered and in the manual.
listed() {
	unknown=
	for verb; do
		options_of "$verb"
		[ -s "$scratch/options" ] || unknown="$unknown $verb"
		while read -r option; do
			[ "$(offers firn "$verb" "$option" | grep -cxF -e "$option")" = 1 ] || unknown="$unknown $verb:$option"
			grep -qF -e "\\-\\-$(printf '%s' "${option#--}" | sed 's/-/\\-/g')" "$srcdir/doc/firn-build.1.in" ||
				unknown="$unknown manual:$option"
		done <"$scratch/options"
	done
	echo "unknown:$unknown" >"$last"
	[ -z "$unknown" ]
}
ok 'options of firn build are offered and in the manual' listed build pull verify cache

options_of exec
ok '--help tells more than twenty options'  test "$(wc -l <"$scratch/options")" -gt 20
missing=
for option in $(cat "$scratch/options"); do
	[ "$(offers firn exec "$option" | grep -cxF -e "$option")" = 1 ] || missing="$missing $option"
done
ok "every option of --help is offered (missing:$missing)" [ -z "$missing" ]

undocumented=
for option in $(cat "$scratch/options"); do
	grep -qF -e "\\-\\-$(printf '%s' "${option#--}" | sed 's/-/\\-/g')" "$srcdir/doc/firn.1.in" ||
		undocumented="$undocumented $option"
done
ok "and is in the manual (missing:$undocumented)" [ -z "$undocumented" ]

# firn.conf(5) promises the whole list of variables that are dropped, and the defaults.
unlisted=
sed -n '/^static const char \*const dropped/,/^};/s/"//gp' "$srcdir/lib/conf/conf.c" | tr -s ' ,\t' '\n' >"$scratch/dropped"
ok 'variables are dropped'                  grep -qx BASH_ENV "$scratch/dropped"
for variable in $(cat "$scratch/dropped"); do
	grep -qwF -e "$variable" "$srcdir/doc/firn.conf.5.in" || unlisted="$unlisted $variable"
done
ok "every variable dropped is in the manual (missing:$unlisted)" [ -z "$unlisted" ]
# Without what only the site may say, and what names files that are not there.
sed 's/^#\([a-z[]\)/\1/; /^deny/d; /^drop/d; /^keep/d; /^bind/d; /^squashfuse/d; /^default/d; /^insecure/d; /^linger/d; /^pin/d; /^group/d' "$srcdir/conf/firn.conf.example" \
	>"$scratch/firn.conf"
chmod 644 "$scratch/firn.conf"
make_small "$scratch/root"
ok 'the example is a valid configuration' status_is 0 firn exec --config "$scratch/firn.conf" "$scratch/root" true
done_testing
