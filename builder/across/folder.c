/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A directory may be a root file system, or hold an image in parts: an OCI layout, what
 * skopeo calls dir:, or an unpacked docker archive. One must not be taken for the other:
 * an image of blobs helps nobody.
 */
#include "builder/across/reach.h"
#include "builder/cage.h"
#include "builder/source/manifest.h"
#include "lib/cage/apart.h"
#include "lib/file.h"
#include "lib/path.h"

#include <fcntl.h>

enum folder_kind { FOLDER_ROOT, FOLDER_OCI, FOLDER_SKOPEO, FOLDER_DOCKER };

/* The beginning of a file, at most @size - 1 bytes and a NUL; 0 where there is none. */
static size_t read_head(int folder, const char *name, char *buffer, size_t size)
{
	auto_fd fd = path_open_in(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	size_t done = 0;
	struct stat stat;

	if (fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode))
		while (done < size - 1) {
			ssize_t n = read(fd, buffer + done, size - 1 - done);

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			done += (size_t)n;
		}
	buffer[done] = 0;
	return done;
}

/* A text that may be docker's table; whoever reads it as JSON is in the cage. */
struct docker_text {
	const char *text;
	size_t size;
};

static int look_at_table(void *arg, void *out, struct err *err)
{
	const struct docker_text *table = arg;

	(void)err;
	*(unsigned char *)out = docker_manifest_is(table->text, table->size);
	return 0;
}

/* Returns 1, 0, or -1 where that could not be found out. */
static int has_docker_table(int folder, const char *path, bool require_cage, struct err *err)
{
	auto_free char *text = NULL;
	struct docker_text table;
	unsigned char is_table = 0;
	struct apart apart = {.what = path,
			      .cage = builder_cage(require_cage),
			      .work = look_at_table,
			      .arg = &table,
			      .out = &is_table,
			      .size = 1};
	struct err ignored;

	if (file_read(folder, "manifest.json", DOCUMENT_MAX, &text, &table.size, &ignored) < 0)
		return 0;
	table.text = text;
	return apart_run(&apart, err) < 0 ? -1 : is_table == 1;
}

static bool is_layout(int folder)
{
	char head[64];

	return read_head(folder, "oci-layout", head, sizeof(head)) > 0 &&
	       read_head(folder, "index.json", head, sizeof(head)) > 0;
}

static int kind_of(int folder, const char *path, bool require_cage, enum folder_kind *out,
		   struct err *err)
{
	char head[64];
	int is_docker;

	*out = FOLDER_ROOT;
	if (is_layout(folder)) {
		*out = FOLDER_OCI;
		return 0;
	}
	if (read_head(folder, "version", head, sizeof(head)) > 0 &&
	    strstr(head, "Directory Transport Version")) {
		*out = FOLDER_SKOPEO;
		return 0;
	}
	is_docker = has_docker_table(folder, path, require_cage, err);
	if (is_docker > 0)
		*out = FOLDER_DOCKER;
	return is_docker < 0 ? -1 : 0;
}

bool folder_is_layout(const char *path)
{
	auto_fd folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return folder >= 0 && is_layout(folder);
}

static int open_folder(const char *path, int *out, struct err *err)
{
	*out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out < 0 ? err_sys(err, "cannot open '%s'", path) : 0;
}

/* What is told of parts that were called a root file system. */
static int refuse(const char *path, enum folder_kind kind, struct err *err)
{
	switch (kind) {
	case FOLDER_OCI:
		return err_set(err, "'%s' is an OCI layout, not a root file system; use oci:%s",
			       path, path);
	case FOLDER_SKOPEO:
		return err_set(err,
			       "'%s' is an image in skopeo's dir: form, not a root file system; "
			       "make another of it: "
			       "skopeo copy dir:%s oci:NEW",
			       path, path);
	case FOLDER_DOCKER:
		return err_set(
			err,
			"'%s' is an unpacked docker archive, not a root file system; pack it: "
			"tar -C %s -c . | firn build OUT -",
			path, path);
	case FOLDER_ROOT:
		break;
	}
	return 0;
}

int reach_root(struct reach *reach, const char *path, bool require_cage, struct err *err)
{
	enum folder_kind kind;

	reach->kind = REACH_ROOT;
	return open_folder(path, &reach->folder, err) < 0 ||
			       kind_of(reach->folder, path, require_cage, &kind, err) < 0
		       ? -1
		       : refuse(path, kind, err);
}

int reach_folder(struct reach *reach, const char *path, bool require_cage, struct err *err)
{
	enum folder_kind kind;

	if (open_folder(path, &reach->folder, err) < 0 ||
	    kind_of(reach->folder, path, require_cage, &kind, err) < 0)
		return -1;
	reach->kind = kind == FOLDER_OCI ? REACH_LAYOUT : REACH_ROOT;
	return kind == FOLDER_OCI ? 0 : refuse(path, kind, err);
}
