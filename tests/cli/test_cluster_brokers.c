/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_brokers.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/support/runner.h"

/* A broker in a process of its own. It tells of no stream, and of topic "t" page by page, where
 * page n has partition n and points at `cursors[n]`; then it goes. */
#define PAGES_MAX 8

static struct describe_topic_partitions_response_next_cursor cursors[PAGES_MAX];
static int pages;
static pid_t broker;
static struct describe_cluster_response_broker told = {.broker_id = 1, .host = SPAN("127.0.0.1")};
static const struct describe_cluster_response cluster = {.brokers = &told, .brokers_count = 1};
static struct partition_view nothing;

static void answer(int socket, const uint8_t *request, const void *body)
{
    uint8_t bytes[512];
    const struct wire_api *api = wire_api_find((int16_t)get_be16(request));
    const int16_t version = (int16_t)get_be16(request + 2);
    const struct response_header header = {.correlation_id = (int32_t)get_be32(request + 4)};
    struct wire_writer writer = {.data = bytes, .capacity = sizeof(bytes), .length = 4};
    if (wire_encode(&wire_response_header, wire_response_header_version(api, version), &header,
                    &writer) != ERR_NONE ||
        wire_encode(api->response, version, body, &writer) != ERR_NONE)
        _exit(1);
    put_be32(bytes, (uint32_t)writer.length - 4);
    if (send(socket, bytes, writer.length, MSG_NOSIGNAL) < 0)
        _exit(1);
}

static void answer_versions(int socket, const uint8_t *request)
{
    struct api_versions_response_api_key apis[] = {{API_API_VERSIONS, 0, 3},
                                                   {API_DESCRIBE_CLUSTER, 0, 2},
                                                   {API_DESCRIBE_TOPIC_PARTITIONS, 0, 0}};
    const struct api_versions_response body = {.api_keys = apis, .api_keys_count = 3};
    answer(socket, request, &body);
}

static void answer_streams(int socket, const uint8_t *request)
{
    struct describe_cluster_response_stream none;
    struct describe_cluster_response body;
    wire_defaults(&wire_describe_cluster_response, &body);
    body.streams = &none;
    body.streams_count = 0;
    answer(socket, request, &body);
}

static void answer_page(int socket, const uint8_t *request, int page)
{
    struct describe_topic_partitions_response_topic_partition partition =
        wire_default_describe_topic_partitions_response_topic_partition;
    struct describe_topic_partitions_response_topic topic =
        wire_default_describe_topic_partitions_response_topic;
    struct describe_topic_partitions_response body;
    wire_defaults(&wire_describe_topic_partitions_response, &body);
    partition.partition_index = page;
    topic.name = SPAN("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    body.topics = &topic;
    body.topics_count = 1;
    body.next_cursor = span_is_null(cursors[page].topic_name) ? NULL : &cursors[page];
    answer(socket, request, &body);
}

static void serve(int listener)
{
    uint8_t prefix[4];
    uint8_t request[512];
    const int socket = accept(listener, NULL, NULL);
    int page = 0;
    while (recv(socket, prefix, 4, MSG_WAITALL) == 4) {
        const size_t length = get_be32(prefix);
        if (length > sizeof(request) ||
            recv(socket, request, length, MSG_WAITALL) != (ssize_t)length)
            _exit(1);
        const int key = get_be16(request);
        if (key == API_API_VERSIONS)
            answer_versions(socket, request);
        else if (key == API_DESCRIBE_CLUSTER)
            answer_streams(socket, request);
        else if (page < pages)
            answer_page(socket, request, page++);
        else
            break;
    }
    _exit(0);
}

static void add_page(struct span topic, int32_t partition)
{
    cursors[pages].topic_name = topic;
    cursors[pages++].partition_index = partition;
}

static void set_up(void)
{
    pages = 0;
}

/* What is said of the broker. */
static void expect_why(const char *why)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(any);
    struct cluster_view view = {.cluster = &cluster, .partitions = &nothing};
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&any, &length), 0);
    told.port = ntohs(any.sin_port);
    broker = fork();
    if (broker == 0)
        serve(listener);
    close(listener);
    struct cluster_brokers *brokers = cluster_brokers_reach(&cluster, 5000);
    ck_assert_ptr_nonnull(brokers);
    cluster_brokers_ask(brokers, &view);
    ck_assert_int_eq(view.answers_count, 1);
    ck_assert_pstr_eq(view.answers[0].why, why);
    cluster_brokers_free(brokers);
    waitpid(broker, NULL, 0);
}

START_TEST(pages_are_asked_to_the_last)
{
    add_page(SPAN("t"), 1);
    add_page(SPAN("t"), 2);
    add_page(SPAN("u"), 0);
    add_page(SPAN_NULL, 0);
    expect_why(NULL);
}
END_TEST

/* Whoever points at what was told would have the same told for ever. */
static const struct {
    struct span topic;
    int32_t partition;
} backwards[] = {{SPAN("t"), 1}, {SPAN("t"), 0}, {SPAN("s"), 9}};

START_TEST(pages_go_on_or_end)
{
    add_page(SPAN("t"), 1);
    add_page(backwards[_i].topic, backwards[_i].partition);
    add_page(SPAN_NULL, 0);
    expect_why("it begins a page that has no end");
}
END_TEST

/* A server that is none of ours may name as many as an answer has room for. */
START_TEST(there_is_an_end_of_brokers)
{
    static struct describe_cluster_response_broker many[CLUSTER_BROKERS_MAX + 2];
    const int32_t count = CLUSTER_BROKERS_MAX + 2;
    for (int32_t i = 0; i < count; i++) /* nobody listens there */
        many[i] = (struct describe_cluster_response_broker){i, SPAN("127.0.0.1"), 1, SPAN_NULL, 0};
    const struct describe_cluster_response all = {.brokers = many, .brokers_count = count};
    struct cluster_view view = {.cluster = &all, .partitions = &nothing};
    struct cluster_brokers *brokers = cluster_brokers_reach(&all, 5000);
    ck_assert_ptr_nonnull(brokers);
    cluster_brokers_ask(brokers, &view);
    ck_assert_int_eq(view.answers_count, count);
    for (int32_t i = 0; i < count; i++) {
        ck_assert_int_eq(view.answers[i].id, i);
        ck_assert_pstr_eq(view.answers[i].why, i < CLUSTER_BROKERS_MAX
                                                   ? "127.0.0.1:1: Connection refused"
                                                   : "there are too many to ask this one");
    }
    cluster_brokers_free(brokers);
}
END_TEST

SUITE(cluster_brokers)
{
    TCase *tcase = tcase_create("ask");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, pages_are_asked_to_the_last);
    tcase_add_loop_test(tcase, pages_go_on_or_end, 0,
                        (int)(sizeof(backwards) / sizeof(backwards[0])));
    tcase_add_test(tcase, there_is_an_end_of_brokers);
    suite_add_tcase(suite, tcase);
}
