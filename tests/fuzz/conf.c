/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* A libFuzzer target for the configuration, and for SIF headers, from the same bytes. */
#include "lib/conf/conf.h"
#include "lib/image/image.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_conf *conf = conf_new();
	auto_fd fd = memfd_create("input", MFD_CLOEXEC);
	uint64_t offset, part;
	const char *machine;
	char path[64];
	struct err err;

	if (!conf || fd < 0 || write(fd, data, size) != (ssize_t)size || fchmod(fd, 0600) < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)conf_read_file(conf, path, false, &err);
	(void)sif_find_partition(fd, size, path, &offset, &part, &machine, &err);
	return 0;
}
