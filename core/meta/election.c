/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/election.h"

#include "core/meta/image_internal.h"

/* A partition as it will be. */
struct ballot {
    const struct image *image;
    const struct topic_conf_agreed *rules;
    int32_t replicas[META_REPLICAS_MAX];
    int32_t isr[META_REPLICAS_MAX];
    int32_t elr[META_REPLICAS_MAX];
    uint32_t replicas_count;
    uint32_t isr_count;
    uint32_t elr_count;
    int32_t leader;
    int32_t last_known_leader;
    bool is_recovering;
    bool is_unclean; /* the leader was elected now, and may lack what others have */
};

static void ballot_open(struct ballot *ballot, const struct meta_partition *partition)
{
    ballot->replicas_count = partition->replicas_count;
    ballot->isr_count = partition->isr_count;
    ballot->elr_count = partition->elr_count;
    memcpy(ballot->replicas, meta_replicas(partition), ballot->replicas_count * sizeof(int32_t));
    memcpy(ballot->isr, meta_isr(partition), ballot->isr_count * sizeof(int32_t));
    memcpy(ballot->elr, meta_elr(partition), ballot->elr_count * sizeof(int32_t));
    ballot->leader = partition->leader;
    ballot->last_known_leader = meta_last_known_leader(partition);
    ballot->is_recovering = partition->is_recovering;
}

/* False when it was not there. The order of the others stays. */
static bool list_take(int32_t *list, uint32_t *count, int32_t id)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (list[i] != id)
            continue;
        (*count)--;
        memmove(&list[i], &list[i + 1], (*count - i) * sizeof(*list));
        return true;
    }
    return false;
}

static uint32_t isr_least(const struct ballot *ballot)
{
    return meta_isr_least(ballot->rules->min_insync_replicas, ballot->replicas_count);
}

/* `id` holds all that was committed, and is not in sync any more. */
static void leave_isr(struct ballot *ballot, int32_t id)
{
    if (!list_take(ballot->isr, &ballot->isr_count, id))
        return;
    if (ballot->isr_count >= isr_least(ballot))
        ballot->elr_count = 0;
    else
        ballot->elr[ballot->elr_count++] = id;
}

/* `id` may have lost what was committed: some of it, or all. */
static void leave_elr(struct ballot *ballot, int32_t id, bool has_lost_all)
{
    if (list_take(ballot->elr, &ballot->elr_count, id) && ballot->isr_count == 0 &&
        ballot->elr_count == 0)
        ballot->last_known_leader = id;
    /* Any other replica has more. Where there is none nobody can, so it leads at once. */
    if (has_lost_all && ballot->replicas_count > 1 && ballot->last_known_leader == id)
        ballot->last_known_leader = META_NO_LEADER;
}

static bool is_live(const struct ballot *ballot, int32_t id)
{
    const struct meta_broker *broker = image_broker(ballot->image, id);
    return broker != NULL && meta_broker_is_live(broker);
}

/* The first replica that is live and in the list. */
static int32_t first_live(const struct ballot *ballot, const int32_t *list, uint32_t count)
{
    for (uint32_t i = 0; i < ballot->replicas_count; i++) {
        const int32_t id = ballot->replicas[i];
        if (meta_is_member(list, count, id) && is_live(ballot, id))
            return id;
    }
    return META_NO_LEADER;
}

/* `id` leads, and nobody else is known to hold what it holds. */
static void lead_alone(struct ballot *ballot, int32_t id, bool is_unclean)
{
    ballot->leader = id;
    ballot->isr[0] = id;
    ballot->isr_count = 1;
    ballot->last_known_leader = META_NO_LEADER;
    ballot->is_recovering = is_unclean;
    ballot->is_unclean = is_unclean;
    list_take(ballot->elr, &ballot->elr_count, id);
    if (ballot->isr_count >= isr_least(ballot))
        ballot->elr_count = 0;
}

static void elect(struct ballot *ballot)
{
    ballot->leader = first_live(ballot, ballot->isr, ballot->isr_count);
    if (ballot->leader != META_NO_LEADER)
        return;
    int32_t id = first_live(ballot, ballot->elr, ballot->elr_count);
    if (id != META_NO_LEADER) {
        lead_alone(ballot, id, false);
        return;
    }
    id = ballot->last_known_leader;
    if ((id == META_NO_LEADER || !is_live(ballot, id)) && ballot->rules->unclean_leader_election)
        id = first_live(ballot, ballot->replicas, ballot->replicas_count);
    if (id != META_NO_LEADER && is_live(ballot, id))
        lead_alone(ballot, id, ballot->replicas_count > 1);
}

static bool differs(const struct ballot *ballot, const struct meta_partition *partition)
{
    return ballot->leader != partition->leader || ballot->isr_count != partition->isr_count ||
           ballot->elr_count != partition->elr_count ||
           ballot->last_known_leader != meta_last_known_leader(partition) ||
           ballot->is_recovering != partition->is_recovering ||
           memcmp(ballot->isr, meta_isr(partition), ballot->isr_count * sizeof(int32_t)) != 0 ||
           memcmp(ballot->elr, meta_elr(partition), ballot->elr_count * sizeof(int32_t)) != 0;
}

static void ballot_close(struct ballot *ballot, struct image *image,
                         struct meta_partition *partition, bool is_new_term)
{
    image_partition_set_lists(image, partition,
                              &(struct partition_lists){
                                  .replicas = ballot->replicas,
                                  .isr = ballot->isr,
                                  .elr = ballot->elr,
                                  .replicas_count = ballot->replicas_count,
                                  .isr_count = ballot->isr_count,
                                  .elr_count = ballot->elr_count,
                                  .last_known_leader = ballot->last_known_leader,
                              });
    partition->leader = ballot->leader;
    partition->leader_epoch += is_new_term;
    partition->partition_epoch++;
    partition->is_recovering = ballot->is_recovering;
}

/* Brings one partition in order; observers are told when it changed. */
static void partition_settle(struct image *image, const struct topic_conf_agreed *rules,
                             struct meta_topic *topic, int32_t number,
                             const struct election_news *news)
{
    struct meta_partition *partition = &topic->partitions[number];
    const int32_t id = news->broker_id;
    struct ballot ballot = {.image = image, .rules = rules};
    ballot_open(&ballot, partition);
    const bool resigns =
        ballot.leader != META_NO_LEADER &&
        ((ballot.leader == id && news->is_restarted) || !is_live(&ballot, ballot.leader));
    for (uint32_t i = ballot.isr_count; i-- > 0;) {
        const int32_t member = ballot.isr[i];
        if ((member == id && news->is_restarted) || !is_live(&ballot, member))
            leave_isr(&ballot, member);
    }
    if (news->is_restarted && (news->has_lost_folder || (news->is_unclean && topic->was_cached)))
        leave_elr(&ballot, id, news->has_lost_folder);
    if (resigns || ballot.leader == META_NO_LEADER)
        elect(&ballot);
    if (!resigns && !differs(&ballot, partition))
        return;
    ballot_close(&ballot, image, partition, resigns || ballot.leader != partition->leader);
    image_notify(image, &(struct image_change){.kind = IMAGE_PARTITION_CHANGED,
                                               .topic = topic,
                                               .partition = number,
                                               .is_unclean = ballot.is_unclean});
}

void election_run(struct image *image, const struct election_news *news)
{
    for (struct map_node *node = image->topics_by_name.first; node != NULL; node = map_next(node)) {
        struct meta_topic *topic = container_of(node, struct meta_topic, by_name);
        struct topic_conf_agreed rules;
        image_topic_rules(image, topic, &rules);
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            const struct meta_partition *partition = &topic->partitions[i];
            if (meta_is_member(meta_replicas(partition), partition->replicas_count,
                               news->broker_id))
                partition_settle(image, &rules, topic, i, news);
        }
    }
}

static void topic_rules_changed(struct image *image, struct meta_topic *topic)
{
    struct topic_conf_agreed rules;
    image_topic_rules(image, topic, &rules);
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        struct meta_partition *partition = &topic->partitions[i];
        struct ballot ballot = {.image = image, .rules = &rules};
        ballot_open(&ballot, partition);
        if (ballot.elr_count == 0 || ballot.isr_count < isr_least(&ballot) ||
            !meta_epochs_can_rise(partition))
            continue;
        ballot.elr_count = 0;
        ballot_close(&ballot, image, partition, false);
        image_notify(image, &(struct image_change){
                                .kind = IMAGE_PARTITION_CHANGED, .topic = topic, .partition = i});
    }
}

void election_rules_changed(struct image *image, struct meta_topic *topic)
{
    if (topic != NULL) {
        topic_rules_changed(image, topic);
        return;
    }
    for (struct map_node *node = image->topics_by_name.first; node != NULL; node = map_next(node))
        topic_rules_changed(image, container_of(node, struct meta_topic, by_name));
}
