/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/launch.h"

#include "lib/log.h"
#include "runner/mount/engine.h"
#include "runner/mount/mount.h"
#include "runner/mount/ns.h"
#include "runner/mount/overlay_lock.h"
#include "runner/mount/root.h"
#include "runner/mount/title.h"
#include "runner/plan/shows.h"
#include "runner/session/supervisor.h"
#include "runner/task/task.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* The launcher while it builds. Our ends of the sockets to the supervisor and to the first workers,
 * that of the root before those of data images.
 */
struct building {
	const struct launch *launch;
	int supervisor, worker[SUPERVISOR_MINDERS_MAX];
};

static bool is_served(const struct plan *plan)
{
	return plan->engine != PLAN_ENGINE_NONE;
}

/* Memory that the server shares, with the launcher until that is the program. */
static struct server_table *new_table(void)
{
	void *memory = mmap(NULL, sizeof(struct server_table), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/*
 * A launcher binds each rank to its processors. The server of all ranks belongs
 * to none of them: it runs where the launcher does, as the job's other helpers.
 */
static const cpu_set_t *launcher_cpus(const struct keeper *keeper, cpu_set_t *set)
{
	return keeper && sched_getaffinity(getppid(), sizeof(*set), set) == 0 ? set : NULL;
}

static void fill_options(const struct launch *launch, const struct image *image,
			 struct server_options *out)
{
	const struct plan *plan = launch->plan;
	const struct conf *conf = launch->conf;

	*out = (struct server_options){
		.image_fd = image->fd,
		.offset = image->offset,
		.size = image->size,
		.image_name = image->path,
		.cache_size = conf->cache_size,
		.metadata_size = conf->metadata_size,
		.uid = plan->inner_uid,
		.gid = plan->inner_gid,
		.threads = conf->threads,
		.require_cage = conf->require_cage,
		.log = log_level() >= LOG_DEBUG,
		.device = -1,
	};
}

static int open_pair(int *ours, int *theirs, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "cannot start the supervisor");
	*ours = pair[0];
	*theirs = pair[1];
	return 0;
}

/* One more minder, for @image. */
static int add_minder(struct building *at, const struct image *image, struct supervisor *supervisor,
		      struct launched *out, struct err *err)
{
	size_t number = supervisor->minders;
	struct minder *minder = &supervisor->minder[number];

	*minder = (struct minder){.program = getpid(), .launcher = supervisor->launcher};
	fill_options(at->launch, image, &minder->server);
	minder->server.attach = -1;
	out->table[number] = new_table();
	if (!out->table[number])
		return err_sys(err, "cannot start the mount server");
	out->tables++;
	minder->server.table = out->table[number];
	supervisor->minders++;
	return open_pair(&at->worker[number], &minder->server.attach, err);
}

static int add_minders(struct building *at, struct supervisor *supervisor, struct launched *out,
		       struct err *err)
{
	const struct plan *plan = at->launch->plan;

	supervisor->serves_root = is_served(plan);
	if (is_served(plan) && add_minder(at, at->launch->image, supervisor, out, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_IMAGE &&
		    add_minder(at, plan->step[i].image, supervisor, out, err) < 0)
			return -1;
	for (size_t i = 0; i < supervisor->minders; i++) {
		supervisor->minder[i].tables = out->table;
		supervisor->minder[i].table_count = out->tables;
	}
	return 0;
}

/* Start the supervisor, whose first minder is that of an image with a mount server of its own. */
static int start_serving(const struct launch *launch, struct supervisor *supervisor,
			 struct err *err)
{
	struct minder *root = &supervisor->minder[0];
	struct engine engine = {.program = NULL};
	auto_shows *shows = NULL;
	int result;

	if (!supervisor->serves_root)
		return supervisor_start(supervisor, err);
	if (shows_make(launch->plan, &shows, err) < 0)
		return -1;
	root->server.shows = shows->show;
	root->server.show_count = shows->count;
	if (launch->plan->engine == PLAN_ENGINE_SQUASHFUSE) {
		if (engine_find(launch->conf, launch->image, &engine, err) < 0)
			return -1;
		root->engine = engine_become;
		root->engine_arg = &engine;
	}
	result = supervisor_start(supervisor, err);
	free(engine.program);
	return result;
}

/* How many of the plan's images need a server. */
static size_t count_served(const struct plan *plan)
{
	size_t count = is_served(plan);

	for (size_t i = 0; i < plan->count; i++)
		count += plan->step[i].kind == PLAN_IMAGE;
	return count;
}

/* The processes beside the program, which are there before the namespaces. */
static int start_processes(struct building *at, struct launched *out, struct err *err)
{
	const struct launch *launch = at->launch;
	size_t served = count_served(launch->plan);
	auto_fd theirs = -1;
	cpu_set_t cpus;
	struct supervisor supervisor = {
		.keeper = launch->keeper,
		.cpus = launcher_cpus(launch->keeper, &cpus),
	};
	int result;

	if (served == 0 && !launch->keeper)
		return 0;
	if (open_pair(&at->supervisor, &theirs, err) < 0)
		return -1;
	supervisor.launcher = theirs;
	if (served == 0)
		return supervisor_start(&supervisor, err);
	supervisor.minder = calloc(served, sizeof(*supervisor.minder));
	out->table = calloc(served, sizeof(struct server_table *));
	if (!supervisor.minder || !out->table) {
		free(supervisor.minder);
		return err_sys(err, "cannot start the mount server");
	}
	result = add_minders(at, &supervisor, out, err);
	if (result == 0)
		result = start_serving(launch, &supervisor, err);
	for (size_t i = 0; i < supervisor.minders; i++)
		own_close(&supervisor.minder[i].server.attach);
	free(supervisor.minder);
	return result;
}

/* The mounted @device to the worker with that number, and to the supervisor. */
static int serve(const struct building *at, size_t number, int device, struct err *err)
{
	struct err ignored;

	/*
	 * The worker waits for it by itself: there is no way by the supervisor. If it is gone
	 * already, the supervisor starts another one. Once we do not hold the device any
	 * more, a server that was given up is an error, not a hang.
	 */
	(void)server_attach(at->worker[number], device, &ignored);
	return supervisor_mounted(at->supervisor, number, device, err);
}

static int serve_data(void *arg, size_t nth, int device, struct err *err)
{
	const struct building *at = arg;

	return serve(at, nth + is_served(at->launch->plan), device, err);
}

/* The supervisor is a process of the user's own namespaces: it must be there before ns_enter(). */
static int serve_image(const struct building *at, struct err *err)
{
	auto_fd device = root_open_device(err);

	return device < 0 || root_mount_fuse(at->launch->plan, device, err) < 0
		       ? -1
		       : serve(at, 0, device, err);
}

static int mount_all(struct building *at, struct err *err)
{
	const struct launch *launch = at->launch;
	const struct plan *plan = launch->plan;
	struct mount_hook hook = {launch->complete, launch->settle, launch->arg, {serve_data, at}};

	if (!is_served(plan)) {
		if (root_mount_directory(launch->image, err) < 0)
			return -1;
	} else if (serve_image(at, err) < 0) {
		return -1;
	}
	log_debug("the root is mounted");
	return mount_plan(plan, plan->engine == PLAN_ENGINE_FIRN, &hook, err);
}

/* If a server gave up, what it found is the cause of what failed here. */
static int explain(const struct launched *launched, struct err *err)
{
	int status = err->status;

	for (size_t i = 0; i < launched->tables; i++) {
		struct server_report *report = &launched->table[i]->report;

		if (atomic_load(&report->state) == 0)
			continue;
		report->text[sizeof(report->text) - 1] = '\0';
		(void)err_set(err, "%s", report->text);
		err->status = status;
		break;
	}
	return -1;
}

static int build(struct building *at, struct launched *out, struct err *err)
{
	struct keeper *keeper = at->launch->keeper;
	auto_overlay_lock lock = OVERLAY_LOCK_NONE;
	int result;

	title_about(at->launch->plan->image);
	result = overlay_lock(at->launch->plan, at->launch->image, &lock, err);
	if (result == 0)
		result = start_processes(at, out, err);

	/* From here on nobody waits in vain: when the supervisor ends, all ends of its sockets are
	 * closed. */
	if (keeper) {
		own_close(&keeper->listener);
		own_close(&keeper->hold);
	}
	if (result < 0 || ns_enter(at->launch->plan, err) < 0 ||
	    (keeper && ns_open(&out->user, &out->mnt, err) < 0))
		return -1;
	/*
	 * Who builds for others becomes no program: nobody needs to trace it, and what it offers is
	 * better its own. Not before: the kernel has one that is not dumpable write no map of ids.
	 */
	if (keeper && keeper->task[0] == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, "cannot keep others from tracing this process");
	if (mount_all(at, err) < 0)
		return explain(out, err);
	if (overlay_lock_mounted(&lock, err) < 0)
		return -1;
	if (keeper &&
	    supervisor_ready(at->supervisor, out->user, out->mnt, *at->launch->config, err) < 0)
		log_info("the container is not shared: %s", err->text);
	return 0;
}

int launch_container(const struct launch *launch, struct launched *out, struct err *err)
{
	struct building at = {.launch = launch, .supervisor = -1};

	*out = (struct launched){NULL, 0, -1, -1};
	/* Our ends stay open: by them the supervisor knows until when we tell what is wrong. */
	if (build(&at, out, err) < 0)
		return -1;
	if (!launch->plan->keep_capabilities && ns_drop_capabilities(err) < 0)
		return -1;
	log_debug("the container is ready");
	return 0;
}

int launch_task(struct plan *plan, const struct launched *launched, struct err *err)
{
	(void)task_become(plan, err);
	return explain(launched, err);
}

void launched_clear(struct launched *launched)
{
	while (launched->tables > 0)
		(void)munmap(launched->table[--launched->tables], sizeof(struct server_table));
	free(launched->table);
	own_close(&launched->user);
	own_close(&launched->mnt);
	*launched = (struct launched){NULL, 0, -1, -1};
}
