/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/tend.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { IMAGES_MAX = 1 << 20, DIGITS_LEAST = 12, ROOM_FIRST = 16, STALE_SECONDS = 3600 };

static int add(struct tend_list *list, const struct tend_image *image, struct err *err)
{
	/* Room doubles: at powers of two it is used up. */
	if (list->count >= ROOM_FIRST ? (list->count & (list->count - 1)) == 0 : !list->item) {
		size_t room = list->count < ROOM_FIRST ? ROOM_FIRST : 2 * list->count;
		struct tend_image *grown = reallocarray(list->item, room, sizeof(*grown));

		if (!grown)
			return err_sys(err, "cannot list the store");
		list->item = grown;
	}
	list->item[list->count++] = *image;
	return 0;
}

static DIR *open_dir(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		(void)close(fd);
	return dir;
}

/* Those of @all that mean @image. */
static int take_names(struct tend_image *image, const struct label *all, size_t count,
		      struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct label *grown;

		if (!digest_is(&all[i].digest, &image->digest) ||
		    strcmp(all[i].settings, image->settings) != 0)
			continue;
		grown = reallocarray(image->name, image->name_count + 1, sizeof(*grown));
		if (!grown)
			return err_sys(err, "cannot list the store");
		image->name = grown;
		image->name[image->name_count++] = all[i];
		if (all[i].used > image->used)
			image->used = all[i].used;
	}
	return 0;
}

static int list_shelf(const struct shelf *shelf, struct tend_list *list, struct err *err)
{
	auto_dir *dir = open_dir(shelf->folder);
	auto_free struct label *all = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return err_sys(err, "cannot list '%s'", shelf->path);
	if (label_all(shelf, &all, &count, err) < 0)
		return -1;
	while (list->count < IMAGES_MAX && (entry = readdir(dir))) {
		struct tend_image image = {.shelf = shelf};
		struct stat stat;

		if (!shelf_parse(entry->d_name, &image.digest, image.settings) ||
		    fstatat(shelf->folder, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(stat.st_mode))
			continue;
		(void)snprintf(image.file, sizeof(image.file), "%s", entry->d_name);
		image.size = (uint64_t)stat.st_size;
		image.built = image.used = stat.st_mtime;
		if (take_names(&image, all, count, err) < 0 || add(list, &image, err) < 0) {
			free(image.name);
			return -1;
		}
	}
	return 0;
}

static int used_last_first(const void *a, const void *b)
{
	const struct tend_image *x = a, *y = b;

	return x->used != y->used ? (x->used > y->used ? -1 : 1) : strcmp(x->file, y->file);
}

int tend_list(const struct shelves *shelves, struct tend_list *out, struct err *err)
{
	*out = (struct tend_list){.count = 0};
	for (size_t i = 0; i < shelves->count; i++)
		if (list_shelf(&shelves->item[i], out, err) < 0) {
			tend_list_clear(out);
			return -1;
		}
	if (out->count > 0)
		qsort(out->item, out->count, sizeof(*out->item), used_last_first);
	return 0;
}

void tend_list_clear(struct tend_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i].name);
	free(list->item);
	*list = (struct tend_list){.count = 0};
}

bool tend_is_meant(const struct tend_image *image, const char *what, const char *full,
		   const struct label **name)
{
	const char *hex = strchr(what, ':') ? strchr(what, ':') + 1 : what;
	size_t len = strlen(hex);

	*name = NULL;
	if (strcmp(what, image->digest.text) == 0 ||
	    (len >= DIGITS_LEAST && strspn(hex, "0123456789abcdef") == len &&
	     (hex == what || strncmp(what, image->digest.text, (size_t)(hex - what)) == 0) &&
	     strncmp(hex, digest_hex(&image->digest), len) == 0))
		return true;
	for (size_t i = 0; full && i < image->name_count; i++)
		if (strcmp(image->name[i].name, full) == 0) {
			*name = &image->name[i];
			return true;
		}
	return false;
}

/* A lease of the kernel's for writing is granted if nobody else has it open; fcntl(2). */
bool tend_is_in_use(const struct tend_image *image)
{
	auto_fd fd = openat(image->shelf->folder, image->file,
			    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	void (*old)(int);
	bool used;

	if (fd < 0)
		return false;
	old = signal(SIGIO, SIG_IGN); /* who opens it meanwhile lets the kernel tell us */
	used = fcntl(fd, F_SETLEASE, F_WRLCK) < 0 && errno == EAGAIN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	(void)signal(SIGIO, old);
	return used;
}

/* The names go first: one without its image means nothing, and is found out to. */
int tend_remove(const struct tend_image *image, struct err *err)
{
	if (!image->shelf->writable)
		return err_set(err, "'%s' is not yours to write to", image->shelf->path);
	for (size_t i = 0; i < image->name_count; i++)
		label_forget(image->shelf, &image->name[i]);
	if (unlinkat(image->shelf->folder, image->file, 0) < 0 && errno != ENOENT)
		return err_sys(err, "cannot remove '%s/%s'", image->shelf->path, image->file);
	return 0;
}

static int remove_images(struct tend_list *list, const struct tend_rest *rest, time_t now,
			 struct tend_removed *out, struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		out->left += list->item[i].shelf->writable ? list->item[i].size : 0;
	for (size_t i = list->count; i-- > 0;) {
		const struct tend_image *image = &list->item[i];
		bool old = rest->has_older && image->used < now - rest->older;

		if (!image->shelf->writable ||
		    (!old && !(rest->has_keep && out->left > rest->keep)))
			continue;
		if (tend_is_in_use(image)) {
			out->spared++;
			continue;
		}
		if (tend_remove(image, err) < 0)
			return -1;
		out->count++;
		out->size += image->size;
		out->left -= image->size;
	}
	return 0;
}

/* If nobody who is alive makes @stem, what is left of its making goes. */
static void remove_leavings(const struct shelf *shelf, const char *stem)
{
	static const struct lease_terms terms = {.beat_ms = 2000, .dead_ms = 30000};
	struct lease_watch watch = {.size = 0};
	struct lease_holder holder;
	auto_lease *lease = NULL;
	struct err ignored;

	if (lease_try(shelf->leases, stem, "gc", &terms, &watch, &lease, &holder, &ignored) == 1)
		shelf_sweep(shelf, stem);
}

/* ".STEM.TOKEN" as "STEM"; false for any other name. */
static bool hidden_stem(const char *file, char out[SHELF_FILE_SIZE])
{
	const char *end = strrchr(file, '.');

	if (file[0] != '.' || !end || end == file || (size_t)(end - file) > SHELF_STEM_SIZE)
		return false;
	(void)snprintf(out, SHELF_FILE_SIZE, "%.*s", (int)(end - file - 1), file + 1);
	return strchr(out, '-') != NULL;
}

static void remove_half_images(const struct shelf *shelf)
{
	auto_dir *dir = open_dir(shelf->folder);
	char stem[SHELF_FILE_SIZE];
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (hidden_stem(entry->d_name, stem))
			remove_leavings(shelf, stem);
	own_closedir(&dir);
	dir = open_dir(shelf->leases);
	while (dir && (entry = readdir(dir))) {
		(void)snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(entry->d_name, "."),
			       entry->d_name);
		if (*stem)
			remove_leavings(shelf, stem);
	}
}

/* The time by the clock of who keeps the directory, which those of files in it are told by. */
static time_t clock_of(int folder)
{
	char name[LEASE_TOKEN_SIZE + 1];
	auto_fd fd = lease_unique(name) < 0
			     ? -1
			     : openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct stat stat;

	if (fd < 0)
		return time(NULL);
	(void)unlinkat(folder, name, 0);
	return fstat(fd, &stat) == 0 ? stat.st_mtime : time(NULL);
}

/* Files that lived for moments, of processes that were killed in them; and what was said long ago.
 */
static void remove_litter(int folder, time_t now)
{
	auto_dir *dir = open_dir(folder);
	struct dirent *entry;
	struct stat stat;

	while (dir && (entry = readdir(dir)))
		if ((entry->d_name[0] == '.' || strstr(entry->d_name, ".failed")) &&
		    fstatat(folder, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(stat.st_mode) && stat.st_mtime + STALE_SECONDS < now)
			(void)unlinkat(folder, entry->d_name, 0);
}

/* Names whose images are nowhere. */
static void remove_names(const struct shelf *shelf, const struct shelves *shelves)
{
	auto_free struct label *all = NULL;
	struct err ignored;
	size_t count = 0;

	(void)label_all(shelf, &all, &count, &ignored);
	for (size_t i = 0; i < count; i++) {
		char stem[SHELF_STEM_SIZE];
		int found = 0;

		(void)shelf_stem(&all[i].digest, all[i].settings, stem);
		for (size_t j = 0; j < shelves->count && found == 0; j++) {
			auto_free char *path = NULL;

			found = shelf_find(&shelves->item[j], stem, &path, &ignored);
		}
		if (found == 0)
			label_forget(shelf, &all[i]);
	}
}

int tend_gc(const struct shelves *shelves, const struct tend_rest *rest, struct tend_removed *out,
	    struct err *err)
{
	auto_tend_list list = {.count = 0};

	*out = (struct tend_removed){.count = 0};
	if (tend_list(shelves, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < shelves->count; i++) {
		const struct shelf *shelf = &shelves->item[i];
		time_t now;

		if (!shelf->writable)
			continue;
		now = clock_of(shelf->folder);
		remove_half_images(shelf);
		remove_litter(shelf->leases, now);
		remove_litter(shelf->names, now);
	}
	if (remove_images(&list, rest, time(NULL), out, err) < 0)
		return -1;
	for (size_t i = 0; i < shelves->count; i++)
		if (shelves->item[i].writable)
			remove_names(&shelves->item[i], shelves);
	return 0;
}
