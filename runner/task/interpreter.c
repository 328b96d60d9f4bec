/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/task/interpreter.h"

#include "lib/file.h"
#include "lib/own.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

enum { HEADERS_MAX = 128 };

/* The word behind "#!", which blanks or the line end. */
static bool of_script(char *line, char out[INTERPRETER_SIZE])
{
	char *name = line + 2;
	size_t len;

	name += strspn(name, " \t");
	len = strcspn(name, " \t\n");
	if (len == 0 || len >= INTERPRETER_SIZE)
		return false;
	memcpy(out, name, len);
	out[len] = '\0';
	return true;
}

/* Only of this machine's own kind: of another one execve(2) says something else. */
static bool of_program(int fd, char out[INTERPRETER_SIZE])
{
	ElfW(Ehdr) head;
	ElfW(Phdr) part;

	if (file_read_at(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(part))
		return false;
	for (unsigned i = 0; i < head.e_phnum && i < HEADERS_MAX; i++) {
		if (file_read_at(fd, &part, sizeof(part), head.e_phoff + i * sizeof(part)) !=
		    sizeof(part))
			return false;
		if (part.p_type != PT_INTERP)
			continue;
		if (part.p_filesz < 2 || part.p_filesz > INTERPRETER_SIZE ||
		    file_read_at(fd, out, part.p_filesz, part.p_offset) != (ssize_t)part.p_filesz)
			return false;
		return memchr(out, '\0', part.p_filesz) && *out;
	}
	return false;
}

bool interpreter_of(const char *path, char out[INTERPRETER_SIZE])
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char line[INTERPRETER_SIZE + 1];
	ssize_t n = fd < 0 ? -1 : file_read_at(fd, line, INTERPRETER_SIZE, 0);

	if (n < 2)
		return false;
	line[n] = '\0';
	return memcmp(line, "#!", 2) == 0 ? of_script(line, out) : of_program(fd, out);
}
