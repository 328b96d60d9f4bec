/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/tar_private.h"

#define XATTR_PREFIX "SCHILY.xattr."
/* libarchive's: the name as in an URL, the value in base64; tar(5) of bsdtar. */
#define CODED_XATTR_PREFIX "LIBARCHIVE.xattr."

/* One record's value; it ends with a NUL, and may hold others where that is allowed. */
struct value {
	char *text;
	size_t size;
};

static int bad(const char *key, struct err *err)
{
	return err_set(err, "the extended header's '%s' is not valid", key);
}

static int take_number(const char *key, const struct value *value, uint64_t *out, struct err *err)
{
	const char *end;

	if (tar_decimal(value->text, &end, out) < 0 || end != value->text + value->size)
		return bad(key, err);
	return 0;
}

/* Seconds with a fraction, perhaps negative; the fraction is cut off downwards. */
static int take_time(const char *key, const struct value *value, int64_t *out, struct err *err)
{
	bool negative = value->text[0] == '-', fraction = false;
	const char *end;
	uint64_t seconds;

	if (tar_decimal(value->text + negative, &end, &seconds) < 0)
		return bad(key, err);
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++)
			fraction = fraction || *end != '0';
	if (end != value->text + value->size)
		return bad(key, err);
	*out = negative ? -(int64_t)seconds - fraction : (int64_t)seconds;
	return 0;
}

static int take_name(const char *key, const struct value *value, const char **out, struct err *err)
{
	if (strlen(value->text) != value->size)
		return bad(key, err);
	if (value->size == 0) {
		*out = NULL;
		return 0;
	}
	if (value->size > TAR_NAME_MAX)
		return err_set(err, "a name of %zu bytes, more than %d", value->size, TAR_NAME_MAX);
	*out = value->text;
	return 0;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* "%25" is '%', over @name itself; what is no such number stays. A NUL would cut the name. */
static int decode_name(const char *key, char *name, struct err *err)
{
	char *to = name;

	for (const char *at = name; *at; at++) {
		int high = *at == '%' ? hex(at[1]) : -1, low = high < 0 ? -1 : hex(at[2]);

		if (low < 0) {
			*to++ = *at;
			continue;
		}
		*to = (char)(high << 4 | low);
		if (!*to++)
			return bad(key, err);
		at += 2;
	}
	*to = 0;
	return 0;
}

/* Base64 over @value itself; the padding may be left out. */
static int decode_value(const char *key, struct value *value, struct err *err)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t size = value->size, used = 0;
	uint32_t bits = 0;

	for (int padding = 0; padding < 2 && size > 0 && value->text[size - 1] == '='; padding++)
		size--;
	if (size % 4 == 1)
		return bad(key, err);
	for (size_t i = 0; i < size; i++) {
		const char *digit = value->text[i] ? strchr(digits, value->text[i]) : NULL;

		if (!digit)
			return bad(key, err);
		bits = bits << 6 | (uint32_t)(digit - digits);
		if (i % 4 > 0)
			value->text[used++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	value->text[used] = 0;
	value->size = used;
	return 0;
}

static int take_xattr(struct tar *tar, const char *name, const struct value *value, struct err *err)
{
	size_t i = 0;

	if (!*name)
		return err_set(err, "an extended attribute without a name");
	if (value->size == 0) /* as for every record: there is none */
		return 0;
	while (i < tar->xattr_count && strcmp(tar->xattr[i].name, name) != 0)
		i++;
	if (i == TAR_XATTRS_MAX)
		return err_set(err, "more than %d extended attributes", TAR_XATTRS_MAX);
	if (i == tar->xattr_room) {
		size_t room = tar->xattr_room ? 2 * tar->xattr_room : 8;
		struct tar_xattr *grown = reallocarray(tar->xattr, room, sizeof(*grown));

		if (!grown)
			return err_sys(err, "cannot read extended attributes");
		tar->xattr = grown;
		tar->xattr_room = room;
	}
	tar->xattr[i] = (struct tar_xattr){name, value->size, value->text};
	if (i == tar->xattr_count)
		tar->xattr_count++;
	return 0;
}

/* Bsdtar writes most attributes in both ways; of two records the later one counts, as ever. */
static int take_coded_xattr(struct tar *tar, char *key, struct value *value, struct err *err)
{
	char *name = key + strlen(CODED_XATTR_PREFIX);

	if (decode_name(key, name, err) < 0 || decode_value(key, value, err) < 0)
		return -1;
	return take_xattr(tar, name, value, err);
}

/* GNU.sparse.*: three formats grew out of each other. */
static int take_sparse(struct tar *tar, struct tar_extended *to, const char *key,
		       const struct value *value, struct err *err)
{
	const char *what = key + strlen("GNU.sparse.");
	uint64_t number;

	if (strcmp(what, "name") == 0)
		return take_name(key, value, &to->path, err);
	if (strcmp(what, "map") == 0) {
		to->sparse = SPARSE_0;
		to->half = false; /* the map takes the place of what was said piece by piece */
		return tar_take_map_text(tar, value->text, err);
	}
	if (take_number(key, value, &number, err) < 0)
		return -1;
	if (strcmp(what, "major") == 0) {
		if (number > 1)
			return err_set(err, "a sparse file of the unknown format %s", value->text);
		if (number == 1)
			to->sparse = SPARSE_1;
	} else if (strcmp(what, "realsize") == 0 || strcmp(what, "size") == 0) {
		to->has_real_size = true;
		to->real_size = number;
		if (to->sparse == SPARSE_NONE)
			to->sparse = SPARSE_0;
	} else if (strcmp(what, "offset") == 0) {
		if (to->half)
			return bad(key, err);
		to->half = true;
		return tar_add_segment(tar, number, 0, err);
	} else if (strcmp(what, "numbytes") == 0) {
		if (!to->half)
			return bad(key, err);
		to->half = false;
		tar->segment[tar->segment_count - 1].size = number;
	}
	return 0;
}

static int take_record(struct tar *tar, struct tar_extended *to, bool global, char *key,
		       struct value *value, struct err *err)
{
	/* An empty value takes a record back. */
	if (strcmp(key, "uid") == 0)
		return (to->has_uid = value->size > 0) ? take_number(key, value, &to->uid, err) : 0;
	if (strcmp(key, "gid") == 0)
		return (to->has_gid = value->size > 0) ? take_number(key, value, &to->gid, err) : 0;
	if (strcmp(key, "mtime") == 0)
		return (to->has_mtime = value->size > 0) ? take_time(key, value, &to->mtime, err)
							 : 0;
	if (strcmp(key, "path") != 0 && strcmp(key, "linkpath") != 0 && strcmp(key, "size") != 0 &&
	    strncmp(key, "GNU.sparse.", 11) != 0 &&
	    strncmp(key, CODED_XATTR_PREFIX, strlen(CODED_XATTR_PREFIX)) != 0 &&
	    strncmp(key, XATTR_PREFIX, strlen(XATTR_PREFIX)) != 0)
		return 0; /* comments, atime, names of owners, others' own words */
	if (global)
		return err_set(err, "a global extended header sets '%s'", key);
	if (strcmp(key, "path") == 0)
		return to->path && to->sparse != SPARSE_NONE
			       ? 0
			       : take_name(key, value, &to->path, err);
	if (strcmp(key, "linkpath") == 0)
		return take_name(key, value, &to->link, err);
	if (strcmp(key, "size") == 0)
		return (to->has_size = value->size > 0) ? take_number(key, value, &to->size, err)
							: 0;
	if (key[0] == 'G')
		return take_sparse(tar, to, key, value, err);
	if (key[0] == 'L')
		return take_coded_xattr(tar, key, value, err);
	return take_xattr(tar, key + strlen(XATTR_PREFIX), value, err);
}

int tar_take_records(struct tar *tar, struct tar_text *records, struct tar_extended *to,
		     bool global, struct err *err)
{
	char *at = records->data, *end = at + records->size;

	if (!global)
		tar->segment_count = tar->xattr_count = 0;
	while (at < end) {
		const char *end_of_size;
		char *key;
		struct value value;
		uint64_t size;

		/* "SIZE KEY=VALUE\n", SIZE counts all of it. */
		if (tar_decimal(at, &end_of_size, &size) < 0 || *end_of_size != ' ' ||
		    size > (uint64_t)(end - at) || size < (uint64_t)(end_of_size - at) + 3 ||
		    at[size - 1] != '\n')
			return err_set(
				err,
				"an extended header's record does not have the length it says");
		key = at + (end_of_size - at) + 1;
		at[size - 1] = 0;
		value.text = memchr(key, '=', size - (size_t)(key - at) - 1);
		if (!value.text || value.text == key || memchr(key, 0, (size_t)(value.text - key)))
			return err_set(err, "an extended header's record is no KEY=VALUE");
		*value.text++ = 0;
		value.size = size - 1 - (size_t)(value.text - at);
		if (take_record(tar, to, global, key, &value, err) < 0)
			return -1;
		at += size;
	}
	return 0;
}
