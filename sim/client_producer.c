/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer: batches go out in the order of their numbers, several at once, and again until they
 * are acknowledged, as librdkafka does it. An idempotent one keeps a batch's sequence over tries,
 * and takes a new producer id when the broker knows its sequences no more.
 *
 *     LEARNING (Metadata) ──▶ NAMING (InitProducerId, idempotent ones) ──▶ PRODUCING
 *         ▲                                                                    │
 *         └──────────── the topic is unknown, or has another id ◀──────────────┘
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/records/builder.h"
#include "core/wire/error.h"
#include "sim/contact.h"
#include "sim/memory.h"
#include "sim/record_value.h"

#define PARTITIONS_MAX   64
#define PARTS_MAX        3  /* batches in a request */
#define WAITING_MAX      64 /* batches that are not acknowledged */
#define TRIES_AT_THE_END 40 /* for what no broker takes, when the load is over */
#define METADATA_VERSION 12
#define TOPIC_ID_VERSION 13 /* of Produce: topics by id from here on */

enum producer_state { LEARNING, NAMING, PRODUCING };

struct batch {
    struct list place; /* producer->batches, in the order of their numbers */
    uint32_t partition;
    uint32_t records;
    int32_t sequence;
    uint64_t number; /* of the first record */
    uint32_t tries;
    bool in_flight;
    uint8_t *bytes;
    size_t length;
};

/* What one request carries. */
struct attempt {
    struct batch *parts[PARTS_MAX];
    uint32_t count;
};

struct producer {
    struct client client;
    struct contact contact;
    enum producer_state state;
    bool asked; /* the request of the state is under way */
    bool settling;
    struct task task; /* the next action */
    struct list batches;
    uint32_t batches_count;
    uint64_t made; /* records */
    uint32_t partitions;
    struct uuid topic_id;
    int16_t version;
    uint32_t in_flight; /* requests */
    uint32_t in_flight_most;
    int64_t producer_id;
    int16_t producer_epoch;
    uint32_t session;
    int32_t sequences[PARTITIONS_MAX];
    uint64_t numbers[PARTITIONS_MAX];
};

static void go_on(struct producer *producer);
static void due(struct task *task);

static struct producer *of(struct contact *contact)
{
    return container_of(contact, struct producer, contact);
}

static void later(struct producer *producer, uint64_t delay_us)
{
    queue_put(&producer->client.sim->queue, &producer->task,
              producer->client.sim->now_us + delay_us, due);
}

static void batch_free(struct producer *producer, struct batch *batch)
{
    list_remove(&batch->place);
    producer->batches_count--;
    free(batch->bytes);
    free(batch);
}

/* ---- Batches. ---- */

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

static void batch_make(struct producer *producer)
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

/* Under a new producer id sequences start at 0, and so does what waits. */
static void batches_rename(struct producer *producer)
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

/* ---- Requests. ---- */

static void ask_metadata(struct producer *producer)
{
    struct exchange *exchange = contact_request(&producer->contact, API_METADATA, METADATA_VERSION);
    struct metadata_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = client_topic(&producer->client);
    producer->asked = true;
    contact_send(&producer->contact, exchange, NULL);
}

static void ask_producer_id(struct producer *producer)
{
    struct exchange *exchange = contact_request(&producer->contact, API_INIT_PRODUCER_ID, 4);
    ((struct init_producer_id_request *)(uintptr_t)exchange->request)->transactional_id = SPAN_NULL;
    producer->asked = true;
    contact_send(&producer->contact, exchange, NULL);
}

static bool attempt_has(const struct attempt *attempt, uint32_t partition)
{
    for (uint32_t i = 0; i < attempt->count; i++) {
        if (attempt->parts[i]->partition == partition)
            return true;
    }
    return false;
}

/* The oldest batches that are not under way, each of another partition. */
static void attempt_fill(struct producer *producer, struct attempt *attempt)
{
    const uint64_t most = chance_between(&producer->client.rng, 1, PARTS_MAX);
    for (struct list *at = producer->batches.next;
         at != &producer->batches && attempt->count < most; at = at->next) {
        struct batch *batch = container_of(at, struct batch, place);
        if (!batch->in_flight && !attempt_has(attempt, batch->partition))
            attempt->parts[attempt->count++] = batch;
    }
}

static void produce_fill(const struct producer *producer, struct exchange *exchange,
                         const struct attempt *attempt)
{
    struct produce_request *request = (void *)(uintptr_t)exchange->request;
    request->acks = (int16_t)(int)producer->client.plan->acks;
    request->timeout_ms = 10000;
    struct produce_request_topic_data *topic = peer_take(exchange, sizeof(*topic));
    request->topic_data = topic;
    request->topic_data_count = 1;
    topic->name = client_topic(&producer->client);
    topic->topic_id = producer->topic_id;
    topic->partition_data = peer_take(exchange, attempt->count * sizeof(*topic->partition_data));
    topic->partition_data_count = (int32_t)attempt->count;
    for (uint32_t i = 0; i < attempt->count; i++) {
        topic->partition_data[i].index = (int32_t)attempt->parts[i]->partition;
        topic->partition_data[i].records =
            peer_copy(exchange, span_of(attempt->parts[i]->bytes, attempt->parts[i]->length));
    }
}

static void attempt_sent(struct producer *producer, const struct attempt *attempt)
{
    for (uint32_t i = 0; i < attempt->count; i++) {
        attempt->parts[i]->in_flight = true;
        attempt->parts[i]->tries++;
        if (producer->client.plan->acks == 0)
            batch_free(producer, attempt->parts[i]);
    }
}

/* False when there is nothing to send. */
static bool produce(struct producer *producer)
{
    struct attempt attempt = {.count = 0};
    attempt_fill(producer, &attempt);
    if (attempt.count == 0)
        return false;
    struct exchange *exchange = contact_request(&producer->contact, API_PRODUCE, producer->version);
    struct attempt *kept = peer_take(exchange, sizeof(*kept));
    *kept = attempt;
    produce_fill(producer, exchange, &attempt);
    if (producer->client.plan->acks != 0)
        producer->in_flight++;
    contact_send(&producer->contact, exchange, kept);
    attempt_sent(producer, &attempt);
    return true;
}

/* ---- Replies. ---- */

static void learned(struct producer *producer, const struct metadata_response *response)
{
    producer->asked = false;
    const struct metadata_response_topic *topic =
        response->topics_count == 1 ? &response->topics[0] : NULL;
    if (topic == NULL || topic->error_code != ERR_NONE || topic->partitions_count == 0)
        return;
    const bool is_other = !uuid_equal(topic->topic_id, producer->topic_id);
    producer->topic_id = topic->topic_id;
    producer->partitions = (uint32_t)topic->partitions_count < PARTITIONS_MAX
                               ? (uint32_t)topic->partitions_count
                               : PARTITIONS_MAX;
    const bool needs_name =
        producer->client.plan->idempotent && (producer->producer_id < 0 || is_other);
    producer->state = needs_name ? NAMING : PRODUCING;
}

static void named(struct producer *producer, const struct init_producer_id_response *response)
{
    producer->asked = false;
    if (response->error_code != ERR_NONE)
        return;
    const bool is_first = producer->producer_id < 0;
    producer->producer_id = response->producer_id;
    producer->producer_epoch = response->producer_epoch;
    if (!is_first)
        batches_rename(producer);
    producer->state = PRODUCING;
}

static bool is_done_with(const struct producer *producer, const struct batch *batch, int16_t error)
{
    switch (error) {
    case ERR_NONE:
    case ERR_DUPLICATE_SEQUENCE_NUMBER:
    case ERR_MESSAGE_TOO_LARGE:
    case ERR_RECORD_LIST_TOO_LARGE:
    case ERR_INVALID_TIMESTAMP:
    case ERR_INVALID_RECORD:
        return true;
    default:
        return producer->settling && batch->tries > TRIES_AT_THE_END;
    }
}

/* True when nothing that was made before it for its partition waits. */
static bool is_oldest(const struct producer *producer, const struct batch *batch)
{
    for (struct list *at = producer->batches.next; at != &batch->place; at = at->next) {
        if (container_of(at, struct batch, place)->partition == batch->partition)
            return false;
    }
    return true;
}

static void answered(struct producer *producer, struct batch *batch, int16_t error)
{
    batch->in_flight = false;
    if (error == ERR_NONE)
        producer->client.sim->tally.counts[TALLY_acked_records] += batch->records;
    if (is_done_with(producer, batch, error)) {
        /* What was given up leaves a gap that the broker would not forgive. */
        if (error != ERR_NONE && error != ERR_DUPLICATE_SEQUENCE_NUMBER &&
            producer->client.plan->idempotent)
            producer->state = NAMING;
        batch_free(producer, batch);
        return;
    }
    if (error == ERR_OUT_OF_ORDER_SEQUENCE_NUMBER || error == ERR_UNKNOWN_PRODUCER_ID ||
        error == ERR_INVALID_PRODUCER_EPOCH) {
        /* What was made before it has to go first; only without that the broker forgot us. */
        if (is_oldest(producer, batch))
            producer->state = NAMING;
    } else if (producer->state == PRODUCING) {
        producer->state = LEARNING;
    }
}

static void produced(struct producer *producer, const struct exchange *exchange)
{
    const struct attempt *attempt = exchange->user;
    const struct produce_response *response = exchange->response;
    producer->in_flight--;
    for (uint32_t i = 0; i < attempt->count; i++) {
        int16_t error = ERR_UNKNOWN_SERVER_ERROR;
        for (int32_t j = 0;
             response->responses_count == 1 && j < response->responses[0].partition_responses_count;
             j++) {
            const struct produce_response_response_partition_response *part =
                &response->responses[0].partition_responses[j];
            if (part->index == (int32_t)attempt->parts[i]->partition)
                error = part->error_code;
        }
        answered(producer, attempt->parts[i], error);
    }
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct producer *producer = of(contact);
    if (exchange->api->key == API_METADATA)
        learned(producer, exchange->response);
    else if (exchange->api->key == API_INIT_PRODUCER_ID)
        named(producer, exchange->response);
    else
        produced(producer, exchange);
    if (producer->state == PRODUCING)
        go_on(producer);
    else if (!task_is_queued(&producer->task))
        later(producer, chance_between(&producer->client.rng, 1000, 50000));
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    struct producer *producer = of(contact);
    if (exchange->api->key != API_PRODUCE) {
        producer->asked = false;
        return;
    }
    const struct attempt *attempt = exchange->user;
    producer->in_flight--;
    for (uint32_t i = 0; i < attempt->count; i++)
        attempt->parts[i]->in_flight = false;
}

static void on_opened(struct contact *contact)
{
    go_on(of(contact));
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost};

/* ---- Its life. ---- */

static bool wants_more(const struct producer *producer)
{
    const uint64_t records = producer->client.plan->records;
    return !producer->settling && producer->batches_count < WAITING_MAX &&
           (records == 0 || producer->made < records);
}

static void go_on(struct producer *producer)
{
    if (!producer->contact.is_open || producer->asked)
        return;
    if (producer->state != PRODUCING) {
        if (producer->state == LEARNING)
            ask_metadata(producer);
        else if (producer->in_flight == 0)
            ask_producer_id(producer);
        return;
    }
    while (producer->in_flight < producer->in_flight_most && produce(producer)) {
    }
    if (wants_more(producer) && !task_is_queued(&producer->task))
        later(producer, client_draw(&producer->client, producer->client.plan->pause_us, 1, 2000));
}

static void due(struct task *task)
{
    struct producer *producer = container_of(task, struct producer, task);
    if (producer->state == PRODUCING && wants_more(producer))
        batch_make(producer);
    go_on(producer);
}

static void start(struct client *client)
{
    static const int16_t versions[] = {3, 5, 7, 8, 9, 10, 11, 12, TOPIC_ID_VERSION};
    struct producer *producer = (struct producer *)client;
    list_init(&producer->batches);
    producer->producer_id = -1;
    producer->version =
        versions[chance_below(&client->rng, sizeof(versions) / sizeof(versions[0]))];
    producer->in_flight_most = (uint32_t)client_draw(client, client->plan->in_flight, 1, 5);
    contact_start(&producer->contact, client, &events_of_contacts);
}

static void settle(struct client *client)
{
    struct producer *producer = (struct producer *)client;
    producer->settling = true;
    go_on(producer);
}

static bool is_done(const struct client *client)
{
    const struct producer *producer = (const struct producer *)client;
    return producer->settling && producer->batches_count == 0 &&
           contact_asked(&producer->contact) == 0;
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    const struct producer *producer = (const struct producer *)client;
    static const char *const states[] = {"learning", "naming", "producing"};
    snprintf(ret_text, text_bytes, "is %s with %u batches, %u requests under way%s",
             states[producer->state], producer->batches_count, producer->in_flight,
             producer->contact.is_open ? "" : ", without a connection");
}

static void end(struct client *client)
{
    struct producer *producer = (struct producer *)client;
    while (!list_empty(&producer->batches))
        batch_free(producer, container_of(producer->batches.next, struct batch, place));
}

const struct client_type client_producer = {
    .name = "producer",
    .size = sizeof(struct producer),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
