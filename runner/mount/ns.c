/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/ns.h"

#include "lib/file.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* More than any kernel has; the first number it does not know ends the loop. */
enum { CAPABILITIES_MAX = 64, MAP_MAX = 1 << 20 };

static int write_file(const char *path, const char *text, struct err *err)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_sys(err, "cannot write '%s'", path);
	return 0;
}

static int map_id(const char *path, unsigned inner, unsigned outer, struct err *err)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "%u %u 1\n", inner, outer);
	return write_file(path, line, err);
}

const char *ns_limit_of(bool user)
{
	return user ? "user.max_user_namespaces" : "user.max_mnt_namespaces";
}

static int cannot_make(struct err *err)
{
	int code = errno;
	auto_free char *map = NULL;
	struct err ignored;
	size_t size;

	/* For both kinds ENOSPC; one of them can still be made if the other is at its limit. */
	if (code == ENOSPC) {
		bool user = unshare(CLONE_NEWUSER) < 0;

		return err_code(err, code,
				"cannot make a %s namespace (the limit %s is reached; "
				"see 'firn doctor')",
				user ? "user" : "mount", ns_limit_of(user));
	}
	/* The kernel wants to be able to say who made one. */
	if (code == EPERM &&
	    file_read(AT_FDCWD, "/proc/self/uid_map", MAP_MAX, &map, &size, &ignored) == 0 &&
	    size == 0)
		return err_code(err, code, "cannot make a user namespace: no user is mapped in the "
					   "one around it ('unshare -U' needs '-r' or another "
					   "map)");
	return err_code(err, code, "cannot make a user namespace (see 'firn doctor')");
}

int ns_enter(const struct plan *plan, struct err *err)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return cannot_make(err);
	/* Without this the kernel refuses the group map to an unprivileged user (Linux 3.19). */
	if (write_file("/proc/self/setgroups", "deny", err) < 0 ||
	    map_id("/proc/self/uid_map", plan->inner_uid, plan->uid, err) < 0)
		return -1;
	return map_id("/proc/self/gid_map", plan->inner_gid, plan->gid, err);
}

int ns_open(int *user, int *mnt, struct err *err)
{
	auto_fd fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);

	*mnt = fd < 0 ? -1 : open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (*mnt < 0)
		return err_sys(err, "cannot open the container's namespaces");
	*user = take_fd(&fd);
	return 0;
}

/* capset(2): the C library has no wrapper. */
static int clear_capabilities(struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capset, &head, none) < 0 ? err_sys(err, "cannot drop capabilities") : 0;
}

int ns_drop_capabilities(struct err *err)
{
	for (int capability = 0; capability < CAPABILITIES_MAX; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL && capability > 0)
			break;
		return err_sys(err, "cannot drop capability %d", capability);
	}
	return clear_capabilities(err);
}
