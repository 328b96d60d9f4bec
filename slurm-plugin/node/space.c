/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "slurm-plugin/node/space.h"

#include <slurm/slurm.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/*
 * Of Slurm's job_container plugins: a descriptor that stays the plugin's own, 0 without such a
 * plugin. It is so in 22.05 and in 24.11; in newer ones it has another name.
 */
#define JOIN_EXTERNAL "container_g_join_external"
typedef int join_external(uint32_t job);

ino_t space_number(int space)
{
	struct stat stat_of;
	int found = space < 0 ? stat("/proc/self/ns/mnt", &stat_of) : fstat(space, &stat_of);

	return found < 0 ? 0 : stat_of.st_ino;
}

int space_open(uint32_t job)
{
	union {
		void *object;
		join_external *function;
	} join = {.object = NULL};
	int space;

	if (SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(25, 5, 0))
		join.object = dlsym(RTLD_DEFAULT, JOIN_EXTERNAL);
	space = join.object ? join.function(job) : 0;
	/* In the namespace itself there is an empty file in its place. */
	if (space <= 0 || ioctl(space, NS_GET_NSTYPE) != CLONE_NEWNS ||
	    space_number(space) == space_number(-1))
		return -1;
	return fcntl(space, F_DUPFD_CLOEXEC, 0);
}

int space_check(ino_t made, struct err *err)
{
	if (!made || space_number(-1) == made)
		return 0;
	return err_set(err, "the job has a /tmp of its own, which its container does not show: "
			    "job_container.conf of this node needs EntireStepInNS=true");
}
