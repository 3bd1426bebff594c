/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/contacts.h"

#include "core/base/check.h"
#include "sim/host.h"

static uint32_t cluster_of(const struct client *client, uint32_t host)
{
    return host_cluster(client->sim->hosts[host - 1]);
}

static bool is_other(const struct client *client, uint32_t node, uint32_t host)
{
    return node != host && cluster_of(client, node) == cluster_of(client, host);
}

static uint32_t others_count(const struct client *client, uint32_t host)
{
    uint32_t count = 0;
    for (uint32_t node = 1; node <= client->sim->hosts_count; node++)
        count += is_other(client, node, host);
    return count;
}

bool contacts_in_cluster(const struct client *client)
{
    return client->sim->hosts[client->host - 1]->conf.is_cluster;
}

uint32_t contacts_other(struct client *client, uint32_t host)
{
    const uint32_t count = others_count(client, host);
    uint64_t left = count < 2 ? 0 : chance_below(&client->rng, count);
    for (uint32_t node = 1; node <= client->sim->hosts_count; node++) {
        if (is_other(client, node, host) && left-- == 0)
            return node;
    }
    return host;
}

void contacts_start(struct contacts *contacts, struct client *client,
                    const struct contact_events *events)
{
    *contacts = (struct contacts){.client = client, .events = events, .home = client->host};
    contacts_home(contacts);
}

void contacts_end(struct contacts *contacts)
{
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++)
        contact_end(&contacts->nodes[i]);
}

struct contact *contacts_at(struct contacts *contacts, uint32_t host)
{
    CHECK(host >= 1 && host <= contacts->client->sim->hosts_count);
    struct contact *contact = &contacts->nodes[host - 1];
    if (contact->client == NULL)
        contact_start(contact, contacts->client, host, contacts->events);
    return contact;
}

struct contact *contacts_home(struct contacts *contacts)
{
    return contacts_at(contacts, contacts->home);
}

void contacts_leave_home(struct contacts *contacts)
{
    contacts->home = contacts_other(contacts->client, contacts->home);
    contacts_home(contacts);
}

uint32_t contacts_asked(const struct contacts *contacts)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++)
        count += contact_asked(&contacts->nodes[i]);
    return count;
}

uint32_t contacts_leader(const struct client *client, int32_t leader_id)
{
    return leader_id >= 1 && (uint32_t)leader_id <= client->sim->hosts_count &&
                   cluster_of(client, (uint32_t)leader_id) == cluster_of(client, client->host)
               ? (uint32_t)leader_id
               : 0;
}
