/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cage/cage.h"

#include "lib/cage/seccomp.h"
#include "lib/log.h"
#include "lib/own.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Numbers are the same on all architectures; an older libc does not know them. */
enum { CREATE_RULESET = 444, RESTRICT_SELF = 446, RULESET_VERSION = 1, FILES_MAX = 32 };

/*
 * A sanitizer reserves more of the address space than any limit allows, and tells what it
 * found by calls of its own.
 */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* struct landlock_ruleset_attr as of ABI 6; older kernels take its beginning. */
struct ruleset {
	uint64_t files, net, scope;
};

/* All rights on files that each ABI knows: 13 of them first, then refer, truncate, ioctl_dev. */
static struct ruleset all_rights(int abi)
{
	struct ruleset rights = {.files = (UINT64_C(1) << 13) - 1};

	if (abi >= 2)
		rights.files |= UINT64_C(1) << 13;
	if (abi >= 3)
		rights.files |= UINT64_C(1) << 14;
	if (abi >= 5)
		rights.files |= UINT64_C(1) << 15;
	if (abi >= 4)
		rights.net = 3; /* bind and connect, TCP */
	if (abi >= 6)
		rights.scope = 3; /* abstract sockets and signals, to those outside */
	return rights;
}

int cage_landlock(void)
{
	long abi = syscall(CREATE_RULESET, NULL, 0, RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

bool cage_is_sanitized(void)
{
	return SANITIZED;
}

const char *cage_lacks(void)
{
	bool landlock = cage_landlock() > 0, filter = seccomp_works();

	return landlock && filter ? NULL
	       : landlock	  ? "seccomp"
	       : filter		  ? "Landlock"
				  : "seccomp and Landlock";
}

/* No rule: nothing is allowed. What is open stays so. */
static int landlock(struct err *err)
{
	int abi = cage_landlock();
	struct ruleset rights = all_rights(abi);
	size_t size = abi >= 6 ? sizeof(rights) : abi >= 4 ? 16 : 8;
	auto_fd ruleset = -1;

	if (abi == 0)
		return err_code(err, ENOSYS, "cannot use Landlock");
	ruleset = (int)syscall(CREATE_RULESET, &rights, size, 0);
	if (ruleset < 0 || syscall(RESTRICT_SELF, ruleset, 0) != 0)
		return err_sys(err, "cannot use Landlock");
	return 0;
}

int cage_drop_capabilities(unsigned long long keep, struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct set[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, set) != 0)
		return err_sys(err, "cannot drop capabilities");
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		set[i].permitted &= (uint32_t)(keep >> 32 * i);
		set[i].effective = set[i].permitted;
		set[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, set) != 0)
		return err_sys(err, "cannot drop capabilities");
	return 0;
}

static int limit(int what, size_t value, struct err *err)
{
	struct rlimit now;

	if (getrlimit(what, &now) < 0)
		return err_sys(err, "cannot limit the process");
	if (now.rlim_max > value)
		now.rlim_max = value;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(what, &now) < 0)
		return err_sys(err, "cannot limit the process");
	return 0;
}

/* That the kernel lacks something is said elsewhere (cage_lacks()); that it refuses it is not. */
static int go_without(const struct cage *cage, const struct err *err)
{
	if (cage->require)
		return -1;
	if (err->code != ENOSYS)
		log_info("%s; going on without", err->text);
	return 0;
}

int cage_enter(const struct cage *cage, struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, "cannot give up privileges");
	if (cage_drop_capabilities(0, err) < 0)
		return -1;
	if (landlock(err) < 0 && go_without(cage, err) < 0)
		return -1;
	if ((!cage->writes && limit(RLIMIT_FSIZE, 0, err) < 0) || limit(RLIMIT_CORE, 0, err) < 0 ||
	    limit(RLIMIT_NOFILE, cage->files > 0 ? cage->files : FILES_MAX, err) < 0)
		return -1;
	if (cage->writes && cage->length > 0 && limit(RLIMIT_FSIZE, cage->length, err) < 0)
		return -1;
	if (!SANITIZED && cage->data > 0 && limit(RLIMIT_DATA, cage->data, err) < 0)
		return -1;
	return SANITIZED || cage->memory == 0 ? 0 : limit(RLIMIT_AS, cage->memory, err);
}

int cage_close(const struct cage *cage, struct err *err)
{
	/* Threads count as processes do. */
	if (!cage->threads && limit(RLIMIT_NPROC, 0, err) < 0)
		return -1;
	if (!SANITIZED && seccomp_close(cage->call, cage->count, err) < 0 &&
	    go_without(cage, err) < 0)
		return -1;
	return 0;
}

struct cage cage_of_reader(size_t memory, bool require)
{
	static const int calls[] = {
		SYS_read, SYS_pread64, SYS_lseek,  SYS_write,  SYS_writev, SYS_close,
		SYS_brk,  SYS_mmap,    SYS_mremap, SYS_munmap, SYS_madvise, SYS_futex,
		SYS_clock_gettime, SYS_rt_sigprocmask, SYS_restart_syscall, SYS_rt_sigreturn,
		SYS_exit_group,
	};

	return (struct cage){
		.memory = memory,
		.writes = true,
		.require = require,
		.call = calls,
		.count = COUNT_OF(calls),
	};
}

int cage_read_only(size_t memory, bool require, struct err *err)
{
	struct cage cage = cage_of_reader(memory, require);

	return cage_enter(&cage, err) < 0 ? -1 : cage_close(&cage, err);
}
