#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# What somebody sees who types into firn shell: that it is inside, and how to write.
. "${srcdir:-.}/tests/lib.sh"
needs firn doctor --quiet
needs script --version
debian=$(image debian.sqfs)

HOME=$scratch/home
export HOME
mkdir "$HOME"
unset PS1 debian_chroot FIRN_PROMPT ENV
image=$scratch/debian_12.sqfs
odd="$scratch/odd\$(id) x.sqfs"
cp "$debian" "$image"
ln "$image" "$odd"
sign=$([ "$(id -u)" = 0 ] && echo '#' || echo '$')

# seen KEYS WORD...: what a terminal shows of firn shell WORD... when KEYS are typed; kept for says().
seen() {
	keys=$1
	shift
	line="exec '$FIRN' shell"
	for word; do
		line="$line '$word'"
	done
	printf "$keys" | timeout 20 script -qec "$line" /dev/null 2>&1 | tr -d '\r' >"$last"
	[ -s "$last" ]
}
hint='firn: read-only root; --writable-tmpfs or --overlay DIR to write'

SHELL=/bin/sh
export SHELL
ok 'sh'                               seen 'exit\n' "$image"
ok 'has a prompt with the image'      says "[firn debian_12] $sign "
ok 'and a line says how to write'     says "$hint"
ok '... in front of all'              sh -c 'grep -m 1 "firn" "$1" | grep -qF -e "$2"' sh "$last" "$hint"
ok 'once'                             test "$(grep -cF -e "$hint" "$last")" = 1
PS1='mine$ '
export PS1
ok 'a prompt that the host exports'   seen 'exit\n' "$image"
ok 'stays behind it'                  says '[firn debian_12] mine$ '
unset PS1
ok "--env's own"                      seen 'exit\n' -e 'PS1=own> ' "$image"
ok 'takes its place'                  sh -c 'grep -q "^own> " "$1" && ! grep -qF "[firn" "$1"' sh "$last"
ok 'a name that a shell would expand' seen 'exit\n' "$odd"
ok 'is tamed'                         says "[firn odd__id__x] $sign "
FIRN_PROMPT=no
export FIRN_PROMPT
ok 'FIRN_PROMPT=no'                   seen 'env\nexit\n' "$image"
ok 'sets none'                        says_not '[firn'
ok 'nor anything else'                says_not 'debian_chroot='
unset FIRN_PROMPT

SHELL=/bin/bash
ok 'bash without start files'         seen 'exit\n' "$image" --norc
ok 'has the words of its user: no prompt of ours' says_not '[firn'
ok 'bash with those of Debian'        seen 'exit\n' "$image"
ok 'shows it in its own way'          says '(firn debian_12)'
echo 'PS1="rc> "' >"$HOME/.bashrc"
ok "bash with the user's own prompt"  seen 'exit\n' "$image"
ok 'keeps that'                       sh -c 'grep -q "rc> " "$1" && ! grep -q "[[(]firn" "$1"' sh "$last"
rm "$HOME/.bashrc"
ok 'programs in it'                   seen 'bash -c "echo =\$PS1="\nexit\n' "$image"
ok 'see no prompt'                    sh -c 'grep -q "==\$" "$1"' sh "$last"

SHELL=/bin/sh
ok '--clean-env'                      seen 'env\nexit\n' --clean-env "$image"
ok 'has the prompt too'               says "[firn debian_12] $sign "
ok '--frozen'                         seen 'env\nexit\n' --frozen "$image"
ok 'has nothing of it'                sh -c 'grep -q ^HOME= "$1" && ! grep -q -e "firn debian" -e PS1 -e chroot "$1"' sh "$last"
ok 'with --writable-tmpfs'            seen 'touch /x && echo wrote | tr o 0\nexit\n' --writable-tmpfs "$image"
ok 'one can write'                    sh -c 'grep -q "wr0te" "$1"' sh "$last"
ok 'and is told nothing'              says_not "$hint"
mkdir "$scratch/overlay"
ok 'with --overlay'                   seen 'exit\n' --overlay "$scratch/overlay" "$image"
ok 'neither'                          says_not "$hint"
ok '-q'                               seen 'exit\n' -q "$image"
ok 'is silent'                        says_not "$hint"
ok 'a shell that runs a command'      succeeds firn shell "$image" -c 'env; echo done'
ok 'is told nothing'                  sh -c '! grep -q -e read-only -e PS1= -e debian_chroot "$1"' sh "$last"
ok 'also on a terminal'               seen '' "$image" -c 'env; echo done'
ok 'nothing'                          sh -c 'grep -qx done "$1" && ! grep -q -e read-only -e PS1= -e debian_chroot "$1"' sh "$last"
ok 'nor is exec'                      sh -c 'script -qec "\"$0\" exec \"$1\" env" /dev/null </dev/null >"$2"; grep -q ^PATH "$2" && ! grep -q -e read-only -e PS1= "$2"' "$FIRN" "$image" "$last"
done_testing
