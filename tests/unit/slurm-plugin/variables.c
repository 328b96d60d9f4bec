/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/submit/variables.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

static struct err err;

/* The lines of what NAME=VALUE, NAME=VALUE, ... say; or what is wrong with it. */
static const char *said(const char *const *pairs)
{
	static char text[1024];
	struct slurm_wish wish = {0};
	char *lines = NULL;

	for (; pairs[0]; pairs += 2)
		(void)setenv(pairs[0], pairs[1], 1);
	if (variables_take(&wish, &err) < 0 || slurm_wish_print(&wish, &lines, &err) < 0)
		lines = strdup(err.text);
	(void)snprintf(text, sizeof(text), "%s", lines);
	free(lines);
	slurm_wish_clear(&wish);
	return text;
}

#define SAID(...) said((const char *const[]){__VA_ARGS__, NULL})

static void they_are_options(void)
{
	is_str(SAID("PYXIS_CONTAINER_IMAGE", "/i", "PYXIS_CONTAINER_MOUNTS", "/a:/b",
		    "PYXIS_CONTAINER_WORKDIR", "/w", "PYXIS_CONTAINER_NAME", "n:exec",
		    "PYXIS_CONTAINER_ENV", "A,B"),
	       "container-image=/i\ncontainer-mounts=/a:/b\ncontainer-workdir=/w\n"
	       "container-env=A,B\ncontainer-name=n:exec\n",
	       "those with a value");
	ok(!getenv("PYXIS_CONTAINER_IMAGE") && !getenv("PYXIS_CONTAINER_ENV"), "are taken away");
	is_str(SAID("PYXIS_CONTAINER_MOUNT_HOME", "1", "PYXIS_CONTAINER_REMAP_ROOT", "yes",
		    "PYXIS_CONTAINER_ENTRYPOINT", "True", "PYXIS_CONTAINER_WRITABLE", "on",
		    "PYXIS_CONTAINER_ENTRYPOINT_LOG", "1"),
	       "container-mount-home\ncontainer-remap-root\ncontainer-writable\n"
	       "container-entrypoint\n",
	       "those that say yes");
	is_str(SAID("PYXIS_CONTAINER_MOUNT_HOME", "0", "PYXIS_CONTAINER_REMAP_ROOT", "no",
		    "PYXIS_CONTAINER_ENTRYPOINT", "FALSE", "PYXIS_CONTAINER_WRITABLE", "off",
		    "PYXIS_CONTAINER_ENTRYPOINT_LOG", "0"),
	       "no-container-mount-home\nno-container-remap-root\ncontainer-readonly\n"
	       "no-container-entrypoint\n",
	       "or no");
	is_str(SAID("PYXIS_CONTAINER_READONLY", "0"), "container-writable\n", "not read-only");
	is_str(SAID("PYXIS_CONTAINER_READONLY", "1", "PYXIS_CONTAINER_WRITABLE", "1"),
	       "container-writable\n", "of two the one that allows more");
	is_str(SAID("PYXIS_OTHER", "1"), "", "others say nothing");
}

static void what_is_wrong_is_named(void)
{
	is_str(SAID("PYXIS_CONTAINER_WRITABLE", "maybe"),
	       "PYXIS_CONTAINER_WRITABLE: it takes 1 or 0, not 'maybe'", "neither yes nor no");
	is_str(SAID("PYXIS_CONTAINER_IMAGE", ""),
	       "PYXIS_CONTAINER_IMAGE: --container-image is empty",
	       "an empty image is not the host");
	ok(strstr(SAID("PYXIS_CONTAINER_SAVE", "/x", "PYXIS_CONTAINER_IMAGE", "/i"),
		  "PYXIS_CONTAINER_SAVE: --container-save is not there") &&
		   !getenv("PYXIS_CONTAINER_IMAGE"),
	   "and all are gone");
}

int main(void)
{
	they_are_options();
	what_is_wrong_is_named();
	return done_testing();
}
