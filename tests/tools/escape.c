/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "tests/tools/escape.h"

#include "lib/cage/apart.h"
#include "lib/own.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static long vfork_once(void)
{
	return syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

long escape_attempt(size_t i, int image)
{
	struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
	char *argv[] = {(char *)"true", NULL};

	switch (i) {
	case 0:
		return open("/etc/passwd", O_RDONLY);
	case 1:
		return open("/", O_PATH | O_DIRECTORY);
	case 2:
		return open("/tmp", O_RDWR | O_TMPFILE, 0600);
	case 3:
		return open("/proc/self/mem", O_RDWR);
	case 4:
		return openat(image, "", O_RDWR);
	case 5:
		return pwrite(image, "x", 1, 0);
	case 6:
		return ftruncate(image, 0);
	case 7:
		return fchmod(image, 0777);
	case 8:
		return unlink("/tmp/firn-escape");
	case 9:
		return mkdir("/tmp/firn-escape", 0700);
	case 10:
		return symlink("a", "/tmp/firn-escape");
	case 11:
		return rename("/tmp/firn-escape", "/tmp/firn-escape.2");
	case 12:
		return execve("/bin/true", argv, NULL);
	case 13:
		return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	case 14:
		return syscall(SYS_clone3, NULL, 0);
	case 15:
		return socket(AF_UNIX, SOCK_STREAM, 0);
	case 16:
		return socket(AF_INET, SOCK_STREAM, 0);
	case 17:
		return syscall(SYS_sendmsg, 0, NULL, 0);
	case 18:
		return kill(getppid(), SIGCONT);
	case 19:
		return kill(getpid(), 0);
	case 20:
		return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
	case 21:
		return syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
	case 22:
		return syscall(SYS_pidfd_open, 1, 0);
	case 23:
		return syscall(SYS_pidfd_getfd, 0, 0, 0);
	case 24:
		return unshare(CLONE_NEWUSER);
	case 25:
		return setns(image, 0);
	case 26:
		return mount("none", "/tmp", "tmpfs", 0, NULL);
	case 27:
		return chdir("/");
	case 28:
		return setuid(getuid());
	case 29:
		return setrlimit(RLIMIT_AS, &more);
	case 30:
		return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	case 31:
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0) == MAP_FAILED
			       ? -1
			       : 0;
	case 32:
		return mprotect(argv, 1, PROT_EXEC);
	case 33:
		return vfork_once();
	case 34:
		return syscall(SYS_keyctl, 0, -4, 0);
	case 35:
		return syscall(SYS_bpf, 0, NULL, 0);
	case 36:
		return syscall(SYS_io_uring_setup, 1, NULL);
	case 37:
		return ioctl(image, FIONREAD, argv);
	case 38:
		return dup(image);
	case 39:
		return syscall(SYS_memfd_create, "a", 0);
	default:
		return 0;
	}
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
		refused += escape_attempt(i, apart->keep[0]) < 0;
	return err_set(err, "of %d attempts %d were refused", ESCAPES, refused);
}
