/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/cage.h"

#include "lib/own.h"

#include <sys/syscall.h>

/* Beside the caches: tables of the image, a reader for each thread, stacks. */
enum { MEMORY = 256 << 20 };

static const int calls[] = {
	SYS_read,          /* requests */
	SYS_writev,        /* answers */
	SYS_pread64,       /* the image */
	SYS_recvmsg,       /* the device, once it is mounted */
	SYS_write,         /* words for the supervisor */
	SYS_futex,         /* locks, and waiting for work */
	SYS_mmap,          /* memory; never to be executed */
	SYS_munmap,
	SYS_madvise,
	SYS_brk,
	SYS_clock_gettime, /* where the kernel shares no clock */
	SYS_restart_syscall,
	SYS_set_robust_list, /* these three: what a thread does first and last */
	SYS_rseq,
	SYS_rt_sigprocmask,
	SYS_exit,
	SYS_exit_group,
};

struct cage server_cage(const struct server_options *options)
{
	return (struct cage){
		.memory = MEMORY + options->cache_size + options->metadata_size,
		.require = options->require_cage,
		.call = calls,
		.count = COUNT_OF(calls),
	};
}
