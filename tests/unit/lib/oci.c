/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/image/oci.h"

#include "lib/words.h"
#include "tests/unit/tap.h"

static struct err err;

static struct oci_config *parse(const char *text)
{
	struct oci_config *config = NULL;

	return oci_config_parse(text, strlen(text), &config, &err) < 0 ? NULL : config;
}

static bool refused(const char *text, const char *reason)
{
	auto_oci_config *config = parse(text);

	return !config && strstr(err.text, reason);
}

static void a_configuration_is_read(void)
{
	auto_oci_config *config = parse(
		"{\"created\":\"2024-01-01T00:00:00Z\",\"architecture\":\"arm64\",\"os\":\"linux\","
		"\"config\":{\"Env\":[\"PATH=/bin\",\"A=b c\"],\"Entrypoint\":[\"/e\",\"x\"],"
		"\"Cmd\":[\"y\"],\"WorkingDir\":\"/w\",\"User\":\"1000:100\","
		"\"Labels\":{\"org.example\":\"v=1\"},\"ExposedPorts\":{\"80/tcp\":{}}},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");

	ok(config != NULL, "what a registry sends is read");
	if (!config)
		return;
	is_str(config->architecture, "arm64", "architecture");
	is_str(config->env[1], "A=b c", "Env");
	ok(config->env[2] == NULL, "a list ends with NULL");
	is_str(config->entrypoint[1], "x", "Entrypoint");
	is_str(config->cmd[0], "y", "Cmd");
	is_str(config->workdir, "/w", "WorkingDir");
	is_str(config->user, "1000:100", "User");
	is_str(config->labels[0], "org.example=v=1", "Labels");
}

static void what_is_absent_or_null_is_null(void)
{
	auto_oci_config *empty = parse("{}");
	auto_oci_config *nulls = parse("{\"config\":{\"Env\":null,\"Cmd\":null,\"Labels\":null,"
				       "\"User\":null,\"Entrypoint\":[]}}");

	ok(empty && !empty->env && !empty->cmd && !empty->user, "an empty object");
	ok(nulls && !nulls->env && !nulls->cmd && !nulls->labels, "nulls");
	ok(nulls && nulls->entrypoint && !nulls->entrypoint[0], "an empty list is an empty list");
}

static void one_empty_string_is_no_command(void)
{
	auto_oci_config *config = parse("{\"config\":{\"Entrypoint\":[\"\"],\"Cmd\":[\"\"]}}");
	auto_oci_config *words = parse(
		"{\"config\":{\"Entrypoint\":[\"\",\"x\"],\"Cmd\":[\"a\",\"\"],\"Env\":[\"\"]}}");

	ok(config && config->entrypoint && !config->entrypoint[0],
	   "an entrypoint of one empty string is none");
	ok(config && config->cmd && !config->cmd[0], "nor is such a command");
	ok(words && words->entrypoint[1] && words->cmd[1] && words->env[0],
	   "others stay as they are");
}

static void wrong_types_are_named(void)
{
	ok(refused("[]", "no object"), "the document");
	ok(refused("{\"config\":{\"Env\":\"A=b\"}}", "'Env'"), "a list that is a string");
	ok(refused("{\"config\":{\"Cmd\":[\"a\",1]}}", "'Cmd'"), "a number in a list");
	ok(refused("{\"config\":{\"Labels\":[]}}", "'Labels'"), "labels that are a list");
	ok(refused("{\"os\":7}", "'os'"), "a string that is a number");
	ok(refused("{\"config\":[]}", "'config'"), "a list in the place of all of them");
	ok(refused("{", "no valid JSON"), "broken JSON");
}

static char **diff_ids(const char *text, int *result)
{
	char **list = NULL;

	*result = oci_diff_ids(text, strlen(text), &list, &err);
	return list;
}

static void diff_ids_are_read(void)
{
	int result;
	char **list = diff_ids("{\"rootfs\":{\"diff_ids\":[\"sha256:a\",\"x\"]}}", &result);

	ok(result == 0 && words_count(list) == 2, "as many as there are");
	is_str(list ? list[1] : NULL, "x", "as they stand there");
	words_free(list);
	list = diff_ids("{\"rootfs\":{\"diff_ids\":[]}}", &result);
	ok(result == 0 && list && !list[0], "an empty list");
	words_free(list);
	ok(!diff_ids("{}", &result) && result == 0, "none");
	ok(!diff_ids("{\"rootfs\":null}", &result) && result == 0, "null");
	ok(!diff_ids("{\"rootfs\":[]}", &result) && result == -1 && strstr(err.text, "'rootfs'"),
	   "a wrong type is named");
	ok(!diff_ids("{\"rootfs\":{\"diff_ids\":[7]}}", &result) && result == -1,
	   "also in the list");
}

/* What one of the two takes for JSON the other does, too. */
static void both_readers_agree(void)
{
	static const char *const documents[] = {
		"",
		"{",
		"{}x",
		"[]",
		"null",
		"{\"os\":null,\"os\":null}",
		"{\"config\":{\"Cmd\":[],\"Cmd\":[]}}",
		"{\"rootfs\":{\"type\":\"a\",\"type\":\"b\"}}",
		"{\"x\":\"\\u0000\"}",
		"{\"x\":\"\xff\"}",
		"{\"x\":01}",
		"{\"x\":1e999,\"y\":99999999999999999999}",
		"{\"history\":[{\"empty_layer\":true}]}",
		"\xef\xbb\xbf{}",
	};

	for (size_t i = 0; i < COUNT_OF(documents); i++) {
		auto_oci_config *config = parse(documents[i]);
		int result;

		words_free(diff_ids(documents[i], &result));
		ok((config != NULL) == (result == 0), "document %zu: both %s it", i,
		   config ? "take" : "refuse");
	}
}

int main(void)
{
	a_configuration_is_read();
	what_is_absent_or_null_is_null();
	one_empty_string_is_no_command();
	wrong_types_are_named();
	diff_ids_are_read();
	both_readers_agree();
	return done_testing();
}
