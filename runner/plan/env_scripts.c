/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/env_scripts.h"

#include "lib/log.h"
#include "runner/plan/shell_env.h"

#include <stdio.h>

/* 1: understood; 0: it takes a shell. */
static int evaluate(struct content *content, struct shell_env *env, const char *path,
		    struct err *err)
{
	auto_free char *text = NULL;
	size_t size = 0;
	unsigned line = 0;
	int done = content_read(content, path, ENV_SCRIPT_SIZE_MAX, &text, &size, err);

	if (done <= 0)
		return done < 0 ? -1 : 1;
	done = shell_env_eval(env, text, size, &line);
	if (done < 0)
		return err_sys(err, "cannot evaluate '%s'", path);
	if (done == 0)
		log_info("'%s' of '%s' is for a shell (line %u): the image's runs it", path,
			 content->image->path, line);
	return done;
}

static int take_pair(void *arg, const char *name, const char *value)
{
	return pairs_set_value(arg, name, value);
}

/* The scripts' paths, in their order. Returns 1, 0 when there are none, or -1. */
static int find_scripts(struct content *content, struct words *paths, struct err *err)
{
	char **names = NULL;
	int found = content_names(content, ENV_SCRIPTS_DIR, ".sh", ENV_SCRIPTS_MAX, &names, err);

	for (char **name = names; name && *name && found > 0; name++)
		if (words_print(paths, ENV_SCRIPTS_DIR "/%s", *name) < 0)
			found = err_sys(err, "cannot make the environment");
	words_free(names);
	return found;
}

/* 1: done to @env; 0: it takes a shell. */
static int evaluate_all(struct content *content, char *const *paths, struct pairs *env,
			struct err *err)
{
	auto_shell_env *shell = shell_env_new(env->words.item);
	auto_pairs result = {0};
	struct pairs old;
	int done = 1;

	if (!shell)
		return err_sys(err, "cannot make the environment");
	for (; *paths && done > 0; paths++)
		done = evaluate(content, shell, *paths, err);
	if (done <= 0)
		return done;
	if (shell_env_each(shell, take_pair, &result) < 0)
		return err_sys(err, "cannot make the environment");
	old = *env;
	*env = result;
	result = old; /* is freed */
	return 1;
}

int env_scripts_apply(struct content *content, struct pairs *env, char ***left, struct err *err)
{
	auto_words paths = {0};
	int done = find_scripts(content, &paths, err);

	*left = NULL;
	if (done > 0) {
		done = evaluate_all(content, paths.item, env, err);
		if (done == 0)
			*left = take_ptr(&paths.item);
	}
	return done < 0 ? -1 : 0;
}
