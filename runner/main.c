/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include "lib/cli/called.h"
#include "lib/cli/usage.h"
#include "lib/log.h"
#include "runner/ask/hints.h"
#include "runner/ask/request.h"
#include "runner/delegate.h"
#include "runner/dialect/dialect.h"
#include "runner/doctor/doctor.h"
#include "runner/foreign.h"
#include "runner/has.h"
#include "runner/inspect.h"
#include "runner/mount/guard.h"
#include "runner/mount/title.h"
#include "runner/plan/entrypoint.h"
#include "runner/session/container.h"
#include "runner/session/session_start.h"
#include "runner/stored.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>

static int give_up(const struct err *err)
{
	log_error("%s", err->text);
	return err->status ? err->status : EXIT_FIRN_FAILED;
}

/* A registry's name without the tag that would have let it be asked for. */
static void explain_image(const char *image, struct err *err)
{
	if (err->code == ENOENT && access(image, F_OK) < 0 && foreign_reference(image))
		(void)err_set(err, "'%s' is not a file; %s", image, FOREIGN_USE_PULL);
}

/* What goes in depends on the finished root: then that is made, and nothing runs in it. */
static int print_plan(struct container *container, const struct container_use *use)
{
	bool injects = injected_is_asked(container->request);
	struct err err;

	if ((injects ? container_build(container, use, &err) :
		       container_compose(container, &err)) < 0)
		return give_up(&err);
	if (!container->plan->scripts &&
	    injected_apply(&container->injected, container->plan, &err) < 0)
		return give_up(&err);
	plan_print(container->plan, stdout);
	edits_print(&container->injected.edits, stdout);
	return EXIT_SUCCESS;
}

/* exec, run and shell: ask, plan, do. */
static int go(enum request_verb verb, int argc, char **argv)
{
	auto_request *request = NULL;
	auto_container container = CONTAINER_NONE;
	struct container_use use = {.self = true, .hold = -1};
	struct err err;
	bool interactive;
	int stored;

	if (request_read(verb, argc, argv, &request, &err) < 0)
		return give_up(&err);
	log_set_level(request->level);
	if (request->help) {
		request_help(verb, stdout);
		return EXIT_SUCCESS;
	}
	interactive = hints_is_interactive(request);
	request->prompt = interactive && !request->frozen;
	stored = stored_image(request, &err);
	if (stored != 0)
		return stored > 0 ? EXIT_FIRN_FAILED : give_up(&err);
	if (request->contain && guard_descriptors(&err) < 0)
		return give_up(&err);
	if (container_plan(request, &container, &err) < 0) {
		explain_image(request->image, &err);
		return give_up(&err);
	}
	hints_tell(request, container.conf, interactive && !request->print_plan);
	if (request->print_plan)
		return print_plan(&container, &use);
	if (container_meet(&container, &use, &err) < 0 ||
	    container_enter(&container, &use, &err) < 0)
		return give_up(&err);
	if ((request->contain && guard_terminal(&err) < 0) ||
	    container_environment(&container, &err) < 0)
		return give_up(&err);
	(void)launch_task(container.plan, &container.launched, &err);
	return give_up(&err);
}

static int verb_exec(int argc, char **argv)
{
	return go(REQUEST_EXEC, argc, argv);
}

static int verb_run(int argc, char **argv)
{
	return go(REQUEST_RUN, argc, argv);
}

static int verb_shell(int argc, char **argv)
{
	return go(REQUEST_SHELL, argc, argv);
}

static int verb_build(int argc, char **argv)
{
	return delegate("build", argc, argv);
}

static int verb_pull(int argc, char **argv)
{
	return delegate("pull", argc, argv);
}

static int verb_verify(int argc, char **argv)
{
	return delegate("verify", argc, argv);
}

static int verb_cache(int argc, char **argv)
{
	return delegate("cache", argc, argv);
}

static int verb_images(int argc, char **argv)
{
	return delegate("images", argc, argv);
}

/* @argv of a verb begins behind its name and ends with NULL. */
struct verb {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
	bool is_builders; /* firn-build's, which gives up privileges itself when an engine has them
			   */
};

// clang-format off
static const struct verb verbs[] = {
	{"exec", verb_exec, "run a command in an image", false},
	{"run", verb_run, "run what the image says", false},
	{"shell", verb_shell, "an interactive shell in an image", false},
	{"build", verb_build, "make an image file from a container image, a directory or a tar",
		 true},
	{"pull", verb_pull, "fetch a registry's image into an image file", true},
	{"verify", verb_verify, "read all of an image, and compare it with what it says of itself",
		 true},
	{"cache", verb_cache, "show or shrink the cache of fetched layers", true},
	{"images", verb_images, "show and tend the images that are run by registries' names", true},
	{"inspect", inspect_main, "show what an image is and says of itself", false},
	{"doctor", doctor_main, "show what this machine allows, and the remedies", false},
};

/* Names that stand for "firn run": an interpreter has no room for a verb. */
static const char *const run_names[] = {"run-singularity", "firn-run"};
// clang-format on

static int help(void)
{
	static const char *const examples[] = {"firn pull debian:12",
					       "firn exec debian_12.sqfs cat /etc/os-release",
					       "firn shell debian_12.sqfs", NULL};

	printf("usage: firn VERB [OPTION...] ...\n"
	       "Run one image file as a normal user, at the speed of the bare machine.\n\n");
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		printf("  %-10s %s\n", verbs[i].name, verbs[i].help);
	printf("\n");
	usage_option(stdout, 'h', "help", NULL, "this help");
	usage_option(stdout, 'V', "version", NULL, "firn's version");
	usage_examples(stdout, examples);
	printf("\n'firn help VERB' or 'firn VERB --help' tells a verb's options; see firn(1).\n");
	return EXIT_SUCCESS;
}

static int find_verb(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		if (strcmp(name, verbs[i].name) == 0)
			return (int)i;
	return -1;
}

static int unknown_verb(const char *word)
{
	const char *advice = foreign_verb(word);
	struct nearest nearest = {.word = word, .len = strlen(word)};
	struct err err;

	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		nearest_try(&nearest, verbs[i].name);
	if (advice)
		(void)err_set(&err, "firn has no verb '%s'; %s", word, advice);
	else if (word[0] == '-')
		(void)err_set(&err, "'%s' stands before the verb; options follow it: firn VERB %s",
			      word, word);
	else if (nearest.best)
		(void)err_set(&err, "unknown verb '%s'; did you mean '%s'? see 'firn --help'", word,
			      nearest.best);
	else
		(void)err_set(&err, "unknown verb '%s'; see 'firn --help'", word);
	return give_up(&err);
}

/* "firn help", and "firn help VERB" as "firn VERB --help". */
static int verb_help(char **argv)
{
	static char option[] = "--help";
	char *ask[] = {option, NULL};
	int verb;

	if (!*argv)
		return help();
	verb = find_verb(*argv);
	return verb < 0 ? unknown_verb(*argv) : verbs[verb].main(1, ask);
}

static const char *own_name(char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	return slash ? slash + 1 : argv[0];
}

static bool is_run_name(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(run_names); i++)
		if (strcmp(name, run_names[i]) == 0)
			return true;
	return false;
}

static bool is_builders(int argc, char **argv)
{
	int verb;

	if (argc < 2 || is_run_name(own_name(argv)) || strcmp(own_name(argv), ENTRYPOINT_NAME) == 0)
		return false;
	verb = find_verb(argv[1]);
	return verb >= 0 && verbs[verb].is_builders;
}

static int choose(int argc, char **argv)
{
	const char *name = own_name(argv);
	int verb;

	if (is_run_name(name))
		return verb_run(argc - 1, argv + 1);
	if (strcmp(name, ENTRYPOINT_NAME) == 0)
		return entrypoint_main(argc, argv);
	if (argc < 2) {
		log_error("no verb given; see 'firn --help'");
		return EXIT_FIRN_FAILED;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0 ||
	    strcmp(argv[1], "version") == 0) {
		printf("firn %s\n", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help();
	if (strcmp(argv[1], "help") == 0)
		return verb_help(argv + 2);
	if (strcmp(argv[1], "image-has") == 0)
		return has_main(argc - 2, argv + 2);
	if (strcmp(argv[1], "session-start") == 0)
		return session_start_main(argc - 2, argv + 2);
	verb = find_verb(argv[1]);
	return verb < 0 ? unknown_verb(argv[1]) : verbs[verb].main(argc - 2, argv + 2);
}

/*
 * Started with a standard stream closed, the next file opened would take its
 * number, and be mistaken for it. The stand-ins are closed again by execve(2):
 * the program finds its streams as they were.
 */
static void occupy_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* The line in firn's words, for who was called by Apptainer's name. Returns 0, or an exit status.
 */
static int translate(int *argc, char ***argv, struct dialect *dialect)
{
	struct err err;

	if (dialect_read(*argv, environ, dialect, &err) < 0 || dialect_settle(dialect, &err) < 0)
		return give_up(&err);
	*argc = (int)dialect->words.count;
	*argv = dialect->words.item;
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *called = argc > 0 ? argv[0] : "";
	auto_dialect dialect = {0};
	int status = EXIT_SUCCESS;

	title_remember(argv);
	occupy_streams();
	if (called_as_apptainer(called))
		status = translate(&argc, &argv, &dialect);
	if (argc < 1 || (!is_builders(argc, argv) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)) {
		log_error("cannot give up privileges: %s", strerror(errno));
		return EXIT_FIRN_FAILED;
	}
	if (status == EXIT_SUCCESS && !dialect.answered)
		status = choose(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_error("cannot write to standard output");
		status = EXIT_FIRN_FAILED;
	}
	return called_status(called, status);
}
