# What a program inside is, sees and may not do.
. "$srcdir/tests/lib.sh"
debian=$(image debian.sqfs)
dir=$(image debian.dir)
status() { firn exec "$@" "$debian" cat /proc/self/status; }

ok 'its status can be read'              succeeds status
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	ok "$set is empty"                   says "$set:	0000000000000000"
done
ok 'no_new_privs is set'                 says 'NoNewPrivs:	1'
ok 'the user is the same'                prints "$(id -u):$(id -g)" firn exec "$debian" sh -c 'echo $(id -u):$(id -g)'
ok 'and has a name'                      succeeds firn exec "$debian" id -un
ok 'the image is read-only'              denied firn exec "$debian" touch /x
ok '... and the reason is plain'         says 'Read-only file system'
ok 'every mount is nosuid'               every_mount nosuid '^$' firn exec "$debian" cat /proc/self/mountinfo
ok 'all but those of /dev are nodev'     every_mount nodev '^/dev[/ ]' firn exec "$debian" cat /proc/self/mountinfo
ok 'a directory: every mount, too'       every_mount nosuid,nodev '^/dev[/ ]' firn exec "$dir" cat /proc/self/mountinfo
ok '... and one root'                    prints 1 firn exec "$dir" sh -c 'cut -d" " -f5 /proc/self/mountinfo | grep -cx /'
ok '... with all layers of an overlay'   prints 1 firn exec --writable-tmpfs "$debian" sh -c 'cut -d" " -f5 /proc/self/mountinfo | grep -cx /'
ok 'the host root is out of reach'       denied firn exec "$debian" ls /proc/self/root/var/tmp/firn-images
ok '... it is not there'                 says 'No such file or directory'
ok 'a device node of the image is none'  succeeds firn exec "$debian" sh -c '! cat /dev/null/x 2>/dev/null'
ok 'setuid programs gain nothing'        prints "$(id -u)" firn exec "$debian" sh -c 'id -u'
ok 'mounts are refused'                  denied firn exec "$debian" mount -t tmpfs none /mnt
ok '... says mount'                      says 'mount: /mnt: '
ok 'as root: the id is 0'                prints 0:0 firn exec --root "$debian" sh -c 'echo $(id -u):$(id -g)'
ok '... files of the image are root'\''s'  prints 0:0 firn exec --root "$debian" stat -c %u:%g /etc/shadow
ok '... no_new_privs is still set'       prints 'NoNewPrivs:	1' firn exec --root "$debian" grep NoNewPrivs /proc/self/status
ok '... and the image still read-only'   denied firn exec --root "$debian" touch /x
ok '... as touch finds'                  says 'Read-only file system'
done_testing
