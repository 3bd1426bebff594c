/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of bench/floor: everything that is there in one turn, then the next. */
#ifndef BENCH_FLOOR_SERVER_H
#define BENCH_FLOOR_SERVER_H

#include "bench/floor/floor.h"

/* Begins to listen. Returns 0 or an errno. */
int server_start(struct floor *floor);

/* Serves until a follower is gone or the disk fails. Returns the errno. */
int server_run(struct floor *floor);

#endif
