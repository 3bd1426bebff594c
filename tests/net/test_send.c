/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/wire/error.h"
#include "tests/net/rig.h"
#include "tests/support/runner.h"

#define BIG_BYTES ((size_t)24 * 1024 * 1024)

static uint64_t connection;
static int client;
static uint8_t *big;

static void start(void)
{
    rig_start();
    client = rig_connect(&connection);
    big = malloc(BIG_BYTES);
    ck_assert_ptr_nonnull(big);
    pattern_fill(big, BIG_BYTES, 0);
}

static void end(void)
{
    close(client);
    free(big);
    rig_end();
}

static struct piece memory(size_t offset, size_t length)
{
    return (struct piece){.data = big + offset, .length = length};
}

static struct piece range(uint64_t file, uint64_t offset, size_t length)
{
    return (struct piece){.file = file, .offset = offset, .length = length};
}

static void assert_done(const struct completion *completion, int error, uint64_t count)
{
    ck_assert_int_eq(completion->error, error);
    ck_assert_uint_eq(completion->count, count);
}

/* Reads what was sent, which is the pattern from its beginning. */
static void assert_received(size_t length)
{
    uint8_t *data = malloc(length);
    ck_assert_ptr_nonnull(data);
    size_t total = 0;
    while (total < length) {
        const ssize_t got = read(client, data + total, length - total);
        ck_assert_int_gt(got, 0);
        total += (size_t)got;
    }
    ck_assert_mem_eq(data, big, length);
    free(data);
    ck_assert_int_eq(recv(client, &total, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(pieces_in_memory_are_one_call)
{
    const struct piece pieces[] = {memory(0, 0),  memory(0, 10),    memory(10, 1),
                                   memory(11, 0), memory(11, 1000), memory(0, 0)};
    assert_done(rig_do(send_effect(connection, pieces, 6)), ERR_NONE, 1011);
    ck_assert_int_eq(faults.sendmsg.calls, 1);
    ck_assert_int_eq(faults.last_flags, MSG_NOSIGNAL);
    assert_received(1011);
}
END_TEST

START_TEST(nothing_to_send_makes_no_call)
{
    const struct piece pieces[] = {memory(0, 0), range(1, 0, 0)};
    assert_done(rig_do(send_effect(connection, pieces, 2)), ERR_NONE, 0);
    assert_done(rig_do(send_effect(connection, NULL, 0)), ERR_NONE, 0);
    ck_assert_int_eq(faults.sendmsg.calls, 0);
    ck_assert_int_eq(faults.sendfile.calls, 0);
}
END_TEST

START_TEST(any_number_of_pieces)
{
    enum { COUNT = 3000 };
    static struct piece pieces[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        pieces[i] = memory(i * 7, 7);
    assert_done(rig_do(send_effect(connection, pieces, COUNT)), ERR_NONE, COUNT * 7);
    assert_received(COUNT * (size_t)7);
}
END_TEST

START_TEST(memory_before_a_file_says_that_more_comes)
{
    rig_make_file(1, big, 1000);
    const struct piece pieces[] = {memory(0, 100), range(1, 100, 200)};
    assert_done(rig_do(send_effect(connection, pieces, 2)), ERR_NONE, 300);
    ck_assert_int_eq(faults.sendmsg.calls, 1);
    ck_assert_int_eq(faults.sendfile.calls, 1);
    ck_assert_int_eq(faults.last_flags, MSG_NOSIGNAL | MSG_MORE);
    assert_received(300);
}
END_TEST

static void assert_mixture_arrives(void)
{
    rig_make_file(1, big, 1000);
    rig_make_file(2, big + 500, 1000);
    const struct piece pieces[] = {
        range(1, 0, 100), memory(100, 50), memory(150, 50),    range(1, 200, 0), range(1, 200, 300),
        range(2, 0, 100), memory(600, 1),  range(2, 101, 899), memory(1500, 10),
    };
    const uint32_t count = sizeof(pieces) / sizeof(pieces[0]);
    assert_done(rig_do(send_effect(connection, pieces, count)), ERR_NONE, 1510);
    ck_assert_int_eq(faults.last_flags, MSG_NOSIGNAL);
    assert_received(1510);
}

START_TEST(memory_and_files_in_order)
{
    assert_mixture_arrives();
    ck_assert_int_eq(faults.sendmsg.calls, 3);
    ck_assert_int_eq(faults.sendfile.calls, 4);
}
END_TEST

START_TEST(progress_is_kept_across_short_calls)
{
    faults.sendmsg = (struct fault){.short_calls = 10000, .short_bytes = _i + 1};
    faults.sendfile = (struct fault){.short_calls = 10000, .short_bytes = 7 * _i + 1};
    assert_mixture_arrives();
}
END_TEST

START_TEST(interruptions_change_nothing)
{
    rig_make_file(1, big, 1000);
    faults.sendmsg = (struct fault){.error_calls = 2, .error = EINTR};
    faults.sendfile = (struct fault){.error_calls = 2, .error = EINTR};
    const struct piece pieces[] = {memory(0, 100), range(1, 100, 200)};
    assert_done(rig_do(send_effect(connection, pieces, 2)), ERR_NONE, 300);
    assert_received(300);
}
END_TEST

START_TEST(memory_goes_on_when_the_peer_reads_slowly)
{
    const pid_t reader = rig_reader(client, BIG_BYTES, 0, 1);
    const struct piece pieces[] = {memory(0, 10), memory(10, BIG_BYTES - 11),
                                   memory(BIG_BYTES - 1, 1)};
    const uint64_t send = rig_ask(send_effect(connection, pieces, 3));
    ck_assert_ptr_null(rig_completion(send));
    assert_done(rig_await(send), ERR_NONE, BIG_BYTES);
    rig_reader_end(reader);
}
END_TEST

START_TEST(files_go_on_when_the_peer_reads_slowly)
{
    rig_make_file(1, big, BIG_BYTES);
    const pid_t reader = rig_reader(client, BIG_BYTES, 0, 1);
    const struct piece pieces[] = {memory(0, 10), range(1, 10, BIG_BYTES - 11),
                                   range(1, BIG_BYTES - 1, 1)};
    const uint64_t send = rig_ask(send_effect(connection, pieces, 3));
    ck_assert_ptr_null(rig_completion(send));
    assert_done(rig_await(send), ERR_NONE, BIG_BYTES);
    rig_reader_end(reader);
}
END_TEST

START_TEST(a_peer_that_reads_nothing_costs_nothing)
{
    const struct piece pieces[] = {memory(0, BIG_BYTES)};
    const uint64_t send = rig_ask(send_effect(connection, pieces, 1));
    for (int i = 0; i < 10; i++)
        net_wait(rig.net, 1000);
    const int calls = faults.sendmsg.calls;
    for (int i = 0; i < 10; i++)
        net_wait(rig.net, 1000);
    ck_assert_int_eq(faults.sendmsg.calls, calls);
    ck_assert_ptr_null(rig_completion(send));
}
END_TEST

START_TEST(a_peer_that_reads_nothing_is_given_up)
{
    const struct piece pieces[] = {memory(0, BIG_BYTES)};
    const uint64_t send = rig_ask(send_effect(connection, pieces, 1));
    rig_look();
    ck_assert_ptr_null(rig_completion(send));
    ck_assert_int_eq(rig_await(send)->error, ERR_CLOSED);
}
END_TEST

START_TEST(one_connection_gives_way_to_others)
{
    faults.send_swallows = true;
    enum { COUNT = 24 };
    struct piece pieces[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        pieces[i] = memory(i * (BIG_BYTES / COUNT), BIG_BYTES / COUNT);
    faults.sendmsg = (struct fault){.short_calls = 1000, .short_bytes = 1024 * 1024};
    const uint64_t send = rig_ask(send_effect(connection, pieces, COUNT));
    ck_assert_ptr_null(rig_completion(send));
    ck_assert_int_eq(faults.sendmsg.calls, 4);
    /* It goes on without epoll's word, since the socket never said no, and without a sleep. */
    net_wait(rig.net, NET_FOREVER);
    ck_assert_int_eq(faults.sendmsg.calls, 8);
    for (int i = 0; i < 4; i++)
        net_wait(rig.net, NET_FOREVER);
    assert_done(rig_completion(send), ERR_NONE, BIG_BYTES);
}
END_TEST

START_TEST(a_send_that_gave_way_can_be_closed)
{
    faults.send_swallows = true;
    const struct piece pieces[] = {memory(0, BIG_BYTES)};
    faults.sendmsg = (struct fault){.short_calls = 1000, .short_bytes = 1024 * 1024};
    const uint64_t send = rig_ask(send_effect(connection, pieces, 1));
    assert_done(rig_do(close_effect(connection)), ERR_NONE, 0);
    assert_done(rig_completion(send), ERR_CLOSED, (uint64_t)4 * 1024 * 1024);
    rig_look();
    ck_assert_int_eq(faults.sendmsg.calls, 4);
}
END_TEST

static const struct {
    int error;
    int expected;
} send_faults[] = {{EPIPE, ERR_CLOSED}, {ECONNRESET, ERR_CLOSED}, {ETIMEDOUT, ERR_CLOSED}};

START_TEST(send_to_a_peer_that_is_gone)
{
    faults.sendmsg = (struct fault){
        .short_calls = 1, .short_bytes = 3, .error_calls = 1, .error = send_faults[_i].error};
    const struct piece pieces[] = {memory(0, 10)};
    assert_done(rig_do(send_effect(connection, pieces, 1)), send_faults[_i].expected, 3);
}
END_TEST

START_TEST(send_under_way_ends_when_the_peer_goes)
{
    const struct piece pieces[] = {memory(0, BIG_BYTES)};
    const uint64_t send = rig_ask(send_effect(connection, pieces, 1));
    rig_look();
    rig_look();
    ck_assert_ptr_null(rig_completion(send));
    const struct linger at_once = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
    close(client);
    client = -1;
    ck_assert_int_eq(rig_await(send)->error, ERR_CLOSED);
}
END_TEST

START_TEST(file_that_is_shorter_than_promised)
{
    rig_make_file(1, big, 100);
    const struct piece pieces[] = {range(1, 0, 101)};
    assert_done(rig_do(send_effect(connection, pieces, 1)), ERR_IO, 100);
}
END_TEST

START_TEST(file_that_is_not_open)
{
    const struct piece pieces[] = {memory(0, 3), range(1, 0, 101)};
    assert_done(rig_do(send_effect(connection, pieces, 2)), ERR_IO, 3);
}
END_TEST

START_TEST(file_that_cannot_be_read)
{
    rig_make_file(1, big, 100);
    faults.sendfile = (struct fault){.error_calls = 1, .error = EIO};
    const struct piece pieces[] = {range(1, 0, 100)};
    assert_done(rig_do(send_effect(connection, pieces, 1)), ERR_IO, 0);
}
END_TEST

START_TEST(file_that_is_not_at_hand_yet)
{
    rig_make_file(1, big, 1000);
    rig.files_late = 1;
    const struct piece pieces[] = {memory(0, 3), range(1, 3, 997)};
    const uint64_t send = rig_ask(send_effect(connection, pieces, 2));
    ck_assert_uint_eq(rig.file_connection, connection);
    ck_assert_uint_eq(rig.file_offset, 3);
    /* Nothing but the word that it is there makes it go on. */
    char byte = 'x';
    ck_assert_int_eq(write(client, &byte, 1), 1);
    rig_await_readable(connection);
    rig_look();
    ck_assert_ptr_null(rig_completion(send));
    rig.files_late = 1;
    net_continue(rig.net, connection);
    ck_assert_ptr_null(rig_completion(send));
    net_continue(rig.net, connection);
    assert_done(rig_completion(send), ERR_NONE, 1000);
    net_continue(rig.net, connection);
    assert_received(1000);
}
END_TEST

START_TEST(file_of_which_a_part_is_at_hand)
{
    rig_make_file(1, big, 1000);
    rig.file_bytes_max = 300;
    const struct piece pieces[] = {range(1, 0, 1000)};
    assert_done(rig_do(send_effect(connection, pieces, 1)), ERR_NONE, 1000);
    ck_assert_int_eq(faults.sendfile.calls, 4);
    ck_assert_uint_eq(rig.file_offset, 900);
    assert_received(1000);
}
END_TEST

START_TEST(file_that_comes_too_late)
{
    rig_make_file(1, big, 1000);
    rig.files_late = 1;
    const struct piece pieces[] = {range(1, 0, 1000)};
    const uint64_t send = rig_ask(send_effect(connection, pieces, 1));
    assert_done(rig_do(close_effect(connection)), ERR_NONE, 0);
    assert_done(rig_completion(send), ERR_CLOSED, 0);
    net_continue(rig.net, connection);
    ck_assert_int_eq(faults.sendfile.calls, 0);
}
END_TEST

START_TEST(sends_follow_one_another)
{
    for (size_t i = 0; i < 100; i++) {
        const struct piece pieces[] = {memory(i * 10, 10)};
        assert_done(rig_do(send_effect(connection, pieces, 1)), ERR_NONE, 10);
    }
    assert_received(1000);
}
END_TEST

SUITE(net_send)
{
    TCase *tcase = tcase_create("send");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, pieces_in_memory_are_one_call);
    tcase_add_test(tcase, nothing_to_send_makes_no_call);
    tcase_add_test(tcase, any_number_of_pieces);
    tcase_add_test(tcase, memory_before_a_file_says_that_more_comes);
    tcase_add_test(tcase, memory_and_files_in_order);
    tcase_add_loop_test(tcase, progress_is_kept_across_short_calls, 0, 10);
    tcase_add_test(tcase, interruptions_change_nothing);
    tcase_add_test(tcase, memory_goes_on_when_the_peer_reads_slowly);
    tcase_add_test(tcase, files_go_on_when_the_peer_reads_slowly);
    tcase_add_test(tcase, a_peer_that_reads_nothing_costs_nothing);
    tcase_add_test(tcase, a_peer_that_reads_nothing_is_given_up);
    tcase_add_test(tcase, one_connection_gives_way_to_others);
    tcase_add_test(tcase, a_send_that_gave_way_can_be_closed);
    tcase_add_loop_test(tcase, send_to_a_peer_that_is_gone, 0, 3);
    tcase_add_test(tcase, send_under_way_ends_when_the_peer_goes);
    tcase_add_test(tcase, file_that_is_shorter_than_promised);
    tcase_add_test(tcase, file_that_is_not_open);
    tcase_add_test(tcase, file_that_cannot_be_read);
    tcase_add_test(tcase, file_that_is_not_at_hand_yet);
    tcase_add_test(tcase, file_of_which_a_part_is_at_hand);
    tcase_add_test(tcase, file_that_comes_too_late);
    tcase_add_test(tcase, sends_follow_one_another);
    suite_add_tcase(suite, tcase);
}
