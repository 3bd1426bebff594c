/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/base/endian.h"
#include "sim/memory.h"
#include "sim/peer.h"
#include "sim/replay_messages.h"
#include "tests/support/runner.h"

#define CONNECTION    9
#define FRAME_BYTES   4096
#define RECORDS_BYTES 100

static struct sim sim;
static struct host host;
static struct replay_messages *messages;
static uint64_t last_effect;
static char told[400]; /* "1>Metadata 2<Metadata": numbers, requests, replies, "x" what was lost */
static size_t told_length;
static bool has_records; /* the last Fetch's, in memory */

static void on_message(void *context, const struct sim *world, const char *what,
                       const struct exchange *exchange, uint64_t number, uint64_t cause)
{
    (void)context;
    (void)world;
    const char mark = strcmp(what, "request") == 0 ? '>' : strcmp(what, "reply") == 0 ? '<' : 'x';
    ck_assert_uint_lt(cause, number);
    ck_assert_uint_eq(exchange->client, CONNECTION);
    told_length += (size_t)snprintf(told + told_length, sizeof(told) - told_length, "%s%llu%c%s",
                                    told_length == 0 ? "" : " ", (unsigned long long)number, mark,
                                    exchange->api->name);
    ck_assert_uint_lt(told_length, sizeof(told));
    if (mark != '<' || exchange->api->key != API_FETCH)
        return;
    const struct fetch_response *fetched = exchange->response;
    ck_assert_int_eq(fetched->responses_count, 1);
    ck_assert_uint_eq(fetched->responses[0].partitions[0].records.length, RECORDS_BYTES);
    has_records = fetched->responses[0].partitions[0].records.data != NULL;
}

static const struct sim_sink sink = {.message = on_message};

static void set_up(void)
{
    sim = (struct sim){.sink = &sink};
    host = (struct host){.number = 1};
    told_length = 0;
    told[0] = '\0';
    last_effect = 0;
    messages = replay_messages_new(&sim, &host);
}

static void tear_down(void)
{
    replay_messages_free(messages);
}

/* Bytes that the broker receives. */
static void receive(const uint8_t *data, size_t length)
{
    const struct effect effect = {.kind = EFFECT_RECEIVE,
                                  .id = ++last_effect,
                                  .receive = {.connection = CONNECTION, .length = length}};
    replay_messages_effect(messages, &effect, sim.trace_number);
    replay_messages_completed(messages, last_effect, span_of(data, length), sim.trace_number);
}

/* Pieces that it sends. */
static void send(const struct piece *pieces, uint32_t count)
{
    const struct effect effect = {
        .kind = EFFECT_SEND,
        .id = ++last_effect,
        .send = {.connection = CONNECTION, .pieces = pieces, .pieces_count = count}};
    replay_messages_effect(messages, &effect, sim.trace_number);
}

static void close_connection(void)
{
    const struct effect effect = {.kind = EFFECT_CLOSE, .connection = CONNECTION};
    replay_messages_effect(messages, &effect, sim.trace_number);
}

/* A request or a reply with its size in front; returns its length. Correlation ids are versions. */
static size_t frame(uint8_t bytes[static FRAME_BYTES], int16_t api_key, int16_t version,
                    const void *request, const void *response)
{
    const struct wire_api *api = wire_api_find(api_key);
    const struct request_header asks = {.request_api_key = api_key,
                                        .request_api_version = version,
                                        .correlation_id = version,
                                        .client_id = SPAN("c")};
    const struct response_header answers = {.correlation_id = version};
    struct wire_writer writer = {.data = bytes + 4, .capacity = FRAME_BYTES - 4};
    if (request != NULL) {
        wire_encode(&wire_request_header, wire_request_header_version(api, version), &asks,
                    &writer);
        wire_encode(api->request, version, request, &writer);
    } else {
        wire_encode(&wire_response_header, wire_response_header_version(api, version), &answers,
                    &writer);
        wire_encode(api->response, version, response, &writer);
    }
    ck_assert_uint_le(writer.length, FRAME_BYTES - 4);
    put_be32(bytes, (uint32_t)writer.length);
    return writer.length + 4;
}

static size_t metadata_request(uint8_t bytes[static FRAME_BYTES], int16_t version)
{
    struct metadata_request request;
    wire_defaults(&wire_metadata_request, &request);
    return frame(bytes, API_METADATA, version, &request, NULL);
}

static size_t metadata_reply(uint8_t bytes[static FRAME_BYTES], int16_t version)
{
    struct metadata_response response;
    wire_defaults(&wire_metadata_response, &response);
    return frame(bytes, API_METADATA, version, NULL, &response);
}

START_TEST(wherever_bytes_are_cut)
{
    uint8_t asked[2 * FRAME_BYTES];
    uint8_t answered[2 * FRAME_BYTES];
    size_t asked_length = metadata_request(asked, 9);
    asked_length += metadata_request(asked + asked_length, 8);
    size_t answered_length = metadata_reply(answered, 9);
    answered_length += metadata_reply(answered + answered_length, 8);
    const size_t cut = (size_t)_i % asked_length;
    receive(asked, cut);
    receive(asked + cut, asked_length - cut);
    const size_t sent = (size_t)_i % answered_length;
    send(&(struct piece){.data = answered, .length = sent}, 1);
    send(&(struct piece){.data = answered + sent, .length = answered_length - sent}, 1);
    ck_assert_str_eq(told, "1>Metadata 2>Metadata 3<Metadata 4<Metadata");
    close_connection();
    ck_assert_uint_eq(sim.trace_number, 4);
}
END_TEST

/* The record does not have what a broker sent straight from a file. */
START_TEST(records_that_came_from_a_file)
{
    static const uint8_t zeros[RECORDS_BYTES];
    uint8_t bytes[FRAME_BYTES];
    struct fetch_request request;
    struct fetch_response response;
    struct fetch_response_response topic;
    struct fetch_response_response_partition partition;
    wire_defaults(&wire_fetch_request, &request);
    receive(bytes, frame(bytes, API_FETCH, 4, &request, NULL));
    wire_defaults(&wire_fetch_response, &response);
    topic = wire_default_fetch_response_response;
    partition = wire_default_fetch_response_response_partition;
    partition.records = span_of(zeros, RECORDS_BYTES);
    topic.topic = SPAN("orders");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    response.responses = &topic;
    response.responses_count = 1;
    const size_t length = frame(bytes, API_FETCH, 4, NULL, &response);
    if (_i == 0) {
        send(&(struct piece){.data = bytes, .length = length}, 1);
    } else {
        const struct piece pieces[] = {{.data = bytes, .length = length - RECORDS_BYTES},
                                       {.length = RECORDS_BYTES, .file = 3, .offset = 70}};
        send(pieces, 2);
    }
    ck_assert_str_eq(told, "1>Fetch 2<Fetch");
    ck_assert(has_records == (_i == 0));
}
END_TEST

START_TEST(no_reply_is_awaited_with_acks_0)
{
    uint8_t bytes[FRAME_BYTES];
    struct produce_request request;
    wire_defaults(&wire_produce_request, &request);
    request.acks = 0;
    receive(bytes, frame(bytes, API_PRODUCE, 8, &request, NULL));
    receive(bytes, metadata_request(bytes, 9));
    send(&(struct piece){.data = bytes, .length = metadata_reply(bytes, 9)}, 1);
    ck_assert_str_eq(told, "1>Produce 2>Metadata 3<Metadata");
}
END_TEST

START_TEST(what_is_not_answered_is_lost)
{
    uint8_t bytes[FRAME_BYTES];
    receive(bytes, metadata_request(bytes, 9));
    receive(bytes, metadata_request(bytes, 8));
    send(&(struct piece){.data = bytes, .length = metadata_reply(bytes, 9) - 1}, 1);
    close_connection();
    ck_assert_str_eq(told, "1>Metadata 2>Metadata 3xMetadata 4xMetadata");
}
END_TEST

/* KIP-511: it is answered with version 0, whatever the version. */
START_TEST(a_version_to_come_of_api_versions)
{
    uint8_t bytes[FRAME_BYTES] = {0, 0, 0, 12, 0, API_API_VERSIONS, 0, 99, 0, 0, 0, 0, 9, 9, 9, 9};
    struct api_versions_response response;
    receive(bytes, 16);
    wire_defaults(&wire_api_versions_response, &response);
    send(&(struct piece){.data = bytes,
                         .length = frame(bytes, API_API_VERSIONS, 0, NULL, &response)},
         1);
    ck_assert_str_eq(told, "1>ApiVersions 2<ApiVersions");
}
END_TEST

/* Nothing is told of who does not speak the protocol, and of what follows. */
START_TEST(hostile_bytes)
{
    static const uint8_t frames[][12] = {
        {0, 0, 0, 0},                               /* empty */
        {0, 0, 0, 7, 0, 3, 0, 9, 0, 0, 0},          /* no whole header */
        {0, 0, 0, 8, 0x7f, 0xff, 0, 0, 0, 0, 0, 0}, /* no API */
        {0, 0, 0, 8, 0, 3, 0, 99, 0, 0, 0, 0},      /* no version */
        {0, 0, 0, 8, 0, 3, 0, 9, 0, 0, 0, 0},       /* no body */
        {0xff, 0xff, 0xff, 0xff, 0, 3, 0, 9},       /* no end */
    };
    uint8_t bytes[FRAME_BYTES];
    receive(frames[_i], sizeof(frames[_i]));
    receive(bytes, metadata_request(bytes, 9));
    send(&(struct piece){.data = bytes, .length = metadata_reply(bytes, 9)}, 1);
    send(&(struct piece){.data = bytes, .length = metadata_reply(bytes, 9)}, 1);
    close_connection();
    ck_assert_str_eq(told, "");
}
END_TEST

/* Nor of what nodes say to one another, whatever it looks like. */
START_TEST(a_link_of_nodes)
{
    uint8_t bytes[FRAME_BYTES];
    replay_messages_link(messages, CONNECTION);
    receive(bytes, metadata_request(bytes, 9));
    send(&(struct piece){.data = bytes, .length = metadata_reply(bytes, 9)}, 1);
    close_connection();
    ck_assert_str_eq(told, "");
}
END_TEST

SUITE(replay_messages)
{
    TCase *tcase = tcase_create("replay_messages");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, wherever_bytes_are_cut, 0, 60);
    tcase_add_loop_test(tcase, records_that_came_from_a_file, 0, 2);
    tcase_add_test(tcase, no_reply_is_awaited_with_acks_0);
    tcase_add_test(tcase, what_is_not_answered_is_lost);
    tcase_add_test(tcase, a_version_to_come_of_api_versions);
    tcase_add_loop_test(tcase, hostile_bytes, 0, 6);
    tcase_add_test(tcase, a_link_of_nodes);
    suite_add_tcase(suite, tcase);
}
