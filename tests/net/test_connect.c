/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that net makes: to numbers and names, refused, unanswered, without descriptors. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/wire/error.h"
#include "tests/net/rig.h"
#include "tests/support/runner.h"

#define BACKLOG_CONNECTS 4

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Connects to the rig's own listener, and sends a byte through. */
static void expect_connected(const char *host)
{
    const uint32_t before = rig.connections_count;
    const struct completion *done = rig_do(connect_effect(host, rig.port));
    ck_assert_int_eq(done->error, ERR_NONE);
    ck_assert_uint_ne(done->count, 0);
    while (rig.connections_count == before)
        rig_look();
    const uint64_t accepted = rig.connections[before];
    const struct piece piece = {.data = (const uint8_t *)"x", .length = 1};
    ck_assert_uint_eq(rig_do(send_effect(done->count, &piece, 1))->count, 1);
    rig_await_readable(accepted);
    char got = 0;
    ck_assert_uint_eq(rig_do(receive_effect(accepted, &got, 1))->count, 1);
    ck_assert_int_eq(got, 'x');
}

START_TEST(a_number_or_a_name)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        expect_connected(hosts[i]);
    ck_assert_uint_eq(rig.reports_count, 0);
}
END_TEST

/* No small message waits for the acknowledgement of the one before (RFC 896). */
START_TEST(connected_sends_at_once)
{
    int value = 0;
    socklen_t length = sizeof(value);
    expect_connected("127.0.0.1");
    ck_assert_int_eq(getsockopt(faults.last_connected, IPPROTO_TCP, TCP_NODELAY, &value, &length),
                     0);
    ck_assert_int_eq(value, 1);
}
END_TEST

/* The loop goes on while a name is looked up. */
START_TEST(a_name_does_not_keep_the_loop)
{
    const uint64_t named = rig_ask(connect_effect("localhost", rig.port));
    ck_assert_ptr_null(rig_completion(named));
    const uint64_t numbered = rig_ask(connect_effect("127.0.0.1", rig.port));
    ck_assert_int_eq(rig_await(numbered)->error, ERR_NONE);
    ck_assert_int_eq(rig_await(named)->error, ERR_NONE);
}
END_TEST

START_TEST(what_is_no_name)
{
    char long_name[300];
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    ck_assert_int_eq(rig_do(connect_effect("", rig.port))->error, ERR_NOT_FOUND);
    ck_assert_int_eq(rig_do(connect_effect(long_name, rig.port))->error, ERR_NOT_FOUND);
    struct effect zero = connect_effect("", rig.port);
    zero.connect.host = span_of("local\0host", 10);
    ck_assert_int_eq(rig_do(zero)->error, ERR_NOT_FOUND);
    ck_assert_int_eq(rig_do(connect_effect("no..such..host", rig.port))->error, ERR_NOT_FOUND);
    ck_assert_uint_eq(rig.reports_count, 1);
    ck_assert_ptr_nonnull(strstr(rig.report, "host=no..such..host error="));
}
END_TEST

/* A port where nobody listens, but which nobody else may take. */
static int take_port(uint16_t *ret_port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

START_TEST(refused)
{
    uint16_t port;
    const int fd = take_port(&port);
    ck_assert_int_eq(rig_do(connect_effect("127.0.0.1", port))->error, ERR_REFUSED);
    ck_assert_int_eq(rig_do(connect_effect("localhost", port))->error, ERR_REFUSED);
    close(fd);
}
END_TEST

/* A listener that answers nothing: its backlog is full, so SYNs are dropped. */
static struct deaf {
    int fd;
    uint16_t port;
    int waiting[BACKLOG_CONNECTS];
} deaf;

static void deafen(void)
{
    deaf.fd = take_port(&deaf.port);
    ck_assert_int_eq(listen(deaf.fd, 0), 0);
    for (size_t i = 0; i < BACKLOG_CONNECTS; i++) {
        const struct sockaddr_in address = {.sin_family = AF_INET,
                                            .sin_port = htons(deaf.port),
                                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
        deaf.waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(deaf.waiting[i], (const struct sockaddr *)&address, sizeof(address)) != 0)
            ck_assert_int_eq(errno, EINPROGRESS);
    }
}

static void hear(void)
{
    for (size_t i = 0; i < BACKLOG_CONNECTS; i++)
        close(deaf.waiting[i]);
    while (poll(&(struct pollfd){.fd = deaf.fd, .events = POLLIN}, 1, 0) == 1)
        close(accept(deaf.fd, NULL, NULL));
}

START_TEST(unanswered)
{
    deafen();
    const int closes = faults.closes;
    const uint64_t before_ms = now_ms();
    const uint64_t connect = rig_ask(connect_effect("127.0.0.1", deaf.port));
    while (rig_completion(connect) == NULL && now_ms() < before_ms + 20000)
        net_wait(rig.net, NET_FOREVER);
    ck_assert_ptr_nonnull(rig_completion(connect));
    ck_assert_int_eq(rig_completion(connect)->error, ERR_IO);
    ck_assert_int_eq(faults.closes - closes, faults.connect.calls);
    hear();
    close(deaf.fd);
}
END_TEST

/* The system would send the next SYN after a second, and the one behind it two seconds later. */
START_TEST(a_way_that_is_open_again_is_found_soon)
{
    enum { TRIES_IN_VAIN = 2 };
    deafen();
    const uint64_t connect = rig_ask(connect_effect("127.0.0.1", deaf.port));
    while (faults.connect.calls < TRIES_IN_VAIN) {
        net_wait(rig.net, NET_FOREVER);
        ck_assert_ptr_null(rig_completion(connect));
    }
    hear();
    ck_assert_int_eq(rig_await(connect)->error, ERR_NONE);
    ck_assert_int_gt(faults.connect.calls, TRIES_IN_VAIN);
    ck_assert_int_eq(rig_do(close_effect(rig_completion(connect)->count))->error, ERR_NONE);
    close(deaf.fd);
}
END_TEST

static const struct {
    int errno_of_socket;
    int errno_of_connect;
    int error;
} failures[] = {
    {EMFILE, 0, ERR_LIMIT},
    {ENFILE, 0, ERR_LIMIT},
    {ENOMEM, 0, ERR_IO},
    {0, ENETUNREACH, ERR_IO},
    {0, ECONNREFUSED, ERR_REFUSED},
    {0, EADDRNOTAVAIL, ERR_IO},
    {0, EINTR /* it goes on */, ERR_NONE},
};

START_TEST(what_the_system_refuses)
{
    const int closes = faults.closes;
    if (failures[_i].errno_of_socket != 0)
        faults.socket = (struct fault){.error_calls = 1, .error = failures[_i].errno_of_socket};
    else
        faults.connect = (struct fault){.error_calls = 1, .error = failures[_i].errno_of_connect};
    const struct completion *done = rig_do(connect_effect("127.0.0.1", rig.port));
    ck_assert_int_eq(done->error, failures[_i].error);
    const bool has_socket = failures[_i].errno_of_socket == 0 && done->error != ERR_NONE;
    ck_assert_int_eq(faults.closes - closes, has_socket);
    expect_connected("127.0.0.1");
}
END_TEST

/* The end of the world does not wait for the resolver, nor for connects. */
START_TEST(the_end_comes_at_any_time)
{
    rig_ask(connect_effect("localhost", rig.port));
    rig_ask(connect_effect("127.0.0.1", rig.port));
}
END_TEST

SUITE(net_connect)
{
    TCase *tcase = tcase_create("connect");
    tcase_add_checked_fixture(tcase, rig_start, rig_end);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_number_or_a_name);
    tcase_add_test(tcase, connected_sends_at_once);
    tcase_add_test(tcase, a_name_does_not_keep_the_loop);
    tcase_add_test(tcase, what_is_no_name);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, unanswered);
    tcase_add_test(tcase, a_way_that_is_open_again_is_found_soon);
    tcase_add_loop_test(tcase, what_the_system_refuses, 0, sizeof(failures) / sizeof(failures[0]));
    tcase_add_test(tcase, the_end_comes_at_any_time);
    suite_add_tcase(suite, tcase);
}
