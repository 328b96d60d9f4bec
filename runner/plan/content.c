/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/content.h"

#include "lib/cage/apart.h"
#include "lib/file.h"
#include "lib/path.h"
#include "lib/words.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { CONFIG_MAX = 8 << 20, MEMORY = 256 << 20, NAME_SIZE = 257 /* of squashfs, and the end */ };
#define CONFIG_PATH "/.firn/config.json"

/* A file as a process apart tells it; its bytes come in a memfd. */
struct glimpse_text {
	char name[NAME_SIZE];
	unsigned char is_file;
	uint64_t size;
};

struct glimpse {
	unsigned char is_file[CONTENT_FILES_MAX];
	struct glimpse_text config;
	struct glimpse_text text[CONTENT_TEXTS_MAX];
	uint32_t count;
};

/* All that is known of an image that was read apart. */
struct known {
	struct content_files files;
	struct glimpse glimpse;
	char *text[CONTENT_TEXTS_MAX];
};

static int check_root(struct content *content, struct err *err)
{
	struct squashfs_inode root;

	if (squashfs_inode(content->reader, squashfs_info(content->squashfs)->root, &root, err) < 0)
		return -1;
	if (!S_ISDIR(root.mode))
		return err_set(err, "'%s' is damaged: its root is no directory",
			       content->image->path);
	return 0;
}

int content_open(const struct image *image, const struct conf *conf, struct content **out,
		 struct err *err)
{
	struct squashfs_options options = {
		.cache_size = conf->cache_size,
		.metadata_size = conf->metadata_size,
	};
	auto_content *content = calloc(1, sizeof(*content));

	if (!content)
		return err_sys(err, "cannot open '%s'", image->path);
	content->image = image;
	if (image->kind != IMAGE_DIRECTORY) {
		if (squashfs_open(image->fd, image->offset, image->size, image->path, &options,
				  &content->squashfs, err) < 0 ||
		    squashfs_reader_new(content->squashfs, &content->reader, err) < 0 ||
		    check_root(content, err) < 0)
			return -1;
	}
	*out = take_ptr(&content);
	return 0;
}

void content_free(struct content *content)
{
	if (!content)
		return;
	squashfs_reader_free(content->reader);
	squashfs_close(content->squashfs);
	free(content->config);
	for (size_t i = 0; content->known && i < CONTENT_TEXTS_MAX; i++)
		free(content->known->text[i]);
	free(content->known);
	free(content);
}

void content_freep(struct content **content)
{
	content_free(*content);
}

static bool is_absent(int code)
{
	return code == ENOENT || code == ENOTDIR || code == ELOOP;
}

static int read_host(struct content *content, const char *path, size_t limit, char **out,
		     size_t *size, struct err *err)
{
	auto_fd fd = path_open_in(content->image->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat stat;

	if (fd < 0 && is_absent(errno))
		return 0;
	if (fd < 0 || fstat(fd, &stat) < 0)
		return err_sys(err, "cannot read '%s' of '%s'", path, content->image->path);
	if (!S_ISREG(stat.st_mode))
		return 0;
	if (file_read_fd(fd, path, limit, out, size, err) < 0)
		return err_aim(err, "cannot use '%s'", content->image->path);
	return 1;
}

static int was_not_asked(const struct content *content, const char *path, struct err *err)
{
	return err_set(err, "'%s' was not looked for in '%s'", path, content->image->path);
}

static int read_known(const struct content *content, const char *path, size_t limit, char **out,
		      size_t *size, struct err *err)
{
	const struct known *known = content->known;
	size_t dir = strlen(known->files.dir);

	if (strncmp(path, known->files.dir, dir) != 0 || path[dir] != '/')
		return was_not_asked(content, path, err);
	for (size_t i = 0; i < known->glimpse.count; i++) {
		const struct glimpse_text *text = &known->glimpse.text[i];

		if (strcmp(text->name, path + dir + 1) != 0)
			continue;
		if (text->is_file != 1)
			return 0;
		if (text->size > limit)
			return err_set(err, "'%s' of '%s' is larger than %zu bytes", path,
				       content->image->path, limit);
		*out = malloc(text->size + 1);
		if (!*out)
			return err_sys(err, "cannot read '%s'", path);
		memcpy(*out, known->text[i], text->size + 1);
		*size = (size_t)text->size;
		return 1;
	}
	return 0;
}

int content_read(struct content *content, const char *path, size_t limit, char **out, size_t *size,
		 struct err *err)
{
	auto_free char *text = NULL;
	struct squashfs_inode inode;
	ssize_t got;
	int found;

	if (content->known)
		return read_known(content, path, limit, out, size, err);
	if (!content->squashfs)
		return read_host(content, path, limit, out, size, err);
	found = squashfs_resolve(content->reader, path, &inode, err);
	if (found <= 0)
		return found;
	if (!S_ISREG(inode.mode))
		return 0;
	if (inode.size > limit)
		return err_set(err, "'%s' of '%s' is larger than %zu bytes", path,
			       content->image->path, limit);
	text = malloc(inode.size + 1);
	if (!text)
		return err_sys(err, "cannot read '%s' of '%s'", path, content->image->path);
	got = squashfs_pread(content->reader, &inode, text, inode.size, 0, err);
	if (got < 0)
		return -1;
	text[got] = '\0';
	*size = (size_t)got;
	*out = take_ptr(&text);
	return 1;
}

int content_config_text(struct content *content, const char **out, size_t *size, struct err *err)
{
	if (!content->config_known &&
	    content_read(content, CONFIG_PATH, CONFIG_MAX, &content->config, &content->config_size,
			 err) < 0)
		return -1;
	content->config_known = true;
	*out = content->config;
	*size = content->config_size;
	return content->config ? 1 : 0;
}

int content_read_config(struct content *content, struct oci_config **out, struct err *err)
{
	const char *text;
	size_t size;
	int found = content_config_text(content, &text, &size, err);

	if (found > 0 && oci_config_parse(text, size, out, err) < 0)
		return err_aim(err, "cannot read " CONFIG_PATH " of '%s'", content->image->path);
	return found;
}

int content_copy_config(struct content *content, struct err *err)
{
	auto_fd fd = memfd_create("firn-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const char *text;
	size_t size;

	if (content_config_text(content, &text, &size, err) < 0)
		return -1;
	if (fd < 0 || file_write_all(fd, text, size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(err, "cannot keep the configuration of '%s'", content->image->path);
	return take_fd(&fd);
}

/* The next @size bytes of the memfd @fd, of which another process may have told us. */
static int take_bytes(int fd, uint64_t size, size_t limit, off_t *at, char **out)
{
	auto_free char *text = size <= limit ? malloc(size + 1) : NULL;

	if (!text || file_read_at(fd, text, size, (uint64_t)*at) != (ssize_t)size)
		return -1;
	text[size] = '\0';
	*at += (off_t)size;
	*out = take_ptr(&text);
	return 0;
}

int content_take_config(struct content *content, int fd, struct err *err)
{
	struct stat stat = {0};
	off_t at = 0;

	if (fstat(fd, &stat) < 0 ||
	    (stat.st_size != 0 && take_bytes(fd, (uint64_t)stat.st_size, CONFIG_MAX, &at,
					     &content->config) < 0))
		return err_set(err, "cannot take the configuration of '%s'", content->image->path);
	content->config_size = (size_t)stat.st_size;
	content->config_known = true;
	return 0;
}

static int is_known_file(const struct content *content, const char *path, struct err *err)
{
	const struct known *known = content->known;

	for (size_t i = 0; i < CONTENT_FILES_MAX; i++)
		if (known->files.path[i] && strcmp(known->files.path[i], path) == 0)
			return known->glimpse.is_file[i] == 1;
	return was_not_asked(content, path, err);
}

int content_has(struct content *content, const char *path, struct err *err)
{
	struct squashfs_inode inode;
	struct stat stat;
	int found;

	if (content->known)
		return is_known_file(content, path, err);
	if (content->squashfs) {
		found = squashfs_resolve(content->reader, path, &inode, err);
		return found > 0 ? S_ISREG(inode.mode) : found;
	}
	auto_fd fd = path_open_in(content->image->fd, path, O_PATH);

	return fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* Names while they are collected. */
struct name_list {
	const char *suffix;
	struct words words;
	size_t limit;
};

/* Returns 0, or -1 with errno. */
static int take_name(struct name_list *names, const char *name)
{
	size_t len = strlen(name), tail = strlen(names->suffix);

	if (len < tail || strcmp(name + len - tail, names->suffix) != 0)
		return 0;
	if (names->words.count == names->limit) {
		errno = E2BIG;
		return -1;
	}
	return words_add(&names->words, name);
}

static int visit_name(void *arg, const struct squashfs_entry *entry, uint64_t position)
{
	(void)position;
	return take_name(arg, entry->name) < 0 ? errno : 0;
}

static int cannot_list(const struct content *content, const char *path,
		       const struct name_list *names, int code, struct err *err)
{
	if (code == E2BIG)
		return err_set(err, "'%s' of '%s' has more than %zu files of '*%s'", path,
			       content->image->path, names->limit, names->suffix);
	return err_code(err, code, "cannot read '%s' of '%s'", path, content->image->path);
}

static int list_image(struct content *content, const char *path, struct name_list *names,
		      struct err *err)
{
	struct squashfs_inode inode;
	int found = squashfs_resolve(content->reader, path, &inode, err);

	if (found <= 0 || !S_ISDIR(inode.mode))
		return found < 0 ? -1 : 0;
	found = squashfs_each(content->reader, &inode, 0, visit_name, names, err);
	if (found > 0)
		return cannot_list(content, path, names, found, err);
	return found < 0 ? -1 : 1;
}

static int list_host(struct content *content, const char *path, struct name_list *names,
		     struct err *err)
{
	auto_fd fd = path_open_in(content->image->fd, path, O_RDONLY | O_DIRECTORY);
	struct dirent *entry;
	int result = 1;
	DIR *dir;

	if (fd < 0 && is_absent(errno))
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_sys(err, "cannot read '%s' of '%s'", path, content->image->path);
	(void)take_fd(&fd);
	errno = 0;
	while ((entry = readdir(dir)) && take_name(names, entry->d_name) == 0)
		errno = 0;
	if (entry || errno != 0)
		result = cannot_list(content, path, names, errno, err);
	(void)closedir(dir);
	return result;
}

static int list_known(const struct content *content, const char *path, struct name_list *names,
		      struct err *err)
{
	const struct known *known = content->known;

	if (strcmp(known->files.dir, path) != 0 || strcmp(known->files.suffix, names->suffix) != 0)
		return was_not_asked(content, path, err);
	for (size_t i = 0; i < known->glimpse.count; i++)
		if (take_name(names, known->glimpse.text[i].name) < 0)
			return cannot_list(content, path, names, errno, err);
	return 1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int content_names(struct content *content, const char *path, const char *suffix, size_t limit,
		  char ***out, struct err *err)
{
	struct name_list names = {.suffix = suffix, .limit = limit};
	int found;

	if (content->known)
		found = list_known(content, path, &names, err);
	else if (content->squashfs)
		found = list_image(content, path, &names, err);
	else
		found = list_host(content, path, &names, err);
	if (found > 0 && names.words.count > 0) {
		qsort(names.words.item, names.words.count, sizeof(char *), by_name);
		*out = names.words.item;
		return 1;
	}
	words_clear(&names.words);
	return found < 0 ? -1 : 0;
}

/* What is done in the cage, with a memfd for the bytes. */
struct peek {
	const struct image *image;
	const struct conf *conf;
	const struct content_files *files;
	int bytes;
};

/* One more file's bytes, behind those that are there. */
static int keep(const struct peek *peek, struct content *content, const char *path, size_t limit,
		struct glimpse_text *out, struct err *err)
{
	auto_free char *text = NULL;
	size_t size = 0;
	int found = content_read(content, path, limit, &text, &size, err);

	if (found > 0 && size > 0 && file_write_all(peek->bytes, text, size) < 0)
		return err_sys(err, "cannot keep '%s' of '%s'", path, peek->image->path);
	out->is_file = found > 0;
	out->size = size;
	return found < 0 ? -1 : 0;
}

static int peek_texts(const struct peek *peek, struct content *content, struct glimpse *glimpse,
		      struct err *err)
{
	const struct content_files *files = peek->files;
	char **names = NULL;
	int result = content_names(content, files->dir, files->suffix, CONTENT_TEXTS_MAX, &names,
				   err);

	for (size_t i = 0; result >= 0 && names && names[i]; i++) {
		struct glimpse_text *text = &glimpse->text[glimpse->count++];
		char path[512];

		(void)snprintf(text->name, sizeof(text->name), "%s", names[i]);
		(void)snprintf(path, sizeof(path), "%s/%s", files->dir, names[i]);
		result = keep(peek, content, path, files->text_max, text, err);
	}
	words_free(names);
	return result;
}

static int peek(void *arg, void *out, struct err *err)
{
	const struct peek *peek = arg;
	auto_content *content = NULL;
	struct glimpse *glimpse = out;

	if (content_open(peek->image, peek->conf, &content, err) < 0 ||
	    keep(peek, content, CONFIG_PATH, CONFIG_MAX, &glimpse->config, err) < 0)
		return -1;
	for (size_t i = 0; i < CONTENT_FILES_MAX; i++) {
		const char *path = peek->files->path[i];
		int found = path ? content_has(content, path, err) : 0;

		if (found < 0)
			return -1;
		glimpse->is_file[i] = found > 0;
	}
	return peek_texts(peek, content, glimpse, err) < 0 ? -1 : 0;
}

static int take_glimpse(struct content *content, int bytes, struct err *err)
{
	struct known *known = content->known;
	struct glimpse *glimpse = &known->glimpse;
	off_t at = 0;
	bool good = glimpse->count <= CONTENT_TEXTS_MAX;

	if (good && glimpse->config.is_file == 1)
		good = take_bytes(bytes, glimpse->config.size, CONFIG_MAX, &at,
				  &content->config) == 0;
	content->config_size = (size_t)glimpse->config.size;
	content->config_known = true;
	for (size_t i = 0; good && i < glimpse->count; i++) {
		struct glimpse_text *text = &glimpse->text[i];

		text->name[sizeof(text->name) - 1] = '\0';
		good = take_bytes(bytes, text->size, known->files.text_max, &at,
				  &known->text[i]) == 0;
	}
	return good ? 0
		    : err_set(err, "'%s' cannot be read: what came of it makes no sense",
			      content->image->path);
}

static int peek_apart(struct content *content, const struct conf *conf, struct err *err)
{
	const struct image *image = content->image;
	auto_fd bytes = memfd_create("firn-content", MFD_CLOEXEC);
	struct peek what = {image, conf, &content->known->files, bytes};
	size_t memory = MEMORY + conf->cache_size + conf->metadata_size;
	struct apart apart = {.what = image->path,
			      .cage = cage_of_reader(memory, conf->require_cage),
			      .work = peek, .arg = &what,
			      .out = &content->known->glimpse,
			      .size = sizeof(content->known->glimpse),
			      .keep = {image->fd, bytes}, .keep_count = 2};

	if (bytes < 0)
		return err_sys(err, "cannot keep what is read of '%s'", image->path);
	return apart_run(&apart, err) < 0 ? -1 : take_glimpse(content, bytes, err);
}

int content_open_apart(const struct image *image, const struct conf *conf,
		       const struct content_files *files, struct content **out, struct err *err)
{
	auto_content *content = calloc(1, sizeof(*content));

	if (!content || !(content->known = calloc(1, sizeof(*content->known))))
		return err_sys(err, "cannot open '%s'", image->path);
	content->known->files = *files;
	content->image = image;
	if (peek_apart(content, conf, err) < 0)
		return -1;
	*out = take_ptr(&content);
	return 0;
}
