/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/record/provenance.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#define D(digit) "sha256:" digit "000000000000000000000000000000000000000000000000000000000000000"

static struct provenance written(const struct build_options *options, const char *old,
				 const char *new)
{
	struct source source = {0};
	struct digest tree = {D("1")}, none = {0};
	struct provenance provenance = {0};
	struct err err;
	char *text, *at, changed[2000];
	size_t size;

	if (provenance_write(&source, options, &tree, &none, &text, &size, &err) < 0)
		return provenance;
	at = old ? strstr(text, old) : NULL;
	(void)snprintf(changed, sizeof(changed), "%.*s%s%s", at ? (int)(at - text) : (int)size,
		       text, at ? new : "", at ? at + strlen(old) : "");
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
		   read.options.codec.block_size == 65536 && read.options.all_root &&
		   read.options.has_epoch && read.options.epoch == 1600000000,
	   "what decides the bytes is written and read");
	ok(provenance_is_ours(&read), "this program would pack it so again");
	read = written(&options, "\"firn\":\"", "\"firn\":\"9.");
	ok(!provenance_is_ours(&read),
	   "another version of firn would not: its name stands in the image");
	read = written(&options, "\"library\":\"", "\"library\":\"9.");
	ok(!provenance_is_ours(&read), "nor another version of the compression's library");
	read = written(&options, "\"format\":1", "\"format\":2");
	ok(!provenance_is_ours(&read), "nor another format");
	read = written(&options, "65536", "65537");
	ok(read.options.codec.block_size == 0, "a block size that squashfs cannot have is refused");
}

static void digests_are_digests_or_absent(void)
{
	struct build_options options = {0};
	struct provenance read;
	struct err err;

	(void)codec_parse("zstd", &options.codec, &err);
	options.codec.block_size = 65536;
	read = written(&options, NULL, NULL);
	ok(!read.config.text[0] && !read.ch.text[0], "what was not written is not there");
	read = written(&options, "\"all_root\"",
		       "\"config\":\"" D("4") "\",\"ch\":\"" D("5") "\",\"all_root\"");
	ok(strcmp(read.config.text, D("4")) == 0 && strcmp(read.ch.text, D("5")) == 0,
	   "the digests of configuration and /ch are read");
	read = written(&options, "\"all_root\"", "\"config\":\"\",\"all_root\"");
	ok(!read.codec_text[0], "an empty digest is refused: it would mean that there is none");
	read = written(&options, "\"all_root\"", "\"ch\":null,\"all_root\"");
	ok(!read.codec_text[0], "and so is null");
}

static int check_layers(const char *layers, const char *diff_ids)
{
	char text[1000], config[1000];
	struct err err;

	(void)snprintf(text, sizeof(text), "{%s}", layers);
	(void)snprintf(config, sizeof(config),
		       "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}", diff_ids);
	return provenance_check_layers(text, strlen(text), config, strlen(config), &err);
}

static void layers_are_those_of_the_configuration(void)
{
	ok(check_layers("\"layers\":[\"" D("1") "\",\"" D("2") "\"]",
			"\"" D("1") "\",\"" D("2") "\"") == 0,
	   "the same");
	ok(check_layers("", "\"" D("1") "\"") == 0, "a provenance that names none");
	ok(check_layers("\"layers\":[\"" D("2") "\"]", "\"" D("1") "\"") == -1, "another");
	ok(check_layers("\"layers\":[\"" D("1") "\"]", "\"" D("1") "\",\"" D("2") "\"") == -1,
	   "fewer");
	ok(check_layers("\"layers\":[]", "\"" D("1") "\"") == -1 &&
		   check_layers("\"layers\":[7]", "\"" D("1") "\"") == -1 &&
		   check_layers("\"layers\":7", "\"" D("1") "\"") == -1,
	   "what is no list of digests");
}

static void an_origin_is_the_manifest(void)
{
	static const char index[] = "{\"reference\":\"docker://h/a@" D("1") "\",\"index\":\"" D(
		"1") "\",\"manifest\":\"" D("2") "\",\"image\":\"" D("3") "\"}";
	static const char other[] = "{\"reference\":\"docker://h/a@" D("1") "\",\"manifest\":\"" D(
		"2") "\",\"image\":\"" D("3") "\"}";
	static const char odd[] = "{\"reference\":\"docker://h/a@" D(
		"1") "\",\"manifest\":\"x\",\"image\":\"" D("3") "\"}";
	static const char bare[] = "{\"image\":\"" D("3") "\"}";
	struct origin_claims claims;
	struct err err;

	ok(provenance_read_origin(index, strlen(index), &claims, &err) == 0, "an origin is read");
	is_str(claims.reference, "docker://h/a@" D("2"),
	       "an index' image is fetched again by its manifest");
	is_str(claims.image.text, D("3"), "and has its digest");
	free(claims.reference);
	ok(provenance_read_origin(odd, strlen(odd), &claims, &err) == -1 && !claims.reference,
	   "one with a manifest that is no digest is damaged");
	ok(provenance_read_origin(other, strlen(other), &claims, &err) == -1 && !claims.reference,
	   "as is one whose reference is of another manifest");
	ok(provenance_read_origin(bare, strlen(bare), &claims, &err) == 0 && !claims.reference,
	   "without a reference there is none");
	ok(provenance_read_origin("{}", 2, &claims, &err) == -1 &&
		   provenance_read_origin("[", 1, &claims, &err) == -1,
	   "one without the image's digest is none");
}

int main(void)
{
	what_was_written_is_read();
	digests_are_digests_or_absent();
	layers_are_those_of_the_configuration();
	an_origin_is_the_manifest();
	return done_testing();
}
