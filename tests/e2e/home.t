# Home and working directory.
. "$srcdir/tests/lib.sh"
debian=$(image debian.sqfs)
mkdir -p "$scratch/home/me" "$scratch/work dir"
export HOME="$scratch/home/me"
echo mine >"$HOME/file"

ok 'home is there'                          prints mine firn exec "$debian" sh -c 'cat $HOME/file'
ok '... and writable'                       succeeds firn exec "$debian" sh -c 'echo x >$HOME/written'
ok 'the working directory is the same'      prints "$scratch/work dir" sh -c 'cd "$3/work dir" && exec "$1" exec "$2" pwd' sh "$FIRN" "$debian" "$scratch"
ok 'a directory of the image is the image'\''s' prints /usr/lib sh -c 'cd /usr/lib && exec "$1" exec "$2" pwd' sh "$FIRN" "$debian"
ok 'a deleted one: home'                    prints "$HOME" sh -c 'mkdir "$3/gone" && cd "$3/gone" && rmdir "$3/gone" && exec "$1" exec "$2" pwd' sh "$FIRN" "$debian" "$scratch"
ok '--cwd enters another one'               prints /etc firn exec --cwd /etc "$debian" pwd
ok '--cwd of none is an error'              status_is 125 firn exec --cwd /nowhere "$debian" pwd
ok '... that names it'                      says "'/nowhere'"
ln -s me "$scratch/home/link"
ok 'a home that is a symlink'               prints mine env HOME="$scratch/home/link" "$FIRN" exec "$debian" sh -c 'cat $HOME/file'
ok 'HOME unset'                             succeeds env -u HOME "$FIRN" exec "$debian" sh -c 'test -n "$HOME"'
ok 'HOME that does not exist'               succeeds env HOME=/no/such/home "$FIRN" exec "$debian" true
ok 'HOME=/'                                 succeeds env HOME=/ "$FIRN" exec "$debian" true
ok '--no-home: it is empty'                 prints '' firn exec --no-home "$debian" sh -c 'ls -A $HOME'
ok '... but exists and can be written to'   succeeds firn exec --no-home "$debian" sh -c 'cd && touch x'
ok '... and the real one is untouched'      test ! -e "$HOME/x"
ok '--home: another one'                    prints "$scratch/work dir" firn exec --home "$scratch/work dir" "$debian" sh -c 'cd && pwd'
ok '--home SRC:DST'                         prints /home/other firn exec --home "$scratch/work dir:/home/other" "$debian" sh -c 'cd && pwd'
ok '--home of a file is an error'           status_is 125 firn exec --home "$HOME/file:/home/other" "$debian" true
ok '... that says it'                       says "firn: --home '$HOME/file' is no directory"
ok '--home with a mode is an error'         status_is 125 firn exec --home "$scratch/work dir:/home/other:ro" "$debian" true
ok '... too'                                says 'is not of the form SRC[:DST]'
ok '/tmp is the host'\''s'                    succeeds firn exec "$debian" test -d "$scratch"
ok 'the user is in passwd first'            prints "$(id -u)" firn exec "$debian" sh -c 'head -1 /etc/passwd | cut -d: -f3'
ok '... and the image'\''s users still are'   succeeds firn exec "$debian" grep -q ^www-data: /etc/passwd
ok 'the primary group has a name'           succeeds firn exec "$debian" id -gn
ok 'hosts is the host'\''s'                   prints "$(cat /etc/hosts)" firn exec "$debian" cat /etc/hosts
done_testing
