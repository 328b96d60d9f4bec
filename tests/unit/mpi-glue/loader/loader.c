/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "tests/unit/mpi-glue/loader/loader.h"

#include "lib/path.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 256 << 10, TOLD_MAX = 4 * PATH_MAX, CANNOT_ENTER = 99, CANNOT_START = 98 };

/* What the loader is told from outside: the folders of a usual system. */
static const char *const folders[] = {"/lib/" TRIPLET, "/usr/lib/" TRIPLET, "/lib64", "/usr/lib64",
				      "/lib",	       "/usr/lib",	    NULL};

/* The folders below @root, as LD_LIBRARY_PATH has them. */
static void join_folders(const char *root, char *out, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; folders[i]; i++)
		used += (size_t)snprintf(out + used, room - used, "%s%s%s", i ? ":" : "", root,
					 folders[i]);
}

/*
 * In a child: become the loader, which writes its list to @out. From outside, @program is a path
 * of the host, and folder @injected, if any, comes first.
 */
static void ask_loader(const struct loader_side *side, const char *injected, const char *program,
		       int out)
{
	size_t used = 0;
	int loader = path_open_in(side->fd, LOADER, O_RDONLY);
	char told[TOLD_MAX], variable[TOLD_MAX];
	const char *plain[] = {"ld.so", program, NULL};
	const char *outside[] = {"ld.so", "--inhibit-cache", "--library-path", told, program, NULL};
	/* As ldd(1) does: then what is missing is listed, too, and versions are looked at. */
	char trace[] = "LD_TRACE_LOADED_OBJECTS=1", warn[] = "LD_WARN=1";
	char *environment[] = {trace, warn, side->library_path ? variable : NULL, NULL};

	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(out, STDERR_FILENO);
	if (injected)
		used = (size_t)snprintf(told, sizeof(told), "%s:", injected);
	join_folders(side->root, told + used, sizeof(told) - used);
	(void)snprintf(variable, sizeof(variable), "LD_LIBRARY_PATH=%s",
		       side->library_path ? side->library_path : "");
	if (side->way == LOADER_WITHIN && ((geteuid() != 0 && unshare(CLONE_NEWUSER) < 0) ||
					   fchdir(side->fd) < 0 || chroot(".") < 0))
		_exit(CANNOT_ENTER);
	(void)fexecve(loader, (char **)(side->way == LOADER_OUTSIDE ? outside : plain),
		      environment);
	_exit(CANNOT_START);
}

/* What the loader says of @program, as a new text; its exit status, or -1. */
static char *list(const struct loader_side *side, const char *injected, const char *program,
		  int *status)
{
	char *text = calloc(1, OUTPUT_MAX);
	size_t used = 0;
	ssize_t got;
	int pipes[2];
	pid_t child;

	if (!text || pipe2(pipes, O_CLOEXEC) < 0)
		abort();
	child = fork();
	if (child == 0)
		ask_loader(side, injected, program, pipes[1]);
	(void)close(pipes[1]);
	while ((got = read(pipes[0], text + used, OUTPUT_MAX - 1 - used)) > 0)
		used += (size_t)got;
	(void)close(pipes[0]);
	*status = -1;
	if (child > 0 && waitpid(child, status, 0) == child)
		*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	return text;
}

/*
 * The path of @program without symlinks, in @real: the kernel gives it to a program's loader, which
 * takes it for $ORIGIN, but one that is started by hand takes the path that it is told.
 */
static bool find_real(const struct loader_side *side, const char *program, char *real)
{
	size_t root = strlen(side->root) == 1 ? 0 : strlen(side->root);
	auto_fd fd = path_open_in(side->fd, program, O_RDONLY | O_NONBLOCK);
	char link[64], path[PATH_MAX];
	ssize_t size;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = fd < 0 ? -1 : readlink(link, path, sizeof(path) - 1);
	if (size < (ssize_t)root)
		return false;
	path[size] = '\0';
	(void)snprintf(real, PATH_MAX, "%s", path + root);
	return true;
}

/* The file that the loader named, as the side has it. */
static bool stat_named(const struct loader_side *side, const char *path, struct stat *stat)
{
	size_t root = side->way == LOADER_OUTSIDE ? strlen(side->root) : 0;
	auto_fd fd = -1;

	if (root > 0 && strncmp(path, side->root, root) != 0)
		return lstat(path, stat) == 0;
	fd = path_open_in(side->fd, path + root, O_PATH);
	return fd >= 0 && fstat(fd, stat) == 0;
}

/*
 * One line of the list, "\tNAME => PATH (0x1234)": whether we say the same. Sets *@counted if it
 * was about a file or a missing one.
 */
static bool agrees(const struct loader_side *side, const struct closure *closure, char *line,
		   bool *counted)
{
	char *arrow = strstr(line, " => "), *end = strrchr(line, '(');
	const char *name = line + strspn(line, "\t "), *path = arrow ? arrow + 4 : name;
	const bool loader = strstr(line, "/ld-linux") != NULL;
	const struct closure_object *object;
	struct stat stat;

	*counted = false;
	if (strstr(line, "linux-vdso") || strstr(line, "statically linked"))
		return true;
	*counted = true;
	if (arrow)
		*arrow = '\0';
	if (end > path)
		end[-1] = '\0';
	if (loader) /* it names itself as it was started */
		return closure_find(closure, strrchr(LOADER, '/') + 1) != NULL;
	object = closure_find(closure, name);
	if (strncmp(path, "not found", 9) == 0)
		return object && object->state == CLOSURE_MISSING;
	return object && object->state == CLOSURE_FOUND && stat_named(side, path, &stat) &&
	       stat.st_ino == object->inode && stat.st_dev == object->device;
}

static unsigned count_objects(const struct closure *closure)
{
	unsigned count = 0;

	for (size_t i = 1; i < closure_count(closure); i++)
		count += closure_at(closure, i)->state == CLOSURE_FOUND ||
			 closure_at(closure, i)->state == CLOSURE_MISSING;
	return count;
}

/* The same of the whole list. */
static int compare_list(const struct loader_side *side, const struct closure *closure, char *text)
{
	const char *program = closure_at(closure, 0)->name;
	unsigned listed = 0;
	int differences = 0;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		auto_free char *copy = strdup(line);
		bool counted;

		/* Of versions, not of files. */
		if (strstr(line, "version information"))
			continue;
		if (agrees(side, closure, line, &counted)) {
			listed += counted;
			continue;
		}
		differences++;
		printf("# %s%s: the loader says '%s'\n", side->root, program, copy);
	}
	if (count_objects(closure) > listed) {
		differences++;
		printf("# %s%s: %u objects, %u listed\n", side->root, program,
		       count_objects(closure), listed);
	}
	return differences;
}

int loader_compare(const struct loader_side *side, const char *program)
{
	struct closure_options options = {.libc = true, .library_path = side->library_path};
	char told[TOLD_MAX], real[PATH_MAX], path[2 * PATH_MAX];
	auto_closure *closure = NULL;
	auto_free char *text = NULL;
	const struct closure_object *start;
	struct err err;
	int status;

	join_folders("", told, sizeof(told));
	if (side->way == LOADER_OUTSIDE)
		options.library_path = told;
	closure = closure_new(side->fd, &options);
	if (!closure || closure_add(closure, program, NULL, &start, &err) < 0)
		return 1;
	if (start->state != CLOSURE_FOUND || !start->elf->interpreter ||
	    !find_real(side, program, real))
		return -1;
	(void)snprintf(path, sizeof(path), "%s%s", side->way == LOADER_OUTSIDE ? side->root : "",
		       real);
	text = list(side, NULL, path, &status);
	if (status == CANNOT_ENTER || status == CANNOT_START || status < 0)
		return -1;
	return compare_list(side, closure, text);
}

int loader_loads(const struct loader_side *side, const char *injected, const char *path)
{
	auto_free char *text = NULL;
	int status;

	text = list(side, injected, path, &status);
	if (status == CANNOT_ENTER || status == CANNOT_START || status < 0)
		return -1;
	return strstr(text, "not found") == NULL;
}
