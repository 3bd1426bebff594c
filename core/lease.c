/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lease.h"

#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/conf/conf.h"
#include "core/peer/peers.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Types of frames, behind the quorum's and before replication's. */
#define TYPE_ASK   (PEER_MESSAGE_FIRST + 48)
#define TYPE_GRANT (PEER_MESSAGE_FIRST + 49)

/* A broker without a lease asks again after this, then after twice as long, up to a heartbeat. */
#define AGAIN_LEAST_US ((uint64_t)10 * 1000)

#define US_PER_MS ((uint64_t)1000)

/* Brokers whose grants wait for their barrier; one beyond them asks again. */
#define GRANTS_MAX META_BROKERS_MAX

static struct quorum *quorum_of(const struct lease *lease)
{
    return controller_quorum(lease->broker->controller);
}

/* ---- Held ---- */

bool lease_holds(const struct broker *broker)
{
    return broker->cluster == NULL || broker->io.now_us < broker->cluster->lease.until_us;
}

uint64_t lease_until_us(const struct broker *broker)
{
    return broker->cluster == NULL ? TIMER_NEVER : broker->cluster->lease.until_us;
}

void lease_await(struct broker *broker, struct lease_waiter *waiter)
{
    if (list_empty(&waiter->place))
        list_append(&broker->cluster->lease.waiters, &waiter->place);
}

/* Whatever this node's own file says, and by what all know that the controller knew. */
static uint64_t length_us(const struct lease *lease)
{
    const uint64_t timeout_us = image_session_timeout_ms(&lease->broker->image) * US_PER_MS;
    return timeout_us - timeout_us / 8;
}

static void ask(struct timer *timer);

static void ask_at_once(struct lease *lease)
{
    if (lease->is_stopped)
        return;
    lease->again_us = AGAIN_LEAST_US;
    timer_set(&lease->broker->io.timers, &lease->ask_timer, lease->broker->io.now_us, ask);
}

static void lease_extend(struct lease *lease, uint64_t asked_us)
{
    struct list awake;
    struct list *place;
    const uint64_t until_us = asked_us + length_us(lease);
    if (lease->is_given_up)
        return;
    if (until_us > lease->until_us)
        lease->until_us = until_us;
    if (!lease_holds(lease->broker)) {
        /* The grant took so long, but now there is a way. */
        if (!lease->is_stopped)
            timer_set(&lease->broker->io.timers, &lease->ask_timer, lease->broker->io.now_us, ask);
        return;
    }
    list_init(&awake);
    while ((place = list_pop(&lease->waiters)) != NULL)
        list_append(&awake, place);
    while ((place = list_pop(&awake)) != NULL) {
        struct lease_waiter *waiter = container_of(place, struct lease_waiter, place);
        waiter->held(waiter);
    }
}

/* A broker that was fenced and let in again may be told of the lease first: it counts when its own
 * image has what the controller's had, and so says who leads. */
static void early_look(struct lease *lease)
{
    if (!lease->is_early || lease->broker->image.end_offset < lease->early_end)
        return;
    lease->is_early = false;
    lease_extend(lease, lease->early_asked_us);
}

static void lease_granted(struct lease *lease, uint64_t asked_us, int64_t end_offset)
{
    const uint64_t now_us = lease->broker->io.now_us;
    /* Nobody else is believed that it was asked later than now. */
    if (asked_us > now_us)
        return;
    /* One that waits is not put off by the next, unless it is over. */
    if (!lease->is_early || lease->early_asked_us + length_us(lease) <= now_us) {
        lease->is_early = true;
        lease->early_asked_us = asked_us;
        lease->early_end = end_offset;
    }
    early_look(lease);
}

/* ---- Granted ---- */

static void grant_free(struct lease_grant *grant)
{
    list_remove(&grant->place);
    memory_give(grant->lease->broker->io.memory, MEMORY_STATE, grant, sizeof(*grant));
}

/* This node was the controller after it had been asked, and the asker is who it was. */
static bool may_be_granted(const struct lease_grant *grant)
{
    const struct broker *self = grant->lease->broker;
    const struct meta_broker *broker = image_broker(&self->image, grant->node_id);
    return broker != NULL && broker->epoch == grant->broker_epoch && !broker->fenced &&
           !fencing_is_under_way(&self->cluster->fencing, grant->node_id);
}

static void confirmed(struct raft_barrier *barrier, int error)
{
    struct lease_grant *grant = container_of(barrier, struct lease_grant, barrier);
    struct lease *lease = grant->lease;
    const struct lease_grant it = *grant;
    const bool is_granted = error == ERR_NONE && may_be_granted(grant) && !lease->is_stopped;
    grant_free(grant);
    if (!is_granted)
        return;
    const struct lease_granted message = {.asked_us = it.asked_us,
                                          .end_offset = lease->broker->image.end_offset};
    if (it.node_id == lease->broker->conf->node_id)
        lease_extend(lease, (uint64_t)it.asked_us);
    else
        peers_send(lease->peers, it.node_id, TYPE_GRANT, &wire_lease_granted, &message, NULL,
                   SPAN_NULL);
}

static void grant(struct lease *lease, int32_t node_id, int64_t broker_epoch, int64_t asked_us)
{
    struct list *at = lease->grants.next;
    uint32_t count = 0;
    for (; at != &lease->grants; at = at->next, count++) {
        if (container_of(at, struct lease_grant, place)->node_id == node_id)
            return; /* it asks again */
    }
    if (count == GRANTS_MAX || lease->is_stopped)
        return;
    struct lease_grant *grant = memory_new(lease->broker->io.memory, struct lease_grant);
    grant->lease = lease;
    grant->node_id = node_id;
    grant->broker_epoch = broker_epoch;
    grant->asked_us = asked_us;
    grant->barrier.done = confirmed;
    list_append(&lease->grants, &grant->place);
    if (quorum_barrier(quorum_of(lease), &grant->barrier) != ERR_NONE)
        grant_free(grant);
}

/* ---- Asked for ---- */

/* Who has none is waited for, and asks again soon: the controller may be about to be one, or what
 * it answered be lost with the link. */
static uint64_t until_next_us(struct lease *lease)
{
    uint64_t wait_us = lease->interval_us;
    if (lease_holds(lease->broker)) {
        lease->again_us = AGAIN_LEAST_US;
    } else if (lease->again_us < wait_us) {
        wait_us = lease->again_us;
        lease->again_us *= 2;
    }
    return wait_us;
}

static void ask(struct timer *timer)
{
    struct lease *lease = container_of(timer, struct lease, ask_timer);
    struct io *io = &lease->broker->io;
    const struct conf *conf = lease->broker->conf;
    const struct meta_broker *self = image_broker(&lease->broker->image, conf->node_id);
    const struct raft_status status = quorum_status(quorum_of(lease));
    lease->leader = status.leader;
    if (self != NULL && status.leader == conf->node_id)
        grant(lease, conf->node_id, self->epoch, (int64_t)io->now_us);
    else if (self != NULL && status.leader != RAFT_NOBODY)
        peers_send(
            lease->peers, status.leader, TYPE_ASK, &wire_lease_ask,
            &(struct lease_ask){.broker_epoch = self->epoch, .asked_us = (int64_t)io->now_us}, NULL,
            SPAN_NULL);
    timer_set(&io->timers, timer, io->now_us + until_next_us(lease), ask);
}

void lease_peer_up(struct lease *lease, int32_t node_id)
{
    if (node_id == lease->leader)
        ask_at_once(lease);
}

/* The image may have grown. Another controller, or one again, is asked at once. */
static void controller_changed(struct controller_watcher *watcher)
{
    struct lease *lease = container_of(watcher, struct lease, watcher);
    const int32_t leader = quorum_status(quorum_of(lease)).leader;
    early_look(lease);
    if (leader != lease->leader && leader != RAFT_NOBODY)
        ask_at_once(lease);
}

/* ---- Messages ---- */

bool lease_expects(int16_t type)
{
    return type == TYPE_ASK || type == TYPE_GRANT;
}

const char *lease_receive(struct lease *lease, const struct peer_message *message)
{
    struct arena none;
    struct lease_ask asked;
    struct lease_granted granted;
    arena_init(&none, lease->broker->io.memory, MEMORY_STATE, 0); /* neither has arrays */
    if (message->type == TYPE_ASK) {
        if (wire_decode(&wire_lease_ask, message->version, message->body, &none, &asked) !=
            ERR_NONE)
            return "a question for a lease is malformed";
        if (lease->broker->controller != NULL && lease->broker->state == BROKER_SERVING)
            grant(lease, message->node_id, asked.broker_epoch, asked.asked_us);
        return NULL;
    }
    if (wire_decode(&wire_lease_granted, message->version, message->body, &none, &granted) !=
            ERR_NONE ||
        granted.asked_us < 0)
        return "the grant of a lease is malformed";
    lease_granted(lease, (uint64_t)granted.asked_us, granted.end_offset);
    return NULL;
}

/* ---- Begin and end ---- */

void lease_init(struct lease *lease, struct broker *broker, struct peers *peers,
                uint64_t heartbeat_us)
{
    *lease = (struct lease){
        .broker = broker,
        .peers = peers,
        .interval_us = heartbeat_us,
        .again_us = AGAIN_LEAST_US,
        .leader = RAFT_NOBODY,
        .watcher.changed = controller_changed,
    };
    list_init(&lease->waiters);
    list_init(&lease->grants);
}

void lease_start(struct lease *lease)
{
    controller_watch(lease->broker->controller, &lease->watcher);
    ask(&lease->ask_timer);
}

void lease_stop(struct lease *lease)
{
    lease->is_stopped = true;
    timer_cancel(&lease->broker->io.timers, &lease->ask_timer);
}

void lease_give_up(struct lease *lease)
{
    lease->is_given_up = true;
    lease->until_us = 0;
}

void lease_free(struct lease *lease)
{
    lease_stop(lease);
    while (list_pop(&lease->waiters) != NULL)
        ; /* theirs, who may be there for longer */
    while (!list_empty(&lease->grants)) {
        struct lease_grant *grant = container_of(lease->grants.next, struct lease_grant, place);
        raft_barrier_cancel(&grant->barrier);
        grant_free(grant);
    }
}
