/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/format.h"
#include "core/wire/error.h"
#include "tests/core/coord/story_internal.h"
#include "tests/support/runner.h"

struct story *story;

void story_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length =
        vsnprintf(story->transcript + story->transcript_length,
                  sizeof(story->transcript) - story->transcript_length, format, arguments);
    va_end(arguments);
    ck_assert_int_ge(length, 0);
    story->transcript_length += (size_t)length;
    ck_assert_uint_lt(story->transcript_length, sizeof(story->transcript));
}

void story_split(struct story_line *line, const char *text, size_t length)
{
    ck_assert_uint_lt(length, sizeof(line->bytes));
    memcpy(line->bytes, text, length);
    line->bytes[length] = '\0';
    line->text = text;
    line->length = length;
    line->count = 0;
    char *rest = line->bytes;
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        ck_assert_int_lt(line->count, STORY_WORDS_MAX);
        if (*word != '\0')
            line->words[line->count++] = word;
    }
}

struct group *story_group(void)
{
    return shard_find(&story->shard, SPAN("g"));
}

struct story_client *story_client(const char *name)
{
    for (int i = 0; i < story->clients_count; i++)
        if (strcmp(story->clients[i].name, name) == 0)
            return &story->clients[i];
    ck_assert_int_lt(story->clients_count, STORY_CLIENTS_MAX);
    struct story_client *client = &story->clients[story->clients_count++];
    snprintf(client->name, sizeof(client->name), "%s", name);
    client->generation = -1;
    return client;
}

const char *story_label(struct span id, struct story_client *client)
{
    for (int i = 0; i < story->ids_count; i++)
        if (span_equal(id, span_text(story->ids[i].id)))
            return story->ids[i].label;
    ck_assert_ptr_nonnull(client);
    ck_assert_int_lt(story->ids_count, STORY_IDS_MAX);
    struct story_id *known = &story->ids[story->ids_count++];
    snprintf(known->id, sizeof(known->id), "%.*s", SPAN_ARGS(id));
    snprintf(known->label, sizeof(known->label), "%s%d", client->name, ++client->ids);
    return known->label;
}

const char *story_label_of_member(const struct group_member *member)
{
    char name[16];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARGS(member->client_id));
    return story_label(member->id, story_client(name));
}

const char *story_id_of(const char *label)
{
    for (int i = 0; i < story->ids_count; i++)
        if (strcmp(story->ids[i].label, label) == 0)
            return story->ids[i].id;
    return label;
}

const char *story_option(const struct story_line *line, const char *name)
{
    const size_t length = strlen(name);
    for (int i = 1; i < line->count; i++)
        if (strncmp(line->words[i], name, length) == 0 && line->words[i][length] == '=')
            return line->words[i] + length + 1;
    return NULL;
}

int32_t story_number(const struct story_line *line, const char *name, int32_t otherwise)
{
    const char *text = story_option(line, name);
    return text == NULL ? otherwise : (int32_t)strtol(text, NULL, 10);
}

static void run_time(const struct story_line *line)
{
    const uint64_t until_us =
        story->io.now_us + (uint64_t)strtoull(line->words[0] + 1, NULL, 10) * 1000;
    while (timers_next_us(&story->io.timers) <= until_us) {
        const uint64_t due_us = timers_next_us(&story->io.timers);
        if (due_us > story->io.now_us) {
            story->io.wall_ms += (int64_t)((due_us - story->io.now_us) / 1000);
            story->io.now_us = due_us;
        }
        timers_run(&story->io.timers, story->io.now_us);
    }
    story->io.wall_ms += (int64_t)((until_us - story->io.now_us) / 1000);
    story->io.now_us = until_us;
}

static int error_by_name(const char *name)
{
    for (int code = -1; code < 200; code++)
        if (strcmp(error_name(code), name) == 0)
            return code;
    ck_abort_msg("no error is called %s", name);
    return 0;
}

/* The oldest write fails without its log having failed. */
static void run_lost(const struct story_line *line)
{
    const int error = error_by_name(line->words[1]);
    ck_assert(!list_empty(&story->shard.writes));
    struct list *place = list_pop(&story->shard.writes);
    struct coord_write *write = container_of(place, struct coord_write, place);
    write->done(write, error);
}

static void run_delete(const struct story_line *line)
{
    (void)line;
    struct group *group = story_group();
    int error = group == NULL ? ERR_GROUP_ID_NOT_FOUND : group_check_delete(group);
    if (error == ERR_NONE)
        error = shard_delete(&story->shard, group, NULL);
    story_say("  delete: %s\n", error_name(error));
}

static void shard_start(void)
{
    shard_init(&story->shard, &story->io, &story->settings, NULL, &story->log.log);
    fake_log_replay(&story->log, &story->shard);
    shard_loaded(&story->shard);
    ck_assert_uint_eq(story->shard.unread_count, 0);
}

static void run_reload(const struct story_line *line)
{
    (void)line;
    shard_drop(&story->shard, ERR_NOT_COORDINATOR);
    fake_log_commit(&story->log);
    shard_start();
}

static void run_state(const struct story_line *line)
{
    (void)line;
    const struct group *group = story_group();
    if (group == NULL) {
        story_say("  none\n");
        return;
    }
    story_say("  %.*s gen %d", SPAN_ARGS(group_state_name(group->state)), group->generation);
    if (!span_is_null(group->protocol_name))
        story_say(" %.*s", SPAN_ARGS(group->protocol_name));
    const struct group_member *member = NULL;
    while ((member = group_next_member(group, member)) != NULL) {
        story_say(" %s%s", story_label_of_member(member), group->leader == member ? "*" : "");
        if (member->assignment.length > 0)
            story_say("=%.*s", SPAN_ARGS(member->assignment));
    }
    if (map_count(&group->pending) > 0)
        story_say(" pending %u", map_count(&group->pending));
    story_say("\n");
}

static void run_hold(const struct story_line *line)
{
    (void)line;
    story->hold = true;
}

static void run_stored(const struct story_line *line)
{
    (void)line;
    fake_log_commit_one(&story->log);
}

static void run_forget(const struct story_line *line)
{
    shard_forget_topic(&story->shard, span_text(line->words[1]));
}

static void run_batch(const struct story_line *line)
{
    story->log.batch_bytes_max = (uint32_t)strtoul(line->words[1], NULL, 10);
}

static void run_max(const struct story_line *line)
{
    story->settings.max_size = (uint32_t)strtoul(line->words[1], NULL, 10);
}

static void run_delay(const struct story_line *line)
{
    story->settings.initial_rebalance_delay_ms = (int32_t)strtol(line->words[1], NULL, 10);
}

static const struct {
    const char *verb;
    void (*run)(const struct story_line *line);
} verbs[] = {
    {"join", story_join},     {"sync", story_sync},       {"beat", story_beat},
    {"may", story_may},       {"leave", story_leave},     {"drop", story_drop},
    {"commit", story_commit}, {"offsets", story_offsets}, {"log", story_log},
    {"delete", run_delete},   {"reload", run_reload},     {"forget", run_forget},
    {"hold", run_hold},       {"stored", run_stored},     {"lost", run_lost},
    {"batch", run_batch},     {"state", run_state},       {"max", run_max},
    {"delay", run_delay},
};

static void run_line(const struct story_line *line)
{
    const char *verb = line->words[0];
    if (verb[0] == '+') {
        run_time(line);
        return;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].verb, verb) == 0) {
            verbs[i].run(line);
            return;
        }
    }
    ck_abort_msg("no story knows \"%s\"", verb);
}

/* The end of a turn, in which the disk was as fast as the story wants it. */
static void turn_end(void)
{
    io_run_turn_tasks(&story->io);
    if (!story->hold)
        fake_log_commit(&story->log);
    shard_advanced(&story->shard);
    io_run_turn_tasks(&story->io);
}

static void story_start(void)
{
    static struct story fresh;
    memset(&fresh, 0, sizeof(fresh));
    story = &fresh;
    story_members_start();
    story_log_start();
    heap_memory(&story->heap, &story->memory);
    effects_init(&story->effects, &story->memory);
    io_init(&story->io, &story->memory, &story->effects);
    rng_init(&story->io.rng, 1);
    story->io.now_us = 1000000;
    story->io.wall_ms = 1700000000000;
    story->settings = (struct group_settings){
        .min_session_timeout_ms = 6000,
        .max_session_timeout_ms = 1800000,
        .initial_rebalance_delay_ms = 3000,
        .max_size = INT32_MAX,
        .offset_metadata_bytes_max = 8,
        .offsets_retention_ms = 1000000,
        .retention_check_ms = 10000,
    };
    fake_log_init(&story->log);
    shard_start();
}

static void story_end(void)
{
    shard_drop(&story->shard, ERR_NOT_COORDINATOR);
    fake_log_free(&story->log);
    story_log_end();
    story_members_end();
    effects_free(&story->effects);
    io_free(&story->io);
    ck_assert_uint_eq(story->heap.blocks, 0);
}

/* One line: a turn of several commands with ';' between them. */
static void run_turn(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        struct story_line line;
        size_t end = at;
        while (end < length && text[end] != ';')
            end++;
        story_split(&line, text + at, end - at);
        run_line(&line);
        at = end + 1;
    }
    turn_end();
}

void story_check(const struct story_row *row)
{
    story_start();
    for (const char *at = row->text; *at != '\0';) {
        const size_t length = strcspn(at, "\n");
        if (length > 0 && *at != ' ') {
            story_say("%.*s\n", (int)length, at);
            run_turn(at, length);
        }
        at += length + (at[length] == '\n');
    }
    if (strcmp(row->text, story->transcript) != 0)
        ck_abort_msg("%s\n--- told:\n%s--- happened:\n%s", row->name, row->text, story->transcript);
    story_end();
}
