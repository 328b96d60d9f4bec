/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/server.h"

#include "lib/log.h"
#include "lib/own.h"
#include "runner/server/fuse.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { THREADS_MAX = 8, COMPLAINTS_MAX = 3, THREAD_STACK = 256 << 10 };

/* The process' threads; the first one is the process itself. */
struct crew {
	struct server server; /* first, so that a server is its crew */
	pthread_mutex_t lock;
	atomic_bool complete; /* looked at without the lock, at every large READ */
	int wanted, started;
	pthread_t thread[THREADS_MAX];
	struct worker *first; /* of the process itself */
	int complaints;       /* lines said about damage ... */
	char complaint[ERR_TEXT_SIZE]; /* ... and the last of them */
};

/* Say @line on the standard error of the program, which is not ours: borrow it for one write. */
static void tell_program(const struct server *server, const char *line)
{
	struct pollfd ready = {.events = POLLOUT};
	auto_fd fd = -1;

	if (server->program < 0)
		return;
	fd = (int)syscall(SYS_pidfd_getfd, server->program, STDERR_FILENO, 0);
	ready.fd = fd;
	/* A full pipe must not stop the server, which its reader may be waiting for. */
	if (fd < 0 || poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
		return;
	if (write(fd, line, strlen(line)) < 0)
		return;
}

/* Its end of the socket closes when it executes the program, or ends. */
static bool launcher_is_there(const struct server *server)
{
	struct pollfd end = {.fd = server->launcher};

	return server->launcher >= 0 && poll(&end, 1, 0) == 0;
}

/* Whether this was not said before, and not too much was said. What is said first is the report. */
static bool is_news(struct crew *crew, const struct err *err)
{
	struct server_report *report = crew->server.options->report;
	bool news;

	(void)pthread_mutex_lock(&crew->lock);
	news = crew->complaints < COMPLAINTS_MAX && strcmp(crew->complaint, err->text) != 0;
	if (news) {
		memcpy(crew->complaint, err->text, sizeof(crew->complaint));
		crew->complaints++;
	}
	if (news && report && atomic_load(&report->state) == 0) {
		memcpy(report->text, err->text, sizeof(report->text));
		atomic_store(&report->state, 1);
	}
	(void)pthread_mutex_unlock(&crew->lock);
	return news;
}

void server_complain(struct server *server, const struct err *err)
{
	char line[ERR_TEXT_SIZE + 16];

	log_debug("server: %s", err->text);
	if (!is_news((struct crew *)server, err))
		return;
	/* Until the launcher has become the program, it tells of the report itself. */
	if (launcher_is_there(server))
		return;
	(void)snprintf(line, sizeof(line), "firn: %s\n", err->text);
	tell_program(server, line);
}

static void *serve(void *arg)
{
	struct crew *crew = arg;
	struct worker *worker = calloc(1, sizeof(*worker));
	struct err err;

	if (!worker)
		return NULL;
	worker->server = &crew->server;
	if (squashfs_reader_new(crew->server.image, &worker->reader, &err) == 0)
		(void)fuse_loop(worker);
	squashfs_reader_free(worker->reader);
	free(worker->listing);
	free(worker);
	return NULL;
}

/* Called by whichever thread sees data being read; the first call starts the others. */
static void more_threads(struct server *server)
{
	struct crew *crew = (struct crew *)server;
	pthread_attr_t attr;

	if (crew->complete)
		return;
	(void)pthread_mutex_lock(&crew->lock);
	if (!crew->complete && pthread_attr_init(&attr) == 0) {
		(void)pthread_attr_setstacksize(&attr, THREAD_STACK);
		while (crew->started < crew->wanted - 1 &&
		       pthread_create(&crew->thread[crew->started], &attr, serve, crew) == 0)
			crew->started++;
		(void)pthread_attr_destroy(&attr);
	}
	crew->complete = true;
	(void)pthread_mutex_unlock(&crew->lock);
}

static int threads_wanted(int asked)
{
	cpu_set_t set;
	int count = asked;

	if (count <= 0)
		/* It fails where the machine has more CPUs than a set holds. */
		count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : THREADS_MAX;
	return count < THREADS_MAX ? count : THREADS_MAX;
}

static void log_counts(const struct server *server)
{
	struct rusage usage;
	unsigned long total = 0;

	for (size_t i = 0; i < OPCODES; i++) {
		unsigned long count = atomic_load(&server->count[i]);

		total += count;
		if (count > 0)
			log_debug("server: %6lu messages of opcode %zu", count, i);
	}
	log_debug("server: %6lu messages in all", total);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		log_debug("server: %ld us user, %ld us system, %ld KiB resident at most",
			  usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec,
			  usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec, usage.ru_maxrss);
}

/* Work out what can be known before there is a mount; the launcher makes it meanwhile. */
static int prepare(struct crew *crew)
{
	const struct server_options *options = crew->server.options;
	struct show_tree *tree;
	struct err err;

	crew->first = calloc(1, sizeof(*crew->first));
	if (!crew->first)
		return -1;
	crew->first->server = &crew->server;
	if (squashfs_reader_new(crew->server.image, &crew->first->reader, &err) < 0 ||
	    show_tree_new(crew->first->reader, options->shows, options->show_count, &tree, &err) < 0) {
		server_complain(&crew->server, &err);
		return -1;
	}
	crew->server.shows = tree;
	if (options->program > 0)
		crew->server.program = (int)syscall(SYS_pidfd_open, options->program, 0);
	log_debug("server: prepared");
	return 0;
}

struct crew *server_prepare(const struct server_options *options, int launcher)
{
	struct crew *crew = calloc(1, sizeof(*crew));

	if (!crew)
		return NULL;
	(void)pthread_mutex_init(&crew->lock, NULL);
	crew->wanted = threads_wanted(options->threads);
	crew->server.ahead = crew->wanted > 1;
	crew->server.options = options;
	crew->server.image = options->image;
	crew->server.root_ref = squashfs_info(options->image)->root;
	crew->server.launcher = launcher;
	crew->server.more_threads = more_threads;
	crew->server.program = -1;
	return prepare(crew) < 0 ? NULL : crew; /* the process ends: nothing is freed */
}

int server_run(struct crew *crew, int device)
{
	int result;

	crew->server.device = device;
	result = fuse_loop(crew->first);
	/* All threads read the same device: they end with the mount, too. */
	for (int i = 0; i < crew->started; i++)
		(void)pthread_join(crew->thread[i], NULL);
	if (crew->server.options->log)
		log_counts(&crew->server);
	return result < 0 ? 1 : 0;
}
