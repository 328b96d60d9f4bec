/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/across/given.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	DOCUMENTS_MAX = 32, /* indexes in indexes, the manifest, the configuration */
	BLOBS_MAX = 10000,  /* more than an image has layers, each of them twice */
	IMAGES_MAX = 4, /* the largest image so often, for all blobs: layers hide others' files */
};

struct given {
	pthread_mutex_t lock;
	struct {
		char *text;
		size_t size;
	} document[DOCUMENTS_MAX];
	size_t documents, blobs;
	uint64_t max_size, size; /* of one blob, of all so far */
};

struct given *given_new(uint64_t max_size)
{
	struct given *given = calloc(1, sizeof(*given));

	if (!given)
		return NULL;
	(void)pthread_mutex_init(&given->lock, NULL);
	/* What does not compress becomes a bit larger. */
	if (max_size > UINT64_MAX / 2 / IMAGES_MAX)
		max_size = UINT64_MAX / 2 / IMAGES_MAX;
	given->max_size = max_size + max_size / 1024 + (64 << 10);
	return given;
}

void given_free(struct given *given)
{
	if (!given)
		return;
	for (size_t i = 0; i < given->documents; i++)
		free(given->document[i].text);
	(void)pthread_mutex_destroy(&given->lock);
	free(given);
}

int given_document(struct given *given, const char *text, size_t size, struct err *err)
{
	auto_free char *copy = malloc(size + 1);
	int result = 0;

	if (!copy)
		return err_sys(err, "cannot keep a document");
	memcpy(copy, text, size);
	(void)pthread_mutex_lock(&given->lock);
	if (given->documents == DOCUMENTS_MAX) {
		result = err_set(err, "the image has more than %d documents", DOCUMENTS_MAX);
	} else {
		given->document[given->documents].text = take_ptr(&copy);
		given->document[given->documents++].size = size;
	}
	(void)pthread_mutex_unlock(&given->lock);
	return result;
}

/* With the lock held. */
static bool is_named(const struct given *given, const struct digest *digest)
{
	for (size_t i = 0; i < given->documents; i++)
		if (memmem(given->document[i].text, given->document[i].size, digest->text,
			   strlen(digest->text)))
			return true;
	return false;
}

static int refuse(const struct digest *digest, struct err *err)
{
	return err_set(err, "no document of the image names %s", digest->text);
}

int given_has(struct given *given, const struct digest *digest, struct err *err)
{
	bool named;

	(void)pthread_mutex_lock(&given->lock);
	named = is_named(given, digest);
	(void)pthread_mutex_unlock(&given->lock);
	return named ? 0 : refuse(digest, err);
}

/* With the lock held. */
static int count(struct given *given, uint64_t size, const char *what, struct err *err)
{
	if (size > given->max_size)
		return err_set(err,
			       "%s is of %" PRIu64
			       " bytes, more than an image may have (firn.conf's [build] max-size)",
			       what, size);
	if (given->blobs == BLOBS_MAX || size > IMAGES_MAX * given->max_size - given->size)
		return err_set(err,
			       "%s and the layers before it are too large "
			       "(firn.conf's [build] max-size)",
			       what);
	given->blobs++;
	given->size += size;
	return 0;
}

int given_blob(struct given *given, const struct digest *digest, uint64_t size, const char *what,
	       struct err *err)
{
	int result;

	(void)pthread_mutex_lock(&given->lock);
	result = is_named(given, digest) ? count(given, size, what, err) : refuse(digest, err);
	(void)pthread_mutex_unlock(&given->lock);
	return result;
}
