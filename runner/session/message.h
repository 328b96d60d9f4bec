/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * message.h - what `firn session-start` says on its control socket.
 *
 * One message of a SOCK_SEQPACKET socket. The first byte is its kind. An error
 * has the exit status in the second byte and a text behind. An offer brings the
 * descriptors of the user and the mount namespace; behind a second byte that
 * means nothing come records: a letter and a text. All texts end with a NUL.
 *
 * offer.c writes it, as the user; session.c reads it, in a daemon of root's as well,
 * and takes whatever is not exactly this for an error.
 */
#ifndef FIRN_RUNNER_SESSION_MESSAGE_H
#define FIRN_RUNNER_SESSION_MESSAGE_H

enum { SESSION_MESSAGE_MAX = 192 << 10 /* below the kernel's default net.core.wmem_default */ };

enum session_kind { SESSION_OFFER = 'o', SESSION_ERROR = 'e' };

/* Any number of each, in any order; of those that repeat the order counts. */
enum session_record {
	SESSION_UNSET = 'u',   /* NAME */
	SESSION_SET = 's',     /* NAME=VALUE */
	SESSION_CWD = 'c',     /* the working directory */
	SESSION_ARG = 'a',     /* a word of what the image runs */
	SESSION_CAPABLE = 'r', /* no text: the task is root of its namespace */
	SESSION_PROCESS = 'p', /* a number: a process that ends when the container does */
	SESSION_SAID = 'm',    /* a line that the user is to read */
	SESSION_WIREUP = 'w',  /* no text: the host's launcher starts the image's MPI */
};

#endif
