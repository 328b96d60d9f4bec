/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Who writes the lines may come and go while threads say something. */
#include "lib/log.h"

#include "tests/unit/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 4, CHANGES = 2000 };

static atomic_bool ended;
static atomic_size_t lines;

struct writer {
	atomic_bool here;
	atomic_size_t late;
};

static void write_line(void *arg, const char *line, size_t len)
{
	struct writer *writer = arg;

	(void)line, (void)len;
	atomic_fetch_add(&lines, 1);
	for (int i = 0; i < 100; i++)
		if (!atomic_load(&writer->here))
			atomic_fetch_add(&writer->late, 1);
}

static void *talk(void *arg)
{
	(void)arg;
	while (!atomic_load(&ended))
		log_error("a word");
	return NULL;
}

int main(void)
{
	struct writer writer[2] = {0};
	pthread_t thread[THREADS];
	int out = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC), started = 0;

	if (out < 0 || null < 0 || dup2(null, STDERR_FILENO) < 0)
		return 2;
	while (started < THREADS && pthread_create(&thread[started], NULL, talk, NULL) == 0)
		started++;
	for (int i = 0; i < CHANGES || (atomic_load(&lines) == 0 && i < 1000 * CHANGES); i++) {
		struct writer *now = &writer[i % 2];

		atomic_store(&now->here, true);
		log_set_writer(write_line, now);
		log_set_writer(NULL, NULL);
		atomic_store(&now->here, false);
	}
	atomic_store(&ended, true);
	while (started > 0)
		(void)pthread_join(thread[--started], NULL);
	(void)dup2(out, STDERR_FILENO);
	ok(atomic_load(&lines) > 0, "who writes lines gets some of them");
	ok(atomic_load(&writer[0].late) == 0 && atomic_load(&writer[1].late) == 0,
	   "and none once it has been taken away");
	return done_testing();
}
