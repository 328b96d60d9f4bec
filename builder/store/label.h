/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * label.h - what a name meant when its registry was asked last.
 *
 * One small file for each name, so that two who note different names never meet, and who notes
 * the same one replaces the whole of it by rename(2): no lock, no list that is read, changed and
 * written back. Which file that is follows from name and settings, and which image it means from
 * the digest in it: nothing in such a file is ever a path. A file that makes no sense is as good as
 * none: the name is asked for anew, and noted anew. Its time of change says when the name was used
 * last, for an image's own file must not change.
 */
#ifndef FIRN_BUILDER_STORE_LABEL_H
#define FIRN_BUILDER_STORE_LABEL_H

#include "builder/store/shelf.h"

#include <time.h>

enum { LABEL_TEXT_SIZE = 600, LABEL_PLATFORM_SIZE = 100 };

struct label {
	char name[LABEL_TEXT_SIZE]; /* "docker.io/library/debian:12"; with "@DIGEST" if it was given
				     */
	char platform[LABEL_PLATFORM_SIZE]; /* for people */
	char settings[SHELF_SETTINGS_SIZE];
	struct digest digest; /* of what the registry has: an index or a manifest */
	time_t resolved;      /* when it was asked, by the clock of who did */
	time_t used;	      /* when somebody ran it last; not written */
};

/* What @name means with @settings, by @shelf. Returns 1, or 0 when there is nothing that tells. */
int label_find(const struct shelf *shelf, const char *name, const char *settings,
	       struct label *out);
/* Note @entry, in place of what is there. Returns 0, or -1 with @err. */
int label_note(const struct shelf *shelf, const struct label *entry, struct err *err);
/* The name is used now; where that cannot be noted, it is not. */
void label_touch(const struct shelf *shelf, const struct label *entry);
/* It means nothing any more. */
void label_forget(const struct shelf *shelf, const struct label *entry);

/* All there are on @shelf, a new array in no order, which the caller frees. 0, or -1 with @err. */
int label_all(const struct shelf *shelf, struct label **out, size_t *count, struct err *err);

#endif
