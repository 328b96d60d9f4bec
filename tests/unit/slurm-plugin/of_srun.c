/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What is called in srun, and in no other program: this one, by both names. */
#include "slurm-plugin/submit/srun.h"

#include "lib/own.h"
#include "tests/unit/folder.h"
#include "tests/unit/tap.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
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

static bool copy_itself(const char *path)
{
	auto_fd from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	auto_fd to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	char bytes[1 << 14];
	ssize_t got = from < 0 || to < 0 ? -1 : 1;

	while (got > 0) {
		got = read(from, bytes, sizeof(bytes));
		if (got > 0 && write(to, bytes, (size_t)got) != got)
			return false;
	}
	return got == 0;
}

/* Again, as a program of that name. Returns whether all went well there. */
static bool as_srun(void)
{
	char dir[] = "/tmp/firn-test.XXXXXX", path[64];
	const char *const argv[] = {path, "a", ":", "b", NULL};
	int status = -1;
	pid_t pid;

	if (!mkdtemp(dir) || snprintf(path, sizeof(path), "%s/srun", dir) < 0 ||
	    !copy_itself(path) || setenv("SRUN_TEST", "1", 1) < 0)
		return false;
	if (posix_spawn(&pid, path, NULL, NULL, (char *const *)argv, environ) == 0)
		(void)waitpid(pid, &status, 0);
	return folder_remove(dir) && status == 0;
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
