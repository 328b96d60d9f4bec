/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/wireup.h"

#include "lib/path.h"

#include <string.h>

#define MUNGE "/run/munge"

/*
 * Directories of the launcher's server. The first mostly covers the others, and
 * is the same in the user's next launch. PMIX_SYSTEM_TMPDIR is not among them:
 * it is as wide as /scratch, and clients do not look there.
 */
static const char *const variables[] = {
	"OMPI_MCA_orte_top_session_dir", "PMIX_SERVER_TMPDIR", "PMIX_DSTORE_21_BASE_PATH",
	"PMIX_DSTORE_ESH_BASE_PATH", "SLURM_PMIX_TMPDIR",
};

/* Slurm's server has a directory for each step, pmix.JOB.STEP: the one above it is there for all.
 */
static void rise_to_spool(char *path)
{
	char *step = strstr(path, "/pmix.");

	if (step && step != path && step[6] >= '0' && step[6] <= '9')
		*step = '\0';
}

/* Whether a bind at @path would cover what an earlier step shows below it. */
static bool would_cover(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].target && path_is_below(plan->step[i].target, path))
			return true;
	return false;
}

static int add_place(struct plan *plan, const char *path, unsigned flags, struct err *err)
{
	auto_free char *tidy = NULL;
	struct err ignored;

	/* A variable that makes no sense is for its own readers to complain about. */
	if (path[0] != '/' || path_tidy(path, &tidy, &ignored) < 0)
		return 0;
	rise_to_spool(tidy);
	if (plan_is_images(tidy, true) || plan_shows_host(plan, tidy) || would_cover(plan, tidy))
		return 0;
	return plan_add_bind(plan, tidy, tidy, PLAN_OPTIONAL | PLAN_IMPLICIT | flags, err);
}

int wireup_places(const struct wireup_env *env, struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(variables); i++) {
		const char *path = env->get(env->arg, variables[i]);

		if (path && add_place(plan, path, 0, err) < 0)
			return -1;
	}
	return env->get(env->arg, "SLURM_JOB_ID") ? add_place(plan, MUNGE, PLAN_NOPOINT, err) : 0;
}
