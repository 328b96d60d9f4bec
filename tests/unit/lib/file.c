/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/file.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { LARGE = 300000 };

static char scratch[] = "/tmp/firn-file.XXXXXX";
static struct err err;
static int dir;

static void write_file(const char *name, const char *text, size_t size)
{
	auto_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ok(fd >= 0 && file_write_all(fd, text, size) == 0, "the test can write its file");
}

static void a_file_is_read_whole(void)
{
	auto_free char *large = malloc(LARGE);
	auto_free char *text = NULL;
	size_t size = 7;

	memset(large, 'x', LARGE);
	large[LARGE - 1] = 'y';
	write_file("large", large, LARGE);
	ok(file_read(dir, "large", LARGE, &text, &size, &err) == 0 && size == LARGE,
	   "as large as the limit");
	ok(text && memcmp(text, large, LARGE) == 0 && text[LARGE] == '\0',
	   "to its last byte, and a NUL");
	free(take_ptr(&text));
	write_file("empty", "", 0);
	ok(file_read(dir, "empty", 0, &text, &size, &err) == 0 && size == 0, "an empty one");
	is_str(text, "", "is the empty text");
	free(take_ptr(&text));
	write_file("nul", "a\0b", 3);
	ok(file_read(dir, "nul", 100, &text, &size, &err) == 0 && size == 3 && text[2] == 'b',
	   "one with a NUL in it");
}

static void a_file_that_does_not_tell_its_size_is_read(void)
{
	auto_free char *text = NULL;
	size_t size;

	ok(file_read(AT_FDCWD, "/proc/self/status", 1 << 20, &text, &size, &err) == 0 &&
		   strlen(text) == size && strstr(text, "Uid:"),
	   "of /proc");
	ok(file_read(AT_FDCWD, "/proc/self/status", 10, &text, &size, &err) < 0 &&
		   strstr(err.text, "larger than 10 bytes"),
	   "up to the limit");
}

static void what_cannot_be_read_is_an_error(void)
{
	char *text = NULL;
	size_t size = 7;

	ok(file_read(dir, "none", 100, &text, &size, &err) < 0 && err.code == ENOENT,
	   "a missing file, told by its code");
	ok(strstr(err.text, "'none'") != NULL, "and by its name");
	ok(file_read(dir, "large", LARGE - 1, &text, &size, &err) < 0, "one byte above the limit");
	ok(file_read(dir, ".", 100, &text, &size, &err) < 0, "a directory");
	ok(mkfifoat(dir, "fifo", 0600) == 0 && file_read(dir, "fifo", 100, &text, &size, &err) < 0,
	   "a FIFO, which does not hang");
	ok(file_read(AT_FDCWD, "/dev/zero", 100, &text, &size, &err) < 0, "a device");
	ok(!text && size == 7, "the results stay as they were");
}

static void a_part_is_read_and_written(void)
{
	auto_fd fd = openat(dir, "part", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char text[8] = "......";

	ok(file_write_at(fd, "abcdef", 6, 2) == 0 && lseek(fd, 0, SEEK_CUR) == 0,
	   "a part is written, and the file stands where it stood");
	ok(file_read_at(fd, text, 3, 4) == 3 && strcmp(text, "cde...") == 0, "a part is read");
	ok(file_read_at(fd, text, 6, 5) == 3 && text[3] == 0x2e && memcmp(text, "def", 3) == 0,
	   "or what there is of it");
	ok(file_read_at(fd, text, 6, 100) == 0, "behind the end there is nothing");
	ok(file_read_at(-1, text, 6, 0) == -1 && errno == EBADF, "an error is told by errno");
	ok(file_read_at(-1, text, 0, 0) == 0 && file_write_at(-1, text, 0, 0) == 0,
	   "of nothing there is none");
	ok(file_write_at(STDIN_FILENO + 1000, text, 1, 0) == -1, "nor is it when written");
}

static void nothing(int number)
{
	(void)number;
}

/* A reader that is slow, and signals: each write gives a piece, or is interrupted. */
static void pieces_are_put_together(void)
{
	struct sigaction action = {.sa_handler = nothing}; /* without SA_RESTART */
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	auto_free char *data = malloc(LARGE);
	size_t count = 0;
	int ends[2];

	memset(data, 'x', LARGE);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	if (fork() == 0) {
		char piece[1000];
		ssize_t got;

		(void)close(ends[1]);
		while ((got = read(ends[0], piece, sizeof(piece))) > 0) {
			count += (size_t)got;
			(void)usleep(100);
		}
		_exit(count == LARGE ? 0 : 1);
	}
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	ok(file_write_all(ends[1], data, LARGE) == 0, "a write that signals interrupt");
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)close(ends[1]);
	int status = -1;
	while (wait(&status) < 0 && errno == EINTR)
		continue;
	ok(status == 0, "is complete");
	(void)close(ends[0]);
}

int main(void)
{
	static const char *const names[] = {"large", "empty", "nul", "fifo", "part"};

	if (!mkdtemp(scratch))
		return 1;
	dir = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	a_file_is_read_whole();
	a_file_that_does_not_tell_its_size_is_read();
	what_cannot_be_read_is_an_error();
	a_part_is_read_and_written();
	pieces_are_put_together();
	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlinkat(dir, names[i], 0);
	(void)close(dir);
	(void)rmdir(scratch);
	return done_testing();
}
