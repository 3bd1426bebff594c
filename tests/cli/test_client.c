/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/support/runner.h"

/* A broker in a process of its own, that answers each request with the next of some frames. */
#define FRAMES_MAX 4

struct frame {
    uint8_t bytes[256];
    size_t length;
    bool silent; /* sends nothing, and waits for the client to go */
};

static struct frame frames[FRAMES_MAX];
static int frames_count;
static pid_t broker;
static char address[64];

static void read_request(int socket)
{
    uint8_t prefix[4];
    uint8_t body[512];
    if (recv(socket, prefix, 4, MSG_WAITALL) != 4)
        _exit(0);
    const size_t length = get_be32(prefix);
    if (length > sizeof(body) || recv(socket, body, length, MSG_WAITALL) != (ssize_t)length)
        _exit(1);
}

static void serve(int listener)
{
    const int socket = accept(listener, NULL, NULL);
    uint8_t byte;
    for (int i = 0; i < frames_count; i++) {
        read_request(socket);
        if (frames[i].silent && recv(socket, &byte, 1, 0) <= 0)
            _exit(0);
        if (send(socket, frames[i].bytes, frames[i].length, MSG_NOSIGNAL) < 0)
            _exit(1);
    }
    close(socket);
    _exit(0);
}

/* Starts the broker with the frames that there are. */
static void start(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(any);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&any, &length), 0);
    snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(any.sin_port));
    broker = fork();
    if (broker == 0)
        serve(listener);
    close(listener);
}

static void set_up(void)
{
    frames_count = 0;
    broker = -1;
}

static void tear_down(void)
{
    if (broker > 0)
        waitpid(broker, NULL, 0);
}

static struct frame *add_frame(void)
{
    frames[frames_count] = (struct frame){.length = 0};
    return &frames[frames_count++];
}

static void add_bytes(const void *bytes, size_t length)
{
    struct frame *frame = add_frame();
    memcpy(frame->bytes, bytes, length);
    frame->length = length;
}

/* An answer to the request with this number, in the form of this version. */
static void add_answer(int16_t key, int16_t version, int32_t number, const void *body)
{
    const struct wire_api *api = wire_api_find(key);
    const struct response_header header = {.correlation_id = number};
    struct frame *frame = add_frame();
    struct wire_writer writer = {
        .data = frame->bytes, .capacity = sizeof(frame->bytes), .length = 4};
    ck_assert_int_eq(wire_encode(&wire_response_header, wire_response_header_version(api, version),
                                 &header, &writer),
                     ERR_NONE);
    ck_assert_int_eq(wire_encode(api->response, version, body, &writer), ERR_NONE);
    put_be32(frame->bytes, (uint32_t)writer.length - 4);
    frame->length = writer.length;
}

static struct api_versions_response_api_key apis[] = {
    {API_API_VERSIONS, 0, 3}, {API_METADATA, 0, 5}, {API_CREATE_TOPICS, 90, 91}};

static void add_versions(int16_t version, int32_t number, int16_t error)
{
    const struct api_versions_response body = {
        .error_code = error, .api_keys = apis, .api_keys_count = 3};
    add_answer(API_API_VERSIONS, version, number, &body);
}

/* Asserts the last message but for the broker's address, which is "BROKER". */
static void ck_message(const struct client *client, const char *expected)
{
    char message[CLIENT_MESSAGE_BYTES];
    const char *at = strstr(client->message, address);
    ck_assert_ptr_nonnull(at);
    snprintf(message, sizeof(message), "%.*sBROKER%s", (int)(at - client->message), client->message,
             at + strlen(address));
    ck_assert_str_eq(message, expected);
}

#define HINT "\n\"chronik broker\" starts a broker here; --bootstrap-server HOST:PORT names another"

START_TEST(speaks_the_newest_version_that_both_know)
{
    struct client client;
    struct metadata_request request;
    struct metadata_response answer = {.controller_id = 7};
    struct metadata_response response;
    add_versions(4, 1, ERR_NONE);
    add_answer(API_METADATA, 5, 2, &answer);
    start();
    ck_assert_int_eq(client_open(&client, address, 5000), 0);
    ck_assert_str_eq(client.address, address);
    ck_assert_int_eq(client_version(&client, API_METADATA), 5);
    wire_defaults(&wire_metadata_request, &request);
    ck_assert_int_eq(client_call(&client, API_METADATA, &request, &response), 0);
    ck_assert_int_eq(response.controller_id, 7);
    ck_assert_int_eq(client_version(&client, API_CREATE_TOPICS), -1);
    ck_message(&client, "BROKER serves CreateTopics in versions 90 to 91, we know 2 to 7");
    ck_assert_int_eq(client_version(&client, API_DELETE_TOPICS), -1);
    ck_message(&client, "BROKER does not serve DeleteTopics");
    client_close(&client);
}
END_TEST

START_TEST(an_old_broker_is_asked_again_in_its_version)
{
    struct client client;
    add_versions(0, 1, ERR_UNSUPPORTED_VERSION);
    add_versions(3, 2, ERR_NONE);
    start();
    ck_assert_int_eq(client_open(&client, address, 5000), 0);
    ck_assert_int_eq(client_version(&client, API_METADATA), 5);
    client_close(&client);
}
END_TEST

START_TEST(the_first_server_that_answers_is_taken)
{
    struct client client;
    char servers[128];
    add_versions(4, 1, ERR_NONE);
    start();
    snprintf(servers, sizeof(servers), "127.0.0.1:1,%s,127.0.0.1:2", address);
    ck_assert_int_eq(client_open(&client, servers, 5000), 0);
    ck_assert_str_eq(client.address, address);
    client_close(&client);
}
END_TEST

/* Frames that are no answer to ApiVersions. */
static const struct {
    const char *bytes;
    size_t length;
    const char *message;
} wrong[] = {
    {"", 0, "BROKER closed the connection; is it a Kafka listener without TLS and login?" HINT},
    {"\0\0", 2, "BROKER closed the connection; is it a Kafka listener without TLS and login?" HINT},
    {"\0\0\0\x20\0\0\0\1", 8,
     "BROKER closed the connection; is it a Kafka listener without TLS and login?" HINT},
    {"HTTP/1.1 400 Bad Request\r\n", 26,
     "BROKER answers with something that is not Kafka's protocol" HINT},
    {"\0\0\0\0", 4, "BROKER answers with something that is not Kafka's protocol" HINT},
    {"\0\0\0\4\0\0\0\2", 8, "BROKER answers with something that is not Kafka's protocol" HINT},
    {"\0\0\0\6\0\0\0\1\0\0", 10,
     "BROKER answers ApiVersions with something else: the bytes are not a message of this kind and "
     "version" HINT},
    {"\0\0\0\x0a\0\0\0\1\xff\xff\0\0\0\0", 14,
     "BROKER: something went wrong in the broker that has no code of its own" HINT},
};

START_TEST(a_server_that_is_no_broker_is_said_to_be_none)
{
    struct client client;
    add_bytes(wrong[_i].bytes, wrong[_i].length);
    start();
    ck_assert_int_eq(client_open(&client, address, 5000), -1);
    ck_message(&client, wrong[_i].message);
    client_close(&client);
}
END_TEST

START_TEST(a_silent_server_is_given_up)
{
    struct client client;
    add_frame()->silent = true;
    start();
    ck_assert_int_eq(client_open(&client, address, 50), -1);
    ck_message(&client, "BROKER did not answer within 50 ms; --timeout allows more" HINT);
    client_close(&client);
}
END_TEST

static const struct {
    const char *servers;
    const char *message;
} addresses[] = {
    {"", HINT},
    {":9092", "':9092' is not of the form host:port" HINT},
    {"localhost:", "'localhost:' is not of the form host:port" HINT},
    {"localhost:http", "'localhost:http' is not of the form host:port" HINT},
    {"localhost:123456", "'localhost:123456' is not of the form host:port" HINT},
    {"[::1", "'[::1' is not of the form host:port" HINT},
    {"[::1]9092", "'[::1]9092' is not of the form host:port" HINT},
    {"127.0.0.1:1,[]:1",
     "127.0.0.1:1: Connection refused; '[]:1' is not of the form host:port" HINT},
};

START_TEST(a_wrong_address_is_refused)
{
    struct client client;
    ck_assert_int_eq(client_open(&client, addresses[_i].servers, 1000), -1);
    ck_assert_str_eq(client.message, addresses[_i].message);
    client_close(&client);
}
END_TEST

START_TEST(errors_are_sentences_with_mends)
{
    struct client client;
    client_open(&client, "", 1000);
    ck_assert_str_eq(
        client_error_text(&client, ERR_TOPIC_ALREADY_EXISTS, SPAN_NULL),
        "a topic of this name exists (TOPIC_ALREADY_EXISTS); --if-not-exists passes it "
        "over");
    ck_assert_str_eq(client_error_text(&client, ERR_INVALID_CONFIG, SPAN("No such key.")),
                     "No such key (INVALID_CONFIG)");
    ck_assert_str_eq(client_error_text(&client, ERR_INVALID_CONFIG, SPAN("No\033[2Jkey")),
                     "No?[2Jkey (INVALID_CONFIG)"); /* a terminal shows it */
    client_close(&client);
}
END_TEST

SUITE(client)
{
    TCase *tcase = tcase_create("client");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, speaks_the_newest_version_that_both_know);
    tcase_add_test(tcase, an_old_broker_is_asked_again_in_its_version);
    tcase_add_test(tcase, the_first_server_that_answers_is_taken);
    tcase_add_loop_test(tcase, a_server_that_is_no_broker_is_said_to_be_none, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tcase, a_silent_server_is_given_up);
    tcase_add_loop_test(tcase, a_wrong_address_is_refused, 0,
                        sizeof(addresses) / sizeof(addresses[0]));
    tcase_add_test(tcase, errors_are_sentences_with_mends);
    suite_add_tcase(suite, tcase);
}
