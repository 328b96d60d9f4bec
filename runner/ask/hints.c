/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/ask/hints.h"

#include <string.h>
#include <unistd.h>

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"

const char *hints_second_variable(const char *value)
{
	const char *at = strchr(value, '=');

	while (at && (at = strchr(at, ','))) {
		const char *name = ++at;
		size_t len = strspn(name, CAPITALS);

		if (len > 0 && name[len + strspn(name + len, CAPITALS "0123456789")] == '=')
			return name;
	}
	return NULL;
}

bool hints_is_interactive(const struct request *request)
{
	return request->verb == REQUEST_SHELL && !*request->command && isatty(STDIN_FILENO) &&
	       isatty(STDERR_FILENO);
}

static bool was_given(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->given_count; i++)
		if (strcmp(request->given[i], name) == 0)
			return true;
	return false;
}

const char *hints_to_write(const struct conf *conf)
{
	bool overlay = conf_allows(conf, "overlay");

	if (conf_allows(conf, "writable-tmpfs"))
		return overlay ? "--writable-tmpfs or --overlay DIR" : "--writable-tmpfs";
	return overlay ? "--overlay DIR" : NULL;
}

void hints_tell(const struct request *request, const struct conf *conf, bool interactive)
{
	const char *to_write = hints_to_write(conf);

	for (size_t i = 0; i < request->env_count; i++) {
		const char *text = request->env[i].text;
		const char *second = request->env[i].is_file ? NULL : hints_second_variable(text);

		if (second)
			log_note("'%.*s' is set to '%s'; each variable has an --env (-e) of its "
				 "own",
				 (int)strcspn(text, "="), text, strchr(text, '=') + 1);
	}
	if (was_given(request, "clean-env") && !request->contain)
		log_info("--clean-env (-c) is about variables; --contain hides the home and /tmp");
	if (interactive && !request->overlay && !request->writable_tmpfs)
		log_note("read-only root%s%s%s", to_write ? "; " : "", to_write ? to_write : "",
			 to_write ? " to write" : "");
}
