/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/leaderless.h"

#include "core/base/format.h"
#include "core/meta/quorum.h"

#define IDS_BYTES 128

enum leaderless_wait leaderless_wait(const struct meta_partition *partition)
{
    if (partition->elr_count > 0)
        return LEADERLESS_WAIT_ELIGIBLE;
    return partition->has_last_known_leader ? LEADERLESS_WAIT_LAST_KNOWN : LEADERLESS_WAIT_NOBODY;
}

/* As "1,2"; as far as there is room. */
static void ids_print(const int32_t *ids, uint32_t count, char text[static IDS_BYTES])
{
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count && length + 1 < IDS_BYTES; i++)
        length += format_text(text + length, IDS_BYTES - length, "%s%d", i == 0 ? "" : ",", ids[i]);
}

static void tell(struct turn_task *task)
{
    struct leaderless *leaderless = container_of(task, struct leaderless, task);
    const struct meta_topic *topic = image_topic_by_id(leaderless->image, leaderless->topic_id);
    const uint32_t count = leaderless->count;
    leaderless->count = 0;
    if (topic == NULL || leaderless->partition >= topic->partitions_count)
        return; /* gone in the same turn */
    const struct meta_partition *partition = image_partition(topic, leaderless->partition);
    char eligible[IDS_BYTES];
    ids_print(meta_elr(partition), partition->elr_count, eligible);
    io_log(leaderless->io, LOG_ERROR,
           "partitions have no leader: count=%u one=%.*s-%d eligible=%s last_known_leader=%d "
           "mend=\"%s elect another replica uncleanly, which gives up what only they had\"",
           count, SPAN_ARGS(topic->name), leaderless->partition, eligible,
           meta_last_known_leader(partition),
           leaderless_wait(partition) == LEADERLESS_WAIT_NOBODY
               ? "those who were in sync have lost their data folders:"
               : "start one of these brokers; when all of them are lost for good,");
}

static void image_changed(struct image_observer *observer, const struct image_change *change)
{
    struct leaderless *leaderless = container_of(observer, struct leaderless, image_observer);
    if (change->kind != IMAGE_PARTITION_CHANGED ||
        image_partition(change->topic, change->partition)->leader != META_NO_LEADER ||
        !quorum_leads(controller_quorum(leaderless->controller)))
        return;
    leaderless->topic_id = change->topic->id;
    leaderless->partition = change->partition;
    leaderless->count++;
    io_at_turn_end(leaderless->io, &leaderless->task, tell);
}

void leaderless_start(struct leaderless *leaderless, struct io *io,
                      const struct controller *controller, struct image *image)
{
    *leaderless = (struct leaderless){
        .io = io,
        .controller = controller,
        .image = image,
        .image_observer.changed = image_changed,
    };
    list_init(&leaderless->task.place);
    image_observe(image, &leaderless->image_observer);
}
