/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads everything once more when a run is over, broker by broker, so that judges see what became
 * of it: every partition of every topic from its start to its end, and the offsets of every group.
 *
 *     ┌─▶ TOPICS (Metadata of all) ──▶ READING, topic by topic ──▶ GROUPS (OffsetFetch) ─┐
 *     └──────────────────────────── the next broker ◀────────────────────────────────────┘
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/wire/error.h"
#include "sim/fetcher.h"
#include "sim/memory.h"

#define METADATA_VERSION     12
#define OFFSET_FETCH_VERSION 7
#define RETRY_US             ((uint64_t)20000)

enum auditor_state { TOPICS, READING, GROUPS };

struct topic {
    char *name;
    struct uuid id;
    int32_t led[FETCHER_PARTITIONS_MAX]; /* partitions that this auditor's machine leads */
    uint32_t led_count;
};

struct auditor {
    struct client client;
    struct contact contact;
    struct fetcher fetcher;
    struct task task;
    enum auditor_state state;
    struct topic *topics;
    uint32_t topics_count;
    uint32_t topic; /* the one that is read */
    uint32_t group; /* the line of clients whose group is asked for */
    bool asked;
    bool is_done;
};

static void due(struct task *task);

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
    const struct topic *topic = &auditor->topics[auditor->topic];
    fetcher_init(&auditor->fetcher, &auditor->contact, span_text(topic->name), false);
    auditor->fetcher.max_wait_ms = 0;
    auditor->fetcher.is_small = false;
    fetcher_set(&auditor->fetcher, topic->id, topic->led, topic->led_count, OFFSET_UNKNOWN);
}

static void ask_topics(struct auditor *auditor)
{
    struct exchange *exchange = contact_request(&auditor->contact, API_METADATA, METADATA_VERSION);
    ((struct metadata_request *)(uintptr_t)exchange->request)->topics_count = -1;
    contact_send(&auditor->contact, exchange, NULL);
}

/* Each machine has its auditor, who reads what that machine leads. False when a partition has no
 * leader: every one has to get one, sooner or later. */
static bool partitions_learned(const struct auditor *auditor, struct topic *topic,
                               const struct metadata_response_topic *response)
{
    for (int32_t i = 0; i < response->partitions_count; i++) {
        const struct metadata_response_topic_partition *partition = &response->partitions[i];
        if (partition->leader_id < 0)
            return false;
        if (partition->leader_id == (int32_t)auditor->client.host &&
            topic->led_count < FETCHER_PARTITIONS_MAX)
            topic->led[topic->led_count++] = partition->partition_index;
    }
    return true;
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
    auditor->state = auditor->topics_count > 0 ? READING : GROUPS;
    if (auditor->state == READING)
        topic_begins(auditor);
}

static void topic_read(struct auditor *auditor)
{
    if (auditor->fetcher.has_failed) {
        auditor->state = TOPICS; /* it went, or is not there yet: look again */
    } else if (fetcher_is_at_end(&auditor->fetcher)) {
        auditor->topic++;
        if (auditor->topic == auditor->topics_count)
            auditor->state = GROUPS;
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
    struct exchange *exchange =
        contact_request(&auditor->contact, API_OFFSET_FETCH, OFFSET_FETCH_VERSION);
    struct offset_fetch_request *request = (void *)(uintptr_t)exchange->request;
    request->group_id = scenario_group(&scenario->clients[auditor->group]);
    request->topics_count = -1; /* all */
    contact_send(&auditor->contact, exchange, NULL);
}

/* Nobody can promise anything of a disk whose bits flip, nor that the machine starts again. */
static bool host_is_rotten(const struct auditor *auditor)
{
    return auditor->client.sim->hosts[auditor->client.host - 1]->is_rotten;
}

static void host_done(struct auditor *auditor)
{
    contact_end(&auditor->contact);
    if (auditor->client.host == auditor->client.sim->hosts_count) {
        auditor->is_done = true;
        return;
    }
    auditor->client.host++;
    auditor->client.type->start(&auditor->client);
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct auditor *auditor = container_of(contact, struct auditor, contact);
    auditor->asked = false;
    uint64_t delay_us = 1;
    if (exchange->api->key == API_METADATA) {
        topics_learned(auditor, exchange->response);
        if (auditor->state == TOPICS)
            delay_us = RETRY_US;
    } else if (exchange->api->key == API_OFFSET_FETCH) {
        const struct offset_fetch_response *response = exchange->response;
        if (response->error_code == ERR_NONE)
            auditor->group++;
        else
            delay_us = RETRY_US; /* the coordinator is still loading */
    } else if (fetcher_received(&auditor->fetcher, exchange)) {
        if (auditor->fetcher.has_failed)
            delay_us = RETRY_US;
        topic_read(auditor);
    }
    later(auditor, delay_us);
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    struct auditor *auditor = container_of(contact, struct auditor, contact);
    auditor->asked = false;
    fetcher_lost(&auditor->fetcher, exchange);
}

static void on_opened(struct contact *contact)
{
    later(container_of(contact, struct auditor, contact), 1);
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost};

static void due(struct task *task)
{
    struct auditor *auditor = container_of(task, struct auditor, task);
    if (host_is_rotten(auditor)) {
        host_done(auditor);
        return;
    }
    if (!auditor->contact.is_open || auditor->asked)
        return;
    auditor->asked = true;
    if (auditor->state == TOPICS) {
        ask_topics(auditor);
    } else if (auditor->state == READING && auditor->fetcher.count > 0) {
        fetcher_ask(&auditor->fetcher);
    } else if (group_next(auditor)) {
        ask_group(auditor);
    } else {
        auditor->asked = false;
        host_done(auditor);
    }
}

static void start(struct client *client)
{
    struct auditor *auditor = (struct auditor *)client;
    if (client->host == 0 || client->host > client->sim->hosts_count)
        client->host = 1;
    auditor->state = TOPICS;
    auditor->asked = false;
    if (host_is_rotten(auditor))
        later(auditor, 1);
    else
        contact_start(&auditor->contact, client, &events_of_contacts);
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
             auditor->contact.is_open ? "" : ", without a connection");
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
