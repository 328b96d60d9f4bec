/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/shows.h"

#include "lib/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { COPY_MAX = 4 << 20 };

/* The text of a host file that the container gets a copy of. Returns 1, or 0 to go without. */
static int read_copy(const char *path, void **out, size_t *size)
{
	auto_free char *text = NULL;
	struct err ignored;

	if (file_read(AT_FDCWD, path, COPY_MAX, &text, size, &ignored) < 0)
		return 0;
	*out = take_ptr(&text);
	return 1;
}

/* What the image has no place for is left out, unless the user named it. */
static unsigned flags_of(const struct plan_step *step)
{
	bool named =
		(step->kind == PLAN_BIND || step->kind == PLAN_TMPFS || step->kind == PLAN_IMAGE) &&
		!plan_step_is_lenient(step);

	return (named ? 0 : SHOW_LENIENT) | (step->flags & PLAN_CWD ? SHOW_STRAIGHT : 0);
}

static void add_show(struct shows *shows, enum show_kind kind, const struct plan_step *step)
{
	size_t size = step->content ? strlen(step->content) : 0;

	shows->show[shows->count++] =
		(struct show){kind, step->target, step->content, size, flags_of(step)};
}

static void add_copy(struct shows *shows, const struct plan_step *step)
{
	struct show *show = &shows->show[shows->count];
	void *text;

	if (!read_copy(step->source, &text, &show->size))
		return;
	shows->owned[shows->owned_count++] = text;
	show->kind = SHOW_FILE;
	show->path = step->target;
	show->content = text;
	show->flags = SHOW_LENIENT;
	shows->count++;
}

static void add_bind(struct shows *shows, const struct plan_step *step)
{
	if (step->flags & PLAN_MISSING)
		return;
	if (step->flags & PLAN_COPY) {
		add_copy(shows, step);
		return;
	}
	add_show(shows, step->flags & PLAN_ISFILE ? SHOW_EMPTY : SHOW_DIR, step);
	if (step->flags & PLAN_CWD)
		shows->show[shows->count++] = (struct show){SHOW_DIR, PLAN_CWD_PLACE, NULL, 0,
							    SHOW_LENIENT | SHOW_STRAIGHT};
}

static void add_step(struct shows *shows, const struct plan_step *step)
{
	switch (step->kind) {
	case PLAN_FILE:
		add_show(shows, SHOW_FILE, step);
		return;
	case PLAN_PREFIX:
		add_show(shows, SHOW_PREFIX, step);
		return;
	case PLAN_LINK:
		add_show(shows, SHOW_LINK, step);
		return;
	case PLAN_PIPE:
		add_show(shows, SHOW_EMPTY, step);
		return;
	case PLAN_BIND:
		add_bind(shows, step);
		return;
	case PLAN_TMPFS:
	case PLAN_DEVPTS:
	case PLAN_DIR:
	case PLAN_IMAGE:
		add_show(shows, SHOW_DIR, step);
		return;
	case PLAN_OVERLAY:
		return;
	}
}

int shows_make(const struct plan *plan, struct shows **out, struct err *err)
{
	auto_shows *shows = calloc(1, sizeof(*shows));

	if (!shows)
		return err_sys(err, "cannot start the mount server");
	/* One more for the working directory's other place. */
	shows->show = calloc(plan->count + 1, sizeof(*shows->show));
	shows->owned = calloc(plan->count + 1, sizeof(*shows->owned));
	if (!shows->show || !shows->owned)
		return err_sys(err, "cannot start the mount server");
	for (size_t i = 0; i < plan->count; i++)
		if (!plan->step[i].target || !plan_covers(plan, i, plan->step[i].target))
			add_step(shows, &plan->step[i]);
	*out = take_ptr(&shows);
	return 0;
}

void shows_free(struct shows *shows)
{
	if (!shows)
		return;
	for (size_t i = 0; i < shows->owned_count; i++)
		free(shows->owned[i]);
	free(shows->owned);
	free(shows->show);
	free(shows);
}

void shows_freep(struct shows **shows)
{
	shows_free(*shows);
}
