/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/task/workdir.h"

#include "lib/log.h"

#include <string.h>
#include <sys/stat.h>

static bool is_here(const struct plan *plan, int i)
{
	return (size_t)i >= plan->here.from && (size_t)i < plan->here.from + plan->here.count;
}

static bool is_same(const struct plan *plan)
{
	struct stat stat_;

	return stat(".", &stat_) == 0 && stat_.st_dev == plan->here.dev &&
	       stat_.st_ino == plan->here.ino;
}

/* Whether "." is @dir without the help of a symlink. */
static bool is_straight(const char *dir)
{
	auto_free char *real = getcwd(NULL, 0);

	return real && strcmp(real, dir) == 0;
}

/*
 * The caller's directory by its first name is the image's own, or what the user
 * put there. As good as any other; but it is not the directory he stands in.
 */
static bool enter_namesake(const struct plan *plan)
{
	const char *name = plan->here.count > 0 ? plan->cwd[plan->here.from] : NULL;

	if (!name || chdir(name) < 0 || !is_straight(name))
		return false;
	if (strcmp(name, "/") != 0)
		log_warning("the working directory '%s' is %s, not the host's", name,
			    plan_covers(plan, plan->count, name) ? "what is mounted there"
								 : "the image's");
	return true;
}

static const char *why_lost(int code)
{
	switch (code) {
	case EACCES:
		return "cannot be entered (Permission denied)";
	case EXDEV:
		return "is outside of the root directory";
	case ENOENT:
		return "is gone";
	default:
		return "cannot be known";
	}
}

static void tell(const struct plan *plan, int i, int code)
{
	const char *wanted = plan->cwd[0];
	const char *here = plan->here.count > 0 ? plan->cwd[plan->here.from] : NULL;

	if (is_here(plan, i) && plan->here.from == 0)
		log_info("working directory is '%s': '%s' leads elsewhere in the image",
			 plan->cwd[i], wanted);
	else if (plan->here.from > 0)
		log_warning("cannot start in '%s' (%s): starting in '%s'", wanted, strerror(code),
			    plan->cwd[i]);
	else if (here)
		log_warning("the working directory '%s' is not in the container: starting in '%s' "
			    "(-B '%s' shows it)",
			    here, plan->cwd[i], here);
	else if (plan->here.lost)
		log_warning("the working directory %s: starting in '%s'", why_lost(plan->here.lost),
			    plan->cwd[i]);
	else
		log_info("working directory is '%s'", plan->cwd[i]);
}

/* Tell the program where it is, unless the user said what PWD is to be. */
static void correct_pwd(struct plan *plan, int i)
{
	for (char **item = plan->env; item && *item; item++) {
		char *text;

		if (strncmp(*item, "PWD=", 4) != 0 || strcmp(*item + 4, plan->cwd[0]) != 0)
			continue;
		if (asprintf(&text, "PWD=%s", plan->cwd[i]) < 0)
			return;
		free(*item);
		*item = text;
	}
}

/* Try what the plan names. Returns its number; @code is why the first did not do. */
static int try_all(const struct plan *plan, int *code)
{
	int i;

	for (i = 0; plan->cwd[i]; i++) {
		if (plan->here.count > 0 && (size_t)i == plan->here.from + plan->here.count &&
		    enter_namesake(plan))
			return (int)plan->here.from;
		if (chdir(plan->cwd[i]) == 0) {
			if (!is_here(plan, i) || is_same(plan))
				return i;
		} else if (i == 0) {
			*code = errno;
		}
	}
	return -1;
}

int workdir_enter(struct plan *plan, struct err *err)
{
	int code = 0;
	int i = try_all(plan, &code);

	if (i < 0)
		return err_code(err, code, "cannot enter working directory '%s'", plan->cwd[0]);
	if (i > 0 || plan->here.lost)
		tell(plan, i, code);
	if (i > 0)
		correct_pwd(plan, i);
	return i;
}
