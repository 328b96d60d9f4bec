/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * container.h - from a request to a container: built, or entered because it is
 * there already.
 *
 * Nobody here takes an image file apart: what is needed of it (environment,
 * entrypoint) is read from the mounted root, by who builds and by who enters.
 *
 * The order of a start, each step needing what the one before it left in struct
 * container: container_plan() reads configuration, image and request and plans the
 * container; container_meet() asks whether it is there already; container_enter()
 * builds or joins it and completes the plan with what is run. Then launch_task()
 * (runner/session/launch.h) becomes the program. Functions return 0, or -1 with @err;
 * after a failure the process may be half inside, and ends.
 */
#ifndef FIRN_RUNNER_SESSION_CONTAINER_H
#define FIRN_RUNNER_SESSION_CONTAINER_H

#include "runner/plan/compose.h"
#include "runner/session/injected.h"
#include "runner/session/key.h"
#include "runner/session/launch.h"
#include "runner/session/meet.h"

/* What a start has so far. All but @request is its own, until container_clear(). */
struct container {
	const struct request *request; /* borrowed */
	struct conf *conf;
	struct image *image;   /* what was named, or the root once it can be read */
	struct content *content;
	struct composer *composer;
	struct plan *plan;     /* complete after container_compose() */
	char name[SESSION_NAME_SIZE];  /* of the session; empty if there is none */
	/* What meeting the others came to, and what is left of building: of one of them. */
	struct session session;
	struct launched launched;
	bool topology; /* one is being found out */
	/* The use has a note: the image's configuration is kept for those who join by name. */
	bool keeps_config;
	struct injected injected; /* what of the host goes in */
	int config;    /* what is kept of the image's configuration; -1; owned */
};

/* How one begins: nothing open. */
#define CONTAINER_NONE                                                                             \
	{                                                                                          \
		.session = SESSION_NONE, .launched = {NULL, 0, -1, -1}, .config = -1,              \
	}

/* What a container is there for. */
struct container_use {
	/* Share even without a launcher, if only with those who say the same name. */
	bool always;
	/* Whom it lives for, as long as one of them is there ... */
	bool self;      /* it is there for this process */
	pid_t other;    /* ... and for this one; 0: none */
	bool topology;  /* show the node's topology, found out meanwhile */
	/* ... and until this becomes readable; -1: none. Taken over. */
	int hold;
	/* Told to those who join (keeper.h), with the image's configuration; NULL: neither. */
	const char *note;
};

/* Read the configuration, open the image and plan the container. @out begins as CONTAINER_NONE. */
int container_plan(struct request *request, struct container *out, struct err *err);

/* Plan the task, too: @out->plan is complete. The image is read where it is: for --print-plan. */
int container_compose(struct container *container, struct err *err);

/* The same inside the container, which this process has entered. */
int container_read(struct container *container, struct err *err);

/*
 * Find the others of this request's session, if it is to have one: @container->session tells. A
 * request for --private, or without a launcher (unless @use says always), has none. May wait for a
 * first one that builds (meet.h).
 */
int container_meet(struct container *container, const struct container_use *use, struct err *err);

/*
 * Build the container, with a keeper for those who come later if the session is ours to begin. The
 * plan is complete then, and the process is inside. @use->hold is taken over in any case.
 */
int container_build(struct container *container, const struct container_use *use, struct err *err);

/* As a member enter it, else build it. The plan is complete then. */
int container_enter(struct container *container, const struct container_use *use, struct err *err);

/*
 * The task's environment, inside: what the image's scripts make of it (env_shell.h), and what goes
 * with what was injected.
 */
int container_environment(struct container *container, struct err *err);

/* Close and free all of it; the container itself lives on. Fine for CONTAINER_NONE. */
void container_clear(struct container *container);
#define auto_container CLEANUP(container_clear) struct container

#endif
