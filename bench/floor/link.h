/* SPDX-License-Identifier: Apache-2.0 */
/* A client's connection: what was received of it, and what it is to be sent. */
#ifndef BENCH_FLOOR_LINK_H
#define BENCH_FLOOR_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/floor/topics.h"

#define LINK_FILES_MAX 1024 /* replies with bytes of files that wait to be sent */

/* Bytes of a file that follow the first `at` of the output. */
struct link_file {
    size_t at;
    int file;
    uint64_t position;
    size_t length;
};

/* A fetch that waits for something to come. */
struct link_wait {
    struct partition *partition; /* NULL: none waits */
    int32_t correlation_id;
    int64_t offset;
    uint32_t bytes_max;
    int64_t until_ns;
};

struct link {
    int socket; /* -1: closed */
    uint8_t *input;
    size_t input_capacity;
    size_t input_length;
    size_t used; /* of the input, in this turn */
    uint8_t *output;
    size_t output_capacity;
    size_t output_length;
    size_t output_sent;
    struct link_file files[LINK_FILES_MAX];
    uint32_t files_first;
    uint32_t files_count;
    struct link_wait wait;
    uint32_t pending; /* replies that wait for followers */
    bool full;        /* the poll is to tell when more can be sent */
    bool dirty;       /* in the list of those that this turn has touched */
};

/* Receives once. Returns 0; or -1 when the connection is to be closed. */
int link_receive(struct link *link);

/* At the turn's end: drops what was used, and makes room for a frame of `wanted` bytes. Returns 0;
 * or -1 when memory is short. */
int link_compact(struct link *link, size_t wanted);

/* Room for `length` bytes at the output's end, which are counted as written; NULL when memory is
 * short. */
uint8_t *link_put(struct link *link, size_t length);

/* Has bytes of a file follow. Returns 0; or -1 when too many do. */
int link_put_file(struct link *link, int file, uint64_t position, size_t length);

/* Sends what can be sent without waiting; link->full tells that there is more. Returns 0; or -1
 * when the connection is to be closed. */
int link_send(struct link *link);

#endif
