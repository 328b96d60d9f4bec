/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/container.h"

#include "lib/log.h"
#include "runner/plan/env.h"
#include "runner/plan/topology.h"
#include "runner/session/session.h"
#include "runner/task/env_shell.h"

#include <fcntl.h>
#include <time.h>

int container_plan(struct request *request, struct container *out, struct err *err)
{
	out->request = request;
	if (request->session && !*request->session)
		return err_set(err, "--session needs a name that is not empty");
	if (conf_read(request->config, &out->conf, err) < 0 || env_open_files(request, err) < 0 ||
	    image_open(request->image, out->conf->require_cage, &out->image, err) < 0)
		return -1;
	if (compose_container(request, out->conf, out->image, &out->composer, err) < 0)
		return -1;
	return injected_plan(request, composer_plan(out->composer), err);
}

static int open_content(struct container *at, struct err *err)
{
	struct content_files files = command_files(at->request);

	if (at->image->kind == IMAGE_DIRECTORY)
		return content_open(at->image, at->conf, &at->content, err);
	return content_open_apart(at->image, at->conf, &files, &at->content, err);
}

int container_compose(struct container *at, struct err *err)
{
	if (open_content(at, err) < 0)
		return -1;
	if (at->session.config >= 0 &&
	    content_take_config(at->content, at->session.config, err) < 0)
		return -1;
	return compose_task(at->composer, at->content, &at->plan, err);
}

/* Among whom the container is shared. Returns false for nobody. */
static bool choose_launcher(const struct container *at, const struct container_use *use,
			    char launcher[SESSION_LAUNCHER_SIZE])
{
	struct timespec now;

	if (at->request->session) {
		(void)snprintf(launcher, SESSION_LAUNCHER_SIZE, "name %s", at->request->session);
		return true;
	}
	if (session_launcher(launcher))
		return true;
	*launcher = '\0';
	if (at->conf->linger > 0)
		return true;
	if (!use->always)
		return false;
	/* Nobody else has this name; but the container has a keeper. */
	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	(void)snprintf(launcher, SESSION_LAUNCHER_SIZE, "process %d %lld %ld", (int)getpid(),
		       (long long)now.tv_sec, now.tv_nsec);
	return true;
}

int container_meet(struct container *at, const struct container_use *use, struct err *err)
{
	char launcher[SESSION_LAUNCHER_SIZE];

	if ((at->request->private && !use->always) || !choose_launcher(at, use, launcher))
		return 0;
	if (session_name(at->image, composer_plan(at->composer), launcher, at->name, err) < 0)
		return -1;
	log_debug("session of %s", *launcher ? launcher : "this machine");
	session_meet(at->name, &at->session);
	return 0;
}

/* What was opened is read at @root, taken over, now. Its name, which messages tell, stays. */
static void move_to(struct image *image, int root)
{
	own_close(&image->fd);
	image->fd = root;
	image->kind = IMAGE_DIRECTORY;
}

int container_read(struct container *at, struct err *err)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(err, "cannot open the container's root");
	move_to(at->image, root);
	if (injected_is_asked(at->request) && injected_read(&at->injected, err) < 0)
		return -1;
	return container_compose(at, err);
}

static int join(struct container *at, struct err *err)
{
	struct session_offer offer = {
		.user = at->session.user,
		.mnt = at->session.mnt,
		.keep_capabilities = composer_plan(at->composer)->keep_capabilities,
	};

	return session_enter(&offer, err) < 0 ? -1 : container_read(at, err);
}

/* The image's own root, before anything is mounted in it. */
static int complete(void *arg, int root, struct err *err)
{
	struct container *at = arg;
	int own = fcntl(root, F_DUPFD_CLOEXEC, 0);

	if (own < 0)
		return err_sys(err, "cannot open the container's root");
	move_to(at->image, own);
	if (container_compose(at, err) < 0)
		return -1;
	if (at->topology)
		topology_check(at->content, at->plan);
	if (at->keeps_config)
		at->config = content_copy_config(at->content, err);
	return at->keeps_config && at->config < 0 ? -1 : 0;
}

/* The root as the program will have it. */
static int settle(void *arg, int root, struct err *err)
{
	struct container *at = arg;

	return injected_resolve(&at->injected, root, at->plan, err);
}

int container_build(struct container *at, const struct container_use *use, struct err *err)
{
	bool shared = at->session.role == SESSION_FIRST;
	struct plan *plan = composer_plan(at->composer);
	struct keeper keeper = {
		.listener = take_fd(&at->session.listener),
		.task = {use->self && shared ? getpid() : 0, use->other},
		.hold = use->hold,
		.linger = at->conf->linger,
		.note = use->note,
	};
	struct launch launch = {
		.plan = plan,
		.image = at->image,
		.conf = at->conf,
		.keeper = shared ? &keeper : NULL,
		.complete = complete,
		.settle = injected_is_asked(at->request) ? settle : NULL,
		.arg = at,
		.config = &at->config,
	};

	at->keeps_config = use->note != NULL;
	at->topology = use->topology && at->conf->topology && composer_wires_up(at->composer) &&
		       topology_add(plan);
	if (!shared)
		own_close(&keeper.hold);
	if (injected_is_asked(at->request) &&
	    injected_prepare(&at->injected, at->request, plan, err) < 0)
		return -1;
	return launch_container(&launch, &at->launched, err);
}

int container_enter(struct container *at, const struct container_use *use, struct err *err)
{
	return at->session.role == SESSION_MEMBER ? join(at, err) : container_build(at, use, err);
}

int container_environment(struct container *at, struct err *err)
{
	return env_shell_run(at->plan, err) < 0 ? -1
						: injected_apply(&at->injected, at->plan, err);
}

void container_clear(struct container *at)
{
	injected_clear(&at->injected);
	launched_clear(&at->launched);
	own_close(&at->config);
	session_clear(&at->session);
	plan_free(at->plan);
	composer_free(at->composer);
	content_free(at->content);
	image_free(at->image);
	conf_free(at->conf);
}
