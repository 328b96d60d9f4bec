/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/task/workdir.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct err err;
static char scratch[] = "/tmp/firn-workdir.XXXXXX";

/* A plan that would start in @names of the scratch folder; the first @here of them are the caller's
 * @own. */
static struct plan *plan_of(const char *const *names, size_t here, const char *own)
{
	struct plan *plan = plan_new();
	auto_free char *path = NULL;
	struct stat stat_;
	size_t count = 0;

	plan->cwd = calloc(8, sizeof(char *));
	plan->env = calloc(3, sizeof(char *));
	for (; *names; names++)
		(void)!asprintf(&plan->cwd[count++], "%s/%s", scratch, *names);
	plan->cwd[count] = strdup("/");
	(void)!asprintf(&plan->env[0], "PWD=%s", plan->cwd[0]);
	if (asprintf(&path, "%s/%s", scratch, own) >= 0 && stat(path, &stat_) == 0) {
		plan->here.count = here;
		plan->here.dev = stat_.st_dev;
		plan->here.ino = stat_.st_ino;
	}
	return plan;
}

static bool stands_in(const char *name)
{
	char wanted[PATH_MAX], got[PATH_MAX];

	(void)snprintf(wanted, sizeof(wanted), "%s/%s", scratch, name);
	return getcwd(got, sizeof(got)) && strcmp(wanted, got) == 0;
}

static void the_callers_directory_is_known_by_itself(void)
{
	static const char *const straight[] = {"own", "home", NULL};
	static const char *const linked[] = {"link", "own", "home", NULL};
	static const char *const lost[] = {"link", "none", "home", NULL};
	static const char *const namesake[] = {"other", "none", "home", NULL};
	auto_plan *plan = plan_of(straight, 1, "own");

	ok(workdir_enter(plan, &err) == 0 && stands_in("own"), "by its name, if that is it");
	plan_free(plan);
	plan = plan_of(linked, 2, "own");
	ok(workdir_enter(plan, &err) == 1 && stands_in("own"),
	   "by another, if the first leads elsewhere");
	ok(strcmp(plan->env[0] + strlen(plan->env[0]) - 4, "/own") == 0, "which PWD says");
	plan_free(plan);
	plan = plan_of(lost, 2, "own");
	ok(workdir_enter(plan, &err) == 2 && stands_in("home"), "a link to another is not entered");
	plan_free(plan);
	plan = plan_of(namesake, 2, "own");
	ok(workdir_enter(plan, &err) == 0 && stands_in("other"), "a namesake is");
}

static void what_was_asked_for_is_entered_or_missed(void)
{
	static const char *const names[] = {"other", NULL};
	static const char *const none[] = {"none", NULL};
	auto_plan *plan = plan_of(names, 0, "own");

	ok(workdir_enter(plan, &err) == 0 && stands_in("other"), "it is entered, whatever it is");
	plan_free(plan);
	plan = plan_of(none, 0, "own");
	free(take_ptr(&plan->cwd[1]));
	ok(workdir_enter(plan, &err) == -1 && strstr(err.text, "/none'"), "an error names it");
}

int main(void)
{
	if (!mkdtemp(scratch) || chdir(scratch) < 0 || mkdir("own", 0755) < 0 ||
	    mkdir("home", 0755) < 0 || mkdir("other", 0755) < 0 || symlink("other", "link") < 0)
		return 1;
	the_callers_directory_is_known_by_itself();
	what_was_asked_for_is_entered_or_missed();
	(void)(chdir(scratch) == 0 && rmdir("own") == 0 && rmdir("home") == 0 &&
	       rmdir("other") == 0 && unlink("link") == 0 && chdir("/") == 0 &&
	       rmdir(scratch) == 0);
	return done_testing();
}
