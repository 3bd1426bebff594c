/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a broker in a world of memory, as bytes. Any bytes are a tape; it is a sequence
 * of actions:
 *
 *     0x00–0x03  connection 0–3 sends: length (16 bits), then so many bytes
 *     0x10–0x13  connection 0–3 is closed by its client, and opened anew
 *     0x14–0x17  connection 0–3 reads nothing any more; once more: it reads again
 *     0x20       time passes: milliseconds (16 bits)
 *     0x21       receives bring at most so many bytes (8 bits; 0: no limit)
 *     0x22       kill -9 and a new start
 *     0x23       SIGTERM and a new start
 *     0x24       the power fails; a new start
 *     0x25       time passes: minutes (8 bits)
 *     0x26       an effect fails, as fault_add() (fuzz/faults.h) says: which, skip (8 bits)
 *     0x27       the disk has room for so many KiB (16 bits; 0: no limit)
 *     0x28       such effects hang: which (8 bits); 0x29: they go on
 *     others     nothing
 *
 * Of starts, failures and hours some are played, the others are passed over.
 */
#ifndef FUZZ_TAPE_H
#define FUZZ_TAPE_H

#include "tests/support/node.h"

#define TAPE_CONNECTIONS 4

enum tape_action {
    TAPE_SEND = 0x00,
    TAPE_CLOSE = 0x10,
    TAPE_PAUSE = 0x14,
    TAPE_MILLISECONDS = 0x20,
    TAPE_RECEIVE_MAX = 0x21,
    TAPE_KILL = 0x22,
    TAPE_STOP = 0x23,
    TAPE_POWER_LOSS = 0x24,
    TAPE_MINUTES = 0x25,
    TAPE_FAIL = 0x26,
    TAPE_CAPACITY = 0x27,
    TAPE_HOLD = 0x28,
    TAPE_RELEASE = 0x29,
};

/* A broker that tapes are played to. */
struct tape_stage {
    struct node node;
    uint64_t connections[TAPE_CONNECTIONS];
    bool paused[TAPE_CONNECTIONS];
    uint32_t starts_count;
    uint32_t faults_count; /* that the process was given since its start … */
    uint32_t holds_count;  /* … and effects that hang */
    bool disk_is_small;
    int64_t passed_ms;
};

/* A broker that has just started for the first time, always the same. */
void tape_begin(struct tape_stage *stage);

/* Plays all actions. Aborts where the broker stops, or will not start, though nothing of the
 * disk was made to fail. */
void tape_play(struct tape_stage *stage, struct span tape);

/* Aborts unless the broker still serves, or does so after a start on a sound disk. */
void tape_end(struct tape_stage *stage);

#endif
