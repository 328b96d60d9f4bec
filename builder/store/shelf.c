/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/shelf.h"

#include "lib/image/image.h"
#include "lib/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define SUFFIX ".sqfs"

static int name_of_user(char *out, size_t size)
{
	const struct passwd *entry = getpwuid(geteuid());

	return entry && snprintf(out, size, "%s", entry->pw_name) < (int)size ? 0 : -1;
}

/*
 * Where there is none and it is not to be made, -1: a directory that is only looked at stays as it
 * is. A group's folders are the group's to write to, whatever the umask.
 */
static int open_below(struct shelf *shelf, const char *name, bool make, int *out, struct err *err)
{
	struct stat stat;

	if (make && mkdirat(shelf->folder, name, 0700) == 0 && shelf->is_groups &&
	    fstat(shelf->folder, &stat) == 0)
		(void)!fchmodat(shelf->folder, name, stat.st_mode & 07777, 0);
	*out = openat(shelf->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*out >= 0 || (!make && errno == ENOENT))
		return 0;
	return err_sys(err, "cannot open '%s/%s'", shelf->path, name);
}

static void shelf_clear(struct shelf *shelf)
{
	own_close(&shelf->leases);
	own_close(&shelf->names);
	own_close(&shelf->folder);
	free(shelf->path);
}

/* Returns 1, 0 when there is none, or -1 with @err. */
static int shelf_open(const struct cache_place *place, bool make, struct shelf *out,
		      struct err *err)
{
	auto_cache_folder folder = {.fd = -1};
	struct err cause;
	bool able;

	*out = (struct shelf){.folder = -1, .names = -1, .leases = -1};
	if (cache_folder_open(place, name_of_user, make, &folder, &cause) < 0)
		return err_set(err, "the store: %s%s%s", cause.text, *folder.remedy ? "; " : "",
			       folder.remedy);
	if (folder.fd < 0)
		return 0;
	able = !folder.is_others && faccessat(folder.fd, ".", W_OK, AT_EACCESS) == 0;
	out->is_groups = place->use == PLACE_OF_GROUP_STORE && !folder.is_of_all;
	out->folder = take_fd(&folder.fd);
	out->path = take_ptr(&folder.path);
	if (able && (open_below(out, "names", make, &out->names, err) < 0 ||
		     open_below(out, "leases", make, &out->leases, err) < 0)) {
		shelf_clear(out);
		return -1;
	}
	out->writable = able;
	if (!able)
		out->names = openat(out->folder, "names",
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return 1;
}

static int add(const struct cache_place *place, bool make, struct shelves *out, struct err *err)
{
	struct shelf *grown = reallocarray(out->item, out->count + 1, sizeof(*grown));
	int result;

	if (!grown)
		return err_sys(err, "cannot open the store");
	out->item = grown;
	result = shelf_open(place, make, &out->item[out->count], err);
	out->count += result > 0;
	return result;
}

int shelves_open(const struct store_places *places, bool make, struct shelves *out, struct err *err)
{
	struct err first = {.text = ""};

	*out = (struct shelves){0};
	for (size_t i = 0; i < places->count; i++) {
		bool may_make = make && !shelves_own(out);

		if (add(&places->item[i], may_make, out, err) >= 0)
			continue;
		if (!make) /* which comes second, if it comes */
			log_warning("%s", err->text);
		if (!*first.text)
			first = *err;
	}
	if (!make || shelves_own(out))
		return 0;
	if (*first.text)
		*err = first;
	else
		(void)err_set(err, "no directory of the store can be written to; name one in "
				   "firn.conf's [store] dir, or in FIRN_STORE");
	return -1;
}

void shelves_clear(struct shelves *shelves)
{
	for (size_t i = 0; i < shelves->count; i++)
		shelf_clear(&shelves->item[i]);
	free(shelves->item);
	*shelves = (struct shelves){0};
}

struct shelf *shelves_own(const struct shelves *shelves)
{
	for (size_t i = 0; i < shelves->count; i++)
		if (shelves->item[i].writable)
			return &shelves->item[i];
	return NULL;
}

const char *shelf_stem(const struct digest *digest, const char *settings, char out[SHELF_STEM_SIZE])
{
	char algorithm[DIGEST_ALGORITHM_SIZE];

	(void)snprintf(out, SHELF_STEM_SIZE, "%s-%s-%s", digest_algorithm(digest, algorithm),
		       digest_hex(digest), settings);
	return out;
}

bool shelf_parse(const char *file, struct digest *digest, char settings[SHELF_SETTINGS_SIZE])
{
	char text[DIGEST_TEXT_SIZE];
	const char *hex = strchr(file, '-'), *mark = hex ? strchr(hex + 1, '-') : NULL;

	if (!mark || mark - file >= DIGEST_TEXT_SIZE ||
	    strlen(mark + 1) != SHELF_SETTINGS_SIZE - 1 + sizeof(SUFFIX) - 1 ||
	    strspn(mark + 1, "0123456789abcdef") != SHELF_SETTINGS_SIZE - 1 ||
	    strcmp(mark + SHELF_SETTINGS_SIZE, SUFFIX) != 0)
		return false;
	(void)snprintf(text, sizeof(text), "%.*s:%.*s", (int)(hex - file), file,
		       (int)(mark - hex - 1), hex + 1);
	(void)snprintf(settings, SHELF_SETTINGS_SIZE, "%s", mark + 1);
	return digest_take(digest, text) == 0;
}

static void file_name(const char *stem, char out[SHELF_FILE_SIZE])
{
	(void)snprintf(out, SHELF_FILE_SIZE, "%s" SUFFIX, stem);
}

static void hidden_name(const char *stem, const struct lease *lease, char out[SHELF_FILE_SIZE])
{
	(void)snprintf(out, SHELF_FILE_SIZE, ".%s.%s", stem, lease_token(lease));
}

/* Whether something under that name can be taken for a whole image. -1 with errno. */
static int is_image(const struct shelf *shelf, const char *name)
{
	auto_fd fd = openat(shelf->folder, name,
			    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat stat;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == EACCES ? 0 : -1;
	return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size > 0 &&
	       image_is_begun(fd);
}

int shelf_find(const struct shelf *shelf, const char *stem, char **path, struct err *err)
{
	char name[SHELF_FILE_SIZE];
	int found;

	file_name(stem, name);
	found = is_image(shelf, name);
	if (found < 0)
		return err_sys(err, "cannot open '%s/%s'", shelf->path, name);
	if (found && asprintf(path, "%s/%s", shelf->path, name) < 0)
		return err_sys(err, "cannot name an image");
	return found;
}

/* What a signal has to remove: names cannot be had from a handler's stack. */
static struct {
	volatile sig_atomic_t armed;
	int folder;
	char name[SHELF_FILE_SIZE];
} doomed;

static void remove_and_die(int signal)
{
	if (doomed.armed)
		(void)unlinkat(doomed.folder, doomed.name, 0);
	(void)raise(signal); /* SA_RESETHAND: this time it ends the process */
}

static void arm(const struct shelf *shelf, const char *name)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGXCPU};
	struct sigaction action = {.sa_handler = remove_and_die,
				   .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	doomed.folder = shelf->folder;
	(void)snprintf(doomed.name, sizeof(doomed.name), "%s", name);
	doomed.armed = 1;
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		struct sigaction now;

		/* What is ignored, as under nohup(1), stays ignored. */
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &action, NULL);
	}
}

/* Only the holder of the lease makes such a file: all others' are of the dead. */
void shelf_sweep(const struct shelf *shelf, const char *stem)
{
	int fd = openat(shelf->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir *dir = fd >= 0 ? fdopendir(fd) : NULL;
	size_t len = strlen(stem);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] == '.' && strncmp(entry->d_name + 1, stem, len) == 0 &&
		    entry->d_name[len + 1] == '.')
			(void)unlinkat(shelf->folder, entry->d_name, 0);
}

int shelf_begin(const struct shelf *shelf, const char *stem, const struct lease *lease,
		struct err *err)
{
	char name[SHELF_FILE_SIZE];
	int fd;

	shelf_sweep(shelf, stem);
	hidden_name(stem, lease, name);
	fd = openat(shelf->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, "cannot write to the store '%s'", shelf->path);
	arm(shelf, name);
	return fd;
}

/* link(2) does not replace what came there meanwhile, as rename(2) would; some have no links. */
static int give_name(const struct shelf *shelf, const char *hidden, const char *name)
{
	if (linkat(shelf->folder, hidden, shelf->folder, name, 0) == 0)
		return 0;
	if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK)
		return renameat(shelf->folder, hidden, shelf->folder, name);
	return -1;
}

int shelf_publish(const struct shelf *shelf, const char *stem, const struct lease *lease, int fd,
		  struct err *err)
{
	char hidden[SHELF_FILE_SIZE], name[SHELF_FILE_SIZE];
	struct stat stat;

	hidden_name(stem, lease, hidden);
	file_name(stem, name);
	/* Who may read the directory may read the image, whose umask made it or not. */
	if (fstat(shelf->folder, &stat) < 0 || fchmod(fd, 0400 | (stat.st_mode & 0044)) < 0)
		return err_sys(err, "cannot write to the store '%s'", shelf->path);
	/* A full disk or quota may show only now. */
	if (fdatasync(fd) < 0 && errno != EINVAL && errno != ENOSYS)
		return err_sys(err, "cannot write to the store '%s'", shelf->path);
	if (give_name(shelf, hidden, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, "cannot put '%s' into the store '%s'", name, shelf->path);
	if (is_image(shelf, name) == 1)
		return 0;
	/* Something that can be no image is in its place: it makes room. */
	if ((unlinkat(shelf->folder, name, 0) == 0 ||
	     unlinkat(shelf->folder, name, AT_REMOVEDIR) == 0) &&
	    give_name(shelf, hidden, name) == 0)
		return 0;
	return err_sys(err, "cannot put '%s' into the store '%s'", name, shelf->path);
}

void shelf_abandon(const struct shelf *shelf, const char *stem, const struct lease *lease)
{
	char name[SHELF_FILE_SIZE];

	hidden_name(stem, lease, name);
	(void)unlinkat(shelf->folder, name, 0);
	doomed.armed = 0;
}
