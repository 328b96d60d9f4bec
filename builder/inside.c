/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/inside.h"

#include "builder/record/treedigest.h"
#include "builder/squash/compat.h"
#include "lib/image/oci.h"
#include "lib/image/origin.h"
#include "lib/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

enum { READERS_MAX = LINE_READERS }; /* layers that are fetched and read at once */

/* Everything of one build. */
struct work {
	const struct recipe *recipe;
	struct limits limits;
	struct budget memory;
	struct spool *spool;
	struct asker *ask;
	struct source *source;
	struct tree *tree;
	struct packer *packer;
	struct board *board;
	uint64_t data_size;
};

/* Layers are taken by threads, largest first; the first error ends them all. */
struct readers {
	struct work *work;
	size_t *order;
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock;
	struct err err;
};

static void fail(struct readers *readers, const struct err *err)
{
	bool first;

	(void)pthread_mutex_lock(&readers->lock);
	first = !atomic_exchange(&readers->failed, true);
	if (first)
		readers->err = *err;
	(void)pthread_mutex_unlock(&readers->lock);
	/* The others may wait for bytes that come slowly, if at all. */
	if (first && readers->work->ask)
		ask_to_stop(readers->work->ask, false);
}

/* @again: it failed for a damaged copy of it, which is gone. */
static int try_layer(struct work *work, size_t index, bool *again, struct err *err)
{
	struct source *source = work->source;
	struct stream *stream;
	uint64_t offset = 0;
	int fd = -1, result;

	*again = false;
	if (source->open_layer(source, index, &stream, &fd, &offset, err) < 0)
		return -1;
	result = layer_read(&source->layer[index], stream, fd, offset, work->spool, &work->limits,
			    err);
	if (source->close_layer)
		*again = source->close_layer(source, index, result == 0);
	return result;
}

static int read_layer(struct work *work, size_t index, struct err *err)
{
	bool again;
	int result = try_layer(work, index, &again, err);

	if (result == 0 || !again)
		return result;
	layer_restart(&work->source->layer[index]);
	return try_layer(work, index, &again, err);
}

static void *read_layers(void *arg)
{
	struct readers *readers = arg;
	struct source *source = readers->work->source;
	struct err err;

	while (!atomic_load(&readers->failed)) {
		size_t at = atomic_fetch_add(&readers->next, 1);

		if (at >= source->count)
			break;
		if (read_layer(readers->work, readers->order[at], &err) < 0)
			fail(readers, &err);
	}
	return NULL;
}

static size_t *largest_first(const struct source *source)
{
	size_t *order = calloc(source->count + 1, sizeof(*order));

	for (size_t i = 0; order && i < source->count; i++) {
		size_t at = i;

		for (; at > 0 && source->layer[order[at - 1]].size < source->layer[i].size; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return order;
}

static int read_all_layers(struct work *work, struct err *err)
{
	struct readers readers = {.work = work, .lock = PTHREAD_MUTEX_INITIALIZER};
	size_t count = work->source->count < READERS_MAX ? work->source->count : READERS_MAX;
	pthread_t thread[READERS_MAX];
	size_t started = 0;

	readers.order = largest_first(work->source);
	if (!readers.order)
		return err_sys(err, "cannot read the layers");
	for (size_t i = 0; i < work->source->count; i++)
		work->source->layer[i].cancel = &readers.failed;
	if (work->ask)
		ask_to_begin(work->ask);
	while (started + 1 < count &&
	       pthread_create(&thread[started], NULL, read_layers, &readers) == 0)
		started++;
	(void)read_layers(&readers);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(thread[i], NULL);
	free(readers.order);
	if (!atomic_load(&readers.failed)) {
		if (work->ask)
			ask_to_stop(work->ask, true); /* its threads make room for ours */
		return 0;
	}
	*err = readers.err;
	return -1;
}

static int fill_tree(struct work *work, struct err *err)
{
	struct source *source = work->source;

	if (source->fill)
		return source->fill(source, work->tree, err);
	if (read_all_layers(work, err) < 0)
		return -1;
	for (size_t i = 0; i < source->count; i++) {
		struct layer *layer = &source->layer[i];

		if (tree_apply(work->tree, (uint32_t)i + 1, layer->entry, layer->count, err) < 0)
			return err_aim(err, "%s", layer->name);
		log_debug("%s: %zu entries, %s", layer->name, layer->count, layer->compression);
		free(take_ptr(&layer->entry));
	}
	return 0;
}

/* Device nodes cannot be made or used without privileges; runners show the host's /dev. */
static void drop_devices(struct tree *tree)
{
	struct node *node = tree->root;
	size_t dropped = 0;
	char path[256];

	while (node) {
		struct node *next = node->child;

		for (const struct node *up = node; !next && up != tree->root; up = up->parent)
			next = up->next;
		if (node->inode && (S_ISCHR(node->inode->mode) || S_ISBLK(node->inode->mode))) {
			if (dropped++ == 0)
				log_info("device '%s' is left out",
					 node_path(node, path, sizeof(path)));
			tree_remove(tree, node);
		}
		node = next;
	}
	if (dropped > 0)
		log_warning("%zu device node%s left out: /dev is the host's", dropped,
			    dropped > 1 ? "s are" : " is");
}

static int normalize(void *arg, struct node *node, struct err *err)
{
	struct work *work = arg;
	const struct build_options *options = &work->recipe->options;
	struct inode *inode = node->inode;

	(void)err;
	if (options->all_root)
		inode->uid = inode->gid = 0;
	if (options->has_epoch && inode->mtime > options->epoch)
		inode->mtime = options->epoch;
	if (S_ISREG(inode->mode))
		work->data_size += inode->size;
	return 0;
}

static int pack_file(void *arg, struct node *node, struct err *err)
{
	struct work *work = arg;
	struct inode *inode = node->inode;
	char path[300];

	if (!S_ISREG(inode->mode) || inode->sum)
		return 0;
	if (packer_file(work->packer, work->tree, inode, err) < 0)
		return err_is_full(err) ? -1
					: err_aim(err, "'%s'", node_path(node, path, sizeof(path)));
	board_add(work->board, inode->size);
	return 0;
}

/* RFC 3339, as the configuration's "created"; 0 for what cannot be read. */
static uint32_t parse_time(const char *text)
{
	struct tm tm = {0};
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int hours, minutes;
	char sign;
	time_t time;

	if (!rest)
		return 0;
	time = timegm(&tm);
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3)
		time -= (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return time < 0 || time > UINT32_MAX ? 0 : (uint32_t)time;
}

static int image_time(const struct work *work, uint32_t *out, struct err *err)
{
	auto_oci_config *config = NULL;

	*out = 0;
	if (work->recipe->options.has_epoch) {
		*out = work->recipe->options.epoch;
		return 0;
	}
	if (!work->source->config)
		return 0;
	if (oci_config_parse(work->source->config, work->source->config_size, &config, err) < 0)
		return -1;
	*out = parse_time(config->created);
	return 0;
}

/* The provenance names the tree's digest, so its own data comes last. */
static int pack_provenance(struct work *work, struct inode *provenance, struct built *built,
			   struct err *err)
{
	const struct source *source = work->source;
	auto_free char *text = NULL;
	size_t size;

	built->config = source->config_digest;
	if (tree_digest(work->tree, &built->tree, err) < 0 ||
	    compat_ch_digest(work->tree, source->config, source->config_size, &built->ch, err) <
		    0 ||
	    provenance_write(source, &work->recipe->options, &built->tree, &built->ch, &text, &size,
			     err) < 0)
		return -1;
	provenance->size = size;
	provenance->data = (struct data){DATA_MEMORY, {.memory = text}, 0};
	return packer_file(work->packer, work->tree, provenance, err);
}

static int pack(struct work *work, struct inode *provenance, int fd, struct built *built,
		struct err *err)
{
	static const uint8_t later[DIGEST_SIZE];
	uint32_t mtime;

	if (image_time(work, &mtime, err) < 0 ||
	    packer_new(fd, work->recipe->out, &work->recipe->options.codec, work->recipe->jobs,
		       &work->packer, err) < 0)
		return -1;
	board_pack(work->board, work->data_size);
	provenance->sum = later;
	if (tree_walk(work->tree, pack_file, work, err) != 0 ||
	    pack_provenance(work, provenance, built, err) < 0)
		return -1;
	return packer_finish(work->packer, work->tree, mtime, &built->size, err);
}

static int add_origin(const struct work *work, int fd, struct built *built, struct err *err)
{
	static const char name[] = "the image";
	auto_hasher *sum = hasher_new();
	auto_free char *text = NULL;
	uint64_t end = built->size;

	if (!sum)
		return err_sys(err, "cannot compute a digest");
	if (hasher_add_file(sum, fd, 0, end, name, err) < 0 ||
	    hasher_peek(sum, &built->image, err) < 0 ||
	    provenance_write_origin(work->source, &built->image, &text, err) < 0)
		return -1;
	built->file = built->image;
	if (!text)
		return 0;
	if (origin_write(fd, end, text, strlen(text), err) < 0)
		return err_is_full(err) ? pack_full(work->recipe->out, err->code, err) : -1;
	built->size += origin_offset(ORIGIN_HEADER_SIZE + strlen(text));
	if (hasher_add_file(sum, fd, end, built->size, name, err) < 0)
		return -1;
	hasher_end(sum, &built->file);
	built->reference = strdup(work->source->origin.reference);
	return 0;
}

/* What others may see of the layers while they are read. */
static void show_layers(struct work *work)
{
	struct board *board = work->board;
	size_t count = work->source->count;

	if (count > BOARD_LAYERS_MAX)
		return;
	for (size_t i = 0; i < count; i++) {
		struct layer *layer = &work->source->layer[i];
		struct board_layer *shown = &board->layer[i];

		(void)snprintf(shown->name, sizeof(shown->name), "%s", layer->name);
		shown->size = layer->size;
		layer->board = shown;
	}
	atomic_store(&board->count, count);
}

/* A directory is read outside of the cage, where names can be followed. */
static void find_own(const struct inside *inside, struct source_own own[SOURCE_OWN_FILES])
{
	const char *name = inside->recipe->leave_out;
	struct stat stat;

	if (inside->reach->kind != REACH_ROOT)
		return;
	if (fstat(inside->out, &stat) == 0)
		own[0] = (struct source_own){stat.st_dev, stat.st_ino};
	if (name && lstat(name, &stat) == 0)
		own[1] = (struct source_own){stat.st_dev, stat.st_ino};
}

static int go(struct work *work, const struct inside *inside, struct built *built, struct err *err)
{
	const struct recipe *recipe = work->recipe;
	struct source_options options = {.platform = recipe->platform, .limits = work->limits};
	struct inode *provenance = NULL;

	if (ask_new(inside->socket, &work->ask, err) < 0)
		return -1;
	options.ask = work->ask;
	find_own(inside, options.own);
	if (tree_new(recipe->limits.max_entries, work->limits.memory, &work->tree, err) < 0 ||
	    source_open(inside->reach, &options, &work->source, err) < 0)
		return -1;
	show_layers(work);
	if (fill_tree(work, err) < 0)
		return -1;
	drop_devices(work->tree);
	if (compat_add(work->tree, work->source->config, work->source->config_size, &provenance,
		       err) < 0 ||
	    tree_finish(work->tree, err) < 0 || tree_walk(work->tree, normalize, work, err) < 0)
		return -1;
	if (work->data_size > recipe->limits.max_size)
		return err_set(err,
			       "more than %" PRIu64
			       " bytes of files (firn.conf's [build] max-size)",
			       recipe->limits.max_size);
	if (pack(work, provenance, inside->out, built, err) < 0)
		return -1;
	built->inodes = tree_inode_count(work->tree);
	built->data_size = work->data_size;
	return add_origin(work, inside->out, built, err);
}

int inside_build(const struct inside *inside, struct built *built, struct err *err)
{
	const struct recipe *recipe = inside->recipe;
	struct work work = {.recipe = recipe,
			    .limits = recipe->limits,
			    .memory = {.max = recipe->limits.max_memory},
			    .spool = inside->spool,
			    .board = inside->board};
	int result;

	if (work.memory.max > 0)
		work.limits.memory = &work.memory;
	*built = (struct built){0};
	result = go(&work, inside, built, err);
	packer_free(work.packer);
	packer_forget(work.tree);
	source_close(work.source);
	tree_free(work.tree);
	ask_free(work.ask);
	return result;
}
