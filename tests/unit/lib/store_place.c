/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/conf/store_place.h"

#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANOTHER = 12345 };

static char scratch[] = "/tmp/firn-store-place.XXXXXX";
static struct err err;

static const char *below(const char *name)
{
	static char out[200];

	(void)snprintf(out, sizeof(out), "%s/%s", scratch, name);
	return out;
}

/* A conf that says @text, which is a site's if @trusted; NULL when it is refused. */
static struct conf *read_text(const char *text, bool trusted)
{
	auto_conf *conf = conf_new();
	auto_free char *copy = strdup(text);

	return conf && copy && conf_take_text(conf, copy, "firn.conf", trusted, &err) == 0
		       ? take_ptr(&conf)
		       : NULL;
}

/* What @text says; "A B C". */
static const char *found(const char *text)
{
	static char out[1000];
	auto_conf *conf = read_text(text, true);
	auto_store_places places = {0};
	size_t used = 0;

	out[0] = '\0';
	if (!conf)
		return NULL;
	if (store_places_find(conf, &places, &err) < 0)
		return err.text;
	for (size_t i = 0; i < places.count; i++)
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s", i ? " " : "",
					 places.item[i].path);
	return out;
}

static void directories_stand_in_their_order(void)
{
	(void)setenv("HOME", "/home/me", 1);
	(void)setenv("USER", "me", 1);
	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("FIRN_STORE");
	is_str(found(""), "/home/me/.local/share/firn/images", "the user's own is the default");
	(void)setenv("XDG_DATA_HOME", "/data", 1);
	is_str(found(""), "/data/firn/images", "XDG_DATA_HOME is heeded");
	is_str(found("[store]\ndir = /sw/images\ndir = /scratch/$USER/my images\n"),
	       "/sw/images /scratch/me/my images /data/firn/images",
	       "configured ones come first, one a line");
	is_str(found("[store]\ndir = ~/images\n"), "/home/me/images /data/firn/images", "~");
	(void)setenv("FIRN_STORE", "/only", 1);
	is_str(found("[store]\ndir = /sw/images\n"), "/only", "FIRN_STORE stands for all");
	(void)unsetenv("FIRN_STORE");
	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("HOME");
	is_str(found("[store]\ndir = /sw/images\n"), "/sw/images", "without a home the site's do");
	ok(strstr(found(""), "no place for images: set HOME"), "without any there is no telling");
	(void)setenv("HOME", "/home/me", 1);
	ok(!found("[store]\ndir = images\n"), "a relative one is refused");
	ok(!read_text("[store]\ngroup = yes\n", false), "only the site says that a group shares");
}

/* Whether the directory NAME can be one of a store; -1, or 1: it is only read. */
static int try_folder(const char *name, enum cache_use use)
{
	struct cache_place place = {.path = (char *)below(name), .use = use};
	auto_cache_folder folder = {.fd = -1};

	if (cache_folder_open(&place, NULL, false, &folder, &err) < 0)
		return -1;
	return folder.is_others;
}

static void make(const char *name, mode_t mode, uid_t owner)
{
	(void)mkdir(below(name), 0700);
	(void)!chown(below(name), owner, (gid_t)-1);
	(void)chmod(below(name), mode);
}

static void others_directories_are_read_if_they_alone_write(void)
{
	make("mine", 0755, geteuid());
	ok(try_folder("mine", PLACE_OF_STORE) == 0, "one's own");
	make("mine", 0775, geteuid());
	ok(try_folder("mine", PLACE_OF_STORE) == -1, "not if the group can write to it");
	ok(strstr(err.text, "others can write to it"), "which is said");
	ok(try_folder("mine", PLACE_OF_GROUP_STORE) == 0, "unless the site says that it shares");
	make("mine", 0777, geteuid());
	ok(try_folder("mine", PLACE_OF_GROUP_STORE) == -1, "never one that all can write to");
	if (geteuid() != 0)
		return;
	make("theirs", 0755, ANOTHER);
	ok(try_folder("theirs", PLACE_OF_STORE) == 1, "another's is read");
	ok(try_folder("theirs", PLACE_OF_CACHE) == -1, "but is no cache");
	make("theirs", 0775, ANOTHER);
	ok(try_folder("theirs", PLACE_OF_STORE) == -1, "not if his group can write to it");
	ok(try_folder("theirs", PLACE_OF_GROUP_STORE) == 0, "unless it is a group's");
	make("theirs", 0757, ANOTHER);
	ok(try_folder("theirs", PLACE_OF_GROUP_STORE) == -1, "nor one that all can write to");
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 2;
	directories_stand_in_their_order();
	others_directories_are_read_if_they_alone_write();
	(void)rmdir(below("mine"));
	(void)rmdir(below("theirs"));
	(void)rmdir(scratch);
	return done_testing();
}
