/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeCluster (KIP-700, KIP-919, KIP-1073), and what this broker knows of its replication
 * streams to others. */
#include "core/api/authorized.h"
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/meta/identity.h"
#include "core/replica/replicas.h"
#include "core/session.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define ENDPOINT_BROKERS     1
#define ENDPOINT_CONTROLLERS 2

/* Fills in the brokers that clients of this listener can reach; false when there is no room. */
static bool tell_brokers(const struct broker *broker, const struct request *request,
                         struct arena *arena, struct describe_cluster_response *response)
{
    const struct describe_cluster_request *body = request->body;
    const struct image *image = &broker->image;
    const struct span listener = broker->conf->listeners[request->session->listener].name;
    struct describe_cluster_response_broker *brokers =
        arena_array(arena, image->brokers_count, sizeof(*brokers));
    if (brokers == NULL)
        return false;
    response->brokers = brokers;
    for (uint32_t i = 0; i < image->brokers_count; i++) {
        const struct meta_broker *found = &image->brokers[i];
        const struct meta_endpoint *endpoint = image_endpoint(found, listener);
        if (endpoint == NULL || (found->fenced && !body->include_fenced_brokers))
            continue;
        brokers[response->brokers_count++] = (struct describe_cluster_response_broker){
            .broker_id = found->id,
            .host = endpoint->host,
            .port = endpoint->port,
            .rack = found->rack,
            .is_fenced = found->fenced,
        };
    }
    return true;
}

/* One to each other broker that is registered; false when there is no room. */
static bool tell_streams(const struct broker *broker, struct arena *arena,
                         struct describe_cluster_response *response)
{
    const struct image *image = &broker->image;
    const uint64_t now_us = broker->io.now_us;
    response->streams = arena_array(arena, image->brokers_count, sizeof(*response->streams));
    response->streams_count = 0;
    for (uint32_t i = 0; response->streams != NULL && i < image->brokers_count; i++) {
        const int32_t id = image->brokers[i].id;
        struct peer_status peer = {0};
        if (id == broker->conf->node_id || broker->cluster == NULL)
            continue;
        (void)peers_status(broker->cluster->peers, id, &peer);
        const struct replica_node_status node = replicas_node_status(broker->cluster->replicas, id);
        response->streams[response->streams_count++] = (struct describe_cluster_response_stream){
            .broker_id = id,
            .is_up = peer.is_up,
            .is_silent = peer.is_silent,
            .up_ms = peer.is_up ? (int64_t)((now_us - peer.up_us) / 1000) : -1,
            .heard_ms = peer.heard_us > 0 ? (int64_t)((now_us - peer.heard_us) / 1000) : -1,
            .unacknowledged_bytes = (int64_t)node.unacknowledged_bytes,
            .partitions = (int32_t)node.partitions,
            .catching_up = (int32_t)node.catching_up,
            .is_throttled = node.is_throttled,
        };
    }
    return response->streams != NULL;
}

void describe_cluster_handle(struct broker *broker, struct request *request)
{
    const struct describe_cluster_request *body = request->body;
    struct describe_cluster_response *response = request_response(request);
    if (response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    response->endpoint_type = body->endpoint_type;
    if (body->endpoint_type != ENDPOINT_BROKERS) {
        const bool is_known = body->endpoint_type == ENDPOINT_CONTROLLERS;
        response->error_code =
            is_known ? ERR_MISMATCHED_ENDPOINT_TYPE : ERR_UNSUPPORTED_ENDPOINT_TYPE;
        response->error_message = SPAN("This endpoint tells of brokers only.");
        request_reply(request, response);
        return;
    }
    if (!tell_brokers(broker, request, &request->arena, response) ||
        (body->include_streams && !tell_streams(broker, &request->arena, response))) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    response->cluster_id = identity_cluster_id(broker->identity);
    response->controller_id = broker->conf->node_id;
    if (body->include_cluster_authorized_operations)
        response->cluster_authorized_operations = AUTHORIZED_CLUSTER;
    request_reply(request, response);
}
