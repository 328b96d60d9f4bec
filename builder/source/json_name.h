/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * json_name.h - names of files in JSON.
 *
 * A name is any bytes, JSON's text is UTF-8 (RFC 8259 8.1). Bytes that are none are written as
 * "\xHH", four characters for who reads it; a backslash that is in a name stays a single one.
 */
#ifndef FIRN_BUILDER_SOURCE_JSON_NAME_H
#define FIRN_BUILDER_SOURCE_JSON_NAME_H

#include <jansson.h>

/* A new string of @name; NULL's is null. NULL without memory. */
json_t *json_name(const char *name);

#endif
