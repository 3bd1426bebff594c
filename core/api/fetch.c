/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetch: records from given offsets, or a wait until there are enough.
 *
 *     READING ──(enough, an error, or the time is over)──▶ answered
 *        ▲ │
 *        │ └──(too little)──▶ PARKED ──(offsets moved)──┐
 *        └──────────────────────────────────────────────┘
 *
 * READING goes through the partitions one by one, since each may use up what the others leave of
 * max_bytes; it may itself wait for a log to be loaded or for an index to be read.
 */
#include "core/api/leaders.h"
#include "core/api/table.h"
#include "core/base/check.h"
#include "core/broker_state.h"
#include "core/conf/conf.h"
#include "core/fetch_sessions.h"
#include "core/partition.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

/* Topics are named by id from this version on (KIP-516). */
#define FETCH_TOPIC_IDS_VERSION 13

struct fetch_part {
    struct fetch *fetch;
    const struct fetch_target *target;
    int16_t error;
    int64_t high_watermark;
    int64_t log_start;
    struct partition_watcher watcher;
    struct log_range range;
};

struct fetch {
    struct broker *broker;
    struct request *request;
    struct fetch_plan plan;
    struct fetch_part *parts; /* one for each target */
    uint32_t at;              /* the part that is being read */
    uint32_t max_bytes;
    int64_t min_bytes;
    uint64_t bytes; /* found so far */
    bool failed;    /* some part has an error: answer at once */
    bool over;      /* max_wait_ms has passed */
    bool reading;   /* inside fetch_read(): a read that ends at once must not start it again */
    bool waiting;   /* for the log or the read of part `at` */
    bool finding;   /* `read` is under way */
    struct log_waiter waiter;
    struct log_read read;
    struct timer timer;
};

static void fetch_read(struct fetch *fetch);
static void fetch_read_again(struct fetch *fetch);

static void ranges_unpin(struct fetch *fetch)
{
    for (uint32_t i = 0; i < fetch->plan.count; i++) {
        if (fetch->parts[i].range.segment != NULL)
            log_unpin(&fetch->parts[i].range);
        fetch->parts[i].range = (struct log_range){0};
    }
}

static void unwatch(struct fetch *fetch)
{
    for (uint32_t i = 0; i < fetch->plan.count; i++)
        list_remove(&fetch->parts[i].watcher.place);
}

static void fetch_cancel(struct request *request)
{
    struct fetch *fetch = request->state;
    timer_cancel(&fetch->broker->io.timers, &fetch->timer);
    list_remove(&fetch->waiter.place);
    if (fetch->finding)
        log_read_cancel(&fetch->read);
    unwatch(fetch);
    ranges_unpin(fetch);
}

/* False when a session's client knows all this already. */
static bool part_is_news(const struct fetch *fetch, const struct fetch_part *part)
{
    return !fetch->plan.incremental || part->error != ERR_NONE || part->range.length > 0 ||
           part->high_watermark != part->target->seen_high_watermark ||
           part->log_start != part->target->seen_log_start;
}

static bool same_topic(const struct fetch_target *a, const struct fetch_target *b)
{
    return span_equal(a->topic, b->topic) && uuid_equal(a->topic_id, b->topic_id);
}

static void part_answer(const struct fetch_part *part, struct leaders *leaders,
                        struct fetch_response_response_partition *out)
{
    const struct fetch_target *target = part->target;
    const struct image *image = &part->fetch->broker->image;
    *out = wire_default_fetch_response_response_partition;
    out->partition_index = target->index;
    out->error_code = part->error;
    out->high_watermark = part->high_watermark;
    out->last_stable_offset = part->high_watermark;
    out->log_start_offset = part->log_start;
    out->aborted_transactions_count = -1;
    out->records = part->range.length > 0 ? span_of(NULL, part->range.length) : SPAN("");
    if (part->error != ERR_NONE)
        leaders_tell(leaders,
                     part->fetch->request->version >= FETCH_TOPIC_IDS_VERSION
                         ? image_topic_by_id(image, target->topic_id)
                         : image_topic(image, target->topic),
                     target->index, part->error, &out->current_leader.leader_id,
                     &out->current_leader.leader_epoch);
}

/* The addresses of the leaders that partitions were told to be led by. */
static void tell_endpoints(const struct fetch *fetch, const struct leaders *leaders,
                           struct fetch_response *response)
{
    struct fetch_response_node_endpoint *endpoints =
        arena_array(&fetch->request->arena, leaders->count, sizeof(*endpoints));
    for (uint32_t i = 0; i < leaders->count && endpoints != NULL; i++) {
        const struct leader_address address = leaders_address(leaders, i);
        endpoints[i] = (struct fetch_response_node_endpoint){
            .node_id = address.node_id,
            .host = address.host,
            .port = address.port,
            .rack = address.rack,
        };
        response->node_endpoints_count++;
    }
    response->node_endpoints = endpoints;
}

/* Lays out the response: partitions behind one another of one topic share its entry. */
static bool answer_fill(struct fetch *fetch, struct fetch_response *response,
                        struct log_range *ranges, uint32_t *ret_ranges_count)
{
    struct arena *arena = &fetch->request->arena;
    const uint32_t count = fetch->plan.count;
    struct fetch_response_response *topics = arena_array(arena, count, sizeof(*topics));
    struct fetch_response_response_partition *outs = arena_array(arena, count, sizeof(*outs));
    if (topics == NULL || outs == NULL)
        return false;
    struct fetch_response_response *topic = NULL;
    const struct fetch_target *previous = NULL;
    struct leaders leaders;
    leaders_begin(&leaders, fetch->broker, fetch->request);
    response->responses = topics;
    for (uint32_t i = 0; i < count; i++) {
        struct fetch_part *part = &fetch->parts[i];
        const bool news = part_is_news(fetch, part);
        if (fetch->plan.session_id != 0)
            fetch_sessions_answered(fetch->broker->fetch_sessions, fetch->plan.session_id,
                                    part->target, part->error, part->high_watermark,
                                    part->log_start, part->range.length > 0);
        if (!news)
            continue;
        if (topic == NULL || !same_topic(previous, part->target)) {
            topic = &topics[response->responses_count++];
            topic->topic = part->target->topic;
            topic->topic_id = part->target->topic_id;
            topic->partitions = outs;
        }
        previous = part->target;
        topic->partitions_count++;
        part_answer(part, &leaders, outs++);
        if (part->range.length > 0)
            ranges[(*ret_ranges_count)++] = part->range;
    }
    tell_endpoints(fetch, &leaders, response);
    return true;
}

static void fetch_answer(struct fetch *fetch)
{
    struct request *request = fetch->request;
    timer_cancel(&fetch->broker->io.timers, &fetch->timer);
    struct fetch_response *response = request_response(request);
    struct log_range *ranges =
        arena_array(&request->arena, fetch->plan.count, sizeof(struct log_range));
    uint32_t count = 0;
    if (response == NULL || ranges == NULL || !answer_fill(fetch, response, ranges, &count)) {
        ranges_unpin(fetch);
        request_refuse(request, "there is no memory for a reply to it");
        return;
    }
    response->session_id = fetch->plan.session_id;
    request_reply_ranges(request, response, ranges, count);
}

static void fetch_end(struct fetch *fetch)
{
    fetch->over = true;
    if (!fetch->waiting)
        fetch_read_again(fetch);
}

static void fetch_timed_out(struct timer *timer)
{
    fetch_end(container_of(timer, struct fetch, timer));
}

static void fetch_hurry(struct request *request)
{
    fetch_end(request->state);
}

static void part_moved(struct partition_watcher *watcher)
{
    fetch_read_again(container_of(watcher, struct fetch_part, watcher)->fetch);
}

static int part_partition(const struct fetch *fetch, const struct fetch_target *target,
                          struct partition **ret_partition)
{
    if (fetch->request->version >= FETCH_TOPIC_IDS_VERSION)
        return partition_by_id(fetch->broker, target->topic_id, target->index, ret_partition);
    return partition_by_name(fetch->broker, target->topic, target->index, ret_partition);
}

/* Nothing or too little yet: waits until offsets move, or the time is over. */
static void fetch_park(struct fetch *fetch)
{
    ranges_unpin(fetch);
    fetch->request->hurry = fetch_hurry;
    for (uint32_t i = 0; i < fetch->plan.count; i++) {
        struct fetch_part *part = &fetch->parts[i];
        struct partition *partition = NULL;
        if (part_partition(fetch, part->target, &partition) != ERR_NONE ||
            partition->high_watermark != part->high_watermark ||
            log_start(partition->log) != part->log_start) {
            /* It went or moved while another was being read: reading again finds that out. */
            fetch_read_again(fetch);
            return;
        }
        part->watcher.moved = part_moved;
        partition_watch(partition, &part->watcher);
    }
}

static void part_fail(struct fetch *fetch, struct fetch_part *part, int error)
{
    part->error = (int16_t)error;
    part->high_watermark = -1;
    part->log_start = -1;
    fetch->failed = true;
}

static int read_error(const struct fetch *fetch, const struct fetch_target *target, int error)
{
    struct partition *partition = NULL;
    const int gone = part_partition(fetch, target, &partition);
    return gone != ERR_NONE ? gone : partition_read_failed(partition, error);
}

static void part_read(struct log_read *read)
{
    struct fetch *fetch = container_of(read, struct fetch, read);
    struct fetch_part *part = &fetch->parts[fetch->at++];
    fetch->waiting = false;
    fetch->finding = false;
    if (read->error != ERR_NONE) {
        part_fail(fetch, part, read_error(fetch, part->target, read->error));
    } else {
        part->range = read->range;
        fetch->bytes += read->range.length;
    }
    if (!fetch->reading)
        fetch_read(fetch);
}

static void part_loaded(struct log_waiter *waiter, int error)
{
    struct fetch *fetch = container_of(waiter, struct fetch, waiter);
    fetch->waiting = false;
    if (error != ERR_NONE)
        part_fail(fetch, &fetch->parts[fetch->at++], error);
    fetch_read(fetch);
}

/* Asks the log for the range, of as many bytes as the request has left. */
static void part_ask(struct fetch *fetch, const struct fetch_part *part,
                     struct partition *partition)
{
    const uint32_t left =
        fetch->bytes >= fetch->max_bytes ? 0 : fetch->max_bytes - (uint32_t)fetch->bytes;
    const uint32_t wanted = part->target->max_bytes < 0 ? 0 : (uint32_t)part->target->max_bytes;
    if (part->target->offset >= partition->high_watermark || (left == 0 && fetch->bytes > 0)) {
        fetch->at++;
        return;
    }
    fetch->read = (struct log_read){
        .offset = part->target->offset,
        .end_offset = partition->high_watermark,
        .max_bytes = wanted < left ? wanted : left,
        .whole_first = fetch->bytes == 0,
        .done = part_read,
    };
    fetch->waiting = true;
    fetch->finding = true;
    log_read(partition->log, &fetch->read);
}

/* Reads one partition, or begins to. */
static void part_begin(struct fetch *fetch, struct fetch_part *part)
{
    struct partition *partition = NULL;
    int error = part_partition(fetch, part->target, &partition);
    if (error == ERR_NONE)
        error = partition_check_epoch(partition, part->target->current_leader_epoch);
    if (error == ERR_NONE && !partition_load(partition, &fetch->waiter)) {
        fetch->waiting = true;
        return;
    }
    if (error == ERR_NONE && (part->target->offset < log_start(partition->log) ||
                              part->target->offset > log_end(partition->log)))
        error = ERR_OFFSET_OUT_OF_RANGE;
    if (error != ERR_NONE) {
        part_fail(fetch, part, error);
        fetch->at++;
        return;
    }
    part->error = ERR_NONE;
    part->high_watermark = partition->high_watermark;
    part->log_start = log_start(partition->log);
    part_ask(fetch, part, partition);
}

static void fetch_read(struct fetch *fetch)
{
    const uint32_t count = fetch->plan.count;
    fetch->reading = true;
    while (fetch->at < count && !fetch->waiting)
        part_begin(fetch, &fetch->parts[fetch->at]);
    fetch->reading = false;
    if (fetch->waiting)
        return;
    if (fetch->over || fetch->failed || count == 0 || (int64_t)fetch->bytes >= fetch->min_bytes ||
        !request_may_wait(fetch->request))
        fetch_answer(fetch);
    else
        fetch_park(fetch);
}

/* Parked no longer: from the first partition on. */
static void fetch_read_again(struct fetch *fetch)
{
    unwatch(fetch);
    fetch->request->hurry = NULL;
    fetch->at = 0;
    fetch->bytes = 0;
    fetch->failed = false;
    fetch_read(fetch);
}

static void fetch_start(struct fetch *fetch, const struct fetch_request *body)
{
    struct broker *broker = fetch->broker;
    for (uint32_t i = 0; i < fetch->plan.count; i++) {
        fetch->parts[i].fetch = fetch;
        fetch->parts[i].target = &fetch->plan.targets[i];
        list_init(&fetch->parts[i].watcher.place);
    }
    const int64_t most = conf_int(broker->conf, CONF_FETCH_MAX_BYTES);
    const int64_t wanted = body->max_bytes < 0 ? 0 : body->max_bytes;
    fetch->max_bytes = (uint32_t)(wanted < most ? wanted : most);
    fetch->min_bytes = body->min_bytes;
    fetch->over = body->max_wait_ms <= 0;
    if (!fetch->over)
        timer_set(&broker->io.timers, &fetch->timer,
                  broker->io.now_us + (uint64_t)body->max_wait_ms * 1000, fetch_timed_out);
    fetch->request->cancel = fetch_cancel;
    fetch_read(fetch);
}

void fetch_handle(struct broker *broker, struct request *request)
{
    const struct fetch_request *body = request->body;
    struct fetch *fetch = arena_take(&request->arena, sizeof(*fetch));
    struct fetch_response *response = request_response(request);
    if (fetch == NULL || response == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    fetch->broker = broker;
    fetch->request = request;
    fetch->waiter.wake = part_loaded;
    list_init(&fetch->waiter.place);
    request->state = fetch;
    const int error = fetch_sessions_plan(broker->fetch_sessions, body, request->version,
                                          &request->arena, &fetch->plan);
    if (error != ERR_NONE && error != ERR_ARENA_FULL) {
        response->error_code = (int16_t)error;
        request_reply(request, response);
        return;
    }
    fetch->parts = arena_array(&request->arena, fetch->plan.count, sizeof(*fetch->parts));
    if (error != ERR_NONE || fetch->parts == NULL) {
        request_refuse(request, "there is no memory for it");
        return;
    }
    fetch_start(fetch, body);
}
