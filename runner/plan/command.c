/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What is run: the request's words, or the image's. */
#include "runner/plan/compose.h"

#include "lib/log.h"
#include "lib/path.h"
#include "lib/words.h"
#include "runner/plan/env_scripts.h"

#include <string.h>

#define RUNSCRIPT_PATH "/.singularity.d/runscript"

void command_clear(struct command *command)
{
	words_free(take_ptr(&command->argv));
	words_free(take_ptr(&command->env));
	free(take_ptr(&command->workdir));
}

/*
 * OCI: the entrypoint takes the user's arguments, or else the image's own
 * command, as its arguments (image-spec config.md, "Entrypoint" and "Cmd"). Without
 * one, and without a runscript, the arguments are what is run.
 */
static int find_run(const struct request *request, struct content *content,
		    const struct oci_config *config, char ***argv, struct err *err)
{
	static char *const runscript[] = {(char *)RUNSCRIPT_PATH, NULL};
	char *const *entrypoint = config ? config->entrypoint : NULL;
	char *const *cmd = config ? config->cmd : NULL;
	int has_script;

	if (request->entrypoint) /* a command of its own stands in for the image's */
		cmd = request->command;
	if (words_count(entrypoint) + words_count(cmd) > 0) {
		*argv = words_join(entrypoint, request->command[0] ? request->command : cmd);
		return 0;
	}
	has_script = content_has(content, RUNSCRIPT_PATH, err);
	if (has_script < 0)
		return -1;
	if (has_script) {
		*argv = words_join(runscript, request->command);
		return 0;
	}
	if (request->entrypoint) {
		*argv = words_join(NULL, NULL);
		return 0;
	}
	if (request->command[0]) {
		*argv = words_join(request->command, NULL);
		return 0;
	}
	return err_set(err, "'%s' does not say what to run; name a command: firn exec '%s' COMMAND",
		       request->image, request->image);
}

enum { SHELLS = 3 };

/* The @i-th shell to be tried, an absolute path, or NULL. */
static const char *shell_choice(const struct request *request, size_t i)
{
	const char *choice[SHELLS] = {request->frozen ? NULL : getenv("SHELL"), "/bin/bash",
				      "/bin/sh"};

	if (request->shell)
		return NULL; /* it is not looked for: the start tells when it is not there */
	return choice[i] && choice[i][0] == '/' ? choice[i] : NULL;
}

struct content_files command_files(const struct request *request)
{
	struct content_files files = {.path = {RUNSCRIPT_PATH},
				      .dir = ENV_SCRIPTS_DIR,
				      .suffix = ".sh",
				      .text_max = ENV_SCRIPT_SIZE_MAX};

	for (size_t i = 0; i < SHELLS; i++)
		files.path[i + 1] = shell_choice(request, i);
	return files;
}

/* The one named; or the user's own shell if the image has it, else bash, else sh. */
static int find_shell(const struct request *request, struct content *content, char ***argv,
		      struct err *err)
{
	char *shell[] = {(char *)request->shell, NULL};

	for (size_t i = 0; i < SHELLS && !request->shell; i++) {
		const char *choice = shell_choice(request, i);
		int has = choice ? content_has(content, choice, err) : 0;

		if (has < 0)
			return -1;
		if (has || i + 1 == SHELLS) {
			shell[0] = (char *)choice;
			break;
		}
	}
	*argv = words_join(shell, request->command);
	return 0;
}

static int find_argv(const struct request *request, struct content *content,
		     const struct oci_config *config, char ***argv, struct err *err)
{
	switch (request->verb) {
	case REQUEST_RUN:
		return find_run(request, content, config, argv, err);
	case REQUEST_SHELL:
		return find_shell(request, content, argv, err);
	default:
		*argv = words_join(request->command, NULL);
		return 0;
	}
}

static bool names_another_user(const char *user)
{
	return user && *user && strcmp(user, "0") != 0 && strcmp(user, "root") != 0 &&
	       strncmp(user, "0:", 2) != 0 && strncmp(user, "root:", 5) != 0;
}

int command_find(const struct request *request, struct content *content, struct command *out,
		 struct err *err)
{
	auto_oci_config *config = NULL;
	struct command command = {0};
	bool complete = true;

	if (content_read_config(content, &config, err) < 0 ||
	    find_argv(request, content, config, &command.argv, err) < 0)
		return -1;
	if (config) {
		bool has_workdir = config->workdir && *config->workdir;

		command.env = words_join(config->env, NULL);
		command.workdir = has_workdir ? path_clean(config->workdir) : NULL;
		complete = command.env && (command.workdir || !has_workdir);
		if (names_another_user(config->user))
			log_info("the image wants user '%s'; it runs as you", config->user);
	}
	if (!command.argv || !complete) {
		command_clear(&command);
		return err_sys(err, "cannot plan '%s'", request->image);
	}
	*out = command;
	return 0;
}
