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

/* The caller's terminal, which is none of the container's own, where ttyname(3) looks for it. */
static int add_terminal(struct plan *plan, struct err *err)
{
	char name[64];
	ssize_t len = -1;

	for (int fd = 0; fd < 3 && len < 0; fd++)
		if (isatty(fd)) {
			char link[32];

			(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			len = readlink(link, name, sizeof(name) - 1);
		}
	if (len < 0)
		return 0;
	name[len] = '\0';
	if (strncmp(name, "/dev/", 5) != 0)
		return 0;
	return plan_add_bind(plan, name, "/dev/console",
			     PLAN_DEVICES | PLAN_OPTIONAL | PLAN_ISFILE | PLAN_PERSONAL, err);
}

static int add_node(struct plan *plan, const char *path, struct err *err)
{
	if (access(path, F_OK) == 0)
		return plan_add_bind(plan, path, path, PLAN_DEVICES | PLAN_OPTIONAL | PLAN_ISFILE,
				     err);
	log_info("not shown: '%s': %s", path, strerror(errno));
	return 0;
}

int host_files_add_dev(struct plan *plan, struct err *err)
{
	static const char *const nodes[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
	};
	static const char *const links[][2] = {
		{"/dev/ptmx", "pts/ptmx"},	    {"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "/proc/self/fd/0"},  {"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"},
	};

	if (plan_add_tmpfs(plan, "/dev", 0, 0, err) < 0 ||
	    plan_add_devpts(plan, "/dev/pts", err) < 0 || add_terminal(plan, err) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		if (add_node(plan, nodes[i], err) < 0)
			return -1;
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (plan_add_text(plan, PLAN_LINK, links[i][0], links[i][1], err) < 0)
			return -1;
	return plan_add_tmpfs(plan, "/dev/shm", 0, PLAN_SHARED_MODE, err);
}
