/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * hook.c - what a program could do that has taken over the mount server.
 *
 * Linked into firn as firn_hooked. Reading a file of CRASH_SIZE bytes, or looking up a name
 * that begins with "crash", is a fault. Looking up "escape" tries all that the cage forbids, and
 * tells on the program's standard error how much of it was refused.
 */
#include "lib/own.h"
#include "runner/server/fuse.h"
#include "runner/server/node.h"

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

enum { CRASH_SIZE = 66666 };

static void crash(void)
{
	volatile uintptr_t nowhere = 16;

	*(volatile int *)nowhere = 1;
}

static bool is_poison(struct worker *worker, const struct request_in *in)
{
	struct squashfs_inode inode;
	struct err err;

	if (in->head->opcode == FUSE_LOOKUP)
		return strncmp(in->arg, "crash", 5) == 0;
	return in->head->opcode == FUSE_READ && !node_is_shown(in->head->nodeid) &&
	       squashfs_inode(worker->reader, node_ref(in->head->nodeid, worker->server->root_ref),
			      &inode, &err) == 0 &&
	       inode.size == CRASH_SIZE;
}

/* Each returns -1 where it is refused. */
static long attempt(size_t i, int image)
{
	struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
	char *argv[] = {(char *)"true", NULL};

	switch (i) {
	case 0: return open("/etc/passwd", O_RDONLY);
	case 1: return open("/", O_PATH | O_DIRECTORY);
	case 2: return open("/tmp", O_RDWR | O_TMPFILE, 0600);
	case 3: return open("/proc/self/mem", O_RDWR);
	case 4: return openat(image, "", O_RDWR);
	case 5: return pwrite(image, "x", 1, 0);
	case 6: return ftruncate(image, 0);
	case 7: return fchmod(image, 0777);
	case 8: return unlink("/tmp/firn-escape");
	case 9: return mkdir("/tmp/firn-escape", 0700);
	case 10: return symlink("a", "/tmp/firn-escape");
	case 11: return rename("/tmp/firn-escape", "/tmp/firn-escape.2");
	case 12: return execve("/bin/true", argv, NULL);
	case 13: return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	case 14: return syscall(SYS_clone3, NULL, 0);
	case 15: return socket(AF_UNIX, SOCK_STREAM, 0);
	case 16: return socket(AF_INET, SOCK_STREAM, 0);
	case 17: return syscall(SYS_sendmsg, 0, NULL, 0);
	case 18: return kill(getppid(), SIGCONT);
	case 19: return kill(getpid(), 0);
	case 20: return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
	case 21: return syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
	case 22: return syscall(SYS_pidfd_open, 1, 0);
	case 23: return syscall(SYS_pidfd_getfd, 0, 0, 0);
	case 24: return unshare(CLONE_NEWUSER);
	case 25: return setns(image, 0);
	case 26: return mount("none", "/tmp", "tmpfs", 0, NULL);
	case 27: return chdir("/");
	case 28: return setuid(getuid());
	case 29: return setrlimit(RLIMIT_AS, &more);
	case 30: return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	case 31:
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0) == MAP_FAILED
			       ? -1
			       : 0;
	case 32: return mprotect(argv, 1, PROT_EXEC);
	case 33:
		return mmap(NULL, (size_t)1 << 31, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
				       MAP_FAILED
			       ? -1
			       : 0;
	case 34: return syscall(SYS_keyctl, 0, -4, 0);
	case 35: return syscall(SYS_bpf, 0, NULL, 0);
	case 36: return syscall(SYS_io_uring_setup, 1, NULL);
	case 37: return ioctl(image, FIONREAD, argv);
	case 38: return dup(image);
	case 39: return syscall(SYS_memfd_create, "a", 0);
	default: return 0;
	}
}

static void escape(struct worker *worker)
{
	int refused = 0;
	struct err err;

	for (size_t i = 0; i < 40; i++)
		refused += attempt(i, worker->server->options->image_fd) < 0;
	(void)err_set(&err, "of 40 attempts %d were refused", refused);
	server_complain(worker->server, &err);
}

void server_test_hook(struct worker *worker, const struct request_in *in)
{
	if (is_poison(worker, in))
		crash();
	if (in->head->opcode == FUSE_LOOKUP && strcmp(in->arg, "escape") == 0)
		escape(worker);
}
