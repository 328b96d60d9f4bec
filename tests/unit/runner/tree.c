/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Restrictions of mounts on a kernel without mount_setattr(2): all of them, or an error. */
#include "runner/mount/tree.h"

#include "tests/unit/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

static struct err err;
static bool poor;      /* there is no memory */
static size_t mounted; /* calls of mount(2) */

long __wrap_syscall(long number, ...);
int __wrap_mount(const char *from, const char *to, const char *type, unsigned long flags,
		 const void *data);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* An old kernel. */
long __wrap_syscall(long number, ...)
{
	(void)number;
	errno = ENOSYS;
	return -1;
}

int __wrap_mount(const char *from, const char *to, const char *type, unsigned long flags,
		 const void *data)
{
	(void)from, (void)to, (void)type, (void)flags, (void)data;
	mounted++;
	return 0;
}

void *__wrap_malloc(size_t size)
{
	if (!poor)
		return __real_malloc(size);
	errno = ENOMEM;
	return NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	if (!poor)
		return __real_realloc(old, size);
	errno = ENOMEM;
	return NULL;
}

static int restrict_all(void)
{
	static const struct tree_point root = {(char *)"/", true};

	mounted = 0;
	return tree_restrict_all(true, &root, 1, &err);
}

int main(void)
{
	int result;

	ok(tree_restrict(0, TREE_READONLY, &err) == 0 && tree_restrict_needed(),
	   "a kernel that cannot restrict a tree");
	ok(restrict_all() == 0 && mounted > 0, "its mounts are restricted one by one");
	poor = true;
	result = restrict_all();
	poor = false;
	ok(result == -1 && err.code == ENOMEM, "without memory to read which there are it fails");
	ok(mounted == 0, "before any is");
	ok(strstr(err.text, "mountinfo"), "and says so");
	return done_testing();
}
