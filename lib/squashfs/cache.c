/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * Decompressed blocks, found by their place in the image. One lock, held for a
 * few instructions only: never while a block is read or decompressed. Whoever
 * wants a block that another thread is filling waits for that thread.
 */
#include "lib/squashfs/private.h"

enum { BUCKETS = 1024 };

enum block_state { BLOCK_FILLING, BLOCK_READY };

struct block_cache {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	size_t block_size;
	unsigned limit, count;
	struct block *newest, *oldest; /* unpinned ones, by last use */
	struct block *bucket[BUCKETS];
};

struct block_cache *cache_new(size_t block_size, size_t limit)
{
	struct block_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	(void)pthread_mutex_init(&cache->lock, NULL);
	(void)pthread_cond_init(&cache->filled, NULL);
	cache->block_size = block_size;
	cache->limit = limit / block_size < 4 ? 4 : (unsigned)(limit / block_size);
	return cache;
}

static void block_free(struct block *block)
{
	if (!block)
		return;
	free(block->data);
	free(block);
}

void cache_free(struct block_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *block = cache->bucket[i]; block;) {
			struct block *next = block->chain;

			block_free(block);
			block = next;
		}
	(void)pthread_mutex_destroy(&cache->lock);
	(void)pthread_cond_destroy(&cache->filled);
	free(cache);
}

static struct block **bucket_of(struct block_cache *cache, uint64_t position)
{
	/* Fibonacci hashing: positions share their low and high bits. */
	return &cache->bucket[(position * 0x9e3779b97f4a7c15ull) >> 54];
}

static struct block *find(struct block_cache *cache, uint64_t position, uint32_t word)
{
	struct block *block = *bucket_of(cache, position);

	while (block && (block->position != position || block->word != word))
		block = block->chain;
	return block;
}

static void unchain(struct block_cache *cache, struct block *block)
{
	struct block **link = bucket_of(cache, block->position);

	while (*link != block)
		link = &(*link)->chain;
	*link = block->chain;
}

/* The list of unpinned blocks. */
static void list_remove(struct block_cache *cache, struct block *block)
{
	*(block->newer ? &block->newer->older : &cache->newest) = block->older;
	*(block->older ? &block->older->newer : &cache->oldest) = block->newer;
}

static void list_add(struct block_cache *cache, struct block *block)
{
	block->newer = NULL;
	block->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = block;
	cache->newest = block;
}

static void pin(struct block_cache *cache, struct block *block)
{
	if (block->pins++ == 0 && block->state == BLOCK_READY)
		list_remove(cache, block);
}

/* A block to fill: a new one, or the one unused for longest. Called with the lock held. */
static struct block *take_block(struct block_cache *cache)
{
	struct block *block = NULL;

	if (cache->count >= cache->limit && cache->oldest) {
		block = cache->oldest;
		list_remove(cache, block);
		unchain(cache, block);
		return block;
	}
	block = calloc(1, sizeof(*block));
	if (!block)
		return NULL;
	block->data = malloc(cache->block_size);
	if (!block->data) {
		free(block);
		return NULL;
	}
	cache->count++;
	return block;
}

/* Fill a new block without the lock; called and left with the lock held. */
static int fill_block(struct block_cache *cache, struct squashfs_reader *reader,
		      struct block *block, cache_fill *fill, struct err *err)
{
	struct block **bucket = bucket_of(cache, block->position);
	int result;

	block->chain = *bucket;
	*bucket = block;
	(void)pthread_mutex_unlock(&cache->lock);
	result = fill(reader, block, err);
	(void)pthread_mutex_lock(&cache->lock);
	if (result == 0) {
		block->state = BLOCK_READY;
	} else {
		/* Who waits for it finds it gone, tries for itself and has its own error. */
		unchain(cache, block);
		block_free(block);
		cache->count--;
	}
	(void)pthread_cond_broadcast(&cache->filled);
	return result;
}

int cache_get(struct block_cache *cache, struct squashfs_reader *reader, uint64_t position,
	      uint32_t word, cache_fill *fill, struct block **out, struct err *err)
{
	struct block *block;
	int result = 0;

	(void)pthread_mutex_lock(&cache->lock);
	while ((block = find(cache, position, word)) && block->state == BLOCK_FILLING)
		(void)pthread_cond_wait(&cache->filled, &cache->lock);
	if (block) {
		pin(cache, block);
	} else {
		block = take_block(cache);
		if (block) {
			block->position = position;
			block->word = word;
			block->state = BLOCK_FILLING;
			block->pins = 1;
			result = fill_block(cache, reader, block, fill, err);
		} else {
			result = err_code(err, ENOMEM, "cannot read the image");
		}
	}
	(void)pthread_mutex_unlock(&cache->lock);
	if (result == 0)
		*out = block;
	return result;
}

struct block *cache_peek(struct block_cache *cache, uint64_t position, uint32_t word)
{
	struct block *block;

	(void)pthread_mutex_lock(&cache->lock);
	block = find(cache, position, word);
	if (block && block->state != BLOCK_READY)
		block = NULL;
	if (block)
		pin(cache, block);
	(void)pthread_mutex_unlock(&cache->lock);
	return block;
}

void cache_put(struct block_cache *cache, struct block *block)
{
	(void)pthread_mutex_lock(&cache->lock);
	if (--block->pins == 0) {
		list_add(cache, block);
		if (cache->count > cache->limit) {
			struct block *oldest = cache->oldest;

			list_remove(cache, oldest);
			unchain(cache, oldest);
			block_free(oldest);
			cache->count--;
		}
	}
	(void)pthread_mutex_unlock(&cache->lock);
}
