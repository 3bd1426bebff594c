/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in sync. A follower that has not had all that the leader's log had for
 * replica.lag.time.max.ms leaves; one that has all that is committed, what the leader's epoch began
 * with, and nothing that was deleted, joins (KIP-497). Both are proposals to the controller, judged
 * by the image that they change: one for all partitions at a time.
 */
#include "core/conf/conf.h"
#include "core/conf/topic_conf.h"
#include "core/replica/internal.h"
#include "core/wire/error.h"

#define US_PER_MS ((uint64_t)1000)

static uint64_t lag_max_us(const struct replicas *replicas)
{
    return (uint64_t)conf_int(replicas->broker->conf, CONF_REPLICA_LAG_TIME_MAX_MS) * US_PER_MS;
}

static bool is_in_isr(const struct replica_stream *stream, const struct meta_partition *meta)
{
    return meta_is_member(meta_isr(meta), meta->isr_count, stream->node->id);
}

/* ---- How far behind ---- */

static void behind_looked(struct timer *timer);

static void behind_watch(struct replicas *replicas)
{
    if (!timer_is_set(&replicas->behind_timer))
        timer_set(&replicas->io->timers, &replicas->behind_timer,
                  replicas->io->now_us + lag_max_us(replicas) / 2, behind_looked);
}

static void behind_looked(struct timer *timer)
{
    struct replicas *replicas = container_of(timer, struct replicas, behind_timer);
    struct list *place;
    struct list *next;
    list_each(&replicas->behind, place, next)
    {
        isr_look(container_of(place, struct replica_stream, behind_place)->lead);
    }
    if (!list_empty(&replicas->behind))
        behind_watch(replicas);
}

void isr_fell_behind(struct replica_stream *stream)
{
    const struct replica_leader *lead = stream->lead;
    const int64_t end = log_end(lead->partition->log);
    if (!list_empty(&stream->behind_place) || replica_stream_safe_end(stream) >= end)
        return;
    stream->caught_up_us = lead->replicas->io->now_us;
    stream->noted_us = stream->caught_up_us;
    stream->noted_end = end;
    list_append(&lead->replicas->behind, &stream->behind_place);
    behind_watch(lead->replicas);
}

void isr_noted(struct replica_stream *stream)
{
    const struct replica_leader *lead = stream->lead;
    const int64_t end = log_end(lead->partition->log);
    const int64_t safe = replica_stream_safe_end(stream);
    if (safe >= end) {
        stream->caught_up_us = lead->replicas->io->now_us;
        list_remove(&stream->behind_place);
    } else if (safe >= stream->noted_end) {
        stream->caught_up_us = stream->noted_us;
        stream->noted_us = lead->replicas->io->now_us;
        stream->noted_end = end;
    }
}

/* ---- What should be ---- */

static bool is_to_leave(const struct replica_stream *stream)
{
    const struct replicas *replicas = stream->lead->replicas;
    return stream->node->is_timed_out ||
           (!list_empty(&stream->behind_place) &&
            replicas->io->now_us - stream->caught_up_us > lag_max_us(replicas));
}

static bool is_to_join(const struct replica_stream *stream)
{
    const struct replica_leader *lead = stream->lead;
    const struct meta_broker *broker =
        image_broker(&lead->replicas->broker->image, stream->node->id);
    return stream->is_sending && !is_to_leave(stream) && broker != NULL &&
           meta_broker_is_live(broker) && broker->epoch == stream->broker_epoch &&
           replica_stream_safe_end(stream) >= lead->start_offset &&
           replica_stream_safe_end(stream) >= lead->partition->high_watermark &&
           stream->log_start >= log_start(lead->partition->log);
}

/* True when the image should say something else of the stream's follower. */
static bool is_wrong(const struct replica_stream *stream, const struct meta_partition *meta)
{
    return is_in_isr(stream, meta) ? is_to_leave(stream) : is_to_join(stream);
}

static void isr_propose(struct replicas *replicas)
{
    if (replicas->is_isr_proposed || replicas->is_stopped || timer_is_set(&replicas->isr_timer) ||
        list_empty(&replicas->isr_wanted))
        return;
    replicas->is_isr_proposed = true;
    controller_propose(replicas->broker->controller, &replicas->isr_proposal);
}

void isr_look(struct replica_leader *lead)
{
    const struct meta_partition *meta = replica_meta(lead->partition);
    if (!list_empty(&lead->isr_place) || meta == NULL || meta->leader_epoch != lead->epoch ||
        lead->start_offset < 0 || lead->has_failed)
        return;
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        if (!is_wrong(&lead->streams[i], meta))
            continue;
        list_append(&lead->replicas->isr_wanted, &lead->isr_place);
        isr_propose(lead->replicas);
        return;
    }
}

/* ---- The proposal ---- */

/* The lists as they should be, each with room for all replicas. KIP-966: who leaves an ISR that
 * gets too small holds all that will be committed. */
static void lists_make(struct replica_leader *lead, const struct meta_partition *meta, int32_t *isr,
                       int32_t *ret_isr_count, int32_t *elr, int32_t *ret_elr_count)
{
    int32_t isr_count = 0;
    int32_t elr_count = 0;
    for (uint32_t i = 0; i < meta->replicas_count; i++) {
        const int32_t id = meta_replicas(meta)[i];
        const struct replica_stream *stream = lead_stream(lead, id);
        const bool was_in = meta_is_member(meta_isr(meta), meta->isr_count, id);
        if (stream == NULL || was_in != is_wrong(stream, meta))
            isr[isr_count++] = id;
        else if (was_in || meta_is_member(meta_elr(meta), meta->elr_count, id))
            elr[elr_count++] = id;
    }
    *ret_isr_count = isr_count;
    *ret_elr_count = (uint32_t)isr_count >= lead_isr_least(lead, meta) ? 0 : elr_count;
}

static int write_change(struct replica_leader *lead, const struct meta_partition *meta,
                        struct meta_writer *writer)
{
    int32_t isr[META_REPLICAS_MAX];
    int32_t elr[META_REPLICAS_MAX];
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    struct partition_change_record *change = &record.body.partition_change;
    change->partition_id = lead->partition->index;
    change->topic_id = lead->partition->topic->id;
    change->isr = isr;
    change->eligible_leader_replicas = elr;
    lists_make(lead, meta, isr, &change->isr_count, elr, &change->eligible_leader_replicas_count);
    change->leader_recovery_state = meta->is_recovering ? 0 : -1;
    const int error = meta_write(writer, &record);
    for (uint32_t i = 0; i < lead->streams_count && error == ERR_NONE; i++) {
        struct replica_stream *stream = &lead->streams[i];
        if (!is_in_isr(stream, meta) &&
            meta_is_member(isr, (uint32_t)change->isr_count, stream->node->id))
            stream->proposed_at = writer->base_offset;
    }
    return error;
}

static bool is_changed(const struct replica_leader *lead, const struct meta_partition *meta)
{
    for (uint32_t i = 0; i < lead->streams_count; i++) {
        if (is_wrong(&lead->streams[i], meta))
            return true;
    }
    return false;
}

static int isr_prepare(struct meta_proposal *proposal, const struct image *image,
                       struct meta_writer *writer)
{
    (void)image; /* the broker's own, of which every look-up is */
    struct replicas *replicas = container_of(proposal, struct replicas, isr_proposal);
    struct list *place;
    struct list *next;
    list_each(&replicas->isr_wanted, place, next)
    {
        struct replica_leader *lead = container_of(place, struct replica_leader, isr_place);
        const struct meta_partition *meta = replica_meta(lead->partition);
        const uint32_t mark = writer->count;
        if (meta == NULL || meta->leader_epoch != lead->epoch || !meta_epochs_can_rise(meta) ||
            !is_changed(lead, meta))
            continue;
        if (write_change(lead, meta, writer) != ERR_NONE) {
            meta_writer_cut(writer, mark); /* the rest is for the next proposal */
            break;
        }
    }
    return ERR_NONE;
}

static void isr_again(struct timer *timer)
{
    isr_propose(container_of(timer, struct replicas, isr_timer));
}

/* Whatever became of it, the image tells: what is still wrong is proposed again. */
static void isr_done(struct meta_proposal *proposal, int error)
{
    struct replicas *replicas = container_of(proposal, struct replicas, isr_proposal);
    struct list looked;
    struct list *place;
    list_init(&looked);
    replicas->is_isr_proposed = false;
    if (error != ERR_NONE)
        timer_set(&replicas->io->timers, &replicas->isr_timer, replicas->io->now_us + ISR_AGAIN_US,
                  isr_again);
    while ((place = list_pop(&replicas->isr_wanted)) != NULL)
        list_append(&looked, place);
    while ((place = list_pop(&looked)) != NULL)
        lead_changed(container_of(place, struct replica_leader, isr_place));
}

void isr_init(struct replicas *replicas)
{
    list_init(&replicas->behind);
    list_init(&replicas->isr_wanted);
    replicas->isr_proposal = (struct meta_proposal){.prepare = isr_prepare, .done = isr_done};
    list_init(&replicas->isr_proposal.place);
}

void isr_free(struct replicas *replicas)
{
    timer_cancel(&replicas->io->timers, &replicas->behind_timer);
    timer_cancel(&replicas->io->timers, &replicas->isr_timer);
    if (replicas->is_isr_proposed)
        controller_cancel(replicas->broker->controller, &replicas->isr_proposal);
    replicas->is_isr_proposed = false;
}
