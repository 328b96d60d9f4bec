/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What is called in srun, and in no other program: this one, by both names. */
#include "slurm-plugin/submit/srun.h"
#include "tests/unit/tap.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef AS_SRUN /* which exports these */
char opt[1024];
bool slurm_option_reset(void *options, const char *name);
char *slurm_option_get(void *options, const char *name);
static const char *group; /* of the component */

bool slurm_option_reset(void *options, const char *name)
{
	return options == opt && strcmp(name, "container") == 0;
}

char *slurm_option_get(void *options, const char *name)
{
	return options == opt && strcmp(name, "het-group") == 0 ? (char *)(unsigned long)group
								: NULL;
}

static int component_of(const char *text)
{
	group = text;
	return srun_component();
}

static bool components_are_told(void)
{
	return component_of(NULL) == 0 && component_of("0") == 0 && component_of("12") == 12 &&
	       component_of("0,1") == -1 && component_of("") == -1 && component_of("128") == -1;
}
static const bool exports = true;
#else
static bool components_are_told(void)
{
	return srun_component() == -1;
}
static const bool exports = false;
#endif

/* Again, as a program of that name. Returns whether all went well there. */
static bool as_srun(void)
{
	char dir[] = "/tmp/firn-test.XXXXXX", command[256];

	if (!mkdtemp(dir))
		return false;
	(void)snprintf(command, sizeof(command),
		       "cp /proc/%d/exe %s/srun; SRUN_TEST=1 %s/srun a : b; status=$?; rm -r %s; "
		       "exit $status",
		       getpid(), dir, dir, dir);
	return system(command) == 0;
}

int main(void)
{
	const char *builddir = getenv("builddir");
	char library[PATH_MAX];
	void *loaded;

	if (!getenv("SRUN_TEST")) {
		ok(!srun_forget_container(), "a program that is not srun is left alone");
		ok(srun_component() == -1 && !srun_has_components(),
		   "... and says nothing of components");
		tap_count = 5;
		ok(as_srun(), "... and srun");
		return done_testing();
	}
	tap_count = 2;
	ok(srun_forget_container() == exports, "srun is asked, if it exports the names");
	(void)snprintf(library, sizeof(library), "%s/tests/tools/libslurm_other.so",
		       builddir ? builddir : ".");
	loaded = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
	ok(loaded && srun_forget_container() == exports && *(int *)dlsym(loaded, "opt") == 0,
	   "a library that has them is left alone");
	ok(components_are_told() && srun_has_components(),
	   "srun tells its component, if it exports them");
	return tap_failed;
}
