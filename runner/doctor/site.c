/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What is installed beside firn: the programs it works with. */
#include "runner/doctor/doctor.h"

#include "lib/conf/conf.h"
#include "lib/own.h"
#include "mpi-glue/profile.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

enum { PATIENCE = 2000 }; /* milliseconds for a program to tell its version */

extern char **environ;

char *doctor_find_program(const char *name)
{
	const char *dir = getenv("PATH");

	while (dir && *dir) {
		size_t len = strcspn(dir, ":");
		auto_free char *file = NULL;

		if (len > 0 && asprintf(&file, "%.*s/%s", (int)len, dir, name) >= 0 &&
		    access(file, X_OK) == 0)
			return take_ptr(&file);
		dir += len + (dir[len] == ':');
	}
	return NULL;
}

/* Read what comes until a newline, the end or the end of our patience. */
static int read_reply(int fd, char *text, unsigned size)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	unsigned used = 0;

	while (used + 1 < size && poll(&wait, 1, PATIENCE) > 0) {
		ssize_t got = read(fd, text + used, size - used - 1);

		if (got <= 0)
			break;
		used += (unsigned)got;
		text[used] = '\0';
		if (strchr(text, '\n'))
			break;
	}
	text[used] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return used > 0 ? 0 : -1;
}

int doctor_run(char *const *argv, char *text, unsigned size)
{
	posix_spawn_file_actions_t actions;
	int ends[2];
	pid_t child;
	int result;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if (posix_spawn_file_actions_init(&actions) != 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return -1;
	}
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	result = posix_spawn(&child, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	if (result == 0) {
		result = read_reply(ends[0], text, size);
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
	}
	(void)close(ends[0]);
	return result == 0 ? 0 : -1;
}

void doctor_squashfuse_of(const struct conf *conf, struct finding *finding)
{
	const char *name = conf->squashfuse;
	auto_free char *program = NULL;
	bool is_path = strchr(name, '/');
	bool is_engine = conf->engine == ENGINE_SQUASHFUSE;

	if (is_path)
		program = access(name, X_OK) == 0 ? strdup(name) : NULL;
	else
		program = doctor_find_program(name);
	if (program && is_engine)
		finding_set(finding, FINDING_OK, "%.200s serves images: engine = squashfuse",
			    program);
	else if (program)
		finding_set(finding, FINDING_OK, "--engine squashfuse uses %.200s", program);
	else if (is_engine || strcmp(name, CONF_SQUASHFUSE) != 0)
		finding_set(finding, is_engine ? FINDING_MISSING : FINDING_WARNING,
			    "firn.conf says %s, and '%.120s' is not %s",
			    is_engine ? "engine = squashfuse" : "squashfuse = PROGRAM", name,
			    is_path ? "there" : "in PATH");
	else
		finding_set(finding, FINDING_OK,
			    "not installed; only --engine squashfuse needs it");
	if (!program)
		finding_remedy(finding, "apt-get install squashfuse%s",
			       is_engine ? ", or in firn.conf: [run] engine = firn" : "");
}

void doctor_squashfuse(struct finding *finding)
{
	auto_conf *conf = NULL;
	struct err err;

	if (conf_read(NULL, &conf, &err) < 0)
		conf = conf_new(); /* what is wrong with it is told elsewhere */
	if (conf)
		doctor_squashfuse_of(conf, finding);
	else
		finding_set(finding, FINDING_WARNING, "out of memory");
}

void doctor_slurm(struct finding *finding)
{
	auto_free char *srun = doctor_find_program("srun");
	char *argv[] = {srun, (char *)"--version", NULL};
	char version[64];

	if (!srun)
		finding_set(finding, FINDING_OK, "none here");
	else if (doctor_run(argv, version, sizeof(version)) < 0)
		finding_set(finding, FINDING_WARNING, "%s does not tell its version", srun);
	else
		finding_set(finding, FINDING_OK, "%s", version);
}

void doctor_mpi(struct finding *finding)
{
	static const char *const names[] = {"mpiexec", "mpirun", "prterun"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		auto_free char *program = doctor_find_program(names[i]);
		char *argv[] = {program, (char *)"--version", NULL};
		char version[128];

		if (!program)
			continue;
		if (doctor_run(argv, version, sizeof(version)) < 0)
			finding_set(finding, FINDING_WARNING, "%s does not tell its version",
				    program);
		else
			finding_set(finding, FINDING_OK, "%s: %s", program,
				    strncmp(version, "HYDRA", 5) == 0 ? "MPICH (Hydra)" : version);
		return;
	}
	finding_set(finding, FINDING_OK, "no launcher in PATH; the images' own can be used");
}

void doctor_profiles(struct finding *finding)
{
	auto_profiles *profiles = NULL;
	char names[200] = "";
	struct err err;

	if (profiles_read(NULL, &profiles, &err) < 0) {
		finding_set(finding, err.code == ENOENT ? FINDING_OK : FINDING_WARNING, "%s%s",
			    err.code == ENOENT ? "none, --mpi=host needs one: " : "", err.text);
		return;
	}
	for (size_t i = 0; i < profiles->count; i++) {
		size_t used = strlen(names);

		(void)snprintf(names + used, sizeof(names) - used, "%s%s", used ? " " : "",
			       profiles->item[i].name);
	}
	finding_set(finding, FINDING_OK, "%s", names);
}

void doctor_run_singularity(struct finding *finding)
{
	auto_free char *program = doctor_find_program("run-singularity");
	auto_free char *real = program ? realpath(program, NULL) : NULL;
	auto_free char *self = realpath("/proc/self/exe", NULL);

	if (!real) {
		finding_set(finding, FINDING_OK,
			    "no such program: SIF files cannot be executed directly");
		finding_remedy(finding, "ln -s %s /usr/local/bin/run-singularity",
			       self ? self : "firn");
	} else if (self && strcmp(real, self) == 0) {
		finding_set(finding, FINDING_OK, "%s is firn: SIF files can be executed directly",
			    program);
	} else {
		finding_set(finding, FINDING_OK, "%s belongs to another runner (%s)", program,
			    real);
	}
}
