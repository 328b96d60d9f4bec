/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/progress.h"

#include "builder/rate.h"
#include "lib/log.h"
#include "lib/own.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <time.h>

enum { REDRAW_MS = 200, NOTE_MS = 1000, PLAIN_NOTES = 5, LINES_MAX = 20, COLUMNS_MAX = 500 };

struct progress {
	const struct board *board;
	struct rate rate[BOARD_LAYERS_MAX], all_rate, pack_rate;
	double noted; /* when all were noted last, in seconds since the start */
	bool terminal;
	size_t columns, rows;           /* of the terminal, when it was drawn to */
	size_t drawn, width[LINES_MAX]; /* lines on the terminal, and the columns that each takes */
	struct timespec start;
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

/* "12 of 207 MiB, 58 MiB/s, 3 s left"; small ones in KiB. @total: 0 when it is not known. */
static void describe(char *out, size_t size, uint64_t done, uint64_t total, const struct rate *rate)
{
	bool small = (total > 0 ? total : done) < 10 << 20;
	unsigned long long unit = small ? 1 << 10 : 1 << 20;
	double speed = rate_of(rate);
	size_t used = (size_t)snprintf(out, size, "%llu", (unsigned long long)done / unit);

	if (total > 0)
		used += (size_t)snprintf(out + used, size - used, " of %llu",
					 (unsigned long long)total / unit);
	used += (size_t)snprintf(out + used, size - used, small ? " KiB" : " MiB");
	if (speed >= 0)
		used += (size_t)snprintf(out + used, size - used,
					 small ? ", %.0f KiB/s" : ", %.0f MiB/s",
					 speed / (double)unit);
	if (speed > 0 && total > done)
		(void)snprintf(out + used, size - used, ", %.0f s left",
			       (double)(total - done) / speed + 0.5);
}

/* A terminal may have been made narrower since: what was one line is several there. */
static void erase(struct progress *progress)
{
	size_t rows = 0;

	for (size_t i = 0; i < progress->drawn; i++)
		rows += 1 +
			(progress->width[i] > 0 ? (progress->width[i] - 1) / progress->columns : 0);
	if (rows > 0)
		(void)fprintf(stderr, "\033[%zuA\033[J", rows);
	progress->drawn = 0;
}

static void measure(struct progress *progress)
{
	struct winsize size = {0};
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;

	progress->columns = known && size.ws_col > 0 ? size.ws_col : 80;
	progress->rows = known && size.ws_row > 0 ? size.ws_row : 24;
	if (progress->columns > COLUMNS_MAX)
		progress->columns = COLUMNS_MAX;
}

/* One line that never fills the last column, where terminals differ: without "(sha256:...)" if need
 * be. */
static void line(struct progress *progress, const char *name, const char *text)
{
	const char *note = strstr(name, " (");
	int name_len = (int)strlen(name);
	char whole[COLUMNS_MAX];
	size_t len;

	if (!progress->terminal) {
		log_error("%s: %s", name, text);
		return;
	}
	if (note && (size_t)name_len + 2 + strlen(text) >= progress->columns)
		name_len = (int)(note - name);
	len = (size_t)snprintf(whole, sizeof(whole), "%.*s: %s", name_len, name, text);
	if (len >= progress->columns)
		len = progress->columns - 1;
	(void)fprintf(stderr, "%.*s\n", (int)len, whole);
	progress->width[progress->drawn++] = len;
}

/* Another line fits above the cursor, which stands in a row of its own. */
static bool has_room(const struct progress *progress)
{
	return !progress->terminal ||
	       (progress->drawn < LINES_MAX && progress->drawn + 1 < progress->rows);
}

/* What others say comes above the lines, which are drawn anew. */
static void say(void *arg, const char *text, size_t len)
{
	struct progress *progress = arg;

	(void)pthread_mutex_lock(&progress->lock);
	measure(progress);
	erase(progress);
	(void)fwrite(text, 1, len, stderr);
	(void)fflush(stderr);
	(void)pthread_mutex_unlock(&progress->lock);
}

/* What all layers together have, and will; a size that is not known counts as what came. */
struct totals {
	uint64_t done, total;
	size_t ready;
};

static struct totals sum_up(const struct progress *progress, size_t count)
{
	struct totals sum = {0};

	for (size_t i = 0; i < count; i++) {
		const struct board_layer *layer = &progress->board->layer[i];
		uint64_t done = atomic_load(&layer->done);

		sum.done += done;
		sum.total += layer->size > 0 ? layer->size : done;
		sum.ready += atomic_load(&layer->state) == BOARD_READY;
	}
	return sum;
}

static void note(struct progress *progress)
{
	const struct board *board = progress->board;
	size_t count = board_count(board);
	double now = seconds_since(&progress->start);

	if (atomic_load(&board->packing)) {
		rate_note(&progress->pack_rate, now, atomic_load(&board->packed));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (atomic_load(&board->layer[i].state) != BOARD_READING)
			continue;
		/* It has begun after the last look, with nothing. */
		if (progress->rate[i].count == 0)
			rate_note(&progress->rate[i], progress->noted, 0);
		rate_note(&progress->rate[i], now, atomic_load(&board->layer[i].done));
	}
	if (count > 0)
		rate_note(&progress->all_rate, now, sum_up(progress, count).done);
	progress->noted = now;
}

/* "layers: 3 of 25, 131 of 1503 MiB, ...": all together. */
static void draw_sum(struct progress *progress, size_t count)
{
	struct totals sum = sum_up(progress, count);
	char text[192];
	int used = snprintf(text, sizeof(text), "%zu of %zu, ", sum.ready, count);

	describe(text + used, sizeof(text) - (size_t)used, sum.done, sum.total,
		 &progress->all_rate);
	line(progress, "layers", text);
}

/* Those that are being read, as many as fit. */
static void draw_layers(struct progress *progress, size_t count)
{
	char text[128], name[BOARD_NAME_SIZE];

	for (size_t i = 0; i < count && has_room(progress); i++) {
		const struct board_layer *layer = &progress->board->layer[i];

		if (atomic_load(&layer->state) != BOARD_READING)
			continue;
		describe(text, sizeof(text), atomic_load(&layer->done), layer->size,
			 &progress->rate[i]);
		board_name(progress->board, i, name);
		line(progress, name, text);
	}
}

static void draw(struct progress *progress)
{
	const struct board *board = progress->board;
	size_t count = board_count(board);
	char text[128];

	if (progress->terminal) {
		measure(progress);
		erase(progress);
	}
	if (atomic_load(&board->packing)) {
		describe(text, sizeof(text), atomic_load(&board->packed),
			 atomic_load(&board->total), &progress->pack_rate);
		if (has_room(progress))
			line(progress, "packing", text);
	} else {
		if (count > 1 && has_room(progress))
			draw_sum(progress, count);
		draw_layers(progress, count);
	}
	(void)fflush(stderr);
}

static void *run(void *arg)
{
	struct progress *progress = arg;
	long step = progress->terminal ? REDRAW_MS : NOTE_MS;
	unsigned notes = 0;

	(void)pthread_mutex_lock(&progress->lock);
	note(progress);
	while (!progress->stop) {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += step % 1000 * 1000000;
		until.tv_sec += step / 1000 + until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&progress->wake, &progress->lock, &until) != ETIMEDOUT)
			continue;
		note(progress);
		if (progress->terminal || ++notes % PLAIN_NOTES == 0)
			draw(progress);
	}
	(void)pthread_mutex_unlock(&progress->lock);
	return NULL;
}

struct progress *progress_start(const struct board *board)
{
	struct progress *progress = log_level() == LOG_QUIET ? NULL : calloc(1, sizeof(*progress));
	const char *term = getenv("TERM");
	pthread_condattr_t attributes;

	if (!progress)
		return NULL;
	progress->board = board;
	progress->terminal = isatty(STDERR_FILENO) == 1 && term && strcmp(term, "dumb") != 0;
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
	if (progress->terminal) {
		measure(progress);
		erase(progress);
		(void)fflush(stderr);
	}
	(void)pthread_cond_destroy(&progress->wake);
	(void)pthread_mutex_destroy(&progress->lock);
	free(progress);
}
