/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* What a terminal of any size shows while layers are read, and how fast it says they are. */
#include "builder/progress.h"

#include "builder/rate.h"
#include "lib/own.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

enum { LAYERS = 40, READY = 25 };

static struct board *board, *single; /* the second one has one layer */
static char said[1 << 16];

/* What is said on a terminal of that size until it has been drawn three times, in said[]. */
static bool watch(unsigned short columns, unsigned short rows, const struct board *shown)
{
	struct winsize size = {.ws_row = rows, .ws_col = columns};
	auto_fd leader = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), saved = dup(2), end = -1;
	struct progress *progress;
	size_t used = 0;
	int draws = 0;

	said[0] = '\0';
	if (leader < 0 || grantpt(leader) < 0 || unlockpt(leader) < 0)
		return false;
	end = open(ptsname(leader), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (end < 0 || ioctl(end, TIOCSWINSZ, &size) < 0 || dup2(end, 2) < 0)
		return false;
	progress = progress_start(shown);
	while (draws < 3 && used + 1 < sizeof(said)) {
		struct pollfd wait = {.fd = leader, .events = POLLIN};
		ssize_t n = poll(&wait, 1, 2000) > 0
				    ? read(leader, said + used, sizeof(said) - used - 1)
				    : -1;

		if (n <= 0)
			break;
		used += (size_t)n;
		said[used] = '\0';
		draws = 0;
		for (char *at = said; (at = strstr(at, "\033[J")); at++)
			draws++;
		for (size_t i = READY; i < LAYERS; i++)
			atomic_fetch_add(&board->layer[i].done, 1000000);
	}
	progress_stop(progress);
	(void)dup2(saved, 2);
	return draws >= 3;
}

/* The last whole drawing: from one "up, erase" to the next. */
static char *last_drawing(void)
{
	char *end = NULL, *start = said;

	for (char *at = said; (at = strstr(at, "\033[J")); at++) {
		if (end)
			start = end + 3;
		end = at;
	}
	if (end)
		*strrchr(said, '\033') = '\0';
	return start;
}

static void a_terminal_is_never_overfull(unsigned short columns, unsigned short rows)
{
	size_t lines = 0, widest = 0;
	char *text, *up;
	bool sum;

	if (!watch(columns, rows, board)) {
		ok(false, "%ux%u: it is drawn", columns, rows);
		return;
	}
	text = last_drawing();
	up = strstr(text, "\033[");
	if (up)
		*up = '\0';
	sum = strncmp(text, "layers: 25 of 40, ", 18) == 0;
	for (char *line; (line = strsep(&text, "\n")) && *line; lines++)
		if (strcspn(line, "\r") > widest)
			widest = strcspn(line, "\r");
	ok(sum, "%ux%u: the first line is for all", columns, rows);
	ok(lines == (rows > 20 ? 16u : rows - 1u), "%ux%u: %zu lines fit", columns, rows, lines);
	ok(widest > 0 && widest < columns, "%ux%u: none of %zu columns is too long", columns, rows,
	   widest);
}

static void running_layers_are_shown(void)
{
	ok(watch(80, 5, board), "five rows");
	ok(strstr(said, "layer 26 (sha256:0123456789ab): ") != NULL, "a layer that is read");
	ok(!strstr(said, "layer 25 "), "none that is ready");
	ok(watch(40, 5, board) && strstr(said, "layer 26: "), "a name without its digest");
	ok(watch(80, 24, single) && strstr(said, "layer 26 ") && !strstr(said, "layers: "),
	   "one layer needs no sum");
	ok(!watch(80, 1, board) && !strstr(said, "layer "), "one row is left alone");
}

static double rate_after(double slow, double fast)
{
	struct rate rate = {0};
	double now = 0;
	uint64_t done = 0;

	for (; now < slow; now += 0.2)
		rate_note(&rate, now, done += 100);
	for (; now < slow + fast; now += 0.2)
		rate_note(&rate, now, done += 20000);
	return rate_of(&rate);
}

static void a_rate_is_of_the_last_seconds(void)
{
	struct rate rate = {0};
	double mixed;

	ok(rate_of(&rate) < 0, "nothing is known at first");
	rate_note(&rate, 10, 5000);
	rate_note(&rate, 10.2, 6000);
	ok(rate_of(&rate) < 0, "nor after a moment");
	rate_note(&rate, 11, 10000);
	ok(rate_of(&rate) > 4999 && rate_of(&rate) < 5001, "what was there before does not count");
	ok(rate_after(600, 6) > 99000 && rate_after(600, 6) < 101000,
	   "ten slow minutes are forgotten in six seconds");
	mixed = rate_after(600, 2.5);
	ok(mixed > 40000 && mixed < 60000, "half a window counts half");
	rate = (struct rate){0};
	for (int i = 0; i < 20; i++)
		rate_note(&rate, i * 5.0, (uint64_t)i * (uint64_t)i);
	ok(rate_of(&rate) == (19 * 19 - 18 * 18) / 5.0, "rare notes: the last two");
	for (int i = 0; i < 100; i++)
		rate_note(&rate, 95 + i, 361);
	ok(rate_of(&rate) == 0, "what stands still has no speed");
	rate_note(&rate, 300, 7);
	ok(rate_of(&rate) < 0, "less than before: it begins anew");
}

static void fill(struct board_layer *layer, size_t i)
{
	(void)snprintf(layer->name, sizeof(layer->name), "layer %zu (sha256:0123456789ab)", i + 1);
	layer->size = 1500000000;
	layer->state = i < READY ? BOARD_READY : BOARD_READING;
	layer->done = i < READY ? layer->size : 1000000;
}

static bool make_boards(void)
{
	board = board_new();
	single = board_new();
	if (!board || !single)
		return false;
	for (size_t i = 0; i < LAYERS; i++)
		fill(&board->layer[i], i);
	fill(&single->layer[0], READY);
	board->count = LAYERS;
	single->count = 1;
	return true;
}

int main(void)
{
	static const unsigned short columns[] = {40, 66, 80, 200};

	(void)setenv("TERM", "xterm", 1);
	if (!make_boards())
		return 1;
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		a_terminal_is_never_overfull(columns[i], 5);
		a_terminal_is_never_overfull(columns[i], 24);
	}
	running_layers_are_shown();
	a_rate_is_of_the_last_seconds();
	board_free(board);
	board_free(single);
	return done_testing();
}
