/* SPDX-License-Identifier: Apache-2.0 */
/* One broker and its clients in the world of memory, of whose steps some are counted. */
#ifndef BENCH_INSTRUCTIONS_RIG_H
#define BENCH_INSTRUCTIONS_RIG_H

#include "tests/support/client.h"
#include "tests/support/node.h"

/* Blocks of the core: lists of free ones, by the power of two that they take. Each costs the same
 * few instructions, whatever else the process did with its heap. */
#define BLOCK_CLASSES 48

struct blocks {
    uint8_t *region;
    size_t used_bytes;
    void *free[BLOCK_CLASSES];
    uint64_t taken; /* ever */
};

struct rig {
    struct node node;
    struct blocks blocks;
    struct client *client;
    struct client *other; /* who produces while the first one waits */
    bool counts;
    uint64_t steps;   /* that were counted */
    uint64_t round;   /* of the arm's, from 0 on */
    void *request;    /* what the arm's rounds send, made once */
    void *request_of; /* the other client's */
};

/* Starts a broker with the default settings but for the groups' that take time, and connects both
 * clients. */
void rig_init(struct rig *rig);
void rig_free(struct rig *rig);

/* `count` zeroed items that live as long as the first client. */
void *rig_array(struct rig *rig, size_t count, size_t size);

/* Sends the request by the first client and runs the world: the response, which there has to be. */
void *rig_call(struct rig *rig, int16_t api_key, int16_t version, const void *request);

#endif
