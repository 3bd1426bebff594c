/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world without faults: no reply tells of trouble, and none takes longer than a bound beyond what
 * its request allowed it to wait.
 *
 * Time counts from when the request was the oldest on its connection, since replies keep the order
 * of requests; and what a narrow link needs for the bytes is not the broker's.
 */
#include "core/wire/error.h"
#include "sim/clients.h"
#include "sim/faults.h"
#include "sim/judge.h"
#include "sim/notes.h"
#include "sim/reply_errors.h"

#define LATENCY_MS_DEFAULT 1000

/* What happens though nothing goes wrong. */
static const struct {
    int16_t error;
    const char *why;
} expected[] = {
    {ERR_UNKNOWN_TOPIC_OR_PARTITION, "the topic was deleted, or is made on first use"},
    {ERR_LEADER_NOT_AVAILABLE, "the topic is being made on first use"},
    {ERR_UNKNOWN_TOPIC_ID, "the topic was deleted, or is another one by now"},
    {ERR_INCONSISTENT_TOPIC_ID, "the same, of a fetch session"},
    {ERR_OFFSET_OUT_OF_RANGE, "retention or DeleteRecords has taken the records"},
    {ERR_MESSAGE_TOO_LARGE, "the topic takes smaller batches only"},
    {ERR_RECORD_LIST_TOO_LARGE, "the topic's segments are smaller than the batch"},
    {ERR_COORDINATOR_NOT_AVAILABLE, "the topic of committed offsets is made on first use"},
    {ERR_COORDINATOR_LOAD_IN_PROGRESS, "the group's partition is read on first use"},
    {ERR_NOT_COORDINATOR, "the topic of committed offsets is not there yet"},
    {ERR_MEMBER_ID_REQUIRED, "a new member joins in two steps (KIP-394)"},
    {ERR_REBALANCE_IN_PROGRESS, "members come and go"},
    {ERR_ILLEGAL_GENERATION, "members come and go"},
    {ERR_UNKNOWN_MEMBER_ID, "the member was silent for longer than its session"},
    {ERR_FENCED_INSTANCE_ID, "a static member came again under another id"},
    {ERR_GROUP_MAX_SIZE_REACHED, "the group is full"},
    {ERR_FETCH_SESSION_ID_NOT_FOUND, "the cache of fetch sessions is small"},
    {ERR_INVALID_FETCH_SESSION_EPOCH, "the fetch session has been given up meanwhile"},
    {ERR_FETCH_SESSION_TOPIC_ID_ERROR, "the session was begun by a version without topic ids"},
    {ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a batch was refused, so that those behind it do not fit"},
    {ERR_TOPIC_ALREADY_EXISTS, "two make the same topic"},
    {ERR_UNSUPPORTED_VERSION, "ApiVersions is asked for in a version of the future"},
};

/* Trouble of the broker's own, which no client can ask for. */
static const int16_t troubles[] = {
    ERR_UNKNOWN_SERVER_ERROR,
    ERR_NOT_LEADER_OR_FOLLOWER,
    ERR_REQUEST_TIMED_OUT,
    ERR_BROKER_NOT_AVAILABLE,
    ERR_REPLICA_NOT_AVAILABLE,
    ERR_NOT_ENOUGH_REPLICAS,
    ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ERR_NOT_CONTROLLER,
    ERR_KAFKA_STORAGE_ERROR,
    ERR_PREFERRED_LEADER_NOT_AVAILABLE,
    ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE,
};

/* When the last reply on a connection left. */
struct connection {
    struct connection_key {
        uint64_t host;
        uint64_t boot;
        uint64_t connection;
    } key;
    uint64_t replied_us;
};

struct calm {
    struct notes connections;
    int64_t rebalance_ms; /* the longest that any member allows the others for joining again */
};

/* For the walk through one reply. */
struct look {
    struct judge *judge;
    const struct exchange *exchange;
    bool is_bold; /* its client asks for what can't be */
};

static void begin(struct judge *judge)
{
    struct calm *calm = judge->state;
    notes_init(&calm->connections, &judge->memory, sizeof(struct connection),
               sizeof(struct connection_key));
}

static bool is_expected(int16_t error)
{
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (expected[i].error == error)
            return true;
    }
    return false;
}

static bool is_trouble(int16_t error)
{
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
        if (troubles[i] == error)
            return true;
    }
    return false;
}

static void error_found(void *context, int16_t error)
{
    const struct look *look = context;
    /* Who asks the wrong node of a cluster is told so. */
    if (error == ERR_NOT_LEADER_OR_FOLLOWER && look->exchange->host->conf.is_cluster)
        return;
    if (look->is_bold ? is_trouble(error) : !is_expected(error))
        judge_object(look->judge, "%s of client %u is answered with %s by %s, though nothing fails",
                     look->exchange->api->name, look->exchange->client, error_name(error),
                     look->exchange->host->name);
}

/* Administrators ask for what is not there, and hostile clients for anything. */
static bool is_bold(const struct judge *judge, uint32_t client)
{
    if (judge->sim->clients == NULL || client == 0)
        return false;
    const enum client_kind kind = clients_get(judge->sim->clients, client)->plan->kind;
    return kind == CLIENT_ADMIN || kind == CLIENT_HOSTILE;
}

/* What the request itself allows to wait for, or those of the other members of its group do. */
static uint64_t wait_us(const struct calm *calm, const struct exchange *exchange)
{
    const struct conf *conf = &exchange->host->conf;
    int64_t wait_ms = 0;
    if (exchange->api->key == API_FETCH) {
        wait_ms = ((const struct fetch_request *)exchange->request)->max_wait_ms;
    } else if (exchange->api->key == API_JOIN_GROUP) {
        wait_ms = calm->rebalance_ms + conf_int(conf, CONF_GROUP_INITIAL_REBALANCE_DELAY_MS);
    } else if (exchange->api->key == API_SYNC_GROUP) {
        /* For the leader's assignment, until the rebalance is given up. */
        wait_ms = conf_int(conf, CONF_GROUP_MAX_SESSION_TIMEOUT_MS);
    }
    return wait_ms < 0 ? 0 : (uint64_t)wait_ms * 1000;
}

/* What the link needs for the bytes: a window of them for each way there and back. */
static uint64_t transfer_us(const struct judge *judge, const struct exchange *exchange)
{
    if (judge->sim->network == NULL)
        return 0;
    const struct network_knobs *knobs = network_knobs(judge->sim->network);
    const uint64_t bytes = exchange->request_bytes.length + exchange->response_bytes.length;
    const uint64_t window = knobs->window_bytes == 0 ? bytes + 1 : knobs->window_bytes;
    const uint64_t fragment = knobs->fragment_bytes == 0 || knobs->fragment_bytes > window
                                  ? window
                                  : knobs->fragment_bytes;
    return (bytes / fragment + 2) * 2 * (knobs->latency_us_most + 20) +
           (knobs->bytes_per_ms == 0 ? 0 : bytes * 1000 / knobs->bytes_per_ms);
}

static void judge_latency(struct judge *judge, const struct exchange *exchange)
{
    struct calm *calm = judge->state;
    const uint64_t most_ms = judge->sim->scenario->expect.latency_ms_most;
    const struct connection_key key = {
        .host = exchange->host->number, .boot = exchange->boot, .connection = exchange->connection};
    struct connection *connection = notes_get(&calm->connections, &key);
    const uint64_t since_us =
        exchange->asked_us > connection->replied_us ? exchange->asked_us : connection->replied_us;
    const uint64_t took_us = exchange->replied_us - since_us;
    const uint64_t bound_us = (most_ms == 0 ? LATENCY_MS_DEFAULT : most_ms) * 1000;
    if (took_us > bound_us + wait_us(calm, exchange) + transfer_us(judge, exchange))
        judge_object(judge, "%s of client %u took %llu us on %s, though nothing fails",
                     exchange->api->name, exchange->client, (unsigned long long)took_us,
                     exchange->host->name);
    connection->replied_us = exchange->replied_us;
}

static void asked(struct judge *judge, const struct exchange *exchange)
{
    struct calm *calm = judge->state;
    if (exchange->api->key != API_JOIN_GROUP)
        return;
    const struct join_group_request *request = exchange->request;
    if (calm->rebalance_ms < request->rebalance_timeout_ms)
        calm->rebalance_ms = request->rebalance_timeout_ms;
    if (calm->rebalance_ms < request->session_timeout_ms)
        calm->rebalance_ms = request->session_timeout_ms;
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    const struct sim *sim = judge->sim;
    if (sim->faults != NULL && !faults_are_none(sim->faults))
        return;
    /* Nodes of a cluster that boots wait for one another. */
    if (sim->phase == SIM_BOOT && exchange->host->conf.is_cluster)
        return;
    judge->judged++;
    struct look look = {judge, exchange, is_bold(judge, exchange->client)};
    if (!sim->scenario->expect.errors_allowed)
        reply_errors(exchange, error_found, &look);
    judge_latency(judge, exchange);
}

static void end(struct judge *judge)
{
    struct calm *calm = judge->state;
    notes_clear(&calm->connections);
}

const struct judge_kind judge_calm = {
    .name = "calm",
    .rule = "without faults no reply tells of trouble, and none is late",
    .source = "bounded latency and no errors in a healthy cluster; the codes that are expected are "
              "listed in sim/judge_calm.c with their reasons",
    .size = sizeof(struct calm),
    .begin = begin,
    .asked = asked,
    .replied = replied,
    .end = end,
};
