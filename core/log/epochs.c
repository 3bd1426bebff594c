/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/epochs.h"

#include <inttypes.h>

#include "core/log/lines.h"
#include "core/wire/error.h"

#define EPOCHS_VERSION 0

void epochs_init(struct epochs *epochs, struct memory *memory)
{
    *epochs = (struct epochs){.memory = memory, .below = EPOCH_NONE};
}

void epochs_free(struct epochs *epochs)
{
    memory_give(epochs->memory, MEMORY_STATE, epochs->entries,
                epochs->capacity * sizeof(*epochs->entries));
    epochs_init(epochs, epochs->memory);
}

/* How many entries have an epoch ≤ `epoch`. */
static uint32_t count_up_to_epoch(const struct epochs *epochs, int32_t epoch)
{
    uint32_t low = 0;
    uint32_t high = epochs->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (epochs->entries[middle].epoch <= epoch)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many entries begin at or before `offset`. */
static uint32_t count_up_to_offset(const struct epochs *epochs, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = epochs->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (epochs->entries[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool epochs_assign(struct epochs *epochs, int32_t epoch, int64_t offset)
{
    /* The common case: another batch under the newest epoch. */
    if (epochs->count > 0 && epochs->entries[epochs->count - 1].epoch == epoch &&
        epochs->entries[epochs->count - 1].offset <= offset)
        return false;
    while (epochs->count > 0 && (epochs->entries[epochs->count - 1].epoch >= epoch ||
                                 epochs->entries[epochs->count - 1].offset >= offset))
        epochs->count--;
    epochs->entries = memory_grow(epochs->memory, epochs->entries, &epochs->capacity,
                                  epochs->count + 1, sizeof(*epochs->entries));
    epochs->entries[epochs->count++] = (struct epoch_start){epoch, offset};
    return true;
}

int32_t epochs_latest(const struct epochs *epochs)
{
    return epochs->count == 0 ? EPOCH_NONE : epochs->entries[epochs->count - 1].epoch;
}

int32_t epochs_at(const struct epochs *epochs, int64_t offset)
{
    const uint32_t count = count_up_to_offset(epochs, offset);

    return count == 0 ? EPOCH_NONE : epochs->entries[count - 1].epoch;
}

bool epochs_before(const struct epochs *epochs, int64_t offset, struct epoch_start *ret_start)
{
    const uint32_t count = count_up_to_offset(epochs, offset - 1);

    if (count > 0)
        *ret_start = epochs->entries[count - 1];
    return count > 0;
}

void epochs_end(const struct epochs *epochs, int32_t epoch, int64_t log_end, int32_t *ret_epoch,
                int64_t *ret_end_offset)
{
    const uint32_t count = epoch < 0 ? 0 : count_up_to_epoch(epochs, epoch);

    if (epoch < 0 || epochs->count == 0 || epoch > epochs_latest(epochs)) {
        *ret_epoch = EPOCH_NONE;
        *ret_end_offset = EPOCH_END_UNKNOWN;
    } else if (count == epochs->count) {
        *ret_epoch = epoch;
        *ret_end_offset = log_end;
    } else {
        *ret_epoch = count == 0 ? epoch : epochs->entries[count - 1].epoch;
        *ret_end_offset = epochs->entries[count].offset;
    }
}

bool epochs_truncate_end(struct epochs *epochs, int64_t end_offset)
{
    const uint32_t count = count_up_to_offset(epochs, end_offset - 1);

    if (count == epochs->count)
        return false;
    epochs->count = count;
    return true;
}

bool epochs_truncate_start(struct epochs *epochs, int64_t start_offset)
{
    const uint32_t count = count_up_to_offset(epochs, start_offset);

    if (count == 0 || epochs->entries[0].offset == start_offset)
        return false;
    epochs->below = epochs->entries[count_up_to_offset(epochs, start_offset - 1) - 1].epoch;
    /* The epoch that the new start lies in stays, and begins there. */
    epochs->count -= count - 1;
    memmove(epochs->entries, epochs->entries + count - 1, epochs->count * sizeof(*epochs->entries));
    epochs->entries[0].offset = start_offset;
    return true;
}

size_t epochs_encode(const struct epochs *epochs, uint8_t *out, size_t capacity)
{
    struct text_writer writer = {.out = out, .capacity = capacity};

    text_write(&writer, "%d\n%" PRIu32 "\n", EPOCHS_VERSION, epochs->count);
    for (uint32_t i = 0; i < epochs->count; i++)
        text_write(&writer, "%" PRId32 " %" PRId64 "\n", epochs->entries[i].epoch,
                   epochs->entries[i].offset);
    return writer.length;
}

static int read_entries(struct epochs *epochs, struct span text)
{
    struct epoch_start last = {EPOCH_NONE, -1};
    int64_t version;
    int64_t count;

    if (line_take_number(&text, EPOCHS_VERSION, EPOCHS_VERSION, &version) != 0 ||
        line_take_number(&text, 0, UINT32_MAX, &count) != 0)
        return ERR_MALFORMED;
    for (; count > 0; count--) {
        struct span line;
        int64_t epoch;
        int64_t offset;
        if (line_take(&text, &line) != 0 ||
            number_take(&line, (int64_t)last.epoch + 1, INT32_MAX, &epoch) != 0 ||
            number_take(&line, 0, INT64_MAX, &offset) != 0 || offset <= last.offset ||
            !span_is_null(line))
            return ERR_MALFORMED;
        last = (struct epoch_start){(int32_t)epoch, offset};
        epochs_assign(epochs, last.epoch, last.offset);
    }
    return text.length == 0 ? ERR_NONE : ERR_MALFORMED;
}

int epochs_decode(struct epochs *epochs, struct span text)
{
    const int error = read_entries(epochs, text);

    if (error != ERR_NONE)
        epochs_free(epochs);
    return error;
}
