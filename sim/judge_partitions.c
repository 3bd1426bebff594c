/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a cluster's metadata say of each partition, change by change as they are committed: epochs
 * rise, who leads was in sync or eligible, the sets of replicas fit one another, nobody fenced is
 * in sync, nobody is elected while nothing goes wrong, who is told that somebody was elected finds
 * it so; and when faults have stopped every partition has a leader and all of its replicas in sync.
 */
#include "core/base/format.h"
#include "core/conf/topic_conf.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"
#include "sim/judge.h"
#include "sim/notes.h"
#include "sim/parts.h"

/* A partition as it was after its last change. */
struct partition {
    struct partition_key key;
    bool is_known;
    bool is_touched; /* since the judge looked last */
    int32_t leader;
    int32_t preferred;
    uint64_t led_number;       /* the trace's, of when somebody led last … */
    uint64_t preferred_number; /* … and the replica that is preferred; both but for now */
    int32_t leader_epoch;
    int32_t partition_epoch;
    int32_t last_known_leader;
    uint32_t eligible_count; /* in sync or eligible */
    int32_t eligible[META_REPLICAS_MAX];
};

struct partitions {
    struct judge *judge;
    struct image_observer observer;
    struct notes partitions;
    struct partition *touched[META_REPLICAS_MAX]; /* by what was applied since the last look … */
    uint32_t touched_count;
    bool are_all_touched; /* there was no room, or a broker came or went */
};

static void note(struct partition *partition, const struct meta_partition *meta, uint64_t number)
{
    if (partition->is_known && partition->leader != META_NO_LEADER)
        partition->led_number = number;
    if (partition->is_known && partition->leader == partition->preferred)
        partition->preferred_number = number;
    partition->is_known = true;
    partition->preferred = meta_replicas(meta)[0];
    partition->leader = meta->leader;
    partition->leader_epoch = meta->leader_epoch;
    partition->partition_epoch = meta->partition_epoch;
    partition->last_known_leader = meta_last_known_leader(meta);
    partition->eligible_count = 0;
    for (uint32_t i = 0; i < meta->isr_count; i++)
        partition->eligible[partition->eligible_count++] = meta_isr(meta)[i];
    for (uint32_t i = 0; i < meta->elr_count && partition->eligible_count < META_REPLICAS_MAX; i++)
        partition->eligible[partition->eligible_count++] = meta_elr(meta)[i];
}

static bool may_lead(const struct partition *partition, int32_t leader)
{
    return meta_is_member(partition->eligible, partition->eligible_count, leader) ||
           partition->last_known_leader == leader;
}

/* By the records themselves: who elects may have misread them. */
static bool is_unclean_allowed(const struct judge *judge, const struct meta_topic *topic)
{
    const struct span key = SPAN("unclean.leader.election.enable");
    struct span value = meta_config(&topic->configs, key);
    if (span_is_null(value))
        value = meta_config(&judge_truth(judge)->configs, key);
    return span_equal(value, SPAN("true"));
}

static bool is_live(const struct image *image, int32_t id)
{
    const struct meta_broker *broker = image_broker(image, id);
    return broker != NULL && meta_broker_is_live(broker);
}

/* Who leads now was neither in sync nor eligible: it may, nobody live was, and the record says so.
 */
static void judge_unclean_election(struct judge *judge, const struct partition *before,
                                   const struct image_change *change)
{
    const struct meta_topic *topic = change->topic;
    const struct meta_partition *meta = image_partition(topic, change->partition);
    if (!is_unclean_allowed(judge, topic))
        judge_object(judge,
                     "%.*s-%d: %d is elected in epoch %d, which was neither in sync nor eligible",
                     SPAN_ARGS(topic->name), change->partition, meta->leader, meta->leader_epoch);
    for (uint32_t i = 0; i < before->eligible_count; i++) {
        if (is_live(judge_truth(judge), before->eligible[i]))
            judge_object(judge, "%.*s-%d: %d is elected in epoch %d, though %d is live and could",
                         SPAN_ARGS(topic->name), change->partition, meta->leader,
                         meta->leader_epoch, before->eligible[i]);
    }
    if (!change->is_unclean || !meta->is_recovering)
        judge_object(judge, "%.*s-%d: %d is elected uncleanly in epoch %d, and no record says so",
                     SPAN_ARGS(topic->name), change->partition, meta->leader, meta->leader_epoch);
}

/* What may become of a partition in one change. */
static void judge_change(struct judge *judge, const struct partition *before,
                         const struct image_change *change)
{
    const struct meta_topic *topic = change->topic;
    const int32_t index = change->partition;
    const struct meta_partition *meta = image_partition(topic, index);
    judge->judged++;
    if (meta->partition_epoch <= before->partition_epoch ||
        meta->leader_epoch < before->leader_epoch)
        judge_object(judge,
                     "%.*s-%d: its partition epoch goes from %d to %d, its leader epoch from %d to "
                     "%d",
                     SPAN_ARGS(topic->name), index, before->partition_epoch, meta->partition_epoch,
                     before->leader_epoch, meta->leader_epoch);
    if (meta->leader == before->leader || meta->leader == META_NO_LEADER)
        return;
    if (meta->leader_epoch == before->leader_epoch)
        judge_object(judge, "%.*s-%d: both %d and %d lead in epoch %d", SPAN_ARGS(topic->name),
                     index, before->leader, meta->leader, meta->leader_epoch);
    if (!may_lead(before, meta->leader))
        judge_unclean_election(judge, before, change);
}

static void touch(struct partitions *partitions, const struct image_change *change)
{
    const struct meta_topic *topic = change->topic;
    const int32_t index = change->partition;
    struct judge *judge = partitions->judge;
    const struct meta_partition *meta = image_partition(topic, index);
    const struct partition_key key = {.index = index, .topic = topic->id};
    struct partition *partition = notes_get(&partitions->partitions, &key);
    if (partition->is_known) {
        judge_change(judge, partition, change);
        if (meta->leader_epoch != partition->leader_epoch && judge_forbids_elections(judge))
            judge_object(
                judge, "%.*s-%d: leader %d in epoch %d after leader %d, though nobody died",
                SPAN_ARGS(topic->name), index, meta->leader, meta->leader_epoch, partition->leader);
    }
    note(partition, meta, judge->sim->trace_number);
    if (partition->is_touched)
        return;
    if (partitions->touched_count == META_REPLICAS_MAX) {
        partitions->are_all_touched = true;
        return;
    }
    partition->is_touched = true;
    partitions->touched[partitions->touched_count++] = partition;
}

static void changed(struct image_observer *observer, const struct image_change *change)
{
    struct partitions *partitions = container_of(observer, struct partitions, observer);
    if (change->kind == IMAGE_PARTITION_ADDED || change->kind == IMAGE_PARTITION_CHANGED)
        touch(partitions, change);
    else if (change->broker != NULL)
        partitions->are_all_touched = true;
}

static void begin(struct judge *judge)
{
    struct partitions *partitions = judge->state;
    partitions->judge = judge;
    partitions->observer.changed = changed;
    notes_init(&partitions->partitions, &judge->memory, sizeof(struct partition),
               sizeof(struct partition_key));
    judge_observe_truth(judge, &partitions->observer);
}

/* ---- What is said of elections. ---- */

static void judge_elected(struct judge *judge, const struct exchange *exchange,
                          const struct meta_topic *topic, int32_t index)
{
    const struct partitions *partitions = judge->state;
    const struct elect_leaders_request *request = exchange->request;
    const struct partition_key key = {.index = index, .topic = topic->id};
    const struct partition *partition = notes_find(&partitions->partitions, &key);
    if (partition == NULL || !partition->is_known)
        return;
    const bool is_any = request->election_type == TOPICS_ELECT_ANY;
    const bool leads =
        is_any ? partition->leader != META_NO_LEADER : partition->leader == partition->preferred;
    judge->judged++;
    if (!leads &&
        (is_any ? partition->led_number : partition->preferred_number) < exchange->asked_number)
        judge_object(judge, "%.*s-%d: client %u is told that %s leads, and it has not since",
                     SPAN_ARGS(topic->name), index, exchange->client,
                     is_any ? "somebody" : "the replica that is preferred");
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    const struct elect_leaders_response *response = exchange->response;
    if (exchange->api->key != API_ELECT_LEADERS)
        return;
    for (int32_t i = 0; i < response->replica_election_results_count; i++) {
        const struct elect_leaders_response_replica_election_result *told =
            &response->replica_election_results[i];
        const struct meta_topic *topic =
            durable_topic(judge_durable(judge, exchange->host), told->topic, (struct uuid){{0}},
                          exchange->asked_number);
        for (int32_t j = 0; j < told->partition_result_count && topic != NULL; j++) {
            if (told->partition_result[j].error_code == ERR_NONE)
                judge_elected(judge, exchange, topic, told->partition_result[j].partition_id);
        }
    }
}

/* ---- What holds between changes. ---- */

static uint32_t outside_count(const int32_t *list, uint32_t count,
                              const struct meta_partition *meta)
{
    uint32_t outside = 0;
    for (uint32_t i = 0; i < count; i++)
        outside += !meta_is_member(meta_replicas(meta), meta->replicas_count, list[i]);
    return outside;
}

static bool is_isr_enough(const struct image *image, const struct meta_topic *topic,
                          const struct meta_partition *meta)
{
    struct topic_conf_agreed rules;
    image_topic_rules(image, topic, &rules);
    return meta->isr_count >= meta_isr_least(rules.min_insync_replicas, meta->replicas_count);
}

static void judge_sets(struct judge *judge, const struct image *image,
                       const struct meta_topic *topic, int32_t index,
                       const struct meta_partition *meta)
{
    const char *wrong = NULL;
    if (outside_count(meta_isr(meta), meta->isr_count, meta) > 0)
        wrong = "who is in sync is no replica";
    if (outside_count(meta_elr(meta), meta->elr_count, meta) > 0)
        wrong = "who is eligible is no replica";
    for (uint32_t i = 0; i < meta->elr_count; i++) {
        if (meta_is_member(meta_isr(meta), meta->isr_count, meta_elr(meta)[i]))
            wrong = "one that is in sync is eligible, too";
    }
    if (meta->elr_count > 0 && is_isr_enough(image, topic, meta))
        wrong = "somebody is eligible though enough are in sync";
    if (meta->leader != META_NO_LEADER &&
        !meta_is_member(meta_isr(meta), meta->isr_count, meta->leader))
        wrong = "the leader is not in sync";
    judge->judged++;
    if (wrong != NULL)
        judge_object(judge, "%.*s-%d, in leader epoch %d and partition epoch %d: %s",
                     SPAN_ARGS(topic->name), index, meta->leader_epoch, meta->partition_epoch,
                     wrong);
}

/* Whoever is fenced or about to end is eligible at most, be it the last. */
static void judge_members(struct judge *judge, const struct image *image,
                          const struct meta_topic *topic, int32_t index,
                          const struct meta_partition *meta)
{
    for (uint32_t i = 0; i < meta->isr_count; i++) {
        const struct meta_broker *broker = image_broker(image, meta_isr(meta)[i]);
        if (broker != NULL && meta_broker_is_live(broker))
            continue;
        judge_object(judge, "%.*s-%d, in partition epoch %d: %d is in sync, and %s",
                     SPAN_ARGS(topic->name), index, meta->partition_epoch, meta_isr(meta)[i],
                     broker == NULL || broker->fenced ? "fenced" : "about to end");
    }
}

/* Whoever may lead does, from the record on that says so. */
static void judge_leaderless(struct judge *judge, const struct image *image,
                             const struct meta_topic *topic, int32_t index,
                             const struct meta_partition *meta)
{
    int32_t idle = META_NO_LEADER;
    if (meta->leader != META_NO_LEADER)
        return;
    for (uint32_t i = 0; i < meta->replicas_count; i++) {
        const int32_t id = meta_replicas(meta)[i];
        if (is_live(image, id) && (meta_is_member(meta_isr(meta), meta->isr_count, id) ||
                                   meta_is_member(meta_elr(meta), meta->elr_count, id) ||
                                   meta_last_known_leader(meta) == id))
            idle = id;
    }
    judge->judged++;
    if (idle != META_NO_LEADER)
        judge_object(judge, "%.*s-%d, in partition epoch %d: nobody leads, and %d could",
                     SPAN_ARGS(topic->name), index, meta->partition_epoch, idle);
}

static void judge_partition(struct judge *judge, const struct image *image,
                            const struct meta_topic *topic, int32_t index)
{
    const struct meta_partition *meta = image_partition(topic, index);
    judge_sets(judge, image, topic, index, meta);
    judge_members(judge, image, topic, index, meta);
    judge_leaderless(judge, image, topic, index, meta);
}

static void judge_all(struct judge *judge, const struct image *image)
{
    for (const struct meta_topic *topic = image_first_topic(image); topic != NULL;
         topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++)
            judge_partition(judge, image, topic, i);
    }
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    (void)host;
    (void)event;
    struct partitions *partitions = judge->state;
    const struct image *image = judge_truth(judge);
    if (partitions->are_all_touched && image != NULL)
        judge_all(judge, image);
    while (partitions->touched_count > 0) {
        struct partition *partition = partitions->touched[--partitions->touched_count];
        partition->is_touched = false;
        const struct meta_topic *topic =
            image == NULL ? NULL : image_topic_by_id(image, partition->key.topic);
        if (topic != NULL && !partitions->are_all_touched &&
            partition->key.index < topic->partitions_count)
            judge_partition(judge, image, topic, partition->key.index);
    }
    partitions->are_all_touched = false;
}

/* ---- When faults have stopped. ---- */

static void phase(struct judge *judge, enum sim_phase now)
{
    const struct image *image = judge_truth(judge);
    if (now != SIM_AUDIT || image == NULL)
        return;
    for (const struct meta_topic *topic = image_first_topic(image); topic != NULL;
         topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            const struct meta_partition *meta = image_partition(topic, i);
            judge->judged++;
            if (meta->leader == META_NO_LEADER)
                judge_object_late(judge, "%.*s-%d has no leader", SPAN_ARGS(topic->name), i);
            else if (!judge_is_in_sync(judge->sim, meta))
                judge_object_late(judge, "%.*s-%d: %u of its %u replicas are in sync",
                                  SPAN_ARGS(topic->name), i, meta->isr_count, meta->replicas_count);
        }
    }
}

static void end(struct judge *judge)
{
    struct partitions *partitions = judge->state;
    list_remove(&partitions->observer.place);
    notes_clear(&partitions->partitions);
}

const struct judge_kind judge_partitions = {
    .name = "partitions",
    .rule =
        "of each partition epochs rise, a leader was in sync or eligible, or unclean where that is "
        "allowed, needed and on record, whoever may lead does, "
        "the in-sync are live replicas, nobody is elected in a healthy cluster, elections by hand "
        "come true, and when faults have stopped all have leaders and full ISRs",
    .source = "KIP-497, KIP-841, KIP-966: LeaderInIsr, ElrIsrDisjoint; KIP-996: no election "
              "without need",
    .size = sizeof(struct partitions),
    .is_of_cluster = true,
    .begin = begin,
    .replied = replied,
    .stepped = stepped,
    .phase = phase,
    .end = end,
};
