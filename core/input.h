/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection has received and nobody has taken yet: frames of a four-byte size and so many
 * bytes, cut out where they lie. An idle connection has none, and holds no memory.
 */
#ifndef CORE_INPUT_H
#define CORE_INPUT_H

#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/span.h"

/* A frame's size, which goes before its bytes. */
#define FRAME_SIZE_BYTES 4

/* Zeroed: nothing was received. */
struct input {
    struct buffer *buffer; /* NULL: nothing */
    uint32_t start;        /* of what is left */
    uint32_t end;
    uint32_t doublings; /* of the room to begin with: a peer that sends much at once has it received
                           in one piece */
};

/* What a connection receives into: which memory, and how much of it to begin with. A peer that
 * fills it gets up to INPUT_DOUBLINGS_MAX times the double, while half of the budget is free. */
#define INPUT_DOUBLINGS_MAX 2
struct input_room {
    struct memory *memory;
    enum memory_budget budget;
    uint32_t least_bytes;
};

/* Makes room behind what was received, for `wanted` bytes from the first one on that is left (0:
 * unknown). It grows with the bytes that came, so that a peer that only announces a large frame
 * costs nothing. Returns 0; or how many bytes the memory lacks now. */
uint64_t input_make_room(struct input *input, const struct input_room *room, uint32_t wanted);

/* `count` bytes came into the room that was made. */
void input_received(struct input *input, uint32_t count);

/* The size of the frame at the start; false while that has not come. */
bool input_frame_size(const struct input *input, uint32_t *ret_size);

/* Takes the frame at the start out, without its size; it stays in input->buffer, of which the
 * caller takes a reference if it keeps it. False while some of it has not come. */
bool input_take_frame(struct input *input, struct span *ret_frame);

/* The bytes that are left. */
static inline uint32_t input_length(const struct input *input)
{
    return input->end - input->start;
}

/* Gives the memory back when nothing is left. */
void input_settle(struct input *input);

/* Moves what is left to a buffer of its own size, if that is small: the beginning of a frame whose
 * rest never comes costs next to nothing. */
void input_shrink(struct input *input);

#endif
