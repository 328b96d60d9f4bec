/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/mount/overlay_lock.h"

#include "lib/image/identity.h"
#include "tests/unit/tap.h"

#include <stdlib.h>

static struct err err;

static void what_it_was_made_on_may_be_any_text(void)
{
	struct image directory = {.kind = IMAGE_DIRECTORY,
				  .path = (char *)"/d",
				  .fd = -1,
				  .stat = {.st_ino = 5}};

	ok(overlay_fits("", &directory, &err) == 1, "nothing fits all");
	ok(overlay_fits("directory:5 /d\n", &directory, &err) == 1, "the same directory");
	ok(overlay_fits("directory:5 /moved\n", &directory, &err) == 1, "by another name");
	ok(overlay_fits("directory:6 /d\n", &directory, &err) == 0, "another one");
	ok(overlay_fits("directory:", &directory, &err) == 0, "half a line");
	ok(overlay_fits("file:1:2:3.4:5.6:ab /d\n", &directory, &err) == 0, "a file");
	ok(overlay_fits("\n\n\n", &directory, &err) == 0, "empty lines");
}

static void an_image_fits_by_its_contents(void)
{
	char name[] = "/tmp/firn-overlay.XXXXXX";
	char word[IDENTITY_TEXT_SIZE], text[IDENTITY_TEXT_SIZE + 16], other[sizeof(text)];
	struct image image = {.kind = IMAGE_SQUASHFS,
			      .path = name,
			      .fd = mkstemp(name),
			      .size = 4096};
	struct identity identity;

	ok(image.fd >= 0 && ftruncate(image.fd, 4096) == 0 && fstat(image.fd, &image.stat) == 0 &&
		   identity_of(&image, &identity, &err) == 0,
	   "an image has an identity");
	identity_print(&identity, word);
	(void)snprintf(text, sizeof(text), "%s /i.sqfs\n", word);
	ok(overlay_fits(text, &image, &err) == 1, "the same file");
	image.stat.st_ino++;
	ok(overlay_fits(text, &image, &err) == 1, "a copy");
	memcpy(other, text, sizeof(text));
	*strchr(other, ' ') = 'x';
	ok(overlay_fits(other, &image, &err) == 0, "a word that is too long");
	other[strlen(word) - 1] = other[strlen(word) - 1] == '0' ? '1' : '0';
	other[strlen(word)] = ' ';
	ok(overlay_fits(other, &image, &err) == 0, "other contents");
	ok(overlay_fits("directory:5 /d\n", &image, &err) == 0, "a directory");
	(void)close(image.fd);
	(void)unlink(name);
}

int main(void)
{
	what_it_was_made_on_may_be_any_text();
	an_image_fits_by_its_contents();
	return done_testing();
}
