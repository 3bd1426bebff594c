/* SPDX-License-Identifier: Apache-2.0 */
/* Connects, and sends nothing; connects again when the broker has closed. */
#include <stdio.h>

#include "sim/contact.h"

struct silent {
    struct client client;
    struct contact contact;
};

static void on_opened(struct contact *contact)
{
    (void)contact;
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
    contact_start(&((struct silent *)client)->contact, client, &events_of_contacts);
}

static void settle(struct client *client)
{
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
