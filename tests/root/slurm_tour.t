# What the documentation prints of Slurm, in a real one.
. "$srcdir/tests/slurm.sh"
. "$srcdir/tests/tour.sh"
begin
debian=$(image debian.sqfs)
ln -s "$debian" "$home/debian_12.sqfs"
ln -s "$debian" "$home/app.sqfs"
tour README.md cluster sh "$srcdir/tests/cluster" user "$dir"
tour doc/slurm.md cluster sh "$srcdir/tests/cluster" user "$dir"
done_testing
