/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A directory may be a root file system, or hold an image in parts: an OCI layout, what
 * skopeo calls dir:, or an unpacked docker archive. One must not be taken for the other:
 * an image of blobs helps nobody.
 */
#include "builder/source/source_private.h"
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

static bool has_docker_table(int folder)
{
	auto_free char *text = NULL;
	struct err ignored;
	size_t size;

	return file_read(folder, "manifest.json", DOCUMENT_MAX, &text, &size, &ignored) == 0 &&
	       docker_manifest_is(text, size);
}

static enum folder_kind kind_of(int folder)
{
	char head[64];

	if (read_head(folder, "oci-layout", head, sizeof(head)) > 0 &&
	    read_head(folder, "index.json", head, sizeof(head)) > 0)
		return FOLDER_OCI;
	if (read_head(folder, "version", head, sizeof(head)) > 0 &&
	    strstr(head, "Directory Transport Version"))
		return FOLDER_SKOPEO;
	return has_docker_table(folder) ? FOLDER_DOCKER : FOLDER_ROOT;
}

bool source_is_layout(const char *path)
{
	auto_fd folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return folder >= 0 && kind_of(folder) == FOLDER_OCI;
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

int source_open_dir(const char *name, const struct source_options *options, struct source **out,
		    struct err *err)
{
	auto_fd folder = -1;

	if (open_folder(name, &folder, err) < 0 || refuse(name, kind_of(folder), err) < 0)
		return -1;
	return source_from_root(take_fd(&folder), name, options, out, err);
}

int source_open_folder(const char *path, const char *tag, const struct source_options *options,
		       struct source **out, struct err *err)
{
	auto_fd folder = -1;
	enum folder_kind kind;

	if (open_folder(path, &folder, err) < 0)
		return -1;
	kind = kind_of(folder);
	if (kind == FOLDER_OCI)
		return source_from_layout(take_fd(&folder), path, tag, options, out, err);
	if (refuse(path, kind, err) < 0)
		return -1;
	if (tag)
		return err_set(err, "'%s' is a root file system, in which nothing is called '%s'",
			       path, tag);
	return source_from_root(take_fd(&folder), path, options, out, err);
}
