# Another user neither joins a session nor keeps anybody from it.
. "$srcdir/tests/lib.sh"
. "$srcdir/tests/setup.sh"
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs
chmod 711 "$scratch"
mkdir "$scratch/home"
home=$scratch/home
chown "$user_id" "$home"
other_id=$((user_id + 1))
other() { setpriv --reuid="$other_id" --regid="$other_id" --clear-groups "$@"; }
rank() { as_user env SLURM_JOB_ID=9 SLURM_STEP_ID=1 timeout 30 "$FIRN" exec "$@"; }

mkfifo "$scratch/end"
rank "$small" probe stay <"$scratch/end" >"$scratch/place" &
first=$!
exec 9>"$scratch/end"
wait_for test -s "$scratch/place"
name=$(rank -vv "$small" probe where 2>&1 | grep -o 'firn-[0-9a-f]\{32\}' | head -n 1)
ok 'the user joins'                               prints "$(cat "$scratch/place")" rank "$small" probe where
theirs() { other env HOME=/ SLURM_JOB_ID=9 SLURM_STEP_ID=1 "$FIRN" exec -v "$small" probe where; }
ok 'another user gets another container'          succeeds theirs
ok '... without trouble'                          says_not 'not shared'
ok '... really another'                           says_not "$(cat "$scratch/place")"

# Knowing the name does not help.
cat >"$scratch/knock.py" <<'TXT'
import socket, sys
answers = set()
held = []
for i in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect("\0" + sys.argv[1])
    try:
        answers.add(s.recv(10))
    except ConnectionError:
        answers.add(b"")
    held.append(s)
print(answers)
TXT
chmod 644 "$scratch/knock.py"
ok 'another user is sent away without a word'     prints "{b''}" other /usr/bin/python3 "$scratch/knock.py" "$name" 1
ok '... 500 times'                                prints "{b''}" other /usr/bin/python3 "$scratch/knock.py" "$name" 500
ok '... and the user still joins'                 prints "$(cat "$scratch/place")" rank "$small" probe where
ok 'so is root'                                   prints "{b''}" /usr/bin/python3 "$scratch/knock.py" "$name" 1
exec 9>&-
wait "$first"
ok 'nothing is left'                              wait_for no_servers

# Where /proc hides the processes of others, and those that cannot be traced of one's own.
cat >"$scratch/hidden.sh" <<'TXT'
mount -t proc -o "hidepid=$1" proc /proc || exit 77
shift
exec setpriv --reuid="$1" --regid="$1" --clear-groups env SLURM_JOB_ID=9 SLURM_STEP_ID=3 HOME="$2" sh -c '
	"$0" exec "$1" probe stay <"$2" >"$3" & exec 9>"$2"
	n=0; until [ -s "$3" ] || [ $n = 200 ]; do sleep 0.05; n=$((n + 1)); done
	"$0" exec -v "$1" probe where; cat "$3"' "$3" "$4" "$5" "$6"
TXT
hidden() {
	rm -f "$scratch/there"
	touch "$scratch/there"
	chown "$user_id" "$scratch/there" "$scratch/end"
	unshare --mount --propagation slave sh "$scratch/hidden.sh" "$1" "$user_id" "$home" "$FIRN" "$small" "$scratch/end" "$scratch/there" 2>"$scratch/said" | uniq | wc -l
}
for hide in 1 2; do
	ok "hidepid=$hide: a rank joins"              prints 1 hidden "$hide"
	ok '... without a word'                       sh -c '! grep "not shared" "$1"' sh "$scratch/said"
done
wait_for no_servers

# The name is taken by somebody else. (It could not be guessed: here it is told.)
cat >"$scratch/squat.py" <<'TXT'
import socket, sys, time
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind("\0" + sys.argv[1])
listener.listen(64)
print("ready", flush=True)
time.sleep(60)
TXT
chmod 644 "$scratch/squat.py"
mkfifo "$scratch/told"
setpriv --reuid="$other_id" --regid="$other_id" --clear-groups \
	/usr/bin/python3 "$scratch/squat.py" "$name" >"$scratch/told" &
squatter=$!
read -r word <"$scratch/told"
ok 'a name that is taken: it runs'                succeeds rank -v "$small" true
ok '... and says why alone'                       says 'firn: the container is not shared: another user has taken its name'
kill "$squatter"
wait "$squatter" 2>/dev/null

# The secret in the name is the user's: root with the same words arrives elsewhere.
ok 'root has a session of its own'                succeeds env SLURM_JOB_ID=9 SLURM_STEP_ID=1 "$FIRN" exec -vv "$small" true
ok '... of another name'                          says_not "$name"

# What a hostile data image gets by its server: itself.
wait_for no_servers
mkdir "$scratch/d"
echo data >"$scratch/d/file"
squash "$scratch/d" "$scratch/data.sqfs"
rm "$scratch/end" "$scratch/place"
mkfifo "$scratch/end"
rank -B "$scratch/data.sqfs:/data" "$small" probe stay <"$scratch/end" >"$scratch/place" &
exec 9>"$scratch/end"
wait_for test -s "$scratch/place"
of_each() { for pid in $(helpers firn-server); do "$@" "/proc/$pid"; done; }
images_of() { ls -l "$1/fd" | grep -c '\.sqfs$'; }
tables_of() { grep -c '/dev/zero' "$1/maps"; }
devices_of() { ls -l "$1/fd" | grep -c ' -> .*/fuse$'; }
ok 'each of two servers has one image'            all_print_one 2 of_each images_of
ok '... one table'                                all_print_one 2 of_each tables_of
ok '... and one device'                           all_print_one 2 of_each devices_of
ok '... one'                                      says 1
exec 9>&-
wait
ok 'and nothing is left'                          wait_for no_servers
done_testing
