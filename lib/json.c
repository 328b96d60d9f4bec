/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/json.h"

#include "lib/text.h"

#include <stdint.h>
#include <string.h>

enum { DEPTH_MAX = 32, VALUES_MAX = 1 << 18 };

struct parser {
	const char *text, *at, *end;
	unsigned depth, values;
	struct err *err;
};

static int parse_value(struct parser *p, struct json *out);

static int fail(struct parser *p, const char *what)
{
	return err_set(p->err, "no valid JSON at byte %zu: %s", (size_t)(p->at - p->text), what);
}

static void skip_space(struct parser *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
		p->at++;
}

static bool take_char(struct parser *p, char wanted)
{
	if (p->at == p->end || *p->at != wanted)
		return false;
	p->at++;
	return true;
}

/* Bytes of the UTF-8 sequence at @at (RFC 3629), or 0 when it is none. */
static size_t utf8_size(const unsigned char *at, size_t left)
{
	size_t size = at[0] < 0x80   ? 1
		      : at[0] < 0xc2 ? 0
		      : at[0] < 0xe0 ? 2
		      : at[0] < 0xf0 ? 3
		      : at[0] < 0xf5 ? 4
				     : 0;

	if (size == 0 || size > left)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return size;
}

static size_t utf8_put(char *to, uint32_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static int take_hex(struct parser *p, uint32_t *out)
{
	uint32_t value = 0;

	if (p->end - p->at < 4)
		return fail(p, "a \\u ends early");
	for (int i = 0; i < 4; i++) {
		char c = *p->at++;

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value |= (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return fail(p, "a \\u needs four hexadecimal digits");
	}
	*out = value;
	return 0;
}

static int take_unicode(struct parser *p, uint32_t *out)
{
	uint32_t low;

	if (take_hex(p, out) < 0)
		return -1;
	if (*out == 0)
		return fail(p, "a string holds NUL");
	if (*out < 0xd800 || *out > 0xdfff)
		return 0;
	if (*out > 0xdbff || p->end - p->at < 6 || p->at[0] != '\\' || p->at[1] != 'u')
		return fail(p, "a lone surrogate");
	p->at += 2;
	if (take_hex(p, &low) < 0)
		return -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(p, "a lone surrogate");
	*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

static int take_escape(struct parser *p, char **to)
{
	static const char from[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
	uint32_t code;
	const char *which;

	if (p->at == p->end)
		return fail(p, "a string does not end");
	if (take_char(p, 'u')) {
		if (take_unicode(p, &code) < 0)
			return -1;
		*to += utf8_put(*to, code);
		return 0;
	}
	which = *p->at ? strchr(from, *p->at) : NULL;
	if (!which)
		return fail(p, "an unknown escape");
	p->at++;
	*(*to)++ = meaning[which - from];
	return 0;
}

/* Behind the opening quote. No character grows when its escape is undone. */
static int take_text(struct parser *p, char *to)
{
	while (p->at < p->end && *p->at != '"') {
		size_t size = utf8_size((const unsigned char *)p->at, (size_t)(p->end - p->at));

		if (size == 0)
			return fail(p, "a string is not UTF-8");
		if ((unsigned char)*p->at < ' ')
			return fail(p, "a control character in a string");
		if (take_char(p, '\\')) {
			if (take_escape(p, &to) < 0)
				return -1;
			continue;
		}
		memcpy(to, p->at, size);
		to += size;
		p->at += size;
	}
	*to = '\0';
	return take_char(p, '"') ? 0 : fail(p, "a string does not end");
}

static int parse_string(struct parser *p, char **out)
{
	auto_free char *text = NULL;
	const char *end = p->at;

	/* The closing quote is the first one that no backslash precedes. */
	while (end < p->end && *end != '"')
		end += *end == '\\' && end + 1 < p->end ? 2 : 1;
	text = malloc((size_t)(end - p->at) + 1);
	if (!text)
		return fail(p, "no memory");
	if (take_text(p, text) < 0)
		return -1;
	*out = take_ptr(&text);
	return 0;
}

static size_t digits(struct parser *p)
{
	const char *from = p->at;

	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return (size_t)(p->at - from);
}

static int parse_number(struct parser *p, struct json *out)
{
	const char *from = p->at;

	(void)take_char(p, '-');
	if (!take_char(p, '0') && digits(p) == 0)
		return fail(p, "no value");
	if (take_char(p, '.') && digits(p) == 0)
		return fail(p, "a number ends early");
	if (take_char(p, 'e') || take_char(p, 'E')) {
		if (!take_char(p, '+'))
			(void)take_char(p, '-');
		if (digits(p) == 0)
			return fail(p, "a number ends early");
	}
	out->type = JSON_NUMBER;
	out->text = strndup(from, (size_t)(p->at - from));
	return out->text ? 0 : fail(p, "no memory");
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, not each with each: a hostile object may have a hundred thousand members. */
static int check_keys(struct parser *p, const struct json *object)
{
	auto_free char **keys = NULL;
	size_t count = 0;

	for (const struct json *child = object->child; child; child = child->next)
		count++;
	keys = calloc(count + 1, sizeof(*keys));
	if (!keys)
		return fail(p, "no memory");
	count = 0;
	for (const struct json *child = object->child; child; child = child->next)
		keys[count++] = child->key;
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return fail(p, "a key stands twice in the object before");
	return 0;
}

static int parse_member(struct parser *p, struct json *member)
{
	auto_free char *key = NULL;

	skip_space(p);
	if (!take_char(p, '"'))
		return fail(p, "a key is missing");
	if (parse_string(p, &key) < 0)
		return -1;
	skip_space(p);
	if (!take_char(p, ':'))
		return fail(p, "a ':' is missing");
	member->key = take_ptr(&key);
	return parse_value(p, member);
}

/* Behind the opening bracket. */
static int parse_children(struct parser *p, struct json *out, char close)
{
	struct json **last = &out->child;

	skip_space(p);
	if (take_char(p, close))
		return 0;
	do {
		struct json *child = calloc(1, sizeof(*child));

		if (!child || ++p->values > VALUES_MAX) {
			free(child);
			return fail(p, "it is too large");
		}
		if ((close == '}' ? parse_member(p, child) : parse_value(p, child)) < 0) {
			json_free(child);
			return -1;
		}
		*last = child;
		last = &child->next;
		skip_space(p);
	} while (take_char(p, ','));
	if (!take_char(p, close))
		return fail(p, "a ',' or a closing bracket is missing");
	return close == '}' ? check_keys(p, out) : 0;
}

static int parse_word(struct parser *p, struct json *out)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = {{"null", JSON_NULL}, {"true", JSON_TRUE}, {"false", JSON_FALSE}};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		size_t len = strlen(words[i].word);

		if ((size_t)(p->end - p->at) < len || memcmp(p->at, words[i].word, len) != 0)
			continue;
		p->at += len;
		out->type = words[i].type;
		return 0;
	}
	return parse_number(p, out);
}

static int parse_value(struct parser *p, struct json *out)
{
	int result;

	skip_space(p);
	if (take_char(p, '"')) {
		out->type = JSON_STRING;
		return parse_string(p, &out->text);
	}
	if (p->at == p->end || (*p->at != '{' && *p->at != '['))
		return parse_word(p, out);
	if (++p->depth > DEPTH_MAX)
		return fail(p, "it is nested too deeply");
	out->type = *p->at == '{' ? JSON_OBJECT : JSON_ARRAY;
	p->at++;
	result = parse_children(p, out, out->type == JSON_OBJECT ? '}' : ']');
	p->depth--;
	return result;
}

int json_parse(const char *text, size_t size, struct json **out, struct err *err)
{
	struct parser p = {.text = text, .at = text, .end = text + size, .err = err};
	auto_json *root = calloc(1, sizeof(*root));

	if (!root)
		return err_sys(err, "cannot read JSON");
	if (parse_value(&p, root) < 0)
		return -1;
	skip_space(&p);
	if (p.at != p.end)
		return fail(&p, "something stands behind the document");
	*out = take_ptr(&root);
	return 0;
}

void json_free(struct json *json)
{
	while (json) {
		struct json *next = json->next;

		json_free(json->child); /* at most DEPTH_MAX deep */
		free(json->text);
		free(json->key);
		free(json);
		json = next;
	}
}

void json_freep(struct json **json)
{
	json_free(*json);
}

const struct json *json_get(const struct json *json, const char *key)
{
	if (!json || json->type != JSON_OBJECT)
		return NULL;
	for (const struct json *child = json->child; child; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}

const char *json_text(const struct json *json)
{
	return json && json->type == JSON_STRING ? json->text : NULL;
}

static bool is_control(const char *text)
{
	bool control;

	(void)text_unit(text, &control);
	return control;
}

void json_write_string(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text);

	(void)fputc('"', out);
	while (left > 0) {
		size_t size = utf8_size(at, left);

		if (size == 0)
			(void)fprintf(out, "\\\\x%02x", *at);
		else if (is_control((const char *)at))
			(void)fprintf(out, "\\u%04x",
				      size == 1 ? *at : at[1]); /* U+0080 is C2 80 */
		else
			(void)fprintf(out, "%s%.*s", *at == '"' || *at == '\\' ? "\\" : "",
				      (int)size, (const char *)at);
		size = size ? size : 1;
		at += size;
		left -= size;
	}
	(void)fputc('"', out);
}
