/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/steps.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/path.h"
#include "runner/mount/pipe_text.h"
#include "runner/mount/place.h"
#include "runner/mount/root.h"
#include "runner/mount/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { CHUNK = 1 << 16, PIPE_TIMEOUT_MS = 2000, PIPE_MAX = 16 << 20 };

enum { NOT_SHOWN = -2 };

static bool is_below_dev(const struct plan_step *step)
{
	return step->target && path_is_below(step->target, "/dev");
}

void builder_note_own(struct builder *at, int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) == 0 && at->own_count < at->plan->count + 2)
		at->own[at->own_count++] = stat.st_dev;
}

static bool is_own(const struct builder *at, int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return false;
	for (size_t i = 0; i < at->own_count; i++)
		if (at->own[i] == stat.st_dev)
			return true;
	return false;
}

int builder_need_scratch(struct builder *at, struct err *err)
{
	if (at->scratch < 0)
		at->scratch = root_mount_scratch(at->plan, err);
	return at->scratch < 0 ? -1 : 0;
}

/* What the host mounts later comes as it is there, with set-user-ID programs and devices. */
unsigned builder_separate(const struct builder *at)
{
	return at->plan->contained ? TREE_PRIVATE : 0;
}

/* The directory that is to hold @target's last component, and that component. */
static int open_parent(struct builder *at, const char *target, const char **name)
{
	auto_free char *parent = strdup(target);
	char *slash = parent ? strrchr(parent, '/') : NULL;

	if (!slash)
		return -1;
	*name = target + (slash - parent) + 1;
	*slash = '\0';
	return path_open_in(at->root, *parent ? parent : "/", O_PATH | O_DIRECTORY);
}

/* Make @target and the directories above it, in file systems made here only. */
static int make_point(struct builder *at, const char *target, bool is_file, struct err *err)
{
	const char *name;
	auto_fd parent = open_parent(at, target, &name);
	auto_fd made = -1;

	if (parent < 0 && errno == ENOENT && strrchr(target, '/') != target) {
		auto_free char *above = strndup(target, (size_t)(strrchr(target, '/') - target));

		if (!above)
			return err_sys(err, "cannot make '%s'", target);
		if (make_point(at, above, false, err) < 0)
			return -1;
		parent = open_parent(at, target, &name);
	}
	if (parent < 0)
		return err_sys(err, "cannot mount at '%s'", target);
	if (!is_own(at, parent))
		return err_set(err,
			       "cannot mount at '%s': it does not exist there, and what lies "
			       "there is not firn's to change",
			       target);
	if (is_file)
		made = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (is_file ? made < 0 : mkdirat(parent, name, 0755) < 0)
		return err_sys(err, "cannot make '%s'", target);
	return 0;
}

static int open_target(struct builder *at, const char *target, bool is_file, struct err *err)
{
	int fd = path_open_in(at->root, target, O_PATH);

	if (fd < 0 && errno == ENOENT) {
		if (make_point(at, target, is_file, err) < 0)
			return -1;
		fd = path_open_in(at->root, target, O_PATH);
	}
	return fd < 0 ? err_sys(err, "cannot mount at '%s'", target) : fd;
}

/*
 * What the user did not name is left out where it has no place. That of firn's small files is
 * the image's to have, but to have a directory in it is odd.
 */
static int leave_out(const struct plan_step *step, const char *reason, bool attached)
{
	bool minor = step->flags & (PLAN_CWD | PLAN_NOPOINT | PLAN_PERSONAL) ||
		     (!attached && step->flags & (PLAN_COPY | PLAN_REPLACE));

	(minor ? log_info : log_warning)("%s'%s' is not shown: %s",
					 path_is_below(step->target, "/.firn")
						 ? "what leads to the host's '/etc/hosts' or "
						   "'/etc/resolv.conf' by "
						 : "",
					 step->target, reason);
	return NOT_SHOWN;
}

/* The place of a lenient step, made where that is possible; NOT_SHOWN for none. */
static int open_lenient(struct builder *at, const struct plan_step *step, struct err *err)
{
	int fd = place_open(at->root, step);
	bool made = step->flags & (PLAN_COPY | PLAN_REPLACE); /* by those who can replace */
	int code = errno;

	if (fd < 0 && !place_is_none(code))
		return err_code(err, code, "cannot mount at '%s'", step->target);
	if (fd < 0 && code == ENOENT && !made &&
	    make_point(at, step->target, step->flags & PLAN_ISFILE, err) == 0)
		fd = place_open(at->root, step);
	if (fd < 0 && step->flags & PLAN_CWD)
		fd = path_open_straight(at->root, PLAN_CWD_PLACE, O_PATH | O_DIRECTORY);
	return fd < 0 ? leave_out(step, place_reason(code), false) : fd;
}

static int open_place(struct builder *at, const struct plan_step *step, struct err *err)
{
	if (plan_step_is_lenient(step))
		return open_lenient(at, step, err);
	return open_target(at, step->target, step->flags & PLAN_ISFILE, err);
}

/* Step @i mounts nothing, and restricts nothing. */
static int drop_clone(struct builder *at, size_t i)
{
	(void)close(at->clone[i]);
	at->clone[i] = -1;
	return 0;
}

static int attach_bind(struct builder *at, size_t i, struct err *err)
{
	const struct plan_step *step = &at->plan->step[i];
	unsigned restrict_to = (step->flags & PLAN_DEVICES ? 0 : TREE_NODEV) | builder_separate(at);
	auto_fd target = -1;

	if (at->clone[i] < 0)
		return 0;
	target = open_place(at, step, err);
	if (target == NOT_SHOWN)
		return drop_clone(at, i);
	if (target < 0)
		return -1;
	if (step->flags & PLAN_READONLY)
		restrict_to |= TREE_READONLY;
	/* The plain ones are restricted all at once, see mount_plan(). */
	if ((step->flags & PLAN_READONLY || is_below_dev(step)) &&
	    tree_restrict(at->clone[i], restrict_to, err) < 0)
		return -1;
	if (tree_attach(at->clone[i], target, err) == 0)
		return 0;
	if (plan_step_is_lenient(step) && place_is_none(err->code)) {
		(void)leave_out(step, err->text, true);
		return drop_clone(at, i);
	}
	return err_aim(err, "cannot bind '%s' at '%s'", step->source, step->target);
}

static int attach_tmpfs(struct builder *at, const struct plan_step *step, struct err *err)
{
	auto_fd target = open_place(at, step, err);
	auto_fd top = -1;
	char path[64], options[64], size[32] = "";

	if (target < 0)
		return target == NOT_SHOWN ? 0 : -1;
	if (step->size)
		(void)snprintf(size, sizeof(size), ",size=%llu", (unsigned long long)step->size);
	(void)snprintf(options, sizeof(options), "mode=%s%s",
		       step->flags & PLAN_SHARED_MODE ? "1777" : "0755", size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", target);
	if (mount("firn", path, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return err_sys(err, "cannot mount a tmpfs at '%s'", step->target);
	top = path_open_in(at->root, step->target, O_PATH);
	if (top < 0)
		return err_sys(err, "cannot open '%s'", step->target);
	builder_note_own(at, top);
	return 0;
}

/*
 * A host's /dev/ptmx finds its terminals beside itself, and would not find these. Each program that
 * opens ptmx gets a terminal of its own user (devpts without gid: "tty" is not mapped).
 */
static int attach_devpts(struct builder *at, const struct plan_step *step, struct err *err)
{
	auto_fd target = open_target(at, step->target, false, err);
	char path[64];

	if (target < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", target);
	if (mount("firn", path, "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666,mode=0620") < 0)
		return err_sys(err, "cannot mount '%s'", step->target);
	return 0;
}

/* The image's working directory, where a file system made here covers the image's. */
static void make_dir(struct builder *at, const struct plan_step *step)
{
	auto_fd there = path_open_in(at->root, step->target, O_PATH);
	struct err err;

	if (there < 0 && errno == ENOENT && make_point(at, step->target, false, &err) < 0)
		log_debug("%s", err.text);
}

static int make_link(struct builder *at, const struct plan_step *step, struct err *err)
{
	const char *name;
	auto_fd parent = open_parent(at, step->target, &name);

	if (parent < 0 || symlinkat(step->content, parent, name) < 0)
		return err_sys(err, "cannot make '%s'", step->target);
	return 0;
}

/* The image's regular file @path, if there is one, behind what is in @to already. */
static int append_file(const struct builder *at, int to, const char *path)
{
	auto_fd from = path_open_in(at->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	auto_free char *text = NULL;
	struct stat stat;
	ssize_t got;

	if (from < 0)
		return 0;
	if (fstat(from, &stat) < 0)
		return -1;
	text = S_ISREG(stat.st_mode) ? malloc(CHUNK) : NULL;
	if (!text)
		return S_ISREG(stat.st_mode) ? -1 : 0;
	while ((got = read(from, text, CHUNK)) > 0)
		if (file_write_all(to, text, (size_t)got) < 0)
			return -1;
	return got < 0 ? -1 : 0;
}

/* Show @file of the scratch tmpfs at @target, which is @path. */
static int attach_file(int file, int target, const char *path, struct err *err)
{
	char link[64];
	auto_fd tree = -1;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	tree = tree_clone(link, err);
	if (tree < 0 || tree_restrict(tree, TREE_READONLY | TREE_NODEV, err) < 0 ||
	    tree_attach(tree, target, err) < 0)
		return err_aim(err, "cannot show '%s'", path);
	return 0;
}

static int open_scratch_file(struct builder *at, size_t i)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "text%zu", i);
	return openat(at->scratch, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
}

/* A small file of our own in place of the image's, or of its symlink, from the scratch tmpfs. */
static int attach_text(struct builder *at, size_t i, struct err *err)
{
	const struct plan_step *step = &at->plan->step[i];
	auto_fd target = path_open_in(at->root, step->target, O_PATH | O_NOFOLLOW);
	auto_fd file = -1;
	struct stat stat;

	if (target < 0 || fstat(target, &stat) < 0) {
		log_info("'%s' is not shown: the image has no place for it", step->target);
		return 0;
	}
	if (S_ISDIR(stat.st_mode)) {
		log_warning("firn's '%s' is not shown: it is a directory in the image",
			    step->target);
		return 0;
	}
	file = open_scratch_file(at, i);
	if (file < 0 || file_write_all(file, step->content, strlen(step->content)) < 0 ||
	    (step->kind == PLAN_PREFIX && append_file(at, file, step->target) < 0))
		return err_sys(err, "cannot write '%s'", step->target);
	return attach_file(file, target, step->target, err);
}

/* What a helper found out while all else was built. If it is late or fails, that is no reason to.
 */
static int attach_pipe(struct builder *at, size_t i, struct err *err)
{
	const struct plan_step *step = &at->plan->step[i];
	auto_fd target = path_open_in(at->root, step->target, O_PATH);
	auto_fd file = -1;
	auto_free char *text = NULL;
	size_t len;

	if (target < 0 || step->fd < 0)
		return 0;
	if (pipe_text(step->fd, PIPE_TIMEOUT_MS, PIPE_MAX, &text, &len, err) < 0) {
		log_info("not shown: '%s': %s", step->target, err->text);
		return 0;
	}
	if (builder_need_scratch(at, err) < 0)
		return -1;
	file = open_scratch_file(at, i);
	if (file < 0 || file_write_all(file, text, len) < 0)
		return err_sys(err, "cannot write '%s'", step->target);
	log_debug("'%s' is shown", step->target);
	return attach_file(file, target, step->target, err);
}

static int attach_image(struct builder *at, size_t i, struct err *err)
{
	const struct plan_step *step = &at->plan->step[i];
	auto_fd target = open_place(at, step, err);

	if (target < 0)
		return target == NOT_SHOWN ? 0 : -1;
	at->clone[i] = data_image_mount(at->plan, i, at->root, target, at->server, err);
	return at->clone[i] < 0 ? -1 : 0;
}

static int do_step(struct builder *at, size_t i, struct err *err)
{
	const struct plan_step *step = &at->plan->step[i];

	switch (step->kind) {
	case PLAN_BIND:
		return attach_bind(at, i, err);
	case PLAN_TMPFS:
		return attach_tmpfs(at, step, err);
	case PLAN_DEVPTS:
		return attach_devpts(at, step, err);
	case PLAN_LINK: /* in the image itself the mount server shows it */
		return plan_covers(at->plan, i, step->target) ? make_link(at, step, err) : 0;
	case PLAN_DIR:
		if (plan_covers(at->plan, i, step->target))
			make_dir(at, step);
		return 0;
	case PLAN_FILE:
	case PLAN_PREFIX:
		return at->root_shows ? 0 : attach_text(at, i, err);
	case PLAN_PIPE:
		return attach_pipe(at, i, err);
	case PLAN_IMAGE:
		return attach_image(at, i, err);
	case PLAN_OVERLAY: /* was laid before all others */
		return 0;
	}
	return 0;
}

int steps_do(struct builder *at, bool below_dev, struct err *err)
{
	for (size_t i = 0; i < at->plan->count; i++)
		if (is_below_dev(&at->plan->step[i]) == below_dev && do_step(at, i, err) < 0)
			return -1;
	return 0;
}

int steps_do_from(struct builder *at, size_t first, struct err *err)
{
	for (size_t i = first; i < at->plan->count; i++)
		if (do_step(at, i, err) < 0)
			return -1;
	return 0;
}

int steps_seal(struct builder *at, struct err *err)
{
	for (size_t i = 0; i < at->plan->count; i++) {
		const struct plan_step *step = &at->plan->step[i];
		auto_fd top = -1;

		if (step->kind != PLAN_TMPFS || !(step->flags & PLAN_READONLY))
			continue;
		top = path_open_in(at->root, step->target, O_PATH);
		if (top < 0)
			return err_sys(err, "cannot open '%s'", step->target);
		if (tree_restrict(top, TREE_READONLY | TREE_NODEV, err) < 0)
			return -1;
	}
	return 0;
}
