/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Whether layers that were fetched can be kept, and images of registries' names, and where. */
#include "runner/doctor/doctor.h"

#include "lib/conf/store_place.h"

#include <fcntl.h>
#include <unistd.h>

static int name_of_user(char *out, size_t size)
{
	auto_free char *program = doctor_find_program("id");
	char *argv[] = {program, (char *)"-un", NULL};

	return program ? doctor_run(argv, out, (unsigned)size) : -1;
}

/* Of the place that was found: the builder opens it likewise. */
static void tell_folder(struct finding *finding, const struct cache_place *place)
{
	auto_cache_folder folder = {.fd = -1};
	struct err err;

	if (cache_folder_open(place, name_of_user, false, &folder, &err) < 0) {
		finding_set(finding, FINDING_WARNING, "%.250s", err.text);
		finding_remedy(finding, "%.500s", folder.remedy);
	} else if (folder.is_of_all) {
		finding_set(finding, FINDING_OK, "'%.160s', with a folder for each user",
			    place->path);
	} else {
		finding_set(finding, FINDING_OK, "'%.160s'%s", folder.path,
			    folder.fd < 0 ? ", made when it is needed" : "");
	}
}

void doctor_cache(struct finding *finding)
{
	auto_conf *conf = NULL;
	auto_cache_place place = {0};
	struct err err;

	if (conf_read(NULL, &conf, &err) < 0)
		conf = conf_new(); /* what is wrong with it is told elsewhere */
	if (conf && cache_place_find(conf, &place, &err) == 0) {
		tell_folder(finding, &place);
		return;
	}
	finding_set(finding, FINDING_WARNING, "%.200s", conf ? err.text : "out of memory");
	finding_remedy(finding, "export HOME, or name a directory in firn.conf: [build] cache");
}

/* The directory that images are made in, the first that is the caller's to write to. */
struct own_store {
	char *path;
	bool is_there;
	size_t read; /* others, that are there */
};

/* Returns 0, or -1 with what is wrong with @place in @finding. */
static int look_at_place(const struct cache_place *place, struct own_store *own,
			 struct finding *finding)
{
	auto_cache_folder folder = {.fd = -1};
	struct err err;

	if (cache_folder_open(place, name_of_user, false, &folder, &err) < 0) {
		finding_set(finding, FINDING_WARNING, "%.250s", err.text);
		finding_remedy(finding, "%.500s", folder.remedy);
		return -1;
	}
	if (!own->path && !folder.is_others &&
	    (folder.fd < 0 || faccessat(folder.fd, ".", W_OK, AT_EACCESS) == 0)) {
		own->is_there = folder.fd >= 0;
		own->path = take_ptr(&folder.path);
	} else if (folder.fd >= 0) {
		own->read++;
	}
	return 0;
}

void doctor_store(struct finding *finding)
{
	auto_conf *conf = NULL;
	auto_store_places places = {0};
	struct own_store own = {.path = NULL};
	struct err err;
	bool good = true;

	if (conf_read(NULL, &conf, &err) < 0)
		conf = conf_new();
	if (!conf || store_places_find(conf, &places, &err) < 0) {
		finding_set(finding, FINDING_WARNING, "%.200s", conf ? err.text : "out of memory");
		finding_remedy(finding,
			       "export HOME, or name a directory in firn.conf: [store] dir");
		return;
	}
	for (size_t i = 0; i < places.count && good; i++)
		good = look_at_place(&places.item[i], &own, finding) == 0;
	if (good && own.path)
		finding_set(finding, FINDING_OK, "'%.160s'%s%s", own.path,
			    own.is_there ? "" : ", made when it is needed",
			    own.read ? ", and others that are read" : "");
	else if (good)
		finding_set(finding, FINDING_WARNING,
			    "none of %zu directories is yours to write to", places.count);
	free(own.path);
}
