/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cage/seccomp.h"

#include "lib/own.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Kernel headers have it, C libraries' do not all. */
#ifndef CLONE_DETACHED
#define CLONE_DETACHED 0x00400000
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

/* Numbers from here on are of x86's x32, which has the same architecture. */
enum { X32_BIT = 0x40000000 };

/* What C libraries start a thread with (CLONE_DETACHED: musl), and nothing else: no process. */
enum {
	THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		       CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID |
		       CLONE_DETACHED,
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define IF_AT_LEAST(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), (yes), (no))
#define IF_HAS(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define PRETEND_MISSING (SECCOMP_RET_ERRNO | ENOSYS)

static bool is_among(int what, const int *call, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (call[i] == what)
			return true;
	return false;
}

static size_t put(struct sock_filter *code, size_t len, const struct sock_filter *part,
		  size_t count)
{
	for (size_t i = 0; i < count; i++)
		code[len + i] = part[i];
	return len + count;
}

/*
 * clone(2) tells by its first argument what it makes; clone3(2) by what a pointer leads to,
 * which a filter cannot see: a C library that finds it missing uses the other one.
 */
static size_t put_threads(struct sock_filter *code, size_t len)
{
	static const struct sock_filter part[] = {
		IF_EQUAL(SYS_clone3, 0, 1),
		RETURN(PRETEND_MISSING),
		IF_EQUAL(SYS_clone, 0, 5),
		LOAD(args[0]),
		IF_HAS(~(unsigned)THREAD_FLAGS, 1, 0),
		IF_HAS(CLONE_THREAD, 1, 0),
		RETURN(REFUSE),
		LOAD(nr),
	};

	return put(code, len, part, COUNT_OF(part));
}

size_t seccomp_make(const int *call, size_t count, struct sock_filter code[SECCOMP_CODE_MAX])
{
	/* The protection is the third argument of both; the upper half of the word means nothing.
	 */
	static const struct sock_filter head[] = {
		LOAD(arch),
		IF_EQUAL(ARCHITECTURE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		IF_AT_LEAST(X32_BIT, 0, 1),
		RETURN(REFUSE),
		IF_EQUAL(SYS_mmap, 1, 0),
		IF_EQUAL(SYS_mprotect, 0, 4),
		LOAD(args[2]),
		IF_HAS(PROT_EXEC, 0, 1),
		RETURN(REFUSE),
		LOAD(nr),
	};
	size_t len;

	if (ARCHITECTURE == 0 || count > SECCOMP_CALLS_MAX)
		return 0;
	len = put(code, 0, head, COUNT_OF(head));
	if (is_among(SYS_clone, call, count))
		len = put_threads(code, len);
	/* A jump is over at most the list: below the 255 that it can say. */
	for (size_t i = 0; i < count; i++)
		code[len++] = (struct sock_filter)IF_EQUAL((unsigned)call[i],
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
