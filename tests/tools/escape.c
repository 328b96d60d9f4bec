/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "tests/tools/escape.h"

#include "lib/cage/apart.h"
#include "lib/own.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>

/* Arguments that are known when it is tried. */
enum { IMAGE = -1000, SELF, PARENT, USER };
enum { VFORK = -1 };

static char page[2 * 65536], byte;
static int pair[2];
static struct utsname names;
static struct rlimit no_core;
static struct iovec to = {&byte, 1}, from = {page, 1};
static char *const words[] = {(char *)"true", NULL};
/* struct clone_args, of which the first 64 bytes will do. */
static uint64_t child[8] = {[4] = SIGCHLD};

#define AT(pointer) (intptr_t)(pointer)

static const struct {
	const char *name;
	long call, arg[6];
} attempts[ESCAPES] = {
	{"open a file", SYS_openat, {AT_FDCWD, AT("/etc/passwd"), O_RDONLY}},
	{"open the root", SYS_openat, {AT_FDCWD, AT("/"), O_PATH | O_DIRECTORY}},
	{"open a device", SYS_openat, {AT_FDCWD, AT("/dev/null"), O_RDWR}},
	{"open its memory", SYS_openat, {AT_FDCWD, AT("/proc/self/mem"), O_RDWR}},
	{"open what it has", SYS_openat, {AT_FDCWD, AT("/proc/self/fd"), O_DIRECTORY}},
	{"look for a file", SYS_faccessat, {AT_FDCWD, AT("/etc/passwd"), R_OK}},
	{"ask for a file", SYS_readlinkat, {AT_FDCWD, AT("/proc/self/exe"), AT(page), 100}},
	{"make a directory", SYS_mkdirat, {AT_FDCWD, AT("firn-escape"), 0700}},
	{"link to it", SYS_symlinkat, {AT("firn-escape"), AT_FDCWD, AT("firn-escape.2")}},
	{"rename it",
	 SYS_renameat2,
	 {AT_FDCWD, AT("firn-escape"), AT_FDCWD, AT("firn-escape.3"), 0}},
	{"remove it", SYS_unlinkat, {AT_FDCWD, AT("firn-escape.3"), AT_REMOVEDIR}},
	{"remove the link", SYS_unlinkat, {AT_FDCWD, AT("firn-escape.2"), 0}},
	{"execute", SYS_execve, {AT("/bin/true"), AT(words), AT(words + 1)}},
	{"fork", SYS_clone, {SIGCHLD}},
	{"fork by clone3", SYS_clone3, {AT(child), sizeof(child)}},
	{"vfork", VFORK, {0}}, /* with a stack of its own */
	{"a socket", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}},
	{"the network", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
	{"two sockets", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, AT(pair)}},
	{"signal the parent", SYS_kill, {PARENT, 0}},
	{"signal itself", SYS_kill, {SELF, 0}},
	{"signal a thread", SYS_tgkill, {SELF, SELF, 0}},
	{"be traced", SYS_ptrace, {PTRACE_TRACEME, 0, 0, 0}},
	{"read memory", SYS_process_vm_readv, {SELF, AT(&to), 1, AT(&from), 1, 0}},
	{"hold a process", SYS_pidfd_open, {SELF, 0}},
	{"leave what is shared", SYS_unshare, {CLONE_FILES}},
	{"go elsewhere", SYS_chdir, {AT(".")}},
	{"another user", SYS_setuid, {USER}},
	{"another limit", SYS_prlimit64, {0, RLIMIT_CORE, AT(&no_core), 0}},
	{"be dumpable", SYS_prctl, {PR_SET_DUMPABLE, 1, 0, 0, 0}},
	{"executable memory",
	 SYS_mmap,
	 {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
	{"make it executable", SYS_mprotect, {AT(page), 4096, PROT_READ | PROT_EXEC}},
	{"ask a device", SYS_ioctl, {IMAGE, FIONREAD, AT(page)}},
	{"a copy of a descriptor", SYS_dup, {IMAGE}},
	{"another one", SYS_fcntl, {IMAGE, F_DUPFD, 0}},
	{"a file in memory", SYS_memfd_create, {AT("a"), 0}},
	{"a pipe", SYS_pipe2, {AT(pair), 0}},
	{"a timer", SYS_timerfd_create, {0, 0}},
	{"hear of files", SYS_inotify_init1, {0}},
	{"ask for the machine", SYS_uname, {AT(&names)}},
};

static long argument(size_t i, size_t number, int image)
{
	long arg = attempts[i].arg[number];

	if (attempts[i].call == SYS_mprotect && number == 0) /* a whole page of ours */
		return (arg + 65535) & ~65535L;
	return arg == IMAGE    ? image
	       : arg == SELF   ? getpid()
	       : arg == PARENT ? getppid()
	       : arg == USER   ? (long)getuid()
			       : arg;
}

static int leave(void *arg)
{
	(void)arg;
	_exit(0);
}

static long attempt_vfork(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	return clone(leave, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
}

long escape_attempt(size_t i, int image)
{
	long arg[6], result;

	if (attempts[i].call == VFORK)
		return attempt_vfork() < 0 ? -1 : 0;
	for (size_t n = 0; n < COUNT_OF(arg); n++)
		arg[n] = argument(i, n, image);
	result = syscall(attempts[i].call, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	if (result == 0 && (attempts[i].call == SYS_clone || attempts[i].call == SYS_clone3))
		_exit(0);
	return result == -1 ? -1 : 0;
}

const char *escape_name(size_t i)
{
	return attempts[i].name;
}

int escape_is_refused(size_t i, int image)
{
	return escape_attempt(i, image) < 0 && (errno == EPERM || errno == ENOSYS);
}

int apart_test_hook(const struct apart *apart, struct err *err)
{
	const char *slash = strrchr(apart->what, '/'), *name = slash ? slash + 1 : apart->what;
	int refused = 0;

	if (strncmp(name, "crash", 5) == 0)
		__builtin_trap();
	if (strncmp(name, "escape", 6) != 0)
		return 0;
	for (size_t i = 0; i < ESCAPES; i++)
		refused += escape_is_refused(i, apart->keep[0]);
	return err_set(err, "of %d attempts %d were refused", ESCAPES, refused);
}
