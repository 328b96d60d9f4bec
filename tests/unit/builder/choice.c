/* SPDX-License-Identifier: LGPL-3.0-or-later */
/* Which image of an index or an archive is meant, and what is said where that is not clear. */
#include "builder/source/choice.h"

#include "tests/unit/tap.h"

#include <stdlib.h>

#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define REF "org.opencontainers.image.ref.name"

static const char *digest(int number)
{
	static char text[8][DIGEST_TEXT_SIZE];
	static int next;
	char *out = text[next++ % 8];

	(void)snprintf(out, DIGEST_TEXT_SIZE, "sha256:%064d", number);
	return out;
}

/* One entry of an index: @more are its further fields. */
static void entry(FILE *to, bool first, int number, const char *more)
{
	(void)fprintf(to, "%s{\"mediaType\":\"" MANIFEST "\",\"digest\":\"%s\",\"size\":7%s%s}",
		      first ? "" : ",", digest(number), *more ? "," : "", more);
}

#define NAMED(name) "\"annotations\":{\"" REF "\":\"" name "\"}"
#define ON(arch) "\"platform\":{\"os\":\"linux\",\"architecture\":\"" arch "\"}"

/*
 * What "@wanted" of an index of the entries leads to: the digest's last digits, or what is said.
 * With @look it is that of a layout.
 */
static const char *choose(const char *wanted, const char *const *entries, const int *numbers,
			  choice_look *look)
{
	static char text[9000];
	auto_manifest *index = NULL;
	const struct descriptor *found;
	struct platform platform;
	struct err err;
	auto_free char *json = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&json, &size);

	if (!to)
		return "no memory";
	(void)fprintf(to, "{\"schemaVersion\":2,\"manifests\":[");
	for (size_t i = 0; entries[i]; i++)
		entry(to, i == 0, numbers ? numbers[i] : (int)i + 1, entries[i]);
	(void)fprintf(to, "]}");
	if (fclose(to) != 0)
		return "no memory";
	if (platform_parse("linux/amd64", &platform, &err) < 0 ||
	    manifest_parse(json, size, NULL, "it", &index, &err) < 0 ||
	    choice_narrow(index, wanted, &platform, "it", look, NULL, &err) < 0 ||
	    manifest_choose(index, &platform, "it", &found, &err) < 0 ||
	    (look && choice_is_only(index, found, wanted, "it", &err) < 0))
		(void)snprintf(text, sizeof(text), "%s", err.text);
	else
		(void)snprintf(text, sizeof(text), "%s", found->digest.text + 70);
	return text;
}

#define CHOOSE(wanted, ...) choose(wanted, (const char *const[]){__VA_ARGS__, NULL}, NULL, NULL)

static void a_name_or_its_end_is_an_image(void)
{
#define TWO NAMED("localhost/lab/tool:1"), NAMED("localhost/lab/tool:2")
	is_str(CHOOSE("localhost/lab/tool:2", TWO), "2", "a whole name");
	is_str(CHOOSE("lab/tool:2", TWO), "2", "its end");
	is_str(CHOOSE("1", TWO), "1", "its tag");
	is_str(CHOOSE(digest(2), TWO), "2", "its digest");
	is_str(CHOOSE("ool:2", TWO),
	       "no image 'ool:2' in 'it'; there are: localhost/lab/tool:1, localhost/lab/tool:2",
	       "not half a word");
	is_str(CHOOSE("", TWO),
	       "no image '' in 'it'; there are: localhost/lab/tool:1, localhost/lab/tool:2",
	       "nor nothing");
	is_str(CHOOSE(NULL, TWO),
	       "'it' has several images; say which: localhost/lab/tool:1, localhost/lab/tool:2",
	       "no name is not enough");
	is_str(CHOOSE("1", NAMED("a/x:1"), NAMED("b/x:1")),
	       "'1' is more than one image of 'it'; say which: a/x:1, b/x:1",
	       "nor is an end of two");
	is_str(CHOOSE("1", NAMED("a/x:1"), NAMED("1")), "2", "a whole name goes before an end");
	is_str(CHOOSE("lab/x:1",
		      "\"annotations\":{\"io.containerd.image.name\":\"docker.io/lab/x:1\",\"" REF
		      "\":\"1\"}",
		      "\"annotations\":{\"io.containerd.image.name\":\"docker.io/lab/y:1\",\"" REF
		      "\":\"1\"}"),
	       "1", "containerd's names count");
	is_str(CHOOSE("1",
		      "\"annotations\":{\"io.containerd.image.name\":\"docker.io/lab/x:1\",\"" REF
		      "\":\"1\"}",
		      "\"annotations\":{\"io.containerd.image.name\":\"docker.io/lab/y:1\",\"" REF
		      "\":\"1\"}"),
	       "'1' is more than one image of 'it'; say which: docker.io/lab/x:1, "
	       "docker.io/lab/y:1",
	       "and are what is listed");
	is_str(CHOOSE(NULL, "", ""),
	       "'it' has several images; say which: sha256:00000000000000000000000000000000000000"
	       "00000000000000000000000001, "
	       "sha256:0000000000000000000000000000000000000000000000000000000000000002",
	       "images without a name are listed by their digests");
}

static void one_image_is_one(void)
{
	static const int same[] = {5, 5, 5};

	is_str(choose(NULL, (const char *const[]){NAMED("a:1"), NAMED("a:latest"), "", NULL}, same,
		      NULL),
	       "5", "one manifest under several names is one image");
	is_str(choose("1", (const char *const[]){NAMED("a:1"), NAMED("b:1"), NULL}, same, NULL),
	       "5", "also for an end that fits both");
}

static void platforms_are_no_ambiguity(void)
{
	is_str(CHOOSE(NULL, ON("arm64"), ON("amd64")), "2", "the one that fits");
	is_str(CHOOSE(NULL, ON("arm64"), ON("s390x")),
	       "'it' has no image for linux/amd64; there are: linux/arm64, linux/s390x",
	       "all that there are are listed");
	is_str(CHOOSE(NULL, "", ON("arm64"), ON("amd64"), ""), "3",
	       "before those that say nothing");
	is_str(CHOOSE("1", NAMED("1") "," ON("arm64"), NAMED("1") "," ON("amd64")), "2",
	       "under one name");
	is_str(CHOOSE("1", NAMED("1") "," ON("arm64")),
	       "'it' has no image for linux/amd64; there are: linux/arm64", "or none does");
	is_str(CHOOSE(NULL, NAMED("a") "," ON("amd64"), NAMED("b") "," ON("amd64")),
	       "'it' has several images; say which: a, b",
	       "two names for this platform are two images");
	is_str(CHOOSE(NULL, NAMED("a") "," ON("amd64"), NAMED("b")),
	       "'it' has several images; say which: a, b",
	       "one that names no platform may be meant, too");
}

static void what_is_no_image_does_not_count(void)
{
	static const char *const others[] = {
		"\"artifactType\":\"application/vnd.x.sig\"," NAMED("sig"),
		"\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}",
		"\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}",
		"\"annotations\":{\"kind\":\"dev.cosignproject.cosign/sigs\"}",
		NAMED("sha256-0123456789012345678901234567890123456789012345678901234567890123."
		      "sig"),
		NAMED("sha256-0123456789012345678901234567890123456789012345678901234567890123"),
	};

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		is_str(CHOOSE(NULL, others[i], NAMED("1")), "2", others[i]);
		ok(strstr(CHOOSE(NULL, others[i]), "'it' has no image"), "and alone it is none");
	}
	is_str(CHOOSE(NULL, "\"artifactType\":\"application/vnd.oci.image.config.v1+json\""), "1",
	       "an image may say so");
	is_str(CHOOSE("sig", others[0], NAMED("1")), "no image 'sig' in 'it'; there are: 1",
	       "a signature cannot be asked for");
}

static bool is_second(void *arg, const struct descriptor *what)
{
	(void)arg;
	return strcmp(what->digest.text, digest(2)) == 0;
}

static bool is_never(void *arg, const struct descriptor *what)
{
	(void)arg, (void)what;
	return false;
}

static bool is_artifact(const char *document)
{
	return manifest_is_other(document, strlen(document));
}

static void documents_are_looked_at_where_it_matters(void)
{
	static const char *const three[] = {NAMED("a"), NAMED("b"), NAMED("c"), NULL},
				 *const one[] = {NAMED("a"), NULL};

	is_str(choose(NULL, three, NULL, is_second), "2",
	       "the only one whose document is an image's");
	is_str(choose(NULL, one, NULL, is_never), "1", "an only entry is not asked");
	ok(is_artifact("{\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\"}}"),
	   "a chart");
	ok(is_artifact("{\"manifests\":[{\"artifactType\":\"application/x\"}]}"),
	   "an index of nothing else");
	ok(!is_artifact(
		   "{\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\"}}"),
	   "an image");
	ok(!is_artifact("{"), "what is not understood is left to others");
}

/* An archive's manifest.json: the configuration of what is chosen, or what is said. */
static const char *docker(const char *tag, const char *table)
{
	static char text[ERR_TEXT_SIZE];
	auto_docker_entry *found = NULL;
	struct err err;

	if (docker_manifest_parse(table, strlen(table), tag, "it", &found, &err) < 0)
		(void)snprintf(text, sizeof(text), "%s", err.text);
	else
		(void)snprintf(text, sizeof(text), "%s", found->config);
	return text;
}

static bool is_any(void *arg, const struct descriptor *what)
{
	(void)arg, (void)what;
	return true;
}

static void one_name_and_platform_is_one_image_in_a_layout(void)
{
	static const char *const two[] = {ON("amd64"), ON("amd64"), ON("arm64"), NULL};
	static const char *const named[] = {NAMED("1") "," ON("amd64"), NAMED("1") "," ON("amd64"),
					    NULL};
	static const char *const variants[] = {
		"\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\",\"variant\":\"v3\"}",
		ON("amd64"), NULL};
	static const int same[] = {5, 5, 6};
	char text[300];

	(void)snprintf(text, sizeof(text), "'it' has several images; say which: %s, %s", digest(1),
		       digest(2));
	is_str(choose(NULL, two, NULL, is_any), text, "two of one platform are listed by digest");
	is_str(choose(digest(2), two, NULL, is_any), "2", "which may be asked for");
	(void)snprintf(text, sizeof(text), "'1' is more than one image of 'it'; say which: %s, %s",
		       digest(1), digest(2));
	is_str(choose("1", named, NULL, is_any), text, "two of one name as well");
	is_str(choose(NULL, two, same, is_any), "5", "one twice is one");
	is_str(choose(NULL, variants, NULL, is_any), "2", "variants are no ambiguity");
	is_str(choose(NULL, two, NULL, NULL), "1", "in an index of one image the first one counts");
}

static void docker_archives_are_chosen_from_alike(void)
{
#define IMAGE(config, tags) "{\"Config\":\"" config "\",\"RepoTags\":" tags ",\"Layers\":[]}"
#define HEX "0123456789012345678901234567890123456789012345678901234567890123"
	static const char two[] =
		"[" IMAGE("a.json", "[\"lab/x:1\"]") "," IMAGE("b.json",
							       "[\"lab/y:1\",\"lab/y:2\"]") "]";
	static const char bare[] =
		"[" IMAGE(HEX ".json", "null") "," IMAGE("blobs/sha256/" HEX, "[\"a:1\"]") "]";

	is_str(docker("lab/y:1", two), "b.json", "a whole name");
	is_str(docker("2", two), "b.json", "an end of one name");
	is_str(docker("1", two), "'1' is more than one image of 'it'; say which: lab/x:1, lab/y:1",
	       "an end of two");
	is_str(docker(NULL, two), "'it' has several images; say which: lab/x:1, lab/y:1",
	       "no name");
	is_str(docker("z:1", two), "no image 'z:1' in 'it'; there are: lab/x:1, lab/y:1",
	       "a name that is not there");
	is_str(docker(NULL, bare), HEX ".json", "one configuration twice is one image");
	is_str(docker("sha256:" HEX, bare), HEX ".json", "which its digest names");
	is_str(docker(NULL, "[]"), "'it' has no image", "none");
	ok(strstr(docker(NULL, "[7]"), "no configuration"), "no image at all");
}

int main(void)
{
	a_name_or_its_end_is_an_image();
	one_image_is_one();
	platforms_are_no_ambiguity();
	what_is_no_image_does_not_count();
	documents_are_looked_at_where_it_matters();
	one_name_and_platform_is_one_image_in_a_layout();
	docker_archives_are_chosen_from_alike();
	return done_testing();
}
