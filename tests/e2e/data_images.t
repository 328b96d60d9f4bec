# Images of data: mounted read-only in a container, each by a server of its own that may end in any way.
. "$srcdir/tests/lib.sh"
needs_python
debian=$(image debian.sqfs)
make_small "$scratch/root"
squash "$scratch/root" "$scratch/small.sqfs"
small=$scratch/small.sqfs
hooked=$tools/firn_hooked

mkdir -p "$scratch/d/sub/deep" "$scratch/d/etc" "$scratch/d/point" "$scratch/bound/here"
echo first >"$scratch/d/file"
echo deep >"$scratch/d/sub/deep/file"
echo own >"$scratch/d/etc/mark"
ln -s /etc "$scratch/d/out"
ln -s ../../../../../etc "$scratch/d/up"
ln -s sub "$scratch/d/link"
ln -s nothing "$scratch/d/dangling"
ln -s round "$scratch/d/round"
for i in 1 2 3 4; do head -c 3000000 /dev/urandom >"$scratch/d/big$i"; done
head -c 66666 /dev/urandom >"$scratch/d/poison"
squash "$scratch/d" "$scratch/data.sqfs"
data=$scratch/data.sqfs
mkdir "$scratch/e"
echo second >"$scratch/e/file"
squash "$scratch/e" "$scratch/e.sqfs" gzip
python3 "$srcdir/tests/images/mksif.py" "$scratch/e.sqfs" "$scratch/e.sif" || exit 1
: >"$scratch/empty"
plain() { "$FIRN" exec "$@"; }

# What is shown, and as what.
for root in "$small" "$scratch/root"; do
kind=${root##*.}; [ "$kind" = sqfs ] || kind=directory
ok "$kind: a data image is mounted"         prints first firn exec -B "$data:/data" "$root" probe cat /data/file
ok "$kind: ... by --mount as well"          prints first firn exec --mount "type=image,src=$data,dst=/data" "$root" probe cat /data/file
ok "$kind: a SIF"                           prints second firn exec -B "$scratch/e.sif:/new/place" "$root" probe cat /new/place/file
ok "$kind: a directory of one"              prints deep firn exec -B "$data:/data:image-src=/sub/deep" "$root" probe cat /data/file
ok "$kind: ... by --mount as well"          prints deep firn exec --mount "type=image,src=$data,dst=/data,image-src=/sub/deep" "$root" probe cat /data/file
ok "$kind: ... which is all there is"       denied firn exec -B "$data:/data:image-src=/sub/deep" "$root" probe cat /data/../data/deep/file
ok "$kind: two at once"                     prints second firn exec -B "$data:/a" -B "$scratch/e.sqfs:/b" "$root" probe cat /b/file
ok "$kind: one in the other"                prints second firn exec -B "$data:/a" -B "$scratch/e.sqfs:/a/point" "$root" probe cat /a/point/file
ok "$kind: one over the other"              prints second firn exec -B "$data:/a" -B "$scratch/e.sqfs:/a" "$root" probe cat /a/file
ok "$kind: where a file is, none"           status_is 125 firn exec -B "$data:/etc/passwd" "$root" probe true
ok "$kind: ... in one line"                 one_line
ok "$kind: ... that names it"               says "'/etc/passwd'"
ok "$kind: ... and says why"                says 'Not a directory'
done
all='cd "$0" && find . -type f | LC_ALL=C sort | xargs cat | md5sum'
ok 'it has the contents of the same root'   prints "$(plain "$debian" sh -c "$all" /usr/bin)" firn exec -B "$debian:/mnt:image-src=/usr" "$debian" sh -c "$all" /mnt/bin
ok 'only for reading'                       denied firn exec -B "$data:/mnt" "$debian" touch /mnt/new
ok '... as it says'                         says 'Read-only file system'
ok 'and nobody becomes another by it'       prints 2 firn exec -B "$data:/mnt" -B "$data:/opt:image-src=/sub" "$debian" grep -c ' /\(mnt\|opt\) ro,nosuid,nodev,' /proc/self/mountinfo
ok 'at /dev as anywhere'                    prints first firn exec -B "$data:/dev/shm" "$small" probe cat /dev/shm/file
ok 'a source alone is a file'               prints file firn exec -B "$data" "$debian" sh -c 'test -f "$0" && echo file' "$data"
ok 'so is what is called one'               prints file firn exec -B "$data:/data:file" "$debian" sh -c 'test -f /data && echo file'
ok '... by --mount, too'                    prints file firn exec --mount "type=bind,src=$data,dst=/data" "$debian" sh -c 'test -f /data && echo file'
ok 'a plain file stays one'                 prints first firn exec -B "$scratch/d/file:/data" "$small" probe cat /data
ok 'an empty one, too'                      prints '' firn exec -B "$scratch/empty:/data" "$small" probe cat /data
ok 'what is to be an image must be one'     status_is 125 firn exec -B "$scratch/d/file:/data:image" "$small" true
ok '... is said'                            says "'$scratch/d/file' is not an image"
ok 'a directory is none'                    status_is 125 firn exec --mount "type=image,src=$scratch/d,dst=/data" "$small" true
ok '... is said, too'                       says "'$scratch/d' is no image but a directory"
ok 'to write to it is an error'             status_is 125 firn exec -B "$data:/data:rw" "$small" true
ok '... in one line'                        one_line
ok '... with the way to have the file'      says "'rw' needs 'file'"
ok 'it is told on request'                  succeeds firn exec -v -B "$data:/data" "$small" true
ok '... as what it is'                      says "'$data' is an image, and is mounted at '/data'"
ok 'and printed with the plan'              succeeds firn exec --print-plan -B "$scratch/e.sif:/data:image-src=/x" "$small" true
ok '... as a step'                          says "data $scratch/e.sif /data offset=32768 /x"
ok 'the root image is data as well'         prints image firn exec -B "$small:/data" "$small" probe args image
ok 'root inside sees it'                    prints first firn exec --root -B "$data:/data" "$small" probe cat /data/file
! command -v squashfuse_ll >/dev/null ||
	ok 'beside another engine'          prints first firn exec --engine squashfuse -B "$data:/data" "$debian" cat /data/file
ok 'no descriptor stays'                    prints "$("$tools/probe" fds </dev/null 2>/dev/null)" firn exec -B "$data:/data" -B "$data:/e:image-src=/sub" "$small" probe fds

# Paths: a name of the image leads nowhere else.
sub() { "$FIRN" exec -B "$data:/data:image-src=$1" "$small" probe cat "/data/$2"; }
ok 'an absolute link stays in the image'    prints own sub /out mark
ok '.. of one stops at its root'            prints own sub /up mark
ok 'links lead to directories'              prints deep sub /link deep/file
ok 'one that leads nowhere is an error'     status_is 125 sub /dangling file
ok '... in one line'                        one_line
ok '... that names it'                      says "cannot open '/dangling' of '$data': No such file"
ok 'so is a loop'                           status_is 125 sub /round file
ok 'and a file'                             status_is 125 sub /file file
ok '... is said'                            says 'Not a directory'
ok '.. is refused'                          status_is 125 sub /sub/.. file
ok 'a place in a bind'                      prints first firn exec -B "$scratch/bound:/b" -B "$data:/b/here" "$small" probe cat /b/here/file
ok '... that is not there is not made'      status_is 125 firn exec -B "$scratch/bound:/b" -B "$data:/b/none" "$small" true
ok '... in the user'\''s files'             test ! -e "$scratch/bound/none"
ok 'a bind in a data image'                 prints second firn exec -B "$data:/data" -B "$scratch/e:/data/point" "$small" probe cat /data/point/file
ok '... has a place there, or none'         status_is 125 firn exec -B "$data:/data" -B "$scratch/e:/data/none" "$small" true
ok '... in one line'                        one_line

# With whatever else there is.
ok 'in a frozen container'                  prints first firn exec --frozen -B "$data:/data" "$small" probe cat /data/file
ok 'in a contained one'                     prints first firn exec --contain -B "$data:/tmp/data" "$small" probe cat /tmp/data/file
ok 'in a writable one'                      prints first firn exec --writable-tmpfs -B "$data:/data" "$small" probe cat /data/file
mkdir "$scratch/over"
over() { "$FIRN" exec --overlay "$scratch/over" --contain -B "$data:/data" -B "$scratch/e.sqfs:/opt/e" "$debian" "$@"; }
ok 'with an overlay'                        prints 'first second' over sh -c 'touch /made && echo $(cat /data/file /opt/e/file)'
ok '... that holds nothing of it'           test ! -e "$scratch/over/upper/data/file" -a -e "$scratch/over/upper/made"
printf '[run]\nbind = %s:/site\nbind = %s/gone.sqfs:/gone\n' "$data" "$scratch" >"$scratch/conf"
ok 'by the site'                            succeeds firn exec --config "$scratch/conf" "$small" probe cat /site/file
ok '... is read'                            says first
ok '... what is not there is a warning'     says "'$scratch/gone.sqfs' is not shown"

# Older kernels.
old() { "$tools/enosys" "$1" "$FIRN" exec -B "$data:/data" -B "$scratch/e.sqfs:/e" "$2" probe cat /e/file; }
for calls in fsopen open_tree openat2 mount_setattr fsopen,move_mount,open_tree,mount_setattr,openat2; do
	ok "without $calls"                 prints second old "$calls" "$small"
	ok '... in a directory'             prints second old "$calls" "$scratch/root"
done
ok 'a part of one needs open_tree'          status_is 125 "$tools/enosys" open_tree "$FIRN" exec -B "$data:/data:image-src=/sub" "$small" true
ok '... is said'                            says 'needs Linux 5.2'
ok 'the whole of one is mounted nowhere'    prints 1 firn exec -B "$data:/data:image-src=/sub" "$debian" grep -c "$data" /proc/self/mountinfo
ok 'a part of one needs some of them'       status_is 125 "$tools/enosys" fsopen,move_mount,open_tree "$FIRN" exec -B "$data:/data:image-src=/sub" "$small" true
ok '... is said in a line'                  one_line
ok '... with what'                          says 'needs Linux 5.2'

# What is wrong with one is one line.
ok 'a missing one'                          status_is 125 firn exec -B "$scratch/gone.sqfs:/data" "$small" true
ok '... is named'                           says "'$scratch/gone.sqfs'"
ok '... unless it may be missing'           succeeds firn exec -B "$scratch/gone.sqfs:/data:image,optional" "$small" true
head -c 100000 "$data" >"$scratch/cut.sqfs"
ok 'a truncated one'                        status_is 125 firn exec -B "$scratch/cut.sqfs:/data" "$small" true
ok '... in one line'                        one_line
ok '... that says so'                       says "'$scratch/cut.sqfs' is truncated"
many=
for i in $(seq 33); do many="$many -B $scratch/e.sqfs:/tmp/many/$i"; done
ok 'more than thirty-two are too many'      status_is 125 firn exec --contain $many "$small" true
ok '... is said'                            says 'there are 32 data images already'
ok 'thirty-two are not'                     prints second firn exec --contain ${many% -B*} "$small" probe cat /tmp/many/32/file
ok 'nothing is left'                        wait_for no_servers
mksquashfs "$scratch/d" "$scratch/good.sqfs" -noappend -quiet -no-progress -comp zstd -noI -noF -noX -no-xattrs >/dev/null
# Of whatever is broken, the root is not.
good_end() {
	timeout 20 "$FIRN" exec -B "$1:/data:image" "$debian" sh -c 'find /data -type f | xargs cat >/dev/null; cat /etc/debian_version' >"$scratch/out" 2>"$last" </dev/null
	status=$?
	case $status in
	0) grep -q . "$scratch/out" && ! grep -q "'$debian'" "$last" ;;
	125) one_line && grep -q "'.*$2.sqfs'" "$last" ;;
	*) no "exit status $status" ;;
	esac
}
for kind in $(python3 "$srcdir/tests/images/broken.py" list); do
	python3 "$srcdir/tests/images/broken.py" make "$kind" "$scratch/good.sqfs" "$scratch/$kind.sqfs" || exit 1
	ok "$kind"                          good_end "$scratch/$kind.sqfs" "$kind"
	rm -f "$scratch/$kind.sqfs"
done

# Ranks share one mount; another file of the name is another container.
cat >"$scratch/ranks.py" <<'TXT'
import os, subprocess, sys
count, command = int(sys.argv[1]), sys.argv[2:]
env = dict(os.environ, SLURM_JOB_ID="7", SLURM_STEP_ID="1")
ranks = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) for i in range(count)]
places = [rank.stdout.readline() for rank in ranks]
names = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        name = open(f"/proc/{pid}/comm").read().strip()
        if name in ("firn-server", "firn-keeper") and os.path.dirname(sys.argv[0]).encode() in open(f"/proc/{pid}/cmdline", "rb").read():
            names.append(name)
    except OSError:
        pass
for rank in ranks:
    rank.stdin.close()
status = {rank.wait(20) for rank in ranks}
print(len(set(places)), *sorted(names), *([] if status == {0} and b"" not in places else [status]))
TXT
ranks() { timeout 60 /usr/bin/python3 "$scratch/ranks.py" "$@"; }
ok 'what was left is gone'                  wait_for no_servers
ok '64 ranks share one mount of it'         prints '1 firn-keeper firn-server firn-server' ranks 64 "$FIRN" exec -B "$data:/data" "$small" probe stay
ok '... and nothing is left'                wait_for no_servers
ok 'in a directory, too'                    prints '1 firn-keeper firn-server' ranks 8 "$FIRN" exec -B "$data:/data" "$scratch/root" probe stay
ok '... and nothing is left'                wait_for no_servers
cp "$scratch/e.sqfs" "$scratch/now.sqfs"
# start NAME: a rank that stays until the end of the test's descriptor 9.
start() {
	rm -f "$scratch/end" "$scratch/place"
	mkfifo "$scratch/end"
	SLURM_JOB_ID=8 SLURM_STEP_ID=1 "$FIRN" exec "$@" <"$scratch/end" >"$scratch/place" 2>"$scratch/said" &
	exec 9>"$scratch/end"
	wait_for test -s "$scratch/place"
}
end() {
	exec 9>&-
	wait
}
there() { SLURM_JOB_ID=8 SLURM_STEP_ID=1 "$FIRN" exec -B "$scratch/now.sqfs:/data" "$small" probe where; }
start -B "$scratch/now.sqfs:/data" "$small" probe stay
ok 'a later rank joins'                     prints "$(cat "$scratch/place")" there
ln "$scratch/now.sqfs" "$scratch/link.sqfs"
linked() { SLURM_JOB_ID=8 SLURM_STEP_ID=1 "$FIRN" exec -B "$scratch/link.sqfs:/data" "$small" probe where; }
ok '... by another name of the file, too'   prints "$(cat "$scratch/place")" linked
cp "$scratch/data.sqfs" "$scratch/new.sqfs"
mv "$scratch/new.sqfs" "$scratch/now.sqfs"
ok 'not after the file was replaced'        succeeds there
ok '... it has a container of its own'      says_not "$(cat "$scratch/place")"
end

# Servers end, and programs do not notice. Titles tell which server is which.
server_of() { grep -laF "firn-server $1" /proc/[0-9]*/cmdline 2>/dev/null | tr -dc '0-9\n'; }
sums='for i in 1 2 3 4 5 6 7 8 9 10; do cat /data/big1 /data/big2 /data/big3 /data/big4 | md5sum; done'
killed() {
	"$FIRN" exec -B "$data:/data" "$debian" sh -c "$sums" >"$scratch/sums" 2>"$scratch/said" &
	reader=$! hits=0
	while kill -0 $reader 2>/dev/null; do
		for pid in $(server_of "$data"); do
			kill -9 "$pid" 2>/dev/null && hits=$((hits + 1))
		done
		sleep 0.02
	done
	wait $reader || no "exit status $?: $(cat "$scratch/said")" || return 1
	echo "$hits killed" >"$last"
	[ "$hits" -gt 1 ] || return 1
	[ "$(wc -l <"$scratch/sums")" = 10 ] &&
		[ "$(sort -u "$scratch/sums")" = "$(cd "$scratch/d" && cat big1 big2 big3 big4 | md5sum)" ]
}
ok 'its server is killed during reading'    killed
ok '... and nothing is left'                wait_for no_servers
start -B "$data:/data" "$small" probe stay
ok 'each has a server'                      test "$(servers)" = 2
for pid in $(helpers 'firn-.*'); do kill -9 "$pid"; done
ok 'all are killed: nothing is left'        wait_for no_servers
end

# A server that gives up is an error for those who read that image, and for nobody else.
cp "$debian" "$scratch/debian.sqfs"
lost() {
	start -B "$data:/data" -B "$scratch/e.sqfs:/e" "$scratch/debian.sqfs" sh -c 'echo there; read line; cat /e/file; cat /data/big1 >/dev/null; cat /e/file; true'
	kill -STOP $(helpers firn-keeper)
	kill -9 $(server_of "$data")
	kill -9 $(helpers firn-keeper)
	sleep 0.2
	end
	cat "$scratch/place" "$scratch/said" >"$last"
	[ "$(sed -n '2p;3p' "$scratch/place" | tr '\n' ' ')" = 'second second ' ]
}
ok 'an image without a server is its own loss' lost
ok '... and nothing is left'                wait_for no_servers

# One that ends again and again over what is read.
mkdir "$scratch/d/many"
for i in $(seq 40); do echo "$i" >"$scratch/d/many/crash$i"; done
squash "$scratch/d" "$scratch/bad.sqfs"
bad() { timeout 60 "$hooked" exec -B "$scratch/bad.sqfs:/data" "$debian" sh -c "$1"; }
ok 'what ends a server is an error'         succeeds bad 'cat /data/poison; cat /data/file && cat /etc/debian_version && echo well'
ok '... and a line that names the image'    says "firn: '/poison' of '$scratch/bad.sqfs' ends the mount server ("
ok '... while all else is read'             says well
ok 'one that is given up'                   succeeds bad 'i=0; while [ $i -lt 100 ]; do [ -e /data/many/crash$i ]; i=$((i + 1)); done; cat /data/file; cat /etc/debian_version && echo well'
ok '... is a line'                          test "$(grep -c "^firn: the mount server of '$scratch/bad.sqfs' ended (.*, 5 times within a second): its files are gone" "$last")" = 1
ok '... and the root goes on'               says well
ok 'nothing is left of that'                wait_for no_servers
done_testing
