/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease holds while nobody else can lead what its broker leads: whom the cluster has fenced, or
 * has leave in order, holds none, on whatever clock. The judge looks when that broker takes a step.
 */
#include "core/view.h"
#include "sim/judge.h"

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    (void)event;
    const struct image *image = judge_truth(judge);
    if (image == NULL || host->broker == NULL)
        return;
    const struct meta_broker *broker = image_broker(image, (int32_t)host->number);
    if (broker == NULL || !uuid_equal(broker->incarnation, broker_view_incarnation(host->broker)))
        return;
    judge->judged++;
    if (!meta_broker_is_live(broker) && broker_view_lease(host->broker))
        judge_object(judge, "%s holds a lease, and is %s under broker epoch %lld", host->name,
                     broker->fenced ? "fenced" : "leaving", (long long)broker->epoch);
}

const struct judge_kind judge_leases = {
    .name = "leases",
    .rule = "who is fenced, or leaves, holds no lease",
    .source = "core/lease.h; Gray and Cheriton: Leases, SOSP 1989",
    .is_of_cluster = true,
    .stepped = stepped,
};
