/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/words.h"

#include "lib/own.h"
#include "runner/entrypoint.h"

#include <stdarg.h>

enum { VALUE_MAX = 64 << 10, WORDS_MAX = 1024 };

// clang-format off
const struct slurm_option_text slurm_options[] = {
	{SLURM_IMAGE, "container-image", "IMAGE", "[firn] run the tasks in this image, a squashfs or SIF file or a directory"},
	{SLURM_MOUNTS, "container-mounts", "SRC:DST[:ro|rw][,...]", "[firn] show these host directories in the container"},
	{SLURM_WORKDIR, "container-workdir", "PATH", "[firn] start in this directory of the container"},
	{SLURM_ENV, "container-env", "NAME[,...]", "[firn] host variables that go before the image's"},
	{SLURM_MOUNT_HOME, "container-mount-home", NULL, "[firn] show the home directory (the default)"},
	{SLURM_NO_MOUNT_HOME, "no-container-mount-home", NULL, "[firn] do not show the home directory"},
	{SLURM_REMAP_ROOT, "container-remap-root", NULL, "[firn] appear as root in the container"},
	{SLURM_NO_REMAP_ROOT, "no-container-remap-root", NULL, "[firn] appear as yourself (the default)"},
	{SLURM_ENTRYPOINT, "container-entrypoint", NULL, "[firn] run each task's command by the image's entrypoint"},
	{SLURM_NO_ENTRYPOINT, "no-container-entrypoint", NULL, "[firn] do not run the image's entrypoint (the default)"},
	{SLURM_READONLY, "container-readonly", NULL, "[firn] the image cannot be written to (the default)"},
	{SLURM_WRITABLE, "container-writable", NULL, "[firn] let writes to the image succeed, in memory"},
	{SLURM_NAME, "container-name", "NAME", "[firn] share the container with the job's steps of this name"},
	{SLURM_MPI, "container-mpi", "none|hybrid", "[firn] how the image's MPI meets the host's launcher, see firn(1)"},
	{SLURM_GPU, "container-gpu", "WHAT", "[firn] what of the host's GPUs is shown, see firn(1)"},
	{SLURM_SAVE, "container-save", "PATH", "[firn] not here: images are not changed; use 'firn build'"},
	{SLURM_ENTRYPOINT_LOG, "container-entrypoint-log", NULL, "[firn] not here: the entrypoint writes where its task does"},
	{0, NULL, NULL, NULL},
};
// clang-format on

static int take_text(char **out, const char *value, const char *what, struct err *err)
{
	if (!value || !*value || strlen(value) > VALUE_MAX)
		return err_set(err, "--container-%s needs a value of at most %d bytes", what,
			       VALUE_MAX);
	free(*out);
	*out = strdup(value);
	return *out ? 0 : err_sys(err, "--container-%s", what);
}

/* A name goes into a session's; its characters are those of file names that need no quotes. */
static int take_name(char **out, const char *value, struct err *err)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (value && (strspn(value, good) != strlen(value) || strlen(value) > 64))
		return err_set(
			err, "--container-name is of at most 64 letters, digits, '.', '_' and '-'");
	return take_text(out, value, "name", err);
}

int slurm_wish_take(struct slurm_wish *wish, enum slurm_option option, const char *value,
		    struct err *err)
{
	switch (option) {
	case SLURM_IMAGE:
		return take_text(&wish->image, value, "image", err);
	case SLURM_MOUNTS:
		return take_text(&wish->mounts, value, "mounts", err);
	case SLURM_WORKDIR:
		return take_text(&wish->workdir, value, "workdir", err);
	case SLURM_ENV:
		return take_text(&wish->env, value, "env", err);
	case SLURM_NAME:
		return take_name(&wish->name, value, err);
	case SLURM_MOUNT_HOME:
	case SLURM_NO_MOUNT_HOME:
		wish->no_home = option == SLURM_NO_MOUNT_HOME;
		return 0;
	case SLURM_REMAP_ROOT:
	case SLURM_NO_REMAP_ROOT:
		wish->root = option == SLURM_REMAP_ROOT;
		return 0;
	case SLURM_READONLY:
	case SLURM_WRITABLE:
		wish->writable = option == SLURM_WRITABLE;
		return 0;
	case SLURM_ENTRYPOINT:
	case SLURM_NO_ENTRYPOINT:
		wish->entrypoint = option == SLURM_ENTRYPOINT;
		return 0;
	case SLURM_MPI:
		return take_text(&wish->mpi, value, "mpi", err);
	case SLURM_GPU:
		return take_text(&wish->gpu, value, "gpu", err);
	case SLURM_SAVE:
		return err_set(
			err,
			"--container-save is not there: images are not changed; use 'firn build'");
	case SLURM_ENTRYPOINT_LOG:
		return err_set(err, "--container-entrypoint-log is not there: an entrypoint writes "
				    "where its task does");
	default:
		return err_set(err, "an unknown option");
	}
}

void slurm_wish_clear(struct slurm_wish *wish)
{
	free(wish->image);
	free(wish->mounts);
	free(wish->workdir);
	free(wish->env);
	free(wish->name);
	free(wish->mpi);
	free(wish->gpu);
	*wish = (struct slurm_wish){0};
}

const char *slurm_wish_lonely(const struct slurm_wish *wish)
{
	const struct {
		bool given;
		const char *name;
	} options[] = {
		{wish->mounts != NULL, "mounts"}, {wish->workdir != NULL, "workdir"},
		{wish->env != NULL, "env"},	  {wish->mpi != NULL, "mpi"},
		{wish->gpu != NULL, "gpu"},	  {wish->no_home, "mount-home"},
		{wish->root, "remap-root"},	  {wish->writable, "writable"},
		{wish->entrypoint, "entrypoint"},
	};

	for (size_t i = 0; i < COUNT_OF(options); i++)
		if (options[i].given)
			return options[i].name;
	return NULL;
}

void slurm_wish_hash(const struct slurm_wish *wish, char out[2 * SHA256_SIZE + 1])
{
	const char *const texts[] = {wish->mounts, wish->workdir, wish->env,
				     wish->name,   wish->mpi,	  wish->gpu};
	const unsigned char flags[] = {wish->no_home, wish->root, wish->writable, wish->entrypoint};
	unsigned char digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_begin(&hash);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		sha256_add(&hash, texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) + 1 : 1);
	sha256_add(&hash, flags, sizeof(flags));
	sha256_end(&hash, digest);
	for (size_t i = 0; i < SHA256_SIZE; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

struct words {
	char **word;
	size_t count;
};

__attribute__((format(printf, 2, 3))) static int add(struct words *words, const char *format, ...)
{
	va_list args;
	int len;

	if (words->count == WORDS_MAX)
		return -1;
	va_start(args, format);
	len = vasprintf(&words->word[words->count], format, args);
	va_end(args);
	if (len < 0) {
		words->word[words->count] = NULL;
		return -1;
	}
	words->count++;
	return 0;
}

/* The items of a list with commas in between, each behind @option. */
static int add_list(struct words *words, const char *option, const char *list)
{
	for (const char *at = list; at && *at;) {
		size_t len = strcspn(at, ",");

		if (len > 0 && add(words, "%s=%.*s", option, (int)len, at) < 0)
			return -1;
		at += len + (at[len] == ',');
	}
	return 0;
}

/* "--NAME=VALUE", if there is a value. */
static int add_text(struct words *words, const char *name, const char *value)
{
	return value ? add(words, "--%s=%s", name, value) : 0;
}

static int add_flag(struct words *words, const char *name, bool given)
{
	return given ? add(words, "--%s", name) : 0;
}

/* Which container: that of this step on this node, or the job's of a name. */
static int add_session(struct words *words, const struct slurm_wish *wish,
		       const struct slurm_step *step)
{
	if (!wish->name)
		return add(words, "--session=slurm %u.%u %s", step->job, step->step, step->node);
	if (add(words, "--name=%s", wish->name) < 0 ||
	    add(words, "--scope=slurm %u %s", step->job, step->node) < 0)
		return -1;
	return add(words, "--hold-path=%s/%u", step->jobs, step->job);
}

static int add_all(struct words *words, const struct slurm_wish *wish,
		   const struct slurm_step *step)
{
	if (add(words, "firn") < 0 || add(words, "session-start") < 0 ||
	    add(words, "--control-fd=%d", step->control) < 0 || add_session(words, wish, step) < 0)
		return -1;
	if (add_list(words, "--bind", wish->mounts) < 0 ||
	    add_list(words, "--env", wish->env) < 0 || add_text(words, "cwd", wish->workdir) < 0 ||
	    add_text(words, "mpi", wish->mpi) < 0 || add_text(words, "gpu", wish->gpu) < 0 ||
	    add_flag(words, "no-home", wish->no_home) < 0 ||
	    add_flag(words, "root", wish->root) < 0 ||
	    add_flag(words, "writable-tmpfs", wish->writable) < 0 ||
	    add_flag(words, "entrypoint", wish->entrypoint) < 0)
		return -1;
	if (wish->entrypoint && add(words, "--bind=%s:" ENTRYPOINT_PATH ":ro", step->firn) < 0)
		return -1;
	if (add_text(words, "expect", step->identity) < 0 ||
	    add_text(words, "bind", step->spool) < 0 || add(words, "--") < 0)
		return -1;
	return step->image ? add(words, "%s", step->image) : 0;
}

int slurm_wish_words(const struct slurm_wish *wish, const struct slurm_step *step, char ***out,
		     struct err *err)
{
	struct words words = {.word = calloc(WORDS_MAX + 1, sizeof(char *))};

	if (!words.word)
		return err_sys(err, "cannot start a container");
	if (add_all(&words, wish, step) < 0) {
		slurm_words_free(words.word);
		return err_set(err, "cannot start a container: too many options, or no memory");
	}
	*out = words.word;
	return 0;
}

void slurm_words_free(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}
