/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fetch_sessions.h"

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/wire/error.h"

/* Epochs of a request (KIP-227): it wants no session, or a new one. */
#define EPOCH_FINAL   (-1)
#define EPOCH_INITIAL 0

/* A session that was not used for so long makes room for a new one (Kafka's
 * min.incremental.fetch.session.eviction.ms). */
#define EVICTION_US ((uint64_t)120 * 1000 * 1000)

/* Topics are named by id from this version on (KIP-516). */
#define FETCH_TOPIC_IDS_VERSION 13

/* A topic id, or up to 249 bytes of name; then the partition. */
#define KEY_BYTES_MAX 300

struct kept {
    struct map_node node;
    struct fetch_target target; /* its name lies in key[] */
    uint32_t key_length;
    uint8_t key[];
};

struct fetch_session {
    struct map_node node;
    struct list by_use; /* least recently used first */
    int32_t id;
    int32_t epoch; /* of the next request */
    bool topic_ids;
    uint64_t used_us;
    struct map kept; /* struct kept by topic and partition */
};

struct fetch_sessions {
    struct broker *broker;
    struct map by_id;
    struct list by_use;
    uint32_t slots;
};

struct fetch_sessions *fetch_sessions_new(struct broker *broker)
{
    struct fetch_sessions *sessions = memory_new(&broker->memory, struct fetch_sessions);
    sessions->broker = broker;
    sessions->slots =
        (uint32_t)conf_int(broker->conf, CONF_MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS);
    map_init(&sessions->by_id, &broker->memory, rng_next(&broker->io.rng));
    list_init(&sessions->by_use);
    return sessions;
}

static void kept_remove(struct fetch_session *session, struct kept *kept)
{
    struct memory *memory = session->kept.memory;
    map_remove(&session->kept, &kept->node);
    memory_give(memory, MEMORY_STATE, kept, sizeof(*kept) + kept->key_length);
}

static void session_end(struct fetch_sessions *sessions, struct fetch_session *session)
{
    while (session->kept.first != NULL)
        kept_remove(session, container_of(session->kept.first, struct kept, node));
    map_clear(&session->kept);
    map_remove(&sessions->by_id, &session->node);
    list_remove(&session->by_use);
    memory_give(&sessions->broker->memory, MEMORY_STATE, session, sizeof(*session));
}

void fetch_sessions_free(struct fetch_sessions *sessions)
{
    if (sessions == NULL)
        return;
    while (sessions->by_id.first != NULL)
        session_end(sessions, container_of(sessions->by_id.first, struct fetch_session, node));
    map_clear(&sessions->by_id);
    memory_give(&sessions->broker->memory, MEMORY_STATE, sessions, sizeof(*sessions));
}

static struct fetch_session *session_find(const struct fetch_sessions *sessions, int32_t id)
{
    struct map_node *node = map_find(&sessions->by_id, span_of(&id, sizeof(id)));
    return node == NULL ? NULL : container_of(node, struct fetch_session, node);
}

/* A session for a client that wants one, if there is a place; NULL is legal: it goes without. */
static struct fetch_session *session_begin(struct fetch_sessions *sessions, bool topic_ids)
{
    struct io *io = &sessions->broker->io;
    if (sessions->slots == 0)
        return NULL;
    if (map_count(&sessions->by_id) >= sessions->slots) {
        struct fetch_session *oldest =
            container_of(sessions->by_use.next, struct fetch_session, by_use);
        if (io->now_us - oldest->used_us < EVICTION_US)
            return NULL;
        session_end(sessions, oldest);
    }
    struct fetch_session *session = memory_new(io->memory, struct fetch_session);
    do {
        session->id = (int32_t)(rng_next(&io->rng) & INT32_MAX);
    } while (session->id == 0 || session_find(sessions, session->id) != NULL);
    session->epoch = EPOCH_INITIAL + 1;
    session->topic_ids = topic_ids;
    session->used_us = io->now_us;
    map_init(&session->kept, io->memory, rng_next(&io->rng));
    map_add(&sessions->by_id, &session->node, span_of(&session->id, sizeof(session->id)));
    list_append(&sessions->by_use, &session->by_use);
    return session;
}

/* The bytes by which a session knows a partition; 0: a name too long for any topic. */
static uint32_t key_make(const struct fetch_target *target, bool topic_ids,
                         uint8_t key[static KEY_BYTES_MAX])
{
    const struct span topic =
        topic_ids ? span_of(target->topic_id.bytes, sizeof(target->topic_id.bytes)) : target->topic;
    if (topic.length > KEY_BYTES_MAX - 4)
        return 0;
    if (topic.length > 0)
        memcpy(key, topic.data, topic.length);
    put_be32(key + topic.length, (uint32_t)target->index);
    return (uint32_t)topic.length + 4;
}

/* Adds a partition to a session, or changes what is read of it. False: a limit. */
static bool session_keep(struct fetch_session *session, const struct fetch_target *target)
{
    uint8_t key[KEY_BYTES_MAX];
    const uint32_t length = key_make(target, session->topic_ids, key);
    if (length == 0)
        return false;
    struct map_node *node = map_find(&session->kept, span_of(key, length));
    if (node != NULL) {
        struct kept *kept = container_of(node, struct kept, node);
        kept->target.offset = target->offset;
        kept->target.max_bytes = target->max_bytes;
        kept->target.current_leader_epoch = target->current_leader_epoch;
        return true;
    }
    if (map_count(&session->kept) >= FETCH_PARTITIONS_MAX)
        return false;
    struct kept *kept = memory_take(session->kept.memory, MEMORY_STATE, sizeof(*kept) + length);
    kept->target = *target;
    kept->key_length = length;
    memcpy(kept->key, key, length);
    kept->target.topic = session->topic_ids ? SPAN_NULL : span_of(kept->key, length - 4);
    map_add(&session->kept, &kept->node, span_of(kept->key, length));
    return true;
}

static void session_forget(struct fetch_session *session, const struct fetch_request *request)
{
    for (int32_t i = 0; i < request->forgotten_topics_data_count; i++) {
        const struct fetch_request_forgotten_topics_data *topic =
            &request->forgotten_topics_data[i];
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            const struct fetch_target target = {
                .topic = topic->topic, .topic_id = topic->topic_id, .index = topic->partitions[j]};
            uint8_t key[KEY_BYTES_MAX];
            const uint32_t length = key_make(&target, session->topic_ids, key);
            struct map_node *node = map_find(&session->kept, span_of(key, length));
            if (node != NULL)
                kept_remove(session, container_of(node, struct kept, node));
        }
    }
}

/* The partitions that the request itself names. */
static int plan_named(const struct fetch_request *request, struct arena *arena,
                      struct fetch_plan *plan)
{
    size_t count = 0;
    for (int32_t i = 0; i < request->topics_count; i++)
        count += (size_t)request->topics[i].partitions_count;
    if (count > FETCH_PARTITIONS_MAX)
        return ERR_INVALID_REQUEST;
    plan->targets = arena_array(arena, count, sizeof(*plan->targets));
    if (plan->targets == NULL)
        return ERR_ARENA_FULL;
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct fetch_request_topic *topic = &request->topics[i];
        for (int32_t j = 0; j < topic->partitions_count; j++) {
            const struct fetch_request_topic_partition *partition = &topic->partitions[j];
            plan->targets[plan->count++] = (struct fetch_target){
                .topic = topic->topic,
                .topic_id = topic->topic_id,
                .index = partition->partition,
                .current_leader_epoch = partition->current_leader_epoch,
                .offset = partition->fetch_offset,
                .max_bytes = partition->partition_max_bytes,
                .seen_high_watermark = -1,
                .seen_log_start = -1,
            };
        }
    }
    return ERR_NONE;
}

/* All partitions of the session, copied: it may change or end while the request waits. */
static int plan_kept(const struct fetch_session *session, struct arena *arena,
                     struct fetch_plan *plan)
{
    plan->targets = arena_array(arena, map_count(&session->kept), sizeof(*plan->targets));
    plan->count = 0;
    if (plan->targets == NULL)
        return ERR_ARENA_FULL;
    for (struct map_node *node = session->kept.first; node != NULL; node = map_next(node)) {
        struct fetch_target *target = &plan->targets[plan->count++];
        *target = container_of(node, struct kept, node)->target;
        if (session->topic_ids)
            continue;
        target->topic = arena_copy(arena, target->topic);
        if (span_is_null(target->topic))
            return ERR_ARENA_FULL;
    }
    return ERR_NONE;
}

static int plan_first(struct fetch_sessions *sessions, bool topic_ids, struct fetch_plan *plan)
{
    struct fetch_session *session = session_begin(sessions, topic_ids);
    if (session == NULL)
        return ERR_NONE;
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!session_keep(session, &plan->targets[i])) {
            session_end(sessions, session);
            return ERR_INVALID_REQUEST;
        }
    }
    plan->session_id = session->id;
    return ERR_NONE;
}

static int plan_next(struct fetch_sessions *sessions, struct fetch_session *session,
                     const struct fetch_request *request, struct arena *arena,
                     struct fetch_plan *plan)
{
    if (request->session_epoch != session->epoch)
        return ERR_INVALID_FETCH_SESSION_EPOCH;
    session->epoch = session->epoch == INT32_MAX ? EPOCH_INITIAL + 1 : session->epoch + 1;
    session->used_us = sessions->broker->io.now_us;
    list_remove(&session->by_use);
    list_append(&sessions->by_use, &session->by_use);
    session_forget(session, request);
    for (uint32_t i = 0; i < plan->count; i++) {
        if (!session_keep(session, &plan->targets[i]))
            return ERR_INVALID_REQUEST;
    }
    plan->session_id = session->id;
    plan->incremental = true;
    return plan_kept(session, arena, plan);
}

int fetch_sessions_plan(struct fetch_sessions *sessions, const struct fetch_request *request,
                        int16_t version, struct arena *arena, struct fetch_plan *ret_plan)
{
    const bool topic_ids = version >= FETCH_TOPIC_IDS_VERSION;
    struct fetch_plan plan = {0};
    int error = plan_named(request, arena, &plan);
    if (error != ERR_NONE)
        return error;
    struct fetch_session *session = session_find(sessions, request->session_id);
    if (request->session_epoch == EPOCH_FINAL || request->session_epoch == EPOCH_INITIAL) {
        if (session != NULL)
            session_end(sessions, session);
        if (request->session_epoch == EPOCH_INITIAL && version >= 7)
            error = plan_first(sessions, topic_ids, &plan);
    } else if (session == NULL) {
        error = ERR_FETCH_SESSION_ID_NOT_FOUND;
    } else if (session->topic_ids != topic_ids) {
        error = ERR_FETCH_SESSION_TOPIC_ID_ERROR;
    } else {
        error = plan_next(sessions, session, request, arena, &plan);
    }
    if (error == ERR_NONE)
        *ret_plan = plan;
    return error;
}

void fetch_sessions_answered(struct fetch_sessions *sessions, int32_t session_id,
                             const struct fetch_target *target, int16_t error,
                             int64_t high_watermark, int64_t log_start, bool has_records)
{
    struct fetch_session *session = session_find(sessions, session_id);
    if (session == NULL)
        return;
    uint8_t key[KEY_BYTES_MAX];
    const uint32_t length = key_make(target, session->topic_ids, key);
    struct map_node *node = map_find(&session->kept, span_of(key, length));
    if (node == NULL)
        return;
    struct kept *kept = container_of(node, struct kept, node);
    kept->target.seen_high_watermark = error == ERR_NONE ? high_watermark : -1;
    kept->target.seen_log_start = error == ERR_NONE ? log_start : -1;
    if (has_records) {
        map_remove(&session->kept, node);
        map_add(&session->kept, node, span_of(kept->key, length));
    }
}
