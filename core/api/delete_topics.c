/* SPDX-License-Identifier: Apache-2.0 */
/* DeleteTopics, by name or (version 6, KIP-516) by id; answered when the removal is durable. */
#include "core/api/change.h"
#include "core/api/table.h"
#include "core/broker_state.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* The first version that lists topics as structs, with ids. */
#define VERSION_WITH_IDS 6

struct delete_topics {
    struct change change;
    struct delete_topics_response *response;
};

/* The topic that is meant: by exactly one of its name and its id. */
static int find(const struct image *image, struct delete_topics_response_response *out,
                const struct meta_topic **ret_topic)
{
    const bool by_id = !uuid_is_zero(out->topic_id);
    if (by_id == !span_is_null(out->name)) {
        out->error_message = SPAN("A topic is named either by its name or by its id.");
        return ERR_INVALID_REQUEST;
    }
    *ret_topic = by_id ? image_topic_by_id(image, out->topic_id) : image_topic(image, out->name);
    if (*ret_topic == NULL)
        return by_id ? ERR_UNKNOWN_TOPIC_ID : ERR_UNKNOWN_TOPIC_OR_PARTITION;
    return ERR_NONE;
}

static void delete_one(struct topics_context *context, struct delete_topics_response_response *out)
{
    const struct meta_topic *topic = NULL;
    int error = find(context->image, out, &topic);
    if (error == ERR_NONE && !conf_bool(context->conf, CONF_DELETE_TOPIC_ENABLE)) {
        out->error_message = SPAN("delete.topic.enable is false.");
        error = ERR_TOPIC_DELETION_DISABLED;
    }
    if (error == ERR_NONE)
        error = topics_remove(context, topic, &out->error_message);
    if (error == ERR_NONE) {
        /* The topic is gone when this is sent. */
        out->name = arena_copy(context->arena, topic->name);
        out->topic_id = topic->id;
    }
    out->error_code = (int16_t)error;
}

/* What the request names, at the place of its answer, whatever is there by now. */
static void read_topics(const struct request *request,
                        struct delete_topics_response_response *responses, int32_t count)
{
    const struct delete_topics_request *body = request->body;
    for (int32_t i = 0; i < count; i++)
        responses[i] = wire_default_delete_topics_response_response;
    for (int32_t i = 0; i < body->topics_count; i++) {
        responses[i].name = body->topics[i].name;
        responses[i].topic_id = body->topics[i].topic_id;
    }
    for (int32_t i = 0; i < body->topic_names_count; i++)
        responses[i].name = body->topic_names[i];
}

static void delete_write(struct change *change, struct topics_context *context)
{
    struct delete_topics *delete = container_of(change, struct delete_topics, change);
    /* It may have been judged before, and have lost its place to another change. */
    read_topics(change->request, delete->response->responses, delete->response->responses_count);
    for (int32_t i = 0; i < delete->response->responses_count; i++)
        delete_one(context, &delete->response->responses[i]);
}

static void delete_done(struct change *change, int error)
{
    struct delete_topics *delete = container_of(change, struct delete_topics, change);
    for (int32_t i = 0; i < delete->response->responses_count && error != ERR_NONE; i++) {
        if (delete->response->responses[i].error_code == ERR_NONE)
            delete->response->responses[i].error_code = (int16_t)error;
    }
    request_reply(change->request, delete->response);
}

void delete_topics_handle(struct broker *broker, struct request *request)
{
    const struct delete_topics_request *body = request->body;
    const int32_t count =
        request->version >= VERSION_WITH_IDS ? body->topics_count : body->topic_names_count;
    struct delete_topics *delete = change_new(broker, request, sizeof(*delete));
    if (delete == NULL)
        return;
    delete->change.write = delete_write;
    delete->change.done = delete_done;
    delete->response = request_response(request);
    struct delete_topics_response_response *responses =
        arena_array(&request->arena, (size_t)count, sizeof(*responses));
    if (delete->response == NULL || responses == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    read_topics(request, responses, count);
    delete->response->responses = responses;
    delete->response->responses_count = count;
    change_propose(&delete->change);
}
