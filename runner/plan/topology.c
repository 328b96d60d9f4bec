/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/topology.h"

#include "lib/log.h"
#include "mpi-glue/discover.h"
#include "mpi-glue/loader/ldcache.h"
#include "mpi-glue/wireup.h"
#include "runner/plan/env.h"

#include <string.h>

/* hwloc 2.0 is libhwloc.so.15; 1.x, up to .5, cannot read its XML. */
enum { READER = 15, OLD_READER = 5, READER_MAX = 25, CACHE_MAX = 8 << 20 };

#define CACHE "/etc/ld.so.cache"
#define STEM "libhwloc.so."

struct found {
	bool reader, old;
};

static void note_number(struct found *found, long number)
{
	found->reader |= number >= READER;
	found->old |= number < READER;
}

static void see(void *arg, const char *name)
{
	char *end;
	long number;

	if (strncmp(name, STEM, strlen(STEM)) != 0)
		return;
	number = strtol(name + strlen(STEM), &end, 10);
	if (end > name + strlen(STEM) && (*end == '\0' || *end == '.') && number >= 0)
		note_number(arg, number);
}

/* Where the image has no cache of its linker, or one that is of another libc. */
static void look_around(struct content *content, struct found *found)
{
	static const char *const folders[] = {
#if defined(__x86_64__)
		"/usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
		"/usr/lib/aarch64-linux-gnu",
#elif defined(__powerpc64__)
		"/usr/lib/powerpc64le-linux-gnu",
#endif
		"/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib", "/lib64", "/lib",
	};
	struct err ignored;

	for (size_t i = 0; i < COUNT_OF(folders); i++)
		for (int number = OLD_READER; number <= READER_MAX;
		     number = number == OLD_READER ? READER : number + 1) {
			char path[128];

			(void)snprintf(path, sizeof(path), "%s/" STEM "%d", folders[i], number);
			if (content_has(content, path, &ignored) > 0)
				note_number(found, number);
		}
}

bool topology_is_readable(struct content *content)
{
	struct found found = {false, false};
	auto_free char *cache = NULL;
	struct err err;
	size_t size = 0;
	int known = content_read(content, CACHE, CACHE_MAX, &cache, &size, &err);

	if (known <= 0 || ldcache_names(cache, size, see, &found) < 0)
		look_around(content, &found);
	return found.reader && !found.old;
}

static const char *get_variable(void *arg, const char *name)
{
	return env_get(arg, name);
}

/* Why a discovery would be of no use, or NULL. */
static const char *why_not(struct content *content, const struct plan *plan)
{
	struct wireup_env env = {get_variable, NULL, plan->env};

	if (wireup_topology_is_chosen(&env))
		return "the environment names another";
	if (!topology_is_readable(content))
		return "the image has no hwloc, or one that cannot read it";
	return NULL;
}

bool topology_add(struct plan *plan)
{
	int pipe;
	struct err err;

	if (plan->engine != PLAN_ENGINE_FIRN) {
		log_info("no topology is shown: only firn's own server shows it");
		return false;
	}
	pipe = discover_start(&err);
	if (pipe >= 0 && plan_add_pipe(plan, pipe, WIREUP_TOPOLOGY, &err) == 0)
		return true;
	log_info("no topology is shown: %s", err.text);
	return false;
}

void topology_check(struct content *content, struct plan *plan)
{
	const char *reason = why_not(content, plan);

	if (!reason)
		return;
	log_info("no topology is shown: %s", reason);
	/* Its helper finds nobody to tell, and ends. */
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_PIPE) {
			own_close(&plan->step[i].fd);
			plan->step[i].fd = -1;
		}
}
