/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a change of metadata is answered (a topic created, deleted, altered, a producer id given
 * out), the metadata WAL that a power loss at that very moment would leave holds it.
 */
#include "core/api/resource.h"
#include "core/log/checkpoint.h"
#include "sim/durable_log.h"
#include "sim/file_node.h"
#include "sim/judge.h"
#include "sim/parts.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)
#define ALTER_SET       0

struct changes {
    struct arena arena;
    uint64_t alter_asked;  /* the trace's number of the last IncrementalAlterConfigs */
    uint32_t alters_open;  /* not answered yet, or lost: they may happen at any time */
    bool altered_together; /* the last one met another */
};

static void begin(struct judge *judge)
{
    struct changes *changes = judge->state;
    arena_init(&changes->arena, &judge->memory, MEMORY_STATE, ARENA_BYTES_MAX);
}

static void not_durable(struct judge *judge, const struct exchange *exchange, const char *what,
                        struct span name)
{
    judge_object(judge, "%s is told to be %s, but a power loss of %s now would undo that: %.*s",
                 exchange->api->name, what, exchange->host->name, (int)name.length,
                 (const char *)name.data);
}

/* What is there under the name has come, gone or changed since the request was made. */
static bool has_moved(const struct judge *judge, const struct exchange *exchange, struct span name)
{
    return !durable_is_steady(judge_durable(judge, exchange->host), name, exchange->asked_number);
}

static void created(struct judge *judge, const struct exchange *exchange, const struct image *image)
{
    const struct create_topics_request *request = exchange->request;
    const struct create_topics_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count && !request->validate_only; i++) {
        const struct create_topics_response_topic *topic = &response->topics[i];
        if (topic->error_code != 0)
            continue;
        judge->judged++;
        const struct meta_topic *found = image_topic_by_id(image, topic->topic_id);
        if (!has_moved(judge, exchange, topic->name))
            not_durable(judge, exchange, "done", topic->name);
        else if (found != NULL && (!span_equal(found->name, topic->name) ||
                                   found->partitions_count < topic->num_partitions))
            not_durable(judge, exchange, "done with all partitions", topic->name);
    }
}

static void deleted(struct judge *judge, const struct exchange *exchange, const struct image *image)
{
    const struct delete_topics_response *response = exchange->response;
    for (int32_t i = 0; i < response->responses_count; i++) {
        const struct delete_topics_response_response *topic = &response->responses[i];
        if (topic->error_code != 0)
            continue;
        judge->judged++;
        if (image_topic_by_id(image, topic->topic_id) != NULL ||
            (topic->name.length > 0 && !has_moved(judge, exchange, topic->name)))
            not_durable(judge, exchange, "done", topic->name);
    }
}

static void partitions_created(struct judge *judge, const struct exchange *exchange,
                               const struct image *image)
{
    const struct create_partitions_request *request = exchange->request;
    const struct create_partitions_response *response = exchange->response;
    for (int32_t i = 0; i < response->results_count && !request->validate_only; i++) {
        for (int32_t j = 0; j < request->topics_count; j++) {
            const struct create_partitions_request_topic *in = &request->topics[j];
            const struct meta_topic *topic = image_topic(image, in->name);
            if (!span_equal(in->name, response->results[i].name) ||
                response->results[i].error_code != 0)
                continue;
            judge->judged++;
            if (!has_moved(judge, exchange, in->name) ||
                (topic != NULL && topic->partitions_count < in->count &&
                 durable_topic(judge_durable(judge, exchange->host), in->name, (struct uuid){{0}},
                               exchange->asked_number) != NULL))
                not_durable(judge, exchange, "done", in->name);
        }
    }
}

/* Settings of a topic, or of all brokers; NULL when it is not sure what was meant. */
static const struct meta_configs *
altered_configs(struct judge *judge, const struct exchange *exchange, const struct image *image,
                const struct incremental_alter_configs_request_resource *in)
{
    if (in->resource_type == RESOURCE_BROKER)
        return &image->by_operator;
    const struct meta_topic *topic =
        durable_topic(judge_durable(judge, exchange->host), in->resource_name, (struct uuid){{0}},
                      exchange->asked_number);
    return in->resource_type != RESOURCE_TOPIC || topic == NULL ||
                   image_topic(image, in->resource_name) != topic
               ? NULL
               : &topic->configs;
}

static void altered(struct judge *judge, const struct exchange *exchange, const struct image *image)
{
    const struct changes *changes = judge->state;
    const struct incremental_alter_configs_request *request = exchange->request;
    const struct incremental_alter_configs_response *response = exchange->response;
    if (request->validate_only || changes->altered_together ||
        changes->alter_asked != exchange->asked_number)
        return;
    for (int32_t i = 0; i < response->responses_count && i < request->resources_count; i++) {
        const struct incremental_alter_configs_request_resource *in = &request->resources[i];
        const struct meta_configs *configs = altered_configs(judge, exchange, image, in);
        if (response->responses[i].error_code != 0 || configs == NULL)
            continue;
        for (int32_t j = 0; j < in->configs_count; j++) {
            judge->judged++;
            if (in->configs[j].config_operation == ALTER_SET &&
                !span_equal(meta_config(configs, in->configs[j].name), in->configs[j].value))
                not_durable(judge, exchange, "done", in->configs[j].name);
        }
    }
}

static void producer_named(struct judge *judge, const struct exchange *exchange,
                           const struct image *image)
{
    const struct init_producer_id_response *response = exchange->response;
    if (response->error_code != 0)
        return;
    judge->judged++;
    if (response->producer_id >= image->next_producer_id)
        not_durable(judge, exchange, "the only one with this id", SPAN("producer id"));
}

/* The log of "topic-0" would begin at `offset` or later. */
static bool starts_at(struct judge *judge, const struct files *files, struct span topic,
                      int32_t partition, int64_t offset)
{
    struct changes *changes = judge->state;
    bool found = false;
    for (uint32_t folder = 0; folder < FILES_FOLDERS_MAX && !found; folder++) {
        const struct file_node *file = files_durable(files, folder, "log-start-offset-checkpoint");
        struct checkpoint_entry *entries;
        uint32_t count;
        if (file == NULL || checkpoint_read(span_of(file->durable.data, file->durable.length),
                                            &changes->arena, &entries, &count) != 0)
            continue;
        for (uint32_t i = 0; i < count; i++)
            found = found || (span_equal(entries[i].topic, topic) &&
                              entries[i].partition == partition && entries[i].offset >= offset);
        arena_reset(&changes->arena);
    }
    if (found || offset <= 0)
        return true;
    struct durable_log log;
    struct span batch;
    struct batch_info info;
    durable_log_init(&log, topic, partition);
    const enum durable_found first = durable_log_next(&log, files, &batch, &info);
    return (first == DURABLE_BATCH && info.base_offset >= offset) ||
           (first == DURABLE_END && log.next_offset >= offset);
}

static void records_deleted(struct judge *judge, const struct exchange *exchange)
{
    const struct delete_records_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct delete_records_response_topic *topic = &response->topics[i];
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            const struct delete_records_response_topic_partition *part = &topic->partitions[j];
            if (part->error_code != 0 || has_moved(judge, exchange, topic->name))
                continue;
            judge->judged++;
            if (!starts_at(judge, &exchange->host->files, topic->name, part->partition_index,
                           part->low_watermark))
                not_durable(judge, exchange, "done", topic->name);
        }
    }
}

static void asked(struct judge *judge, const struct exchange *exchange)
{
    struct changes *changes = judge->state;
    if (exchange->api->key != API_INCREMENTAL_ALTER_CONFIGS)
        return;
    changes->altered_together = changes->alters_open > 0;
    changes->alters_open++;
    changes->alter_asked = exchange->asked_number;
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    struct changes *changes = judge->state;
    const struct image *image = durable_image(judge_durable(judge, exchange->host));
    const int16_t key = exchange->api->key;
    if (image == NULL || exchange->host->is_rotten)
        return;
    if (key == API_CREATE_TOPICS)
        created(judge, exchange, image);
    else if (key == API_DELETE_TOPICS)
        deleted(judge, exchange, image);
    else if (key == API_CREATE_PARTITIONS)
        partitions_created(judge, exchange, image);
    else if (key == API_INIT_PRODUCER_ID)
        producer_named(judge, exchange, image);
    else if (key == API_DELETE_RECORDS)
        records_deleted(judge, exchange);
    if (key == API_INCREMENTAL_ALTER_CONFIGS) {
        altered(judge, exchange, image);
        changes->alters_open -= changes->alters_open > 0;
    }
}

/* What was lost with the process before will not happen any more; but in a cluster it may have gone
 * to another node before. */
static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct changes *changes = judge->state;
    if (change == HOST_BOOTED && !host->conf.is_cluster)
        changes->alters_open = 0;
}

static void end(struct judge *judge)
{
    struct changes *changes = judge->state;
    arena_reset(&changes->arena);
}

const struct judge_kind judge_change_is_durable = {
    .name = "change-is-durable",
    .rule = "a change of metadata that is acknowledged survives a power loss at any time after the "
            "reply left",
    .source = "KIP-631: a change counts when it is committed to the metadata log; law: no reply "
              "leaves before what it promises is durable",
    .size = sizeof(struct changes),
    .begin = begin,
    .asked = asked,
    .replied = replied,
    .host_changed = host_changed,
    .end = end,
};
