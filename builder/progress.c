/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/progress.h"

#include "lib/log.h"

#include <pthread.h>
#include <time.h>

enum { REDRAW_MS = 200, PLAIN_MS = 5000, LINES_MAX = 20 };

struct progress {
	const struct layer *layer;
	size_t count;
	atomic_uint_least64_t total, packed;
	atomic_bool packing;
	bool terminal;
	size_t drawn; /* lines on the terminal */
	struct timespec start, pack_start;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
};

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* "12 of 207 MB, 58 MB/s, 3 s left"; small ones in kB. */
static void describe(char *out, size_t size, uint64_t done, uint64_t total, double seconds)
{
	bool small = (total > 0 ? total : done) < 10000000;
	unsigned long long unit = small ? 1000 : 1000000;
	double rate = seconds > 0.5 ? (double)done / seconds : 0;
	size_t used = (size_t)snprintf(out, size, "%llu", (unsigned long long)done / unit);

	if (total > 0)
		used += (size_t)snprintf(out + used, size - used, " of %llu", (unsigned long long)total / unit);
	used += (size_t)snprintf(out + used, size - used, small ? " kB" : " MB");
	if (rate > 0)
		used += (size_t)snprintf(out + used, size - used, small ? ", %.0f kB/s" : ", %.0f MB/s", rate / (double)unit);
	if (rate > 0 && total > done)
		(void)snprintf(out + used, size - used, ", %.0f s left", (double)(total - done) / rate + 0.5);
}

static void erase(struct progress *progress)
{
	if (progress->drawn > 0)
		(void)fprintf(stderr, "\033[%zuA\033[J", progress->drawn);
	progress->drawn = 0;
}

static void line(struct progress *progress, const char *name, const char *text)
{
	if (progress->terminal)
		(void)fprintf(stderr, "\r\033[K%s: %s\n", name, text);
	else
		log_error("%s: %s", name, text);
	progress->drawn++;
}

/* What others say comes above the lines, which are drawn anew. */
static void say(void *arg, const char *text, size_t len)
{
	struct progress *progress = arg;

	(void)pthread_mutex_lock(&progress->lock);
	erase(progress);
	(void)fwrite(text, 1, len, stderr);
	(void)fflush(stderr);
	(void)pthread_mutex_unlock(&progress->lock);
}

static void draw(struct progress *progress)
{
	char text[128];

	if (progress->terminal && progress->drawn > 0)
		(void)fprintf(stderr, "\033[%zuA", progress->drawn);
	progress->drawn = 0;
	if (atomic_load(&progress->packing)) {
		describe(text, sizeof(text), atomic_load(&progress->packed), atomic_load(&progress->total),
			 seconds_since(&progress->pack_start));
		line(progress, "packing", text);
	}
	for (size_t i = 0; i < progress->count && progress->drawn < LINES_MAX; i++) {
		const struct layer *layer = &progress->layer[i];
		int state = atomic_load(&layer->state);

		if (state == LAYER_WAITING || (state == LAYER_READY && !progress->terminal))
			continue;
		describe(text, sizeof(text), atomic_load(&layer->done), layer->size,
			 state == LAYER_READY ? 0 : seconds_since(&progress->start));
		line(progress, layer->name, text);
	}
	if (progress->terminal)
		(void)fprintf(stderr, "\033[J");
	(void)fflush(stderr);
}

static void *run(void *arg)
{
	struct progress *progress = arg;
	long step = progress->terminal ? REDRAW_MS : PLAIN_MS;

	(void)pthread_mutex_lock(&progress->lock);
	while (!progress->stop) {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += step % 1000 * 1000000;
		until.tv_sec += step / 1000 + until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&progress->wake, &progress->lock, &until) == ETIMEDOUT)
			draw(progress);
	}
	(void)pthread_mutex_unlock(&progress->lock);
	return NULL;
}

struct progress *progress_start(const struct layer *layer, size_t count)
{
	struct progress *progress = log_level() == LOG_QUIET ? NULL : calloc(1, sizeof(*progress));
	pthread_condattr_t attributes;

	if (!progress)
		return NULL;
	progress->layer = layer;
	progress->count = count;
	progress->terminal = isatty(STDERR_FILENO) == 1;
	(void)clock_gettime(CLOCK_MONOTONIC, &progress->start);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&progress->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	(void)pthread_mutex_init(&progress->lock, NULL);
	if (pthread_create(&progress->thread, NULL, run, progress) == 0) {
		if (progress->terminal)
			log_set_writer(say, progress);
		return progress;
	}
	free(progress);
	return NULL;
}

void progress_pack(struct progress *progress, uint64_t total)
{
	if (!progress)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &progress->pack_start);
	atomic_store(&progress->total, total);
	atomic_store(&progress->packing, true);
}

void progress_add(struct progress *progress, uint64_t size)
{
	if (progress)
		atomic_fetch_add_explicit(&progress->packed, size, memory_order_relaxed);
}

void progress_stop(struct progress *progress)
{
	if (!progress)
		return;
	(void)pthread_mutex_lock(&progress->lock);
	progress->stop = true;
	(void)pthread_cond_signal(&progress->wake);
	(void)pthread_mutex_unlock(&progress->lock);
	(void)pthread_join(progress->thread, NULL);
	log_set_writer(NULL, NULL);
	if (progress->terminal)
		erase(progress);
	(void)pthread_cond_destroy(&progress->wake);
	(void)pthread_mutex_destroy(&progress->lock);
	free(progress);
}
