/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/shell_env_private.h"

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
	return is_name_start(c) || (c >= '0' && c <= '9');
}

static bool matches(const char *pattern, const char *name, size_t len)
{
	size_t fixed = strcspn(pattern, "*");

	return strncmp(pattern, name, fixed) == 0 &&
	       (pattern[fixed] == '*' ? len >= fixed : len == fixed);
}

size_t shell_name_length(const char *text)
{
	size_t len = 0;

	if (is_name_start(text[0]))
		while (is_name(text[len]))
			len++;
	return len;
}

bool shell_is_plain(const char *name, size_t len, bool is_set)
{
	/* dash(1), bash(1), busybox, mksh(1) and zshparam(1); a '*' matches the rest. */
	static const char *const always[] = {
		"BASH",	  "BASH_*",  "BASHOPTS", "BASHPID",    "DIRSTACK",
		"EPOCH*", "EUID",    "EGID",	 "FUNCNAME",   "GID",
		"GROUPS", "HISTCMD", "HOSTNAME", "HOSTTYPE",   "IFS",
		"KSH*",	  "LINENO",  "MACHTYPE", "OLDPWD",     "OPTARG",
		"OPTERR", "OPTIND",  "OSTYPE",	 "PIPESTATUS", "POSIXLY_CORRECT",
		"PPID",	  "PWD",     "RANDOM",	 "SECONDS",    "SHELLOPTS",
		"SHLVL",  "SRANDOM", "UID",	 "USERNAME",   "ZSH*",
		"_",
	};
	static const char *const at_first[] = {
		"COLUMNS", "LINES", "MAIL*", "PS1", "PS2", "PS3", "PS4", "TERM", "HIST*",
	};

	for (size_t i = 0; i < COUNT_OF(always); i++)
		if (matches(always[i], name, len))
			return false;
	for (size_t i = 0; i < COUNT_OF(at_first) && !is_set; i++)
		if (matches(at_first[i], name, len))
			return false;
	return true;
}

struct shell_variable *shell_find(const struct shell_env *env, const char *name, size_t len)
{
	const struct name_place *place = names_find(&env->names, name, len);

	return place ? &env->item[place->at] : NULL;
}

static struct shell_variable *add(struct shell_env *env, const char *name, size_t len)
{
	struct shell_variable *variable;

	if (env->count == env->room) {
		size_t room = env->room ? 2 * env->room : 64;
		struct shell_variable *grown = reallocarray(env->item, room, sizeof(*grown));

		if (!grown)
			return NULL;
		env->item = grown;
		env->room = room;
	}
	variable = &env->item[env->count];
	*variable = (struct shell_variable){.name = strndup(name, len)};
	if (!variable->name || names_add(&env->names, variable->name, len, env->count) < 0) {
		free(variable->name);
		return NULL;
	}
	env->count++;
	return variable;
}

int shell_set(struct shell_env *env, const char *name, size_t len, const char *value, bool export)
{
	struct shell_variable *variable = shell_find(env, name, len);
	char *copy = value ? strdup(value) : NULL;

	if (!variable)
		variable = add(env, name, len);
	if (!variable || (value && !copy)) {
		free(copy);
		return -1;
	}
	if (copy) {
		free(variable->value);
		variable->value = copy;
	}
	variable->exported |= export;
	return 0;
}

void shell_unset(struct shell_env *env, const char *name)
{
	struct shell_variable *variable = shell_find(env, name, strlen(name));

	if (!variable)
		return;
	free(take_ptr(&variable->value));
	variable->exported = false;
}

struct shell_env *shell_env_new(char *const *environ)
{
	auto_shell_env *env = calloc(1, sizeof(*env));

	for (; env && environ && *environ; environ++) {
		size_t len = strcspn(*environ, "=");

		if ((*environ)[len] == '=' && !shell_find(env, *environ, len) &&
		    shell_set(env, *environ, len, *environ + len + 1, true) < 0)
			return NULL;
	}
	return take_ptr(&env);
}

void shell_env_free(struct shell_env *env)
{
	if (!env)
		return;
	for (size_t i = 0; i < env->count; i++) {
		free(env->item[i].name);
		free(env->item[i].value);
	}
	names_clear(&env->names);
	free(env->item);
	free(env);
}

void shell_env_freep(struct shell_env **env)
{
	shell_env_free(*env);
}

int shell_env_each(const struct shell_env *env,
		   int (*take)(void *arg, const char *name, const char *value), void *arg)
{
	for (size_t i = 0; i < env->count; i++) {
		const struct shell_variable *variable = &env->item[i];

		if (variable->exported && variable->value &&
		    take(arg, variable->name, variable->value) < 0)
			return -1;
	}
	return 0;
}
