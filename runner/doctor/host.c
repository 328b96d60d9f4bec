/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Settings of the machine that firn or the programs in a container depend on. */
#include "runner/doctor/doctor.h"

#include "lib/cage/cage.h"
#include "lib/cage/seccomp.h"
#include "lib/file.h"
#include "lib/own.h"
#include "paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { MOUNTS_MAX = 16 << 20 };

#define BINFMT "/proc/sys/fs/binfmt_misc"

int doctor_read_line(const char *path, char *text, unsigned size)
{
	auto_file *file = fopen(path, "re");

	if (!file || !fgets(text, (int)size, file))
		return -1;
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static long long read_number(const char *path)
{
	char text[32];

	return doctor_read_line(path, text, sizeof(text)) == 0 ? atoll(text) : -1;
}

void doctor_limits(struct finding *finding)
{
	long long users = read_number("/proc/sys/user/max_user_namespaces");
	long long mounts = read_number("/proc/sys/user/max_mnt_namespaces");

	if (users < 0 || mounts < 0) {
		finding_set(finding, FINDING_WARNING, "unknown: /proc/sys/user cannot be read");
		return;
	}
	if (users == 0 || mounts == 0)
		finding_set(finding, FINDING_MISSING, "user.max_%s_namespaces is 0",
			    users == 0 ? "user" : "mnt");
	else if (users < 1024 || mounts < 1024)
		finding_set(finding, FINDING_WARNING,
			    "only %lld user and %lld mount namespaces a user", users, mounts);
	else
		finding_set(finding, FINDING_OK, "%lld user and %lld mount namespaces a user",
			    users, mounts);
	if (finding->kind != FINDING_OK)
		finding_remedy(finding, DOCTOR_RAISE_LIMITS);
}

void doctor_cage(struct finding *finding)
{
	const char *lacks = cage_lacks();

	if (!lacks) {
		finding_set(finding, FINDING_OK,
			    "who reads images and sources is shut in by seccomp and Landlock "
			    "(version %d)",
			    cage_landlock());
		return;
	}
	finding_set(finding, FINDING_WARNING, "who reads images and sources is not shut in by %s",
		    lacks);
	finding_remedy(finding,
		       seccomp_works()
			       ? "boot a kernel of 5.13 or newer with landlock among those of lsm="
			       : "boot a kernel with CONFIG_SECCOMP_FILTER");
}

const char *doctor_hides(const char *mounts)
{
	static const char option[] = "hidepid=";
	const char *hides = NULL;

	for (; mounts; mounts = strchr(mounts, '\n') ? strchr(mounts, '\n') + 1 : NULL) {
		const char *target = strchr(mounts, ' '), *value;
		size_t len = strcspn(mounts, "\n");

		if (!target || strncmp(target, " /proc proc ", strlen(" /proc proc ")) != 0)
			continue;
		value = memmem(mounts, len, option, sizeof(option) - 1);
		hides = value ? value + sizeof(option) - 1 : NULL;
	}
	if (hides && (hides[0] == '0' || strncmp(hides, "off", 3) == 0))
		return NULL;
	return hides;
}

void doctor_proc(struct finding *finding)
{
	auto_free char *mounts = NULL;
	const char *hides;
	struct err err;
	size_t size;

	if (file_read(AT_FDCWD, "/proc/mounts", MOUNTS_MAX, &mounts, &size, &err) < 0) {
		finding_set(finding, FINDING_WARNING, "unknown: %.200s", err.text);
		return;
	}
	hides = doctor_hides(mounts);
	if (!hides) {
		finding_set(finding, FINDING_OK,
			    "/proc shows them: ranks of one launcher find each other");
		return;
	}
	finding_set(
		finding, FINDING_OK,
		"/proc hides those of others (hidepid=%.*s); ranks of one launcher find each other",
		(int)strcspn(hides, ", \n"), hides);
}

void doctor_yama(struct finding *finding)
{
	long long scope = read_number("/proc/sys/kernel/yama/ptrace_scope");

	if (scope < 2) {
		finding_set(finding, FINDING_OK,
			    "debuggers and MPI's single copy between ranks can work");
		return;
	}
	finding_set(finding, FINDING_WARNING,
		    "kernel.yama.ptrace_scope is %lld: no single copy between MPI ranks (slower)",
		    scope);
	finding_remedy(finding, "echo kernel.yama.ptrace_scope=1 "
				">/etc/sysctl.d/90-firn-ptrace.conf && sysctl --system");
}

void doctor_terminal(struct finding *finding)
{
	long long allowed = read_number("/proc/sys/dev/tty/legacy_tiocsti");

	if (allowed == 0) {
		finding_set(finding, FINDING_OK, "a program cannot type into it (TIOCSTI is off)");
	} else if (allowed < 0) {
		finding_set(finding, FINDING_OK,
			    "this kernel (before 6.2) cannot switch TIOCSTI off");
	} else {
		finding_set(
			finding, FINDING_WARNING,
			"a program can type commands into the terminal that it runs on (TIOCSTI)");
		finding_remedy(finding,
			       "echo dev.tty.legacy_tiocsti=0 >/etc/sysctl.d/90-firn-tiocsti.conf "
			       "&& sysctl --system");
	}
}

void doctor_memlock(struct finding *finding)
{
	bool fabric = access("/dev/infiniband", F_OK) == 0;
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0) {
		finding_set(finding, FINDING_WARNING, "the limit cannot be read");
	} else if (limit.rlim_cur == RLIM_INFINITY) {
		finding_set(finding, FINDING_OK, "unlimited");
	} else if (!fabric) {
		finding_set(finding, FINDING_OK,
			    "%llu KiB; there is no InfiniBand that would need more",
			    (unsigned long long)limit.rlim_cur / 1024);
	} else {
		finding_set(finding, FINDING_WARNING, "%llu KiB: InfiniBand needs to pin more",
			    (unsigned long long)limit.rlim_cur / 1024);
		finding_remedy(finding,
			       "printf '* soft memlock unlimited\\n* hard memlock unlimited\\n' "
			       ">/etc/security/limits.d/90-memlock.conf; in slurm.conf "
			       "PropagateResourceLimitsExcept=MEMLOCK");
	}
}

void doctor_binfmt(struct finding *finding)
{
	char state[32];

	if (doctor_read_line(BINFMT "/firn", state, sizeof(state)) == 0 &&
	    strcmp(state, "enabled") == 0) {
		finding_set(finding, FINDING_OK, "squashfs images can be executed directly");
		return;
	}
	finding_set(finding, FINDING_OK,
		    "squashfs images cannot be executed directly (./image.sqfs)");
	finding_remedy(finding, "ln -s " PKGDATADIR "/binfmt.d/firn.conf /etc/binfmt.d/ && "
				"systemctl restart systemd-binfmt");
}
