/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of one direction of a connection that come in pieces, until a frame of Kafka's is whole: a
 * size of four bytes, and so many more. */
#ifndef SIM_GATHERED_H
#define SIM_GATHERED_H

#include <stdbool.h>

#include "core/base/span.h"

#define FRAME_SIZE_BYTES 4

/* Zeroed: none. */
struct gathered {
    uint8_t *data;
    size_t length;
    size_t capacity;
};

/* Appends a copy. */
void gathered_put(struct gathered *gathered, struct span bytes);

/* Appends zeros. */
void gathered_put_zeros(struct gathered *gathered, size_t length);

/* The first whole frame, without its size, borrowed until the next call; false when there is
 * none. */
bool gathered_frame(const struct gathered *gathered, struct span *ret_frame);

/* Takes so many bytes away at the beginning. */
void gathered_drop(struct gathered *gathered, size_t length);
void gathered_free(struct gathered *gathered);

#endif
