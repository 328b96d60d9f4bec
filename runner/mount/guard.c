/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/guard.h"

#include "lib/log.h"
#include "lib/own.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/*
 * The number of ioctl(2) for each way into this kernel: a program may use the calls of a
 * 32-bit system, or of x32, for the same terminal. The numbers of the commands are the same.
 */
struct way {
	uint32_t arch;
	uint32_t number;
};

#if defined(__x86_64__)
enum { X32_BIT = 0x40000000, IOCTL_I386 = 54, IOCTL_X32 = X32_BIT | 514 };
static const struct way ways[] = {
	{AUDIT_ARCH_X86_64, SYS_ioctl},
	{AUDIT_ARCH_X86_64, X32_BIT | SYS_ioctl}, /* taken as well by kernels before 5.4 */
	{AUDIT_ARCH_X86_64, IOCTL_X32},
	{AUDIT_ARCH_I386, IOCTL_I386},
};
#elif defined(__aarch64__)
enum { IOCTL_ARM = 54 };
static const struct way ways[] = {
	{AUDIT_ARCH_AARCH64, SYS_ioctl},
	{AUDIT_ARCH_ARM, IOCTL_ARM},
};
#elif defined(__riscv) && __riscv_xlen == 64
static const struct way ways[] = {{AUDIT_ARCH_RISCV64, SYS_ioctl}};
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static const struct way ways[] = {{AUDIT_ARCH_PPC64LE, SYS_ioctl}};
#elif defined(__s390x__)
enum { IOCTL_S390 = 54 };
static const struct way ways[] = {{AUDIT_ARCH_S390X, SYS_ioctl}, {AUDIT_ARCH_S390, IOCTL_S390}};
#else
#define NO_WAYS
static const struct way ways[1];
#endif

enum {
	PER_WAY = 5, /* instructions */
	TAIL = 4,
	/* The kernel takes the lower half of the command, so a program may put anything above. */
	COMMAND_AT = offsetof(struct seccomp_data, args) + 8 +
		     (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0),
};

/* One way: if the call is its ioctl, go to the tail, @after instructions behind it. */
static void add_way(struct sock_filter *code, const struct way *way, unsigned after)
{
	const struct sock_filter filter[PER_WAY] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, way->arch, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, way->number, 0, 1),
		BPF_STMT(BPF_JMP | BPF_JA, after),
	};

	memcpy(code, filter, sizeof(filter));
}

static int install(struct sock_fprog *program)
{
	/*
	 * Without SPEC_ALLOW older kernels slow the program down against Spectre, as they do
	 * with all that are caged. It is not: it may do all but these two things.
	 */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		    program) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program);
}

int guard_terminal(struct err *err)
{
	static const struct sock_filter tail[TAIL + 1] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, COMMAND_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_filter code[COUNT_OF(ways) * PER_WAY + TAIL + 2];
	struct sock_fprog program = {.len = COUNT_OF(code), .filter = code};

#ifdef NO_WAYS
	return err_set(err, "cannot keep the program from typing into the terminal: this machine's "
			    "system calls are not known");
#endif
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		add_way(code + i * PER_WAY, &ways[i],
			(unsigned)((COUNT_OF(ways) - 1 - i) * PER_WAY) + 1);
	memcpy(code + COUNT_OF(ways) * PER_WAY, tail, sizeof(tail));
	code[COUNT_OF(code) - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (install(&program) < 0)
		return err_sys(err, "cannot keep the program from typing into the terminal "
				    "(seccomp)");
	return 0;
}

static int shut(int fd)
{
	auto_fd null = -1;

	log_warning("descriptor %d is a directory, from which the host can be reached: it is "
		    "closed",
		    fd);
	if (fd > STDERR_FILENO)
		return close(fd);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	return null < 0 || dup2(null, fd) < 0 ? -1 : 0;
}

int guard_descriptors(struct err *err)
{
	auto_dir *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	struct stat stat;

	if (!dir)
		return err_sys(err, "cannot tell which descriptors lead out ('/proc/self/fd')");
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		int fd = atoi(entry->d_name);

		/* Also one that was opened with O_PATH. */
		if (entry->d_name[0] == '.' || fd == dirfd(dir) || fstat(fd, &stat) < 0 ||
		    !S_ISDIR(stat.st_mode))
			continue;
		if (shut(fd) < 0)
			return err_sys(err, "cannot close descriptor %d", fd);
	}
	return errno == 0 ? 0
			  : err_sys(err, "cannot tell which descriptors lead out "
					 "('/proc/self/fd')");
}
