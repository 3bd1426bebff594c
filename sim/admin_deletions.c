/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators ask for who do nothing but delete records (KIP-107). */
#include "core/wire/messages.h"
#include "sim/admin.h"
#include "sim/host.h"

#define HIGH_WATERMARK (-1)
#define TIMEOUT_MS     10000

/* All that is committed of a partition of the first topic. */
static void fill_delete_all(struct admin *admin, struct exchange *exchange)
{
    const struct scenario_topic *plan = &admin->client.sim->scenario->topics[0];
    struct delete_records_request *request = (void *)(uintptr_t)exchange->request;
    request->timeout_ms = TIMEOUT_MS;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->name = span_text(plan->name);
    request->topics->partitions = peer_take(exchange, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    request->topics->partitions->partition_index =
        (int32_t)chance_below(&admin->client.rng, plan->partitions);
    request->topics->partitions->offset = HIGH_WATERMARK;
}

const struct admin_action admin_deletions[] = {
    {API_DELETE_RECORDS, 1, fill_delete_all, NULL},
    {0},
};
