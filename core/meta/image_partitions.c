/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions in the image: replicas, who is in sync, who leads. */
#include "core/meta/image_internal.h"
#include "core/wire/error.h"

static bool has_doubles(const int32_t *list, int32_t count)
{
    for (int32_t i = 1; i < count; i++) {
        if (meta_is_member(list, (uint32_t)i, list[i]))
            return true;
    }
    return false;
}

static bool is_subset(const int32_t *list, int32_t count, const int32_t *of, int32_t of_count)
{
    for (int32_t i = 0; i < count; i++) {
        if (!meta_is_member(of, (uint32_t)of_count, list[i]))
            return false;
    }
    return true;
}

void image_partition_clear(struct image *image, struct meta_partition *partition)
{
    const size_t length = meta_lists_length(partition);
    if (length > META_REPLICAS_INLINE)
        memory_give(image->memory, MEMORY_STATE, partition->many, length * sizeof(int32_t));
}

static int32_t *list_put(int32_t *at, const int32_t *list, uint32_t count)
{
    if (count > 0)
        memcpy(at, list, count * sizeof(*list));
    return at + count;
}

void image_partition_set_lists(struct image *image, struct meta_partition *partition,
                               const struct partition_lists *lists)
{
    image_partition_clear(image, partition);
    partition->replicas_count = (uint8_t)lists->replicas_count;
    partition->isr_count = (uint8_t)lists->isr_count;
    partition->elr_count = (uint8_t)lists->elr_count;
    partition->has_last_known_leader = lists->last_known_leader != META_NO_LEADER;
    const size_t length = meta_lists_length(partition);
    int32_t *at = partition->few;
    if (length > META_REPLICAS_INLINE) {
        at = memory_take(image->memory, MEMORY_STATE, length * sizeof(int32_t));
        partition->many = at;
    }
    at = list_put(at, lists->replicas, lists->replicas_count);
    at = list_put(at, lists->isr, lists->isr_count);
    at = list_put(at, lists->elr, lists->elr_count);
    list_put(at, &lists->last_known_leader, partition->has_last_known_leader);
}

/* What has to hold between the replica sets and the leader of any partition. */
static bool lists_are_sound(const struct partition_lists *lists, int32_t leader)
{
    const int32_t replicas = (int32_t)lists->replicas_count;
    const int32_t isr = (int32_t)lists->isr_count;
    const int32_t elr = (int32_t)lists->elr_count;
    if (replicas == 0 || replicas > META_REPLICAS_MAX || isr > replicas || elr > replicas ||
        has_doubles(lists->replicas, replicas) || has_doubles(lists->isr, isr) ||
        has_doubles(lists->elr, elr) ||
        meta_is_member(lists->replicas, lists->replicas_count, META_NO_LEADER) ||
        !is_subset(lists->isr, isr, lists->replicas, replicas) ||
        !is_subset(lists->elr, elr, lists->replicas, replicas))
        return false;
    for (int32_t i = 0; i < elr; i++) {
        if (meta_is_member(lists->isr, lists->isr_count, lists->elr[i]))
            return false;
    }
    if (leader == META_NO_LEADER ? isr > 0 : !meta_is_member(lists->isr, lists->isr_count, leader))
        return false;
    return lists->last_known_leader == META_NO_LEADER ||
           (isr == 0 && elr == 0 &&
            meta_is_member(lists->replicas, lists->replicas_count, lists->last_known_leader));
}

/* Room for one more, without memory_grow's first steps: most topics have few partitions. */
static void partitions_grow(struct image *image, struct meta_topic *topic)
{
    if ((uint32_t)topic->partitions_count < topic->partitions_capacity)
        return;
    const uint32_t capacity = topic->partitions_capacity == 0 ? 1 : 2 * topic->partitions_capacity;
    struct meta_partition *partitions =
        memory_take(image->memory, MEMORY_STATE, capacity * sizeof(*partitions));
    if (topic->partitions_count > 0)
        memcpy(partitions, topic->partitions,
               (size_t)topic->partitions_count * sizeof(*partitions));
    memory_give(image->memory, MEMORY_STATE, topic->partitions,
                topic->partitions_capacity * sizeof(*partitions));
    topic->partitions = partitions;
    topic->partitions_capacity = capacity;
}

/* The one last known leader of a record's list; false for a list that we never write. */
static bool last_known_take(const int32_t *list, int32_t count, int32_t *ret_leader)
{
    if (count > 1)
        return false;
    *ret_leader = count == 1 ? list[0] : META_NO_LEADER;
    return true;
}

static uint32_t count_of(int32_t count)
{
    return count < 0 ? 0 : (uint32_t)count;
}

int image_apply_partition(struct image *image, const struct partition_record *record)
{
    struct meta_topic *topic = image_find_topic_by_id(image, record->topic_id);
    /* Reassignments do not exist yet: what the image cannot hold is not passed over in silence. */
    if (record->removing_replicas_count > 0 || record->adding_replicas_count > 0 ||
        record->leader_recovery_state < 0 || record->leader_recovery_state > 1)
        return ERR_UNSUPPORTED_VERSION;
    struct partition_lists lists = {
        .replicas = record->replicas,
        .isr = record->isr,
        .elr = record->eligible_leader_replicas,
        .replicas_count = count_of(record->replicas_count),
        .isr_count = count_of(record->isr_count),
        .elr_count = count_of(record->eligible_leader_replicas_count),
    };
    if (topic == NULL || record->partition_id != topic->partitions_count ||
        image->partitions_count >= META_PARTITIONS_MAX || record->leader_epoch < 0 ||
        record->partition_epoch < 0 ||
        !last_known_take(record->last_known_elr, record->last_known_elr_count,
                         &lists.last_known_leader) ||
        !lists_are_sound(&lists, record->leader))
        return ERR_INVALID_RECORD;
    partitions_grow(image, topic);
    struct meta_partition *partition = &topic->partitions[topic->partitions_count++];
    image->partitions_count++;
    if (record->partition_id == 0)
        image_note_caching(image, topic);
    *partition = (struct meta_partition){
        .leader = record->leader,
        .leader_epoch = record->leader_epoch,
        .partition_epoch = record->partition_epoch,
        .is_recovering = record->leader_recovery_state > 0,
    };
    image_partition_set_lists(image, partition, &lists);
    image_notify(image, &(struct image_change){.kind = IMAGE_PARTITION_ADDED,
                                               .topic = topic,
                                               .partition = record->partition_id});
    return ERR_NONE;
}

/* The lists after a change, those that it leaves alone included, copied to `room`. */
static struct partition_lists lists_changed(const struct meta_partition *partition,
                                            const struct partition_change_record *record,
                                            int32_t room[static 3 * META_REPLICAS_MAX])
{
    const bool isr_stays = record->isr_count < 0;
    const bool elr_stays = record->eligible_leader_replicas_count < 0;
    memcpy(room, meta_replicas(partition), meta_lists_length(partition) * sizeof(int32_t));
    int32_t *isr = room + partition->replicas_count;
    return (struct partition_lists){
        .replicas = room,
        .isr = isr_stays ? isr : record->isr,
        .elr = elr_stays ? isr + partition->isr_count : record->eligible_leader_replicas,
        .replicas_count = partition->replicas_count,
        .isr_count = isr_stays ? partition->isr_count : (uint32_t)record->isr_count,
        .elr_count =
            elr_stays ? partition->elr_count : (uint32_t)record->eligible_leader_replicas_count,
        .last_known_leader = meta_last_known_leader(partition),
    };
}

int image_apply_partition_change(struct image *image, const struct partition_change_record *record)
{
    struct meta_topic *topic = image_find_topic_by_id(image, record->topic_id);
    if (topic == NULL || record->partition_id < 0 ||
        record->partition_id >= topic->partitions_count)
        return ERR_INVALID_RECORD;
    struct meta_partition *partition = &topic->partitions[record->partition_id];
    const bool leader_changes = record->leader != META_LEADER_UNCHANGED;
    const int32_t leader = leader_changes ? record->leader : partition->leader;
    int32_t room[3 * META_REPLICAS_MAX];
    struct partition_lists lists = lists_changed(partition, record, room);
    if (!meta_epochs_can_rise(partition) || record->leader_recovery_state < -1 ||
        record->leader_recovery_state > 1 ||
        (record->last_known_elr_count >= 0 &&
         !last_known_take(record->last_known_elr, record->last_known_elr_count,
                          &lists.last_known_leader)) ||
        !lists_are_sound(&lists, leader))
        return ERR_INVALID_RECORD;
    if (record->isr_count >= 0 || record->eligible_leader_replicas_count >= 0 ||
        record->last_known_elr_count >= 0)
        image_partition_set_lists(image, partition, &lists);
    if (record->leader_recovery_state >= 0)
        partition->is_recovering = record->leader_recovery_state > 0;
    partition->leader = leader;
    partition->leader_epoch += leader_changes;
    partition->partition_epoch++;
    image_notify(image, &(struct image_change){.kind = IMAGE_PARTITION_CHANGED,
                                               .topic = topic,
                                               .partition = record->partition_id,
                                               .is_unclean = leader_changes &&
                                                             record->leader_recovery_state > 0});
    return ERR_NONE;
}
