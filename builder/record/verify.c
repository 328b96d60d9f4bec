/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/record/verify.h"

#include "builder/cage.h"
#include "builder/fetch/cache.h"
#include "builder/fetch/reference.h"
#include "builder/record/treedigest.h"
#include "builder/squash/compat.h"
#include "builder/squash/data.h"
#include "builder/squash/spool.h"
#include "lib/cage/apart.h"
#include "lib/image/image.h"
#include "lib/image/origin.h"
#include "lib/image/seal.h"
#include "lib/log.h"
#include "lib/squashfs/squashfs.h"

#include <fcntl.h>

enum { REFERENCE_SIZE = 2048 };

/* What the image says of itself, and what it is. */
struct claims {
	struct provenance provenance;
	struct digest origin_image, origin_config; /* "": its origin does not say */
	char reference[REFERENCE_SIZE];		   /* of its source; "": it names none */
	size_t origin_layers; /* that it names, if it does */
	bool origin_has_layers;
	struct digest actual; /* of the file up to its origin */
	struct digest file;   /* of all of it */
	struct digest tree;
};

/* What is read in a process apart. */
struct inspection {
	const char *path; /* for messages */
	const struct recipe *recipe;
	struct image *image;
};

struct summing {
	struct tree *tree;
	struct hasher *sum;
	char *buffer;
};

static int add_data(void *arg, const void *data, size_t size, struct err *err)
{
	static const char zeros[DATA_BUFFER_SIZE];

	(void)err;
	hasher_add(((struct summing *)arg)->sum, data ? data : zeros, size);
	return 0;
}

static int sum_file(void *arg, struct node *node, struct err *err)
{
	struct summing *summing = arg;
	struct inode *inode = node->inode;
	uint8_t *sum;
	char path[300];

	/* The listing that the tree's digest is of has no word for them. */
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
		return err_set(err, "it is not as it was built: the device '%s' was added",
			       node_path(node, path, sizeof(path)));
	if (!S_ISREG(inode->mode) || inode->sum)
		return 0;
	sum = arena_take(&summing->tree->arena, DIGEST_SIZE);
	if (!sum)
		return err_sys(err, "cannot sum up the image");
	if (data_read(inode, summing->buffer, add_data, summing, err) < 0)
		return err_aim(err, "'%s'", node_path(node, path, sizeof(path)));
	hasher_end_bytes(summing->sum, sum);
	inode->sum = sum;
	return 0;
}

static int sum_up(struct tree *tree, struct err *err)
{
	auto_hasher *sum = hasher_new();
	auto_free char *buffer = malloc(DATA_BUFFER_SIZE);
	struct summing summing = {tree, sum, buffer};

	if (!sum || !buffer)
		return err_sys(err, "cannot sum up the image");
	return tree_walk(tree, sum_file, &summing, err);
}

/* The text of /.firn/provenance.json. */
static int read_provenance(const struct tree *tree, char **out, size_t *out_size, struct err *err)
{
	const struct node *node = tree_find(tree, PROVENANCE_FILE);
	struct squashfs_reader *reader;
	struct squashfs_inode inode;
	auto_free char *text = NULL;

	if (!node || !node->inode || !S_ISREG(node->inode->mode) ||
	    node->inode->size > DOCUMENT_MAX)
		return err_set(err, "it has no /" PROVENANCE_FILE ": firn build did not make it");
	reader = node->inode->data.from.squashfs;
	text = malloc((size_t)node->inode->size + 1);
	if (!text)
		return err_sys(err, "cannot read the provenance");
	if (squashfs_inode(reader, node->inode->data.offset, &inode, err) < 0)
		return -1;
	for (uint64_t at = 0; at < inode.size;) {
		ssize_t n = squashfs_pread(reader, &inode, text + at, inode.size - at, at, err);

		if (n <= 0)
			return n < 0 ? -1 : err_set(err, "the provenance is shorter than it says");
		at += (uint64_t)n;
	}
	*out = take_ptr(&text);
	*out_size = (size_t)inode.size;
	return 0;
}

/* The configuration, which says what is run, against what the provenance says of it. */
static int check_config(const struct tree *tree, const struct source *source,
			const struct digest *wanted, struct err *err)
{
	bool is_there = tree_find(tree, CONFIG_FILE);
	struct digest digest;

	if (is_there != (wanted->text[0] != 0))
		return err_set(err,
			       "it is not as it was built: its configuration (/" CONFIG_FILE
			       ") was %s",
			       is_there ? "added" : "removed");
	if (!is_there)
		return 0;
	if (!source->config)
		return err_set(err, "it is not as it was built: its configuration (/" CONFIG_FILE
				    ") is no file");
	if (digest_of_like(wanted, source->config, source->config_size, &digest, err) < 0)
		return -1;
	if (!digest_is(wanted, &digest))
		return err_set(err,
			       "it is not as it was built: its configuration (/" CONFIG_FILE
			       ") was changed: it is %s, its provenance says %s",
			       digest.text, wanted->text);
	return 0;
}

/* What the tree's digest leaves out: /.firn and /ch. */
static int check_runners(const struct tree *tree, const struct source *source,
			 const struct provenance *provenance, struct err *err)
{
	const struct node *alien;
	struct digest ch;
	char path[300];

	if (check_config(tree, source, &provenance->config, err) < 0)
		return -1;
	alien = compat_find_alien(tree, source->config);
	if (alien)
		return err_set(err, "it is not as it was built: '%s' was added or changed",
			       node_path(alien, path, sizeof(path)));
	if (compat_ch_digest(tree, source->config, source->config_size, &ch, err) < 0)
		return -1;
	if (strcmp(ch.text, provenance->ch.text) != 0)
		return err_set(err, "it is not as it was built: what is in /" CH_DIR
				    " (the environment for Charliecloud) was changed");
	return 0;
}

/* All that is in the squashfs, against its provenance. */
static int check_files(struct tree *tree, const struct source *source,
		       struct provenance *provenance, struct digest *digest, struct err *err)
{
	auto_free char *text = NULL;
	size_t size = 0;

	if (read_provenance(tree, &text, &size, err) < 0 ||
	    provenance_read(text, size, provenance, err) < 0 || tree_finish(tree, err) < 0 ||
	    sum_up(tree, err) < 0 || tree_digest(tree, digest, err) < 0)
		return -1;
	if (!digest_is(&provenance->tree, digest))
		return err_set(err,
			       "it is not as it was built: its tree is %s, its provenance says %s",
			       digest->text, provenance->tree.text);
	if (check_runners(tree, source, provenance, err) < 0)
		return -1;
	return provenance_check_layers(text, size, source->config, source->config_size, err);
}

/* The source gets an image of its own, which is closed with it. */
static int read_files(const struct inspection *reading, struct claims *claims, struct err *err)
{
	const struct recipe *recipe = reading->recipe;
	struct source_options options = {.limits = recipe->limits, .exact = true};
	struct budget memory = {.max = recipe->limits.max_memory};
	auto_source *source = NULL;
	auto_tree *tree = NULL;

	if (memory.max > 0)
		options.limits.memory = &memory;
	if (tree_new(recipe->limits.max_entries, options.limits.memory, &tree, err) < 0 ||
	    source_from_image(reading->image, reading->path, &options, &source, err) < 0 ||
	    source->fill(source, tree, err) < 0)
		return -1;
	return check_files(tree, source, &claims->provenance, &claims->tree, err) < 0
		       ? err_aim(err, "'%s'", reading->path)
		       : 0;
}

static int take_origin(const char *text, size_t size, struct claims *claims, struct err *err)
{
	struct origin_claims origin;
	const char *reference;

	if (provenance_read_origin(text, size, &origin, err) < 0)
		return -1;
	claims->origin_image = origin.image;
	claims->origin_config = origin.config;
	claims->origin_has_layers = origin.has_layers;
	claims->origin_layers = origin.layers;
	reference = origin.reference ? origin.reference : "";
	(void)snprintf(claims->reference, sizeof(claims->reference), "%s", reference);
	if (strlen(reference) >= sizeof(claims->reference)) {
		free(origin.reference);
		return err_set(err, "the image's origin cannot be read: 'reference' is too long");
	}
	free(origin.reference);
	return 0;
}

/* Of what is open: whoever has the name may put another file there meanwhile. */
static int sum_up_file(const struct image *image, uint64_t origin, struct claims *claims,
		       struct err *err)
{
	auto_hasher *sum = hasher_new();

	if (!sum)
		return err_sys(err, "cannot sum up the image");
	if (hasher_add_file(sum, image->fd, 0, origin, image->path, err) < 0 ||
	    hasher_peek(sum, &claims->actual, err) < 0 ||
	    hasher_add_file(sum, image->fd, origin, (uint64_t)image->stat.st_size, image->path,
			    err) < 0)
		return -1;
	hasher_end(sum, &claims->file);
	return 0;
}

static int read_origin(const struct inspection *reading, struct claims *claims, struct err *err)
{
	const struct image *image = reading->image;
	auto_squashfs *squashfs = NULL;
	auto_free char *text = NULL;
	uint64_t size;
	size_t text_size = 0;
	int found;

	if (squashfs_open(image->fd, 0, image->size, reading->path, NULL, &squashfs, err) < 0)
		return -1;
	size = origin_offset(squashfs_info(squashfs)->bytes_used);
	if (sum_up_file(image, size, claims, err) < 0)
		return -1;
	found = origin_read(image->fd, size, &text, &text_size, err);
	if (found > 0 && take_origin(text, text_size, claims, err) < 0)
		return err_aim(err, "'%s'", reading->path);
	if (found < 0 ||
	    origin_check_end(image->fd, (uint64_t)image->stat.st_size,
			     squashfs_info(squashfs)->bytes_used, found > 0, text_size, err) < 0)
		return err_aim(err, "'%s' is not as it was built", reading->path);
	if (found == 0 && seal_is_at(image->fd, size))
		log_note("it is sealed: the hashes behind it are not checked");
	return 0;
}

/* The work in the cage. */
static int read_all(void *arg, void *out, struct err *err)
{
	const struct inspection *reading = arg;

	return read_origin(reading, out, err) < 0 ? -1 : read_files(reading, out, err);
}

#define END_TEXT(text) ((text)[sizeof(text) - 1] = 0)

/* What came out of the cage is a stranger's, too: no pointer counts, no text without an
 * end. */
static int settle(struct claims *claims, const char *path, struct err *err)
{
	struct provenance *provenance = &claims->provenance;
	uint32_t block_size = provenance->options.codec.block_size;

	END_TEXT(claims->reference);
	END_TEXT(provenance->codec_text);
	END_TEXT(provenance->firn);
	END_TEXT(provenance->library);
	END_TEXT(provenance->libsquashfs);
	if (codec_parse(provenance->codec_text, &provenance->options.codec, err) < 0)
		return -1;
	if (block_size < 4096 || block_size > 1 << 20 || (block_size & (block_size - 1)) != 0 ||
	    !digest_settle(&provenance->tree, true) || !digest_settle(&provenance->config, false) ||
	    !digest_settle(&provenance->ch, false) || !digest_settle(&claims->actual, true) ||
	    !digest_settle(&claims->file, true) || !digest_settle(&claims->tree, true) ||
	    !digest_settle(&claims->origin_image, false) ||
	    !digest_settle(&claims->origin_config, false))
		return err_set(err, "'%s' cannot be read: what came of it makes no sense", path);
	return 0;
}

static int read_apart(const char *path, const struct recipe *recipe, struct claims *claims,
		      struct err *err)
{
	auto_image *image = NULL;
	struct inspection reading = {path, recipe, NULL};
	struct apart apart = {.what = path,
			      .cage = builder_cage(recipe->conf->require_cage),
			      .work = read_all,
			      .arg = &reading,
			      .out = claims,
			      .size = sizeof(*claims),
			      .keep_count = 1,
			      .speaks = true};

	builder_cage_allow(&apart.cage, recipe->conf, 1);
	if (image_open(path, recipe->conf->require_cage, &image, err) < 0)
		return -1;
	if (image->kind != IMAGE_SQUASHFS)
		return err_set(err, "'%s' is a %s, not an image that firn build made%s", path,
			       image_kind_name(image->kind),
			       image->kind == IMAGE_SIF ? "; signatures of SIF files are not "
							  "checked in this version"
							: "");
	reading.image = image;
	apart.keep[0] = image->fd;
	return apart_run(&apart, err) < 0 ? -1 : settle(claims, path, err);
}

/* What was built again, against the image. */
static int compare(const char *path, const char *source, const struct claims *claims,
		   const struct built *built, struct verified *out, struct err *err)
{
	const struct provenance *provenance = &claims->provenance;

	out->rebuilt = true;
	out->same_bytes = digest_is(&built->image, &claims->actual);
	out->other_codec = !out->same_bytes && !provenance_is_ours(provenance);
	if (!digest_is(&built->tree, &out->tree))
		return err_set(err,
			       "'%s' is not what '%s' gives: its tree is %s, the rebuilt one %s",
			       path, source, out->tree.text, built->tree.text);
	if (strcmp(built->config.text, provenance->config.text) != 0 ||
	    strcmp(built->ch.text, provenance->ch.text) != 0)
		return err_set(err,
			       "'%s' is not what '%s' gives: it has the same files, but another %s",
			       path, source,
			       strcmp(built->ch.text, provenance->ch.text) != 0 ? "/" CH_DIR
										: "configuration");
	if (!out->same_bytes && !out->other_codec)
		return err_set(
			err,
			"'%s' has the files that '%s' gives, but not the same bytes: %s, not %s",
			path, source, claims->actual.text, built->image.text);
	return 0;
}

static int build_again(const char *path, const struct recipe *recipe, const struct claims *claims,
		       const char *source, struct verified *out, struct err *err)
{
	struct recipe again = *recipe;
	struct built built = {0};
	auto_fd fd = spool_unnamed(err);

	if (fd < 0)
		return -1;
	again.source = source;
	again.leave_out = path;
	again.options = claims->provenance.options;
	if (build(&again, fd, &built, err) < 0)
		return -1;
	free(built.reference);
	return compare(path, source, claims, &built, out, err);
}

/*
 * Nothing vouches for the source that an image names: who made the image could have this
 * user's files read, or any host asked with this user's credentials. So it is one that no
 * build would have recorded otherwise, and of a registry that is known here; services of
 * this machine, which may be asked over plain http, are no exception.
 */
static int may_follow(const char *path, const struct recipe *recipe, const char *source,
		      struct err *err)
{
	static const char scheme[] = "docker://";
	const struct conf *conf = recipe->conf;
	auto_reference *reference = NULL;

	if (!*source)
		return err_set(err,
			       "'%s' has no recorded source to build from; name one with --from",
			       path);
	if (strncmp(source, scheme, strlen(scheme)) != 0)
		return err_set(
			err,
			"'%s' claims to be from '%s', which no build records; if you trust that, "
			"name it with --from",
			path, source);
	if (reference_parse(source + strlen(scheme), NULL, &reference, err) < 0)
		return err_aim(err, "the source that '%s' claims", path);
	if (conf_registry(conf, reference->host) ||
	    (conf->default_registry && strcmp(conf->default_registry, reference->host) == 0) ||
	    (recipe->cache && cache_knows_host(recipe->cache, reference->host)))
		return 0;
	return err_set(err,
		       "'%s' claims to be from '%s', but nothing was fetched from that host "
		       "before; if you "
		       "trust it, name it with --from",
		       path, source);
}

static int check_origin(const char *path, const struct claims *claims, struct err *err)
{
	if (claims->origin_image.text[0] && !digest_is(&claims->origin_image, &claims->actual))
		return err_set(err,
			       "'%s' is not as it was built: its digest is %s, its origin says %s",
			       path, claims->actual.text, claims->origin_image.text);
	if (claims->origin_config.text[0] &&
	    strcmp(claims->origin_config.text, claims->provenance.config.text) != 0)
		return err_set(
			err,
			"'%s' is not as it was built: its provenance and its origin name other "
			"configurations",
			path);
	if (claims->origin_has_layers && claims->origin_layers != claims->provenance.layers)
		return err_set(err,
			       "'%s' is not as it was built: its provenance names %zu layers, its "
			       "origin %zu",
			       path, claims->provenance.layers, claims->origin_layers);
	return 0;
}

int verify_image(const char *path, const struct recipe *recipe, bool rebuild, const char *from,
		 struct verified *out, struct err *err)
{
	auto_free struct claims *claims = calloc(1, sizeof(*claims));

	*out = (struct verified){0};
	if (!claims)
		return err_sys(err, "cannot read '%s'", path);
	if (read_apart(path, recipe, claims, err) < 0 || check_origin(path, claims, err) < 0)
		return -1;
	out->file = claims->file;
	out->image = claims->actual;
	out->tree = claims->tree;
	out->has_origin = claims->origin_image.text[0];
	if (!rebuild)
		return 0;
	if (!from && may_follow(path, recipe, claims->reference, err) < 0)
		return -1;
	return build_again(path, recipe, claims, from ? from : claims->reference, out, err);
}
