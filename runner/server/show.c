/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/server/show.h"

#include "lib/own.h"
#include "runner/server/node.h"

#include <string.h>
#include <sys/stat.h>

enum { SHOWN_MAX = 4096, LINKS_MAX = 40, TEXT_MAX = 8192, DEPTH_MAX = 2048 };

struct show_tree {
	struct shown *item;
	size_t count, room;
	struct squashfs_reader *reader; /* while it is made */
	uint64_t root_ref;
};

/* Where a walk along a path stands. */
struct place {
	uint64_t id;
	bool is_dir;
	bool has_inode;
	struct squashfs_inode inode; /* of the image, if has_inode */
};

struct walk {
	char text[TEXT_MAX]; /* the rest of the path, rewritten as symlinks are met */
	const char *rest;
	unsigned links;
	struct place above[DEPTH_MAX];
	size_t depth;
	struct place here;
};

const struct shown *show_find(const struct show_tree *tree, uint64_t parent, const char *name,
			      size_t len)
{
	for (size_t i = 0; i < tree->count; i++) {
		const struct shown *shown = &tree->item[i];

		if (shown->parent == parent && shown->len == len &&
		    memcmp(shown->name, name, len) == 0)
			return shown;
	}
	return NULL;
}

const struct shown *show_get(const struct show_tree *tree, uint64_t id)
{
	uint64_t number = id & ~NODE_SHOWN;

	return node_is_shown(id) && number < tree->count ? &tree->item[number] : NULL;
}

int show_next(const struct show_tree *tree, uint64_t parent, int from, const struct shown **out)
{
	for (size_t i = (size_t)from; i < tree->count; i++) {
		if (tree->item[i].parent != parent)
			continue;
		*out = &tree->item[i];
		return (int)i;
	}
	return -1;
}

uint64_t shown_size(const struct shown *shown)
{
	return shown->size + (shown->has_base ? shown->base.size : 0);
}

static struct shown *add(struct show_tree *tree, uint64_t parent, const char *name, size_t len,
			 struct err *err)
{
	struct shown *shown;

	if (tree->count == SHOWN_MAX || len > 255) {
		(void)err_set(err, "too many mount points, or a name is too long: '%.*s'",
			      len > 255 ? 255 : (int)len, name);
		return NULL;
	}
	if (tree->count == tree->room) {
		size_t room = tree->room ? 2 * tree->room : 32;
		struct shown *grown = reallocarray(tree->item, room, sizeof(*grown));

		if (!grown) {
			(void)err_sys(err, "cannot show '%.*s'", (int)len, name);
			return NULL;
		}
		tree->item = grown;
		tree->room = room;
	}
	shown = &tree->item[tree->count];
	memset(shown, 0, sizeof(*shown));
	shown->id = NODE_SHOWN | tree->count++;
	shown->parent = parent;
	shown->len = len;
	memcpy(shown->name, name, len);
	return shown;
}

static int place_of_ref(struct show_tree *tree, uint64_t ref, struct place *out, struct err *err)
{
	struct place place = {.id = node_of_ref(ref, tree->root_ref), .has_inode = true};

	if (squashfs_inode(tree->reader, ref, &place.inode, err) < 0)
		return -1;
	place.is_dir = S_ISDIR(place.inode.mode);
	*out = place;
	return 0;
}

/* Look @name up in @here: among what is shown, then in the image. Returns 1, 0 or -1. */
static int look(struct show_tree *tree, const struct place *here, const char *name, size_t len,
		struct place *out, struct err *err)
{
	const struct shown *shown = show_find(tree, here->id, name, len);
	uint64_t ref;
	int found;

	if (shown) {
		*out = (struct place){.id = shown->id, .is_dir = shown->is_dir};
		return 1;
	}
	if (!here->has_inode)
		return 0;
	found = squashfs_lookup(tree->reader, &here->inode, name, len, &ref, err);
	if (found <= 0)
		return found;
	return place_of_ref(tree, ref, out, err) < 0 ? -1 : 1;
}

/* Put the target of the symlink @link before the rest of the path. */
static int follow(struct show_tree *tree, struct walk *walk, const struct squashfs_inode *link,
		  struct err *err)
{
	char target[TEXT_MAX / 2];
	ssize_t len;

	if (++walk->links > LINKS_MAX)
		return err_code(err, ELOOP, "cannot follow symlinks");
	len = squashfs_readlink(tree->reader, link, target, sizeof(target), err);
	if (len < 0)
		return -1;
	if ((size_t)len + strlen(walk->rest) + 2 > sizeof(walk->text))
		return err_code(err, ENAMETOOLONG, "cannot follow symlinks");
	memmove(walk->text + len + 1, walk->rest, strlen(walk->rest) + 1);
	memcpy(walk->text, target, (size_t)len);
	walk->text[len] = '/';
	walk->rest = walk->text;
	if (target[0] == '/') {
		walk->depth = 0;
		return place_of_ref(tree, tree->root_ref, &walk->here, err);
	}
	return 0;
}

static int step_down(struct walk *walk, const struct place *next, struct err *err)
{
	if (walk->depth == DEPTH_MAX)
		return err_code(err, ENAMETOOLONG, "cannot follow a path");
	walk->above[walk->depth++] = walk->here;
	walk->here = *next;
	return 0;
}

static bool replaces(const struct show *show)
{
	return show->kind == SHOW_FILE || show->kind == SHOW_PREFIX || show->kind == SHOW_LINK;
}

/* The image's file of that name, wherever its symlink leads, goes behind the content. */
static int add_base(struct show_tree *tree, const struct show *show, struct shown *shown,
		    struct err *err)
{
	int found = squashfs_resolve(tree->reader, show->path, &shown->base, err);

	if (found < 0)
		return -1;
	shown->has_base = found > 0 && S_ISREG(shown->base.mode);
	return 0;
}

/* Whether nothing but directories is above what the link @show leads to. */
static bool leads_to_place(struct show_tree *tree, const struct show *show)
{
	const char *at = show->content;
	struct place here;
	struct err ignored;

	if (place_of_ref(tree, tree->root_ref, &here, &ignored) < 0)
		return false;
	for (at += strspn(at, "/"); strchr(at, '/'); at += strspn(at, "/")) {
		size_t len = strcspn(at, "/");

		if (look(tree, &here, at, len, &here, &ignored) <= 0 || !here.is_dir)
			return false;
		at += len;
	}
	return true;
}

/* The last component: the show itself, or the end of a walk through what is there. */
static int finish(struct show_tree *tree, struct walk *walk, const struct show *show,
		  const char *name, size_t len, const struct place *found, struct err *err)
{
	struct shown *shown;

	if (found && !replaces(show)) {
		if (found->is_dir != (show->kind == SHOW_DIR))
			return err_code(err, found->is_dir ? EISDIR : ENOTDIR,
					"cannot mount at '%s' of the image", show->path);
		return 0;
	}
	if (found && !found->has_inode)
		return 0; /* somebody has shown something there */
	if (show->kind == SHOW_LINK && !leads_to_place(tree, show))
		return 0; /* what is there is better than nothing; the launcher says it */
	shown = add(tree, walk->here.id, name, len, err);
	if (!shown)
		return -1;
	shown->is_dir = show->kind == SHOW_DIR;
	shown->is_link = show->kind == SHOW_LINK;
	shown->content = show->content;
	shown->size = show->size;
	return found && show->kind == SHOW_PREFIX ? add_base(tree, show, shown, err) : 0;
}

/* Whether the walk ends at a symlink of the image. What takes its name's place does not follow it.
 */
static int meet_link(struct show_tree *tree, struct walk *walk, const struct show *show,
		     const struct squashfs_inode *link, struct err *err)
{
	if (show->flags & SHOW_STRAIGHT)
		return 1;
	if (follow(tree, walk, link, err) < 0)
		return err->code == EIO ? -1 : err_aim(err, "cannot mount at '%s'", show->path);
	return 0;
}

/* One component of the path. Returns 1 when the walk is over. */
static int step(struct show_tree *tree, struct walk *walk, const struct show *show, struct err *err)
{
	struct place next;
	const char *name;
	size_t len;
	bool last;
	int found;

	walk->rest += strspn(walk->rest, "/");
	name = walk->rest;
	len = strcspn(name, "/");
	last = name[len + strspn(name + len, "/")] == '\0';
	walk->rest += len;
	if (len == 0)
		return 1;
	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		if (walk->depth > 0)
			walk->here = walk->above[--walk->depth];
		return 0;
	}
	if (!walk->here.is_dir)
		return err_code(err, ENOTDIR, "cannot mount at '%s' of the image", show->path);
	found = look(tree, &walk->here, name, len, &next, err);
	if (found < 0)
		return -1;
	if (found && next.has_inode && S_ISLNK(next.inode.mode) && !(last && replaces(show)))
		return meet_link(tree, walk, show, &next.inode, err);
	if (last)
		return finish(tree, walk, show, name, len, found ? &next : NULL, err) < 0 ? -1 : 1;
	if (!found) {
		struct shown *shown = add(tree, walk->here.id, name, len, err);

		if (!shown)
			return -1;
		shown->is_dir = true;
		next = (struct place){.id = shown->id, .is_dir = true};
	}
	return step_down(walk, &next, err);
}

static int add_show(struct show_tree *tree, struct walk *walk, const struct show *show,
		    struct err *err)
{
	int result;

	if (strlen(show->path) >= sizeof(walk->text) / 2)
		return err_code(err, ENAMETOOLONG, "cannot mount at '%s'", show->path);
	memcpy(walk->text, show->path, strlen(show->path) + 1);
	walk->rest = walk->text;
	walk->links = 0;
	walk->depth = 0;
	if (place_of_ref(tree, tree->root_ref, &walk->here, err) < 0)
		return -1;
	do
		result = step(tree, walk, show, err);
	while (result == 0);
	return result < 0 ? -1 : 0;
}

int show_tree_new(struct squashfs_reader *reader, const struct show *shows, size_t count,
		  struct show_tree **out, struct err *err)
{
	auto_show_tree *tree = calloc(1, sizeof(*tree));
	auto_free struct walk *walk = malloc(sizeof(*walk));

	if (!tree || !walk)
		return err_sys(err, "cannot show mount points");
	tree->reader = reader;
	tree->root_ref = squashfs_info(squashfs_reader_image(reader))->root;
	for (size_t i = 0; i < count; i++)
		if (add_show(tree, walk, &shows[i], err) < 0 &&
		    (!(shows[i].flags & SHOW_LENIENT) || err->code == EIO))
			return -1;
	*out = take_ptr(&tree);
	return 0;
}

void show_tree_free(struct show_tree *tree)
{
	if (!tree)
		return;
	free(tree->item);
	free(tree);
}

void show_tree_freep(struct show_tree **tree)
{
	show_tree_free(*tree);
}
