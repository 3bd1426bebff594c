/* SPDX-License-Identifier: Apache-2.0 */
/* The APIs that the leader of the quorum alone can answer. */
#include "core/api/table.h"
#include "core/leader_call.h"

const struct leader_service *leader_service_find(int16_t key)
{
    static const struct leader_service *const services[] = {
        &describe_quorum_service,
        &add_raft_voter_service,
        &remove_raft_voter_service,
    };
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (services[i]->key == key)
            return services[i];
    }
    return NULL;
}
