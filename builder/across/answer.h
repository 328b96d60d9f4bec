/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * answer.h - the line's end outside of the cage: fetches, opens, keeps.
 *
 * A thread for each reader of layers, started for its first question, waits for the question for a
 * blob, and then moves its bytes into a pipe. What is asked for is checked: documents and blobs by
 * a digest that a document named which was handed over before (given.h), of sizes that [build]
 * max-size allows; files of the one layout that a layout has.
 */
#ifndef FIRN_BUILDER_ACROSS_ANSWER_H
#define FIRN_BUILDER_ACROSS_ANSWER_H

#include "builder/across/line.h"
#include "builder/fetch/supply.h"

/* What there is to be asked for. */
struct answer_about {
	/* A registry's image; NULL: none is meant. */
	const struct reference *reference;
	const struct conf *conf;
	const struct cache_place *cache; /* NULL: none */
	int folder;	  /* an OCI layout; -1 */
	const char *name; /* of either, for messages */
	size_t max;	  /* bytes of a document */
	int room;	  /* the image's file: what is free where it will be is told; -1: not */
};

struct answer;

/* Make the sockets: @theirs (LINE_SOCKETS) are for the other process, -1: not needed. */
int answer_new(const struct answer_about *about, struct answer **out, int theirs[LINE_SOCKETS],
	       struct err *err);
/* The other process is there, and has its ends; ours of them are closed. Begins to answer. */
void answer_begin(struct answer *answer, int theirs[LINE_SOCKETS]);
/* The socket whose questions answer_one() answers, when there is one; false: there will be none. */
int answer_socket(const struct answer *answer);
bool answer_one(struct answer *answer);
/* The other process has ended. What is still fetched is given up; waits for the threads. */
void answer_end(struct answer *answer);

#endif
