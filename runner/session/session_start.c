/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/session_start.h"

#include "lib/image/identity.h"
#include "lib/log.h"
#include "runner/mount/detach.h"
#include "runner/session/container.h"
#include "runner/session/offer.h"
#include "runner/session/session.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>

struct name_holder {
	const char *name;
	int control;
	int told; /* a pipe: a byte once it is a member, else the end */
	bool is_member;
};

/* While it can be looked at: the keeper lets nobody in of whom it sees nothing (keeper.h). */
static void meet_keeper(struct detach *process)
{
	struct name_holder *holder = process->arg;
	auto_session session = SESSION_NONE;

	session_meet(holder->name, &session);
	holder->is_member = session.role == SESSION_MEMBER && write(holder->told, "", 1) == 1;
}

/* A member of its own, for as long as the other end of the control socket is open. */
static int hold(void *arg)
{
	const struct name_holder *holder = arg;
	struct pollfd end = {.fd = holder->control};

	while (holder->is_member && poll(&end, 1, -1) < 0 && errno == EINTR)
		continue;
	return holder->is_member ? 0 : 1;
}

static int start_holder(const struct container *container, int control, struct err *err)
{
	int told[2] = {-1, -1};
	int made = pipe2(told, O_CLOEXEC);
	auto_fd from = told[0];
	auto_fd to = told[1];
	struct name_holder holder = {container->name, control, to, false};
	char byte;
	struct detach process = {
		.aim = "hold the container",
		.name = "firn-holder",
		.early = meet_keeper,
		.main = hold,
		.arg = &holder,
		.keep = {control},
		.keep_count = 1,
	};

	if (made < 0)
		return err_sys(err, "cannot hold the container");
	if (detach_start(&process, err) < 0)
		return -1;
	own_close(&to);
	to = -1;
	/* Before it is a member the container may end with its last task. */
	if (read(from, &byte, 1) != 1)
		return err_set(err, "cannot hold the container: its keeper does not answer");
	return 0;
}

/* Until when the container is needed: a job's mark, else the caller's end of the control socket. */
static int open_hold(const struct request *request, struct err *err)
{
	auto_fd hold = -1;

	if (!request->hold_path) {
		hold = fcntl(request->control, F_DUPFD_CLOEXEC, 0);
		return hold < 0 ? err_sys(err, "cannot hold the container") : take_fd(&hold);
	}
	hold = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (hold < 0 || inotify_add_watch(hold, request->hold_path,
					  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) < 0)
		return err_sys(err, "cannot watch '%s', until whose end the container is to live",
			       request->hold_path);
	return take_fd(&hold);
}

static int build(struct container *container, const char *note, struct err *err)
{
	const struct request *request = container->request;
	struct container_use use = {.always = true,
				    .other = request->hold_pid,
				    .topology = true,
				    .note = note};

	use.hold = open_hold(request, err);
	if (use.hold < 0 || container_build(container, &use, err) < 0 ||
	    container_environment(container, err) < 0)
		return -1;
	return offer_send(request->control, container, container->launched.user,
			  container->launched.mnt, err);
}

/* As who builds one (runner/session/launch.c). */
static int hide(struct err *err)
{
	return prctl(PR_SET_DUMPABLE, 0) < 0
		       ? err_sys(err, "cannot keep others from tracing this process")
		       : 0;
}

static int offer_joined(struct container *container, struct err *err)
{
	if (container_environment(container, err) < 0)
		return -1;
	return offer_send(container->request->control, container, container->session.user,
			  container->session.mnt, err);
}

static int join(struct container *container, struct err *err)
{
	struct session_offer offer = {
		.user = container->session.user,
		.mnt = container->session.mnt,
		.keep_capabilities = composer_plan(container->composer)->keep_capabilities,
	};

	/* What the tasks need to know is read inside, whatever has become of the image's file. */
	return hide(err) < 0 || session_enter(&offer, err) < 0 || container_read(container, err) < 0
		       ? -1
		       : offer_joined(container, err);
}

/* Plan it, if it is the image that the caller means. */
static int plan(struct request *request, struct container *container, struct err *err)
{
	if (container_plan(request, container, err) < 0)
		return -1;
	return request->expect ? identity_check(request->expect, "--expect", container->image, err)
			       : 0;
}

static int offer_session(struct request *request, struct container *container, struct err *err)
{
	struct container_use use = {.always = true, .other = request->hold_pid, .hold = -1};

	if (plan(request, container, err) < 0 || container_meet(container, &use, err) < 0)
		return -1;
	switch (container->session.role) {
	case SESSION_FIRST:
		return build(container, NULL, err);
	case SESSION_MEMBER:
		return start_holder(container, request->control, err) < 0 ? -1
									  : join(container, err);
	case SESSION_ALONE:
		break;
	}
	return err_set(err, "cannot share a container on this machine (see -v)");
}

/* What a container with a name says of itself: "MADE_OF IMAGE FLAGS PATH". */
struct note {
	char made_of[SESSION_NAME_SIZE], image[SESSION_NAME_SIZE];
	bool keeps; /* what is written in it stays in it: an overlay or a tmpfs */
	bool wired; /* the host's launcher can start the image's MPI in it */
	const char *path;
};

static int make_note(const struct container *container, struct note *out, struct err *err)
{
	const struct plan *plan = composer_plan(container->composer);

	*out = (struct note){.path = container->image->path,
			     .wired = composer_wires_up(container->composer)};
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_OVERLAY ||
		    (plan->step[i].kind == PLAN_TMPFS && !(plan->step[i].flags & PLAN_READONLY)))
			out->keeps = true;
	return session_name_image(container->image, out->image, err) < 0
		       ? -1
		       : session_name_container(container->image, plan, out->made_of, err);
}

static int print_note(const struct note *note, char text[KEEPER_NOTE_MAX], struct err *err)
{
	if (snprintf(text, KEEPER_NOTE_MAX, "%s %s %c%c %s", note->made_of, note->image,
		     note->keeps ? 'k' : '-', note->wired ? 'w' : '-',
		     note->path) >= KEEPER_NOTE_MAX)
		return err_set(err, "the name of '%s' is too long", note->path);
	return 0;
}

static bool parse_note(const char *text, struct note *out)
{
	char flags[3];
	int used = 0;

	_Static_assert((int)SESSION_NAME_SIZE == 48, "one more than in the format");
	*out = (struct note){.path = NULL};
	if (sscanf(text, "%47s %47s %2s %n", out->made_of, out->image, flags, &used) != 3 ||
	    !used || !text[used])
		return false;
	out->keeps = flags[0] == 'k';
	out->wired = flags[1] == 'w';
	out->path = text + used;
	return true;
}

/*
 * As it was made: nothing on the host is looked at for it, neither the image's file, which may be
 * another one by now. What the task needs of the image is read inside.
 */
static int join_as_made(struct request *request, struct container *container,
			const struct note *note, struct err *err)
{
	struct session_offer into = {
		.user = container->session.user,
		.mnt = container->session.mnt,
		.keep_capabilities = true,
	};

	request->image = "/";
	if (container_plan(request, container, err) < 0)
		return -1;
	free(container->image->path);
	container->image->path = strdup(note->path);
	if (!container->image->path)
		return err_sys(err, "cannot enter container '%s'", request->name);
	return hide(err) < 0 || session_enter(&into, err) < 0 || container_read(container, err) < 0
		       ? -1
		       : offer_joined(container, err);
}

/* One of its own for this step, with just the options of this step. */
static int offer_own(struct request *request, struct container *container, struct err *err)
{
	static char image[KEEPER_NOTE_MAX]; /* may be in the note, which goes */

	(void)snprintf(image, sizeof(image), "%s", request->image);
	container_clear(container);
	*container = (struct container)CONTAINER_NONE;
	request->image = image;
	request->name = NULL;
	request->hold_path = NULL;
	return offer_session(request, container, err);
}

/*
 * The step wants it made of other things than it is. Where nothing can be written in it, all that
 * its name stands for is the image, and another container of that is as good.
 */
static int differ(struct request *request, struct container *container, const struct note *note,
		  const struct note *wanted, struct err *err)
{
	if (!note->keeps && !wanted->keeps)
		return offer_own(request, container, err);
	return err_set(
		err,
		"container '%s' was made with other options than %s%s: give them to the step that "
		"makes it, or use another name",
		request->name, request->asked,
		note->keeps ? ", and holds what was written in it"
			    : ", and what is written would not stay in it");
}

static int check_wiring(const struct request *request, const struct note *note, struct err *err)
{
	if (!request->mpi || strcmp(request->mpi, "hybrid") != 0 || note->wired)
		return 0;
	return err_set(
		err,
		"container '%s' was made for no launcher's MPI: give --container-mpi=hybrid to the "
		"step that makes it, or use another name",
		request->name);
}

/*
 * A step that says neither image nor options of the container takes what is there; one that
 * does must mean the same.
 */
static int join_named(struct request *request, struct container *container, struct err *err)
{
	bool any = !request->image;
	struct note note, wanted;

	if (!parse_note(container->session.note, &note))
		return err_set(err, "container '%s' does not tell its image", request->name);
	if (check_wiring(request, &note, err) < 0)
		return -1;
	if (any && !request->asked)
		return join_as_made(request, container, &note, err);
	if (any)
		request->image = note.path;
	if (plan(request, container, err) < 0 || make_note(container, &wanted, err) < 0)
		return -1;
	if (strcmp(note.image, wanted.image) != 0)
		return any ? err_set(err,
				     "image '%s' changed since container '%s' was made of it, "
				     "which can only be "
				     "entered as it is, without %s",
				     note.path, request->name, request->asked)
			   : err_set(err, "container '%s' exists, of '%s'%s; use another name",
				     request->name, note.path,
				     strcmp(note.path, wanted.path) == 0 ? " as it was then" : "");
	if (request->asked && strcmp(note.made_of, wanted.made_of) != 0)
		return differ(request, container, &note, &wanted, err);
	return join(container, err);
}

static int build_named(struct request *request, struct container *container, struct err *err)
{
	static char text[KEEPER_NOTE_MAX];
	struct note note;

	if (!request->image)
		return err_set(
			err,
			"there is no container '%s' on this node: name the image to make it of",
			request->name);
	if (plan(request, container, err) < 0 || make_note(container, &note, err) < 0 ||
	    print_note(&note, text, err) < 0)
		return -1;
	return build(container, text, err);
}

static bool is_to(const struct request *request, const char *use)
{
	return request->use && strcmp(request->use, use) == 0;
}

static int offer_named(struct request *request, struct container *container, struct err *err)
{
	char name[SESSION_NAME_SIZE];

	if (session_name_named(request->scope, request->name, name, err) < 0)
		return -1;
	session_meet(name, &container->session);
	switch (container->session.role) {
	case SESSION_FIRST:
		if (is_to(request, "exec"))
			return err_set(err, "there is no container '%s' on this node to enter",
				       request->name);
		return build_named(request, container, err);
	case SESSION_MEMBER:
		if (is_to(request, "create"))
			return err_set(err, "container '%s' is there already on this node",
				       request->name);
		return join_named(request, container, err);
	case SESSION_ALONE:
		break;
	}
	return err_set(err, "cannot share container '%s' on this machine (see -v)", request->name);
}

/* Where to say what is wrong with the words themselves. Returns -1 when they do not tell. */
static int find_control(char *const *argv)
{
	static const char option[] = "--control-fd";
	size_t len = sizeof(option) - 1;

	for (; *argv; argv++) {
		const char *value = strncmp(*argv, option, len) == 0 ? *argv + len : NULL;

		if (value && *value == '\0')
			value = argv[1];
		else if (value)
			value = *value == '=' ? value + 1 : NULL;
		if (value && *value >= '0' && *value <= '9')
			return atoi(value);
	}
	return -1;
}

int session_start_main(int argc, char **argv)
{
	auto_request *request = NULL;
	auto_container container = CONTAINER_NONE;
	struct err err;

	/* Where the caller is, unless this user cannot be there. */
	if (chdir(".") < 0)
		(void)!chdir("/");
	if (request_read(REQUEST_SESSION, argc, argv, &request, &err) < 0)
		return offer_refuse(find_control(argv), &err);
	if (request->from && chdir(request->from) < 0)
		(void)!chdir("/");
	log_set_level(request->level);
	offer_listen();
	if (request->help) {
		request_help(REQUEST_SESSION, stdout);
		return EXIT_SUCCESS;
	}
	if (fcntl(request->control, F_SETFD, FD_CLOEXEC) < 0) {
		(void)err_sys(&err, "cannot use --control-fd %d", request->control);
		return offer_refuse(-1, &err);
	}
	if ((request->name ? offer_named : offer_session)(request, &container, &err) < 0)
		return offer_refuse(request->control, &err);
	return EXIT_SUCCESS;
}
