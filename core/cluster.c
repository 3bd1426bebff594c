/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cluster.h"

#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/departure.h"
#include "core/log/folder.h"
#include "core/meta/controller.h"
#include "core/meta/identity.h"
#include "core/meta/wal.h"
#include "core/replica/replicas.h"

#define US_PER_MS ((uint64_t)1000)

static struct cluster *cluster_of(struct peers_observer *observer)
{
    return container_of(observer, struct cluster, observer);
}

/* The quorum's part, once there is one. */
static struct quorum *quorum_of(struct peers_observer *observer)
{
    struct controller *controller = cluster_of(observer)->broker->controller;
    return controller == NULL ? NULL : controller_quorum(controller);
}

static void peer_is_up(struct peers_observer *observer, int32_t node_id)
{
    fencing_heard(&cluster_of(observer)->fencing, node_id);
    if (quorum_of(observer) != NULL)
        quorum_peer_up(quorum_of(observer), node_id);
    lease_peer_up(&cluster_of(observer)->lease, node_id);
    replicas_peer_heard(cluster_of(observer)->replicas, node_id);
    replicas_peer_up(cluster_of(observer)->replicas, node_id);
}

static void peer_is_down(struct peers_observer *observer, int32_t node_id)
{
    replicas_peer_down(cluster_of(observer)->replicas, node_id);
    departure_look(cluster_of(observer)->broker);
}

static void peer_has_died(struct peers_observer *observer, int32_t node_id, struct uuid incarnation)
{
    fencing_died(&cluster_of(observer)->fencing, node_id, incarnation);
    if (quorum_of(observer) != NULL)
        quorum_peer_died(quorum_of(observer), node_id);
}

static void peer_is_silent(struct peers_observer *observer, int32_t node_id)
{
    fencing_silent(&cluster_of(observer)->fencing, node_id);
    departure_look(cluster_of(observer)->broker);
    replicas_peer_silent(cluster_of(observer)->replicas, node_id);
}

static void peer_is_drained(struct peers_observer *observer, int32_t node_id)
{
    if (quorum_of(observer) != NULL)
        quorum_peer_drained(quorum_of(observer), node_id);
    replicas_peer_drained(cluster_of(observer)->replicas, node_id);
}

static const char *peer_said(struct peers_observer *observer, const struct peer_message *message)
{
    struct replicas *replicas = cluster_of(observer)->replicas;
    fencing_heard(&cluster_of(observer)->fencing, message->node_id);
    replicas_peer_heard(replicas, message->node_id);
    if (replicas_expect(message->type))
        return replicas_receive(replicas, message);
    if (lease_expects(message->type))
        return lease_receive(&cluster_of(observer)->lease, message);
    if (leader_calls_expect(message->type))
        return leader_calls_receive(&cluster_of(observer)->calls, message);
    return quorum_of(observer) == NULL ? NULL : quorum_receive(quorum_of(observer), message);
}

/* Whoever is registered says where it is reached: not all are named by every node's settings. */
static void image_changed(struct image_observer *observer, const struct image_change *change)
{
    const struct cluster *cluster = container_of(observer, struct cluster, image_observer);
    const struct broker *broker = cluster->broker;
    if (change->kind != IMAGE_BROKER_REGISTERED || change->broker->id == broker->conf->node_id)
        return;
    const struct meta_endpoint *endpoint =
        image_endpoint(change->broker, broker->conf->peer_listeners[0].name);
    if (endpoint != NULL && endpoint->host.length > 0 && endpoint->port > 0)
        quorum_know(controller_quorum(broker->controller), change->broker->id, endpoint->host,
                    endpoint->port);
}

void cluster_watch(struct broker *broker)
{
    broker->cluster->image_observer.changed = image_changed;
    image_observe(&broker->image, &broker->cluster->image_observer);
}

void cluster_open(struct broker *broker)
{
    const struct conf *conf = broker->conf;
    struct cluster *cluster = memory_new(&broker->memory, struct cluster);
    const struct folder *folder = broker_folder_for(broker, SPAN(WAL_LOG_NAME));
    cluster->broker = broker;
    cluster->observer = (struct peers_observer){
        .up = peer_is_up,
        .down = peer_is_down,
        .died = peer_has_died,
        .silent = peer_is_silent,
        .drained = peer_is_drained,
        .received = peer_said,
    };
    cluster->incarnation = rng_uuid(&broker->io.rng);
    const struct peers_identity identity = {
        .cluster_id = identity_cluster_id(broker->identity),
        .node_id = conf->node_id,
        .directory_id = identity_directory_id(broker->identity, folder_number(folder)),
        .incarnation = cluster->incarnation,
        .host = conf->peer_listeners[0].advertised_host,
        .port = conf->peer_listeners[0].advertised_port != 0
                    ? conf->peer_listeners[0].advertised_port
                    : conf->peer_listeners[0].port,
    };
    const struct peers_settings settings = {
        .heartbeat_us = (uint64_t)conf_int(conf, CONF_BROKER_HEARTBEAT_INTERVAL_MS) * US_PER_MS,
        .silence_us = (uint64_t)conf_int(conf, CONF_BROKER_SESSION_TIMEOUT_MS) * US_PER_MS,
    };
    fencing_init(&cluster->fencing, &broker->io, conf->node_id, settings.silence_us,
                 (uint64_t)conf_int(conf, CONF_CONTROLLER_QUORUM_FETCH_TIMEOUT_MS) * US_PER_MS);
    cluster->peers = peers_new(&broker->io, &identity, &settings, &cluster->observer);
    cluster->replicas = replicas_new(broker, cluster->peers);
    lease_init(&cluster->lease, broker, cluster->peers, settings.heartbeat_us);
    leader_calls_init(&cluster->calls, broker);
    broker->cluster = cluster;
}

void cluster_dial(struct broker *broker)
{
    const struct conf *conf = broker->conf;
    for (uint32_t i = 0; i < conf->voters_count; i++)
        peers_know(broker->cluster->peers, conf->voters[i].node_id, conf->voters[i].host,
                   conf->voters[i].port);
}

void cluster_stop(struct broker *broker)
{
    if (broker->cluster != NULL)
        peers_stop(broker->cluster->peers);
}

void cluster_end(struct broker *broker)
{
    struct cluster *cluster = broker->cluster;
    if (cluster == NULL)
        return;
    lease_free(&cluster->lease);
    leader_calls_free(&cluster->calls);
    replicas_free(cluster->replicas);
    peers_free(cluster->peers);
}

void cluster_free(struct broker *broker)
{
    if (broker->cluster == NULL)
        return;
    memory_give(&broker->memory, MEMORY_STATE, broker->cluster, sizeof(struct cluster));
    broker->cluster = NULL;
}
