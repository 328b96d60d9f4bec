/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit/data_images.h"

#include "lib/image/identity.h"
#include "lib/plan.h"
#include "lib/words.h"
#include "slurm-plugin/mounts.h"
#include "slurm-plugin/submit/visible.h"

#include <string.h>

/* What of an item there is to know. */
struct data_item {
	char *source;
	bool target, is_file, is_image; /* it has a place, and what it is to be */
};

static bool has_word(const char *mode, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = mode; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (strncmp(at, word, len) == 0)
			return true;
	return false;
}

static void take_item(const char *bind, struct data_item *out)
{
	auto_free char *target = mounts_field(bind, 1);
	auto_free char *mode = mounts_field(bind, 2);

	out->source = mounts_field(bind, 0);
	out->target = target != NULL;
	out->is_file = has_word(mode, "file");
	out->is_image = has_word(mode, "image");
}

/* The job's word for @source. By a relative name a step may mean another file than the job. */
static const char *find(char *const *job, const char *source)
{
	for (; job && *job && source[0] == '/'; job++) {
		const char *name = strchr(*job, ' ');

		if (name && strcmp(name + 1, source) == 0)
			return *job;
	}
	return NULL;
}

/* Whether it is an image that can be looked at: 1, 0 or -1. */
static int open_it(const struct data_item *item, bool require, struct image **out, struct err *err)
{
	if (!item->is_image)
		return image_open_begun(item->source, false, out, err);
	if (image_open(item->source, false, out, err) == 0)
		return (*out)->kind == IMAGE_DIRECTORY
			       ? err_set(err, "'%s' is no image but a directory", item->source)
			       : 1;
	return require || visible_path(item->source) == VISIBLE_THERE ? -1 : 0;
}

static int look(const struct data_item *item, bool require, struct words *words, struct err *err)
{
	auto_image *image = NULL;
	struct identity identity;
	char text[IDENTITY_TEXT_SIZE];
	int found = open_it(item, require, &image, err);

	if (found <= 0)
		return found;
	if (image_check_whole(image, err) < 0 || identity_of(image, &identity, err) < 0)
		return -1;
	identity_print(&identity, text);
	return words_print(words, "%s %s", text, item->source) < 0
		       ? err_sys(err, "cannot pin '%s'", item->source)
		       : 0;
}

static int add(const struct data_item *item, char *const *job, bool require, struct words *words,
	       struct err *err)
{
	const char *known;

	if (!item->source)
		return err_sys(err, "cannot pin the data images");
	if (!item->target || item->is_file)
		return 0;
	if (words->count == PLAN_IMAGES_MAX)
		return err_set(err, "more than %d data images", PLAN_IMAGES_MAX);
	known = find(job, item->source);
	if (known)
		return words_add(words, known) < 0 ? err_sys(err, "cannot pin the data images") : 0;
	return look(item, require, words, err);
}

int data_images_look(const char *mounts, char *const *job, bool require, char ***out,
		     struct err *err)
{
	auto_words words = {0};
	int more = mounts ? 1 : 0;

	while (more > 0) {
		auto_free char *word = NULL;
		struct data_item item = {0};
		int result = 0;

		more = mounts_next(&mounts, &word, err);
		if (more <= 0)
			break;
		if (mounts_bind_of(word)) {
			take_item(mounts_bind_of(word), &item);
			result = add(&item, job, require, &words, err);
			free(item.source);
		}
		if (result < 0)
			return err_aim(err, "--container-mounts");
	}
	*out = take_ptr(&words.item);
	return more;
}
