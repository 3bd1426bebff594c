/* SPDX-License-Identifier: Apache-2.0 */
/* Brokers in a world of memory that keep flight records, which are then replayed. */
#include "cli/recorder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/records/batch.h"
#include "core/records/builder.h"
#include "core/trace/header.h"
#include "core/wire/error.h"
#include "sim/replay.h"
#include "tests/support/client.h"
#include "tests/support/node.h"
#include "tests/support/runner.h"

#define PRODUCE_VERSION  9
#define METADATA_VERSION 9
#define VALUE_BYTES      200000

static char folder[] = "/tmp/chronik-recorder-XXXXXX";
static char path[64];
static char log_path[64];
static struct node node;
static struct recorder *recorder;
static struct logger logger;
static uint64_t events; /* that entered the core */
static struct replay replay;
static uint8_t *record; /* the file */
static size_t record_length;

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/record", folder);
    snprintf(log_path, sizeof(log_path), "%s/log", folder);
    logger_init(&logger, open(log_path, O_CREAT | O_RDWR, 0600), SPAN("info"));
}

static void tear_down(void)
{
    char command[128];
    recorder_free(recorder);
    free(record);
    close(logger.fd);
    for (const char *const *name = (const char *const[]){"record", "record.old", "log", NULL};
         *name != NULL; name++) {
        snprintf(command, sizeof(command), "%s/%s", folder, *name);
        unlink(command);
    }
    rmdir(folder);
}

static void step(void *core, const struct event *event, struct effects *effects)
{
    events++;
    broker_step(core, event, effects);
}

/* A broker in a world that records from its start. */
static bool start(uint64_t bytes_max)
{
    const struct broker_options options = {
        .allocator = world_allocator(node.world),
        .conf = &node.conf,
    };
    node.broker = broker_new(&options);
    const struct recorder_options recorder_options = {
        .path = span_text(path),
        .bytes_max = bytes_max,
        .conf = &node.conf,
        .logger = &logger,
        .step = step,
        .core = node.broker,
    };
    events = 0;
    recorder = recorder_new(&recorder_options);
    ck_assert_ptr_nonnull(recorder);
    world_boot(node.world, recorder_step, recorder, broker_memory(node.broker));
    world_run(node.world);
    return world_is_ready(node.world);
}

static void init(uint64_t seed)
{
    static const char *const settings[] = {"log.segment.bytes", "300000", "node.id", "3", NULL};
    node_init(&node, seed, settings);
    world_set_order(node.world, seed % 2 == 0 ? WORLD_SHUFFLED : WORLD_IN_ORDER);
}

/* One record of VALUE_BYTES to partition 0 of a topic, which is made by asking for it. */
static void produce(struct client *client)
{
    static uint8_t value[VALUE_BYTES];
    struct arena *arena = client_arena(client);
    struct metadata_request *metadata = client_request(client, API_METADATA);
    metadata->topics = arena_array(arena, 1, sizeof(*metadata->topics));
    metadata->topics_count = 1;
    metadata->topics[0].name = SPAN("told");
    client_call(client, API_METADATA, METADATA_VERSION, metadata);

    const size_t size =
        BATCH_HEADER_BYTES + batch_record_size(0, 0, SPAN_NULL, span_of(value, VALUE_BYTES));
    uint8_t *bytes = arena_take(arena, size);
    struct batch_builder builder;
    batch_builder_start(&builder, bytes, size, world_wall_ms(node.world), false);
    batch_builder_add(&builder, world_wall_ms(node.world), SPAN_NULL, span_of(value, VALUE_BYTES));
    struct produce_request *request = client_request(client, API_PRODUCE);
    request->acks = -1;
    request->timeout_ms = 30000;
    request->topic_data = arena_array(arena, 1, sizeof(*request->topic_data));
    request->topic_data_count = 1;
    request->topic_data[0].name = SPAN("told");
    request->topic_data[0].partition_data =
        arena_array(arena, 1, sizeof(*request->topic_data[0].partition_data));
    request->topic_data[0].partition_data_count = 1;
    request->topic_data[0].partition_data[0].records =
        span_of(bytes, batch_builder_finish(&builder));
    const struct produce_response *response =
        client_call(client, API_PRODUCE, PRODUCE_VERSION, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses[0].partition_responses[0].error_code, ERR_NONE);
}

/* What clients do: records, time that passes, bytes that are no request. */
static void work(void)
{
    struct client *client = client_new(node.world);
    struct client *hostile = client_new(node.world);
    for (int i = 0; i < 4; i++) {
        produce(client);
        world_advance_ms(node.world, 70);
    }
    client_send_raw(hostile, SPAN("\xff\xff\xff\xff\xff\xff\xff"));
    world_run(node.world);
    ck_assert(client_is_closed(hostile));
    client_free(hostile);
    client_free(client);
}

static void stop(void)
{
    world_stop(node.world);
    world_run(node.world);
    recorder_free(recorder);
    recorder = NULL;
    broker_free(node.broker);
    node.broker = NULL;
    world_exit(node.world);
}

static void read_record(void)
{
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    struct stat status;
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    record_length = (size_t)status.st_size;
    free(record);
    record = malloc(record_length);
    ck_assert_uint_eq(fread(record, 1, record_length, file), record_length);
    fclose(file);
}

static void count_difference(void *context, const char *text)
{
    ck_assert_str_ne(text, "");
    ++*(uint64_t *)context;
}

static enum replay_result replay_bytes(size_t length)
{
    const struct replay_options options = {0};
    const enum replay_result result = replay_record(span_of(record, length), &options, &replay);
    return result;
}

static bool logged(const char *part)
{
    static char text[4096];
    const ssize_t length = pread(logger.fd, text, sizeof(text) - 1, 0);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    return strstr(text, part) != NULL;
}

START_TEST(a_run_is_replayed_to_the_same_digest)
{
    init((uint64_t)_i);
    ck_assert(start(UINT64_MAX));
    work();
    stop();
    read_record();
    ck_assert_uint_gt(record_length, 4 * VALUE_BYTES);
    ck_assert_msg(replay_bytes(record_length) == REPLAY_SAME, "%s", replay.text);
    ck_assert_uint_eq(replay.events, events);
    ck_assert_int_eq(replay.ending, TRACE_ENDING_STOPPED);
    ck_assert_uint_eq(replay.torn_bytes, 0);
    ck_assert(span_equal(replay.program, SPAN(CHRONIK_VERSION)));
    /* The same file, and the second life of the broker with files that are there. */
    ck_assert(start(UINT64_MAX));
    work();
    stop();
    read_record();
    ck_assert_msg(replay_bytes(record_length) == REPLAY_SAME, "%s", replay.text);
    ck_assert_uint_eq(replay.events, events);
    node_free(&node);
    char old[80];
    snprintf(old, sizeof(old), "%s.old", path);
    ck_assert_int_eq(access(old, F_OK), 0);
}
END_TEST

START_TEST(it_ends_at_its_limit_and_says_so)
{
    init(1);
    ck_assert(start(500000));
    work();
    ck_assert(logged("chronik.record.bytes.max"));
    stop();
    read_record();
    ck_assert_uint_le(record_length, 500000);
    ck_assert_msg(replay_bytes(record_length) == REPLAY_SAME, "%s", replay.text);
    ck_assert_int_eq(replay.ending, TRACE_ENDING_LIMIT);
    ck_assert_uint_gt(replay.events, 0);
    ck_assert_uint_lt(replay.events, events);
    node_free(&node);
}
END_TEST

/* The system refuses a file beyond this size, as it does on a full disk. */
START_TEST(it_ends_when_it_cannot_be_written_and_says_so)
{
    const struct rlimit limit = {300000, 300000};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    init(1);
    ck_assert(start(UINT64_MAX));
    work();
    ck_assert(logged("cannot be written"));
    stop();
    read_record();
    ck_assert_msg(replay_bytes(record_length) == REPLAY_SAME, "%s", replay.text);
    ck_assert_int_eq(replay.ending, TRACE_ENDING_NONE);
    ck_assert_uint_eq(replay.torn_bytes, 0);
    ck_assert_uint_gt(replay.events, 0);
    node_free(&node);
}
END_TEST

/* A core that finds its own reasoning wrong in its last step: what led there is in the record. */
static void step_and_abort(void *core, const struct event *event, struct effects *effects)
{
    (void)core;
    (void)event;
    (void)effects;
    abort();
}

START_TEST(a_fault_of_the_process_is_in_the_record)
{
    init(1);
    const pid_t child = fork();
    if (child == 0) {
        const struct recorder_options options = {
            .path = span_text(path),
            .bytes_max = UINT64_MAX,
            .conf = &node.conf,
            .logger = &logger,
            .step = step_and_abort,
        };
        struct effects effects = {0};
        recorder_step(recorder_new(&options), &(struct event){.kind = EVENT_START}, &effects);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    read_record();
    ck_assert_msg(replay_bytes(record_length) == REPLAY_SAME, "%s", replay.text);
    ck_assert_uint_eq(replay.events, 1);
    ck_assert_int_eq(replay.ending, TRACE_ENDING_NONE);
    node_free(&node);
}
END_TEST

START_TEST(a_record_is_good_up_to_where_it_is_cut)
{
    init(2);
    ck_assert(start(UINT64_MAX));
    work();
    stop();
    read_record();
    uint64_t before = 0;
    ck_assert_int_eq(replay_bytes(0), REPLAY_REFUSED);
    ck_assert_int_eq(replay_bytes(10), REPLAY_REFUSED);
    for (size_t cut = 4000; cut < record_length; cut += 9973) {
        ck_assert_msg(replay_bytes(cut) == REPLAY_SAME, "%s", replay.text);
        ck_assert_uint_ge(replay.events, before);
        ck_assert_uint_gt(replay.torn_bytes, 0);
        ck_assert_int_eq(replay.ending, TRACE_ENDING_NONE);
        before = replay.events;
    }
    ck_assert_uint_gt(before, 0);
    node_free(&node);
}
END_TEST

/* Changes a text in the record, and makes the checksum of its chunk right again. */
static void alter(const char *text)
{
    struct trace_header header;
    struct span rest = span_of(record, record_length);
    struct span items;
    ck_assert_ptr_null(trace_header_read(&rest, &header));
    while (trace_chunk_read(&rest, &items)) {
        const uint8_t *found = memmem(items.data, items.length, text, strlen(text));
        if (found == NULL)
            continue;
        record[found - record] ^= 1;
        trace_chunk_head(record + (items.data - record) - TRACE_CHUNK_HEAD_BYTES, items, SPAN_NULL);
        return;
    }
    ck_abort_msg("%s is not in the record", text);
}

START_TEST(the_first_difference_is_named)
{
    init(1);
    ck_assert(start(UINT64_MAX));
    work();
    stop();
    read_record();
    alter("told");
    ck_assert_int_eq(replay_bytes(record_length), REPLAY_DIVERGED);
    ck_assert_msg(strstr(replay.text, "event ") == replay.text, "%s", replay.text);
    ck_assert_msg(strstr(replay.text, ", completed of receive at 0.000") != NULL, "%s",
                  replay.text);
    ck_assert_msg(strstr(replay.text, "as many as when it was recorded, with other contents"), "%s",
                  replay.text);
    ck_assert_uint_lt(replay.events, events);
    node_free(&node);
}
END_TEST

/* What an event brings is part of the digest: one that is changed where it matters to nothing else
 * is the only difference. */
START_TEST(every_difference_is_counted)
{
    uint64_t told = 0;
    const struct replay_options options = {.differs = count_difference, .context = &told};
    init(1);
    ck_assert(start(UINT64_MAX));
    work();
    stop();
    read_record();
    ck_assert_int_eq(replay_record(span_of(record, record_length), &options, &replay), REPLAY_SAME);
    ck_assert_uint_eq(told, 0);
    alter("127.0.0.1");
    ck_assert_int_eq(replay_record(span_of(record, record_length), &options, &replay),
                     REPLAY_DIVERGED);
    ck_assert_uint_eq(told, replay.differences);
    ck_assert_uint_eq(told, 1);
    ck_assert_uint_eq(replay.events, events);
    ck_assert_int_eq(replay.ending, TRACE_ENDING_STOPPED);
    node_free(&node);
}
END_TEST

SUITE(recorder)
{
    TCase *tcase = tcase_create("recorder");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_run_is_replayed_to_the_same_digest, 0, 8);
    tcase_add_test(tcase, it_ends_at_its_limit_and_says_so);
    tcase_add_test(tcase, it_ends_when_it_cannot_be_written_and_says_so);
    tcase_add_test(tcase, a_fault_of_the_process_is_in_the_record);
    tcase_add_test(tcase, a_record_is_good_up_to_where_it_is_cut);
    tcase_add_test(tcase, the_first_difference_is_named);
    tcase_add_test(tcase, every_difference_is_counted);
    suite_add_tcase(suite, tcase);
}
