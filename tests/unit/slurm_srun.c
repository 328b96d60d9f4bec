/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What is called in srun, and in no other program: this one, by both names. */
#include "slurm-plugin/srun.h"
#include "tests/unit/tap.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef AS_SRUN /* which exports these */
char opt[1024];
bool slurm_option_reset(void *options, const char *name);

bool slurm_option_reset(void *options, const char *name)
{
	return options == opt && strcmp(name, "container") == 0;
}
static const bool exports = true;
#else
static const bool exports = false;
#endif

/* Again, as a program of that name. Returns whether all went well there. */
static bool as_srun(void)
{
	char dir[] = "/tmp/firn-test.XXXXXX", command[256];

	if (!mkdtemp(dir))
		return false;
	(void)snprintf(
		command, sizeof(command),
		"cp /proc/%d/exe %s/srun; SRUN_TEST=1 %s/srun; status=$?; rm -r %s; exit $status",
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
		tap_count = 3;
		ok(as_srun(), "... and srun");
		return done_testing();
	}
	tap_count = 1;
	ok(srun_forget_container() == exports, "srun is asked, if it exports the names");
	(void)snprintf(library, sizeof(library), "%s/tests/tools/libslurm_other.so",
		       builddir ? builddir : ".");
	loaded = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
	ok(loaded && srun_forget_container() == exports && *(int *)dlsym(loaded, "opt") == 0,
	   "a library that has them is left alone");
	return tap_failed;
}
