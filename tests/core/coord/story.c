/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/coord/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/format.h"
#include "core/coord/commit.h"
#include "core/coord/shard.h"
#include "core/records/record.h"
#include "core/wire/error.h"
#include "tests/core/coord/fake_log.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define CLIENTS_MAX      8
#define IDS_MAX          64
#define REQUESTS_MAX     64
#define ENTRIES_MAX      16
#define TRANSCRIPT_BYTES 16384
#define LINE_BYTES       512
#define WORDS_MAX        16
#define ID_BYTES         320

struct known_id {
    char id[ID_BYTES];
    char label[32];
};

struct client {
    char name[16];
    char id[ID_BYTES]; /* the last one that it was given */
    int32_t generation;
    int ids; /* how many it was given */
};

struct story {
    struct heap heap;
    struct memory memory;
    struct effects effects;
    struct io io;
    struct group_settings settings;
    struct shard shard;
    struct fake_log log;
    int told_batches; /* of the log, by the verb "log" */
    struct client clients[CLIENTS_MAX];
    int clients_count;
    struct known_id ids[IDS_MAX];
    int ids_count;
    bool hold;
    char transcript[TRANSCRIPT_BYTES];
    size_t transcript_length;
};

/* One line's words; and the options among them. */
struct line {
    const char *text;
    size_t length;
    char bytes[LINE_BYTES];
    char *words[WORDS_MAX];
    int count;
};

struct story_join {
    struct group_join join;
    struct line line;
    struct client *client;
    struct group_protocol protocols[4];
    char texts[LINE_BYTES];
    char id[ID_BYTES];
};

struct story_sync {
    struct group_sync sync;
    struct line line;
    struct client *client;
    struct group_assignment assignments[8];
    char texts[LINE_BYTES];
    char ids[8][ID_BYTES];
    char id[ID_BYTES];
};

struct story_commit {
    struct commit commit;
    struct line line;
    struct client *client;
    struct commit_entry entries[ENTRIES_MAX];
};

static struct story *story;
static struct story_join joins[REQUESTS_MAX];
static struct story_sync syncs[REQUESTS_MAX];
static int joins_count;
static int syncs_count;
static struct story_commit commits[REQUESTS_MAX];
static int commits_count;
static int commits_done;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
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

static void line_split(struct line *line, const char *text, size_t length)
{
    ck_assert_uint_lt(length, sizeof(line->bytes));
    memcpy(line->bytes, text, length);
    line->bytes[length] = '\0';
    line->text = text;
    line->length = length;
    line->count = 0;
    char *rest = line->bytes;
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        ck_assert_int_lt(line->count, WORDS_MAX);
        if (*word != '\0')
            line->words[line->count++] = word;
    }
}

static struct group *group_now(void)
{
    return shard_find(&story->shard, SPAN("g"));
}

static struct client *client_find(const char *name)
{
    for (int i = 0; i < story->clients_count; i++)
        if (strcmp(story->clients[i].name, name) == 0)
            return &story->clients[i];
    ck_assert_int_lt(story->clients_count, CLIENTS_MAX);
    struct client *client = &story->clients[story->clients_count++];
    snprintf(client->name, sizeof(client->name), "%s", name);
    client->generation = -1;
    return client;
}

/* The label of a member id; an unknown one is the next of `client`. */
static const char *label_of(struct span id, struct client *client)
{
    for (int i = 0; i < story->ids_count; i++)
        if (span_equal(id, span_text(story->ids[i].id)))
            return story->ids[i].label;
    ck_assert_ptr_nonnull(client);
    ck_assert_int_lt(story->ids_count, IDS_MAX);
    struct known_id *known = &story->ids[story->ids_count++];
    snprintf(known->id, sizeof(known->id), "%.*s", SPAN_ARGS(id));
    snprintf(known->label, sizeof(known->label), "%s%d", client->name, ++client->ids);
    return known->label;
}

static const char *label_of_member(const struct group_member *member)
{
    char name[16];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARGS(member->client_id));
    return label_of(member->id, client_find(name));
}

static const char *id_of(const char *label)
{
    for (int i = 0; i < story->ids_count; i++)
        if (strcmp(story->ids[i].label, label) == 0)
            return story->ids[i].id;
    return label;
}

/* The value of option `name=` in a line, or NULL. */
static const char *option(const struct line *line, const char *name)
{
    const size_t length = strlen(name);
    for (int i = 1; i < line->count; i++)
        if (strncmp(line->words[i], name, length) == 0 && line->words[i][length] == '=')
            return line->words[i] + length + 1;
    return NULL;
}

static int32_t option_number(const struct line *line, const char *name, int32_t otherwise)
{
    const char *text = option(line, name);
    return text == NULL ? otherwise : (int32_t)strtol(text, NULL, 10);
}

static void option_id(const struct line *line, const struct client *client, char *out)
{
    const char *label = option(line, "id");
    const char *id = label == NULL ? client->id : strcmp(label, "-") == 0 ? "" : id_of(label);
    snprintf(out, ID_BYTES, "%s", id);
}

static void hear_joined(struct group_join *join, const struct group_joined *joined)
{
    struct client *client = container_of(join, struct story_join, join)->client;
    const char *label = joined->member_id.length == 0 ? "-" : label_of(joined->member_id, client);
    if (joined->member_id.length > 0 &&
        (joined->error == ERR_NONE || joined->error == ERR_MEMBER_ID_REQUIRED)) {
        snprintf(client->id, sizeof(client->id), "%.*s", SPAN_ARGS(joined->member_id));
        client->generation = joined->generation;
    }
    if (joined->error != ERR_NONE) {
        ck_assert_int_eq(joined->generation, -1);
        ck_assert(span_is_null(joined->protocol_type) && span_is_null(joined->protocol_name));
        ck_assert(!span_is_null(joined->leader) && joined->leader.length == 0);
        ck_assert_ptr_null(joined->members);
        say("  %s join: %s %s\n", client->name, error_name(joined->error), label);
        return;
    }
    ck_assert_str_ne(label, "-");
    say("  %s joined: gen %d %.*s leader %s id %s", client->name, joined->generation,
        SPAN_ARGS(joined->protocol_name), label_of(joined->leader, client), label);
    if (joined->members != NULL) {
        say(" members");
        const struct group_member *member = NULL;
        while ((member = group_next_member(joined->members, member)) != NULL)
            say(" %s(%.*s)", label_of_member(member), SPAN_ARGS(group_member_metadata(member)));
    }
    say("%s\n", joined->skip_assignment ? " skip" : "");
}

static void hear_synced(struct group_sync *sync, const struct group_synced *synced)
{
    const struct client *client = container_of(sync, struct story_sync, sync)->client;
    if (synced->error != ERR_NONE) {
        ck_assert(span_is_null(synced->protocol_name) && synced->assignment.length == 0);
        say("  %s sync: %s\n", client->name, error_name(synced->error));
        return;
    }
    ck_assert(!span_is_null(synced->assignment));
    say("  %s synced: %.*s \"%.*s\"\n", client->name, SPAN_ARGS(synced->protocol_name),
        SPAN_ARGS(synced->assignment));
}

/* protocols=range:x,sticky */
static void join_set_protocols(struct story_join *request, const char *text)
{
    snprintf(request->texts, sizeof(request->texts), "%s", text);
    char *rest = request->texts;
    for (char *word; (word = strsep(&rest, ",")) != NULL && *word != '\0';) {
        char *metadata = strchr(word, ':');
        struct group_protocol *protocol = &request->protocols[request->join.protocols_count++];
        if (metadata != NULL)
            *metadata++ = '\0';
        protocol->name = span_text(word);
        protocol->metadata = metadata == NULL ? SPAN("") : span_text(metadata);
    }
    request->join.protocols = request->protocols;
}

static void run_join(const struct line *told)
{
    ck_assert_int_lt(joins_count, REQUESTS_MAX);
    struct story_join *request = &joins[joins_count++];
    struct group_join *join = &request->join;
    const struct line *line = &request->line;
    memset(request, 0, sizeof(*request));
    line_split(&request->line, told->text, told->length);
    request->client = client_find(line->words[1]);
    option_id(line, request->client, request->id);
    const char *instance = option(line, "instance");
    const char *name = option(line, "name");
    const char *type = option(line, "type");
    const char *protocols = option(line, "protocols");
    const int32_t version = option_number(line, "v", 5);
    join->member_id = span_text(request->id);
    join->instance_id = span_text(instance);
    join->client_id = span_text(name == NULL ? request->client->name : name);
    join->client_host = SPAN("127.0.0.1");
    join->protocol_type = type == NULL ? SPAN("consumer") : span_text(type);
    join->session_timeout_ms = option_number(line, "session", 10000);
    join->rebalance_timeout_ms = option_number(line, "rebalance", version == 0 ? -1 : 60000);
    join->needs_member_id = version >= 4;
    join->may_skip_assignment = version >= 9;
    join->done = hear_joined;
    join_set_protocols(request, protocols == NULL ? "range" : protocols);
    const int error = group_check_session(&story->settings, join->session_timeout_ms);
    if (error != ERR_NONE)
        say("  %s join: %s\n", request->client->name, error_name(error));
    else
        group_join(shard_open(&story->shard, SPAN("g")), join);
}

/* assign=a1:x,b1:y */
static void sync_set_assignments(struct story_sync *request, const char *text)
{
    snprintf(request->texts, sizeof(request->texts), "%s", text);
    char *rest = request->texts;
    for (char *word; (word = strsep(&rest, ",")) != NULL && *word != '\0';) {
        char *share = strchr(word, ':');
        const uint32_t place = request->sync.assignments_count++;
        *share++ = '\0';
        snprintf(request->ids[place], ID_BYTES, "%s", id_of(word));
        request->assignments[place] =
            (struct group_assignment){span_text(request->ids[place]), span_text(share)};
    }
    request->sync.assignments = request->assignments;
}

static void run_sync(const struct line *told)
{
    ck_assert_int_lt(syncs_count, REQUESTS_MAX);
    struct story_sync *request = &syncs[syncs_count++];
    struct group_sync *sync = &request->sync;
    const struct line *line = &request->line;
    memset(request, 0, sizeof(*request));
    line_split(&request->line, told->text, told->length);
    request->client = client_find(line->words[1]);
    option_id(line, request->client, request->id);
    const char *instance = option(line, "instance");
    sync->generation = option_number(line, "gen", request->client->generation);
    sync->member_id = span_text(request->id);
    sync->instance_id = span_text(instance);
    sync->protocol_type = span_text(option(line, "type"));
    sync->protocol_name = span_text(option(line, "protocol"));
    sync->done = hear_synced;
    sync_set_assignments(request, option(line, "assign") == NULL ? "" : option(line, "assign"));
    group_sync(group_now(), sync);
}

static void run_beat(const struct line *line)
{
    const struct client *client = client_find(line->words[1]);
    char id[ID_BYTES];
    option_id(line, client, id);
    const char *instance = option(line, "instance");
    const int error = group_heartbeat(group_now(), span_text(id), span_text(instance),
                                      option_number(line, "gen", client->generation));
    say("  %s beat: %s\n", client->name, error_name(error));
}

static void run_may(const struct line *line)
{
    const struct client *client = client_find(line->words[1]);
    char id[ID_BYTES];
    option_id(line, client, id);
    const int error = group_check_commit(shard_open(&story->shard, SPAN("g")), span_text(id),
                                         span_text(option(line, "instance")),
                                         option_number(line, "gen", client->generation));
    say("  %s commit: %s\n", client->name, error_name(error));
}

static void run_leave(const struct line *line)
{
    bool any = false;
    for (int i = 1; i < line->count; i++) {
        const bool by_instance = strncmp(line->words[i], "instance=", 9) == 0;
        const char *name = by_instance ? line->words[i] + 9 : line->words[i];
        const int error =
            by_instance ? group_leave(group_now(), SPAN(""), span_text(name))
                        : group_leave(group_now(), span_text(client_find(name)->id), SPAN_NULL);
        any = any || error == ERR_NONE;
        say("  %s leave: %s\n", name, error_name(error));
    }
    if (any)
        group_left(group_now());
}

static void run_drop(const struct line *line)
{
    const struct client *client = client_find(line->words[1]);
    for (int i = 0; i < joins_count; i++)
        if (joins[i].client == client && joins[i].join.member != NULL)
            group_join_cancel(&joins[i].join);
    for (int i = 0; i < syncs_count; i++)
        if (syncs[i].client == client && syncs[i].sync.member != NULL)
            group_sync_cancel(&syncs[i].sync);
}

static void run_time(const char *amount)
{
    const uint64_t until_us = story->io.now_us + (uint64_t)strtoull(amount, NULL, 10) * 1000;
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

/* The oldest write fails without its log having failed. */
static void run_lost(int error)
{
    ck_assert(!list_empty(&story->shard.writes));
    struct list *place = list_pop(&story->shard.writes);
    struct coord_write *write = container_of(place, struct coord_write, place);
    write->done(write, error);
}

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
    const struct story_commit *request = container_of(commit, struct story_commit, commit);
    commits_done++;
    say("  %s committed:", request->client->name);
    for (uint32_t i = 0; i < commit->entries_count; i++) {
        const struct commit_entry *entry = &commit->entries[i];
        say(" %.*s-%d", SPAN_ARGS(entry->topic), entry->partition);
        if (entry->error != ERR_NONE)
            say(" %s", error_name(entry->error));
    }
    say("\n");
}

static void run_commit(const struct line *told)
{
    ck_assert_int_lt(commits_count, REQUESTS_MAX);
    struct story_commit *request = &commits[commits_count++];
    const struct line *line = &request->line;
    memset(request, 0, sizeof(*request));
    line_split(&request->line, told->text, told->length);
    request->client = client_find(line->words[1]);
    request->commit.entries = request->entries;
    request->commit.done = hear_commit;
    const int32_t expire_ms = option_number(line, "expire", -1);
    for (int i = 2; i < line->count; i++)
        if (strchr(line->words[i], '-') != NULL && strncmp(line->words[i], "gen=", 4) != 0)
            commit_add(&request->commit, line->words[i]);
    for (uint32_t i = 0; expire_ms >= 0 && i < request->commit.entries_count; i++)
        request->entries[i].value.expire_ms = story->io.wall_ms + expire_ms;
    struct group *group = shard_open(&story->shard, SPAN("g"));
    const int error = group_check_commit(group, span_text(request->client->id), SPAN_NULL,
                                         option_number(line, "gen", request->client->generation));
    if (error == ERR_NONE) {
        commit_start(&story->shard, group, &request->commit);
        return;
    }
    commits_done++;
    say("  %s commit: %s\n", request->client->name, error_name(error));
}

static void run_offsets(void)
{
    const struct group *group = group_now();
    const struct offsets_topic *topic = NULL;
    while (group != NULL && (topic = offsets_next_topic(&group->offsets, topic)) != NULL) {
        for (uint32_t i = 0; i < topic->count; i++) {
            const struct offset *offset = &topic->items[i];
            say("  %.*s-%d", SPAN_ARGS(topic->name), offset->partition);
            if (offset->committed)
                say(" = %lld \"%.*s\"", (long long)offset->value.offset,
                    SPAN_ARGS(offset->value.metadata));
            if (offset->pending > 0)
                say(" pending %u", offset->pending);
            say("\n");
        }
    }
}

static void run_delete(void)
{
    struct group *group = group_now();
    int error = group == NULL ? ERR_GROUP_ID_NOT_FOUND : group_check_delete(group);
    if (error == ERR_NONE)
        error = shard_delete(&story->shard, group, NULL);
    say("  delete: %s\n", error_name(error));
}

static void show_group(const struct group_metadata_value *group)
{
    say(" gen %d %s%.*s", group->generation, span_is_null(group->protocol) ? "-" : "",
        SPAN_ARGS(group->protocol));
    for (int32_t i = 0; i < group->members_count; i++) {
        const struct group_metadata_value_member *member = &group->members[i];
        char name[16];
        snprintf(name, sizeof(name), "%.*s", SPAN_ARGS(member->client_id));
        say(" %s%s=%.*s", label_of(member->member_id, client_find(name)),
            span_equal(group->leader, member->member_id) ? "*" : "", SPAN_ARGS(member->assignment));
    }
}

static void show_record(const struct record *record, struct arena *arena)
{
    struct coord_entry entry;
    ck_assert_int_eq(record_read(record->key, record->value, arena, &entry), ERR_NONE);
    say("  %lld %.*s", (long long)record->offset, SPAN_ARGS(entry.group_id));
    if (entry.kind == COORD_RECORD_OFFSET)
        say(" %.*s-%d", SPAN_ARGS(entry.topic), entry.partition);
    if (entry.deleted)
        say(" gone");
    else if (entry.kind == COORD_RECORD_OFFSET)
        say(" = %lld \"%.*s\"", (long long)entry.offset.offset, SPAN_ARGS(entry.offset.metadata));
    else
        show_group(&entry.group);
    say("\n");
}

/* What was appended since it was last asked for, a line a batch. */
static void run_log(void)
{
    for (; story->told_batches < story->log.count; story->told_batches++) {
        const struct fake_batch *batch = &story->log.batches[story->told_batches];
        struct arena arena;
        struct record_cursor cursor;
        struct record record;
        arena_init(&arena, &story->memory, MEMORY_STATE, TRANSCRIPT_BYTES);
        ck_assert_int_eq(
            record_cursor_open(span_of(batch->bytes, batch->length), NULL, 0, NULL, &cursor),
            ERR_NONE);
        say("  batch\n");
        while (record_next(&cursor, &record))
            show_record(&record, &arena);
        ck_assert_int_eq(cursor.error, ERR_NONE);
        arena_reset(&arena);
    }
}

static void shard_start(void)
{
    shard_init(&story->shard, &story->io, &story->settings, NULL, &story->log.log);
    fake_log_replay(&story->log, &story->shard);
    shard_loaded(&story->shard);
    ck_assert_uint_eq(story->shard.unread_count, 0);
}

static void run_reload(void)
{
    shard_drop(&story->shard, ERR_NOT_COORDINATOR);
    fake_log_commit(&story->log);
    shard_start();
}

static void run_state(void)
{
    const struct group *group = group_now();
    if (group == NULL) {
        say("  none\n");
        return;
    }
    say("  %.*s gen %d", SPAN_ARGS(group_state_name(group->state)), group->generation);
    if (!span_is_null(group->protocol_name))
        say(" %.*s", SPAN_ARGS(group->protocol_name));
    const struct group_member *member = NULL;
    while ((member = group_next_member(group, member)) != NULL) {
        say(" %s%s", label_of_member(member), group->leader == member ? "*" : "");
        if (member->assignment.length > 0)
            say("=%.*s", SPAN_ARGS(member->assignment));
    }
    if (map_count(&group->pending) > 0)
        say(" pending %u", map_count(&group->pending));
    say("\n");
}

static int error_by_name(const char *name)
{
    for (int code = -1; code < 200; code++)
        if (strcmp(error_name(code), name) == 0)
            return code;
    ck_abort_msg("no error is called %s", name);
    return 0;
}

static void run_line(const struct line *line)
{
    const char *verb = line->words[0];
    if (strcmp(verb, "join") == 0)
        run_join(line);
    else if (strcmp(verb, "sync") == 0)
        run_sync(line);
    else if (strcmp(verb, "beat") == 0)
        run_beat(line);
    else if (strcmp(verb, "may") == 0)
        run_may(line);
    else if (strcmp(verb, "leave") == 0)
        run_leave(line);
    else if (strcmp(verb, "drop") == 0)
        run_drop(line);
    else if (verb[0] == '+')
        run_time(verb + 1);
    else if (strcmp(verb, "hold") == 0)
        story->hold = true;
    else if (strcmp(verb, "stored") == 0)
        fake_log_commit_one(&story->log);
    else if (strcmp(verb, "lost") == 0)
        run_lost(error_by_name(line->words[1]));
    else if (strcmp(verb, "commit") == 0)
        run_commit(line);
    else if (strcmp(verb, "offsets") == 0)
        run_offsets();
    else if (strcmp(verb, "delete") == 0)
        run_delete();
    else if (strcmp(verb, "log") == 0)
        run_log();
    else if (strcmp(verb, "reload") == 0)
        run_reload();
    else if (strcmp(verb, "forget") == 0)
        shard_forget_topic(&story->shard, span_text(line->words[1]));
    else if (strcmp(verb, "batch") == 0)
        story->log.batch_bytes_max = (uint32_t)strtoul(line->words[1], NULL, 10);
    else if (strcmp(verb, "state") == 0)
        run_state();
    else if (strcmp(verb, "max") == 0)
        story->settings.max_size = (uint32_t)strtoul(line->words[1], NULL, 10);
    else if (strcmp(verb, "delay") == 0)
        story->settings.initial_rebalance_delay_ms = (int32_t)strtol(line->words[1], NULL, 10);
    else
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
    joins_count = 0;
    syncs_count = 0;
    commits_count = 0;
    commits_done = 0;
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
    ck_assert_int_eq(commits_done, commits_count);
    for (int i = 0; i < joins_count; i++)
        ck_assert_ptr_null(joins[i].join.member);
    for (int i = 0; i < syncs_count; i++)
        ck_assert_ptr_null(syncs[i].sync.member);
    effects_free(&story->effects);
    io_free(&story->io);
    ck_assert_uint_eq(story->heap.blocks, 0);
}

/* One line: a turn of several commands with ';' between them. */
static void run_turn(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        struct line line;
        size_t end = at;
        while (end < length && text[end] != ';')
            end++;
        line_split(&line, text + at, end - at);
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
            say("%.*s\n", (int)length, at);
            run_turn(at, length);
        }
        at += length + (at[length] == '\n');
    }
    if (strcmp(row->text, story->transcript) != 0)
        ck_abort_msg("%s\n--- told:\n%s--- happened:\n%s", row->name, row->text, story->transcript);
    story_end();
}
