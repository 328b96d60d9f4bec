/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/verify.h"

#include "builder/compat.h"
#include "builder/data.h"
#include "builder/treedigest.h"
#include "lib/image.h"
#include "lib/log.h"
#include "lib/origin.h"
#include "lib/squashfs.h"

#include <fcntl.h>
#include <sys/mman.h>

/* What the image says of itself. */
struct claims {
	struct provenance provenance;
	char *reference;      /* to fetch the source by; NULL: none recorded */
	struct digest image;  /* "" : none recorded */
	struct digest actual; /* of the file up to its origin */
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

static const struct node *find_file(const struct tree *tree, const char *path)
{
	const struct node *node = tree_find(tree, path);

	return node && node->inode && S_ISREG(node->inode->mode) ? node : NULL;
}

/* The document @path of the image into a new string; @out stays NULL when there is none. */
static int read_document(const struct tree *tree, const char *path, char **out, size_t *size, struct err *err)
{
	const struct node *node = find_file(tree, path);
	const struct data *data;
	struct squashfs_inode inode;
	auto_free char *text = NULL;

	if (!node)
		return 0;
	data = &node->inode->data;
	if (node->inode->size > DOCUMENT_MAX)
		return err_set(err, "'/%s' is too long", path);
	*size = (size_t)node->inode->size;
	text = malloc(*size + 1);
	if (!text)
		return err_sys(err, "cannot read '/%s'", path);
	if (squashfs_inode(data->from.squashfs, data->offset, &inode, err) < 0)
		return -1;
	for (size_t at = 0; at < *size;) {
		ssize_t n = squashfs_pread(data->from.squashfs, &inode, text + at, *size - at, at, err);

		if (n <= 0)
			return n < 0 ? -1 : err_set(err, "'/%s' is shorter than it says", path);
		at += (size_t)n;
	}
	text[*size] = 0;
	*out = take_ptr(&text);
	return 0;
}

/* Nothing is in FIRN_DIR, which the tree's digest leaves out, but what firn build puts there. */
static int check_names(const char *path, const struct tree *tree, struct err *err)
{
	const struct node *own = tree_child(tree, tree->root, FIRN_DIR, strlen(FIRN_DIR));
	const struct node *config = find_file(tree, CONFIG_FILE), *file = find_file(tree, PROVENANCE_FILE);

	for (const struct node *node = own ? own->child : NULL; node; node = node->next)
		if (node != config && node != file)
			return err_set(err, "'%s' is not as it was built: '/" FIRN_DIR "/%.*s' is not of firn build's making",
				       path, (int)node->len, node->name);
	return 0;
}

/* What decides over what runs is the configuration that the provenance records. */
static int check_config(const char *path, const struct tree *tree, const struct digest *recorded, struct err *err)
{
	auto_free char *text = NULL;
	struct digest now = {0};
	size_t size = 0;

	if (read_document(tree, CONFIG_FILE, &text, &size, err) < 0)
		return -1;
	if (text && digest_of(text, size, &now, err) < 0)
		return -1;
	if (!text && recorded->text[0])
		return err_set(err, "'%s' is not as it was built: its configuration (/" CONFIG_FILE ") is missing", path);
	if (text && !recorded->text[0])
		return err_set(err, "'%s' is not as it was built: it had no configuration (/" CONFIG_FILE ")", path);
	if (text && !digest_is(&now, recorded))
		return err_set(err, "'%s' is not as it was built: its configuration (/" CONFIG_FILE ") is %s, its provenance says %s",
			       path, now.text, recorded->text);
	return 0;
}

/* /ch/environment is for Charliecloud, and an image may have brought its own: a word is enough. */
static int check_environment(const struct tree *tree, struct err *err)
{
	auto_free char *config = NULL, *found = NULL, *wanted = NULL;
	size_t config_size = 0, found_size = 0, wanted_size = 0;

	if (read_document(tree, CONFIG_FILE, &config, &config_size, err) < 0 ||
	    read_document(tree, CH_DIR "/environment", &found, &found_size, err) < 0 ||
	    (config && compat_environment(config, config_size, &wanted, &wanted_size, err) < 0))
		return -1;
	if (found && (found_size != wanted_size || memcmp(found, wanted ? wanted : "", found_size) != 0))
		log_warning("'/" CH_DIR "/environment', which Charliecloud reads, is not what the configuration says");
	return 0;
}

/* The tree's digest as the files are now, and the text of the provenance. */
static int read_tree(const char *path, const struct recipe *recipe, struct digest *digest,
		     struct provenance *provenance, struct err *err)
{
	struct source_options options = {.conf = recipe->conf, .limits = recipe->limits};
	auto_source *source = NULL;
	auto_tree *tree = NULL;
	auto_hasher *sum = hasher_new();
	auto_free char *buffer = malloc(DATA_BUFFER_SIZE);
	struct summing summing = {.sum = sum, .buffer = buffer};
	auto_free char *text = NULL;
	size_t size = 0;

	if (!sum || !buffer)
		return err_sys(err, "cannot sum up the image");
	if (tree_new(recipe->limits.max_entries, NULL, &tree, err) < 0 ||
	    source_open_image(path, &options, &source, err) < 0 || source->fill(source, tree, err) < 0)
		return -1;
	if (read_document(tree, PROVENANCE_FILE, &text, &size, err) < 0)
		return -1;
	if (!text)
		return err_set(err, "'%s' has no /" PROVENANCE_FILE ": firn build did not make it", path);
	if (provenance_read(text, size, provenance, err) < 0 || check_names(path, tree, err) < 0 ||
	    check_config(path, tree, &provenance->config, err) < 0 || check_environment(tree, err) < 0 ||
	    tree_finish(tree, err) < 0)
		return -1;
	summing.tree = tree;
	return tree_walk(tree, sum_file, &summing, err) < 0 ? -1 : tree_digest(tree, digest, err);
}

static int read_origin(const char *path, struct claims *claims, struct err *err)
{
	auto_image *image = NULL;
	auto_squashfs *squashfs = NULL;
	auto_free char *text = NULL;
	uint64_t size;
	size_t text_size;
	int found;

	if (image_open(path, &image, err) < 0)
		return -1;
	if (image->kind != IMAGE_SQUASHFS)
		return err_set(err, "'%s' is a %s, not an image that firn build made", path,
			       image_kind_name(image->kind));
	if (squashfs_open(image->fd, 0, image->size, path, NULL, &squashfs, err) < 0)
		return -1;
	size = origin_offset(squashfs_info(squashfs)->bytes_used);
	if (digest_of_file(image->fd, size, path, &claims->actual, err) < 0)
		return -1;
	found = origin_read(image->fd, size, &text, &text_size, err);
	if (found > 0)
		claims->reference = provenance_reference(text, text_size, &claims->image);
	return found < 0 ? -1 : 0;
}

/*
 * The image is a stranger's: what it names is asked for in a registry, and said before; files of this
 * machine are read for whoever names them on the command line.
 */
static int recorded_source(const char *path, const char *reference, struct err *err)
{
	if (!reference)
		return err_set(err, "'%s' has no recorded source to build from; name one with --from", path);
	if (strncmp(reference, "docker://", strlen("docker://")) != 0)
		return err_set(err, "'%s' names '%s' as its source; only a registry is asked because an image says so: "
			       "if it is to be read, name it with --from", path, reference);
	log_notice("building again from '%s'", reference);
	return 0;
}

static int build_again(const char *path, const struct recipe *recipe, const struct claims *claims,
		       const char *from, struct verified *out, struct err *err)
{
	struct recipe again = *recipe;
	struct built built = {0};
	const char *folder = getenv("TMPDIR");
	auto_fd fd = -1;

	again.source = from ? from : claims->reference;
	again.options = claims->provenance.options;
	if (!from && recorded_source(path, claims->reference, err) < 0)
		return -1;
	fd = open(folder && *folder ? folder : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = memfd_create("firn-verify", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot make a temporary file");
	if (build(&again, fd, &built, err) < 0)
		return -1;
	free(built.reference);
	out->rebuilt = true;
	out->same_bytes = digest_is(&built.image, &claims->actual);
	out->other_codec = !out->same_bytes && !provenance_is_ours(&claims->provenance);
	if (!digest_is(&built.tree, &out->tree))
		return err_set(err, "'%s' is not what '%s' gives: its tree is %s, the rebuilt one %s", path,
			       again.source, out->tree.text, built.tree.text);
	if (!out->same_bytes && !out->other_codec)
		return err_set(err, "'%s' has the files that '%s' gives, but not the same bytes: %s, not %s", path,
			       again.source, claims->actual.text, built.image.text);
	return 0;
}

static int check(const char *path, const struct recipe *recipe, bool rebuild, const char *from,
		 struct claims *claims, struct verified *out, struct err *err)
{
	if (read_origin(path, claims, err) < 0 ||
	    read_tree(path, recipe, &out->tree, &claims->provenance, err) < 0)
		return -1;
	out->image = claims->actual;
	if (!digest_is(&claims->provenance.tree, &out->tree))
		return err_set(err, "'%s' is not as it was built: its tree is %s, its provenance says %s", path,
			       out->tree.text, claims->provenance.tree.text);
	if (claims->image.text[0] && !digest_is(&claims->image, &claims->actual))
		return err_set(err, "'%s' is not as it was built: its digest is %s, its origin says %s", path,
			       claims->actual.text, claims->image.text);
	out->has_origin = claims->image.text[0];
	return rebuild ? build_again(path, recipe, claims, from, out, err) : 0;
}

int verify_image(const char *path, const struct recipe *recipe, bool rebuild, const char *from,
		 struct verified *out, struct err *err)
{
	struct claims claims = {0};
	int result;

	*out = (struct verified){0};
	result = check(path, recipe, rebuild, from, &claims, out, err);
	free(claims.reference);
	return result;
}
