/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * stock.h - the image that a name means, from the store, made once if it is not there.
 *
 * A name is resolved to a digest at its registry each time it is asked for, so that a tag that
 * moved is noticed at once; a digest needs no registry. Where the registry cannot be reached, what
 * the name meant last is taken, if its image is there, and a line says so. Then the image is looked
 * for by digest and settings in all directories of the store, and where it is missing one process
 * of all machines that share the directory builds it, under a lease (lease.h), while the others
 * wait and tell whom they wait for.
 */
#ifndef FIRN_BUILDER_STORE_STOCK_H
#define FIRN_BUILDER_STORE_STOCK_H

#include "builder/recipe.h"
#include "builder/store/shelf.h"

/* What is asked for; all of it borrowed. */
struct stock_wish {
	const char
		*name; /* as the user wrote it: with "docker://" or '#' behind the host, or not */
	const struct recipe *recipe; /* how to build it; the source is not looked at */
	bool offline;		     /* ask no registry */
};

/*
 * Put the path of the image's file into @path, the caller's to free. May take as long as the build
 * does, by whomever. Returns 0, or -1 with @err.
 */
int stock_get(const struct stock_wish *wish, char **path, struct err *err);

/* The digits that stand for how @recipe builds: its platform, compression, owners, and times. */
void stock_settings(const struct recipe *recipe, char out[SHELF_SETTINGS_SIZE]);

/*
 * A name as shortname.h has it, of any of the forms that are taken for one: "docker://NAME",
 * "HOST#NAME" as enroot has it, NAME. A new string, or NULL without memory.
 */
char *stock_plain_name(const char *name);

#endif
