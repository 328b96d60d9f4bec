/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/stock.h"

#include "builder/build.h"
#include "builder/fetch/registry.h"
#include "builder/fetch/shortname.h"
#include "builder/store/label.h"
#include "lib/log.h"
#include "lib/sha256.h"
#include "lib/wait.h"

#include <stdio.h>

/* Images of another version of this number are others, if the digest is the same. */
#define FORMAT "firn image 1."

static const struct lease_terms terms = {.beat_ms = 2000, .dead_ms = 30000};

/* Milliseconds: a look costs little, but a thousand nodes look at one server. */
enum { LOOK_LEAST = 20, LOOK_MOST = 1000, LOOK_PART = 20, TELL_FIRST = 2000, TELL_NEXT = 15000 };

/* One wish on its way. */
struct stock {
	const struct stock_wish *wish;
	const struct recipe *recipe;
	struct reference *reference;
	char *said; /* which image a short name means; NULL */
	struct label entry;
	char stem[SHELF_STEM_SIZE];
	struct shelves shelves;
	struct lease *lease;
};

void stock_settings(const struct recipe *recipe, char out[SHELF_SETTINGS_SIZE])
{
	const struct build_options *options = &recipe->options;
	unsigned char digest[SHA256_SIZE];
	char text[300], platform[100];
	struct sha256 hash;
	int len = snprintf(text, sizeof(text), FORMAT "%d %s %d %d %u %d %d %u", IMAGE_FORMAT,
			   platform_text(&recipe->platform, platform),
			   codec_kind(&options->codec)->id, options->codec.level,
			   (unsigned)options->codec.block_size, (int)options->all_root,
			   (int)options->has_epoch, (unsigned)options->epoch);

	sha256_begin(&hash);
	sha256_add(&hash, text, (size_t)len);
	sha256_end(&hash, digest);
	for (size_t i = 0; i < (SHELF_SETTINGS_SIZE - 1) / 2; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

char *stock_plain_name(const char *name)
{
	char *plain, *mark;

	if (strncmp(name, "docker://", strlen("docker://")) == 0)
		name += strlen("docker://");
	plain = strdup(name);
	mark = plain ? strchr(plain, '#') : NULL;
	if (mark)
		*mark = '/';
	return plain;
}

static int name_it(struct stock *stock, struct err *err)
{
	const struct reference *reference = stock->reference;
	struct label *entry = &stock->entry;
	const char *tag = reference->tag, *digest = reference->digest.text;
	int len = snprintf(entry->name, sizeof(entry->name), "%s/%s%s%s%s%s", reference->host,
			   reference->name, tag ? ":" : "", tag ? tag : "", *digest ? "@" : "",
			   digest);

	if (len < 0 || (size_t)len >= sizeof(entry->name))
		return err_set(err, "the name '%s' is too long", stock->wish->name);
	(void)platform_text(&stock->recipe->platform, entry->platform);
	stock_settings(stock->recipe, entry->settings);
	return 0;
}

/* What the name meant last, if its image is here. Returns 1, 0, or -1 with @err. */
static int recall(struct stock *stock, char **path, struct err *err)
{
	struct label entry;

	for (size_t i = 0; i < stock->shelves.count; i++) {
		if (!label_find(&stock->shelves.item[i], stock->entry.name, stock->entry.settings,
				&entry))
			continue;
		(void)shelf_stem(&entry.digest, entry.settings, stock->stem);
		for (size_t j = 0; j < stock->shelves.count; j++) {
			int found = shelf_find(&stock->shelves.item[j], stock->stem, path, err);

			if (found > 0) {
				stock->entry = entry;
				label_touch(&stock->shelves.item[i], &entry);
			}
			if (found != 0)
				return found;
		}
	}
	return 0;
}

/* Said, for it may be another image than the registry has by now. */
static int recall_unasked(struct stock *stock, const struct err *why, char **path, struct err *err)
{
	char when[32] = "an unknown day";
	struct tm utc;
	bool answered = why->code == ENOENT || why->code == EACCES;
	int found;

	/* Who says no is not away. */
	if (answered && !stock->wish->offline) {
		*err = *why;
		return -1;
	}
	found = recall(stock, path, err);
	if (found < 0)
		return -1;
	if (found == 0 && stock->wish->offline)
		return err_set(err, "'%s' is not in the store, and no registry is asked",
			       stock->entry.name);
	if (found == 0) {
		*err = *why;
		return -1;
	}
	if (gmtime_r(&stock->entry.resolved, &utc))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &utc);
	if (stock->wish->offline)
		log_note("'%s' is taken as its registry had it on %s", stock->entry.name, when);
	else
		log_warning("'%s' is taken as its registry had it on %s: %s", stock->entry.name,
			    when, why->text);
	return 0;
}

/* Ask what the tag means now. */
static int resolve(struct stock *stock, struct err *err)
{
	auto_registry *registry = NULL;
	struct document document = {0};

	if (registry_open(stock->reference, stock->recipe->conf, &registry, err) < 0 ||
	    registry_manifest(registry, stock->reference->tag, DOCUMENT_MAX, NULL, &document,
			      err) < 0)
		return -1;
	stock->entry.digest = document.digest;
	document_clear(&document);
	return 0;
}

/* An answer that is young enough for the site, whoever asked; by the clocks of both. */
static bool is_fresh(struct stock *stock)
{
	struct label found;

	for (size_t i = 0; i < stock->shelves.count; i++) {
		time_t age;

		if (!label_find(&stock->shelves.item[i], stock->entry.name, stock->entry.settings,
				&found))
			continue;
		age = time(NULL) - found.resolved;
		if (age < 0 || age >= stock->recipe->conf->store_fresh)
			continue;
		log_info("'%s' was asked for %lld seconds ago", stock->entry.name, (long long)age);
		stock->entry = found;
		return true;
	}
	return false;
}

/* The name is noted where that can be done; an image can be used without. */
static void note(const struct stock *stock)
{
	struct shelf *own = shelves_own(&stock->shelves);
	struct label old;
	struct err err;

	if (!own || own->names < 0)
		return;
	if (label_find(own, stock->entry.name, stock->entry.settings, &old) &&
	    digest_is(&old.digest, &stock->entry.digest) &&
	    old.resolved + 60 > stock->entry.resolved && old.resolved <= stock->entry.resolved)
		label_touch(own, &old);
	else if (label_note(own, &stock->entry, &err) < 0)
		log_info("%s", err.text);
}

/* Returns 1, 0 where it is nowhere, or -1 with @err. */
static int find(const struct stock *stock, char **path, struct err *err)
{
	for (size_t i = 0; i < stock->shelves.count; i++) {
		int found = shelf_find(&stock->shelves.item[i], stock->stem, path, err);

		if (found != 0)
			return found;
	}
	return 0;
}

/* Of layers and of packing; what the board says is a stranger's. */
static unsigned percent(void *arg)
{
	const struct board *board = arg;
	uint64_t done = 0, total = 0;
	double part;

	if (atomic_load(&board->packing)) {
		total = atomic_load(&board->total);
		part = total ? (double)atomic_load(&board->packed) / (double)total : 1;
		return 60 + (unsigned)(part > 1 ? 39 : part * 39);
	}
	for (size_t i = 0; i < board_count(board); i++) {
		done += atomic_load(&board->layer[i].done);
		total += board->layer[i].size;
	}
	part = total ? (double)done / (double)total : 0;
	return (unsigned)(part > 1 ? 60 : part * 60);
}

/* The build's processes are there: from now on the lease is kept alive. */
static void begun(void *arg, struct board *board)
{
	lease_beat(((struct stock *)arg)->lease, percent, board);
}

static void over(void *arg)
{
	lease_calm(((struct stock *)arg)->lease);
}

static int build_into(struct stock *stock, int fd, struct err *err)
{
	const struct reference *reference = stock->reference;
	const char *tag = reference->tag;
	auto_free char *source = NULL;
	struct recipe recipe = *stock->recipe;
	struct built built;
	int result;

	if (asprintf(&source, "docker://%s/%s%s%s@%s", reference->host, reference->name,
		     tag ? ":" : "", tag ? tag : "", stock->entry.digest.text) < 0)
		return err_sys(err, "cannot build '%s'", stock->entry.name);
	recipe.source = source;
	recipe.begun = begun;
	recipe.over = over;
	recipe.begun_arg = stock;
	result = build(&recipe, fd, &built, err);
	if (result == 0)
		free(built.reference);
	return result;
}

/* As the holder of the lease: an image, or a reason for all. Returns 1, 0 if it was lost meanwhile,
 * or -1 with @err. */
static int build_one(struct stock *stock, const struct shelf *shelf, struct err *err)
{
	auto_fd fd = shelf_begin(shelf, stock->stem, stock->lease, err);
	int result = -1;

	if (fd < 0)
		return -1;
	if (stock->said)
		log_note("%s", stock->said);
	log_info("'%s' is built into '%s'", stock->entry.name, shelf->path);
	if (build_into(stock, fd, err) == 0)
		result = lease_holds(stock->lease) ? 1 : 0;
	if (result == 0)
		log_info("'%s': another process took the build over", stock->entry.name);
	if (result == 1 && shelf_publish(shelf, stock->stem, stock->lease, fd, err) < 0)
		result = -1;
	shelf_abandon(shelf, stock->stem, stock->lease);
	if (result != 0)
		lease_fail(stock->lease, result < 0 ? err : NULL);
	return result;
}

/* For whom one waits, and how far that is, every now and then. */
static void tell(const struct stock *stock, const struct lease_holder *holder, long long waited,
		 long long *next)
{
	if (waited < *next)
		return;
	*next = waited + TELL_NEXT;
	if (holder->pid > 0)
		log_note("'%s' is being built by process %ld on '%s', %u %% are done: waiting",
			 stock->entry.name, holder->pid, holder->host, holder->percent);
	else
		log_note("'%s' is being built by somebody unknown: waiting", stock->entry.name);
}

/* Whether the holder that was waited for, who has it no more, said why it came to nothing. */
static bool has_failed(const struct stock *stock, const struct shelf *shelf,
		       const struct lease_holder *before, const struct lease_holder *now,
		       struct err *err)
{
	if (strcmp(before->token, now->token) == 0 ||
	    !lease_failure(shelf->leases, stock->stem, before->token, err))
		return false;
	(void)err_aim(err, "'%s', built by process %ld on '%s'", stock->entry.name, before->pid,
		      before->host);
	return true;
}

/*
 * With the lease, which is given back: the image may have come between the look before and the
 * lease, or may not be possible. Returns 1 with the path, 0 if another has to be waited for, or -1.
 */
static int hold(struct stock *stock, const struct shelf *shelf, const struct lease_holder *before,
		char **path, struct err *err)
{
	static const struct lease_holder nobody = {.pid = 0};
	int result = find(stock, path, err);

	if (result == 0 && has_failed(stock, shelf, before, &nobody, err)) {
		result = -1;
	} else if (result == 0) {
		result = build_one(stock, shelf, err);
		if (result < 0)
			(void)err_aim(err, "'%s'", stock->entry.name);
		else if (result > 0)
			result = find(stock, path, err);
	}
	lease_end(take_ptr(&stock->lease));
	return result;
}

/* The end of a process of this machine is told at once; of another's one has to look. */
static long pause_after(long long waited, const struct lease_holder *holder)
{
	long long pause = waited / LOOK_PART;

	if (holder->is_here || pause > LOOK_MOST)
		return LOOK_MOST;
	return pause < LOOK_LEAST ? LOOK_LEAST : (long)pause;
}

/* Until it is there, by whomever. */
static int build_or_wait(struct stock *stock, const struct shelf *shelf, char **path,
			 struct err *err)
{
	struct lease_watch watch = {.size = 0};
	struct lease_holder holder = {.pid = 0};
	long long begin = wait_clock_ms(), next = TELL_FIRST;

	for (;;) {
		struct lease_holder before = holder;
		long long waited = wait_clock_ms() - begin;
		int found = find(stock, path, err), result;

		if (found != 0)
			return found < 0 ? -1 : 0;
		result = lease_try(shelf->leases, stock->stem, stock->entry.name, &terms, &watch,
				   &stock->lease, &holder, err);
		if (result > 0)
			result = hold(stock, shelf, &before, path, err);
		else if (result == 0 && has_failed(stock, shelf, &before, &holder, err))
			result = -1;
		if (result != 0)
			return result < 0 ? -1 : 0;
		tell(stock, &holder, waited, &next);
		lease_sleep(&holder, pause_after(waited, &holder));
	}
}

static int make(struct stock *stock, const struct store_places *places, char **path,
		struct err *err)
{
	const char *pull[] = {"pull", NULL};

	if (stock->wish->offline)
		return err_set(err, "'%s' is not in the store, and no registry is asked",
			       stock->entry.name);
	if (conf_check(stock->recipe->conf, pull, err) < 0)
		return err_aim(err, "'%s' is not in the store", stock->entry.name);
	shelves_clear(&stock->shelves);
	return shelves_open(places, true, &stock->shelves, err) < 0
		       ? -1
		       : build_or_wait(stock, shelves_own(&stock->shelves), path, err);
}

static int get(struct stock *stock, const struct store_places *places, char **path, struct err *err)
{
	struct err why = {.text = ""};
	int found;

	stock->entry.resolved = time(NULL);
	if (stock->reference->digest.text[0])
		stock->entry.digest = stock->reference->digest;
	else if (is_fresh(stock))
		log_debug("no registry is asked");
	else if (stock->wish->offline || resolve(stock, &why) < 0)
		return recall_unasked(stock, &why, path, err);
	(void)shelf_stem(&stock->entry.digest, stock->entry.settings, stock->stem);
	found = find(stock, path, err);
	if (found < 0 || (found == 0 && make(stock, places, path, err) < 0))
		return -1;
	note(stock);
	return 0;
}

int stock_get(const struct stock_wish *wish, char **path, struct err *err)
{
	const struct conf *conf = wish->recipe->conf;
	struct stock stock = {.wish = wish, .recipe = wish->recipe};
	auto_store_places places = {0};
	auto_free char *name = stock_plain_name(wish->name);
	int result = -1;

	if (!name)
		return err_sys(err, "cannot look for '%s'", wish->name);
	if (shortname_resolve(name, conf->default_registry, &stock.reference, &stock.said, err) ==
		    0 &&
	    name_it(&stock, err) == 0 && store_places_find(conf, &places, err) == 0 &&
	    shelves_open(&places, false, &stock.shelves, err) == 0)
		result = get(&stock, &places, path, err);
	reference_free(stock.reference);
	free(stock.said);
	shelves_clear(&stock.shelves);
	return result;
}
