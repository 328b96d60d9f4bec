# The launcher becomes the program.
. "$srcdir/tests/lib.sh"
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs
debian=$(image debian.sqfs)

ok 'a command of the image runs'            prints 'Debian GNU/Linux' firn exec "$debian" sed -n 's/^NAME="\(.*\)"/\1/p' /etc/os-release
ok 'its exit status comes back'             status_is 7 firn exec "$small" probe exit 7
ok 'a signal that ends it, too'             status_is 143 sh -c '"$@"; exit $?' sh "$FIRN" exec "$small" probe kill 15
ok 'arguments arrive as they are'           prints "$(printf 'a b\n\n--help\n*')" firn exec "$small" probe args 'a b' '' --help '*'
ok 'the program has the pid of the launcher' all_print_one 2 sh -c 'echo $$; exec "$0" exec "$1" probe pid' "$FIRN" "$small"
ok 'it finds no child of its own'           prints none firn exec "$small" probe children
ok 'signals are ignored and blocked as before' prints "$("$tools/probe" signals)" firn exec "$small" probe signals
echo 'from nine' >"$scratch/nine"
ok 'inherited descriptors are open'         prints 'from nine' sh -c 'exec "$1" exec "$2" probe read 9 9<"$3"' sh "$FIRN" "$small" "$scratch/nine"
ok 'and no other ones'                      prints "$("$tools/probe" fds 2>/dev/null </dev/null)" firn exec "$small" probe fds
ok 'it runs with standard input closed'     prints "$("$tools/probe" fds 2>/dev/null <&-)" sh -c 'exec "$1" exec "$2" probe fds <&-' sh "$FIRN" "$small"
ok 'it runs with all three closed'          status_is 3 sh -c 'exec "$1" exec "$2" probe exit 3 <&- >&- 2>&-' sh "$FIRN" "$small"

ok 'a command that is not there: 127'       status_is 127 firn exec "$small" nowhere
ok '... is named'                           says "'nowhere'"
ok '... in one line'                        one_line
ok 'a path that is not there: 127'          status_is 127 firn exec "$small" /bin/nowhere
ok 'a directory: 126'                       status_is 126 firn exec "$small" /bin
ok '... in one line'                        one_line
ok 'a file that is no program: 126'         status_is 126 firn exec "$small" /etc/passwd
ok 'no such image: 125'                     status_is 125 firn exec "$scratch/no.sqfs" true
ok '... is named with the cause'            says "'$scratch/no.sqfs': No such file or directory"
ok 'an unknown option: 125'                 status_is 125 firn exec --nonsense "$small" true
ok '... is named'                           says "'--nonsense'"
ok 'no command: 125'                        status_is 125 firn exec "$small"
ok 'no image: 125'                          status_is 125 firn exec
ok 'an unknown verb: 125'                   status_is 125 firn fly
ok '... is named'                           says "'fly'"
ok 'a missing bind source: 125'             status_is 125 firn exec -B "$scratch/gone:/mnt" "$small" true
ok '... is named'                           says "'$scratch/gone'"

ok 'help is help'                           succeeds firn exec --help
ok '... and complete'                       says '--writable-tmpfs'
ok 'the version is told'                    succeeds firn --version

cat >"$scratch/root/bin/script" <<'TXT'
echo "no shebang: $1"
TXT
chmod 755 "$scratch/root/bin/script"
printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0\1\0\0\0' >"$scratch/root/bin/arm"
chmod 755 "$scratch/root/bin/arm"
printf '#!/no/such/interpreter\n' >"$scratch/root/bin/orphan"
chmod 755 "$scratch/root/bin/orphan"
ok 'a directory is an image, too'           prints yes firn exec "$scratch/root" probe args yes
ok 'a program for another machine: 126'     status_is 126 firn exec "$scratch/root" arm
ok '... says for which'                     says 'aarch64'
ok 'a missing interpreter: 126'             status_is 126 firn exec "$scratch/root" orphan
ok '... says so, with its name'             says "the image lacks its interpreter '/no/such/interpreter'"
cp "$images/debian.dir/bin/true" "$scratch/root/bin/dynamic"
ok 'a missing loader: 126'                  status_is 126 firn exec "$scratch/root" dynamic
ok '... is named, too'                      grep -q "the image lacks its interpreter '/lib[^']*/ld-" "$last"
ok 'a script without #! runs by the shell'  prints 'no shebang: x' firn exec -B "$scratch/root/bin/script:/mnt/script" "$debian" /mnt/script x
big=$(head -c 60000 /dev/zero | tr '\0' x)
ok 'a large environment is passed'          prints 60000 env BIG="$big" "$FIRN" exec "$debian" sh -c 'printf %s "$BIG" | wc -c'
done_testing
