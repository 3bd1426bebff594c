/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions whose data folder failed, on a broker that has others and goes on, and those in whose
 * log damage was met. What is there is not served any more: a leadership goes to another replica
 * that is in sync, and this one leaves the in-sync replicas without being eligible. Where nobody
 * else is in sync, one that is eligible has all that is committed (KIP-966), and leads. Without
 * such a one the image stays as it is: the records are here, if anywhere; and a log that is damaged
 * and READY goes on with what is sound.
 */
#include "core/replica/internal.h"
#include "core/wire/error.h"

/* Another replica may be in sync, or live, by then. */
#define OFFLINE_AGAIN_US ((uint64_t)1000 * 1000)

/* The first replica of the list that is live, but for this broker; META_NO_LEADER: none. */
static int32_t first_live(const struct replicas *replicas, const struct meta_partition *meta,
                          const int32_t *list, uint32_t count)
{
    for (uint32_t i = 0; i < meta->replicas_count; i++) {
        const int32_t id = meta_replicas(meta)[i];
        const struct meta_broker *broker = image_broker(&replicas->broker->image, id);
        if (id != replicas->broker->conf->node_id && broker != NULL &&
            meta_broker_is_live(broker) && meta_is_member(list, count, id))
            return id;
    }
    return META_NO_LEADER;
}

/* Who may lead instead: in sync, or else eligible. */
static int32_t next_leader(const struct replicas *replicas, const struct meta_partition *meta)
{
    const int32_t id = first_live(replicas, meta, meta_isr(meta), meta->isr_count);
    return id != META_NO_LEADER ? id : first_live(replicas, meta, meta_elr(meta), meta->elr_count);
}

/* True while the image counts on the partition here. */
static bool is_counted_on(const struct partition *partition, const struct meta_partition *meta)
{
    const int32_t self = partition->broker->conf->node_id;
    return meta != NULL &&
           (meta->leader == self || meta_is_member(meta_isr(meta), meta->isr_count, self));
}

static int write_leave(const struct replicas *replicas, const struct partition *partition,
                       const struct meta_partition *meta, struct meta_writer *writer)
{
    const int32_t self = replicas->broker->conf->node_id;
    int32_t isr[META_REPLICAS_MAX];
    int32_t elr[META_REPLICAS_MAX];
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    struct partition_change_record *change = &record.body.partition_change;
    change->partition_id = partition->index;
    change->topic_id = partition->topic->id;
    change->isr = isr;
    change->isr_count = 0;
    for (uint32_t i = 0; i < meta->isr_count; i++) {
        if (meta_isr(meta)[i] != self)
            isr[change->isr_count++] = meta_isr(meta)[i];
    }
    if (meta->leader == self)
        change->leader = next_leader(replicas, meta);
    if (change->isr_count == 0) {
        isr[change->isr_count++] = change->leader;
        change->eligible_leader_replicas = elr;
        change->eligible_leader_replicas_count = 0;
        for (uint32_t i = 0; i < meta->elr_count; i++) {
            if (meta_elr(meta)[i] != change->leader)
                elr[change->eligible_leader_replicas_count++] = meta_elr(meta)[i];
        }
    }
    return meta_write(writer, &record);
}

static int offline_prepare(struct meta_proposal *proposal, const struct image *image,
                           struct meta_writer *writer)
{
    (void)image; /* the broker's own, of which every look-up is */
    struct replicas *replicas = container_of(proposal, struct replicas, offline_proposal);
    struct list *place;
    struct list *next;
    list_each(&replicas->offline, place, next)
    {
        const struct partition *partition = container_of(place, struct partition, offline_place);
        const struct meta_partition *meta = replica_meta(partition);
        const uint32_t mark = writer->count;
        if (!is_counted_on(partition, meta) || !meta_epochs_can_rise(meta) ||
            next_leader(replicas, meta) == META_NO_LEADER)
            continue;
        if (write_leave(replicas, partition, meta, writer) != ERR_NONE) {
            meta_writer_cut(writer, mark); /* the rest is for the next proposal */
            break;
        }
    }
    return ERR_NONE;
}

static void offline_propose(struct timer *timer)
{
    struct replicas *replicas = container_of(timer, struct replicas, offline_timer);
    replicas->is_offline_proposed = true;
    controller_propose(replicas->broker->controller, &replicas->offline_proposal);
}

/* True when the partition is settled. A log that is READY is here since a reader met damage in it:
 * it is refused as soon as it is not counted on, and else serves what is sound. */
static bool is_left(struct partition *partition)
{
    const bool is_damaged = log_state(partition->log) == LOG_READY;
    if (is_counted_on(partition, replica_meta(partition)))
        return is_damaged; /* who reads there again tells again */
    if (is_damaged)
        log_refuse(partition->log);
    return true;
}

static void offline_done(struct meta_proposal *proposal, int error)
{
    (void)error; /* the image tells */
    struct replicas *replicas = container_of(proposal, struct replicas, offline_proposal);
    struct list *place;
    struct list *next;
    replicas->is_offline_proposed = false;
    list_each(&replicas->offline, place, next)
    {
        if (is_left(container_of(place, struct partition, offline_place)))
            list_remove(place);
    }
    if (!list_empty(&replicas->offline))
        timer_set(&replicas->io->timers, &replicas->offline_timer,
                  replicas->io->now_us + OFFLINE_AGAIN_US, offline_propose);
}

void replica_offline(struct partition *partition)
{
    struct cluster *cluster = partition->broker->cluster;
    struct replicas *replicas = cluster == NULL ? NULL : cluster->replicas;
    if (replicas == NULL || replicas->is_stopped || !list_empty(&partition->offline_place) ||
        !is_counted_on(partition, replica_meta(partition)) ||
        replica_meta(partition)->replicas_count == 1)
        return;
    list_append(&replicas->offline, &partition->offline_place);
    if (!replicas->is_offline_proposed)
        timer_set(&replicas->io->timers, &replicas->offline_timer, replicas->io->now_us,
                  offline_propose);
}

void offline_init(struct replicas *replicas)
{
    list_init(&replicas->offline);
    replicas->offline_proposal =
        (struct meta_proposal){.prepare = offline_prepare, .done = offline_done};
    list_init(&replicas->offline_proposal.place);
}

void offline_free(struct replicas *replicas)
{
    timer_cancel(&replicas->io->timers, &replicas->offline_timer);
    if (replicas->is_offline_proposed)
        controller_cancel(replicas->broker->controller, &replicas->offline_proposal);
    replicas->is_offline_proposed = false;
    while (list_pop(&replicas->offline) != NULL) {
    }
}
