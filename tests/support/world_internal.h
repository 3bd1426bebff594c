/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of tests/support/world.c share. */
#ifndef TESTS_SUPPORT_WORLD_INTERNAL_H
#define TESTS_SUPPORT_WORLD_INTERNAL_H

#include "core/base/rng.h"
#include "tests/support/world.h"

#define WORLD_FOLDERS_MAX    4
#define WORLD_FAULTS_MAX     8
#define WORLD_PATH_BYTES_MAX 512

struct world_node; /* a file or a folder */

/* A growing run of bytes of the world's own. */
struct world_bytes {
    uint8_t *data;
    size_t length;
    size_t capacity;
};

/* A file number of the process: asked for, open when it has a node, or closed again. */
struct world_handle {
    uint64_t file;
    char *path;
    struct world_node *node;
    bool writes;
};

struct world_disk {
    struct rng *rng;
    struct world_node *roots[WORLD_FOLDERS_MAX];
    struct world_node *nodes; /* all that ever were, for the end */
    struct world_handle *handles;
    size_t handles_count;
    size_t handles_capacity;
    uint64_t used_bytes;
    uint64_t capacity_bytes;
    struct folder_entry *listed; /* what the last LIST found */
    size_t listed_count;
};

struct world_connection;

struct world_net {
    struct world_connection *connections;
    uint64_t last_connection;
    uint64_t listening; /* a bit for each listener */
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

void *world_allocate(void *block, size_t size); /* realloc that cannot fail */
void world_bytes_set(struct world_bytes *bytes, size_t offset, const void *data, size_t length);
void world_bytes_resize(struct world_bytes *bytes, size_t length);

void disk_init(struct world_disk *disk, struct rng *rng);
void disk_free(struct world_disk *disk);
/* Notes the path of a file number, which was never used before; and finds it again. */
void disk_file_named(struct world_disk *disk, uint64_t file, struct span path);
struct span disk_file_path(const struct world_disk *disk, uint64_t file);
bool disk_serves(enum effect_kind kind);
void disk_submitted(struct world_disk *disk, struct world_effect *asked);
/* Carries one effect out. `bytes_max`: a write stops after so many with `error`; any other effect
 * does nothing when `error` is set. */
void disk_carry_out(struct world_disk *disk, const struct world_effect *asked, int error,
                    uint64_t bytes_max, struct completion *completion);
void disk_process_ended(struct world_disk *disk);
void disk_power_loss(struct world_disk *disk);

bool net_serves(enum effect_kind kind);
/* False while the effect has to wait for the client. */
bool net_is_due(const struct world_net *net, const struct effect *effect);
void net_carry_out(struct world_net *net, struct world_disk *disk, const struct effect *effect,
                   struct completion *completion);
void net_process_ended(struct world_net *net);
void net_free(struct world_net *net);
/* The connection that waits longest to be accepted; 0: none. */
uint64_t net_next_accept(struct world_net *net, uint32_t *ret_listener);

/* Bytes of an open file, for sends of file ranges; NULL when they are not there. */
const uint8_t *disk_bytes(const struct world_disk *disk, uint64_t file, uint64_t offset,
                          size_t length);

bool faults_hold(const struct world_faults *faults, const struct world_effect *asked);
/* The error that an effect ends with, and the bytes that a write does before it. */
int faults_draw(struct world_faults *faults, const struct world_effect *asked, uint64_t *ret_bytes);

struct world_faults *world_faults_of(struct world *world);
struct world_disk *world_disk_of(struct world *world);
const struct world_disk *world_disk_of_const(const struct world *world);
struct world_net *world_net_of(struct world *world);
const struct world_net *world_net_of_const(const struct world *world);

#endif
