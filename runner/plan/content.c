/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/plan/content.h"

#include "lib/file.h"
#include "lib/path.h"
#include "lib/words.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { CONFIG_MAX = 8 << 20 };

#define CONFIG_PATH "/.firn/config.json"

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

int content_read(struct content *content, const char *path, size_t limit, char **out, size_t *size,
		 struct err *err)
{
	auto_free char *text = NULL;
	struct squashfs_inode inode;
	ssize_t got;
	int found;

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

static int parse_config(const struct content *content, const char *text, size_t size,
			struct oci_config **out, struct err *err)
{
	if (oci_config_parse(text, size, out, err) < 0)
		return err_aim(err, "cannot read " CONFIG_PATH " of '%s'", content->image->path);
	return 1;
}

int content_read_config(struct content *content, struct oci_config **out, struct err *err)
{
	auto_free char *text = NULL;
	size_t size = 0;
	int found;

	if (content->config)
		return content->config_size == 0 ? 0
						 : parse_config(content, content->config,
								content->config_size, out, err);
	found = content_read(content, CONFIG_PATH, CONFIG_MAX, &text, &size, err);
	return found <= 0 ? found : parse_config(content, text, size, out, err);
}

int content_copy_config(struct content *content, struct err *err)
{
	auto_free char *text = NULL;
	auto_fd fd = memfd_create("firn-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t size = 0;

	if (content_read(content, CONFIG_PATH, CONFIG_MAX, &text, &size, err) < 0)
		return -1;
	if (fd < 0 || file_write_all(fd, text, size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return err_sys(err, "cannot keep the configuration of '%s'", content->image->path);
	return take_fd(&fd);
}

int content_take_config(struct content *content, int fd, struct err *err)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0 || stat.st_size < 0 || stat.st_size > CONFIG_MAX)
		return err_set(err, "the configuration of '%s' cannot be read",
			       content->image->path);
	content->config_size = (size_t)stat.st_size;
	content->config = malloc(content->config_size + 1);
	if (!content->config || file_read_at(fd, content->config, content->config_size, 0) !=
					(ssize_t)content->config_size)
		return err_sys(err, "the configuration of '%s' cannot be read",
			       content->image->path);
	content->config[content->config_size] = '\0';
	return 0;
}

int content_has(struct content *content, const char *path, struct err *err)
{
	struct squashfs_inode inode;
	struct stat stat;
	int found;

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

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int content_names(struct content *content, const char *path, const char *suffix, size_t limit,
		  char ***out, struct err *err)
{
	struct name_list names = {.suffix = suffix, .limit = limit};
	int found = content->squashfs ? list_image(content, path, &names, err)
				      : list_host(content, path, &names, err);

	if (found > 0 && names.words.count > 0) {
		qsort(names.words.item, names.words.count, sizeof(char *), by_name);
		*out = names.words.item;
		return 1;
	}
	words_clear(&names.words);
	return found < 0 ? -1 : 0;
}
