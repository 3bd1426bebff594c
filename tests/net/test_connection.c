/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/wire/error.h"
#include "tests/net/rig.h"
#include "tests/support/runner.h"

static void assert_done(const struct completion *completion, int error, uint64_t count)
{
    ck_assert_int_eq(completion->error, error);
    ck_assert_uint_eq(completion->count, count);
}

static void client_send(int client, const char *text)
{
    ck_assert_int_eq(write(client, text, strlen(text)), (ssize_t)strlen(text));
}

/* Ends the client's side by a reset instead of an orderly end. */
static void client_reset(int client)
{
    const struct linger at_once = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close(client);
}

START_TEST(watch_waits_for_bytes)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    const uint64_t watch = rig_ask(watch_effect(connection));
    rig_look();
    ck_assert_ptr_null(rig_completion(watch));
    client_send(client, "hello");
    assert_done(rig_await(watch), ERR_NONE, 0);
    close(client);
}
END_TEST

START_TEST(watch_completes_at_once_when_something_is_there)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    client_send(client, "hello");
    rig_await_readable(connection);
    const uint64_t again = rig_ask(watch_effect(connection));
    ck_assert_ptr_nonnull(rig_completion(again));
    close(client);
}
END_TEST

START_TEST(watch_after_everything_was_received_waits)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    char data[16] = {0};
    for (int round = 0; round < 3; round++) {
        client_send(client, "hello");
        rig_await_readable(connection);
        faults.recv.calls = 0;
        assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_NONE, 5);
        ck_assert_str_eq(data, "hello");
        const uint64_t watch = rig_ask(watch_effect(connection));
        rig_look();
        ck_assert_ptr_null(rig_completion(watch));
        /* One receive for what arrived: less than there was room for says that it was all. */
        ck_assert_int_eq(faults.recv.calls, 1);
        client_send(client, "x");
        assert_done(rig_await(watch), ERR_NONE, 0);
        assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_NONE, 1);
    }
    close(client);
}
END_TEST

START_TEST(watch_completes_at_the_end)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    const uint64_t watch = rig_ask(watch_effect(connection));
    if (_i == 0)
        close(client);
    else
        client_reset(client);
    assert_done(rig_await(watch), ERR_NONE, 0);
    char data[16];
    assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_CLOSED, 0);
    /* The end stays the end. */
    rig_await_readable(connection);
    assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_CLOSED, 0);
}
END_TEST

START_TEST(receive_of_a_full_buffer_says_that_there_may_be_more)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    client_send(client, "0123456789");
    rig_await_readable(connection);
    char data[5];
    assert_done(rig_do(receive_effect(connection, data, 5)), ERR_NONE, 5);
    rig_await_readable(connection);
    assert_done(rig_do(receive_effect(connection, data, 5)), ERR_NONE, 5);
    /* Exactly full: only another look tells that this was all. */
    rig_await_readable(connection);
    assert_done(rig_do(receive_effect(connection, data, 5)), ERR_NONE, 0);
    const uint64_t watch = rig_ask(watch_effect(connection));
    rig_look();
    ck_assert_ptr_null(rig_completion(watch));
    close(client);
}
END_TEST

START_TEST(receive_without_a_watch_is_nothing_or_something)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    char data[5];
    assert_done(rig_do(receive_effect(connection, data, 5)), ERR_NONE, 0);
    client_send(client, "0123");
    usleep(10000);
    assert_done(rig_do(receive_effect(connection, data, 5)), ERR_NONE, 4);
    close(client);
}
END_TEST

START_TEST(bytes_before_the_end_are_received_first)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    client_send(client, "0123");
    close(client);
    usleep(10000);
    rig_await_readable(connection);
    char data[16];
    assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_NONE, 4);
    rig_await_readable(connection);
    assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_CLOSED, 0);
}
END_TEST

START_TEST(end_that_comes_after_the_bytes_is_noticed)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    client_send(client, "0123");
    rig_await_readable(connection);
    close(client);
    char data[16];
    assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_NONE, 4);
    rig_await_readable(connection);
    assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_CLOSED, 0);
}
END_TEST

static const struct {
    int error;
    int expected;
} receive_faults[] = {
    {EINTR, ERR_NONE},       {EAGAIN, ERR_NONE},         {ECONNRESET, ERR_CLOSED},
    {ETIMEDOUT, ERR_CLOSED}, {EHOSTUNREACH, ERR_CLOSED},
};

START_TEST(receive_that_fails)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    client_send(client, "0123");
    rig_await_readable(connection);
    faults.recv = (struct fault){.error_calls = 1, .error = receive_faults[_i].error};
    char data[16];
    const uint64_t count = receive_faults[_i].error == EINTR ? 4 : 0;
    assert_done(rig_do(receive_effect(connection, data, sizeof(data))), receive_faults[_i].expected,
                count);
    close(client);
}
END_TEST

START_TEST(close_ends_what_is_under_way_first)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    static const uint8_t data[16 * 1024 * 1024];
    const struct piece pieces[] = {{.data = data, .length = sizeof(data)}};
    const uint64_t watch = rig_ask(watch_effect(connection));
    const uint64_t send = rig_ask(send_effect(connection, pieces, 1));
    for (int i = 0; i < 10; i++)
        rig_look();
    ck_assert_ptr_null(rig_completion(send));
    const uint32_t before = rig.completions_count;
    const uint64_t closed = rig_ask(close_effect(connection));
    ck_assert_uint_eq(rig.completions_count, before + 3);
    ck_assert_int_eq(rig_completion(watch)->error, ERR_CLOSED);
    ck_assert_int_eq(rig_completion(send)->error, ERR_CLOSED);
    ck_assert_uint_lt(rig_completion(send)->count, sizeof(data));
    ck_assert_uint_eq(rig.completions[before + 2].effect, closed);
    assert_done(rig_completion(closed), ERR_NONE, 0);
    ck_assert_int_eq(faults.closes, 1);
    rig_look();
    ck_assert_uint_eq(rig.completions_count, before + 3);
    close(client);
}
END_TEST

START_TEST(close_lets_what_was_sent_arrive)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    const struct piece pieces[] = {{.data = (const uint8_t *)"bye", .length = 3}};
    assert_done(rig_do(send_effect(connection, pieces, 1)), ERR_NONE, 3);
    assert_done(rig_do(close_effect(connection)), ERR_NONE, 0);
    char data[16];
    ck_assert_int_eq(read(client, data, sizeof(data)), 3);
    ck_assert_int_eq(read(client, data, sizeof(data)), 0);
    close(client);
}
END_TEST

START_TEST(closed_connections_are_closed_for_every_effect)
{
    uint64_t connection;
    const int client = rig_connect(&connection);
    assert_done(rig_do(close_effect(connection)), ERR_NONE, 0);
    char data[16];
    const struct piece pieces[] = {{.data = (const uint8_t *)data, .length = 1}};
    assert_done(rig_do(watch_effect(connection)), ERR_CLOSED, 0);
    assert_done(rig_do(receive_effect(connection, data, sizeof(data))), ERR_CLOSED, 0);
    assert_done(rig_do(send_effect(connection, pieces, 1)), ERR_CLOSED, 0);
    assert_done(rig_do(close_effect(connection)), ERR_CLOSED, 0);
    assert_done(rig_do(watch_effect(0)), ERR_CLOSED, 0);
    assert_done(rig_do(watch_effect(UINT64_MAX)), ERR_CLOSED, 0);
    close(client);
}
END_TEST

START_TEST(ids_are_never_used_again)
{
    uint64_t before = 0;
    for (int i = 0; i < 200; i++) {
        uint64_t connection;
        const int client = rig_connect(&connection);
        ck_assert_uint_gt(connection, before);
        before = connection;
        rig_do(close_effect(connection));
        close(client);
    }
}
END_TEST

/* One client of many: what it sends comes back. */
struct echo {
    uint64_t watch;
    uint64_t receive;
    uint64_t send;
    char data[16];
    struct piece piece;
};

/* The smallest core: for each connection a watch, a receive, a send, a watch. */
static void echo_step(struct echo *echoes, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i < last; i++) {
        const struct completion completion = rig.completions[i];
        for (uint32_t c = 0; c < rig.connections_count; c++) {
            struct echo *echo = &echoes[c];
            const uint64_t connection = rig.connections[c];
            if (completion.effect == echo->watch) {
                echo->receive = rig_ask(receive_effect(connection, echo->data, sizeof(echo->data)));
            } else if (completion.effect == echo->receive && completion.count > 0) {
                echo->piece =
                    (struct piece){.data = (uint8_t *)echo->data, .length = completion.count};
                echo->send = rig_ask(send_effect(connection, &echo->piece, 1));
            } else if (completion.effect == echo->send) {
                echo->watch = rig_ask(watch_effect(connection));
            }
        }
    }
}

START_TEST(a_thousand_connections_are_answered)
{
    enum { CLIENTS = 1000 };
    static int clients[CLIENTS];
    static struct echo echoes[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        uint64_t connection;
        clients[i] = rig_connect(&connection);
        echoes[i].watch = rig_ask(watch_effect(connection));
    }
    for (int i = 0; i < CLIENTS; i++) {
        char text[16];
        snprintf(text, sizeof(text), "hello %d", i);
        client_send(clients[i], text);
    }
    faults.recv.calls = 0;
    faults.sendmsg.calls = 0;
    uint32_t stepped = rig.completions_count;
    while (faults.sendmsg.calls < CLIENTS) {
        net_wait(rig.net, 1000000);
        while (stepped < rig.completions_count) {
            const uint32_t last = rig.completions_count;
            echo_step(echoes, stepped, last);
            stepped = last;
        }
    }
    for (int i = 0; i < CLIENTS; i++) {
        char expected[16];
        char text[16] = {0};
        snprintf(expected, sizeof(expected), "hello %d", i);
        ck_assert_int_gt(read(clients[i], text, sizeof(text)), 0);
        ck_assert_str_eq(text, expected);
        close(clients[i]);
    }
    /* One receive and one send each. */
    ck_assert_int_eq(faults.recv.calls, CLIENTS);
    ck_assert_int_eq(faults.sendmsg.calls, CLIENTS);
}
END_TEST

SUITE(net_connection)
{
    TCase *tcase = tcase_create("connection");
    tcase_add_checked_fixture(tcase, rig_start, rig_end);
    tcase_add_test(tcase, watch_waits_for_bytes);
    tcase_add_test(tcase, watch_completes_at_once_when_something_is_there);
    tcase_add_test(tcase, watch_after_everything_was_received_waits);
    tcase_add_loop_test(tcase, watch_completes_at_the_end, 0, 2);
    tcase_add_test(tcase, receive_of_a_full_buffer_says_that_there_may_be_more);
    tcase_add_test(tcase, receive_without_a_watch_is_nothing_or_something);
    tcase_add_test(tcase, bytes_before_the_end_are_received_first);
    tcase_add_test(tcase, end_that_comes_after_the_bytes_is_noticed);
    tcase_add_loop_test(tcase, receive_that_fails, 0,
                        sizeof(receive_faults) / sizeof(receive_faults[0]));
    tcase_add_test(tcase, close_ends_what_is_under_way_first);
    tcase_add_test(tcase, close_lets_what_was_sent_arrive);
    tcase_add_test(tcase, closed_connections_are_closed_for_every_effect);
    tcase_add_test(tcase, ids_are_never_used_again);
    tcase_add_test(tcase, a_thousand_connections_are_answered);
    suite_add_tcase(suite, tcase);
}
