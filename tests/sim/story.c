/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/story.h"

#include <stdio.h>
#include <string.h>

#include "core/broker_state.h"
#include "core/meta/writer.h"
#include "core/raft/control.h"
#include "core/records/builder.h"
#include "sim/file_node.h"
#include "sim/memory.h"

#define ARENA_BYTES ((size_t)16 * 1024 * 1024)
#define WAL_PATH    "__cluster_metadata-0/00000000000000000000.log"
#define WAL_FILE    1

static struct host *machine_new(struct story *story, uint32_t number,
                                const struct settings_list *settings)
{
    char why[128];
    struct host *host = host_new(&story->sim, number, settings, why, sizeof(why));
    ck_assert_msg(host != NULL, "%s", why);
    host->state = HOST_SERVING;
    host->boots = 1;
    story->sim.hosts[story->sim.hosts_count++] = host;
    return host;
}

static void world_begin(struct story *story)
{
    *story = (struct story){.scenario = {.nodes_count = 1}};
    memory_init(&story->memory, sim_allocator());
    arena_init(&story->arena, &story->memory, MEMORY_STATE, ARENA_BYTES);
    story->sim.scenario = &story->scenario;
    list_init(&story->sim.peers);
    queue_init(&story->sim.queue, &(struct chance_source){.seed = 1});
}

void story_begin(struct story *story, const struct judge_kind *kind)
{
    static const struct settings_list no_settings;
    world_begin(story);
    story->host = machine_new(story, 1, &no_settings);
    story->sim.judges = judges_new_of(&story->sim, &kind, 1);
}

static void wal_open(struct story *story)
{
    story_write(story, WAL_PATH, SPAN(""), true);
    const struct effect open = {
        .kind = EFFECT_OPEN,
        .id = 1,
        .open = {.file = WAL_FILE, .mode = OPEN_EXISTING, .path = SPAN(WAL_PATH)}};
    struct completion completion;
    files_submitted(&story->host->files, &open);
    files_carry_out(&story->host->files, &open, 0, 0, 0, &completion);
    ck_assert_int_eq(completion.error, 0);
}

void story_begin_cluster(struct story *story, const struct judge_kind *kind)
{
    static char key[] = "controller.quorum.voters";
    static char value[] = "1@n1:9093,2@n2:9093,3@n3:9093";
    static struct setting voters = {key, value};
    const struct settings_list settings = {&voters, 1};
    world_begin(story);
    for (uint32_t node = 1; node <= STORY_NODES; node++) {
        story->host = machine_new(story, node, &settings);
        story_broker(story);
    }
    story_at(story, 1);
    wal_open(story);
    story->sim.judges = judges_new_of(&story->sim, &kind, 1);
}

void story_at(struct story *story, uint32_t node)
{
    story->host = story->sim.hosts[node - 1];
}

void story_end(struct story *story)
{
    judges_free(story->sim.judges);
    for (uint32_t i = 0; i < story->sim.hosts_count; i++) {
        if (story->sim.hosts[i]->broker != NULL)
            broker_free(story->sim.hosts[i]->broker);
        host_free(story->sim.hosts[i]);
    }
    arena_reset(&story->arena);
    queue_free(&story->sim.queue);
}

bool story_passes(const struct story *story)
{
    if (story->sim.violation.result != SIM_PASSED)
        printf("# %s\n", story->sim.violation.text);
    return story->sim.violation.result == SIM_PASSED;
}

bool story_objects(const struct story *story, const char *part)
{
    if (strstr(story->sim.violation.text, part) == NULL)
        printf("# \"%s\"\n", story->sim.violation.text);
    return story->sim.violation.result != SIM_PASSED &&
           strstr(story->sim.violation.text, part) != NULL;
}

void *story_take(struct story *story, size_t size)
{
    void *taken = arena_take(&story->arena, size);
    ck_assert_ptr_nonnull(taken);
    return taken;
}

/* ---- The disk. ---- */

static struct file_node *entry_of(struct story *story, struct file_node *folder, const char *name,
                                  bool is_folder)
{
    struct file_node *node = entries_get(&folder->visible_entries, name);
    if (node == NULL) {
        node = node_new(&story->host->files, is_folder);
        entries_set(&folder->visible_entries, name, node);
        entries_set(&folder->durable_entries, name, node);
    }
    return node;
}

static struct file_node *file_of(struct story *story, const char *path)
{
    struct file_node *folder = story->host->files.roots[0];
    const char *slash = strchr(path, '/');
    if (slash == NULL)
        return entry_of(story, folder, path, false);
    char *name = sim_text_copy(path, (size_t)(slash - path));
    folder = entry_of(story, folder, name, true);
    free(name);
    return entry_of(story, folder, slash + 1, false);
}

void story_write(struct story *story, const char *path, struct span bytes, bool durable)
{
    struct file_node *file = file_of(story, path);
    if (durable)
        file_bytes_set(&file->durable, file->durable.length, bytes.data, bytes.length);
    file_bytes_set(&file->visible, file->visible.length, bytes.data, bytes.length);
}

void story_cut(struct story *story, const char *path, size_t length)
{
    struct file_node *file = file_of(story, path);
    file_bytes_resize(&file->durable, length);
    file_bytes_resize(&file->visible, length);
}

void story_remove(struct story *story, const char *folder, const char *name)
{
    struct file_node *node = entry_of(story, story->host->files.roots[0], folder, true);
    entries_set(&node->durable_entries, name, NULL);
    entries_set(&node->visible_entries, name, NULL);
}

void story_empty_disk(struct story *story)
{
    story->host->state = HOST_OFF;
    host_disk_new(story->host);
    story->host->state = HOST_SERVING;
    if (story->host == story->sim.hosts[0])
        wal_open(story);
}

void story_step(struct story *story, struct event event, const struct effect *effects,
                uint32_t count)
{
    struct effect *items = story_take(story, (count + 1) * sizeof(*items));
    if (count > 0)
        memcpy(items, effects, count * sizeof(*items));
    story->host->effects.items = items;
    story->host->effects.count = count;
    judges_stepped(story->sim.judges, story->host, &event);
    story->host->effects.items = NULL;
    story->host->effects.count = 0;
}

void story_broker(struct story *story)
{
    const struct broker_options options = {.allocator = sim_allocator(),
                                           .conf = &story->host->conf};
    story->host->broker = broker_new(&options);
}

void story_power_loss(struct story *story)
{
    judges_host_changed(story->sim.judges, story->host, HOST_LOSES_POWER);
}

void story_phase(struct story *story, enum sim_phase phase)
{
    story->sim.phase = phase;
    judges_phase(story->sim.judges, phase);
}

/* ---- Metadata. ---- */

/* The first node writes it, and all apply it. */
static void wal_commit(struct story *story, struct span batch)
{
    static const struct event turn_end = {.kind = EVENT_TURN_END};
    struct host *host = story->host;
    struct piece piece = {.data = batch.data, .length = batch.length};
    const struct effect write = {.kind = EFFECT_WRITE,
                                 .id = 2,
                                 .write = {.file = WAL_FILE, .pieces = &piece, .pieces_count = 1}};
    story_at(story, 1);
    story_step(story, turn_end, &write, 1);
    for (uint32_t node = 1; node <= STORY_NODES; node++) {
        story_at(story, node);
        story->host->broker->image.end_offset = story->wal_end;
        story_step(story, turn_end, NULL, 0);
        judges_host_changed(story->sim.judges, story->host, HOST_READY);
    }
    story->host = host;
}

static void wal_append(struct story *story, const struct meta_record *records, uint32_t count)
{
    struct meta_writer writer;
    meta_writer_init(&writer, &story->memory, story->wal_end);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(meta_write(&writer, &records[i]), 0);
    struct buffer *batch = meta_writer_batch(&writer, 0, 0);
    batch_patch(batch->data, story->wal_end, 0);
    story->wal_end += count;
    if (story->sim.hosts_count == 1)
        story_write(story, WAL_PATH, span_of(batch->data, batch->capacity), true);
    else
        wal_commit(story, span_of(batch->data, batch->capacity));
    buffer_release(batch);
    meta_writer_free(&writer);
}

void story_voters(struct story *story, uint32_t count)
{
    struct voters_record_voter voters[STORY_NODES];
    struct voters_record_voter_endpoint endpoint = {SPAN("CONTROLLER"), SPAN("n"), 9093};
    for (uint32_t i = 0; i < count; i++)
        voters[i] = (struct voters_record_voter){.voter_id = (int32_t)i + 1,
                                                 .voter_directory_id =
                                                     story->sim.hosts[i]->disk.directories[0],
                                                 .endpoints = &endpoint,
                                                 .endpoints_count = 1};
    const struct voters_record record = {.voters = voters, .voters_count = (int32_t)count};
    struct host *host = story->host;
    struct buffer *buffer = control_batch(&story->memory, CONTROL_VOTERS, &wire_voters_record,
                                          &record, story->wal_end++, 0, 0);
    const struct span batch = span_of(buffer->data, buffer->capacity);
    for (uint32_t node = 1; node <= STORY_NODES; node++) {
        story_at(story, node);
        story_write(story, WAL_PATH, batch, true);
    }
    story->host = host;
    wal_commit(story, batch);
    buffer_release(buffer);
}

void story_metadata(struct story *story, const struct meta_record *record)
{
    wal_append(story, record, 1);
}

struct uuid story_topic(struct story *story, const char *name, int32_t partitions, const char *key,
                        const char *value)
{
    static int32_t node = 1;
    struct meta_record *records = story_take(story, (size_t)(partitions + 2) * sizeof(*records));
    const struct uuid id = {.bytes = {0x74, ++story->topics}};
    uint32_t count = 0;
    records[count] = meta_record_of(META_RECORD_TOPIC);
    records[count].body.topic.name = span_text(name);
    records[count++].body.topic.topic_id = id;
    if (key != NULL) {
        records[count] = meta_record_of(META_RECORD_CONFIG);
        records[count].body.config.resource_type = META_RESOURCE_TOPIC;
        records[count].body.config.resource_name = span_text(name);
        records[count].body.config.name = span_text(key);
        records[count++].body.config.value = span_text(value);
    }
    for (int32_t i = 0; i < partitions; i++) {
        records[count] = meta_record_of(META_RECORD_PARTITION);
        struct partition_record *partition = &records[count++].body.partition;
        partition->partition_id = i;
        partition->topic_id = id;
        partition->replicas = partition->isr = &node;
        partition->replicas_count = partition->isr_count = 1;
        partition->leader = 1;
        partition->leader_epoch = 0;
        partition->partition_epoch = 0;
    }
    wal_append(story, records, count);
    return id;
}

void story_topic_goes(struct story *story, struct uuid id)
{
    struct meta_record record = meta_record_of(META_RECORD_REMOVE_TOPIC);
    record.body.remove_topic.topic_id = id;
    story_metadata(story, &record);
}

/* ---- Batches. ---- */

struct span story_batch(struct story *story, int64_t base_offset, int32_t count, uint8_t seed)
{
    uint8_t value[16];
    memset(value, seed, sizeof(value));
    const size_t capacity =
        BATCH_HEADER_BYTES +
        (size_t)count * batch_record_size(count, 0, SPAN("key"), span_of(value, sizeof(value)));
    uint8_t *bytes = story_take(story, capacity);
    struct batch_builder builder;
    batch_builder_start(&builder, bytes, capacity, 1000, false);
    for (int32_t i = 0; i < count; i++) {
        value[0] = (uint8_t)i;
        batch_builder_add(&builder, 1000, SPAN("key"), span_of(value, sizeof(value)));
    }
    const size_t length = batch_builder_finish(&builder);
    batch_patch(bytes, base_offset, 0);
    return span_of(bytes, length);
}

struct span story_record(struct story *story, int64_t base_offset, struct span key,
                         struct span value)
{
    const size_t capacity = BATCH_HEADER_BYTES + batch_record_size(0, 0, key, value);
    uint8_t *bytes = story_take(story, capacity);
    struct batch_builder builder;
    batch_builder_start(&builder, bytes, capacity, 1000, false);
    batch_builder_add(&builder, 1000, key, value);
    const size_t length = batch_builder_finish(&builder);
    batch_patch(bytes, base_offset, 0);
    return span_of(bytes, length);
}

struct span story_join(struct story *story, struct span a, struct span b)
{
    uint8_t *bytes = story_take(story, a.length + b.length);
    memcpy(bytes, a.data, a.length);
    memcpy(bytes + a.length, b.data, b.length);
    return span_of(bytes, a.length + b.length);
}

/* ---- Exchanges. ---- */

struct exchange *story_exchange(struct story *story, int16_t api_key, int16_t version)
{
    struct exchange *exchange = story_take(story, sizeof(*exchange));
    *exchange = (struct exchange){.host = story->host,
                                  .boot = story->host->boots,
                                  .connection = 1,
                                  .client = 1,
                                  .api = wire_api_find(api_key),
                                  .version = version,
                                  .correlation_id = (int32_t)++story->sim.trace_number,
                                  .has_reply = true};
    void *request = story_take(story, exchange->api->request->size);
    void *response = story_take(story, exchange->api->response->size);
    wire_defaults(exchange->api->request, request);
    wire_defaults(exchange->api->response, response);
    exchange->request = request;
    exchange->response = response;
    return exchange;
}

void story_ask(struct story *story, struct exchange *exchange)
{
    exchange->asked_us = story->sim.now_us;
    exchange->asked_number = ++story->sim.trace_number;
    judges_asked(story->sim.judges, exchange);
}

void story_reply(struct story *story, struct exchange *exchange)
{
    exchange->replied_us = story->sim.now_us;
    exchange->replied_number = ++story->sim.trace_number;
    judges_replied(story->sim.judges, exchange);
}

void story_exchanged(struct story *story, struct exchange *exchange)
{
    story_ask(story, exchange);
    story_reply(story, exchange);
}

struct exchange *story_produce(struct story *story, const char *topic, int32_t index, int16_t acks,
                               struct span batch, int64_t base_offset)
{
    struct exchange *exchange = story_exchange(story, API_PRODUCE, 3);
    struct produce_request *request = story_request(exchange, produce_request);
    request->acks = acks;
    request->topic_data = story_take(story, sizeof(*request->topic_data));
    request->topic_data_count = 1;
    request->topic_data->name = span_text(topic);
    request->topic_data->partition_data =
        story_take(story, sizeof(*request->topic_data->partition_data));
    request->topic_data->partition_data_count = 1;
    request->topic_data->partition_data->index = index;
    request->topic_data->partition_data->records = batch;
    struct produce_response *response = story_response(exchange, produce_response);
    response->responses = story_take(story, sizeof(*response->responses));
    response->responses_count = 1;
    response->responses->name = span_text(topic);
    response->responses->partition_responses =
        story_take(story, sizeof(*response->responses->partition_responses));
    response->responses->partition_responses_count = 1;
    response->responses->partition_responses->index = index;
    response->responses->partition_responses->base_offset = base_offset;
    return exchange;
}

struct exchange *story_fetch(struct story *story, const char *topic, int32_t index, int64_t offset,
                             struct span records, int64_t high_watermark)
{
    struct exchange *exchange = story_exchange(story, API_FETCH, 5);
    struct fetch_request *request = story_request(exchange, fetch_request);
    request->topics = story_take(story, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->topic = span_text(topic);
    request->topics->partitions = story_take(story, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    request->topics->partitions->partition = index;
    request->topics->partitions->fetch_offset = offset;
    request->topics->partitions->partition_max_bytes = 1024 * 1024;
    struct fetch_response *response = story_response(exchange, fetch_response);
    response->responses = story_take(story, sizeof(*response->responses));
    response->responses_count = 1;
    response->responses->topic = span_text(topic);
    response->responses->partitions = story_take(story, sizeof(*response->responses->partitions));
    response->responses->partitions_count = 1;
    struct fetch_response_response_partition *partition = response->responses->partitions;
    partition->partition_index = index;
    partition->high_watermark = high_watermark;
    partition->records = records;
    return exchange;
}
