/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/host_files.h"

#include "lib/log.h"
#include "lib/path.h"

#include <string.h>

/* Where directories of the host are shown for single files in them: one, mostly. */
static const char *const places[] = {"/.firn/host", "/.firn/host2"};

static bool is_used(const struct plan *plan, const char *place)
{
	return plan_covers(plan, plan->count, place);
}

/* The place of @dir, which is shown there from now on. */
static const char *show_dir(struct plan *plan, const char *dir, struct err *err)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].source && strcmp(plan->step[i].source, dir) == 0)
			return plan->step[i].target;
	for (size_t i = 0; i < COUNT_OF(places); i++)
		if (!is_used(plan, places[i]))
			return plan_add_bind(plan, dir, places[i],
					     PLAN_OPTIONAL | PLAN_READONLY | PLAN_IMPLICIT, err) < 0
				       ? NULL
				       : places[i];
	(void)err_set(err, "cannot plan '%s'", dir);
	return NULL;
}

/* Show the directory of the host's file @real, and the file by a symlink into it. */
static int add_followed(struct plan *plan, const char *file, const char *real, struct err *err)
{
	const char *name = strrchr(real, '/');
	auto_free char *dir = strndup(real, (size_t)(name - real));
	const char *place = dir ? show_dir(plan, dir, err) : NULL;
	auto_free char *link = NULL;

	if (dir && !place)
		return -1;
	if (!dir || asprintf(&link, "%s%s", place, name) < 0)
		return err_sys(err, "cannot plan '%s'", file);
	return plan_add_text(plan, PLAN_LINK, file, link, err);
}

/* Whether the directory that holds @real can be shown for its sake. */
static bool can_follow(const struct plan *plan, bool contain, const char *real)
{
	return plan->engine == PLAN_ENGINE_FIRN && !contain &&
	       (path_is_below(real, "/etc") ||
		(path_is_below(real, "/run") && strchr(real + 5, '/')));
}

static bool is_writable(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_OVERLAY)
			return true;
	return false;
}

static int add_copy(struct plan *plan, const char *file, struct err *err)
{
	return plan_add_bind(plan, file, file,
			     PLAN_OPTIONAL | PLAN_ISFILE | PLAN_READONLY | PLAN_COPY, err);
}

static int add_network_file(struct plan *plan, bool contain, const char *file, struct err *err)
{
	auto_free char *real = NULL;

	if (is_writable(plan))
		return add_copy(plan, file, err);
	real = realpath(file, NULL);
	if (!real) {
		log_info("not shown: '%s': %s", file, strerror(errno));
		return 0;
	}
	if (can_follow(plan, contain, real))
		return add_followed(plan, file, real, err);
	return plan_add_bind(plan, real, file,
			     PLAN_OPTIONAL | PLAN_ISFILE | PLAN_READONLY | PLAN_REPLACE, err);
}

int host_files_add(struct plan *plan, bool contain, struct err *err)
{
	if (add_network_file(plan, contain, "/etc/hosts", err) < 0 ||
	    add_network_file(plan, contain, "/etc/resolv.conf", err) < 0)
		return -1;
	return add_copy(plan, "/etc/localtime", err);
}

/* Whether a later step than @i is a bind of exactly that file's name. */
static bool is_bound_over(const struct plan *plan, size_t i)
{
	for (size_t j = i + 1; j < plan->count; j++)
		if (plan->step[j].kind == PLAN_BIND && !(plan->step[j].flags & PLAN_MISSING) &&
		    strcmp(plan->step[j].target, plan->step[i].target) == 0)
			return true;
	return false;
}

int host_files_settle(struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct plan_step *step = &plan->step[i];

		if (step->kind != PLAN_LINK || !path_is_below(step->target, "/etc") ||
		    !is_bound_over(plan, i))
			continue;
		step->source = strdup(step->target);
		if (!step->source)
			return err_sys(err, "cannot plan '%s'", step->target);
		free(take_ptr(&step->content));
		step->kind = PLAN_BIND;
		step->flags = PLAN_OPTIONAL | PLAN_ISFILE | PLAN_READONLY | PLAN_COPY;
	}
	return 0;
}
