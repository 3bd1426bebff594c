/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nodes say to one another about the metadata log; core/wire/schema/raft.kp has the fields and
 * what they mean. Any message may be lost, late, repeated, or overtaken by another.
 */
#ifndef CORE_RAFT_MESSAGE_H
#define CORE_RAFT_MESSAGE_H

#include "core/wire/messages.h"

/* Numbers on the wire, where links leave those below to themselves (core/peer/message.h). */
enum raft_message_type {
    RAFT_MESSAGE_VOTE = 16,       /* vote for me, or would you? */
    RAFT_MESSAGE_VOTED = 17,      /* yes, or no: who leads, which term */
    RAFT_MESSAGE_APPEND = 18,     /* entries, a heartbeat, a probe */
    RAFT_MESSAGE_APPENDED = 19,   /* what is durable here, or where the logs part */
    RAFT_MESSAGE_SNAPSHOT = 20,   /* a piece of a snapshot */
    RAFT_MESSAGE_SNAPPED = 21,    /* the piece that is wanted next, or that it is installed */
    RAFT_MESSAGE_FOLLOW = 22,     /* if you lead, lead me */
    RAFT_MESSAGE_STAND = 23,      /* stand for election at once: I go */
    RAFT_MESSAGE_FORM = 24,       /* how far I am in forming the cluster, and what about you? */
    RAFT_MESSAGE_FORM_FIRST = 25, /* the first record */
};

struct raft_message {
    enum raft_message_type type;
    union raft_message_body {
        struct raft_vote vote;
        struct raft_voted voted;
        struct raft_append append;
        struct raft_appended appended;
        struct raft_snapshot snapshot;
        struct raft_snapped snapped;
        struct raft_follow follow;
        struct raft_stand stand;
        struct raft_form form;
        struct raft_form_first form_first;
    } body;
};

/* The schema of a type's body; NULL for a type that there is not. */
const struct wire_schema *raft_message_schema(int32_t type);

#endif
