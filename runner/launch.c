/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/launch.h"

#include "lib/log.h"
#include "runner/engine.h"
#include "runner/mount.h"
#include "runner/ns.h"
#include "runner/overlay_lock.h"
#include "runner/root.h"
#include "runner/server/server.h"
#include "runner/shows.h"
#include "runner/task.h"
#include "runner/title.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Memory that the server and the launcher share until the launcher is the program. */
static struct server_report *new_report(void)
{
	void *memory = mmap(NULL, sizeof(struct server_report), PROT_READ | PROT_WRITE,
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

static int start_server(const struct plan *plan, const struct content *content,
			const struct conf *conf, const struct keeper *keeper,
			struct server_report *report, struct err *err)
{
	auto_shows *shows = NULL;
	struct engine engine = {.program = NULL};
	int server;
	cpu_set_t cpus;
	struct server_options options = {
		.image = content->squashfs,
		.image_fd = content->image->fd,
		.image_name = plan->image,
		.uid = plan->inner_uid,
		.gid = plan->inner_gid,
		.cpus = launcher_cpus(keeper, &cpus),
		.threads = conf->threads,
		.program = getpid(),
		.report = report,
		.keeper = plan->engine == PLAN_ENGINE_FIRN ? keeper : NULL,
		.log = log_level() >= LOG_DEBUG,
	};

	if (shows_make(plan, &shows, err) < 0)
		return -1;
	options.shows = shows->show;
	options.show_count = shows->count;
	if (plan->engine == PLAN_ENGINE_SQUASHFUSE) {
		if (engine_find(conf, plan->offset, &engine, err) < 0)
			return -1;
		options.engine = engine_become;
		options.engine_arg = &engine;
	}
	server = server_start(&options, err);
	free(engine.program);
	return server;
}

static int open_device(struct err *err)
{
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	return device < 0 ? err_sys(err, "cannot open '/dev/fuse' (see 'firn doctor')") : device;
}

/* The server is a process of the user's own namespaces: it must be there before ns_enter(). */
static int serve_image(const struct plan *plan, int server, struct err *err)
{
	auto_fd device = -1;

	device = open_device(err);
	if (device < 0 || root_mount_fuse(plan, device, err) < 0)
		return -1;
	/* Once we do not hold the device any more, a dead server is an error, not a hang. */
	return server_attach(server, device, err);
}

static int mount_all(const struct plan *plan, const struct content *content, int server,
		     struct err *err)
{
	bool shows = plan->engine == PLAN_ENGINE_FIRN;

	if (plan->engine == PLAN_ENGINE_NONE) {
		if (root_mount_directory(content->image, err) < 0)
			return -1;
	} else if (serve_image(plan, server, err) < 0) {
		return -1;
	}
	log_debug("the root is mounted");
	return mount_plan(plan, shows, err);
}

/* If the server gave up, what it found is the cause of what failed here. */
static int explain(const struct server_report *report, struct err *err)
{
	int status = err->status;

	if (report && atomic_load(&report->state) != 0) {
		(void)err_set(err, "%s", report->text);
		err->status = status;
	}
	return -1;
}

/* The processes beside the program, which are there before the namespaces. Returns the server's socket. */
static int start_processes(const struct plan *plan, const struct content *content,
			   const struct conf *conf, struct keeper *keeper, struct launched *out,
			   int *server, struct err *err)
{
	if (keeper && plan->engine != PLAN_ENGINE_FIRN && keeper_start_process(keeper, err) < 0)
		return -1;
	if (plan->engine == PLAN_ENGINE_NONE)
		return 0;
	out->report = new_report();
	if (!out->report)
		return err_sys(err, "cannot start the mount server");
	*server = start_server(plan, content, conf, keeper, out->report, err);
	return *server < 0 ? -1 : 0;
}

static int build(const struct plan *plan, const struct content *content, const struct conf *conf,
		 struct keeper *keeper, int builder, struct launched *out, struct err *err)
{
	auto_overlay_lock lock = OVERLAY_LOCK_NONE;
	int server = -1;
	int result;

	title_about(plan->image);
	result = overlay_lock(plan, content->image, &lock, err);

	if (result == 0)
		result = start_processes(plan, content, conf, keeper, out, &server, err);

	/* From here on nobody waits in vain: when the keeper ends, all ends of its sockets are closed. */
	if (keeper) {
		own_close(&keeper->listener);
		own_close(&keeper->builder);
		own_close(&keeper->hold);
	}
	if (result < 0 || ns_enter(plan, err) < 0 ||
	    (keeper && ns_open(&out->user, &out->mnt, err) < 0))
		return -1;
	/*
	 * Who builds for others becomes no program: nobody needs to trace it, and what it offers is
	 * better its own. Not before: the kernel has one that is not dumpable write no map of ids.
	 */
	if (keeper && keeper->task[0] == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, "cannot keep others from tracing this process");
	if (mount_all(plan, content, server, err) < 0)
		return explain(out->report, err);
	if (overlay_lock_mounted(&lock, err) < 0)
		return -1;
	if (keeper && keeper_ready(builder, out->user, out->mnt, err) < 0)
		log_info("the container is not shared: %s", err->text);
	return 0;
}

int launch_container(const struct plan *plan, const struct content *content, const struct conf *conf,
		     struct keeper *keeper, struct launched *out, struct err *err)
{
	int pair[2] = {-1, -1};

	*out = (struct launched){NULL, -1, -1};
	if (keeper && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "cannot start the keeper");

	auto_fd builder = pair[0];

	if (keeper)
		keeper->builder = pair[1];
	if (build(plan, content, conf, keeper, builder, out, err) < 0)
		return -1;
	if (!plan->keep_capabilities && ns_drop_capabilities(err) < 0)
		return -1;
	log_debug("the container is ready");
	return 0;
}

int launch_task(struct plan *plan, const struct launched *launched, struct err *err)
{
	(void)task_become(plan, err);
	return explain(launched->report, err);
}

void launched_clear(struct launched *launched)
{
	if (launched->report)
		(void)munmap(launched->report, sizeof(*launched->report));
	own_close(&launched->user);
	own_close(&launched->mnt);
	*launched = (struct launched){NULL, -1, -1};
}
