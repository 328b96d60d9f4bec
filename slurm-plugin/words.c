/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/words.h"

#include "lib/words.h"
#include "runner/plan/entrypoint.h"
#include "slurm-plugin/mounts.h"

#include <stdarg.h>
#include <string.h>

enum { WORDS_MAX = 1024 };

__attribute__((format(printf, 2, 3))) static int add(struct words *words, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	if (words->count == WORDS_MAX)
		return -1;
	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	return words_take(words, len < 0 ? NULL : text);
}

/* Of the bind of a file that was a data image at submission, its identity, of @data; or NULL. */
static const char *identity_of_bind(const char *bind, char *const *data)
{
	auto_free char *source = mounts_field(bind, 0);
	auto_free char *target = mounts_field(bind, 1);
	auto_free char *mode = mounts_field(bind, 2);

	if (!source || !target || (mode && strncmp(mode, "file", 4) == 0))
		return NULL;
	for (; data && *data; data++) {
		const char *name = strchr(*data, ' ');

		if (name && strcmp(name + 1, source) == 0)
			return *data;
	}
	return NULL;
}

/* A bind's word, and which image it must be. */
static int add_bind(struct words *words, const char *word, char *const *data)
{
	const char *bind = mounts_bind_of(word);
	const char *identity = bind ? identity_of_bind(bind, data) : NULL;
	auto_free char *mode = identity ? mounts_field(bind, 2) : NULL;
	auto_free char *escaped = identity ? malloc(2 * strlen(identity) + 1) : NULL;
	char *to = escaped;

	if (!identity)
		return add(words, "%s", word);
	if (!escaped)
		return -1;
	for (; *identity != ' '; *to++ = *identity++)
		if (strchr(":,\\", *identity))
			*to++ = '\\';
	*to = '\0';
	return add(words, "%s%cexpect=%s", word, mode ? ',' : ':', escaped);
}

static int add_mounts(struct words *words, const char *list, char *const *data)
{
	struct err ignored;
	int result = list ? 1 : 0;

	while (result > 0) {
		auto_free char *word = NULL;

		result = mounts_next(&list, &word, &ignored);
		if (result > 0 && add_bind(words, word, data) < 0)
			result = -1;
	}
	return result;
}

/* Names with commas in between; blanks before one say nothing. */
static int add_env(struct words *words, const char *list)
{
	for (const char *at = list; at && *at;) {
		size_t blanks = strspn(at, " \t");
		size_t len = strcspn(at + blanks, ",");

		if (len > 0 && add(words, "--env=%.*s", (int)len, at + blanks) < 0)
			return -1;
		at += blanks + len;
		at += *at == ',';
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

/* What a container with a name has to be made of, if it is there already. */
static int add_asked(struct words *words, const struct slurm_wish *wish)
{
	auto_free char *asked = NULL;
	struct err ignored;

	if (slurm_wish_made_of(wish, &asked, &ignored) < 0)
		return -1;
	return *asked ? add(words, "--asked=%s", asked) : 0;
}

/* Which container: that of this step on this node, or the job's of a name. */
static int add_session(struct words *words, const struct slurm_wish *wish,
		       const struct slurm_step *step)
{
	if (add(words, "--session=slurm %u.%u %s", step->job, step->step, step->node) < 0)
		return -1;
	if (!wish->name)
		return 0;
	if (add(words, "--name=%s", wish->name) < 0 ||
	    add(words, "--scope=slurm %u %s", step->job, step->node) < 0 ||
	    add_text(words, "use", wish->use) < 0 || add_asked(words, wish) < 0)
		return -1;
	return add(words, "--hold-path=%s/%u", step->jobs, step->job);
}

/* A later step of a name may want the entrypoint where the first one did not. */
static int add_entrypoint(struct words *words, const struct slurm_wish *wish,
			  const struct slurm_step *step)
{
	if (add_flag(words, "entrypoint", wish->entrypoint) < 0)
		return -1;
	return wish->entrypoint || wish->name
		       ? add(words, "--bind=%s:" ENTRYPOINT_PATH ":ro", step->firn)
		       : 0;
}

static int add_all(struct words *words, const struct slurm_wish *wish,
		   const struct slurm_step *step)
{
	if (add(words, "firn") < 0 || add(words, "session-start") < 0 ||
	    add(words, "--control-fd=%d", step->control) < 0 || add_session(words, wish, step) < 0)
		return -1;
	if (add_mounts(words, wish->mounts, step->data) < 0 || add_env(words, wish->env) < 0 ||
	    add_text(words, "cwd", wish->workdir) < 0 || add_text(words, "mpi", wish->mpi) < 0 ||
	    add_text(words, "gpu", wish->gpu) < 0 ||
	    add_flag(words, "no-home", wish->no_home) < 0 ||
	    add_flag(words, "root", wish->root) < 0 ||
	    add_flag(words, "writable-tmpfs", wish->writable) < 0 ||
	    add_entrypoint(words, wish, step) < 0)
		return -1;
	if (add_text(words, "from", step->from) < 0 ||
	    add_text(words, "expect", step->identity) < 0 ||
	    add_text(words, "bind", step->spool) < 0 || add(words, "--") < 0)
		return -1;
	return step->image ? add(words, "%s", step->image) : 0;
}

int slurm_wish_words(const struct slurm_wish *wish, const struct slurm_step *step, char ***out,
		     struct err *err)
{
	auto_words words = {0};

	if (add_all(&words, wish, step) < 0)
		return err_set(err, "cannot start a container: too many options, or no memory");
	*out = take_ptr(&words.item);
	return 0;
}

/* Of the dashes and letters at @word, an option of session-start's, srun's name; NULL: none. */
static const char *name_back(const char *word, size_t len)
{
	static const char *const names[][2] = {
		{"--bind", "--container-mounts"},
		{"--mount", "--container-mounts"},
		{"--tmpfs", "--container-mounts"},
		{"--env", "--container-env"},
		{"--cwd", "--container-workdir"},
		{"--mpi", "--container-mpi"},
		{"--gpu", "--container-gpu"},
		{"--no-home", "--no-container-mount-home"},
		{"--root", "--container-remap-root"},
		{"--writable-tmpfs", "--container-writable"},
		{"--entrypoint", "--container-entrypoint"},
		{"--session", "--container-name"},
		{"--name", "--container-name"},
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strlen(names[i][0]) == len && strncmp(names[i][0], word, len) == 0)
			return names[i][1];
	return NULL;
}

void slurm_words_back(const char *text, char *out, size_t size)
{
	const char *begin = text;
	size_t used = 0;

	while (*text && used + 1 < size) {
		bool first = text == begin || strchr(" '(", text[-1]);
		size_t len = strspn(text, "-abcdefghijklmnopqrstuvwxyz");
		const char *name = first && len > 0 ? name_back(text, len) : NULL;
		/* What is behind an option that is one is its value, or the end. */
		const char *put = name && strchr(" '=,;:)", text[len]) ? name : text;
		size_t count = put == name ? strlen(name) : 1;

		if (count > size - 1 - used)
			count = size - 1 - used;
		memcpy(out + used, put, count);
		used += count;
		text += put == name ? len : 1;
	}
	out[used] = '\0';
}

void slurm_words_free(char **words)
{
	words_free(words);
}
