/* SPDX-License-Identifier: Apache-2.0 */
/* The loop around a small core that writes down what it receives, then sends it back. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/loop.h"
#include "core/io.h"
#include "core/wire/error.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define TEXT_BYTES_MAX 64

static struct {
    struct heap heap;
    struct memory memory;
    struct io io;
    struct logger logger;
    struct loop *loop;
    char folder[64];
    char trace[8192]; /* what entered the core: a word for each event, a line for each turn */
    size_t trace_length;
    int steps;

    struct op listen;
    struct op open;
    struct op list;
    struct op watch;
    struct op receive;
    struct op write;
    struct op sync;
    struct op send;
    struct op close;
    struct timer timer;
    struct turn_task answer;
    uint64_t connection;
    uint64_t file;
    uint8_t text[TEXT_BYTES_MAX];
    struct piece piece;
    bool written;
    bool ready_asked;
    bool fails;                 /* ends with a failure */
    bool never_stops;           /* ignores EVENT_STOP */
    uint64_t timer_us;          /* when it rang */
    uint64_t accepted_timer_us; /* after an accept: set the timer to so much later; 0: not */
    int told; /* gets a byte when the core is ready, and when it is to stop; 0: none */
    void (*client)(uint16_t port);
    pid_t client_pid;
} core;

__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(core.trace + core.trace_length,
                                 sizeof(core.trace) - core.trace_length, format, arguments);
    va_end(arguments);
    core.trace_length += (size_t)length;
    ck_assert_uint_lt(core.trace_length, sizeof(core.trace));
}

static void note(struct op *op, const struct completion *completion, const char *name)
{
    (void)op;
    trace(completion->error == ERR_NONE ? "%s " : "%s! ", name);
}

static void watched(struct op *op, const struct completion *completion);

static void closed(struct op *op, const struct completion *completion)
{
    note(op, completion, "closed");
}

static void sent(struct op *op, const struct completion *completion)
{
    note(op, completion, "sent");
    io_watch(&core.io, &core.watch, watched, core.connection);
}

static void written(struct op *op, const struct completion *completion)
{
    note(op, completion, "written");
    ck_assert_uint_eq(completion->count, core.piece.length);
    io_send(&core.io, &core.send, sent, core.connection, &core.piece, 1);
}

/* At the turn's end, as a broker gathers what a turn brought. */
static void answer(struct turn_task *task)
{
    (void)task;
    io_write(&core.io, &core.write, written, core.file, 0, &core.piece, 1);
}

static void received(struct op *op, const struct completion *completion)
{
    note(op, completion, "received");
    if (completion->error != ERR_NONE) {
        io_close(&core.io, &core.close, closed, core.connection);
        return;
    }
    core.piece = (struct piece){.data = core.text, .length = completion->count};
    io_at_turn_end(&core.io, &core.answer, answer);
}

static void watched(struct op *op, const struct completion *completion)
{
    note(op, completion, "watched");
    if (completion->error == ERR_NONE)
        io_receive(&core.io, &core.receive, received, core.connection, core.text, TEXT_BYTES_MAX);
}

static void listening(struct op *op, const struct completion *completion)
{
    note(op, completion, "listening");
    ck_assert_uint_eq(completion->count, loop_port(core.loop, 2));
    effects_add(core.io.effects, EFFECT_READY);
}

static void listed(struct op *op, const struct completion *completion)
{
    note(op, completion, "listed");
    ck_assert_uint_eq(completion->entries_count, 2);
    ck_assert(span_equal(completion->entries[1].name, SPAN("file")));
    io_listen(&core.io, &core.listen, listening, 2, SPAN("127.0.0.1"), 0);
}

static void synced(struct op *op, const struct completion *completion)
{
    note(op, completion, "synced");
    io_list(&core.io, &core.list, listed, 0, SPAN_NULL);
}

static void opened(struct op *op, const struct completion *completion)
{
    note(op, completion, "opened");
    io_sync(&core.io, &core.sync, synced, core.file);
}

static void rang(struct timer *timer)
{
    (void)timer;
    trace("rang ");
    core.timer_us = core.io.now_us;
}

static void tell(void)
{
    if (core.told != 0)
        ck_assert_int_eq(write(core.told, "x", 1), 1);
}

static void stopped(void)
{
    struct effect *effect = effects_add(core.io.effects, EFFECT_STOPPED);
    effect->log.failed = core.fails;
    effect->log.text = SPAN("the end");
}

static void start(const struct event *event)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < START_ENTROPY_BYTES; i++)
        sum |= event->start.entropy[i];
    ck_assert_uint_ne(sum, 0);
    trace("start ");
    core.file = io_new_file(&core.io);
    io_open(&core.io, &core.open, opened, core.file, OPEN_CREATE_NEW, 0, SPAN("file"));
}

static void step(void *context, const struct event *event, struct effects *effects)
{
    ck_assert_ptr_eq(context, &core);
    ck_assert_uint_ge(event->mono_us, core.io.now_us);
    core.steps++;
    core.io.effects = effects;
    core.io.now_us = event->mono_us;
    core.io.wall_ms = event->wall_ms;
    switch (event->kind) {
    case EVENT_START:
        start(event);
        break;
    case EVENT_ACCEPTED:
        trace("accepted ");
        ck_assert_uint_eq(event->accepted.listener, 2);
        core.connection = event->accepted.connection;
        io_watch(&core.io, &core.watch, watched, core.connection);
        if (core.accepted_timer_us != 0)
            timer_set(&core.io.timers, &core.timer, event->mono_us + core.accepted_timer_us, rang);
        break;
    case EVENT_COMPLETED:
        io_complete(&core.io, &event->completed);
        break;
    case EVENT_TIMER:
        timers_run(&core.io.timers, event->mono_us);
        break;
    case EVENT_STOP:
        trace("stop ");
        tell();
        if (!core.never_stops)
            stopped();
        break;
    case EVENT_TURN_END:
        trace("\n");
        io_run_turn_tasks(&core.io);
        effects_add(effects, EFFECT_TIMER)->due_us = timers_next_us(&core.io.timers);
        break;
    }
}

/* The clients run in a child process, as soon as the core is ready. */
static void on_ready(void *context, const struct loop *loop)
{
    ck_assert_ptr_eq(context, &core);
    trace("ready ");
    tell();
    const uint16_t port = loop_port(loop, 2);
    ck_assert_uint_gt(port, 0);
    if (core.client == NULL)
        return;
    core.client_pid = fork();
    ck_assert_int_ge(core.client_pid, 0);
    if (core.client_pid == 0) {
        core.client(port);
        _exit(0);
    }
}

static void loop_make(void)
{
    const struct loop_options options = {
        .step = step,
        .core = &core,
        .memory = &core.memory,
        .logger = &core.logger,
        .ready = on_ready,
        .context = &core,
    };
    core.loop = loop_new(&options);
    ck_assert_ptr_nonnull(core.loop);
    char reason[256];
    ck_assert_int_eq(disk_add_folder(loop_disk(core.loop), core.folder, reason, sizeof(reason)), 0);
}

static void loop_start(void)
{
    snprintf(core.folder, sizeof(core.folder), "/tmp/chronik-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(core.folder));
    heap_memory(&core.heap, &core.memory);
    io_init(&core.io, &core.memory, NULL);
    list_init(&core.answer.place);
    logger_init(&core.logger, STDERR_FILENO, SPAN("error"));
    loop_make();
}

static void loop_end(void)
{
    loop_free(core.loop);
    io_free(&core.io);
    ck_assert_uint_eq(core.memory.used_bytes[MEMORY_STATE], 0);
    char path[128];
    snprintf(path, sizeof(path), "%s/file", core.folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/.lock", core.folder);
    unlink(path);
    ck_assert_int_eq(rmdir(core.folder), 0);
}

static int client_connect(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        _exit(1);
    /* So that the loop has accepted before it hears more. */
    usleep(20000);
    return fd;
}

static void client_talk(int fd, const char *text)
{
    char back[TEXT_BYTES_MAX];
    const size_t length = strlen(text);
    if (write(fd, text, length) != (ssize_t)length ||
        read(fd, back, sizeof(back)) != (ssize_t)length || memcmp(back, text, length) != 0)
        _exit(2);
    usleep(20000);
}

static void talk_and_leave(uint16_t port)
{
    const int fd = client_connect(port);
    client_talk(fd, "one");
    client_talk(fd, "two");
    close(fd);
    usleep(300000);
    kill(getppid(), SIGTERM);
}

static void assert_client_was_content(void)
{
    int status;
    ck_assert_int_eq(waitpid(core.client_pid, &status, 0), core.client_pid);
    ck_assert_int_eq(status, 0);
}

START_TEST(a_request_is_answered_in_one_chain_of_turns)
{
    core.client = talk_and_leave;
    ck_assert(loop_run(core.loop));
    assert_client_was_content();
    ck_assert_str_eq(core.trace, "start opened \n"
                                 "synced listed \n"
                                 "listening ready \n"
                                 "accepted \n"
                                 "watched received \n"
                                 "written sent \n"
                                 "watched received \n"
                                 "written sent \n"
                                 "watched received! \n"
                                 "closed \n"
                                 "stop ");
}
END_TEST

static void stop_at_once(uint16_t port)
{
    (void)port;
    kill(getppid(), SIGINT);
}

START_TEST(a_failure_is_told_to_the_caller)
{
    core.client = stop_at_once;
    core.fails = true;
    core.logger.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ck_assert(!loop_run(core.loop));
    close(core.logger.fd);
    assert_client_was_content();
}
END_TEST

static void stop_later(uint16_t port)
{
    (void)port;
    usleep(400000);
    kill(getppid(), SIGTERM);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

START_TEST(a_timer_rings_once_and_in_time)
{
    core.client = stop_later;
    const uint64_t due_us = now_us() + 50000;
    timer_set(&core.io.timers, &core.timer, due_us, rang);
    ck_assert(loop_run(core.loop));
    assert_client_was_content();
    ck_assert_uint_ge(core.timer_us, due_us);
    const char *first = strstr(core.trace, "rang");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "rang"));
}
END_TEST

START_TEST(nothing_happens_while_nothing_happens)
{
    core.client = stop_later;
    ck_assert(loop_run(core.loop));
    assert_client_was_content();
    /* Start, open, sync, list, listen, stop, and at most as many ends of turns. */
    ck_assert_int_le(core.steps, 12);
}
END_TEST

static void send_to_the_stopped(uint16_t port)
{
    const int fd = client_connect(port);
    kill(getppid(), SIGSTOP);
    if (write(fd, "one", 3) != 3)
        _exit(1);
    usleep(1200000);
    kill(getppid(), SIGCONT);
    usleep(300000);
    close(fd);
    kill(getppid(), SIGTERM);
}

START_TEST(what_arrived_counts_before_what_is_overdue)
{
    core.client = send_to_the_stopped;
    core.accepted_timer_us = 1000000;
    ck_assert(loop_run(core.loop));
    assert_client_was_content();
    const char *told = strstr(core.trace, "rang");
    const char *heard = strstr(core.trace, "received");
    ck_assert_ptr_nonnull(told);
    ck_assert_ptr_nonnull(heard);
    ck_assert(heard < told);
}
END_TEST

START_TEST(a_second_signal_is_not_waited_for)
{
    core.never_stops = true;
    /* A loop belongs to the process that made it. */
    loop_free(core.loop);
    core.loop = NULL;
    int told[2];
    char byte;
    ck_assert_int_eq(pipe(told), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        core.told = told[1];
        loop_make();
        loop_run(core.loop);
        _exit(0);
    }
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
    ck_assert_int_eq(kill(child, SIGTERM), 0);
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert_int_eq(kill(child, SIGTERM), 0);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGTERM);
}
END_TEST

SUITE(loop)
{
    TCase *tcase = tcase_create("loop");
    tcase_add_checked_fixture(tcase, loop_start, loop_end);
    tcase_add_test(tcase, a_request_is_answered_in_one_chain_of_turns);
    tcase_add_test(tcase, a_failure_is_told_to_the_caller);
    tcase_add_test(tcase, a_timer_rings_once_and_in_time);
    tcase_add_test(tcase, nothing_happens_while_nothing_happens);
    tcase_add_test(tcase, what_arrived_counts_before_what_is_overdue);
    tcase_add_test(tcase, a_second_signal_is_not_waited_for);
    suite_add_tcase(suite, tcase);
}
