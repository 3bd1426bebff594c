/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations of a group grow; in each of them a partition belongs to one member, as told by
 * SyncGroup; and once a generation was told, nobody gets through with an older one: neither
 * heartbeats nor assignments nor commits.
 *
 * A process that dies, or whose disk takes no records of groups any more, forgets the generations
 * whose assignment nobody was told, and gives them out once more (as Kafka does); a group that
 * nobody uses any more may begin anew.
 *
 * In a cluster another node may have come to coordinate a group at any time, so that there a
 * generation counts from when its assignment was told; and who does not know yet that another
 * coordinates answers what needs no write as it did before.
 */
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/view.h"
#include "core/wire/error.h"
#include "sim/floor.h"
#include "sim/judge.h"
#include "sim/notes.h"

struct owner {
    uint32_t topic; /* checksums of its name, and of the member's id */
    uint32_t member;
    int32_t partition;
};

struct group {
    struct group_key {
        uint32_t host;
        uint32_t sum;
        uint64_t length;
    } key;
    struct floor generation; /* as JoinGroup told it */
    int32_t assigned;        /* the last generation of which an assignment was told … */
    uint32_t assigned_by;    /* … by this machine */
    uint64_t active_us;      /* when something was last asked of it */
    uint64_t loaded_number;  /* when a reply first showed that it is loaded; 0: none has */
    struct owner *owners;    /* in that generation */
    uint32_t owners_count;
    uint32_t owners_capacity;
};

struct groups {
    struct notes groups;
    uint64_t dropped[SIM_HOSTS_MAX + 1]; /* by each machine's process, as judged so far */
};

static void begin(struct judge *judge)
{
    struct groups *groups = judge->state;
    notes_init(&groups->groups, &judge->memory, sizeof(struct group), sizeof(struct group_key));
}

static struct group *group_of(struct judge *judge, const struct exchange *exchange, struct span id)
{
    struct groups *groups = judge->state;
    const struct group_key key = {host_realm(exchange->host), crc32c(0, id.data, id.length),
                                  id.length};
    return notes_get(&groups->groups, &key);
}

static void group_forget(struct group *group)
{
    group->generation.count = 0;
    group->owners_count = 0;
    group->assigned = 0;
}

/* The members' generation is not one that a later one had ended before this was asked. */
static void judge_generation(struct judge *judge, const struct exchange *exchange,
                             const struct group *group, struct span id, int32_t generation)
{
    const int64_t least = floor_at(&group->generation, exchange->asked_number);
    const bool needs_write =
        exchange->api->key == API_OFFSET_COMMIT || exchange->api->key == API_JOIN_GROUP;
    if (exchange->host->conf.is_cluster && !needs_write &&
        group->assigned_by != exchange->host->number)
        return;
    judge->judged++;
    if (generation < least)
        judge_object(judge,
                     "group %.*s of %s: %s gets through with generation %d, though generation %lld "
                     "had been told before it was asked",
                     (int)id.length, (const char *)id.data, exchange->host->name,
                     exchange->api->name, generation, (long long)least);
}

/* ---- Assignments. ---- */

static void own(struct judge *judge, const struct exchange *exchange, struct group *group,
                const struct owner *owner)
{
    const struct sync_group_request *request = exchange->request;
    judge->judged++;
    for (uint32_t i = 0; i < group->owners_count; i++) {
        const struct owner *other = &group->owners[i];
        if (other->topic != owner->topic || other->partition != owner->partition)
            continue;
        if (other->member != owner->member)
            judge_object(judge,
                         "group %.*s of %s: in generation %d partition %d belongs to %.*s and to "
                         "another member",
                         (int)request->group_id.length, (const char *)request->group_id.data,
                         exchange->host->name, request->generation_id, owner->partition,
                         (int)request->member_id.length, (const char *)request->member_id.data);
        return;
    }
    group->owners = memory_grow(&judge->memory, group->owners, &group->owners_capacity,
                                group->owners_count + 1, sizeof(*group->owners));
    group->owners[group->owners_count++] = *owner;
}

static bool take(struct span *bytes, size_t length, struct span *ret_taken)
{
    if (bytes->length < length)
        return false;
    *ret_taken = span_of(bytes->data, length);
    *bytes = span_of(bytes->data + length, bytes->length - length);
    return true;
}

static bool take_number(struct span *bytes, size_t length, uint32_t *ret_number)
{
    struct span taken;
    if (!take(bytes, length, &taken))
        return false;
    *ret_number = length == 2 ? get_be16(taken.data) : get_be32(taken.data);
    return true;
}

/* ConsumerProtocolAssignment: a version, then topics, each with its partitions. What is none of
 * these is the members' own affair. */
static void assigned(struct judge *judge, const struct exchange *exchange, struct group *group)
{
    const struct sync_group_request *request = exchange->request;
    struct span bytes = ((const struct sync_group_response *)exchange->response)->assignment;
    /* A static member that starts again has another member id, and keeps its part (KIP-345). */
    const struct span id =
        span_is_null(request->group_instance_id) ? request->member_id : request->group_instance_id;
    struct owner owner = {.member = crc32c(0, id.data, id.length)};
    uint32_t topics;
    uint32_t number;
    if (!take_number(&bytes, 2, &number) || !take_number(&bytes, 4, &topics))
        return;
    for (uint32_t i = 0; i < topics; i++) {
        struct span name;
        uint32_t partitions;
        if (!take_number(&bytes, 2, &number) || !take(&bytes, number, &name) ||
            !take_number(&bytes, 4, &partitions))
            return;
        owner.topic = crc32c(0, name.data, name.length);
        for (uint32_t j = 0; j < partitions && take_number(&bytes, 4, &number); j++) {
            owner.partition = (int32_t)number;
            own(judge, exchange, group, &owner);
        }
    }
}

static void sync_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct sync_group_request *request = exchange->request;
    const struct sync_group_response *response = exchange->response;
    struct group *group = group_of(judge, exchange, request->group_id);
    if (response->error_code != 0)
        return;
    judge_generation(judge, exchange, group, request->group_id, request->generation_id);
    if (request->generation_id < group->assigned)
        return; /* its reply was overtaken on another connection */
    if (request->generation_id > group->assigned)
        group->owners_count = 0;
    group->assigned = request->generation_id;
    group->assigned_by = exchange->host->number;
    if (exchange->host->conf.is_cluster)
        floor_told(&group->generation, exchange->replied_number, group->assigned);
    assigned(judge, exchange, group);
}

/* ---- Everything else. ---- */

/* A coordinator that still loads its groups says so, but for heartbeats. */
static void loaded(struct group *group, const struct exchange *exchange, int16_t error)
{
    if (group->loaded_number == 0 && error != ERR_COORDINATOR_LOAD_IN_PROGRESS &&
        error != ERR_NOT_COORDINATOR && error != ERR_COORDINATOR_NOT_AVAILABLE)
        group->loaded_number = exchange->replied_number;
}

static void join_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct join_group_request *request = exchange->request;
    const struct join_group_response *response = exchange->response;
    struct group *group = group_of(judge, exchange, request->group_id);
    loaded(group, exchange, response->error_code);
    if (response->error_code != 0)
        return;
    judge_generation(judge, exchange, group, request->group_id, response->generation_id);
    if (!exchange->host->conf.is_cluster)
        floor_told(&group->generation, exchange->replied_number, response->generation_id);
}

/* As in Kafka, a heartbeat is well as long as nobody can know better. */
static void heartbeat_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct heartbeat_request *request = exchange->request;
    const struct heartbeat_response *response = exchange->response;
    const struct group *group = group_of(judge, exchange, request->group_id);
    if (response->error_code == 0 && group->loaded_number != 0 &&
        group->loaded_number < exchange->asked_number)
        judge_generation(judge, exchange, group, request->group_id, request->generation_id);
}

static void commit_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct offset_commit_request *request = exchange->request;
    const struct offset_commit_response *response = exchange->response;
    const int32_t generation = request->generation_id_or_member_epoch;
    for (int32_t i = 0; i < response->topics_count && generation >= 0; i++) {
        for (int32_t j = 0; j < response->topics[i].partitions_count; j++) {
            struct group *group = group_of(judge, exchange, request->group_id);
            loaded(group, exchange, response->topics[i].partitions[j].error_code);
            if (response->topics[i].partitions[j].error_code != 0)
                continue;
            judge_generation(judge, exchange, group, request->group_id, generation);
            return;
        }
    }
}

/* The generations of a machine may be lost: all, or those whose assignment nobody was told. */
static void generations_lost(struct groups *groups, const struct host *host, bool all)
{
    for (struct group *group = notes_first(&groups->groups); group != NULL;
         group = notes_next(group)) {
        if (group->key.host != host_realm(host))
            continue;
        group->loaded_number = 0;
        if (all)
            group_forget(group);
        else
            floor_lower(&group->generation, group->assigned);
    }
}

static void drops_noticed(struct judge *judge, const struct host *host)
{
    struct groups *groups = judge->state;
    struct broker_view view = {0};
    if (host->broker != NULL)
        broker_view(host->broker, &view);
    if (view.shards_dropped > groups->dropped[host->number])
        generations_lost(groups, host, false);
    groups->dropped[host->number] = view.shards_dropped;
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    if (exchange->host->is_rotten)
        return;
    drops_noticed(judge, exchange->host);
    switch (exchange->api->key) {
    case API_JOIN_GROUP:
        join_replied(judge, exchange);
        break;
    case API_SYNC_GROUP:
        sync_replied(judge, exchange);
        break;
    case API_HEARTBEAT:
        heartbeat_replied(judge, exchange);
        break;
    case API_OFFSET_COMMIT:
        commit_replied(judge, exchange);
        break;
    default:
        break;
    }
}

/* A group without members may be forgotten when it was looked at as often as the setting says. */
static void joins(struct judge *judge, const struct exchange *exchange)
{
    const struct join_group_request *request = exchange->request;
    struct group *group = group_of(judge, exchange, request->group_id);
    const uint64_t interval_us =
        (uint64_t)conf_int(&exchange->host->conf, CONF_OFFSETS_RETENTION_CHECK_INTERVAL_MS) * 1000;
    if (judge->sim->now_us > group->active_us + interval_us)
        group_forget(group);
    group->active_us = judge->sim->now_us;
}

static void asked(struct judge *judge, const struct exchange *exchange)
{
    if (exchange->api->key == API_JOIN_GROUP) {
        joins(judge, exchange);
    } else if (exchange->api->key == API_DELETE_GROUPS) {
        const struct delete_groups_request *request = exchange->request;
        for (int32_t i = 0; i < request->groups_names_count; i++)
            group_forget(group_of(judge, exchange, request->groups_names[i]));
    }
}

static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct groups *groups = judge->state;
    if (change == HOST_BOOTED)
        generations_lost(groups, host, durable_commits_are_cached(judge_durable(judge, host)));
}

static void end(struct judge *judge)
{
    struct groups *groups = judge->state;
    for (struct group *group = notes_first(&groups->groups); group != NULL;
         group = notes_next(group))
        memory_give(&judge->memory, MEMORY_STATE, group->owners,
                    group->owners_capacity * sizeof(*group->owners));
    notes_clear(&groups->groups);
}

const struct judge_kind judge_groups = {
    .name = "groups",
    .rule = "generations grow, a partition has one owner in each, and members of an older one are "
            "fenced",
    .source = "Kafka's group protocol; KIP-848: one owner of a partition in a generation, old "
              "generations fenced",
    .size = sizeof(struct groups),
    .begin = begin,
    .asked = asked,
    .replied = replied,
    .host_changed = host_changed,
    .end = end,
};
