#!/bin/sh
# SPDX-License-Identifier: LGPL-3.0-or-later
# The environment that an image keeps as scripts, /.singularity.d/env, as Apptainer's images do.
. "${srcdir:-.}/tests/lib.sh"
needs_python
debian=$(image debian.dir)

# An image with a shell, and these scripts in it.
root=$scratch/root
make_small "$root"
add_shells "$root" "$debian"
env=$root/.singularity.d/env
mkdir -p "$env" "$root/opt/tool/bin"
printf '#!/bin/sh\necho tool\n' >"$root/opt/tool/bin/tool"
chmod 755 "$root/opt/tool/bin/tool"
printf '#!/bin/sh\n# nothing here\n' >"$env/01-base.sh"
cat >"$env/10-docker2singularity.sh" <<'TXT'
#!/bin/sh
export PATH="/opt/tool/bin:/bin"
export FOO="${FOO:-"bar"}"
TXT
cat >"$env/90-environment.sh" <<'TXT'
#!/bin/sh
# Custom environment shell code should follow

    LC_ALL=C; GREETING='hello world'
    export LC_ALL GREETING
TXT
cat >"$env/95-apps.sh" <<'TXT'
if test -n "${SINGULARITY_APPNAME:-}"; then
	export SINGULARITY_APPNAME
	if [ -d "/scif/apps/${SINGULARITY_APPNAME}/bin" ]; then
		export PATH="/scif/apps/$SINGULARITY_APPNAME/bin:$PATH"
	fi
fi
TXT
cat >"$env/99-base.sh" <<'TXT'
if [ -z "$LD_LIBRARY_PATH" ]; then
    LD_LIBRARY_PATH="/.singularity.d/libs"
else
    LD_LIBRARY_PATH="$LD_LIBRARY_PATH:/.singularity.d/libs"
fi

PS1="Apptainer> "
export LD_LIBRARY_PATH PS1
TXT
printf 'this is no script\n' >"$env/README"
values() { "$@" sh -c 'echo "$FOO|$GREETING|$LD_LIBRARY_PATH"'; }
ok 'scripts make the environment'            prints 'bar|hello world|/.singularity.d/libs' values firn exec "$root"
ok 'a program is found on their PATH'        prints tool firn exec "$root" tool
ok 'they see the caller'\''s variables'        prints 'mine|hello world|/.singularity.d/libs' values env FOO=mine "$FIRN" exec "$root"
ok '... unless those stay out'               prints 'bar|hello world|/.singularity.d/libs' values env FOO=mine "$FIRN" exec --clean-env "$root"
ok '--env comes after them'                  prints 'bar|over|/.singularity.d/libs' values firn exec -e GREETING=over "$root"
ok 'all of that starts no shell'             says_not 'for a shell'
ok 'a plan has it'                           succeeds firn exec --print-plan "$root" probe
ok '... with the values'                     says 'GREETING=hello'
if squash "$root" "$scratch/image.sqfs" 2>/dev/null; then
	ok 'the same of a squashfs'          prints 'bar|hello world|/.singularity.d/libs' values firn exec "$scratch/image.sqfs"
	ok '... in its plan'                 succeeds firn exec --print-plan "$scratch/image.sqfs" probe
	ok '... too'                         says 'GREETING=hello'
fi

# What only a shell can do is done by the image's.
cat >"$env/91-more.sh" <<'TXT'
for part in a b; do FOO="$FOO-$part"; done
case $GREETING in hello*) QUOTED="it's \"$FOO\" \$x \\ \`y\`"; NEWLINE="one
two	three"; esac
unset LD_LIBRARY_PATH
NOT_EXPORTED=1
ODD='*'
export FOO QUOTED NEWLINE ODD
TXT
rest() { "$@" sh -c 'echo "$QUOTED|$NEWLINE|$ODD|${NOT_EXPORTED-none}|$PWD"'; }
quoted='it'"'"'s "bar-a-b" $x \ `y`|one
two	three|*|none|/tmp'
for shell in dash bash; do
	ln -sf "$shell" "$root/bin/sh"
	ok "$shell runs them all"                prints 'bar-a-b|hello world|/.singularity.d/libs' values firn exec "$root"
	ok '... and is understood'               prints "$quoted" rest firn exec --cwd /tmp "$root"
	ok '--env comes after it'                prints 'own|hello world|/.singularity.d/libs' values firn exec -e FOO=own "$root"
	ok 'the shell leaves none of its own'    denied env -u SHLVL "$FIRN" exec "$root" probe env SHLVL
	ok 'a name that is none of a shell stays' prints 1 env a.b=1 "$FIRN" exec "$root" probe env a.b
done
ok '-v says so'                              succeeds firn exec -v "$root" true
ok 'a warning comes once'                    succeeds sh -c 'cd /usr/lib && exec "$1" exec "$2" true' sh "$FIRN" "$root"
ok '... of the working directory'            test "$(grep -c 'working directory' "$last")" = 1
ok '-v says so'                              succeeds firn exec -v "$root" true
ok '... with the line'                       says "91-more.sh' of '$root' is for a shell (line 1)"
ok 'a plan names the scripts'                succeeds firn exec --print-plan "$root" probe
ok '... each'                                says '/.singularity.d/env/91-more.sh'
printf 'read line && FOO=$line; FOO=$PWD; export FOO\n' >"$env/91-more.sh"
ok 'they read nothing of the program'\''s'    prints 'word' sh -c 'echo word | "$1" exec "$2" sh -c "read x; echo \$x"' sh "$FIRN" "$root"
ok '... and run in its directory'            prints '/tmp|hello world|/.singularity.d/libs' values firn exec --cwd /tmp "$root"
printf 'sleep() { :; }; echo said; export FOO=$(echo x) \n' >"$env/91-more.sh"
ok 'what they say is heard'                  prints "said
x|hello world|/.singularity.d/libs" values firn exec "$root"

# The same order whoever runs them: what --env says comes after.
printf 'export SEEN=${OWN-none}\n' >"$env/91-more.sh"
ok 'scripts do not see what --env says'      prints none firn exec -e OWN=1 "$root" sh -c 'echo $SEEN'
printf 'eval :\n' >"$env/92-eval.sh"
ok '... those for a shell neither'           prints 'none 1' firn exec -e OWN=1 "$root" sh -c 'echo $SEEN $OWN'
ok '... a plan has both'                     succeeds firn exec -e OWN=1 --print-plan "$root" true
ok '... apart'                               grep -q 'own.*OWN=1' "$last"

# What is no file is passed over.
mkfifo "$env/93-fifo.sh"
ln -s nowhere "$env/94-dangling.sh"
mkdir "$env/95-folder.sh"
ok 'a FIFO, a dangling link, a folder'       prints none timeout 20 "$FIRN" exec "$root" sh -c 'echo $SEEN'
rm "$env/92-eval.sh"
ok '... without a shell, too'                prints none timeout 20 "$FIRN" exec "$root" sh -c 'echo $SEEN'
rm -r "$env/93-fifo.sh" "$env/94-dangling.sh" "$env/95-folder.sh"

# Who is killed meanwhile leaves no shell behind.
mkfifo "$scratch/never"
printf 'echo $$ >%s; read line <%s\n' "$scratch/shell" "$scratch/never" >"$env/91-more.sh"
cd "$scratch" || exit 1
"$FIRN" exec "$root" true &
launcher=$!
wait_for test -s "$scratch/shell"
kill -9 "$launcher"
ended_shell() { ! kill -0 "$(cat "$scratch/shell")" 2>/dev/null; }
ok 'a launcher that is killed takes its shell along' wait_for ended_shell
cd /

# Scripts that go wrong.
printf 'echo $(exit 0); exit 3\n' >"$env/91-more.sh"
ok 'one that exits is an error'              status_is 125 firn exec "$root" true
ok '... with its status'                     says 'ended before its end, with status 3'
printf 'kill -9 $$\n' >"$env/91-more.sh"
ok 'one that is killed, too'                 status_is 125 firn exec "$root" true
ok '... with the signal'                     says 'with signal 9'
printf 'if [ -z "$NONE" ]; then\n' >"$env/91-more.sh"
ok 'one that is cut off'                     fails firn exec "$root" true
mv "$root/bin/sh" "$root/bin/no-sh"
ok 'an image without a shell'                status_is 125 firn exec "$root" probe
ok '... is told so'                          says 'needs /bin/sh'
rm "$env/91-more.sh"
ok '... but needs none for the others'       succeeds firn exec "$root" true
head -c 1048577 /dev/zero | tr '\0' '\n' >"$env/92-large.sh"
ok 'a script of more than 1 MiB is an error' status_is 125 firn exec "$root" true
ok '... with its name'                       says '92-large.sh'
head -c 1048576 /dev/zero | tr '\0' '\n' >"$env/92-large.sh"
ok '... but not one of 1 MiB'                succeeds firn exec "$root" true
rm "$env/92-large.sh"
ln -s /etc/passwd "$env/93-link.sh"
ok 'a symlink is one of the image'           fails firn exec "$root" true
ok '... in which the host'\''s is not seen'   says 'needs /bin/sh'
rm "$env/93-link.sh"
i=0
while [ "$i" -lt 101 ]; do
	: >"$env/x$i.sh"
	i=$((i + 1))
done
ok 'more than a hundred are an error'        status_is 125 firn exec "$root" true
ok '... that says so'                        says "'/.singularity.d/env' of '$root' has more than 100 files of '*.sh'"
ok '... of a plan, too'                      status_is 125 firn exec --print-plan "$root" true
ok '... alike'                               says 'more than 100'
done_testing
