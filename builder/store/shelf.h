/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * shelf.h - one directory of the store: images by digest, names for people, leases.
 *
 *	sha256-HEX-SETTINGS.sqfs     an image, whole and right; never written to again
 *	.sha256-HEX-SETTINGS.TOKEN   one in the making, of the holder of that lease
 *	names/HEX                    what a name meant when it was asked for last (label.h)
 *	leases/sha256-HEX-SETTINGS.N  who makes that image now (lease.h)
 *
 * HEX is the digest of what the registry has under the name, an index or a manifest; SETTINGS
 *stands for the platform and for how it is built, so that one file is one result. An image appears
 *by link(2) once it is whole, and nobody ever sees half of one. Whose directories are good enough
 *is said in lib/conf/cache_place.h; in them only regular files count, by names that are made here.
 */
#ifndef FIRN_BUILDER_STORE_SHELF_H
#define FIRN_BUILDER_STORE_SHELF_H

#include "builder/digest.h"
#include "builder/store/lease.h"
#include "lib/conf/store_place.h"

#include <sys/stat.h>

enum {
	SHELF_SETTINGS_SIZE = 17,				      /* 16 hex digits */
	SHELF_STEM_SIZE = DIGEST_TEXT_SIZE + SHELF_SETTINGS_SIZE + 1, /* "sha256-HEX-SETTINGS" */
	SHELF_FILE_SIZE = SHELF_STEM_SIZE + LEASE_TOKEN_SIZE + 8,
};

/* One that is open. */
struct shelf {
	char *path;
	int folder, names, leases; /* descriptors; the last two -1 where they are not there */
	bool writable, is_groups;
};

/* All that are there, in the order of the configuration; those that are not are passed over. */
struct shelves {
	struct shelf *item;
	size_t count;
};

/*
 * Open the directories at @places; one that must not be used is told in a warning, and passed
 * over. With @make the first that can be written to is made if there is none that could be.
 * Returns 0, or -1 with @err where @make came to nothing.
 */
int shelves_open(const struct store_places *places, bool make, struct shelves *out,
		 struct err *err);
void shelves_clear(struct shelves *shelves);
#define auto_shelves CLEANUP(shelves_clear) struct shelves
/* The first that is the caller's to write to, or NULL. */
struct shelf *shelves_own(const struct shelves *shelves);

/* What the image of @digest built with @settings is called, without an end. Returns @out. */
const char *shelf_stem(const struct digest *digest, const char *settings,
		       char out[SHELF_STEM_SIZE]);
/* The other way round, of a file's name; false for one that is no image's. */
bool shelf_parse(const char *file, struct digest *digest, char settings[SHELF_SETTINGS_SIZE]);

/*
 * The path of the image @stem, the caller's to free, if it is there: a regular file that begins
 * as an image does. Returns 1, 0 when it is not there, or -1 with @err.
 */
int shelf_find(const struct shelf *shelf, const char *stem, char **path, struct err *err);

/* Begin the image @stem, as the holder of @lease: an empty file without the image's name. Leavings
 * of others who began it, and are dead, go. Returns a descriptor, the caller's, or -1 with @err. */
int shelf_begin(const struct shelf *shelf, const char *stem, const struct lease *lease,
		struct err *err);
/* Remove what others have begun of @stem: the caller holds its lease, so they are dead. */
void shelf_sweep(const struct shelf *shelf, const char *stem);
/* It is whole: it gets its name, unless another with that name came first. 0, or -1 with @err. */
int shelf_publish(const struct shelf *shelf, const char *stem, const struct lease *lease, int fd,
		  struct err *err);
/* It came to nothing, or was published. */
void shelf_abandon(const struct shelf *shelf, const char *stem, const struct lease *lease);

#endif
