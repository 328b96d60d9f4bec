/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "builder/verify.h"

#include "builder/compat.h"
#include "builder/data.h"
#include "builder/treedigest.h"
#include "lib/image.h"
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
	const struct node *node;

	if (!sum || !buffer)
		return err_sys(err, "cannot sum up the image");
	if (tree_new(recipe->limits.max_entries, NULL, &tree, err) < 0 ||
	    source_open_image(path, &options, &source, err) < 0 || source->fill(source, tree, err) < 0)
		return -1;
	node = tree_find(tree, PROVENANCE_FILE);
	if (!node || !node->inode || !S_ISREG(node->inode->mode) || node->inode->size > DOCUMENT_MAX)
		return err_set(err, "'%s' has no /" PROVENANCE_FILE ": firn build did not make it", path);
	text = malloc((size_t)node->inode->size + 1);
	if (!text)
		return err_sys(err, "cannot read the provenance");
	for (uint64_t at = 0; at < node->inode->size;) {
		struct squashfs_inode inode;
		ssize_t n = squashfs_inode(node->inode->data.from.squashfs, node->inode->data.offset, &inode, err);

		if (n == 0)
			n = squashfs_pread(node->inode->data.from.squashfs, &inode, text + at, inode.size - at, at, err);
		if (n <= 0)
			return n < 0 ? -1 : err_set(err, "the provenance is shorter than it says");
		at += (uint64_t)n;
	}
	if (provenance_read(text, (size_t)node->inode->size, provenance, err) < 0 || tree_finish(tree, err) < 0)
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

static int build_again(const char *path, const struct recipe *recipe, const struct claims *claims,
		       const char *from, struct verified *out, struct err *err)
{
	struct recipe again = *recipe;
	struct built built = {0};
	const char *folder = getenv("TMPDIR");
	auto_fd fd = -1;

	again.source = from ? from : claims->reference;
	again.options = claims->provenance.options;
	if (!again.source)
		return err_set(err, "'%s' has no recorded source to build from; name one with --from", path);
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
