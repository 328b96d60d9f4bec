/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "paths.h"
#include "slurm-plugin/settings.h"

static int take(struct settings *settings, const char *word, struct err *err)
{
	const struct {
		const char *name;
		const char **field;
	} paths[] = {
		{"firn=", &settings->firn},
		{"munge=", &settings->munge},
		{"spool=", &settings->spool},
		{"run=", &settings->jobs},
	};

	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		size_t len = strlen(paths[i].name);

		if (strncmp(word, paths[i].name, len) == 0 && word[len] == '/') {
			*paths[i].field = word + len;
			return 0;
		}
	}
	if (strncmp(word, "pin=", 4) == 0 && conf_pin_parse(word + 4, &settings->pin))
		return 0;
	/* A word of pyxis: as here, or a promise that is not kept. */
	if (strcmp(word, "container_scope=job") == 0)
		return 0;
	if (strcmp(word, "container_scope=global") == 0)
		return err_set(err,
			       "plugstack.conf: '%s' is not there: a container with a name "
			       "ends with its job",
			       word);
	return err_set(err, "plugstack.conf: '%s' is not understood", word);
}

int settings_read(int argc, char **argv, struct settings *out, struct err *err)
{
	auto_conf *conf = NULL;

	if (conf_read(NULL, &conf, err) < 0)
		return -1;
	*out = (struct settings){.firn = FIRN_PROGRAM,
				 .jobs = RUNSTATEDIR "/firn",
				 .pin = conf->pin,
				 .require_cage = conf->require_cage};
	for (int i = 0; i < argc; i++)
		if (take(out, argv[i], err) < 0)
			return -1;
	return 0;
}
