/* SPDX-License-Identifier: Apache-2.0 */
/* Brokers that are one cluster, for fuzz targets, and the input that says what happens to them. */
#ifndef FUZZ_NODES_H
#define FUZZ_NODES_H

#include "core/base/buffer.h"
#include "core/wire/codec.h"
#include "tests/support/node.h"

#define NODES_MAX 3

/* The most that nodes_hear() takes. */
#define NODES_MESSAGE_BYTES 4096

/* By id, from 1. */
extern struct node nodes[NODES_MAX + 1];

/* Aborts when it does not hold. */
void must(bool condition);

/* So many nodes, each of which votes, run and serve; the input is `data`. `folders`: log.dirs, or
 * NULL. */
void nodes_begin(int32_t count, const char *folders, const uint8_t *data, size_t size);
void nodes_end(void);

/* Time goes by for all that run. */
void nodes_advance(int64_t ms);

/* What is left of the input. */
size_t input_left(void);
void input_end(void);
uint8_t next_byte(void); /* 0 at its end */
/* Near `truth`, as a rule. */
int64_t next_number(int64_t truth);

/* The node gets a message of another one that never sent it. */
void nodes_hear(struct node *node, int32_t from, int16_t type, struct span body);
void nodes_hear_message(struct node *node, int32_t from, int16_t type,
                        const struct wire_schema *schema, const void *message);

#endif
