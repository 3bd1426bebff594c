/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeLogDirs (KIP-113, KIP-827): what the data folders of this broker hold, whether it leads
 * there or follows. How large a log is shows when it was loaded: one after the other is waited for.
 */
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/log/folder.h"
#include "core/partition.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* A partition that is asked about. The topic may go while another one's log is loaded. */
struct dirs_part {
    struct uuid topic_id;
    int32_t index;
    uint32_t folder;
    int64_t size;
    int64_t lag;
    bool is_found;
};

struct log_dirs {
    struct broker *broker;
    struct request *request;
    struct dirs_part *parts; /* those of one topic behind one another */
    uint32_t count;
    uint32_t at; /* whose log is waited for */
    struct log_waiter waiter;
};

typedef struct describe_log_dirs_response_result result_out;
typedef struct describe_log_dirs_response_result_topic topic_out;
typedef struct describe_log_dirs_response_result_topic_partition partition_out;

/* Tells what is found of one topic in a folder: parts from `*at` on, which moves behind them. */
static bool tell_topic(const struct log_dirs *dirs, uint32_t folder, uint32_t *at, result_out *out)
{
    struct arena *arena = &dirs->request->arena;
    const struct uuid id = dirs->parts[*at].topic_id;
    const struct meta_topic *topic = image_topic_by_id(&dirs->broker->image, id);
    const uint32_t first = *at;
    uint32_t here = 0;
    for (; *at < dirs->count && uuid_equal(dirs->parts[*at].topic_id, id); (*at)++)
        here += dirs->parts[*at].is_found && dirs->parts[*at].folder == folder;
    if (here == 0 || topic == NULL)
        return true;
    topic_out *told = &out->topics[out->topics_count++];
    *told = (topic_out){
        .name = topic->name,
        .partitions = arena_array(arena, here, sizeof(*told->partitions)),
    };
    if (told->partitions == NULL)
        return false;
    for (uint32_t i = first; i < *at; i++) {
        const struct dirs_part *part = &dirs->parts[i];
        if (part->is_found && part->folder == folder)
            told->partitions[told->partitions_count++] =
                (partition_out){part->index, part->size, part->lag, false};
    }
    return true;
}

static bool tell_folder(const struct log_dirs *dirs, uint32_t folder, result_out *out)
{
    const struct broker *broker = dirs->broker;
    *out = wire_default_describe_log_dirs_response_result;
    out->log_dir = broker->conf->folders[folder];
    if (folder_is_offline(broker->folders[folder])) {
        out->error_code = ERR_KAFKA_STORAGE_ERROR;
        return true;
    }
    out->topics = arena_array(&dirs->request->arena, dirs->count, sizeof(*out->topics));
    bool room = out->topics != NULL;
    for (uint32_t at = 0; room && at < dirs->count;)
        room = tell_topic(dirs, folder, &at, out);
    return room;
}

static void answer(struct log_dirs *dirs)
{
    struct request *request = dirs->request;
    const uint32_t folders = dirs->broker->folders_count;
    struct describe_log_dirs_response *response = request_response(request);
    bool room = response != NULL;
    if (room)
        response->results = arena_array(&request->arena, folders, sizeof(*response->results));
    room = room && response->results != NULL;
    for (uint32_t i = 0; room && i < folders; i++)
        room = tell_folder(dirs, i, &response->results[response->results_count++]);
    if (room)
        request_reply(request, response);
    else
        request_refuse(request, "there is no memory for an answer to it");
}

/* A log that is loaded now. */
static void part_measure(struct dirs_part *part, const struct partition *partition)
{
    const int64_t lag = partition->high_watermark - log_end(partition->log);
    part->is_found = true;
    part->folder = log_folder_number(partition->log);
    part->size = (int64_t)log_size_bytes(partition->log);
    part->lag = lag > 0 ? lag : 0;
}

/* True when it is known how large the partition is, or will not be; false while its log is waited
 * for. */
static bool part_look(struct log_dirs *dirs, struct dirs_part *part)
{
    struct broker *broker = dirs->broker;
    const struct meta_topic *topic = image_topic_by_id(&broker->image, part->topic_id);
    if (topic == NULL)
        return true;
    const struct meta_partition *meta = image_partition(topic, part->index);
    if (!meta_is_member(meta_replicas(meta), meta->replicas_count, broker->conf->node_id))
        return true;
    struct partition *partition = partition_host(broker, topic, part->index);
    if (log_state(partition->log) == LOG_OFFLINE)
        return true;
    /* What nobody has written to yet has no log on disk, and needs none for this. */
    if (partition_is_on_disk(broker, topic, part->index) &&
        !partition_load(partition, &dirs->waiter))
        return false;
    part_measure(part, partition);
    return true;
}

static void measure(struct log_dirs *dirs)
{
    while (dirs->at < dirs->count && part_look(dirs, &dirs->parts[dirs->at]))
        dirs->at++;
    if (dirs->at == dirs->count)
        answer(dirs);
}

static void loaded(struct log_waiter *waiter, int error)
{
    struct log_dirs *dirs = container_of(waiter, struct log_dirs, waiter);
    if (error != ERR_NONE)
        dirs->at++; /* its folder failed, or its topic went */
    measure(dirs);
}

static void dirs_cancel(struct request *request)
{
    struct log_dirs *dirs = request->state;
    list_remove(&dirs->waiter.place);
}

static void add(struct log_dirs *dirs, const struct meta_topic *topic, int32_t index)
{
    if (topic != NULL && image_partition(topic, index) != NULL)
        dirs->parts[dirs->count++] = (struct dirs_part){.topic_id = topic->id, .index = index};
}

/* What the request asks about; false when there is no room for it. */
static bool gather(struct log_dirs *dirs)
{
    const struct describe_log_dirs_request *body = dirs->request->body;
    const struct image *image = &dirs->broker->image;
    size_t count = body->topics_count < 0 ? (size_t)image->partitions_count : 0;
    for (int32_t i = 0; i < body->topics_count; i++)
        count += (size_t)body->topics[i].partitions_count;
    dirs->parts = arena_array(&dirs->request->arena, count, sizeof(*dirs->parts));
    if (dirs->parts == NULL)
        return false;
    for (int32_t i = 0; i < body->topics_count; i++) {
        for (int32_t k = 0; k < body->topics[i].partitions_count; k++)
            add(dirs, image_topic(image, body->topics[i].topic), body->topics[i].partitions[k]);
    }
    const struct meta_topic *topic = body->topics_count < 0 ? image_first_topic(image) : NULL;
    for (; topic != NULL; topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++)
            add(dirs, topic, i);
    }
    return true;
}

void describe_log_dirs_handle(struct broker *broker, struct request *request)
{
    struct log_dirs *dirs = arena_take(&request->arena, sizeof(*dirs));
    if (dirs != NULL) {
        dirs->broker = broker;
        dirs->request = request;
        dirs->waiter.wake = loaded;
        list_init(&dirs->waiter.place);
    }
    if (dirs == NULL || !gather(dirs)) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    request->state = dirs;
    request->cancel = dirs_cancel;
    measure(dirs);
}
