#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Every verb's help fits a terminal, has examples that can be typed, and errors lead to it.
. "${srcdir:-.}/tests/lib.sh"
needs firn build --help

verbs=$("$FIRN" --help | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p')
ok 'firn --help lists the verbs'        test "$(echo "$verbs" | wc -l)" = 10
# fits WORD...: the help that these show has no line of more than 80 columns, tabulators or blanks at ends of lines.
fits() {
	"$FIRN" "$@" >"$last" 2>&1 || no "exit status $?" || return 1
	[ -s "$last" ] || return 1
	! grep -nE '.{80}|	| $' "$last" >"$last.wide" || { cat "$last.wide" >>"$last"; return 1; }
}
# exemplary VERB: its examples, two at least or so many as there are, begin with firn or lead to it, and each option
# of theirs is in the help of the verb that they name.
exemplary() {
	"$FIRN" "$1" --help | sed -n '/^Examples:$/,/^$/s/^    //p' >"$scratch/examples"
	[ -s "$scratch/examples" ] || no 'no example' || return 1
	while read -r line; do
		verb=$(echo "$line" | sed -n 's/.*firn \([a-z][a-z]*\) .*/\1/p; s/.*firn \([a-z][a-z]*\)$/\1/p' | tail -n 1)
		[ "$verb" = "$1" ] || no "an example of something else: $line" || return 1
		"$FIRN" "$verb" --help | sed '/^Examples:$/,$d' >"$scratch/help"
		for option in $(echo "$line" | sed "s/.*firn $verb//; s/'[^']*'//g" | tr ' ' '\n' | sed -n '/\.\(sqfs\|sif\)$/q; /^--*[a-zA-Z]/p'); do
			grep -qE -e "^ +(-.,)? *$option( |\$)" -e "^  $option, " "$scratch/help" ||
				no "no option '$option': $line" || return 1
		done
	done <"$scratch/examples"
}
ok 'firn --help fits 80 columns'        fits --help
ok 'firn help is the same'              prints "$("$FIRN" --help)" firn help
ok 'so is -h'                           prints "$("$FIRN" --help)" firn -h
for verb in $verbs; do
	ok "firn $verb --help fits"         fits "$verb" --help
	ok '-h and help say the same'       prints "$(cat "$last")" firn "$verb" -h
	ok '-h is among the options'        says '  -h, --help '
	ok 'it has examples, of what it has' exemplary "$verb"
	ok 'an unknown option'              status_is 125 firn "$verb" --nosuch-option
	ok 'leads there'                    says "see 'firn $verb --help'"
	ok 'in one line'                    one_line
done
for verb in exec run shell; do
	ok "no image for $verb"             status_is 125 firn "$verb"
	ok 'leads to its help'              says "no image named; see 'firn $verb --help'"
done
ok "shell's operands are explained"     sh -c '"$0" shell --help | grep -q "ARGs are" && "$0" shell --help | grep -qF -e "-c \"COMMAND\""' "$FIRN"
ok 'options of programs, too'           fits session-start --help

# Words that are nearly firn's own.
ok 'a verb misspelt'                    status_is 125 firn exce
ok 'is answered'                        says "unknown verb 'exce'; did you mean 'exec'? see 'firn --help'"
ok 'one that is nothing like it'        status_is 125 firn frobnicate
ok 'is not'                             says "unknown verb 'frobnicate'; see 'firn --help'"
ok 'an option before the verb'          status_is 125 firn --quiet exec
ok 'is led behind it'                   says 'firn VERB --quiet'
ok 'an option misspelt'                 status_is 125 firn run --writeable-tmpfs x
ok 'is answered, too'                   says "unknown option '--writeable-tmpfs'; did you mean '--writable-tmpfs'? see 'firn run --help'"
ok 'inspect --jsn'                      status_is 125 firn inspect --jsn x
ok 'likewise'                           says "did you mean '--json'?"
ok 'doctor --jsn'                       status_is 125 firn doctor --jsn
ok 'as well'                            says "did you mean '--json'?"
for verb in $verbs; do
	ok "letters in one word of $verb" prints "$("$FIRN" "$verb" --help)" firn "$verb" -hh
	ok 'a value that is not wanted' status_is 125 firn "$verb" --help=x
	ok 'is told'                    says "option '--help' takes no value"
done
ok 'doctor -qh'                         prints "$("$FIRN" doctor --help)" firn doctor -qh
ok 'doctor NAME'                        status_is 125 firn doctor x
ok 'is no option'                       says "doctor takes options alone, not 'x'"
ok 'inspect -a'                         status_is 125 firn inspect -la x
ok 'is told what there is'              says "no option '-a'; --json shows all that an image says of itself"
ok 'exec --platform'                    status_is 125 firn exec --platform linux/arm64 x true
ok 'is told who has it'                 says "firn exec has no option '--platform'; firn pull --platform"
ok "Apptainer's inspect --all"          status_is 125 firn inspect --all x
ok 'is told what there is'              says '--json shows all that an image says of itself'

# What Apptainer has and means otherwise.
make_small "$scratch/root"
cd "$scratch" || exit 1
ok 'options of inspect behind the image' succeeds firn inspect root --json
echo data >data
ok 'a list of binds'                    status_is 125 firn exec -B /tmp,/var/tmp root true
ok 'gets the right line'                says "'/tmp,/var/tmp' is a list: each bind has a --bind (-B) of its own"
ok '... with targets'                   status_is 125 firn exec -B /tmp:/x,/var/tmp:/y:ro root true
ok '... is one, too'                    says 'is a list'
ok '... of relative names'              status_is 125 firn exec -B data,bin root true
ok '... that are not there'             says "cannot bind 'data,bin'"
ok '... is told'                        says 'each bind has a --bind of its own'
mkdir 'with,comma' 'odd,'
mkdir 'odd,/in'
ok 'a name with a comma is one'         succeeds firn exec -B "$scratch/with,comma:/x" root true
ok '\, is a comma'                      succeeds firn exec -B "$scratch/odd\\,/in:/x" root true
if firn doctor --quiet >/dev/null 2>&1; then
	ok 'a list of variables'        succeeds firn exec -e A=1,B=2 root true
	ok 'is one value, which is said' says "'A' is set to '1,B=2'; each variable has an --env (-e) of its own"
	ok 'but not with -q'            prints '' sh -c '"$0" exec -q -e A=1,B=2 root true 2>&1' "$FIRN"
	ok 'a value with commas'        prints '' sh -c '"$0" exec -e KMP_AFFINITY=granularity=fine,compact,1,0 -e X=a,b root true 2>&1' "$FIRN"
	ok 'is nothing to speak of'     test ! -s "$last.err"
	ok '-c is about variables'      succeeds firn exec -v -c root true
	ok 'as -v says'                 says '--contain hides the home and /tmp'
else
	skip 'lists of variables' 'exec cannot work here'
fi
ok '-e IMAGE COMMAND'                   status_is 125 firn exec -e root true x
ok 'names what happened'                says "there is no image 'true'; 'root' before it was taken for a variable"
ok '-e IMAGE'                           status_is 125 firn shell -e root
ok 'likewise'                           says "no image named: 'root' was taken for a variable"
ok '-e VARIABLE NAME:TAG COMMAND'       status_is 125 firn exec -e root 127.0.0.1:1/tool:1 true
ok '... is a variable and an image'     says_not 'was taken for a variable'
# Names of images in registries, where a file is to stand: without tag or digest no registry is asked.
told_of_pull() {
	ok "$1 $2"                              status_is 125 firn "$1" "$2"
	ok '... is told of pull'                says "firn: '$2' is not a file; firn pull makes a file of an image in a registry"
}
for name in debian docker.io/library/debian ghcr.io/lab/tool localhost:5000/tool debian@sha256:0123456789abcdef; do
	for verb in run shell inspect; do
		told_of_pull $verb "$name"
	done
done
for name in debian:12 library/debian:12 docker://debian; do
	told_of_pull inspect "$name"
done
for name in nosuch.sif ./debian:12 /nosuch/debian:12 lab/tool debian: a.b/ ../debian; do
	ok "run $name"                          status_is 125 firn run "$name"
	ok '... is the name of a file'          says "firn: cannot open '$name'"
done
echo x >debian:12
ok 'a file of such a name is one'       status_is 125 firn run debian:12
ok '... it is read'                     says_not 'firn pull'
for word in -i -p -C -n -t -it --rm --ipc --pid --net --uts --hostname; do
	ok "exec $word"                         status_is 125 firn exec $word root true
	ok '... is answered'                    grep -qE "firn exec has no option '-.*'; (.*: leave it out|write --contain)" "$last"
done
done_testing
