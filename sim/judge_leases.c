/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease holds while nobody else can lead what its broker leads: whom the cluster has fenced, or
 * has leave in order, holds none, on whatever clock, and acknowledges neither records nor offsets
 * of groups. The judge looks when that broker takes a step, and when a reply leaves it.
 */
#include "core/view.h"
#include "core/wire/error.h"
#include "sim/judge.h"
#include "sim/parts.h"

/* The broker that the host's process is by what the cluster has committed, if it is to have no
 * lease; else NULL. */
static const struct meta_broker *zombie_of(struct judge *judge, const struct host *host)
{
    const struct image *image = judge_truth(judge);
    if (image == NULL || host->broker == NULL)
        return NULL;
    const struct meta_broker *broker = image_broker(image, (int32_t)host->number);
    if (broker == NULL || !uuid_equal(broker->incarnation, broker_view_incarnation(host->broker)))
        return NULL;
    judge->judged++;
    return meta_broker_is_live(broker) ? NULL : broker;
}

static void object(struct judge *judge, const struct host *host, const char *what,
                   const struct meta_broker *zombie)
{
    judge_object(judge, "%s %s, and is %s under broker epoch %lld", host->name, what,
                 zombie->fenced ? "fenced" : "leaving", (long long)zombie->epoch);
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    (void)event;
    const struct meta_broker *zombie = zombie_of(judge, host);
    if (zombie != NULL && broker_view_lease(host->broker))
        object(judge, host, "holds a lease", zombie);
}

static bool acknowledges_records(const struct judge *judge, const struct exchange *exchange)
{
    struct produced_walk walk = {.exchange = exchange,
                                 .durable = judge_durable(judge, exchange->host)};
    struct produced part;
    while (produced_next(&walk, &part)) {
        if (part.reply->error_code == ERR_NONE)
            return true;
    }
    return false;
}

static bool acknowledges_offsets(const struct exchange *exchange)
{
    const struct offset_commit_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        for (int32_t j = 0; j < response->topics[i].partitions_count; j++) {
            if (response->topics[i].partitions[j].error_code == ERR_NONE)
                return true;
        }
    }
    return false;
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    const bool is_produce = exchange->api->key == API_PRODUCE;
    if (!is_produce && exchange->api->key != API_OFFSET_COMMIT)
        return;
    const struct meta_broker *zombie = zombie_of(judge, exchange->host);
    if (zombie == NULL)
        return;
    if (is_produce && acknowledges_records(judge, exchange))
        object(judge, exchange->host, "acknowledges records", zombie);
    else if (!is_produce && acknowledges_offsets(exchange))
        object(judge, exchange->host, "acknowledges offsets of a group", zombie);
}

const struct judge_kind judge_leases = {
    .name = "leases",
    .rule = "who is fenced, or leaves, holds no lease and acknowledges neither records nor offsets",
    .source = "core/lease.h; Gray and Cheriton: Leases, SOSP 1989; KIP-320",
    .is_of_cluster = true,
    .replied = replied,
    .stepped = stepped,
};
