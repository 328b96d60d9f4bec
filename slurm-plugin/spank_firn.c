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

#include "slurm-plugin/node/cgroups.h"
#include "slurm-plugin/node/choose.h"
#include "slurm-plugin/node/ending.h"
#include "slurm-plugin/node/jobs.h"
#include "slurm-plugin/node/settle.h"
#include "slurm-plugin/node/space.h"
#include "slurm-plugin/node/start.h"
#include "slurm-plugin/node/step_end.h"
#include "slurm-plugin/node/task.h"
#include "slurm-plugin/settings.h"
#include "slurm-plugin/submit/srun.h"
#include "slurm-plugin/submit/submit.h"
#include "slurm-plugin/words.h"

#include <slurm/slurm.h>
#include <slurm/spank.h>

#include <sys/socket.h>
#include <unistd.h>

SPANK_PLUGIN(firn, 1)

enum {
	SERVER_MS =
		100, /* for a server to end after the last task; a task may have left a process */
	KILLED_MS = 500, /* ... which Slurm has killed by now */
};

static struct slurm_wish wish;
static struct submission submission;
static char *bad_option; /* why one is not understood */

/* Of the step on this node. */
static struct {
	bool wanted, ready;
	bool foreign; /* there were another job's variables */
	int control; /* held open: the container lives as long */
	int group;   /* for one with a name: see cgroups_of_job() */
	int space;   /* the job's mount namespace (space.h) */
	ino_t made;  /* in which one the container was made ... */
	bool moved;  /* ... which is not slurmstepd's */
	char *why;   /* it cannot be had: found out before the user could be told */
	struct session_offer offer;
	struct ending ending;
} container = {.control = -1,
	       .group = -1,
	       .space = -1,
	       .offer = {.user = -1, .mnt = -1},
	       .ending = ENDING_NONE};

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

/* What is wrong is said by slurm_spank_init_post_opt(): Slurm would add a line, and another status.
 */
static int take_option(int number, const char *value, int remote)
{
	struct err err;

	if (remote &&
	    number == SLURM_MOUNTS) /* here it comes by the message and by the environment */
		free(take_ptr(&wish.mounts));
	if (remote && number == SLURM_ENV)
		free(take_ptr(&wish.env));
	if (slurm_wish_take(&wish, (enum slurm_option)number, value, &err) < 0 && !bad_option)
		bad_option = strdup(err.text);
	return 0;
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
	if (is_submitting())
		submit_begin(&submission, spank_context() == S_CTX_LOCAL);
	return 0;
}

/* Whether this step is to have a container: as prepare() finds later, before it looks closer. */
static bool is_asked(spank_t spank)
{
	auto_free char *image = settle_variable(spank, SUBMIT_CONTAINER);

	return node_is_asked(&wish, &(struct node_job){.container = image});
}

/*
 * As root, before anything of the user's is done: note that the job has a container, for its
 * epilog. One with a name lives until then, and cannot be without.
 */
static int begin_step(spank_t spank, int argc, char **argv, struct err *err)
{
	auto_free char *options = NULL;
	struct settings settings;
	uint32_t job, step;

	if (spank_get_item(spank, S_JOB_ID, &job) != ESPANK_SUCCESS ||
	    spank_get_item(spank, S_JOB_STEPID, &step) != ESPANK_SUCCESS)
		return 0;
	container.foreign = settle_foreign(spank);
	if (settle_wish(spank, &wish, err) < 0)
		return -1;
	options = settle_variable(spank, SUBMIT_OPTIONS);
	if (bad_option && !options)
		return err_set(err, "%s", bad_option);
	if (!is_asked(spank))
		return 0;
	if (settings_read(argc, argv, &settings, err) < 0)
		return -1;
	if (jobs_begin(settings.jobs, job, err) < 0) {
		if (wish.name)
			return -1;
		slurm_info("firn: the epilog will not clean up after this job: %s", err->text);
	}
	container.space = space_open(job);
	return wish.name ? cgroups_of_job(job, &container.group, err) : 0;
}

/*
 * srun forgets its --container, which the job's variable still tells. For a step that has one, and
 * no oci.conf, newer ones give no directory to their PMIx plugin, which then cannot start (seen in
 * 24.11); and the next component would have it, too. Otherwise accounting shows it. Where it cannot
 * be done --mpi=pmix is lost, and components are refused, whose number srun does not tell either.
 */
static void take_container_from_srun(void)
{
	if (SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(23, 2, 0) && !srun_has_components())
		return;
	if (!srun_forget_container())
		slurm_verbose("firn: this srun cannot be made to forget its --container");
}

/* --export-file of sbatch takes all variables away that are set by now; these are set later. */
static int note_again(spank_t spank, struct err *err)
{
	static const char *const names[] = {SUBMIT_OPTIONS, SUBMIT_PIN};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *value = getenv(names[i]);

		if (!value)
			(void)spank_job_control_unsetenv(spank, names[i]);
		else if (spank_job_control_setenv(spank, names[i], value, 1) != ESPANK_SUCCESS)
			return err_set(err, "cannot note the container's options for the job");
	}
	return 0;
}

/* Called for each component of a heterogeneous step or job, with the options of that one. */
static int submit_component(spank_t spank, int argc, char **argv, struct err *err)
{
	struct submitted made = {0};
	struct settings settings;
	int asked;

	if (!bad_option && submit_is_named(&submission, &wish) &&
	    (settings_read(argc, argv, &settings, err) < 0 ||
	     submit_name(&submission, &wish, settings.firn, err) < 0))
		return -1;
	asked = bad_option ? err_set(err, "%s", bad_option) : submit_take(&submission, &wish, err);
	if (asked < 0 ||
	    (asked && (settings_read(argc, argv, &settings, err) < 0 ||
		       submit_pin(&submission, &wish, &settings, warn, &made, err) < 0)))
		return -1;
	slurm_wish_clear(&wish);
	if (asked && submission.is_step)
		take_container_from_srun();
	if (submit_publish(&submission, submission.is_step ? srun_component() : 0, &made, err) < 0)
		return -1;
	return submission.is_step ? 0 : note_again(spank, err);
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
	struct err err;

	if (spank_context() == S_CTX_REMOTE && begin_step(spank, argc, argv, &err) < 0) {
		container.wanted = true; /* and user_init says why not */
		container.why = strdup(err.text);
	}
	if (!is_submitting())
		return 0;
	if (submit_component(spank, argc, argv, &err) < 0) {
		complain(&err);
		end_submission();
	}
	return 0;
}

static void tell_that_it_takes_long(int seconds)
{
	slurm_spank_log("firn: %s: the container is being made, %d s so far", node_name(), seconds);
}

/* The lines are the user's, who may have made them up: each stays one, and drives no terminal. */
static void tell_what_was_said(const struct session_offer *offer)
{
	char text[ERR_TEXT_SIZE];
	struct err line;

	for (char **said = offer->said; said && *said; said++) {
		slurm_words_back(*said, text, sizeof(text));
		(void)err_set(&line, "%s", text);
		slurm_spank_log("%s", line.text);
	}
}

/* Why there is none is told by the names of options that the user has given, or can. */
static int start_container_of(struct start *start, struct err *err)
{
	struct err said;

	if (start_container(start, &container.offer, &said) == 0)
		return 0;
	*err = said;
	slurm_words_back(said.text, err->text, sizeof(err->text));
	return -1;
}

static int make_container(spank_t spank, const struct settings *settings, const struct pin *pin,
			  struct slurm_step *step, struct err *err)
{
	/* Only what has a name outlives the step, and so its groups. */
	struct start start = {.firn = settings->firn,
			      .group = wish.name ? container.group : -1,
			      .space = container.space,
			      .waiting = tell_that_it_takes_long};
	char spool[PATH_MAX], from[PATH_MAX];
	char **environment = NULL, **words = NULL;
	int result;

	if (spank_get_item(spank, S_JOB_ENV, &environment) != ESPANK_SUCCESS)
		return err_set(err, "Slurm does not tell the job's environment");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, start.pair) < 0)
		return err_sys(err, "cannot make a socket");
	step->control = start.pair[1];
	step->image = pin->image;
	step->identity = pin->identity;
	step->data = pin->data;
	step->jobs = settings->jobs;
	step->firn = settings->firn;
	step->spool = settings->spool				 ? settings->spool
		      : node_spool(step->job, step->step, spool) ? spool
								 : NULL;
	container.made = space_number(container.space);
	container.moved = container.space >= 0;
	step->from = container.space < 0 ? NULL : getcwd(from, sizeof(from));
	result = slurm_wish_words(&wish, step, &words, err);
	start.words = words;
	start.environment = environment;
	if (result == 0)
		result = start_container_of(&start, err);
	slurm_words_free(words);
	own_close(&start.pair[1]);
	own_close(&container.group);
	own_close(&container.space);
	container.group = container.space = -1;
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
	int settled = container.why ? 1 : settle_wish(spank, &wish, err);
	auto_free char *image = settle_variable(spank, SUBMIT_CONTAINER);
	auto_free char *sealed = settle_variable(spank, SUBMIT_PIN);
	struct slurm_step step = {.node = node_name()};
	struct node_job job = {.container = image, .pin = sealed, .user = (uid_t)-1};
	struct settings settings;
	auto_pin pin = {0};
	int found;

	if (settled <= 0)
		return settled < 0 ? -1
				   : err_set(err, "Slurm does not tell which component this is");
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
	if (container.foreign) {
		(void)err_set(
			&err,
			"the script runs on the host: the container that its environment names "
			"is that of the job it was submitted from");
		warn(&err);
	}
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
	struct task_wish how = {wish.entrypoint, container.moved && !wish.workdir, container.made};
	struct err err;

	(void)argc, (void)argv;
	if (!container.wanted)
		return 0;
	if (container.ready && task_enter(spank, &container.offer, &how, &err) == 0)
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
	submit_clear(&submission);
	free(take_ptr(&bad_option));
	return 0;
}
