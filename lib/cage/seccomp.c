/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cage/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

/* Numbers from here on are of x86's x32, which has the same architecture. */
enum { X32_BIT = 0x40000000 };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)

size_t seccomp_make(const int *call, size_t count, struct sock_filter code[SECCOMP_CODE_MAX])
{
	/* mmap's protection is its third argument; the upper half of the word means nothing. */
	const struct sock_filter head[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
		RETURN(REFUSE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
		RETURN(REFUSE),
		LOAD(nr),
	};
	size_t len = 0;

	if (ARCHITECTURE == 0 || count > SECCOMP_CALLS_MAX)
		return 0;
	for (; len < sizeof(head) / sizeof(head[0]); len++)
		code[len] = head[len];
	/* A jump is over at most the list: below the 255 that it can say. */
	for (size_t i = 0; i < count; i++)
		code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (unsigned)call[i],
							   (unsigned char)(count - i), 0);
	code[len++] = (struct sock_filter)RETURN(REFUSE);
	code[len++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	return len;
}

int seccomp_close(const int *call, size_t count, struct err *err)
{
	struct sock_filter code[SECCOMP_CODE_MAX];
	struct sock_fprog program = {
		.len = (unsigned short)seccomp_make(call, count, code),
		.filter = code,
	};
	/* Speculation is not restricted (the default before Linux 5.16): it would cost all
	 * decompression. */
	unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;

	if (program.len == 0)
		return err_code(err, ENOSYS, "cannot filter system calls");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) != 0)
		return err_sys(err, "cannot filter system calls");
	return 0;
}

bool seccomp_works(void)
{
	unsigned action = SECCOMP_RET_ERRNO;

	return ARCHITECTURE != 0 &&
	       syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}
