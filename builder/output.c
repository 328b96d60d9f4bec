/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/output.h"

#include "lib/image/image.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

enum { TRIES = 100 };

struct output {
	char *path;
	const char *name;   /* the last component, in path */
	int folder, fd;
	bool force;
	char temporary[64]; /* the hidden name, "" for none */
};

/* What a signal has to remove: names cannot be had from a handler's stack. */
static struct {
	volatile sig_atomic_t armed;
	int folder;
	char name[64];
} doomed;

static void remove_and_die(int signal)
{
	if (doomed.armed)
		(void)unlinkat(doomed.folder, doomed.name, 0);
	(void)raise(signal); /* SA_RESETHAND: this time it ends the process */
}

static void arm(const struct output *output)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGXCPU, SIGPIPE};
	struct sigaction action = {.sa_handler = remove_and_die,
				   .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	doomed.folder = output->folder;
	memcpy(doomed.name, output->temporary, sizeof(doomed.name));
	doomed.armed = 1;
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		struct sigaction now;

		/* What is ignored, as under nohup(1), stays ignored. */
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
}

static int check_target(const struct output *output, struct err *err)
{
	struct stat stat;
	auto_fd old = -1;

	if (fstatat(output->folder, output->name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "cannot write '%s'", output->path);
	if (!output->force)
		return err_set(err, "'%s' exists; --force replaces it", output->path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, "'%s' exists and is no regular file", output->path);
	old = openat(output->folder, output->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (old < 0)
		return err_sys(err, "cannot tell whether '%s' is an image", output->path);
	/* "-f" means a file to many: no Dockerfile or source becomes an image by it. */
	if (!image_is_begun(old))
		return err_set(err,
			       "'%s' exists and is no image; --force (-f) replaces only images",
			       output->path);
	return 0;
}

/* A name nobody has, for a file system without O_TMPFILE or for the moment of replacing. */
static int take_temporary(struct output *output, int (*make)(struct output *output))
{
	static unsigned serial;

	for (int i = 0; i < TRIES; i++) {
		(void)snprintf(output->temporary, sizeof(output->temporary), ".firn-%ld-%u.tmp",
			       (long)getpid(), serial++);
		if (make(output) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	output->temporary[0] = 0;
	return -1;
}

static int make_named(struct output *output)
{
	output->fd = openat(output->folder, output->temporary,
			    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	return output->fd < 0 ? -1 : 0;
}

static int link_as(struct output *output, const char *name)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", output->fd);
	return linkat(AT_FDCWD, self, output->folder, name, AT_SYMLINK_FOLLOW);
}

static int make_link(struct output *output)
{
	return link_as(output, output->temporary);
}

static int open_file(struct output *output, struct err *err)
{
	output->fd = openat(output->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (output->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
		return err_sys(err, "cannot write '%s'", output->path);
	if (take_temporary(output, make_named) < 0)
		return err_sys(err, "cannot write '%s'", output->path);
	arm(output);
	return 0;
}

int output_open(const char *path, bool force, struct output **out, struct err *err)
{
	auto_output *output = calloc(1, sizeof(*output));
	char *slash;

	if (!output)
		return err_sys(err, "cannot write '%s'", path);
	output->folder = output->fd = -1;
	output->force = force;
	output->path = strdup(path);
	if (!output->path)
		return err_sys(err, "cannot write '%s'", path);
	slash = strrchr(output->path, '/');
	output->name = slash ? slash + 1 : output->path;
	if (!*output->name || strcmp(output->name, ".") == 0 || strcmp(output->name, "..") == 0)
		return err_set(err, "'%s' is no name for an image file", path);
	if (slash)
		*slash = 0;
	output->folder = open(!slash ? "." : *output->path ? output->path : "/",
			      O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (slash)
		*slash = '/';
	if (output->folder < 0)
		return err_sys(err, "cannot write '%s'", path);
	if (check_target(output, err) < 0 || open_file(output, err) < 0)
		return -1;
	*out = take_ptr(&output);
	return 0;
}

int output_fd(const struct output *output)
{
	return output->fd;
}

/* A name for a file that has none: at once, or beside the old file and then over it. */
static int publish_unnamed(struct output *output)
{
	if (link_as(output, output->name) == 0)
		return 0;
	if (errno != EEXIST || !output->force || take_temporary(output, make_link) < 0)
		return -1;
	arm(output);
	return renameat(output->folder, output->temporary, output->folder, output->name);
}

static int publish_named(struct output *output)
{
	if (output->force)
		return renameat(output->folder, output->temporary, output->folder, output->name);
	/* link(2) does not replace what came there meanwhile, as rename(2) would. */
	if (linkat(output->folder, output->temporary, output->folder, output->name, 0) < 0)
		return -1;
	return unlinkat(output->folder, output->temporary, 0);
}

int output_publish(struct output *output, struct err *err)
{
	/* A full disk or quota may show only now. */
	if (fdatasync(output->fd) < 0 && errno != EINVAL && errno != ENOSYS)
		return err_sys(err, "cannot write '%s'", output->path);
	if ((output->temporary[0] ? publish_named(output) : publish_unnamed(output)) < 0)
		return errno == EEXIST
			       ? err_set(err, "'%s' exists; --force replaces it", output->path)
			       : err_sys(err, "cannot write '%s'", output->path);
	doomed.armed = 0;
	output->temporary[0] = 0;
	return 0;
}

void output_close(struct output *output)
{
	if (!output)
		return;
	if (output->temporary[0])
		(void)unlinkat(output->folder, output->temporary, 0);
	doomed.armed = 0;
	if (output->fd >= 0)
		(void)close(output->fd);
	if (output->folder >= 0)
		(void)close(output->folder);
	free(output->path);
	free(output);
}

void output_closep(struct output **output)
{
	output_close(*output);
}
