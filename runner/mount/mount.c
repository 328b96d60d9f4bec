/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/mount.h"

#include "lib/log.h"
#include "lib/path.h"
#include "runner/mount/points.h"
#include "runner/mount/root.h"
#include "runner/mount/steps.h"
#include "runner/mount/tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Clone all sources before anything is attached: meanwhile the mount server
 * gets ready, and no source can come from a mount made here.
 */
static int clone_sources(struct builder *at, size_t first, struct err *err)
{
	for (size_t i = first; i < at->plan->count; i++) {
		const struct plan_step *step = &at->plan->step[i];

		at->clone[i] = -1;
		if (step->kind != PLAN_BIND || (step->flags & PLAN_COPY && at->root_shows))
			continue;
		if (step->flags & PLAN_MISSING) {
			log_warning("configured bind '%s' is not shown: it is not on this machine",
				    step->source);
			continue;
		}
		at->clone[i] = tree_clone(step->source, err);
		if (at->clone[i] >= 0)
			continue;
		if (!(step->flags & PLAN_OPTIONAL))
			return -1;
		log_info("not shown: %s", err->text);
	}
	return 0;
}

/* Whether step @i needs a mount point in the image itself. */
static bool needs_point(const struct builder *at, size_t i)
{
	const struct plan_step *step = &at->plan->step[i];

	if (!step->target || step->kind == PLAN_LINK || step->kind == PLAN_PIPE)
		return false;
	if (step->flags & PLAN_NOPOINT || plan_covers(at->plan, i, step->target))
		return false;
	return step->kind != PLAN_BIND || at->clone[i] >= 0;
}

/* Make the mount points that the image lacks, if nobody shows them. Returns how many, in @points.
 */
static int make_points(struct builder *at, struct points *points, struct err *err)
{
	for (size_t i = 0; i < at->plan->count; i++) {
		if (needs_point(at, i) && points_add(points, &at->plan->step[i], err) < 0)
			return -1;
	}
	return 0;
}

static const struct plan_step *find_overlay(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_OVERLAY)
			return &plan->step[i];
	return NULL;
}

/* Lay an overlay over the image: for what is written, or for mount points. */
static int lay_overlay(struct builder *at, const struct plan_step *overlay, int points,
		       struct err *err)
{
	struct root_overlay layers = {
		.image = at->root,
		.points = points,
		.upper = at->upper,
		.upper_name = overlay && overlay->source ? overlay->source : "tmpfs",
	};

	log_debug("an overlay holds %s", overlay ? "what is written" : "mount points");
	if (overlay && !overlay->source) {
		if (builder_need_scratch(at, err) < 0)
			return -1;
		layers.upper = at->scratch;
	}
	if (root_mount_overlay(&layers, err) < 0)
		return -1;
	(void)close(at->root);
	at->root = root_open(err);
	if (at->root < 0)
		return -1;
	if (overlay)
		builder_note_own(at, at->root);
	return 0;
}

/* A directory that the image's own configuration asks for, which the server did not know of: steps
 * from @first on. */
static int make_late_points(struct builder *at, size_t first, struct points *points,
			    struct err *err)
{
	for (size_t i = first; i < at->plan->count; i++) {
		const struct plan_step *step = &at->plan->step[i];
		auto_fd there =
			step->kind == PLAN_DIR ? path_open_in(at->root, step->target, O_PATH) : -1;

		if (step->kind != PLAN_DIR || there >= 0 || errno != ENOENT)
			continue;
		if (at->scratch < 0 && builder_need_scratch(at, err) < 0)
			return -1;
		points->scratch = at->scratch;
		if (points_add(points, step, err) < 0)
			return -1;
	}
	return 0;
}

/* There are more steps than there were @before. */
static int make_room(struct builder *at, size_t before, struct err *err)
{
	int *clone;
	dev_t *own;

	clone = reallocarray(at->clone, at->plan->count + 1, sizeof(*clone));
	at->clone = clone ? clone : at->clone;
	own = reallocarray(at->own, at->plan->count + 2, sizeof(*own));
	at->own = own ? own : at->own;
	if (!clone || !own)
		return err_sys(err, "cannot mount '%s'", at->plan->image);
	for (size_t i = before; i < at->plan->count; i++)
		at->clone[i] = -1;
	return 0;
}

/* The hook plans what the image's configuration asks for: there may be more steps than there were.
 */
static int call_hook(struct builder *at, const struct mount_hook *hook, struct err *err)
{
	size_t before = at->plan->count;

	if (!hook)
		return 0;
	return hook->call(hook->arg, at->root, err) < 0 ? -1 : make_room(at, before, err);
}

/* What was found out in the finished root: binds, whose sources are still the host's. */
static int settle(struct builder *at, const struct mount_hook *hook, struct err *err)
{
	size_t before = at->plan->count;

	if (!hook || !hook->settle)
		return 0;
	if (hook->settle(hook->arg, at->root, err) < 0 || make_room(at, before, err) < 0)
		return -1;
	return clone_sources(at, before, err) < 0 ? -1 : steps_do_from(at, before, err);
}

/* What must lie over the image before the steps. */
static int prepare_root(struct builder *at, const struct mount_hook *hook, struct err *err)
{
	struct points points = {.skeleton = -1};
	size_t planned = at->plan->count;
	const struct plan_step *overlay;
	int result = 0;

	at->root = root_open(err);
	if (at->root < 0 || call_hook(at, hook, err) < 0 ||
	    (!at->root_shows && builder_need_scratch(at, err) < 0))
		return -1;
	overlay = find_overlay(at->plan);
	points.root = at->root;
	points.scratch = at->scratch;
	if ((at->root_shows ? make_late_points(at, planned, &points, err)
			    : make_points(at, &points, err)) < 0)
		return -1;
	if (!overlay && points.count > 0)
		result = points_cover(&points, err);
	if (result == 0 && (overlay || points.count > 0))
		result = lay_overlay(at, overlay, points.skeleton, err);
	if (result < 0 && !overlay && !points.needed) {
		log_info("files and directories that the image lacks are not shown: %s", err->text);
		result = 0;
	}
	/* The skeleton's descriptor is closed by execve(2), as those of clones are. */
	return result < 0 ? -1 : 0;
}

/* Whether step @i has mounted something, as far as is known, and whether that is read-only. */
static bool has_mounted(const struct builder *at, size_t i, bool *readonly)
{
	const struct plan_step *step = &at->plan->step[i];

	switch (step->kind) {
	case PLAN_BIND:
		*readonly = step->flags & PLAN_READONLY;
		return at->clone[i] >= 0;
	case PLAN_IMAGE:
		*readonly = true;
		return at->clone[i] >= 0;
	case PLAN_FILE:
	case PLAN_PREFIX:
		*readonly = true;
		return !at->root_shows;
	case PLAN_TMPFS:
	case PLAN_DEVPTS:
	case PLAN_PIPE:
		*readonly = step->kind == PLAN_PIPE || step->flags & PLAN_READONLY;
		return true;
	case PLAN_LINK:
	case PLAN_DIR:
	case PLAN_OVERLAY:
		break;
	}
	return false;
}

/* For kernels without mount_setattr(2): the restrictions by mount(2), now that paths are final. */
static int restrict_late(struct builder *at, struct err *err)
{
	bool readonly_root = at->plan->engine == PLAN_ENGINE_NONE && !find_overlay(at->plan);
	auto_free struct tree_point *points = calloc(at->plan->count + 1, sizeof(*points));
	size_t count = 0;
	int result = 0;

	if (!points)
		return err_sys(err, "cannot restrict mounts");
	for (size_t i = 0; i < at->plan->count; i++) {
		const char *target = at->plan->step[i].target;

		if (!has_mounted(at, i, &points[count].readonly))
			continue;
		points[count].path = realpath(target, NULL);
		if (points[count].path)
			count++;
		else if (points[count].readonly && errno != ENOENT && errno != ENOTDIR)
			result = err_sys(err, "cannot make '%s' read-only", target);
	}
	if (result == 0)
		result = tree_restrict_all(readonly_root, points, count, err);
	if (result == 0 && at->plan->contained)
		result = tree_separate_all(err);
	while (count > 0)
		free(points[--count].path);
	return result;
}

/* The host's directory for what is written, while its path still leads there. */
static int open_upper(struct builder *at, struct err *err)
{
	const struct plan_step *overlay = find_overlay(at->plan);

	if (!overlay || !overlay->source)
		return 0;
	at->upper = open(overlay->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return at->upper < 0 ? err_sys(err, "cannot open overlay '%s'", overlay->source) : 0;
}

/* As late as can be: their servers get ready meanwhile. */
static int check_images(const struct builder *at, struct err *err)
{
	for (size_t i = 0; i < at->plan->count; i++)
		if (at->plan->step[i].kind == PLAN_IMAGE && at->clone[i] >= 0 &&
		    data_image_check(at->clone[i], &at->plan->step[i], err) < 0)
			return -1;
	return 0;
}

static int build(struct builder *at, const struct mount_hook *hook, struct err *err)
{
	if (open_upper(at, err) < 0 || clone_sources(at, 0, err) < 0 ||
	    prepare_root(at, hook, err) < 0 || steps_do(at, false, err) < 0 ||
	    settle(at, hook, err) < 0 || steps_seal(at, err) < 0 ||
	    tree_restrict(at->root, TREE_NODEV | builder_separate(at), err) < 0 ||
	    steps_do(at, true, err) < 0 || root_pivot(at->root, err) < 0 ||
	    check_images(at, err) < 0)
		return -1;
	return tree_restrict_needed() ? restrict_late(at, err) : 0;
}

int mount_plan(const struct plan *plan, bool root_shows, const struct mount_hook *hook,
	       struct err *err)
{
	mode_t mask = umask(S_IWGRP | S_IWOTH); /* what is made here is for all to read */
	struct builder at = {
		.plan = plan,
		.root_shows = root_shows,
		.root = -1,
		.scratch = -1,
		.upper = -1,
		.server = hook ? &hook->server : NULL,
		.clone = calloc(plan->count + 1, sizeof(int)),
		.own = calloc(plan->count + 2, sizeof(dev_t)),
	};
	int result;

	/* Clones and targets stay open until execve(2) closes them: one call less for each. */
	result = at.clone && at.own ? build(&at, hook, err)
				    : err_sys(err, "cannot mount '%s'", plan->image);
	(void)umask(mask);
	free(at.clone);
	free(at.own);
	return result;
}
