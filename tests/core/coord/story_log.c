/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/format.h"
#include "core/coord/commit.h"
#include "core/records/record.h"
#include "core/wire/error.h"
#include "tests/core/coord/story_internal.h"
#include "tests/support/runner.h"

#define ENTRIES_MAX 16

struct commit_request {
    struct commit commit;
    struct story_line line;
    struct story_client *client;
    struct commit_entry entries[ENTRIES_MAX];
};

static struct commit_request commits[STORY_REQUESTS_MAX];
static int commits_count;
static int commits_done;

/* topic-0=5:metadata */
static void commit_add(struct commit *commit, char *text)
{
    char *value = strchr(text, '=');
    char *metadata = strchr(text, ':');
    struct commit_entry *entry = &commit->entries[commit->entries_count++];
    *value++ = '\0';
    if (metadata != NULL)
        *metadata++ = '\0';
    char *partition = strrchr(text, '-');
    *partition++ = '\0';
    entry->topic = span_text(text);
    entry->partition = (int32_t)strtol(partition, NULL, 10);
    entry->value = (struct offset_value){
        .offset = strtoll(value, NULL, 10),
        .leader_epoch = -1,
        .metadata = metadata == NULL ? SPAN("") : span_text(metadata),
        .expire_ms = -1,
    };
}

static void hear_commit(struct commit *commit)
{
    const struct commit_request *request = container_of(commit, struct commit_request, commit);
    commits_done++;
    story_say("  %s committed:", request->client->name);
    for (uint32_t i = 0; i < commit->entries_count; i++) {
        const struct commit_entry *entry = &commit->entries[i];
        story_say(" %.*s-%d", SPAN_ARGS(entry->topic), entry->partition);
        if (entry->error != ERR_NONE)
            story_say(" %s", error_name(entry->error));
    }
    story_say("\n");
}

void story_commit(const struct story_line *told)
{
    ck_assert_int_lt(commits_count, STORY_REQUESTS_MAX);
    struct commit_request *request = &commits[commits_count++];
    const struct story_line *line = &request->line;
    memset(request, 0, sizeof(*request));
    story_split(&request->line, told->text, told->length);
    request->client = story_client(line->words[1]);
    request->commit.entries = request->entries;
    request->commit.done = hear_commit;
    const int32_t expire_ms = story_number(line, "expire", -1);
    for (int i = 2; i < line->count; i++)
        if (strchr(line->words[i], '-') != NULL && strncmp(line->words[i], "gen=", 4) != 0)
            commit_add(&request->commit, line->words[i]);
    for (uint32_t i = 0; expire_ms >= 0 && i < request->commit.entries_count; i++)
        request->entries[i].value.expire_ms = story->io.wall_ms + expire_ms;
    struct group *group = shard_open(&story->shard, SPAN("g"));
    const int error = group_check_commit(group, span_text(request->client->id), SPAN_NULL,
                                         story_number(line, "gen", request->client->generation));
    if (error == ERR_NONE) {
        commit_start(&story->shard, group, &request->commit);
        return;
    }
    commits_done++;
    story_say("  %s commit: %s\n", request->client->name, error_name(error));
}

void story_offsets(const struct story_line *line)
{
    (void)line;
    const struct group *group = story_group();
    const struct offsets_topic *topic = NULL;
    while (group != NULL && (topic = offsets_next_topic(&group->offsets, topic)) != NULL) {
        for (uint32_t i = 0; i < topic->count; i++) {
            const struct offset *offset = &topic->items[i];
            story_say("  %.*s-%d", SPAN_ARGS(topic->name), offset->partition);
            if (offset->committed)
                story_say(" = %lld \"%.*s\"", (long long)offset->value.offset,
                          SPAN_ARGS(offset->value.metadata));
            if (offset->pending > 0)
                story_say(" pending %u", offset->pending);
            story_say("\n");
        }
    }
}

static void show_group(const struct group_metadata_value *group)
{
    story_say(" gen %d %s%.*s", group->generation, span_is_null(group->protocol) ? "-" : "",
              SPAN_ARGS(group->protocol));
    for (int32_t i = 0; i < group->members_count; i++) {
        const struct group_metadata_value_member *member = &group->members[i];
        char name[16];
        snprintf(name, sizeof(name), "%.*s", SPAN_ARGS(member->client_id));
        story_say(" %s%s=%.*s", story_label(member->member_id, story_client(name)),
                  span_equal(group->leader, member->member_id) ? "*" : "",
                  SPAN_ARGS(member->assignment));
    }
}

static void show_record(const struct record *record, struct arena *arena)
{
    struct coord_entry entry;
    ck_assert_int_eq(record_read(record->key, record->value, arena, &entry), ERR_NONE);
    story_say("  %lld %.*s", (long long)record->offset, SPAN_ARGS(entry.group_id));
    if (entry.kind == COORD_RECORD_OFFSET)
        story_say(" %.*s-%d", SPAN_ARGS(entry.topic), entry.partition);
    if (entry.deleted)
        story_say(" gone");
    else if (entry.kind == COORD_RECORD_OFFSET)
        story_say(" = %lld \"%.*s\"", (long long)entry.offset.offset,
                  SPAN_ARGS(entry.offset.metadata));
    else
        show_group(&entry.group);
    story_say("\n");
}

/* What was appended since it was last asked for, a line a batch. */
void story_log(const struct story_line *line)
{
    (void)line;
    for (; story->told_batches < story->log.count; story->told_batches++) {
        const struct fake_batch *batch = &story->log.batches[story->told_batches];
        struct arena arena;
        struct record_cursor cursor;
        struct record record;
        arena_init(&arena, &story->memory, MEMORY_STATE, STORY_TRANSCRIPT_BYTES);
        ck_assert_int_eq(
            record_cursor_open(span_of(batch->bytes, batch->length), NULL, 0, NULL, &cursor),
            ERR_NONE);
        story_say("  batch\n");
        while (record_next(&cursor, &record))
            show_record(&record, &arena);
        ck_assert_int_eq(cursor.error, ERR_NONE);
        arena_reset(&arena);
    }
}

void story_log_start(void)
{
    commits_count = 0;
    commits_done = 0;
}

void story_log_end(void)
{
    ck_assert_int_eq(commits_done, commits_count);
}
