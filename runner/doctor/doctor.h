/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * doctor.h - firn doctor: what this machine allows, and the remedy for what it
 * does not.
 *
 * Each check is a function of its own in one table (doctor.c). A check tries
 * the thing itself where it can, in a child process, and asks a setting only to
 * explain a failure. Nothing is changed; no privilege is needed. Each thing looked
 * at has a file of its own, or one with its neighbours.
 */
#ifndef FIRN_RUNNER_DOCTOR_DOCTOR_H
#define FIRN_RUNNER_DOCTOR_DOCTOR_H

#include <stdbool.h>

enum finding_kind {
	FINDING_OK,
	FINDING_WARNING, /* exec works, but something is slower or missing */
	FINDING_MISSING, /* exec cannot work if the check is required */
};

/* What a check found: one sentence without a full stop. */
struct finding {
	enum finding_kind kind;
	char text[256];
	char remedy[512]; /* for the administrator: exact commands; "" for none */
};

/* Fill @finding; these return nothing but what stands in it. */
void finding_set(struct finding *finding, enum finding_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void finding_remedy(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

typedef void doctor_check(struct finding *finding);

/*
 * Commands of two remedies never write the same file: who carries out all of them, in order,
 * loses none. One that two checks give is the same text.
 */
#define DOCTOR_RAISE_LIMITS                                                                        \
	"printf 'user.max_user_namespaces=65536\\nuser.max_mnt_namespaces=65536\\n' "              \
	">/etc/sysctl.d/90-firn-namespaces.conf && sysctl --system"

/* call.c: the kernel, tried. */
doctor_check doctor_kernel, doctor_calls, doctor_namespaces, doctor_root, doctor_overlay,
	doctor_cage;
/* fuse.c: the device, and a mount. */
doctor_check doctor_fuse;
/* What is around, as far as it tells: "podman", "docker", "firn", "other", NULL for the machine. */
const char *doctor_container(void);
/* host.c: settings of the machine. */
doctor_check doctor_limits, doctor_proc, doctor_yama, doctor_terminal, doctor_memlock,
	doctor_binfmt;
/* binds.c: what firn.conf shows everywhere. */
doctor_check doctor_binds;
struct conf;
void doctor_binds_of(const struct conf *conf, struct finding *finding);
/* registries.c: whether what firn.conf says of registries can be used. @path names it. */
doctor_check doctor_registries;
void doctor_registries_of(const struct conf *conf, const char *path, struct finding *finding);
/* conf.c: whether it can be read. What is to be done where @path was not, for the reason @said. */
doctor_check doctor_conf;
void doctor_conf_remedy(struct finding *finding, const char *path, const char *said);
/* cache.c: where the builder keeps what it fetches. */
doctor_check doctor_cache, doctor_store;
/* site.c: what is installed beside firn. */
void doctor_squashfuse_of(const struct conf *conf, struct finding *finding);
doctor_check doctor_squashfuse, doctor_slurm, doctor_mpi, doctor_profiles, doctor_run_singularity;

/*
 * Run @step in a child that has a user and a mount namespace of its own, as a
 * container has. Returns 0, or the errno value with which entering (@entering
 * is then true) or @step failed.
 */
int doctor_try_inside(int (*step)(void), bool *entering);

/*
 * How much of other processes the last mount at /proc of @mounts (/proc/mounts, proc(5))
 * hides, as it says it ("invisible", "2"); NULL for nothing. It ends at a comma or blank.
 */
const char *doctor_hides(const char *mounts);
/* The first line of a small file without its newline, into @text. Returns 0 or -1. */
int doctor_read_line(const char *path, char *text, unsigned size);
/* The path of @name in PATH as a new string, or NULL. */
char *doctor_find_program(const char *name);
/* The first line that @argv prints, into @text; at most two seconds. Returns 0 or -1. */
int doctor_run(char *const *argv, char *text, unsigned size);

/* @argv begins behind the verb and ends with NULL. Returns 0 if exec can work here, 1 if not, 125
 * for words that it does not know. */
int doctor_main(int argc, char **argv);

#endif
