/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for the scripts of an image's environment. What is understood once is
 * understood again with what it made, as nothing else decides; and nothing of it is too long.
 */
#include "runner/plan/shell_env.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int look(void *arg, const char *name, const char *value)
{
	(void)arg;
	if (*name == '\0' || strchr(name, '=') || strlen(value) > SHELL_ENV_VALUE_MAX)
		__builtin_trap();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const start[] = {"HOME=/home/u", "A=a b", "E=", "PATH=/bin", NULL};
	auto_shell_env *env = shell_env_new((char *const *)start);
	auto_free char *text = malloc(size + 1);
	unsigned line = 0;

	if (!env || !text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (shell_env_eval(env, text, size, &line) > 0)
		(void)shell_env_each(env, look, NULL);
	else if (line == 0)
		__builtin_trap();
	return 0;
}
