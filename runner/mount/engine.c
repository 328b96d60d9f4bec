/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int find_in(const char *path, const char *name, char **out)
{
	for (const char *dir = path; dir && *dir;) {
		size_t len = strcspn(dir, ":");
		auto_free char *file = NULL;

		if (len > 0 && dir[0] == '/' &&
		    asprintf(&file, "%.*s/%s", (int)len, dir, name) >= 0 &&
		    access(file, X_OK) == 0) {
			*out = take_ptr(&file);
			return 0;
		}
		dir += len + (dir[len] == ':');
	}
	return -1;
}

int engine_find(const struct conf *conf, const struct image *image, struct engine *out,
		struct err *err)
{
	const char *name = conf->squashfuse;

	out->image = image->fd;
	out->offset = image->offset;
	if (strchr(name, '/')) {
		if (access(name, X_OK) < 0)
			return err_sys(err, "cannot use engine '%s'", name);
		out->program = strdup(name);
		return out->program ? 0 : err_sys(err, "cannot use engine '%s'", name);
	}
	if (find_in(getenv("PATH"), name, &out->program) < 0)
		return err_set(err, "cannot use engine 'squashfuse': '%s' is not in PATH", name);
	return 0;
}

int engine_become(void *arg, int device)
{
	const struct engine *engine = arg;
	char image[64], mountpoint[64], offset[64];
	char *argv[] = {(char *)"squashfuse", (char *)"-f", (char *)"-o", offset, image,
			mountpoint,	      NULL};

	if (fcntl(device, F_SETFD, 0) < 0 || fcntl(engine->image, F_SETFD, 0) < 0)
		return 1;
	/* libfuse takes "/dev/fd/N" for a device that is mounted already (libfuse 3.3). */
	(void)snprintf(mountpoint, sizeof(mountpoint), "/dev/fd/%d", device);
	(void)snprintf(image, sizeof(image), "/proc/self/fd/%d", engine->image);
	(void)snprintf(offset, sizeof(offset), "ro,offset=%llu",
		       (unsigned long long)engine->offset);
	(void)execv(engine->program, argv);
	return 1;
}
