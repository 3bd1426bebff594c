/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/late_elections.h"

#include "core/meta/topics.h"
#include "core/wire/error.h"

static bool any_is_live(const struct image *image, const struct meta_partition *partition)
{
    for (uint32_t i = 0; i < partition->replicas_count; i++) {
        const struct meta_broker *broker = image_broker(image, meta_replicas(partition)[i]);
        if (broker != NULL && meta_broker_is_live(broker))
            return true;
    }
    return false;
}

/* Nobody leads the partition, and any replica may. */
static bool is_due(const struct image *image, const struct meta_topic *topic, int32_t index)
{
    const struct meta_partition *partition = &topic->partitions[index];
    struct topic_conf_agreed rules;
    if (partition->leader != META_NO_LEADER || !meta_epochs_can_rise(partition) ||
        !any_is_live(image, partition))
        return false;
    image_topic_rules(image, topic, &rules);
    return rules.unclean_leader_election;
}

static bool one_is_due(const struct image *image, const struct meta_topic *topic)
{
    int32_t i = 0;
    while (i < topic->partitions_count && !is_due(image, topic, i))
        i++;
    return i < topic->partitions_count;
}

static bool any_is_due(const struct image *image)
{
    const struct meta_topic *topic = image_first_topic(image);
    while (topic != NULL && !one_is_due(image, topic))
        topic = image_next_topic(topic);
    return topic != NULL;
}

static int late_prepare(struct meta_proposal *proposal, const struct image *image,
                        struct meta_writer *writer)
{
    struct late_elections *late = container_of(proposal, struct late_elections, proposal);
    struct topics_context context;
    struct arena arena;
    late->is_again = false;
    if (!quorum_leads(controller_quorum(late->controller)))
        return ERR_NONE; /* it waited, and another node sees to it now */
    arena_init(&arena, late->io->memory, MEMORY_STATE, 0); /* there is nothing to say */
    topics_begin(&context, image, late->conf, &late->io->rng, &arena, writer);
    const int error =
        topics_elect_due(&context, is_due, TOPICS_ELECT_ANY, LATE_ELECTIONS_MAX, &late->is_again);
    topics_end(&context);
    return error;
}

static void late_propose(struct late_elections *late)
{
    if (late->is_proposing) {
        late->is_again = true;
        return;
    }
    late->is_proposing = true;
    controller_propose(late->controller, &late->proposal);
}

static void late_done(struct meta_proposal *proposal, int error)
{
    struct late_elections *late = container_of(proposal, struct late_elections, proposal);
    late->is_proposing = false;
    if (late->is_again && error == ERR_NONE)
        late_propose(late);
}

static bool leads(const struct late_elections *late)
{
    return quorum_leads(controller_quorum(late->controller));
}

static void image_changed(struct image_observer *observer, const struct image_change *change)
{
    struct late_elections *late = container_of(observer, struct late_elections, image_observer);
    if (change->kind == IMAGE_CONFIG_CHANGED && leads(late) &&
        (change->topic == NULL ? any_is_due(late->image) : one_is_due(late->image, change->topic)))
        late_propose(late);
}

/* What came to count just before may have been left to this node. */
static void leadership_changed(struct controller_watcher *watcher)
{
    struct late_elections *late = container_of(watcher, struct late_elections, watcher);
    if (leads(late) && any_is_due(late->image))
        late_propose(late);
}

void late_elections_start(struct late_elections *late, struct io *io, const struct conf *conf,
                          struct controller *controller, struct image *image)
{
    *late = (struct late_elections){
        .io = io,
        .conf = conf,
        .controller = controller,
        .image = image,
        .image_observer.changed = image_changed,
        .watcher.changed = leadership_changed,
        .proposal = {.prepare = late_prepare, .done = late_done},
    };
    image_observe(image, &late->image_observer);
    controller_watch(controller, &late->watcher);
}
