/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/server.h"

#include "lib/log.h"
#include "lib/own.h"
#include "lib/pass.h"
#include "lib/wait.h"
#include "runner/server/ahead.h"
#include "runner/server/cage.h"
#include "runner/server/fuse.h"
#include "runner/server/trace.h"

#include <limits.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

enum { COMPLAINTS_MAX = 3, THREAD_STACK = 256 << 10, RETRY_MS = 1000, HEARD_S = 1 };

/* The process' threads; the first one is the process itself. */
struct crew {
	struct server server; /* first, so that a server is its crew */
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool wanted;          /* there is work for all threads */
	bool careful;         /* but not yet */
	atomic_bool awake;    /* looked at without the lock, at every large READ */
	struct worker *first; /* of the process itself */
	long long tried;      /* when the image was looked for, wait_clock_ms() */
	unsigned said, heard_before; /* words; those that the supervisor had heard before the first
					of them */
	int complaints;       /* lines said about damage ... */
	char complaint[ERR_TEXT_SIZE]; /* ... and the last of them */
};

/* Whether this was not said before, and not too much was said. What is said first is the report. */
static bool is_news(struct crew *crew, const struct err *err)
{
	struct server_report *report = &crew->server.options->table->report;
	bool news;

	(void)pthread_mutex_lock(&crew->lock);
	news = crew->complaints < COMPLAINTS_MAX && strcmp(crew->complaint, err->text) != 0;
	if (news) {
		memcpy(crew->complaint, err->text, sizeof(crew->complaint));
		crew->complaints++;
	}
	if (news && atomic_load(&report->state) == 0) {
		memcpy(report->text, err->text, sizeof(report->text));
		atomic_store(&report->state, 1);
	}
	(void)pthread_mutex_unlock(&crew->lock);
	return news;
}

/* Returns whether it was said, and the how manieth word it was. If nobody hears there is nobody to
 * tell. */
static bool say(struct crew *crew, enum server_word word, const char *text, unsigned *number)
{
	char line[1 + ERR_TEXT_SIZE] = {(char)word};
	size_t len = strnlen(text, ERR_TEXT_SIZE - 1);
	bool done;

	memcpy(line + 1, text, len);
	line[1 + len] = '\0';
	(void)pthread_mutex_lock(&crew->lock);
	done = write(crew->server.options->say, line, len + 2) > 0;
	crew->said += done;
	*number = crew->said;
	(void)pthread_mutex_unlock(&crew->lock);
	return done;
}

/* The supervisor says it to the program, which may end with the error that it gets next. */
static void wait_until_heard(const struct crew *crew, unsigned number)
{
	atomic_uint *heard = &crew->server.options->table->heard;
	const struct timespec patience = {HEARD_S, 0};
	unsigned now;

	while ((now = atomic_load(heard)) - crew->heard_before < number)
		if (syscall(SYS_futex, heard, FUTEX_WAIT, now, &patience, NULL, 0) < 0 &&
		    errno == ETIMEDOUT)
			return;
}

void server_complain(struct server *server, const struct err *err)
{
	struct crew *crew = (struct crew *)server;
	unsigned number;

	log_debug("server: %s", err->text);
	if (is_news(crew, err) && say(crew, SERVER_DAMAGE, err->text, &number))
		wait_until_heard(crew, number);
}

/* Called by whichever thread sees data being read; the first call wakes the others. */
static void more_threads(struct server *server)
{
	struct crew *crew = (struct crew *)server;

	if (crew->awake)
		return;
	(void)pthread_mutex_lock(&crew->lock);
	crew->wanted = true;
	if (!crew->careful) {
		crew->awake = true;
		(void)pthread_cond_broadcast(&crew->change);
	}
	(void)pthread_mutex_unlock(&crew->lock);
}

static struct worker *new_worker(struct crew *crew, size_t slot)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->server = &crew->server;
	worker->slot = &crew->server.options->table->slot[slot];
	return worker;
}

/*
 * The C library takes two of the real-time signals for itself when it starts the first thread, and
 * has them come through: 32 and 33. Ours are all blocked (detach.h).
 */
static void block_again(void)
{
	unsigned long long both = 3ull << 31;

	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, &both, NULL, sizeof(both));
}

static void *serve(void *arg)
{
	struct worker *worker = arg;
	struct crew *crew = (struct crew *)worker->server;
	struct err err;

	block_again();
	(void)pthread_mutex_lock(&crew->lock);
	while (!crew->awake)
		(void)pthread_cond_wait(&crew->change, &crew->lock);
	(void)pthread_mutex_unlock(&crew->lock);
	if (squashfs_reader_new(crew->server.image, &worker->reader, &err) == 0)
		(void)fuse_loop(worker, 0);
	/* All threads read the same device: the first to see the mount's end ends the process. */
	return NULL;
}

static void *read_ahead(void *arg)
{
	struct crew *crew = arg;

	block_again();
	ahead_run(crew->server.ahead);
	return NULL;
}

/* In a thread of its own: it takes what time it takes, and may find the damage again. */
static void *find_blame(void *arg)
{
	struct crew *crew = arg;
	const struct server_kind *blame = crew->server.options->blame;
	struct squashfs_reader *reader = NULL;
	char path[PATH_MAX];
	unsigned number;
	struct err err;

	block_again();
	(void)pthread_mutex_lock(&crew->lock);
	while (crew->careful)
		(void)pthread_cond_wait(&crew->change, &crew->lock);
	(void)pthread_mutex_unlock(&crew->lock);
	if (squashfs_reader_new(crew->server.image, &reader, &err) == 0 &&
	    trace_path(reader, blame, path, sizeof(path)))
		(void)say(crew, SERVER_BLAME, path, &number);
	squashfs_reader_free(reader);
	return NULL;
}

static int threads_wanted(int asked)
{
	cpu_set_t set;
	int count = asked;

	if (count <= 0)
		/* It fails where the machine has more CPUs than a set holds. */
		count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set)
								      : SERVER_THREADS_MAX;
	return count < SERVER_THREADS_MAX ? count : SERVER_THREADS_MAX;
}

static bool start_thread(void *(*main)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool done;

	if (!arg || pthread_attr_init(&attr) != 0)
		return false;
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	done = pthread_create(&thread, &attr, main, arg) == 0;
	(void)pthread_attr_destroy(&attr);
	return done;
}

/* All threads that there will ever be, parked. Fewer do as well. */
static void start_threads(struct crew *crew)
{
	const struct server_options *options = crew->server.options;
	int wanted = threads_wanted(options->threads);

	for (int i = 1; i < wanted; i++)
		if (!start_thread(serve, new_worker(crew, (size_t)i)))
			break;
	if (wanted > 1 && !options->again) {
		crew->server.ahead = ahead_new();
		if (!start_thread(read_ahead, crew->server.ahead ? crew : NULL))
			crew->server.ahead = NULL;
	}
	if (options->blame)
		(void)start_thread(find_blame, crew);
	block_again();
}

static int lock_in(struct crew *crew, struct err *err)
{
	struct cage cage = server_cage(crew->server.options);

	/* One heap for all threads: more of them would need mprotect(2). */
	(void)mallopt(M_ARENA_MAX, 1);
	if (cage_enter(&cage, err) < 0)
		return -1;
	start_threads(crew);
	return cage_close(&cage, err);
}

static void log_counts(const struct server *server)
{
	unsigned long total = 0;

	for (size_t i = 0; i < OPCODES; i++) {
		unsigned long count = atomic_load(&server->count[i]);

		total += count;
		if (count > 0)
			log_debug("server: %6lu messages of opcode %zu", count, i);
	}
	log_debug("server: %6lu messages in all", total);
}

static int check_root(const struct squashfs_info *info, struct squashfs_reader *reader,
		      const char *name, struct err *err)
{
	struct squashfs_inode root;

	if (squashfs_inode(reader, info->root, &root, err) < 0)
		return -1;
	return S_ISDIR(root.mode) ? 0
				  : err_set(err, "'%s' is damaged: its root is no directory", name);
}

/* Read what can be known before there is a mount; the launcher makes it meanwhile. */
static int open_image(struct crew *crew, struct err *err)
{
	const struct server_options *options = crew->server.options;
	struct squashfs_options caches = {
		.cache_size = options->cache_size,
		.metadata_size = options->metadata_size,
	};
	auto_squashfs *image = NULL;
	auto_squashfs_reader *reader = NULL;
	struct show_tree *shows = NULL;

	if (squashfs_open(options->image_fd, options->offset, options->size, options->image_name,
			  &caches, &image, err) < 0 ||
	    squashfs_reader_new(image, &reader, err) < 0 ||
	    check_root(squashfs_info(image), reader, options->image_name, err) < 0 ||
	    show_tree_new(reader, options->shows, options->show_count, &shows, err) < 0)
		return -1;
	crew->server.shows = shows;
	crew->server.root_ref = squashfs_info(image)->root;
	crew->first->reader = take_ptr(&reader);
	crew->server.image = take_ptr(&image);
	return 0;
}

static bool is_back(void *arg)
{
	struct crew *crew = arg;
	long long now = wait_clock_ms();
	struct err err;

	if (now < crew->tried + RETRY_MS)
		return false;
	crew->tried = now;
	return open_image(crew, &err) == 0;
}

/* What another worker left, and what it may have died of: one request after the other. */
static int answer_left(struct crew *crew)
{
	const struct server_options *options = crew->server.options;
	struct server_table *table = options->table;
	int result = 1;

	for (unsigned i = 0; i < SERVER_THREADS_MAX; i++) {
		atomic_store(&table->alone, i + 1);
		fuse_answer_left(crew->first, &table->slot[i]);
	}
	atomic_store(&table->alone, 0);
	if (options->suspects > 0)
		result = fuse_loop(crew->first, options->suspects);
	(void)pthread_mutex_lock(&crew->lock);
	crew->careful = false;
	crew->awake = crew->wanted;
	(void)pthread_cond_broadcast(&crew->change);
	(void)pthread_mutex_unlock(&crew->lock);
	return result;
}

static int run(struct crew *crew)
{
	int result = 1;

	if (!crew->server.image)
		result = fuse_refuse_all(crew->first, is_back, crew);
	if (result == 1 && crew->server.options->again)
		result = answer_left(crew);
	if (result == 1)
		result = fuse_loop(crew->first, 0);
	if (crew->server.options->log)
		log_counts(&crew->server);
	return result < 0 ? 1 : 0;
}

static struct crew *new_crew(const struct server_options *options)
{
	struct crew *crew = calloc(1, sizeof(*crew));

	if (!crew)
		return NULL;
	(void)pthread_mutex_init(&crew->lock, NULL);
	(void)pthread_cond_init(&crew->change, NULL);
	crew->server.options = options;
	crew->server.more_threads = more_threads;
	crew->careful = options->again;
	crew->heard_before = atomic_load(&options->table->heard);
	crew->first = new_worker(crew, 0);
	return crew->first ? crew : NULL; /* the process ends: nothing is freed */
}

struct crew *server_begin(const struct server_options *options, struct err *err)
{
	struct crew *crew = new_crew(options);

	if (!crew) {
		(void)err_sys(err, "cannot start the mount server");
		return NULL;
	}
	return open_image(crew, err) < 0 ? NULL : crew;
}

int server_serve(struct crew *crew, int device)
{
	crew->server.device = device;
	return run(crew);
}

int server_main(const struct server_options *options)
{
	struct crew *crew = new_crew(options);
	int device;
	struct err err;

	if (!crew)
		return SERVER_CANNOT_BEGIN;
	if (lock_in(crew, &err) < 0) {
		(void)err_aim(&err, "cannot cage the mount server");
		server_complain(&crew->server, &err);
		return SERVER_CANNOT_BEGIN;
	}
	if (open_image(crew, &err) < 0) {
		server_complain(&crew->server, &err);
		/* A file system that is away for a while: its files are errors, no hang. */
		if (!options->again)
			return SERVER_CANNOT_BEGIN;
	}
	log_debug("server: prepared");
	device = options->device >= 0 ? options->device : server_await(options->attach);
	return device < 0 ? 0 : server_serve(crew, device);
}

int server_attach(int socket, int device, struct err *err)
{
	struct pass message = {.data = "", .size = 1, .fd = {device}, .count = 1};

	/* A server that is gone is told by the mount: every request fails at once. */
	return pass_send(socket, &message, 0) < 0 ? err_sys(err, "the mount server ended early")
						  : 0;
}

int server_await(int socket)
{
	struct pass message;
	char byte;

	return pass_receive(socket, &byte, 1, &message, 0) == 1 ? message.fd[0] : -1;
}
