/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes "n1" to "n3", each a process in a world of memory of its own, and the links between them;
 * or a test that plays a node. */
#ifndef TESTS_CORE_PEER_RIG_H
#define TESTS_CORE_PEER_RIG_H

#include <check.h>

#include "core/peer/frames.h"
#include "core/peer/peers.h"
#include "core/wire/error.h"
#include "tests/support/runner.h"
#include "tests/support/world.h"

#define RIG_NODES      3
#define RIG_PORT       9093
#define RIG_PAYLOAD    (PEER_MESSAGE_FIRST + 1)
#define HEARTBEAT_MS   500
#define SILENCE_MS     2000
#define RIG_EVENTS_MAX 256

/* What an observer was told. */
struct rig_told {
    enum { TOLD_UP, TOLD_DOWN, TOLD_DIED, TOLD_SILENT, TOLD_DRAINED } kind;
    int32_t node_id;
    struct uuid incarnation; /* DIED */
};

struct rig_node {
    struct peers_observer observer;
    int32_t id;
    struct world *world;
    struct memory memory;
    struct effects *effects;
    struct io io;
    struct op listen_op;
    struct peers *peers; /* NULL: its process does not run */
    struct peers_identity identity;
    bool says_where; /* it is reached; set before the start */
    uint64_t boots;
    struct rig_told told[RIG_EVENTS_MAX];
    uint32_t told_count;
    uint32_t received_count; /* messages */
    uint64_t received_bytes; /* in their payloads, which are the pattern */
    int16_t received_type;
    const char *objects;     /* to every message */
    struct buffer *kept[64]; /* of messages, when … */
    uint32_t kept_count;
    bool keeps;
};

extern struct rig_node rig_nodes[RIG_NODES + 1]; /* by id */

/* The fixture: worlds that know each other, without processes. */
void rig_begin(void);
void rig_end(void);

/* A process starts, with another incarnation each time, and listens; it knows nobody yet. */
struct rig_node *rig_start(int32_t id);
void rig_kill(int32_t id);

/* `a` dials `b`. */
void rig_know(int32_t a, int32_t b);

/* Turns, until nothing happens any more; and with time going by for all. */
void rig_run(void);
void rig_advance(int64_t ms);

/* How often a node was told this of another. */
uint32_t rig_count(const struct rig_node *node, int kind, int32_t of);
bool rig_is_up(const struct rig_node *node, int32_t to);

/* When a node last heard another; 0: never. */
uint64_t rig_heard_us(const struct rig_node *node, int32_t of);

/* Sends a message with so many bytes of the pattern, which lie in a buffer of their own. */
int rig_send(struct rig_node *from, int32_t to, uint32_t bytes);

/* A test that dials a node: bytes of one frame, and what came. */
uint64_t rig_dial(const struct rig_node *node);
void rig_say(const struct rig_node *node, uint64_t connection, const struct small_frame *frame);
/* The type of the next frame, which is taken; 0: none came. */
int16_t rig_hears(const struct rig_node *node, uint64_t connection, struct small_frame *ret_frame);

#endif
