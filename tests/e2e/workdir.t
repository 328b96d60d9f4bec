#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# Where a program starts: never in another directory than was meant without a word.
. "${srcdir:-.}/tests/lib.sh"
needs firn doctor --quiet

make_small "$scratch/root"
mkdir -p "$scratch/root/.firn" "$scratch/root/usr/lib" "$scratch/root/work/deep" "$scratch/home"
export HOME="$scratch/home"
# config WORKDIR: what `run` does is tell where it is.
config() {
	printf '{"config":{"Entrypoint":["/bin/probe","cwd"],"WorkingDir":"%s"}}' "$1" >"$scratch/root/.firn/config.json"
	squash "$scratch/root" "$scratch/i.sqfs"
}
in_dir() { (cd "$1" && shift && "$@"); }

for kind in sqfs directory squashfuse tmpfs; do
how=
image=$scratch/i.sqfs
case $kind in
directory) image=$scratch/root ;;
squashfuse) how='--engine squashfuse'; command -v squashfuse_ll >/dev/null || continue ;;
tmpfs) how=--writable-tmpfs ;;
esac
config /work/deep
ok "$kind: the image's WorkingDir"         prints /work/deep firn run $how "$image"
config /new/space
ok "$kind: one that the image lacks is made" prints /new/space firn run $how "$image"
ok "$kind: ... without a word"             prints /new/space sh -c '"$@" 2>&1' sh "$FIRN" run $how "$image"
ok "$kind: ... for PWD, too"               prints /new/space firn run $how --cwd /new/space "$image"
config new/../work/./deep/
ok "$kind: a relative one begins at /"     prints /work/deep firn run $how "$image"
config ../../etc
ok "$kind: ... and ends there"             prints /etc firn run $how "$image"
config ''
ok "$kind: an empty one is none"           prints "$scratch" in_dir "$scratch" "$FIRN" run $how "$image"
config /etc/passwd
ok "$kind: one that is a file"             prints "$scratch" in_dir "$scratch" "$FIRN" run $how "$image"
ok "$kind: ... does not do, which is said" sh -c '(cd "$2" && "$1" run $4 "$3" 2>&1) | grep -qx "firn: warning: cannot start in ./etc/passwd. (Not a directory): starting in .$2."' sh "$FIRN" "$scratch" "$image" "$how"
config /tmp/only/in/the/image
ok "$kind: one that the host's /tmp covers" test ! -e /tmp/only
ok "$kind: ... is said"                    succeeds in_dir "$scratch" "$FIRN" run $how "$image"
ok "$kind: ..."                            says "warning: cannot start in '/tmp/only/in/the/image' (No such file or directory): starting in '$scratch'"
ok "$kind: ... is made where /tmp is firn's" prints /tmp/only/in/the/image firn run --contain $how "$image"
config /work/deep
ok "$kind: exec starts where the caller is" prints "$scratch" in_dir "$scratch" "$FIRN" exec $how "$image" probe cwd
ok "$kind: a directory of the image's"     prints /usr/lib in_dir /usr/lib "$FIRN" exec $how "$image" probe cwd
ok "$kind: ... is said not to be the host's" sh -c 'cd /usr/lib && "$1" exec $3 "$2" probe cwd 2>&1 | grep -q "warning: the working directory ./usr/lib. is the image.s"' sh "$FIRN" "$image" "$how"
ok "$kind: one that the image lacks"       prints "$HOME" in_dir /usr/share/doc "$FIRN" exec $how "$image" probe cwd
ok "$kind: ... is said"                    succeeds in_dir /usr/share/doc "$FIRN" exec $how "$image" probe cwd
ok "$kind: ... with where it starts"       says "warning: the working directory '/usr/share/doc' is not in the container: starting in '$HOME' (-B '/usr/share/doc' shows it)"
ok "$kind: ... and PWD is right"           prints "$HOME" in_dir /usr/share/doc "$FIRN" exec $how "$image" probe env PWD
ok "$kind: ... unless it is named"         prints /usr/share/doc in_dir /usr/share/doc "$FIRN" exec -B /usr/share/doc $how "$image" probe cwd
ok "$kind: / is nobody's results' place"   prints / in_dir / sh -c '"$@" 2>&1' sh "$FIRN" exec $how "$image" probe cwd
ok "$kind: -q says nothing"                prints "$HOME" in_dir /usr/share/doc sh -c '"$@" 2>&1' sh "$FIRN" exec -q $how "$image" probe cwd
done
ok 'a directory that was removed'          prints "$HOME" sh -c 'mkdir "$2/gone" && cd "$2/gone" && rmdir "$2/gone" && exec "$1" exec "$3" probe cwd' sh "$FIRN" "$scratch" "$image"
ok '... is said'                           succeeds sh -c 'mkdir "$2/gone" && cd "$2/gone" && rmdir "$2/gone" && exec "$1" exec "$3" probe cwd' sh "$FIRN" "$scratch" "$image"
ok '...'                                   says 'warning: the working directory is gone'
mkdir "$scratch/closed" "$scratch/over"
closed() { sh -c 'cd "$0/closed" && chmod 0 "$0/closed" && exec "$@" 2>&1' "$scratch" "$@"; }
if [ "$(id -u)" != 0 ]; then
	ok 'one that may not be entered'   succeeds closed "$FIRN" exec "$image" probe cwd
	ok '... is not said to be gone'    says 'warning: the working directory cannot be entered (Permission denied): starting in'
	chmod 755 "$scratch/closed"
fi
for over in "-B /usr:$scratch/over" "--tmpfs $scratch/over"; do
	ok "one that $over covers"         succeeds in_dir "$scratch/over" "$FIRN" exec $over "$image" probe cwd
	ok '... is said to be that'        says "warning: the working directory '$scratch/over' is what is mounted there, not the host's"
done
gone() { sh -c 'mkdir "$0/gone" && cd "$0/gone" && rmdir "$0/gone" && exec "$@" 2>&1' "$scratch" "$@"; }
ok '... not to who named another one'       prints / gone "$FIRN" exec --cwd / "$image" probe cwd
ok '... nor to who would not start there'   prints "$HOME" gone "$FIRN" exec --contain "$image" probe cwd
config /work/deep
ok '... nor where the image says where'     prints /work/deep gone "$FIRN" run "$image"
ok '--contain starts in the home'          prints "$HOME" in_dir "$scratch" sh -c '"$@" 2>&1' sh "$FIRN" exec --contain "$image" probe cwd
ok 'a cwd by the name that the user gave it' prints "$scratch/link" sh -c 'ln -s root "$2/link" && cd "$2/link" && exec "$1" exec "$3" probe env PWD' sh "$FIRN" "$scratch" "$image"

# Tasks of a batch system are told by its daemon.
ok 'session-start offers where it is'      prints "cwd $HOME" sh -c 'cd /usr/share/doc && timeout 30 "$1" 1 "$2" session-start "$3" -- env | grep "^cwd"' sh "$tools/enter" "$FIRN" "$scratch/i.sqfs"
ok '... and what is to be said'            sh -c 'cd /usr/share/doc && timeout 30 "$1" 1 "$2" session-start "$3" -- env | grep -q "^said firn: warning: the working directory ./usr/share/doc. is not"' sh "$tools/enter" "$FIRN" "$scratch/i.sqfs"

# Homes of service accounts.
for home in /usr /bin /usr/lib /etc /var /run /lib; do
	ok "HOME=$home leaves the image's"  succeeds env HOME=$home "$FIRN" exec "$scratch/i.sqfs" probe true
	ok '... and is not in the plan'     sh -c '! env HOME="$3" "$1" exec --print-plan "$2" probe | grep -E "^(bind [^ ]+|tmpfs) $3( |\$)"' sh "$FIRN" "$scratch/i.sqfs" $home
	ok '... nor with --contain'         sh -c '! env HOME="$3" "$1" exec --contain --print-plan "$2" probe | grep -E "^(bind|tmpfs) $3( |\$)"' sh "$FIRN" "$scratch/i.sqfs" $home
done
ok 'a home below /opt is shown'             sh -c 'env HOME=/opt/x "$1" exec --home "$3:/opt/x" "$2" probe true' sh "$FIRN" "$scratch/i.sqfs" "$scratch/home"
done_testing
