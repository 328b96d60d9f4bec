/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/wireup.h"

#include <string.h>
#include <sys/stat.h>

/*
 * The server's list of what it can do, the client's parameter, and the one item
 * that every PMIx library has: said alone, it can neither be missing in the
 * image's client nor in a launcher that the program starts in its turn.
 */
static const struct mapping {
	const char *server, *client, *common;
} mappings[] = {
	{"PMIX_PTL_MODULE", "PMIX_MCA_ptl", "tcp"},
	{"PMIX_SECURITY_MODE", "PMIX_MCA_psec", "native"},
	/* No PMIX_GDS_MODULE: clients pick from it themselves. */
};

static bool lists(const char *list, const char *item)
{
	size_t len = strlen(item);

	while (list && *list) {
		size_t next = strcspn(list, ",");

		if (next == len && strncmp(list, item, len) == 0)
			return true;
		list += next + (list[next] == ',');
	}
	return false;
}

/* Returns 1, 0 when it is set already, or -1. */
static int set_new(const struct wireup_env *env, const char *name, const char *value)
{
	if (env->get(env->arg, name))
		return 0;
	return env->set(env->arg, name, value) < 0 ? -1 : 1;
}

int wireup_pmix(const struct wireup_env *env)
{
	int count = 0;

	for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++) {
		const struct mapping *map = &mappings[i];
		int set;

		if (!lists(env->get(env->arg, map->server), map->common))
			continue;
		set = set_new(env, map->client, map->common);
		if (set < 0)
			return -1;
		count += set;
	}
	return count;
}

bool wireup_topology_is_chosen(const struct wireup_env *env)
{
	static const char *const sources[] = {"HWLOC_XMLFILE", "HWLOC_SYNTHETIC", "HWLOC_FSROOT",
					      "HWLOC_CPUID_PATH"};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (env->get(env->arg, sources[i]))
			return true;
	return false;
}

int wireup_topology(const struct wireup_env *env, bool there)
{
	/*
	 * The file is of this machine, so binding works. It holds all of it, also what
	 * a cgroup forbids: what is allowed hwloc asks the kernel, as without the file.
	 */
	static const char *const settings[][2] = {
		{"HWLOC_XMLFILE", WIREUP_TOPOLOGY},
		{"HWLOC_THISSYSTEM", "1"},
		{"HWLOC_THISSYSTEM_ALLOWED_RESOURCES", "1"},
	};
	int count = 0;

	if (!there || wireup_topology_is_chosen(env))
		return 0;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int set = set_new(env, settings[i][0], settings[i][1]);

		if (set < 0)
			return -1;
		count += set;
	}
	return count;
}

int wireup_task(const struct wireup_env *env)
{
	struct stat stat_;
	/* Empty is the mount point of a topology that was not found in time. */
	bool there =
		stat(WIREUP_TOPOLOGY, &stat_) == 0 && S_ISREG(stat_.st_mode) && stat_.st_size > 0;
	int pmix = wireup_pmix(env);
	int topology = pmix < 0 ? -1 : wireup_topology(env, there);

	return topology < 0 ? -1 : pmix + topology;
}
