/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/injected.h"

#include "lib/file.h"
#include "lib/path.h"
#include "lib/words.h"
#include "runner/plan/env.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { ENVIRONMENT_MAX = 1 << 20 };

void injected_clear(struct injected *injected)
{
	inject_free(take_ptr(&injected->inject));
	edits_clear(&injected->edits);
}

bool injected_is_asked(const struct request *request)
{
	return request->mpi && strcmp(request->mpi, "host") == 0;
}

int injected_plan(const struct request *request, struct plan *plan, struct err *err)
{
	if (!injected_is_asked(request))
		return request->host_glibc ? err_set(err, "--glibc=host goes with --mpi=host") : 0;
	if (request->contain)
		return err_set(err, "--mpi=host shows what is the host's, and --%s nothing of it",
			       request->frozen ? "frozen" : "contain");
	if (plan_add_tmpfs(plan, EDITS_PLACE, EDITS_PLACE_SIZE, PLAN_READONLY, err) < 0)
		return -1;
	if (asprintf(&plan->step[plan->count - 1].content, "mpi=host:%s,glibc=%s",
		     request->mpi_profile ? request->mpi_profile : "",
		     request->host_glibc ? "host" : "image") < 0)
		return err_sys(err, "cannot plan '" EDITS_PLACE "'");
	return 0;
}

int injected_prepare(struct injected *injected, const struct request *request, struct plan *plan,
		     struct err *err)
{
	struct inject_wish wish = {.profile = request->mpi_profile,
				   .host_libc = request->host_glibc};
	char *const *place;

	if (inject_prepare(&wish, &injected->inject, err) < 0)
		return -1;
	for (place = inject_places(injected->inject); place && *place; place++)
		if (plan_add_dir(plan, *place, err) < 0)
			return -1;
	return 0;
}

/* The regular file at @dir/@name in @root that can be executed, as an absolute path; or NULL. */
static char *try_program(int root, const char *dir, size_t len, const char *name)
{
	auto_free char *path = NULL;
	auto_fd fd = -1;
	struct stat stat;

	if (len == 0 || *dir != '/' || asprintf(&path, "%.*s/%s", (int)len, dir, name) < 0)
		return NULL;
	fd = path_open_in(root, path, O_PATH);
	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))
		return NULL;
	/* What was named by its path is meant, and that it cannot be executed is said later. */
	return stat.st_mode & 0111 || strchr(name, '/') ? take_ptr(&path) : NULL;
}

/* What @plan's command is, as execvp(3) will find it in @root; NULL where that cannot be told. */
static char *find_program(const struct plan *plan, int root)
{
	const char *name = plan->argv ? plan->argv[0] : NULL;
	const char *dir = env_get(plan->env, "PATH");
	char *found = NULL;

	if (!name || !*name)
		return NULL;
	if (*name == '/')
		return try_program(root, "/", 1, name);
	for (char *const *cwd = plan->cwd; strchr(name, '/') && cwd && *cwd && !found; cwd++)
		found = try_program(root, *cwd, strlen(*cwd), name);
	if (strchr(name, '/'))
		return found;
	while (dir && !found) {
		size_t len = strcspn(dir, ":");

		found = try_program(root, dir, len, name);
		dir = dir[len] ? dir + len + 1 : NULL;
	}
	return found;
}

static int add_steps(const struct edits *edits, struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->item[i];
		unsigned flags = PLAN_READONLY;

		if (edit_is_of_environment(edit))
			continue;
		if (edit->kind != EDIT_DIRECTORY)
			flags |= PLAN_ISFILE;
		if (plan_add_bind(plan, edit->source, edit->target, flags, err) < 0)
			return -1;
	}
	return 0;
}

/* For those who join. Its file system is read-only by then. */
static int write_environment(const struct edits *edits, int root, struct err *err)
{
	const char *name = strrchr(EDITS_ENVIRONMENT, '/') + 1;
	auto_fd place = path_open_in(root, EDITS_PLACE, O_RDONLY | O_DIRECTORY);
	auto_fd file = -1;
	auto_free char *text = NULL;

	if (edits_write(edits, &text, err) < 0)
		return -1;
	if (place >= 0)
		file = openat(place, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (file < 0 || file_write_all(file, text, strlen(text)) < 0)
		return err_sys(err, "cannot write '" EDITS_ENVIRONMENT "'");
	return 0;
}

int injected_resolve(struct injected *injected, int root, struct plan *plan, struct err *err)
{
	auto_free char *program = NULL;
	struct inject_root where = {.fd = root, .image = plan->image};

	if (!injected->inject)
		return 0;
	program = find_program(plan, root);
	/* Nothing can be decided for what is not there, and nothing would run; but scripts that are
	 * still to come may change PATH. */
	if (!program && plan->argv && plan->argv[0] && !plan->scripts) {
		(void)err_set(err, "cannot find '%s' in '%s'", plan->argv[0], plan->image);
		err->status = EXIT_NOT_FOUND;
		return -1;
	}
	where.program = program;
	where.library_path = env_get(plan->env, "LD_LIBRARY_PATH");
	if (inject_resolve(injected->inject, &where, &injected->edits, err) < 0)
		return -1;
	inject_free(take_ptr(&injected->inject));
	return write_environment(&injected->edits, root, err) < 0
		       ? -1
		       : add_steps(&injected->edits, plan, err);
}

int injected_read(struct injected *injected, struct err *err)
{
	auto_free char *text = NULL;
	size_t size;

	if (file_read(AT_FDCWD, EDITS_ENVIRONMENT, ENVIRONMENT_MAX, &text, &size, err) < 0)
		return -1;
	return edits_read(&injected->edits, text, err);
}

int injected_apply(const struct injected *injected, struct plan *plan, struct err *err)
{
	char **env;

	if (injected->edits.count == 0)
		return 0;
	if (edits_apply(&injected->edits, plan->env, &env, err) < 0)
		return -1;
	words_free(plan->env);
	plan->env = env;
	return 0;
}
