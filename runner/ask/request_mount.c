/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* The little languages of --bind, --mount and --tmpfs. */
#include "runner/ask/request.h"

#include "lib/conf/expand.h"
#include "lib/size.h"
#include "lib/words.h"

#include <string.h>

/*
 * Copy one field of @text up to an unescaped @stop, without the backslashes
 * before colons, commas and backslashes. Moves @text behind the stop; *more tells
 * whether there was one. NULL without memory.
 */
static char *take_field(const char **text, char stop, bool *more)
{
	const char *from = *text;
	char *field = malloc(strlen(from) + 1);
	size_t len = 0;

	*more = false;
	if (!field)
		return NULL;
	for (; *from && *from != stop; from++) {
		if (from[0] == '\\' && from[1] && strchr(":,\\", from[1]))
			from++;
		field[len++] = *from;
	}
	field[len] = '\0';
	*more = *from == stop;
	*text = from + (*more ? 1 : 0);
	return field;
}

void request_mount_clear(struct request_mount *mount)
{
	free(take_ptr(&mount->source));
	free(take_ptr(&mount->target));
	free(take_ptr(&mount->sub));
	free(take_ptr(&mount->expect));
}

static int replace(char **where, const char *value)
{
	free(*where);
	*where = strdup(value);
	return *where ? 0 : -1;
}

/* What only an image has. */
static int take_text(struct request_mount *mount, char **where, const char *value)
{
	mount->as = REQUEST_AS_IMAGE;
	return replace(where, value);
}

static int take_mode_word(const char *word, struct request_mount *mount)
{
	static const char sub[] = "image-src=", expect[] = "expect=";

	if (strcmp(word, "optional") == 0)
		mount->optional = true;
	else if (strcmp(word, "ro") == 0)
		mount->readonly = true;
	else if (strcmp(word, "rw") == 0)
		mount->writable = true;
	else if (strcmp(word, "file") == 0 && mount->as != REQUEST_AS_IMAGE)
		mount->as = REQUEST_AS_FILE;
	else if (mount->as == REQUEST_AS_FILE)
		return -1;
	else if (strncmp(word, sub, strlen(sub)) == 0 && word[strlen(sub)] == '/')
		return take_text(mount, &mount->sub, word + strlen(sub));
	else if (strncmp(word, expect, strlen(expect)) == 0)
		return take_text(mount, &mount->expect, word + strlen(expect));
	else if (strcmp(word, "image") == 0)
		mount->as = REQUEST_AS_IMAGE;
	else
		return -1;
	return 0;
}

/* With commas between; "ro" and "rw" exclude each other, and so do "file" and those of an image. */
static int take_mode(const char *mode, struct request_mount *mount)
{
	const char *at = mode;
	bool more = false;
	auto_free char *whole = take_field(&at, ':', &more);

	if (!whole || more)
		return -1;
	at = mode;
	do {
		auto_free char *word = take_field(&at, ',', &more);

		if (!word || take_mode_word(word, mount) < 0)
			return -1;
	} while (more);
	return mount->readonly && mount->writable ? -1 : 0;
}

/* What is said twice, in words that do not go together: an image is not written to. */
static int check_image(const struct request_mount *mount, const char *text, struct err *err)
{
	return mount->as == REQUEST_AS_IMAGE && mount->writable
		       ? err_set(err,
				 "'%s': an image is mounted read-only, and 'rw' says otherwise",
				 text)
		       : 0;
}

static int bind_fields(const char *text, struct request_mount *mount, struct err *err)
{
	const char *at = text;
	bool more = false, named;

	mount->source = take_field(&at, ':', &more);
	named = more;
	if (mount->source && named)
		mount->target = take_field(&at, ':', &more);
	if (!mount->source || (named && !mount->target))
		return err_sys(err, "cannot take bind '%s'", text);
	if (mount->source[0] == '\0')
		return err_set(err, "bind '%s' names no source", text);
	if (mount->target && mount->target[0] == '\0')
		return err_set(err, "bind '%s' has an empty target", text);
	if (!more)
		return 0;
	if (take_mode(at, mount) < 0)
		return err_set(err,
			       "bind '%s' must end in ':ro', ':rw', ':optional', ':file', ':image' "
			       "or ':image-src=/DIR' (write '\\:' for a colon in a name)",
			       text);
	return check_image(mount, text, err);
}

int request_home_parse(const char *text, struct request_mount *out, struct err *err)
{
	struct request_mount mount;

	if (request_bind_parse(text, &mount, err) < 0)
		return err_aim(err, "--home");
	if (mount.readonly || mount.optional || mount.as != REQUEST_AS_FITS) {
		request_mount_clear(&mount);
		return err_set(err, "--home '%s' is not of the form SRC[:DST] (--bind takes modes)",
			       text);
	}
	*out = mount;
	return 0;
}

bool request_bind_is_list(const char *bind)
{
	for (; *bind; bind++) {
		if (bind[0] == '\\' && bind[1])
			bind++;
		else if (bind[0] == ',' && bind[1] == '/')
			return true;
	}
	return false;
}

int request_bind_parse(const char *text, struct request_mount *out, struct err *err)
{
	struct request_mount mount = {0};

	if (bind_fields(text, &mount, err) < 0) {
		request_mount_clear(&mount);
		return -1;
	}
	*out = mount;
	return 0;
}

static int expand(char **path, struct err *err)
{
	char *expanded;

	if (!*path || (!strchr(*path, '$') && **path != '~'))
		return 0;
	if (expand_path(*path, &expanded, err) < 0)
		return -1;
	free(*path);
	*path = expanded;
	return 0;
}

int request_bind_configured(const char *text, struct request_mount *out, struct err *err)
{
	struct request_mount mount;

	if (request_bind_parse(text, &mount, err) < 0)
		return err_aim(err, "firn.conf's bind");
	if (expand(&mount.source, err) < 0 || expand(&mount.target, err) < 0) {
		request_mount_clear(&mount);
		return err_aim(err, "firn.conf's bind");
	}
	*out = mount;
	return 0;
}

int request_tmpfs_parse(const char *text, struct request_mount *out, struct err *err)
{
	struct request_mount mount = {0};
	const char *at = text;
	bool more = false;

	mount.target = take_field(&at, ':', &more);
	if (!mount.target || mount.target[0] != '/' ||
	    (more && (strncmp(at, "size=", 5) != 0 || size_parse(at + 5, &mount.size) < 0))) {
		request_mount_clear(&mount);
		return err_set(err, "tmpfs '%s' is not of the form /PATH[:size=N]", text);
	}
	*out = mount;
	return 0;
}

struct mount_words {
	struct request_mount mount;
	char *type;
};

static int take_word(struct mount_words *words, const char *item)
{
	const char *value = strchr(item, '=');
	size_t len = value ? (size_t)(value - item) : strlen(item);

#define KEY(name) (len == strlen(name) && strncmp(item, name, len) == 0)
	if (!value && (KEY("ro") || KEY("readonly") || KEY("rw"))) {
		words->mount.writable = words->mount.writable || KEY("rw");
		words->mount.readonly = words->mount.readonly || !KEY("rw");
		return 0;
	}
	if (!value || value[1] == '\0')
		return -1;
	value++;
	if (KEY("type"))
		return replace(&words->type, value);
	if (KEY("src") || KEY("source"))
		return replace(&words->mount.source, value);
	if (KEY("dst") || KEY("target") || KEY("destination"))
		return replace(&words->mount.target, value);
	if (KEY("image-src"))
		return *value == '/' ? replace(&words->mount.sub, value) : -1;
	if (KEY("size"))
		return size_parse(value, &words->mount.size);
#undef KEY
	return -1;
}

static bool is_of_type(const struct mount_words *words, const char *type)
{
	return words->type && strcmp(words->type, type) == 0;
}

static int check_words(const struct mount_words *words, const char *text, struct err *err)
{
	const struct request_mount *mount = &words->mount;
	bool is_tmpfs = is_of_type(words, "tmpfs");
	bool is_image = is_of_type(words, "image");

	if (words->type && !is_tmpfs && !is_image && !is_of_type(words, "bind"))
		return err_set(err,
			       "mount '%s': type '%s' is not known; it is bind, image or tmpfs",
			       text, words->type);
	if (mount->readonly && mount->writable)
		return err_set(err, "mount '%s': 'ro' and 'rw' exclude each other", text);
	if (is_tmpfs && (mount->source || !mount->target))
		return err_set(err, "mount '%s': a tmpfs has dst= and no src=", text);
	if (is_image && (!mount->source || !mount->target || mount->size))
		return err_set(err, "mount '%s': an image has src= and dst=, and no size=", text);
	if (!is_tmpfs && (!mount->source || mount->size))
		return err_set(err, "mount '%s': a bind has src= and no size=", text);
	if (!is_image && mount->sub)
		return err_set(err, "mount '%s': image-src= is for type=image", text);
	return check_image(mount, text, err);
}

int request_mount_parse(const char *text, struct request_mount *out, struct err *err)
{
	struct mount_words words = {.type = NULL};
	int result = 0;

	for (const char *at = text; result == 0 && *at;) {
		auto_free char *item = words_take_item(&at);

		if (!item || take_word(&words, item) < 0)
			result = err_set(err, "mount '%s': '%s' is not understood", text,
					 item ? item : "");
	}
	/* Who says the type means it: of a bind the file itself is shown, whatever is in it. */
	words.mount.as = is_of_type(&words, "image") ? REQUEST_AS_IMAGE : REQUEST_AS_FILE;
	if (result == 0)
		result = check_words(&words, text, err);
	free(words.type);
	if (result < 0)
		request_mount_clear(&words.mount);
	else
		*out = words.mount;
	return result;
}
