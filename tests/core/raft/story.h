/* SPDX-License-Identifier: Apache-2.0 */
/* Short words for stories about quorums, told in a world with fair weather. */
#ifndef TESTS_CORE_RAFT_STORY_H
#define TESTS_CORE_RAFT_STORY_H

#include "tests/core/raft/world.h"
#include "tests/support/runner.h"

/* The world of the story under way. */
extern struct world world;

/* A world of `seeded` voters and `others` that follow, with a leader, and everybody even. */
void story_start(uint32_t seeded, uint32_t others);
/* No judge objects; everything was given back. */
void story_end(void);

struct world_node *story_leader(void);
/* The least id of a seeded voter other than that node. */
int32_t story_other(int32_t node);
/* Nobody hears the node, and it hears nobody; or all hear one another again. */
void story_isolate(int32_t node, bool is_cut);
/* One entry of the leader's. */
int story_propose(void);
/* Until everybody has everything. */
void story_even(void);

#endif
