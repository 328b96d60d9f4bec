/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * spank_firn.so: srun --container=IMAGE.
 *
 * In srun, sbatch and salloc it takes options and pins the image (submit.h). In slurmstepd
 * it has one container made for the step, as the user and before any task (user_init), and
 * lets each task enter it (task_init); everything else of a task stays Slurm's. slurmstepd
 * itself opens, looks at or executes nothing that the user names: the words go to `firn
 * session-start`, which runs with no id but the user's. See spank(8) and
 * doc/decisions/slurm.md.
 */
#include "config.h"

#include "slurm-plugin/cgroups.h"
#include "slurm-plugin/ending.h"
#include "slurm-plugin/jobs.h"
#include "slurm-plugin/node.h"
#include "slurm-plugin/settings.h"
#include "slurm-plugin/srun.h"
#include "slurm-plugin/start.h"
#include "slurm-plugin/step_end.h"
#include "slurm-plugin/submit.h"
#include "slurm-plugin/task.h"
#include "slurm-plugin/words.h"

#include <slurm/slurm.h>
#include <slurm/spank.h>

#include <sys/socket.h>
#include <unistd.h>

SPANK_PLUGIN(firn, 1)

enum {
	VARIABLE_MAX = 128 << 10, /* MAX_ARG_STRLEN: what execve(2) lets a variable be */
	SERVER_MS = 100, /* for a server to end after the last task; a task may have left a process */
	KILLED_MS = 500, /* ... which Slurm has killed by now */
};

static struct slurm_wish wish;
static bool any_option;

/* Of the step on this node. */
static struct {
	bool wanted, ready;
	int control; /* held open: the container lives as long */
	int group;   /* for one with a name: see cgroups_of_job() */
	char *why;   /* it cannot be had: found out before the user could be told */
	struct session_offer offer;
	struct ending ending;
} container = {.control = -1, .group = -1, .offer = {.user = -1, .mnt = -1}, .ending = ENDING_NONE};

static const char *node_name(void)
{
	static char name[256];
	const char *given = getenv("SLURMD_NODENAME"); /* of slurmstepd's own environment */

	if (given)
		return given;
	(void)gethostname(name, sizeof(name) - 1);
	return name;
}

/* To the user's terminal, or the job's output, and to slurmd's log. */
static void complain(const struct err *err)
{
	if (spank_context() == S_CTX_REMOTE)
		slurm_spank_log("firn: %s: %s", node_name(), err->text);
	else
		slurm_spank_log("firn: %s", err->text);
}

static void warn(const struct err *err)
{
	if (spank_context() == S_CTX_REMOTE)
		slurm_spank_log("firn: %s: warning: %s", node_name(), err->text);
	else
		slurm_spank_log("firn: warning: %s", err->text);
}

static int take_option(int number, const char *value, int remote)
{
	struct err err;

	any_option = true;
	if (slurm_wish_take(&wish, (enum slurm_option)number, value, &err) == 0)
		return 0;
	if (!remote) /* srun has said it */
		complain(&err);
	return -1;
}

static bool is_submitting(void)
{
	return spank_context() == S_CTX_LOCAL || spank_context() == S_CTX_ALLOCATOR;
}

int slurm_spank_init(spank_t spank, int argc, char **argv)
{
	(void)argc, (void)argv;
	if (!is_submitting() && spank_context() != S_CTX_REMOTE)
		return 0;
	for (const struct slurm_option_text *text = slurm_options; text->name; text++) {
		struct spank_option option = {
			.name = (char *)text->name,
			.arginfo = (char *)text->argument,
			.usage = (char *)text->help,
			.has_arg = text->argument != NULL,
			.val = (int)text->number,
			.cb = take_option,
		};

		/* Another plugin may have it (pyxis): Slurm says so. No job must fail by that. */
		if (spank_option_register(spank, &option) != ESPANK_SUCCESS)
			slurm_verbose("firn: --%s is another plugin's", text->name);
	}
	return 0;
}

/* A variable of the job, new; NULL if there is none. */
static char *job_variable(spank_t spank, const char *name)
{
	auto_free char *value = malloc(VARIABLE_MAX);

	if (!value || spank_getenv(spank, name, value, VARIABLE_MAX) != ESPANK_SUCCESS)
		return NULL;
	return strdup(value);
}

/*
 * sbatch --export=NONE loses the options of plugins on the way to its script (seen in
 * 22.05); the environment still has them.
 */
static int take_lost_options(spank_t spank, uint32_t step, struct err *err)
{
	char name[128];

	for (const struct slurm_option_text *text = slurm_options;
	     step == SLURM_BATCH_SCRIPT && !any_option && text->name; text++) {
		auto_free char *value = NULL;

		(void)snprintf(name, sizeof(name), "SLURM_SPANK__SLURM_SPANK_OPTION_firn_%s",
			       text->name);
		for (char *letter = strchr(name, '-'); letter; letter = strchr(letter, '-'))
			*letter = '_';
		value = job_variable(spank, name);
		if (value && slurm_wish_take(&wish, text->number, value, err) < 0)
			return -1;
	}
	return 0;
}

/* Whether this step is to have a container: as prepare() finds later, before it looks closer. */
static bool is_asked(spank_t spank)
{
	auto_free char *image = job_variable(spank, SUBMIT_CONTAINER);

	return node_is_asked(&wish, &(struct node_job){.container = image});
}

/*
 * As root, before anything of the user's is done: note that the job has a container, for its
 * epilog. One with a name lives until then, and cannot be without.
 */
static int begin_step(spank_t spank, int argc, char **argv, struct err *err)
{
	struct settings settings;
	uint32_t job, step;

	if (spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_STEPID, &step) != ESPANK_SUCCESS)
		return 0;
	if (take_lost_options(spank, step, err) < 0)
		return -1;
	if (!is_asked(spank))
		return 0;
	if (settings_read(argc, argv, &settings, err) < 0)
		return -1;
	if (jobs_begin(settings.jobs, job, err) < 0) {
		if (wish.name)
			return -1;
		slurm_info("firn: the epilog will not clean up after this job: %s", err->text);
	}
	return wish.name ? cgroups_of_job(job, &container.group, err) : 0;
}

/*
 * srun forgets its --container, which the job's variable still tells. For a step that has one, and
 * no oci.conf, newer ones give no directory to their PMIx plugin, which then cannot start (seen in
 * 24.11). Where it cannot be done only --mpi=pmix is lost.
 */
static void take_container_from_srun(void)
{
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 2, 0)
	if (spank_context() == S_CTX_LOCAL && !srun_forget_container())
		slurm_verbose("firn: this srun cannot be made to forget its --container");
#endif
}

/*
 * Nothing is submitted yet; to return -1 would have Slurm add two lines that say nothing. This is
 * called from within srun, sbatch or salloc, so what they and other plugins meant to do at exit(3),
 * in a state that they do not expect, is not done.
 */
static _Noreturn void end_submission(void)
{
	(void)fflush(NULL);
	_exit(EXIT_FIRN_FAILED);
}

int slurm_spank_init_post_opt(spank_t spank, int argc, char **argv)
{
	struct settings settings;
	struct err err;

	if (spank_context() == S_CTX_REMOTE && begin_step(spank, argc, argv, &err) < 0) {
		container.wanted = true; /* and user_init says why not */
		container.why = strdup(err.text);
	}
	if (!is_submitting() || !submit_is_asked(&wish))
		return 0;
	if (settings_read(argc, argv, &settings, &err) < 0 ||
	    submit(&wish, &settings, spank_context() == S_CTX_LOCAL, warn, &err) < 0) {
		complain(&err);
		end_submission();
	}
	take_container_from_srun();
	return 0;
}

static void tell_that_it_takes_long(int seconds)
{
	slurm_spank_log("firn: %s: the container is being made, %d s so far", node_name(), seconds);
}

/* The lines are the user's, who may have made them up: each stays one, and drives no terminal. */
static void tell_what_was_said(const struct session_offer *offer)
{
	struct err line;

	for (char **said = offer->said; said && *said; said++) {
		(void)err_set(&line, "%s", *said);
		slurm_spank_log("%s", line.text);
	}
}

static int make_container(spank_t spank, const struct settings *settings, const struct pin *pin,
			  struct slurm_step *step, struct err *err)
{
	struct start start = {.firn = settings->firn,
			      .group = container.group,
			      .waiting = tell_that_it_takes_long};
	char spool[PATH_MAX];
	char **environment = NULL, **words = NULL;
	int result;

	if (spank_get_item(spank, S_JOB_ENV, &environment) != ESPANK_SUCCESS)
		return err_set(err, "Slurm does not tell the job's environment");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, start.pair) < 0)
		return err_sys(err, "cannot make a socket");
	step->control = start.pair[1];
	step->image = pin->image;
	step->identity = pin->identity;
	step->jobs = settings->jobs;
	step->firn = settings->firn;
	step->spool = settings->spool				 ? settings->spool
		      : node_spool(step->job, step->step, spool) ? spool
								 : NULL;
	result = slurm_wish_words(&wish, step, &words, err);
	start.words = words;
	start.environment = environment;
	if (result == 0)
		result = start_container(&start, &container.offer, err);
	slurm_words_free(words);
	own_close(&start.pair[1]);
	own_close(&container.group);
	container.group = -1;
	if (result < 0)
		return -1; /* with pair[0] open: see start.h */
	container.control = start.pair[0];
	tell_what_was_said(&container.offer);
	ending_watch(&container.ending, &container.offer);
	return 0;
}

/* Returns 1 when there is a container, 0 when none is asked for, or -1. */
static int prepare(spank_t spank, int argc, char **argv, struct err *err)
{
	auto_free char *image = job_variable(spank, SUBMIT_CONTAINER);
	auto_free char *sealed = job_variable(spank, SUBMIT_PIN);
	struct slurm_step step = {.node = node_name()};
	struct node_job job = {.container = image, .pin = sealed, .user = (uid_t)-1};
	struct settings settings;
	auto_pin pin = {0};
	int found;

	if (!container.why && !node_is_asked(&wish, &job))
		return 0;
	if (spank_get_item(spank, S_JOB_ID, &step.job) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_STEPID, &step.step) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_UID, &job.user) != ESPANK_SUCCESS)
		return err_set(err, "Slurm does not tell whose job this is");
	if (container.why)
		return err_set(err, "%s", container.why);
	if (job.user == 0)
		return err_set(err,
			       "no container is made for a job of root's: submit it as a user");
	if (settings_read(argc, argv, &settings, err) < 0)
		return -1;
	found = node_find(&wish, &job, &settings, warn, &pin, err);
	if (found <= 0)
		return found;
	return make_container(spank, &settings, &pin, &step, err) < 0 ? -1 : 1;
}

int slurm_spank_user_init(spank_t spank, int argc, char **argv)
{
	struct err err;
	int found;

	if (spank_context() != S_CTX_REMOTE)
		return 0;
	found = prepare(spank, argc, argv, &err);
	container.wanted = found != 0;
	container.ready = found > 0;
	if (found < 0)
		complain(&err);
	/*
	 * Not -1: srun would end with status 0, and other nodes' tasks run on whatever is asked
	 * for (seen in 22.05); a batch job would be queued again. The tasks of this node end
	 * instead.
	 */
	return 0;
}

/* The process of a task, with the user's ids. It never goes on outside of the container it asked
 * for. */
int slurm_spank_task_init(spank_t spank, int argc, char **argv)
{
	struct err err;

	(void)argc, (void)argv;
	if (!container.wanted)
		return 0;
	if (container.ready && task_enter(spank, &container.offer, wish.entrypoint, &err) == 0)
		return 0;
	if (container.ready)
		complain(&err);
	_exit(EXIT_FIRN_FAILED);
}

static void let_go(void)
{
	session_offer_clear(&container.offer);
	own_close(&container.control);
	container.control = -1;
}

/*
 * All tasks are there when the first one ends, and what they are in lives as long as they do.
 * slurmstepd must not hold it: it waits for the end of all that it started, the mount's server as
 * well, and removes their control groups right after the last task.
 */
int slurm_spank_task_exit(spank_t spank, int argc, char **argv)
{
	static uint32_t ended;
	uint32_t tasks;

	(void)argc, (void)argv;
	if (spank_context() != S_CTX_REMOTE)
		return 0;
	if (ended++ == 0) {
		let_go();
		if (container.wanted && !container.ready)
			step_end(spank);
	}
	if (spank_get_item(spank, S_JOB_LOCAL_TASK_COUNT, &tasks) == ESPANK_SUCCESS &&
	    ended == tasks)
		ending_wait(&container.ending, SERVER_MS);
	return 0;
}

/* Root, on each node of a job that has ended, of every job: most have no container and cost
 * nothing. */
int slurm_spank_job_epilog(spank_t spank, int argc, char **argv)
{
	struct settings settings;
	struct err err;
	uint32_t job;
	int found;

	if (spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS)
		return 0;
	found = settings_read(argc, argv, &settings, &err) < 0 ? -1
							       : jobs_end(settings.jobs, job, &err);
	if (found < 0)
		slurm_error("firn: %s", err.text);
	if (found > 0)
		cgroups_sweep(job);
	return 0;
}

int slurm_spank_exit(spank_t spank, int argc, char **argv)
{
	(void)spank, (void)argc, (void)argv;
	let_go();
	ending_wait(&container.ending, KILLED_MS);
	step_end_again();
	free(take_ptr(&container.why));
	slurm_wish_clear(&wish);
	return 0;
}
