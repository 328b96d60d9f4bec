/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/cage/cage.h"

#include "lib/cage/seccomp.h"
#include "lib/own.h"
#include "tests/tools/escape.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#if defined(__x86_64__)
#define HERE AUDIT_ARCH_X86_64
#else
#define HERE AUDIT_ARCH_AARCH64
#endif

/* What the kernel would decide: the few instructions that the filter is made of. */
static uint32_t decide(const struct sock_filter *code, size_t len, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t at = 0; at < len; at++) {
		const struct sock_filter *now = &code[at];

		switch (now->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + now->k, sizeof(a));
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == now->k ? now->jt : now->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= now->k ? now->jt : now->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			at += a & now->k ? now->jt : now->jf;
			break;
		case BPF_RET | BPF_K:
			return now->k;
		default:
			return 0xbad;
		}
	}
	return 0xbad;
}

static const int few[] = {SYS_read, SYS_mmap, SYS_write, SYS_exit_group, SYS_futex, SYS_munmap};

static bool is_listed(int call)
{
	for (size_t i = 0; i < COUNT_OF(few); i++)
		if (few[i] == call)
			return true;
	return false;
}

static void the_filter_says_what_the_list_says(void)
{
	const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
	struct sock_filter code[SECCOMP_CODE_MAX];
	size_t len = seccomp_make(few, COUNT_OF(few), code);
	struct seccomp_data data = {.arch = HERE};
	int wrong = 0;

	ok(len > 0 && len <= SECCOMP_CODE_MAX, "a list becomes a filter");
	for (int call = 0; call < 1024; call++) {
		data.nr = call;
		wrong +=
			decide(code, len, &data) != (is_listed(call) ? SECCOMP_RET_ALLOW : refused);
	}
	ok(wrong == 0, "of all numbers the listed ones are allowed");
	data.nr = SYS_mmap;
	data.args[2] = PROT_READ | PROT_WRITE;
	ok(decide(code, len, &data) == SECCOMP_RET_ALLOW, "memory is given");
	data.args[2] = PROT_READ | PROT_EXEC;
	ok(decide(code, len, &data) == refused, "but none to be executed");
	data = (struct seccomp_data){.arch = HERE, .nr = 0x40000000 | SYS_read};
	ok(decide(code, len, &data) == refused, "x32's numbers are none of ours");
	data = (struct seccomp_data){.arch = AUDIT_ARCH_I386, .nr = SYS_read};
	ok(decide(code, len, &data) == SECCOMP_RET_KILL_PROCESS,
	   "another architecture's end the process");
	ok(seccomp_make(few, SECCOMP_CALLS_MAX + 1, code) == 0, "a list can be too long");
}

static const int threads[] = {SYS_read, SYS_mprotect, SYS_clone, SYS_exit_group};

static void a_list_with_clone_starts_threads_only(void)
{
	const uint32_t refused = SECCOMP_RET_ERRNO | EPERM, missing = SECCOMP_RET_ERRNO | ENOSYS;
	/* What glibc and musl say for a thread. */
	const uint64_t glibc = 0x3d0f00, musl = 0x7d0f00;
	struct sock_filter code[SECCOMP_CODE_MAX];
	size_t len = seccomp_make(threads, COUNT_OF(threads), code);
	struct seccomp_data data = {.arch = HERE, .nr = SYS_clone, .args = {glibc}};

	ok(decide(code, len, &data) == SECCOMP_RET_ALLOW, "a thread is started");
	data.args[0] = musl;
	ok(decide(code, len, &data) == SECCOMP_RET_ALLOW, "another C library's as well");
	data.args[0] = SIGCHLD;
	ok(decide(code, len, &data) == refused, "but no process");
	data.args[0] = CLONE_VM | CLONE_VFORK | SIGCHLD;
	ok(decide(code, len, &data) == refused, "nor one that shares our memory");
	data.args[0] = glibc | CLONE_NEWUSER;
	ok(decide(code, len, &data) == refused, "nor a thread elsewhere");
	data.args[0] = glibc;
	data.nr = SYS_clone3;
	ok(decide(code, len, &data) == missing, "the newer call is said to be missing");
	data = (struct seccomp_data){.arch = HERE, .nr = SYS_mprotect, .args = {0, 0, PROT_EXEC}};
	ok(decide(code, len, &data) == refused, "memory does not become executable");
	data.args[2] = PROT_READ | PROT_WRITE;
	ok(decide(code, len, &data) == SECCOMP_RET_ALLOW, "all else it may become");
	data.nr = SYS_read;
	ok(decide(code, len, &data) == SECCOMP_RET_ALLOW, "what is on the list otherwise stays so");
	data.nr = SYS_write;
	ok(decide(code, len, &data) == refused, "and what is not does not");
}

/* Outside of a cage nothing is in the way, or what is refused in it says nothing. */
static void all_can_be_had_outside(void)
{
	char folder[] = "/tmp/firn-cage.XXXXXX";
	int image = open("/etc/passwd", O_RDONLY | O_CLOEXEC), had = 0;

	if (!mkdtemp(folder) || chdir(folder) < 0)
		return;
	for (size_t i = 0; i < ESCAPES; i++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0)
			_exit(escape_attempt(i, image) < 0 ? errno : 0);
		(void)waitpid(child, &status, 0);
		if (status == 0)
			had++;
		else
			printf("# '%s' fails: %s\n", escape_name(i),
			       strerror(WIFEXITED(status) ? WEXITSTATUS(status) : 0));
	}
	(void)close(image);
	ok(had == ESCAPES && rmdir(folder) == 0, "all can be had outside of it (%d of %d)", had,
	   ESCAPES);
}

static int caged(void)
{
	static const int calls[] = {SYS_read,	SYS_write, SYS_futex,	  SYS_mmap,
				    SYS_munmap, SYS_brk,   SYS_exit_group};
	struct cage cage = {.memory = 256 << 20,
			    .require = true,
			    .call = calls,
			    .count = COUNT_OF(calls)};
	int image = open("/etc/passwd", O_RDONLY);
	struct err err;
	int refused = 0;

	if (cage_enter(&cage, &err) < 0 || cage_close(&cage, &err) < 0)
		return 100;
	for (size_t i = 0; i < ESCAPES; i++)
		refused += escape_is_refused(i, image);
	return refused;
}

/* What holds without the filter: its limits and Landlock. */
static int half_caged(void)
{
	struct cage cage = {.memory = 256 << 20, .require = true};
	struct err err;

	if (cage_enter(&cage, &err) < 0)
		return 100;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
		return 1;
	if (malloc((size_t)1 << 30))
		return 2;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 3;
}

/* What can be written is limited, in memory and in files; addresses alone are not. */
static int bounded(void)
{
	struct cage cage = {.data = 64 << 20, .length = 4096, .writes = true, .threads = true};
	int out = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	struct err err;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (cage_enter(&cage, &err) < 0)
		return 100;
	if (malloc((size_t)256 << 20))
		return 1;
	if (mmap(NULL, 256 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return 2;
	if (out >= 0 && (pwrite(out, "x", 1, 4095) != 1 || pwrite(out, "x", 1, 4096) == 1))
		return 3;
	return 0;
}

/* As a program that reads an image and prints: what is open can be read and written to. */
static int reads_only(void)
{
	char byte;
	int image = open("/etc/passwd", O_RDONLY);
	int out = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	struct err err;

	if (cage_read_only(256 << 20, true, &err) < 0)
		return 100;
	if (pread(image, &byte, 1, 0) != 1 || (out >= 0 && write(out, "x", 1) != 1))
		return 1;
	return open("/etc/passwd", O_RDONLY) < 0 && socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? 0 : 2;
}

static int in_child(int (*work)(void))
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(work());
	(void)waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	the_filter_says_what_the_list_says();
	a_list_with_clone_starts_threads_only();
	all_can_be_had_outside();
#ifndef __SANITIZE_ADDRESS__
	if (cage_landlock() > 0 && seccomp_works()) {
		int refused = in_child(caged);

		ok(refused == ESCAPES, "all that is forbidden is refused (%d of %d)", refused,
		   ESCAPES);
		ok(in_child(reads_only) == 0, "who reads and prints can do that, and no more");
		ok(in_child(bounded) == 0, "memory and files do not grow without end");
		ok(in_child(half_caged) == 0, "and files and memory without the filter, too");
	}
#else
	(void)caged;
	(void)half_caged;
	(void)bounded;
	(void)reads_only;
	(void)in_child;
#endif
	return done_testing();
}
