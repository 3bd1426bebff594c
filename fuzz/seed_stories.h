/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a broker that no single request shows: seeds of fuzz_step. */
#ifndef FUZZ_SEED_STORIES_H
#define FUZZ_SEED_STORIES_H

#include "fuzz/recording.h"

typedef void seed_story(struct recording *recording);

/* Topics and their settings; each refusal. */
seed_story seed_topics;
seed_story seed_topics_refused;
seed_story seed_configs;
seed_story seed_limits;
seed_story seed_protocol;
seed_story seed_memory;

/* The cluster's nodes, leaders and voters. */
seed_story seed_cluster;

/* Logs: rolled, expired, cut, on a disk that fails; read by waiting clients. */
seed_story seed_log_rolls;
seed_story seed_log_expires;
seed_story seed_log_settings;
seed_story seed_disk_full;
seed_story seed_disk_hangs;
seed_story seed_log_behind;
seed_story seed_offsets;
seed_story seed_producers;
seed_story seed_fetch_waits;
seed_story seed_fetch_crowd;
seed_story seed_fetch_session;

/* The same for each effect that TAPE_FAIL knows. */
void seed_log_fault(struct recording *recording, uint8_t which);

/* Groups: members that come and go, with and without an id of their own. */
seed_story seed_group_members;
seed_story seed_group_waits;
seed_story seed_group_silent;
seed_story seed_group_unwritten;
seed_story seed_group_untaken;
seed_story seed_group_static;
seed_story seed_group_refused;
seed_story seed_group_expires;

#endif
