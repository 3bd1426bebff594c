/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member of a classic consumer group, as the Java client is one: it reads what the group's leader
 * gave it, and commits how far it came.
 *
 *   AWAY ─▶ FINDING ─▶ LEARNING ─▶ JOINING ─▶ SYNCING ─▶ RESUMING ─▶ CONSUMING ─▶ LEAVING ─▶ AWAY
 *              ▲          ▲           ▲          │           │           │
 *              │          │           └──────────┴───────────┴───────────┤ the group rebalances
 *              │          └──────────────────────────────────────────────┤ the topic is another
 *              └─────────────────────────────────────────────────────────┘ the coordinator is
 *
 * The coordinator is looked for again, at another node, when it is lost. Where lives end it leaves,
 * or vanishes, or hangs for longer than its session and goes on as if nothing had been; then it
 * comes again.
 */
#include <stdio.h>

#include "core/base/check.h"
#include "core/wire/error.h"
#include "sim/assignor.h"
#include "sim/host.h"
#include "sim/member.h"

#define AWAY_US_MOST  ((uint64_t)1000000)
#define ERROR_US_MOST ((uint64_t)50000)
/* It gives up after so many, when the load is over, on what will not come any more: a topic that
 * was deleted, a place in a group that is full. */
#define TROUBLES_MOST 40

static void due(struct task *task);
static void beat_due(struct task *task);
static void life_due(struct task *task);

static struct member *of(struct contact *contact)
{
    return (struct member *)contact->client;
}

static bool is_hanging(const struct member *member)
{
    return member->client.sim->now_us < member->hangs_until_us;
}

static void later(struct member *member, uint64_t delay_us)
{
    const uint64_t at_us = member->client.sim->now_us + delay_us;
    if (!task_is_queued(&member->task))
        queue_put(&member->client.sim->queue, &member->task,
                  at_us < member->hangs_until_us ? member->hangs_until_us : at_us, due);
}

/* ---- Its life. ---- */

static void life_ends_in(struct member *member, uint64_t delay_us)
{
    queue_put(&member->client.sim->queue, &member->life_task, member->client.sim->now_us + delay_us,
              life_due);
}

static void go_away(struct member *member)
{
    struct queue *queue = &member->client.sim->queue;
    contact_end(&member->contact);
    contacts_end(&member->contacts);
    queue_cancel(queue, &member->task);
    queue_cancel(queue, &member->beat_task);
    member->state = MEMBER_AWAY;
    if (member->settling)
        member->is_done = true;
    else
        life_ends_in(member, chance_between(&member->client.rng, 1, AWAY_US_MOST));
}

static void beat_later(struct member *member)
{
    const uint64_t session_us = (uint64_t)member->session_timeout_ms * 1000;
    queue_put(&member->client.sim->queue, &member->beat_task,
              member->client.sim->now_us +
                  chance_between(&member->client.rng, session_us / 8, session_us / 3),
              beat_due);
}

static void life_draw(struct member *member)
{
    const struct range life_ms = member->client.plan->life_ms;
    if (life_ms.most > 0)
        life_ends_in(member, 1000 * client_draw(&member->client, life_ms, 0, 0));
}

static const struct contact_events events_of_contacts;
static const struct contact_events events_of_readers;

static void life_begins(struct member *member)
{
    struct client *client = &member->client;
    member_draw(member);
    member->in_cluster = contacts_in_cluster(client);
    contact_start(&member->contact, client, client->host, &events_of_contacts);
    contacts_start(&member->contacts, client, &events_of_readers);
    member->timeout_us = member->contact.timeout_us;
    reader_init(&member->reader, &member->contacts, client_topic(client), client->plan->sessions);
    member->state = MEMBER_FINDING;
    member->asked = member->beat_asked = member->commit_asked = false;
    member->rejoins = member->flushes = member->leaves = member->is_resumed = false;
    member->member_id_length = 0;
    member->generation = -1;
    member->topic_id = (struct uuid){{0}};
    beat_later(member);
    life_draw(member);
}

static void life_due(struct task *task)
{
    struct member *member = container_of(task, struct member, life_task);
    struct chance *rng = &member->client.rng;
    if (member->state == MEMBER_AWAY) {
        life_begins(member);
    } else if (chance_one_in(rng, 3)) {
        const uint64_t session_us = (uint64_t)member->session_timeout_ms * 1000;
        member->hangs_until_us =
            member->client.sim->now_us + chance_between(rng, session_us, 2 * session_us);
        queue_cancel(&member->client.sim->queue, &member->task);
        later(member, 0);
        life_draw(member);
    } else if (member->instance_id[0] == '\0' && chance_one_in(rng, 2)) {
        member->leaves = member->flushes = true;
    } else {
        go_away(member);
    }
}

/* ---- What is asked, and answered. ---- */

static void consume(struct member *member)
{
    struct chance *rng = &member->client.rng;
    if (member->settling && !member->leaves && reader_is_at_end(&member->reader))
        member->leaves = member->flushes = true;
    if (member->leaves || member->rejoins) {
        if (member->commit_asked)
            return;
        if (member->flushes && member_has_news(member)) {
            member_commit(member);
        } else if (member->leaves) {
            member->state = MEMBER_LEAVING;
            member_leave(member);
        } else {
            member->state = MEMBER_JOINING;
            member_join(member);
        }
        return;
    }
    if (!member->commit_asked && member_has_news(member) && chance_one_in(rng, 3))
        member_commit(member);
    reader_ask(&member->reader);
    if (reader_is_leaderless(&member->reader)) {
        member->state = MEMBER_LEARNING;
        later(member, chance_between(rng, 1000, ERROR_US_MOST));
    }
}

static void go_on(struct member *member)
{
    if (!member->contact.is_open || member->asked || is_hanging(member))
        return;
    if (member->troubles > TROUBLES_MOST && member->state != MEMBER_LEAVING) {
        if (member->member_id_length == 0) {
            go_away(member);
            return;
        }
        member->state = MEMBER_LEAVING;
    }
    switch (member->state) {
    case MEMBER_FINDING:
        member_find_coordinator(member);
        break;
    case MEMBER_LEARNING:
        member_learn(member);
        break;
    case MEMBER_JOINING:
        member_join(member);
        break;
    case MEMBER_RESUMING:
        member_resume(member);
        break;
    case MEMBER_CONSUMING:
        consume(member);
        break;
    case MEMBER_LEAVING:
        member_leave(member);
        break;
    case MEMBER_AWAY:
    case MEMBER_SYNCING:
        CHECK(false); /* it syncs with the answer to its JoinGroup, or joins again */
    }
}

static void trouble(struct member *member)
{
    member->troubles += member->settling ? 1 : 0;
}

/* Who coordinates is asked of another node: the one that was asked may be the one in trouble. */
static void look_again(struct member *member)
{
    /* An assignment that it never got is of no use. */
    if (member->state == MEMBER_JOINING || member->state == MEMBER_SYNCING)
        member->rejoins = true;
    member->state = MEMBER_FINDING;
    if (member->in_cluster)
        contact_move(&member->contact, contacts_other(&member->client, member->contact.host));
}

/* Where a member goes on from after an error; elsewhere it tries again. */
static void fails(struct member *member, int16_t error)
{
    if (error == ERR_GROUP_MAX_SIZE_REACHED ||
        host_is_stranded(member->client.sim->hosts[member->client.host - 1]))
        trouble(member);
    switch (error) {
    case ERR_UNKNOWN_MEMBER_ID:
    case ERR_FENCED_INSTANCE_ID:
    case ERR_GROUP_MAX_SIZE_REACHED:
        member->member_id_length = 0;
        member->generation = -1;
        member->state = MEMBER_JOINING;
        break;
    case ERR_ILLEGAL_GENERATION:
    case ERR_REBALANCE_IN_PROGRESS:
        member->state = MEMBER_JOINING;
        break;
    case ERR_NOT_COORDINATOR:
    case ERR_COORDINATOR_NOT_AVAILABLE:
        look_again(member);
        break;
    case ERR_UNKNOWN_TOPIC_OR_PARTITION:
    case ERR_UNKNOWN_TOPIC_ID:
        member->state = MEMBER_LEARNING;
        break;
    default:
        break;
    }
}

static int16_t found(struct member *member, const struct exchange *exchange)
{
    const struct find_coordinator_response *response = exchange->response;
    int16_t error = response->error_code;
    int32_t node_id = response->node_id;
    if (response->coordinators_count == 1) {
        error = response->coordinators[0].error_code;
        node_id = response->coordinators[0].node_id;
    }
    const uint32_t coordinator = contacts_leader(&member->client, node_id);
    if (error == ERR_NONE && coordinator == 0)
        error = ERR_COORDINATOR_NOT_AVAILABLE;
    if (error != ERR_NONE)
        return error;
    member->state = MEMBER_LEARNING;
    contact_move(&member->contact, coordinator);
    return ERR_NONE;
}

/* The topic may be another one by now, or have more partitions, which its leader looks after. */
static int16_t learned(struct member *member, const struct exchange *exchange)
{
    const struct metadata_response *response = exchange->response;
    if (response->topics_count != 1 || response->topics[0].error_code != ERR_NONE) {
        trouble(member);
        return ERR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    const struct metadata_response_topic *topic = &response->topics[0];
    const bool is_other = !uuid_equal(topic->topic_id, member->topic_id);
    const bool has_grown = (uint32_t)topic->partitions_count != member->partitions;
    member->topic_id = topic->topic_id;
    member->partitions = (uint32_t)topic->partitions_count;
    if (member->partitions > FETCHER_PARTITIONS_MAX)
        member->partitions = FETCHER_PARTITIONS_MAX;
    if (is_other)
        member->is_resumed = false;
    reader_learn(&member->reader, topic);
    if (member->generation < 0 || (member->is_leader && (is_other || has_grown)))
        member->state = MEMBER_JOINING;
    else
        member->state = member->is_resumed ? MEMBER_CONSUMING : MEMBER_RESUMING;
    return ERR_NONE;
}

static int16_t joined(struct member *member, const struct exchange *exchange)
{
    const struct join_group_response *response = exchange->response;
    const int16_t error = response->error_code;
    if (error != ERR_NONE && error != ERR_MEMBER_ID_REQUIRED)
        return error;
    CHECK(response->member_id.length <= sizeof(member->member_id));
    memcpy(member->member_id, response->member_id.data, response->member_id.length);
    member->member_id_length = response->member_id.length;
    if (error == ERR_MEMBER_ID_REQUIRED)
        return ERR_NONE;
    member->generation = response->generation_id;
    member->is_leader = span_equal(response->leader, response->member_id);
    member->rejoins = member->flushes = member->is_resumed = false;
    if (!is_hanging(member)) {
        member->state = MEMBER_SYNCING;
        member_sync(member, response);
    }
    return ERR_NONE;
}

static int16_t synced(struct member *member, const struct exchange *exchange)
{
    const struct sync_group_response *response = exchange->response;
    if (response->error_code != ERR_NONE) {
        member->state = MEMBER_JOINING;
        return response->error_code;
    }
    if (member->is_leader)
        sim_count(member->client.sim, TALLY_rebalances);
    int32_t partitions[FETCHER_PARTITIONS_MAX];
    const uint32_t count =
        assignor_read(exchange, response->assignment, client_topic(&member->client), partitions,
                      FETCHER_PARTITIONS_MAX);
    reader_set(&member->reader, member->topic_id, partitions, count, OFFSET_UNKNOWN);
    member->state = MEMBER_RESUMING;
    return ERR_NONE;
}

static int16_t resumed(struct member *member, const struct exchange *exchange)
{
    const int16_t error = member_resumed(member, exchange);
    member->is_resumed = error == ERR_NONE;
    if (member->is_resumed)
        member->state = MEMBER_CONSUMING;
    return error;
}

static int16_t left(struct member *member, const struct exchange *exchange)
{
    (void)exchange; /* whatever it says, this life is over */
    go_away(member);
    return ERR_NONE;
}

/* What the answer of each state's request does; returns its error. */
static const struct {
    int16_t api_key;
    int16_t (*answered)(struct member *member, const struct exchange *exchange);
} answers[] = {
    [MEMBER_FINDING] = {API_FIND_COORDINATOR, found}, [MEMBER_LEARNING] = {API_METADATA, learned},
    [MEMBER_JOINING] = {API_JOIN_GROUP, joined},      [MEMBER_SYNCING] = {API_SYNC_GROUP, synced},
    [MEMBER_RESUMING] = {API_OFFSET_FETCH, resumed},  [MEMBER_LEAVING] = {API_LEAVE_GROUP, left},
    [MEMBER_CONSUMING] = {API_FETCH, NULL},
};

/* ---- What goes on beside the states. ---- */

static bool is_in_generation(const struct member *member)
{
    return member->generation >= 0 &&
           (member->state == MEMBER_LEARNING || member->state == MEMBER_RESUMING ||
            member->state == MEMBER_CONSUMING);
}

static void beat_due(struct task *task)
{
    struct member *member = container_of(task, struct member, beat_task);
    if (is_in_generation(member) && member->contact.is_open && !member->beat_asked &&
        !is_hanging(member))
        member_heartbeat(member);
    beat_later(member);
}

static int16_t beaten(struct member *member, const struct exchange *exchange)
{
    const struct heartbeat_request *request = exchange->request;
    const struct heartbeat_response *response = exchange->response;
    member->beat_asked = false;
    if (!is_in_generation(member) || request->generation_id != member->generation)
        return ERR_NONE; /* what was true of an earlier generation */
    if (response->error_code != ERR_REBALANCE_IN_PROGRESS)
        return response->error_code;
    member->flushes = member->flushes || !member->rejoins;
    member->rejoins = true;
    return ERR_NONE;
}

static int16_t committed(struct member *member, const struct exchange *exchange)
{
    const struct offset_commit_request *request = exchange->request;
    const int16_t error = member_committed(member, exchange);
    member->commit_asked = false;
    if (error != ERR_NONE && member->settling)
        member->leaves = false; /* once more, from what the group has then */
    return is_in_generation(member) && request->generation_id_or_member_epoch == member->generation
               ? error
               : ERR_NONE;
}

static int16_t fetched(struct member *member, const struct exchange *exchange)
{
    if (reader_received(&member->reader, exchange) && member->reader.has_failed &&
        member->state == MEMBER_CONSUMING)
        return ERR_UNKNOWN_TOPIC_OR_PARTITION;
    return ERR_NONE;
}

static int16_t answered(struct member *member, const struct exchange *exchange)
{
    switch (exchange->api->key) {
    case API_HEARTBEAT:
        return beaten(member, exchange);
    case API_OFFSET_COMMIT:
        return committed(member, exchange);
    default:
        member->asked = false;
        /* Another answer may have led elsewhere meanwhile. */
        return answers[member->state].api_key == exchange->api->key
                   ? answers[member->state].answered(member, exchange)
                   : ERR_NONE;
    }
}

/* Where it goes on after an answer. */
static void follow(struct member *member, int16_t error)
{
    if (member->state == MEMBER_AWAY)
        return;
    if (error != ERR_NONE)
        fails(member, error);
    struct client *client = &member->client;
    later(member, error != ERR_NONE ? chance_between(&client->rng, 1000, ERROR_US_MOST)
                                    : client_pause_us(client, 1000));
}

static void on_received(struct contact *contact, const struct exchange *exchange)
{
    struct member *member = of(contact);
    follow(member, answered(member, exchange));
}

static void on_lost(struct contact *contact, const struct exchange *exchange)
{
    struct member *member = of(contact);
    if (exchange->api->key == API_HEARTBEAT) {
        member->beat_asked = false;
    } else if (exchange->api->key == API_OFFSET_COMMIT) {
        member->commit_asked = false;
    } else {
        member->asked = false;
        if (member->state == MEMBER_SYNCING)
            member->state = MEMBER_JOINING;
    }
}

static void on_opened(struct contact *contact)
{
    later(of(contact), 1);
}

static void on_away(struct contact *contact)
{
    struct member *member = of(contact);
    if (!member->in_cluster || member->state == MEMBER_AWAY)
        return;
    look_again(member);
    later(member, chance_between(&member->client.rng, 1000, ERROR_US_MOST));
}

static const struct contact_events events_of_contacts = {
    .opened = on_opened, .received = on_received, .lost = on_lost, .away = on_away};

static void on_fetched(struct contact *contact, const struct exchange *exchange)
{
    struct member *member = of(contact);
    follow(member, fetched(member, exchange));
}

static void on_fetch_lost(struct contact *contact, const struct exchange *exchange)
{
    reader_lost(&of(contact)->reader, exchange);
}

/* In a cluster others may lead now. */
static void on_leader_away(struct contact *contact)
{
    struct member *member = of(contact);
    if (!member->in_cluster || member->state != MEMBER_CONSUMING)
        return;
    member->state = MEMBER_LEARNING;
    later(member, chance_between(&member->client.rng, 1000, ERROR_US_MOST));
}

static const struct contact_events events_of_readers = {
    .opened = on_opened, .received = on_fetched, .lost = on_fetch_lost, .away = on_leader_away};

static void due(struct task *task)
{
    go_on(container_of(task, struct member, task));
}

static void start(struct client *client)
{
    struct member *member = (struct member *)client;
    if (client->plan->is_static)
        snprintf(member->instance_id, sizeof(member->instance_id), "instance-%u", client->number);
    life_begins(member);
}

static void settle(struct client *client)
{
    struct member *member = (struct member *)client;
    member->settling = true;
    member->hangs_until_us = 0;
    /* Whoever is away comes once more: nobody else may wait for what it has left behind. */
    if (member->state == MEMBER_AWAY)
        life_begins(member);
    queue_cancel(&client->sim->queue, &member->life_task);
    queue_cancel(&client->sim->queue, &member->task);
    later(member, 1);
}

static bool is_done(const struct client *client)
{
    return ((const struct member *)client)->is_done;
}

static void explain(const struct client *client, char *ret_text, size_t text_bytes)
{
    static const char *const states[] = {"away",    "finding",  "learning",  "joining",
                                         "syncing", "resuming", "consuming", "leaving"};
    const struct member *member = (const struct member *)client;
    snprintf(ret_text, text_bytes, "is %s in generation %d with %u partitions%s",
             states[member->state], member->generation, member->reader.count,
             member->contact.is_open ? "" : ", without a connection");
}

static void end(struct client *client)
{
    (void)client;
}

const struct client_type client_member = {
    .name = "member",
    .size = sizeof(struct member),
    .start = start,
    .settle = settle,
    .is_done = is_done,
    .explain = explain,
    .free = end,
};
