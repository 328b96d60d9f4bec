/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/reference.h"

#include "lib/host.h"

enum { NAME_LEN_MAX = 255, TAG_LEN_MAX = 128 };

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/* [a-z0-9]+((.|_|__|-+)[a-z0-9]+)* parts, with slashes in between. */
static bool is_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_LEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		size_t run = strspn(name + i, "._-");

		if (name[i] == '/') {
			if (i == 0 || !is_lower(name[i - 1]) || !is_lower(name[i + 1]))
				return false;
		} else if (run > 0) {
			bool dashes = strspn(name + i, "-") == run;

			if (i == 0 || !is_lower(name[i - 1]) || !is_lower(name[i + run]) ||
			    (!dashes && run > 1 && strncmp(name + i, "__", 2) != 0) ||
			    (!dashes && run > 2))
				return false;
			i += run - 1;
		} else if (!is_lower(name[i])) {
			return false;
		}
	}
	return true;
}

static bool is_tag(const char *tag)
{
	size_t len = strlen(tag);

	if (len == 0 || len > TAG_LEN_MAX || !is_word(tag[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_word(tag[i]) && tag[i] != '.' && tag[i] != '-')
			return false;
	return true;
}

/* A first part is a host if it has a dot or a port, or is localhost. */
static bool looks_like_host(const char *text, size_t len)
{
	return memchr(text, '.', len) || memchr(text, ':', len) ||
	       (len == 9 && strncmp(text, "localhost", 9) == 0);
}

bool reference_has_host(const char *text)
{
	size_t len = strcspn(text, "/@");

	return text[len] == '/' && looks_like_host(text, len);
}

static int take_digest(struct reference *reference, char *rest, const char *text, struct err *err)
{
	char *at = strchr(rest, '@');

	if (!at)
		return 0;
	*at = 0;
	return digest_take(&reference->digest, at + 1) == 0 ?
		       0 : err_set(err, "'%s': '%s' is no sha256 digest", text, at + 1);
}

static int take_tag(struct reference *reference, char *rest, const char *text, struct err *err)
{
	char *colon = strrchr(rest, ':');

	if (colon)
		*colon = 0;
	else if (reference->digest.text[0])
		return 0;
	if (colon && !is_tag(colon + 1))
		return err_set(err, "'%s': '%s' is no tag", text, colon + 1);
	reference->tag = strdup(colon ? colon + 1 : "latest");
	return reference->tag ? 0 : err_sys(err, "cannot read '%s'", text);
}

int reference_parse(const char *text, const char *default_host, struct reference **out,
		    struct err *err)
{
	auto_reference *reference = calloc(1, sizeof(*reference));
	auto_free char *copy = strdup(text);
	char *name = copy;
	size_t len;

	if (!reference || !copy)
		return err_sys(err, "cannot read '%s'", text);
	len = strcspn(copy, "/@");
	if (reference_has_host(copy)) {
		copy[len] = 0;
		reference->host = strdup(copy);
		name = copy + len + 1;
	} else if (default_host) {
		reference->host = strdup(default_host);
	} else {
		return err_set(err, "'%s' names no registry: HOST[:PORT]/NAME[:TAG|@DIGEST]", text);
	}
	if (!reference->host)
		return err_sys(err, "cannot read '%s'", text);
	if (!host_is_valid(reference->host))
		return err_set(err, "'%s': '%s' is no host", text, reference->host);
	if (take_digest(reference, name, text, err) < 0 || take_tag(reference, name, text, err) < 0)
		return -1;
	if (!is_name(name))
		return err_set(err,
			       "'%s': '%s' is no image name: lower case letters, digits, and ._-/ "
			       "between them",
			       text, name);
	/* Docker Hub keeps its own images in a group that is usually left out. */
	if (strcmp(reference->host, REFERENCE_HUB) == 0 && !strchr(name, '/')) {
		if (asprintf(&reference->name, "library/%s", name) < 0)
			reference->name = NULL;
	} else {
		reference->name = strdup(name);
	}
	if (!reference->name)
		return err_sys(err, "cannot read '%s'", text);
	*out = take_ptr(&reference);
	return 0;
}

void reference_free(struct reference *reference)
{
	if (!reference)
		return;
	free(reference->host);
	free(reference->name);
	free(reference->tag);
	free(reference);
}

void reference_freep(struct reference **reference)
{
	reference_free(*reference);
}
