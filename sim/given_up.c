/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/given_up.h"

#include "core/view.h"
#include "sim/durable_log.h"

/* The first mark with `flag` that lies where the batch does and is another one; NULL: none. */
static const struct batch_mark *parted(const struct batch_marks *marks, uint32_t flag,
                                       const struct batch_mark *batch)
{
    for (uint32_t i = batch_marks_at(marks, batch->base_offset);
         i < marks->count && marks->items[i].base_offset <= batch->last_offset; i++) {
        const struct batch_mark *mark = &marks->items[i];
        if ((mark->flags & flag) != 0 &&
            (mark->base_offset != batch->base_offset || mark->last_offset != batch->last_offset ||
             mark->records != batch->records))
            return mark;
    }
    return NULL;
}

void given_up_note(struct given_up *given_up, const struct judge *judge,
                   const struct image_change *change, const struct batch_marks *marks,
                   uint32_t flag)
{
    const struct meta_partition *partition = image_partition(change->topic, change->partition);
    const struct host *leader = judge->sim->hosts[partition->leader - 1];
    const struct batch_mark *other = NULL;
    struct disk_view disk;
    struct durable_log log;
    struct span batch;
    struct batch_info info;
    durable_log_init(&log, change->topic->name, change->partition);
    const bool is_there = judge_disk(judge, leader, &disk) &&
                          durable_log_is_adopted(&log, disk.files, change->topic->id);
    while (is_there && durable_log_next(&log, disk.files, &batch, &info) == DURABLE_BATCH) {
        const struct batch_mark mark = batch_mark_of(batch, info.base_offset);
        if (other == NULL)
            other = parted(marks, flag, &mark);
    }
    given_up->leader_epoch = partition->leader_epoch;
    given_up->end = is_there ? log.next_offset : 0;
    given_up->offset = other == NULL ? given_up->end : other->base_offset;
    if (leader->broker == NULL)
        return;
    /* It was about to follow somebody, and goes on with the cut. */
    const int64_t cut = broker_view_cut(leader->broker, change->topic->id, change->partition);
    given_up->end = given_up->end < cut ? given_up->end : cut;
    given_up->offset = given_up->offset < cut ? given_up->offset : cut;
}

bool given_up_is_known(const struct given_up *given_up, const struct judge *judge,
                       const struct host *host, struct uuid topic_id, int32_t index)
{
    if (given_up->leader_epoch == 0)
        return true;
    const struct image *image = durable_image(judge_durable(judge, host));
    const struct meta_topic *topic = image == NULL ? NULL : image_topic_by_id(image, topic_id);
    const struct meta_partition *partition = topic == NULL ? NULL : image_partition(topic, index);
    return partition != NULL && partition->leader_epoch >= given_up->leader_epoch;
}
