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
#include "sim/reader.h"

#define METADATA_VERSION    12
#define LEARN_AGAIN_US_MOST 50000
/* A node that has come to lead may not know yet how much there is to read. */
#define END_HOLDS_US ((uint64_t)1000000)

struct consumer {
    struct client client;
    struct contacts contacts;
    struct reader reader;
    struct task task;
    bool knows_topic;
    bool asked; /* Metadata, at home */
    bool in_cluster;
    bool settling;
    bool is_done;
    uint64_t end_since_us; /* it has been at the end; 0: it is not */
};

static void due(struct task *task);

static struct consumer *of(struct contact *contact)
{
    return (struct consumer *)contact->client;
}

static void later(struct consumer *consumer, uint64_t delay_us)
{
    if (!task_is_queued(&consumer->task))
        queue_put(&consumer->client.sim->queue, &consumer->task,
                  consumer->client.sim->now_us + delay_us, due);
}

static void ask_metadata(struct consumer *consumer)
{
    struct contact *home = contacts_home(&consumer->contacts);
    struct exchange *exchange = contact_request(home, API_METADATA, METADATA_VERSION);
    struct metadata_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = client_topic(&consumer->client);
    request->allow_auto_topic_creation = false;
    consumer->asked = true;
    contact_send(home, exchange, NULL);
}

/* Who leads is asked of another node: the one that was asked may be the one that is in trouble. */
static void look_again(struct consumer *consumer)
{
    consumer->knows_topic = false;
    if (consumer->in_cluster)
        contacts_leave_home(&consumer->contacts);
}

static void learned(struct consumer *consumer, const struct metadata_response *response)
{
    consumer->asked = false;
    consumer->end_since_us = 0; /* replies of those who led before do not count */
    const struct metadata_response_topic *topic =
        response->topics_count == 1 ? &response->topics[0] : NULL;
    if (topic == NULL || topic->error_code != ERR_NONE) {
        /* Nothing is left to read of a topic that is gone. */
        consumer->is_done = consumer->settling;
        look_again(consumer);
        return;
    }
    int32_t partitions[FETCHER_PARTITIONS_MAX];
    uint32_t count = 0;
    while (count < FETCHER_PARTITIONS_MAX && count < (uint32_t)topic->partitions_count) {
        partitions[count] = (int32_t)count;
        count++;
    }
    reader_learn(&consumer->reader, topic);
    if (!uuid_equal(topic->topic_id, consumer->reader.topic_id) || count != consumer->reader.count)
        reader_set(&consumer->reader, topic->topic_id, partitions, count, OFFSET_UNKNOWN);
    consumer->knows_topic = true;
    if (reader_is_leaderless(&consumer->reader))
        look_again(consumer);
}

static void end_reached(struct consumer *consumer)
{
    const uint64_t now_us = consumer->client.sim->now_us;
    if (!consumer->settling || !reader_is_at_end(&consumer->reader))
        consumer->end_since_us = 0;
    else if (consumer->end_since_us == 0)
        consumer->end_since_us = now_us;
    consumer->is_done = consumer->end_since_us != 0 &&
                        (!consumer->in_cluster || now_us >= consumer->end_since_us + END_HOLDS_US);
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct consumer *consumer = of(contact);
    if (exchange->api->key == API_METADATA) {
        learned(consumer, exchange->response);
    } else if (reader_received(&consumer->reader, exchange)) {
        if (consumer->reader.has_failed)
            look_again(consumer);
        else
            end_reached(consumer);
    }
    const bool waits = !consumer->knows_topic;
    later(consumer, waits ? chance_between(&consumer->client.rng, 1000, LEARN_AGAIN_US_MOST)
                          : client_pause_us(&consumer->client, 1000));
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    struct consumer *consumer = of(contact);
    if (!reader_lost(&consumer->reader, exchange))
        consumer->asked = false;
}

/* In a cluster others may lead now. */
static void on_away(struct contact *contact)
{
    struct consumer *consumer = of(contact);
    if (!consumer->in_cluster)
        return;
    if (consumer->knows_topic || contact->host == consumer->contacts.home)
        look_again(consumer);
    later(consumer, chance_between(&consumer->client.rng, 1000, LEARN_AGAIN_US_MOST));
}

static void on_opened(struct contact *contact)
{
    later(of(contact), 1);
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost, .away = on_away};

static void due(struct task *task)
{
    struct consumer *consumer = container_of(task, struct consumer, task);
    const struct client *client = &consumer->client;
    /* What a bit that flipped has damaged, nobody reads to its end. */
    if (consumer->settling && host_is_stranded(client->sim->hosts[client->host - 1]))
        consumer->is_done = true;
    if (consumer->asked || consumer->is_done)
        return;
    if (consumer->knows_topic)
        reader_ask(&consumer->reader);
    else if (contacts_home(&consumer->contacts)->is_open)
        ask_metadata(consumer);
}

static void start(struct client *client)
{
    struct consumer *consumer = (struct consumer *)client;
    consumer->in_cluster = contacts_in_cluster(client);
    contacts_start(&consumer->contacts, client, &events_of_contacts);
    reader_init(&consumer->reader, &consumer->contacts, client_topic(client),
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
    const struct consumer *consumer = (const struct consumer *)client;
    return consumer->is_done && contacts_asked(&consumer->contacts) == 0;
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    const struct consumer *consumer = (const struct consumer *)client;
    snprintf(
        ret_text, text_bytes, "has not read to the end of %u partitions%s", consumer->reader.count,
        consumer->contacts.nodes[consumer->contacts.home - 1].is_open ? ""
                                                                      : ", without a connection");
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
