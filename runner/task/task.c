/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/task/task.h"

#include "lib/log.h"
#include "lib/path.h"
#include "runner/plan/env.h"
#include "runner/task/interpreter.h"
#include "runner/task/workdir.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define FALLBACK_SHELL "/bin/sh"

static int fail(struct err *err, int status)
{
	err->status = status;
	return -1;
}

static const char *machine_name(unsigned machine)
{
	static const struct {
		unsigned machine;
		const char *name;
	} names[] = {
		{EM_X86_64, "x86_64"}, {EM_AARCH64, "aarch64"}, {EM_PPC64, "ppc64"},
		{EM_RISCV, "riscv"},   {EM_S390, "s390x"},	{EM_386, "i386"},
		{EM_ARM, "arm"},       {EM_LOONGARCH, "loongarch"},
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return NULL;
}

/* The kernel does not know the format: say for which machine it was made, if that is why. */
static int wrong_format(const struct plan *plan, const char *path, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char head[20];
	struct utsname host;
	const char *name = NULL;

	if (fd >= 0 && pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	    memcmp(head, ELFMAG, SELFMAG) == 0 && uname(&host) == 0) {
		bool big = head[EI_DATA] == ELFDATA2MSB;

		/* e_machine, elf(5): two bytes at 18 in the file's byte order. */
		name = machine_name(big ? head[18] << 8 | head[19] : head[19] << 8 | head[18]);
		if (name && strcmp(name, host.machine) != 0)
			return err_set(err,
				       "cannot run '%s' of '%s': it is for %s, this machine is %s",
				       path, plan->image, name, host.machine);
	}
	return err_code(err, ENOEXEC, "cannot run '%s' of '%s'", path, plan->image);
}

/* As execvp(3) does, a text file without "#!" is run by the shell. */
static void run_by_shell(const struct plan *plan, const char *path)
{
	unsigned char head[4];
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char **argv = NULL;
	size_t count = 0;

	if (fd < 0 || (pread(fd, head, sizeof(head), 0) == sizeof(head) &&
		       memcmp(head, ELFMAG, SELFMAG) == 0))
		return;
	while (plan->argv[count])
		count++;
	argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return;
	argv[0] = (char *)FALLBACK_SHELL;
	argv[1] = (char *)path;
	for (size_t i = 1; i < count; i++)
		argv[i + 1] = plan->argv[i];
	(void)execve(FALLBACK_SHELL, argv, plan->env);
}

/* The file is there, so it is what it is to be run by that is not. */
static int no_interpreter(const struct plan *plan, const char *path, struct err *err)
{
	char name[INTERPRETER_SIZE];
	bool known = interpreter_of(path, name);
	size_t len = known ? strlen(name) : 0;

	if (len > 0 && name[len - 1] == '\r') {
		name[len - 1] = '\0';
		return err_set(err,
			       "cannot run '%s' of '%s': its first line, with '%s', ends with a "
			       "carriage return",
			       path, plan->image, name);
	}
	if (known && access(name, F_OK) == 0)
		return err_set(err, "cannot run '%s' of '%s': its interpreter '%s' lacks its own",
			       path, plan->image, name);
	return err_set(err, "cannot run '%s' of '%s': the image lacks its interpreter%s%s%s", path,
		       plan->image, known ? " '" : "", known ? name : "", known ? "'" : "");
}

/* Why execve(2) of a file that is there failed with @code. */
static int cannot_run(const struct plan *plan, const char *path, int code, struct err *err)
{
	struct stat stat_;

	if (code == ENOEXEC) {
		run_by_shell(plan, path);
		(void)wrong_format(plan, path, err);
	} else if (code == ENOENT) {
		(void)no_interpreter(plan, path, err);
	} else if (code == EACCES && stat(path, &stat_) == 0 && S_ISDIR(stat_.st_mode)) {
		(void)err_code(err, EISDIR, "cannot run '%s' of '%s'", path, plan->image);
	} else {
		(void)err_code(err, code, "cannot run '%s' of '%s'", path, plan->image);
	}
	return fail(err, EXIT_CANNOT_EXECUTE);
}

static int become_path(const struct plan *plan, const char *path, struct err *err)
{
	int code;

	(void)execve(path, plan->argv, plan->env);
	code = errno;
	if ((code == ENOENT || code == ENOTDIR) && access(path, F_OK) < 0) {
		(void)err_set(err, "'%s' is not in '%s'", path, plan->image);
		return fail(err, EXIT_NOT_FOUND);
	}
	return cannot_run(plan, path, code, err);
}

/*
 * Try each directory of PATH. Like execvp(3), go on after a file that cannot be
 * executed for lack of permission, and remember it for the message.
 */
static int become_name(const struct plan *plan, const char *name, struct err *err)
{
	const char *path = env_get(plan->env, "PATH");
	auto_free char *denied = NULL;

	for (const char *dir = path; dir && *name; dir = *dir ? dir + 1 : NULL) {
		size_t len = strcspn(dir, ":");
		auto_free char *file = NULL;
		int code;

		/* An empty directory stands for the working directory, as in every shell. */
		if (asprintf(&file, "%.*s%s%s", (int)len, dir, len > 0 ? "/" : "./", name) < 0)
			return err_sys(err, "cannot run '%s'", name);
		(void)execve(file, plan->argv, plan->env);
		code = errno;
		if (code == EACCES && !denied && access(file, F_OK) == 0)
			denied = strdup(file);
		else if (code != EACCES &&
			 ((code != ENOENT && code != ENOTDIR) || access(file, F_OK) == 0))
			return cannot_run(plan, file, code, err);
		dir += len;
	}
	if (denied)
		return cannot_run(plan, denied, EACCES, err);
	(void)err_set(err, "'%s' is not in '%s' (PATH=%s)", name, plan->image, path ? path : "");
	return fail(err, EXIT_NOT_FOUND);
}

int task_become(struct plan *plan, struct err *err)
{
	if (workdir_enter(plan, err) < 0)
		return -1;
	if (strchr(plan->argv[0], '/'))
		return become_path(plan, plan->argv[0], err);
	return become_name(plan, plan->argv[0], err);
}
