/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/expiry.h"

#include "core/wire/error.h"

#define NEVER_MS INT64_MAX

/* a + b for b ≥ 0, held below NEVER_MS: times from records may be anything. */
static int64_t later_ms(int64_t a, int64_t b)
{
    return a > NEVER_MS - 1 - b ? NEVER_MS - 1 : a + b;
}

/* When one offset expires: at a time of its own, or so long after the group was last in use, or for
 * a simple group after the commit. */
static int64_t offset_expires_ms(const struct group *group, const struct offset_value *value)
{
    if (value->expire_ms >= 0)
        return value->expire_ms;
    const bool since_empty = !span_is_null(group->protocol_type) && group->state_ms >= 0;
    return later_ms(since_empty ? group->state_ms : value->commit_ms,
                    group->host->settings->offsets_retention_ms);
}

/* When the first of all offsets expires; of those under way nothing is known yet. */
static int64_t first_expires_ms(const struct group *group)
{
    int64_t first_ms = NEVER_MS;
    const struct offsets_topic *topic = NULL;
    while ((topic = offsets_next_topic(&group->offsets, topic)) != NULL) {
        for (uint32_t i = 0; i < topic->count; i++) {
            if (!topic->items[i].committed)
                continue;
            const int64_t at_ms = offset_expires_ms(group, &topic->items[i].value);
            if (at_ms < first_ms)
                first_ms = at_ms;
        }
    }
    return first_ms;
}

/* Removes what expired by `now_ms`, or everything (`now_ms` NEVER_MS), commits under way included:
 * their records lie before these. The topic may go with its last offset. */
static int topic_remove_offsets(struct shard *shard, struct group *group,
                                struct offsets_topic *topic, int64_t now_ms)
{
    for (uint32_t i = topic->count; i > 0; i--) {
        const struct offset *offset = &topic->items[i - 1];
        if (now_ms != NEVER_MS &&
            (offset->pending > 0 || offset_expires_ms(group, &offset->value) > now_ms))
            continue;
        const struct coord_record record =
            record_of_offset(shard_arena(shard), group->id, topic->name, offset->partition, NULL);
        const int error = shard_write(shard, &record, 1, NULL);
        if (error != ERR_NONE)
            return error;
        const bool last = topic->count == 1;
        offsets_remove(&group->offsets, topic->name, offset->partition);
        if (last)
            break;
    }
    return ERR_NONE;
}

static int remove_offsets(struct shard *shard, struct group *group, int64_t now_ms)
{
    struct offsets_topic *next = NULL;
    for (struct offsets_topic *topic = offsets_next_topic(&group->offsets, NULL); topic != NULL;
         topic = next) {
        next = offsets_next_topic(&group->offsets, topic);
        const int error = topic_remove_offsets(shard, group, topic, now_ms);
        if (error != ERR_NONE)
            return error;
    }
    return ERR_NONE;
}

int expiry_remove_offsets(struct shard *shard, struct group *group)
{
    return remove_offsets(shard, group, NEVER_MS);
}

void expiry_forget_topic(struct shard *shard, struct group *group, struct span name)
{
    struct offsets_topic *topic = offsets_find_topic(&group->offsets, name);
    if (topic != NULL)
        topic_remove_offsets(shard, group, topic, NEVER_MS);
}

static void expired(struct timer *timer)
{
    struct group *group = container_of(timer, struct group, expiry);
    struct shard *shard = container_of(group->host, struct shard, host);
    if (group->state != GROUP_EMPTY || shard->state != SHARD_ACTIVE)
        return;
    if (remove_offsets(shard, group, group->host->io->wall_ms) == ERR_NONE &&
        group->offsets.count == 0 && map_count(&group->pending) == 0 &&
        shard_delete(shard, group, NULL) == ERR_NONE)
        return;
    expiry_watch(group);
}

void expiry_watch(struct group *group)
{
    struct io *io = group->host->io;
    if (group->state != GROUP_EMPTY)
        return;
    const int64_t first_ms = first_expires_ms(group);
    int64_t wait_ms = group->host->settings->retention_check_ms;
    if (first_ms != NEVER_MS && first_ms > io->wall_ms && first_ms - io->wall_ms > wait_ms)
        wait_ms = first_ms - io->wall_ms;
    /* Beyond any clock's end lies nothing to wait for. */
    const uint64_t wait_max_ms = (TIMER_NEVER - io->now_us) / 1000 - 1;
    if ((uint64_t)wait_ms > wait_max_ms)
        wait_ms = (int64_t)wait_max_ms;
    timer_set(&io->timers, &group->expiry, io->now_us + (uint64_t)wait_ms * 1000, expired);
}
