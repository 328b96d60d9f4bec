/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * cache_place.h - where the cache of fetched layers is, for who uses it and for who tells; and
 * the same care for the directories of the store (store_place.h).
 *
 * A place that a user names is his to make. One that firn.conf names is the site's as far as it is
 * the same for all users: who made "/scratch/firn" of "/scratch/firn/$USER" would own it, and
 * nobody else could have a cache. So firn makes nothing of that part, unless it lies in a
 * directory of the caller's own, as that of an install below his home.
 */
#ifndef FIRN_LIB_CONF_CACHE_PLACE_H
#define FIRN_LIB_CONF_CACHE_PLACE_H

#include "lib/conf/conf.h"
#include "lib/own.h"

enum cache_use { PLACE_OF_CACHE, PLACE_OF_STORE, PLACE_OF_GROUP_STORE };

struct cache_place {
	char *path;
	size_t shared; /* bytes of @path, whole parts of it, that are the same for all users */
	enum cache_use use;
};

/*
 * $FIRN_CACHE, firn.conf's [build] cache, $XDG_CACHE_HOME/firn or ~/.cache/firn, in @out, which is
 * cleared by the caller. It need not be there. Returns 0, or -1 where there is no telling.
 */
int cache_place_find(const struct conf *conf, struct cache_place *out, struct err *err);
void cache_place_clear(struct cache_place *place);
/* Bytes of @text, a path of firn.conf, that stand before the first part with a variable. */
size_t cache_shared_part(const char *text);
#define auto_cache_place CLEANUP(cache_place_clear) struct cache_place

/*
 * Put the caller's name as the system has it into @out of @size bytes; the environment says what
 * it likes. Returns 0, or -1: he has none. Not of this room: firn is linked without the C
 * library's look-up of names, and has others asked.
 */
typedef int user_name(char *out, size_t size);

/* What is in it: an OCI image layout (oci-layout, index.json), and what is not whole yet. */
#define CACHE_BLOBS "blobs"
#define CACHE_BLOBS_SHA256 "blobs/sha256"
#define CACHE_BLOBS_SHA512 "blobs/sha512"
#define CACHE_INGEST "ingest"

/* The directory of the caller's cache. */
struct cache_folder {
	int fd;		  /* opened for reading; -1: it is not there yet */
	char *path;	  /* the place itself, or in one for all the folder of the caller's name */
	bool is_of_all;	  /* which of the two */
	bool is_others; /* of a store: another's, who alone writes to it, so that it is only read */
	char remedy[512]; /* what helps against the error, as a command where there is one; or "" */
};

/*
 * Open the directory at @place; @make it and what is missing above it with mode 0700, or only tell
 * whether that could be done and something be kept there, which is tried with a file that has no
 * name. It must be the caller's own, and nobody else's to write to. Where the
 * place is for all, root's and sticky as /tmp, so that who makes a folder in it can be sure that it
 * stays his, the folder of the caller's @name, else his number, is meant: not one that another made
 * first, and no link. A link in the place's last part is followed if it is root's or the caller's.
 * A directory of a store may be another's that nobody else can write to: whoever named it trusts
 * him. Of a group's store it may be anybody's, and the group's to write to.
 * Returns 0, or -1 with @err and a remedy in @out, which is cleared by the caller in any case.
 */
int cache_folder_open(const struct cache_place *place, user_name *name, bool make,
		      struct cache_folder *out, struct err *err);
void cache_folder_clear(struct cache_folder *folder);
#define auto_cache_folder CLEANUP(cache_folder_clear) struct cache_folder

#endif
