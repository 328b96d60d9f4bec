/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/ask/env_file.h"

#include "lib/own.h"
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* "NAME|VALUE", "NAME" for the host's, "" for none, or "error: WHY". */
static const char *read_as(const char *text)
{
	static char seen[256];
	char line[256];
	char *name = NULL, *value = NULL;
	const char *why = "";

	(void)snprintf(line, sizeof(line), "%s", text);
	switch (env_file_line(line, &name, &value, &why)) {
	case 0:
		return "";
	case 1:
		(void)snprintf(seen, sizeof(seen), value ? "%s|%s" : "%s", name, value);
		return seen;
	default:
		(void)snprintf(seen, sizeof(seen), "error: %s", why);
		return seen;
	}
}

static char seen_all[1024];
static char seen_last[16];
static size_t seen_size;

static int see(void *arg, const char *name, const char *value)
{
	(void)arg;
	if (strlen(name) + strlen(value) + 3 < sizeof(seen_all) - seen_size)
		seen_size += (size_t)snprintf(seen_all + seen_size, sizeof(seen_all) - seen_size,
					      "%s=%s|", name, value);
	(void)snprintf(seen_last, sizeof(seen_last), "%s", name);
	return 0;
}

static void lines_of_docker_mean_what_they_say(void)
{
	is_str(read_as("A=b\n"), "A|b", "a variable");
	is_str(read_as("A=b c = d\r\n"), "A|b c = d",
	       "all behind the first '=', but for the line's end");
	is_str(read_as("A= b "), "A| b ", "blanks are part of a value");
	is_str(read_as("A="), "A|", "nothing is a value");
	is_str(read_as("A"), "A", "a name alone is the host's");
	is_str(read_as("A \t\n"), "A", "whatever follows it invisibly");
	is_str(read_as("a.b-c=1"), "a.b-c|1", "names that no shell takes");
	is_str(read_as("A=it's \"so\""), "A|it's \"so\"", "quotes within a value");
	is_str(read_as("A=$B"), "A|$B", "nothing is expanded");
	is_str(read_as("A=#b"), "A|#b", "a comment begins a line");
	is_str(read_as("  # A=b"), "", "as here");
	is_str(read_as(" \t\r\n"), "", "a blank line");
}

static void so_do_lines_of_shells(void)
{
	is_str(read_as("export A=b"), "A|b", "export");
	is_str(read_as("\texport \t A=b"), "A|b", "with blanks about it");
	is_str(read_as("export A"), "A", "of what the host has");
	is_str(read_as("export=b"), "export|b", "a variable of that name");
	is_str(read_as("exported=b"), "exported|b", "or of one that begins so");
	is_str(read_as("A=\"b c\""), "A|b c", "double quotes");
	is_str(read_as("A='b \"c\"'  "), "A|b \"c\"", "single ones");
	is_str(read_as("A=\"\""), "A|", "with nothing in them");
	is_str(read_as("A=\"\\\"\\\\\\$\\n\""), "A|\"\\$\\n", "a backslash quotes in double ones");
	is_str(read_as("A='\\'"), "A|\\", "and not in single ones");
}

static void what_could_mean_two_things_is_an_error(void)
{
	is_str(read_as("A=\"b"), "error: has a quote that does not end", "an open quote");
	is_str(read_as("A=\"b\\\""), "error: has a quote that does not end",
	       "a quoted one at the end");
	is_str(read_as("A='b'c"), "error: goes on after its value's quotes", "two parts");
	is_str(read_as("A='b' # c"), "error: goes on after its value's quotes",
	       "a shell's comment");
	is_str(read_as("A B=c"), "error: is not of the form NAME=VALUE", "a blank in a name");
	is_str(read_as("A =c"), "error: is not of the form NAME=VALUE", "or behind it");
	is_str(read_as("export A B"), "error: is not of the form NAME=VALUE", "two names");
	is_str(read_as("=c"), "error: is not of the form NAME=VALUE", "no name");
	is_str(read_as("export"), "export", "export alone is a name");
	is_str(read_as("1=c"), "error: is not of the form NAME=VALUE", "a number");
	is_str(read_as("'A'=c"), "error: is not of the form NAME=VALUE", "a quoted name");
}

/* "NAME=VALUE|..." of a file of @size bytes, "error: WHY" */
static const char *file_as(const char *bytes, size_t size)
{
	char path[] = "/tmp/firn-test.XXXXXX";
	auto_fd fd = mkstemp(path);
	struct err err;

	seen_size = 0;
	seen_all[0] = '\0';
	if (fd < 0 || unlink(path) < 0 || write(fd, bytes, size) != (ssize_t)size ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return "no file";
	if (env_file_read("F", fd, see, NULL, &err) < 0)
		(void)snprintf(seen_all, sizeof(seen_all), "error: %s", err.text);
	return seen_all;
}

#define FILE_AS(text) file_as(text, sizeof(text) - 1)

static void all_of_a_file_is_read(void)
{
	auto_free char *large = malloc(ENV_FILE_SIZE_MAX);
	auto_fd zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct err err;

	is_str(FILE_AS("A=1\n\nB=2"), "A=1|B=2|", "to an end without a newline");
	is_str(FILE_AS(""), "", "to that of an empty one");
	is_str(FILE_AS("\xef\xbb\xbf"
		       "A=1\nB=2\n"),
	       "A=1|B=2|", "without a byte order mark");
	is_str(FILE_AS("\xef\xbb\xbf"), "", "... alone");
	is_str(FILE_AS("A=1\nB=\0\n"), "error: 'F' line 2 holds a zero byte", "a zero byte");
	is_str(FILE_AS("A=1\nB=2\0"), "error: 'F' line 2 holds a zero byte", "... at the end");
	is_str(FILE_AS("A=1\n\nB C\n"), "error: 'F' line 3 is not of the form NAME=VALUE",
	       "a wrong line");
	ok(env_file_read("Z", zero, see, NULL, &err) < 0, "a file without an end is an error");
	is_str(err.text, "'Z' is larger than 16777216 bytes", "... named");
	memset(large, 'x', ENV_FILE_SIZE_MAX);
	memcpy(large, "A=1\nB=", 6);
	memcpy(large + ENV_FILE_SIZE_MAX - 5, "\nC=3\n", 5);
	(void)file_as(large, ENV_FILE_SIZE_MAX);
	is_str(seen_last, "C", "what follows a long line is read");
}

int main(void)
{
	all_of_a_file_is_read();
	lines_of_docker_mean_what_they_say();
	so_do_lines_of_shells();
	what_could_mean_two_things_is_an_error();
	return done_testing();
}
