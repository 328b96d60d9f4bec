/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * options.h - firn-build's command lines.
 *
 * Reading them looks at the words, at SOURCE_DATE_EPOCH and at what machine this is, and at nothing
 * else: whether a file is there, or an option allowed, shows later. Texts point into argv.
 */
#ifndef FIRN_BUILDER_OPTIONS_H
#define FIRN_BUILDER_OPTIONS_H

#include "builder/build.h"
#include "lib/conf/conf.h"
#include "lib/log.h"

enum verb { VERB_BUILD, VERB_PULL, VERB_VERIFY, VERB_CACHE, VERB_IMAGES };

struct options {
	struct build_options build;
	struct platform platform;
	enum verb verb;
	unsigned given;      /* a bit for each option that was given */
	unsigned jobs;
	bool force, json, rebuild, help, no_cache;
	enum log_level level;
	const char *config;  /* --config */
	const char *from;    /* verify --rebuild --from */
	uint64_t keep;	     /* cache gc --keep, images gc --keep */
	uint64_t older;	     /* images gc --older, seconds */
	bool has_keep, has_older, offline;
	char **operand; /* what is left, ends with NULL; not set with @help */
	int count;
	struct tool *tool;   /* no option's: what main.c started for the source, or NULL */
};

/*
 * Read @argv, which begins behind the verb, ends with NULL and is put into another order,
 * operands last. Returns 0, or -1 with @err naming the word that is wrong.
 */
int options_read(enum verb verb, int argc, char **argv, struct options *out, struct err *err);
/* The site's configuration and that of --config; what it denies must not have been given. */
int options_read_conf(const struct options *options, struct conf **out, struct err *err);
/* Write "usage" and the options of @verb to standard output. */
void options_help(enum verb verb);

#endif
