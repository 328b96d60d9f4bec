/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "runner/report.h"

#include "lib/json.h"
#include "lib/size.h"
#include "lib/text.h"

#include <inttypes.h>

static void put_name(struct report *to, const char *name)
{
	char spoken[32];

	if (to->json) {
		(void)fprintf(to->out, "%s\n  \"%s\": ", to->begun ? "," : "", name);
		to->begun = true;
		return;
	}
	if (to->bare)
		return;
	(void)snprintf(spoken, sizeof(spoken), "%s", name);
	for (char *c = spoken; *c; c++)
		if (*c == '_')
			*c = ' ';
	(void)fprintf(to->out, "%-16s ", spoken);
}

/* A value comes from a stranger's image: it stays on its line. */
static void put_value(const struct report *to, const char *text)
{
	if (to->json)
		json_write_string(to->out, text);
	else
		text_escape(to->out, text);
}

void report_text(struct report *to, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	put_name(to, name);
	put_value(to, text);
	if (!to->json)
		(void)fputc('\n', to->out);
}

void report_number(struct report *to, const char *name, uint64_t number)
{
	put_name(to, name);
	(void)fprintf(to->out, "%" PRIu64 "%s", number, to->json ? "" : "\n");
}

void report_size(struct report *to, const char *name, uint64_t size)
{
	char text[SIZE_TEXT_SIZE];

	if (to->json || size < 1024) {
		report_number(to, name, size);
		return;
	}
	size_print(size, text);
	put_name(to, name);
	(void)fprintf(to->out, "%" PRIu64 " (%s)\n", size, text);
}

void report_flag(struct report *to, const char *name, bool value)
{
	put_name(to, name);
	(void)fputs(to->json ? (value ? "true" : "false") : (value ? "yes\n" : "no\n"), to->out);
}

void report_time(struct report *to, const char *name, time_t when)
{
	char text[32];
	struct tm utc;

	if (gmtime_r(&when, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0)
		report_text(to, name, text);
}

void report_words(struct report *to, const char *name, char *const *word)
{
	if (!word || !*word)
		return;
	put_name(to, name);
	(void)fputs(to->json ? "[" : "", to->out);
	for (char *const *at = word; *at; at++) {
		if (to->json) {
			(void)fputs(at == word ? "" : ", ", to->out);
			json_write_string(to->out, *at);
			continue;
		}
		(void)fprintf(to->out, "%s'", at == word ? "" : " ");
		text_escape(to->out, *at);
		(void)fputc('\'', to->out);
	}
	(void)fputs(to->json ? "]" : "\n", to->out);
}

void report_list(struct report *to, const char *name, char *const *item)
{
	if (!item || !*item)
		return;
	if (!to->json) {
		for (; *item; item++)
			report_text(to, name, *item);
		return;
	}
	put_name(to, name);
	(void)fputc('[', to->out);
	for (char *const *at = item; *at; at++) {
		(void)fprintf(to->out, "%s\n    ", at == item ? "" : ",");
		json_write_string(to->out, *at);
	}
	(void)fputs("\n  ]", to->out);
}

void report_files(struct report *to, const char *name, char *const *path, char *const *text)
{
	if (!to->json) {
		report_list(to, name, path);
		return;
	}
	put_name(to, name);
	(void)fputc('[', to->out);
	for (size_t i = 0; path[i]; i++) {
		(void)fprintf(to->out, "%s\n    {\"path\": ", i == 0 ? "" : ",");
		json_write_string(to->out, path[i]);
		(void)fputs(", \"text\": ", to->out);
		json_write_string(to->out, text[i]);
		(void)fputc('}', to->out);
	}
	(void)fputs("\n  ]", to->out);
}
