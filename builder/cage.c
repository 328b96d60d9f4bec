/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/cage.h"

#include "builder/digest.h"

#include <jansson.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

enum {
	MEMORY = 1 << 30,	   /* of documents, tables and libraries */
	THREAD_MEMORY = 256 << 20, /* of one that unpacks or packs: no decompressor may have more */
	STACK = 8 << 20,
	ENTRY_MEMORY = 512, /* of a file, beside its names: tables of what is packed */
	IMAGES_MAX = 16,    /* in the spool, in sizes of the largest: layers hide others' files */
};

static const int calls[] = {
	SYS_pread64,   /* images, layers, the spool */
	SYS_read,      /* what comes from the network, through a pipe */
	SYS_pwrite64,  /* the spool, the image */
	SYS_ftruncate, /* blocks that were there already */
	SYS_write,     /* warnings */
	SYS_writev,    /* the result */
	SYS_lseek,
	SYS_sendmsg, /* to ask for a blob, and to get it */
	SYS_recvmsg,
	SYS_close,
	SYS_futex,
	SYS_mmap, /* memory; never to be executed */
	SYS_mremap,
	SYS_munmap,
	SYS_mprotect,
	SYS_madvise,
	SYS_brk,
	SYS_clone, /* threads; no process */
	SYS_set_robust_list,
	SYS_rseq,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_restart_syscall,
	SYS_sched_getaffinity, /* the C library: how many heaps */
	SYS_sched_yield,
	SYS_clock_gettime, /* where the kernel shares no clock */
	SYS_getrandom,
	SYS_exit,
	SYS_exit_group,
};

/* What libraries load when they are first used: algorithms, a seed, a time zone. */
static void load_libraries(void)
{
	struct digest sha512 = {"sha512:"}, digest;
	struct err ignored;

	(void)digest_of("", 0, &digest, &ignored);
	(void)digest_of_like(&sha512, "", 0, &digest, &ignored);
	json_object_seed(0);
	tzset();
}

struct cage builder_cage(bool require)
{
	load_libraries();
	return (struct cage){
		.data = MEMORY,
		.files = 1 << 16,
		.threads = true,
		.writes = true,
		.require = require,
		.call = calls,
		.count = COUNT_OF(calls),
	};
}

/* What the C library gives a thread: "unlimited" is 2 MiB. */
static size_t stack_size(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
		       ? (size_t)limit.rlim_cur
		       : STACK;
}

/* @a * @b + @c, or the most that there is. */
static size_t add(size_t a, size_t b, size_t c)
{
	size_t product, sum;

	return __builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &sum)
		       ? SIZE_MAX
		       : sum;
}

void builder_cage_allow(struct cage *cage, const struct conf *conf, size_t threads)
{
	size_t thread = add(1, stack_size(), THREAD_MEMORY);

	/* Twice: what grows is copied. */
	cage->data =
		conf->max_memory == 0
			? 0
			: add(conf->max_memory, 2,
			      add(conf->max_entries, ENTRY_MEMORY, add(threads, thread, MEMORY)));
	cage->length = add(conf->max_size, IMAGES_MAX, MEMORY);
}
