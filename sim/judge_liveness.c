/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When faults have stopped everything comes back: what was asked has ended, machines serve, the
 * last try to write or to read a partition succeeded, and consumers have reached the end. (That
 * clients are done in time is seen by the world itself, sim/sim.c.)
 */
#include "core/wire/error.h"
#include "sim/clients.h"
#include "sim/judge.h"
#include "sim/notes.h"
#include "sim/parts.h"

#define APIS 128 /* keys below it are counted */

/* Until a partition has come back after the last fault: a new leader epoch is asked for again after
 * a while. What was tried before is not judged. */
#define RECOVERY_US ((uint64_t)10 * 1000 * 1000)

/* How the last tries went. */
struct tried {
    struct partition_key key;
    int16_t produced; /* errors */
    int16_t fetched;
};

/* How far a consumer came. */
struct reader {
    struct reader_key {
        struct partition_key partition;
        uint64_t client;
    } key;
    bool is_known;  /* where it is: a fetch session may have known it before the judge looked */
    int64_t offset; /* it wants to read next */
    int64_t high_watermark;
    uint64_t asked_us; /* the request by whose reply that is known */
};

struct liveness {
    struct notes trieds;
    struct notes readers;
    uint32_t open[APIS]; /* requests that have not ended */
    enum sim_phase phase;
    uint64_t judged_from_us;
};

static void begin(struct judge *judge)
{
    struct liveness *liveness = judge->state;
    struct memory *memory = &judge->memory;
    notes_init(&liveness->trieds, memory, sizeof(struct tried), sizeof(struct partition_key));
    notes_init(&liveness->readers, memory, sizeof(struct reader), sizeof(struct reader_key));
}

/* ---- What ends. ---- */

static void count(struct judge *judge, const struct exchange *exchange, uint32_t by)
{
    struct liveness *liveness = judge->state;
    if (exchange->has_reply && exchange->api->key < APIS)
        liveness->open[exchange->api->key] += by;
}

static void asked(struct judge *judge, const struct exchange *exchange)
{
    count(judge, exchange, 1);
}

static void ended(struct judge *judge, const struct exchange *exchange)
{
    count(judge, exchange, UINT32_MAX);
}

/* ---- How tries go. ---- */

static void produce_replied(struct judge *judge, const struct exchange *exchange)
{
    struct liveness *liveness = judge->state;
    struct produced_walk walk = {.exchange = exchange,
                                 .durable = judge_durable(judge, exchange->host)};
    struct produced part;
    while (produced_next(&walk, &part)) {
        if (part.topic != NULL)
            ((struct tried *)notes_get(&liveness->trieds, &part.key))->produced =
                part.reply->error_code;
    }
}

static bool is_consumer(const struct judge *judge, uint32_t client)
{
    const struct sim *sim = judge->sim;
    return sim->clients != NULL && client >= 1 && client <= clients_count(sim->clients) &&
           clients_get(sim->clients, client)->plan->kind == CLIENT_CONSUMER;
}

static void part_read(struct judge *judge, const struct exchange *exchange,
                      const struct fetched *part)
{
    struct liveness *liveness = judge->state;
    const struct reader_key key = {part->key, exchange->client};
    struct reader *reader = notes_get(&liveness->readers, &key);
    const struct span records = part->reply->records;
    struct span batch;
    struct batch_info info;
    if (exchange->asked_us < reader->asked_us)
        return; /* it has come further since */
    reader->asked_us = exchange->asked_us;
    if (part->fetch_offset >= 0) {
        reader->offset = part->fetch_offset;
        reader->is_known = true;
    }
    for (size_t at = 0; at < records.length; at += batch.length) {
        const struct span window = span_of(records.data + at, records.length - at);
        if (batch_next(window, window.length, BATCH_CHECK_HEADER, &batch, &info) != BATCH_FOUND ||
            batch.length > window.length)
            break;
        reader->offset = batch_last_offset(&info) + 1;
        reader->is_known = true;
    }
    reader->high_watermark = part->reply->high_watermark;
}

static void fetch_replied(struct judge *judge, const struct exchange *exchange)
{
    struct liveness *liveness = judge->state;
    struct fetched_walk walk = {.exchange = exchange,
                                .durable = judge_durable(judge, exchange->host)};
    struct fetched part;
    while (fetched_next(&walk, &part)) {
        if (part.topic == NULL)
            continue;
        if (exchange->asked_us >= liveness->judged_from_us)
            ((struct tried *)notes_get(&liveness->trieds, &part.key))->fetched =
                part.reply->error_code;
        if (part.reply->error_code == ERR_NONE && is_consumer(judge, exchange->client))
            part_read(judge, exchange, &part);
    }
}

static void received(struct judge *judge, const struct exchange *exchange)
{
    const struct liveness *liveness = judge->state;
    ended(judge, exchange);
    if (liveness->phase < SIM_SETTLE || exchange->host->is_rotten)
        return;
    if (exchange->api->key == API_FETCH)
        fetch_replied(judge, exchange);
    else if (exchange->api->key == API_PRODUCE && exchange->asked_us >= liveness->judged_from_us)
        produce_replied(judge, exchange);
}

/* ---- The ends of phases. ---- */

/* NULL: it went, maybe while faults had stopped already. */
static const struct meta_topic *topic_of(struct judge *judge, const struct partition_key *key)
{
    const struct host *host = judge->sim->hosts[key->host - 1];
    const struct image *image = durable_image(judge_durable(judge, host));
    return image == NULL ? NULL : image_topic_by_id(image, key->topic);
}

static void judge_settled(struct judge *judge)
{
    const struct liveness *liveness = judge->state;
    for (int16_t key = 0; key < APIS; key++) {
        if (liveness->open[key] == 0)
            continue;
        judge_object_late(judge, "%u requests of %s have not ended", liveness->open[key],
                          wire_api_find(key)->name);
    }
    for (const struct reader *reader = notes_first(&liveness->readers); reader != NULL;
         reader = notes_next(reader)) {
        judge->judged++;
        if (reader->is_known && reader->offset < reader->high_watermark &&
            !judge_is_led_by_rotten(judge, reader->key.partition.topic,
                                    reader->key.partition.index) &&
            topic_of(judge, &reader->key.partition) != NULL)
            judge_object_late(judge,
                              "client %llu stands at offset %lld of a partition %d of n%u whose "
                              "high watermark is %lld",
                              (unsigned long long)reader->key.client, (long long)reader->offset,
                              reader->key.partition.index, reader->key.partition.host,
                              (long long)reader->high_watermark);
    }
}

/* Only the broker's own trouble: a client's batch may be too large for ever. */
static bool is_trouble(int16_t error)
{
    return error == ERR_NOT_LEADER_OR_FOLLOWER || error == ERR_KAFKA_STORAGE_ERROR ||
           error == ERR_REQUEST_TIMED_OUT || error == ERR_UNKNOWN_SERVER_ERROR;
}

static void judge_end(struct judge *judge)
{
    const struct liveness *liveness = judge->state;
    const struct sim *sim = judge->sim;
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        judge->judged++;
        if (sim->hosts[i]->state != HOST_SERVING && !sim->hosts[i]->is_rotten)
            judge_object_late(judge, "%s does not serve", sim->hosts[i]->name);
    }
    for (const struct tried *tried = notes_first(&liveness->trieds); tried != NULL;
         tried = notes_next(tried)) {
        const struct host *host = sim->hosts[tried->key.host - 1];
        const struct meta_topic *topic = topic_of(judge, &tried->key);
        judge->judged++;
        if (host->is_rotten || topic == NULL ||
            judge_is_led_by_rotten(judge, tried->key.topic, tried->key.index) ||
            (!is_trouble(tried->produced) && !is_trouble(tried->fetched)))
            continue;
        judge_object_late(
            judge, "%.*s-%d of %s does not come back: the last %s ended with %s",
            (int)topic->name.length, (const char *)topic->name.data, tried->key.index, host->name,
            is_trouble(tried->produced) ? "Produce" : "Fetch",
            error_name(is_trouble(tried->produced) ? tried->produced : tried->fetched));
    }
}

static void phase(struct judge *judge, enum sim_phase now)
{
    struct liveness *liveness = judge->state;
    liveness->phase = now;
    if (now == SIM_SETTLE)
        liveness->judged_from_us = judge->sim->now_us + RECOVERY_US;
    else if (now == SIM_AUDIT)
        judge_settled(judge);
    else if (now == SIM_END)
        judge_end(judge);
}

static void end(struct judge *judge)
{
    struct liveness *liveness = judge->state;
    notes_clear(&liveness->trieds);
    notes_clear(&liveness->readers);
}

const struct judge_kind judge_liveness = {
    .name = "liveness",
    .rule = "when faults have stopped, requests end, machines serve, partitions take and give "
            "records, and consumers reach the end",
    .source = "liveness: after healing, every partition works again, and every produce is "
              "acknowledged or refused",
    .size = sizeof(struct liveness),
    .begin = begin,
    .asked = asked,
    .received = received,
    .lost = ended,
    .phase = phase,
    .end = end,
};
