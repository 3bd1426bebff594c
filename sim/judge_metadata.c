/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One truth for metadata: whatever is asked, the answer is that of the metadata log. The judge
 * holds each answer against the image that the durable log gives, and the core's own image too.
 *
 * What is durable is applied a moment later. So an answer is only judged when the core had applied
 * everything at the time of the question, and nothing of what it is about has changed since.
 */
#include "core/api/resource.h"
#include "core/base/format.h"
#include "core/conf/conf.h"
#include "core/meta/topics.h"
#include "core/view.h"
#include "core/wire/error.h"
#include "sim/metadata_answers.h"
#include "sim/parts.h"

#define LIST_OFFSETS_WITH_EPOCHS 4    /* the version from which on leader epochs are told */
#define LIST_OFFSETS_LATEST      (-1) /* the timestamp that stands for the end */

struct machine {
    bool is_behind;      /* at the last look, something durable was not applied */
    uint64_t even_since; /* the trace's number from which on it was not */
    int64_t compared;    /* the end of the log when the images were last compared */
    char cluster_id[32];
};

struct metadata {
    struct machine machines[SIM_HOSTS_MAX];
};

/* Whether the core has applied what is durable. */
static void look(struct judge *judge, struct host *host)
{
    struct metadata *metadata = judge->state;
    struct machine *machine = &metadata->machines[host->number - 1];
    const struct image *image = durable_image(judge_durable(judge, host));
    if (image == NULL || host->broker == NULL)
        return;
    struct broker_view view;
    broker_view(host->broker, &view);
    const bool was_behind = machine->is_behind;
    machine->is_behind = view.metadata_end != image->end_offset;
    if (view.metadata_end > image->end_offset)
        judge_object(judge,
                     "%s has applied metadata up to offset %lld, of which only what lies before "
                     "%lld is durable",
                     host->name, (long long)view.metadata_end, (long long)image->end_offset);
    if (machine->is_behind)
        return;
    if (was_behind)
        machine->even_since = judge->sim->trace_number;
    if (machine->compared == image->end_offset)
        return;
    machine->compared = image->end_offset;
    judge->judged++;
    if (broker_view_metadata(host->broker) != image_digest(image))
        judge_object(judge,
                     "the metadata of %s is not what its durable log gives, up to offset %lld",
                     host->name, (long long)image->end_offset);
}

/* ---- One topic. ---- */

static bool is_even(const struct judge *judge, const struct exchange *exchange)
{
    const struct metadata *metadata = judge->state;
    const struct machine *machine = &metadata->machines[exchange->host->number - 1];
    return !machine->is_behind && machine->even_since <= exchange->asked_number;
}

const struct image *metadata_truth(struct judge *judge, const struct exchange *exchange,
                                   struct span name)
{
    const struct durable *durable = judge_durable(judge, exchange->host);
    return is_even(judge, exchange) && durable_is_steady(durable, name, exchange->asked_number)
               ? durable_image(durable)
               : NULL;
}

const struct image *metadata_truth_of_brokers(struct judge *judge, const struct exchange *exchange)
{
    const struct durable *durable = judge_durable(judge, exchange->host);
    return is_even(judge, exchange) && durable_brokers_are_steady(durable, exchange->asked_number)
               ? durable_image(durable)
               : NULL;
}

void metadata_differs(struct judge *judge, const struct exchange *exchange, struct span name,
                      const char *what, long long told, long long is)
{
    judge_object(judge, "%s of %s tells of %.*s: %s %lld, and the metadata log says %lld",
                 exchange->api->name, exchange->host->name, (int)name.length,
                 (const char *)name.data, what, told, is);
}

/* A partition (or, with −1, a topic) that an answer tells of, as it has to be told. */
struct place {
    struct span name;
    int32_t index;
    const struct image *image; /* NULL: nothing can be said */
    const struct meta_topic *topic;
    const struct meta_partition *meta;
};

static struct place place_of(struct judge *judge, const struct exchange *exchange, struct span name,
                             int32_t index)
{
    struct place place = {
        .name = name, .index = index, .image = metadata_truth(judge, exchange, name)};
    if (place.image != NULL)
        place.topic = image_topic(place.image, name);
    if (place.topic != NULL)
        place.meta = image_partition(place.topic, index);
    return place;
}

static void judge_presence(struct judge *judge, const struct exchange *exchange,
                           const struct place *place, int16_t error)
{
    if (place->image == NULL || (error != ERR_NONE && error != ERR_UNKNOWN_TOPIC_OR_PARTITION))
        return;
    const bool is_there = place->topic != NULL && place->index < place->topic->partitions_count;
    judge->judged++;
    if (is_there != (error == ERR_NONE))
        metadata_differs(judge, exchange, place->name, "it is there", error == ERR_NONE, is_there);
}

void metadata_judge_presence(struct judge *judge, const struct exchange *exchange, struct span name,
                             int32_t partition, int16_t error)
{
    const struct place place = place_of(judge, exchange, name, partition);
    judge_presence(judge, exchange, &place, error);
}

/* An answer that only the leader gives, or by which the node says that it is not the leader. */
static void judge_leader(struct judge *judge, const struct exchange *exchange,
                         const struct place *place, int16_t error)
{
    if (place->meta == NULL || (error != ERR_NONE && error != ERR_NOT_LEADER_OR_FOLLOWER))
        return;
    const bool leads = place->meta->leader == (int32_t)exchange->host->number;
    judge->judged++;
    if (leads != (error == ERR_NONE))
        metadata_differs(judge, exchange, place->name, "it leads", error == ERR_NONE, leads);
}

/* Who leads instead (KIP-951). */
static void judge_hint(struct judge *judge, const struct exchange *exchange,
                       const struct place *place, int32_t leader, int32_t epoch)
{
    const struct meta_partition *meta = place->meta;
    if (meta == NULL || epoch < 0)
        return;
    judge->judged++;
    if (leader != meta->leader)
        metadata_differs(judge, exchange, place->name, "a leader", leader, meta->leader);
    if (epoch != meta->leader_epoch)
        metadata_differs(judge, exchange, place->name, "a leader epoch", epoch, meta->leader_epoch);
}

/* ---- Answers. ---- */

void metadata_judge_cluster_id(struct judge *judge, const struct exchange *exchange,
                               struct span cluster_id)
{
    struct metadata *metadata = judge->state;
    struct machine *machine = &metadata->machines[exchange->host->number - 1];
    if (cluster_id.length == 0 || cluster_id.length >= sizeof(machine->cluster_id))
        return;
    if (machine->cluster_id[0] == '\0')
        memcpy(machine->cluster_id, cluster_id.data, cluster_id.length);
    if (!span_equal(cluster_id, span_text(machine->cluster_id)))
        judge_object(judge, "%s of %s tells of the cluster %.*s, which was %s before",
                     exchange->api->name, exchange->host->name, (int)cluster_id.length,
                     (const char *)cluster_id.data, machine->cluster_id);
}

static void metadata_replied(struct judge *judge, const struct exchange *exchange)
{
    metadata_topics_replied(judge, exchange);
    metadata_nodes_replied(judge, exchange);
}

static void configs_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct describe_configs_response *response = exchange->response;
    for (int32_t i = 0; i < response->results_count; i++) {
        const struct describe_configs_response_result *result = &response->results[i];
        metadata_settings_replied(judge, exchange, result);
        if (result->resource_type != RESOURCE_TOPIC)
            continue;
        metadata_judge_presence(judge, exchange, result->resource_name, -1, result->error_code);
        const struct image *image = metadata_truth(judge, exchange, result->resource_name);
        const struct meta_topic *topic =
            image == NULL ? NULL : image_topic(image, result->resource_name);
        for (int32_t j = 0; topic != NULL && j < result->configs_count; j++) {
            const struct describe_configs_response_result_config *config = &result->configs[j];
            const struct span own = image_topic_config(topic, config->name);
            judge->judged++;
            if (!span_is_null(own) && !span_equal(own, config->value))
                judge_object(judge,
                             "DescribeConfigs of %s tells of %.*s: %.*s is %.*s, and the metadata "
                             "log says %.*s",
                             exchange->host->name, (int)result->resource_name.length,
                             (const char *)result->resource_name.data, (int)config->name.length,
                             (const char *)config->name.data, (int)config->value.length,
                             (const char *)config->value.data, (int)own.length,
                             (const char *)own.data);
            if (exchange->version >= 1 &&
                span_is_null(own) == (config->config_source == CONF_SOURCE_TOPIC))
                metadata_differs(judge, exchange, config->name, "a source", config->config_source,
                                 span_is_null(own) ? 0 : CONF_SOURCE_TOPIC);
        }
    }
}

/* The end of a partition comes with the epoch under which it is led. */
static void end_told(struct judge *judge, const struct exchange *exchange,
                     const struct place *place,
                     const struct list_offsets_request_topic_partition *asked,
                     const struct list_offsets_response_topic_partition *told)
{
    if (place->meta == NULL || told->error_code != ERR_NONE ||
        asked->timestamp != LIST_OFFSETS_LATEST || exchange->version < LIST_OFFSETS_WITH_EPOCHS)
        return;
    judge->judged++;
    if (told->leader_epoch != place->meta->leader_epoch)
        metadata_differs(judge, exchange, place->name, "a leader epoch", told->leader_epoch,
                         place->meta->leader_epoch);
}

static void offsets_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct list_offsets_request *request = exchange->request;
    const struct list_offsets_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct list_offsets_response_topic *topic = &response->topics[i];
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            const struct list_offsets_response_topic_partition *part = &topic->partitions[j];
            const struct place place =
                place_of(judge, exchange, topic->name, part->partition_index);
            judge_presence(judge, exchange, &place, part->error_code);
            judge_leader(judge, exchange, &place, part->error_code);
            if (i < request->topics_count && j < request->topics[i].partitions_count)
                end_told(judge, exchange, &place, &request->topics[i].partitions[j], part);
        }
    }
}

/* Why nobody was elected; who was, is judged by what the whole cluster knows. */
static void election_told(struct judge *judge, const struct exchange *exchange, struct span name,
                          int32_t index, int16_t error)
{
    const struct elect_leaders_request *request = exchange->request;
    const struct image *image = metadata_truth(judge, exchange, name);
    const struct meta_topic *topic = image == NULL ? NULL : image_topic(image, name);
    const struct meta_partition *meta = topic == NULL ? NULL : image_partition(topic, index);
    metadata_judge_presence(judge, exchange, name, index,
                            error == ERR_ELECTION_NOT_NEEDED ? ERR_NONE : error);
    if (meta == NULL || request->election_type != TOPICS_ELECT_PREFERRED)
        return;
    const int32_t preferred = meta_replicas(meta)[0];
    const struct meta_broker *broker = image_broker(image, preferred);
    const bool can_lead = meta_is_member(meta_isr(meta), meta->isr_count, preferred) &&
                          broker != NULL && meta_broker_is_live(broker);
    judge->judged++;
    if ((error == ERR_ELECTION_NOT_NEEDED && meta->leader != preferred) ||
        (error == ERR_PREFERRED_LEADER_NOT_AVAILABLE && (meta->leader == preferred || can_lead)))
        judge_object(judge,
                     "ElectLeaders of %s tells of %.*s-%d: %s, and the metadata log says that %d "
                     "leads, and %d, which is preferred, %s",
                     exchange->host->name, SPAN_ARGS(name), index, error_name(error), meta->leader,
                     preferred, can_lead ? "could" : "could not");
}

static void elections_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct elect_leaders_response *response = exchange->response;
    for (int32_t i = 0; i < response->replica_election_results_count; i++) {
        const struct elect_leaders_response_replica_election_result *topic =
            &response->replica_election_results[i];
        for (int32_t j = 0; j < topic->partition_result_count; j++)
            election_told(judge, exchange, topic->topic, topic->partition_result[j].partition_id,
                          topic->partition_result[j].error_code);
    }
}

/* A leader also refuses as if it were none while it waits for a higher epoch. */
static void produce_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct produce_response *response = exchange->response;
    struct produced_walk walk = {.exchange = exchange,
                                 .durable = judge_durable(judge, exchange->host)};
    struct produced part;
    while (produced_next(&walk, &part)) {
        if (part.name.length == 0)
            continue;
        const struct place place = place_of(judge, exchange, part.name, part.key.index);
        judge_presence(judge, exchange, &place, part.reply->error_code);
        if (part.reply->error_code == ERR_NONE)
            judge_leader(judge, exchange, &place, ERR_NONE);
        judge_hint(judge, exchange, &place, part.reply->current_leader.leader_id,
                   part.reply->current_leader.leader_epoch);
    }
    for (int32_t i = 0; i < response->node_endpoints_count; i++) {
        const struct produce_response_node_endpoint *node = &response->node_endpoints[i];
        metadata_address_told(
            judge, exchange,
            &(struct address_told){node->node_id, node->host, node->port, node->rack});
    }
}

static void fetch_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct fetch_response *response = exchange->response;
    struct fetched_walk walk = {.exchange = exchange,
                                .durable = judge_durable(judge, exchange->host)};
    struct fetched part;
    while (fetched_next(&walk, &part)) {
        if (part.name.length == 0)
            continue;
        const struct place place = place_of(judge, exchange, part.name, part.key.index);
        judge_presence(judge, exchange, &place, part.reply->error_code);
        judge_leader(judge, exchange, &place, part.reply->error_code);
        judge_hint(judge, exchange, &place, part.reply->current_leader.leader_id,
                   part.reply->current_leader.leader_epoch);
    }
    for (int32_t i = 0; i < response->node_endpoints_count; i++) {
        const struct fetch_response_node_endpoint *node = &response->node_endpoints[i];
        metadata_address_told(
            judge, exchange,
            &(struct address_told){node->node_id, node->host, node->port, node->rack});
    }
}

static const struct {
    int16_t key;
    void (*replied)(struct judge *judge, const struct exchange *exchange);
} answers[] = {
    {API_METADATA, metadata_replied},
    {API_DESCRIBE_TOPIC_PARTITIONS, metadata_partitions_replied},
    {API_DESCRIBE_LOG_DIRS, metadata_log_dirs_replied},
    {API_DESCRIBE_CLUSTER, metadata_cluster_replied},
    {API_DESCRIBE_QUORUM, metadata_quorum_replied},
    {API_DESCRIBE_CONFIGS, configs_replied},
    {API_LIST_OFFSETS, offsets_replied},
    {API_PRODUCE, produce_replied},
    {API_FETCH, fetch_replied},
    {API_ELECT_LEADERS, elections_replied},
};

static void asked(struct judge *judge, const struct exchange *exchange)
{
    look(judge, exchange->host);
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    look(judge, exchange->host);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (answers[i].key == exchange->api->key)
            answers[i].replied(judge, exchange);
    }
}

/* A new process reads everything before it serves. */
static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct metadata *metadata = judge->state;
    if (change == HOST_BOOTED)
        metadata->machines[host->number - 1].compared = 0;
    else if (change == HOST_READY)
        look(judge, host);
}

const struct judge_kind judge_metadata = {
    .name = "metadata-one-truth",
    .rule = "every way to ask for metadata gives the answer of the metadata log, and the core's "
            "image is what the log gives",
    .source = "law: one truth for metadata; KIP-631: the image is what replaying the log gives",
    .size = sizeof(struct metadata),
    .asked = asked,
    .replied = replied,
    .host_changed = host_changed,
};
