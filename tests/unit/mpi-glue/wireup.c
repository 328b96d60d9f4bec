/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "mpi-glue/wireup.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

enum { ROOM = 16 };

/* An environment of a few variables. */
struct small {
	const char *name[ROOM], *value[ROOM];
	int count;
	bool full;
};

static const char *get(void *arg, const char *name)
{
	struct small *env = arg;

	for (int i = 0; i < env->count; i++)
		if (strcmp(env->name[i], name) == 0)
			return env->value[i];
	return NULL;
}

static int set(void *arg, const char *name, const char *value)
{
	struct small *env = arg;

	if (env->full)
		return -1;
	env->name[env->count] = name;
	env->value[env->count++] = value;
	return 0;
}

#define ENV(...)                                                                                   \
	{                                                                                          \
		.arg = &(struct small)__VA_ARGS__, .get = get, .set = set                          \
	}

static void the_servers_offer_becomes_the_clients_parameter(void)
{
	struct wireup_env env =
		ENV({.name = {"PMIX_SECURITY_MODE", "PMIX_PTL_MODULE", "PMIX_GDS_MODULE"},
		     .value = {"munge,native", "usock,tcp", "ds21,ds12,hash"},
		     .count = 3});

	ok(wireup_pmix(&env) == 2, "two of them");
	is_str(get(env.arg, "PMIX_MCA_psec"), "native", "the security that every PMIx has");
	is_str(get(env.arg, "PMIX_MCA_ptl"), "tcp", "and the transport");
	ok(!get(env.arg, "PMIX_MCA_gds"), "the store is the client's to pick");
	ok(wireup_pmix(&env) == 0, "a second time changes nothing");
}

static void what_the_user_set_stays(void)
{
	struct wireup_env env = ENV({.name = {"PMIX_SECURITY_MODE", "PMIX_MCA_psec"},
				     .value = {"munge,native", "munge"},
				     .count = 2});

	ok(wireup_pmix(&env) == 0, "nothing is set");
	is_str(get(env.arg, "PMIX_MCA_psec"), "munge", "it is the user's");
}

static void nothing_is_made_up(void)
{
	struct wireup_env none = ENV({.count = 0});
	struct wireup_env other = ENV({.name = {"PMIX_SECURITY_MODE", "PMIX_PTL_MODULE"},
				       .value = {"munge,natives,nativ", ""},
				       .count = 2});

	ok(wireup_pmix(&none) == 0, "without a launcher there is nothing to do");
	ok(wireup_pmix(&other) == 0, "a server without the common item is left to the client");
}

static void a_topology_is_used_where_it_is(void)
{
	struct wireup_env env = ENV({.count = 0});
	struct wireup_env users = ENV({.name = {"HWLOC_SYNTHETIC"}, .value = {"pu:4"}, .count = 1});
	struct wireup_env part = ENV({.name = {"HWLOC_THISSYSTEM"}, .value = {"0"}, .count = 1});

	ok(wireup_topology(&env, false) == 0, "not where there is none");
	ok(wireup_topology(&env, true) == 3, "three variables");
	is_str(get(env.arg, "HWLOC_XMLFILE"), WIREUP_TOPOLOGY, "the file");
	is_str(get(env.arg, "HWLOC_THISSYSTEM_ALLOWED_RESOURCES"), "1",
	       "restricted by the kernel's word");
	ok(wireup_topology(&users, true) == 0, "a user's own topology stays");
	ok(wireup_topology(&part, true) == 2, "and a user's own setting");
	is_str(get(part.arg, "HWLOC_THISSYSTEM"), "0", "whatever it says");
}

static void an_environment_that_cannot_grow_is_told(void)
{
	struct wireup_env env = ENV(
		{.name = {"PMIX_SECURITY_MODE"}, .value = {"native"}, .count = 1, .full = true});

	ok(wireup_pmix(&env) == -1, "by the mapping");
	ok(wireup_topology(&env, true) == -1, "by the topology");
	ok(wireup_task(&env) == -1, "by both");
}

static struct err err;

/* The places of @env in a container that shows /tmp and a home, as text. */
static char *places(const struct wireup_env *env)
{
	auto_plan *plan = plan_new();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)plan_add_bind(plan, "/tmp", "/tmp", PLAN_OPTIONAL, &err);
	(void)plan_add_bind(plan, "/elsewhere", "/scratch/home/u", 0, &err);
	ok(wireup_places(env, plan, &err) == 0, "places are planned");
	plan->image = strdup("/i");
	plan_print(plan, out);
	(void)fclose(out);
	return text;
}

static void the_servers_directories_are_shown(void)
{
	struct wireup_env env =
		ENV({.name = {"PMIX_SERVER_TMPDIR", "PMIX_DSTORE_21_BASE_PATH"},
		     .value = {"/scratch/ompi.n1/pid.7", "/scratch/ompi.n1/pid.7/dstore"},
		     .count = 2});
	struct wireup_env below =
		ENV({.name = {"PMIX_SERVER_TMPDIR"}, .value = {"/tmp/ompi.n1"}, .count = 1});
	auto_free char *shown = places(&env);
	auto_free char *tmp = places(&below);

	ok(strstr(shown, "bind /scratch/ompi.n1/pid.7 /scratch/ompi.n1/pid.7 rw optional\n") !=
		   NULL,
	   "where the server works");
	ok(!strstr(shown, "dstore"), "what lies below is shown with it");
	ok(!strstr(shown, "munge"), "munge is Slurm's");
	ok(!strstr(tmp, "ompi"), "what /tmp shows is not shown twice");
}

static void under_slurm_it_is_the_spool_directory(void)
{
	struct wireup_env task =
		ENV({.name = {"SLURM_JOB_ID", "PMIX_SERVER_TMPDIR", "SLURM_PMIX_TMPDIR"},
		     .value = {"5", "/opt/spool.n1/pmix.5.0//", "/local/pmix"},
		     .count = 3});
	struct wireup_env daemon = ENV({.name = {"SLURM_JOB_ID"}, .value = {"5"}, .count = 1});
	auto_free char *step = places(&task);
	auto_free char *before = places(&daemon);

	ok(strstr(step, "bind /opt/spool.n1 /opt/spool.n1 rw optional\n") != NULL,
	   "not the step's own, so that all steps have one name");
	ok(strstr(step, "bind /local/pmix /local/pmix rw optional\n") != NULL,
	   "where the tasks' directories are");
	ok(strstr(step, "bind /run/munge /run/munge rw optional nopoint\n") != NULL,
	   "and munge's socket");
	ok(strstr(before, "bind /run/munge ") != NULL, "also before there is a server");
}

static void the_images_own_stays(void)
{
	static const char *const hostile[] = {"/",	   "/usr",  "/usr/lib", "/etc/x",
					      "/var",	   "/run",  "tmp",	"",
					      "/x/../etc", "/home", "/scratch", "/lib64/x",
					      "//usr//bin"};

	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		struct wireup_env env =
			ENV({.name = {"PMIX_SERVER_TMPDIR"}, .value = {hostile[i]}, .count = 1});
		auto_free char *text = places(&env);
		auto_free char *plain = places(&(struct wireup_env)ENV({.count = 0}));

		is_str(text, plain, "nothing is shown there, and nothing covered");
	}
}

int main(void)
{
	the_servers_offer_becomes_the_clients_parameter();
	what_the_user_set_stays();
	nothing_is_made_up();
	a_topology_is_used_where_it_is();
	an_environment_that_cannot_grow_is_told();
	the_servers_directories_are_shown();
	under_slurm_it_is_the_spool_directory();
	the_images_own_stays();
	return done_testing();
}
