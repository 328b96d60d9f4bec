/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/build.h"

#include "builder/across/answer.h"
#include "builder/cage.h"
#include "builder/inside.h"
#include "builder/progress.h"
#include "lib/cage/apart.h"

#include <sched.h>

enum { REFERENCE_SIZE = 2048 };

/* What the process in the cage gives back. */
struct harvest {
	struct built built;
	char reference[REFERENCE_SIZE];
};

/* One build, from the outside. */
struct outside {
	const struct recipe *recipe;
	struct inside inside;
	struct answer *answer;
	struct progress *progress;
};

static int work_in_cage(void *arg, void *out, struct err *err)
{
	const struct outside *outside = arg;
	struct harvest *harvest = out;
	const char *reference;

	if (inside_build(&outside->inside, &harvest->built, err) < 0)
		return -1;
	reference = harvest->built.reference ? harvest->built.reference : "";
	if (strlen(reference) >= sizeof(harvest->reference))
		return err_set(err, "the source's name is too long");
	(void)snprintf(harvest->reference, sizeof(harvest->reference), "%s", reference);
	free(take_ptr(&harvest->built.reference));
	return 0;
}

/* The other process is there; threads may be, too. */
static void begin(void *arg)
{
	struct outside *outside = arg;

	answer_begin(outside->answer, outside->inside.socket);
	if (outside->recipe->progress)
		outside->progress = progress_start(outside->inside.board);
	if (outside->recipe->begun)
		outside->recipe->begun(outside->recipe->begun_arg, outside->inside.board);
}

static bool answer(void *arg)
{
	return answer_one(((struct outside *)arg)->answer);
}

/* What came out of the cage is a stranger's, too: no pointer counts, no text without an end. */
static int settle(struct harvest *harvest, const char *name, struct built *built, struct err *err)
{
	*built = harvest->built;
	built->reference = NULL;
	harvest->reference[sizeof(harvest->reference) - 1] = 0;
	if (!digest_settle(&built->file, true) || !digest_settle(&built->image, true) ||
	    !digest_settle(&built->tree, true) || !digest_settle(&built->config, false) ||
	    !digest_settle(&built->ch, false))
		return err_set(err, "'%s' cannot be read: what came of it makes no sense", name);
	if (!harvest->reference[0])
		return 0;
	built->reference = strdup(harvest->reference);
	return built->reference ? 0 : err_sys(err, "cannot name the source");
}

static void keep(struct apart *apart, int fd)
{
	if (fd >= 0)
		apart->keep[apart->keep_count++] = fd;
}

static int build_apart(struct outside *outside, struct built *built, struct err *err)
{
	struct inside *inside = &outside->inside;
	const struct reach *reach = inside->reach;
	const struct conf *conf = outside->recipe->conf;
	struct harvest harvest = {0};
	struct answer_about about = {reach->reference, conf,	    outside->recipe->cache,
				     reach->folder,    reach->name, DOCUMENT_MAX,
				     inside->out};
	struct apart apart = {.what = reach->name,
			      .cage = builder_cage(conf->require_cage),
			      .work = work_in_cage,
			      .arg = outside,
			      .out = &harvest,
			      .size = sizeof(harvest),
			      .speaks = true,
			      .begun = begin};
	int result;

	/* A layer is unpacked ahead of who reads it. */
	builder_cage_allow(&apart.cage, conf, outside->recipe->jobs + 2 * LINE_READERS);
	if (answer_new(&about, &outside->answer, inside->socket, err) < 0)
		return -1;
	apart.asks = answer_socket(outside->answer);
	apart.answer = apart.asks >= 0 ? answer : NULL;
	if (reach->input) {
		keep(&apart, reach->input->fd);
		keep(&apart, reach->input->room);
	}
	keep(&apart, inside->out);
	keep(&apart, spool_fd(inside->spool));
	for (size_t i = 0; i < LINE_SOCKETS; i++)
		keep(&apart, inside->socket[i]);
	result = apart_run(&apart, err);
	/* Its threads may still have to say something. */
	answer_end(outside->answer);
	progress_stop(outside->progress);
	return result < 0 ? -1 : settle(&harvest, reach->name, built, err);
}

/* A directory's files are packed as they are: there is nothing to take apart (reach.h). */
static int build_here(struct outside *outside, struct built *built, struct err *err)
{
	int result;

	if (outside->recipe->progress)
		outside->progress = progress_start(outside->inside.board);
	result = inside_build(&outside->inside, built, err);
	progress_stop(outside->progress);
	return result;
}

static int go(struct outside *outside, struct built *built, struct err *err)
{
	const struct recipe *recipe = outside->recipe;
	struct inside *inside = &outside->inside;
	struct reach_options options = {recipe->conf, &recipe->limits, recipe->tool};

	inside->board = board_new();
	if (!inside->board)
		return err_sys(err, "cannot build");
	if (spool_open(&inside->spool, err) < 0 ||
	    reach_open(recipe->source, &options, &inside->reach, err) < 0)
		return -1;
	return (inside->reach->kind == REACH_ROOT ? build_here : build_apart)(outside, built, err);
}

int build(const struct recipe *recipe, int fd, struct built *built, struct err *err)
{
	struct outside outside = {.recipe = recipe, .inside = {.recipe = recipe, .out = fd}};
	int result;

	for (size_t i = 0; i < LINE_SOCKETS; i++)
		outside.inside.socket[i] = -1;
	*built = (struct built){0};
	result = go(&outside, built, err);
	if (recipe->over)
		recipe->over(recipe->begun_arg);
	reach_free(outside.inside.reach);
	spool_close(outside.inside.spool);
	board_free(outside.inside.board);
	return result;
}

unsigned build_default_jobs(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count < 1 ? 1 : count > 64 ? 64 : (unsigned)count;
}
