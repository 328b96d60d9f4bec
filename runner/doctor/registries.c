/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Whether what firn.conf says of registries can be used here, without asking any of them. */
#include "runner/doctor/doctor.h"

#include "lib/conf/conf.h"
#include "lib/file.h"
#include "lib/host.h"
#include "lib/own.h"
#include "paths.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { CA_MAX = 16 << 20 };

#define SITE_FILE SYSCONFDIR "/firn/firn.conf"

/* Whether @path holds certificates that this user can read; or what is wrong with it, in @err. */
static int check_ca(const char *path, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	auto_free char *text = NULL;
	struct stat stat_;
	size_t size;

	if (fd < 0)
		return err_sys(err, "cannot read it");
	if (fstat(fd, &stat_) < 0 || !S_ISREG(stat_.st_mode))
		return err_set(err, "it is no regular file");
	if (file_read_fd(fd, path, CA_MAX, &text, &size, err) < 0)
		return -1;
	if (!memmem(text, size, "CERTIFICATE-----", strlen("CERTIFICATE-----")))
		return err_set(err, "it holds no certificate in PEM");
	return 0;
}

/* Whether the host of the URL @mirror may be asked as it says. */
static bool may_be_asked(const struct conf *conf, const char *mirror)
{
	const struct conf_registry *section;
	auto_free char *host = NULL;
	const char *at;
	size_t len;

	at = host_of_url(mirror, &len);
	host = strndup(at, len);
	section = host ? conf_registry(conf, host) : NULL;
	return strncasecmp(mirror, "https:", strlen("https:")) == 0 ||
	       (section && section->insecure) || (host && host_is_loopback(host));
}

static bool check(const struct conf *conf, const struct conf_registry *registry, const char *path,
		  struct finding *finding)
{
	struct err err;

	if (registry->ca && check_ca(registry->ca, &err) < 0) {
		finding_set(finding, FINDING_WARNING, "'%.60s' line %d: ca = %.80s: %.60s", path,
			    conf_registry_line(registry, "ca"), registry->ca, err.text);
		finding_remedy(finding, "name a file of certificates in PEM that all can read");
		return false;
	}
	if (registry->mirror && !may_be_asked(conf, registry->mirror)) {
		finding_set(finding, FINDING_WARNING,
			    "'%.60s' line %d: mirror = %.80s is never asked over plain http", path,
			    conf_registry_line(registry, "mirror"), registry->mirror);
		finding_remedy(finding, "https://, or a section for the mirror's own host: "
					"[registry \"HOST\"] insecure = yes");
		return false;
	}
	return true;
}

void doctor_registries_of(const struct conf *conf, const char *path, struct finding *finding)
{
	for (size_t i = 0; i < conf->registry_count; i++)
		if (!check(conf, &conf->registry[i], path, finding))
			return;
	finding_set(finding, FINDING_OK, "%zu configured", conf->registry_count);
}

void doctor_registries(struct finding *finding)
{
	auto_conf *conf = NULL;
	struct err err;

	if (conf_read(NULL, &conf, &err) < 0)
		finding_set(finding, FINDING_WARNING, "the configuration cannot be read");
	else
		doctor_registries_of(conf, SITE_FILE, finding);
}
