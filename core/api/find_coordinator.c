/* SPDX-License-Identifier: Apache-2.0 */
/* FindCoordinator: which broker keeps a group. The first one that asks has the topic made in which
 * groups are kept. */
#include "core/api/change.h"
#include "core/api/table.h"
#include "core/base/format.h"
#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/coord/coordinator.h"
#include "core/lease.h"
#include "core/meta/image.h"
#include "core/meta/topics.h"
#include "core/session.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define KEY_TYPE_GROUP  0
#define VERSION_SEVERAL 4

typedef struct find_coordinator_response_coordinator coordinator_out;

static coordinator_out refuse(struct span key, int error, struct span why)
{
    return (coordinator_out){.key = key,
                             .node_id = -1,
                             .host = SPAN(""),
                             .port = -1,
                             .error_code = (int16_t)error,
                             .error_message = why};
}

/* The broker that leads the group's partition, at its address on the listener that was asked on. */
static coordinator_out find(struct broker *broker, const struct request *request, struct span key)
{
    const struct image *image = &broker->image;
    const struct span text = span_text(error_text(ERR_COORDINATOR_NOT_AVAILABLE));
    const struct meta_topic *topic = image_topic(image, SPAN(COORDINATOR_TOPIC));
    if (topic == NULL || topic->partitions_count == 0)
        return refuse(key, ERR_COORDINATOR_NOT_AVAILABLE, text);
    const struct meta_partition *partition =
        image_partition(topic, coordinator_partition(key, topic->partitions_count));
    const struct meta_broker *leader = image_broker(image, partition->leader);
    const struct meta_endpoint *endpoint =
        leader == NULL
            ? NULL
            : image_endpoint(leader, broker->conf->listeners[request->session->listener].name);
    /* Without a lease this broker does not coordinate, and others know better who does. */
    if (endpoint == NULL || leader->fenced ||
        (leader->id == broker->conf->node_id && !lease_holds(broker)))
        return refuse(key, ERR_COORDINATOR_NOT_AVAILABLE, text);
    /* The client comes next: let it find the group loaded. */
    struct shard *shard = NULL;
    coordinator_shard(broker->coordinator, key, &shard);
    return (coordinator_out){
        .key = key, .node_id = leader->id, .host = endpoint->host, .port = endpoint->port};
}

/* There is no coordinator for anything but groups. Clients take this error as final, where
 * COORDINATOR_NOT_AVAILABLE would have them ask until their time is up. */
static coordinator_out find_any(struct broker *broker, const struct request *request,
                                struct span key)
{
    const struct find_coordinator_request *body = request->body;
    return body->key_type == KEY_TYPE_GROUP
               ? find(broker, request, key)
               : refuse(key, ERR_INVALID_REQUEST,
                        SPAN("this broker coordinates consumer groups only"));
}

static void answer(struct broker *broker, struct request *request)
{
    const struct find_coordinator_request *body = request->body;
    struct find_coordinator_response response;
    wire_defaults(request->api->response, &response);
    if (request->version < VERSION_SEVERAL) {
        const coordinator_out found = find_any(broker, request, body->key);
        response.error_code = found.error_code;
        response.error_message = found.error_message;
        response.node_id = found.node_id;
        response.host = found.host;
        response.port = found.port;
        request_reply(request, &response);
        return;
    }
    response.coordinators = arena_array(&request->arena, (size_t)body->coordinator_keys_count,
                                        sizeof(*response.coordinators));
    if (response.coordinators == NULL) {
        request_refuse(request, "its keys are more than a request may hold");
        return;
    }
    for (int32_t i = 0; i < body->coordinator_keys_count; i++)
        response.coordinators[response.coordinators_count++] =
            find_any(broker, request, body->coordinator_keys[i]);
    request_reply(request, &response);
}

static void topic_write(struct change *change, struct topics_context *context)
{
    struct topic_override configs[TOPICS_OFFSETS_CONFIGS];
    struct topic_creation creation;
    topics_offsets_creation(context->conf, configs, &creation);
    /* Somebody else's may come first, which is as good. */
    const int error = topics_create(context, &creation);
    if (error != ERR_NONE && error != ERR_TOPIC_ALREADY_EXISTS)
        io_log(&change->broker->io, LOG_ERROR, "%s cannot be created error=%s why=%.*s",
               COORDINATOR_TOPIC, error_name(error), SPAN_ARGS(creation.message));
}

/* Whether it is there now shows in the image. */
static void topic_done(struct change *change, int error)
{
    (void)error;
    answer(change->broker, change->request);
}

void find_coordinator_handle(struct broker *broker, struct request *request)
{
    const struct find_coordinator_request *body = request->body;
    if (body->key_type != KEY_TYPE_GROUP ||
        image_topic(&broker->image, SPAN(COORDINATOR_TOPIC)) != NULL) {
        answer(broker, request);
        return;
    }
    struct change *change = change_new(broker, request, sizeof(*change));
    if (change == NULL)
        return;
    change->write = topic_write;
    change->done = topic_done;
    change_propose(change);
}
