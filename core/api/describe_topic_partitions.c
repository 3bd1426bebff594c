/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeTopicPartitions (KIP-966): topics by name, so many partitions at a time, and how far the
 * followers are of those that this broker leads. */
#include "core/api/authorized.h"
#include "core/api/leaders.h"
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/meta/topics.h"
#include "core/partition.h"
#include "core/replica/replicas.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Partitions of one answer, as many as Kafka's max.request.partition.size.limit allows. */
#define ANSWER_PARTITIONS_MAX 2000

typedef struct describe_topic_partitions_response_topic topic_out;
typedef struct describe_topic_partitions_response_topic_partition partition_out;

struct description {
    const struct broker *broker;
    struct request *request;
    struct describe_topic_partitions_response *response;
    struct span *names; /* of the topics that are to be told, a heap: see names_pop() */
    uint32_t names_count;
    struct span first_name;  /* no topic before it */
    int32_t first_partition; /* of that topic */
    int32_t left;            /* partitions that the answer may still have */
};

static void names_swap(struct description *all, uint32_t a, uint32_t b)
{
    const struct span name = all->names[a];
    all->names[a] = all->names[b];
    all->names[b] = name;
}

/* Both below `at` are heaps already, whose names come after those above them. */
static void names_sink(struct description *all, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < all->names_count;
             child++) {
            if (span_compare(all->names[child], all->names[least]) < 0)
                least = child;
        }
        if (least == at)
            return;
        names_swap(all, at, least);
        at = least;
    }
}

/* Takes the first name of those that are left. An answer needs few of many: sorting all of them
 * would be for nothing. */
static struct span names_pop(struct description *all)
{
    const struct span name = all->names[0];
    names_swap(all, 0, --all->names_count);
    names_sink(all, 0);
    return name;
}

static void names_add(struct description *all, struct span name)
{
    if (span_compare(name, all->first_name) >= 0)
        all->names[all->names_count++] = name;
}

/* The names of what was asked for; false when there is no room for them. */
static bool names_gather(struct description *all)
{
    const struct describe_topic_partitions_request *body = all->request->body;
    const struct image *image = &all->broker->image;
    const uint32_t count =
        body->topics_count > 0 ? (uint32_t)body->topics_count : map_count(&image->topics_by_name);
    all->names = arena_array(&all->request->arena, count, sizeof(*all->names));
    if (all->names == NULL)
        return false;
    for (int32_t i = 0; i < body->topics_count; i++)
        names_add(all, body->topics[i].name);
    const struct meta_topic *topic = body->topics_count > 0 ? NULL : image_first_topic(image);
    for (; topic != NULL; topic = image_next_topic(topic))
        names_add(all, topic->name);
    for (uint32_t at = all->names_count / 2; at-- > 0;)
        names_sink(all, at);
    return true;
}

static void tell_partition(const struct description *all, const struct meta_partition *partition,
                           int32_t *room, partition_out *out)
{
    const struct image *image = &all->broker->image;
    const int32_t *replicas = meta_replicas(partition);
    out->error_code = (int16_t)leader_check(all->broker, all->request, partition->leader);
    out->leader_id = out->error_code == ERR_NONE ? partition->leader : META_NO_LEADER;
    out->leader_epoch = partition->leader_epoch;
    out->replica_nodes_count = partition->replicas_count;
    out->isr_nodes_count = partition->isr_count;
    out->eligible_leader_replicas_count = partition->elr_count;
    out->last_known_elr_count = partition->has_last_known_leader;
    /* All of them lie behind one another in the image, too. */
    const int32_t lists = out->replica_nodes_count + out->isr_nodes_count +
                          out->eligible_leader_replicas_count + out->last_known_elr_count;
    memcpy(room, replicas, (size_t)lists * sizeof(*room));
    out->replica_nodes = room;
    out->isr_nodes = out->replica_nodes + out->replica_nodes_count;
    out->eligible_leader_replicas = out->isr_nodes + out->isr_nodes_count;
    out->last_known_elr = out->eligible_leader_replicas + out->eligible_leader_replicas_count;
    out->offline_replicas = out->last_known_elr + out->last_known_elr_count;
    for (uint32_t i = 0; i < partition->replicas_count; i++) {
        const struct meta_broker *broker = image_broker(image, replicas[i]);
        if (broker == NULL || broker->fenced)
            out->offline_replicas[out->offline_replicas_count++] = replicas[i];
    }
}

/* What this broker knows of those who follow it, if it leads; false when there is no room. */
static bool tell_followers(const struct description *all, const struct meta_topic *topic,
                           int32_t index, partition_out *out)
{
    const struct partition *partition = partition_hosted(all->broker, topic->id, index);
    struct replica_follower_status status;
    if (partition == NULL || partition->leading == NULL)
        return true;
    out->followers = arena_array(&all->request->arena, (size_t)out->replica_nodes_count,
                                 sizeof(*out->followers));
    if (out->followers == NULL)
        return false;
    out->followers_count = 0;
    if (replica_leader_start(partition->leading) >= 0)
        out->log_end_offset = log_end(partition->log);
    while (replica_leader_follower(partition->leading, (uint32_t)out->followers_count, &status))
        out->followers[out->followers_count++] =
            (struct describe_topic_partitions_response_topic_partition_follower){
                .broker_id = status.node_id,
                .end_offset = status.end_offset,
                .behind_ms = status.behind_us < 0 ? -1 : status.behind_us / 1000,
            };
    return true;
}

/* Partitions of a topic from `first` on, as many as the answer may have; false when there is no
 * room for them. */
static bool tell_partitions(struct description *all, const struct meta_topic *topic, int32_t first,
                            topic_out *out)
{
    const struct describe_topic_partitions_request *body = all->request->body;
    struct arena *arena = &all->request->arena;
    const int32_t rest = topic->partitions_count - first;
    const int32_t count = rest < all->left ? rest : all->left;
    if (count <= 0)
        return true;
    out->partitions = arena_array(arena, (size_t)count, sizeof(*out->partitions));
    if (out->partitions == NULL)
        return false;
    for (int32_t i = 0; i < count; i++) {
        const struct meta_partition *partition = &topic->partitions[first + i];
        /* Who is eligible is not in sync, and all of them are replicas. */
        int32_t *room =
            arena_array(arena, (size_t)3 * partition->replicas_count + 1, sizeof(*room));
        if (room == NULL)
            return false;
        out->partitions[i] = wire_default_describe_topic_partitions_response_topic_partition;
        out->partitions[i].partition_index = first + i;
        tell_partition(all, partition, room, &out->partitions[i]);
        if (body->include_followers && !tell_followers(all, topic, first + i, &out->partitions[i]))
            return false;
    }
    out->partitions_count = count;
    all->left -= count;
    return true;
}

static bool tell_topic(struct description *all, struct span name, topic_out *out, int32_t *ret_next)
{
    const char *why;
    const struct meta_topic *topic = image_topic(&all->broker->image, name);
    *out = wire_default_describe_topic_partitions_response_topic;
    out->name = name;
    out->is_internal = topic_is_internal(name);
    *ret_next = -1;
    if (topic == NULL) {
        out->error_code = (int16_t)topic_check_name(name, &why);
        if (out->error_code == ERR_NONE)
            out->error_code = ERR_UNKNOWN_TOPIC_OR_PARTITION;
        return true;
    }
    out->topic_id = topic->id;
    out->topic_authorized_operations = AUTHORIZED_TOPIC;
    const int32_t first = span_equal(name, all->first_name) ? all->first_partition : 0;
    if (!tell_partitions(all, topic, first, out))
        return false;
    if (first + out->partitions_count < topic->partitions_count)
        *ret_next = first + out->partitions_count;
    return true;
}

static bool set_cursor(struct description *all, struct span name, int32_t partition)
{
    struct describe_topic_partitions_response_next_cursor *cursor =
        arena_take(&all->request->arena, sizeof(*cursor));
    if (cursor == NULL)
        return false;
    cursor->topic_name = name;
    cursor->partition_index = partition;
    all->response->next_cursor = cursor;
    return true;
}

/* Tells one topic after the other until the answer is full; false when there is no memory. */
static bool tell_topics(struct description *all)
{
    struct span previous = SPAN_NULL;
    all->response->topics =
        arena_array(&all->request->arena, all->names_count, sizeof(*all->response->topics));
    if (all->response->topics == NULL)
        return false;
    while (all->names_count > 0) {
        const struct span name = names_pop(all);
        int32_t next = -1;
        if (!span_is_null(previous) && span_equal(name, previous))
            continue; /* asked for twice */
        previous = name;
        if (all->left == 0)
            return set_cursor(all, name, 0);
        if (!tell_topic(all, name, &all->response->topics[all->response->topics_count++], &next))
            return false;
        if (next >= 0)
            return set_cursor(all, name, next);
    }
    return true;
}

/* Every topic that was asked for has this error. */
static bool refuse_topics(struct description *all, int error)
{
    const struct describe_topic_partitions_request *body = all->request->body;
    all->response->topics = arena_array(&all->request->arena, (size_t)body->topics_count,
                                        sizeof(*all->response->topics));
    if (all->response->topics == NULL)
        return false;
    for (int32_t i = 0; i < body->topics_count; i++) {
        topic_out *out = &all->response->topics[all->response->topics_count++];
        *out = wire_default_describe_topic_partitions_response_topic;
        out->name = body->topics[i].name;
        out->error_code = (int16_t)error;
    }
    return true;
}

static bool answer_fill(struct description *all)
{
    const struct describe_topic_partitions_request *body = all->request->body;
    if (body->cursor != NULL && body->cursor->partition_index < 0)
        return refuse_topics(all, ERR_INVALID_REQUEST);
    if (body->cursor != NULL) {
        all->first_name = body->cursor->topic_name;
        all->first_partition = body->cursor->partition_index;
    }
    return names_gather(all) && tell_topics(all);
}

void describe_topic_partitions_handle(struct broker *broker, struct request *request)
{
    const struct describe_topic_partitions_request *body = request->body;
    const int32_t limit = body->response_partition_limit;
    struct description all = {
        .broker = broker,
        .request = request,
        .response = request_response(request),
        .left = limit < 1                       ? 1
                : limit < ANSWER_PARTITIONS_MAX ? limit
                                                : ANSWER_PARTITIONS_MAX,
    };
    if (all.response != NULL && answer_fill(&all))
        request_reply(request, all.response);
    else
        request_refuse(request, "there is no memory for an answer to it");
}
