/* SPDX-License-Identifier: Apache-2.0 */
/* What is not the data path: through the tables of core/wire. */
#ifndef BENCH_FLOOR_ADMIN_H
#define BENCH_FLOOR_ADMIN_H

#include "bench/floor/floor.h"

/* Answers ApiVersions, Metadata, CreateTopics and ListOffsets. `frame` is a request behind its
 * length. Returns 0; or -1 with a word on stderr: the connection is to be closed. */
int admin_answer(struct floor *floor, struct link *link, struct span frame);

#endif
