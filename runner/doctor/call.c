/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What the kernel allows, tried in a child that enters namespaces as exec does. */
#include "runner/doctor/doctor.h"

#include "lib/file.h"
#include "lib/own.h"
#include "lib/plan.h"
#include "runner/mount/ns.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

enum { MOUNTINFO_MAX = 64 << 20 }; /* bytes */

struct outcome {
	bool entering;
	int code;
};

static struct outcome try_here(int (*step)(void))
{
	struct plan plan = {
		.uid = geteuid(), .gid = getegid(), .inner_uid = geteuid(), .inner_gid = getegid(),
	};
	struct err err;

	if (ns_enter(&plan, &err) < 0)
		return (struct outcome){true, err.code};
	/* AppArmor may let the namespace be made and refuse everything in it. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return (struct outcome){true, errno};
	return (struct outcome){false, step()};
}

int doctor_try_inside(int (*step)(void), bool *entering)
{
	struct outcome outcome = {true, EIO};
	int ends[2];
	pid_t child;

	*entering = true;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	child = fork();
	if (child == 0) {
		outcome = try_here(step);
		_exit(write(ends[1], &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : 1);
	}
	(void)close(ends[1]);
	if (child < 0 || read(ends[0], &outcome, sizeof(outcome)) != sizeof(outcome))
		outcome.code = EIO;
	(void)close(ends[0]);
	if (child > 0)
		(void)waitpid(child, NULL, 0);
	*entering = outcome.entering;
	return outcome.code;
}

void doctor_kernel(struct finding *finding)
{
	struct utsname name;
	unsigned major, minor;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2) {
		finding_set(finding, FINDING_WARNING, "its version is unknown");
		return;
	}
	if (major < 4 || (major == 4 && minor < 18)) {
		finding_set(finding, FINDING_MISSING,
			    "Linux %s cannot mount FUSE in user namespaces", name.release);
		finding_remedy(finding, "a kernel of version 4.18 or newer, better 5.14");
	} else if (major < 5 || (major == 5 && minor < 14)) {
		finding_set(finding, FINDING_WARNING,
			    "Linux %s works with fallbacks; 5.14 and newer start faster",
			    name.release);
		finding_remedy(finding, "a kernel of version 5.14 or newer");
	} else {
		finding_set(finding, FINDING_OK, "Linux %s, %s", name.release, name.machine);
	}
}

static int do_nothing(void)
{
	return 0;
}

static bool is_set_to(const char *path, const char *value)
{
	char text[32];

	return doctor_read_line(path, text, sizeof(text)) == 0 && strcmp(text, value) == 0;
}

/* Which of the two it is: a child that can still make a user namespace lacks the other. */
static const char *limit_reached(void)
{
	const char *limit = ns_limit_of(true);
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
	if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
		limit = ns_limit_of(false);
	return limit;
}

/* Of whom the kernel cannot say who he is, it takes no namespace (user_namespaces(7)). */
static bool has_no_users(void)
{
	char map[64];

	return access("/proc/self/uid_map", R_OK) == 0 &&
	       doctor_read_line("/proc/self/uid_map", map, sizeof(map)) < 0;
}

/* Why making a user namespace failed with @code, most likely. */
static void explain_namespaces(struct finding *finding, int code)
{
	char self[256] = "/usr/bin/firn";
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len > 0)
		self[len] = '\0';
	if (is_set_to("/proc/sys/kernel/unprivileged_userns_clone", "0"))
		finding_remedy(finding, "echo kernel.unprivileged_userns_clone=1 "
					">/etc/sysctl.d/90-firn-userns.conf && sysctl --system");
	else if (is_set_to("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		finding_remedy(
			finding,
			"AppArmor: printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile "
			"firn %s flags=(unconfined) {\\n  userns,\\n}\\n' >/etc/apparmor.d/firn "
			"&& apparmor_parser -r /etc/apparmor.d/firn",
			self);
	else if (code == ENOSPC || code == EUSERS)
		finding_remedy(finding, DOCTOR_RAISE_LIMITS);
	else if (code == EPERM && has_no_users())
		finding_remedy(finding, "map a user into the namespace around: unshare -r, or "
					"bwrap --uid");
	else if (code == EPERM || code == EACCES)
		finding_remedy(finding,
			       "inside another container or a chroot: run firn on the host, or "
			       "allow unshare(2) and mount(2) in its seccomp profile "
			       "(podman run --security-opt seccomp=unconfined)");
	else
		finding_remedy(finding, "a kernel with CONFIG_USER_NS=y");
}

void doctor_namespaces(struct finding *finding)
{
	bool entering;
	int code = doctor_try_inside(do_nothing, &entering);

	if (code == 0) {
		finding_set(finding, FINDING_OK, "a user and a mount namespace can be made");
		return;
	}
	if (code == ENOSPC || code == EUSERS)
		finding_set(finding, FINDING_MISSING, "cannot be made: the limit %s is reached",
			    limit_reached());
	else
		finding_set(finding, FINDING_MISSING, "cannot be made: %s", strerror(code));
	explain_namespaces(finding, code);
}

// clang-format off
/*
 * Each with arguments that the kernel refuses once it knows the call: flags that
 * do not exist, or descriptor -1.
 */
static const struct call {
	const char *name;
	long number;
	long arg[5];
} calls[] = {
	{"openat2", SYS_openat2, {-1, 0, 0, 0, 0}},
	{"open_tree", SYS_open_tree, {-1, 0, 0x40000000, 0, 0}},
	{"move_mount", SYS_move_mount, {-1, 0, -1, 0, 0x40000000}},
	{"mount_setattr", SYS_mount_setattr, {-1, 0, 0x40000000, 0, 0}},
	{"fsopen", SYS_fsopen, {0, 0x40000000, 0, 0, 0}},
	{"fsmount", SYS_fsmount, {-1, 0x40000000, 0, 0, 0}},
	{"close_range", SYS_close_range, {1, 0, 0, 0, 0}},
	{"pidfd_open", SYS_pidfd_open, {-1, 0, 0, 0, 0}},
	{"pidfd_getfd", SYS_pidfd_getfd, {-1, -1, 0, 0, 0}},
};
// clang-format on

/* A bit for each call that is missing (ENOSYS) or forbidden by a filter (EPERM). */
static int find_missing_calls(void)
{
	int missing = 0;

	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		const long *arg = calls[i].arg;

		if (syscall(calls[i].number, arg[0], arg[1], arg[2], arg[3], arg[4]) < 0 &&
		    (errno == ENOSYS || errno == EPERM))
			missing |= 1 << i;
	}
	return missing;
}

void doctor_calls(struct finding *finding)
{
	bool entering;
	int missing = doctor_try_inside(find_missing_calls, &entering);
	char names[160] = "";
	size_t used = 0;

	if (entering) {
		finding_set(finding, FINDING_WARNING, "not tried, for lack of namespaces");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		if (missing & 1 << i && used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, " %s",
						 calls[i].name);
	if (!missing) {
		finding_set(finding, FINDING_OK, "all that firn can use are there");
		return;
	}
	finding_set(finding, FINDING_WARNING, "not available, older ones are used instead:%s",
		    names);
	finding_remedy(finding,
		       "a kernel of version 5.14 or newer; in another container, a seccomp "
		       "profile that allows them");
}

/* Field 5 of a line of mountinfo: the mount point as seen from our root, proc_pid_mountinfo(5). */
static bool is_root_line(const char *line)
{
	for (int field = 1; field < 5; field++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return strncmp(line, "/ ", 2) == 0;
}

static bool root_is_mount(char *mounts)
{
	char *line;

	while ((line = strsep(&mounts, "\n")))
		if (is_root_line(line))
			return true;
	return false;
}

void doctor_root(struct finding *finding)
{
	auto_free char *mounts = NULL;
	struct err err;
	size_t size;

	if (file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &mounts, &size, &err) < 0 &&
	    err.code != ENOENT) {
		finding_set(finding, FINDING_WARNING, "%.200s", err.text);
	} else if (!mounts) {
		finding_set(finding, FINDING_MISSING, "/proc is not mounted");
		finding_remedy(finding, "mount -t proc proc /proc");
	} else if (root_is_mount(mounts)) {
		finding_set(finding, FINDING_OK, "is a mount");
	} else {
		finding_set(finding, FINDING_MISSING,
			    "this is a chroot, where the kernel refuses namespaces");
		finding_remedy(finding,
			       "run firn on the host, or enter by pivot_root(2) instead of "
			       "chroot(2) (systemd-nspawn does)");
	}
}

static int try_overlay(void)
{
	static const char *const dirs[] = {"lower", "upper", "work", "merged"};

	if (mount("firn", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k") < 0 ||
	    chdir("/tmp") < 0)
		return errno;
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return errno;
	return mount("overlay", "merged", "overlay", MS_NOSUID | MS_NODEV,
		     "userxattr,lowerdir=lower,upperdir=upper,workdir=work") < 0
		       ? errno
		       : 0;
}

void doctor_overlay(struct finding *finding)
{
	bool entering;
	int code = doctor_try_inside(try_overlay, &entering);

	if (code == 0) {
		finding_set(finding, FINDING_OK, "--overlay and --writable-tmpfs work");
	} else if (entering) {
		finding_set(finding, FINDING_WARNING, "not tried, for lack of namespaces");
	} else {
		finding_set(finding, FINDING_WARNING,
			    "--overlay and --writable-tmpfs do not work: %s", strerror(code));
		finding_remedy(finding, code == ENODEV
						? "modprobe overlay && echo overlay "
						  ">/etc/modules-load.d/overlay.conf"
						: "a kernel of version 5.11 or newer (userxattr)");
	}
}
