/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every partition is one history, whoever looks at it: an offset that was acknowledged or consumed
 * holds the same records for ever, consumers get them without holes and nothing beyond the high
 * watermark, the high watermark and the start never go back, and at the end everything that was
 * acknowledged is read once more.
 *
 * Two licences, and no other: what acks=1 acknowledged, or a topic with write caching, may be lost
 * by a power loss, as far as no sync had covered it. In a cluster it may be lost whenever another
 * node comes to lead, and is counted when other records are found in its place; that what acks=all
 * acknowledged is durable wherever it has to be, sim/judge_acked_is_durable.c sees.
 */

#include "sim/durable_log.h"
#include "sim/floor.h"
#include "sim/given_up.h"
#include "sim/judge.h"
#include "sim/parts.h"

#define ACKS_ALL (-1)

#define LIST_OFFSETS_LATEST   (-1) /* timestamps that stand for an offset */
#define LIST_OFFSETS_EARLIEST (-2)

enum mark_flag {
    MARK_PROMISED = 1, /* a power loss may not take it */
    MARK_AUDITED = 2,  /* read again at the end */
};

struct history {
    struct map_node node;
    struct partition_key key;
    struct batch_marks marks;
    struct floor high_watermark;
    struct floor start;
    struct given_up given_up;
    int64_t start_most; /* the highest that was ever told */
    struct durable_log log;
    bool audit_failed; /* the machine answered the audit with an error: its disk failed */
};

struct histories {
    struct judge *judge;
    struct image_observer observer;
    struct map partitions;
    enum sim_phase phase;
};

/* What an unclean election gives up is promised no more. */
static void election_gives_up(struct histories *histories, struct history *history,
                              const struct image_change *change)
{
    struct batch_marks *marks = &history->marks;
    if (!uuid_equal(history->key.topic, change->topic->id) ||
        history->key.index != change->partition)
        return;
    given_up_note(&history->given_up, histories->judge, change, marks, MARK_PROMISED);
    for (uint32_t i = batch_marks_at(marks, history->given_up.offset); i < marks->count; i++)
        marks->items[i].flags &= ~(uint32_t)MARK_PROMISED;
    floor_lower(&history->high_watermark, history->given_up.end);
    floor_lower(&history->start, history->given_up.end);
}

static void changed(struct image_observer *observer, const struct image_change *change)
{
    struct histories *histories = container_of(observer, struct histories, observer);
    if (change->kind != IMAGE_PARTITION_CHANGED || !change->is_unclean)
        return;
    for (struct map_node *node = histories->partitions.first; node != NULL; node = map_next(node))
        election_gives_up(histories, container_of(node, struct history, node), change);
}

static void begin(struct judge *judge)
{
    struct histories *histories = judge->state;
    map_init(&histories->partitions, &judge->memory, 0);
    histories->judge = judge;
    histories->observer.changed = changed;
    judge_observe_truth(judge, &histories->observer);
}

static struct history *history_of(struct judge *judge, const struct partition_key *key,
                                  const struct meta_topic *topic)
{
    struct histories *histories = judge->state;
    struct map_node *node = map_find(&histories->partitions, span_of(key, sizeof(*key)));
    if (node != NULL)
        return container_of(node, struct history, node);
    struct history *history = memory_new(&judge->memory, struct history);
    history->key = *key;
    durable_log_init(&history->log, topic->name, key->index);
    map_add(&histories->partitions, &history->node, span_of(&history->key, sizeof(history->key)));
    return history;
}

static bool is_of_cluster(const struct judge *judge, const struct history *history)
{
    return judge->sim->hosts[history->key.host - 1]->conf.is_cluster;
}

static bool is_same(const struct batch_mark *a, const struct batch_mark *b)
{
    return a->base_offset == b->base_offset && a->last_offset == b->last_offset &&
           a->records == b->records;
}

/* Takes out what a failover may have taken, where `mark` is found now. */
static void unpromised_lost(struct judge *judge, struct history *history,
                            const struct batch_mark *mark)
{
    uint32_t place = batch_marks_at(&history->marks, mark->base_offset);
    while (place < history->marks.count &&
           history->marks.items[place].base_offset <= mark->last_offset) {
        const struct batch_mark *known = &history->marks.items[place];
        if (is_same(known, mark) || (known->flags & MARK_PROMISED) != 0) {
            place++;
            continue;
        }
        sim_count(judge->sim, TALLY_unpromised_lost);
        batch_marks_remove(&history->marks, place, 1);
    }
}

static void note(struct judge *judge, struct history *history, struct batch_mark mark,
                 const char *how)
{
    judge->judged++;
    if (is_of_cluster(judge, history))
        unpromised_lost(judge, history, &mark);
    const uint32_t place = batch_marks_at(&history->marks, mark.base_offset);
    struct batch_mark *known = place == history->marks.count ? NULL : &history->marks.items[place];
    if (known == NULL || known->base_offset > mark.last_offset) {
        batch_marks_insert(&history->marks, &judge->memory, place, mark);
        return;
    }
    if (!is_same(known, &mark) && is_of_cluster(judge, history) &&
        (mark.flags & MARK_PROMISED) == 0) {
        sim_count(judge->sim, TALLY_unpromised_lost); /* by one who leads no more */
        return;
    }
    if (!is_same(known, &mark)) {
        judge_object(judge,
                     "%s of n%u: offsets %lld to %lld were %s, with other records than those that "
                     "offsets %lld to %lld are known to hold",
                     history->log.name, history->key.host, (long long)mark.base_offset,
                     (long long)mark.last_offset, how, (long long)known->base_offset,
                     (long long)known->last_offset);
        return;
    }
    known->flags |= mark.flags;
}

/* One of the two offsets that never go back. */
static void not_below(struct judge *judge, const struct history *history, const struct floor *floor,
                      const struct exchange *exchange, int64_t value, const char *what)
{
    const int64_t least = floor_at(floor, exchange->asked_number);
    judge->judged++;
    if (value < least)
        judge_object(
            judge, "%s of n%u: the %s is %lld, though %lld had been told before this was asked",
            history->log.name, history->key.host, what, (long long)value, (long long)least);
}

static void grows(struct judge *judge, const struct history *history, struct floor *floor,
                  const struct exchange *exchange, int64_t value, const char *what)
{
    not_below(judge, history, floor, exchange, value, what);
    floor_told(floor, exchange->replied_number, value);
}

static void start_told(struct judge *judge, struct history *history,
                       const struct exchange *exchange, int64_t start)
{
    /* Each replica has a retention of its own; what DeleteRecords deleted is gone from all. But who
     * leads no more and has not heard of it answers a fetch by what it has. */
    if (is_of_cluster(judge, history) && exchange->api->key == API_FETCH)
        judge->judged++;
    else if (is_of_cluster(judge, history) && exchange->api->key != API_DELETE_RECORDS)
        not_below(judge, history, &history->start, exchange, start, "log's start");
    else
        grows(judge, history, &history->start, exchange, start, "log's start");
    if (start > history->start_most)
        history->start_most = start;
    /* What went with old segments is not asked for any more. */
    batch_marks_remove(&history->marks, 0, batch_marks_at(&history->marks, start));
}

/* A node that has come to lead may not know yet how far records are committed. To a fetch it says
 * what it knows, to those who ask where the end is only what is so (KIP-207). */
static void high_watermark_told(struct judge *judge, struct history *history,
                                const struct exchange *exchange, int64_t high_watermark)
{
    if (is_of_cluster(judge, history) && exchange->api->key == API_FETCH) {
        if (high_watermark > floor_top(&history->high_watermark) &&
            given_up_is_known(&history->given_up, judge, exchange->host, history->key.topic,
                              history->key.index))
            floor_told(&history->high_watermark, exchange->replied_number, high_watermark);
        return;
    }
    grows(judge, history, &history->high_watermark, exchange, high_watermark, "high watermark");
}

/* ---- Replies. ---- */

static void produce_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct produce_request *request = exchange->request;
    const struct durable *durable = judge_durable(judge, exchange->host);
    struct produced_walk walk = {.exchange = exchange, .durable = durable};
    struct produced part;
    while (produced_next(&walk, &part)) {
        if (part.reply->error_code != 0 || part.topic == NULL)
            continue;
        struct history *history = history_of(judge, &part.key, part.topic);
        struct batch_mark mark = batch_mark_of(part.batch, part.reply->base_offset);
        if (request->acks == ACKS_ALL && !durable_is_cached(durable, part.topic->id))
            mark.flags |= MARK_PROMISED;
        if (mark.last_offset >= history->start_most)
            note(judge, history, mark, "acknowledged");
        if (exchange->version >= 5)
            start_told(judge, history, exchange, part.reply->log_start_offset);
    }
}

/* The batch may follow what was read, or else hold what was asked for. */
static bool is_in_place(const struct fetched *part, const struct batch_info *info, int64_t expected)
{
    return expected >= 0
               ? info->base_offset == expected
               : part->fetch_offset < 0 || (info->base_offset <= part->fetch_offset &&
                                            batch_last_offset(info) >= part->fetch_offset);
}

/* One batch of a fetch; false when it is not what has to be there. */
static bool batch_is_due(struct judge *judge, const struct history *history,
                         const struct fetched *part, const struct batch_info *info,
                         int64_t expected)
{
    const int64_t last = batch_last_offset(info);
    if (last >= part->reply->high_watermark)
        judge_object(judge,
                     "%s of n%u: offsets up to %lld are consumed under the high watermark %lld",
                     history->log.name, history->key.host, (long long)last,
                     (long long)part->reply->high_watermark);
    else if (expected < 0 && part->fetch_offset >= 0 &&
             (info->base_offset > part->fetch_offset || last < part->fetch_offset))
        judge_object(judge, "%s of n%u: a fetch from offset %lld gets the batch from %lld to %lld",
                     history->log.name, history->key.host, (long long)part->fetch_offset,
                     (long long)info->base_offset, (long long)last);
    else if (expected >= 0 && info->base_offset != expected)
        judge_object(judge, "%s of n%u: a fetch gets offset %lld where %lld is due",
                     history->log.name, history->key.host, (long long)info->base_offset,
                     (long long)expected);
    else
        return true;
    return false;
}

/* It was given up, and whoever sends it has not heard of that. */
static bool is_given_up(const struct history *history, const struct batch_info *info)
{
    return info->leader_epoch < history->given_up.leader_epoch &&
           batch_last_offset(info) >= history->given_up.offset;
}

static void records_seen(struct judge *judge, const struct fetched *part, struct history *history,
                         uint32_t flags, bool is_first, bool is_rotten)
{
    const struct span records = part->reply->records;
    int64_t expected = -1;
    size_t at = 0;
    while (at < records.length) {
        struct span batch;
        struct batch_info info;
        const struct span window = span_of(records.data + at, records.length - at);
        const enum batch_found found =
            batch_next(window, window.length, BATCH_CHECK_CRC, &batch, &info);
        if (found == BATCH_TORN && (at > 0 || !is_first))
            return; /* the limit fell into it */
        /* Of a disk whose bits flipped a client looks at the checksum as we do, which leaves the
         * base offset out: a client of Kafka's cannot tell that it is another one. */
        if (is_rotten && (found != BATCH_FOUND || !is_in_place(part, &info, expected)))
            return;
        if (found != BATCH_FOUND) {
            judge_object(judge, "%s of n%u: bytes from offset %lld on are no batch",
                         history->log.name, history->key.host,
                         (long long)(expected < 0 ? part->fetch_offset : expected));
            return;
        }
        if (!batch_is_due(judge, history, part, &info, expected))
            return;
        struct batch_mark mark = batch_mark_of(batch, info.base_offset);
        mark.flags = is_given_up(history, &info) ? flags & ~(uint32_t)MARK_PROMISED : flags;
        note(judge, history, mark, "consumed");
        expected = batch_last_offset(&info) + 1;
        at += batch.length;
    }
}

static void fetch_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct histories *histories = judge->state;
    const struct durable *durable = judge_durable(judge, exchange->host);
    const bool is_audit = histories->phase == SIM_AUDIT;
    struct fetched_walk walk = {.exchange = exchange, .durable = durable};
    struct fetched part;
    bool is_first = true;
    while (fetched_next(&walk, &part)) {
        const bool has_records = part.reply->records.length > 0;
        if (part.topic != NULL) {
            struct history *history = history_of(judge, &part.key, part.topic);
            const bool cached = durable_is_cached(durable, part.topic->id);
            if (part.reply->error_code != 0) {
                history->audit_failed |= is_audit;
                continue;
            }
            /* Who has not sends what others may have in another log. */
            const bool has_heard = given_up_is_known(&history->given_up, judge, exchange->host,
                                                     part.key.topic, part.key.index);
            records_seen(judge, &part, history,
                         (cached || !has_heard ? 0 : MARK_PROMISED) | (is_audit ? MARK_AUDITED : 0),
                         is_first, exchange->host->is_rotten);
            high_watermark_told(judge, history, exchange, part.reply->high_watermark);
            if (exchange->version >= 5)
                start_told(judge, history, exchange, part.reply->log_start_offset);
        }
        is_first = is_first && !has_records;
    }
}

static void offsets_listed(struct judge *judge, const struct exchange *exchange,
                           const struct list_offsets_response_topic *topic,
                           const struct list_offsets_response_topic_partition *out)
{
    const struct list_offsets_request *request = exchange->request;
    const struct meta_topic *meta = durable_topic(judge_durable(judge, exchange->host), topic->name,
                                                  (struct uuid){{0}}, exchange->asked_number);
    if (meta == NULL || out->error_code != 0)
        return;
    const struct partition_key key = {host_realm(exchange->host), out->partition_index, meta->id};
    struct history *history = history_of(judge, &key, meta);
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct list_offsets_request_topic *in = &request->topics[i];
        for (int32_t j = 0; span_equal(in->name, topic->name) && j < in->partitions_count; j++) {
            if (in->partitions[j].partition_index != out->partition_index)
                continue;
            if (in->partitions[j].timestamp == LIST_OFFSETS_LATEST)
                high_watermark_told(judge, history, exchange, out->offset);
            else if (in->partitions[j].timestamp == LIST_OFFSETS_EARLIEST)
                start_told(judge, history, exchange, out->offset);
        }
    }
}

static void list_offsets_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct list_offsets_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        for (int32_t j = 0; j < response->topics[i].partitions_count; j++)
            offsets_listed(judge, exchange, &response->topics[i],
                           &response->topics[i].partitions[j]);
    }
}

static void delete_records_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct delete_records_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct delete_records_response_topic *topic = &response->topics[i];
        const struct meta_topic *meta =
            durable_topic(judge_durable(judge, exchange->host), topic->name, (struct uuid){{0}},
                          exchange->asked_number);
        for (int32_t j = 0; meta != NULL && j < topic->partitions_count; j++) {
            const struct partition_key key = {host_realm(exchange->host),
                                              topic->partitions[j].partition_index, meta->id};
            if (topic->partitions[j].error_code == 0)
                start_told(judge, history_of(judge, &key, meta), exchange,
                           topic->partitions[j].low_watermark);
        }
    }
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    if (host_is_stranded(exchange->host))
        return;
    switch (exchange->api->key) {
    case API_PRODUCE:
        produce_replied(judge, exchange);
        break;
    case API_FETCH:
        fetch_replied(judge, exchange);
        break;
    case API_LIST_OFFSETS:
        list_offsets_replied(judge, exchange);
        break;
    case API_DELETE_RECORDS:
        delete_records_replied(judge, exchange);
        break;
    default:
        break;
    }
}

/* ---- Power losses, and the end. ---- */

/* Where the durable part of the log ends. */
static int64_t durable_end(struct history *history, const struct files *files)
{
    struct span batch;
    struct batch_info info;
    enum durable_found found;
    while ((found = durable_log_next(&history->log, files, &batch, &info)) == DURABLE_BATCH) {
    }
    if (found == DURABLE_GONE) {
        durable_log_rewind(&history->log);
        while (durable_log_next(&history->log, files, &batch, &info) == DURABLE_BATCH) {
        }
    }
    return history->log.next_offset;
}

/* With write caching the log may end at `end`, before a start that was told: then that goes back as
 * far. */
static void cache_goes(struct history *history, int64_t end)
{
    floor_lower(&history->high_watermark, end);
    floor_lower(&history->start, end);
}

static void power_goes(struct judge *judge, struct history *history, const struct host *host)
{
    const struct durable *durable = judge_durable(judge, host);
    const struct image *image = durable_image(durable);
    if (image == NULL || image_topic_by_id(image, history->key.topic) == NULL) {
        batch_marks_remove(&history->marks, 0, history->marks.count);
        return;
    }
    const int64_t end = durable_log_is_adopted(&history->log, &host->files, history->key.topic)
                            ? durable_end(history, &host->files)
                            : 0;
    const uint32_t kept = batch_marks_at(&history->marks, end);
    judge->judged++;
    for (uint32_t i = kept; i < history->marks.count; i++) {
        if (history->marks.items[i].flags & MARK_PROMISED)
            judge_object(judge,
                         "%s of n%u: offsets %lld to %lld, which are acknowledged by acks=all or "
                         "consumed, are not durable when the power goes",
                         history->log.name, history->key.host,
                         (long long)history->marks.items[i].base_offset,
                         (long long)history->marks.items[i].last_offset);
    }
    batch_marks_remove(&history->marks, kept, history->marks.count - kept);
    if (durable_is_cached(durable, history->key.topic))
        cache_goes(history, end);
}

static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    const struct histories *histories = judge->state;
    if (change != HOST_LOSES_POWER || host_is_stranded(host))
        return;
    for (struct map_node *node = histories->partitions.first; node != NULL; node = map_next(node)) {
        struct history *history = container_of(node, struct history, node);
        if (history->key.host != host_realm(host))
            continue;
        if (!host->conf.is_cluster)
            power_goes(judge, history, host);
        else if (durable_is_cached(judge_durable(judge, host), history->key.topic))
            cache_goes(history, 0);
    }
}

static void judge_audit(struct judge *judge, const struct history *history)
{
    const struct host *host = judge->sim->hosts[history->key.host - 1];
    const struct image *image = durable_image(judge_durable(judge, host));
    if (host->state != HOST_SERVING || host_is_stranded(host) || history->audit_failed ||
        image == NULL || image_topic_by_id(image, history->key.topic) == NULL)
        return;
    for (uint32_t i = batch_marks_at(&history->marks, history->start_most);
         i < history->marks.count; i++) {
        const struct batch_mark *mark = &history->marks.items[i];
        judge->judged++;
        if ((mark->flags & MARK_AUDITED) != 0)
            continue;
        if (is_of_cluster(judge, history) && (mark->flags & MARK_PROMISED) == 0) {
            sim_count(judge->sim, TALLY_unpromised_lost);
            continue;
        }
        judge_object(judge,
                     "%s of n%u: offsets %lld to %lld were acknowledged or consumed, and can't be "
                     "read at the end",
                     history->log.name, history->key.host, (long long)mark->base_offset,
                     (long long)mark->last_offset);
        return;
    }
}

static void phase(struct judge *judge, enum sim_phase now)
{
    struct histories *histories = judge->state;
    histories->phase = now;
    if (now != SIM_AUDIT && now != SIM_END)
        return;
    for (struct map_node *node = histories->partitions.first; node != NULL; node = map_next(node)) {
        struct history *history = container_of(node, struct history, node);
        history->audit_failed |=
            judge_is_led_by_rotten(judge, history->key.topic, history->key.index);
        if (now == SIM_END)
            judge_audit(judge, history);
    }
}

static void end(struct judge *judge)
{
    struct histories *histories = judge->state;
    list_remove(&histories->observer.place);
    while (histories->partitions.first != NULL) {
        struct history *history = container_of(histories->partitions.first, struct history, node);
        map_remove(&histories->partitions, &history->node);
        batch_marks_free(&history->marks, &judge->memory);
        memory_give(&judge->memory, MEMORY_STATE, history, sizeof(*history));
    }
}

const struct judge_kind judge_history = {
    .name = "history",
    .rule =
        "a partition is one dense history: what was acknowledged or consumed stays as it is, is "
        "read at the end, and the high watermark and the start never go back",
    .source = "invariants of Kafka's replication: ConsistentRead, committed records survive, "
              "consumers see nothing beyond the high watermark (KIP-392)",
    .size = sizeof(struct histories),
    .begin = begin,
    .replied = replied,
    .host_changed = host_changed,
    .phase = phase,
    .end = end,
};
