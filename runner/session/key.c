/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/session/key.h"

#include "lib/sha256.h"

#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

enum { ANCESTORS_MAX = 16, VARIABLES_MAX = 2, NAME_BYTES = 16 };

/* Two firns that differ in what they say to each other must not meet. */
#define VERSION "firn session 2"

/*
 * Launchers, the surest first. A process is a rank of one when @mark and all of
 * @variable are set; @variable name the launch. Where none do, the daemon that
 * started the rank stands for it.
 */
static const struct launcher {
	const char *name, *mark;
	const char *variable[VARIABLES_MAX];
	const char *node; /* one machine may play several nodes */
} launchers[] = {
	{"slurm", "SLURM_STEP_ID", {"SLURM_JOB_ID", "SLURM_STEP_ID"}, "SLURMD_NODENAME"},
	{"flux", "FLUX_TASK_RANK", {"FLUX_JOB_ID", NULL}, NULL},
	{"pals", "PALS_RANKID", {"PALS_APID", NULL}, NULL},
	{"pmix", "PMIX_RANK", {"PMIX_NAMESPACE", NULL}, NULL},
	{"hydra", "PMI_FD", {NULL, NULL}, NULL},
	{"pmi", "PMI_RANK", {NULL, NULL}, NULL},
	{"ompi", "OMPI_COMM_WORLD_RANK", {NULL, NULL}, NULL},
	{"prte", "PRTE_LAUNCHED", {NULL, NULL}, NULL},
};

/* Programs that start ranks, by the first 15 bytes of their name (TASK_COMM_LEN). */
static const char *const daemons[] = {
	"hydra_pmi_proxy", "hydra_bstrap_pr", "pmi_proxy", "orted", "prted", "prterun", "mpirun",
	"mpiexec", "mpiexec.hydra", "mpiexec.mpich", "orterun", "mpirun.openmpi", "mpirun.mpich",
};

static bool is_daemon(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(daemons); i++)
		if (strncmp(name, daemons[i], 15) == 0)
			return true;
	return false;
}

bool session_stat_parse(const char *text, char name[16], int *parent, unsigned long long *start)
{
	const char *open = strchr(text, '(');
	const char *close = strrchr(text, ')'); /* a name may hold anything, brackets too */
	size_t len = open && close > open ? (size_t)(close - open - 1) : 16;

	if (len >= 16)
		return false;
	memcpy(name, open + 1, len);
	name[len] = '\0';
	/* proc_pid_stat(5): (4) ppid, (22) starttime in ticks since boot. */
	return sscanf(close + 1,
		      " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		      "%llu",
		      parent, start) == 2;
}

static bool read_stat(int pid, char name[16], int *parent, unsigned long long *start)
{
	char path[32], text[1024];
	ssize_t got;
	auto_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return false;
	text[got] = '\0';
	return session_stat_parse(text, name, parent, start);
}

/*
 * The nearest ancestor that is a launcher's daemon, else the parent: between a
 * daemon and its ranks there may be the user's own script. A number may be used
 * again by another process; with the time of its start it is not.
 */
static void add_daemon(char *out, size_t size)
{
	int pid = getppid();
	int chosen = 0;
	unsigned long long since = 0;

	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		unsigned long long start;
		char name[16];
		int parent;

		if (!read_stat(pid, name, &parent, &start))
			break;
		if (i == 0 || is_daemon(name)) {
			chosen = pid;
			since = start;
		}
		if (is_daemon(name))
			break;
		pid = parent;
	}
	(void)snprintf(out, size, " %d %llu", chosen, since);
}

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static bool is_launched_by(const struct launcher *launcher)
{
	for (size_t i = 0; i < VARIABLES_MAX && launcher->variable[i]; i++)
		if (!is_set(launcher->variable[i]))
			return false;
	return is_set(launcher->mark);
}

bool session_launcher(char out[SESSION_LAUNCHER_SIZE])
{
	for (size_t i = 0; i < COUNT_OF(launchers); i++) {
		const struct launcher *launcher = &launchers[i];
		char *end = out + SESSION_LAUNCHER_SIZE;
		char *at = out;

		if (!is_launched_by(launcher))
			continue;
		at += snprintf(at, (size_t)(end - at), "%s", launcher->name);
		if (!launcher->variable[0])
			add_daemon(at, (size_t)(end - at));
		for (size_t j = 0; j < VARIABLES_MAX && launcher->variable[j] && at < end; j++)
			at += snprintf(at, (size_t)(end - at), " %s",
				       getenv(launcher->variable[j]));
		if (launcher->node && is_set(launcher->node) && at < end)
			(void)snprintf(at, (size_t)(end - at), " %s", getenv(launcher->node));
		return true;
	}
	return false;
}

static void add_number(struct sha256 *hash, uint64_t number)
{
	sha256_add(hash, &number, sizeof(number));
}

/*
 * A file that is written anew is another image; of a directory only which one it is matters.
 * Not its ctime: a chmod or a hard link between two ranks must not part them.
 */
static void add_image(struct sha256 *hash, const struct image *image)
{
	const struct stat *stat = &image->stat;

	add_number(hash, stat->st_dev);
	add_number(hash, stat->st_ino);
	add_number(hash, image->offset);
	if (image->kind == IMAGE_DIRECTORY)
		return;
	add_number(hash, (uint64_t)stat->st_size);
	add_number(hash, (uint64_t)stat->st_mtim.tv_sec);
	add_number(hash, (uint64_t)stat->st_mtim.tv_nsec);
}

/* That of the root, and those of data. */
static void add_images(struct sha256 *hash, const struct image *root, const struct plan *plan)
{
	add_image(hash, root);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_IMAGE)
			add_image(hash, plan->step[i].image);
}

/*
 * The same paths mean other files in another mount namespace or root. A mount
 * belongs to one namespace, and its number to it while it lives, so that of "/"
 * stands for both. (/proc/self/ns/mnt would say it as well, at twenty times the
 * cost: the kernel makes the directories of a process when they are asked for.)
 */
static int add_place(struct sha256 *hash, struct err *err)
{
	struct statx root;

	if (statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &root) < 0)
		return err_sys(err, "cannot look at '/'");
	if (!(root.stx_mask & STATX_MNT_ID)) { /* before Linux 5.8 */
		struct stat mnt;

		if (stat("/proc/self/ns/mnt", &mnt) < 0)
			return err_sys(err, "cannot tell the mount namespace");
		root.stx_mnt_id = mnt.st_ino;
	}
	add_number(hash, root.stx_mnt_id);
	add_number(hash, root.stx_ino);
	return 0;
}

/*
 * Who: the serial numbers of the user's keyring and of the one for the user's sessions, made up by
 * the kernel, for each user namespace others, and told to nobody else. Without them another
 * user could work out the name and take it first. One has 31 bits, which can be tried out against
 * a name that was seen in /proc/net/unix; two cannot. Where there are no keyrings the name can
 * be guessed; then a stranger who takes it makes firn start without sharing, no more.
 */
static int add_user(struct sha256 *hash, struct err *err)
{
	long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1);
	long other = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_SESSION_KEYRING, 1);
	struct stat user;

	add_number(hash, (uint64_t)serial);
	add_number(hash, (uint64_t)other);
	if (serial > 0 && other > 0)
		return 0;
	if (stat("/proc/self/ns/user", &user) < 0)
		return err_sys(err, "cannot tell the user namespace");
	add_number(hash, user.st_ino);
	return 0;
}

static int begin(struct sha256 *hash, struct err *err)
{
	sha256_begin(hash);
	sha256_add(hash, VERSION, sizeof(VERSION));
	return add_user(hash, err) < 0 ? -1 : add_place(hash, err);
}

static void end(struct sha256 *hash, char out[SESSION_NAME_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_SIZE];
	char *at = stpcpy(out, "firn-");

	sha256_end(hash, digest);
	/* 128 bits: two of 2^64 sessions would meet by chance. */
	for (int i = 0; i < NAME_BYTES; i++) {
		*at++ = digits[digest[i] >> 4];
		*at++ = digits[digest[i] & 15];
	}
	*at = '\0';
}

int session_name(const struct image *image, const struct plan *plan, const char *launcher,
		 char out[SESSION_NAME_SIZE], struct err *err)
{
	struct sha256 hash;

	if (begin(&hash, err) < 0)
		return -1;
	add_images(&hash, image, plan);
	plan_hash(plan, 0, &hash);
	sha256_add(&hash, launcher, strlen(launcher));
	end(&hash, out);
	return 0;
}

int session_name_named(const char *scope, const char *name, char out[SESSION_NAME_SIZE],
		       struct err *err)
{
	static const char kind[] = "named";
	struct sha256 hash;

	if (begin(&hash, err) < 0)
		return -1;
	sha256_add(&hash, kind, sizeof(kind));
	if (scope)
		sha256_add(&hash, scope, strlen(scope) + 1);
	sha256_add(&hash, name, strlen(name));
	end(&hash, out);
	return 0;
}

int session_name_image(const struct image *image, char out[SESSION_NAME_SIZE], struct err *err)
{
	struct sha256 hash;

	if (begin(&hash, err) < 0)
		return -1;
	add_image(&hash, image);
	end(&hash, out);
	return 0;
}

int session_name_container(const struct image *image, const struct plan *plan,
			   char out[SESSION_NAME_SIZE], struct err *err)
{
	struct sha256 hash;

	if (begin(&hash, err) < 0)
		return -1;
	add_images(&hash, image, plan);
	plan_hash(plan, PLAN_CWD, &hash);
	end(&hash, out);
	return 0;
}
