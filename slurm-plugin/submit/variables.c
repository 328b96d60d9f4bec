/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit/variables.h"

#include "lib/own.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "PYXIS_CONTAINER_"

/* @no: what a value of "0" means; 0: as if it was not there. The later one goes before. */
static const struct variable {
	const char *name;
	enum slurm_option yes, no;
	bool has_value;
} variables[] = {
	{PREFIX "IMAGE", SLURM_IMAGE, 0, true},
	{PREFIX "MOUNTS", SLURM_MOUNTS, 0, true},
	{PREFIX "WORKDIR", SLURM_WORKDIR, 0, true},
	{PREFIX "NAME", SLURM_NAME, 0, true},
	{PREFIX "SAVE", SLURM_SAVE, 0, true},
	{PREFIX "ENV", SLURM_ENV, 0, true},
	{PREFIX "MOUNT_HOME", SLURM_MOUNT_HOME, SLURM_NO_MOUNT_HOME, false},
	{PREFIX "REMAP_ROOT", SLURM_REMAP_ROOT, SLURM_NO_REMAP_ROOT, false},
	{PREFIX "ENTRYPOINT", SLURM_ENTRYPOINT, SLURM_NO_ENTRYPOINT, false},
	{PREFIX "ENTRYPOINT_LOG", SLURM_ENTRYPOINT_LOG, 0, false},
	{PREFIX "READONLY", SLURM_READONLY, SLURM_WRITABLE, false},
	{PREFIX "WRITABLE", SLURM_WRITABLE, SLURM_READONLY, false},
};

/* 1, 0, or -1 for what is neither. */
static int truth(const char *value)
{
	static const char *const words[][2] = {{"1", "0"},
					       {"true", "false"},
					       {"yes", "no"},
					       {"on", "off"}};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		for (int no = 0; no < 2; no++)
			if (strcasecmp(value, words[i][no]) == 0)
				return !no;
	return -1;
}

static int take(struct slurm_wish *wish, const struct variable *variable, const char *value,
		struct err *err)
{
	int yes = variable->has_value ? 1 : truth(value);
	enum slurm_option option = yes > 0 ? variable->yes : variable->no;

	if (yes < 0)
		return err_set(err, "it takes 1 or 0, not '%s'", value);
	return option ? slurm_wish_take(wish, option, variable->has_value ? value : NULL, err) : 0;
}

int variables_take(struct slurm_wish *wish, struct err *err)
{
	int result = 0;

	for (size_t i = 0; i < COUNT_OF(variables); i++) {
		const struct variable *variable = &variables[i];
		const char *value = getenv(variable->name);

		if (value && result == 0 && take(wish, variable, value, err) < 0)
			result = err_aim(err, "%s", variable->name);
		(void)unsetenv(variable->name);
	}
	return result;
}
