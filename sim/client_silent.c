/* SPDX-License-Identifier: Apache-2.0 */
/* Connects, and sends nothing; connects again when the broker has closed, or its life is over. */
#include <stdio.h>

#include "sim/contact.h"

struct silent {
    struct client client;
    struct contact contact;
    struct task life_task;
};

static void life_due(struct task *task)
{
    contact_drop(&container_of(task, struct silent, life_task)->contact);
}

static void on_opened(struct contact *contact)
{
    struct silent *silent = container_of(contact, struct silent, contact);
    struct client *client = &silent->client;
    contact->failures = 0; /* it expects no reply */
    if (client->plan->life_ms.most > 0)
        queue_put(&client->sim->queue, &silent->life_task,
                  client->sim->now_us + 1000 * client_draw(client, client->plan->life_ms, 0, 0),
                  life_due);
}

static void on_exchange(struct contact *contact, const struct exchange *exchange)
{
    (void)contact;
    (void)exchange;
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_exchange, .lost = on_exchange};

static void start(struct client *client)
{
    contact_start(&((struct silent *)client)->contact, client, client->host, &events_of_contacts);
}

static void settle(struct client *client)
{
    queue_cancel(&client->sim->queue, &((struct silent *)client)->life_task);
    contact_end(&((struct silent *)client)->contact);
}

static bool is_done(const struct client *client)
{
    return ((const struct silent *)client)->contact.is_ended;
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    (void)client;
    snprintf(ret_text, text_bytes, "is still there");
}

static void end(struct client *client)
{
    (void)client;
}

const struct client_type client_silent = {
    .name = "silent",
    .size = sizeof(struct silent),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
