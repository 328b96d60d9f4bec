/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A directory's listing is a stretch of the directory table: headers, each with
 * up to 256 entries behind it that share its inode block.
 */
#include "lib/squashfs/private.h"

#include <string.h>
#include <sys/stat.h>

enum {
	DIR_HEADER_SIZE = 12,
	DIR_ENTRY_SIZE = 8,
	DIR_COUNT_MAX = 256,
	DIR_INDEX_SIZE = 12,
	LINKS_MAX = 40,
	PATH_SIZE_MAX = 4096,
};

/* A place in a listing: enough to go on from, and all that a position holds. */
struct listing {
	struct cursor at;
	uint64_t offset;	/* of @at in the listing */
	uint64_t header_offset; /* of the header of the entry at @at */
	unsigned used;		/* entries of that header before @at */
	unsigned count;		/* entries of that header in all; 0: a header comes next */
	uint32_t start, ino;	/* of that header */
};

static int read_bytes(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		      struct listing *list, void *bytes, size_t size, struct err *err)
{
	if (dir->size - list->offset < size)
		return squashfs_damaged(reader->image, err, "a directory ends inside an entry");
	list->offset += size;
	return cursor_read(reader, &list->at, bytes, size, err);
}

static int read_header(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		       struct listing *list, struct err *err)
{
	uint8_t b[DIR_HEADER_SIZE];

	list->header_offset = list->offset;
	if (read_bytes(reader, dir, list, b, sizeof(b), err) < 0)
		return -1;
	if (le_get32(b) >= DIR_COUNT_MAX)
		return squashfs_damaged(reader->image, err, "a directory has %u entries in a row",
					le_get32(b));
	list->count = le_get32(b) + 1;
	list->used = 0;
	list->start = le_get32(b + 4);
	list->ino = le_get32(b + 8);
	return 0;
}

static bool is_name(const char *name, size_t len)
{
	if (len == 0 || len > 255 || memchr(name, '\0', len) || memchr(name, '/', len))
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

/* The next entry: 1, or 0 at the end. */
static int read_entry(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		      struct listing *list, struct squashfs_entry *entry, struct err *err)
{
	/* Basic types in listings, extended ones too: sqfs types 1 to 7. */
	static const mode_t modes[] = {0,	S_IFDIR, S_IFREG, S_IFLNK,
				       S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK};
	uint8_t b[DIR_ENTRY_SIZE];
	unsigned type;

	if (list->used == list->count) {
		if (list->offset >= dir->size)
			return 0;
		if (read_header(reader, dir, list, err) < 0)
			return -1;
	}
	if (read_bytes(reader, dir, list, b, sizeof(b), err) < 0)
		return -1;
	type = le_get16(b + 4);
	entry->len = le_get16(b + 6) + 1u;
	if (type == 0 || type >= COUNT_OF(modes) || entry->len > 255)
		return squashfs_damaged(reader->image, err,
					"a directory entry has type %u and a name of %zu bytes",
					type, entry->len);
	if (read_bytes(reader, dir, list, entry->name, entry->len, err) < 0)
		return -1;
	entry->name[entry->len] = '\0';
	if (!is_name(entry->name, entry->len))
		return squashfs_damaged(reader->image, err,
					"a directory entry has a forbidden name");
	entry->ref = (uint64_t)list->start << 16 | le_get16(b);
	entry->ino = list->ino + (uint32_t)(int16_t)le_get16(b + 2);
	entry->type = modes[type];
	list->used++;
	return 1;
}

static int list_begin(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		      struct listing *list, struct err *err)
{
	const struct table *table = &reader->image->directories;

	*list = (struct listing){.offset = 0};
	if (!S_ISDIR(dir->mode))
		return err_code(err, ENOTDIR, "no directory");
	if (dir->size == 0)
		return 0;
	return cursor_set(&list->at, reader->image, table, table->start + dir->start, dir->offset,
			  err);
}

/*
 * A position holds the entry's offset (32 bits), how far its header lies before
 * it (17 bits: at most 12 + 256 * (8 + 256) bytes) and its number there (9 bits).
 */
static uint64_t pack(const struct listing *list)
{
	return list->offset | (list->offset - list->header_offset) << 32 |
	       (uint64_t)list->used << 49;
}

/* memcmp order, the shorter of equal beginnings first: the order of listings. */
static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (order != 0)
		return order;
	return a_len < b_len ? -1 : a_len > b_len;
}

/*
 * The index of a long directory names the first entry of some headers: begin at
 * the last one that does not come after @name, or without a @name not after
 * @last in the listing. Each index entry is {offset in the listing, metadata
 * block, name length - 1, name}.
 */
static int use_index(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		     const char *name, size_t len, uint64_t last, struct listing *list,
		     struct err *err)
{
	const struct table *table = &reader->image->directories;
	uint64_t offset = 0, block = 0;
	struct cursor at;

	if (dir->index_count == 0)
		return 0;
	if (cursor_set(&at, reader->image, &reader->image->inodes, dir->where >> 16,
		       dir->where & 0xffff, err) < 0)
		return -1;
	for (uint32_t i = 0; i < dir->index_count; i++) {
		uint8_t b[DIR_INDEX_SIZE];
		char first[NAME_SIZE_MAX];
		size_t first_len;

		if (cursor_read(reader, &at, b, sizeof(b), err) < 0)
			return -1;
		first_len = le_get32(b + 8) + 1ull;
		if (first_len > sizeof(first))
			return squashfs_damaged(reader->image, err,
						"a directory's index has a name of %zu bytes",
						first_len);
		if (cursor_read(reader, &at, first, first_len, err) < 0)
			return -1;
		if (name ? compare(first, first_len, name, len) > 0 : le_get32(b) > last)
			break;
		offset = le_get32(b);
		block = le_get32(b + 4);
	}
	if (offset == 0)
		return 0;
	if (offset >= dir->size)
		return squashfs_damaged(reader->image, err, "a directory's index leads out of it");
	list->offset = offset;
	return cursor_set(&list->at, reader->image, table, table->start + block,
			  (uint32_t)((dir->offset + offset) % META_SIZE), err);
}

static int list_resume(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		       uint64_t position, struct listing *list, struct err *err)
{
	uint64_t offset = position & UINT32_MAX;
	uint64_t back = position >> 32 & 0x1ffff;
	unsigned used = (unsigned)(position >> 49);

	if (list_begin(reader, dir, list, err) < 0)
		return -1;
	if (position == 0)
		return 0;
	if (offset > dir->size || back < DIR_HEADER_SIZE || back > offset || used > DIR_COUNT_MAX)
		return err_code(err, EINVAL, "no place in a directory");
	if (use_index(reader, dir, NULL, 0, offset - back, list, err) < 0 ||
	    cursor_read(reader, &list->at, NULL, offset - back - list->offset, err) < 0)
		return -1;
	list->offset = offset - back;
	if (read_header(reader, dir, list, err) < 0)
		return -1;
	if (used > list->count)
		return err_code(err, EINVAL, "no place in a directory");
	list->used = used;
	if (cursor_read(reader, &list->at, NULL, offset - list->offset, err) < 0)
		return -1;
	list->offset = offset;
	return 0;
}

int squashfs_next(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		  uint64_t *position, struct squashfs_entry *entry, struct err *err)
{
	struct listing list;
	int found;

	if (list_resume(reader, dir, *position, &list, err) < 0)
		return -1;
	found = read_entry(reader, dir, &list, entry, err);
	if (found > 0)
		*position = pack(&list);
	return found;
}

int squashfs_each(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		  uint64_t position, squashfs_visit *visit, void *arg, struct err *err)
{
	struct squashfs_entry entries[2]; /* this one and the one before */
	struct listing list;
	size_t count = 0;
	int found;

	if (list_resume(reader, dir, position, &list, err) < 0)
		return -1;
	for (;; count++) {
		struct squashfs_entry *entry = &entries[count % 2],
				      *before = &entries[(count + 1) % 2];
		int wish;

		found = read_entry(reader, dir, &list, entry, err);
		if (found <= 0)
			return found;
		/* One name twice is how archives smuggle; it also lets a small image list without
		 * end. */
		if (count > 0 && compare(before->name, before->len, entry->name, entry->len) >= 0)
			return squashfs_damaged(reader->image, err,
						"a directory is out of order at '%s'", entry->name);
		wish = visit(arg, entry, pack(&list));
		if (wish != 0)
			return wish;
	}
}

/*
 * Pass by the entries that come before @name and lie whole in the metadata block
 * at hand, without copying them. A lookup looks at 128 entries on average.
 */
static int skip_before(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		       struct listing *list, const char *name, size_t len, struct err *err)
{
	const uint8_t *bytes;
	ssize_t there;
	size_t used = 0;

	if (list->used == list->count)
		return 0;
	there = cursor_peek(reader, &list->at, &bytes, err);
	if (there < 0)
		return -1;
	if ((uint64_t)there > dir->size - list->offset)
		there = (ssize_t)(dir->size - list->offset);
	while (list->used < list->count && (size_t)there - used > DIR_ENTRY_SIZE) {
		const uint8_t *entry = bytes + used;
		size_t size = le_get16(entry + 6) + 1u;

		if (size > (size_t)there - used - DIR_ENTRY_SIZE ||
		    compare((const char *)entry + DIR_ENTRY_SIZE, size, name, len) >= 0)
			break;
		used += DIR_ENTRY_SIZE + size;
		list->used++;
	}
	list->at.offset += (uint32_t)used;
	list->offset += used;
	return 0;
}

int squashfs_lookup(struct squashfs_reader *reader, const struct squashfs_inode *dir,
		    const char *name, size_t len, uint64_t *ref, struct err *err)
{
	struct squashfs_entry entry;
	struct listing list;
	int found;

	if (list_begin(reader, dir, &list, err) < 0 ||
	    (dir->size > 0 && use_index(reader, dir, name, len, 0, &list, err) < 0))
		return -1;
	while ((found = read_entry(reader, dir, &list, &entry, err)) > 0) {
		int order = compare(entry.name, entry.len, name, len);

		if (order > 0)
			return 0;
		if (order == 0) {
			*ref = entry.ref;
			return 1;
		}
		if (skip_before(reader, dir, &list, name, len, err) < 0)
			return -1;
	}
	return found;
}

enum { DEPTH_MAX = PATH_SIZE_MAX / 2 };

/* A path that is gone along: where we are, and the rest, rewritten as symlinks are met. */
struct path_rest {
	char text[2 * PATH_SIZE_MAX];
	const char *at;
	unsigned links;
	struct squashfs_inode here;
	uint64_t above[DEPTH_MAX]; /* the directories passed */
	size_t depth;
};

/* Put the target of @link before the rest. Returns 1 when it is absolute, else 0. */
static int follow(struct squashfs_reader *reader, const struct squashfs_inode *link,
		  struct path_rest *rest, struct err *err)
{
	char target[PATH_SIZE_MAX];
	ssize_t len;

	if (++rest->links > LINKS_MAX)
		return err_code(err, ELOOP, "too many symlinks");
	len = squashfs_readlink(reader, link, target, sizeof(target), err);
	if (len < 0)
		return -1;
	if ((size_t)len + 1 + strlen(rest->at) + 1 > PATH_SIZE_MAX)
		return err_code(err, ENAMETOOLONG, "a path through symlinks is too long");
	memmove(rest->text + len + 1, rest->at, strlen(rest->at) + 1);
	memcpy(rest->text, target, (size_t)len);
	rest->text[len] = '/';
	rest->at = rest->text;
	return target[0] == '/';
}

static int go_to_root(struct squashfs_reader *reader, struct path_rest *rest, struct err *err)
{
	rest->depth = 0;
	return squashfs_inode(reader, reader->image->info.root, &rest->here, err);
}

/* From the root up is the root. */
static int go_up(struct squashfs_reader *reader, struct path_rest *rest, struct err *err)
{
	uint64_t ref = rest->depth > 0 ? rest->above[--rest->depth] : reader->image->info.root;

	return squashfs_inode(reader, ref, &rest->here, err);
}

/* To the entry @name, or to where the rest leads if that is a symlink. Returns 1, 0 or -1. */
static int go_down(struct squashfs_reader *reader, struct path_rest *rest, const char *name,
		   size_t len, struct err *err)
{
	struct squashfs_inode next;
	uint64_t ref;
	int found = squashfs_lookup(reader, &rest->here, name, len, &ref, err);

	if (found <= 0)
		return found;
	if (squashfs_inode(reader, ref, &next, err) < 0)
		return -1;
	if (S_ISLNK(next.mode)) {
		int absolute = follow(reader, &next, rest, err);

		if (absolute < 0)
			return err->code == ELOOP || err->code == ENAMETOOLONG ? 0 : -1;
		return absolute && go_to_root(reader, rest, err) < 0 ? -1 : 1;
	}
	if (rest->depth == DEPTH_MAX)
		return err_code(err, ENAMETOOLONG, "a path through symlinks is too deep");
	rest->above[rest->depth++] = rest->here.ref;
	rest->here = next;
	return 1;
}

/* The next component, and its length; 0 at the end. */
static size_t take_name(struct path_rest *rest, const char **name)
{
	size_t len;

	*name = rest->at + strspn(rest->at, "/");
	len = strcspn(*name, "/");
	rest->at = *name + len;
	return len;
}

int squashfs_resolve(struct squashfs_reader *reader, const char *path, struct squashfs_inode *out,
		     struct err *err)
{
	auto_free struct path_rest *rest = malloc(sizeof(*rest));
	const char *name;
	size_t len;

	if (!rest || strlen(path) >= PATH_SIZE_MAX)
		return err_code(err, rest ? ENAMETOOLONG : ENOMEM, "cannot resolve a path");
	(void)snprintf(rest->text, sizeof(rest->text), "%s", path);
	rest->at = rest->text;
	rest->links = 0;
	if (go_to_root(reader, rest, err) < 0)
		return -1;
	while ((len = take_name(rest, &name)) > 0) {
		int found = 1;

		if (!S_ISDIR(rest->here.mode))
			return 0;
		if (len == 2 && name[0] == '.' && name[1] == '.')
			found = go_up(reader, rest, err) < 0 ? -1 : 1;
		else if (len != 1 || name[0] != '.')
			found = go_down(reader, rest, name, len, err);
		if (found <= 0)
			return found;
	}
	*out = rest->here;
	return 1;
}
