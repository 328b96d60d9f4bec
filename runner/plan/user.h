/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * user.h - who runs this: numbers, names and home.
 *
 * Names come from /etc/passwd and /etc/group of the host, else (a directory
 * service, or no entry at all) from USER and HOME. The name service is not
 * asked: firn is linked statically and must start in a millisecond.
 */
#ifndef FIRN_RUNNER_PLAN_USER_H
#define FIRN_RUNNER_PLAN_USER_H

#include "lib/err.h"
#include "lib/own.h"
#include "lib/plan.h"

#include <stdbool.h>
#include <sys/types.h>

struct user {
	uid_t uid;
	gid_t gid;
	char *name;
	char *home;   /* HOME if it is an absolute path without "..", else the entry's, else "/" */
	char *shell;  /* the entry's, else "/bin/sh" */
	char *groups; /* lines of /etc/group for the user's groups that have a name there */
};

/* Returns 0 and a new @out, or -1 without memory: that a file cannot be read is no error, for then
 * there are the variables, and the number. */
int user_read(struct user **out, struct err *err);
void user_free(struct user *user);
void user_freep(struct user **user);
#define auto_user CLEANUP(user_freep) struct user

/* A line of passwd(5) and lines of group(5), as the container shall see them; new strings. */
char *user_passwd_line(const char *name, uid_t uid, gid_t gid, const char *home, const char *shell);
char *user_group_lines(const char *name, gid_t gid, const char *more);

/*
 * Fill name, home and shell of @user by the line of @passwd that has its uid; those that it
 * does not tell stay as they are. For user_read() and the tests: a text may be anybody's.
 */
void user_take_entry(struct user *user, const char *passwd);

/*
 * Those lines of @group (NULL: none) that name one of the @count groups of @list, without
 * their members, as a new string; NULL without memory.
 */
char *user_pick_groups(const char *group, const gid_t *list, size_t count);

/*
 * Append the lines to @plan, before the image's own in passwd and group; @home is inside. @frozen:
 * of nobody in particular. Returns 0 or -1.
 */
int user_add_names(const struct user *user, struct plan *plan, const char *home, bool frozen,
		   struct err *err);

#endif
