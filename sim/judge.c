/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "sim/faults.h"
#include "sim/memory.h"

#define JUDGES_MAX 28

static const struct judge_kind *const kinds[] = {
    &judge_order,
    &judge_acked_is_durable,
    &judge_commit_is_durable,
    &judge_change_is_durable,
    &judge_history,
    &judge_epochs,
    &judge_epoch_cache,
    &judge_idempotence,
    &judge_groups,
    &judge_commits,
    &judge_metadata,
    &judge_quorum,
    &judge_majority,
    &judge_check_quorum,
    &judge_votes,
    &judge_voter_changes,
    &judge_leases,
    &judge_fencing,
    &judge_partitions,
    &judge_replicas,
    &judge_unclean,
    &judge_limits,
    &judge_links,
    &judge_contract,
    &judge_calm,
    &judge_images,
    &judge_liveness,
    &judge_expected,
};

/* The judges that want to hear of one thing. */
struct audience {
    struct judge *judges[JUDGES_MAX];
    uint32_t count;
};

struct judges {
    struct sim *sim;
    struct judge items[JUDGES_MAX];
    uint32_t count;
    struct committed *committed; /* of the machines that are a cluster */
    struct durable *truth;       /* all of it */
    struct durable *durables[SIM_HOSTS_MAX];
    struct audience asked;
    struct audience replied;
    struct audience received;
    struct audience lost;
    struct audience host_changed;
    struct audience stepped;
    struct audience phase;
};

static void join(struct audience *audience, struct judge *judge, bool wants)
{
    if (wants)
        audience->judges[audience->count++] = judge;
}

static void judge_begin(struct judges *judges, const struct judge_kind *kind)
{
    struct judge *judge = &judges->items[judges->count++];
    *judge =
        (struct judge){.kind = kind, .sim = judges->sim, .state = sim_allocate(NULL, kind->size)};
    memset(judge->state, 0, kind->size);
    memory_init(&judge->memory, sim_allocator());
    join(&judges->asked, judge, kind->asked != NULL);
    join(&judges->replied, judge, kind->replied != NULL);
    join(&judges->received, judge, kind->received != NULL);
    join(&judges->lost, judge, kind->lost != NULL);
    join(&judges->host_changed, judge, kind->host_changed != NULL);
    join(&judges->stepped, judge, kind->stepped != NULL);
    join(&judges->phase, judge, kind->phase != NULL);
    if (kind->begin != NULL)
        kind->begin(judge);
}

struct judges *judges_new_of(struct sim *sim, const struct judge_kind *const *of, uint32_t count)
{
    CHECK(count <= JUDGES_MAX);
    struct judges *judges = sim_allocate(NULL, sizeof(*judges));
    *judges = (struct judges){.sim = sim};
    sim->judges = judges;
    judges->committed = committed_new(sim);
    judges->truth = durable_new_of_all(sim->hosts[0], judges->committed);
    for (uint32_t i = 0; i < sim->hosts_count; i++)
        judges->durables[i] =
            durable_new(sim->hosts[i], sim->hosts[i]->conf.is_cluster ? judges->committed : NULL);
    for (uint32_t i = 0; i < count; i++)
        judge_begin(judges, of[i]);
    return judges;
}

struct judges *judges_new(struct sim *sim)
{
    const struct judge_kind *of[JUDGES_MAX];
    uint32_t count = 0;
    bool is_cluster = false;
    for (uint32_t i = 0; i < sim->hosts_count; i++)
        is_cluster = is_cluster || sim->hosts[i]->conf.is_cluster;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (is_cluster ? !kinds[i]->is_of_one_node : !kinds[i]->is_of_cluster)
            of[count++] = kinds[i];
    }
    return judges_new_of(sim, of, count);
}

void judges_free(struct judges *judges)
{
    if (judges == NULL)
        return;
    for (uint32_t i = 0; i < judges->count; i++) {
        struct judge *judge = &judges->items[i];
        if (judge->kind->end != NULL)
            judge->kind->end(judge);
        CHECK(judge->memory.used_bytes[MEMORY_STATE] == 0);
        free(judge->state);
    }
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++)
        durable_free(judges->durables[i]);
    durable_free(judges->truth);
    committed_free(judges->committed);
    free(judges);
}

uint32_t judges_count(const struct judges *judges)
{
    return judges->count;
}

const struct judge *judges_get(const struct judges *judges, uint32_t index)
{
    CHECK(index < judges->count);
    return &judges->items[index];
}

const struct durable *judge_durable(const struct judge *judge, const struct host *host)
{
    return judge->sim->judges->durables[host->number - 1];
}

const struct image *judges_truth(const struct judges *judges)
{
    return durable_image(judges->truth);
}

const struct image *judge_truth(const struct judge *judge)
{
    return judges_truth(judge->sim->judges);
}

const struct committed *judges_committed(const struct judges *judges)
{
    return judges->committed;
}

static bool has_directory(const struct disk_label *label, struct uuid directory)
{
    for (uint32_t i = 0; i < FILES_FOLDERS_MAX; i++) {
        if (uuid_equal(label->directories[i], directory))
            return true;
    }
    return false;
}

bool judge_disk_with(const struct judge *judge, struct uuid directory, struct disk_view *ret_disk)
{
    const struct sim *sim = judge->sim;
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        const struct host *host = sim->hosts[i];
        if (has_directory(&host->disk, directory)) {
            *ret_disk = (struct disk_view){host->disk.number, &host->files};
            return true;
        }
        if (host->shelf != NULL && has_directory(&host->shelf->label, directory)) {
            *ret_disk = (struct disk_view){host->shelf->label.number, &host->shelf->files};
            return true;
        }
    }
    return false;
}

bool judge_disk(const struct judge *judge, const struct host *host, struct disk_view *ret_disk)
{
    const struct image *image = host->conf.is_cluster ? judge_truth(judge) : NULL;
    const struct meta_broker *broker =
        image == NULL ? NULL : image_broker(image, (int32_t)host->number);
    if (broker != NULL && broker->directories_count > 0)
        return judge_disk_with(judge, broker->directories[0], ret_disk);
    *ret_disk = (struct disk_view){host->disk.number, &host->files};
    return true;
}

void judge_observe_truth(struct judge *judge, struct image_observer *observer)
{
    image_observe(durable_image_of_all(judge->sim->judges->truth), observer);
}

bool judge_forbids_elections(const struct judge *judge)
{
    const struct sim *sim = judge->sim;
    return sim->phase >= SIM_LOAD && sim->faults != NULL &&
           (faults_are_none(sim->faults) || sim->scenario->expect.no_elections);
}

/* Somebody whose disk is sound may lead the partition. */
static bool has_sound_leader(const struct sim *sim, const struct meta_partition *partition)
{
    for (uint32_t i = 0; i < partition->replicas_count; i++) {
        const int32_t id = meta_replicas(partition)[i];
        if (!sim->hosts[id - 1]->is_rotten &&
            (meta_is_member(meta_isr(partition), partition->isr_count, id) ||
             meta_is_member(meta_elr(partition), partition->elr_count, id)))
            return true;
    }
    return false;
}

bool judge_is_in_sync(const struct sim *sim, const struct meta_partition *partition)
{
    if (!has_sound_leader(sim, partition))
        return true;
    for (uint32_t i = 0; i < partition->replicas_count; i++) {
        const int32_t id = meta_replicas(partition)[i];
        if (!meta_is_member(meta_isr(partition), partition->isr_count, id) &&
            !sim->hosts[id - 1]->is_rotten)
            return false;
    }
    return true;
}

bool judge_is_led_by_rotten(const struct judge *judge, struct uuid topic_id, int32_t index)
{
    const struct image *image = judge_truth(judge);
    const struct meta_topic *topic = image == NULL ? NULL : image_topic_by_id(image, topic_id);
    const struct meta_partition *partition = topic == NULL ? NULL : image_partition(topic, index);
    return partition != NULL && partition->leader != META_NO_LEADER &&
           judge->sim->hosts[partition->leader - 1]->is_rotten;
}

bool judges_are_all_in_sync(const struct judges *judges)
{
    const struct image *image = judges_truth(judges);
    if (image == NULL)
        return true;
    for (const struct meta_topic *topic = image_first_topic(image); topic != NULL;
         topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            const struct meta_partition *partition = image_partition(topic, i);
            if (partition->leader == META_NO_LEADER || !judge_is_in_sync(judges->sim, partition))
                return false;
        }
    }
    return true;
}

__attribute__((format(printf, 3, 0))) static void
object(struct judge *judge, enum sim_result result, const char *format, va_list arguments)
{
    char text[VIOLATION_TEXT_BYTES];
    vsnprintf(text, sizeof(text), format, arguments);
    sim_object(judge->sim, result, judge->kind->name, judge->kind->rule, judge->kind->source, "%s",
               text);
}

void judge_object(struct judge *judge, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    object(judge, SIM_SAFETY, format, arguments);
    va_end(arguments);
}

void judge_object_late(struct judge *judge, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    object(judge, SIM_LIVENESS, format, arguments);
    va_end(arguments);
}

void judges_asked(struct judges *judges, const struct exchange *exchange)
{
    durable_update(judges->durables[exchange->host->number - 1], judges->sim->trace_number);
    for (uint32_t i = 0; i < judges->asked.count; i++)
        judges->asked.judges[i]->kind->asked(judges->asked.judges[i], exchange);
}

void judges_replied(struct judges *judges, const struct exchange *exchange)
{
    durable_update(judges->durables[exchange->host->number - 1], judges->sim->trace_number);
    for (uint32_t i = 0; i < judges->replied.count; i++)
        judges->replied.judges[i]->kind->replied(judges->replied.judges[i], exchange);
}

void judges_received(struct judges *judges, const struct exchange *exchange)
{
    for (uint32_t i = 0; i < judges->received.count; i++)
        judges->received.judges[i]->kind->received(judges->received.judges[i], exchange);
}

void judges_lost(struct judges *judges, const struct exchange *exchange)
{
    for (uint32_t i = 0; i < judges->lost.count; i++)
        judges->lost.judges[i]->kind->lost(judges->lost.judges[i], exchange);
}

void judges_host_changed(struct judges *judges, struct host *host, enum host_change change)
{
    if (change == HOST_HAS_NEW_DISK)
        committed_forget(judges->committed, host);
    durable_update(judges->durables[host->number - 1], judges->sim->trace_number);
    for (uint32_t i = 0; i < judges->host_changed.count; i++)
        judges->host_changed.judges[i]->kind->host_changed(judges->host_changed.judges[i], host,
                                                           change);
}

void judges_stepped(struct judges *judges, struct host *host, const struct event *event)
{
    committed_stepped(judges->committed, host);
    durable_update(judges->truth, judges->sim->trace_number);
    if (host->conf.is_cluster)
        durable_update(judges->durables[host->number - 1], judges->sim->trace_number);
    for (uint32_t i = 0; i < judges->stepped.count; i++)
        judges->stepped.judges[i]->kind->stepped(judges->stepped.judges[i], host, event);
}

void judges_phase(struct judges *judges, enum sim_phase phase)
{
    for (uint32_t i = 0; i < judges->phase.count; i++)
        judges->phase.judges[i]->kind->phase(judges->phase.judges[i], phase);
}
