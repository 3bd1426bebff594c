/* SPDX-License-Identifier: Apache-2.0 */
#include "core/boot.h"

#include "core/base/format.h"
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/conf/conf.h"
#include "core/coord/coordinator.h"
#include "core/fetch_sessions.h"
#include "core/log/folder.h"
#include "core/meta/brokers.h"
#include "core/meta/identity.h"
#include "core/meta/wal.h"
#include "core/partition.h"
#include "core/wire/error.h"

/* Kafka's number of the security protocol PLAINTEXT. */
#define SECURITY_PROTOCOL_PLAINTEXT 0

struct boot_folder {
    struct boot *boot;
    struct log_waiter waiter;
};

struct boot_listener {
    struct boot *boot;
    struct op op;
    uint16_t port; /* the one in use */
};

struct boot {
    struct broker *broker;
    struct log_waiter waiter; /* of the step under way */
    uint32_t pending;         /* folders, then listeners, that are not ready yet */
    bool failed;
    bool is_waiting; /* for others of the cluster: nobody knows for how long */
    void (*listened)(struct boot *boot);
    struct boot_folder folders[CONF_FOLDERS_MAX];
    struct boot_listener listeners[2 * CONF_LISTENERS_MAX]; /* for clients, then for peers */
    struct folder_observer folder_observer;
    struct meta_proposal registration;
    struct log_waiter warm_waiter;
    struct uuid *warm_topics; /* those there were at start */
    uint32_t warm_topics_count;
    uint32_t warm_topic;
    int32_t warm_partition;
};

/* The rest is told by whoever met the error. */
static void boot_fail(struct boot *boot)
{
    io_log(&boot->broker->io, LOG_ERROR, "the broker cannot start, see above");
    broker_stop(boot->broker, true);
}

static void warm_next(struct boot *boot);

static void warmed(struct log_waiter *waiter, int error)
{
    (void)error; /* an offline log has said why itself */
    warm_next(container_of(waiter, struct boot, warm_waiter));
}

/* True when the partition lies in a data folder and is not loaded yet: then it is being loaded. */
static bool warm_one(struct boot *boot, const struct meta_topic *topic, int32_t index)
{
    struct broker *broker = boot->broker;
    if (!partition_is_on_disk(broker, topic, index))
        return false;
    struct partition *partition = NULL;
    return partition_of(broker, topic, index, &partition) == ERR_NONE &&
           !partition_load(partition, &boot->warm_waiter);
}

static void warm_next(struct boot *boot)
{
    struct broker *broker = boot->broker;
    if (broker->state != BROKER_SERVING)
        return; /* it ends: nothing new is begun */
    for (; boot->warm_topic < boot->warm_topics_count; boot->warm_topic++) {
        const struct meta_topic *topic =
            image_topic_by_id(&broker->image, boot->warm_topics[boot->warm_topic]);
        while (topic != NULL && boot->warm_partition < topic->partitions_count) {
            if (warm_one(boot, topic, boot->warm_partition++))
                return;
        }
        boot->warm_partition = 0;
    }
}

static void warm_start(struct boot *boot)
{
    struct broker *broker = boot->broker;
    const uint32_t count = map_count(&broker->image.topics_by_id);
    if (count == 0)
        return;
    boot->warm_topics = memory_take(&broker->memory, MEMORY_STATE, count * sizeof(struct uuid));
    const struct meta_topic *topic = image_first_topic(&broker->image);
    for (; topic != NULL; topic = image_next_topic(topic))
        boot->warm_topics[boot->warm_topics_count++] = topic->id;
    warm_next(boot);
}

static void registered(struct meta_proposal *proposal, int error)
{
    struct boot *boot = container_of(proposal, struct boot, registration);
    struct broker *broker = boot->broker;
    if (broker->state != BROKER_BOOTING)
        return;                           /* it was told to end meanwhile */
    if (error == ERR_REQUEST_TIMED_OUT) { /* it may be registered: once more is no harm */
        controller_propose(broker->controller, proposal);
        return;
    }
    if (error != ERR_NONE) {
        io_log(&broker->io, LOG_ERROR,
               "this process could not be registered: folder=" WAL_LOG_NAME
               " error=%s mend=\"see to "
               "the disk, or bring the folder back from a copy\"",
               error_name(error));
        boot_fail(boot);
        return;
    }
    producer_ids_init(&broker->producer_ids, broker->controller, broker->conf->node_id);
    broker->fetch_sessions = fetch_sessions_new(broker);
    broker->coordinator = coordinator_new(broker);
    broker_serve(broker);
    if (broker->stop_asked) {
        broker_stop(broker, false);
        return;
    }
    warm_start(boot);
}

/* What was written through a cache may be lost, unless every folder says that it ended in order. */
static bool was_unclean(const struct broker *broker)
{
    for (uint32_t i = 0; i < broker->folders_count; i++) {
        if (!folder_was_clean(broker->folders[i]))
            return true;
    }
    return false;
}

/* Listeners for peers are numbered after those for clients. */
static const struct conf_listener *listener_conf(const struct conf *conf, uint32_t number)
{
    return number < conf->listeners_count ? &conf->listeners[number]
                                          : &conf->peer_listeners[number - conf->listeners_count];
}

/* Kafka's brokers do not register the listeners that are for nodes; ours are dialled there by
 * those whose controller.quorum.voters does not name them. */
static int registration_prepare(struct meta_proposal *proposal, const struct image *image,
                                struct meta_writer *writer)
{
    struct boot *boot = container_of(proposal, struct boot, registration);
    struct broker *broker = boot->broker;
    const struct conf *conf = broker->conf;
    struct meta_endpoint endpoints[2 * CONF_LISTENERS_MAX];
    const uint32_t endpoints_count = conf->listeners_count + conf->peer_listeners_count;
    for (uint32_t i = 0; i < endpoints_count; i++) {
        const struct conf_listener *listener = listener_conf(conf, i);
        endpoints[i] = (struct meta_endpoint){
            .listener = listener->name,
            .host = listener->advertised_host,
            .port = listener->advertised_port != 0 ? listener->advertised_port
                                                   : boot->listeners[i].port,
            .security_protocol = SECURITY_PROTOCOL_PLAINTEXT,
        };
    }
    struct uuid directories[CONF_FOLDERS_MAX];
    for (uint32_t i = 0; i < broker->folders_count; i++)
        directories[i] = identity_directory_id(broker->identity, i);
    const struct broker_registration registration = {
        .id = conf->node_id,
        .incarnation =
            broker->cluster == NULL ? rng_uuid(&broker->io.rng) : broker->cluster->incarnation,
        .rack = conf_text(conf, CONF_BROKER_RACK),
        .is_unclean = was_unclean(broker),
        .endpoints = endpoints,
        .endpoints_count = endpoints_count,
        .directories = directories,
        .directories_count = broker->folders_count,
    };
    return brokers_register(image, writer, &registration);
}

static void listening(struct op *op, const struct completion *completion)
{
    struct boot_listener *listener = container_of(op, struct boot_listener, op);
    struct boot *boot = listener->boot;
    struct broker *broker = boot->broker;
    const uint32_t number = (uint32_t)(listener - boot->listeners);
    const struct conf_listener *conf = listener_conf(broker->conf, number);
    listener->port = (uint16_t)completion->count;
    if (completion->error != ERR_NONE) {
        boot->failed = true;
        io_log(&broker->io, LOG_ERROR,
               "cannot listen: listener=%.*s://%.*s:%d error=%s mend=is another broker running? "
               "change `listeners` or end the other one",
               SPAN_ARGS(conf->name), SPAN_ARGS(conf->host), conf->port,
               error_text(completion->error));
    }
    if (--boot->pending > 0)
        return;
    if (boot->failed) {
        boot_fail(boot);
        return;
    }
    boot->listened(boot);
}

/* `count` listeners from number `first` on; then `listened`. */
static void listen_all(struct boot *boot, uint32_t first, uint32_t count,
                       void (*listened)(struct boot *boot))
{
    struct broker *broker = boot->broker;
    boot->listened = listened;
    boot->pending = count;
    for (uint32_t i = first; i < first + count; i++) {
        const struct conf_listener *listener = listener_conf(broker->conf, i);
        boot->listeners[i].boot = boot;
        io_listen(&broker->io, &boot->listeners[i].op, listening, i, listener->host,
                  listener->port);
    }
}

/* From now on it depends on other nodes how long this takes. */
static void boot_wait(struct boot *boot)
{
    struct broker *broker = boot->broker;
    boot->is_waiting = broker->conf->is_cluster;
    if (boot->is_waiting && broker->stop_asked)
        broker_stop(broker, false);
}

static void register_broker(struct boot *boot)
{
    boot->registration.prepare = registration_prepare;
    boot->registration.done = registered;
    controller_propose(boot->broker->controller, &boot->registration);
    boot_wait(boot);
}

static void metadata_loaded(struct log_waiter *waiter, int error)
{
    struct boot *boot = container_of(waiter, struct boot, waiter);
    struct broker *broker = boot->broker;
    if (error != ERR_NONE) {
        boot_fail(boot);
        return;
    }
    boot->is_waiting = false;
    /* What is told of the cluster is news: what the log had is history. */
    if (broker->cluster != NULL) {
        leaderless_start(&broker->cluster->leaderless, &broker->io, broker->controller,
                         &broker->image);
        unclean_start(&broker->cluster->unclean, &broker->io, broker->controller, &broker->image);
    }
    listen_all(boot, 0, broker->conf->listeners_count, register_broker);
}

/* Takes part in the quorum: alone, or with those that controller.quorum.voters names. */
static void quorum_start(struct boot *boot)
{
    struct broker *broker = boot->broker;
    const struct conf *conf = broker->conf;
    struct folder *folder = broker_folder_for(broker, SPAN(WAL_LOG_NAME));
    struct raft_seed seeds[CONF_VOTERS_MAX] = {{.node = conf->node_id,
                                                .listener = conf->listeners[0].name,
                                                .host = conf->listeners[0].advertised_host,
                                                .port = conf->listeners[0].port}};
    for (uint32_t i = 0; conf->is_cluster && i < conf->voters_count; i++)
        seeds[i] = (struct raft_seed){
            .node = conf->voters[i].node_id,
            .listener = conf->peer_listeners[0].name,
            .host = conf->voters[i].host,
            .port = conf->voters[i].port,
        };
    const struct quorum_options options = {
        .folder = folder,
        .codecs = broker->codecs,
        .snapshot_bytes = (uint64_t)conf_int(conf, CONF_METADATA_SNAPSHOT_BYTES),
        .image = &broker->image,
        .self = {conf->node_id, identity_directory_id(broker->identity, folder_number(folder))},
        .seeds = seeds,
        .seeds_count = conf->is_cluster ? conf->voters_count : 1,
        .election_timeout_ms = (uint32_t)conf_int(conf, CONF_CONTROLLER_QUORUM_ELECTION_TIMEOUT_MS),
        .fetch_timeout_ms = (uint32_t)conf_int(conf, CONF_CONTROLLER_QUORUM_FETCH_TIMEOUT_MS),
        .heartbeat_ms = (uint32_t)conf_int(conf, CONF_BROKER_HEARTBEAT_INTERVAL_MS),
        .peers = broker->cluster == NULL ? NULL : broker->cluster->peers,
    };
    broker->controller = controller_new(&broker->io, &options);
    if (broker->cluster != NULL) {
        cluster_watch(broker);
        fencing_start(&broker->cluster->fencing, broker->controller, broker->cluster->peers,
                      &broker->image);
        agreement_start(&broker->cluster->agreement, &broker->io, conf, broker->controller);
        balance_start(&broker->cluster->balance, &broker->io, conf, broker->controller,
                      &broker->image);
        late_elections_start(&broker->cluster->late_elections, &broker->io, conf,
                             broker->controller, &broker->image);
    }
    boot->waiter.wake = metadata_loaded;
    controller_boot(broker->controller, &boot->waiter);
    boot_wait(boot);
}

static void peers_listened(struct boot *boot)
{
    cluster_dial(boot->broker);
    quorum_start(boot);
}

static void folder_loaded(struct log_waiter *waiter, int error)
{
    struct boot_folder *folder = container_of(waiter, struct boot_folder, waiter);
    struct boot *boot = folder->boot;
    struct broker *broker = boot->broker;
    if (error != ERR_NONE) {
        boot->failed = true;
        io_log(&broker->io, LOG_ERROR, "a data folder cannot be read: folder=%.*s error=%s",
               SPAN_ARGS(broker->conf->folders[folder - boot->folders]), error_text(error));
    }
    if (--boot->pending > 0)
        return;
    if (boot->failed) {
        boot_fail(boot);
        return;
    }
    if (!broker->conf->is_cluster) {
        quorum_start(boot);
        return;
    }
    cluster_open(broker);
    listen_all(boot, broker->conf->listeners_count, broker->conf->peer_listeners_count,
               peers_listened);
}

/* The broker ends with its last data folder, as Kafka's does; with others left it goes on. */
static void folder_offline(struct folder_observer *observer, struct folder *folder)
{
    struct broker *broker = container_of(observer, struct boot, folder_observer)->broker;
    io_log(&broker->io, LOG_ERROR, "a data folder is offline: folder=%.*s",
           SPAN_ARGS(broker->conf->folders[folder_number(folder)]));
    for (uint32_t i = 0; i < broker->folders_count; i++) {
        if (!folder_is_offline(broker->folders[i]))
            return;
    }
    broker->folders_failed = true;
}

static void identified(struct log_waiter *waiter, int error)
{
    struct boot *boot = container_of(waiter, struct boot, waiter);
    struct broker *broker = boot->broker;
    if (error != ERR_NONE) {
        boot_fail(boot);
        return;
    }
    boot->folder_observer.offline = folder_offline;
    broker->folders_count = broker->conf->folders_count;
    broker->folders =
        memory_take(&broker->memory, MEMORY_STATE, broker->folders_count * sizeof(struct folder *));
    boot->pending = broker->folders_count;
    for (uint32_t i = 0; i < broker->folders_count; i++)
        broker->folders[i] = folder_new(&broker->io, i, &boot->folder_observer);
    for (uint32_t i = 0; i < broker->folders_count; i++) {
        boot->folders[i].boot = boot;
        boot->folders[i].waiter.wake = folder_loaded;
        folder_load(broker->folders[i], &boot->folders[i].waiter);
    }
}

void boot_start(struct broker *broker)
{
    const struct conf *conf = broker->conf;
    struct boot *boot = memory_new(&broker->memory, struct boot);
    boot->broker = broker;
    list_init(&boot->waiter.place);
    list_init(&boot->warm_waiter.place);
    boot->warm_waiter.wake = warmed;
    broker->boot = boot;
    /* Nodes that drew a cluster id each would be a cluster each. */
    const struct identity_wish wish = {.node_id = conf->node_id, .formats = !conf->is_cluster};
    broker->identity = identity_check_new(&broker->io, conf->folders, conf->folders_count, &wish);
    boot->waiter.wake = identified;
    identity_check_run(broker->identity, &boot->waiter);
}

bool boot_is_waiting(const struct broker *broker)
{
    return broker->boot->is_waiting;
}

void boot_free(struct broker *broker)
{
    struct boot *boot = broker->boot;
    if (boot == NULL)
        return;
    memory_give(&broker->memory, MEMORY_STATE, boot->warm_topics,
                boot->warm_topics_count * sizeof(struct uuid));
    memory_give(&broker->memory, MEMORY_STATE, boot, sizeof(*boot));
    broker->boot = NULL;
}
