/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/launch.h"

#include "lib/log.h"
#include "runner/engine.h"
#include "runner/mount.h"
#include "runner/ns.h"
#include "runner/root.h"
#include "runner/server/server.h"
#include "runner/shows.h"
#include "runner/task.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>

/* Memory that the server and the launcher share until the launcher is the program. */
static struct server_report *new_report(void)
{
	void *memory = mmap(NULL, sizeof(struct server_report), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int start_server(const struct plan *plan, const struct content *content,
			const struct conf *conf, struct server_report *report, struct err *err)
{
	auto_shows *shows = NULL;
	struct engine engine = {.program = NULL};
	int server;
	struct server_options options = {
		.image = content->squashfs,
		.image_fd = content->image->fd,
		.image_name = plan->image,
		.uid = plan->inner_uid,
		.gid = plan->inner_gid,
		.threads = conf->threads,
		.program = getpid(),
		.report = report,
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

	if (ns_enter(plan, err) < 0)
		return -1;
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

int launch(const struct plan *plan, const struct content *content, const struct conf *conf,
	   struct err *err)
{
	struct server_report *report = NULL;
	int server = -1;

	if (plan->engine != PLAN_ENGINE_NONE) {
		report = new_report();
		if (!report)
			return err_sys(err, "cannot start the mount server");
		server = start_server(plan, content, conf, report, err);
		if (server < 0)
			return -1;
	}
	if (mount_all(plan, content, server, err) < 0)
		return explain(report, err);
	if (!plan->keep_capabilities && ns_drop_capabilities(err) < 0)
		return -1;
	log_debug("the container is ready");
	(void)task_become(plan, err);
	return explain(report, err);
}
