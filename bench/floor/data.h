/* SPDX-License-Identifier: Apache-2.0 */
/* The data path: Produce 3 to 7 and Fetch 4, of one partition a request, by hand. */
#ifndef BENCH_FLOOR_DATA_H
#define BENCH_FLOOR_DATA_H

#include "bench/floor/floor.h"

#define DATA_PRODUCE_MIN 3
#define DATA_PRODUCE_MAX 7
#define DATA_FETCH       4

/* A request behind the length, which names its API. */
struct data_request {
    int16_t api;
    int16_t version;
    int32_t correlation_id;
    uint8_t *at; /* behind the correlation id */
    const uint8_t *end;
};

/* Takes a batch into the turn, and puts the reply, or has it wait for followers. Returns 0; or -1
 * with a word on stderr: the connection is to be closed. */
int data_produce(struct floor *floor, struct link *link, struct data_request *request);

/* Puts what the log has, or has the fetch wait. Returns as data_produce(). */
int data_fetch(struct floor *floor, struct link *link, struct data_request *request);

/* Puts the reply to a produce request. Returns 0; or -1 when memory is short. */
int data_put_produced(struct link *link, const struct partition *partition, int32_t correlation_id,
                      int64_t base_offset);

/* Puts the reply to the fetch that waits, with what there is, and it waits no more. Returns 0; or
 * -1. */
int data_put_fetched(struct link *link);

#endif
