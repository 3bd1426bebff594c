/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A leader of the quorum of whom a majority of the voters is not heard any more leads no longer:
 * it could commit nothing, and keep nobody from electing another. The judge goes by the links: what
 * comes on none of them has not answered.
 *
 * The leader finds out at its next heartbeat, and a process that stood still reads first what came
 * meanwhile. So it has half of the time once more, and several turns of its own; and of the time
 * between two turns counts as much as a process that runs may be quiet for.
 */
#include "core/conf/conf.h"
#include "core/view.h"
#include "sim/judge.h"

#define TURNS_MOST 8

struct check_quorum {
    struct leadership {
        int32_t term;
        bool leads;
        uint64_t looked_us;  /* on the host's clock: its last turn */
        uint64_t unheard_us; /* for so long no majority was heard, beyond the timeout */
        uint32_t unheard_turns;
    } hosts[SIM_HOSTS_MAX];
};

static bool is_majority_heard(const struct host *host, const struct voter_set *set,
                              uint64_t since_us)
{
    uint32_t heard = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        struct peer_status status;
        const int32_t node = set->voters[i].node;
        heard += node == (int32_t)host->number ||
                 (broker_view_peer(host->broker, node, &status) && status.heard_us >= since_us);
    }
    return heard > set->count / 2;
}

/* By any set of voters that may be in force. */
static bool is_heard(const struct judge *judge, const struct host *host, uint64_t since_us)
{
    struct voter_set set;
    const struct committed *committed = judges_committed(judge->sim->judges);
    if (!committed_voters(committed, 0, &set))
        return true;
    for (uint32_t i = 0; committed_voters(committed, i, &set); i++) {
        if (is_majority_heard(host, &set, since_us))
            return true;
    }
    return false;
}

static void judge_leader(struct judge *judge, const struct host *host, struct leadership *now,
                         uint64_t now_us)
{
    const uint64_t fetch_us =
        (uint64_t)conf_int(&host->conf, CONF_CONTROLLER_QUORUM_FETCH_TIMEOUT_MS) * 1000;
    const uint64_t quiet_us = now_us - now->looked_us;
    judge->judged++;
    now->looked_us = now_us;
    if (now_us < fetch_us || is_heard(judge, host, now_us - fetch_us)) {
        now->unheard_turns = 0;
        return;
    }
    if (now->unheard_turns++ == 0)
        now->unheard_us = 0;
    else
        now->unheard_us += quiet_us < fetch_us / 8 ? quiet_us : fetch_us / 8;
    if (now->unheard_turns > TURNS_MOST && now->unheard_us > fetch_us / 2)
        judge_object(judge,
                     "%s leads the quorum in term %d, and has not heard a majority of the voters "
                     "for %llu ms",
                     host->name, now->term,
                     (unsigned long long)(now->unheard_us + fetch_us) / 1000);
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    struct check_quorum *state = judge->state;
    struct leadership *now = &state->hosts[host->number - 1];
    struct quorum_view view;
    if (event->kind != EVENT_TURN_END || host->broker == NULL ||
        !broker_view_quorum(host->broker, &view))
        return;
    const struct leadership before = *now;
    now->leads = view.leader == (int32_t)host->number;
    now->term = view.term;
    if (now->leads && before.leads && before.term == now->term)
        judge_leader(judge, host, now, event->mono_us);
    else
        now->unheard_turns = 0;
}

static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct check_quorum *state = judge->state;
    if (change == HOST_ENDED)
        state->hosts[host->number - 1] = (struct leadership){0};
}

const struct judge_kind judge_check_quorum = {
    .name = "check-quorum",
    .rule = "who leads the quorum hears a majority of the voters, or leads no longer",
    .source = "Ongaro's thesis, 6.2; KIP-595; KAFKA-15489",
    .size = sizeof(struct check_quorum),
    .is_of_cluster = true,
    .stepped = stepped,
    .host_changed = host_changed,
};
