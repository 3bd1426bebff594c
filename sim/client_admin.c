/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An administrator: makes, changes and deletes topics under names of its own, and asks for
 * everything in every version that is served. With a topic in its plan it deletes that too, and
 * makes it again. One that does nothing but elect asks when the load is over until all partitions
 * are led by whom they should be.
 *
 *     WORKING ── the load is over ──▶ SETTLING ── all is answered, its topic is there ──▶ done
 */
#include <stdio.h>

#include "sim/admin.h"
#include "sim/contacts.h"

enum {
    TABLE_CHANGES,
    TABLE_QUERIES,
    TABLE_GROUPS,
    TABLE_ELECTIONS,
    TABLE_DEFAULTS,
    TABLE_DELETIONS,
    TABLES
};

static const struct admin_action *const tables[TABLES] = {
    [TABLE_CHANGES] = admin_changes,   [TABLE_QUERIES] = admin_queries,
    [TABLE_GROUPS] = admin_groups,     [TABLE_ELECTIONS] = admin_elections,
    [TABLE_DEFAULTS] = admin_defaults, [TABLE_DELETIONS] = admin_deletions,
};

static void due(struct task *task);

static void later(struct admin *admin, uint64_t delay_us)
{
    if (!task_is_queued(&admin->task))
        queue_put(&admin->client.sim->queue, &admin->task, admin->client.sim->now_us + delay_us,
                  due);
}

void admin_init(struct admin *admin)
{
    const struct client *client = &admin->client;
    for (uint32_t i = 0; i < ADMIN_TOPICS; i++)
        snprintf(admin->topics[i].name, sizeof(admin->topics[i].name), "%s-%u", client->name, i);
    snprintf(admin->group, sizeof(admin->group), "%s", client->name);
    admin->producer_id = -1;
}

struct admin_topic *admin_own_topic(struct admin *admin)
{
    return &admin->topics[chance_below(&admin->client.rng, ADMIN_TOPICS)];
}

struct span admin_any_topic(struct admin *admin)
{
    const struct scenario *scenario = admin->client.sim->scenario;
    struct chance *rng = &admin->client.rng;
    if (chance_one_in(rng, 16))
        return SPAN("no-such-topic");
    if (scenario->topics_count > 0 && chance_one_in(rng, 3))
        return span_text(scenario->topics[chance_below(rng, scenario->topics_count)].name);
    return span_text(admin_own_topic(admin)->name);
}

/* The tables that it draws from, up to `*ret_end`. */
static size_t first_table(const struct client *client, size_t *ret_end)
{
    if (client->plan->sets_defaults_only || client->plan->deletes_only) {
        const size_t table = client->plan->deletes_only ? TABLE_DELETIONS : TABLE_DEFAULTS;
        *ret_end = table + 1;
        return table;
    }
    *ret_end =
        client->plan->elects_only || contacts_in_cluster(client) ? TABLE_DEFAULTS : TABLE_ELECTIONS;
    return client->plan->elects_only ? TABLE_ELECTIONS : TABLE_CHANGES;
}

const struct admin_action *admin_draw(struct admin *admin)
{
    size_t end;
    const size_t first = first_table(&admin->client, &end);
    uint64_t total = 0;
    for (size_t i = first; i < end; i++) {
        for (const struct admin_action *action = tables[i]; action->weight > 0; action++)
            total += action->weight;
    }
    uint64_t left = chance_below(&admin->client.rng, total);
    for (size_t i = first; i < end; i++) {
        for (const struct admin_action *action = tables[i]; action->weight > 0; action++) {
            if (left < action->weight)
                return action;
            left -= action->weight;
        }
    }
    return &admin_queries[0];
}

struct exchange *admin_request(struct admin *admin, const struct admin_action *action)
{
    const struct wire_api *api = wire_api_find(action->api_key);
    const int16_t version = (int16_t)chance_between(&admin->client.rng, (uint64_t)api->version_min,
                                                    (uint64_t)api->version_max);
    struct exchange *exchange = contact_request(&admin->contact, action->api_key, version);
    action->fill(admin, exchange);
    return exchange;
}

static void act(struct admin *admin, const struct admin_action *action)
{
    struct exchange *exchange = admin_request(admin, action);
    contact_send(&admin->contact, exchange, (void *)(uintptr_t)action);
}

static bool is_done(const struct client *client)
{
    const struct admin *admin = (const struct admin *)client;
    return admin->settling && !admin->makes_again && contact_asked(&admin->contact) == 0 &&
           (admin->is_led || !client->plan->elects_only);
}

static void due(struct task *task)
{
    struct admin *admin = container_of(task, struct admin, task);
    if (!admin->contact.is_open || is_done(&admin->client) ||
        contact_asked(&admin->contact) >= admin->in_flight_most)
        return;
    if (admin->makes_again)
        act(admin, &admin_make_again);
    else if (!admin->settling || admin->client.plan->elects_only)
        act(admin, admin_draw(admin));
    later(admin, client_draw(&admin->client, admin->client.plan->pause_us, 1, 5000));
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct admin *admin = container_of(contact, struct admin, contact);
    const struct admin_action *action = exchange->user;
    if (action->answered != NULL)
        action->answered(admin, exchange);
    later(admin, client_draw(&admin->client, admin->client.plan->pause_us, 1, 5000));
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    (void)contact;
    (void)exchange; /* whether it was done, the next answers will tell */
}

static void on_opened(struct contact *contact)
{
    later(container_of(contact, struct admin, contact), 1);
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost};

static void start(struct client *client)
{
    struct admin *admin = (struct admin *)client;
    admin_init(admin);
    admin->in_flight_most = (uint32_t)client_draw(client, client->plan->in_flight, 1, 3);
    contact_start(&admin->contact, client, client->host, &events_of_contacts);
}

static void settle(struct client *client)
{
    struct admin *admin = (struct admin *)client;
    admin->settling = true;
    admin->settled_us = client->sim->now_us;
    later(admin, 1);
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    const struct admin *admin = (const struct admin *)client;
    const bool elects = client->plan->elects_only && !admin->is_led;
    snprintf(ret_text, text_bytes, "waits for %u answers%s%s%s", contact_asked(&admin->contact),
             admin->makes_again ? ", and has to make its topic again" : "",
             elects ? ", and for all to be led by whom they should be" : "",
             admin->contact.is_open ? "" : ", without a connection");
}

static void end(struct client *client)
{
    (void)client;
}

const struct client_type client_admin = {
    .name = "admin",
    .size = sizeof(struct admin),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
