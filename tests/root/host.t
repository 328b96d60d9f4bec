# What the host does while a container runs, and who else may reach it.
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/setup.sh"
debian=$(image debian.sqfs)
chmod 711 "$scratch"
mkdir "$scratch/shared" "$scratch/home"
home=$scratch/home
chown "$user_id" "$home"
mount -t tmpfs none "$scratch/shared"
mount --make-shared "$scratch/shared"
mkdir "$scratch/shared/later"
mkfifo -m 666 "$scratch/go"
chmod 755 "$scratch/shared"
trap 'umount -R "$scratch/shared" 2>/dev/null; cleanup' EXIT

as_user "$FIRN" exec -B "$scratch/shared:/mnt" -B "$scratch/go:/go" "$debian" sh -c 'echo up >/go; read -r word </go; cat /mnt/later/file' >"$scratch/out" 2>&1 &
read -r word <"$scratch/go"
mount -t tmpfs none "$scratch/shared/later"
echo 'mounted later' >"$scratch/shared/later/file"
echo go >"$scratch/go"
wait $!
ok 'a later mount of the host is visible inside'   test "$(cat "$scratch/out")" = 'mounted later'

# Two users, the same image.
other() { setpriv --reuid=61235 --regid=61235 --clear-groups "$@"; }
cp "$debian" "$scratch/own.sqfs"
as_user "$FIRN" exec -B "$scratch/go:/go" "$scratch/own.sqfs" sh -c 'echo $$ >/go; read -r word </go' &
read -r program <"$scratch/go"
server=$(helpers firn-server)
ok 'the server runs as the user'                   test -n "$server"
ok 'another user runs the same image meanwhile'    succeeds other "$FIRN" exec "$debian" true
ok 'and reaches nothing of the first'              denied other ls "/proc/$program/root/"
ok '... as the kernel says'                        says 'Permission denied'
ok 'not even the user traces the server'           denied as_user cat "/proc/$server/environ"
ok '... either'                                    says 'Permission denied'
echo go >"$scratch/go"
wait $!
ok 'no entry in passwd is needed'                  prints user env -u USER HOME=/ setpriv --reuid=61236 --regid=61236 --clear-groups "$FIRN" exec "$debian" id -un
ok 'without /dev/fuse the reason is plain'         status_is 125 unshare -m sh -c 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec setpriv --reuid=61236 --regid=61236 --clear-groups "$1" exec "$2" true' sh "$FIRN" "$debian"
ok '... and names it'                              says '/dev/fuse'

# In a user namespace of its own, root of which may forbid further ones.
forbid='echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
if as_user unshare -Ur sh -c "$forbid" sh true 2>/dev/null; then
	ok 'without user namespaces, too'          status_is 125 as_user unshare -Ur sh -c "$forbid" sh "$FIRN" exec "$debian" true
	ok '... and what to do'                    says 'firn doctor'
	ok '... in one line'                       one_line
else
	skip 'without user namespaces, too' 'max_user_namespaces cannot be written here'
fi
ok 'nothing installed is setuid'                   test -z "$(find "$builddir" -name firn -perm /6000)"

# The configuration is trusted only if it is root's alone.
conf=$scratch/own.conf
printf '[run]\nbind = %s:/mnt\n' "$scratch/shared" >"$conf"
chmod 666 "$conf"
ok 'a configuration that others can write: 125'    status_is 125 as_user "$FIRN" exec --config "$conf" "$debian" true
ok '... says why'                                  says 'others can write'
chmod 644 "$conf"
ok 'one that is well kept is used'                 succeeds as_user "$FIRN" exec --config "$conf" "$debian" test -e /mnt/later
printf '[users]\ndeny = overlay\n' >"$conf"
ok 'what only the site may set is refused'         status_is 125 as_user "$FIRN" exec --config "$conf" "$debian" true
chown 61235 "$conf"
ok 'that of another user is refused'               status_is 125 as_user "$FIRN" exec --config "$conf" "$debian" true
done_testing
