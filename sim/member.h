/* SPDX-License-Identifier: Apache-2.0 */
/* A member of a classic consumer group: what it knows, and what it asks (sim/client_member.c). */
#ifndef SIM_MEMBER_H
#define SIM_MEMBER_H

#include "sim/reader.h"

#define MEMBER_ID_BYTES_MAX   300
#define INSTANCE_ID_BYTES_MAX 24

enum member_state {
    MEMBER_AWAY,
    MEMBER_FINDING,   /* FindCoordinator */
    MEMBER_LEARNING,  /* Metadata */
    MEMBER_JOINING,   /* JoinGroup */
    MEMBER_SYNCING,   /* SyncGroup */
    MEMBER_RESUMING,  /* OffsetFetch */
    MEMBER_CONSUMING, /* Fetch, OffsetCommit */
    MEMBER_LEAVING,   /* LeaveGroup */
};

/* Of its requests; the same ones for a life. */
struct member_versions {
    int16_t find_coordinator;
    int16_t join_group;
    int16_t sync_group;
    int16_t heartbeat;
    int16_t leave_group;
    int16_t offset_commit;
    int16_t offset_fetch;
    int16_t subscription;
};

struct member {
    struct client client;
    struct contact contact;   /* with the coordinator, or whom it asks for that */
    struct contacts contacts; /* with partitions' leaders, so that heartbeats wait for no fetch */
    struct reader reader;     /* of the partitions that are its own */
    enum member_state state;
    bool asked;        /* the request of the state is under way */
    bool beat_asked;   /* Heartbeat */
    bool commit_asked; /* OffsetCommit */
    bool rejoins;      /* the group rebalances: it commits once more, and joins */
    bool flushes;      /* that last commit is still to come */
    bool leaves;       /* likewise, and goes */
    bool is_resumed;   /* it reads what it was assigned, from where the group was */
    bool is_leader;
    bool in_cluster;
    bool settling;
    bool is_done;
    uint32_t troubles; /* errors since the load ended */
    uint64_t hangs_until_us;
    uint64_t timeout_us; /* of a request that does not wait for others */
    struct task task;    /* the next action */
    struct task beat_task;
    struct task life_task;
    struct member_versions versions;
    char instance_id[INSTANCE_ID_BYTES_MAX]; /* empty: a dynamic member */
    uint8_t member_id[MEMBER_ID_BYTES_MAX];
    size_t member_id_length;
    int32_t generation; /* -1: it is in none */
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    struct uuid topic_id;
    uint32_t partitions; /* of the topic */
    int64_t committed[FETCHER_PARTITIONS_MAX];
};

/* Draws versions, a static member's among those that know it, and timeouts. */
void member_draw(struct member *member);

static inline struct span member_id(const struct member *member)
{
    return span_of(member->member_id, member->member_id_length);
}

/* Null for a dynamic member. */
static inline struct span member_instance(const struct member *member)
{
    return member->instance_id[0] == '\0' ? SPAN_NULL : span_text(member->instance_id);
}

/* The generation that it is in; now and then, until the load ends, an earlier one, as of a request
 * that was long under way. */
int32_t member_generation(struct member *member);

/* True when it has read what it has not committed. */
bool member_has_news(const struct member *member);

void member_find_coordinator(struct member *member);
void member_learn(struct member *member);
void member_join(struct member *member);
/* `joined`: the answer to JoinGroup, of which a leader makes the assignment. */
void member_sync(struct member *member, const struct join_group_response *joined);
void member_heartbeat(struct member *member);
void member_resume(struct member *member);
void member_commit(struct member *member);
void member_leave(struct member *member);

/* The answer to member_resume(): its partitions are read from where the group is. Returns an error
 * of Kafka's, as does the next. */
int16_t member_resumed(struct member *member, const struct exchange *exchange);
/* The answer to member_commit(). */
int16_t member_committed(struct member *member, const struct exchange *exchange);

#endif
