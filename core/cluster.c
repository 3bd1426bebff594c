/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cluster.h"

#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/log/folder.h"
#include "core/meta/identity.h"

#define US_PER_MS ((uint64_t)1000)

void cluster_open(struct broker *broker)
{
    const struct conf *conf = broker->conf;
    struct cluster *cluster = memory_new(&broker->memory, struct cluster);
    const struct folder *folder = broker_folder_for(broker, SPAN(WAL_LOG_NAME));
    cluster->incarnation = rng_uuid(&broker->io.rng);
    const struct peers_identity identity = {
        .cluster_id = identity_cluster_id(broker->identity),
        .node_id = conf->node_id,
        .directory_id = identity_directory_id(broker->identity, folder_number(folder)),
        .incarnation = cluster->incarnation,
    };
    const struct peers_settings settings = {
        .heartbeat_us = (uint64_t)conf_int(conf, CONF_BROKER_HEARTBEAT_INTERVAL_MS) * US_PER_MS,
        .silence_us = (uint64_t)conf_int(conf, CONF_BROKER_SESSION_TIMEOUT_MS) * US_PER_MS,
    };
    cluster->peers = peers_new(&broker->io, &identity, &settings, &cluster->observer);
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

void cluster_free(struct broker *broker)
{
    struct cluster *cluster = broker->cluster;
    if (cluster == NULL)
        return;
    peers_free(cluster->peers);
    memory_give(&broker->memory, MEMORY_STATE, cluster, sizeof(*cluster));
    broker->cluster = NULL;
}
