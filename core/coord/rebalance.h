/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a group's state machine (group, join, sync, member) share among themselves. */
#ifndef CORE_COORD_REBALANCE_H
#define CORE_COORD_REBALANCE_H

#include "core/coord/group.h"

/* Moves to another state; the move is in the table or our reasoning was wrong. */
void group_move(struct group *group, enum group_state state);

/* Generation `group->generation + 1` with the members there are: COMPLETING, or EMPTY without
 * any. */
void group_next_generation(struct group *group);

struct group_member *group_find_member(const struct group *group, struct span member_id);
struct group_member *group_find_static(const struct group *group, struct span instance_id);
struct group_pending *group_find_pending(const struct group *group, struct span member_id);

/* Is this the member that it says it is? ERR_NONE with the member, ERR_UNKNOWN_MEMBER_ID, or
 * ERR_FENCED_INSTANCE_ID when its instance id belongs to another member id by now (KIP-345). */
int group_check_member(const struct group *group, struct span member_id, struct span instance_id,
                       struct group_member **ret_member);

/* A member with `join`'s texts, protocols and timeouts under `member_id`, in the group's order
 * last. */
struct group_member *group_add_member(struct group *group, const struct group_join *join,
                                      struct span member_id);

/* Takes a member out and frees it; whoever waits in its name gets `error`. Another one becomes
 * leader. */
void group_remove_member(struct group *group, struct group_member *member, int error);

/* An id that is reserved until `timeout_ms` from now; and its end. */
void group_add_pending(struct group *group, struct span member_id, int32_t timeout_ms,
                       timer_action *expired);
void group_remove_pending(struct group *group, struct group_pending *pending);

/* Could a member with these protocols work with everyone who is in? */
bool group_supports(const struct group *group, const struct group_join *join);

/* The protocol that most members prefer among those that all support (the first member's order
 * decides a draw). The group has members. The text is a member's. */
struct span group_select_protocol(const struct group *group);

/* True when `join` brings exactly the member's protocols. */
bool member_matches(const struct group_member *member, const struct group_join *join);

/* Takes protocols and timeouts over from `join`. */
void member_update(struct group_member *member, const struct group_join *join);

/* Replaces the member's assignment by a copy. */
void member_assign(struct group_member *member, struct span assignment);

/* The member has joined the coming generation, and `join` waits for it. */
void member_park_join(struct group_member *member, struct group_join *join);

/* Ends the wait, if there is one; the answer goes where the request still is. */
void member_answer_join(struct group_member *member, const struct group_joined *joined);
void member_answer_sync(struct group_member *member, const struct group_synced *synced);

/* An answer that says only what went wrong. */
struct group_joined group_joined_error(int error, struct span member_id);

/* The group's current generation as told to `member`. */
struct group_joined group_joined_now(const struct group *group, const struct group_member *member);

/* The member is alive until `timeout_ms` from now. */
void member_keep(struct group_member *member, int32_t timeout_ms);

/* PREPARING, from any state that has members or is about to. */
void rebalance_prepare(struct group *group);

/* Prepares a rebalance, or, when one is under way, ends it if everyone joined. */
void rebalance_prepare_or_end(struct group *group);

/* Ends the phase of joining if everyone joined and no initial delay runs. */
void rebalance_end_if_joined(struct group *group);

/* Ends the phase of joining with those who joined. */
void rebalance_end(struct group *group);

/* A member went while others may wait for it. */
void rebalance_without(struct group *group);

/* Everyone who waits for an assignment gets `error`, and nobody has one any more. */
void sync_reset(struct group *group, int error);

/* The member synced; when all have, nobody is removed for it. */
void sync_received(struct group_member *member);

/* Nobody is waited for any more. */
void sync_forget(struct group *group);

/* Everyone is to sync within the rebalance timeout, or is removed. */
void sync_expect(struct group *group);

/* Writes the group without members. */
void store_empty(struct group *group);

/* Writes the group after a static member was replaced without a rebalance, then answers the
 * member's parked JoinGroup. `old_leader`: the id of the leader before (KIP-814: a client that
 * cannot skip the assignment is not told that it leads). */
void store_replaced(struct group *group, struct group_member *member, struct span old_leader);

#endif
