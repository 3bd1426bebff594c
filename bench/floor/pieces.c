/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/pieces.h"

#include <stdint.h>

void pieces_skip(struct iovec **ret_pieces, int *ret_count, size_t bytes)
{
    struct iovec *pieces = *ret_pieces;
    int count = *ret_count;
    while (count > 0 && bytes >= pieces->iov_len) {
        bytes -= pieces->iov_len;
        pieces++;
        count--;
    }
    if (count > 0) {
        pieces->iov_base = (uint8_t *)pieces->iov_base + bytes;
        pieces->iov_len -= bytes;
    }
    *ret_pieces = pieces;
    *ret_count = count;
}
