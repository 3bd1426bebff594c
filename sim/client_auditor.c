/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads everything once more when a run is over, cluster by cluster, so that judges see what became
 * of it: every partition of every topic from its start to its end, and the offsets of every group.
 *
 *     ┌─▶ TOPICS (Metadata of all) ──▶ READING, topic by topic ──┬─▶ GROUPS (OffsetFetch) ─┐
 *     │       of several nodes: FINDING (FindCoordinator) ◀──────┴──▶ of each group        │
 *     └──────────────────────────── the next cluster ◀─────────────────────────────────────┘
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/wire/error.h"
#include "sim/memory.h"
#include "sim/reader.h"

#define METADATA_VERSION     12
#define OFFSET_FETCH_VERSION 7
#define FIND_VERSION         3
#define RETRY_US             ((uint64_t)20000)

enum auditor_state { TOPICS, READING, FINDING, GROUPS };

struct topic {
    char *name;
    struct uuid id;
    struct metadata_response_topic_partition led[FETCHER_PARTITIONS_MAX]; /* by whom */
    int32_t led_count;
};

struct auditor {
    struct client client;
    struct contacts contacts;
    struct reader reader;
    struct task task;
    enum auditor_state state;
    struct topic *topics;
    uint32_t topics_count;
    uint32_t topic;       /* the one that is read */
    uint32_t group;       /* the line of clients whose group is asked for … */
    uint32_t coordinator; /* … and the node that has it */
    bool asked;
    bool is_done;
};

static void due(struct task *task);

static struct auditor *of(struct contact *contact)
{
    return (struct auditor *)contact->client;
}

static void later(struct auditor *auditor, uint64_t delay_us)
{
    if (!task_is_queued(&auditor->task))
        queue_put(&auditor->client.sim->queue, &auditor->task,
                  auditor->client.sim->now_us + delay_us, due);
}

static void topics_forget(struct auditor *auditor)
{
    for (uint32_t i = 0; i < auditor->topics_count; i++)
        free(auditor->topics[i].name);
    auditor->topics_count = 0;
}

static void topic_begins(struct auditor *auditor)
{
    struct topic *topic = &auditor->topics[auditor->topic];
    const struct metadata_response_topic learned = {
        .topic_id = topic->id, .partitions = topic->led, .partitions_count = topic->led_count};
    int32_t partitions[FETCHER_PARTITIONS_MAX];
    for (int32_t i = 0; i < topic->led_count; i++)
        partitions[i] = topic->led[i].partition_index;
    auditor->reader.topic = span_text(topic->name);
    reader_learn(&auditor->reader, &learned);
    reader_set(&auditor->reader, topic->id, partitions, (uint32_t)topic->led_count, OFFSET_UNKNOWN);
}

static void ask_topics(struct auditor *auditor)
{
    struct contact *home = contacts_home(&auditor->contacts);
    struct exchange *exchange = contact_request(home, API_METADATA, METADATA_VERSION);
    ((struct metadata_request *)(uintptr_t)exchange->request)->topics_count = -1;
    contact_send(home, exchange, NULL);
}

/* False when a partition has no leader: every one has to get one, sooner or later. */
static bool partitions_learned(const struct auditor *auditor, struct topic *topic,
                               const struct metadata_response_topic *response)
{
    for (int32_t i = 0; i < response->partitions_count; i++) {
        const struct metadata_response_topic_partition *partition = &response->partitions[i];
        if (contacts_leader(&auditor->client, partition->leader_id) == 0)
            return false;
        if (topic->led_count < FETCHER_PARTITIONS_MAX)
            topic->led[topic->led_count++] = (struct metadata_response_topic_partition){
                .partition_index = partition->partition_index,
                .leader_id = partition->leader_id,
                .leader_epoch = partition->leader_epoch};
    }
    return true;
}

static enum auditor_state groups_state(const struct auditor *auditor)
{
    return contacts_in_cluster(&auditor->client) ? FINDING : GROUPS;
}

static void topics_learned(struct auditor *auditor, const struct metadata_response *response)
{
    topics_forget(auditor);
    auditor->topics = sim_allocate(auditor->topics,
                                   ((size_t)response->topics_count + 1) * sizeof(*auditor->topics));
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct metadata_response_topic *topic = &response->topics[i];
        if (topic->is_internal || topic->error_code != ERR_NONE)
            continue;
        struct topic learned = {.id = topic->topic_id};
        if (!partitions_learned(auditor, &learned, topic)) {
            topics_forget(auditor);
            return; /* asked again a little later */
        }
        if (learned.led_count == 0)
            continue;
        learned.name = sim_text_copy((const char *)topic->name.data, topic->name.length);
        auditor->topics[auditor->topics_count++] = learned;
    }
    auditor->topic = 0;
    auditor->group = 0;
    auditor->state = auditor->topics_count > 0 ? READING : groups_state(auditor);
    if (auditor->state == READING)
        topic_begins(auditor);
}

static void topic_read(struct auditor *auditor)
{
    if (auditor->reader.has_failed && !reader_is_at_end(&auditor->reader)) {
        auditor->state = TOPICS; /* it went, or is not there yet: look again */
    } else if (reader_is_at_end(&auditor->reader)) {
        auditor->topic++;
        if (auditor->topic == auditor->topics_count)
            auditor->state = groups_state(auditor);
        else
            topic_begins(auditor);
    }
}

/* The next line of clients that has a group; false when there is none. */
static bool group_next(struct auditor *auditor)
{
    const struct scenario *scenario = auditor->client.sim->scenario;
    while (auditor->group < scenario->clients_count &&
           scenario->clients[auditor->group].kind != CLIENT_MEMBER)
        auditor->group++;
    return auditor->group < scenario->clients_count;
}

static void ask_group(struct auditor *auditor)
{
    const struct scenario *scenario = auditor->client.sim->scenario;
    struct contact *contact = contacts_at(&auditor->contacts, auditor->coordinator);
    struct exchange *exchange = contact_request(contact, API_OFFSET_FETCH, OFFSET_FETCH_VERSION);
    struct offset_fetch_request *request = (void *)(uintptr_t)exchange->request;
    request->group_id = scenario_group(&scenario->clients[auditor->group]);
    request->topics_count = -1; /* all */
    contact_send(contact, exchange, NULL);
}

static void ask_coordinator(struct auditor *auditor)
{
    const struct scenario *scenario = auditor->client.sim->scenario;
    struct contact *home = contacts_home(&auditor->contacts);
    struct exchange *exchange = contact_request(home, API_FIND_COORDINATOR, FIND_VERSION);
    ((struct find_coordinator_request *)(uintptr_t)exchange->request)->key =
        scenario_group(&scenario->clients[auditor->group]);
    contact_send(home, exchange, NULL);
}

/* Nobody can promise anything of a disk whose bits flip, nor that the machine starts again. */
static bool host_is_rotten(const struct auditor *auditor)
{
    return host_is_stranded(auditor->client.sim->hosts[auditor->client.host - 1]);
}

static bool is_first_of_cluster(const struct auditor *auditor, uint32_t host)
{
    struct host *const *hosts = auditor->client.sim->hosts;
    for (uint32_t i = 1; i < host; i++) {
        if (host_cluster(hosts[i - 1]) == host_cluster(hosts[host - 1]))
            return false;
    }
    return true;
}

static void cluster_done(struct auditor *auditor)
{
    contacts_end(&auditor->contacts);
    do {
        if (auditor->client.host == auditor->client.sim->hosts_count) {
            auditor->is_done = true;
            return;
        }
        auditor->client.host++;
    } while (!is_first_of_cluster(auditor, auditor->client.host));
    auditor->client.type->start(&auditor->client);
}

/* The next state's question, or, after a while, the same once more. */
static uint64_t group_answered(struct auditor *auditor, const struct exchange *exchange)
{
    if (exchange->api->key == API_FIND_COORDINATOR) {
        const struct find_coordinator_response *response = exchange->response;
        auditor->coordinator = contacts_leader(&auditor->client, response->node_id);
        if (response->error_code != ERR_NONE || auditor->coordinator == 0)
            return RETRY_US;
        auditor->state = GROUPS;
        return 1;
    }
    const struct offset_fetch_response *response = exchange->response;
    auditor->state = groups_state(auditor);
    if (response->error_code != ERR_NONE)
        return RETRY_US; /* the coordinator is still loading */
    auditor->group++;
    return 1;
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct auditor *auditor = of(contact);
    uint64_t delay_us = 1;
    if (reader_received(&auditor->reader, exchange)) {
        if (auditor->reader.has_failed)
            delay_us = RETRY_US;
        if (auditor->state == READING)
            topic_read(auditor);
        later(auditor, delay_us);
        return;
    }
    auditor->asked = false;
    if (exchange->api->key == API_METADATA) {
        topics_learned(auditor, exchange->response);
        if (auditor->state == TOPICS)
            delay_us = RETRY_US;
    } else {
        delay_us = group_answered(auditor, exchange);
    }
    later(auditor, delay_us);
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    struct auditor *auditor = of(contact);
    if (!reader_lost(&auditor->reader, exchange))
        auditor->asked = false;
}

static void on_opened(struct contact *contact)
{
    later(of(contact), 1);
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost};

static void ask(struct auditor *auditor)
{
    switch (auditor->state) {
    case TOPICS:
        ask_topics(auditor);
        break;
    case READING:
        reader_ask(&auditor->reader);
        break;
    case FINDING:
        ask_coordinator(auditor);
        break;
    case GROUPS:
        ask_group(auditor);
        break;
    }
}

static void due(struct task *task)
{
    struct auditor *auditor = container_of(task, struct auditor, task);
    if (host_is_rotten(auditor)) {
        cluster_done(auditor);
        return;
    }
    if (auditor->asked)
        return;
    if (auditor->state >= FINDING && !group_next(auditor)) {
        cluster_done(auditor);
        return;
    }
    const struct contact *contact = auditor->state == GROUPS
                                        ? contacts_at(&auditor->contacts, auditor->coordinator)
                                        : contacts_home(&auditor->contacts);
    if (!contact->is_open && auditor->state != READING)
        return;
    auditor->asked = auditor->state != READING;
    ask(auditor);
}

static void start(struct client *client)
{
    struct auditor *auditor = (struct auditor *)client;
    if (client->host == 0 || client->host > client->sim->hosts_count)
        client->host = 1;
    auditor->state = TOPICS;
    auditor->asked = false;
    auditor->coordinator = client->host;
    if (host_is_rotten(auditor)) {
        later(auditor, 1);
        return;
    }
    contacts_start(&auditor->contacts, client, &events_of_contacts);
    reader_init(&auditor->reader, &auditor->contacts, SPAN(""), false);
    auditor->reader.ways.max_wait_ms = 0;
    auditor->reader.ways.is_small = false;
}

static void settle(struct client *client)
{
    (void)client;
}

static bool is_done(const struct client *client)
{
    return ((const struct auditor *)client)->is_done;
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    const struct auditor *auditor = (const struct auditor *)client;
    snprintf(ret_text, text_bytes, "is at topic %u of %u of n%u%s", auditor->topic,
             auditor->topics_count, client->host,
             auditor->contacts.nodes[client->host - 1].is_open ? "" : ", without a connection");
}

static void end(struct client *client)
{
    struct auditor *auditor = (struct auditor *)client;
    topics_forget(auditor);
    free(auditor->topics);
}

const struct client_type client_auditor = {
    .name = "auditor",
    .size = sizeof(struct auditor),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
