/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/task.h"

#include "mpi-glue/wireup.h"
#include "runner/plan/entrypoint.h"
#include "slurm-plugin/node/space.h"

#include <limits.h>
#include <sys/prctl.h>

static int set_environment(spank_t spank, const struct session_offer *offer, struct err *err)
{
	for (char **name = offer->unset; name && *name; name++)
		(void)spank_unsetenv(spank, *name);
	for (char **item = offer->set; item && *item; item++) {
		char *equals = strchr(*item, '=');

		if (!equals) /* session_receive() has seen to that */
			continue;
		*equals = '\0';
		if (spank_setenv(spank, *item, equals + 1, 1) != ESPANK_SUCCESS)
			return err_set(err, "cannot set '%s' in a task's environment", *item);
		*equals = '=';
	}
	return 0;
}

/* The words of the image's entrypoint, a newline between two; new. */
static char *join_words(char *const *word)
{
	size_t size = 1;
	char *joined, *at;

	for (char *const *one = word; *one; one++)
		size += strlen(*one) + 1;
	joined = at = malloc(size);
	for (; joined && *word; word++) {
		at = stpcpy(at, *word);
		if (word[1])
			*at++ = '\n';
	}
	return joined;
}

/* Slurm executes the task's words; all that can be changed is the first one
 * (runner/plan/entrypoint.h).
 */
static int set_entrypoint(spank_t spank, char *const *words, struct err *err)
{
	auto_free char *joined = NULL;
	char **argv = NULL;
	int argc = 0;

	if (!words || !words[0])
		return 0;
	for (char *const *word = words; *word; word++)
		if (strchr(*word, '\n'))
			return err_set(err, "the image's entrypoint has a newline in it");
	joined = join_words(words);
	if (!joined || spank_get_item(spank, S_JOB_ARGV, &argc, &argv) != ESPANK_SUCCESS ||
	    argc < 1 || spank_setenv(spank, ENTRYPOINT_WORDS, joined, 1) != ESPANK_SUCCESS ||
	    spank_setenv(spank, ENTRYPOINT_COMMAND, argv[0], 1) != ESPANK_SUCCESS)
		return err_set(err, "cannot run the image's entrypoint");
	argv[0] = (char *)ENTRYPOINT_PATH;
	return 0;
}

static const char *get_variable(void *spank, const char *name)
{
	static char value[4096];
	spank_err_t result = spank_getenv(spank, name, value, sizeof(value));

	/* What is too long for that is set all the same. */
	return result == ESPANK_SUCCESS || result == ESPANK_NOSPACE ? value : NULL;
}

static int set_variable(void *spank, const char *name, const char *value)
{
	return spank_setenv(spank, name, value, 1) == ESPANK_SUCCESS ? 0 : -1;
}

/* By now the launcher's variables are the task's own, and the container's files are there. */
static int wire_up(spank_t spank, const struct session_offer *offer, struct err *err)
{
	struct wireup_env env = {get_variable, set_variable, spank};

	if (offer->wireup && wireup_task(&env) < 0)
		return err_set(err, "cannot set the environment for MPI");
	return 0;
}

int task_enter(spank_t spank, const struct session_offer *offer, const struct task_wish *wish,
	       struct err *err)
{
	char here[PATH_MAX];

	/*
	 * This is a copy of slurmstepd still, and about to enter directories of the user's. It is
	 * not dumpable anyway, since it changed its ids, unless fs.suid_dumpable says otherwise.
	 */
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (!wish->stays || !getcwd(here, sizeof(here)))
		*here = '\0';
	if (space_check(wish->made, err) < 0 || session_enter(offer, err) < 0 ||
	    set_environment(spank, offer, err) < 0 || wire_up(spank, offer, err) < 0)
		return -1;
	if (*here)
		(void)!chdir(here);
	return wish->entrypoint ? set_entrypoint(spank, offer->argv, err) : 0;
}
