# --contain, --frozen, --writable-tmpfs, --overlay.
. "$srcdir/tests/lib.sh"
debian=$(image debian.sqfs)
dir=$(image debian.dir)
mkdir "$scratch/home"
echo secret >"$scratch/home/file"
export HOME="$scratch/home"

# A directory image: what lies over it can only change what the user could.
own=$scratch/own
mkdir "$own"
(cd "$dir" && tar -cf - --exclude=./dev --exclude=./var/cache --exclude=./usr/share . 2>/dev/null) | tar -xf - -C "$own" 2>/dev/null
chmod -R u+rwX "$own"

for root in "$debian" "$own"; do
kind=${root##*.}
[ "$root" = "$debian" ] || kind=directory
ok "$kind: contain: /tmp is empty"          prints '' env HOME=/home/someone "$FIRN" exec --contain "$root" ls -A /tmp
ok "$kind: contain: home is empty"          prints '' firn exec --contain "$root" sh -c 'ls -A $HOME'
ok "$kind: contain: /dev is small"          prints 'fd full null ptmx pts random shm stderr stdin stdout tty urandom zero' firn exec --contain "$root" sh -c 'echo $(ls /dev)'
ok "$kind: contain: its nodes work"         prints 4 firn exec --contain "$root" sh -c 'head -c 4 /dev/urandom | tee /dev/null | wc -c'
ok "$kind: contain: /dev/shm can be used"   succeeds firn exec --contain "$root" touch /dev/shm/x /tmp/x /var/tmp/x
ok "$kind: contain: all but /dev is nodev"  every_mount nodev '^/dev[/ ]' firn exec --contain "$root" cat /proc/self/mountinfo
ok "$kind: writable-tmpfs: writes succeed"  succeeds firn exec --writable-tmpfs "$root" sh -c 'echo x >/x && rm /etc/issue && mkdir /usr/new && echo y >>/etc/debian_version'
ok "$kind: writable-tmpfs: and vanish"      denied firn exec --writable-tmpfs "$root" test -e /x
mkdir -p "$scratch/$kind.overlay"
ok "$kind: overlay: writes succeed"         succeeds firn exec --overlay "$scratch/$kind.overlay" "$root" sh -c 'echo kept >/usr/kept && rm /etc/issue'
ok "$kind: overlay: and are kept"           prints kept firn exec --overlay "$scratch/$kind.overlay" "$root" sh -c 'test ! -e /etc/issue && cat /usr/kept'
ok "$kind: the image is as it was"          succeeds firn exec "$root" test -e /etc/issue
done
ok 'overlay of none is an error'            status_is 125 firn exec --overlay "$scratch/none" "$debian" true
ok '... that names it'                      says "'$scratch/none'"
ok 'both kinds at once are refused'         status_is 125 firn exec --overlay "$scratch" --writable-tmpfs "$debian" true

frozen() { env SECRET=1 PMI_RANK=2 SLURM_JOB_ID=3 "$FIRN" exec --frozen "$@"; }
ok 'frozen: four variables, none of the host' prints 'HOME=/home/user PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONNOUSERSITE=1' frozen "$debian" sh -c 'env | grep -v ^_= | grep -v ^PWD= | sort | tr "\n" " " | sed "s/ $//"'
ok 'frozen: the same passwd for everyone'   prints "user:x:$(id -u):$(id -g)::/home/user:/bin/sh" frozen "$debian" head -1 /etc/passwd
ok 'frozen: no home of the user'            denied frozen "$debian" test -e "$HOME/file"
ok 'frozen: home exists'                    succeeds frozen "$debian" sh -c 'cd && touch x'
ok 'frozen: not the host'\''s hosts'          prints "$(cat "$dir/etc/hosts" 2>/dev/null)" frozen "$debian" sh -c 'cat /etc/hosts 2>/dev/null; true'
ok 'frozen: no /sys'                        prints '' frozen "$debian" ls -A /sys
ok 'frozen: not the working directory'      prints /home/user frozen "$debian" pwd
ok 'frozen: but what is named'              prints secret frozen -B "$HOME/file:/data/file" -e X=1 "$debian" cat /data/file
ok 'frozen as root: nothing of the user'    prints 0 frozen --root "$debian" sh -c 'id -u'

# What a process holds already: its terminal, its descriptors.
make_small "$scratch/small"
typed() { timeout 20 script -qec "'$FIRN' exec $1 '$scratch/small' probe sti" /dev/null </dev/null | tr -d '\r' | grep -qxF -e "$2"; }
if command -v script >/dev/null; then
	ok 'contain: nothing types into the terminal' typed --contain 'Operation not permitted'
	ok 'frozen: nothing types into the terminal'  typed --frozen 'Operation not permitted'
	ok 'others: the kernel decides'             denied typed '' 'Operation not permitted'
else
	skip 'contain: nothing types into the terminal' 'no script(1) here'
fi
held() { sh -c 'exec 7</etc 8</etc/passwd && exec "$@" </etc' sh "$FIRN" exec "$@"; }
ok 'an inherited directory stays'           held "$debian" test -e /proc/self/fd/7/passwd
ok 'contain: it is closed, a file stays'    succeeds held --contain "$debian" sh -c 'test ! -e /proc/self/fd/7/passwd && head -1 <&8 && ! ls /proc/self/fd/0/ 2>/dev/null'
ok '... which is said'                      says 'warning: descriptor 7 is a directory'
ok 'frozen: it is closed, too'              succeeds held --frozen "$debian" sh -c 'test ! -e /proc/self/fd/7/passwd && head -1 <&8'
ok 'contain: nothing of the host comes later' prints 0 firn exec --contain -B "$scratch" "$debian" sh -c 'grep -cE "master:|shared:" /proc/self/mountinfo; true'
for missing in mount_setattr open_tree,move_mount,mount_setattr; do
	ok "... nor without $missing"           prints 0 "$tools/enosys" "$missing" "$FIRN" exec --contain -B "$scratch" "$debian" sh -c 'grep -cE "master:|shared:" /proc/self/mountinfo; true'
done
ok 'the plan tells the guard'               sh -c '"$0" exec --contain --print-plan "$1" true | grep -qx "guard terminal descriptors"' "$FIRN" "$scratch/small"
done_testing
