/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/overlay_lock.h"

#include "lib/file.h"
#include "lib/image/identity.h"
#include "lib/log.h"
#include "runner/mount/detach.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* A container that has just ended lets go of its mount a moment later. */
enum { TRIES = 50, PAUSE_MS = 10, TEXT_LIMIT = 8192 };

#define DIRECTORY "directory:"

static const struct plan_step *find_step(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == PLAN_OVERLAY && plan->step[i].source)
			return &plan->step[i];
	return NULL;
}

/* "PID HOST" of the one who holds the lock, as far as it tells. */
static int in_use(int file, const char *path, struct err *err)
{
	auto_free char *text = NULL;
	struct err ignored;
	size_t size;
	long process;
	char host[128];

	if (lseek(file, 0, SEEK_SET) == 0 &&
	    file_read_fd(file, path, TEXT_LIMIT, &text, &size, &ignored) == 0 &&
	    sscanf(text, "%ld %127s", &process, host) == 2)
		return err_set(err,
			       "overlay '%s' is in use by another container (process %ld on %s)",
			       path, process, host);
	return err_set(err, "overlay '%s' is in use by another container", path);
}

static int take_lock(int file, const char *path, struct err *err)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (int i = 0; i < TRIES; i++) {
		if (fcntl(file, F_OFD_SETLK, &whole) == 0)
			return 0;
		if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP) {
			log_warning("overlay '%s' is used without a lock, which its file "
				    "system does not have: %s",
				    path, strerror(errno));
			return 0;
		}
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return err_sys(err, "cannot lock overlay '%s'", path);
		(void)poll(NULL, 0, PAUSE_MS);
	}
	return in_use(file, path, err);
}

static void sign(int file)
{
	char host[128] = "?", line[160];
	int len;

	(void)gethostname(host, sizeof(host) - 1);
	len = snprintf(line, sizeof(line), "%ld %s\n", (long)getpid(), host);
	/* Who cannot be told is no reason not to use it. */
	if (ftruncate(file, 0) < 0 || pwrite(file, line, (size_t)len, 0) < 0)
		log_debug("the overlay's lock does not tell its holder");
}

static int open_file(int dir, const char *name, const char *path, struct err *err)
{
	auto_fd fd = openat(dir, name,
			    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			    0644);
	struct stat stat;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return err_sys(err, "cannot open '%s' in overlay '%s'", name, path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, "'%s' in overlay '%s' is no regular file", name, path);
	return take_fd(&fd);
}

int overlay_fits(const char *made_on, const struct image *image, struct err *err)
{
	char word[IDENTITY_TEXT_SIZE];
	struct identity then, now;
	uint64_t inode;

	if (*made_on == '\0')
		return 1;
	if (sscanf(made_on, DIRECTORY "%" SCNu64, &inode) == 1)
		return image->kind == IMAGE_DIRECTORY && inode == image->stat.st_ino;
	if (image->kind == IMAGE_DIRECTORY)
		return 0;
	(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(made_on, " \n"), made_on);
	if (!identity_parse(word, &then))
		return 0;
	if (then.inode == image->stat.st_ino && then.size == (uint64_t)image->stat.st_size &&
	    then.ctime.tv_sec == image->stat.st_ctim.tv_sec &&
	    then.ctime.tv_nsec == image->stat.st_ctim.tv_nsec)
		return 1;
	/* A copy, or a file whose name or mode changed: what is in it counts. */
	if (identity_of(image, &now, err) < 0)
		return -1;
	return memcmp(then.fingerprint, now.fingerprint, sizeof(now.fingerprint)) == 0;
}

static int remember(int file, const struct image *image, const char *path, struct err *err)
{
	auto_free char *line = NULL;
	char word[IDENTITY_TEXT_SIZE];
	struct identity identity;
	int len;

	if (image->kind == IMAGE_DIRECTORY) {
		(void)snprintf(word, sizeof(word), DIRECTORY "%" PRIu64,
			       (uint64_t)image->stat.st_ino);
	} else {
		if (identity_of(image, &identity, err) < 0)
			return -1;
		identity_print(&identity, word);
	}
	len = asprintf(&line, "%s %s\n", word, image->path);
	if (len < 0 || ftruncate(file, 0) < 0 || lseek(file, 0, SEEK_SET) < 0 ||
	    file_write_all(file, line, (size_t)len) < 0)
		return err_sys(err, "cannot write 'image' in overlay '%s'", path);
	return 0;
}

/* What the overlay was made on must be what it is laid on. */
static int check_image(int dir, const struct plan *plan, const struct image *image,
		       const char *path, struct err *err)
{
	auto_fd file = open_file(dir, "image", path, err);
	auto_free char *text = NULL;
	const char *name;
	size_t size;
	int fits;

	if (file < 0)
		return -1;
	if (file_read_fd(file, "image", TEXT_LIMIT, &text, &size, err) < 0)
		return err_aim(err, "overlay '%s'", path);
	fits = overlay_fits(text, image, err);
	if (fits < 0)
		return -1;
	if (!fits && !plan->overlay_any) {
		text[strcspn(text, "\n")] = '\0';
		name = strchr(text, ' ');
		return err_set(err, "overlay '%s' was made on '%s', which is another image than "
				    "'%s' (--overlay-any takes any)",
			       path, name ? name + 1 : text, image->path);
	}
	return fits && *text ? 0 : remember(file, image, path, err);
}

struct lock_holder {
	int file, events, mounted;
};

/* Until the overlay's file system is gone, or will not come. */
static int hold(void *arg)
{
	const struct lock_holder *holder = arg;
	char byte, event[sizeof(struct inotify_event) + 256];
	ssize_t got;

	do
		got = read(holder->mounted, &byte, 1);
	while (got < 0 && errno == EINTR);
	/* The only watch is for its end: whatever comes is that. */
	while (got == 1 && read(holder->events, event, sizeof(event)) < 0 && errno == EINTR)
		continue;
	return 0;
}

static int start_holder(int file, struct overlay_lock *lock, struct err *err)
{
	int ends[2];
	int result;

	lock->events = inotify_init1(IN_CLOEXEC);
	if (lock->events < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "cannot hold the lock of the overlay");
	lock->mounted = ends[1];

	struct lock_holder holder = {file, lock->events, ends[0]};
	struct detach process = {
		.aim = "hold the lock of the overlay",
		.name = "firn-overlay",
		.main = hold,
		.arg = &holder,
		.keep = {file, lock->events, ends[0]},
		.keep_count = 3,
	};

	result = detach_start(&process, err);
	(void)close(ends[0]);
	return result;
}

int overlay_lock(const struct plan *plan, const struct image *image, struct overlay_lock *out,
		 struct err *err)
{
	const struct plan_step *step = find_step(plan);
	auto_overlay_lock lock = OVERLAY_LOCK_NONE;
	auto_fd file = -1;

	if (!step)
		return 0;
	lock.dir = open(step->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (lock.dir < 0)
		return err_sys(err, "cannot open overlay '%s'", step->source);
	file = open_file(lock.dir, "lock", step->source, err);
	if (file < 0 || take_lock(file, step->source, err) < 0 ||
	    check_image(lock.dir, plan, image, step->source, err) < 0)
		return -1;
	sign(file);
	if (start_holder(file, &lock, err) < 0)
		return -1;
	*out = lock;
	lock = OVERLAY_LOCK_NONE;
	return 0;
}

int overlay_lock_mounted(const struct overlay_lock *lock, struct err *err)
{
	if (lock->dir < 0)
		return 0;
	if (inotify_add_watch(lock->events, "/", IN_DELETE_SELF | IN_ONLYDIR) < 0 ||
	    write(lock->mounted, "", 1) < 0)
		return err_sys(err, "cannot hold the lock of the overlay");
	/* The kernel makes work/work with no right for anybody; its owner wants to remove it. */
	if (fchmodat(lock->dir, "work/work", 0700, 0) < 0 && errno != ENOENT)
		log_info("'work/work' of the overlay cannot be read: %s", strerror(errno));
	return 0;
}

void overlay_lock_clear(struct overlay_lock *lock)
{
	own_close(&lock->dir);
	own_close(&lock->events);
	own_close(&lock->mounted);
	*lock = OVERLAY_LOCK_NONE;
}
