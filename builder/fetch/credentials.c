/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/fetch/credentials.h"

#include "builder/fetch/helper.h"
#include "builder/fetch/reference.h"
#include "lib/file.h"

#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>

enum { FILE_MAX = 1 << 20, DECODED_MAX = 16 << 10 };

#define HUB_KEY "https://index.docker.io/v1/"

void credentials_clear(struct credentials *credentials)
{
	char **fields[] = {&credentials->user, &credentials->password,
			   &credentials->identity_token};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (*fields[i])
			explicit_bzero(*fields[i], strlen(*fields[i]));
		free(*fields[i]);
		*fields[i] = NULL;
	}
}

int credentials_decode(const char *base64, struct credentials *out)
{
	size_t len = strlen(base64), padding;
	unsigned char text[DECODED_MAX + 4];
	char *colon;
	int size;

	if (len == 0 || len % 4 != 0 || len / 4 * 3 > DECODED_MAX)
		return -1;
	size = EVP_DecodeBlock(text, (const unsigned char *)base64, (int)len);
	padding = len - strcspn(base64, "=");
	if (size < 0 || padding > 2)
		return -1;
	size -= (int)padding;
	text[size] = 0;
	colon = strchr((char *)text, ':');
	if (!colon || strlen((char *)text) != (size_t)size) {
		explicit_bzero(text, sizeof(text));
		return -1;
	}
	out->user = strndup((char *)text, (size_t)(colon - (char *)text));
	out->password = strdup(colon + 1);
	explicit_bzero(text, sizeof(text));
	return out->user && out->password ? 0 : -1;
}

static int copy_string(const json_t *json, const char *key, char **out)
{
	const char *text = json_string_value(json_object_get(json, key));

	if (!text || !*text)
		return 0;
	*out = strdup(text);
	return *out ? 1 : -1;
}

/* An entry of "auths": 1 when it says who the user is. */
static int take_entry(const json_t *entry, const char *path, struct credentials *out,
		      struct err *err)
{
	const char *auth = json_string_value(json_object_get(entry, "auth"));

	if (copy_string(entry, "identitytoken", &out->identity_token) < 0)
		return err_sys(err, "cannot read '%s'", path);
	if (auth && *auth) {
		if (credentials_decode(auth, out) < 0)
			return err_set(err, "'%s' has credentials that cannot be decoded", path);
		return 1;
	}
	if (copy_string(entry, "username", &out->user) < 0 ||
	    copy_string(entry, "password", &out->password) < 0)
		return err_sys(err, "cannot read '%s'", path);
	return out->user || out->identity_token ? 1 : 0;
}

static int ask(const char *helper, const char *host, struct credentials *out, struct err *err)
{
	json_auto_t *answer = NULL;
	auto_free char *text = NULL;
	size_t size;
	int result = helper_get(helper, host, &text, &size, err);

	if (result <= 0)
		return result;
	answer = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	explicit_bzero(text, size);
	if (!json_is_object(answer))
		return err_set(err, "'docker-credential-%s' does not answer in JSON", helper);
	if (copy_string(answer, "Username", &out->user) < 0)
		return err_sys(err, "cannot ask 'docker-credential-%s'", helper);
	/* The protocol's way to say that the secret is no password. */
	if (copy_string(answer, "Secret", out->user && strcmp(out->user, "<token>") == 0 ?
						&out->identity_token : &out->password) < 0)
		return err_sys(err, "cannot ask 'docker-credential-%s'", helper);
	return out->password || out->identity_token ? 1 : 0;
}

/* Most special first: host/group/name, host/group, host; old files have URLs. */
static const json_t *find_entry(const json_t *auths, const char *host, const char *name)
{
	char key[600];
	const json_t *entry;
	int len = snprintf(key, sizeof(key), "%s/%s", host, name);

	if (len < 0 || (size_t)len >= sizeof(key))
		return NULL;
	for (char *slash = key + len; slash; slash = strrchr(key, '/')) {
		*slash = 0;
		entry = json_object_get(auths, key);
		if (entry)
			return entry;
	}
	if (strcmp(host, REFERENCE_HUB) == 0)
		return json_object_get(auths, HUB_KEY);
	(void)snprintf(key, sizeof(key), "https://%s", host);
	return json_object_get(auths, key);
}

static int search(const json_t *file, const char *path, const char *host, const char *name,
		  struct credentials *out, struct err *err)
{
	const char *server = strcmp(host, REFERENCE_HUB) == 0 ? HUB_KEY : host;
	const char *helper =
		json_string_value(json_object_get(json_object_get(file, "credHelpers"), host));
	const json_t *entry = find_entry(json_object_get(file, "auths"), host, name);
	int found = 0;

	if (!helper && strcmp(server, host) != 0)
		helper = json_string_value(
			json_object_get(json_object_get(file, "credHelpers"), server));
	if (helper)
		return ask(helper, server, out, err);
	if (entry)
		found = take_entry(entry, path, out, err);
	helper = json_string_value(json_object_get(file, "credsStore"));
	return found == 0 && helper ? ask(helper, server, out, err) : found;
}

static int search_file(const char *path, const char *host, const char *name,
		       struct credentials *out, struct err *err)
{
	json_auto_t *json = NULL;
	auto_free char *text = NULL;
	json_error_t error;
	size_t size;

	if (file_read(AT_FDCWD, path, FILE_MAX, &text, &size, err) < 0)
		return err->code == ENOENT || err->code == ENOTDIR ? 0 : -1;
	json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	explicit_bzero(text, size);
	if (!json_is_object(json)) /* error.text would show a piece of the file */
		return err_set(err, "'%s' is no valid JSON (line %d)", path, error.line);
	return search(json, path, host, name, out, err);
}

int credentials_find(const char *host, const char *name, struct credentials *out, struct err *err)
{
	const char *home = getenv("HOME");
	const struct {
		const char *folder, *name;
	} files[] = {
		{getenv("REGISTRY_AUTH_FILE"), ""},
		{getenv("DOCKER_CONFIG"), "/config.json"},
		{getenv("XDG_RUNTIME_DIR"), "/containers/auth.json"},
		{home, "/.docker/config.json"},
	};

	*out = (struct credentials){0};
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		auto_free char *path = NULL;
		int result;

		if (!files[i].folder || !*files[i].folder)
			continue;
		if (asprintf(&path, "%s%s", files[i].folder, files[i].name) < 0)
			return err_sys(err, "cannot read credentials");
		result = search_file(path, host, name, out, err);
		if (result < 0)
			credentials_clear(out);
		if (result != 0)
			return result;
	}
	return 0;
}
