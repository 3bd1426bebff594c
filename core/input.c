/* SPDX-License-Identifier: Apache-2.0 */
#include "core/input.h"

#include "core/base/check.h"
#include "core/base/endian.h"

/* The beginning of a frame that is no longer than this waits for the rest in a buffer of its own
 * size. */
#define INPUT_SMALL_BYTES ((uint32_t)1024)

/* A peer that leaves more of its room empty than this part of it needs less. */
#define INPUT_NEEDED_PART 4

/* How much a connection receives into to begin with, for what its peer sends at once. */
static uint32_t room_bytes(struct input *input, const struct input_room *room)
{
    const uint64_t limit = room->memory->limit_bytes[room->budget];
    const uint64_t used = room->memory->used_bytes[room->budget];
    while (input->doublings > 0 && limit > 0 &&
           used + ((uint64_t)room->least_bytes << input->doublings) > limit / 2)
        input->doublings--;
    return room->least_bytes << input->doublings;
}

uint64_t input_make_room(struct input *input, const struct input_room *room, uint32_t wanted)
{
    const uint32_t least = room_bytes(input, room);
    const uint32_t have = input_length(input);
    if (wanted == 0)
        wanted = least;
    if (input->buffer != NULL) {
        const uint32_t left = input->buffer->capacity - input->end;
        const bool fits = input->buffer->capacity - input->start >= wanted;
        if (left > 0 && (fits || left >= least / 2))
            return 0;
    }
    uint32_t capacity = have > least / 2 ? have * 2 : least;
    if (wanted > least && capacity > wanted)
        capacity = wanted;
    struct buffer *buffer = input->buffer == NULL
                                ? buffer_new(room->memory, room->budget, capacity)
                                : buffer_replace(input->buffer, capacity, input->start, have);
    if (buffer == NULL)
        return input->buffer == NULL ? sizeof(*buffer) + capacity
                                     : buffer_replace_needs(input->buffer, capacity);
    *input = (struct input){.buffer = buffer, .end = have, .doublings = input->doublings};
    return 0;
}

void input_received(struct input *input, uint32_t count)
{
    const uint32_t room = input->buffer->capacity - input->end;
    CHECK(count <= room);
    /* How little a rest is says nothing, since more came before; nor does nothing at all. */
    if (count > 0 && count < room / INPUT_NEEDED_PART && input->end == 0 && input->doublings > 0)
        input->doublings--;
    if (count == room && input->doublings < INPUT_DOUBLINGS_MAX)
        input->doublings++;
    input->end += count;
}

bool input_frame_size(const struct input *input, uint32_t *ret_size)
{
    if (input_length(input) < FRAME_SIZE_BYTES)
        return false;
    *ret_size = get_be32(input->buffer->data + input->start);
    return true;
}

bool input_take_frame(struct input *input, struct span *ret_frame)
{
    uint32_t size;
    if (!input_frame_size(input, &size) || input_length(input) - FRAME_SIZE_BYTES < size)
        return false;
    *ret_frame = span_of(input->buffer->data + input->start + FRAME_SIZE_BYTES, size);
    input->start += FRAME_SIZE_BYTES + size;
    return true;
}

void input_settle(struct input *input)
{
    if (input_length(input) > 0)
        return;
    buffer_release(input->buffer);
    *input = (struct input){.doublings = input->doublings};
}

void input_shrink(struct input *input)
{
    const uint32_t have = input_length(input);
    if (have == 0 || have > INPUT_SMALL_BYTES || input->buffer->capacity <= INPUT_SMALL_BYTES)
        return;
    struct buffer *rest = buffer_replace(input->buffer, have, input->start, have);
    if (rest != NULL)
        *input = (struct input){.buffer = rest, .end = have, .doublings = input->doublings};
}
