/* SPDX-License-Identifier: Apache-2.0 */
#include "core/frame.h"

#include "core/api/table.h"
#include "core/base/endian.h"
#include "core/base/format.h"
#include "core/broker_state.h"
#include "core/peer/message.h"
#include "core/session.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Frames up to this size are copied, so that a request that waits (a fetch, a join) does not hold
 * the buffer that was received with it, which is at least twice as large. */
#define FRAME_COPIED_BYTES_MAX 32768

/* Says which request it was that closes its connection. */
static void refuse(struct request *request, const char *name, int16_t version, const char *what)
{
    const struct span why =
        arena_format(&request->arena, "%s version %d %s%c", name, version, what, 0);
    request_refuse(request, span_is_null(why) ? what : (const char *)why.data);
}

/* The API that the frame asks for, its version and its handler. False: it was refused. An
 * ApiVersions request of a version to come is taken without its body, which its handler answers
 * with the range that we know (KIP-511). */
static bool frame_route(struct request *request, int16_t key, int16_t version)
{
    const struct api_entry *entry = api_find(key);
    const struct wire_api *api = entry == NULL ? NULL : wire_api_find(key);
    if (key == PEER_HELLO) {
        request_refuse(request, "it is a node of a cluster, for which there are other listeners: "
                                "see to controller.quorum.voters");
        return false;
    }
    if (api == NULL) {
        request_refuse(request, "it asked for an API that is not served");
        return false;
    }
    request->api = api;
    request->handler = entry->handler;
    request->version = version;
    if (version >= api->request->version_min && version <= api->request->version_max)
        return true;
    if (key != API_API_VERSIONS) {
        refuse(request, api->name, version, "is not served");
        return false;
    }
    request->version = 0;
    request->handler(request->session->broker, request);
    return false;
}

static bool frame_decode(struct request *request, struct span bytes)
{
    const struct wire_api *api = request->api;
    struct request_header header;
    size_t used = 0;
    int error =
        wire_decode_prefix(&wire_request_header, wire_request_header_version(api, request->version),
                           bytes, &request->arena, &header, &used);
    if (error != ERR_NONE)
        return false;
    request->client_id = header.client_id;
    void *body = arena_take(&request->arena, api->request->size);
    if (body == NULL)
        return false;
    error = wire_decode(api->request, request->version,
                        span_of(bytes.data + used, bytes.length - used), &request->arena, body);
    request->body = body;
    return error == ERR_NONE;
}

/* The frame's bytes, in the request's own memory if they are few. What is produced stays where it
 * was received: the log takes it from there. */
static struct span frame_settle(struct request *request, struct span bytes)
{
    if (request->api->key == API_PRODUCE || bytes.length > FRAME_COPIED_BYTES_MAX)
        return bytes;
    const struct span copy = arena_copy(&request->arena, bytes);
    if (span_is_null(copy))
        return bytes;
    buffer_release(request->frame);
    request->frame = NULL;
    return copy;
}

void frame_handle(struct session *session, struct buffer *buffer, struct span bytes)
{
    struct request *request = request_new(session, buffer, (uint32_t)bytes.length);
    if (request == NULL) {
        session_close(session, "there is no memory for its request");
        return;
    }
    const int16_t key = (int16_t)get_be16(bytes.data);
    const int16_t version = (int16_t)get_be16(bytes.data + 2);
    request->correlation_id = (int32_t)get_be32(bytes.data + 4);
    if (!frame_route(request, key, version))
        return;
    if (!frame_decode(request, frame_settle(request, bytes))) {
        refuse(request, request->api->name, version, "is malformed");
        return;
    }
    request_count(request);
    request->handler(session->broker, request);
}
