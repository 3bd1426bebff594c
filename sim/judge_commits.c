/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OffsetFetch gives the last offset that was acknowledged as committed, or one whose commit was
 * still under way: across restarts, and never an older one.
 *
 * A commit of which the end is not known (its reply was lost, or said that it could not be stored)
 * may have happened, at any time until its process ended. An unclean election of the partition of
 * __consumer_offsets that a commit went to may have lost it, until there is a later one.
 */
#include "core/base/crc32c.h"
#include "core/coord/coordinator.h"
#include "core/wire/error.h"
#include "sim/judge.h"
#include "sim/notes.h"

#define COMMITS_KEPT          8
#define TOPIC_IDS             10 /* OffsetCommit and OffsetFetch name topics by id from here on */
#define GROUPS_VERSION        8  /* OffsetFetch asks for several groups */
#define NONE                  (-1)
#define RETENTION_MINUTES_MIN 1440 /* commits that expire sooner are not judged */

struct commit {
    uint64_t asked;
    uint64_t ended; /* when it had happened, or could not happen any more; UINT64_MAX: not yet */
    bool is_sure;   /* it happened */
    uint32_t host;  /* that was asked */
    int64_t offset;
    uint32_t metadata;
};

/* What was committed for one partition. */
struct place {
    struct place_key {
        uint32_t host;
        int32_t partition;
        uint32_t group;
        uint32_t group_length;
        uint32_t topic;
        uint32_t topic_length;
    } key;
    struct commit commits[COMMITS_KEPT]; /* in the order in which they were asked for */
    uint32_t count;
    bool is_unsure;     /* more were under way than can be kept, or the group was deleted */
    int32_t shard;      /* the partition of __consumer_offsets; -1: there was none yet */
    uint64_t given_up;  /* when that was led uncleanly last; 0: never */
    uint64_t forgotten; /* the latest number at which one left `commits` */
    uint64_t seen;      /* the last answer that named it */
};

struct commits {
    struct judge *judge;
    struct image_observer observer;
    struct notes places;
};

static void changed(struct image_observer *observer, const struct image_change *change)
{
    struct commits *commits = container_of(observer, struct commits, observer);
    if (change->kind != IMAGE_PARTITION_CHANGED || !change->is_unclean ||
        !span_equal(change->topic->name, SPAN(COORDINATOR_TOPIC)))
        return;
    for (struct place *place = notes_first(&commits->places); place != NULL;
         place = notes_next(place)) {
        if (place->shard < 0 || place->shard == change->partition)
            place->given_up = commits->judge->sim->trace_number;
    }
}

static void begin(struct judge *judge)
{
    struct commits *commits = judge->state;
    commits->judge = judge;
    commits->observer.changed = changed;
    judge_observe_truth(judge, &commits->observer);
    notes_init(&commits->places, &judge->memory, sizeof(struct place), sizeof(struct place_key));
}

static struct place_key key_of(const struct exchange *exchange, struct span group,
                               struct span topic, int32_t partition)
{
    return (struct place_key){.host = host_realm(exchange->host),
                              .partition = partition,
                              .group = crc32c(0, group.data, group.length),
                              .group_length = (uint32_t)group.length,
                              .topic = crc32c(0, topic.data, topic.length),
                              .topic_length = (uint32_t)topic.length};
}

static int32_t shard_of(const struct judge *judge, struct span group)
{
    const struct image *image = judge_truth(judge);
    const struct meta_topic *topic =
        image == NULL ? NULL : image_topic(image, SPAN(COORDINATOR_TOPIC));
    return topic == NULL ? -1 : coordinator_partition(group, topic->partitions_count);
}

static uint32_t metadata_sum(struct span metadata)
{
    return crc32c(0, metadata.data, metadata.length);
}

/* The topic's name; null when a version that names it by id does not lead to one. */
static struct span name_of(const struct judge *judge, const struct exchange *exchange,
                           struct span name, struct uuid id)
{
    if (exchange->version < TOPIC_IDS)
        return name;
    const struct meta_topic *topic =
        durable_topic(judge_durable(judge, exchange->host), SPAN_NULL, id, 0);
    return topic == NULL ? SPAN_NULL : topic->name;
}

/* ---- Commits. ---- */

static void place_drop(struct place *place, uint32_t at, uint64_t now)
{
    place->count--;
    memmove(&place->commits[at], &place->commits[at + 1],
            (place->count - at) * sizeof(place->commits[0]));
    place->forgotten = now;
}

/* Another commit that is sure came after this one had ended, and ended before the question. */
static bool is_overwritten(const struct place *place, uint64_t ended, uint64_t asked)
{
    for (uint32_t i = 0; i < place->count; i++) {
        const struct commit *other = &place->commits[i];
        if (other->is_sure && other->asked > ended && other->ended < asked)
            return true;
    }
    return false;
}

/* Any commit may be the last, or none. */
static bool is_given_up(const struct place *place, uint64_t asked)
{
    return place->given_up > 0 && !is_overwritten(place, place->given_up, asked);
}

/* Makes room: the oldest one that does not count any more goes. */
static void place_make_room(struct place *place, uint64_t now)
{
    for (uint32_t i = 0; i < place->count; i++) {
        if (is_overwritten(place, place->commits[i].ended, now)) {
            place_drop(place, i, now);
            return;
        }
    }
    place->is_unsure = true;
    place_drop(place, 0, now);
}

static void commit_asked(struct judge *judge, const struct exchange *exchange)
{
    struct commits *commits = judge->state;
    const struct offset_commit_request *request = exchange->request;
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct offset_commit_request_topic *topic = &request->topics[i];
        const struct span name = name_of(judge, exchange, topic->name, topic->topic_id);
        for (int32_t j = 0; j < topic->partitions_count && !span_is_null(name); j++) {
            const struct offset_commit_request_topic_partition *in = &topic->partitions[j];
            const struct place_key key =
                key_of(exchange, request->group_id, name, in->partition_index);
            struct place *place = notes_get(&commits->places, &key);
            place->shard = shard_of(judge, request->group_id);
            if (place->count == COMMITS_KEPT)
                place_make_room(place, exchange->asked_number);
            place->commits[place->count++] =
                (struct commit){.asked = exchange->asked_number,
                                .ended = UINT64_MAX,
                                .host = exchange->host->number,
                                .offset = in->committed_offset,
                                .metadata = metadata_sum(in->committed_metadata)};
        }
    }
}

/* Nothing came of it, for sure. */
static bool is_refused(int16_t error)
{
    switch (error) {
    case ERR_UNKNOWN_MEMBER_ID:
    case ERR_ILLEGAL_GENERATION:
    case ERR_REBALANCE_IN_PROGRESS:
    case ERR_FENCED_INSTANCE_ID:
    case ERR_OFFSET_METADATA_TOO_LARGE:
    case ERR_INVALID_GROUP_ID:
    case ERR_UNKNOWN_TOPIC_OR_PARTITION:
    case ERR_COORDINATOR_LOAD_IN_PROGRESS:
        return true;
    default:
        return false;
    }
}

static void place_replied(struct place *place, const struct exchange *exchange, int16_t error)
{
    for (uint32_t i = 0; i < place->count; i++) {
        struct commit *commit = &place->commits[i];
        if (commit->asked != exchange->asked_number)
            continue;
        if (error == ERR_NONE) {
            commit->ended = exchange->replied_number;
            commit->is_sure = true;
        } else if (is_refused(error)) {
            place_drop(place, i, place->forgotten);
        }
        return;
    }
}

static void commit_replied(struct judge *judge, const struct exchange *exchange)
{
    struct commits *commits = judge->state;
    const struct offset_commit_request *request = exchange->request;
    const struct offset_commit_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct offset_commit_response_topic *topic = &response->topics[i];
        const struct span name = name_of(judge, exchange, topic->name, topic->topic_id);
        for (int32_t j = 0; j < topic->partitions_count && !span_is_null(name); j++) {
            const struct place_key key =
                key_of(exchange, request->group_id, name, topic->partitions[j].partition_index);
            struct place *place = notes_find(&commits->places, &key);
            if (place != NULL)
                place_replied(place, exchange, topic->partitions[j].error_code);
        }
    }
}

/* ---- OffsetFetch. ---- */

static bool may_be(const struct place *place, uint64_t asked, int64_t offset, uint32_t metadata)
{
    if (offset == NONE)
        return !is_overwritten(place, 0, asked);
    for (uint32_t i = 0; i < place->count; i++) {
        const struct commit *commit = &place->commits[i];
        if (commit->offset == offset && commit->metadata == metadata &&
            !is_overwritten(place, commit->ended, asked))
            return true;
    }
    return false;
}

/* The topic under the name is the one whose offsets were committed. */
static bool is_same_topic(const struct judge *judge, const struct exchange *exchange,
                          const struct place *place, struct span topic)
{
    const uint64_t since = place->count == 0 ? exchange->asked_number : place->commits[0].asked;
    return durable_topic(judge_durable(judge, exchange->host), topic, (struct uuid){{0}}, since) !=
           NULL;
}

static void offset_told(struct judge *judge, const struct exchange *exchange, struct span group,
                        struct span topic, int32_t partition, int64_t offset, struct span metadata)
{
    struct commits *commits = judge->state;
    const struct place_key key = key_of(exchange, group, topic, partition);
    struct place *place = notes_get(&commits->places, &key);
    place->seen = exchange->replied_number;
    if (place->is_unsure || place->forgotten > exchange->asked_number ||
        is_given_up(place, exchange->asked_number) || !is_same_topic(judge, exchange, place, topic))
        return;
    judge->judged++;
    if (may_be(place, exchange->asked_number, offset, metadata_sum(metadata)))
        return;
    const struct commit *last = place->count == 0 ? NULL : &place->commits[place->count - 1];
    judge_object(judge,
                 "group %.*s of %s, %.*s-%d: the committed offset is told to be %lld, which was "
                 "never committed or was overwritten before this was asked (the last commit: %lld)",
                 (int)group.length, (const char *)group.data, exchange->host->name,
                 (int)topic.length, (const char *)topic.data, partition, (long long)offset,
                 last == NULL ? -1LL : (long long)last->offset);
}

/* A question for everything that leaves out what is committed. */
static void left_out(struct judge *judge, const struct exchange *exchange, struct span group)
{
    struct commits *commits = judge->state;
    const struct place_key of_group = key_of(exchange, group, SPAN_NULL, 0);
    for (struct place *place = notes_first(&commits->places); place != NULL;
         place = notes_next(place)) {
        if (place->key.host != of_group.host || place->key.group != of_group.group ||
            place->key.group_length != of_group.group_length ||
            place->seen == exchange->replied_number || place->is_unsure ||
            place->forgotten > exchange->asked_number || place->count == 0 ||
            is_given_up(place, exchange->asked_number) ||
            !durable_is_quiet(judge_durable(judge, exchange->host), place->commits[0].asked))
            continue;
        judge->judged++;
        if (!may_be(place, exchange->asked_number, NONE, 0))
            judge_object(
                judge,
                "group %.*s of %s: the committed offset %lld of a partition %d is left out "
                "of all committed offsets",
                (int)group.length, (const char *)group.data, exchange->host->name,
                (long long)place->commits[place->count - 1].offset, place->key.partition);
    }
}

static void fetch_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct offset_fetch_request *request = exchange->request;
    const struct offset_fetch_response *response = exchange->response;
    if (response->error_code != 0)
        return;
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct offset_fetch_response_topic *topic = &response->topics[i];
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            const struct offset_fetch_response_topic_partition *part = &topic->partitions[j];
            if (part->error_code == 0)
                offset_told(judge, exchange, request->group_id, topic->name, part->partition_index,
                            part->committed_offset, part->metadata);
        }
    }
    if (request->topics_count < 0)
        left_out(judge, exchange, request->group_id);
}

static void group_fetch_replied(struct judge *judge, const struct exchange *exchange,
                                const struct offset_fetch_response_group *group)
{
    const struct offset_fetch_request *request = exchange->request;
    for (int32_t i = 0; i < group->topics_count && group->error_code == 0; i++) {
        const struct offset_fetch_response_group_topic *topic = &group->topics[i];
        const struct span name = name_of(judge, exchange, topic->name, topic->topic_id);
        for (int32_t j = 0; j < topic->partitions_count && !span_is_null(name); j++) {
            const struct offset_fetch_response_group_topic_partition *part = &topic->partitions[j];
            if (part->error_code == 0)
                offset_told(judge, exchange, group->group_id, name, part->partition_index,
                            part->committed_offset, part->metadata);
        }
    }
    for (int32_t i = 0; i < request->groups_count && group->error_code == 0; i++) {
        if (span_equal(request->groups[i].group_id, group->group_id) &&
            request->groups[i].topics_count < 0)
            left_out(judge, exchange, group->group_id);
    }
}

static void asked(struct judge *judge, const struct exchange *exchange)
{
    struct commits *commits = judge->state;
    if (exchange->api->key == API_OFFSET_COMMIT)
        commit_asked(judge, exchange);
    if (exchange->api->key != API_DELETE_GROUPS)
        return;
    const struct delete_groups_request *request = exchange->request;
    for (struct place *place = notes_first(&commits->places); place != NULL;
         place = notes_next(place)) {
        for (int32_t i = 0; i < request->groups_names_count; i++) {
            const struct place_key key = key_of(exchange, request->groups_names[i], SPAN_NULL, 0);
            place->is_unsure = place->is_unsure || (place->key.group == key.group &&
                                                    place->key.group_length == key.group_length);
        }
    }
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    const struct conf *conf = &exchange->host->conf;
    if (exchange->host->is_rotten ||
        conf_int(conf, CONF_OFFSETS_RETENTION_MINUTES) < RETENTION_MINUTES_MIN)
        return;
    if (exchange->api->key == API_OFFSET_COMMIT) {
        commit_replied(judge, exchange);
    } else if (exchange->api->key == API_OFFSET_FETCH) {
        const struct offset_fetch_response *response = exchange->response;
        if (exchange->version < GROUPS_VERSION)
            fetch_replied(judge, exchange);
        for (int32_t i = 0; i < response->groups_count; i++)
            group_fetch_replied(judge, exchange, &response->groups[i]);
    }
}

/* What was under way when the process ended happens no more; what a power loss may take, with write
 * caching, is not known any more. */
static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct commits *commits = judge->state;
    const struct durable *durable = judge_durable(judge, host);
    for (struct place *place = notes_first(&commits->places); place != NULL;
         place = notes_next(place)) {
        if (place->key.host != host_realm(host))
            continue;
        for (uint32_t i = 0; change == HOST_BOOTED && i < place->count; i++) {
            if (place->commits[i].ended == UINT64_MAX && place->commits[i].host == host->number)
                place->commits[i].ended = judge->sim->trace_number;
        }
        if (change == HOST_LOSES_POWER && durable_commits_are_cached(durable))
            place->is_unsure = true;
    }
}

static void end(struct judge *judge)
{
    struct commits *commits = judge->state;
    list_remove(&commits->observer.place);
    notes_clear(&commits->places);
}

const struct judge_kind judge_commits = {
    .name = "commits",
    .rule = "OffsetFetch gives the offset that was committed last, across restarts",
    .source = "an acknowledged offset commit never silently regresses or expires (KAFKA-20634, "
              "KAFKA-13636)",
    .size = sizeof(struct commits),
    .begin = begin,
    .asked = asked,
    .replied = replied,
    .host_changed = host_changed,
    .end = end,
};
