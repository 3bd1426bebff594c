/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/format.h"
#include "core/wire/error.h"
#include "tests/core/coord/story_internal.h"
#include "tests/support/runner.h"

struct join_request {
    struct group_join join;
    struct story_line line;
    struct story_client *client;
    struct group_protocol protocols[4];
    char texts[STORY_LINE_BYTES];
    char id[STORY_ID_BYTES];
};

struct sync_request {
    struct group_sync sync;
    struct story_line line;
    struct story_client *client;
    struct group_assignment assignments[8];
    char texts[STORY_LINE_BYTES];
    char ids[8][STORY_ID_BYTES];
    char id[STORY_ID_BYTES];
};

static struct join_request joins[STORY_REQUESTS_MAX];
static struct sync_request syncs[STORY_REQUESTS_MAX];
static int joins_count;
static int syncs_count;

static void option_id(const struct story_line *line, const struct story_client *client, char *out)
{
    const char *label = story_option(line, "id");
    const char *id = label == NULL ? client->id : strcmp(label, "-") == 0 ? "" : story_id_of(label);
    snprintf(out, STORY_ID_BYTES, "%s", id);
}

static void hear_joined(struct group_join *join, const struct group_joined *joined)
{
    struct story_client *client = container_of(join, struct join_request, join)->client;
    const char *label =
        joined->member_id.length == 0 ? "-" : story_label(joined->member_id, client);
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
        story_say("  %s join: %s %s\n", client->name, error_name(joined->error), label);
        return;
    }
    ck_assert_str_ne(label, "-");
    story_say("  %s joined: gen %d %.*s leader %s id %s", client->name, joined->generation,
              SPAN_ARGS(joined->protocol_name), story_label(joined->leader, client), label);
    if (joined->members != NULL) {
        story_say(" members");
        const struct group_member *member = NULL;
        while ((member = group_next_member(joined->members, member)) != NULL)
            story_say(" %s(%.*s)", story_label_of_member(member),
                      SPAN_ARGS(group_member_metadata(member)));
    }
    story_say("%s\n", joined->skip_assignment ? " skip" : "");
}

static void hear_synced(struct group_sync *sync, const struct group_synced *synced)
{
    const struct story_client *client = container_of(sync, struct sync_request, sync)->client;
    if (synced->error != ERR_NONE) {
        ck_assert(span_is_null(synced->protocol_name) && synced->assignment.length == 0);
        story_say("  %s sync: %s\n", client->name, error_name(synced->error));
        return;
    }
    ck_assert(!span_is_null(synced->assignment));
    story_say("  %s synced: %.*s \"%.*s\"\n", client->name, SPAN_ARGS(synced->protocol_name),
              SPAN_ARGS(synced->assignment));
}

/* protocols=range:x,sticky */
static void join_set_protocols(struct join_request *request, const char *text)
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

void story_join(const struct story_line *told)
{
    ck_assert_int_lt(joins_count, STORY_REQUESTS_MAX);
    struct join_request *request = &joins[joins_count++];
    struct group_join *join = &request->join;
    const struct story_line *line = &request->line;
    memset(request, 0, sizeof(*request));
    story_split(&request->line, told->text, told->length);
    request->client = story_client(line->words[1]);
    option_id(line, request->client, request->id);
    const char *instance = story_option(line, "instance");
    const char *name = story_option(line, "name");
    const char *type = story_option(line, "type");
    const char *protocols = story_option(line, "protocols");
    const int32_t version = story_number(line, "v", 5);
    join->member_id = span_text(request->id);
    join->instance_id = span_text(instance);
    join->client_id = span_text(name == NULL ? request->client->name : name);
    join->client_host = SPAN("127.0.0.1");
    join->protocol_type = type == NULL ? SPAN("consumer") : span_text(type);
    join->session_timeout_ms = story_number(line, "session", 10000);
    join->rebalance_timeout_ms = story_number(line, "rebalance", version == 0 ? -1 : 60000);
    join->needs_member_id = version >= 4;
    join->may_skip_assignment = version >= 9;
    join->done = hear_joined;
    join_set_protocols(request, protocols == NULL ? "range" : protocols);
    const int error = group_check_session(&story->settings, join->session_timeout_ms);
    if (error != ERR_NONE)
        story_say("  %s join: %s\n", request->client->name, error_name(error));
    else
        group_join(shard_open(&story->shard, SPAN("g")), join);
}

/* assign=a1:x,b1:y */
static void sync_set_assignments(struct sync_request *request, const char *text)
{
    snprintf(request->texts, sizeof(request->texts), "%s", text);
    char *rest = request->texts;
    for (char *word; (word = strsep(&rest, ",")) != NULL && *word != '\0';) {
        char *share = strchr(word, ':');
        const uint32_t place = request->sync.assignments_count++;
        *share++ = '\0';
        snprintf(request->ids[place], STORY_ID_BYTES, "%s", story_id_of(word));
        request->assignments[place] =
            (struct group_assignment){span_text(request->ids[place]), span_text(share)};
    }
    request->sync.assignments = request->assignments;
}

void story_sync(const struct story_line *told)
{
    ck_assert_int_lt(syncs_count, STORY_REQUESTS_MAX);
    struct sync_request *request = &syncs[syncs_count++];
    struct group_sync *sync = &request->sync;
    const struct story_line *line = &request->line;
    memset(request, 0, sizeof(*request));
    story_split(&request->line, told->text, told->length);
    request->client = story_client(line->words[1]);
    option_id(line, request->client, request->id);
    const char *instance = story_option(line, "instance");
    sync->generation = story_number(line, "gen", request->client->generation);
    sync->member_id = span_text(request->id);
    sync->instance_id = span_text(instance);
    sync->protocol_type = span_text(story_option(line, "type"));
    sync->protocol_name = span_text(story_option(line, "protocol"));
    sync->done = hear_synced;
    sync_set_assignments(request,
                         story_option(line, "assign") == NULL ? "" : story_option(line, "assign"));
    group_sync(story_group(), sync);
}

void story_beat(const struct story_line *line)
{
    const struct story_client *client = story_client(line->words[1]);
    char id[STORY_ID_BYTES];
    option_id(line, client, id);
    const char *instance = story_option(line, "instance");
    const int error = group_heartbeat(story_group(), span_text(id), span_text(instance),
                                      story_number(line, "gen", client->generation));
    story_say("  %s beat: %s\n", client->name, error_name(error));
}

void story_may(const struct story_line *line)
{
    const struct story_client *client = story_client(line->words[1]);
    char id[STORY_ID_BYTES];
    option_id(line, client, id);
    const int error = group_check_commit(shard_open(&story->shard, SPAN("g")), span_text(id),
                                         span_text(story_option(line, "instance")),
                                         story_number(line, "gen", client->generation));
    story_say("  %s commit: %s\n", client->name, error_name(error));
}

void story_leave(const struct story_line *line)
{
    bool any = false;
    for (int i = 1; i < line->count; i++) {
        const bool by_instance = strncmp(line->words[i], "instance=", 9) == 0;
        const char *name = by_instance ? line->words[i] + 9 : line->words[i];
        const int error =
            by_instance ? group_leave(story_group(), SPAN(""), span_text(name))
                        : group_leave(story_group(), span_text(story_client(name)->id), SPAN_NULL);
        any = any || error == ERR_NONE;
        story_say("  %s leave: %s\n", name, error_name(error));
    }
    if (any)
        group_left(story_group());
}

void story_drop(const struct story_line *line)
{
    const struct story_client *client = story_client(line->words[1]);
    for (int i = 0; i < joins_count; i++)
        if (joins[i].client == client && joins[i].join.member != NULL)
            group_join_cancel(&joins[i].join);
    for (int i = 0; i < syncs_count; i++)
        if (syncs[i].client == client && syncs[i].sync.member != NULL)
            group_sync_cancel(&syncs[i].sync);
}

void story_members_start(void)
{
    joins_count = 0;
    syncs_count = 0;
}

void story_members_end(void)
{
    for (int i = 0; i < joins_count; i++)
        ck_assert_ptr_null(joins[i].join.member);
    for (int i = 0; i < syncs_count; i++)
        ck_assert_ptr_null(syncs[i].sync.member);
}
