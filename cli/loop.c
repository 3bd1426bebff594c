/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/base/timer.h"
#include "core/wire/error.h"
#include "net/net.h"

/* Threads for what may wait for a device. More syncs at once gain nothing on one device, and a
 * node has few. */
#define DISK_THREADS 4

/* What is read at a time from a file that is not in the page cache, before it is sent. */
#define COLD_BYTES_MAX ((size_t)1024 * 1024)

/* A client that leaves what is sent to it unread for so long is gone. Kafka's may be idle for as
 * long (connections.max.idle.ms). */
#define UNREAD_TIMEOUT_MS (10 * 60 * 1000)

/* Turns in a row without a look at the sockets, while completions wait. */
#define TURNS_WITHOUT_LOOK_MAX 8

/* Completions that effects gave while they were carried out: delivered once that is over. */
struct queue {
    struct completion *items;
    uint32_t count;
    uint32_t capacity;
};

/* A listener that the core asked for. */
struct loop_listener {
    uint64_t effect; /* under way; 0: none */
    uint16_t port;
};

struct loop {
    struct loop_options options;
    struct net *net;
    struct disk *disk;
    int signals; /* signalfd */
    struct effects effects;
    struct queue queue;
    bool performing; /* effects are being carried out: completions go to the queue */
    bool stepped;    /* the core has seen an event in this turn */
    bool asleep;     /* the clocks have to be read again after this look */
    uint64_t now_us;
    int64_t wall_ms;
    uint64_t due_us; /* of the last EFFECT_TIMER */
    bool stopped;
    bool failed;
    struct loop_listener listeners[LOOP_LISTENERS_MAX];
    uint32_t listening; /* effects under way */
};

static uint64_t clock_read(clockid_t clock, uint64_t units_per_s)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * units_per_s + (uint64_t)now.tv_nsec / (1000000000 / units_per_s);
}

static void clocks_read(struct loop *loop)
{
    loop->now_us = clock_read(CLOCK_BOOTTIME, 1000000);
    loop->wall_ms = (int64_t)clock_read(CLOCK_REALTIME, 1000);
}

static void step(struct loop *loop, struct event *event)
{
    event->mono_us = loop->now_us;
    event->wall_ms = loop->wall_ms;
    loop->stepped = true;
    loop->options.step(loop->options.core, event, &loop->effects);
}

static void step_kind(struct loop *loop, enum event_kind kind)
{
    struct event event = {.kind = kind};
    step(loop, &event);
}

/* A port becomes known before the core hears of it. */
static void note_port(struct loop *loop, const struct completion *completion)
{
    for (uint32_t i = 0; i < LOOP_LISTENERS_MAX && loop->listening > 0; i++) {
        struct loop_listener *listener = &loop->listeners[i];
        if (listener->effect != completion->effect)
            continue;
        listener->effect = 0;
        loop->listening--;
        listener->port = completion->error == ERR_NONE ? (uint16_t)completion->count : 0;
        return;
    }
}

static void deliver(struct loop *loop, const struct completion *completion)
{
    struct event event = {.kind = EVENT_COMPLETED, .completed = *completion};
    step(loop, &event);
    free((void *)(uintptr_t)completion->entries);
}

static void on_woken(void *context)
{
    struct loop *loop = context;
    if (loop->asleep)
        clocks_read(loop);
}

static void on_complete(void *context, const struct completion *completion)
{
    struct loop *loop = context;
    if (!loop->performing) {
        deliver(loop, completion);
        return;
    }
    struct queue *queue = &loop->queue;
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity == 0 ? 64 : queue->capacity * 2;
        queue->items = reallocarray(queue->items, queue->capacity, sizeof(*queue->items));
        CHECK(queue->items != NULL);
    }
    queue->items[queue->count++] = *completion;
}

static void on_accepted(void *context, uint64_t connection, uint32_t listener, struct span peer)
{
    struct event event = {
        .kind = EVENT_ACCEPTED,
        .accepted = {.connection = connection, .listener = listener, .peer = peer},
    };
    step(context, &event);
}

/* Where net/ and disk/ meet: bytes that are sent straight from a file. */
static int on_file_range(void *context, uint64_t connection, uint64_t file, uint64_t offset,
                         size_t *length)
{
    struct loop *loop = context;
    const int fd = disk_file_fd(loop->disk, file);
    if (fd < 0)
        return NET_FILE_NONE;
    if (disk_is_warm(loop->disk, file, offset, *length))
        return fd;
    /* A part suffices to go on with. */
    if (*length > COLD_BYTES_MAX)
        *length = COLD_BYTES_MAX;
    if (disk_is_warm(loop->disk, file, offset, *length) ||
        !disk_warm(loop->disk, file, offset, *length, connection))
        return fd;
    return NET_FILE_LATER;
}

static void on_warmed(void *context, uint64_t token)
{
    const struct loop *loop = context;
    if (loop->net != NULL) /* it goes before the disk's threads do */
        net_continue(loop->net, token);
}

static void on_report(void *context, const char *line)
{
    const struct loop *loop = context;
    logger_write(loop->options.logger, LOG_ERROR, span_text(line));
}

static void on_disk(void *context)
{
    const struct loop *loop = context;
    disk_collect(loop->disk);
}

static void on_signal(void *context)
{
    struct loop *loop = context;
    struct signalfd_siginfo info;
    if (read(loop->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    /* From now on a signal does what it does to other programs: an operator who asks twice, or a
     * disk that hangs, is not to be waited for. */
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    sigprocmask(SIG_UNBLOCK, &ours, NULL);
    step_kind(loop, EVENT_STOP);
}

/* Signals arrive as something to read, between events. Returns the descriptor, or -1 with errno. */
static int signals_open(void)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &ours, NULL) != 0)
        return -1;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &ignore, NULL) != 0)
        return -1;
    return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void descriptors_allow(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    /* A sandbox that forbids this leaves us what it gave us. */
    (void)!setrlimit(RLIMIT_NOFILE, &limit);
}

struct loop *loop_new(const struct loop_options *options)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        return NULL;
    loop->options = *options;
    loop->due_us = TIMER_NEVER;
    effects_init(&loop->effects, options->memory);
    descriptors_allow();
    const struct net_options net_options = {
        .calls = &net_calls_system,
        .send_buffer_bytes = options->send_buffer_bytes,
        .unread_timeout_ms = UNREAD_TIMEOUT_MS,
        .woken = on_woken,
        .complete = on_complete,
        .accepted = on_accepted,
        .file_range = on_file_range,
        .report = on_report,
        .context = loop,
    };
    const struct disk_options disk_options = {
        .calls = &disk_calls_system,
        .threads_max = DISK_THREADS,
        .complete = on_complete,
        .warmed = on_warmed,
        .report = on_report,
        .context = loop,
    };
    loop->signals = signals_open();
    loop->net = net_new(&net_options);
    loop->disk = disk_new(&disk_options);
    if (loop->signals < 0 || loop->net == NULL || loop->disk == NULL)
        goto out;
    if (net_add_source(loop->net, disk_fd(loop->disk), on_disk, loop) == 0 &&
        net_add_source(loop->net, loop->signals, on_signal, loop) == 0)
        return loop;
out:
    loop_free(loop);
    return NULL;
}

struct disk *loop_disk(struct loop *loop)
{
    return loop->disk;
}

int loop_add_source(struct loop *loop, int fd, void (*ready)(void *context), void *context)
{
    return net_add_source(loop->net, fd, ready, context);
}

uint16_t loop_port(const struct loop *loop, uint32_t listener)
{
    CHECK(listener < LOOP_LISTENERS_MAX);
    return loop->listeners[listener].port;
}

static void stop(struct loop *loop, const struct effect *effect)
{
    loop->stopped = true;
    loop->failed = effect->log.failed;
    if (effect->log.text.length > 0)
        logger_write(loop->options.logger, loop->failed ? LOG_ERROR : LOG_INFO, effect->log.text);
}

static void perform_one(struct loop *loop, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_LISTEN:
        CHECK(effect->listen.listener < LOOP_LISTENERS_MAX);
        loop->listeners[effect->listen.listener].effect = effect->id;
        loop->listening++;
        net_perform(loop->net, effect);
        break;
    case EFFECT_CONNECT:
    case EFFECT_WATCH:
    case EFFECT_RECEIVE:
    case EFFECT_SEND:
    case EFFECT_CLOSE:
        net_perform(loop->net, effect);
        break;
    case EFFECT_OPEN:
    case EFFECT_CLOSE_FILE:
    case EFFECT_READ:
    case EFFECT_WRITE:
    case EFFECT_SYNC:
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
    case EFFECT_LIST:
    case EFFECT_MAKE_FOLDER:
    case EFFECT_RENAME:
    case EFFECT_REMOVE:
    case EFFECT_SYNC_FOLDER:
        disk_perform(loop->disk, effect);
        break;
    case EFFECT_TIMER:
        loop->due_us = effect->due_us;
        break;
    case EFFECT_LOG:
        logger_write(loop->options.logger, effect->log.level, effect->log.text);
        break;
    case EFFECT_READY:
        loop->options.ready(loop->options.context, loop);
        break;
    case EFFECT_STOPPED:
        stop(loop, effect);
        break;
    }
}

/* Carries out what the core has asked for, whose steps are over for the moment. */
static void perform(struct loop *loop)
{
    loop->performing = true;
    for (uint32_t i = 0; i < loop->effects.count && !loop->stopped; i++)
        perform_one(loop, &loop->effects.items[i]);
    effects_clear(&loop->effects);
    loop->performing = false;
}

static void deliver_queue(struct loop *loop)
{
    for (uint32_t i = 0; i < loop->queue.count; i++) {
        note_port(loop, &loop->queue.items[i]);
        deliver(loop, &loop->queue.items[i]);
    }
    loop->queue.count = 0;
}

/* Sleeps until something happens or is due, unless something waits already. Returns true when a due
 * timer may be told: not after a sleep, since whatever arrived while we slept, or were stopped, has
 * to be delivered before the core judges who was silent for too long. */
static bool look(struct loop *loop)
{
    clocks_read(loop);
    if (loop->queue.count > 0 || loop->due_us <= loop->now_us) {
        net_wait(loop->net, 0);
        return loop->due_us <= loop->now_us;
    }
    const bool for_ever = loop->due_us == TIMER_NEVER;
    loop->asleep = true;
    net_wait(loop->net, for_ever ? NET_FOREVER : loop->due_us - loop->now_us);
    loop->asleep = false;
    return false;
}

static void turn(struct loop *loop, bool timer_is_due)
{
    deliver_queue(loop);
    perform(loop);
    deliver_queue(loop);
    if (timer_is_due && !loop->stopped) {
        loop->due_us = TIMER_NEVER;
        step_kind(loop, EVENT_TIMER);
    }
    if (loop->stepped && !loop->stopped)
        step_kind(loop, EVENT_TURN_END);
    loop->stepped = false;
    perform(loop);
}

static void start(struct loop *loop)
{
    struct event event = {.kind = EVENT_START};
    size_t filled = 0;
    while (filled < START_ENTROPY_BYTES) {
        const ssize_t got =
            getrandom(event.start.entropy + filled, START_ENTROPY_BYTES - filled, 0);
        CHECK(got > 0 || errno == EINTR);
        if (got > 0)
            filled += (size_t)got;
    }
    clocks_read(loop);
    step(loop, &event);
    turn(loop, false);
}

bool loop_run(struct loop *loop)
{
    uint32_t turns_without_look = 0;
    start(loop);
    while (!loop->stopped) {
        bool timer_is_due = false;
        if (loop->queue.count > 0 && turns_without_look < TURNS_WITHOUT_LOOK_MAX) {
            turns_without_look++;
            clocks_read(loop);
        } else {
            turns_without_look = 0;
            timer_is_due = look(loop);
        }
        turn(loop, timer_is_due);
    }
    return !loop->failed;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    /* What still ends is nobody's any more. */
    loop->performing = true;
    net_free(loop->net);
    loop->net = NULL;
    disk_free(loop->disk);
    for (uint32_t i = 0; i < loop->queue.count; i++)
        free((void *)(uintptr_t)loop->queue.items[i].entries);
    free(loop->queue.items);
    effects_free(&loop->effects);
    if (loop->signals >= 0)
        close(loop->signals);
    free(loop);
}
