/* SPDX-License-Identifier: Apache-2.0 */
/* What clients of consumer groups say to a whole broker, in short words for stories about them. */
#ifndef TESTS_CORE_API_GROUPS_H
#define TESTS_CORE_API_GROUPS_H

#include "tests/support/client.h"
#include "tests/support/node.h"

/* Versions that clients use today. */
#define GROUPS_FIND   6
#define GROUPS_JOIN   9
#define GROUPS_SYNC   5
#define GROUPS_BEAT   4
#define GROUPS_LEAVE  5
#define GROUPS_COMMIT 9
#define GROUPS_FETCH  9

/* The broker of the story under way, and the one who talks to it where nobody else is named. */
struct groups {
    struct node node;
    struct client *client;
};
extern struct groups groups;

/* Fixture: a broker that runs. */
void groups_start(void);
void groups_end(void);
/* After the broker's death. */
void groups_start_again(void);

/* For a request of this client. */
void *groups_array(struct client *of, size_t count, size_t size);

/* Requests, in the client's arena. */
struct join_group_request *groups_join_of(struct client *of, struct span group, struct span member);
struct sync_group_request *groups_sync_of(struct client *of, struct span group,
                                          const struct join_group_response *joined,
                                          struct span assignment);
struct offset_commit_request *groups_commit_of(struct span group, struct span topic,
                                               int32_t partition, int64_t offset);
/* A null topic: all of them. */
struct offset_fetch_request *groups_fetch_of(struct span group, struct span topic,
                                             int32_t partition);

/* Requests that are answered. What is returned is the error, unless it is more than that. */
int16_t groups_find(struct span group);
/* Both rounds of a newcomer alone in its group. */
const struct join_group_response *groups_join(struct client *of, struct span group);
/* Somebody who is alone in a group, and STABLE. */
const struct join_group_response *groups_enter(struct span group);
int16_t groups_beat(struct span group, const struct join_group_response *joined);
int16_t groups_leave(struct span group, struct span member);
int16_t groups_committed_error(const struct offset_commit_response *response);
int16_t groups_commit(struct span group, struct span topic, int32_t partition, int64_t offset);
const struct offset_fetch_response_group_topic_partition *
groups_fetch(struct span group, struct span topic, int32_t partition);

#endif
