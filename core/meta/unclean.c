/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/unclean.h"

#include "core/base/format.h"
#include "core/meta/quorum.h"

static void tell(struct turn_task *task)
{
    struct unclean *unclean = container_of(task, struct unclean, task);
    const struct meta_topic *topic = image_topic_by_id(unclean->image, unclean->topic_id);
    const uint32_t count = unclean->count;
    unclean->count = 0;
    if (topic == NULL || unclean->partition >= topic->partitions_count)
        return; /* gone in the same turn */
    const struct meta_partition *partition = image_partition(topic, unclean->partition);
    io_log(unclean->io, LOG_WARN,
           "leaders were elected uncleanly, and what only other replicas had is given up: count=%u "
           "total=%llu one=%.*s-%d leader=%d leader_epoch=%d",
           count, (unsigned long long)unclean->total, SPAN_ARGS(topic->name), unclean->partition,
           partition->leader, partition->leader_epoch);
}

static void image_changed(struct image_observer *observer, const struct image_change *change)
{
    struct unclean *unclean = container_of(observer, struct unclean, image_observer);
    if (!change->is_unclean || !quorum_leads(controller_quorum(unclean->controller)))
        return;
    unclean->topic_id = change->topic->id;
    unclean->partition = change->partition;
    unclean->count++;
    unclean->total++;
    io_at_turn_end(unclean->io, &unclean->task, tell);
}

void unclean_start(struct unclean *unclean, struct io *io, const struct controller *controller,
                   struct image *image)
{
    *unclean = (struct unclean){
        .io = io,
        .controller = controller,
        .image = image,
        .image_observer.changed = image_changed,
    };
    list_init(&unclean->task.place);
    image_observe(image, &unclean->image_observer);
}
