/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each record that a producer made has a running number. Read at the end, from each partition's
 * start: nothing is there that was not sent, and nothing more often than it was sent; of one
 * producer id the sequences are dense and the numbers rise, so that nothing is there twice, however
 * often it was sent. And no producer id is given twice under one epoch.
 */
#include "core/records/record.h"
#include "sim/clients.h"
#include "sim/judge.h"
#include "sim/notes.h"
#include "sim/parts.h"
#include "sim/record_value.h"

/* Producers that are silent for longer may be forgotten; shorter settings are not judged. */
#define EXPIRATION_MS_LEAST 3600000

/* A batch that was sent again. */
struct again {
    uint64_t number; /* of its first record */
    uint32_t times;  /* beyond the first */
    uint32_t records;
};

/* What a client has sent to a partition, of whichever topic has its topic's name. */
struct stream {
    struct stream_key {
        uint32_t host;
        uint32_t client;
        uint64_t partition;
    } key;
    uint64_t next;        /* no number from here on was sent */
    struct again *agains; /* by rising number */
    uint32_t agains_count;
    uint32_t agains_capacity;
};

/* How often each number of a client is there. */
struct seen {
    struct seen_key {
        struct partition_key partition;
        uint64_t client;
    } key;
    uint8_t *times;
    uint32_t capacity;
};

/* A producer id's batches in a partition, as far as they were read. */
struct producer {
    struct producer_key {
        struct partition_key partition;
        int64_t producer_id;
    } key;
    bool has_batch;
    int16_t epoch;
    int32_t last_sequence;
    uint64_t next; /* number */
};

/* How far the audit has read a partition. */
struct audited {
    struct partition_key key;
    int64_t next_offset;
};

/* A producer id that InitProducerId gave. */
struct given {
    struct given_key {
        int64_t producer_id;
        uint32_t host;
        int32_t epoch;
    } key;
    bool is_known;
};

struct idempotence {
    struct notes givens;
    struct notes streams;
    struct notes seens;
    struct notes producers;
    struct notes auditeds;
    bool is_audit;
};

static void begin(struct judge *judge)
{
    struct idempotence *state = judge->state;
    struct memory *memory = &judge->memory;
    notes_init(&state->givens, memory, sizeof(struct given), sizeof(struct given_key));
    notes_init(&state->streams, memory, sizeof(struct stream), sizeof(struct stream_key));
    notes_init(&state->seens, memory, sizeof(struct seen), sizeof(struct seen_key));
    notes_init(&state->producers, memory, sizeof(struct producer), sizeof(struct producer_key));
    notes_init(&state->auditeds, memory, sizeof(struct audited), sizeof(struct partition_key));
}

/* ---- What is sent. ---- */

static bool first_value(struct span batch, struct record_value *ret_value)
{
    struct record_cursor cursor;
    struct record record;
    return batch.length > BATCH_HEADER_BYTES &&
           record_cursor_open(batch, NULL, 0, NULL, &cursor) == 0 &&
           record_next(&cursor, &record) && record_value_read(record.value, ret_value);
}

/* The place of the last batch that was sent again and begins at `number` or before; the count when
 * there is none. */
static uint32_t again_at(const struct stream *stream, uint64_t number)
{
    for (uint32_t i = stream->agains_count; i > 0; i--) {
        if (stream->agains[i - 1].number <= number)
            return i - 1;
    }
    return stream->agains_count;
}

static void sent_again(struct judge *judge, struct stream *stream, uint64_t number,
                       uint32_t records)
{
    uint32_t place = again_at(stream, number);
    if (place < stream->agains_count && stream->agains[place].number == number) {
        stream->agains[place].times++;
        return;
    }
    place = place == stream->agains_count ? 0 : place + 1;
    stream->agains = memory_grow(&judge->memory, stream->agains, &stream->agains_capacity,
                                 stream->agains_count + 1, sizeof(*stream->agains));
    memmove(stream->agains + place + 1, stream->agains + place,
            (stream->agains_count - place) * sizeof(*stream->agains));
    stream->agains[place] = (struct again){.number = number, .times = 1, .records = records};
    stream->agains_count++;
}

static void batch_sent(struct judge *judge, const struct exchange *exchange, struct span batch)
{
    struct idempotence *state = judge->state;
    struct record_value value;
    struct batch_info info;
    if (!first_value(batch, &value))
        return;
    batch_info_read(batch.data, &info);
    const struct stream_key key = {host_realm(exchange->host), value.client, value.partition};
    struct stream *stream = notes_get(&state->streams, &key);
    const uint32_t records = (uint32_t)info.record_count;
    if (value.number < stream->next)
        sent_again(judge, stream, value.number, records);
    else
        stream->next = value.number + records;
}

static void asked(struct judge *judge, const struct exchange *exchange)
{
    if (exchange->api->key != API_PRODUCE)
        return;
    const struct produce_request *request = exchange->request;
    for (int32_t i = 0; i < request->topic_data_count; i++) {
        const struct produce_request_topic_data *topic = &request->topic_data[i];
        for (int32_t j = 0; j < topic->partition_data_count; j++)
            batch_sent(judge, exchange, topic->partition_data[j].records);
    }
}

/* ---- What is there. ---- */

/* What hostile clients send comes past the eyes of judges. */
static bool is_hostile(const struct judge *judge, uint32_t client)
{
    const struct clients *clients = judge->sim->clients;
    return clients != NULL && client >= 1 && client <= clients_count(clients) &&
           clients_get(judge->sim->clients, client)->plan->kind == CLIENT_HOSTILE;
}

static uint32_t times_sent(const struct stream *stream, uint64_t number)
{
    if (stream == NULL || number >= stream->next)
        return 0;
    const uint32_t place = again_at(stream, number);
    if (place == stream->agains_count)
        return 1;
    const struct again *again = &stream->agains[place];
    return number < again->number + again->records ? 1 + again->times : 1;
}

static void record_seen(struct judge *judge, const struct partition_key *partition,
                        const struct record_value *value, int64_t offset)
{
    struct idempotence *state = judge->state;
    const struct stream_key stream_key = {partition->host, value->client, value->partition};
    const uint32_t sent = times_sent(notes_find(&state->streams, &stream_key), value->number);
    const struct seen_key key = {*partition, value->client};
    struct seen *seen = notes_get(&state->seens, &key);
    judge->judged++;
    if (sent > 0) {
        seen->times = memory_grow(&judge->memory, seen->times, &seen->capacity,
                                  (uint32_t)value->number + 1, 1);
        if (seen->times[value->number] < UINT8_MAX)
            seen->times[value->number]++;
    }
    if (sent == 0 || seen->times[value->number] > sent)
        judge_object(
            judge,
            "partition %d of n%u, offset %lld: record %llu of client %u, which was sent %u "
            "times, is there more often",
            partition->index, partition->host, (long long)offset, (unsigned long long)value->number,
            value->client, sent);
}

static bool sequence_fits(const struct producer *producer, const struct batch_info *info)
{
    if (!producer->has_batch || info->producer_epoch != producer->epoch)
        return !producer->has_batch || info->base_sequence == 0;
    return info->base_sequence ==
           (producer->last_sequence == INT32_MAX ? 0 : producer->last_sequence + 1);
}

static void producer_seen(struct judge *judge, const struct partition_key *partition,
                          const struct batch_info *info, uint64_t number)
{
    struct idempotence *state = judge->state;
    const struct producer_key key = {*partition, info->producer_id};
    struct producer *producer = notes_get(&state->producers, &key);
    const struct host *host = judge->sim->hosts[partition->host - 1];
    const bool keeps = conf_int(&host->conf, CONF_PRODUCER_ID_EXPIRATION_MS) >= EXPIRATION_MS_LEAST;
    judge->judged++;
    if (keeps && (!sequence_fits(producer, info) || number < producer->next))
        judge_object(judge,
                     "partition %d of n%u, offset %lld: producer id %lld goes on with sequence %d "
                     "and record %llu, after sequence %d and record %llu",
                     partition->index, partition->host, (long long)info->base_offset,
                     (long long)info->producer_id, info->base_sequence, (unsigned long long)number,
                     producer->last_sequence, (unsigned long long)producer->next - 1);
    producer->has_batch = true;
    producer->epoch = info->producer_epoch;
    producer->last_sequence = batch_last_sequence(info);
    producer->next = number + (uint64_t)info->record_count;
}

static void batch_seen(struct judge *judge, const struct partition_key *partition,
                       struct span batch, const struct batch_info *info)
{
    struct record_cursor cursor;
    struct record record;
    struct record_value value;
    bool is_first = true;
    if (record_cursor_open(batch, NULL, 0, NULL, &cursor) != 0)
        return;
    while (record_next(&cursor, &record)) {
        if (!record_value_read(record.value, &value) || is_hostile(judge, value.client))
            continue;
        if (is_first && batch_has_producer(info))
            producer_seen(judge, partition, info, value.number);
        is_first = false;
        record_seen(judge, partition, &value, record.offset);
    }
}

/* A fetch that was lost is made again: each batch counts once. */
static void records_read(struct judge *judge, const struct partition_key *partition,
                         struct span records)
{
    struct idempotence *state = judge->state;
    struct audited *audited = notes_get(&state->auditeds, partition);
    size_t at = 0;
    struct span batch;
    struct batch_info info;
    while (at < records.length &&
           batch_next(span_of(records.data + at, records.length - at), records.length - at,
                      BATCH_CHECK_CRC, &batch, &info) == BATCH_FOUND) {
        if (info.base_offset >= audited->next_offset) {
            batch_seen(judge, partition, batch, &info);
            audited->next_offset = batch_last_offset(&info) + 1;
        }
        at += batch.length;
    }
}

static void producer_id_given(struct judge *judge, const struct exchange *exchange)
{
    struct idempotence *state = judge->state;
    const struct init_producer_id_response *response = exchange->response;
    if (response->error_code != 0)
        return;
    const struct given_key key = {response->producer_id, host_realm(exchange->host),
                                  response->producer_epoch};
    struct given *given = notes_get(&state->givens, &key);
    judge->judged++;
    if (given->is_known)
        judge_object(judge, "%s gives producer id %lld with epoch %d once more",
                     exchange->host->name, (long long)key.producer_id, key.epoch);
    given->is_known = true;
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    const struct idempotence *state = judge->state;
    if (exchange->api->key == API_INIT_PRODUCER_ID && !exchange->host->is_rotten)
        producer_id_given(judge, exchange);
    if (exchange->api->key != API_FETCH || !state->is_audit || exchange->host->is_rotten)
        return;
    struct fetched_walk walk = {.exchange = exchange,
                                .durable = judge_durable(judge, exchange->host)};
    struct fetched part;
    while (fetched_next(&walk, &part)) {
        if (part.reply->error_code == 0 && part.topic != NULL)
            records_read(judge, &part.key, part.reply->records);
    }
}

static void phase(struct judge *judge, enum sim_phase now)
{
    struct idempotence *state = judge->state;
    state->is_audit = now == SIM_AUDIT;
}

static void end(struct judge *judge)
{
    struct idempotence *state = judge->state;
    struct memory *memory = &judge->memory;
    for (struct stream *stream = notes_first(&state->streams); stream != NULL;
         stream = notes_next(stream))
        memory_give(memory, MEMORY_STATE, stream->agains,
                    stream->agains_capacity * sizeof(*stream->agains));
    for (struct seen *seen = notes_first(&state->seens); seen != NULL; seen = notes_next(seen))
        memory_give(memory, MEMORY_STATE, seen->times, seen->capacity);
    notes_clear(&state->givens);
    notes_clear(&state->streams);
    notes_clear(&state->seens);
    notes_clear(&state->producers);
    notes_clear(&state->auditeds);
}

const struct judge_kind judge_idempotence = {
    .name = "idempotence",
    .rule = "a record is there no more often than it was sent, and of an idempotent producer once, "
            "in order, without gaps in the sequence; no two producers have one id",
    .source = "KIP-98, KIP-360: per producer id, epoch and partition, sequences are dense, without "
              "duplicates",
    .size = sizeof(struct idempotence),
    .begin = begin,
    .asked = asked,
    .replied = replied,
    .phase = phase,
    .end = end,
};
