/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/contact.h"

#include "core/base/check.h"

#define TIMEOUT_MS_DEFAULT ((uint64_t)3000)
#define PAUSE_US_LEAST     ((uint64_t)1000)
#define DOUBLINGS_MOST     7 /* of the pause before the next try */

static void again_due(struct task *task);
static void timeout_due(struct task *task);

static struct queue *queue_of(const struct contact *contact)
{
    return &contact->client->sim->queue;
}

static void again_later(struct contact *contact)
{
    const uint32_t doublings =
        contact->failures < DOUBLINGS_MOST ? contact->failures : DOUBLINGS_MOST;
    const uint64_t pause_us = PAUSE_US_LEAST << doublings;
    contact->failures++;
    queue_put(queue_of(contact), &contact->again_task,
              contact->client->sim->now_us +
                  chance_between(&contact->client->rng, pause_us / 2, pause_us),
              again_due);
}

static void on_opened(void *context, struct peer *peer)
{
    (void)peer;
    struct contact *contact = context;
    contact->is_open = true;
    contact->progress_us = contact->client->sim->now_us;
    contact->events->opened(contact);
}

static void on_received(void *context, struct peer *peer, const struct exchange *exchange)
{
    (void)peer;
    struct contact *contact = context;
    contact->failures = 0;
    contact->progress_us = contact->client->sim->now_us;
    contact->events->received(contact, exchange);
}

static void on_lost(void *context, struct peer *peer, const struct exchange *exchange)
{
    (void)peer;
    struct contact *contact = context;
    contact->is_open = false;
    if (!contact->is_ended)
        contact->events->lost(contact, exchange);
}

static void is_away(struct contact *contact)
{
    contact->peer = NULL;
    contact->is_open = false;
    queue_cancel(queue_of(contact), &contact->timeout_task);
    if (!contact->is_ended)
        again_later(contact);
}

static void is_lost(struct contact *contact)
{
    is_away(contact);
    if (!contact->is_ended && contact->events->away != NULL)
        contact->events->away(contact);
}

static void on_closed(void *context, struct peer *peer)
{
    (void)peer;
    is_lost(context);
}

static const struct peer_events events_of_peers = {
    .opened = on_opened, .received = on_received, .lost = on_lost, .closed = on_closed};

static void again_due(struct task *task)
{
    struct contact *contact = container_of(task, struct contact, again_task);
    const struct client *client = contact->client;
    contact->peer =
        peer_open(client->sim, client->number, contact->host, &events_of_peers, contact);
}

void contact_start(struct contact *contact, struct client *client, uint32_t host,
                   const struct contact_events *events)
{
    *contact = (struct contact){.client = client, .host = host, .events = events};
    contact->timeout_us = 1000 * client_draw(client, client->plan->timeout_ms, TIMEOUT_MS_DEFAULT,
                                             TIMEOUT_MS_DEFAULT);
    again_later(contact);
    contact->failures = 0;
}

/* False when there was no connection. */
static bool closes(struct contact *contact)
{
    struct peer *peer = contact->peer;
    if (peer == NULL)
        return false;
    contact->peer = NULL;
    contact->is_open = false;
    peer_close(peer);
    return true;
}

void contact_drop(struct contact *contact)
{
    if (closes(contact))
        is_lost(contact);
}

void contact_move(struct contact *contact, uint32_t host)
{
    if (contact->host == host)
        return;
    contact->host = host;
    contact->failures = 0;
    if (closes(contact))
        is_away(contact);
}

void contact_end(struct contact *contact)
{
    contact->is_ended = true;
    if (contact->client == NULL)
        return;
    queue_cancel(queue_of(contact), &contact->again_task);
    contact_drop(contact);
}

static void timeout_due(struct task *task)
{
    struct contact *contact = container_of(task, struct contact, timeout_task);
    if (contact_asked(contact) == 0)
        return;
    const uint64_t arrived = peer_arrived(contact->peer);
    if (arrived != contact->arrived)
        contact->progress_us = contact->client->sim->now_us;
    contact->arrived = arrived;
    const uint64_t due_us = contact->progress_us + contact->timeout_us;
    if (contact->client->sim->now_us < due_us)
        queue_put(queue_of(contact), task, due_us, timeout_due);
    else
        contact_drop(contact);
}

struct exchange *contact_request(struct contact *contact, int16_t api_key, int16_t version)
{
    CHECK(contact->is_open);
    return peer_request(contact->peer, api_key, version);
}

void contact_send(struct contact *contact, struct exchange *exchange, void *user)
{
    if (contact_asked(contact) == 0)
        contact->progress_us = contact->client->sim->now_us;
    peer_send(contact->peer, exchange, user);
    if (!task_is_queued(&contact->timeout_task))
        queue_put(queue_of(contact), &contact->timeout_task,
                  contact->progress_us + contact->timeout_us, timeout_due);
}

uint32_t contact_asked(const struct contact *contact)
{
    return contact->peer == NULL ? 0 : peer_asked_count(contact->peer);
}
