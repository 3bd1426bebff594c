/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who looks after the quorum, with the requests of "chronik cluster voter" (KIP-853): asks who
 * votes, removes a voter whose disk has gone, and adds a machine that should vote with the disk
 * that it has now. It waits for each change, or (half of the time) asks for all that it sees, one
 * request behind the other: the leader keeps them apart. And half of the time it has a machine that
 * is down forgotten, which registers anew when it comes back, with its disk or another one.
 *
 *     ASKING ──▶ somebody is wrong ──▶ CHANGING ──▶ a pause ──▶ ASKING
 *        ├── nobody is ──▶ a pause ──▶ ASKING
 *        └── nobody is, and the load is over ──▶ done
 *
 * It knows its machines: which disk each of them has, and which should vote by their settings.
 */
#include <stdio.h>

#include "core/wire/error.h"
#include "sim/contacts.h"
#include "sim/host.h"

#define DESCRIBE_VERSION  2
#define ADD_VERSION       1
#define REMOVE_VERSION    0
#define FORGET_VERSION    0
#define CHANGE_TIMEOUT_MS 2000
#define PAUSE_US_MOST     300000

struct keeper {
    struct client client;
    struct contacts contacts;
    struct task task;
    bool is_settling;
    bool is_right; /* everybody was, when it asked last */
};

typedef const struct describe_quorum_response_topic_partition *quorum_of_response;

static void due(struct task *task);

static void later(struct keeper *keeper)
{
    struct client *client = &keeper->client;
    if (!task_is_queued(&keeper->task))
        queue_put(&client->sim->queue, &keeper->task,
                  client->sim->now_us + client_pause_us(client, PAUSE_US_MOST), due);
}

static bool is_done(const struct client *client)
{
    const struct keeper *keeper = (const struct keeper *)client;
    return keeper->is_settling && keeper->is_right && contacts_asked(&keeper->contacts) == 0;
}

/* ---- What it asks. ---- */

static void describe(struct keeper *keeper)
{
    struct contact *contact = contacts_home(&keeper->contacts);
    struct exchange *exchange = contact_request(contact, API_DESCRIBE_QUORUM, DESCRIBE_VERSION);
    struct describe_quorum_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics->topic_name = SPAN("__cluster_metadata");
    request->topics->partitions = peer_take(exchange, sizeof(*request->topics->partitions));
    request->topics->partitions_count = 1;
    contact_send(contact, exchange, NULL);
}

static void remove_voter(struct keeper *keeper, int32_t node, struct uuid directory)
{
    struct contact *contact = contacts_home(&keeper->contacts);
    struct exchange *exchange = contact_request(contact, API_REMOVE_RAFT_VOTER, REMOVE_VERSION);
    struct remove_raft_voter_request *request = (void *)(uintptr_t)exchange->request;
    request->cluster_id = SPAN_NULL; /* this one */
    request->voter_id = node;
    request->voter_directory_id = directory;
    contact_send(contact, exchange, NULL);
}

static void add_voter(struct keeper *keeper, const struct conf_voter *seed, struct uuid directory)
{
    struct contact *contact = contacts_home(&keeper->contacts);
    struct exchange *exchange = contact_request(contact, API_ADD_RAFT_VOTER, ADD_VERSION);
    struct add_raft_voter_request *request = (void *)(uintptr_t)exchange->request;
    request->cluster_id = SPAN_NULL;
    request->timeout_ms = CHANGE_TIMEOUT_MS;
    request->voter_id = seed->node_id;
    request->voter_directory_id = directory;
    request->listeners = peer_take(exchange, sizeof(*request->listeners));
    request->listeners_count = 1;
    request->listeners->name = SPAN("CONTROLLER");
    request->listeners->host = seed->host;
    request->listeners->port = seed->port;
    contact_send(contact, exchange, NULL);
}

static void forget_broker(struct keeper *keeper, int32_t node)
{
    struct contact *contact = contacts_home(&keeper->contacts);
    struct exchange *exchange = contact_request(contact, API_UNREGISTER_BROKER, FORGET_VERSION);
    struct unregister_broker_request *request = (void *)(uintptr_t)exchange->request;
    request->broker_id = node;
    contact_send(contact, exchange, NULL);
}

/* ---- What it makes of the answers. ---- */

/* The machine with its own disk; NULL: it has another one's, or there is no such machine. */
static const struct host *machine(const struct keeper *keeper, int32_t node)
{
    const struct sim *sim = keeper->client.sim;
    if (node < 1 || (uint32_t)node > sim->hosts_count)
        return NULL;
    const struct host *host = sim->hosts[node - 1];
    return host->disk.owner == host->number ? host : NULL;
}

/* A voter whose disk is not in its machine any more. */
static bool is_gone(const struct keeper *keeper, quorum_of_response quorum, int32_t place)
{
    const struct host *host = machine(keeper, quorum->current_voters[place].replica_id);
    return host != NULL &&
           !host_has_directory(host, quorum->current_voters[place].replica_directory_id);
}

static bool votes(const struct keeper *keeper, quorum_of_response quorum, int32_t node)
{
    for (int32_t i = 0; i < quorum->current_voters_count; i++) {
        if (quorum->current_voters[i].replica_id == node && !is_gone(keeper, quorum, i))
            return true;
    }
    return false;
}

/* True when a voter goes; `all`: whoever should. */
static bool removes(struct keeper *keeper, quorum_of_response quorum, bool all)
{
    bool removes = false;
    for (int32_t i = 0; i < quorum->current_voters_count && (all || !removes); i++) {
        if (!is_gone(keeper, quorum, i))
            continue;
        remove_voter(keeper, quorum->current_voters[i].replica_id,
                     quorum->current_voters[i].replica_directory_id);
        removes = true;
    }
    return removes;
}

/* One that follows with the disk that it has, as the answer says. */
static bool adds(struct keeper *keeper, quorum_of_response quorum, const struct conf_voter *seed)
{
    const struct host *host = machine(keeper, seed->node_id);
    for (int32_t i = 0; host != NULL && i < quorum->observers_count; i++) {
        if (quorum->observers[i].replica_id != seed->node_id ||
            !host_has_directory(host, quorum->observers[i].replica_directory_id))
            continue;
        add_voter(keeper, seed, quorum->observers[i].replica_directory_id);
        return true;
    }
    return false;
}

/* True when a machine that is down is to be forgotten. */
static bool forgets(struct keeper *keeper)
{
    const struct sim *sim = keeper->client.sim;
    for (uint32_t i = 0; i < sim->hosts_count && !keeper->is_settling; i++) {
        const struct host *host = sim->hosts[i];
        if (host_runs(host) || !host->conf.is_cluster || !chance_one_in(&keeper->client.rng, 2))
            continue;
        forget_broker(keeper, (int32_t)host->number);
        return true;
    }
    return false;
}

/* Those vote that should, with the disks that they have. */
static bool is_right(const struct keeper *keeper, quorum_of_response quorum)
{
    const struct conf *conf = &keeper->client.sim->hosts[keeper->client.host - 1]->conf;
    for (int32_t i = 0; i < quorum->current_voters_count; i++) {
        if (is_gone(keeper, quorum, i))
            return false;
    }
    for (uint32_t i = 0; i < conf->voters_count; i++) {
        if (!votes(keeper, quorum, conf->voters[i].node_id))
            return false;
    }
    return true;
}

static void described(struct keeper *keeper, const struct describe_quorum_response *response)
{
    const struct conf *conf = &keeper->client.sim->hosts[keeper->client.host - 1]->conf;
    if (response->topics_count != 1 || response->topics->partitions_count != 1 ||
        response->topics->partitions->error_code != ERR_NONE) {
        contacts_leave_home(&keeper->contacts);
        later(keeper);
        return;
    }
    quorum_of_response quorum = response->topics->partitions;
    keeper->is_right = is_right(keeper, quorum);
    const bool all = !keeper->is_right && chance_one_in(&keeper->client.rng, 2);
    bool changes = forgets(keeper);
    changes = removes(keeper, quorum, all) || changes;
    for (uint32_t i = 0; i < conf->voters_count && (all || !changes); i++) {
        if (!votes(keeper, quorum, conf->voters[i].node_id))
            changes = adds(keeper, quorum, &conf->voters[i]) || changes;
    }
    if (!changes)
        later(keeper);
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct keeper *keeper = container_of(contact->client, struct keeper, client);
    struct sim *sim = keeper->client.sim;
    if (exchange->api->key == API_DESCRIBE_QUORUM) {
        described(keeper, exchange->response);
        return;
    }
    if (exchange->api->key == API_ADD_RAFT_VOTER &&
        ((const struct add_raft_voter_response *)exchange->response)->error_code == ERR_NONE)
        sim_count(sim, TALLY_voters_added);
    if (exchange->api->key == API_REMOVE_RAFT_VOTER &&
        ((const struct remove_raft_voter_response *)exchange->response)->error_code == ERR_NONE)
        sim_count(sim, TALLY_voters_removed);
    if (exchange->api->key == API_UNREGISTER_BROKER &&
        ((const struct unregister_broker_response *)exchange->response)->error_code == ERR_NONE)
        sim_count(sim, TALLY_brokers_forgotten);
    later(keeper); /* what became of a change that was refused, the next answer tells */
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    (void)exchange;
    later(container_of(contact->client, struct keeper, client));
}

static void on_opened(struct contact *contact)
{
    later(container_of(contact->client, struct keeper, client));
}

static void on_away(struct contact *contact)
{
    struct keeper *keeper = container_of(contact->client, struct keeper, client);
    if (contact == contacts_home(&keeper->contacts))
        contacts_leave_home(&keeper->contacts);
    later(keeper);
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost, .away = on_away};

static void due(struct task *task)
{
    struct keeper *keeper = container_of(task, struct keeper, task);
    if (is_done(&keeper->client) || contacts_asked(&keeper->contacts) > 0)
        return;
    keeper->is_right = false;
    if (contacts_home(&keeper->contacts)->is_open)
        describe(keeper);
    else
        later(keeper);
}

static void start(struct client *client)
{
    contacts_start(&((struct keeper *)client)->contacts, client, &events_of_contacts);
}

static void settle(struct client *client)
{
    struct keeper *keeper = (struct keeper *)client;
    keeper->is_settling = true;
    keeper->is_right = false; /* by now it may be otherwise */
    later(keeper);
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    const struct keeper *keeper = (const struct keeper *)client;
    snprintf(ret_text, text_bytes, "waits for %u answers, or for all disks to vote",
             contacts_asked(&keeper->contacts));
}

static void end(struct client *client)
{
    (void)client;
}

const struct client_type client_operator = {
    .name = "operator",
    .size = sizeof(struct keeper),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
