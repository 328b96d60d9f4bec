/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/task/task.h"

#include "tests/unit/tap.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch[] = "/tmp/firn-task.XXXXXX";
static struct err err;

static void write_program(const char *name, const void *data, size_t size, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || fchmod(fd, mode) < 0)
		ok(false, "the test can write '%s'", name);
	(void)close(fd);
}

/* Become @name, for which @path is searched; in a process of its own if that may succeed. */
static int become(const char *name, const char *path)
{
	char *argv[] = {(char *)name, (char *)"7", NULL};
	char *variable = NULL;
	char *cwd[] = {scratch, NULL};
	int result;

	if (asprintf(&variable, "PATH=%s", path) < 0)
		return -1;
	char *env[] = {variable, NULL};
	struct plan plan = {.image = (char *)"i", .argv = argv, .env = env, .cwd = cwd};

	err = (struct err){0};
	result = task_become(&plan, &err);
	free(variable);
	return result;
}

static bool fails(const char *name, const char *path, int status, const char *reason)
{
	if (become(name, path) < 0 && err.status == status && strstr(err.text, reason))
		return true;
	printf("#   got %d '%s'\n", err.status, err.text);
	return false;
}

static int status_of(const char *name, const char *path)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		(void)become(name, path);
		_exit(99);
	}
	(void)waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void what_cannot_be_run_says_why(void)
{
	unsigned char foreign[64] = {0x7f,	  'E', 'L',	 'F',		2,
				     ELFDATA2LSB, 1,   [16] = 2, [18] = EM_S390};

	ok(fails("nothing", "/none:.", 127, "'nothing' is not in 'i' (PATH=/none:.)"),
	   "a name that is nowhere");
	ok(fails("./nothing", "", 127, "'./nothing' is not in 'i'"), "a path that is not there");
	ok(fails("./dir", "", 126, "Is a directory"), "a directory");
	ok(fails("./plain", "", 126, "Permission denied"), "a file that is no program");
	ok(fails("plain", ".", 126, "'./plain'"), "... found by its name");
	ok(fails("", "/bin", 127, "'' is not in"), "an empty name");
	ok(fails("./lost", "", 126, "lacks its interpreter"), "a script without its interpreter");
	ok(fails("./lost", "", 126, "the image lacks its interpreter '/none/sh'"),
	   "... by its name");
	write_program("lost2", "#! ./lost -x\n", 13, 0755);
	ok(fails("./lost2", "", 126, "its interpreter './lost' lacks its own"),
	   "... at one remove");
	write_program("lost3", "#!/bin/sh\r\n", 11, 0755);
	ok(fails("./lost3", "", 126, "its first line, with '/bin/sh', ends with a carriage return"),
	   "a script with another system's line ends");
	write_program("foreign", foreign, sizeof(foreign), 0755);
	ok(fails("./foreign", "", 126, "it is for s390x"), "a program of another machine");
	write_program("foreign", "\177ELF", 4, 0755);
	ok(fails("./foreign", "", 126, "Exec format error"), "a program that is cut off");
}

static void what_can_be_run_is(void)
{
	ok(status_of("./script", "") == 7, "a path");
	ok(status_of("script", "/none:.") == 7, "a name, in the second directory of PATH");
	ok(status_of("script", "") == 7, "an empty PATH is where one is");
	ok(status_of("script", ":/none") == 7, "... and an empty directory of it");
	ok(status_of("script", "./closed:.") == 7, "what may not be run is passed by");
	ok(status_of("./text", "") == 7, "a text without an interpreter is the shell's");
}

static void a_working_directory_is_tried_in_order(void)
{
	char *argv[] = {(char *)"/none/x", NULL}, *env[] = {NULL};
	char *two[] = {(char *)"/none", (char *)"/", NULL}, *none[] = {(char *)"/none", NULL};
	struct plan plan = {.image = (char *)"i", .argv = argv, .env = env, .cwd = two};
	char here[PATH_MAX];

	ok(task_become(&plan, &err) < 0 && err.status == 127 && getcwd(here, sizeof(here)) &&
		   strcmp(here, "/") == 0,
	   "the second one");
	plan.cwd = none;
	ok(task_become(&plan, &err) < 0 &&
		   strstr(err.text, "cannot enter working directory '/none'"),
	   "none at all is an error");
}

int main(void)
{
	static const char script[] = "#!/bin/sh\nexit $1\n", lost[] = "#!/none/sh\n",
			  text[] = "exit $1\n";
	static const char *const names[] = {"script", "lost",  "lost2",	  "lost3",
					    "text",   "plain", "foreign", "closed/script"};

	if (!mkdtemp(scratch) || chdir(scratch) < 0 || mkdir("dir", 0755) < 0 ||
	    mkdir("closed", 0755) < 0)
		return 1;
	write_program("script", script, sizeof(script) - 1, 0755);
	write_program("closed/script", script, sizeof(script) - 1, 0644);
	write_program("lost", lost, sizeof(lost) - 1, 0755);
	write_program("text", text, sizeof(text) - 1, 0755);
	write_program("plain", text, sizeof(text) - 1, 0644);
	what_cannot_be_run_says_why();
	what_can_be_run_is();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	(void)rmdir("dir");
	(void)rmdir("closed");
	a_working_directory_is_tried_in_order();
	(void)rmdir(scratch);
	return done_testing();
}
