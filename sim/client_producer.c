/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer: batches go to the leaders of their partitions in the order of their numbers, several
 * at once, and again until they are acknowledged, as librdkafka does it. An idempotent one keeps a
 * batch's sequence over tries, and takes a new producer id when the broker knows its sequences no
 * more.
 *
 *     LEARNING (Metadata) ──▶ NAMING (InitProducerId, idempotent ones) ──▶ PRODUCING
 *         ▲                                                                    │
 *         └──────────── the topic is unknown, or has another id ◀──────────────┘
 *
 * In a cluster it goes on PRODUCING while it asks who leads the partitions that it has lost.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/wire/error.h"
#include "sim/producer.h"

#define TRIES_AT_THE_END 40 /* for what no broker takes, when the load is over */
#define METADATA_VERSION 12
#define TOPIC_ID_VERSION 13 /* of Produce: topics by id from here on */
#define AGAIN_US_LEAST   1000
#define AGAIN_US_MOST    50000

static void go_on(struct producer *producer);
static void due(struct task *task);
static void leaders_due(struct task *task);

static struct producer *of(struct contact *contact)
{
    return (struct producer *)contact->client;
}

static void later(struct producer *producer, uint64_t delay_us)
{
    queue_put(&producer->client.sim->queue, &producer->task,
              producer->client.sim->now_us + delay_us, due);
}

/* ---- Requests. ---- */

static void ask_metadata(struct producer *producer)
{
    struct contact *home = contacts_home(&producer->contacts);
    struct exchange *exchange = contact_request(home, API_METADATA, METADATA_VERSION);
    struct metadata_request *request = (void *)(uintptr_t)exchange->request;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = client_topic(&producer->client);
    producer->asked = true;
    contact_send(home, exchange, NULL);
}

static void ask_producer_id(struct producer *producer)
{
    struct contact *home = contacts_home(&producer->contacts);
    struct exchange *exchange = contact_request(home, API_INIT_PRODUCER_ID, 4);
    ((struct init_producer_id_request *)(uintptr_t)exchange->request)->transactional_id = SPAN_NULL;
    producer->asked = true;
    contact_send(home, exchange, NULL);
}

static bool attempt_has(const struct attempt *attempt, uint32_t partition)
{
    for (uint32_t i = 0; i < attempt->count; i++) {
        if (attempt->parts[i]->partition == partition)
            return true;
    }
    return false;
}

/* The oldest batches for this leader that are not under way, each of another partition. */
static void attempt_fill(struct producer *producer, uint32_t leader, struct attempt *attempt)
{
    const uint64_t most = chance_between(&producer->client.rng, 1, PRODUCER_PARTS_MAX);
    for (struct list *at = producer->batches.next;
         at != &producer->batches && attempt->count < most; at = at->next) {
        struct batch *batch = container_of(at, struct batch, place);
        if (!batch->in_flight && producer->leaders[batch->partition] == leader &&
            !attempt_has(attempt, batch->partition))
            attempt->parts[attempt->count++] = batch;
    }
}

static void produce_fill(const struct producer *producer, struct exchange *exchange,
                         const struct attempt *attempt)
{
    struct produce_request *request = (void *)(uintptr_t)exchange->request;
    request->acks = (int16_t)(int)producer->client.plan->acks;
    request->timeout_ms = 10000;
    struct produce_request_topic_data *topic = peer_take(exchange, sizeof(*topic));
    request->topic_data = topic;
    request->topic_data_count = 1;
    topic->name = client_topic(&producer->client);
    topic->topic_id = producer->topic_id;
    topic->partition_data = peer_take(exchange, attempt->count * sizeof(*topic->partition_data));
    topic->partition_data_count = (int32_t)attempt->count;
    for (uint32_t i = 0; i < attempt->count; i++) {
        topic->partition_data[i].index = (int32_t)attempt->parts[i]->partition;
        topic->partition_data[i].records =
            peer_copy(exchange, span_of(attempt->parts[i]->bytes, attempt->parts[i]->length));
    }
}

static void attempt_sent(struct producer *producer, const struct attempt *attempt)
{
    for (uint32_t i = 0; i < attempt->count; i++) {
        attempt->parts[i]->in_flight = true;
        attempt->parts[i]->tries++;
        if (producer->client.plan->acks == 0)
            producer_batch_free(producer, attempt->parts[i]);
    }
}

/* False when there is nothing to send to this leader. */
static bool produce(struct producer *producer, struct contact *contact)
{
    struct attempt attempt = {.count = 0};
    attempt_fill(producer, contact->host, &attempt);
    if (attempt.count == 0)
        return false;
    struct exchange *exchange = contact_request(contact, API_PRODUCE, producer->version);
    struct attempt *kept = peer_take(exchange, sizeof(*kept));
    *kept = attempt;
    produce_fill(producer, exchange, &attempt);
    if (producer->client.plan->acks != 0)
        producer->in_flight++;
    contact_send(contact, exchange, kept);
    attempt_sent(producer, &attempt);
    return true;
}

/* ---- Replies. ---- */

/* A node may be behind the others: what it says of an earlier epoch is known better. Whoever is
 * asked refuses what was made for a partition that is no more. */
static void leaders_learned(struct producer *producer, const struct metadata_response_topic *topic,
                            bool is_other)
{
    for (uint32_t i = 0; i < PRODUCER_PARTITIONS_MAX; i++) {
        if (is_other) /* nor are epochs of a partition that the topic has not yet */
            producer->leader_epochs[i] = 0;
        if (!producer->in_cluster || i >= producer->partitions) {
            producer->leaders[i] = producer->contacts.home;
            continue;
        }
        const struct metadata_response_topic_partition *partition = &topic->partitions[i];
        if (partition->leader_epoch < producer->leader_epochs[i])
            continue;
        producer->leader_epochs[i] = partition->leader_epoch;
        producer->leaders[i] = contacts_leader(&producer->client, partition->leader_id);
    }
}

static void leaders_later(struct producer *producer)
{
    struct client *client = &producer->client;
    if (!task_is_queued(&producer->leaders_task))
        queue_put(&client->sim->queue, &producer->leaders_task,
                  client->sim->now_us + chance_between(&client->rng, AGAIN_US_LEAST, AGAIN_US_MOST),
                  leaders_due);
}

/* The node that was asked may be the one that is in trouble: another one is. */
static void leaders_due(struct task *task)
{
    struct producer *producer = container_of(task, struct producer, leaders_task);
    contacts_leave_home(&producer->contacts);
    if (producer->state != PRODUCER_PRODUCING)
        return;
    if (!producer->asked && contacts_home(&producer->contacts)->is_open)
        ask_metadata(producer);
    else
        leaders_later(producer);
}

/* There is trouble with a partition: what Metadata says may explain it. In a cluster the others go
 * on meanwhile. */
static void look_again(struct producer *producer, uint32_t partition)
{
    if (producer->in_cluster)
        producer->leaders[partition] = 0;
    else if (producer->state == PRODUCER_PRODUCING)
        producer->state = PRODUCER_LEARNING;
}

static void learned(struct producer *producer, const struct metadata_response *response)
{
    producer->asked = false;
    const struct metadata_response_topic *topic =
        response->topics_count == 1 ? &response->topics[0] : NULL;
    if (topic == NULL || topic->error_code != ERR_NONE || topic->partitions_count == 0) {
        if (producer->in_cluster)
            contacts_leave_home(&producer->contacts);
        return;
    }
    const bool is_other = !uuid_equal(topic->topic_id, producer->topic_id);
    producer->topic_id = topic->topic_id;
    producer->partitions = (uint32_t)topic->partitions_count < PRODUCER_PARTITIONS_MAX
                               ? (uint32_t)topic->partitions_count
                               : PRODUCER_PARTITIONS_MAX;
    leaders_learned(producer, topic, is_other);
    const bool needs_name =
        producer->client.plan->idempotent && (producer->producer_id < 0 || is_other);
    if (needs_name)
        producer->state = PRODUCER_NAMING;
    else if (!producer->in_cluster || producer->state == PRODUCER_LEARNING)
        producer->state = PRODUCER_PRODUCING;
}

static void named(struct producer *producer, const struct init_producer_id_response *response)
{
    producer->asked = false;
    if (response->error_code != ERR_NONE)
        return;
    const bool is_first = producer->producer_id < 0;
    producer->producer_id = response->producer_id;
    producer->producer_epoch = response->producer_epoch;
    if (!is_first)
        producer_rename(producer);
    producer->state = PRODUCER_PRODUCING;
}

/* Who leads, and who is in sync, settles sooner or later: nobody gives up on that. */
static bool is_moving(const struct producer *producer, int16_t error)
{
    return producer->in_cluster &&
           (error == ERR_NOT_LEADER_OR_FOLLOWER || error == ERR_FENCED_LEADER_EPOCH ||
            error == ERR_UNKNOWN_LEADER_EPOCH || error == ERR_LEADER_NOT_AVAILABLE ||
            error == ERR_REPLICA_NOT_AVAILABLE || error == ERR_NOT_ENOUGH_REPLICAS ||
            error == ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND || error == ERR_REQUEST_TIMED_OUT);
}

static bool is_done_with(const struct producer *producer, const struct batch *batch, int16_t error)
{
    switch (error) {
    case ERR_NONE:
    case ERR_DUPLICATE_SEQUENCE_NUMBER:
    case ERR_MESSAGE_TOO_LARGE:
    case ERR_RECORD_LIST_TOO_LARGE:
    case ERR_INVALID_TIMESTAMP:
    case ERR_INVALID_RECORD:
        return true;
    default:
        return producer->settling && batch->tries > TRIES_AT_THE_END && !is_moving(producer, error);
    }
}

static void answered(struct producer *producer, struct batch *batch, int16_t error)
{
    batch->in_flight = false;
    if (error == ERR_NONE)
        producer->client.sim->tally.counts[TALLY_acked_records] += batch->records;
    if (is_done_with(producer, batch, error)) {
        /* What was given up leaves a gap that the broker would not forgive. */
        if (error != ERR_NONE && error != ERR_DUPLICATE_SEQUENCE_NUMBER &&
            producer->client.plan->idempotent)
            producer->state = PRODUCER_NAMING;
        producer_batch_free(producer, batch);
        return;
    }
    if (error == ERR_OUT_OF_ORDER_SEQUENCE_NUMBER || error == ERR_UNKNOWN_PRODUCER_ID ||
        error == ERR_INVALID_PRODUCER_EPOCH) {
        /* What was made before it has to go first; only without that the broker forgot us. */
        if (producer_is_oldest(producer, batch))
            producer->state = PRODUCER_NAMING;
    } else {
        look_again(producer, batch->partition);
    }
}

static void produced(struct producer *producer, const struct exchange *exchange)
{
    const struct attempt *attempt = exchange->user;
    const struct produce_response *response = exchange->response;
    producer->in_flight--;
    for (uint32_t i = 0; i < attempt->count; i++) {
        int16_t error = ERR_UNKNOWN_SERVER_ERROR;
        for (int32_t j = 0;
             response->responses_count == 1 && j < response->responses[0].partition_responses_count;
             j++) {
            const struct produce_response_response_partition_response *part =
                &response->responses[0].partition_responses[j];
            if (part->index == (int32_t)attempt->parts[i]->partition)
                error = part->error_code;
        }
        answered(producer, attempt->parts[i], error);
    }
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct producer *producer = of(contact);
    if (exchange->api->key == API_METADATA)
        learned(producer, exchange->response);
    else if (exchange->api->key == API_INIT_PRODUCER_ID)
        named(producer, exchange->response);
    else
        produced(producer, exchange);
    if (producer->state == PRODUCER_PRODUCING)
        go_on(producer);
    else if (!task_is_queued(&producer->task))
        later(producer, chance_between(&producer->client.rng, AGAIN_US_LEAST, AGAIN_US_MOST));
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    struct producer *producer = of(contact);
    if (exchange->api->key != API_PRODUCE) {
        producer->asked = false;
        return;
    }
    const struct attempt *attempt = exchange->user;
    producer->in_flight--;
    for (uint32_t i = 0; i < attempt->count; i++)
        attempt->parts[i]->in_flight = false;
}

/* In a cluster others may lead now. */
static void on_away(struct contact *contact)
{
    struct producer *producer = of(contact);
    if (!producer->in_cluster)
        return;
    for (uint32_t i = 0; i < producer->partitions; i++) {
        if (producer->leaders[i] == contact->host)
            producer->leaders[i] = 0;
    }
    if (contact->host == producer->contacts.home)
        contacts_leave_home(&producer->contacts);
    if (!task_is_queued(&producer->task))
        later(producer, chance_between(&producer->client.rng, AGAIN_US_LEAST, AGAIN_US_MOST));
}

static void on_opened(struct contact *contact)
{
    go_on(of(contact));
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost, .away = on_away};

/* ---- Its life. ---- */

static bool wants_more(const struct producer *producer)
{
    const uint64_t records = producer->client.plan->records;
    return !producer->settling && producer->batches_count < PRODUCER_WAITING_MAX &&
           (records == 0 || producer->made < records);
}

static void produce_all(struct producer *producer)
{
    for (uint32_t node = 1; node <= producer->client.sim->hosts_count; node++) {
        if (!producer_waits_for(producer, node))
            continue;
        struct contact *leader = contacts_at(&producer->contacts, node);
        while (leader->is_open && contact_asked(leader) < producer->in_flight_most &&
               produce(producer, leader)) {
        }
    }
}

static void go_on(struct producer *producer)
{
    const bool is_free = producer->in_cluster && producer->state == PRODUCER_PRODUCING;
    if (!is_free && (producer->asked || !contacts_home(&producer->contacts)->is_open))
        return;
    if (producer->state != PRODUCER_PRODUCING) {
        if (producer->state == PRODUCER_LEARNING)
            ask_metadata(producer);
        else if (producer->in_flight == 0)
            ask_producer_id(producer);
        return;
    }
    produce_all(producer);
    if (is_free && producer_waits_for(producer, 0))
        leaders_later(producer);
    if (wants_more(producer) && !task_is_queued(&producer->task))
        later(producer, client_pause_us(&producer->client, 2000));
}

static void due(struct task *task)
{
    struct producer *producer = container_of(task, struct producer, task);
    if (producer->state == PRODUCER_PRODUCING && wants_more(producer))
        producer_batch_make(producer);
    go_on(producer);
}

static void start(struct client *client)
{
    static const int16_t versions[] = {3, 5, 7, 8, 9, 10, 11, 12, TOPIC_ID_VERSION};
    struct producer *producer = (struct producer *)client;
    list_init(&producer->batches);
    producer->producer_id = -1;
    producer->version =
        versions[chance_below(&client->rng, sizeof(versions) / sizeof(versions[0]))];
    producer->in_flight_most = (uint32_t)client_draw(client, client->plan->in_flight, 1, 5);
    producer->in_cluster = contacts_in_cluster(client);
    contacts_start(&producer->contacts, client, &events_of_contacts);
}

static void settle(struct client *client)
{
    struct producer *producer = (struct producer *)client;
    producer->settling = true;
    go_on(producer);
}

static bool is_done(const struct client *client)
{
    const struct producer *producer = (const struct producer *)client;
    return producer->settling && producer->batches_count == 0 &&
           contacts_asked(&producer->contacts) == 0;
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    const struct producer *producer = (const struct producer *)client;
    static const char *const states[] = {"learning", "naming", "producing"};
    snprintf(ret_text, text_bytes, "is %s with %u batches, %u requests under way%s",
             states[producer->state], producer->batches_count, producer->in_flight,
             producer->contacts.nodes[producer->contacts.home - 1].is_open
                 ? ""
                 : ", without a connection");
}

static void end(struct client *client)
{
    struct producer *producer = (struct producer *)client;
    while (!list_empty(&producer->batches))
        producer_batch_free(producer, container_of(producer->batches.next, struct batch, place));
}

const struct client_type client_producer = {
    .name = "producer",
    .size = sizeof(struct producer),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
