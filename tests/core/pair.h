/* SPDX-License-Identifier: Apache-2.0 */
/* Two whole brokers of one cluster, 1 and 2, each in a world of its own. */
#ifndef TESTS_CORE_PAIR_H
#define TESTS_CORE_PAIR_H

#include "core/meta/controller.h"
#include "tests/support/node.h"

extern struct node pair[3]; /* by id */

/* Fixture: both are formatted and know of each other; neither runs. */
void pair_begin(void);
void pair_end(void);

/* Formats one of them anew, for a cluster of that name. */
void pair_format(int32_t id, const char *cluster_id);

/* Time goes by for both, as far as they run. */
void pair_advance(int64_t ms);

/* It takes part in its cluster, and serves once that has formed. */
void pair_run(int32_t id);

/* It ends in order, which takes others that go on. */
void pair_end_in_order(int32_t id);

bool pair_is_ready(int32_t id);
bool pair_logged(int32_t id, const char *part);
bool pair_leads_quorum(int32_t id);
bool pair_has_topic(int32_t id, const char *name);

/* Node `id` wants a topic, or what `prepare` writes (NULL: the topic); the answer may never come.
 * One wish for each number below PAIR_WISHES; `topic` lives on. */
#define PAIR_WISHES 4
void pair_wish(uint32_t number, int32_t id, const char *topic);
void pair_wish_for(uint32_t number, int32_t id,
                   int (*prepare)(struct meta_proposal *proposal, const struct image *image,
                                  struct meta_writer *writer));
bool pair_is_granted(uint32_t number);

#endif
