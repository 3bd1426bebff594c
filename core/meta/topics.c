/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/topics.h"

#include "core/base/format.h"
#include "core/meta/placement.h"
#include "core/wire/error.h"

struct touched {
    struct map_node node;
    uint8_t folded[META_TOPIC_NAME_MAX];
};

void topics_begin(struct topics_context *context, const struct image *image,
                  const struct conf *conf, struct rng *rng, struct arena *arena,
                  struct meta_writer *writer)
{
    *context = (struct topics_context){
        .image = image,
        .conf = conf,
        .rng = rng,
        .arena = arena,
        .writer = writer,
    };
    map_init(&context->touched, image->memory, rng_next(rng));
}

void topics_end(struct topics_context *context)
{
    map_clear(&context->touched);
}

int topics_touch(struct topics_context *context, struct span name, struct span *ret_message)
{
    struct touched *touched = arena_take(context->arena, sizeof(*touched));
    if (touched == NULL) {
        *ret_message = SPAN("The request is too large to be carried out as a whole.");
        return ERR_POLICY_VIOLATION;
    }
    struct span key = image_fold_name(name, touched->folded);
    if (map_find(&context->touched, key) != NULL) {
        *ret_message = arena_format(context->arena,
                                    "The request names topic '%.*s', or one that collides with it, "
                                    "twice.",
                                    SPAN_ARGS(name));
        return ERR_INVALID_REQUEST;
    }
    map_add(&context->touched, &touched->node, key);
    return ERR_NONE;
}

static int check_new_name(struct topics_context *context, struct span name,
                          struct span *ret_message)
{
    const char *why;
    if (topic_check_name(name, &why) != ERR_NONE) {
        *ret_message = span_text(why);
        return ERR_INVALID_TOPIC_EXCEPTION;
    }
    if (span_equal(name, SPAN(TOPICS_METADATA_NAME))) {
        *ret_message = SPAN("The metadata log's name is not for topics.");
        return ERR_INVALID_REQUEST;
    }
    const struct meta_topic *other = image_topic_alike(context->image, name);
    if (other == NULL)
        return ERR_NONE;
    if (span_equal(other->name, name)) {
        *ret_message =
            arena_format(context->arena, "Topic '%.*s' already exists.", SPAN_ARGS(name));
        return ERR_TOPIC_ALREADY_EXISTS;
    }
    *ret_message = arena_format(context->arena,
                                "Topic '%.*s' collides with '%.*s': '.' and '_' count as the same.",
                                SPAN_ARGS(name), SPAN_ARGS(other->name));
    return ERR_INVALID_TOPIC_EXCEPTION;
}

static bool is_live(const struct image *image, int32_t id)
{
    const struct meta_broker *broker = image_broker(image, id);
    return broker != NULL && meta_broker_is_live(broker);
}

/* What is wrong with one broker among those that were named for a partition; NULL: nothing. */
static const char *check_assigned_broker(const struct image *image,
                                         const struct topic_assignment *assignment, int32_t place)
{
    const int32_t id = assignment->brokers[place];
    if (meta_is_member(assignment->brokers, (uint32_t)place, id))
        return "twice";
    return image_broker(image, id) == NULL ? "which is not there" : NULL;
}

/* The brokers that were named for one partition: as many as for the others, known, none twice, and
 * one of them live, which is to lead. */
static int check_assigned_brokers(struct topics_context *context,
                                  const struct topic_assignment *assignment,
                                  int32_t replication_factor, struct span *ret_message)
{
    bool has_live = false;
    if (assignment->brokers_count != replication_factor || assignment->brokers_count < 1 ||
        assignment->brokers_count > META_REPLICAS_MAX) {
        *ret_message =
            arena_format(context->arena, "Partition %d is assigned to %d brokers instead of %d.",
                         assignment->partition, assignment->brokers_count, replication_factor);
        return ERR_INVALID_REPLICA_ASSIGNMENT;
    }
    for (int32_t i = 0; i < assignment->brokers_count; i++) {
        const int32_t id = assignment->brokers[i];
        const char *why = check_assigned_broker(context->image, assignment, i);
        if (why != NULL) {
            *ret_message =
                arena_format(context->arena, "Partition %d is assigned to broker %d, %s.",
                             assignment->partition, id, why);
            return ERR_INVALID_REPLICA_ASSIGNMENT;
        }
        has_live = has_live || is_live(context->image, id);
    }
    if (!has_live) {
        *ret_message = arena_format(context->arena,
                                    "Partition %d is assigned to brokers none of which is live.",
                                    assignment->partition);
        return ERR_INVALID_REPLICA_ASSIGNMENT;
    }
    return ERR_NONE;
}

/* Assignments name the partitions `first` … once each; *ret_sorted has them in order. */
static int sort_assignments(struct topics_context *context,
                            const struct topic_assignment *assignments, int32_t count,
                            int32_t first, const struct topic_assignment ***ret_sorted,
                            struct span *ret_message)
{
    const struct topic_assignment **sorted =
        arena_array(context->arena, (size_t)count, sizeof(*sorted));
    if (sorted == NULL)
        return ERR_POLICY_VIOLATION;
    for (int32_t i = 0; i < count; i++) {
        const int64_t place = (int64_t)assignments[i].partition - first;
        if (place < 0 || place >= count || sorted[place] != NULL) {
            *ret_message = arena_format(context->arena,
                                        "The assignments have to name the partitions %d to %d, "
                                        "each of them once.",
                                        first, first + count - 1);
            return ERR_INVALID_REPLICA_ASSIGNMENT;
        }
        sorted[place] = &assignments[i];
    }
    for (int32_t i = 0; i < count; i++) {
        const int error =
            check_assigned_brokers(context, sorted[i], assignments[0].brokers_count, ret_message);
        if (error != ERR_NONE)
            return error;
    }
    *ret_sorted = sorted;
    return ERR_NONE;
}

/* A broker that is known and fenced counts, as in Kafka: while one of three is restarted, topics of
 * three replicas can be created. */
static int check_replication_factor(struct topics_context *context, int32_t replication_factor,
                                    struct span *ret_message)
{
    const uint32_t brokers = context->image->brokers_count;
    if (replication_factor < 1 || replication_factor > META_REPLICAS_MAX) {
        *ret_message =
            arena_format(context->arena, "The replication factor %d is not between 1 and %d.",
                         replication_factor, META_REPLICAS_MAX);
        return ERR_INVALID_REPLICATION_FACTOR;
    }
    if ((uint32_t)replication_factor > brokers) {
        *ret_message = arena_format(context->arena,
                                    "The replication factor %d is larger than the number of "
                                    "brokers that are there, %u.",
                                    replication_factor, brokers);
        return ERR_INVALID_REPLICATION_FACTOR;
    }
    if (image_live_brokers(context->image) == 0) {
        *ret_message = SPAN("No broker is live that a partition could be given to.");
        return ERR_INVALID_REPLICATION_FACTOR;
    }
    return ERR_NONE;
}

/* Limits of one proposal and of the whole cluster. */
static int check_room(struct topics_context *context, int32_t partitions, struct span *ret_message)
{
    const int64_t created = (int64_t)context->partitions_created + partitions;
    if (created > TOPICS_PARTITIONS_PER_PROPOSAL_MAX) {
        *ret_message =
            arena_format(context->arena, "One request may create %d partitions, not more.",
                         TOPICS_PARTITIONS_PER_PROPOSAL_MAX);
        return ERR_POLICY_VIOLATION;
    }
    if (context->image->partitions_count + created > META_PARTITIONS_MAX) {
        *ret_message = arena_format(context->arena, "There may be %d partitions in all, not more.",
                                    META_PARTITIONS_MAX);
        return ERR_POLICY_VIOLATION;
    }
    return ERR_NONE;
}

static int check_configs(struct topics_context *context, const struct topic_override *configs,
                         int32_t count, struct span *ret_message)
{
    if (count > META_CONFIGS_MAX) {
        *ret_message = SPAN("There are more configuration keys than a topic can have.");
        return ERR_INVALID_REQUEST;
    }
    for (int32_t i = 0; i < count; i++) {
        for (int32_t k = 0; k < i; k++) {
            if (span_equal(configs[k].key, configs[i].key)) {
                *ret_message = SPAN("A configuration key is set twice.");
                return ERR_INVALID_REQUEST;
            }
        }
        if (topic_conf_check(configs[i].key, configs[i].value, context->arena, ret_message) != 0)
            return ERR_INVALID_CONFIG;
        if (configs[i].value.length > META_CONFIG_VALUE_MAX) {
            *ret_message = SPAN("A configuration value is too long.");
            return ERR_INVALID_CONFIG;
        }
    }
    return ERR_NONE;
}

/* Whoever is live is in sync: there is nothing that it could miss. */
static int write_partition(const struct topics_context *context, struct uuid topic_id,
                           int32_t partition, int32_t *brokers, int32_t brokers_count)
{
    int32_t isr[META_REPLICAS_MAX];
    int32_t isr_count = 0;
    for (int32_t i = 0; i < brokers_count; i++) {
        if (is_live(context->image, brokers[i]))
            isr[isr_count++] = brokers[i];
    }
    struct meta_record record = meta_record_of(META_RECORD_PARTITION);
    record.body.partition.partition_id = partition;
    record.body.partition.topic_id = topic_id;
    record.body.partition.replicas = brokers;
    record.body.partition.replicas_count = brokers_count;
    record.body.partition.isr = isr;
    record.body.partition.isr_count = isr_count;
    record.body.partition.leader = isr_count > 0 ? isr[0] : META_NO_LEADER;
    record.body.partition.leader_epoch = 0;
    record.body.partition.partition_epoch = 0;
    return meta_write(context->writer, &record);
}

/* Writes the partitions of a topic that follow those it has, by assignment, or without one by our
 * choice. `topic` is NULL for one that is new. */
static int write_partitions(struct topics_context *context, struct uuid topic_id,
                            const struct meta_topic *topic, int32_t count,
                            int32_t replication_factor,
                            const struct topic_assignment *const *assignments)
{
    const int32_t first = topic == NULL ? 0 : topic->partitions_count;
    struct placement placement;
    if (!placement_begin(&placement, context->image, topic, rng_next(context->rng) >> 1,
                         context->arena))
        return ERR_POLICY_VIOLATION;
    for (int32_t i = 0; i < count; i++) {
        int32_t brokers[META_REPLICAS_MAX] = {0};
        if (assignments != NULL)
            memcpy(brokers, assignments[i]->brokers, (size_t)replication_factor * sizeof(*brokers));
        else
            placement_choose(&placement, replication_factor, brokers);
        const int error =
            write_partition(context, topic_id, first + i, brokers, replication_factor);
        if (error != ERR_NONE)
            return error;
    }
    context->partitions_created += count;
    return ERR_NONE;
}

static int write_config(struct meta_writer *writer, struct span topic, struct span key,
                        struct span value)
{
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = META_RESOURCE_TOPIC;
    record.body.config.resource_name = topic;
    record.body.config.name = key;
    record.body.config.value = value;
    return meta_write(writer, &record);
}

/* Makes partitions and replication factor definite. */
static int creation_resolve(struct topics_context *context, struct topic_creation *creation,
                            const struct topic_assignment ***ret_assignments)
{
    if (creation->assignments_count <= 0) {
        if (creation->partitions == -1)
            creation->partitions = (int32_t)conf_int(context->conf, CONF_NUM_PARTITIONS);
        if (creation->replication_factor == -1)
            creation->replication_factor =
                (int32_t)conf_int(context->conf, CONF_DEFAULT_REPLICATION_FACTOR);
        if (creation->partitions < 1) {
            creation->message = SPAN("A topic has to have at least one partition.");
            return ERR_INVALID_PARTITIONS;
        }
        return check_replication_factor(context, creation->replication_factor, &creation->message);
    }
    if (creation->partitions != -1 || creation->replication_factor != -1) {
        creation->message = SPAN("Where brokers are assigned by hand, the number of partitions and "
                                 "the replication factor have to be -1.");
        return ERR_INVALID_REQUEST;
    }
    creation->partitions = creation->assignments_count;
    creation->replication_factor = creation->assignments[0].brokers_count;
    return sort_assignments(context, creation->assignments, creation->assignments_count, 0,
                            ret_assignments, &creation->message);
}

static int creation_write(struct topics_context *context, struct topic_creation *creation,
                          const struct topic_assignment *const *assignments)
{
    struct meta_record record = meta_record_of(META_RECORD_TOPIC);
    record.body.topic.name = creation->name;
    record.body.topic.topic_id = creation->topic_id;
    int error = meta_write(context->writer, &record);
    /* The configuration comes before the partitions: what is told of a new partition knows it. */
    for (int32_t i = 0; i < creation->configs_count && error == ERR_NONE; i++)
        error = write_config(context->writer, creation->name, creation->configs[i].key,
                             creation->configs[i].value);
    if (error != ERR_NONE)
        return error;
    return write_partitions(context, creation->topic_id, NULL, creation->partitions,
                            creation->replication_factor, assignments);
}

int topics_create(struct topics_context *context, struct topic_creation *creation)
{
    const uint32_t mark = context->writer->count;
    const struct topic_assignment **assignments = NULL;
    creation->message = SPAN_NULL;
    int error = check_new_name(context, creation->name, &creation->message);
    if (error == ERR_NONE)
        error = creation_resolve(context, creation, &assignments);
    if (error == ERR_NONE)
        error = check_room(context, creation->partitions, &creation->message);
    if (error == ERR_NONE)
        error =
            check_configs(context, creation->configs, creation->configs_count, &creation->message);
    if (error == ERR_NONE)
        error = topics_touch(context, creation->name, &creation->message);
    if (error != ERR_NONE)
        return error;
    do {
        creation->topic_id = rng_uuid(context->rng);
    } while (image_topic_by_id(context->image, creation->topic_id) != NULL);
    error = creation_write(context, creation, assignments);
    if (error != ERR_NONE) {
        meta_writer_cut(context->writer, mark);
        creation->message = SPAN("The request is too large to be carried out as a whole.");
    }
    return error;
}

void topics_offsets_creation(const struct conf *conf, struct topic_override *configs,
                             struct topic_creation *ret_creation)
{
    configs[0] = (struct topic_override){SPAN("cleanup.policy"), SPAN("compact")};
    configs[1] = (struct topic_override){SPAN("segment.bytes"),
                                         conf_text(conf, CONF_OFFSETS_TOPIC_SEGMENT_BYTES)};
    *ret_creation = (struct topic_creation){
        .name = SPAN("__consumer_offsets"),
        .partitions = (int32_t)conf_int(conf, CONF_OFFSETS_TOPIC_NUM_PARTITIONS),
        .replication_factor = (int32_t)conf_int(conf, CONF_OFFSETS_TOPIC_REPLICATION_FACTOR),
        .configs = configs,
        .configs_count = TOPICS_OFFSETS_CONFIGS,
    };
}

int topics_remove(struct topics_context *context, const struct meta_topic *topic,
                  struct span *ret_message)
{
    *ret_message = SPAN_NULL;
    const int error = topics_touch(context, topic->name, ret_message);
    if (error != ERR_NONE)
        return error;
    struct meta_record record = meta_record_of(META_RECORD_REMOVE_TOPIC);
    record.body.remove_topic.topic_id = topic->id;
    return meta_write(context->writer, &record);
}

static int check_growth(struct topics_context *context, const struct meta_topic *topic,
                        int32_t count, bool assigned, int32_t assignments_count,
                        struct span *ret_message)
{
    if (topic_is_internal(topic->name)) {
        *ret_message = SPAN("The partitions of an internal topic decide what belongs where: their "
                            "number stays.");
        return ERR_INVALID_REQUEST;
    }
    if (count <= topic->partitions_count) {
        *ret_message = arena_format(context->arena,
                                    "Topic '%.*s' has %d partitions; %d would not be an increase.",
                                    SPAN_ARGS(topic->name), topic->partitions_count, count);
        return ERR_INVALID_PARTITIONS;
    }
    const int32_t added = count - topic->partitions_count;
    if (assigned && assignments_count != added) {
        *ret_message =
            arena_format(context->arena, "There are %d new partitions, and assignments for %d.",
                         added, assignments_count);
        return ERR_INVALID_REPLICA_ASSIGNMENT;
    }
    return check_room(context, added, ret_message);
}

int topics_grow(struct topics_context *context, const struct meta_topic *topic, int32_t count,
                const struct topic_assignment *assignments, int32_t assignments_count,
                struct span *ret_message)
{
    const int32_t first = topic->partitions_count;
    const uint32_t mark = context->writer->count;
    const struct topic_assignment **sorted = NULL;
    *ret_message = SPAN_NULL;
    int error = topics_touch(context, topic->name, ret_message);
    if (error == ERR_NONE)
        error = check_growth(context, topic, count, assignments != NULL, assignments_count,
                             ret_message);
    if (error != ERR_NONE)
        return error;
    /* A topic has one replication factor: that of its first partition. */
    int32_t replication_factor = first == 0 ? 1 : topic->partitions[0].replicas_count;
    if (assignments != NULL) {
        error =
            sort_assignments(context, assignments, assignments_count, first, &sorted, ret_message);
        if (error == ERR_NONE)
            replication_factor = assignments[0].brokers_count;
    } else {
        error = check_replication_factor(context, replication_factor, ret_message);
    }
    if (error != ERR_NONE)
        return error;
    error = write_partitions(context, topic->id, topic, count - first, replication_factor, sorted);
    if (error != ERR_NONE) {
        meta_writer_cut(context->writer, mark);
        *ret_message = SPAN("The request is too large to be carried out as a whole.");
    }
    return error;
}

int topics_raise_epoch(const struct image *image, struct meta_writer *writer, struct uuid topic_id,
                       int32_t partition, int32_t epoch)
{
    const struct meta_topic *topic = image_topic_by_id(image, topic_id);
    const struct meta_partition *found = topic == NULL ? NULL : image_partition(topic, partition);
    if (found == NULL)
        return ERR_UNKNOWN_TOPIC_OR_PARTITION;
    if (found->leader_epoch != epoch || !meta_epochs_can_rise(found))
        return ERR_FENCED_LEADER_EPOCH;
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    record.body.partition_change.partition_id = partition;
    record.body.partition_change.topic_id = topic_id;
    record.body.partition_change.leader = found->leader;
    return meta_write(writer, &record);
}
