/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "core/base/check.h"
#include "core/records/builder.h"
#include "sim/memory.h"
#include "sim/producer.h"
#include "sim/record_value.h"

void producer_batch_free(struct producer *producer, struct batch *batch)
{
    list_remove(&batch->place);
    producer->batches_count--;
    free(batch->bytes);
    free(batch);
}

static void batch_encode(struct producer *producer, struct batch *batch, size_t value_bytes)
{
    const int64_t now_ms = (int64_t)(1700000000000 + producer->client.sim->now_us / 1000);
    uint8_t *value = sim_allocate(NULL, value_bytes);
    size_t size = BATCH_HEADER_BYTES;
    for (uint32_t i = 0; i < batch->records; i++)
        size += batch_record_size((int32_t)i, 0, SPAN("key"), span_of(value, value_bytes));
    batch->bytes = sim_allocate(NULL, size);
    struct batch_builder builder;
    batch_builder_start(&builder, batch->bytes, size, now_ms, false);
    for (uint32_t i = 0; i < batch->records; i++) {
        const struct record_value content = {.client = producer->client.number,
                                             .partition = batch->partition,
                                             .number = batch->number + i,
                                             .session = producer->session};
        record_value_write(&content, value, value_bytes);
        batch_builder_add(&builder, now_ms, SPAN("key"), span_of(value, value_bytes));
    }
    batch->length = batch_builder_finish(&builder);
    free(value);
}

/* Puts the producer's id and the batch's sequence in. */
static void batch_name(const struct producer *producer, struct batch *batch)
{
    put_be64(batch->bytes + BATCH_AT_PRODUCER_ID, (uint64_t)producer->producer_id);
    put_be16(batch->bytes + BATCH_AT_PRODUCER_EPOCH, (uint16_t)producer->producer_epoch);
    put_be32(batch->bytes + BATCH_AT_BASE_SEQUENCE, (uint32_t)batch->sequence);
    put_be32(batch->bytes + BATCH_AT_CRC, batch_checksum(batch->bytes, batch->length));
}

void producer_batch_make(struct producer *producer)
{
    struct client *client = &producer->client;
    const struct scenario_client *plan = client->plan;
    struct batch *batch = sim_allocate(NULL, sizeof(*batch));
    *batch = (struct batch){.partition = (uint32_t)chance_below(&client->rng, producer->partitions),
                            .records = (uint32_t)client_draw(client, plan->batch_records, 1, 10)};
    size_t value_bytes = (size_t)client_draw(client, plan->record_bytes, 24, 300);
    if (value_bytes < RECORD_VALUE_BYTES_LEAST)
        value_bytes = RECORD_VALUE_BYTES_LEAST;
    batch->number = producer->numbers[batch->partition];
    batch_encode(producer, batch, value_bytes);
    producer->numbers[batch->partition] += batch->records;
    producer->made += batch->records;
    batch->sequence = producer->sequences[batch->partition];
    producer->sequences[batch->partition] += (int32_t)batch->records;
    if (plan->idempotent)
        batch_name(producer, batch);
    list_append(&producer->batches, &batch->place);
    producer->batches_count++;
}

void producer_rename(struct producer *producer)
{
    producer->session++;
    memset(producer->sequences, 0, sizeof(producer->sequences));
    for (struct list *at = producer->batches.next; at != &producer->batches; at = at->next) {
        struct batch *batch = container_of(at, struct batch, place);
        batch->sequence = producer->sequences[batch->partition];
        producer->sequences[batch->partition] += (int32_t)batch->records;
        batch_name(producer, batch);
    }
}

bool producer_waits_for(const struct producer *producer, uint32_t leader)
{
    for (struct list *at = producer->batches.next; at != &producer->batches; at = at->next) {
        const struct batch *batch = container_of(at, struct batch, place);
        if (!batch->in_flight && producer->leaders[batch->partition] == leader)
            return true;
    }
    return false;
}

bool producer_is_oldest(const struct producer *producer, const struct batch *batch)
{
    for (struct list *at = producer->batches.next; at != &batch->place; at = at->next) {
        if (container_of(at, struct batch, place)->partition == batch->partition)
            return false;
    }
    return true;
}
