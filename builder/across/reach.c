/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/across/reach.h"

#include "builder/fetch/shortname.h"
#include "builder/squash/spool.h"
#include "lib/log.h"

#include <fcntl.h>
#include <sys/stat.h>

void reach_free(struct reach *reach)
{
	if (!reach)
		return;
	free(reach->name);
	free(reach->tag);
	input_free(reach->input);
	own_close(&reach->folder);
	reference_free(reach->reference);
	free(reach);
}

void reach_freep(struct reach **reach)
{
	reach_free(*reach);
}

/* What the user wrote, in two parts. */
static int set_name(struct reach *reach, const char *name, const char *tag, struct err *err)
{
	reach->name = strdup(name);
	reach->tag = tag ? strdup(tag) : NULL;
	return !reach->name || (tag && !reach->tag) ? err_sys(err, "cannot open '%s'", name) : 0;
}

/* An archive may have to be unpacked, for which there must be a file then. */
static int take_input(struct reach *reach, enum reach_kind kind, struct input *input,
		      struct err *err)
{
	reach->kind = kind;
	reach->input = input;
	if (kind == REACH_IMAGE)
		return 0;
	input->room = spool_unnamed(err);
	return input->room < 0 ? -1 : 0;
}

static int reach_file(struct reach *reach, enum reach_kind kind, const char *path, const char *tag,
		      const struct reach_options *options, struct err *err)
{
	struct input *input;

	if (set_name(reach, path, tag, err) < 0 ||
	    input_open(path, options->limits, &input, err) < 0)
		return -1;
	return take_input(reach, kind, input, err);
}

static int split_file(struct reach *reach, enum reach_kind kind, const char *name,
		      const struct reach_options *options, struct err *err)
{
	const char *tag;
	auto_free char *path = input_split(name, &tag);

	return path ? reach_file(reach, kind, path, tag, options, err)
		    : err_sys(err, "cannot open '%s'", name);
}

static int reach_oci_archive(struct reach *reach, const char *name,
			     const struct reach_options *options, struct err *err)
{
	return split_file(reach, REACH_OCI, name, options, err);
}

static int reach_docker_archive(struct reach *reach, const char *name,
				const struct reach_options *options, struct err *err)
{
	return split_file(reach, REACH_DOCKER, name, options, err);
}

static int reach_image(struct reach *reach, const char *name, const struct reach_options *options,
		       struct err *err)
{
	struct stat found;

	if (stat(name, &found) == 0 && S_ISDIR(found.st_mode))
		return err_set(err, "'%s' is a directory; use dir:%s", name, name);
	return reach_file(reach, REACH_IMAGE, name, NULL, options, err);
}

static int reach_directory(struct reach *reach, const char *name,
			   const struct reach_options *options, struct err *err)
{
	return set_name(reach, name, NULL, err) < 0
		       ? -1
		       : reach_root(reach, name, options->conf->require_cage, err);
}

static int split_folder(struct reach *reach, const char *path, const char *tag,
			const struct reach_options *options, struct err *err)
{
	if (set_name(reach, path, tag, err) < 0 ||
	    reach_folder(reach, path, options->conf->require_cage, err) < 0)
		return -1;
	if (reach->kind == REACH_ROOT && tag)
		return err_set(err, "'%s' is a root file system, in which nothing is called '%s'",
			       path, tag);
	return 0;
}

static int reach_tar(struct reach *reach, const char *name, const struct reach_options *options,
		     struct err *err)
{
	const char *tag;
	auto_free char *path = input_split(name, &tag);

	if (!path)
		return err_sys(err, "cannot open '%s'", name);
	if (folder_is_layout(path))
		return split_folder(reach, path, tag, options, err);
	return reach_file(reach, REACH_ARCHIVE, path, tag, options, err);
}

static int reach_layout(struct reach *reach, const char *name, const struct reach_options *options,
			struct err *err)
{
	const char *tag;
	auto_free char *path = input_split(name, &tag);

	(void)options;
	if (!path || set_name(reach, path, tag, err) < 0)
		return err_sys(err, "cannot open '%s'", name);
	reach->kind = REACH_LAYOUT;
	reach->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (reach->folder < 0 && errno == ENOTDIR)
		return err_set(err, "'%s' is a file, no directory; use oci-archive:%s", path, name);
	return reach->folder < 0 ? err_sys(err, "cannot open '%s'", path) : 0;
}

static int reach_registry(struct reach *reach, const char *name,
			  const struct reach_options *options, struct err *err)
{
	const struct reference *reference;
	auto_free char *said = NULL;

	reach->kind = REACH_REGISTRY;
	if (shortname_resolve(name, options->conf->default_registry, &reach->reference, &said,
			      err) < 0)
		return -1;
	if (said)
		log_note("%s", said);
	reference = reach->reference;
	if (asprintf(&reach->name, "%s/%s%s%s", reference->host, reference->name,
		     reference->tag ? ":" : "@",
		     reference->tag ? reference->tag : reference->digest.text) < 0)
		return err_sys(err, "cannot fetch '%s'", name);
	return 0;
}

static int reach_engine(struct reach *reach, const char *name, const struct reach_options *options,
			struct err *err)
{
	auto_tool *own = NULL;
	struct tool *tool = options->tool;
	struct input *input;

	if (set_name(reach, name, NULL, err) < 0 || (!tool && tool_start(name, &own, err) < 0) ||
	    tool_read(tool ? tool : own, options->limits, &input, err) < 0)
		return -1;
	return take_input(reach, REACH_ARCHIVE, input, err);
}

static const struct {
	const char *scheme;
	int (*reach)(struct reach *reach, const char *name, const struct reach_options *options,
		     struct err *err);
} kinds[] = {
	{"docker://", reach_registry}, {"oci-archive:", reach_oci_archive},
	{"oci:", reach_layout},	       {"docker-archive:", reach_docker_archive},
	{"dir:", reach_directory},     {"tar:", reach_tar},
	{"image:", reach_image},
};

/* A folder that nobody called a root file system, and that looks like none. */
static void doubt_root(const struct reach *reach)
{
	static const char *const roots[] = {"bin",  "usr",   "etc",	      "lib",
					    "sbin", ".firn", ".singularity.d"};

	if (reach->kind != REACH_ROOT)
		return;
	for (size_t i = 0; i < COUNT_OF(roots); i++)
		if (faccessat(reach->folder, roots[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return;
	log_warning("'%s' has no bin, usr or etc, as a root file system has; its files are packed "
		    "as they are (dir:%s is without this line)",
		    reach->name, reach->name);
}

/* A name without a kind: what is there tells. */
static int reach_path(struct reach *reach, const char *name, const struct reach_options *options,
		      struct err *err)
{
	const char *tag;
	auto_free char *path = input_split(name, &tag);
	auto_reference *reference = NULL;
	struct err ignored;
	struct stat found;

	if (path && strcmp(path, "-") == 0)
		return reach_file(reach, REACH_FILE, path, tag, options, err);
	if (path && stat(path, &found) == 0 && !S_ISDIR(found.st_mode))
		return reach_file(reach, REACH_FILE, path, tag, options, err);
	if (path && stat(path, &found) == 0) {
		if (split_folder(reach, path, tag, options, err) < 0)
			return -1;
		doubt_root(reach);
		return 0;
	}
	if (errno == ENOENT && !strchr("./", name[0]) &&
	    reference_parse(name, "host", &reference, &ignored) == 0)
		return err_sys(err, "cannot open '%s'; if it is in a registry, it is docker://%s",
			       name, name);
	return err_sys(err, "cannot open '%s'", name);
}

static int reach(struct reach *to, const char *name, const struct reach_options *options,
		 struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		size_t len = strlen(kinds[i].scheme);

		if (strncmp(name, kinds[i].scheme, len) == 0)
			return kinds[i].reach(to, name + len, options, err);
	}
	if (tool_is_meant(name))
		return reach_engine(to, name, options, err);
	if (strncmp(name, "containers-storage:", 19) == 0)
		return err_set(err, "'%s' is in podman's store: use podman:NAME", name);
	if (strstr(name, "://"))
		return err_set(err,
			       "no kind of source begins like '%s': docker://, oci:, oci-archive:, "
			       "docker-archive:, "
			       "docker-daemon:, podman:, dir:, tar:, a file or -",
			       name);
	return reach_path(to, name, options, err);
}

int reach_open(const char *name, const struct reach_options *options, struct reach **out,
	       struct err *err)
{
	auto_reach *to = calloc(1, sizeof(*to));

	if (!to)
		return err_sys(err, "cannot open '%s'", name);
	to->folder = -1;
	if (reach(to, name, options, err) < 0)
		return -1;
	*out = take_ptr(&to);
	return 0;
}
