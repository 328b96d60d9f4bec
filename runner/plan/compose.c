/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/compose.h"

#include "lib/image/identity.h"
#include "lib/log.h"
#include "lib/path.h"
#include "mpi-glue/wireup.h"
#include "runner/plan/env.h"
#include "runner/plan/host_files.h"
#include "runner/plan/user.h"
#include "runner/plan/visible.h"

#include <string.h>
#include <sys/stat.h>

/* What compose works with. */
struct composer {
	const struct request *request;
	const struct conf *conf;
	const struct image *image;
	struct user *user;   /* owned */
	struct plan *plan;   /* owned */
	const char *home;    /* inside */
	char *host_cwd;      /* owned; by the name the user knows it; NULL when there is none */
	char *real_cwd;      /* owned; by its own name, if that is another */
};

enum { WORKDIRS_MAX = 6 };

#define FROZEN_HOME "/home/user"

/* What is not there by a name with a comma may be two that are. */
static int cannot_bind(const char *source, struct err *err)
{
	return err_sys(err, "cannot bind '%s'%s", source,
		       strchr(source, ',') ? " (each bind has a --bind of its own)" : "");
}

/* Look at @source, which must exist unless @flags say optional: 1, 0 for what is not there, or -1.
 */
static int look_at(const char *source, unsigned flags, struct stat *out, struct err *err)
{
	if (stat(source, out) == 0)
		return 1;
	if (!(flags & PLAN_OPTIONAL))
		return cannot_bind(source, err);
	log_info("not shown: '%s': %s", source, strerror(errno));
	return 0;
}

/* A file gets a file as mount point; devices that cannot be opened would be of no use. */
static int add_known(struct composer *at, const char *source, const struct stat *stat_,
		     const char *target, unsigned flags, struct err *err)
{
	if (!S_ISDIR(stat_->st_mode))
		flags |= PLAN_ISFILE;
	if (path_is_below(target, "/dev"))
		flags |= PLAN_DEVICES;
	return plan_add_bind(at->plan, source, target, flags, err);
}

static int add_bind(struct composer *at, const char *source, const char *target, unsigned flags,
		    struct err *err)
{
	struct stat stat_;
	int there = look_at(source, flags, &stat_, err);

	return there <= 0 ? there : add_known(at, source, &stat_, target, flags, err);
}

static int add_root(struct composer *at, struct err *err)
{
	const struct request *request = at->request;
	const struct image *image = at->image;
	const char *engine = request->engine;

	at->plan->image = strdup(image->path);
	if (!at->plan->image)
		return err_sys(err, "cannot plan '%s'", image->path);
	at->plan->offset = image->offset;
	at->plan->engine = at->conf->engine == ENGINE_SQUASHFUSE ? PLAN_ENGINE_SQUASHFUSE
								  : PLAN_ENGINE_FIRN;
	if (engine && strcmp(engine, "squashfuse") == 0)
		at->plan->engine = PLAN_ENGINE_SQUASHFUSE;
	else if (engine && strcmp(engine, "firn") == 0)
		at->plan->engine = PLAN_ENGINE_FIRN;
	else if (engine)
		return err_set(err, "engine '%s' is not known; it is firn or squashfuse", engine);
	if (image->kind == IMAGE_DIRECTORY)
		at->plan->engine = PLAN_ENGINE_NONE;

	if (request->overlay) {
		struct stat stat_;

		if (stat(request->overlay, &stat_) < 0)
			return err_sys(err, "cannot use overlay '%s'", request->overlay);
		if (!S_ISDIR(stat_.st_mode))
			return err_code(err, ENOTDIR, "cannot use overlay '%s'", request->overlay);
		at->plan->overlay_any = request->overlay_any;
		return plan_add_overlay(at->plan, request->overlay, err);
	}
	if (request->writable_tmpfs)
		return plan_add_overlay(at->plan, NULL, err);
	return 0;
}

static void add_identity(struct composer *at)
{
	at->plan->uid = at->user->uid;
	at->plan->gid = at->user->gid;
	at->plan->inner_uid = at->request->root ? 0 : at->user->uid;
	at->plan->inner_gid = at->request->root ? 0 : at->user->gid;
	at->plan->keep_capabilities = at->request->root;
	at->plan->contained = at->request->contain;
}

/* As root the image's own lines are right. */
static int add_names(struct composer *at, struct err *err)
{
	return at->request->root
		       ? 0
		       : user_add_names(at->user, at->plan, at->home, at->request->frozen, err);
}

static int add_system(struct composer *at, struct err *err)
{
	const struct request *request = at->request;

	/* Known to be directories: no look at them is needed. */
	if (plan_add_bind(at->plan, "/proc", "/proc", PLAN_IMPLICIT, err) < 0)
		return -1;
	if (!request->frozen &&
	    plan_add_bind(at->plan, "/sys", "/sys", PLAN_OPTIONAL | PLAN_IMPLICIT, err) < 0)
		return -1;
	if (!request->contain)
		return plan_add_bind(at->plan, "/dev", "/dev", PLAN_DEVICES | PLAN_IMPLICIT, err) <
				       0
			       ? -1
			       : plan_add_bind(at->plan, "/tmp", "/tmp",
					       PLAN_OPTIONAL | PLAN_IMPLICIT, err);
	if (host_files_add_dev(at->plan, err) < 0 ||
	    plan_add_tmpfs(at->plan, "/tmp", 0, PLAN_SHARED_MODE | PLAN_IMPLICIT, err) < 0)
		return -1;
	return plan_add_tmpfs(at->plan, "/var/tmp", 0, PLAN_SHARED_MODE | PLAN_IMPLICIT, err);
}

static int add_home(struct composer *at, struct err *err)
{
	const struct request *request = at->request;

	if (request->home) {
		if (add_bind(at, request->home, at->home, 0, err) < 0)
			return -1;
		return at->plan->step[at->plan->count - 1].flags & PLAN_ISFILE
			       ? err_set(err, "--home '%s' is no directory", request->home)
			       : 0;
	}
	if (plan_is_images(at->home, true)) { /* service accounts: /usr/sbin, /var, /bin */
		log_info("home '%s' is the image's: the host's is not shown", at->home);
		return 0;
	}
	if (request->no_home || request->contain)
		return plan_add_tmpfs(at->plan, at->home, 0, PLAN_IMPLICIT, err);
	if (plan_shows_host(at->plan, at->home))
		return 0;
	return add_bind(at, at->home, at->home, PLAN_OPTIONAL | PLAN_IMPLICIT, err);
}

static const char *get_variable(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

/* Whether the host's launcher is to start the image's MPI. What is contained meets nobody. */
bool composer_wires_up(const struct composer *at)
{
	const char *asked = at->request->mpi;

	if (at->request->contain)
		return false;
	return asked ? strcmp(asked, "none") != 0 : at->conf->mpi == MPI_HYBRID;
}

static int add_places(struct composer *at, struct err *err)
{
	struct wireup_env env = {.get = get_variable};

	return composer_wires_up(at) ? wireup_places(&env, at->plan, err) : 0;
}

/* Whether @mount is of an image: 1 and it is open, 0, or -1 for one that cannot be used. */
static int open_data(const struct composer *at, const struct request_mount *mount,
		     const char *source, const struct stat *stat_, struct image **out,
		     struct err *err)
{
	if (mount->as == REQUEST_AS_FITS)
		return S_ISREG(stat_->st_mode)
			       ? image_open_begun(source, at->conf->require_cage, out, err)
			       : 0;
	if (S_ISDIR(stat_->st_mode))
		return err_set(err, "'%s' is no image but a directory, of which a bind is enough",
			       source);
	return image_open(source, at->conf->require_cage, out, err) < 0 ? -1 : 1;
}

/* @source, which is there, at another place: of an image what is in it. */
static int add_elsewhere(struct composer *at, const struct request_mount *mount, const char *source,
			 const struct stat *stat_, unsigned flags, struct err *err)
{
	auto_image *image = NULL;
	int found =
		mount->as == REQUEST_AS_FILE ? 0 : open_data(at, mount, source, stat_, &image, err);

	if (found <= 0)
		return found < 0 ? -1 : add_known(at, source, stat_, mount->target, flags, err);
	if (mount->writable)
		return err_set(err,
			       "'%s' is an image, which is mounted read-only: 'rw' needs 'file', "
			       "which binds the file itself",
			       source);
	if (mount->expect && identity_check(mount->expect, "expect=", image, err) < 0)
		return -1;
	log_info("'%s' is an image, and is mounted at '%s' (':file' binds the file itself)",
		 image->path, mount->target);
	return plan_add_image(at->plan, take_ptr(&image), mount->target, mount->sub, flags, err);
}

static int add_mount(struct composer *at, const struct request_mount *mount, unsigned flags,
		     struct err *err)
{
	auto_free char *source = NULL;
	struct stat stat_;
	int there;

	if (!mount->source)
		return plan_add_tmpfs(at->plan, mount->target, mount->size, PLAN_SHARED_MODE, err);
	flags |= (mount->readonly ? PLAN_READONLY : 0) | (mount->optional ? PLAN_OPTIONAL : 0);
	if (mount->source[0] != '/' && !at->host_cwd)
		return err_set(err, "cannot bind '%s': there is no working directory",
			       mount->source);
	source = path_join(at->host_cwd ? at->host_cwd : "/", mount->source);
	if (!source)
		return err_sys(err, "cannot bind '%s'", mount->source);
	if (!mount->target && mount->source[0] != '/') {
		auto_free char *real = realpath(source, NULL);

		if (!real)
			return cannot_bind(mount->source, err);
		return add_bind(at, source, real, flags, err);
	}
	if (!mount->target)
		return add_bind(at, source, source, flags, err);
	there = look_at(source, flags, &stat_, err);
	return there <= 0 ? there : add_elsewhere(at, mount, source, &stat_, flags, err);
}

/* What the site shows everywhere. Where it is missing, whoever builds the container says so. */
static int add_configured(struct composer *at, const struct request_mount *mount, struct err *err)
{
	const char *source = mount->source;
	bool missing = !mount->optional && source[0] == '/' && access(source, F_OK) < 0;

	if (missing)
		return plan_add_bind(at->plan, source, mount->target ? mount->target : source,
				     PLAN_MISSING, err);
	return add_mount(at, mount, PLAN_OPTIONAL | PLAN_IMPLICIT, err);
}

static int add_mounts(struct composer *at, struct err *err)
{
	const struct request *request = at->request;

	for (size_t i = 0; i < at->conf->bind.count && !request->frozen; i++) {
		struct request_mount mount = {0};
		int result;

		if (request_bind_configured(at->conf->bind.item[i], &mount, err) < 0)
			return -1;
		result = add_configured(at, &mount, err);
		request_mount_clear(&mount);
		if (result < 0)
			return err_aim(err, "firn.conf's bind '%s'", at->conf->bind.item[i]);
	}
	for (size_t i = 0; i < request->mount_count; i++)
		if (add_mount(at, &request->mount[i], 0, err) < 0)
			return -1;
	return 0;
}

/* Files that the host's variables name, as far as those enter. */
static int add_visible(struct composer *at, struct err *err)
{
	if (at->request->contain || at->request->clean_env)
		return 0;
	return visible_add(at->plan, environ, err);
}

/* The working directory of the host: by the name the user knows it ($PWD), and by its own. */
static void find_cwd(struct composer *at)
{
	struct plan_here *here = &at->plan->here;
	const char *logical = getenv("PWD");
	struct stat stat_, there;
	struct err ignored;

	at->real_cwd = getcwd(NULL, 0);
	/* The kernel writes "(unreachable)/..." for a directory outside the caller's root. */
	if (!at->real_cwd)
		here->lost = errno;
	else if (at->real_cwd[0] != '/')
		here->lost = EXDEV;
	else if (stat(".", &stat_) < 0)
		here->lost = errno;
	if (here->lost) {
		free(take_ptr(&at->real_cwd));
		return;
	}
	here->dev = stat_.st_dev;
	here->ino = stat_.st_ino;
	if (!logical || logical[0] != '/' || strcmp(logical, at->real_cwd) == 0 ||
	    stat(logical, &there) < 0 || there.st_dev != here->dev || there.st_ino != here->ino ||
	    path_tidy(logical, &at->host_cwd, &ignored) < 0)
		at->host_cwd = take_ptr(&at->real_cwd);
}

static int add_cwd(struct composer *at, struct err *err)
{
	const char *cwd = at->host_cwd;

	if (!cwd || at->request->contain || plan_is_images(cwd, false) ||
	    plan_covers(at->plan, at->plan->count, cwd))
		return 0;
	return plan_add_bind(at->plan, cwd, cwd, PLAN_OPTIONAL | PLAN_CWD, err);
}

/* Append to the directories to try. */
static int push_workdir(struct plan *plan, const char *dir, size_t *count, struct err *err)
{
	plan->cwd[*count] = strdup(dir);
	return plan->cwd[(*count)++] ? 0 : err_sys(err, "cannot plan '%s'", dir);
}

/* The names under which the caller's own directory may be inside. */
static int push_here(struct composer *at, size_t *count, struct err *err)
{
	struct plan *plan = at->plan;

	plan->here.from = *count;
	/* Where it was not asked for, nobody misses it. */
	if (at->request->contain || *count > 0)
		plan->here.lost = 0;
	if (at->request->contain || !at->host_cwd)
		return 0;
	if (push_workdir(plan, at->host_cwd, count, err) < 0 ||
	    (at->real_cwd && push_workdir(plan, at->real_cwd, count, err) < 0) ||
	    push_workdir(plan, PLAN_CWD_PLACE, count, err) < 0)
		return -1;
	plan->here.count = *count - plan->here.from;
	return 0;
}

static int add_workdirs(struct composer *at, const struct command *command, struct err *err)
{
	const struct request *request = at->request;
	const bool image_s = request->verb == REQUEST_RUN && command->workdir;
	struct plan *plan = at->plan;
	size_t count = 0;

	plan->cwd = calloc(WORKDIRS_MAX + 1, sizeof(char *));
	if (!plan->cwd)
		return err_sys(err, "cannot plan the working directory");
	/* Of whatever verb: others of the container may want to begin there. */
	if (command->workdir && strcmp(command->workdir, "/") != 0 &&
	    plan_add_dir(plan, command->workdir, err) < 0)
		return -1;
	if (request->cwd && request->cwd[0] != '/')
		return err_set(err, "--cwd '%s' is not an absolute path", request->cwd);
	if (request->cwd)
		plan->here.lost = 0;
	if (request->cwd)
		return push_workdir(plan, request->cwd, &count, err);
	if (image_s && push_workdir(plan, command->workdir, &count, err) < 0)
		return -1;
	if (push_here(at, &count, err) < 0 || push_workdir(plan, at->home, &count, err) < 0)
		return -1;
	return push_workdir(plan, "/", &count, err);
}

static int add_env(struct composer *at, const struct command *command, struct content *content,
		   struct err *err)
{
	struct env_late late;
	struct env_sources sources = {
		.request = at->request,
		.conf = at->conf,
		.host = environ,
		.image = command->env,
		.image_path = at->image->path,
		.home = at->home,
		.plan = at->plan,
		.wireup = composer_wires_up(at),
		.content = content,
	};

	if (env_build(&sources, &at->plan->env, &late, err) < 0)
		return -1;
	at->plan->scripts = late.scripts;
	at->plan->own = late.own;
	at->plan->path_first = late.path_first;
	at->plan->path_last = late.path_last;
	return 0;
}

static const char *choose_home(const struct request *request, const struct user *user)
{
	if (request->home)
		return request->home_target ? request->home_target : request->home;
	return request->frozen ? FROZEN_HOME : user->home;
}

static int add_steps(struct composer *at, struct err *err)
{
	add_identity(at);
	if (add_root(at, err) < 0 || add_names(at, err) < 0 ||
	    (!at->request->frozen && host_files_add(at->plan, at->request->contain, err) < 0) ||
	    add_system(at, err) < 0 || add_home(at, err) < 0 || add_places(at, err) < 0 ||
	    add_mounts(at, err) < 0 || host_files_settle(at->plan, err) < 0 ||
	    add_visible(at, err) < 0)
		return -1;
	return add_cwd(at, err);
}

void composer_free(struct composer *composer)
{
	if (!composer)
		return;
	user_free(composer->user);
	plan_free(composer->plan);
	free(composer->host_cwd);
	free(composer->real_cwd);
	free(composer);
}

void composer_freep(struct composer **composer)
{
	composer_free(*composer);
}

int compose_container(const struct request *request, const struct conf *conf,
		      const struct image *image, struct composer **out, struct err *err)
{
	auto_composer *at = calloc(1, sizeof(*at));

	if (!at)
		return err_sys(err, "cannot plan '%s'", request->image);
	at->request = request;
	at->conf = conf;
	at->image = image;
	at->plan = plan_new();
	if (!at->plan)
		return err_sys(err, "cannot plan '%s'", request->image);
	if (conf_check(conf, request->given, err) < 0 || user_read(&at->user, err) < 0)
		return -1;
	at->home = choose_home(request, at->user);
	find_cwd(at);
	if (add_steps(at, err) < 0)
		return -1;
	*out = take_ptr(&at);
	return 0;
}

struct plan *composer_plan(const struct composer *composer)
{
	return composer->plan;
}

int compose_task(struct composer *composer, struct content *content, struct plan **out,
		 struct err *err)
{
	struct command command = {0};
	int result;

	if (command_find(composer->request, content, &command, err) < 0)
		return -1;
	result = add_workdirs(composer, &command, err);
	if (result == 0)
		result = add_env(composer, &command, content, err);
	composer->plan->argv = take_ptr(&command.argv);
	command_clear(&command);
	if (result < 0)
		return -1;
	*out = take_ptr(&composer->plan);
	return 0;
}
