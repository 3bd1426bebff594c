/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/commit.h"

#include "core/wire/error.h"

static void entries_end(struct commit *commit, int error)
{
    for (uint32_t i = 0; i < commit->entries_count; i++)
        if (commit->entries[i].error == ERR_NONE)
            commit->entries[i].error = error;
    commit->done(commit);
}

static void commit_written(struct coord_write *write, int error)
{
    struct commit *commit = container_of(write, struct commit, write);
    struct group *group = commit->group;
    for (uint32_t i = 0; i < commit->entries_count; i++) {
        const struct commit_entry *entry = &commit->entries[i];
        if (entry->error != ERR_NONE)
            continue;
        offsets_end(&group->offsets, entry->topic, entry->partition,
                    error == ERR_NONE ? &entry->value : NULL);
        if (error == ERR_NONE)
            shard_committed(group, &entry->value);
    }
    group_release(group);
    entries_end(commit, error);
}

/* The records of all entries that are not passed over; NULL when there is no room for them. */
static struct coord_record *records_of(struct arena *arena, const struct group *group,
                                       const struct commit *commit, uint32_t *ret_count)
{
    struct coord_record *records = arena_array(arena, commit->entries_count, sizeof(*records));
    uint32_t count = 0;
    if (records == NULL)
        return NULL;
    for (uint32_t i = 0; i < commit->entries_count; i++) {
        const struct commit_entry *entry = &commit->entries[i];
        if (entry->error == ERR_NONE)
            records[count++] =
                record_of_offset(arena, group->id, entry->topic, entry->partition, &entry->value);
    }
    *ret_count = count;
    return records;
}

static void entries_check(struct commit *commit, const struct group *group)
{
    const struct group_host *host = group->host;
    for (uint32_t i = 0; i < commit->entries_count; i++) {
        struct commit_entry *entry = &commit->entries[i];
        entry->value.commit_ms = host->io->wall_ms;
        if (entry->error == ERR_NONE &&
            entry->value.metadata.length > host->settings->offset_metadata_bytes_max)
            entry->error = ERR_OFFSET_METADATA_TOO_LARGE;
    }
}

void commit_start(struct shard *shard, struct group *group, struct commit *commit)
{
    uint32_t count = 0;
    entries_check(commit, group);
    const struct coord_record *records = records_of(shard_arena(shard), group, commit, &count);
    if (records != NULL && count == 0) {
        commit->done(commit);
        return;
    }
    commit->group = group;
    commit->write.done = commit_written;
    const int error = records == NULL ? ERR_COORDINATOR_NOT_AVAILABLE
                                      : shard_write(shard, records, count, &commit->write);
    if (error != ERR_NONE) {
        entries_end(commit,
                    error == ERR_MESSAGE_TOO_LARGE ? ERR_INVALID_COMMIT_OFFSET_SIZE : error);
        return;
    }
    group->references++;
    for (uint32_t i = 0; i < commit->entries_count; i++)
        if (commit->entries[i].error == ERR_NONE)
            offsets_begin(&group->offsets, commit->entries[i].topic, commit->entries[i].partition);
}
