/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/cage.h"

#include "builder/digest.h"

#include <jansson.h>
#include <sys/syscall.h>
#include <time.h>

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
		.files = 1 << 16,
		.threads = true,
		.writes = true,
		.require = require,
		.call = calls,
		.count = COUNT_OF(calls),
	};
}
