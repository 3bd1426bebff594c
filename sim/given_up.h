/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an unclean election gives up: all of that partition that the new leader did not have on its
 * disk at the moment when the election was on record, or was about to cut off; nothing before it,
 * nothing of any other. Its log may end there, or have parted from the others' before: after one
 * such election those whom it passed over have records that they would have cut, and may be elected
 * like that, too.
 */
#ifndef SIM_GIVEN_UP_H
#define SIM_GIVEN_UP_H

#include "sim/judge.h"
#include "sim/parts.h"

struct given_up {
    int32_t leader_epoch; /* of the last such election; 0: there was none */
    int64_t offset; /* from here on it was given up, as far as epochs before that had it … */
    int64_t end;    /* … and here the new leader's log ended */
};

/* Notes what an unclean election gives up, of which judge_observe_truth() tells at this moment.
 * `marks`: what is known of the log; those with `flag` count. */
void given_up_note(struct given_up *given_up, const struct judge *judge,
                   const struct image_change *change, const struct batch_marks *marks,
                   uint32_t flag);

/* The node knows of that election by now, if there was one, and says no more what was before. */
bool given_up_is_known(const struct given_up *given_up, const struct judge *judge,
                       const struct host *host, struct uuid topic_id, int32_t index);

#endif
