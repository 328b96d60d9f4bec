/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * offer.h - what session-start says to who started it: a container, or why there is none.
 *
 * One message of message.h on the control socket, which session.h's session_receive() takes at
 * the other end: the two namespaces as descriptors, and in records how a task differs from the
 * job around it. What is the same is not sent: the caller's tasks have the job's environment.
 */
#ifndef FIRN_RUNNER_SESSION_OFFER_H
#define FIRN_RUNNER_SESSION_OFFER_H

#include "lib/err.h"
#include "runner/session/container.h"

/*
 * From now on keep what lib/log.h is given to say, SESSION_SAID_MAX lines, for the offer: this
 * process' standard error may be nobody's. It is written there, too.
 */
void offer_listen(void);

/*
 * Offer @container, whose namespaces are @user and @mnt (borrowed), on @control. Call inside it,
 * with its plan complete: the first working directory that can be entered is entered and told.
 * Returns 0, or -1 with @err (no working directory, or a message of more than
 * SESSION_MESSAGE_MAX bytes); then nothing was sent.
 */
int offer_send(int control, const struct container *container, int user, int mnt, struct err *err);

/* Say @err on @control, or on standard error where that is not possible (-1). Returns the exit
 * status to end with, which is sent along. */
int offer_refuse(int control, const struct err *err);

#endif
