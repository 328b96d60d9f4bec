# What enters the program's environment, and what does not.
. "$srcdir/tests/lib.sh"
debian=$(image debian.sqfs)
get() { firn exec "$@" "$debian" sh -c 'eval "printf %s \"\${$0-unset}\""' "$name"; }
name=X

ok 'the host'\''s variables enter'            prints 1 env X=1 "$FIRN" exec "$debian" sh -c 'echo $X'
for name in LD_LIBRARY_PATH LD_PRELOAD PYTHONHOME PYTHONPATH PERL5LIB R_LIBS R_LIBS_USER GCONV_PATH LOCPATH BASH_ENV; do
	ok "$name does not"                   prints unset env "$name=/host" "$FIRN" exec "$debian" sh -c 'eval "echo \${$0-unset}"' "$name"
done
ok '-v says what was dropped'                succeeds env PERL5LIB=/x "$FIRN" exec -v "$debian" true
ok '... by name'                             says 'PERL5LIB'
ok 'unless it is asked for'                  prints /host env PYTHONPATH=/host "$FIRN" exec -e PYTHONPATH "$debian" sh -c 'echo $PYTHONPATH'
ok '--env sets a variable'                   prints 'a=b c' firn exec -e 'X=a=b c' "$debian" sh -c 'echo "$X"'
ok 'PYTHONNOUSERSITE is set'                 prints 1 firn exec "$debian" sh -c 'echo $PYTHONNOUSERSITE'
ok 'PATH is not the host'\''s'                 prints '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' env PATH="/odd:$PATH" "$FIRN" exec "$debian" sh -c 'echo $PATH'
printf '# comment\n\nA=1\nB=two words\r\n' >"$scratch/env"
ok '--env-file sets variables'               prints '1 two words' firn exec --env-file "$scratch/env" "$debian" sh -c 'echo "$A $B"'
printf 'no equals\n' >"$scratch/bad"
ok 'a bad line in it is an error'            status_is 125 firn exec --env-file "$scratch/bad" "$debian" true
ok '... with its number'                     says 'line 1'
printf 'export A=1\n  export\tB="two words"  \nC=it'"'"'s\nD='"'"'$HOME "x"'"'"'\nE="\\"\\$\\n"\nF=a#b\nG=\nHOST\nNONE\nexport HOST2\n' >"$scratch/env"
env_of() { env HOST=h HOST2=h2 "$FIRN" exec --env-file "$scratch/env" "$debian" sh -c 'printf "%s|" "$A" "$B" "$C" "$D" "$E" "$F" "${G-unset}" "$HOST" "${NONE-unset}" "$HOST2"'; }
ok 'export, quotes and bare names in it'     prints '1|two words|it'"'"'s|$HOME "x"|"$\n|a#b||h|unset|h2|' env_of
printf '\357\273\277A=1\nB=2\n' >"$scratch/env"
ok 'a byte order mark before them is none'    prints '1 2' firn exec --env-file "$scratch/env" "$debian" sh -c 'echo "$A $B"'
mkfifo "$scratch/pipe"
cat "$scratch/env" >"$scratch/pipe" &
ok 'a pipe will do'                          prints '1 2' firn exec --env-file "$scratch/pipe" "$debian" sh -c 'echo "$A $B"'
ok 'a file without an end is an error'       status_is 125 firn exec --env-file /dev/zero "$debian" true
ok '... in a line'                           says "firn: '/dev/zero' is larger than 16777216 bytes"
ok 'a directory is one'                      status_is 125 firn exec --env-file "$scratch" "$debian" true
ok '... too'                                 says "firn: cannot read '$scratch': Is a directory"
for bad in '1A=b' 'A B=c' 'export A B=c' '=x' 'A="b' "A='b'c" '"A"=b' 'A B' 'A-$x=1'; do
	printf 'GOOD=1\n%s\n' "$bad" >"$scratch/bad"
	ok "'$bad' in it is an error"          status_is 125 firn exec --env-file "$scratch/bad" "$debian" true
	ok '... with its number'               says 'line 2'
done
ok 'a name with a blank is none for --env'   status_is 125 firn exec -e 'export A=b' "$debian" true
ok '--clean-env leaves the launcher'\''s'      prints '3 unset' env PMI_RANK=3 SECRET=1 "$FIRN" exec -c "$debian" sh -c 'echo $PMI_RANK ${SECRET-unset}'
ok 'TMPDIR that is not visible is dropped'   prints unset env TMPDIR=/var/lib "$FIRN" exec "$debian" sh -c 'echo ${TMPDIR-unset}'
ok 'TMPDIR that is visible stays'            prints /tmp env TMPDIR=/tmp "$FIRN" exec "$debian" sh -c 'echo ${TMPDIR-unset}'
ok 'the program can tell where it is'        prints "$debian" firn exec "$debian" sh -c 'echo $FIRN_CONTAINER'
names='echo "$FIRN_CONTAINER $APPTAINER_CONTAINER $SINGULARITY_CONTAINER $APPTAINER_NAME $SINGULARITY_NAME"'
name=${debian##*/}
ok '... by the words of Apptainer'           prints "$debian $debian $debian $name $name" env APPTAINER_NAME=other "$FIRN" exec -c "$debian" sh -c "$names"
ok '... of an image that is named otherwise' prints "$debian $debian $debian $name $name" sh -c 'cd "${1%/*}" && exec "$0" run "./${1##*/}" sh -c "$2"' "$FIRN" "$debian" "$names"
ok '... in a container that is shared'       prints "$debian $debian $debian $name $name" firn exec --session names "$debian" sh -c "$names"
ok '... but --env goes before'               prints mine firn exec -e APPTAINER_NAME=mine "$debian" sh -c 'echo $APPTAINER_NAME'
ok '... and --frozen tells nothing'          prints '' firn exec --frozen "$debian" sh -c 'echo $FIRN_CONTAINER$APPTAINER_CONTAINER$SINGULARITY_CONTAINER$APPTAINER_NAME$SINGULARITY_NAME'
ok '... as the plan says'                    succeeds firn exec --print-plan "$debian" true
ok '... too'                                 says "APPTAINER_CONTAINER=$debian"

# An image with an OCI configuration.
make_small "$scratch/root"
mkdir "$scratch/root/.firn" "$scratch/root/work"
cat >"$scratch/root/.firn/config.json" <<'TXT'
{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/opt/x:/bin","LANG=C.image","X=image"],
 "Entrypoint":["probe","args"],"Cmd":["one","two"],"WorkingDir":"/work","User":"app"}}
TXT
squash "$scratch/root" "$scratch/oci.sqfs"
oci=$scratch/oci.sqfs
ok 'the image'\''s variables win'              prints image env X=host "$FIRN" exec "$oci" probe env X
ok '... PATH too'                            prints /opt/x:/bin firn exec "$oci" probe env PATH
ok '--env wins over the image'               prints mine firn exec -e X=mine "$oci" probe env X
ok 'run: entrypoint and command'             prints "$(printf 'one\ntwo')" firn run "$oci"
ok 'run: arguments replace the command'      prints three firn run "$oci" three
ok 'run as firn-run is the same'             prints "$(printf 'one\ntwo')" sh -c 'ln -s "$1" "$2/firn-run" && "$2/firn-run" "$3"' sh "$FIRN" "$scratch" "$oci"
sed -i 's/"args"\]/"cwd"]/' "$scratch/root/.firn/config.json"
ok 'run: the working directory'              prints /work firn run "$scratch/root"
ok '--cwd wins over it'                      prints /bin firn run --cwd /bin "$scratch/root"
says_to_run() {
	printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],%s}}\n' "$1" >"$scratch/root/.firn/config.json"
}
says_to_run '"Entrypoint":[""],"Cmd":["probe","args","one"]'
ok 'run: an empty entrypoint is none'        prints one firn run "$scratch/root"
ok '... and arguments are the command'       prints two firn run "$scratch/root" probe args two
for none in '"Entrypoint":[]' '"Entrypoint":[""]' '"Cmd":null' '"Entrypoint":[""],"Cmd":[""]'; do
	says_to_run "$none"
	ok "run: arguments are run where there is $none" prints two firn run "$scratch/root" probe args two
	ok '... and without any there is nothing to run' status_is 125 firn run "$scratch/root"
done
echo '{"config":' >"$scratch/root/.firn/config.json"
ok 'a broken configuration is an error'      status_is 125 firn run "$scratch/root"
ok '... that names it'                       says '/.firn/config.json'
ok 'an image that says nothing: 125'         status_is 125 firn run "$debian"
ok '... says what to do'                     says 'firn exec'
ok '... but runs what it is told'            prints told firn run "$debian" echo told
done_testing
