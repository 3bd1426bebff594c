/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the scenario of a trace again with its seed, and compares it event by event. */
#ifndef SIM_REPLAY_RUN_H
#define SIM_REPLAY_RUN_H

#include "sim/replay.h"
#include "sim/trace.h"

struct replay_run {
    uint64_t steps;               /* that were the same */
    uint64_t digest;              /* over all of them */
    char text[REPLAY_TEXT_BYTES]; /* what is wrong, unless it is the same */
};

/* True when the file begins as a SQLite database does. */
bool replay_is_trace(struct span bytes);

/* Replays the trace at `path`; REPLAY_DIVERGED names the first event that is another one. */
enum replay_result replay_run(const char *path, struct replay_run *ret_replay);

#endif
