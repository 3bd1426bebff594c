/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads all partitions of a topic, without a group.
 *
 *     LEARNING (Metadata) ──▶ READING
 *         ▲                      │ an error that metadata may explain
 *         └──────────────────────┘
 */
#include <stdio.h>

#include "core/wire/error.h"
#include "sim/fetcher.h"

#define METADATA_VERSION 12

struct consumer {
    struct client client;
    struct contact contact;
    struct fetcher fetcher;
    struct task task;
    bool knows_topic;
    bool asked; /* Metadata */
    bool settling;
    bool is_done;
};

static void due(struct task *task);

static void later(struct consumer *consumer, uint64_t delay_us)
{
    if (!task_is_queued(&consumer->task))
        queue_put(&consumer->client.sim->queue, &consumer->task,
                  consumer->client.sim->now_us + delay_us, due);
}

static void ask_metadata(struct consumer *consumer)
{
    struct exchange *exchange = contact_request(&consumer->contact, API_METADATA, METADATA_VERSION);
    struct metadata_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = client_topic(&consumer->client);
    request->allow_auto_topic_creation = false;
    consumer->asked = true;
    contact_send(&consumer->contact, exchange, NULL);
}

static void learned(struct consumer *consumer, const struct metadata_response *response)
{
    consumer->asked = false;
    const struct metadata_response_topic *topic =
        response->topics_count == 1 ? &response->topics[0] : NULL;
    if (topic == NULL || topic->error_code != ERR_NONE) {
        /* Nothing is left to read of a topic that is gone. */
        consumer->is_done = consumer->settling;
        return;
    }
    int32_t partitions[FETCHER_PARTITIONS_MAX];
    uint32_t count = 0;
    while (count < FETCHER_PARTITIONS_MAX && count < (uint32_t)topic->partitions_count) {
        partitions[count] = (int32_t)count;
        count++;
    }
    if (!uuid_equal(topic->topic_id, consumer->fetcher.topic_id) ||
        count != consumer->fetcher.count)
        fetcher_set(&consumer->fetcher, topic->topic_id, partitions, count, OFFSET_UNKNOWN);
    consumer->knows_topic = true;
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct consumer *consumer = container_of(contact, struct consumer, contact);
    if (exchange->api->key == API_METADATA) {
        learned(consumer, exchange->response);
    } else if (fetcher_received(&consumer->fetcher, exchange)) {
        if (consumer->fetcher.has_failed)
            consumer->knows_topic = false;
        else if (consumer->settling && fetcher_is_at_end(&consumer->fetcher))
            consumer->is_done = true;
    }
    const bool waits = !consumer->knows_topic;
    later(consumer, waits
                        ? chance_between(&consumer->client.rng, 1000, 50000)
                        : client_draw(&consumer->client, consumer->client.plan->pause_us, 1, 1000));
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    struct consumer *consumer = container_of(contact, struct consumer, contact);
    if (!fetcher_lost(&consumer->fetcher, exchange))
        consumer->asked = false;
}

static void on_opened(struct contact *contact)
{
    later(container_of(contact, struct consumer, contact), 1);
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost};

static void due(struct task *task)
{
    struct consumer *consumer = container_of(task, struct consumer, task);
    const struct client *client = &consumer->client;
    /* What a bit that flipped has damaged, nobody reads to its end. */
    if (consumer->settling && client->sim->hosts[client->host - 1]->is_rotten)
        consumer->is_done = true;
    if (!consumer->contact.is_open || consumer->asked || consumer->is_done)
        return;
    if (consumer->knows_topic)
        fetcher_ask(&consumer->fetcher);
    else
        ask_metadata(consumer);
}

static void start(struct client *client)
{
    struct consumer *consumer = (struct consumer *)client;
    contact_start(&consumer->contact, client, &events_of_contacts);
    fetcher_init(&consumer->fetcher, &consumer->contact, client_topic(client),
                 client->plan->sessions);
}

static void settle(struct client *client)
{
    struct consumer *consumer = (struct consumer *)client;
    consumer->settling = true;
    later(consumer, 1);
}

static bool is_done(const struct client *client)
{
    return ((const struct consumer *)client)->is_done;
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    const struct consumer *consumer = (const struct consumer *)client;
    snprintf(ret_text, text_bytes, "has not read to the end of %u partitions%s",
             consumer->fetcher.count, consumer->contact.is_open ? "" : ", without a connection");
}

static void end(struct client *client)
{
    (void)client;
}

const struct client_type client_consumer = {
    .name = "consumer",
    .size = sizeof(struct consumer),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
