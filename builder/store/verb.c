/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/verb.h"

#include "builder/fetch/shortname.h"
#include "builder/record/verify.h"
#include "builder/source/json_name.h"
#include "builder/store/stock.h"
#include "builder/store/tend.h"
#include "lib/log.h"
#include "lib/size.h"

#include <inttypes.h>
#include <stdio.h>

enum { TIME_SIZE = 24, PATH_SIZE = 4096 + 256 };

/* One verb on its way. */
struct visit {
	const struct options *options;
	const struct recipe *recipe;
	struct shelves shelves;
};

static void print_json(json_t *json)
{
	(void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	(void)putchar('\n');
	json_decref(json);
}

static const char *time_text(time_t when, char out[TIME_SIZE])
{
	struct tm utc;

	out[0] = '\0';
	if (gmtime_r(&when, &utc))
		(void)strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return out;
}

static const char *size_text(uint64_t size, char room[SIZE_TEXT_SIZE])
{
	size_print(size, room);
	return room;
}

static const char *path_of(const struct tend_image *image, char out[PATH_SIZE])
{
	(void)snprintf(out, PATH_SIZE, "%s/%s", image->shelf->path, image->file);
	return out;
}

static json_t *image_json(const struct tend_image *image)
{
	char built[TIME_SIZE], used[TIME_SIZE], path[PATH_SIZE];
	json_t *names = json_array();

	for (size_t i = 0; i < image->name_count; i++)
		(void)json_array_append_new(names, json_name(image->name[i].name));
	return json_pack("{s:o, s:o, s:s, s:s?, s:I, s:s, s:s}", "file",
			 json_name(path_of(image, path)), "names", names, "digest",
			 image->digest.text, "platform",
			 image->name_count ? image->name[0].platform : NULL, "size",
			 (json_int_t)image->size, "built", time_text(image->built, built), "used",
			 time_text(image->used, used));
}

static int list_json(const struct visit *visit, const struct tend_list *list)
{
	json_t *images = json_array(), *folders = json_array();

	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(images, image_json(&list->item[i]));
	for (size_t i = 0; i < visit->shelves.count; i++)
		(void)json_array_append_new(folders,
					    json_pack("{s:o, s:b}", "path",
						      json_name(visit->shelves.item[i].path),
						      "writable",
						      (int)visit->shelves.item[i].writable));
	print_json(json_pack("{s:o, s:o}", "images", images, "directories", folders));
	return 0;
}

static void print_image(const struct tend_image *image)
{
	char size[SIZE_TEXT_SIZE], built[TIME_SIZE], used[TIME_SIZE];

	(void)time_text(image->built, built);
	(void)time_text(image->used, used);
	for (size_t i = 0; i < image->name_count || i == 0; i++)
		printf("%10s  %.10s  %.10s  %.19s  %s\n", size_text(image->size, size), built, used,
		       image->digest.text, image->name_count ? image->name[i].name : "-");
}

static int do_list(struct visit *visit, struct err *err)
{
	auto_tend_list list = {.count = 0};

	if (tend_list(&visit->shelves, &list, err) < 0)
		return -1;
	if (visit->options->json)
		return list_json(visit, &list);
	if (list.count > 0)
		printf("%10s  %-10s  %-10s  %-19s  %s\n", "size", "built", "used", "digest",
		       "name");
	for (size_t i = 0; i < list.count; i++)
		print_image(&list.item[i]);
	for (size_t i = 0; i < visit->shelves.count; i++) {
		char room[SIZE_TEXT_SIZE];
		uint64_t size = 0;
		size_t count = 0;

		for (size_t j = 0; j < list.count; j++)
			if (list.item[j].shelf == &visit->shelves.item[i]) {
				size += list.item[j].size;
				count++;
			}
		printf("%10s  in %zu image%s of %s%s\n", size_text(size, room), count,
		       count == 1 ? "" : "s", visit->shelves.item[i].path,
		       visit->shelves.item[i].writable ? "" : " (not yours to write to)");
	}
	return 0;
}

static int do_get(struct visit *visit, struct err *err)
{
	struct stock_wish wish = {visit->options->operand[1], visit->recipe,
				  visit->options->offline};
	auto_free char *path = NULL;

	if (stock_get(&wish, &path, err) < 0)
		return -1;
	if (visit->options->json)
		print_json(json_pack("{s:o}", "file", json_name(path)));
	else
		printf("%s\n", path);
	return 0;
}

/* What @what is called in full, or NULL where it is no name. */
static char *full_name(const struct visit *visit, const char *what)
{
	auto_free char *plain = stock_plain_name(what), *said = NULL;
	auto_reference *reference = NULL;
	struct err ignored;
	char *full = NULL;

	if (!plain || shortname_resolve(plain, visit->recipe->conf->default_registry, &reference,
					&said, &ignored) < 0)
		return NULL;
	if (asprintf(&full, "%s/%s%s%s%s%s", reference->host, reference->name,
		     reference->tag ? ":" : "", reference->tag ? reference->tag : "",
		     *reference->digest.text ? "@" : "", reference->digest.text) < 0)
		return NULL;
	return full;
}

/* By one of several names only that goes; else the image. Returns what was freed, bytes. */
static int remove_one(const struct tend_image *image, const struct label *name, uint64_t *freed,
		      struct err *err)
{
	bool used = tend_is_in_use(image);

	*freed = 0;
	if (name && image->name_count > 1 && image->shelf->writable) {
		label_forget(image->shelf, name);
		log_note("'%s' is forgotten; its image has other names, and stays", name->name);
		return 0;
	}
	if (tend_remove(image, err) < 0)
		return -1;
	*freed = image->size;
	if (used)
		log_note("'%s' is in use: who has it open on this machine keeps it, and its room "
			 "is free when they end",
			 image->name_count ? image->name[0].name : image->digest.text);
	return 0;
}

static int remove_meant(const struct visit *visit, const char *what, uint64_t *freed,
			struct err *err)
{
	auto_free char *full = full_name(visit, what);
	auto_tend_list list = {.count = 0};
	bool found = false;

	if (tend_list(&visit->shelves, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		const struct label *name;
		uint64_t size;

		if (!tend_is_meant(&list.item[i], what, full, &name))
			continue;
		found = true;
		if (remove_one(&list.item[i], name, &size, err) < 0)
			return -1;
		*freed += size;
	}
	return found ? 0 : err_set(err, "'%s' is not in the store; 'firn images' lists it", what);
}

static int do_rm(struct visit *visit, struct err *err)
{
	char room[SIZE_TEXT_SIZE];
	uint64_t freed = 0;

	for (int i = 1; i < visit->options->count; i++)
		if (remove_meant(visit, visit->options->operand[i], &freed, err) < 0)
			return -1;
	if (visit->options->json)
		print_json(json_pack("{s:I}", "removed_size", (json_int_t)freed));
	else if (visit->options->level != LOG_QUIET)
		printf("%s removed\n", size_text(freed, room));
	return 0;
}

static int do_gc(struct visit *visit, struct err *err)
{
	const struct options *options = visit->options;
	struct tend_rest rest = {options->has_keep, options->has_older, options->keep,
				 (time_t)options->older};
	char room[SIZE_TEXT_SIZE], left[SIZE_TEXT_SIZE];
	struct tend_removed removed;

	if (!rest.has_keep && !rest.has_older)
		return err_set(err,
			       "gc needs --keep SIZE or --older DAYSd; see 'firn images --help'");
	if (tend_gc(&visit->shelves, &rest, &removed, err) < 0)
		return -1;
	if (options->json)
		print_json(json_pack("{s:I, s:I, s:I, s:I}", "removed", (json_int_t)removed.count,
				     "removed_size", (json_int_t)removed.size, "in_use",
				     (json_int_t)removed.spared, "size", (json_int_t)removed.left));
	else if (options->level != LOG_QUIET)
		printf("%zu images of %s removed, %s left\n", removed.count,
		       size_text(removed.size, room), size_text(removed.left, left));
	if (removed.spared > 0)
		log_note("%zu image%s in use, and left", removed.spared,
			 removed.spared == 1 ? " is" : "s are");
	return 0;
}

/* Returns whether it holds; what does not is told. */
static bool verify_one(const struct visit *visit, const struct tend_image *image, json_t *out)
{
	struct verified verified;
	struct err err = {.text = ""};
	char path[PATH_SIZE];
	bool good = verify_image(path_of(image, path), visit->recipe, false, NULL, &verified,
				 &err) == 0;

	if (out)
		(void)json_array_append_new(out,
					    json_pack("{s:o, s:s, s:b, s:o}", "file",
						      json_name(path), "digest", image->digest.text,
						      "verified", (int)good, "error",
						      json_name(good ? NULL : err.text)));
	else if (good && visit->options->level != LOG_QUIET)
		printf("good  %.19s  %s\n", image->digest.text,
		       image->name_count ? image->name[0].name : "-");
	if (!good)
		log_error("%s", err.text);
	return good;
}

static int do_verify(struct visit *visit, struct err *err)
{
	const char *what = visit->options->count > 1 ? visit->options->operand[1] : NULL;
	auto_free char *full = what ? full_name(visit, what) : NULL;
	auto_tend_list list = {.count = 0};
	json_t *out = visit->options->json ? json_array() : NULL;
	size_t bad = 0, seen = 0;

	if (tend_list(&visit->shelves, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		const struct label *name;

		if (what && !tend_is_meant(&list.item[i], what, full, &name))
			continue;
		seen++;
		bad += !verify_one(visit, &list.item[i], out);
	}
	if (out)
		print_json(json_pack("{s:o}", "images", out));
	if (what && !seen)
		return err_set(err, "'%s' is not in the store; 'firn images' lists it", what);
	return bad ? err_set(err, "%zu of %zu images are damaged; firn images rm removes one", bad,
			     seen)
		   : 0;
}

// clang-format off
static const struct {
	const char *name;
	int (*work)(struct visit *visit, struct err *err);
	int min, max; /* operands, with the word itself */
} works[] = {
	{"list", do_list, 0, 1},
	{"get", do_get, 2, 2},
	{"rm", do_rm, 2, INT32_MAX},
	{"gc", do_gc, 1, 1},
	{"verify", do_verify, 1, 2},
};
// clang-format on

int store_verb(const struct options *options, const struct recipe *recipe, struct err *err)
{
	const char *what = options->count ? options->operand[0] : works[0].name;
	struct visit visit = {.options = options, .recipe = recipe};
	auto_store_places places = {0};
	size_t i = 0;
	int result;

	while (i < COUNT_OF(works) && strcmp(works[i].name, what) != 0)
		i++;
	if (i == COUNT_OF(works))
		return err_set(err, "images knows list, get, rm, gc and verify, not '%s'", what);
	if (options->count < works[i].min || options->count > works[i].max)
		return err_set(err,
			       "'firn images %s' does not take these words; see "
			       "'firn images --help'",
			       what);
	/* It opens the store itself, and tells what is wrong with it. */
	if (works[i].work == do_get)
		return do_get(&visit, err);
	if (store_places_find(recipe->conf, &places, err) < 0 ||
	    shelves_open(&places, false, &visit.shelves, err) < 0)
		return -1;
	result = works[i].work(&visit, err);
	shelves_clear(&visit.shelves);
	return result;
}
