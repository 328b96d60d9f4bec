/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* A library that has names which srun has, too, and means something else. */
int opt[1024];
_Bool slurm_option_reset(void *options, const char *name);

_Bool slurm_option_reset(void *options, const char *name)
{
	(void)name;
	return ++*(int *)options;
}
