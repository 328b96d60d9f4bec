/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/ask/request.h"

#include "lib/cli/options.h"
#include "lib/size.h"
#include "runner/ask/env_file.h"
#include "runner/ask/image_name.h"
#include "runner/foreign.h"

#include <string.h>

/* Who has an option. */
enum {
	FOR_SESSION = 1 << REQUEST_SESSION,
	FOR_ALL = 1 << REQUEST_EXEC | 1 << REQUEST_RUN | 1 << REQUEST_SHELL | FOR_SESSION,
};

static int take_number(void *to, const struct cli_option *option, const char *value,
		       struct err *err)
{
	uint64_t number;

	if (number_parse(value, INT32_MAX, &number) < 0)
		return err_set(err, "option '--%s' takes a number, not '%s'", option->name, value);
	*(int *)((char *)to + option->field) = (int)number;
	return 0;
}

static int add_given(struct request *request, const char *name, struct err *err)
{
	const char **grown =
		reallocarray(request->given, request->given_count + 2, sizeof(*grown));

	if (!grown)
		return err_sys(err, "cannot take '--%s'", name);
	request->given = grown;
	request->given[request->given_count++] = name;
	request->given[request->given_count] = NULL;
	return 0;
}

static int note_given(void *to, const struct cli_option *option, struct err *err)
{
	return add_given(to, option->name, err);
}

static int take_mount(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	struct request *request = to;
	struct request_mount mount, *grown;
	int result;

	grown = reallocarray(request->mount, request->mount_count + 1, sizeof(mount));
	if (!grown)
		return err_sys(err, "cannot take '%s'", value);
	request->mount = grown;
	if (strcmp(option->name, "bind") == 0 && request->verb != REQUEST_SESSION &&
	    request_bind_is_list(value))
		return err_set(err,
			       "'%s' is a list: each bind has a --bind (-B) of its own "
			       "(write '\\,' for a comma in a name)",
			       value);
	if (strcmp(option->name, "bind") == 0)
		result = request_bind_parse(value, &mount, err);
	else if (strcmp(option->name, "tmpfs") == 0)
		result = request_tmpfs_parse(value, &mount, err);
	else
		result = request_mount_parse(value, &mount, err);
	if (result < 0)
		return -1;
	request->mount[request->mount_count++] = mount;
	/* By whatever name: what a site denies is the thing itself. */
	return add_given(request, mount.source ? "bind" : "tmpfs", err);
}

/* NAME or NAME=VALUE */
static bool is_variable(const char *text)
{
	auto_free char *name = strndup(text, strcspn(text, "="));

	return name && env_name_is_good(name);
}

static int take_env(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	struct request *request = to;
	struct request_env *grown;
	bool is_file = strcmp(option->name, "env-file") == 0;
	char *text;

	/* Apptainer's -e takes no value: the next word is the image then. */
	if (!is_file && !strchr(value, '=') && strpbrk(value, "./"))
		return err_set(err, "'%s' is no name of a variable (-e is --env NAME[=VALUE]; "
				    "--clean-env is -c)", value);
	if (!is_file && !is_variable(value))
		return err_set(err, "'%s' is not of the form NAME=VALUE", value);
	grown = reallocarray(request->env, request->env_count + 1, sizeof(*grown));
	if (!grown)
		return err_sys(err, "cannot take '%s'", value);
	request->env = grown;
	text = strdup(value);
	if (!text)
		return err_sys(err, "cannot take '%s'", value);
	request->env[request->env_count++] = (struct request_env){text, is_file};
	return add_given(request, "env", err);
}

static int take_home(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	struct request *request = to;
	struct request_mount mount;

	(void)option;
	if (request_home_parse(value, &mount, err) < 0)
		return -1;
	free(request->home);
	free(request->home_target);
	request->home = mount.source;
	request->home_target = mount.target;
	return 0;
}

static int take_mpi(void *to, const struct cli_option *option, const char *value, struct err *err)
{
	struct request *request = to;

	(void)option;
	request->mpi_profile = NULL;
	if (strncmp(value, "host:", 5) == 0 && value[5]) {
		request->mpi = "host";
		request->mpi_profile = value + 5;
		return 0;
	}
	if (strcmp(value, "hybrid") != 0 && strcmp(value, "none") != 0 &&
	    strcmp(value, "host") != 0)
		return err_set(err, "--mpi takes hybrid, none, host or host:PROFILE, not '%s'",
			       value);
	request->mpi = value;
	return 0;
}

static int take_glibc(void *to, const struct cli_option *option, const char *value,
		      struct err *err)
{
	struct request *request = to;

	(void)option;
	request->host_glibc = strcmp(value, "host") == 0;
	if (!request->host_glibc && strcmp(value, "image") != 0)
		return err_set(err, "--glibc takes image or host, not '%s'", value);
	return 0;
}

#define FLAG(field) CLI_FLAG(struct request, field)
#define TEXT(field) CLI_TEXT(struct request, field)

// clang-format off
static const struct cli_option options[] = {
	{"bind", 'B', "SRC[:DST[:ro|rw|optional]]", FOR_ALL, take_mount, 0,
	 "show the host's SRC at DST"},
	{"mount", 0, "type=bind|tmpfs,...", FOR_ALL, take_mount, 0,
	 "the same in words: src=, dst=, ro, size="},
	{"tmpfs", 0, "DST[:size=N]", FOR_ALL, take_mount, 0,
	 "an empty file system in memory at DST"},
	{"env", 'e', "NAME[=VALUE]", FOR_ALL, take_env, 0, "set a variable, or pass the host's"},
	{"env-file", 0, "FILE", FOR_ALL, take_env, 0,
	 "set variables from lines [export] NAME=VALUE"},
	{"prepend-path", 0, "DIR[:DIR...]", FOR_ALL, TEXT(path_first), "put DIR before PATH"},
	{"append-path", 0, "DIR[:DIR...]", FOR_ALL, TEXT(path_last), "put DIR behind PATH"},
	{"clean-env", 'c', NULL, FOR_ALL, FLAG(clean_env),
	 "pass none of the host's variables but HOME, TERM, the launcher's"},
	{"no-home", 0, NULL, FOR_ALL, FLAG(no_home),
	 "do not show the home; HOME is an empty directory in memory"},
	{"home", 0, "SRC[:DST]", FOR_ALL, take_home, 0, "another directory as home"},
	{"cwd", 0, "DIR", FOR_ALL, TEXT(cwd), "start in DIR of the container"},
	{"shell", 0, "FILE", 1 << REQUEST_SHELL, TEXT(shell), "run this shell of the image"},
	{"contain", 0, NULL, FOR_ALL, FLAG(contain),
	 "private /tmp, home and /dev/shm, minimal /dev"},
	{"writable-tmpfs", 0, NULL, FOR_ALL, FLAG(writable_tmpfs),
	 "let writes succeed, into memory"},
	{"overlay", 0, "DIR", FOR_ALL, TEXT(overlay), "let writes succeed, kept in DIR"},
	{"overlay-any", 0, NULL, FOR_ALL, FLAG(overlay_any),
	 "lay the overlay on another image than it was made on"},
	{"root", 0, NULL, FOR_ALL, FLAG(root), "appear as root (one mapped user)"},
	{"frozen", 0, NULL, FOR_ALL, FLAG(frozen),
	 "pass nothing of the user's or the machine's state that is not named here"},
	{"private", 0, NULL, FOR_ALL, FLAG(private), "never share the container with other ranks"},
	{"session", 0, "NAME", FOR_ALL, TEXT(session),
	 "share the container with all that say this name"},
	{"mpi", 0, "hybrid|none|host[:PROFILE]", FOR_ALL, take_mpi, 0,
	 "let the host's launcher start the image's MPI (default), or not; put in the host's"},
	{"glibc", 0, "image|host", FOR_ALL, take_glibc, 0,
	 "with --mpi=host: whose C library programs get (the image's)"},
	{"engine", 0, "firn|squashfuse", FOR_ALL, TEXT(engine), "who serves the image"},
	{"config", 0, "FILE", FOR_ALL, TEXT(config), "read a configuration of your own, too"},
	{"print-plan", 0, NULL, FOR_ALL, FLAG(print_plan),
	 "print what would be done, one step a line"},
	{"verbose", 'v', NULL, FOR_ALL, cli_take_verbose, offsetof(struct request, level),
	 "say what was decided; twice: debug lines"},
	{"quiet", 'q', NULL, FOR_ALL, cli_take_quiet, offsetof(struct request, level),
	 "errors only"},
	{"control-fd", 0, "N", FOR_SESSION, take_number, offsetof(struct request, control), NULL},
	{"hold-pid", 0, "PID", FOR_SESSION, take_number, offsetof(struct request, hold_pid), NULL},
	{"hold-path", 0, "DIR", FOR_SESSION, TEXT(hold_path), NULL},
	{"entrypoint", 0, NULL, FOR_SESSION, FLAG(entrypoint), NULL},
	{"name", 0, "NAME", FOR_SESSION, TEXT(name), NULL},
	{"use", 0, "create|exec", FOR_SESSION, TEXT(use), NULL},
	{"from", 0, "DIR", FOR_SESSION, TEXT(from), NULL},
	{"asked", 0, "OPTIONS", FOR_SESSION, TEXT(asked), NULL},
	{"scope", 0, "TEXT", FOR_SESSION, TEXT(scope), NULL},
	{"expect", 0, "IDENTITY", FOR_SESSION, TEXT(expect), NULL},
	{"help", 'h', NULL, FOR_ALL, NULL, 0, "this help"},
};
// clang-format on

#define NO_DRIVERS                                                                                 \
	"devices in /dev are visible without it, the host's driver libraries are not put into "    \
	"containers"

static const struct advice absent[] = {
	{"gpu", NO_DRIVERS},
	{"nv", NO_DRIVERS},
	{"rocm", NO_DRIVERS},
};

// clang-format off
#define VERB(verb_, name)                                                                          \
	.verb = name, .bit = 1 << (verb_), .option = options, .count = COUNT_OF(options),          \
	.program = true, .foreign = foreign_option, .absent = absent,                              \
	.absents = COUNT_OF(absent), .note = note_given

static const struct cli verbs[] = {
	[REQUEST_EXEC] = {
		VERB(REQUEST_EXEC, "exec"),
		.usage = "[OPTION...] IMAGE COMMAND [ARG...]",
		.about = "Run COMMAND in IMAGE: a squashfs file, a SIF file or a directory.",
		.example = {
			"firn exec debian_12.sqfs cat /etc/os-release",
			"firn exec -B /scratch/data:/data:ro -e MODE=fast tool.sqfs tool /data",
			"srun -n 128 firn exec cfd.sqfs solver case.xml"}},
	[REQUEST_RUN] = {
		VERB(REQUEST_RUN, "run"),
		.usage = "[OPTION...] IMAGE [ARG...]",
		.about =
		    "Run what IMAGE says: its OCI entrypoint and command, or its runscript.\n"
		    "ARGs take the place of the command.",
		.example = {
			"firn run tool.sqfs --help",
			"firn run --contain -B \"$PWD\" app.sif input.csv"}},
	[REQUEST_SHELL] = {
		VERB(REQUEST_SHELL, "shell"),
		.usage = "[OPTION...] IMAGE [ARG...]",
		.about =
		    "Run a shell in IMAGE: $SHELL if IMAGE has it, else bash, else sh. ARGs are\n"
		    "the shell's own, as in 'firn shell IMAGE -c \"COMMAND\"'. The image is "
		    "read-only\n"
		    "unless --writable-tmpfs or --overlay is given.",
		.example = {
			"firn shell debian_12.sqfs",
			"firn shell --writable-tmpfs --root debian_12.sqfs",
			"firn shell debian_12.sqfs -c 'ls /etc | wc -l'"}},
	[REQUEST_SESSION] = {
		VERB(REQUEST_SESSION, "session-start"),
		.usage = "--control-fd N [OPTION...] IMAGE [ARG...]",
		.about = "Make or find a container for tasks that the caller starts."},
};
// clang-format on

/* A variable named last that is a file: what stands behind Apptainer's -e, which takes no value. */
static const char *eaten_image(const struct request *request)
{
	const struct request_env *last =
		request->env_count > 0 ? &request->env[request->env_count - 1] : NULL;

	return last && !last->is_file && !strchr(last->text, '=') && access(last->text, F_OK) == 0
		       ? last->text
		       : NULL;
}

/* A name of another runner's, unless there is a file of that name. */
static int check_image(const struct request *request, struct err *err)
{
	const char *image = request->image, *advice = foreign_image(image);

	if ((!advice && request->env_count == 0) || image_name_reads(image) ||
	    access(image, F_OK) == 0)
		return 0;
	if (advice)
		return err_set(err, "'%s' is not a file; %s", image, advice);
	if (eaten_image(request))
		return err_set(err,
			       "there is no image '%s'; '%s' before it was taken for a "
			       "variable (-e is --env NAME[=VALUE]; --clean-env is -c)",
			       image, eaten_image(request));
	return 0;
}

static int read_words(struct request *request, char **argv, struct err *err)
{
	char **at;
	int result = cli_read(&verbs[request->verb], argv, request, &at, err);

	request->help = result == CLI_HELP;
	if (result != 0)
		return result < 0 ? -1 : 0;
	request->command = at;
	if (!*at && request->name)
		return 0;
	if (!*at && eaten_image(request))
		return err_set(err,
			       "no image named: '%s' was taken for a variable (-e is --env "
			       "NAME[=VALUE]; --clean-env is -c)",
			       eaten_image(request));
	if (!*at)
		return err_set(err, "no image named; see 'firn %s --help'",
			       verbs[request->verb].verb);
	request->image = *at++;
	request->command = at;
	if (check_image(request, err) < 0)
		return -1;
	if (request->verb == REQUEST_EXEC && !*at)
		return err_set(err, "no command named to run in '%s'; see also 'firn run'",
			       request->image);
	return 0;
}

/* What one option means for the others. */
static int settle(struct request *request, struct err *err)
{
	if (request->overlay && request->writable_tmpfs)
		return err_set(err, "--overlay and --writable-tmpfs exclude each other");
	if (request->overlay_any && !request->overlay)
		return err_set(err, "--overlay-any goes with --overlay");
	if (request->home && request->no_home)
		return err_set(err, "--home and --no-home exclude each other");
	if (request->private && request->session)
		return err_set(err, "--private and --session exclude each other");
	if (request->verb == REQUEST_SESSION && request->control < 0)
		return err_set(err, "session-start is for programs: it needs --control-fd");
	if (request->frozen) {
		request->clean_env = true;
		request->contain = true;
	}
	/* What guards the task itself cannot be done for one that somebody else starts. */
	if (request->verb == REQUEST_SESSION && request->contain)
		return err_set(err, "session-start knows no --contain and no --frozen");
	if (request->entrypoint)
		request->verb = REQUEST_RUN;
	return 0;
}

int request_read(enum request_verb verb, int argc, char **argv, struct request **out,
		 struct err *err)
{
	auto_request *request = calloc(1, sizeof(*request));

	(void)argc; /* argv ends with NULL */
	if (!request)
		return err_sys(err, "cannot read the command line");
	request->verb = verb;
	request->control = -1;
	if (verb != REQUEST_SESSION && add_given(request, verbs[verb].verb, err) < 0)
		return -1;
	if (read_words(request, argv, err) < 0 || (!request->help && settle(request, err) < 0))
		return -1;
	*out = take_ptr(&request);
	return 0;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	for (size_t i = 0; i < request->mount_count; i++)
		request_mount_clear(&request->mount[i]);
	for (size_t i = 0; i < request->env_count; i++) {
		free(request->env[i].text);
		if (request->env_fd)
			own_close(&request->env_fd[i]);
	}
	free(request->mount);
	free(request->env);
	free(request->env_fd);
	free(request->home);
	free(request->home_target);
	free(request->given);
	free(request);
}

void request_freep(struct request **request)
{
	request_free(*request);
}

void request_help(enum request_verb verb, FILE *out)
{
	cli_help(&verbs[verb], out);
	(void)fprintf(out,
		      "\nExit status: the command's own; 125 firn failed, 126 cannot execute,\n"
		      "127 not found. See firn(1).\n");
}
