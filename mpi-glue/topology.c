/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * firn-topology: write what hwloc finds on this node to standard output, as XML
 * of version 2 with the I/O devices, and a NUL behind it: without that the reader
 * takes it for cut off.
 *
 * A program of its own, so that neither firn nor the Slurm plugin loads hwloc, and
 * so that a discovery which does not end can be ended.
 */
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>

/* Plugins that load a driver, which takes seconds and wakes devices. */
#define DRIVERS "-gl,-opencl,-cuda,-nvml,-rsmi,-levelzero"
#define DRIVER_FILES                                                                               \
	"hwloc_gl.so,hwloc_opencl.so,hwloc_cuda.so,hwloc_nvml.so,hwloc_rsmi.so,hwloc_levelzero.so"

/* All of the machine: what a reader may use of it hwloc asks the kernel then. */
#if HWLOC_API_VERSION >= 0x20100
#define WHOLE HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED
#else
#define WHOLE HWLOC_TOPOLOGY_FLAG_WHOLE_SYSTEM
#endif

#if HWLOC_API_VERSION >= 0x30000
#define EXPORT HWLOC_TOPOLOGY_EXPORT_XML_FLAG_V2
#else
#define EXPORT 0
#endif

static int discover(hwloc_topology_t *topology)
{
	if (hwloc_topology_init(topology) < 0)
		return -1;
	if (hwloc_topology_set_flags(*topology, WHOLE) < 0 ||
	    hwloc_topology_set_io_types_filter(*topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT) < 0)
		return -1;
	return hwloc_topology_load(*topology);
}

int main(void)
{
	hwloc_topology_t topology;
	char *text;
	int size;

	if (setenv("HWLOC_COMPONENTS", DRIVERS, 1) < 0 ||
	    setenv("HWLOC_PLUGINS_BLACKLIST", DRIVER_FILES, 1) < 0)
		return EXIT_FAILURE;
	if (discover(&topology) < 0 ||
	    hwloc_topology_export_xmlbuffer(topology, &text, &size, EXPORT) < 0)
		return EXIT_FAILURE;
	/* hwloc counts the NUL behind the text. */
	if (size < 2 || fwrite(text, 1, (size_t)size, stdout) != (size_t)size ||
	    fflush(stdout) != 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
