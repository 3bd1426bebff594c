/* SPDX-License-Identifier: Apache-2.0 */
/* Replication: a follower's process. */
#ifndef BENCH_FLOOR_FOLLOWER_H
#define BENCH_FLOOR_FOLLOWER_H

#include <stdint.h>

#include "bench/floor/options.h"

/* Connects to the leader, writes what it sends into files in the folder FOLDER/follower-NUMBER, and
 * acknowledges; ends with the leader. */
_Noreturn void follower_run(const struct floor_options *options, uint32_t number, uint16_t port);

#endif
