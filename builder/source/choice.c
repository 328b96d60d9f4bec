/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/source/choice.h"

enum { LIST_SIZE = 400, NAMES_MAX = 2 /* of one entry of an index */ };

/* How well @wanted names it: 0 not at all, 1 its name's end, 2 all of its name or its digest. */
static int how_well(const struct choice *choice, const char *wanted)
{
	size_t wanted_len = strlen(wanted);
	int best = strcmp(choice->id, wanted) == 0 ? 2 : 0;

	for (const char *const *name = choice->name; *name; name++) {
		size_t len = strlen(*name);

		if (len < wanted_len || strcmp(*name + len - wanted_len, wanted) != 0)
			continue;
		if (len == wanted_len)
			best = 2;
		else if (best == 0 && wanted_len > 0 && strchr("/:", (*name)[len - wanted_len - 1]))
			best = 1;
	}
	return best;
}

/* The fullest of its names; an image without one is called by its digest. */
static const char *best_name(const struct choice *choice)
{
	const char *best = choice->id;

	for (const char *const *name = choice->name; *name; name++)
		if (best == choice->id || strlen(*name) > strlen(best))
			best = *name;
	return best;
}

static bool is_listed_before(const struct choice *choice, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (choice[i].keep && strcmp(best_name(&choice[i]), best_name(&choice[at])) == 0)
			return true;
	return false;
}

/* Those that are kept, as many as there is room for. */
static const char *list(const struct choice *choice, size_t count, char out[LIST_SIZE])
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < count; i++) {
		const char *name = best_name(&choice[i]);

		if (!choice[i].keep || is_listed_before(choice, i))
			continue;
		if (used + strlen(name) + sizeof(", ...") >= LIST_SIZE) {
			(void)snprintf(out + used, LIST_SIZE - used, "%s", used ? ", ..." : "...");
			break;
		}
		used += (size_t)snprintf(out + used, LIST_SIZE - used, "%s%s", used ? ", " : "",
					 name);
	}
	return out;
}

int choice_by_name(struct choice *choice, size_t count, const char *wanted, const char *where,
		   struct err *err)
{
	char text[LIST_SIZE];
	int best = 0;

	for (size_t i = 0; i < count; i++)
		if (choice[i].keep && how_well(&choice[i], wanted) > best)
			best = how_well(&choice[i], wanted);
	if (best == 0) {
		(void)list(choice, count, text);
		return err_set(err, "no image '%s' in '%s'%s%s", wanted, where,
			       *text ? "; there are: " : "", text);
	}
	for (size_t i = 0; i < count; i++)
		choice[i].keep = choice[i].keep && how_well(&choice[i], wanted) == best;
	return 0;
}

int choice_is_one(const struct choice *choice, size_t count, const char *wanted, const char *where,
		  struct err *err)
{
	const struct choice *first = NULL;
	char text[LIST_SIZE];

	for (size_t i = 0; i < count; i++) {
		if (!choice[i].keep)
			continue;
		if (!first)
			first = &choice[i];
		if (strcmp(first->id, choice[i].id) == 0)
			continue;
		(void)list(choice, count, text);
		return wanted ? err_set(err, "'%s' is more than one image of '%s'; say which: %s",
					wanted, where, text)
			      : err_set(err, "'%s' has several images; say which: %s", where, text);
	}
	return 0;
}

/* Its variant is a later question. An entry that names no platform may be of any. */
static bool may_fit(const struct descriptor *part, const struct platform *platform)
{
	return !part->has_platform ||
	       (strcmp(part->platform.os, platform->os) == 0 &&
		strcmp(part->platform.architecture, platform->architecture) == 0);
}

static size_t count_kept(const struct choice *choice, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		kept += choice[i].keep;
	return kept;
}

static void keep_images(const struct manifest *index, struct choice *choice, choice_look *look,
			void *arg)
{
	for (size_t i = 0; i < index->count; i++)
		choice[i].keep = !index->part[i].is_other;
	if (!look || count_kept(choice, index->count) < 2)
		return;
	for (size_t i = 0; i < index->count; i++)
		choice[i].keep = choice[i].keep && look(arg, &index->part[i]);
}

/* Neither called anything nor for anything: of no interest where another entry says that it fits.
 */
static bool is_bare(const struct descriptor *part)
{
	return !part->has_platform && !part->name && !part->full_name;
}

/* Of several platforms those that fit, if any do: what does not is told later. */
static void keep_platform(const struct manifest *index, struct choice *choice,
			  const struct platform *platform)
{
	bool any = false, plain = false;

	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *part = &index->part[i];

		if (!choice[i].keep || !may_fit(part, platform))
			continue;
		any = true;
		plain = plain || (part->has_platform && !part->name && !part->full_name);
	}
	for (size_t i = 0; any && i < index->count; i++)
		choice[i].keep = choice[i].keep && may_fit(&index->part[i], platform) &&
				 !(plain && is_bare(&index->part[i]));
}

/* Entries of different platforms may be one image; they are not if their names differ. */
static bool differ_by_platform(const struct manifest *index, const struct choice *choice)
{
	const struct choice *first = NULL;

	for (size_t i = 0; i < index->count; i++) {
		if (!choice[i].keep)
			continue;
		if (!index->part[i].has_platform)
			return false;
		if (!first)
			first = &choice[i];
		if (first->name[0] ? !choice[i].name[0] ||
					     strcmp(best_name(first), best_name(&choice[i])) != 0
				   : choice[i].name[0] != NULL)
			return false;
	}
	return true;
}

static void drop_twins(struct choice *choice, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; choice[i].keep && j < i; j++)
			if (choice[j].keep && strcmp(choice[i].id, choice[j].id) == 0)
				choice[i].keep = false;
}

static int no_image(const struct manifest *index, const char *where, struct err *err)
{
	if (index->count == 0)
		return err_set(err, "'%s' has no image: it is empty", where);
	return err_set(err, "'%s' has no image, but something of type '%.100s'", where,
		       index->part[0].media_type);
}

/* The other platforms of what is chosen: they cannot be meant, but an error can list them. */
static void keep_others(const struct manifest *index, struct choice *choice, const bool *all)
{
	bool any = false;

	for (size_t i = 0; i < index->count; i++)
		any = any || (choice[i].keep && index->part[i].has_platform);
	for (size_t i = 0; any && i < index->count; i++)
		choice[i].keep = choice[i].keep || (all[i] && index->part[i].has_platform);
}

/* @all is room for a mark of each entry. */
static int narrow(struct manifest *index, struct choice *choice, const char *wanted,
		  const struct platform *platform, const char *where, bool *all, struct err *err)
{
	if (count_kept(choice, index->count) == 0)
		return no_image(index, where, err);
	if (wanted && choice_by_name(choice, index->count, wanted, where, err) < 0)
		return -1;
	drop_twins(choice, index->count);
	for (size_t i = 0; i < index->count; i++)
		all[i] = choice[i].keep;
	keep_platform(index, choice, platform);
	if (!differ_by_platform(index, choice) &&
	    choice_is_one(choice, index->count, wanted, where, err) < 0)
		return -1;
	keep_others(index, choice, all);
	return 0;
}

int choice_narrow(struct manifest *index, const char *wanted, const struct platform *platform,
		  const char *where, choice_look *look, void *arg, struct err *err)
{
	auto_free struct choice *choice = calloc(index->count + 1, sizeof(*choice));
	auto_free const char **name = calloc((index->count + 1) * (NAMES_MAX + 1), sizeof(*name));
	auto_free bool *keep = calloc(index->count + 1, sizeof(*keep));

	if (!choice || !name || !keep)
		return err_sys(err, "cannot read a manifest");
	for (size_t i = 0; i < index->count; i++) {
		const struct descriptor *part = &index->part[i];
		const char **names = &name[i * (NAMES_MAX + 1)];
		size_t count = 0;

		choice[i] = (struct choice){.name = names, .id = part->digest.text};
		if (part->name)
			names[count++] = part->name;
		if (part->full_name)
			names[count++] = part->full_name;
	}
	keep_images(index, choice, look, arg);
	if (narrow(index, choice, wanted, platform, where, keep, err) < 0)
		return -1;
	for (size_t i = 0; i < index->count; i++)
		keep[i] = choice[i].keep;
	manifest_keep(index, keep);
	return 0;
}

static bool is_same_platform(const struct descriptor *a, const struct descriptor *b)
{
	return a->has_platform && b->has_platform && strcmp(a->platform.os, b->platform.os) == 0 &&
	       strcmp(a->platform.architecture, b->platform.architecture) == 0 &&
	       strcmp(a->platform.variant, b->platform.variant) == 0;
}

int choice_is_only(const struct manifest *index, const struct descriptor *chosen,
		   const char *wanted, const char *where, struct err *err)
{
	static const char *const no_name[] = {NULL};
	auto_free struct choice *choice = calloc(index->count + 1, sizeof(*choice));

	if (!choice)
		return err_sys(err, "cannot read a manifest");
	for (size_t i = 0; i < index->count; i++)
		choice[i] = (struct choice){no_name, index->part[i].digest.text,
					    is_same_platform(&index->part[i], chosen)};
	return choice_is_one(choice, index->count, wanted, where, err);
}
