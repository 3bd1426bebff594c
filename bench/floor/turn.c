/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/turn.h"

#include <limits.h>

#include "core/base/endian.h"

void turn_add(struct turn *turn, struct partition *partition, uint8_t *data, uint32_t length,
              uint64_t position)
{
    struct turn_batch *batch = &turn->batches[turn->count];
    put_be32(batch->head, length);
    put_be32(batch->head + 4, partition->number);
    put_be64(batch->head + 8, position);
    batch->data = data;
    batch->length = length;
    batch->position = position;
    batch->next = NO_BATCH;
    if (partition->turn_first == NO_BATCH) {
        partition->turn_first = turn->count;
        turn->partitions[turn->partitions_count++] = partition;
    } else {
        turn->batches[partition->turn_last].next = turn->count;
    }
    partition->turn_last = turn->count++;
}

/* Writes what one partition got: one call, unless the file began anew. Returns 0 or an errno. */
static int write_one(struct turn *turn, struct partition *partition)
{
    struct iovec pieces[IOV_MAX];
    int error = 0;
    for (uint32_t at = partition->turn_first; at != NO_BATCH && error == 0;) {
        const uint64_t position = turn->batches[at].position;
        uint64_t end = position;
        int count = 0;
        while (at != NO_BATCH && turn->batches[at].position == end && count < IOV_MAX) {
            const struct turn_batch *batch = &turn->batches[at];
            pieces[count++] = (struct iovec){batch->data, batch->length};
            end += batch->length;
            at = batch->next;
        }
        error = block_write(&partition->block, position, pieces, count);
    }
    return error;
}

int turn_write(struct turn *turn)
{
    int error = 0;
    for (uint32_t i = 0; i < turn->partitions_count && error == 0; i++)
        error = write_one(turn, turn->partitions[i]);
    for (uint32_t i = 0; i < turn->partitions_count && error == 0; i++) {
        if (turn->partitions[i]->block.durable)
            error = block_sync(&turn->partitions[i]->block);
    }
    return error;
}

void turn_clear(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->partitions_count; i++)
        turn->partitions[i]->turn_first = NO_BATCH;
    turn->count = turn->partitions_count = 0;
}
