/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/root.h"

#include "lib/path.h"
#include "runner/mount/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Mounts made over "/" so far: the last is the root, the others lie between it and the host's. */
static unsigned layers;

int root_open(struct err *err)
{
	/*
	 * Looking up "/" does not cross to what is mounted over it; ".." from
	 * there does (path_resolution(7): ".." of the root is the root, and then
	 * the mount on top is entered).
	 */
	int root = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? err_sys(err, "cannot open the new root") : root;
}

int root_open_device(struct err *err)
{
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	return device < 0 ? err_sys(err, "cannot open '/dev/fuse' (see 'firn doctor')") : device;
}

int root_mount_fuse(const struct plan *plan, int device, struct err *err)
{
	char options[128];

	(void)snprintf(options, sizeof(options),
		       "fd=%d,rootmode=40755,user_id=%u,group_id=%u,allow_other", device,
		       (unsigned)plan->inner_uid, (unsigned)plan->inner_gid);
	if (mount(plan->image, "/", "fuse.firn", MS_RDONLY | MS_NOSUID | MS_NODEV, options) < 0)
		return err_sys(err, "cannot mount '%s'", plan->image);
	layers++;
	return 0;
}

int root_mount_directory(const struct image *image, struct err *err)
{
	struct stat stat;
	auto_fd tree = tree_clone(image->path, err);

	if (tree < 0)
		return -1;
	/* The descriptor in @image is of the host's mount namespace; this one is of ours. */
	if (fstat(tree, &stat) < 0)
		return err_sys(err, "cannot mount '%s'", image->path);
	if (stat.st_dev != image->stat.st_dev || stat.st_ino != image->stat.st_ino)
		return err_set(err, "'%s' was replaced while it was opened", image->path);
	if (tree_restrict(tree, TREE_READONLY | TREE_NODEV, err) < 0)
		return -1;
	if (tree_attach_root(tree, err) < 0)
		return -1;
	layers++;
	return 0;
}

/*
 * Any directory of the host's tree will do: all that is needed of that tree has been cloned or
 * opened, and it is taken away, with what is mounted there, by root_pivot(). Where libraries of the
 * host may still be wanted (has_late_binds()) it should be one that has none: the first two.
 */
static const char *const places[] = {"/media", "/srv", "/usr", "/mnt", "/var", "/tmp"};
enum { FIRST_USUAL_PLACE = 2 };

int root_hide(int tree)
{
	struct err ignored;

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		auto_fd place = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (place >= 0 && tree_attach(tree, place, &ignored) == 0)
			return 0;
	}
	return -1;
}

static bool is_bound(const struct plan *plan, const char *place)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_BIND && path_is_below(place, plan->step[i].source))
			return true;
	return false;
}

/* Whether libraries of the host may be bound once the root is there (mount.h, settle). */
static bool has_late_binds(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_TMPFS && plan->step[i].flags & PLAN_READONLY)
			return true;
	return false;
}

int root_mount_scratch(const struct plan *plan, struct err *err)
{
	/* Without open_tree(2) a bind is made late, and must not bring this along. */
	for (size_t i = has_late_binds(plan) ? 0 : FIRST_USUAL_PLACE; i < COUNT_OF(places); i++) {
		int scratch;

		if (is_bound(plan, places[i]) ||
		    mount("firn", places[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
			continue;
		scratch = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		return scratch < 0 ? err_sys(err, "cannot open a tmpfs") : scratch;
	}
	return err_sys(err, "cannot mount a tmpfs");
}

/* A directory of the overlay, made if it is missing: then of @mode, whatever the umask. */
static int open_layer(int base, const char *name, mode_t mode, const char *path, struct err *err)
{
	bool made = mkdirat(base, name, 0700) == 0;
	int fd;

	if (!made && errno != EEXIST)
		return err_sys(err, "cannot make '%s' in overlay '%s'", name, path);
	if (made && fchmodat(base, name, mode, 0) < 0)
		return err_sys(err, "cannot make '%s' in overlay '%s'", name, path);
	fd = openat(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "cannot open '%s' in overlay '%s'", name, path) : fd;
}

/* Append the layers for what is written to the mount options. */
static int add_upper(const struct root_overlay *overlay, char *options, size_t size,
		     struct err *err)
{
	const char *path = overlay->upper_name;
	size_t used = strlen(options);
	struct stat image;
	int upper, work;

	/* The upper directory's mode is that of "/", as the image has it; its owner can always
	 * remove it. */
	if (fstat(overlay->image, &image) < 0)
		return err_sys(err, "cannot lay overlay '%s'", path);
	upper = open_layer(overlay->upper, "upper", (image.st_mode & 07777) | 0700, path, err);
	work = upper < 0 ? -1 : open_layer(overlay->upper, "work", 0700, path, err);
	if (work < 0)
		return -1;
	/* Both stay open until the mount is made, and are closed by execve(2). */
	(void)snprintf(options + used, size - used,
		       ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d", upper, work);
	return 0;
}

int root_mount_overlay(const struct root_overlay *overlay, struct err *err)
{
	char options[256];

	/* By descriptor: overlayfs gives commas, colons and backslashes in names a meaning. */
	if (overlay->points >= 0)
		(void)snprintf(options, sizeof(options),
			       "userxattr,lowerdir=/proc/self/fd/%d:/proc/self/fd/%d",
			       overlay->points, overlay->image);
	else
		(void)snprintf(options, sizeof(options), "userxattr,lowerdir=/proc/self/fd/%d",
			       overlay->image);
	if (overlay->upper >= 0 && add_upper(overlay, options, sizeof(options), err) < 0)
		return -1;
	if (mount("firn", "/", "overlay",
		  MS_NOSUID | MS_NODEV | (overlay->upper >= 0 ? 0 : MS_RDONLY), options) < 0)
		return err_sys(err,
			       "cannot mount an overlay on '%s' (it needs Linux 5.11 and an upper "
			       "directory with user.* attributes)",
			       overlay->upper_name);
	layers++;
	return 0;
}

int root_pivot(int root, struct err *err)
{
	/*
	 * "." twice: the old root comes to lie over the new one (pivot_root(2),
	 * NOTES), and on it, in one pile, the layers. umount takes the topmost.
	 */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, "cannot make the image the root");
	for (; layers > 0; layers--)
		if (umount2(".", MNT_DETACH) < 0)
			return err_sys(err, "cannot leave the host's root");
	return chdir("/") < 0 ? err_sys(err, "cannot enter the image") : 0;
}
