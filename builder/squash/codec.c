/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/squash/codec.h"

#include "lib/own.h"
#include "lib/size.h"

#include <lz4.h>
#include <lzma.h>
#include <sqfs/super.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static const char *no_version(void)
{
	return "";
}

/*
 * What squashfs knows and every reader has. Levels by measurement (doc/decisions/building.md has
 * the table): up to zstd 4 a level costs next to nothing, 6 is 5 % smaller for twice the work of
 * compressing; all read alike.
 */
static const struct codec_kind kinds[] = {
	{"zstd", SQFS_COMP_ZSTD, 4, 1, 22, ZSTD_versionString},
	{"lz4", SQFS_COMP_LZ4, -1, 0, 0, LZ4_versionString},
	{"gzip", SQFS_COMP_GZIP, 9, 1, 9, zlibVersion},
	{"xz", SQFS_COMP_XZ, 6, 0, 9, lzma_version_string},
	{"none", SQFS_COMP_GZIP, -1, 0, 0, no_version},
};

const struct codec_kind *codec_kind(const struct codec *codec)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (strcmp(kinds[i].name, codec->name) == 0)
			return &kinds[i];
	return NULL;
}

int codec_parse(const char *text, struct codec *out, struct err *err)
{
	size_t len = strcspn(text, ":");

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct codec_kind *kind = &kinds[i];
		int level = kind->level;
		uint64_t number;

		if (strlen(kind->name) != len || strncmp(kind->name, text, len) != 0)
			continue;
		if (text[len]) {
			if (kind->max == 0)
				return err_set(err, "'%s' has no levels", kind->name);
			if (number_parse(text + len + 1, (uint64_t)kind->max, &number) < 0 ||
			    number < (uint64_t)kind->min)
				return err_set(err, "'%s' has levels from %d to %d, not '%s'",
					       kind->name, kind->min, kind->max, text + len + 1);
			level = (int)number;
		}
		out->name = kind->name;
		out->level = level;
		return 0;
	}
	return err_set(err,
		       "no compression '%s': zstd[:LEVEL], lz4, gzip[:LEVEL], xz[:LEVEL] or none",
		       text);
}

const char *codec_library_version(const struct codec *codec)
{
	const struct codec_kind *kind = codec_kind(codec);

	return kind ? kind->version() : "";
}
