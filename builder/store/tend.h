/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * tend.h - what is in the store, and less of it.
 *
 * Listing reads all directories; removing is done in those that the caller may write to. An image
 * that is open stays readable to whoever has it open on this machine, so that one in use can go: it
 * is said, where the kernel can tell. What dead builders left is removed by gc, with their leases:
 * whether one is dead is the lease's question (lease.h), never that of a file's age.
 */
#ifndef FIRN_BUILDER_STORE_TEND_H
#define FIRN_BUILDER_STORE_TEND_H

#include "builder/recipe.h"
#include "builder/store/label.h"

/* An image, and what it is called; owned by the list. */
struct tend_image {
	const struct shelf *shelf;
	char file[256];
	struct digest digest;
	char settings[SHELF_SETTINGS_SIZE];
	uint64_t size;
	time_t built, used;
	struct label *name; /* those that mean it, on its shelf */
	size_t name_count;
};

struct tend_list {
	struct tend_image *item;
	size_t count;
};

/* All images of @shelves, the one used last first. Returns 0, or -1 with @err. */
int tend_list(const struct shelves *shelves, struct tend_list *out, struct err *err);
void tend_list_clear(struct tend_list *list);
#define auto_tend_list CLEANUP(tend_list_clear) struct tend_list

/*
 * Whether @what means @image: one of its names, its digest, or at least 12 digits that the digest
 * begins with. @full is @what as a registry's whole name, or NULL where it is none. With a name in
 * @name, which of them.
 */
bool tend_is_meant(const struct tend_image *image, const char *what, const char *full,
		   const struct label **name);

/* Whether some process of this machine has it open; false where that cannot be told. */
bool tend_is_in_use(const struct tend_image *image);

/* Remove the image and all its names. Returns 0, or -1 with @err. */
int tend_remove(const struct tend_image *image, struct err *err);

/* What gc is to leave: at most @keep bytes, nothing that was not used for @older seconds. */
struct tend_rest {
	bool has_keep, has_older;
	uint64_t keep;
	time_t older;
};
struct tend_removed {
	size_t count, spared; /* spared: in use */
	uint64_t size, left;
};
/* Remove images until @rest is all there is, longest unused first, and what dead builders left. */
int tend_gc(const struct shelves *shelves, const struct tend_rest *rest, struct tend_removed *out,
	    struct err *err);

#endif
