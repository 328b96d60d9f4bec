/* SPDX-License-Identifier: LGPL-3.0-or-later */
#include "config.h"

#include <stdio.h>

int main(void)
{
	printf("firn %s\n", PACKAGE_VERSION);
	return 0;
}
