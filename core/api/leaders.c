/* SPDX-License-Identifier: Apache-2.0 */
#include "core/api/leaders.h"

#include "core/broker_state.h"
#include "core/meta/image.h"
#include "core/request.h"
#include "core/session.h"
#include "core/wire/error.h"

static struct span listener_of(const struct broker *broker, const struct request *request)
{
    return broker->conf->listeners[request->session->listener].name;
}

int leader_check(const struct broker *broker, const struct request *request, int32_t leader)
{
    const struct meta_broker *found = image_broker(&broker->image, leader);
    if (found == NULL)
        return ERR_LEADER_NOT_AVAILABLE;
    return image_endpoint(found, listener_of(broker, request)) != NULL ? ERR_NONE
                                                                       : ERR_LISTENER_NOT_FOUND;
}

void leaders_begin(struct leaders *leaders, const struct broker *broker, struct request *request)
{
    *leaders = (struct leaders){.broker = broker, .request = request};
}

/* Adds a broker that clients can reach. Without room for it they ask for the metadata, as they
 * would without us. */
static void add(struct leaders *leaders, const struct meta_broker *broker)
{
    if (broker == NULL || broker->fenced ||
        leader_check(leaders->broker, leaders->request, broker->id) != ERR_NONE)
        return;
    for (uint32_t i = 0; i < leaders->count; i++) {
        if (leaders->brokers[i] == broker)
            return;
    }
    if (leaders->brokers == NULL)
        leaders->brokers =
            arena_array(&leaders->request->arena, leaders->broker->image.brokers_count,
                        sizeof(*leaders->brokers));
    if (leaders->brokers != NULL)
        leaders->brokers[leaders->count++] = broker;
}

void leaders_tell(struct leaders *leaders, const struct meta_topic *topic, int32_t partition,
                  int error, int32_t *ret_leader, int32_t *ret_epoch)
{
    if (error != ERR_NOT_LEADER_OR_FOLLOWER && error != ERR_FENCED_LEADER_EPOCH)
        return;
    const struct meta_partition *found = topic == NULL ? NULL : image_partition(topic, partition);
    if (found == NULL)
        return;
    *ret_leader = found->leader;
    *ret_epoch = found->leader_epoch;
    add(leaders, image_broker(&leaders->broker->image, found->leader));
}

struct leader_address leaders_address(const struct leaders *leaders, uint32_t number)
{
    const struct meta_broker *broker = leaders->brokers[number];
    const struct meta_endpoint *endpoint =
        image_endpoint(broker, listener_of(leaders->broker, leaders->request));
    return (struct leader_address){
        .node_id = broker->id,
        .host = endpoint->host,
        .port = endpoint->port,
        .rack = broker->rack,
    };
}
