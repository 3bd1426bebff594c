/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of tests/support/world.c share. */
#ifndef TESTS_SUPPORT_WORLD_INTERNAL_H
#define TESTS_SUPPORT_WORLD_INTERNAL_H

#include "core/base/rng.h"
#include "sim/file_node.h"
#include "sim/files.h"
#include "tests/support/world.h"

#define WORLD_FAULTS_MAX     8
#define WORLD_PATH_BYTES_MAX 512
#define WORLD_LISTENERS_MAX  64
#define WORLD_NEIGHBOURS_MAX 8

struct world_connection;

/* Another world, by the name of its host. */
struct world_neighbour {
    const char *host;
    struct world_net *net;
};

struct world_net {
    struct world_connection **connections; /* by their numbers, which begin at 1 */
    uint64_t connections_count;
    uint64_t connections_capacity;
    uint64_t accepted_count; /* of the first ones, all that the process will ever accept */
    struct world_neighbour neighbours[WORLD_NEIGHBOURS_MAX];
    uint32_t neighbours_count;
    uint64_t listening; /* a bit for each listener */
    uint16_t ports[WORLD_LISTENERS_MAX];
    size_t receive_max;
};

/* An effect that was asked for and not carried out yet. */
struct world_effect {
    struct effect effect;
    uint64_t hash;   /* of all bytes that it points at */
    uint64_t covers; /* SYNC, SYNC_FOLDER: the file's changes up to this one */
    char path[WORLD_PATH_BYTES_MAX];
};

struct world_fault {
    enum effect_kind kind;
    char part[64]; /* "": any path */
    uint32_t skip;
    uint32_t times;
    int error;
    uint64_t bytes;
    bool holds;
};

struct world_faults {
    struct world_fault items[WORLD_FAULTS_MAX];
    uint32_t count;
};

bool world_net_serves(enum effect_kind kind);
/* False while the effect has to wait for the client. */
bool world_net_is_due(const struct world_net *net, const struct effect *effect);
void world_net_carry_out(struct world_net *net, uint64_t now_us, struct files *files,
                         const struct effect *effect, struct completion *completion);
/* True when `other` is under way on the connection of `close`, which ends it before itself. */
bool world_net_ends_first(struct world_net *net, const struct effect *close,
                          const struct effect *other);
void world_net_process_ended(struct world_net *net);
void world_net_free(struct world_net *net);
/* The connection that waits longest to be accepted; 0: none. */
uint64_t world_net_next_accept(struct world_net *net, uint32_t *ret_listener);

bool faults_hold(const struct world_faults *faults, const struct world_effect *asked);
/* The error that an effect ends with, and the bytes that a write does before it. */
int faults_draw(struct world_faults *faults, const struct world_effect *asked, uint64_t *ret_bytes);

struct world_faults *world_faults_of(struct world *world);
struct files *world_files_of(struct world *world);
const struct files *world_files_of_const(const struct world *world);
struct world_net *world_net_of(struct world *world);
const struct world_net *world_net_of_const(const struct world *world);

#endif
