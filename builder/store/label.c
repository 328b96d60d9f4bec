/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/label.h"

#include "builder/fetch/reference.h"
#include "lib/file.h"
#include "lib/sha256.h"
#include "lib/size.h"
#include "lib/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { FILE_MAX = 4096, FILE_NAME_SIZE = 2 * SHA256_SIZE + 1, LABEL_MAX = 1 << 20 };

static void file_of(const char *name, const char *settings, char out[FILE_NAME_SIZE])
{
	unsigned char digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_begin(&hash);
	sha256_add(&hash, name, strlen(name) + 1);
	sha256_add(&hash, settings, strlen(settings));
	sha256_end(&hash, digest);
	for (size_t i = 0; i < SHA256_SIZE; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static bool take(const char *line, const char *key, char *out, size_t size)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0 || line[len] != ' ')
		return false;
	(void)snprintf(out, size, "%s", line + len + 1);
	text_tame(out);
	return true;
}

static bool is_settings(const char *text)
{
	return strlen(text) == SHELF_SETTINGS_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == SHELF_SETTINGS_SIZE - 1;
}

/* Text that another may have written. Returns false if it makes no sense. */
static bool parse(char *text, struct label *out)
{
	char digest[DIGEST_TEXT_SIZE + 1] = "", when[24] = "";
	auto_reference *reference = NULL;
	char *rest = text, *line = strsep(&rest, "\n");
	struct err ignored;
	uint64_t resolved;

	*out = (struct label){.used = 0};
	if (strcmp(line, "firn name 1") != 0)
		return false;
	while ((line = strsep(&rest, "\n")))
		(void)(take(line, "name", out->name, sizeof(out->name)) ||
		       take(line, "platform", out->platform, sizeof(out->platform)) ||
		       take(line, "settings", out->settings, sizeof(out->settings)) ||
		       take(line, "digest", digest, sizeof(digest)) ||
		       take(line, "resolved", when, sizeof(when)));
	if (number_parse(when, INT64_MAX, &resolved) < 0)
		return false;
	out->resolved = (time_t)resolved;
	return digest_take(&out->digest, digest) == 0 && is_settings(out->settings) &&
	       reference_parse(out->name, NULL, &reference, &ignored) == 0;
}

/* The file @file of @shelf. False where it tells nothing. */
static bool read_entry(const struct shelf *shelf, const char *file, struct label *out)
{
	auto_fd fd = openat(shelf->names, file,
			    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	auto_free char *text = NULL;
	struct stat stat;
	struct err ignored;
	size_t size;

	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) ||
	    file_read_fd(fd, file, FILE_MAX, &text, &size, &ignored) < 0 ||
	    memchr(text, '\0', size) || !parse(text, out))
		return false;
	out->used = stat.st_mtim.tv_sec;
	return true;
}

int label_find(const struct shelf *shelf, const char *name, const char *settings, struct label *out)
{
	char file[FILE_NAME_SIZE];

	if (shelf->names < 0)
		return 0;
	file_of(name, settings, file);
	return read_entry(shelf, file, out) && strcmp(out->name, name) == 0 &&
	       strcmp(out->settings, settings) == 0;
}

int label_note(const struct shelf *shelf, const struct label *entry, struct err *err)
{
	char file[FILE_NAME_SIZE], hidden[LEASE_TOKEN_SIZE + 1], text[FILE_MAX];
	int size = snprintf(text, sizeof(text),
			    "firn name 1\nname %s\nplatform %s\nsettings %s\ndigest %s\n"
			    "resolved %lld\n",
			    entry->name, entry->platform, entry->settings, entry->digest.text,
			    (long long)entry->resolved);
	auto_fd fd = -1;
	int code;

	file_of(entry->name, entry->settings, file);
	if (size < 0 || size >= FILE_MAX || lease_unique(hidden) < 0)
		return err_set(err, "cannot note the name '%s'", entry->name);
	fd = openat(shelf->names, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0644);
	if (fd < 0)
		return err_sys(err, "cannot write to the store '%s'", shelf->path);
	/* Who may read the directory; a group's may note their use, too. */
	(void)fchmod(fd, shelf->is_groups ? 0664 : 0644);
	/* A directory in its place makes room, if it is empty. */
	if (file_write_all(fd, text, (size_t)size) == 0 &&
	    (renameat(shelf->names, hidden, shelf->names, file) == 0 ||
	     (errno == EISDIR && unlinkat(shelf->names, file, AT_REMOVEDIR) == 0 &&
	      renameat(shelf->names, hidden, shelf->names, file) == 0)))
		return 0;
	code = errno;
	(void)unlinkat(shelf->names, hidden, 0);
	return err_code(err, code, "cannot write to the store '%s'", shelf->path);
}

void label_touch(const struct shelf *shelf, const struct label *entry)
{
	char file[FILE_NAME_SIZE];

	file_of(entry->name, entry->settings, file);
	if (shelf->names >= 0)
		(void)utimensat(shelf->names, file, NULL, AT_SYMLINK_NOFOLLOW);
}

void label_forget(const struct shelf *shelf, const struct label *entry)
{
	char file[FILE_NAME_SIZE];

	file_of(entry->name, entry->settings, file);
	(void)unlinkat(shelf->names, file, 0);
}

int label_all(const struct shelf *shelf, struct label **out, size_t *count, struct err *err)
{
	int fd = shelf->names < 0 ? -1
				  : openat(shelf->names, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir *dir = fd >= 0 ? fdopendir(fd) : NULL;
	auto_free struct label *list = NULL;
	size_t used = 0, room = 0;
	struct dirent *entry;

	while (dir && used < LABEL_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (used == room) {
			struct label *grown =
				reallocarray(list, room ? 2 * room : 16, sizeof(*list));

			if (!grown)
				return err_sys(err, "cannot list the store");
			list = grown;
			room = room ? 2 * room : 16;
		}
		used += read_entry(shelf, entry->d_name, &list[used]);
	}
	*out = take_ptr(&list);
	*count = used;
	return 0;
}
