/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/wire/error.h"
#include "net/address.h"
#include "tests/net/rig.h"
#include "tests/support/runner.h"

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

START_TEST(listen_tells_the_port_that_was_free)
{
    ck_assert_uint_gt(rig.port, 0);
    const int client = rig_connect(&(uint64_t){0});
    ck_assert_uint_eq(rig.listener, 3);
    close(client);
}
END_TEST

START_TEST(listen_keeps_a_port_that_is_given)
{
    /* A port that was free a moment ago. */
    const uint16_t port = (uint16_t)rig_do(listen_effect(4, "127.0.0.2", 0))->count;
    const struct completion *done = rig_do(listen_effect(5, "127.0.0.3", port));
    ck_assert_int_eq(done->error, ERR_NONE);
    ck_assert_uint_eq(done->count, port);
}
END_TEST

START_TEST(listen_where_somebody_listens)
{
    ck_assert_int_eq(rig_do(listen_effect(4, "127.0.0.1", rig.port))->error, ERR_EXISTS);
    ck_assert_uint_eq(rig.reports_count, 1);
    char expected[128];
    snprintf(expected, sizeof(expected),
             "listen failed host=127.0.0.1 port=%u error=Address already in use", rig.port);
    ck_assert_str_eq(rig.report, expected);
}
END_TEST

static const char *const strange_hosts[] = {"192.0.2.1", "256.1.1.1", "no-such-host.invalid"};

START_TEST(listen_on_an_address_that_is_not_ours)
{
    ck_assert_int_eq(rig_do(listen_effect(4, strange_hosts[_i], 0))->error, ERR_NOT_FOUND);
    ck_assert_uint_eq(rig.reports_count, 1);
    ck_assert_ptr_nonnull(strstr(rig.report, strange_hosts[_i]));
}
END_TEST

START_TEST(listen_refuses_names_that_are_none)
{
    char name[HOST_BYTES_MAX + 1];
    memset(name, 'a', sizeof(name));
    struct effect effect = listen_effect(4, "", 0);
    effect.listen.host = span_of(name, sizeof(name));
    ck_assert_int_eq(rig_do(effect)->error, ERR_NOT_FOUND);
    effect.listen.host = SPAN("a\0b");
    ck_assert_int_eq(rig_do(effect)->error, ERR_NOT_FOUND);
}
END_TEST

static const char *const ipv4_hosts[] = {"", "localhost", "0.0.0.0"};

/* A bare chroot has no /etc/hosts, and so no localhost. */
static bool machine_knows(const char *host)
{
    struct addrinfo *found;
    if (host[0] == '\0')
        return true;
    if (getaddrinfo(host, NULL, NULL, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

START_TEST(listen_reaches_ipv4)
{
    if (!machine_knows(ipv4_hosts[_i]))
        return;
    const struct completion *done = rig_do(listen_effect(4, ipv4_hosts[_i], 0));
    ck_assert_int_eq(done->error, ERR_NONE);
    const int client = rig_connect_port((uint16_t)done->count);
    while (rig.connections_count == 0)
        net_wait(rig.net, 1000000);
    ck_assert_uint_eq(rig.listener, 4);
    ck_assert_int_eq(strncmp(rig.peer, "127.0.0.1:", 10), 0);
    close(client);
}
END_TEST

static const char *const ipv6_hosts[] = {"", "::1", "::"};

START_TEST(listen_reaches_ipv6)
{
    const int client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    /* Without IPv6 on this machine there is nothing to reach. */
    if (client < 0 || bind(client, (struct sockaddr *)&address, sizeof(address)) != 0) {
        if (client >= 0)
            close(client);
        return;
    }
    const struct completion *done = rig_do(listen_effect(4, ipv6_hosts[_i], 0));
    ck_assert_int_eq(done->error, ERR_NONE);
    address.sin6_port = htons((uint16_t)done->count);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    while (rig.connections_count == 0)
        net_wait(rig.net, 1000000);
    ck_assert_int_eq(strncmp(rig.peer, "[::1]:", 6), 0);
    close(client);
}
END_TEST

START_TEST(accepted_names_the_peer)
{
    const int client = rig_connect(&(uint64_t){0});
    struct sockaddr_in own;
    socklen_t length = sizeof(own);
    ck_assert_int_eq(getsockname(client, (struct sockaddr *)&own, &length), 0);
    char expected[64];
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", ntohs(own.sin_port));
    ck_assert_str_eq(rig.peer, expected);
    close(client);
}
END_TEST

static const struct {
    int level;
    int option;
    int value;
} inherited[] = {
    {IPPROTO_TCP, TCP_NODELAY, 1},
    {SOL_SOCKET, SO_KEEPALIVE, 1},
    {SOL_SOCKET, SO_SNDBUF, 2 * RIG_SEND_BUFFER_BYTES}, /* as Linux counts it */
    {IPPROTO_TCP, TCP_KEEPINTVL, 15},
    {IPPROTO_TCP, TCP_KEEPCNT, 4},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, RIG_UNREAD_TIMEOUT_MS},
};

START_TEST(accepted_has_the_options_of_its_listener)
{
    const int client = rig_connect(&(uint64_t){0});
    int value = 0;
    socklen_t length = sizeof(value);
    ck_assert_int_eq(getsockopt(faults.last_accepted, inherited[_i].level, inherited[_i].option,
                                &value, &length),
                     0);
    ck_assert_int_eq(value, inherited[_i].value);
    close(client);
}
END_TEST

/* Or the kernel probes all that came at once in the same tick, drops most probes, and takes good
 * peers for vanished ones. */
START_TEST(peers_are_not_probed_all_at_once)
{
    enum { IDLE_S = 60, SPREAD_S = 120, CLIENTS = 3 * SPREAD_S };
    int clients[CLIENTS];
    int times[SPREAD_S] = {0};
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = rig_connect(&(uint64_t){0});
        int idle_s = 0;
        socklen_t length = sizeof(idle_s);
        ck_assert_int_eq(
            getsockopt(faults.last_accepted, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, &length), 0);
        ck_assert_int_ge(idle_s, IDLE_S);
        ck_assert_int_lt(idle_s, IDLE_S + SPREAD_S);
        times[idle_s - IDLE_S]++;
    }
    for (int i = 0; i < SPREAD_S; i++)
        ck_assert_int_eq(times[i], CLIENTS / SPREAD_S);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
}
END_TEST

START_TEST(accept_skips_connections_that_are_gone)
{
    faults.accept4 = (struct fault){.error_calls = 3, .error = ECONNABORTED};
    const int client = rig_connect(&(uint64_t){0});
    ck_assert_uint_eq(rig.connections_count, 1);
    ck_assert_uint_eq(rig.reports_count, 0);
    close(client);
}
END_TEST

static const int lacks[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};

START_TEST(accept_pauses_when_there_are_no_descriptors)
{
    faults.accept4 = (struct fault){.error_calls = 1000000, .error = lacks[_i]};
    const int client = rig_connect_port(rig.port);
    const uint64_t start_us = now_us();
    int waits = 0;
    while (now_us() - start_us < 250000) {
        net_wait(rig.net, 10000000);
        waits++;
    }
    /* One try in each tenth of a second: no spinning, and one line for the operator. */
    ck_assert_int_le(faults.accept4.calls, 4);
    ck_assert_int_le(waits, 7);
    ck_assert_uint_eq(rig.reports_count, 1);
    ck_assert_int_eq(strncmp(rig.report, "new connections have to wait error=", 35), 0);
    faults.accept4 = (struct fault){0};
    while (rig.connections_count == 0)
        net_wait(rig.net, 1000000);
    close(client);
}
END_TEST

START_TEST(accept_takes_turns)
{
    enum { CLIENTS = 200 };
    int clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = rig_connect_port(rig.port);
    rig_look();
    ck_assert_uint_eq(rig.connections_count, 64);
    while (rig.connections_count < CLIENTS)
        net_wait(rig.net, 1000000);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
}
END_TEST

static void assert_waits_in_time(void)
{
    const uint64_t start_us = now_us();
    net_wait(rig.net, 20500);
    const uint64_t waited_us = now_us() - start_us;
    ck_assert_uint_ge(waited_us, 20500);
    ck_assert_uint_lt(waited_us, 500000);
}

START_TEST(wait_ends_in_time)
{
    assert_waits_in_time();
    ck_assert_int_eq(faults.epoll_pwait2.calls, 1);
}
END_TEST

START_TEST(wait_without_the_newer_call_rounds_up)
{
    faults.epoll_pwait2 = (struct fault){.error_calls = 1, .error = ENOSYS};
    assert_waits_in_time();
    ck_assert_int_eq(faults.epoll_pwait2.calls, 1);
    const uint64_t start_us = now_us();
    net_wait(rig.net, 300);
    ck_assert_uint_ge(now_us() - start_us, 300);
    const int client = rig_connect(&(uint64_t){0});
    ck_assert_int_eq(faults.epoll_pwait2.calls, 1);
    close(client);
}
END_TEST

START_TEST(wait_may_be_interrupted)
{
    faults.epoll_pwait2 = (struct fault){.error_calls = 1, .error = EINTR};
    const uint64_t start_us = now_us();
    net_wait(rig.net, NET_FOREVER);
    ck_assert_uint_lt(now_us() - start_us, 1000000);
}
END_TEST

START_TEST(wait_tells_that_it_is_over_first)
{
    const int client = rig_connect_port(rig.port);
    const uint32_t before = rig.wakings;
    net_wait(rig.net, NET_FOREVER);
    ck_assert_uint_eq(rig.connections_count, 1);
    ck_assert_uint_eq(rig.wakings, before + 1);
    ck_assert_uint_eq(rig.wakings_at_accept, before + 1);
    close(client);
}
END_TEST

static void drain(void *context)
{
    char byte;
    ck_assert_int_eq(read(*(int *)context, &byte, 1), 1);
    rig.effects++;
}

START_TEST(wait_looks_at_other_descriptors_too)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(net_add_source(rig.net, ends[0], drain, &ends[0]), 0);
    ck_assert_int_eq(write(ends[1], "xy", 2), 2);
    const uint64_t before = rig.effects;
    net_wait(rig.net, NET_FOREVER);
    net_wait(rig.net, NET_FOREVER);
    ck_assert_uint_eq(rig.effects, before + 2);
    rig_look();
    ck_assert_uint_eq(rig.effects, before + 2);
    ck_assert_int_eq(net_add_source(rig.net, -1, drain, NULL), -1);
}
END_TEST

SUITE(net_listen)
{
    TCase *tcase = tcase_create("listen");
    tcase_add_checked_fixture(tcase, rig_start, rig_end);
    tcase_add_test(tcase, listen_tells_the_port_that_was_free);
    tcase_add_test(tcase, listen_keeps_a_port_that_is_given);
    tcase_add_test(tcase, listen_where_somebody_listens);
    tcase_add_loop_test(tcase, listen_on_an_address_that_is_not_ours, 0, 3);
    tcase_add_test(tcase, listen_refuses_names_that_are_none);
    tcase_add_loop_test(tcase, listen_reaches_ipv4, 0, 3);
    tcase_add_loop_test(tcase, listen_reaches_ipv6, 0, 3);
    tcase_add_test(tcase, accepted_names_the_peer);
    tcase_add_loop_test(tcase, accepted_has_the_options_of_its_listener, 0,
                        sizeof(inherited) / sizeof(inherited[0]));
    tcase_add_test(tcase, peers_are_not_probed_all_at_once);
    tcase_add_test(tcase, accept_skips_connections_that_are_gone);
    tcase_add_loop_test(tcase, accept_pauses_when_there_are_no_descriptors, 0, 4);
    tcase_add_test(tcase, accept_takes_turns);
    tcase_add_test(tcase, wait_ends_in_time);
    tcase_add_test(tcase, wait_without_the_newer_call_rounds_up);
    tcase_add_test(tcase, wait_may_be_interrupted);
    tcase_add_test(tcase, wait_tells_that_it_is_over_first);
    tcase_add_test(tcase, wait_looks_at_other_descriptors_too);
    suite_add_tcase(suite, tcase);
}
