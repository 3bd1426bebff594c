/* SPDX-License-Identifier: Apache-2.0 */
#include "core/raft/message.h"

#include <stddef.h>

const struct wire_schema *raft_message_schema(int32_t type)
{
    static const struct wire_schema *const schemas[] = {
        [RAFT_MESSAGE_VOTE] = &wire_raft_vote,
        [RAFT_MESSAGE_VOTED] = &wire_raft_voted,
        [RAFT_MESSAGE_APPEND] = &wire_raft_append,
        [RAFT_MESSAGE_APPENDED] = &wire_raft_appended,
        [RAFT_MESSAGE_SNAPSHOT] = &wire_raft_snapshot,
        [RAFT_MESSAGE_SNAPPED] = &wire_raft_snapped,
        [RAFT_MESSAGE_FOLLOW] = &wire_raft_follow,
        [RAFT_MESSAGE_STAND] = &wire_raft_stand,
        [RAFT_MESSAGE_FORM] = &wire_raft_form,
        [RAFT_MESSAGE_FORM_FIRST] = &wire_raft_form_first,
    };
    if (type < 0 || (size_t)type >= sizeof(schemas) / sizeof(schemas[0]))
        return NULL;
    return schemas[type];
}
