/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/provenance.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#define D(digit) "sha256:" digit "000000000000000000000000000000000000000000000000000000000000000"

static struct provenance written(const struct build_options *options, const char *old, const char *new)
{
	struct source source = {0};
	struct digest tree = {D("1")};
	struct provenance provenance = {0};
	struct err err;
	char *text, *at, changed[2000];
	size_t size;

	if (provenance_write(&source, options, &tree, &text, &size, &err) < 0)
		return provenance;
	at = old ? strstr(text, old) : NULL;
	(void)snprintf(changed, sizeof(changed), "%.*s%s%s", at ? (int)(at - text) : (int)size, text, at ? new : "",
		       at ? at + strlen(old) : "");
	free(text);
	if (provenance_read(changed, strlen(changed), &provenance, &err) < 0)
		printf("# %s\n", err.text);
	return provenance;
}

static void what_was_written_is_read(void)
{
	struct build_options options = {.all_root = true, .has_epoch = true, .epoch = 1600000000};
	struct provenance read;
	struct err err;

	(void)codec_parse("zstd:7", &options.codec, &err);
	options.codec.block_size = 65536;
	read = written(&options, NULL, NULL);
	ok(strcmp(read.tree.text, D("1")) == 0 && read.options.codec.level == 7 &&
	   read.options.codec.block_size == 65536 && read.options.all_root && read.options.has_epoch &&
	   read.options.epoch == 1600000000, "what decides the bytes is written and read");
	ok(provenance_is_ours(&read), "this program would pack it so again");
	read = written(&options, "\"firn\":\"", "\"firn\":\"9.");
	ok(!provenance_is_ours(&read), "another version of firn would not: its name stands in the image");
	read = written(&options, "\"library\":\"", "\"library\":\"9.");
	ok(!provenance_is_ours(&read), "nor another version of the compression's library");
	read = written(&options, "\"format\":1", "\"format\":2");
	ok(!provenance_is_ours(&read), "nor another format");
	read = written(&options, "65536", "65537");
	ok(read.options.codec.block_size == 0, "a block size that squashfs cannot have is refused");
}

static void an_origin_is_the_manifest(void)
{
	static const char index[] = "{\"reference\":\"docker://h/a@" D("1") "\",\"manifest\":\"" D("2") "\",\"image\":\"" D("3") "\"}";
	static const char odd[] = "{\"reference\":\"docker://h/a@" D("1") "\",\"manifest\":\"x\"}";
	struct digest image = {0};
	char *reference = provenance_reference(index, strlen(index), &image);

	is_str(reference, "docker://h/a@" D("2"), "an index' image is fetched again by its manifest");
	is_str(image.text, D("3"), "and has its digest");
	free(reference);
	reference = provenance_reference(odd, strlen(odd), &image);
	is_str(reference, "docker://h/a@" D("1"), "a manifest that is no digest is not used");
	free(reference);
	ok(!provenance_reference("{}", 2, &image), "without a reference there is none");
}

int main(void)
{
	what_was_written_is_read();
	an_origin_is_the_manifest();
	return done_testing();
}
