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

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* The launcher while it builds. Our ends of the sockets to the supervisor and to the first worker.
 */
struct building {
	const struct launch *launch;
	int supervisor, worker;
};

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

static void fill_options(const struct launch *launch, const struct shows *shows,
			 struct server_options *out)
{
	const struct plan *plan = launch->plan;
	const struct conf *conf = launch->conf;

	*out = (struct server_options){
		.image_fd = launch->image->fd,
		.offset = launch->image->offset,
		.size = launch->image->size,
		.image_name = plan->image,
		.cache_size = conf->cache_size,
		.metadata_size = conf->metadata_size,
		.shows = shows->show,
		.show_count = shows->count,
		.uid = plan->inner_uid,
		.gid = plan->inner_gid,
		.threads = conf->threads,
		.require_cage = conf->require_cage,
		.log = log_level() >= LOG_DEBUG,
		.device = -1,
	};
}

/* Start the supervisor of an image that needs a server; @theirs are the other ends of our sockets.
 */
static int start_server(const struct launch *launch, struct supervisor *supervisor, int attach,
			struct launched *out, struct err *err)
{
	const struct plan *plan = launch->plan;
	auto_shows *shows = NULL;
	struct engine engine = {.program = NULL};
	struct minder minder = {.program = getpid(), .launcher = supervisor->launcher};
	int result;

	out->table = new_table();
	if (!out->table)
		return err_sys(err, "cannot start the mount server");
	if (shows_make(plan, &shows, err) < 0)
		return -1;
	fill_options(launch, shows, &minder.server);
	minder.server.table = out->table;
	minder.server.attach = attach;
	if (plan->engine == PLAN_ENGINE_SQUASHFUSE) {
		if (engine_find(launch->conf, launch->image, &engine, err) < 0)
			return -1;
		minder.engine = engine_become;
		minder.engine_arg = &engine;
	}
	supervisor->minder = &minder;
	result = supervisor_start(supervisor, err);
	free(engine.program);
	return result;
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

/* The processes beside the program, which are there before the namespaces. */
static int start_processes(struct building *at, struct launched *out, struct err *err)
{
	const struct launch *launch = at->launch;
	bool serves = launch->plan->engine != PLAN_ENGINE_NONE;
	auto_fd theirs = -1;
	auto_fd attach = -1;
	cpu_set_t cpus;
	struct supervisor supervisor = {
		.keeper = launch->keeper,
		.cpus = launcher_cpus(launch->keeper, &cpus),
	};

	if (!serves && !launch->keeper)
		return 0;
	if (open_pair(&at->supervisor, &theirs, err) < 0 ||
	    (serves && open_pair(&at->worker, &attach, err) < 0))
		return -1;
	supervisor.launcher = theirs;
	if (!serves)
		return supervisor_start(&supervisor, err);
	return start_server(launch, &supervisor, attach, out, err);
}

static int open_device(struct err *err)
{
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	return device < 0 ? err_sys(err, "cannot open '/dev/fuse' (see 'firn doctor')") : device;
}

/* The supervisor is a process of the user's own namespaces: it must be there before ns_enter(). */
static int serve_image(const struct building *at, struct err *err)
{
	auto_fd device = open_device(err);
	struct err ignored;

	if (device < 0 || root_mount_fuse(at->launch->plan, device, err) < 0)
		return -1;
	/*
	 * The worker waits for it by itself: there is no way by the supervisor. If it is gone
	 * already, the supervisor starts another one. Once we do not hold the device any
	 * more, a server that was given up is an error, not a hang.
	 */
	(void)server_attach(at->worker, device, &ignored);
	return supervisor_mounted(at->supervisor, device, err);
}

static int mount_all(const struct building *at, struct err *err)
{
	const struct launch *launch = at->launch;
	const struct plan *plan = launch->plan;
	struct mount_hook hook = {launch->complete, launch->arg};

	if (plan->engine == PLAN_ENGINE_NONE) {
		if (root_mount_directory(launch->image, err) < 0)
			return -1;
	} else if (serve_image(at, err) < 0) {
		return -1;
	}
	log_debug("the root is mounted");
	return mount_plan(plan, plan->engine == PLAN_ENGINE_FIRN, &hook, err);
}

/* If the server gave up, what it found is the cause of what failed here. */
static int explain(struct server_table *table, struct err *err)
{
	int status = err->status;

	if (table && atomic_load(&table->report.state) != 0) {
		table->report.text[sizeof(table->report.text) - 1] = '\0';
		(void)err_set(err, "%s", table->report.text);
		err->status = status;
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
		return explain(out->table, err);
	if (overlay_lock_mounted(&lock, err) < 0)
		return -1;
	if (keeper &&
	    supervisor_ready(at->supervisor, out->user, out->mnt, *at->launch->config, err) < 0)
		log_info("the container is not shared: %s", err->text);
	return 0;
}

int launch_container(const struct launch *launch, struct launched *out, struct err *err)
{
	struct building at = {launch, -1, -1};

	*out = (struct launched){NULL, -1, -1};
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
	return explain(launched->table, err);
}

void launched_clear(struct launched *launched)
{
	if (launched->table)
		(void)munmap(launched->table, sizeof(*launched->table));
	own_close(&launched->user);
	own_close(&launched->mnt);
	*launched = (struct launched){NULL, -1, -1};
}
