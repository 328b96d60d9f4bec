/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/data_image.h"

#include "lib/own.h"
#include "lib/path.h"
#include "runner/mount/root.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* <sys/mount.h> and <linux/mount.h> disagree on glibc before 2.37: declare what is needed. */
extern int mount(const char *, const char *, const char *, unsigned long, const void *);

enum { OLD_RDONLY = 1, OLD_NOSUID = 2, OLD_NODEV = 4 };

/* Set once a system call proved missing. */
static bool no_fsopen;

/* "/proc/self/fd/N" */
struct fd_path {
	char text[32];
};

static struct fd_path path_of(int fd)
{
	struct fd_path path;

	(void)snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	return path;
}

static int set(int context, const char *name, const char *value)
{
	return (int)syscall(SYS_fsconfig, context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			    name, value, 0);
}

static int set_number(int context, const char *name, unsigned number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", number);
	return set(context, name, text);
}

/* The mount, in no place yet. Returns a descriptor, or -1 with errno. */
static int make_apart(const struct plan *plan, const struct plan_step *step, int device)
{
	auto_fd context = (int)syscall(SYS_fsopen, "fuse", FSOPEN_CLOEXEC);

	if (context < 0 || set(context, "source", step->source) < 0 ||
	    set(context, "subtype", "firn") < 0 || set(context, "ro", NULL) < 0 ||
	    set_number(context, "fd", (unsigned)device) < 0 ||
	    set(context, "rootmode", "40755") < 0 ||
	    set_number(context, "user_id", plan->inner_uid) < 0 ||
	    set_number(context, "group_id", plan->inner_gid) < 0 ||
	    set(context, "allow_other", NULL) < 0 ||
	    syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static int move_to(int tree, int target)
{
	return (int)syscall(SYS_move_mount, tree, "", target, "",
			    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int cannot_mount(const struct plan_step *step, struct err *err)
{
	return err_sys(err, "cannot mount '%s' at '%s'", step->source, step->target);
}

static int is_too_old(const struct plan_step *step, struct err *err)
{
	return err_set(err,
		       "cannot mount '%s' of '%s': to show a directory of an image needs Linux 5.2",
		       step->content, step->source);
}

/* At its place, or, if it is a part of it that will be there, out of sight. */
static int mount_new(const struct plan *plan, const struct plan_step *step, int device, int target)
{
	auto_fd tree = make_apart(plan, step, device);

	if (tree < 0 || (step->content ? root_hide(tree) : move_to(tree, target)) < 0)
		return -1;
	return take_fd(&tree);
}

static int mount_old(const struct plan *plan, const struct plan_step *step, int device, int target)
{
	char options[128];

	(void)snprintf(options, sizeof(options),
		       "fd=%d,rootmode=40755,user_id=%u,group_id=%u,allow_other", device,
		       (unsigned)plan->inner_uid, (unsigned)plan->inner_gid);
	return mount(step->source, path_of(target).text, "fuse.firn",
		     OLD_RDONLY | OLD_NOSUID | OLD_NODEV, options);
}

/* What mount_new() has tried is of no use any more. */
static int renew(int *device, struct err *err)
{
	no_fsopen = true;
	own_close(device);
	*device = root_open_device(err);
	return *device < 0 ? -1 : 0;
}

/* The kernel says EINVAL of a place that is a file. */
static void tell_a_file(int target)
{
	int code = errno;
	struct stat stat;

	errno = code == EINVAL && fstat(target, &stat) == 0 && !S_ISDIR(stat.st_mode) ? ENOTDIR
										      : code;
}

/* Mount all of it. @tree is the mount, or -1 for what mount(2) has put at its place. */
static int mount_whole(const struct plan *plan, const struct plan_step *step, int *device,
		       int target, int *tree, struct err *err)
{
	*tree = no_fsopen ? -1 : mount_new(plan, step, *device, target);
	if (*tree >= 0)
		return 0;
	if (!no_fsopen && errno != ENOSYS) {
		tell_a_file(target);
		return cannot_mount(step, err);
	}
	if (step->content)
		return is_too_old(step, err);
	if (!no_fsopen && renew(device, err) < 0)
		return -1;
	return mount_old(plan, step, *device, target) < 0 ? cannot_mount(step, err) : 0;
}

/*
 * At @target, of @whole the directory that @step names. A mount must be somewhere for a part of it
 * to be taken: @whole is out of sight.
 */
static int narrow(const struct plan_step *step, int whole, int target, struct err *err)
{
	auto_fd dir = path_open_in(whole, step->content, O_PATH | O_DIRECTORY);
	auto_fd part = -1;

	if (dir < 0)
		return err_sys(err, "cannot open '%s' of '%s'", step->content, step->source);
	part = (int)syscall(SYS_open_tree, dir, "",
			    AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (part < 0 && errno == ENOSYS)
		return is_too_old(step, err);
	if (part < 0 || move_to(part, target) < 0) {
		tell_a_file(target);
		return cannot_mount(step, err);
	}
	return take_fd(&part);
}

static size_t count_before(const struct plan *plan, size_t i)
{
	size_t count = 0;

	while (i-- > 0)
		count += plan->step[i].kind == PLAN_IMAGE;
	return count;
}

int data_image_mount(const struct plan *plan, size_t i, int root, int target,
		     const struct data_server *server, struct err *err)
{
	const struct plan_step *step = &plan->step[i];
	auto_fd device = root_open_device(err);
	auto_fd tree = -1;

	if (device < 0 || mount_whole(plan, step, &device, target, &tree, err) < 0 ||
	    server->serve(server->arg, count_before(plan, i), device, err) < 0)
		return -1;
	/* Who waits for an answer must not hold what a server that was given up has let go. */
	own_close(&device);
	device = -1;
	if (step->content)
		return narrow(step, tree, target, err);
	if (tree < 0)
		tree = path_open_in(root, step->target, O_PATH);
	return tree < 0 ? cannot_mount(step, err) : take_fd(&tree);
}

int data_image_check(int mount, const struct plan_step *step, struct err *err)
{
	struct stat stat;

	return fstat(mount, &stat) < 0 ? err_sys(err, "cannot read '%s'", step->source) : 0;
}
