/* SPDX-License-Identifier: Apache-2.0 */
/* Elections that somebody asks for (KIP-183, KIP-460); all others are a part of applying records,
 * see core/meta/election.h. */
#include "core/meta/topics.h"
#include "core/wire/error.h"

static bool is_live(const struct image *image, int32_t id)
{
    const struct meta_broker *broker = image_broker(image, id);
    return broker != NULL && meta_broker_is_live(broker);
}

static struct meta_record change_of(const struct meta_topic *topic, int32_t partition,
                                    int32_t leader)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    record.body.partition_change.partition_id = partition;
    record.body.partition_change.topic_id = topic->id;
    record.body.partition_change.leader = leader;
    return record;
}

static int elect_preferred(struct topics_context *context, const struct meta_topic *topic,
                           int32_t partition, struct span *ret_message)
{
    const struct meta_partition *found = image_partition(topic, partition);
    const int32_t preferred = meta_replicas(found)[0];
    if (found->leader == preferred)
        return ERR_ELECTION_NOT_NEEDED;
    if (!meta_is_member(meta_isr(found), found->isr_count, preferred) ||
        !is_live(context->image, preferred) || !meta_epochs_can_rise(found)) {
        *ret_message = SPAN("The preferred leader is not live, or not in sync.");
        return ERR_PREFERRED_LEADER_NOT_AVAILABLE;
    }
    const struct meta_record record = change_of(topic, partition, preferred);
    return meta_write(context->writer, &record);
}

/* Those who are eligible hold all that was committed, and stay so as long as nothing more can be:
 * while the ISR, which is the new leader alone, is too small for that. */
static int32_t stay_eligible(const struct topics_context *context, const struct meta_topic *topic,
                             const struct meta_partition *partition, int32_t leader, int32_t *elr)
{
    struct topic_conf_agreed rules;
    int32_t count = 0;
    image_topic_rules(context->image, topic, &rules);
    if (rules.min_insync_replicas <= 1)
        return 0;
    for (uint32_t i = 0; i < partition->elr_count; i++) {
        if (meta_elr(partition)[i] != leader)
            elr[count++] = meta_elr(partition)[i];
    }
    return count;
}

static int elect_any(struct topics_context *context, const struct meta_topic *topic,
                     int32_t partition, struct span *ret_message)
{
    const struct meta_partition *found = image_partition(topic, partition);
    int32_t elr[META_REPLICAS_MAX];
    int32_t leader = META_NO_LEADER;
    if (found->leader != META_NO_LEADER)
        return ERR_ELECTION_NOT_NEEDED;
    for (uint32_t i = found->replicas_count; i-- > 0;) {
        if (is_live(context->image, meta_replicas(found)[i]))
            leader = meta_replicas(found)[i];
    }
    if (leader == META_NO_LEADER || !meta_epochs_can_rise(found)) {
        *ret_message = SPAN("None of the replicas is live.");
        return ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE;
    }
    struct meta_record record = change_of(topic, partition, leader);
    record.body.partition_change.isr = &leader;
    record.body.partition_change.isr_count = 1;
    record.body.partition_change.eligible_leader_replicas = elr;
    record.body.partition_change.eligible_leader_replicas_count =
        stay_eligible(context, topic, found, leader, elr);
    record.body.partition_change.last_known_elr = NULL;
    record.body.partition_change.last_known_elr_count = 0;
    record.body.partition_change.leader_recovery_state = found->replicas_count > 1;
    return meta_write(context->writer, &record);
}

int topics_elect(struct topics_context *context, const struct meta_topic *topic, int32_t partition,
                 enum topics_election election, struct span *ret_message)
{
    *ret_message = SPAN_NULL;
    if (topic == NULL || image_partition(topic, partition) == NULL) {
        *ret_message = SPAN("There is no such partition.");
        return ERR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    const int error = election == TOPICS_ELECT_PREFERRED
                          ? elect_preferred(context, topic, partition, ret_message)
                          : elect_any(context, topic, partition, ret_message);
    if (error == ERR_POLICY_VIOLATION)
        *ret_message = SPAN("The request is too large to be carried out as a whole: ask for the "
                            "rest once more.");
    return error;
}

int topics_elect_due(struct topics_context *context, topics_election_is_due is_due,
                     enum topics_election election, uint32_t most, bool *ret_full)
{
    uint32_t count = 0;
    struct span message;
    const struct meta_topic *topic = image_first_topic(context->image);
    *ret_full = false;
    for (; topic != NULL; topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            if (!is_due(context->image, topic, i))
                continue;
            *ret_full = count++ == most;
            if (*ret_full)
                return ERR_NONE;
            const int error = topics_elect(context, topic, i, election, &message);
            if (error == ERR_POLICY_VIOLATION)
                return error;
        }
    }
    return ERR_NONE;
}
