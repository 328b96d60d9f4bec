/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/store/label.h"

#include "builder/store/stock.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX
#define SETTINGS "0011223344556677"

static char scratch[] = "/tmp/firn-label.XXXXXX";
static struct shelf shelf;
static struct err err;
static struct label entry = {
	.name = "docker.io/library/debian:12",
	.platform = "linux/amd64",
	.settings = SETTINGS,
	.digest = {DIGEST},
	.resolved = 1000000,
};

/* The one file of the folder, replaced by @size bytes of @text. */
static void spoil(const char *text, size_t size)
{
	auto_dir *dir = fdopendir(openat(shelf.names, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *file;
	auto_fd fd = -1;

	while (dir && (file = readdir(dir)))
		if (file->d_name[0] != '.')
			fd = openat(shelf.names, file->d_name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, text, size) != (ssize_t)size)
		exit(2);
}

static bool is_known(void)
{
	struct label found;

	return label_find(&shelf, entry.name, SETTINGS, &found) == 1;
}

static void what_is_noted_is_found(void)
{
	struct label found, other;

	ok(!is_known(), "a name that nobody asked for means nothing");
	ok(label_note(&shelf, &entry, &err) == 0, "it is noted");
	ok(label_find(&shelf, entry.name, SETTINGS, &found) == 1 &&
		   strcmp(found.digest.text, DIGEST) == 0 && found.resolved == 1000000 &&
		   strcmp(found.platform, "linux/amd64") == 0 && found.used > 0,
	   "with all of it");
	ok(!label_find(&shelf, entry.name, "7766554433221100", &found), "for its settings alone");
	ok(!label_find(&shelf, "docker.io/library/debian:13", SETTINGS, &found),
	   "under its name alone");
	other = entry;
	other.digest.text[8] = 'f';
	ok(label_note(&shelf, &other, &err) == 0 &&
		   label_find(&shelf, entry.name, SETTINGS, &found) == 1 &&
		   digest_is(&found.digest, &other.digest),
	   "a tag that moved means the other image");
	(void)label_note(&shelf, &entry, &err);
}

static void nonsense_is_none(void)
{
	static const char *const texts[] = {
		"",
		"firn name 2\n",
		"firn name 1\n",
		"\n\n\n",
		"firn name 1\nname ../../etc\nsettings " SETTINGS "\ndigest " DIGEST
		"\nresolved 1\n",
		"firn name 1\nname docker.io/library/debian:12\nsettings " SETTINGS
		"\ndigest sha256:../../../x\nresolved 1\n",
		"firn name 1\nname docker.io/library/debian:12\nsettings ../../../../abcde\n"
		"digest " DIGEST "\nresolved 1\n",
		"firn name 1\nname docker.io/library/debian:12\nsettings " SETTINGS
		"\ndigest " DIGEST "\nresolved -1\n",
		"firn name 1\nname docker.io/library/other:12\nsettings " SETTINGS
		"\ndigest " DIGEST "\nresolved 1\n",
	};
	auto_free char *huge = calloc(1, 100000);
	auto_free struct label *all = NULL;
	size_t count;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		spoil(texts[i], strlen(texts[i]));
		ok(!is_known(), "text %zu", i);
	}
	spoil(huge, 100000);
	ok(!is_known(), "zeros");
	memset(huge, 'x', 100000);
	spoil(huge, 100000);
	ok(!is_known(), "a huge one");
	ok(label_all(&shelf, &all, &count, &err) == 0 && count == 0, "none is listed");
	ok(label_note(&shelf, &entry, &err) == 0 && is_known(), "a good one takes its place");
}

static void other_things_are_none(void)
{
	char file[100] = "";
	auto_dir *dir = fdopendir(openat(shelf.names, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry_;

	while (dir && (entry_ = readdir(dir)))
		if (entry_->d_name[0] != '.')
			(void)snprintf(file, sizeof(file), "%.90s", entry_->d_name);
	(void)unlinkat(shelf.names, file, 0);
	(void)!symlinkat("/etc/passwd", shelf.names, file);
	ok(!is_known(), "a link");
	ok(label_note(&shelf, &entry, &err) == 0 && is_known(), "is replaced");
	(void)unlinkat(shelf.names, file, 0);
	(void)mkdirat(shelf.names, file, 0700);
	ok(!is_known(), "a directory");
	ok(label_note(&shelf, &entry, &err) == 0 && is_known(), "is replaced");
	label_forget(&shelf, &entry);
	(void)mkfifoat(shelf.names, file, 0600);
	ok(!is_known(), "a pipe");
	ok(label_note(&shelf, &entry, &err) == 0 && is_known(), "is replaced");
	label_forget(&shelf, &entry);
	ok(!is_known(), "and forgotten");
}

static void files_have_the_digests_name(void)
{
	char stem[SHELF_STEM_SIZE], settings[SHELF_SETTINGS_SIZE];
	struct digest digest;

	is_str(shelf_stem(&entry.digest, SETTINGS, stem), "sha256-" HEX "-" SETTINGS, "a stem");
	ok(shelf_parse("sha256-" HEX "-" SETTINGS ".sqfs", &digest, settings) &&
		   strcmp(digest.text, DIGEST) == 0 && strcmp(settings, SETTINGS) == 0,
	   "and back");
	ok(!shelf_parse("sha256-" HEX ".sqfs", &digest, settings), "without settings");
	ok(!shelf_parse("sha256-" HEX "-" SETTINGS, &digest, settings), "without an end");
	ok(!shelf_parse(".sha256-" HEX "-" SETTINGS ".sqfs", &digest, settings), "a hidden one");
	ok(!shelf_parse("sha256-0123-" SETTINGS ".sqfs", &digest, settings), "a short digest");
	ok(!shelf_parse("", &digest, settings) && !shelf_parse("-", &digest, settings) &&
		   !shelf_parse("--", &digest, settings),
	   "nothing at all");
}

static void names_come_in_forms(void)
{
	static const char *const forms[][2] = {
		{"debian:12", "debian:12"},
		{"docker://debian:12", "debian:12"},
		{"docker://quay.io#fedora/fedora:41", "quay.io/fedora/fedora:41"},
		{"nvcr.io#nvidia/cuda:12", "nvcr.io/nvidia/cuda:12"},
		{"quay.io/fedora/fedora@" DIGEST, "quay.io/fedora/fedora@" DIGEST},
	};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		auto_free char *plain = stock_plain_name(forms[i][0]);

		is_str(plain, forms[i][1], forms[i][0]);
	}
}

int main(void)
{
	shelf.path = scratch;
	if (!mkdtemp(scratch) ||
	    (shelf.names = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 2;
	what_is_noted_is_found();
	nonsense_is_none();
	other_things_are_none();
	files_have_the_digests_name();
	names_come_in_forms();
	(void)rmdir(scratch);
	return done_testing();
}
