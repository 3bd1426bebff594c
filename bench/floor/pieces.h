/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a gathered write, or send, of which a part was done. */
#ifndef BENCH_FLOOR_PIECES_H
#define BENCH_FLOOR_PIECES_H

#include <stddef.h>
#include <sys/uio.h>

/* Takes the first `bytes` off the *ret_count pieces at *ret_pieces, which become those that are
 * left, the first of them perhaps shortened. */
void pieces_skip(struct iovec **ret_pieces, int *ret_count, size_t bytes);

#endif
