/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * enosys NAME[,NAME...] COMMAND [ARG...]: run COMMAND on an older kernel, so to
 * speak: the named system calls give ENOSYS (seccomp(2)). The name O_TMPFILE stands
 * for a file system that cannot do that, MS_REMOUNT for a security module that denies it (EACCES).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALLS_MAX = 32 };

static const struct {
	const char *name;
	int number;
} calls[] = {
	{"openat2", SYS_openat2},	{"open_tree", SYS_open_tree},
	{"move_mount", SYS_move_mount}, {"mount_setattr", SYS_mount_setattr},
	{"close_range", SYS_close_range}, {"pidfd_open", SYS_pidfd_open},
	{"pidfd_getfd", SYS_pidfd_getfd}, {"fsopen", SYS_fsopen},
	{"landlock_create_ruleset", 444}, {"seccomp", SYS_seccomp},
};

static int find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strlen(calls[i].name) == len && strncmp(calls[i].name, name, len) == 0)
			return calls[i].number;
	return -1;
}

/* A call with a flag of its argument @arg; the filter holds the call's number again at the end. */
struct flagged {
	const char *name;
	unsigned number, arg, flag;
	int code;
};

static const struct flagged flagged[] = {
	{"O_TMPFILE", SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP},
	{"MS_REMOUNT", SYS_mount, 3, MS_REMOUNT, EACCES},
};

static size_t refuse_flag(struct sock_filter *code, const struct flagged *call)
{
	const struct sock_filter filter[] = {
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (unsigned)(offsetof(struct seccomp_data, args) + 8 * call->arg)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, call->flag, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)call->code),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};

	memcpy(code, filter, sizeof(filter));
	return sizeof(filter) / sizeof(filter[0]);
}

static const struct flagged *find_flagged(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(flagged) / sizeof(flagged[0]); i++)
		if (strlen(flagged[i].name) == len && strncmp(flagged[i].name, name, len) == 0)
			return &flagged[i];
	return NULL;
}

int main(int argc, char **argv)
{
	struct sock_filter code[2 * CALLS_MAX + 2];
	struct sock_fprog program = {.len = 0, .filter = code};
	const char *names = argc > 2 ? argv[1] : "";

	if (argc < 3) {
		fprintf(stderr, "usage: enosys NAME[,NAME...] COMMAND [ARG...]\n");
		return 125;
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							    offsetof(struct seccomp_data, nr));
	while (*names) {
		size_t len = strcspn(names, ",");
		int number = find(names, len);

		const struct flagged *call = find_flagged(names, len);

		if (call && program.len + 6 <= 2 * CALLS_MAX) {
			program.len += (unsigned short)refuse_flag(code + program.len, call);
			names += len + (names[len] == ',');
			continue;
		}
		if (number < 0 || program.len + 3 > 2 * CALLS_MAX) {
			fprintf(stderr, "enosys: unknown system call '%.*s'\n", (int)len, names);
			return 125;
		}
		code[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								   (unsigned)number, 0, 1);
		code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
								   SECCOMP_RET_ERRNO | ENOSYS);
		names += len + (names[len] == ',');
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("enosys");
		return 125;
	}
	(void)execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
