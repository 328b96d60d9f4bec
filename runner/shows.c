/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/shows.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { COPY_MAX = 4 << 20 };

/* The text of a host file that the container gets a copy of. Returns 1, or 0 to go without. */
static int read_copy(const char *path, void **out, size_t *size)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	auto_free void *text = NULL;
	struct stat stat;
	ssize_t got;

	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_size > COPY_MAX)
		return 0;
	text = malloc((size_t)stat.st_size + 1);
	if (!text)
		return 0;
	got = read(fd, text, (size_t)stat.st_size);
	if (got < 0)
		return 0;
	*size = (size_t)got;
	*out = take_ptr(&text);
	return 1;
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
	shows->count++;
}

static void add_step(struct shows *shows, const struct plan *plan, size_t i)
{
	const struct plan_step *step = &plan->step[i];
	struct show *show = &shows->show[shows->count];

	if (step->kind == PLAN_FILE || step->kind == PLAN_PREFIX) {
		*show = (struct show){step->kind == PLAN_FILE ? SHOW_FILE : SHOW_PREFIX,
				      step->target, step->content, strlen(step->content)};
		shows->count++;
	}
	if ((step->kind != PLAN_BIND && step->kind != PLAN_TMPFS && step->kind != PLAN_PIPE) ||
	    plan_covers(plan, i, step->target))
		return;
	if (step->flags & PLAN_COPY) {
		add_copy(shows, step);
		return;
	}
	*show = (struct show){step->flags & PLAN_ISFILE || step->kind == PLAN_PIPE ? SHOW_EMPTY : SHOW_DIR, step->target, NULL,
			      0};
	shows->count++;
}

int shows_make(const struct plan *plan, struct shows **out, struct err *err)
{
	auto_shows *shows = calloc(1, sizeof(*shows));

	if (!shows)
		return err_sys(err, "cannot start the mount server");
	shows->show = calloc(plan->count + 1, sizeof(*shows->show));
	shows->owned = calloc(plan->count + 1, sizeof(*shows->owned));
	if (!shows->show || !shows->owned)
		return err_sys(err, "cannot start the mount server");
	for (size_t i = 0; i < plan->count; i++)
		add_step(shows, plan, i);
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
