/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Closing all but what is named: by the kernel's call, by /proc, and where neither helps. */
#include "lib/cage/close.h"

#include "tests/unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool old, broken; /* there is no close_range(2); a directory cannot be read */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, unsigned first, unsigned last, int flags);
struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

long __wrap_syscall(long number, unsigned first, unsigned last, int flags)
{
	if (!old)
		return __real_syscall(number, first, last, flags);
	errno = ENOSYS;
	return -1;
}

struct dirent *__wrap_readdir(DIR *dir)
{
	if (!broken)
		return __real_readdir(dir);
	errno = EIO;
	return NULL;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int close_all_but(int kept)
{
	int keep[] = {kept, -1};

	return close_others(STDERR_FILENO + 1, keep, 2);
}

static void others_are_closed(const char *how)
{
	int one = open("/dev/null", O_RDONLY), kept = open("/dev/null", O_RDONLY);
	int other = open("/dev/null", O_RDONLY);

	ok(close_all_but(kept) == 0, "%s: descriptors are closed", how);
	ok(!is_open(one) && !is_open(other) && is_open(kept), "%s: but for one", how);
	(void)close(kept);
}

int main(void)
{
	others_are_closed("close_range");
	old = true;
	others_are_closed("/proc");
	broken = true;
	ok(close_all_but(-1) == -1 && errno == EIO,
	   "what cannot be listed is not said to be closed");
	return done_testing();
}
