/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/wish.h"

#include "lib/own.h"
#include "slurm-plugin/mounts.h"

#include <stddef.h>

enum { VALUE_MAX = 64 << 10 };

#define CONTAINER "container" /* the line of Slurm's own option */

// clang-format off
const struct slurm_option_text slurm_options[] = {
	{SLURM_IMAGE, "container-image", "IMAGE",
	 "[firn] run the tasks in this image, a squashfs or SIF file or a directory"},
	{SLURM_MOUNTS, "container-mounts", "SRC[:DST[:ro|rw|sqsh]],...",
	 "[firn] show these host directories in the container"},
	{SLURM_WORKDIR, "container-workdir", "PATH",
	 "[firn] start in this directory of the container"},
	{SLURM_ENV, "container-env", "NAME[,...]",
	 "[firn] host variables that go before the image's"},
	{SLURM_MOUNT_HOME, "container-mount-home", NULL,
	 "[firn] show the home directory (the default)"},
	{SLURM_NO_MOUNT_HOME, "no-container-mount-home", NULL,
	 "[firn] do not show the home directory"},
	{SLURM_REMAP_ROOT, "container-remap-root", NULL, "[firn] appear as root in the container"},
	{SLURM_NO_REMAP_ROOT, "no-container-remap-root", NULL,
	 "[firn] appear as yourself (the default)"},
	{SLURM_ENTRYPOINT, "container-entrypoint", NULL,
	 "[firn] run each task's command by the image's entrypoint"},
	{SLURM_NO_ENTRYPOINT, "no-container-entrypoint", NULL,
	 "[firn] do not run the image's entrypoint (the default)"},
	{SLURM_READONLY, "container-readonly", NULL,
	 "[firn] the image cannot be written to (the default)"},
	{SLURM_WRITABLE, "container-writable", NULL,
	 "[firn] let writes to the image succeed, in memory"},
	{SLURM_NAME, "container-name", "NAME[:create|exec]",
	 "[firn] share the container with the job's steps of this name"},
	{SLURM_MPI, "container-mpi", "none|hybrid",
	 "[firn] how the image's MPI meets the host's launcher, see firn(1)"},
	{SLURM_GPU, "container-gpu", "WHAT",
	 "[firn] what of the host's GPUs is shown, see firn(1)"},
	{SLURM_SAVE, "container-save", "PATH",
	 "[firn] not here: images are not changed; use 'firn build'"},
	{SLURM_ENTRYPOINT_LOG, "container-entrypoint-log", NULL,
	 "[firn] show what the entrypoint writes, as is done anyway"},
	{SLURM_UNSHARE, "container-unshare", "WHAT",
	 "[firn] not here: network, IPC and host name are the node's"},
	{0, NULL, NULL, NULL},
};
// clang-format on

/* Options with a value. */
static const struct text {
	enum slurm_option option;
	size_t field;
	bool list;
} texts[] = {
	{SLURM_IMAGE, offsetof(struct slurm_wish, image), false},
	{SLURM_MOUNTS, offsetof(struct slurm_wish, mounts), true},
	{SLURM_WORKDIR, offsetof(struct slurm_wish, workdir), false},
	{SLURM_ENV, offsetof(struct slurm_wish, env), true},
	{SLURM_NAME, offsetof(struct slurm_wish, name), false},
	{SLURM_MPI, offsetof(struct slurm_wish, mpi), false},
	{SLURM_GPU, offsetof(struct slurm_wish, gpu), false},
};

/* Pairs of opposites. */
static const struct flag {
	enum slurm_option yes, no; /* what makes the field true, and false */
	size_t field;
} flags[] = {
	{SLURM_NO_MOUNT_HOME, SLURM_MOUNT_HOME, offsetof(struct slurm_wish, no_home)},
	{SLURM_REMAP_ROOT, SLURM_NO_REMAP_ROOT, offsetof(struct slurm_wish, root)},
	{SLURM_WRITABLE, SLURM_READONLY, offsetof(struct slurm_wish, writable)},
	{SLURM_ENTRYPOINT, SLURM_NO_ENTRYPOINT, offsetof(struct slurm_wish, entrypoint)},
};

/* Those that a container is made of; the others are a task's. */
static const enum slurm_option made_of[] = {
	SLURM_MOUNTS,	     SLURM_MOUNT_HOME, SLURM_NO_MOUNT_HOME, SLURM_REMAP_ROOT,
	SLURM_NO_REMAP_ROOT, SLURM_READONLY,   SLURM_WRITABLE,	    SLURM_GPU,
};

static unsigned bit(enum slurm_option option)
{
	return 1U << option;
}

static char **text_of(struct slurm_wish *wish, const struct text *text)
{
	return (char **)((char *)wish + text->field);
}

static const char *value_of(const struct slurm_wish *wish, const struct text *text)
{
	return *(char *const *)((const char *)wish + text->field);
}

static bool *flag_of(struct slurm_wish *wish, const struct flag *flag)
{
	return (bool *)((char *)wish + flag->field);
}

static const char *name_of(enum slurm_option option)
{
	const struct slurm_option_text *text = slurm_options;

	while (text->name && text->number != option)
		text++;
	return text->name ? text->name : "?";
}

/* How pyxis lets a container of some name be used, as far as firn can. */
static int check_use(const char *use, struct err *err)
{
	if (strcmp(use, "auto") == 0 || strcmp(use, "create") == 0 || strcmp(use, "exec") == 0)
		return 0;
	if (strcmp(use, "no_exec") == 0)
		return err_set(err, "--container-name: ':no_exec' is not there: a container with a "
				    "name is entered; for one of its own leave the name out");
	return err_set(err,
		       "--container-name takes ':auto', ':create' or ':exec' behind the name, "
		       "not ':%s'",
		       use);
}

/* A name goes into a session's; its characters are those of file names that need no quotes. */
static int check_name(const char *value, struct err *err)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	size_t len = strcspn(value, ":");

	if (strspn(value, good) != len || len == 0 || len > 64)
		return err_set(
			err, "--container-name is of at most 64 letters, digits, '.', '_' and '-'");
	return value[len] ? check_use(value + len + 1, err) : 0;
}

static int check_value(enum slurm_option option, const char *value, struct err *err)
{
	const char *name = name_of(option);

	if (!value || !*value)
		return err_set(err, "--%s is empty", name);
	if (strlen(value) > VALUE_MAX)
		return err_set(err, "--%s needs a value of at most %d bytes", name, VALUE_MAX);
	if (strchr(value, '\n'))
		return err_set(err, "--%s has a newline in its value", name);
	if (option == SLURM_NAME)
		return check_name(value, err);
	if (option == SLURM_MOUNTS)
		return mounts_check(value, err);
	if (option == SLURM_WORKDIR && value[0] != '/')
		return err_set(err, "--%s '%s' is not an absolute path", name, value);
	if (option == SLURM_MPI && strcmp(value, "hybrid") != 0 && strcmp(value, "none") != 0)
		return err_set(err, "--%s takes hybrid or none, not '%s'", name, value);
	return 0;
}

/* A backslash at the very end is one; with a comma behind it would take that for its own. */
static bool ends_in_backslash(const char *list)
{
	size_t len = strlen(list), count = 0;

	while (count < len && list[len - 1 - count] == '\\')
		count++;
	return count % 2 == 1;
}

/* The values of a list add up, as if they were one. */
static int add_value(char **list, enum slurm_option option, const char *value, struct err *err)
{
	const char *more = option == SLURM_MOUNTS && ends_in_backslash(*list) ? "\\" : "";
	char *joined;

	if (strlen(*list) + strlen(more) + 1 + strlen(value) > VALUE_MAX)
		return err_set(err, "--%s needs values of at most %d bytes in all", name_of(option),
			       VALUE_MAX);
	if (asprintf(&joined, "%s%s,%s", *list, more, value) < 0)
		return err_sys(err, "--%s", name_of(option));
	free(*list);
	*list = joined;
	return 0;
}

/* "NAME:USE" becomes both. */
static int split_name(struct slurm_wish *wish, struct err *err)
{
	char *use = strchr(wish->name, ':');

	free(take_ptr(&wish->use));
	if (!use)
		return 0;
	*use++ = '\0';
	if (strcmp(use, "auto") == 0)
		return 0;
	wish->use = strdup(use);
	return wish->use ? 0 : err_sys(err, "--container-name");
}

static int take_text(struct slurm_wish *wish, const struct text *text, const char *value,
		     struct err *err)
{
	char **field = text_of(wish, text);
	char *copy;

	if (check_value(text->option, value, err) < 0)
		return -1;
	wish->given |= bit(text->option);
	if (text->list && *field)
		return add_value(field, text->option, value, err);
	copy = strdup(value);
	if (!copy)
		return err_sys(err, "--%s", name_of(text->option));
	free(*field);
	*field = copy;
	return text->option == SLURM_NAME ? split_name(wish, err) : 0;
}

static void take_flag(struct slurm_wish *wish, const struct flag *flag, enum slurm_option option)
{
	wish->given &= ~(bit(flag->yes) | bit(flag->no));
	wish->given |= bit(option);
	*flag_of(wish, flag) = option == flag->yes;
}

int slurm_wish_take(struct slurm_wish *wish, enum slurm_option option, const char *value,
		    struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (texts[i].option == option)
			return take_text(wish, &texts[i], value, err);
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (flags[i].yes == option || flags[i].no == option) {
			take_flag(wish, &flags[i], option);
			return 0;
		}
	if (option == SLURM_SAVE)
		return err_set(err, "--container-save is not there: images are not changed; use "
				    "'firn build'");
	if (option == SLURM_UNSHARE)
		return err_set(err, "--container-unshare is not there: network, IPC and host name "
				    "are the node's");
	if (option == SLURM_ENTRYPOINT_LOG)
		return 0; /* an entrypoint writes where its task does */
	return err_set(err, "an unknown option");
}

void slurm_wish_clear(struct slurm_wish *wish)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		free(*text_of(wish, &texts[i]));
	free(wish->container);
	free(wish->use);
	*wish = (struct slurm_wish){0};
}

static int copy_text(char **out, const char *value, struct err *err)
{
	*out = value ? strdup(value) : NULL;
	return value && !*out ? err_sys(err, "cannot take the job's options") : 0;
}

int slurm_wish_inherit(struct slurm_wish *wish, const struct slurm_wish *other, struct err *err)
{
	bool named = wish->container || wish->image;

	if (!named && copy_text(&wish->container, other->container, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const struct text *text = &texts[i];

		if (value_of(wish, text) || (text->option == SLURM_IMAGE && named))
			continue;
		if (copy_text(text_of(wish, text), value_of(other, text), err) < 0)
			return -1;
		wish->given |= other->given & bit(text->option);
	}
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		unsigned both = bit(flags[i].yes) | bit(flags[i].no);

		if (!(wish->given & both) && other->given & both)
			take_flag(wish, &flags[i],
				  other->given & bit(flags[i].yes) ? flags[i].yes : flags[i].no);
	}
	return 0;
}

const char *slurm_wish_lonely(const struct slurm_wish *wish)
{
	static const enum slurm_option options[] = {
		SLURM_MOUNTS,	     SLURM_WORKDIR,    SLURM_ENV,      SLURM_MPI,	 SLURM_GPU,
		SLURM_NO_MOUNT_HOME, SLURM_REMAP_ROOT, SLURM_WRITABLE, SLURM_ENTRYPOINT,
	};

	for (size_t i = 0; i < COUNT_OF(options); i++)
		if (wish->given & bit(options[i]))
			return name_of(options[i]);
	return NULL;
}

bool slurm_wish_is_any(const struct slurm_wish *wish)
{
	return wish->container || wish->image || wish->name || slurm_wish_lonely(wish);
}

int slurm_wish_made_of(const struct slurm_wish *wish, char **out, struct err *err)
{
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < COUNT_OF(made_of); i++)
		if (wish->given & bit(made_of[i]))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s--%s",
						len ? ", " : "", name_of(made_of[i]));
	return copy_text(out, text, err);
}

static bool uses(const struct slurm_wish *wish, const struct text *text)
{
	return text->option == SLURM_NAME && wish->use;
}

static int print_lines(const struct slurm_wish *wish, FILE *out)
{
	if (wish->container)
		(void)fprintf(out, CONTAINER "=%s\n", wish->container);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (value_of(wish, &texts[i]))
			(void)fprintf(out, "%s=%s%s%s\n", name_of(texts[i].option),
				      value_of(wish, &texts[i]), uses(wish, &texts[i]) ? ":" : "",
				      uses(wish, &texts[i]) ? wish->use : "");
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		if (wish->given & bit(flags[i].yes))
			(void)fprintf(out, "%s\n", name_of(flags[i].yes));
		if (wish->given & bit(flags[i].no))
			(void)fprintf(out, "%s\n", name_of(flags[i].no));
	}
	return ferror(out) ? -1 : 0;
}

int slurm_wish_print(const struct slurm_wish *wish, char **out, struct err *err)
{
	auto_free char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int result = file ? print_lines(wish, file) : -1;

	if (wish->container && strchr(wish->container, '\n'))
		result = err_set(err, "image '%s' has a newline in its name", wish->container);
	else if (result < 0)
		(void)err_sys(err, "cannot note the container's options");
	if (file && fclose(file) < 0 && result == 0)
		result = err_sys(err, "cannot note the container's options");
	if (result == 0 && size > SLURM_WISH_MAX)
		result = err_set(err, "the container's options have more than %d bytes",
				 SLURM_WISH_MAX);
	if (result == 0)
		*out = take_ptr(&text);
	return result;
}

/* One line "NAME" or "NAME=VALUE", which is written to. */
static int take_line(struct slurm_wish *wish, char *line, struct err *err)
{
	char *value = strchr(line, '=');

	if (value)
		*value++ = '\0';
	if (strcmp(line, CONTAINER) == 0 && value && *value && !wish->container)
		return copy_text(&wish->container, value, err);
	for (const struct slurm_option_text *text = slurm_options; text->name; text++)
		if (strcmp(line, text->name) == 0 && !value == !text->argument)
			return slurm_wish_take(wish, text->number, value, err);
	return err_set(err, "'%s' is no option", line);
}

int slurm_wish_parse(const char *text, struct slurm_wish *out, struct err *err)
{
	auto_free char *copy = strdup(text);
	struct slurm_wish wish = {0};
	int result = strlen(text) > SLURM_WISH_MAX ? err_set(err, "they are too long") : 0;
	char *rest = copy;

	if (!copy)
		return err_sys(err, "cannot read the container's options");
	for (char *line = strsep(&rest, "\n"); result == 0 && line; line = strsep(&rest, "\n"))
		if (*line)
			result = take_line(&wish, line, err);
	if (result < 0) {
		slurm_wish_clear(&wish);
		return err_aim(err, "the container's options are not understood");
	}
	*out = wish;
	return 0;
}

void slurm_wish_hash(const struct slurm_wish *wish, char out[2 * SHA256_SIZE + 1])
{
	const char *const values[] = {wish->mounts, wish->workdir, wish->env, wish->name,
				      wish->use,    wish->mpi,	   wish->gpu};
	const unsigned char states[] = {wish->no_home, wish->root, wish->writable,
					wish->entrypoint};
	unsigned char digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_begin(&hash);
	for (size_t i = 0; i < COUNT_OF(values); i++)
		sha256_add(&hash, values[i] ? values[i] : "",
			   values[i] ? strlen(values[i]) + 1 : 1);
	sha256_add(&hash, states, sizeof(states));
	sha256_end(&hash, digest);
	for (size_t i = 0; i < SHA256_SIZE; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}
