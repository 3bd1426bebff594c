/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links between the nodes of a cluster: no process that runs is said to have ended, no two nodes
 * that live and are not kept apart stay without a link for long, and no node counts as silent while
 * nothing goes wrong.
 *
 * Who was told what is seen when the node that knows it takes a step; nodes of a cluster take one
 * with every heartbeat.
 */
#include "core/view.h"
#include "sim/faults.h"
#include "sim/judge.h"
#include "sim/network.h"

/* A connect that nobody answers, the longest wait between two, the silence after which a stuck
 * connection is dialled anew, and as much again. */
#define LINK_US_MOST ((uint64_t)10 * 1000 * 1000)

/* What one node knows of another. */
struct pair {
    struct uuid incarnation; /* that it believes to live; zero: none */
    uint64_t good_us;        /* when there was a link, or a reason for none */
};

struct links {
    struct pair pairs[SIM_HOSTS_MAX][SIM_HOSTS_MAX];
};

static struct pair *pair_of(const struct judge *judge, const struct host *host,
                            const struct host *other)
{
    struct links *links = judge->state;
    return &links->pairs[host->number - 1][other->number - 1];
}

/* A process that was believed to live is not any more: then it does not. */
static void judge_death(struct judge *judge, const struct host *host, const struct host *other,
                        const struct peer_status *status)
{
    struct pair *pair = pair_of(judge, host, other);
    const struct uuid before = pair->incarnation;
    pair->incarnation = status->incarnation;
    if (uuid_is_zero(before) || uuid_equal(before, status->incarnation))
        return;
    judge->judged++;
    if (host_runs(other) && uuid_equal(before, broker_view_incarnation(other->broker)))
        judge_object(judge, "%s says that the process of %s has ended, and it runs", host->name,
                     other->name);
}

static bool is_well(const struct host *host)
{
    const struct sim *sim = host->sim;
    return host->state == HOST_SERVING && host->paused_until_us <= sim->now_us &&
           host->busy_until_us <= sim->now_us + 1000 && host->faults.node_factor <= 1 &&
           host->faults.stall_us == 0;
}

static void judge_link(struct judge *judge, const struct host *host, const struct host *other,
                       const struct peer_status *status)
{
    struct pair *pair = pair_of(judge, host, other);
    const struct sim *sim = judge->sim;
    if (status->is_up || !is_well(host) || !is_well(other) ||
        !network_is_open(sim->network, host->number, other->number)) {
        pair->good_us = sim->now_us;
        return;
    }
    const uint64_t disturbed_us = network_disturbed_us(sim->network);
    if (pair->good_us < disturbed_us)
        pair->good_us = disturbed_us;
    if (pair->good_us < host->paused_until_us) /* it took no turn meanwhile */
        pair->good_us = host->paused_until_us;
    judge->judged++;
    if (sim->now_us - pair->good_us > LINK_US_MOST)
        judge_object_late(judge, "%s has no link to %s, though nothing was in the way for %llu ms",
                          host->name, other->name,
                          (unsigned long long)((sim->now_us - pair->good_us) / 1000));
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    const struct sim *sim = judge->sim;
    struct peer_status status;
    if (event->kind != EVENT_TURN_END || !host->conf.is_cluster || !host_runs(host))
        return;
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        const struct host *other = sim->hosts[i];
        if (other == host || !broker_view_peer(host->broker, (int32_t)other->number, &status))
            continue;
        judge_death(judge, host, other, &status);
        judge_link(judge, host, other, &status);
        if (status.is_silent && faults_are_none(sim->faults))
            judge_object(judge, "%s counts %s as silent, though nothing went wrong", host->name,
                         other->name);
    }
}

/* What a process knew goes with it. */
static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct links *links = judge->state;
    if (change != HOST_BOOTED)
        return;
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++)
        links->pairs[host->number - 1][i] = (struct pair){.good_us = judge->sim->now_us};
}

const struct judge_kind judge_links = {
    .name = "links",
    .rule = "a process counts as ended only if it has, and nodes that can have a link have one",
    .source = "core/peer/peers.h",
    .size = sizeof(struct links),
    .stepped = stepped,
    .host_changed = host_changed,
};
