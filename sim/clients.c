/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/clients.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "sim/memory.h"

struct clients {
    struct sim *sim;
    struct client **items;
    uint32_t count;
    bool started;
    struct client *auditor; /* while, and after, it reads */
};

static const struct client_type *const types[CLIENT_KINDS] = {
    [CLIENT_PRODUCER] = &client_producer, [CLIENT_CONSUMER] = &client_consumer,
    [CLIENT_MEMBER] = &client_member,     [CLIENT_ADMIN] = &client_admin,
    [CLIENT_HOSTILE] = &client_hostile,   [CLIENT_SILENT] = &client_silent,
    [CLIENT_OPERATOR] = &client_operator,
};

static struct client *client_new(struct sim *sim, const struct client_type *type, uint32_t number,
                                 const struct scenario_client *plan)
{
    struct client *client = sim_allocate(NULL, type->size);
    memset(client, 0, type->size);
    client->type = type;
    client->sim = sim;
    client->number = number;
    client->plan = plan;
    client->host = plan->node != 0 ? plan->node : number % sim->hosts_count + 1;
    snprintf(client->name, sizeof(client->name), "%s-%u", type->name, number);
    chance_stream(&client->rng, &sim->source, "client", number);
    return client;
}

struct clients *clients_new(struct sim *sim)
{
    struct clients *clients = sim_allocate(NULL, sizeof(*clients));
    *clients = (struct clients){.sim = sim};
    const struct scenario *scenario = sim->scenario;
    for (uint32_t i = 0; i < scenario->clients_count; i++)
        clients->count += scenario->clients[i].count;
    clients->items = sim_allocate(NULL, clients->count * sizeof(struct client *));
    uint32_t number = 0;
    for (uint32_t i = 0; i < scenario->clients_count; i++) {
        const struct scenario_client *plan = &scenario->clients[i];
        for (uint32_t j = 0; j < plan->count; j++, number++)
            clients->items[number] = client_new(sim, types[plan->kind], number + 1, plan);
    }
    return clients;
}

static void client_free(struct client *client, bool started)
{
    if (client == NULL)
        return;
    if (started)
        client->type->free(client);
    free(client);
}

void clients_free(struct clients *clients)
{
    if (clients == NULL)
        return;
    for (uint32_t i = 0; i < clients->count; i++)
        client_free(clients->items[i], clients->started);
    client_free(clients->auditor, true);
    free(clients->items);
    free(clients);
}

void clients_start(struct clients *clients)
{
    clients->started = true;
    for (uint32_t i = 0; i < clients->count; i++)
        clients->items[i]->type->start(clients->items[i]);
}

void clients_settle(struct clients *clients)
{
    for (uint32_t i = 0; i < clients->count; i++)
        clients->items[i]->type->settle(clients->items[i]);
}

/* Bits of its machine's disk flipped: the broker may not start any more, or not know a topic. */
static bool is_stranded(const struct client *client)
{
    return host_is_stranded(client->sim->hosts[client->host - 1]);
}

bool clients_are_done(const struct clients *clients)
{
    for (uint32_t i = 0; i < clients->count; i++) {
        const struct client *client = clients->items[i];
        if (!client->type->is_done(client) && !is_stranded(client))
            return false;
    }
    return true;
}

void clients_explain(const struct clients *clients, char *ret_text, size_t text_bytes)
{
    snprintf(ret_text, text_bytes, "no client waits");
    size_t length = 0;
    for (uint32_t i = 0; i <= clients->count && length + 1 < text_bytes; i++) {
        const struct client *client = i < clients->count ? clients->items[i] : clients->auditor;
        if (client == NULL || client->type->is_done(client))
            continue;
        char why[128];
        client->type->explain(client, why, sizeof(why));
        const int added = snprintf(ret_text + length, text_bytes - length, "%s%s %s",
                                   length == 0 ? "" : "; ", client->name, why);
        length += added > 0 ? (size_t)added : 0;
    }
}

void clients_audit(struct clients *clients)
{
    static const struct scenario_client plan = {.kind = CLIENT_CONSUMER, .count = 1};
    clients->auditor = client_new(clients->sim, &client_auditor, CLIENT_AUDITOR, &plan);
    clients->auditor->type->start(clients->auditor);
}

bool clients_audit_is_done(const struct clients *clients)
{
    return clients->auditor->type->is_done(clients->auditor);
}

uint32_t clients_count(const struct clients *clients)
{
    return clients->count;
}

struct client *clients_get(const struct clients *clients, uint32_t number)
{
    CHECK(number >= 1 && number <= clients->count);
    return clients->items[number - 1];
}

uint64_t client_draw(struct client *client, struct range plan, uint64_t least, uint64_t most)
{
    if (plan.most == 0)
        return chance_between(&client->rng, least, most);
    return chance_between(&client->rng, plan.least, plan.most);
}

uint64_t client_pause_us(struct client *client, uint64_t most_us)
{
    const bool hurries = client->sim->phase > SIM_LOAD;
    return client_draw(client, hurries ? (struct range){0} : client->plan->pause_us, 1, most_us);
}

struct span client_topic(const struct client *client)
{
    if (client->plan->topic != NULL)
        return span_text(client->plan->topic);
    CHECK(client->sim->scenario->topics_count > 0);
    return span_text(client->sim->scenario->topics[0].name);
}
