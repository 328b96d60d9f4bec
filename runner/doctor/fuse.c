/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Whether an image can be mounted by FUSE, tried with a mount that nobody answers. */
#include "runner/doctor/doctor.h"

#include "lib/file.h"
#include "lib/own.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

/* What a user namespace of the machine's own has for a map (user_namespaces(7)). */
#define WHOLE_MAP "         0          0 4294967295\n"

enum { MAP_MAX = 1 << 20 };

const char *doctor_container(void)
{
	auto_free char *map = NULL;
	const char *said = getenv("container");
	struct err ignored;
	size_t size;

	if (getenv("FIRN_CONTAINER"))
		return "firn";
	if (access("/run/.containerenv", F_OK) == 0)
		return "podman";
	if (access("/.dockerenv", F_OK) == 0)
		return "docker";
	if (said && *said)
		return "other";
	return file_read(AT_FDCWD, "/proc/self/uid_map", MAP_MAX, &map, &size, &ignored) == 0 &&
			       strcmp(map, WHOLE_MAP) != 0
		       ? "other"
		       : NULL;
}

/* Of a container it is the start that decides, not the machine. */
static void explain_device(struct finding *finding, int code)
{
	const char *container = doctor_container();
	bool absent = code == ENOENT || code == ENODEV || code == ENXIO;

	finding_set(finding, FINDING_MISSING, "/dev/fuse%s: %s", absent ? "" : " cannot be opened",
		    strerror(code));
	if (container && (strcmp(container, "podman") == 0 || strcmp(container, "docker") == 0))
		finding_remedy(finding, "start this container with: %s run --device /dev/fuse",
			       container);
	else if (container && strcmp(container, "firn") == 0)
		finding_remedy(finding,
			       "start the container around with: firn exec --bind /dev/fuse");
	else if (container)
		finding_remedy(finding,
			       "have the container around show the host's /dev/fuse: "
			       "bwrap --dev-bind /dev /dev, podman run --device /dev/fuse");
	else if (absent)
		finding_remedy(finding,
			       "modprobe fuse && echo fuse >/etc/modules-load.d/fuse.conf");
	else
		finding_remedy(finding,
			       "chmod 0666 /dev/fuse && echo 'KERNEL==\"fuse\", MODE=\"0666\"' "
			       ">/etc/udev/rules.d/90-fuse.rules");
}

static int try_fuse(void)
{
	char options[128];
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (device < 0)
		return errno;
	(void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u",
		       device, (unsigned)geteuid(), (unsigned)getegid());
	return mount("firn", "/", "fuse", MS_NOSUID | MS_NODEV | MS_RDONLY, options) < 0 ? errno
											 : 0;
}

void doctor_fuse(struct finding *finding)
{
	auto_fd device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	bool entering;
	int code;

	if (device < 0) {
		explain_device(finding, errno);
		return;
	}
	code = doctor_try_inside(try_fuse, &entering);
	if (code == 0) {
		finding_set(finding, FINDING_OK, "an image can be mounted");
	} else if (entering) {
		finding_set(finding, FINDING_WARNING, "not tried, for lack of namespaces");
	} else {
		finding_set(finding, FINDING_MISSING, "cannot be mounted in a user namespace: %s",
			    strerror(code));
		finding_remedy(finding,
			       "a kernel of version 4.18 or newer with CONFIG_FUSE_FS, and no "
			       "security module that forbids the mount");
	}
}
