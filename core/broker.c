/* SPDX-License-Identifier: Apache-2.0 */
#include "core/broker.h"

#include "core/base/check.h"
#include "core/boot.h"
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/conf/topic_conf.h"
#include "core/coord/coordinator.h"
#include "core/departure.h"
#include "core/fetch_sessions.h"
#include "core/log/folder.h"
#include "core/meta/identity.h"
#include "core/partition.h"
#include "core/replica/replicas.h"
#include "core/session.h"
#include "core/shutdown.h"
#include "core/wire/error.h"

/* A receive is given this much room, and never more than this part of all there is. */
#define RECEIVE_BYTES ((uint32_t)64 * 1024)
#define RECEIVE_PART  4

/* Replies that were not sent yet, and bytes read back from files, of all connections together. */
#define SEND_BYTES_MAX    ((uint64_t)512 * 1024 * 1024)
#define READ_BYTES_MAX    ((uint64_t)256 * 1024 * 1024)
#define REQUEST_BYTES_MAX ((uint64_t)512 * 1024 * 1024)

/* What other nodes sent and what waits to be sent to them, of all links together; a few of the
 * largest messages fit. */
#define PEER_RECEIVE_BYTES_MAX ((uint64_t)128 * 1024 * 1024)
#define PEER_SEND_BYTES_MAX    ((uint64_t)128 * 1024 * 1024)

static void limits_set(struct broker *broker)
{
    const struct conf *conf = broker->conf;
    const int64_t idle_ms = conf_int(conf, CONF_CONNECTIONS_MAX_IDLE_MS);
    const int64_t queued = conf_int(conf, CONF_QUEUED_MAX_REQUEST_BYTES);
    broker->limits = (struct broker_limits){
        .connections = (uint32_t)conf_int(conf, CONF_MAX_CONNECTIONS),
        .connections_per_ip = (uint32_t)conf_int(conf, CONF_MAX_CONNECTIONS_PER_IP),
        .connection_idle_us =
            idle_ms < 0 || idle_ms > INT64_MAX / 1000 ? 0 : (uint64_t)idle_ms * 1000,
        .request_bytes = (uint32_t)conf_int(conf, CONF_SOCKET_REQUEST_MAX_BYTES),
    };
    /* The largest request must fit, with its size and what refers to it. */
    const uint64_t largest =
        sizeof(struct buffer) + FRAME_SIZE_BYTES + broker->limits.request_bytes;
    uint64_t receive = queued < 0 ? 0 : (uint64_t)queued;
    if (queued > 0 && receive < largest)
        receive = largest;
    broker->memory.limit_bytes[MEMORY_RECEIVE] = receive;
    broker->limits.receive_bytes = receive > 0 && receive / RECEIVE_PART < RECEIVE_BYTES
                                       ? (uint32_t)(receive / RECEIVE_PART)
                                       : RECEIVE_BYTES;
    broker->memory.limit_bytes[MEMORY_REQUEST] = REQUEST_BYTES_MAX;
    broker->memory.limit_bytes[MEMORY_SEND] = SEND_BYTES_MAX;
    broker->memory.limit_bytes[MEMORY_READ] = READ_BYTES_MAX;
    broker->memory.limit_bytes[MEMORY_PEER_RECEIVE] = PEER_RECEIVE_BYTES_MAX;
    broker->memory.limit_bytes[MEMORY_PEER_SEND] = PEER_SEND_BYTES_MAX;
}

struct broker *broker_new(const struct broker_options *options)
{
    struct memory memory;
    memory_init(&memory, options->allocator);
    struct broker *broker = memory_new(&memory, struct broker);
    broker->memory = memory;
    broker->conf = options->conf;
    broker->codecs = options->codecs;
    list_init(&broker->sessions);
    list_init(&broker->muted);
    list_init(&broker->unfinished.sessions);
    broker->timer_us = TIMER_NEVER;
    io_init(&broker->io, &broker->memory, NULL);
    limits_set(broker);
    return broker;
}

struct memory *broker_memory(struct broker *broker)
{
    return &broker->memory;
}

void broker_topic_conf(const struct broker *broker, const struct meta_topic *topic,
                       struct topic_conf *ret_conf)
{
    struct topic_conf_agreed rules;
    topic_conf_resolve(broker->conf, topic->configs.items, topic->configs.count, ret_conf);
    if (broker->cluster == NULL)
        return;
    image_topic_rules(&broker->image, topic, &rules);
    ret_conf->min_insync_replicas = rules.min_insync_replicas;
    ret_conf->write_caching = rules.write_caching;
}

void broker_topic_describe(const struct broker *broker, const struct topic_override *overrides,
                           uint32_t overrides_count, enum topic_conf_key key,
                           struct conf_description *ret_description)
{
    const struct meta_configs *cluster = &broker->image.configs;
    topic_conf_describe(broker->conf, overrides, overrides_count, key, ret_description);
    if (broker->cluster != NULL)
        conf_describe_agreed(cluster->items, cluster->count, topic_conf_key_info(key)->node_key,
                             ret_description);
}

struct folder *broker_folder_for(struct broker *broker, struct span partition_name)
{
    struct folder *least = broker->folders[0];
    for (uint32_t i = 0; i < broker->folders_count; i++) {
        struct folder *folder = broker->folders[i];
        if (folder_holds(folder, partition_name))
            return folder;
        if (!folder_is_offline(folder) &&
            (folder_is_offline(least) || folder_logs_count(folder) < folder_logs_count(least)))
            least = folder;
    }
    return least;
}

/* Of a topic, or of the cluster (NULL). */
static void settings_changed(struct broker *broker, const struct meta_topic *topic)
{
    if (topic != NULL) {
        partition_reconfigure(broker, topic);
        return;
    }
    for (topic = image_first_topic(&broker->image); topic != NULL; topic = image_next_topic(topic))
        partition_reconfigure(broker, topic);
}

/* What each record of the metadata WAL means to the partitions that are hosted here. */
static void image_changed(struct image_observer *observer, const struct image_change *change)
{
    struct broker *broker = container_of(observer, struct broker, image_observer);
    switch (change->kind) {
    case IMAGE_TOPIC_REMOVED:
        partition_remove_topic(broker, change->topic);
        break;
    case IMAGE_CONFIG_CHANGED:
        settings_changed(broker, change->topic);
        break;
    case IMAGE_PARTITION_ADDED:
    case IMAGE_PARTITION_CHANGED:
        if (broker->cluster != NULL)
            replicas_partition_changed(broker->cluster->replicas, change->topic, change->partition);
        break;
    case IMAGE_BROKER_REGISTERED:
    case IMAGE_BROKER_CHANGED:
        if (broker->cluster != NULL)
            replicas_broker_changed(broker->cluster->replicas, change->broker->id);
        break;
    case IMAGE_TOPIC_ADDED:
    case IMAGE_BROKER_REMOVED:
        break; /* partitions without other replicas are hosted when they are first asked for */
    }
}

void broker_serve(struct broker *broker)
{
    broker->state = BROKER_SERVING;
    broker->image_observer.changed = image_changed;
    image_observe(&broker->image, &broker->image_observer);
    if (broker->cluster != NULL) {
        replicas_start(broker->cluster->replicas);
        lease_start(&broker->cluster->lease);
    }
    struct list *place;
    struct list *next;
    list_each(&broker->sessions, place, next)
    {
        session_resume(container_of(place, struct session, place));
    }
    effects_add(broker->io.effects, EFFECT_READY);
}

void broker_stop(struct broker *broker, bool failed)
{
    if (broker->state == BROKER_BOOTING && !failed && !boot_is_waiting(broker)) {
        broker->stop_asked = true;
        return;
    }
    if (broker->state == BROKER_STOPPED || (broker->state == BROKER_STOPPING && !failed))
        return;
    if (broker->state == BROKER_SERVING && !failed && departure_holds(broker))
        return;
    broker->state = BROKER_STOPPING;
    shutdown_start(broker, failed);
}

/* Sessions that waited for memory go on once there is some. */
static void muted_resume(struct broker *broker)
{
    struct list *place;
    struct list *next;
    list_each(&broker->muted, place, next)
    {
        session_resume(container_of(place, struct session, muted));
    }
    unfinished_reclaim(broker);
}

static void start(struct broker *broker, const struct event *event)
{
    uint64_t seed;
    memcpy(&seed, event->start.entropy, sizeof(seed));
    rng_init(&broker->io.rng, seed);
    map_init_trusted(&broker->hosted, &broker->memory, rng_next(&broker->io.rng));
    image_init(&broker->image, &broker->memory, rng_next(&broker->io.rng));
    boot_start(broker);
}

/* Listeners for peers are numbered after those for clients. */
static void accepted(struct broker *broker, const struct event *event)
{
    if (event->accepted.listener < broker->conf->listeners_count)
        session_open(broker, event->accepted.connection, event->accepted.listener,
                     event->accepted.peer);
    else if (broker->cluster != NULL) /* no driver accepts before it was asked to listen */
        peers_accept(broker->cluster->peers, event->accepted.connection, event->accepted.peer);
}

/* A node of a cluster that can take part in its quorum no more would serve, for as long as it runs,
 * what the metadata was: it ends, and the next process begins from what the disk has. */
static bool has_left_cluster(const struct broker *broker)
{
    return broker->state == BROKER_SERVING && broker->cluster != NULL &&
           controller_has_failed(broker->controller);
}

static void turn_end(struct broker *broker)
{
    struct io *io = &broker->io;
    if (!list_empty(&broker->muted) && broker->state == BROKER_SERVING)
        muted_resume(broker);
    if (broker->cluster != NULL)
        peers_resume(broker->cluster->peers);
    io_run_turn_tasks(io);
    if (broker->folders_failed || has_left_cluster(broker))
        broker_stop(broker, true);
    const uint64_t due_us = timers_next_us(&io->timers);
    if (due_us != broker->timer_us) {
        broker->timer_us = due_us;
        effects_add(io->effects, EFFECT_TIMER)->due_us = due_us;
    }
}

void broker_step(struct broker *broker, const struct event *event, struct effects *effects)
{
    struct io *io = &broker->io;
    CHECK(event->mono_us >= io->now_us);
    io->effects = effects;
    io->now_us = event->mono_us;
    io->wall_ms = event->wall_ms;
    if (broker->state == BROKER_STOPPED)
        return;
    switch (event->kind) {
    case EVENT_START:
        start(broker, event);
        break;
    case EVENT_ACCEPTED:
        accepted(broker, event);
        break;
    case EVENT_COMPLETED:
        io_complete(io, &event->completed);
        break;
    case EVENT_TIMER:
        /* The driver has no deadline any more: the next one is to be told again. */
        broker->timer_us = TIMER_NEVER;
        timers_run(&io->timers, io->now_us);
        break;
    case EVENT_STOP:
        broker_stop(broker, false);
        break;
    case EVENT_TURN_END:
        turn_end(broker);
        break;
    }
}

void broker_free(struct broker *broker)
{
    if (broker == NULL)
        return;
    /* First: it answers whoever waits. */
    coordinator_free(broker->coordinator);
    while (!list_empty(&broker->sessions))
        session_free(container_of(broker->sessions.next, struct session, place));
    io_forget_all(&broker->io);
    cluster_end(broker);
    boot_free(broker);
    departure_free(broker);
    shutdown_free(broker);
    fetch_sessions_free(broker->fetch_sessions);
    partition_free_all(broker);
    controller_free(broker->controller);
    cluster_free(broker);
    identity_check_free(broker->identity);
    for (uint32_t i = 0; i < broker->folders_count; i++)
        folder_free(broker->folders[i]);
    memory_give(&broker->memory, MEMORY_STATE, broker->folders,
                broker->folders_count * sizeof(struct folder *));
    image_free(&broker->image);
    map_clear(&broker->hosted);
    io_free(&broker->io);
    struct memory memory = broker->memory;
    memory_give(&memory, MEMORY_STATE, broker, sizeof(*broker));
}
