/* SPDX-License-Identifier: Apache-2.0 */
/* What waits to be sent to a peer, and how it is gathered. */
#include "core/base/check.h"
#include "core/base/endian.h"
#include "core/peer/state.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

/* A message that waits to be sent. */
struct parcel {
    struct list place;
    size_t size;           /* of this block */
    uint64_t bytes;        /* on the wire */
    struct buffer *buffer; /* holds what is attached; NULL: nothing is */
    struct piece pieces[3];
    uint32_t pieces_count;
    uint8_t head[]; /* what was encoded */
};

/* One send has at most so many bytes, but for a larger message: a link that moves is seen to. */
#define SEND_BYTES_MAX ((uint64_t)256 * 1024)

/* Messages that wait, past which there is no room. */
#define QUEUE_BYTES_MAX ((uint64_t)8 * 1024 * 1024)

static void send_ready(struct turn_task *task);

static void parcels_free(struct peer *peer, struct list *parcels)
{
    struct list *place;
    while ((place = list_pop(parcels)) != NULL) {
        struct parcel *parcel = container_of(place, struct parcel, place);
        peer->out.queued_bytes -= parcel->bytes;
        buffer_release(parcel->buffer);
        memory_give(peer->peers->io->memory, MEMORY_PEER_SEND, parcel, parcel->size);
    }
}

static void sent(struct op *op, const struct completion *completion)
{
    struct peer *peer = container_of(op, struct peer, out.send_op);
    struct outbound *out = &peer->out;
    struct peers *peers = peer->peers;
    parcels_free(peer, &out->sending);
    if (out->state == OUTBOUND_CLOSING) {
        outbound_settle(peer);
        return;
    }
    if (completion->error != ERR_NONE) {
        outbound_close(peer, NULL);
        return;
    }
    io_at_turn_end(peers->io, &out->send_task, send_ready);
    if (!out->was_full || out->queued_bytes > QUEUE_BYTES_MAX / 2)
        return;
    out->was_full = false;
    if (peers->observer->drained != NULL)
        peers->observer->drained(peers->observer, peer->node_id);
}

static void piece_add(struct peer *peer, uint32_t *count, struct piece piece)
{
    struct outbound *out = &peer->out;
    out->pieces = memory_grow(peer->peers->io->memory, out->pieces, &out->pieces_capacity,
                              *count + 1, sizeof(struct piece));
    out->pieces[(*count)++] = piece;
}

/* One gathered send of what waits, a hello or heartbeat first. */
static void send_ready(struct turn_task *task)
{
    struct peer *peer = container_of(task, struct peer, out.send_task);
    struct outbound *out = &peer->out;
    struct io *io = peer->peers->io;
    uint32_t count = 0;
    uint64_t bytes = 0;
    if ((out->state != OUTBOUND_GREETING && out->state != OUTBOUND_UP) || op_busy(&out->send_op))
        return;
    if (out->small_waits) {
        out->small_waits = false;
        if (out->state == OUTBOUND_GREETING)
            frame_hello(peer->peers, peer->node_id, &out->small);
        else
            frame_heartbeat(out->nonce, &out->small);
        piece_add(peer, &count,
                  (struct piece){.data = out->small.bytes, .length = out->small.length});
    }
    while (!list_empty(&out->queue) && bytes < SEND_BYTES_MAX) {
        struct parcel *parcel = container_of(out->queue.next, struct parcel, place);
        list_remove(&parcel->place);
        list_append(&out->sending, &parcel->place);
        for (uint32_t i = 0; i < parcel->pieces_count; i++)
            piece_add(peer, &count, parcel->pieces[i]);
        bytes += parcel->bytes;
    }
    if (count == 0)
        return;
    out->sent_us = io->now_us;
    io_send(io, &out->send_op, sent, out->connection, out->pieces, count);
}

void outbound_send_small(struct peer *peer)
{
    peer->out.small_waits = true;
    io_at_turn_end(peer->peers->io, &peer->out.send_task, send_ready);
}

void outbound_forget(struct peer *peer)
{
    peer->out.was_full = false;
    peer->out.small_waits = false;
    parcels_free(peer, &peer->out.queue);
}

void outbound_free_parcels(struct peer *peer)
{
    parcels_free(peer, &peer->out.queue);
    parcels_free(peer, &peer->out.sending);
}

/* Cuts what was encoded in pieces, around what is attached. */
static void parcel_cut(struct parcel *parcel, const struct wire_writer *writer, size_t head,
                       struct span attached)
{
    const size_t length = head + writer->length;
    if (writer->splits_count == 0) {
        parcel->pieces[0] = (struct piece){.data = parcel->head, .length = length};
        parcel->pieces_count = 1;
        return;
    }
    const size_t cut = head + writer->splits[0].position;
    CHECK(writer->splits[0].length == attached.length);
    parcel->pieces[0] = (struct piece){.data = parcel->head, .length = cut};
    parcel->pieces[1] = (struct piece){.data = attached.data, .length = attached.length};
    parcel->pieces[2] = (struct piece){.data = parcel->head + cut, .length = length - cut};
    parcel->pieces_count = 3;
}

int outbound_send(struct peer *peer, int16_t type, const struct wire_schema *schema,
                  const void *message, struct buffer *buffer, struct span attached)
{
    struct outbound *out = &peer->out;
    struct memory *memory = peer->peers->io->memory;
    if (out->state != OUTBOUND_UP)
        return ERR_CLOSED;
    const size_t head = FRAME_SIZE_BYTES + PEER_TYPE_BYTES;
    const size_t whole = wire_size(schema, out->version, message);
    CHECK(whole >= attached.length && whole <= PEER_FRAME_BYTES_MAX - PEER_TYPE_BYTES);
    struct parcel *parcel = NULL;
    const size_t size = sizeof(*parcel) + head + whole - attached.length;
    if (out->queued_bytes == 0 || out->queued_bytes + head + whole <= QUEUE_BYTES_MAX)
        parcel = memory_take(memory, MEMORY_PEER_SEND, size);
    if (parcel == NULL) {
        out->was_full = true;
        return ERR_LIMIT;
    }
    struct wire_split split;
    struct wire_writer writer = {.data = parcel->head + head,
                                 .capacity = whole - attached.length,
                                 .splits = &split,
                                 .splits_capacity = 1};
    CHECK(wire_encode(schema, out->version, message, &writer) == ERR_NONE);
    put_be32(parcel->head, (uint32_t)(PEER_TYPE_BYTES + whole));
    put_be16(parcel->head + FRAME_SIZE_BYTES, (uint16_t)type);
    parcel->size = size;
    parcel->bytes = head + whole;
    parcel->buffer = buffer == NULL ? NULL : buffer_hold(buffer);
    parcel_cut(parcel, &writer, head, attached);
    out->queued_bytes += parcel->bytes;
    list_append(&out->queue, &parcel->place);
    io_at_turn_end(peer->peers->io, &out->send_task, send_ready);
    return ERR_NONE;
}
