/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/plan.h"

#include "lib/image/image.h"
#include "lib/path.h"
#include "lib/words.h"

#include <inttypes.h>
#include <string.h>

struct plan *plan_new(void)
{
	return calloc(1, sizeof(struct plan));
}

static void step_free(struct plan_step *step)
{
	if (step->kind == PLAN_PIPE)
		own_close(&step->fd);
	image_free(step->image);
	free(step->source);
	free(step->target);
	free(step->content);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->count; i++)
		step_free(&plan->step[i]);
	free(plan->step);
	free(plan->image);
	words_free(plan->argv);
	words_free(plan->env);
	words_free(plan->scripts);
	words_free(plan->own);
	free(plan->path_first);
	free(plan->path_last);
	words_free(plan->cwd);
	free(plan);
}

void plan_freep(struct plan **plan)
{
	plan_free(*plan);
}

/* Take over @step, or free what it holds. */
static int append(struct plan *plan, struct plan_step *step, struct err *err)
{
	struct plan_step *grown =
		reallocarray(plan->step, plan->count + 1, sizeof(*plan->step));

	if (!grown) {
		(void)err_sys(err, "cannot plan '%s'", step->target ? step->target : "/");
		step_free(step);
		return -1;
	}
	plan->step = grown;
	plan->step[plan->count++] = *step;
	return 0;
}

static int set_target(struct plan_step *step, const char *target, struct err *err)
{
	if (path_tidy(target, &step->target, err) < 0)
		return -1;
	if (strcmp(step->target, "/") == 0) {
		free(take_ptr(&step->target));
		return err_set(err, "nothing can be mounted on '/' of the image");
	}
	return 0;
}

static int copy_text(char **to, const char *from, struct err *err)
{
	*to = strdup(from);
	return *to ? 0 : err_sys(err, "cannot plan '%s'", from);
}

int plan_add_bind(struct plan *plan, const char *source, const char *target, unsigned flags,
		  struct err *err)
{
	struct plan_step step = {.kind = PLAN_BIND, .flags = flags};

	if (set_target(&step, target, err) < 0 || copy_text(&step.source, source, err) < 0) {
		step_free(&step);
		return -1;
	}
	return append(plan, &step, err);
}

int plan_add_tmpfs(struct plan *plan, const char *target, uint64_t size, unsigned flags,
		   struct err *err)
{
	struct plan_step step = {.kind = PLAN_TMPFS, .flags = flags, .size = size};

	if (set_target(&step, target, err) < 0)
		return -1;
	return append(plan, &step, err);
}

int plan_add_text(struct plan *plan, enum plan_kind kind, const char *target, const char *content,
		  struct err *err)
{
	struct plan_step step = {.kind = kind};

	if (set_target(&step, target, err) < 0 || copy_text(&step.content, content, err) < 0) {
		step_free(&step);
		return -1;
	}
	return append(plan, &step, err);
}

int plan_add_pipe(struct plan *plan, int fd, const char *target, struct err *err)
{
	struct plan_step step = {.kind = PLAN_PIPE, .fd = fd};

	if (set_target(&step, target, err) < 0) {
		step_free(&step);
		return -1;
	}
	return append(plan, &step, err);
}

static size_t count_images(const struct plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->step[i].kind == PLAN_IMAGE;
	return count;
}

static int fill_image(struct plan_step *step, const char *target, const char *sub, struct err *err)
{
	if (set_target(step, target, err) < 0 ||
	    copy_text(&step->source, step->image->path, err) < 0)
		return -1;
	if (sub && path_tidy(sub, &step->content, err) < 0)
		return -1;
	/* All of it. */
	if (step->content && strcmp(step->content, "/") == 0)
		free(take_ptr(&step->content));
	return 0;
}

int plan_add_image(struct plan *plan, struct image *image, const char *target, const char *sub,
		   unsigned flags, struct err *err)
{
	struct plan_step step = {.kind = PLAN_IMAGE, .flags = flags, .image = image};
	int result = 0;

	if (count_images(plan) == PLAN_IMAGES_MAX)
		result = err_set(err, "cannot mount '%s': there are %d data images already",
				 image->path, PLAN_IMAGES_MAX);
	if (result < 0 || fill_image(&step, target, sub, err) < 0) {
		step_free(&step);
		return -1;
	}
	return append(plan, &step, err);
}

static int add_bare(struct plan *plan, enum plan_kind kind, const char *target, struct err *err)
{
	struct plan_step step = {.kind = kind};

	return set_target(&step, target, err) < 0 ? -1 : append(plan, &step, err);
}

int plan_add_dir(struct plan *plan, const char *target, struct err *err)
{
	return add_bare(plan, PLAN_DIR, target, err);
}

int plan_add_devpts(struct plan *plan, const char *target, struct err *err)
{
	return add_bare(plan, PLAN_DEVPTS, target, err);
}

int plan_add_overlay(struct plan *plan, const char *upper, struct err *err)
{
	struct plan_step step = {.kind = PLAN_OVERLAY};

	if (upper && copy_text(&step.source, upper, err) < 0)
		return -1;
	return append(plan, &step, err);
}

static bool is_mount(const struct plan_step *step)
{
	return (step->kind == PLAN_BIND && !(step->flags & PLAN_MISSING)) ||
	       step->kind == PLAN_TMPFS || step->kind == PLAN_DEVPTS || step->kind == PLAN_IMAGE;
}

bool plan_step_is_lenient(const struct plan_step *step)
{
	return step->flags & (PLAN_IMPLICIT | PLAN_CWD | PLAN_COPY | PLAN_REPLACE | PLAN_NOPOINT);
}

bool plan_is_images(const char *path, bool as_home)
{
	/* Whole trees, and directories of which only what lies below may be the host's. */
	static const char *const trees[] = {"/bin",   "/boot",   "/dev",  "/etc",  "/lib", "/lib32",
					    "/lib64", "/libx32", "/proc", "/sbin", "/sys", "/usr"};
	static const char *const shared[] = {"/opt", "/root"};
	static const char *const tops[] = {"/",	  "/home",    "/opt",	  "/run",
					   "/srv", "/var", "/var/lib", "/var/run", "/var/spool"};

	for (size_t i = 0; i < COUNT_OF(trees); i++)
		if (path_is_below(path, trees[i]))
			return true;
	for (size_t i = 0; i < COUNT_OF(shared) && !as_home; i++)
		if (path_is_below(path, shared[i]))
			return true;
	for (size_t i = 0; i < COUNT_OF(tops); i++)
		if (strcmp(path, tops[i]) == 0)
			return true;
	return false;
}

bool plan_covers(const struct plan *plan, size_t before, const char *target)
{
	for (size_t i = 0; i < before && i < plan->count; i++)
		if (is_mount(&plan->step[i]) && path_is_below(target, plan->step[i].target))
			return true;
	return false;
}

bool plan_shows_host(const struct plan *plan, const char *path)
{
	for (size_t i = plan->count; i-- > 0;) {
		const struct plan_step *step = &plan->step[i];

		if (!is_mount(step) || !path_is_below(path, step->target))
			continue;
		return step->kind == PLAN_BIND && strcmp(step->source, step->target) == 0;
	}
	return false;
}

static void hash_number(struct sha256 *hash, uint64_t number)
{
	sha256_add(hash, &number, sizeof(number));
}

/* With its length before it, and NULL unlike "": two lists of texts never look the same. */
static void hash_text(struct sha256 *hash, const char *text)
{
	hash_number(hash, text ? strlen(text) : UINT64_MAX);
	if (text)
		sha256_add(hash, text, strlen(text));
}

void plan_hash(const struct plan *plan, unsigned without, struct sha256 *hash)
{
	const uint64_t numbers[] = {plan->engine, plan->offset,    plan->uid, plan->inner_uid,
				    plan->gid,    plan->inner_gid, plan->keep_capabilities};

	sha256_add(hash, numbers, sizeof(numbers));
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->step[i];

		if (step->kind == PLAN_PIPE || step->flags & (without | PLAN_PERSONAL))
			continue;
		hash_number(hash, step->kind);
		hash_number(hash, step->flags);
		hash_number(hash, step->size);
		/* Which file it is says who opened it, whatever its name. */
		hash_text(hash, step->kind == PLAN_IMAGE ? NULL : step->source);
		hash_text(hash, step->target);
		hash_text(hash, step->content);
	}
}

static void print_word(FILE *out, const char *word)
{
	auto_free char *quoted = path_quote(word);

	(void)fprintf(out, " %s", quoted ? quoted : "?");
}

static void print_step(const struct plan_step *step, FILE *out)
{
	static const char *const kind[] = {
		[PLAN_FILE] = "file",  [PLAN_PREFIX] = "prefix", [PLAN_OVERLAY] = "overlay",
		[PLAN_BIND] = "bind",  [PLAN_TMPFS] = "tmpfs",	 [PLAN_LINK] = "link",
		[PLAN_PIPE] = "pipe",  [PLAN_DIR] = "dir",	 [PLAN_DEVPTS] = "devpts",
		[PLAN_IMAGE] = "data",
	};

	(void)fputs(kind[step->kind], out);
	if (step->kind == PLAN_OVERLAY)
		print_word(out, step->source ? step->source : "tmpfs");
	if (step->kind == PLAN_BIND || step->kind == PLAN_IMAGE)
		print_word(out, step->source);
	if (step->target)
		print_word(out, step->target);
	if (step->kind == PLAN_BIND)
		(void)fputs(step->flags & PLAN_READONLY ? " ro" : " rw", out);
	if (step->flags & PLAN_DEVICES)
		(void)fputs(" dev", out);
	if (step->flags & PLAN_OPTIONAL)
		(void)fputs(" optional", out);
	if (step->flags & PLAN_COPY)
		(void)fputs(" copy", out);
	if (step->flags & PLAN_MISSING)
		(void)fputs(" missing", out);
	if (step->flags & PLAN_NOPOINT)
		(void)fputs(" nopoint", out);
	if (step->kind == PLAN_TMPFS && step->size)
		(void)fprintf(out, " size=%" PRIu64, step->size);
	if (step->kind == PLAN_IMAGE)
		(void)fprintf(out, " offset=%" PRIu64, step->image->offset);
	if (step->content)
		print_word(out, step->content);
	(void)fputc('\n', out);
}

static void print_text(const char *name, const char *text, FILE *out)
{
	if (!text)
		return;
	(void)fputs(name, out);
	print_word(out, text);
	(void)fputc('\n', out);
}

static void print_vector(const char *name, char *const *vector, FILE *out)
{
	for (; vector && *vector; vector++) {
		(void)fputs(name, out);
		print_word(out, *vector);
		(void)fputc('\n', out);
	}
}

void plan_print(const struct plan *plan, FILE *out)
{
	static const char *const engine[] = {
		[PLAN_ENGINE_FIRN] = "firn",
		[PLAN_ENGINE_SQUASHFUSE] = "squashfuse",
		[PLAN_ENGINE_NONE] = "none",
	};

	(void)fputs("image", out);
	print_word(out, plan->image);
	(void)fprintf(out, " engine=%s offset=%" PRIu64 "\n", engine[plan->engine], plan->offset);
	(void)fprintf(out, "user %u=%u group %u=%u capabilities=%s\n", (unsigned)plan->uid,
		      (unsigned)plan->inner_uid, (unsigned)plan->gid, (unsigned)plan->inner_gid,
		      plan->keep_capabilities ? "namespace" : "none");
	if (plan->contained)
		(void)fputs("guard terminal descriptors\n", out);
	for (size_t i = 0; i < plan->count; i++)
		print_step(&plan->step[i], out);
	print_vector("env", plan->env, out);
	if (plan->scripts) {
		print_vector("script", plan->scripts, out);
		print_vector("own", plan->own, out);
		print_text("path-first", plan->path_first, out);
		print_text("path-last", plan->path_last, out);
	}
	print_vector("cwd", plan->cwd, out);
	print_vector("arg", plan->argv, out);
}
