/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the sink of a replay the requests and replies that passed, which nobody else sees whole:
 * they are cut out of the bytes that the broker received and sent. */
#ifndef SIM_REPLAY_MESSAGES_H
#define SIM_REPLAY_MESSAGES_H

#include "sim/sim.h"

struct replay_messages;

/* For the machine `host` of a world in which there is a sink; both are borrowed. */
struct replay_messages *replay_messages_new(struct sim *sim, struct host *host);

/* NULL is a no-op. */
void replay_messages_free(struct replay_messages *messages);

/* Nodes speak to one another on this connection, of which nothing is told. */
void replay_messages_link(struct replay_messages *messages, uint64_t connection);

/* The broker asked for an effect: one that sends may make replies whole, one that closes loses what
 * waits for one. `cause` is its number. */
void replay_messages_effect(struct replay_messages *messages, const struct effect *effect,
                            uint64_t cause);

/* Effect `id` has brought bytes: one that receives may make requests whole. `cause` is the number
 * of the event. */
void replay_messages_completed(struct replay_messages *messages, uint64_t id, struct span bytes,
                               uint64_t cause);

#endif
