/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who leads a partition after something happened to a broker. This is a part of applying the record
 * that tells of it: every node comes to the same replica sets from the same image, and one record
 * moves any number of leaderships.
 *
 * A broker leaves the ISR when it is fenced, shuts down or is another process than before. While
 * the ISR is smaller than min.insync.replicas nothing is committed, so who leaves then becomes an
 * eligible leader replica (KIP-966); when the ISR is large enough again, nobody is eligible but the
 * ISR. A process that did not end in order may have lost what was written through a cache, and
 * leaves the eligible ones of such topics, too; one that lacks a data folder that there was before
 * may have lost anything, and leaves those of all.
 *
 * The leader is the first of these that is live, in the order of the replicas: of the ISR; of the
 * eligible; the last known leader, unless it has lost a folder and others may have more; and, where
 * unclean.leader.election.enable says so, any.
 */
#ifndef CORE_META_ELECTION_H
#define CORE_META_ELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/meta/image.h"

struct election_news {
    int32_t broker_id;    /* what the image says of this one has just changed */
    bool is_restarted;    /* it is another process than before */
    bool is_unclean;      /* whose predecessor did not end in order */
    bool has_lost_folder; /* that its predecessor had */
};

/* Brings every partition with a replica on that broker in order. A leader that stays although its
 * process is another one leads under a higher epoch: no process appends under the epoch of an
 * earlier one. Their epochs can rise (image_epochs_can_rise()). Observers are told of each that
 * changed. */
void election_run(struct image *image, const struct election_news *news);

/* Other min.insync.replicas than before, for one topic, or for all (NULL): nobody is eligible any
 * more where the ISR is large enough by now, and more can be committed without them. */
void election_rules_changed(struct image *image, struct meta_topic *topic);

#endif
