/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Whether what the site wants to be shown in every container is there on this node. */
#include "runner/doctor/doctor.h"

#include "lib/conf/conf.h"
#include "lib/own.h"
#include "runner/ask/request.h"

#include <string.h>

/* Append @path to the finding's text, as long as there is room. */
static void append(struct finding *finding, const char *path)
{
	size_t used = strlen(finding->text);

	(void)snprintf(finding->text + used, sizeof(finding->text) - used, " '%s'", path);
}

void doctor_binds_of(const struct conf *conf, struct finding *finding)
{
	size_t missing = 0;

	finding_set(finding, FINDING_OK, "%zu configured", conf->bind.count);
	for (size_t i = 0; i < conf->bind.count; i++) {
		struct request_mount mount = {0};
		struct err err;

		if (request_bind_configured(conf->bind.item[i], &mount, &err) < 0) {
			finding_set(finding, FINDING_MISSING, "%.200s", err.text);
			return;
		}
		if (!mount.optional && access(mount.source, F_OK) < 0) {
			if (missing++ == 0)
				finding_set(finding, FINDING_WARNING, "not on this machine:");
			append(finding, mount.source);
		}
		request_mount_clear(&mount);
	}
	if (missing > 0)
		finding_remedy(
			finding,
			"mount it, or write SRC:DST:optional in firn.conf where it may be missing");
}

void doctor_binds(struct finding *finding)
{
	auto_conf *conf = NULL;
	struct err err;

	if (conf_read(NULL, &conf, &err) < 0)
		finding_set(finding, FINDING_WARNING, "the configuration cannot be read");
	else
		doctor_binds_of(conf, finding);
}
