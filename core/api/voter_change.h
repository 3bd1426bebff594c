/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One change of the quorum's voters, on its leader (KIP-853):
 *
 *     TRYING ──appended──▶ COMMITTING ──committed──▶ answered
 *        └── refused for good, or the time is over ──────▲
 *
 * TRYING goes on while another change is not committed, or the newcomer has not caught up.
 */
#ifndef CORE_API_VOTER_CHANGE_H
#define CORE_API_VOTER_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/leader_call.h"
#include "core/meta/quorum.h"

struct voter_change {
    struct leader_task *task;
    struct raft_id id;
    const struct voters_record_voter *voter; /* that is added; NULL: it is removed */
    bool acknowledges_early;                 /* when it is appended */
    bool is_appended;
    int64_t end_offset; /* behind its record */
    uint64_t until_us;
    struct timer timer;
    /* Answers; `why` may be null. The change is over. */
    void (*done)(struct voter_change *change, int error, struct span why);
};

/* How long a change is tried that has no time of its own. */
#define VOTER_CHANGE_TIMEOUT_MS 5000

/* Begins one that lies in its task's arena, zeroed but for what the request says; `done` is called
 * now or later. The task must not have another `cancel`. */
void voter_change_start(struct voter_change *change, int32_t timeout_ms);

/* What both requests have to get right: the cluster they are for. */
bool voter_change_is_for(const struct leader_task *task, struct span cluster_id);

#endif
