/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cli/allocator.h"
#include "cli/bench_cpu.h"
#include "cli/bench_link.h"
#include "core/records/batch.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define NS_PER_S        INT64_C(1000000000)
#define EVENTS_MAX      64
#define TAIL_WAIT_MS    500 /* how long a reader's fetch waits for a record */
#define REPLY_ARENA_MAX ((size_t)16 << 20)
#define WAIT_NS_MAX     (NS_PER_S / 10)
#define TIMER_SLACK_NS  1UL

struct run {
    const struct bench_plan *plan;
    struct bench_result *result;
    struct bench_topic topic;
    struct bench_link *links; /* those of the plan, then the readers of a tail */
    uint32_t links_count;
    uint32_t opened; /* of them */
    int epoll;
    struct memory memory;
    struct arena arena; /* of one reply */
    uint64_t stamp;     /* whose batches these are */
    int64_t start_ns;
    int64_t from_ns; /* what is counted */
    int64_t until_ns;
    int64_t stop_ns; /* half-way to the end of the drain */
    int64_t drain_until_ns;
    bool counting;
    bool draining;
    bool stopped; /* nothing begins, not even what was due */
    bool has_cpu;
    uint64_t begun;  /* with a rate: requests that were due */
    uint64_t cpu_ns; /* when the count began */
    uint64_t own_cpu_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int fail(struct run *run, const char *why)
{
    snprintf(run->result->message, sizeof(run->result->message), "%s", why);
    return -1;
}

/* Gives a connection up; the first one says why. */
static void lose(struct run *run, struct bench_link *link)
{
    if (run->result->lost++ == 0)
        fail(run, link->client.message);
    link->dead = true;
    run->result->unanswered += link->reads ? 0 : link->flying;
    link->flying = link->unsent = 0;
    epoll_ctl(run->epoll, EPOLL_CTL_DEL, link->client.socket, NULL);
}

static void lose_because(struct run *run, struct bench_link *link, const char *why)
{
    snprintf(link->client.message, sizeof(link->client.message), "%s %s", link->client.address,
             why);
    lose(run, link);
}

static bool is_counted(const struct run *run, int64_t at_ns)
{
    return at_ns >= run->from_ns && at_ns < run->until_ns;
}

/* When the request number `number` of a connection is due. */
static int64_t due_ns(const struct run *run, const struct bench_link *link, uint64_t number)
{
    const uint64_t place = (uint64_t)(link - run->links);
    const uint64_t requests = number * run->plan->connections + place;
    return run->start_ns + (int64_t)(requests * (uint64_t)NS_PER_S / run->plan->rate);
}

static bool may_begin(const struct run *run, const struct bench_link *link)
{
    if (link->reads)
        return true;
    return run->plan->rate == 0 ? !run->draining : !run->stopped && link->begun < link->due;
}

/* Makes the frame of a request that has just begun. Returns 0, or -1 when memory is short. */
static int prepare(struct run *run, struct bench_link *link, struct bench_slot *slot)
{
    if (link->reads)
        return bench_frame_fetch(&slot->frame, run->plan, &link->place, slot->offset, TAIL_WAIT_MS);
    if (run->plan->arm == BENCH_FETCH)
        return bench_frame_fetch(&slot->frame, run->plan, &link->place, slot->offset, 0);
    if (run->plan->arm == BENCH_TAIL)
        bench_frame_stamp(&slot->frame, run->stamp, (uint64_t)slot->began_ns);
    return 0;
}

/* Has the poll tell when more can be sent, only while something waits for that. */
static void watch(struct run *run, struct bench_link *link)
{
    if (link->dead || link->waits_to_write == link->watched_to_write)
        return;
    struct epoll_event event = {.events = EPOLLIN | (link->waits_to_write ? EPOLLOUT : 0),
                                .data.u32 = (uint32_t)(link - run->links)};
    epoll_ctl(run->epoll, EPOLL_CTL_MOD, link->client.socket, &event);
    link->watched_to_write = link->waits_to_write;
}

/* Begins what may begin, and sends. */
static void refill(struct run *run, struct bench_link *link, int64_t at_ns)
{
    while (!link->dead && link->flying < link->depth && may_begin(run, link)) {
        const bool by_clock = run->plan->rate > 0 && !link->reads;
        const int64_t began_ns = by_clock ? due_ns(run, link, link->begun) : at_ns;
        struct bench_slot *slot = bench_link_begin(link);
        slot->began_ns = began_ns;
        if (prepare(run, link, slot) != 0)
            lose_because(run, link, "out of memory");
    }
    if (!link->dead && bench_link_send(link) != 0)
        lose(run, link);
    watch(run, link);
}

/* Counts what was answered without an error. */
static void count(struct run *run, const struct bench_slot *slot, int64_t at_ns, uint64_t records,
                  uint64_t bytes)
{
    struct bench_result *result = run->result;
    result->all_requests++;
    result->all_records += records;
    if (!is_counted(run, run->plan->rate > 0 ? slot->began_ns : at_ns))
        return;
    result->requests++;
    result->records += records;
    result->bytes += bytes;
    histogram_add(&result->latency, (uint64_t)(at_ns - slot->began_ns));
}

static void count_error(struct run *run, int16_t error)
{
    const int place = error + 1;
    run->result->errors++;
    run->result->errors_by_code[place < 0 || place >= BENCH_ERRORS_MAX ? 0 : place]++;
}

/* A tail's reader got a batch: of ours, it tells when it was due. */
static void count_tail(struct run *run, struct span batch, int32_t records, int64_t at_ns)
{
    uint64_t due;
    if (bench_stamp_read(batch, run->stamp, &due) != 0)
        return;
    run->result->tail_records += (uint64_t)records;
    if (is_counted(run, (int64_t)due) && (int64_t)due <= at_ns)
        histogram_add(&run->result->tail, (uint64_t)(at_ns - (int64_t)due));
}

/* Walks the batches of a fetch, behind which the slot goes on. Returns how many records there were.
 */
static uint64_t walk(struct run *run, const struct bench_link *link, struct bench_slot *slot,
                     struct span records, int64_t at_ns)
{
    uint64_t found = 0;
    struct span batch;
    struct batch_info info;
    while (batch_next(records, records.length, BATCH_CHECK_HEADER, &batch, &info) == BATCH_FOUND) {
        if (link->reads && batch_last_offset(&info) >= slot->offset)
            count_tail(run, batch, info.record_count, at_ns);
        found += (uint64_t)info.record_count;
        slot->offset = batch_last_offset(&info) + 1;
        records = span_of(records.data + batch.length, records.length - batch.length);
    }
    return found;
}

static void on_fetched(struct run *run, struct bench_link *link, struct bench_slot *slot,
                       struct span records, int64_t at_ns)
{
    const uint64_t found = walk(run, link, slot, records, at_ns);
    if (link->reads)
        return;
    if (found > 0)
        count(run, slot, at_ns, found, records.length);
    if (found == 0 || slot->offset >= link->log_end)
        slot->offset = link->log_start;
}

static void on_reply(struct run *run, struct bench_link *link, struct span bytes, int64_t at_ns)
{
    const bool fetches = link->reads || run->plan->arm == BENCH_FETCH;
    struct bench_reply reply = {0};
    struct bench_slot *slot = bench_link_end(link);
    arena_reset(&run->arena);
    if (slot == NULL ||
        (fetches ? bench_reply_fetch(&link->place, bytes, &run->arena, &reply)
                 : bench_reply_produce(&link->place, bytes, &run->arena, &reply)) != 0)
        lose_because(run, link, "answers with something that is not Kafka's protocol");
    else if (reply.error != ERR_NONE)
        count_error(run, reply.error);
    else if (fetches)
        on_fetched(run, link, slot, reply.records, at_ns);
    else
        count(run, slot, at_ns, bench_batch_records(run->plan), slot->sends->batch_length);
}

static void take_replies(struct run *run, struct bench_link *link)
{
    struct span reply = SPAN_NULL;
    size_t at = 0;
    int found = bench_link_receive(link) == 0 ? 1 : -1;
    const int64_t at_ns = now_ns();
    while (found == 1 && !link->dead && (found = bench_link_reply(link, &at, &reply)) == 1)
        on_reply(run, link, reply, at_ns);
    if (found < 0)
        lose(run, link);
}

static void on_event(struct run *run, struct bench_link *link, uint32_t events)
{
    if (!link->dead && (events & ~(uint32_t)EPOLLOUT) != 0)
        take_replies(run, link);
    refill(run, link, now_ns());
}

/* With a rate: hands out what is due by now, and before the end. Returns when the next one is. */
static int64_t schedule(struct run *run, int64_t at_ns)
{
    const uint32_t connections = run->plan->connections;
    if (run->plan->rate == 0 || run->draining)
        return INT64_MAX;
    for (;;) {
        struct bench_link *link = &run->links[run->begun % connections];
        const int64_t next_ns = due_ns(run, link, run->begun / connections);
        if (next_ns > at_ns || next_ns >= run->until_ns)
            return next_ns;
        run->begun++;
        link->due++;
        refill(run, link, at_ns);
    }
}

static void begin_count(struct run *run)
{
    pid_t missing;
    run->counting = true;
    run->own_cpu_ns = bench_cpu_own_ns();
    run->has_cpu =
        bench_cpu_read(run->plan->pids, run->plan->pids_count, &run->cpu_ns, &missing) == 0;
}

static void end_cpu(struct run *run)
{
    uint64_t cpu_ns = 0;
    pid_t missing;
    run->result->own_cpu_ns = bench_cpu_own_ns() - run->own_cpu_ns;
    if (run->has_cpu &&
        bench_cpu_read(run->plan->pids, run->plan->pids_count, &cpu_ns, &missing) == 0)
        run->result->cpu_ns = cpu_ns - run->cpu_ns;
}

/* What was due by the clock counts whenever it is answered, and what it costs does, too. */
static void end_count(struct run *run, int64_t at_ns)
{
    run->draining = true;
    run->stop_ns = at_ns + (int64_t)run->plan->timeout_ms * (NS_PER_S / 2000);
    run->drain_until_ns = at_ns + (int64_t)run->plan->timeout_ms * (NS_PER_S / 1000);
    if (run->plan->rate == 0) {
        run->until_ns = at_ns;
        end_cpu(run);
    }
    run->result->counted_ns = run->until_ns - run->from_ns;
}

/* Every connection was lost: what was counted until then is all there is. */
static void end_early(struct run *run, int64_t at_ns)
{
    if (run->draining)
        return;
    if (!run->counting)
        run->from_ns = at_ns;
    run->until_ns = at_ns;
    end_count(run, at_ns);
}

/* Everything was answered, and has come to the readers. */
static bool is_quiet(const struct run *run)
{
    for (uint32_t i = 0; i < run->links_count; i++) {
        const struct bench_link *link = &run->links[i];
        if (!link->reads && !link->dead && (link->flying > 0 || may_begin(run, link)))
            return false;
    }
    return run->plan->arm != BENCH_TAIL || run->result->tail_records >= run->result->all_records;
}

static bool is_over(const struct run *run, int64_t at_ns)
{
    if (run->result->lost == run->links_count)
        return true;
    return run->draining && (is_quiet(run) || at_ns >= run->drain_until_ns);
}

static void wait_and_handle(struct run *run, int64_t until_ns)
{
    struct epoll_event events[EVENTS_MAX];
    const int64_t left_ns = until_ns - now_ns();
    const int64_t wait_ns = left_ns < 0 ? 0 : left_ns > WAIT_NS_MAX ? WAIT_NS_MAX : left_ns;
    const struct timespec wait = {.tv_sec = 0, .tv_nsec = wait_ns};
    const int count = epoll_pwait2(run->epoll, events, EVENTS_MAX, &wait, NULL);
    for (int i = 0; i < count; i++)
        on_event(run, &run->links[events[i].data.u32], events[i].events);
}

static void loop(struct run *run)
{
    run->start_ns = now_ns();
    run->from_ns = run->start_ns + run->plan->warm_up_seconds * NS_PER_S;
    run->until_ns = run->from_ns + run->plan->seconds * NS_PER_S;
    for (uint32_t i = 0; i < run->links_count; i++)
        refill(run, &run->links[i], run->start_ns);
    for (;;) {
        const int64_t at_ns = now_ns();
        if (!run->counting && at_ns >= run->from_ns)
            begin_count(run);
        int64_t next_ns = schedule(run, at_ns);
        if (!run->draining && at_ns >= run->until_ns)
            end_count(run, at_ns);
        run->stopped = run->draining && at_ns >= run->stop_ns;
        if (is_over(run, at_ns)) {
            end_early(run, at_ns);
            break;
        }
        if (!run->counting && run->from_ns < next_ns)
            next_ns = run->from_ns;
        if (!run->draining && run->until_ns < next_ns)
            next_ns = run->until_ns;
        wait_and_handle(run, next_ns);
    }
    if (run->plan->rate > 0)
        end_cpu(run);
    for (uint32_t i = 0; i < run->links_count; i++) {
        const struct bench_link *link = &run->links[i];
        run->result->unanswered += link->reads ? 0 : link->flying;
        run->result->unsent += run->plan->rate > 0 && !link->reads ? link->due - link->begun : 0;
    }
}

/* True when this link sends to that partition. */
static bool sends_to(const struct run *run, const struct bench_link *link,
                     const struct bench_partition *partition)
{
    return partition->number == link->place.partition ||
           (run->plan->spread && strcmp(partition->leader, link->client.address) == 0);
}

/* The frames of a producer's link, one for each partition that it sends to. Returns 0 or -1, with
 * the result's message. */
static int fill_shared(struct run *run, struct bench_link *link)
{
    struct bench_place place = link->place;
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->topic.partitions_count; i++)
        count += sends_to(run, link, &run->topic.partitions[i]);
    if ((int64_t)count * run->plan->connections * run->plan->batch_bytes > BENCH_FRAMES_BYTES_MAX)
        return fail(run, "requests of that size for so many partitions do not fit into memory");
    if (bench_link_share(link, count) != 0)
        return fail(run, link->client.message);
    for (uint32_t i = 0, next = 0; i < run->topic.partitions_count && next < count; i++) {
        struct bench_partition *partition = &run->topic.partitions[i];
        if (!sends_to(run, link, partition))
            continue;
        place.partition = partition->number;
        run->result->partitions += !partition->worked_on;
        partition->worked_on = true;
        if (bench_frame_produce(&link->shared[next++], run->plan, &place) != 0)
            return fail(run, "out of memory");
    }
    return 0;
}

/* What the slots of a link begin with. Returns 0 or -1, with the result's message. */
static int fill(struct run *run, struct bench_link *link, uint32_t place)
{
    const struct bench_plan *plan = run->plan;
    const int64_t slots = (int64_t)plan->connections * link->depth;
    if (plan->arm == BENCH_PRODUCE)
        return fill_shared(run, link);
    for (uint32_t i = 0; i < link->depth; i++) {
        struct bench_slot *slot = &link->slots[i];
        const int64_t part = (int64_t)place * link->depth + i;
        slot->offset = link->reads
                           ? link->log_end
                           : link->log_start + (link->log_end - link->log_start) * part / slots;
        if (plan->arm == BENCH_TAIL && !link->reads &&
            bench_frame_produce(&slot->frame, plan, &link->place) != 0)
            return fail(run, "out of memory");
    }
    return 0;
}

/* Opens the link number `place`. Returns 0 or -1, with the result's message. */
static int open_one(struct run *run, uint32_t place)
{
    const struct bench_plan *plan = run->plan;
    struct bench_link *link = &run->links[place];
    const bool reads = place >= plan->connections;
    const uint32_t number = (reads ? place - plan->connections : place);
    const struct bench_partition *partition =
        &run->topic.partitions[number % run->topic.partitions_count];
    const int16_t api = reads || plan->arm == BENCH_FETCH ? API_FETCH : API_PRODUCE;
    run->opened++;
    if (bench_link_open(link, plan, &run->topic, partition, api, reads ? 1 : plan->depth) != 0)
        return fail(run, link->client.message);
    link->reads = reads;
    if (plan->arm == BENCH_FETCH && link->log_start == link->log_end)
        return fail(run, "the topic has nothing to fetch; chronik bench produce fills it");
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = place};
    if (fill(run, link, number) != 0)
        return -1;
    return epoll_ctl(run->epoll, EPOLL_CTL_ADD, link->client.socket, &event) == 0
               ? 0
               : fail(run, strerror(errno));
}

/* Connects all. Returns 0 or -1, with the result's message. */
static int open_all(struct run *run)
{
    const struct bench_plan *plan = run->plan;
    struct client client;
    const int found = bench_topic_open(&run->topic, plan, &client);
    if (found != 0)
        fail(run, client.message);
    client_close(&client);
    if (found != 0)
        return -1;
    const uint32_t partitions = plan->connections < run->topic.partitions_count
                                    ? plan->connections
                                    : run->topic.partitions_count;
    run->links_count = plan->connections;
    if (plan->arm == BENCH_TAIL)
        run->links_count += partitions;
    if (plan->arm != BENCH_PRODUCE)
        run->result->partitions = partitions;
    run->links = calloc(run->links_count, sizeof(run->links[0]));
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (run->links == NULL || run->epoll < 0)
        return fail(run, strerror(errno));
    for (uint32_t i = 0; i < run->links_count; i++) {
        if (open_one(run, i) != 0)
            return -1;
    }
    return 0;
}

int bench_run(const struct bench_plan *plan, struct bench_result *ret_result)
{
    struct run run = {.plan = plan, .result = ret_result, .epoll = -1};
    pid_t missing;
    memset(ret_result, 0, sizeof(*ret_result));
    const int error = bench_cpu_read(plan->pids, plan->pids_count, &run.cpu_ns, &missing);
    if (error != 0) {
        snprintf(ret_result->message, sizeof(ret_result->message), "--pid %d: %s", (int)missing,
                 strerror(error));
        return -1;
    }
    memory_init(&run.memory, allocator_process());
    arena_init(&run.arena, &run.memory, MEMORY_REQUEST, REPLY_ARENA_MAX);
    run.stamp = (uint64_t)now_ns() << 16 | (uint64_t)(getpid() & 0xffff);
    /* Else the kernel wakes us up to 50 µs late, which would count as the broker's. */
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
    const int opened = open_all(&run);
    if (opened == 0)
        loop(&run);
    for (uint32_t i = 0; i < run.opened; i++)
        bench_link_close(&run.links[i]);
    free(run.links);
    bench_topic_free(&run.topic);
    arena_reset(&run.arena);
    if (run.epoll >= 0)
        close(run.epoll);
    return opened;
}
