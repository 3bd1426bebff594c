/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums that a mutation cannot guess are made right, or only they would be found wrong. */
#ifndef FUZZ_MEND_H
#define FUZZ_MEND_H

#include <stddef.h>
#include <stdint.h>

/* Of each batch in `bytes`, one behind the other as their lengths say, until one does not fit. */
void mend_batches(uint8_t *bytes, size_t length);

#endif
