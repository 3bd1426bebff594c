/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members that do anything at any time, with a coordinator that may lose what was not safe yet.
 * What must hold all the same: within a generation a partition has one owner; generations do not go
 * back while the coordinator lives; an older generation gets nothing; whoever asks is answered
 * once; a commit that was acknowledged stays.
 */
#include <stdio.h>
#include <string.h>

#include "core/coord/commit.h"
#include "core/coord/shard.h"
#include "core/wire/error.h"
#include "tests/core/coord/fake_log.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define ROUNDS      12
#define SEEDS       5 /* a round */
#define STEPS       400
#define MEMBERS     6
#define PARTITIONS  8
#define GENERATIONS STEPS
#define ID_BYTES    64
#define REQUESTS    (STEPS + 16)

struct random_member {
    char id[ID_BYTES];
    char instance[8]; /* empty: dynamic */
    int32_t generation;
    bool leads;
    char members[MEMBERS * 4][ID_BYTES]; /* as the leader was told */
    int members_count;
};

struct random_join {
    struct group_join join;
    struct group_protocol protocol;
    struct random_member *member;
    char id[ID_BYTES];
    char metadata[4];
    int answers;
};

struct random_sync {
    struct group_sync sync;
    struct group_assignment assignments[MEMBERS * 4];
    struct random_member *member;
    char id[ID_BYTES];
    char ids[MEMBERS * 4][ID_BYTES];
    char shares[MEMBERS * 4][PARTITIONS + 1];
    int answers;
};

struct random_commit {
    struct commit commit;
    struct commit_entry entry;
    int answers;
};

static struct {
    struct heap heap;
    struct memory memory;
    struct effects effects;
    struct io io;
    struct rng rng;
    struct group_settings settings;
    struct shard shard;
    struct fake_log log;
    struct random_member members[MEMBERS];
    struct random_join joins[REQUESTS];
    struct random_sync syncs[REQUESTS];
    struct random_commit commits[REQUESTS];
    int joins_count;
    int syncs_count;
    int commits_count;
    char owners[GENERATIONS][PARTITIONS][ID_BYTES]; /* instance or member id */
    int64_t acknowledged[PARTITIONS];
    int32_t generation; /* the latest seen since the last reload */
    int synced;         /* how often somebody was given something */
} world;

static uint32_t draw(uint32_t below)
{
    return (uint32_t)(rng_next(&world.rng) % below);
}

static struct group *group_now(void)
{
    return shard_find(&world.shard, SPAN("g"));
}

static void text_put(char out[ID_BYTES], struct span text)
{
    ck_assert_uint_lt(text.length, ID_BYTES);
    memcpy(out, text.data, text.length);
    out[text.length] = '\0';
}

static struct span instance_of(const struct random_member *member)
{
    return member->instance[0] == '\0' ? SPAN_NULL : span_text(member->instance);
}

static void hear_joined(struct group_join *join, const struct group_joined *joined)
{
    struct random_join *request = container_of(join, struct random_join, join);
    struct random_member *member = request->member;
    request->answers++;
    if (joined->error == ERR_UNKNOWN_MEMBER_ID || joined->error == ERR_FENCED_INSTANCE_ID)
        member->id[0] = '\0';
    if (joined->error != ERR_NONE && joined->error != ERR_MEMBER_ID_REQUIRED)
        return;
    text_put(member->id, joined->member_id);
    member->generation = joined->generation;
    member->leads = joined->members != NULL;
    member->members_count = 0;
    const struct group_member *other = NULL;
    while (joined->members != NULL && (other = group_next_member(joined->members, other)) != NULL) {
        ck_assert_int_lt(member->members_count, MEMBERS * 4);
        text_put(member->members[member->members_count++], other->id);
    }
}

static void do_join(struct random_member *member)
{
    struct random_join *request = &world.joins[world.joins_count++];
    text_put(request->id, span_text(member->id));
    snprintf(request->metadata, sizeof(request->metadata), "%u", draw(3));
    request->member = member;
    request->protocol = (struct group_protocol){SPAN("range"), span_text(request->metadata)};
    request->join = (struct group_join){
        .member_id = span_text(request->id),
        .instance_id = instance_of(member),
        .client_id = SPAN("c"),
        .client_host = SPAN("/h"),
        .protocol_type = SPAN("consumer"),
        .protocols = &request->protocol,
        .protocols_count = 1,
        .session_timeout_ms = 6000 + (int32_t)draw(20000),
        .rebalance_timeout_ms = (int32_t)draw(30000),
        .needs_member_id = draw(2) == 0,
        .may_skip_assignment = draw(2) == 0,
        .done = hear_joined,
    };
    group_join(shard_open(&world.shard, SPAN("g")), &request->join);
}

/* "013": these partitions. */
static void hear_synced(struct group_sync *sync, const struct group_synced *synced)
{
    struct random_sync *request = container_of(sync, struct random_sync, sync);
    const struct random_member *member = request->member;
    const char *name = member->instance[0] == '\0' ? request->id : member->instance;
    request->answers++;
    if (synced->error != ERR_NONE)
        return;
    ck_assert_int_lt(sync->generation, GENERATIONS);
    for (size_t i = 0; i < synced->assignment.length; i++) {
        char *owner = world.owners[sync->generation][synced->assignment.data[i] - '0'];
        if (owner[0] == '\0')
            text_put(owner, span_text(name));
        ck_assert_str_eq(owner, name);
        world.synced++;
    }
}

/* A leader shares all partitions out among the members that it was told; now and then it forgets
 * one, or names somebody who is not there. */
static void sync_assign(struct random_sync *request, const struct random_member *member)
{
    const uint32_t count = (uint32_t)member->members_count;
    for (uint32_t i = 0; i < count; i++) {
        text_put(request->ids[i], span_text(member->members[i]));
        request->assignments[i].member_id = span_text(request->ids[i]);
    }
    for (int partition = 0; partition < PARTITIONS && count > 0; partition++) {
        char *share = request->shares[draw(count)];
        const size_t length = strlen(share);
        share[length] = (char)('0' + partition);
    }
    for (uint32_t i = 0; i < count; i++)
        request->assignments[i].assignment = span_text(request->shares[i]);
    request->sync.assignments = request->assignments;
    request->sync.assignments_count = count;
}

static void do_sync(struct random_member *member)
{
    struct random_sync *request = &world.syncs[world.syncs_count++];
    const struct group *group = group_now();
    if (group == NULL) {
        world.syncs_count--;
        return;
    }
    text_put(request->id, span_text(member->id));
    request->member = member;
    request->sync = (struct group_sync){
        .generation = member->generation,
        .member_id = span_text(request->id),
        .instance_id = instance_of(member),
        .done = hear_synced,
    };
    if (member->leads)
        sync_assign(request, member);
    const bool stale = member->generation < group->generation;
    group_sync(group_now(), &request->sync);
    ck_assert(!stale || (request->answers == 1 && request->sync.member == NULL));
}

static void do_beat(struct random_member *member)
{
    struct group *group = group_now();
    if (group == NULL)
        return;
    const int error =
        group_heartbeat(group, span_text(member->id), instance_of(member), member->generation);
    ck_assert(error != ERR_NONE || member->generation == group->generation);
    if (error == ERR_UNKNOWN_MEMBER_ID || error == ERR_FENCED_INSTANCE_ID)
        member->id[0] = '\0';
}

static void do_leave(struct random_member *member)
{
    struct group *group = group_now();
    if (group != NULL && group_leave(group, span_text(member->id), SPAN_NULL) == ERR_NONE)
        group_left(group);
    member->id[0] = '\0';
}

static void hear_committed(struct commit *commit)
{
    struct random_commit *request = container_of(commit, struct random_commit, commit);
    request->answers++;
    if (request->entry.error == ERR_NONE &&
        request->entry.value.offset > world.acknowledged[request->entry.partition])
        world.acknowledged[request->entry.partition] = request->entry.value.offset;
}

static void do_commit(struct random_member *member)
{
    struct group *group = shard_open(&world.shard, SPAN("g"));
    const bool current = member->generation == group->generation;
    const int error =
        group_check_commit(group, span_text(member->id), instance_of(member), member->generation);
    ck_assert(error != ERR_NONE || current || group->state == GROUP_EMPTY);
    if (error != ERR_NONE)
        return;
    struct random_commit *request = &world.commits[world.commits_count++];
    request->entry = (struct commit_entry){
        .topic = SPAN("t"),
        .partition = (int32_t)draw(PARTITIONS),
        .value = {.offset = world.commits_count, .metadata = SPAN(""), .expire_ms = -1},
    };
    request->commit =
        (struct commit){.entries = &request->entry, .entries_count = 1, .done = hear_committed};
    commit_start(&world.shard, group, &request->commit);
}

static void do_drop(const struct random_member *member)
{
    for (int i = 0; i < world.joins_count; i++) {
        struct random_join *request = &world.joins[i];
        if (request->member == member && request->answers == 0) {
            group_join_cancel(&request->join);
            request->answers = 1;
        }
    }
}

static void do_time(uint32_t ms)
{
    const uint64_t until_us = world.io.now_us + (uint64_t)ms * 1000;
    while (timers_next_us(&world.io.timers) <= until_us) {
        if (timers_next_us(&world.io.timers) > world.io.now_us)
            world.io.now_us = timers_next_us(&world.io.timers);
        timers_run(&world.io.timers, world.io.now_us);
    }
    world.io.now_us = until_us;
    world.io.wall_ms += ms;
}

static void acknowledged_check(void)
{
    const struct group *group = group_now();
    for (int32_t i = 0; i < PARTITIONS; i++) {
        if (world.acknowledged[i] == 0)
            continue;
        const struct offset *offset =
            group == NULL ? NULL : offsets_find(&group->offsets, SPAN("t"), i);
        ck_assert(offset != NULL && offset->committed);
        ck_assert_int_ge(offset->value.offset, world.acknowledged[i]);
    }
}

/* Another coordinator takes over, or this one again; what was not safe is lost or not. */
static void do_reload(void)
{
    shard_drop(&world.shard, ERR_NOT_COORDINATOR);
    if (draw(2) == 0)
        fake_log_cut(&world.log);
    fake_log_commit(&world.log);
    shard_init(&world.shard, &world.io, &world.settings, NULL, &world.log.log);
    fake_log_replay(&world.log, &world.shard);
    shard_loaded(&world.shard);
    ck_assert_uint_eq(world.shard.unread_count, 0);
    world.generation = 0;
}

static void step(void)
{
    struct random_member *member = &world.members[draw(MEMBERS)];
    const uint32_t what = draw(100);
    if (what < 25)
        do_join(member);
    else if (what < 50)
        do_sync(member);
    else if (what < 60)
        do_beat(member);
    else if (what < 63)
        do_leave(member);
    else if (what < 75)
        do_commit(member);
    else if (what < 77)
        do_drop(member);
    else if (what < 80)
        member->id[0] = '\0'; /* the client starts again */
    else if (what < 82)
        do_reload();
    else
        do_time(draw(4) == 0 ? draw(20000) : draw(2000));
    io_run_turn_tasks(&world.io);
    if (draw(3) != 0)
        fake_log_commit(&world.log);
    shard_advanced(&world.shard);
    const struct group *group = group_now();
    if (group != NULL) {
        ck_assert_int_ge(group->generation, world.generation);
        world.generation = group->generation;
    }
    acknowledged_check();
}

static void world_start(uint64_t seed)
{
    memset(&world, 0, sizeof(world));
    heap_memory(&world.heap, &world.memory);
    effects_init(&world.effects, &world.memory);
    io_init(&world.io, &world.memory, &world.effects);
    rng_init(&world.io.rng, seed);
    rng_init(&world.rng, seed);
    world.io.wall_ms = 1700000000000;
    world.settings = (struct group_settings){
        .min_session_timeout_ms = 6000,
        .max_session_timeout_ms = 1800000,
        .initial_rebalance_delay_ms = (int32_t)draw(3000),
        .max_size = draw(4) == 0 ? 3 : INT32_MAX,
        .offset_metadata_bytes_max = 8,
        .offsets_retention_ms = 1000000000,
        .retention_check_ms = 1000000000, /* the group stays, for its generations to go on */
    };
    fake_log_init(&world.log);
    shard_init(&world.shard, &world.io, &world.settings, NULL, &world.log.log);
    shard_loaded(&world.shard);
    for (int i = 0; i < MEMBERS; i++)
        if (i % 2 == 1)
            snprintf(world.members[i].instance, sizeof(world.members[i].instance), "i%d", i);
}

START_TEST(invariants_hold)
{
    int synced = 0;
    for (int round = 0; round < SEEDS; round++) {
        world_start((uint64_t)_i * SEEDS + (uint64_t)round + 1);
        for (int i = 0; i < STEPS; i++)
            step();
        shard_drop(&world.shard, ERR_NOT_COORDINATOR);
        for (int i = 0; i < world.joins_count; i++)
            ck_assert_int_eq(world.joins[i].answers, 1);
        for (int i = 0; i < world.syncs_count; i++)
            ck_assert_int_eq(world.syncs[i].answers, 1);
        for (int i = 0; i < world.commits_count; i++)
            ck_assert_int_eq(world.commits[i].answers, 1);
        synced += world.synced;
        fake_log_free(&world.log);
        effects_free(&world.effects);
        io_free(&world.io);
        ck_assert_uint_eq(world.heap.blocks, 0);
    }
    /* The dice were not so loaded that nothing ever came about. */
    ck_assert_int_gt(synced, PARTITIONS);
}
END_TEST

SUITE(random)
{
    TCase *tcase = tcase_create("random");
    tcase_add_loop_test(tcase, invariants_hold, 0, ROUNDS);
    suite_add_tcase(suite, tcase);
}
