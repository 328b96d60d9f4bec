/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Whether layers that were fetched can be kept, and where. */
#include "runner/doctor/doctor.h"

#include "lib/conf/cache_place.h"

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
