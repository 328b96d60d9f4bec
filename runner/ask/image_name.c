/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/ask/image_name.h"

#include "runner/foreign.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { TAG_MAX = 128, NAME_MAX_ = 255 };

static bool is_letter_or_digit(char c)
{
	return c && strchr(LOWER DIGITS, c);
}

/* Parts between slashes, each of which begins and ends with a letter or digit. */
static bool is_path(const char *text, size_t len)
{
	if (len == 0 || len > NAME_MAX_)
		return false;
	for (size_t i = 0, part; i < len; i += part + 1) {
		part = strcspn(text + i, "/");
		part = part < len - i ? part : len - i;
		if (part == 0 || strspn(text + i, LOWER DIGITS "._-") < part ||
		    !is_letter_or_digit(text[i]) || !is_letter_or_digit(text[i + part - 1]) ||
		    (i + part < len && i + part + 1 == len))
			return false;
	}
	return true;
}

/* A host may have capitals, and a port; it is a host by a dot, a port, or by being localhost. */
static size_t host_length(const char *text)
{
	size_t len = strcspn(text, "/#"), name = strspn(text, LOWER UPPER DIGITS ".-");
	bool has_port = name < len && text[name] == ':' &&
			name + 1 + strspn(text + name + 1, DIGITS) == len && name + 1 < len;

	if (!text[len] || name == 0 || (name < len && !has_port))
		return 0;
	return text[len] == '#' || has_port || memchr(text, '.', len) ||
			       (len == strlen("localhost") && strncmp(text, "localhost", len) == 0)
		       ? len + 1
		       : 0;
}

static bool is_digest(const char *text)
{
	size_t digits = strncmp(text, "sha256:", 7) == 0   ? 64
			: strncmp(text, "sha512:", 7) == 0 ? 128
							   : 0;

	return digits > 0 && strlen(text + 7) == digits &&
	       strspn(text + 7, DIGITS "abcdef") == digits;
}

static bool is_tag(const char *text, size_t len)
{
	return len > 0 && len <= TAG_MAX && strspn(text, LOWER UPPER DIGITS "_.-") >= len &&
	       text[0] != '.' && text[0] != '-';
}

bool image_name_reads(const char *text)
{
	const char *digest, *tag;
	size_t end;

	if (strncmp(text, "docker://", strlen("docker://")) == 0)
		return text[strlen("docker://")] != '\0';
	/* "oci:DIR" and the like would be names by their letters. */
	if (!strspn(text, LOWER UPPER DIGITS) || foreign_image(text))
		return false;
	text += host_length(text);
	digest = strchr(text, '@');
	if (digest && !is_digest(digest + 1))
		return false;
	end = digest ? (size_t)(digest - text) : strlen(text);
	tag = memchr(text, ':', end);
	if (tag && !is_tag(tag + 1, (size_t)(text + end - tag - 1)))
		return false;
	return (tag || digest) && is_path(text, tag ? (size_t)(tag - text) : end);
}

bool image_name_is(const char *text)
{
	struct stat stat;

	return image_name_reads(text) && lstat(text, &stat) < 0 &&
	       (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG);
}
