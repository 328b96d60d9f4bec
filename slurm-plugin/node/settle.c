/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/settle.h"

#include "lib/own.h"
#include "slurm-plugin/node/choose.h"
#include "slurm-plugin/submit/submit.h"

#include <slurm/slurm.h>

enum { VARIABLE_MAX = 128 << 10 /* MAX_ARG_STRLEN: what execve(2) lets a variable be */ };

char *settle_variable(spank_t spank, const char *name)
{
	auto_free char *value = malloc(VARIABLE_MAX);

	if (!value || spank_getenv(spank, name, value, VARIABLE_MAX) != ESPANK_SUCCESS)
		return NULL;
	return strdup(value);
}

static char *numbered(spank_t spank, const char *prefix, int number)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s%d", prefix, number);
	return settle_variable(spank, name);
}

static void unset_numbered(spank_t spank)
{
	char name[64];

	for (int i = 0; i < SUBMIT_COMPONENTS_MAX; i++) {
		(void)snprintf(name, sizeof(name), SUBMIT_HET_OPTIONS "%d", i);
		(void)spank_unsetenv(spank, name);
		(void)snprintf(name, sizeof(name), SUBMIT_HET_PIN "%d", i);
		(void)spank_unsetenv(spank, name);
	}
	(void)spank_unsetenv(spank, SUBMIT_HET);
}

/* A component of a heterogeneous job is a job with a number behind the first one's. */
static int find_component(spank_t spank)
{
	auto_free char *leader = settle_variable(spank, "SLURM_JOB_ID");
	auto_free char *size = settle_variable(spank, "SLURM_HET_SIZE");
	unsigned long first = leader ? strtoul(leader, NULL, 10) : 0;
	uint32_t job, step;

	if (spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_STEPID, &step) != ESPANK_SUCCESS)
		return -1;
	if (first > 0 && job > first && job - first < SUBMIT_COMPONENTS_MAX)
		return (int)(job - first);
	return size ? 0 : node_component(job, step);
}

static int set(spank_t spank, const char *name, const char *value, struct err *err)
{
	if (!value || !*value)
		(void)spank_unsetenv(spank, name);
	else if (spank_setenv(spank, name, value, 1) != ESPANK_SUCCESS)
		return err_set(err, "cannot set '%s' in the step's environment", name);
	return 0;
}

/* For settle_foreign() of what a task submits. */
static int set_job(spank_t spank, struct err *err)
{
	char number[16];
	uint32_t job;

	if (spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS)
		return err_set(err, "Slurm does not tell whose job this is");
	(void)snprintf(number, sizeof(number), "%u", job);
	return set(spank, SUBMIT_JOB, number, err);
}

static int take(struct slurm_wish *wish, const char *text, struct err *err)
{
	struct slurm_wish parsed = {0};

	if (slurm_wish_parse(text, &parsed, err) < 0)
		return -1;
	slurm_wish_clear(wish);
	*wish = parsed;
	return 0;
}

/* One with a name, if there is one: it needs its job's mark before a task is there. */
static int guess(spank_t spank, struct slurm_wish *wish, struct err *err)
{
	slurm_wish_clear(wish);
	for (int i = 0; i < SUBMIT_COMPONENTS_MAX && !wish->name; i++) {
		auto_free char *text = numbered(spank, SUBMIT_HET_OPTIONS, i);

		if (text && *text && take(wish, text, err) < 0)
			return -1;
	}
	return 0;
}

static int settle_component(spank_t spank, struct slurm_wish *wish, struct err *err)
{
	int component = find_component(spank);
	auto_free char *text = NULL;
	auto_free char *pin = NULL;

	if (component < 0)
		return guess(spank, wish, err);
	text = numbered(spank, SUBMIT_HET_OPTIONS, component);
	pin = numbered(spank, SUBMIT_HET_PIN, component);
	if (!text)
		return err_set(err, "nothing says what component %d of the step is to run in",
			       component);
	if (take(wish, text, err) < 0 || set(spank, SUBMIT_OPTIONS, text, err) < 0 ||
	    set(spank, SUBMIT_PIN, pin, err) < 0 ||
	    set(spank, SUBMIT_CONTAINER, wish->container, err) < 0 ||
	    (*text && set_job(spank, err) < 0))
		return -1;
	unset_numbered(spank);
	return 1;
}

bool settle_foreign(spank_t spank)
{
	auto_free char *number = settle_variable(spank, SUBMIT_JOB);
	uint32_t job, step;

	if (!number || spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_STEPID, &step) != ESPANK_SUCCESS ||
	    step != SLURM_BATCH_SCRIPT || strtoul(number, NULL, 10) == job)
		return false;
	(void)spank_unsetenv(spank, SUBMIT_CONTAINER);
	(void)spank_unsetenv(spank, SUBMIT_OPTIONS);
	(void)spank_unsetenv(spank, SUBMIT_PIN);
	(void)spank_unsetenv(spank, SUBMIT_JOB);
	(void)spank_unsetenv(spank, SUBMIT_AGAIN SUBMIT_OPTIONS);
	(void)spank_unsetenv(spank, SUBMIT_AGAIN SUBMIT_PIN);
	return true;
}

/* What came past --export-file stands in for what did not. */
static int settle_again(spank_t spank, struct err *err)
{
	static const char *const names[][2] = {{SUBMIT_OPTIONS, SUBMIT_AGAIN SUBMIT_OPTIONS},
					       {SUBMIT_PIN, SUBMIT_AGAIN SUBMIT_PIN}};
	auto_free char *there = settle_variable(spank, SUBMIT_OPTIONS);

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		auto_free char *value = settle_variable(spank, names[i][1]);

		if (value && !there && set(spank, names[i][0], value, err) < 0)
			return -1;
		if (value)
			(void)spank_unsetenv(spank, names[i][1]);
	}
	return 0;
}

int settle_wish(spank_t spank, struct slurm_wish *wish, struct err *err)
{
	auto_free char *het = settle_variable(spank, SUBMIT_HET);
	auto_free char *text = NULL;

	if (het)
		return settle_component(spank, wish, err);
	if (settle_again(spank, err) < 0)
		return -1;
	text = settle_variable(spank, SUBMIT_OPTIONS);
	if (!text)
		return 1;
	if (take(wish, text, err) < 0 || set_job(spank, err) < 0)
		return -1;
	return set(spank, SUBMIT_CONTAINER, wish->container, err) < 0 ? -1 : 1;
}
