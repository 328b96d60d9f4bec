# Binds: what is shown where, and that no symlink of the image leads out.
. "$srcdir/tests/lib.sh"
debian=$(image debian.sqfs)
make_small "$scratch/root"
mkdir -p "$scratch/data/sub" "$scratch/root/run" "$scratch/root/var"
ln -s ../run "$scratch/root/var/run"
ln -s /etc "$scratch/root/abs"
ln -s ../../../../../../etc "$scratch/root/up"
ln -s /run/deep/target "$scratch/root/dangling"
ln -s loop "$scratch/root/loop"
echo content >"$scratch/data/file"
squash "$scratch/root" "$scratch/small.sqfs"

for root in "$scratch/small.sqfs" "$scratch/root"; do
kind=${root##*.}; [ "$kind" = sqfs ] || kind=directory
x() { firn exec "$@"; }
ok "$kind: a directory at its own path"     prints content x -B "$scratch/data" "$root" probe cat "$scratch/data/file"
ok "$kind: a directory somewhere else"      prints content x -B "$scratch/data:/new/place" "$root" probe cat /new/place/file
ok "$kind: a file at a path that is not there" prints content x -B "$scratch/data/file:/a/b/c" "$root" probe cat /a/b/c
ok "$kind: a file over one of the image"    prints content x -B "$scratch/data/file:/etc/passwd" "$root" probe cat /etc/passwd
ok "$kind: through a relative symlink"      prints content x -B "$scratch/data:/var/run/d" "$root" probe cat /run/d/file
ok "$kind: through an absolute symlink"     prints content x -B "$scratch/data:/abs/d" "$root" probe cat /etc/d/file
ok "$kind: .. in a link stops at the root"  prints content x -B "$scratch/data:/up/d" "$root" probe cat /etc/d/file
ok "$kind: a loop is an error"              status_is 125 x -B "$scratch/data:/loop/d" "$root" probe true
ok "$kind: ... in one line"                 one_line
ok "$kind: a file where a directory must be" status_is 125 x -B "$scratch/data:/etc/passwd" "$root" probe true
ok "$kind: ... names the place"             says '/etc/passwd'
ok "$kind: --mount type=bind"               prints content x --mount "type=bind,src=$scratch/data,dst=/m,ro" "$root" probe cat /m/file
done
ok 'through a dangling symlink, inside'     prints content firn exec -B "$scratch/data:/dangling" "$scratch/small.sqfs" probe cat /run/deep/target/file

ok 'a bind is writable'                     succeeds firn exec -B "$scratch/data:/d" "$debian" touch /d/made
ok '... for real'                           test -e "$scratch/data/made"
ok ':ro is not'                             denied firn exec -B "$scratch/data:/d:ro" "$debian" touch /d/x
ok '... and says why'                       says 'Read-only file system'
ok 'colons are escaped'                     prints content sh -c 'mkdir "$3/a:b" && cp "$3/data/file" "$3/a:b/" && exec "$1" exec -B "$3/a\:b:/d" "$2" cat /d/file' sh "$FIRN" "$debian" "$scratch"
odd=$(printf 'sp ace\nnew\303\251')
mkdir "$scratch/$odd"
cp "$scratch/data/file" "$scratch/$odd/"
ok 'odd names are names'                    prints content firn exec -B "$scratch/$odd:/$odd" "$debian" cat "/$odd/file"
ok 'a target with .. is refused'            status_is 125 firn exec -B "$scratch/data:/mnt/../../etc" "$debian" true
ok '... and named'                          says "'/mnt/../../etc'"
ok 'a relative target is refused'           status_is 125 firn exec -B "$scratch/data:mnt" "$debian" true
ok '/ is refused'                           status_is 125 firn exec -B "$scratch/data:/" "$debian" true
ok 'a bad mode is refused'                  status_is 125 firn exec -B "$scratch/data:/mnt:rx" "$debian" true
ok 'nothing is made in the user'\''s files'   status_is 125 firn exec -B "$scratch/data:$scratch/none/such" "$debian" true
ok '... '                                   test ! -e "$scratch/none"
ok '--tmpfs is empty and writable'          succeeds firn exec --tmpfs /scratch:size=1M "$debian" sh -c 'test -z "$(ls /scratch)" && touch /scratch/x'
ok '... and as large as asked'              denied firn exec --tmpfs /scratch:size=1M "$debian" dd if=/dev/zero of=/scratch/x bs=1M count=2
ok '... which is why'                       says 'No space left on device'
ok 'an image on an odd path runs'           prints ok sh -c 'cp "$2" "$3/sp ace,co:mma.sqfs" && exec "$1" exec "$3/sp ace,co:mma.sqfs" probe args ok' sh "$FIRN" "$scratch/small.sqfs" "$scratch"
ok 'the plan is printed and nothing done'   succeeds firn exec --print-plan -B "$scratch/$odd:/$odd" "$debian" false
ok '... one step a line'                    says "bind $scratch/sp\\040ace\\012new"
# As many file systems in memory as one likes: all may hold further mount points.
many=
for i in $(seq 70); do many="$many --tmpfs /tmp/many/$i"; done
ok 'seventy file systems in memory'         succeeds firn exec --contain $many -B "$scratch:/tmp/many/70/deep" "$(image debian.sqfs)" test -d /tmp/many/70/deep
done_testing
