# A job runs the image that was there when it was submitted, or says why not.
. "$srcdir/tests/slurm.sh"
export CLUSTER_MUNGED=--max-ttl=2   # credentials expire while jobs wait
begin
debian=$(image debian.sqfs)
make_small "$scratch/root"
settings() { printf '%s\n' "$(plugin "$@")" >"$dir/plugstack.conf"; }
script where <<-'END'
	#!/bin/bash
	cut -d. -f1 /etc/debian_version
END
cp "$debian" "$home/image.sqfs"
chown "$user_id" "$home/image.sqfs"

# finish JOB: wait for its end; succeeds if it did.
finish() {
	job=$1
	wait_for over
	user scontrol show job "$job" >"$last"
	grep -q 'JobState=COMPLETED' "$last"
}
# The job's script was not run, and Slurm got firn's status.
refused_at_start() {
	finish "$1" || says 'JobState=FAILED' && says 'ExitCode=125:0'
}
over() { user scontrol show job "$job" | grep -qE 'JobState=(COMPLETED|FAILED|CANCELLED)'; }
submit() { sbatch -H --parsable "$@" | tail -n 1; }

# A held job, and what happens to the image meanwhile.
job=$(submit -o kept --container-image=image.sqfs where)
touched=$(submit -o touched --container-image=image.sqfs where)
changed=$(submit -o changed --container-image=image.sqfs where)
swapped=$(submit -o swapped --container=image.sqfs where)
encode() { cluster root "$dir" munge -n -S "$dir/munge.socket"; }
expired() { echo "$credential" | cluster root "$dir" unmunge -S "$dir/munge.socket" 2>&1 | grep -q 'Expired credential'; }
credential=$(encode)
user scontrol release "$job"
ok 'an image that is as it was'             finish "$job"
wait_for expired # the credentials of the others are older
touch "$home/image.sqfs"
chmod 640 "$home/image.sqfs"
ln "$home/image.sqfs" "$home/second"
user scontrol release "$touched"
ok 'one of other times and modes as well'   finish "$touched"
printf x | dd of="$home/image.sqfs" bs=1 seek=$(($(stat -c %s "$home/image.sqfs") - 9000)) conv=notrunc 2>/dev/null
user scontrol release "$changed"
ok 'one that was written to is refused'     refused_at_start "$changed"
ok '... in a line'                          grep -q "^firn: node[12]: image '$home/image.sqfs' changed since submission (it was written to, with other contents)" changed
squash "$scratch/root" "$home/new.sqfs"
mv "$home/new.sqfs" "$home/image.sqfs"
chown "$user_id" "$home/image.sqfs"
user scontrol release "$swapped"
ok 'so is another one of its name'          refused_at_start "$swapped"
ok '... in a line'                          grep -q 'changed since submission (it has [0-9]* bytes, not [0-9]*)' swapped
# The same of data.
cp "$debian" "$home/image.sqfs"
chown "$user_id" "$home/image.sqfs"
mkdir "$scratch/data"
echo one >"$scratch/data/f"
squash "$scratch/data" "$home/data.sqfs"
chown "$user_id" "$home/data.sqfs"
script data_of <<-'END'
	#!/bin/bash
	cat /data/f
END
kept=$(submit -o data_kept --container-image=image.sqfs --container-mounts="$home/data.sqfs:/data" data_of)
swapped=$(submit -o data_swapped --container-image=image.sqfs --container-mounts="$home/data.sqfs:/data:sqsh" data_of)
user scontrol release "$kept"
ok 'a data image that is as it was'         finish "$kept"
ok '... is read'                            test "$(cat data_kept)" = one
echo another >"$scratch/data/f"
squash "$scratch/data" "$home/new.sqfs"
mv "$home/new.sqfs" "$home/data.sqfs"
chown "$user_id" "$home/data.sqfs"
user scontrol release "$swapped"
ok 'another one of its name is refused'     refused_at_start "$swapped"
ok '... in a line'                          grep -q "^firn: node[12]: image '$home/data.sqfs' changed since submission" data_swapped
script late <<-'END'
	#!/bin/bash
	#SBATCH -N2 -o late.out
	cut -d. -f1 /etc/debian_version
END
late=$(submit --container="$debian" late)
credential=$(encode)
wait_for expired
user scontrol release "$late"
ok 'an expired pin is authentic'            finish "$late"
cp "$debian" "$home/image.sqfs"
ok 'a replayed one, too: on every node'     succeeds srun -N2 -n8 --container=image.sqfs true

# What a job's step saw first counts for all later steps.
cat >"$home/alloc" <<-END
	srun -Q --container=image.sqfs true && touch image.sqfs && srun -Q --container=image.sqfs true || exit
	cp image.sqfs copy && mv copy image.sqfs && srun -Q --container=image.sqfs true || exit
	printf x >>image.sqfs && srun -Q --container=image.sqfs true; echo "then \$?"
END
ok 'the pin is the submission'\''s'         succeeds user sh -c 'SLURM_FIRN_PIN= salloc -n1 sh alloc'
ok '... each srun its own'                  says 'then 0'
ok '... unless salloc made it'              succeeds user salloc -n1 --container-image=image.sqfs sh alloc
ok '... and saw another'                    says 'then 125'

# Forgeries: users can do without the plugin on their side, and write what they like.
grep -v PlugStackConfig "$SLURM_CONF" >"$home/slurm.conf"
bare_srun() { user env SLURM_CONF="$home/slurm.conf" SLURM_FIRN_PIN="$@"; }
forged() { bare_srun "$1" srun --container="$home/image.sqfs" true; }
pin() { printf 'firn-pin 1\nword=%s\nimage=%s\nidentity=\noptions=%s' "$home/image.sqfs" "$home/image.sqfs" "$1"; }
none=$(printf '\0\0\0\0\0\0\0\0\0\0\0' | sha256sum | cut -d' ' -f1) # seven texts that are not there, four flags
munge() { cluster root "$dir" "$@" munge -S "$dir/munge.socket"; }
own=$(pin "$none" | munge setpriv --reuid="$user_id" --regid="$user_id" --clear-groups)
ok 'a pin of one'\''s own is good'          succeeds forged "$own"
ok 'another user'\''s is not'               fails forged "$(pin "$none" | munge setpriv --reuid=$((user_id + 1)) --clear-groups)"
ok '... as is said'                         says "the job's pin is of user $((user_id + 1)), not of the job's user $user_id"
ok 'nor is root'\''s'                       fails forged "$(pin "$none" | munge env)"
ok '... as is said, too'                    says "the job's pin is of user 0, not of the job's user $user_id"
ok 'a damaged one'                          fails forged "$(echo "$own" | sed 's/^\(MUNGE:.\{40\}\)./\1_/')"
ok '... is not authentic'                   says "the job's pin is not authentic: munge:"
ok 'other options'                          fails forged "$(pin "$(echo | sha256sum | cut -d' ' -f1)" | munge setpriv --reuid="$user_id" --clear-groups)"
ok '... are not those submitted'            says "the container's options are not those that were submitted"
ok 'another image'                          fails bare_srun "$own" srun --container="$debian" true
ok '... neither'                            says "image '$debian' is not the '$home/image.sqfs' that was submitted"
ok 'no pin at all'                          fails forged 'MUNGE:'
ok '... is said'                            says "firn: node"
ok 'words that are none'                    fails forged firn-pin
ok '... are told'                           says "firn: node"

# The site decides: try (so far), require, off.
ok 'try: without a pin the name counts'     succeeds forged ''
settings pin=require
ok 'require: not without one'               fails forged ''
ok '... as is said'                         says 'the job has no pin of its image'
ok 'require: one without a seal'            fails forged "$(pin "$none")"
ok '... has none'                           says "the pin of the job's image has no seal"
ok 'require: an image that is not here'     status_is 125 srun --container=/srv/nosuch.sqfs true
ok '... is not submitted'                   says "firn: cannot open '/srv/nosuch.sqfs': No such file"
ok 'require: nor one that only nodes may have' status_is 125 srun --container=/nosuch/a.sqfs true
ok '... is not submitted'                   says "firn: cannot pin the image, as this site requires: cannot open '/nosuch/a.sqfs'"
ok 'require: nor is a directory'            status_is 125 srun --container="$scratch/root" true
ok '... as is said'                         says 'is a directory: what is in it has no identity'
ok 'require: all is well with one'          succeeds srun -N2 --container=image.sqfs true
settings pin=require munge=/nosuch/socket
ok 'require: without munge'                 status_is 125 srun --container=image.sqfs true
ok '... nothing is submitted'               says "firn: cannot pin '$home/image.sqfs', as this site requires: munge:"
settings munge=/nosuch/socket
ok 'try: without munge'                     succeeds srun --container=image.sqfs true
ok '... is pinned without a seal'           says "firn: warning: '$home/image.sqfs' is pinned without a seal: munge:"
settings pin=off
job=$(submit -o off --container-image=image.sqfs where)
touch "$home/image.sqfs"
user scontrol release "$job"
ok 'off: a changed image is used as it is'  finish "$job"
# firn.conf says it, too, and the plugin's line comes after it.
site=$(sed -n 's/^sysconfdir = //p' "$builddir/Makefile" | sed "s#\${prefix}#$(sed -n 's/^prefix = //p' "$builddir/Makefile")#")
in_site() { cluster root "$dir" sh -c 'mkdir -p "$0/firn" && printf "[slurm]\npin = require\n" >"$0/firn/firn.conf"' "$site"; }
cluster root "$dir" mount -t tmpfs site "$site"
in_site
settings
ok 'firn.conf decides'                      status_is 125 srun --container="$scratch/root" probe where
ok '... for the site'                       says 'as this site requires'
settings pin=try
ok '... unless the plugin'\''s line does'    succeeds srun --container="$scratch/root" probe where
cluster root "$dir" umount "$site"
settings pin=maybe
ok 'a site'\''s slip harms no other job'     succeeds srun hostname
ok '... nor a batch script'                 succeeds sbatch -W -o plain --wrap hostname
ok 'a site'\''s slip'                       status_is 125 srun --container=image.sqfs true
ok '... is named'                           says "firn: plugstack.conf: 'pin=maybe' is not understood"
settings
# What a node denies is named as the user has typed it.
denied="[users]\ndeny = root writable-tmpfs bind\n"
for node in node1 node2; do
	nsenter -m -t "$(cat "$dir/slurmd.$node.pid")" sh -c 'mount -t tmpfs site "$0" && mkdir -p "$0/firn" && printf "$1" >"$0/firn/firn.conf"' "$site" "$denied"
done
for option in remap-root writable mounts=/usr:/mnt; do
	ok "a site that denies ${option%=*}"       status_is 125 srun --container="$scratch/root" "--container-$option" probe where
	ok '... names the option of srun'    says "option '--container-${option%=*}' is not allowed on this machine"
done
ok 'nothing is left'                        nothing_left
done_testing
