/* SPDX-License-Identifier: Apache-2.0 */
/* What nodes of a cluster send one another: the types of their frames, and limits of these. */
#ifndef CORE_PEER_MESSAGE_H
#define CORE_PEER_MESSAGE_H

#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/span.h"
#include "core/input.h"

/* The protocol between nodes. Two nodes speak the highest version that both know, and every message
 * behind the handshake is encoded in that version: each of its schemas has all of these. What came
 * with each:
 *
 *     1  replica_ack.log_start: where a follower's log begins */
#define PEER_VERSION_LOWEST  0
#define PEER_VERSION_HIGHEST 1

/* The first bytes of a hello: "chronikL". */
#define PEER_MAGIC INT64_C(0x6368726f6e696b4c)

/* A frame's type. The hello's is one that no API of Kafka's has, so that a node and a client that
 * meet know each other for what they are; from PEER_MESSAGE_FIRST on they are the messages of
 * whoever uses links. */
enum peer_type {
    PEER_WELCOME = 1,
    PEER_REFUSAL = 2,
    PEER_HEARTBEAT = 3,
    PEER_MESSAGE_FIRST = 16,
    PEER_HELLO = 0x6b70,
};

/* Behind the size. */
#define PEER_TYPE_BYTES 2

/* Frames of the handshake, and heartbeats, are no larger than this; all others are no larger than
 * PEER_FRAME_BYTES_MAX. Both with their type, without their size. */
#define PEER_SMALL_BYTES_MAX 512
#define PEER_FRAME_BYTES_MAX ((uint32_t)16 * 1024 * 1024)

/* One message of a peer. Borrowed for the call, but for what the buffer holds. */
struct peer_message {
    int32_t node_id;
    struct uuid directory_id;
    int16_t type;          /* at least PEER_MESSAGE_FIRST */
    int16_t version;       /* of the protocol, which the link speaks */
    struct span body;      /* lies in … */
    struct buffer *buffer; /* … this */
};

#endif
