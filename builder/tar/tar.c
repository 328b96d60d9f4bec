/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/tar/tar_private.h"

int tar_open(struct stream *stream, struct tar **out, struct err *err)
{
	struct tar *tar = calloc(1, sizeof(*tar));

	if (!tar)
		return err_sys(err, "cannot read a tar archive");
	tar->stream = stream;
	*out = tar;
	return 0;
}

void tar_free(struct tar *tar)
{
	if (!tar)
		return;
	free(tar->records.data);
	free(tar->global_records.data);
	free(tar->path.data);
	free(tar->link.data);
	free(tar->segment);
	free(tar->xattr);
	free(tar);
}

void tar_freep(struct tar **tar)
{
	tar_free(*tar);
}

uint64_t tar_position(const struct tar *tar)
{
	return tar->position;
}

bool tar_is_cut(const struct tar *tar)
{
	return tar->cut;
}

static bool is_zero(const void *data, size_t size)
{
	static const char zeros[TAR_BLOCK_SIZE];

	return memcmp(data, zeros, size) == 0;
}

/* The beginning of the blocks of zeros that end an archive is as good as its end. */
int tar_read_block(struct tar *tar, void *block, struct err *err)
{
	ssize_t n = stream_fill(tar->stream, block, TAR_BLOCK_SIZE, err);

	if (n < 0)
		return -1;
	tar->position += (uint64_t)n;
	if (n == TAR_BLOCK_SIZE)
		return 1;
	if (!is_zero(block, (size_t)n))
		return err_set(err, "the archive ends in the middle of a block");
	return 0;
}

/* Bytes that must be there: data. */
static int skip(struct tar *tar, uint64_t size, struct err *err)
{
	char buffer[16 << 10];

	while (size > 0) {
		size_t want = size < sizeof(buffer) ? (size_t)size : sizeof(buffer);
		ssize_t n = tar->stream->read(tar->stream, buffer, want, err);

		if (n <= 0)
			return n < 0 ? -1 : err_set(err, "the archive ends too soon");
		tar->position += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

/* Bytes up to the block's end: behind the last file some writers leave them out. */
static int skip_padding(struct tar *tar, uint64_t size, struct err *err)
{
	char buffer[TAR_BLOCK_SIZE];
	ssize_t n = stream_fill(tar->stream, buffer, (size_t)size, err);

	if (n < 0)
		return -1;
	tar->position += (uint64_t)n;
	return 0;
}

ssize_t tar_read(struct tar *tar, void *buffer, size_t size, struct err *err)
{
	ssize_t n;

	if (size > tar->left)
		size = (size_t)tar->left;
	if (size == 0)
		return 0;
	n = tar->stream->read(tar->stream, buffer, size, err);
	if (n <= 0)
		return n < 0 ? -1 : err_set(err, "the archive ends too soon");
	tar->position += (uint64_t)n;
	tar->left -= (uint64_t)n;
	return n;
}

static uint64_t padding_of(uint64_t size)
{
	return (TAR_BLOCK_SIZE - size % TAR_BLOCK_SIZE) % TAR_BLOCK_SIZE;
}

/* The data of an entry that speaks of the next one: records, or a long name. */
static int read_text(struct tar *tar, uint64_t size, uint64_t max, struct tar_text *text,
		     struct err *err)
{
	ssize_t n;

	if (size > max)
		return err_set(err, "an extended header of %llu bytes, more than %llu",
			       (unsigned long long)size, (unsigned long long)max);
	if (size + 1 > text->room) {
		char *grown = realloc(text->data, size + 1);

		if (!grown)
			return err_sys(err, "cannot read an extended header");
		text->data = grown;
		text->room = size + 1;
	}
	n = stream_fill(tar->stream, text->data, (size_t)size, err);
	if (n < 0)
		return -1;
	tar->position += (uint64_t)n;
	if ((uint64_t)n < size)
		return err_set(err, "the archive ends too soon");
	text->size = (size_t)size;
	text->data[size] = 0;
	return skip_padding(tar, padding_of(size), err);
}

/* POSIX sums unsigned bytes; some old archivers summed signed ones. */
static int check_sum(const struct tar_header *header, struct err *err)
{
	const unsigned char *byte = (const unsigned char *)header;
	size_t from = offsetof(struct tar_header, checksum), to = from + sizeof(header->checksum);
	int64_t sum = 0, signed_sum = 0, said;

	for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
		unsigned char value = i >= from && i < to ? ' ' : byte[i];

		sum += value;
		signed_sum += (signed char)value;
	}
	if (tar_number(header->checksum, sizeof(header->checksum), &said) < 0 ||
	    (said != sum && said != signed_sum))
		return err_set(err,
			       "a header does not match its checksum, or this is no tar archive");
	return 0;
}

static int take_field(const char *what, const char *field, size_t size, int64_t min, int64_t max,
		      int64_t *out, struct err *err)
{
	if (tar_number(field, size, out) < 0)
		return err_set(err, "a header's %s is no number", what);
	if (*out < min || *out > max)
		return err_set(err, "a header's %s is out of range", what);
	return 0;
}

#define FIELD(header, name, min, max, out, err)                                                    \
	take_field(#name, (header)->name, sizeof((header)->name), min, max, out, err)

/* The name from the header's own fields: ustar has a prefix, GNU uses its place otherwise. */
static const char *own_name(struct tar *tar, const struct tar_header *header)
{
	size_t prefix = 0, name = strnlen(header->name, sizeof(header->name));

	if (memcmp(header->magic, "ustar\0", 6) == 0)
		prefix = strnlen(header->u.prefix, sizeof(header->u.prefix));
	memcpy(tar->name, header->u.prefix, prefix);
	if (prefix > 0)
		tar->name[prefix++] = '/';
	memcpy(tar->name + prefix, header->name, name);
	tar->name[prefix + name] = 0;
	return tar->name;
}

static const char *own_link(struct tar *tar, const struct tar_header *header)
{
	size_t len = strnlen(header->link, sizeof(header->link));

	memcpy(tar->target, header->link, len);
	tar->target[len] = 0;
	return tar->target;
}

/* Pax over GNU over the header, in whatever order they came: as GNU tar has it. */
static const char *next_path(struct tar *tar, const struct tar_header *header)
{
	return tar->next.path	? tar->next.path
	       : tar->long_path ? tar->long_path
				: own_name(tar, header);
}

static const char *next_link(struct tar *tar, const struct tar_header *header)
{
	return tar->next.link	? tar->next.link
	       : tar->long_link ? tar->long_link
				: own_link(tar, header);
}

static int take_type(const struct tar_header *header, struct tar_entry *entry, struct err *err)
{
	size_t len = strlen(entry->path);

	switch (header->type) {
	case 'S':
		entry->type = TAR_FILE;
		return 0;
	case 0:
	case '0':
	case '7': /* before POSIX a slash at the end made a directory */
		entry->type = len > 0 && entry->path[len - 1] == '/' ? TAR_DIRECTORY : TAR_FILE;
		return 0;
	case '1':
		entry->type = TAR_HARDLINK;
		return 0;
	case '2':
		entry->type = TAR_SYMLINK;
		return 0;
	case '3':
		entry->type = TAR_CHAR;
		return 0;
	case '4':
		entry->type = TAR_BLOCK;
		return 0;
	case '5': case 'D':
		entry->type = TAR_DIRECTORY;
		return 0;
	case '6':
		entry->type = TAR_FIFO;
		return 0;
	default:
		return err_set(err, "an entry of the unknown type '%c'", header->type);
	}
}

/* Sizes, and the map of a sparse file. */
static int take_data(struct tar *tar, const struct tar_header *header, uint64_t size,
		     struct tar_entry *entry, struct err *err)
{
	static const struct tar_segment
		nothing_stored; /* all of it is a hole, and there is no map yet */
	const struct tar_extended *extended = &tar->next;
	bool sparse =
		entry->type == TAR_FILE && (header->type == 'S' || extended->sparse != SPARSE_NONE);
	int64_t real;

	/* Links and devices have no data, whatever their size field says; POSIX lets a link's be
	 * set. */
	if (entry->type != TAR_FILE && header->type >= '1' && header->type <= '6')
		size = 0;
	if (entry->type == TAR_DIRECTORY && header->type != 'D' && size > 0)
		return err_set(err, "a file with the name of a directory, '%s'", entry->path);
	tar->left = size;
	tar->padding = padding_of(size);
	entry->size = size;
	if (!sparse) {
		entry->stored = entry->type == TAR_FILE ? size : 0;
		return 0;
	}
	if (header->type == 'S') {
		if (take_field("real size", header->u.gnu.real_size, 12, 0, INT64_MAX, &real,
			       err) < 0 ||
		    tar_read_old_map(tar, header, err) < 0)
			return -1;
		entry->size = (uint64_t)real;
	} else {
		if (!extended->has_real_size || extended->half)
			return err_set(err, "a sparse file's headers are not complete");
		if (extended->sparse == SPARSE_1 && tar_read_map_blocks(tar, err) < 0)
			return -1;
		entry->size = extended->real_size;
	}
	entry->segment = tar->segment ? tar->segment : &nothing_stored;
	entry->segment_count = tar->segment_count;
	entry->stored = tar->left;
	return tar_check_map(tar, entry->size, entry->stored, err);
}

static int take_numbers(struct tar *tar, const struct tar_header *header, struct tar_entry *entry,
			struct err *err)
{
	struct tar_extended *extended = &tar->next;
	int64_t number;

	if (FIELD(header, mode, 0, 0xffffffff, &number, err) < 0)
		return -1;
	entry->mode = (uint32_t)number & 07777;
	if (!extended->has_uid) {
		if (FIELD(header, uid, 0, UINT32_MAX, &number, err) < 0)
			return -1;
		extended->uid = (uint64_t)number;
	}
	if (!extended->has_gid) {
		if (FIELD(header, gid, 0, UINT32_MAX, &number, err) < 0)
			return -1;
		extended->gid = (uint64_t)number;
	}
	if (extended->uid > UINT32_MAX || extended->gid > UINT32_MAX)
		return err_set(err, "an owner's number is out of range");
	if (!extended->has_mtime &&
	    FIELD(header, mtime, INT64_MIN, INT64_MAX, &extended->mtime, err) < 0)
		return -1;
	entry->uid = (uint32_t)extended->uid;
	entry->gid = (uint32_t)extended->gid;
	entry->mtime = extended->mtime;
	if (entry->type != TAR_CHAR && entry->type != TAR_BLOCK)
		return 0;
	if (FIELD(header, major, 0, UINT32_MAX, &number, err) < 0)
		return -1;
	entry->major = (uint32_t)number;
	if (FIELD(header, minor, 0, UINT32_MAX, &number, err) < 0)
		return -1;
	entry->minor = (uint32_t)number;
	return 0;
}

/* A global header between an entry and its own extended header: the entry's own words go first. */
static void add_global(struct tar_extended *next, const struct tar_extended *global)
{
	if (!next->has_uid && global->has_uid)
		next->uid = global->uid;
	if (!next->has_gid && global->has_gid)
		next->gid = global->gid;
	if (!next->has_mtime && global->has_mtime)
		next->mtime = global->mtime;
	next->has_uid |= global->has_uid;
	next->has_gid |= global->has_gid;
	next->has_mtime |= global->has_mtime;
}

/* An entry that only speaks of the next one: 1 when @header was such, 0, or -1. */
static int take_extended(struct tar *tar, const struct tar_header *header, uint64_t size,
			 struct err *err)
{
	switch (header->type) {
	case 'x': case 'X':
		tar->next = tar->global;
		if (read_text(tar, size, TAR_RECORDS_MAX, &tar->records, err) < 0 ||
		    tar_take_records(tar, &tar->records, &tar->next, false, err) < 0)
			return -1;
		return 1;
	case 'g':
		if (read_text(tar, size, TAR_RECORDS_MAX, &tar->global_records, err) < 0 ||
		    tar_take_records(tar, &tar->global_records, &tar->global, true, err) < 0)
			return -1;
		add_global(&tar->next, &tar->global);
		return 1;
	case 'L': case 'K': {
		struct tar_text *text = header->type == 'L' ? &tar->path : &tar->link;

		if (read_text(tar, size, TAR_NAME_MAX + 1, text, err) < 0)
			return -1;
		*(header->type == 'L' ? &tar->long_path : &tar->long_link) =
			text->data[0] ? text->data : NULL;
		return 1;
	}
	case 'V': case 'A': /* a volume's label, Solaris' access lists */
		return skip(tar, size, err) < 0 || skip_padding(tar, padding_of(size), err) < 0 ? -1
												: 1;
	default:
		return 0;
	}
}

/* The next header that is not zeros: 1, or 0 at the archive's end, or -1. */
static int read_header(struct tar *tar, struct tar_header *header, struct err *err)
{
	int result = tar_read_block(tar, header, err);

	tar->cut = result == 0;
	if (result <= 0 || !is_zero(header, sizeof(*header)))
		return result;
	/* Two blocks of zeros end an archive; some writers leave it at one, or at none. */
	result = tar_read_block(tar, header, err);
	if (result < 0)
		return -1;
	if (result > 0 && !is_zero(header, sizeof(*header)))
		return err_set(err, "a header of zeros in the middle of the archive");
	return 0;
}

/* The header of the next entry, after all that speaks of it: 1, or 0 at the archive's end, or -1.
 */
static int next_header(struct tar *tar, struct tar_header *header, int64_t *size, struct err *err)
{
	bool awaited = false;

	for (;;) {
		int result = read_header(tar, header, err);

		if (result == 0 && awaited)
			return err_set(err, "the archive ends behind an extended header");
		if (result <= 0)
			return result;
		if (check_sum(header, err) < 0)
			return -1;
		if (FIELD(header, size, 0, INT64_MAX - 1024, size, err) < 0 ||
		    (result = take_extended(tar, header, (uint64_t)*size, err)) < 0)
			return err_aim(err, "'%s'", own_name(tar, header));
		if (result == 0)
			return 1;
		awaited = header->type != 'g' && header->type != 'V' && header->type != 'A';
	}
}

int tar_next(struct tar *tar, struct tar_entry *entry, struct err *err)
{
	struct tar_header header;
	int64_t size;
	int result;

	if (skip(tar, tar->left, err) < 0 || skip_padding(tar, tar->padding, err) < 0)
		return -1;
	tar->left = tar->padding = 0;
	tar->segment_count = tar->xattr_count = 0;
	tar->next = tar->global;
	tar->long_path = tar->long_link = NULL;
	result = next_header(tar, &header, &size, err);
	if (result <= 0)
		return result;
	*entry = (struct tar_entry){.path = next_path(tar, &header),
				    .link = next_link(tar, &header)};
	if (tar->next.has_size)
		size = tar->next.size < INT64_MAX - 1024 ? (int64_t)tar->next.size : INT64_MAX;
	if (take_type(&header, entry, err) < 0 || take_numbers(tar, &header, entry, err) < 0 ||
	    take_data(tar, &header, (uint64_t)size, entry, err) < 0)
		return err_aim(err, "'%s'", entry->path);
	entry->xattr = tar->xattr;
	entry->xattr_count = tar->xattr_count;
	return 1;
}
