/* SPDX-License-Identifier: LGPL-3.0-or-later */
/*
 * A libFuzzer target for what reads JSON: clang -fsanitize=fuzzer,address,undefined.
 */
#include "lib/image/oci.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_oci_config *config = NULL;
	struct err err;

	(void)oci_config_parse((const char *)data, size, &config, &err);
	return 0;
}
