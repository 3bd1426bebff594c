/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/endian.h"
#include "core/records/builder.h"
#include "core/session.h"
#include "core/wire/messages.h"
#include "fuzz/seed_stories.h"

#define BATCH_BYTES_MAX 2048
#define NOW_MS          INT64_C(1700000000000) /* the world's first time */
#define EPOCH_INITIAL   0
#define EPOCH_FINAL     (-1)

/* For TAPE_HOLD and TAPE_FAIL, as in fuzz/faults.c. */
#define FAIL_WRITE 0
#define HOLD_SYNCS 3
#define HOLD_READS 5
#define HOLD_OPENS 6

/* Asks for a request as it is, of the version. */
static void ask(struct recording *recording, int16_t api_key, int16_t version)
{
    recording_call(recording, 3, api_key, version, recording_request(recording, api_key));
}

/* Makes the topic with these settings: key, value, …, NULL. */
static void create(struct recording *recording, const char *const *settings)
{
    struct create_topics_request *request = recording_request(recording, API_CREATE_TOPICS);
    struct create_topics_request_topic_config configs[8];
    int32_t count = 0;
    for (; settings[2 * count] != NULL; count++) {
        configs[count] = *request->topics->configs;
        configs[count].name = span_text(settings[2 * count]);
        configs[count].value = span_text(settings[2 * count + 1]);
    }
    request->topics->configs = configs;
    request->topics->configs_count = count;
    const struct create_topics_response *response =
        recording_call(recording, 3, API_CREATE_TOPICS, 7, request);
    recording->story.topic_id = response->topics->topic_id;
}

/* One batch of a record with so many bytes. */
static struct span batch(struct recording *recording, size_t bytes, int64_t time_ms)
{
    struct batch_builder builder;
    uint8_t *out = arena_take(&recording->arena, BATCH_BYTES_MAX);
    uint8_t *value = arena_take(&recording->arena, bytes);
    memset(value, 'v', bytes);
    batch_builder_start(&builder, out, BATCH_BYTES_MAX, time_ms, false);
    batch_builder_add(&builder, time_ms, SPAN("key"), span_of(value, bytes));
    return span_of(out, batch_builder_finish(&builder));
}

static void produce(struct recording *recording, int16_t acks, struct span records)
{
    struct produce_request *request = recording_request(recording, API_PRODUCE);
    request->acks = acks;
    request->topic_data->partition_data->records = records;
    recording_call(recording, 1, API_PRODUCE, 9, request);
}

static void produce_some(struct recording *recording, int count)
{
    for (int i = 0; i < count; i++)
        produce(recording, (int16_t)(i % 3 - 1), batch(recording, 200, NOW_MS + i));
}

static void look(struct recording *recording)
{
    static const int64_t times_ms[] = {-1, -2, -3, -4, -5, -7, 0, NOW_MS + 3};
    struct list_offsets_request *request = recording_request(recording, API_LIST_OFFSETS);
    for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i += 2) {
        request->topics->partitions[0].timestamp = times_ms[i + 1];
        request->topics->partitions[1].timestamp = times_ms[i];
        recording_call(recording, 0, API_LIST_OFFSETS, 11, request);
    }
    struct fetch_request *fetch = recording_request(recording, API_FETCH);
    for (int64_t offset = 0; offset < 6; offset += 3) {
        fetch->topics->partitions[0].fetch_offset = offset;
        fetch->topics->partitions[0].partition_max_bytes = 500;
        fetch->max_wait_ms = 0;
        recording_call(recording, 0, API_FETCH, 12, fetch);
    }
    ask(recording, API_OFFSET_FOR_LEADER_EPOCH, 4);
}

static void delete_before(struct recording *recording, int64_t offset)
{
    struct delete_records_request *request = recording_request(recording, API_DELETE_RECORDS);
    request->topics->partitions->offset = offset;
    recording_call(recording, 0, API_DELETE_RECORDS, 2, request);
}

void seed_log_rolls(struct recording *recording)
{
    static const char *const settings[] = {
        "segment.bytes", "1024", "index.interval.bytes", "0", "segment.index.bytes", "24", NULL};
    create(recording, settings);
    produce_some(recording, 10);
    look(recording);
    recording_act(recording, TAPE_KILL, 0, 0);
    look(recording);
    delete_before(recording, 4);
    recording_minutes(recording, 2);
    look(recording);
    recording_act(recording, TAPE_STOP, 0, 0);
    look(recording);
    delete_before(recording, -1);
    delete_before(recording, 99);
    recording_act(recording, TAPE_POWER_LOSS, 0, 0);
    produce_some(recording, 3);
    look(recording);
    ask(recording, API_DELETE_TOPICS, 5);
    recording_minutes(recording, 2);
}

void seed_log_expires(struct recording *recording)
{
    static const char *const settings[] = {
        "segment.bytes", "1024", "retention.ms", "1000", "segment.ms", "60000", NULL};
    static const char *const small[] = {
        "segment.bytes", "1024", "retention.bytes", "2000", "file.delete.delay.ms", "0", NULL};
    create(recording, settings);
    produce_some(recording, 8);
    for (int i = 0; i < 4; i++)
        recording_minutes(recording, 5);
    look(recording);
    produce_some(recording, 1);
    recording->story.topic = SPAN("small");
    create(recording, small);
    produce_some(recording, 12);
    recording_minutes(recording, 20);
    look(recording);
}

void seed_log_settings(struct recording *recording)
{
    static const char *const times[] = {"message.timestamp.type",
                                        "LogAppendTime",
                                        "write.caching",
                                        "true",
                                        "segment.bytes",
                                        "1024",
                                        "index.interval.bytes",
                                        "0",
                                        NULL};
    static const char *const syncs[] = {
        "flush.messages", "2",           "flush.ms", "1000", "write.caching",
        "true",           "preallocate", "true",     NULL};
    static const char *const compact[] = {"cleanup.policy",
                                          "compact",
                                          "message.timestamp.after.max.ms",
                                          "1000",
                                          "max.message.bytes",
                                          "200",
                                          NULL};
    create(recording, times);
    produce_some(recording, 3);
    recording_act(recording, TAPE_HOLD, HOLD_SYNCS, 1);
    produce_some(recording, 5);
    look(recording);
    recording_act(recording, TAPE_POWER_LOSS, 0, 0);
    look(recording);
    ask(recording, API_INCREMENTAL_ALTER_CONFIGS, 1);
    ask(recording, API_DELETE_TOPICS, 5);
    recording->story.topic = SPAN("syncs");
    create(recording, syncs);
    produce_some(recording, 5);
    recording_act(recording, TAPE_MILLISECONDS, 2000, 2);
    look(recording);
    recording->story.topic = SPAN("compact");
    create(recording, compact);
    produce_some(recording, 1);
    produce(recording, -1, batch(recording, 10, NOW_MS));
    produce(recording, -1, batch(recording, 10, NOW_MS + 100000));
    produce(recording, 7, batch(recording, 10, NOW_MS));
    produce(recording, 0, SPAN("nothing of the kind"));
    delete_before(recording, 1);
}

/* An effect fails early, and again late, between starts. */
void seed_log_fault(struct recording *recording, uint8_t which)
{
    static const char *const settings[] = {"segment.bytes", "1024", NULL};
    create(recording, settings);
    produce_some(recording, 2);
    recording_act(recording, TAPE_FAIL, (uint16_t)(which << 8), 2);
    produce_some(recording, 4);
    delete_before(recording, -1);
    recording_minutes(recording, 6);
    recording_act(recording, TAPE_STOP, 0, 0);
    recording_act(recording, TAPE_FAIL, (uint16_t)(which << 8 | 1), 2);
    produce_some(recording, 4);
    look(recording);
    recording_act(recording, TAPE_POWER_LOSS, 0, 0);
    recording_act(recording, TAPE_FAIL, (uint16_t)(which << 8), 2);
    look(recording);
    ask(recording, API_DELETE_TOPICS, 5);
}

/* Asks for everything that has to wait, on a connection each; they close when `gone`. */
static void ask_all(struct recording *recording, bool gone)
{
    static const int16_t keys[] = {
        API_PRODUCE,        API_LIST_OFFSETS,     API_FETCH,         API_OFFSET_FOR_LEADER_EPOCH,
        API_DELETE_RECORDS, API_INIT_PRODUCER_ID, API_CREATE_TOPICS, API_CREATE_PARTITIONS};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const uint8_t connection = i % TAPE_CONNECTIONS;
        const int16_t version = keys[i] == API_PRODUCE || keys[i] == API_FETCH
                                    ? 12
                                    : wire_api_find(keys[i])->version_max;
        void *request = recording_request(recording, keys[i]);
        if (keys[i] == API_PRODUCE)
            ((struct produce_request *)request)->timeout_ms = 1000;
        recording_call(recording, connection, keys[i], version, request);
        if (gone)
            recording_act(recording, TAPE_CLOSE + connection, 0, 0);
    }
    recording_act(recording, TAPE_MILLISECONDS, 2000, 2);
    recording_act(recording, TAPE_RELEASE, 0, 0);
}

void seed_disk_hangs(struct recording *recording)
{
    static const char *const settings[] = {NULL};
    create(recording, settings);
    produce_some(recording, 3);
    for (int gone = 0; gone < 2; gone++) {
        recording_act(recording, TAPE_HOLD, HOLD_SYNCS, 1);
        ask_all(recording, gone == 1);
        recording_act(recording, TAPE_STOP, 0, 0);
        recording_act(recording, TAPE_HOLD, HOLD_OPENS, 1);
        ask_all(recording, gone == 1);
        recording_act(recording, TAPE_KILL, 0, 0);
        recording_act(recording, TAPE_FAIL, HOLD_OPENS << 8, 2);
        recording_act(recording, TAPE_HOLD, HOLD_READS, 1);
        ask_all(recording, gone == 1);
    }
    recording_act(recording, TAPE_FAIL, FAIL_WRITE << 8, 2);
    recording->story.topic = SPAN("topic-1");
    ask_all(recording, false);
}

/* What is written is not read before it is durable, wherever that ends. */
void seed_log_behind(struct recording *recording)
{
    static const char *const settings[] = {"segment.bytes", "1024", "index.interval.bytes", "0",
                                           NULL};
    create(recording, settings);
    produce_some(recording, 2);
    recording_act(recording, TAPE_HOLD, HOLD_SYNCS, 1);
    produce_some(recording, 3);
    look(recording);
    recording_act(recording, TAPE_KILL, 0, 0);
    recording_act(recording, TAPE_HOLD, HOLD_SYNCS, 1);
    produce_some(recording, 3);
    look(recording);
    recording_act(recording, TAPE_RELEASE, 0, 0);
    look(recording);
    recording_act(recording, TAPE_STOP, 0, 0);
    recording_act(recording, TAPE_FAIL, HOLD_READS << 8, 2);
    look(recording);
    recording_act(recording, TAPE_FAIL, HOLD_READS << 8 | 1, 2);
    look(recording);
    recording_act(recording, TAPE_HOLD, HOLD_READS, 1);
    ask_all(recording, true);
    delete_before(recording, 3);
    look(recording);
}

void seed_disk_full(struct recording *recording)
{
    static const char *const settings[] = {"segment.bytes", "1024", NULL};
    create(recording, settings);
    produce_some(recording, 3);
    recording_act(recording, TAPE_CAPACITY, 8, 2);
    produce_some(recording, 9);
    ask(recording, API_CREATE_PARTITIONS, 3);
    recording_act(recording, TAPE_CAPACITY, 0, 2);
    produce_some(recording, 3);
    look(recording);
    recording_act(recording, TAPE_CAPACITY, 1, 2);
    recording_act(recording, TAPE_KILL, 0, 0);
    look(recording);
}

void seed_offsets(struct recording *recording)
{
    static const char *const settings[] = {NULL};
    create(recording, settings);
    produce_some(recording, 2);
    recording_act(recording, TAPE_KILL, 0, 0);
    produce_some(recording, 5);
    look(recording);
    /* Nothing recent is known any more: what is asked for is walked to. */
    recording_act(recording, TAPE_STOP, 0, 0);
    look(recording);
    produce_some(recording, 1);
    look(recording);
    recording_act(recording, TAPE_STOP, 0, 0);
    recording_act(recording, TAPE_FAIL, HOLD_READS << 8, 2);
    look(recording);
    struct offset_for_leader_epoch_request *request =
        recording_request(recording, API_OFFSET_FOR_LEADER_EPOCH);
    for (int32_t epoch = -1; epoch < 3; epoch++) {
        request->topics->partitions->leader_epoch = epoch;
        request->topics->partitions->current_leader_epoch = epoch == 2 ? 0 : epoch;
        recording_call(recording, 0, API_OFFSET_FOR_LEADER_EPOCH, 4, request);
    }
    request->topics->partitions->partition = 9;
    recording_call(recording, 0, API_OFFSET_FOR_LEADER_EPOCH, 4, request);
    struct list_offsets_request *list = recording_request(recording, API_LIST_OFFSETS);
    list->topics->partitions[0].current_leader_epoch = 9;
    list->topics->partitions[1].partition_index = 9;
    recording_call(recording, 0, API_LIST_OFFSETS, 4, list);
    list->isolation_level = 9;
    list->topics->partitions[1] = list->topics->partitions[0];
    recording_call(recording, 0, API_LIST_OFFSETS, 4, list);
    list->topics->partitions[0].timestamp = -6;
    recording_call(recording, 0, API_LIST_OFFSETS, 10, list);
}

static struct span batch_of(struct recording *recording, int64_t id, int16_t epoch,
                            int32_t sequence)
{
    const struct span plain = batch(recording, 10, NOW_MS);
    uint8_t *bytes = arena_take(&recording->arena, plain.length);
    memcpy(bytes, plain.data, plain.length);
    put_be64(bytes + BATCH_AT_PRODUCER_ID, (uint64_t)id);
    put_be16(bytes + BATCH_AT_PRODUCER_EPOCH, (uint16_t)epoch);
    put_be32(bytes + BATCH_AT_BASE_SEQUENCE, (uint32_t)sequence);
    put_be32(bytes + BATCH_AT_CRC, batch_checksum(bytes, plain.length));
    return span_of(bytes, plain.length);
}

void seed_producers(struct recording *recording)
{
    static const char *const settings[] = {NULL};
    static const int32_t sequences[] = {0, 1, 1, 5, 2, 3, 4, 5, 6, 7, 1, INT32_MAX};
    create(recording, settings);
    struct init_producer_id_request *request = recording_request(recording, API_INIT_PRODUCER_ID);
    const struct init_producer_id_response *response =
        recording_call(recording, 0, API_INIT_PRODUCER_ID, 5, request);
    const int64_t id = response->producer_id;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
        produce(recording, -1, batch_of(recording, id, 0, sequences[i]));
    produce(recording, -1, batch_of(recording, id, 1, 3));
    produce(recording, -1, batch_of(recording, id, 1, 0));
    produce(recording, -1, batch_of(recording, id, 0, 8));
    recording_act(recording, TAPE_STOP, 0, 0);
    produce(recording, -1, batch_of(recording, id, 1, 1));
    recording_act(recording, TAPE_KILL, 0, 0);
    produce(recording, -1, batch_of(recording, id, 1, 1));
    produce(recording, -1, batch_of(recording, id + 1, 0, 4));
    request->transactional_id = SPAN("transactions");
    recording_call(recording, 0, API_INIT_PRODUCER_ID, 5, request);
    request->transactional_id = SPAN("");
    recording_call(recording, 0, API_INIT_PRODUCER_ID, 5, request);
    request->transactional_id = SPAN_NULL;
    request->producer_id = id;
    recording_call(recording, 0, API_INIT_PRODUCER_ID, 5, request);
    request->producer_epoch = 1;
    recording_call(recording, 0, API_INIT_PRODUCER_ID, 5, request);
    struct produce_request *transaction = recording_request(recording, API_PRODUCE);
    transaction->transactional_id = SPAN("transactions");
    recording_call(recording, 1, API_PRODUCE, 9, transaction);
    for (int i = 0; i < 6; i++)
        recording_minutes(recording, 255);
    produce(recording, -1, batch_of(recording, id, 1, 2));
}

/* A request that waits, and as many behind it as may be under way. */
void seed_fetch_crowd(struct recording *recording)
{
    enum { FRAME_BYTES = 14 };
    static const char *const settings[] = {NULL};
    uint8_t *frames = arena_array(&recording->arena, SESSION_REQUESTS_MAX, FRAME_BYTES);
    create(recording, settings);
    struct fetch_request *request = recording_request(recording, API_FETCH);
    request->max_wait_ms = 30000;
    recording_call(recording, 0, API_FETCH, 17, request);
    for (size_t i = 0; i < SESSION_REQUESTS_MAX; i++) {
        uint8_t *frame = frames + i * FRAME_BYTES;
        put_be32(frame, FRAME_BYTES - 4);
        put_be16(frame + 4, API_API_VERSIONS);
        put_be32(frame + 8, (uint32_t)i);
        put_be16(frame + 12, UINT16_MAX); /* no client id */
    }
    recording_send(recording, 0, span_of(frames, SESSION_REQUESTS_MAX * (size_t)FRAME_BYTES));
    recording_call(recording, 2, API_FETCH, 17, request);
}

void seed_fetch_waits(struct recording *recording)
{
    static const char *const settings[] = {NULL};
    create(recording, settings);
    struct fetch_request *request = recording_request(recording, API_FETCH);
    recording_call(recording, 0, API_FETCH, 17, request);
    produce_some(recording, 1);
    request->min_bytes = 1000;
    recording_call(recording, 0, API_FETCH, 17, request);
    produce_some(recording, 1);
    recording_act(recording, TAPE_MILLISECONDS, 600, 2);
    recording_call(recording, 0, API_FETCH, 17, request);
    recording_call(recording, 2, API_FETCH, 17, request);
    recording_act(recording, TAPE_CLOSE + 2, 0, 0);
    ask(recording, API_DELETE_TOPICS, 5);
    recording_act(recording, TAPE_MILLISECONDS, 600, 2);
    recording_call(recording, 2, API_FETCH, 17, request);
    recording_call(recording, 0, API_FETCH, 12, request);
    create(recording, settings);
    request->topics->topic_id = recording->story.topic_id;
    request->topics->partitions[0].fetch_offset = 99;
    recording_call(recording, 0, API_FETCH, 17, request);
    request->topics->partitions[0].current_leader_epoch = 99;
    recording_call(recording, 0, API_FETCH, 17, request);
    request->topics->partitions[0].current_leader_epoch = 0;
    request->topics->partitions[0].fetch_offset = 0;
    request->max_wait_ms = 30000;
    recording_call(recording, 2, API_FETCH, 17, request);
    recording_act(recording, TAPE_PAUSE + 2, 0, 0);
    produce_some(recording, 4);
    recording_act(recording, TAPE_STOP, 0, 0);
}

void seed_fetch_session(struct recording *recording)
{
    static const char *const settings[] = {NULL};
    create(recording, settings);
    produce_some(recording, 2);
    struct fetch_request *request = recording_request(recording, API_FETCH);
    struct fetch_request_forgotten_topics_data forgotten = {.topic = recording->story.topic,
                                                            .topic_id = recording->story.topic_id,
                                                            .partitions_count = 1};
    int32_t index = 1;
    forgotten.partitions = &index;
    for (int16_t version = 12; version <= 18; version += 6) {
        request->session_id = 0;
        request->session_epoch = EPOCH_INITIAL;
        request->topics_count = 1;
        request->max_wait_ms = 10;
        const struct fetch_response *response =
            recording_call(recording, 0, API_FETCH, version, request);
        request->session_id = response->session_id;
        request->session_epoch = 1;
        request->topics->partitions[0].fetch_offset = 1;
        recording_call(recording, 0, API_FETCH, version, request);
        request->session_epoch = 2;
        request->topics_count = 0;
        recording_call(recording, 0, API_FETCH, version, request);
        produce_some(recording, 1);
        recording_act(recording, TAPE_MILLISECONDS, 20, 2);
        request->session_epoch = 3;
        request->forgotten_topics_data = &forgotten;
        request->forgotten_topics_data_count = 1;
        recording_call(recording, 0, API_FETCH, version, request);
        recording_act(recording, TAPE_MILLISECONDS, 20, 2);
        recording_call(recording, 0, API_FETCH, version, request);
        recording_call(recording, 0, API_FETCH, version == 12 ? 18 : 12, request);
        request->session_epoch = EPOCH_FINAL;
        request->forgotten_topics_data_count = 0;
        recording_call(recording, 0, API_FETCH, version, request);
        request->session_epoch = 4;
        recording_call(recording, 0, API_FETCH, version, request);
    }
}
