/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for the documents of an image. The first byte chooses which one.
 */
#include "builder/source/choice.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_manifest(const char *text, size_t size, const char *media_type, const char *wanted)
{
	auto_manifest *manifest = NULL;
	const struct descriptor *chosen = NULL;
	struct platform platform;
	struct err err;

	(void)manifest_is_other(text, size);
	if (manifest_parse(text, size, media_type, "the document", &manifest, &err) < 0)
		return;
	if (manifest->count > LAYERS_MAX)
		abort();
	if (manifest->kind == MANIFEST_INDEX &&
	    platform_parse("linux/amd64", &platform, &err) == 0) {
		if (choice_narrow(manifest, wanted, &platform, "the document", NULL, NULL,
				  &err) == 0)
			(void)manifest_choose(manifest, &platform, "the document", &chosen, &err);
	}
}

static void read_docker(const char *text, size_t size, const char *tag)
{
	auto_docker_entry *entry = NULL;
	struct err err;

	(void)docker_manifest_parse(text, size, tag, "the archive", &entry, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest diff_id[2];
	struct err err;
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0] % 6) {
	case 0: read_manifest(text, size - 1, NULL, NULL); break;
	case 1:
		read_manifest(text, size - 1, "application/vnd.oci.image.manifest.v1+json", NULL);
		break;
	case 2:
		read_manifest(text, size - 1, "application/vnd.oci.image.index.v1+json", "latest");
		break;
	case 3: (void)config_diff_ids(text, size - 1, diff_id, 2, &err); break;
	case 4: read_docker(text, size - 1, NULL); break;
	case 5: read_docker(text, size - 1, "a:1"); break;
	}
	return 0;
}
