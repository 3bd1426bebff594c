/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits are kept: memory stays within its budgets, connections and requests within their numbers,
 * a fetch within the bytes that it asked for (but for the first batch, which comes whole), and the
 * offsets of every log in their order.
 */
#include "core/view.h"
#include "sim/judge.h"
#include "sim/parts.h"

/* Between two looks at all connections. */
#define TURNS_BETWEEN 64

struct limits {
    uint32_t turns;
};

static void over(struct judge *judge, const struct host *host, const char *what, uint64_t is,
                 uint64_t most)
{
    judge_object(judge, "%s has %llu %s, and %llu is the most", host->name, (unsigned long long)is,
                 what, (unsigned long long)most);
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    static const char *const budgets[MEMORY_BUDGETS] = {
        "bytes of state",           "bytes of received requests", "bytes of requests under way",
        "bytes of replies",         "bytes that were read",       "bytes that nodes sent",
        "bytes that wait for nodes"};
    struct limits *limits = judge->state;
    if (event->kind != EVENT_TURN_END)
        return;
    struct broker_view view;
    broker_view(host->broker, &view);
    judge->judged++;
    for (int i = 0; i < MEMORY_BUDGETS; i++) {
        if (view.memory_limit_bytes[i] != 0 &&
            view.memory_used_bytes[i] > view.memory_limit_bytes[i])
            over(judge, host, budgets[i], view.memory_used_bytes[i], view.memory_limit_bytes[i]);
    }
    if (view.connections > view.connections_max)
        over(judge, host, "connections", view.connections, view.connections_max);
    if (++limits->turns % TURNS_BETWEEN != 0)
        return;
    const uint32_t requests = broker_view_requests(host->broker);
    if (requests > view.requests_max)
        over(judge, host, "requests of a connection under way", requests, view.requests_max);
}

/* How many bytes the first batch has. */
static size_t first_batch_bytes(struct span records)
{
    struct batch_info info;
    if (records.length < BATCH_HEADER_BYTES)
        return 0;
    batch_info_read(records.data, &info);
    return info.size_bytes;
}

static void fetch_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct fetch_request *request = exchange->request;
    struct fetched_walk walk = {.exchange = exchange,
                                .durable = judge_durable(judge, exchange->host)};
    struct fetched part;
    size_t bytes = 0;
    while (fetched_next(&walk, &part)) {
        const size_t length = part.reply->records.length;
        const size_t whole = bytes == 0 ? first_batch_bytes(part.reply->records) : 0;
        const size_t asked = part.bytes_max < 0 ? SIZE_MAX : (size_t)part.bytes_max;
        const size_t left = request->max_bytes < 0 || bytes > (size_t)request->max_bytes
                                ? 0
                                : (size_t)request->max_bytes - bytes;
        const size_t most = asked < left ? asked : left;
        judge->judged++;
        if (length > (whole > most ? whole : most))
            judge_object(judge,
                         "a fetch of partition %d of n%u gets %zu bytes, and asked for %zu at most",
                         part.reply->partition_index, exchange->host->number, length, most);
        bytes += length;
    }
}

static void produce_replied(struct judge *judge, const struct exchange *exchange)
{
    struct produced_walk walk = {.exchange = exchange,
                                 .durable = judge_durable(judge, exchange->host)};
    struct produced part;
    struct log_view view;
    while (exchange->host->broker != NULL && produced_next(&walk, &part)) {
        if (part.topic == NULL ||
            !broker_view_log(exchange->host->broker, part.topic->id, part.key.index, &view))
            continue;
        judge->judged++;
        if (view.high_watermark > view.written_end || view.durable_end > view.written_end ||
            view.written_end > view.end || view.start > view.written_end)
            judge_object(judge,
                         "%.*s-%d of n%u: start %lld, durable end %lld, high watermark %lld, "
                         "written end %lld, end %lld are not in order",
                         (int)part.name.length, (const char *)part.name.data, part.key.index,
                         exchange->host->number, (long long)view.start, (long long)view.durable_end,
                         (long long)view.high_watermark, (long long)view.written_end,
                         (long long)view.end);
    }
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    if (exchange->api->key == API_FETCH)
        fetch_replied(judge, exchange);
    else if (exchange->api->key == API_PRODUCE)
        produce_replied(judge, exchange);
}

const struct judge_kind judge_limits = {
    .name = "limits",
    .rule =
        "memory, connections, requests and replies stay within their limits, and the offsets of "
        "a log in their order",
    .source = "law: everything has a limit with a name; KIP-74: a fetch is larger than asked only "
              "by its first batch",
    .size = sizeof(struct limits),
    .replied = replied,
    .stepped = stepped,
};
