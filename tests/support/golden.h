/* SPDX-License-Identifier: Apache-2.0 */
/* Files of tests/golden: what other programs have written or answered. */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

/* Reads tests/golden/NAME into `out`; returns its length. A file that is not there, or longer than
 * `capacity`, fails the test. */
size_t golden_read(const char *name, uint8_t *out, size_t capacity);

#endif
