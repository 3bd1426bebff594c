/* SPDX-License-Identifier: Apache-2.0 */
/* The small frames of a link: of the handshake, and heartbeats. */
#ifndef CORE_PEER_FRAMES_H
#define CORE_PEER_FRAMES_H

#include <stdbool.h>

#include "core/peer/message.h"
#include "core/wire/messages.h"

struct peers;

/* One small frame with its size, as it is sent. */
struct small_frame {
    uint32_t length;
    uint8_t bytes[FRAME_SIZE_BYTES + PEER_SMALL_BYTES_MAX];
};

/* Each fills `ret_frame`. A cluster's id and a text are short enough to fit. */
void frame_hello(const struct peers *peers, int32_t to_node_id, struct small_frame *ret_frame);
void frame_welcome(const struct peers *peers, int16_t version, int64_t nonce,
                   struct small_frame *ret_frame);
void frame_refusal(int16_t error_code, struct span text, struct small_frame *ret_frame);
void frame_heartbeat(int64_t nonce, struct small_frame *ret_frame);

/* The type of a frame of at least PEER_TYPE_BYTES, and what follows it. */
int16_t frame_type(struct span frame, struct span *ret_body);

/* Each reads a frame's body; texts point there. False when it is none. */
bool frame_read_hello(struct span body, struct peer_hello *ret_hello);
bool frame_read_welcome(struct span body, struct peer_welcome *ret_welcome);
bool frame_read_refusal(struct span body, struct peer_refusal *ret_refusal);
bool frame_read_heartbeat(struct span body, int64_t *ret_nonce);

#endif
