/* SPDX-License-Identifier: Apache-2.0 */
#include "core/peer/frames.h"

#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/peer/state.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

#define SMALL_VERSION 0 /* of the messages of the handshake: they come before any agreement */

static void small_write(struct small_frame *frame, int16_t type, const struct wire_schema *schema,
                        const void *message)
{
    const size_t head = FRAME_SIZE_BYTES + PEER_TYPE_BYTES;
    struct wire_writer writer = {.data = frame->bytes + head,
                                 .capacity = sizeof(frame->bytes) - head};
    CHECK(wire_encode(schema, SMALL_VERSION, message, &writer) == ERR_NONE);
    put_be32(frame->bytes, (uint32_t)(PEER_TYPE_BYTES + writer.length));
    put_be16(frame->bytes + FRAME_SIZE_BYTES, (uint16_t)type);
    frame->length = (uint32_t)(head + writer.length);
}

void frame_hello(const struct peers *peers, int32_t to_node_id, struct small_frame *ret_frame)
{
    const struct peers_identity *self = &peers->identity;
    const struct peer_hello hello = {
        .magic = PEER_MAGIC,
        .cluster_id = self->cluster_id,
        .to_node_id = to_node_id,
        .node_id = self->node_id,
        .directory_id = self->directory_id,
        .incarnation = self->incarnation,
        .version_lowest = PEER_VERSION_LOWEST,
        .version_highest = PEER_VERSION_HIGHEST,
        .host = self->host.length == 0 || self->host.length > PEER_HOST_BYTES_MAX ? SPAN("")
                                                                                  : self->host,
        .port = self->port,
    };
    small_write(ret_frame, PEER_HELLO, &wire_peer_hello, &hello);
}

void frame_welcome(const struct peers *peers, int16_t version, int64_t nonce,
                   struct small_frame *ret_frame)
{
    const struct peers_identity *self = &peers->identity;
    const struct peer_welcome welcome = {
        .cluster_id = self->cluster_id,
        .node_id = self->node_id,
        .directory_id = self->directory_id,
        .incarnation = self->incarnation,
        .version = version,
        .nonce = nonce,
    };
    small_write(ret_frame, PEER_WELCOME, &wire_peer_welcome, &welcome);
}

void frame_refusal(int16_t error_code, struct span text, struct small_frame *ret_frame)
{
    const struct peer_refusal refusal = {.error_code = error_code, .text = text};
    small_write(ret_frame, PEER_REFUSAL, &wire_peer_refusal, &refusal);
}

void frame_heartbeat(int64_t nonce, struct small_frame *ret_frame)
{
    const struct peer_heartbeat heartbeat = {.nonce = nonce};
    small_write(ret_frame, PEER_HEARTBEAT, &wire_peer_heartbeat, &heartbeat);
}

int16_t frame_type(struct span frame, struct span *ret_body)
{
    CHECK(frame.length >= PEER_TYPE_BYTES);
    *ret_body = span_of(frame.data + PEER_TYPE_BYTES, frame.length - PEER_TYPE_BYTES);
    return (int16_t)get_be16(frame.data);
}

/* None of the small messages has arrays, for which alone a decoder takes memory. */
static bool small_read(const struct wire_schema *schema, struct span body, void *ret_message)
{
    struct arena none = {0};
    return wire_decode(schema, SMALL_VERSION, body, &none, ret_message) == ERR_NONE;
}

bool frame_read_hello(struct span body, struct peer_hello *ret_hello)
{
    return small_read(&wire_peer_hello, body, ret_hello) && ret_hello->magic == PEER_MAGIC;
}

bool frame_read_welcome(struct span body, struct peer_welcome *ret_welcome)
{
    return small_read(&wire_peer_welcome, body, ret_welcome);
}

bool frame_read_refusal(struct span body, struct peer_refusal *ret_refusal)
{
    return small_read(&wire_peer_refusal, body, ret_refusal);
}

bool frame_read_heartbeat(struct span body, int64_t *ret_nonce)
{
    struct peer_heartbeat heartbeat;
    if (!small_read(&wire_peer_heartbeat, body, &heartbeat))
        return false;
    *ret_nonce = heartbeat.nonce;
    return true;
}
