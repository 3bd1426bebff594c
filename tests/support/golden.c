/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/golden.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

size_t golden_read(const char *name, uint8_t *out, size_t capacity)
{
    const char *sources = getenv("srcdir");
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/tests/golden/%s", sources == NULL ? ".." : sources, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open %s", path);
    const size_t length = fread(out, 1, capacity, file);
    ck_assert_msg(!ferror(file) && fgetc(file) == EOF, "cannot read all of %s", path);
    fclose(file);
    return length;
}
