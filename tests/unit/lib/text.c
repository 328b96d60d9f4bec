/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "lib/text.h"

#include "lib/err.h"
#include "lib/json.h"
#include "lib/own.h"
#include "tests/unit/tap.h"

static const char *tamed(const char *text)
{
	static char *copy; /* of its exact size: a byte too far is seen */

	free(copy);
	copy = strdup(text);
	text_tame(copy);
	return copy;
}

static const char *escaped(const char *text)
{
	static char *written;
	size_t size;
	FILE *out;

	free(written);
	out = open_memstream(&written, &size);
	text_escape(out, text);
	(void)fclose(out);
	return written;
}

static void what_drives_a_terminal_is_replaced(void)
{
	is_str(tamed("a\nb\033[31m\177\r"), "a?b?[31m??", "C0 and DEL");
	is_str(tamed("a\302\23331m"), "a?31m", "CSI as UTF-8");
	is_str(tamed("\302\200\302\237"), "??", "the first and the last of C1");
	is_str(tamed("a\23331m"), "a?31m", "CSI as a byte of its own");
	is_str(tamed("\303\251\233x"), "\303\251?x", "... behind a letter");
	is_str(tamed("\342\23331m"), "\342?31m", "... behind a letter that is cut off");
	is_str(tamed("\300\233\340\202\233"), "\300?\340??", "... in more bytes than it takes");
	is_str(tamed("\355\240\200"), "\355\240?", "... in half a surrogate");
}

static void other_languages_stay(void)
{
	static const char names[] = "Gr\303\266\303\237e \320\277\321\200 \346\227\245\346\234\254 "
				    "\360\237\246\212 \302\240 \364\217\277\277";

	is_str(tamed(names), names, "letters of two, three and four bytes");
	is_str(escaped(names), names, "... where control characters are escaped");
	is_str(tamed("caf\351"), "caf\351", "a letter of an 8-bit character set");
	is_str(tamed("cut \346\227"), "cut \346?",
	       "a character that is cut off ends within the text");
	is_str(tamed(""), "", "nothing");
}

static void escaped_bytes_can_be_told_apart(void)
{
	is_str(escaped("a\nb\\c"), "a\\012b\\134c", "C0 and the backslash");
	is_str(escaped("\302\233x\233"), "\\302\\233x\\233", "C1 in both forms");
}

static void a_message_is_tame(void)
{
	struct err err;

	err_set(&err, "no '%s'", "\302\23331m");
	is_str(err.text, "no '?31m'", "an error");
	err_aim(&err, "cannot read '%s'", "\233");
	is_str(err.text, "cannot read '?': no '?31m'", "an aim before it");
}

static void a_json_string_is_tame(void)
{
	auto_free char *written = NULL;
	size_t size;
	FILE *out = open_memstream(&written, &size);

	json_write_string(out, "a\302\233\nb\303\251\233");
	(void)fclose(out);
	is_str(written, "\"a\\u009b\\u000ab\303\251\\\\x9b\"",
	       "control characters by their numbers");
}

int main(void)
{
	what_drives_a_terminal_is_replaced();
	other_languages_stay();
	escaped_bytes_can_be_told_apart();
	a_message_is_tame();
	a_json_string_is_tame();
	return done_testing();
}
