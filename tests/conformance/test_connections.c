/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: listening, watching, receiving, sending, closing. */
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/conformance.h"

#define MANY_PIECES 2500 /* more than the system takes at a time (IOV_MAX, 1024) */
#define LARGE_BYTES ((size_t)8 * 1024 * 1024) /* more than sockets hold */
#define FILE_BYTES  ((size_t)200 * 1000)

static struct piece piece_of(const void *data, size_t length)
{
    return (struct piece){.data = data, .length = length};
}

static struct piece file_piece(uint64_t file, uint64_t offset, size_t length)
{
    return (struct piece){.file = file, .offset = offset, .length = length};
}

START_TEST(a_port_has_one_listener)
{
    const uint64_t port = count_of(listen_effect(5, "127.0.0.1", 0));
    ck_assert_uint_gt(port, 0);
    ck_assert_uint_lt(port, 65536);
    ck_assert_int_eq(error_of(listen_effect(6, "127.0.0.1", (uint16_t)port)), ERR_EXISTS);
    ck_assert_uint_ne(count_of(listen_effect(7, "127.0.0.1", 0)), port);
}
END_TEST

START_TEST(watch_waits_for_bytes)
{
    char text[16] = {0};
    peer client;
    const uint64_t connection = connect_peer(&client);
    const uint64_t watch = ask(watch_effect(connection));
    peer_sends(client, SPAN("hello"));
    ck_assert_int_eq(await(watch)->error, ERR_NONE);
    size_t length = 0;
    while (length < 5)
        length += receive_some(connection, text + length, sizeof(text) - length);
    ck_assert_str_eq(text, "hello");
    /* A watch may be wrong, a receive is not: there is nothing. */
    const struct completion *done = carry_out(receive_effect(connection, text, sizeof(text)));
    ck_assert_int_eq(done->error, ERR_NONE);
    ck_assert_uint_eq(done->count, 0);
}
END_TEST

START_TEST(watch_tells_of_what_came_before_it)
{
    char text[3];
    peer client;
    const uint64_t connection = connect_peer(&client);
    peer_sends(client, SPAN("abcdef"));
    settle();
    ck_assert_uint_gt(receive_some(connection, text, sizeof(text)), 0);
    ck_assert_int_eq(error_of(watch_effect(connection)), ERR_NONE);
}
END_TEST

START_TEST(receive_takes_at_most_what_was_asked_for)
{
    static uint8_t sent[30000];
    static uint8_t got[sizeof(sent) + 8];
    peer client;
    const uint64_t connection = connect_peer(&client);
    fill(sent, sizeof(sent), 5);
    peer_sends(client, span_of(sent, sizeof(sent)));
    size_t length = 0;
    for (size_t room = 1; length < sizeof(sent); room = room % 977 + 1) {
        if (room > sizeof(sent) - length)
            room = sizeof(sent) - length;
        got[length + room] = 0xee;
        length += receive_some(connection, got + length, room);
    }
    ck_assert_int_eq(memcmp(got, sent, sizeof(sent)), 0);
    ck_assert_uint_eq(got[sizeof(sent)], 0xee);
}
END_TEST

START_TEST(the_end_comes_after_the_last_byte)
{
    char text[16] = {0};
    peer client;
    const uint64_t connection = connect_peer(&client);
    peer_sends(client, SPAN("last"));
    peer_leaves(client);
    settle();
    size_t length = 0;
    size_t got;
    while ((got = receive_some(connection, text + length, sizeof(text) - length)) > 0)
        length += got;
    ck_assert_str_eq(text, "last");
    /* It stays the end. */
    ck_assert_uint_eq(receive_some(connection, text, sizeof(text)), 0);
    ck_assert_int_eq(error_of(close_effect(connection)), ERR_NONE);
}
END_TEST

START_TEST(a_watch_sees_the_end)
{
    char text[16];
    peer client;
    const uint64_t connection = connect_peer(&client);
    const uint64_t watch = ask(watch_effect(connection));
    settle();
    peer_leaves(client);
    ck_assert_int_eq(await(watch)->error, ERR_NONE);
    ck_assert_uint_eq(receive_some(connection, text, sizeof(text)), 0);
}
END_TEST

START_TEST(send_gives_all_pieces_in_order)
{
    static uint8_t content[MANY_PIECES * 8];
    static struct piece pieces[MANY_PIECES];
    size_t at = 0;
    peer client;
    const uint64_t connection = connect_peer(&client);
    fill(content, sizeof(content), 2);
    for (size_t i = 0; i < MANY_PIECES; i++) {
        const size_t length = i % 9;
        pieces[i] = piece_of(length == 0 ? NULL : content + at, length);
        at += length;
    }
    ck_assert_uint_eq(count_of(send_effect(connection, pieces, MANY_PIECES)), at);
    ck_assert(span_equal(peer_receives(client, at), span_of(content, at)));
}
END_TEST

/* The clock is past it: what was promised until then is not promised any more. */
START_TEST(send_after_its_time)
{
    static uint8_t content[8];
    struct piece late = piece_of(content, 4);
    struct piece other = piece_of(content + 4, 4);
    peer client;
    const uint64_t connection = connect_peer(&client);
    fill(content, sizeof(content), 2);
    struct effect effect = send_effect(connection, &late, 1);
    effect.send.until_us = 0;
    const struct completion *done = carry_out(effect);
    ck_assert_int_eq(done->error, ERR_CLOSED);
    ck_assert_uint_eq(done->count, 0);
    ck_assert_uint_eq(count_of(send_effect(connection, &other, 1)), 4);
    ck_assert(span_equal(peer_receives(client, 4), span_of(content + 4, 4)));
}
END_TEST

START_TEST(send_of_nothing)
{
    peer client;
    const uint64_t connection = connect_peer(&client);
    const struct piece nothing[] = {{.data = NULL}, {.data = NULL}};
    ck_assert_uint_eq(count_of(send_effect(connection, NULL, 0)), 0);
    ck_assert_uint_eq(count_of(send_effect(connection, nothing, 2)), 0);
    const struct piece piece = piece_of("x", 1);
    ck_assert_uint_eq(count_of(send_effect(connection, &piece, 1)), 1);
    ck_assert(span_equal(peer_receives(client, 1), SPAN("x")));
}
END_TEST

START_TEST(send_mixes_memory_and_files)
{
    static uint8_t content[FILE_BYTES];
    peer client;
    const uint64_t connection = connect_peer(&client);
    const uint64_t file = open_file(OPEN_CREATE, "file");
    const struct piece whole = piece_of(content, sizeof(content));
    fill(content, sizeof(content), 4);
    ck_assert_uint_eq(count_of(write_effect(file, 0, &whole, 1)), sizeof(content));
    const struct piece pieces[] = {
        piece_of("head", 4), file_piece(file, 100, 70000),
        piece_of(NULL, 0),   file_piece(file, FILE_BYTES - 10, 10),
        piece_of("tail", 4), file_piece(file, 0, 1),
    };
    const size_t length = 4 + 70000 + 10 + 4 + 1;
    /* Often, since each send may be cut elsewhere. */
    for (size_t i = 0; i < 20; i++) {
        ck_assert_uint_eq(count_of(send_effect(connection, pieces, 6)), length);
        const uint8_t *got = peer_receives(client, (i + 1) * length).data + i * length;
        ck_assert_int_eq(memcmp(got, "head", 4), 0);
        ck_assert_int_eq(memcmp(got + 4, content + 100, 70000), 0);
        ck_assert_int_eq(memcmp(got + 70004, content + FILE_BYTES - 10, 10), 0);
        ck_assert_int_eq(memcmp(got + 70014, "tail", 4), 0);
        ck_assert_uint_eq(got[70018], content[0]);
    }
}
END_TEST

START_TEST(send_of_more_than_the_file_has)
{
    static uint8_t content[1000];
    peer client;
    const uint64_t connection = connect_peer(&client);
    const uint64_t file = open_file(OPEN_CREATE, "file");
    const struct piece whole = piece_of(content, sizeof(content));
    fill(content, sizeof(content), 6);
    ck_assert_uint_eq(count_of(write_effect(file, 0, &whole, 1)), sizeof(content));
    ck_assert_int_eq(error_of(range_effect(EFFECT_TRUNCATE, file, 600, 0)), ERR_NONE);
    const struct piece pieces[] = {piece_of("head", 4), file_piece(file, 0, 1000),
                                   piece_of("tail", 4)};
    const struct completion *done = carry_out(send_effect(connection, pieces, 3));
    ck_assert_int_eq(done->error, ERR_IO);
    ck_assert_uint_le(done->count, 604);
    const struct span got = peer_receives(client, (size_t)done->count);
    ck_assert_uint_eq(got.length, done->count);
    ck_assert_int_eq(memcmp(got.data, "head", 4), 0);
    ck_assert_int_eq(memcmp(got.data + 4, content, got.length - 4), 0);
}
END_TEST

START_TEST(send_waits_for_a_peer_that_does_not_read)
{
    uint8_t *content = malloc(LARGE_BYTES);
    peer client;
    const uint64_t connection = connect_peer(&client);
    ck_assert_ptr_nonnull(content);
    fill(content, LARGE_BYTES, 8);
    peer_pauses(client, true);
    const struct piece piece = piece_of(content, LARGE_BYTES);
    const uint64_t send = ask(send_effect(connection, &piece, 1));
    settle();
    ck_assert_ptr_null(completion_of(send));
    /* Others do not wait for it. */
    peer other;
    const struct piece word = piece_of("hello", 5);
    const uint64_t beside = connect_peer(&other);
    ck_assert_uint_eq(count_of(send_effect(beside, &word, 1)), 5);
    ck_assert(span_equal(peer_receives(other, 5), SPAN("hello")));
    ck_assert_ptr_null(completion_of(send));
    peer_pauses(client, false);
    ck_assert_int_eq(await(send)->error, ERR_NONE);
    ck_assert_uint_eq(await(send)->count, LARGE_BYTES);
    ck_assert(span_equal(peer_receives(client, LARGE_BYTES), span_of(content, LARGE_BYTES)));
    free(content);
}
END_TEST

START_TEST(both_ways_at_once)
{
    uint8_t *content = malloc(LARGE_BYTES);
    char text[8];
    peer client;
    const uint64_t connection = connect_peer(&client);
    ck_assert_ptr_nonnull(content);
    fill(content, LARGE_BYTES, 8);
    peer_pauses(client, true);
    const struct piece piece = piece_of(content, LARGE_BYTES);
    const uint64_t send = ask(send_effect(connection, &piece, 1));
    settle();
    peer_sends(client, SPAN("more"));
    ck_assert_uint_gt(receive_some(connection, text, sizeof(text)), 0);
    ck_assert_ptr_null(completion_of(send));
    peer_pauses(client, false);
    ck_assert_int_eq(await(send)->error, ERR_NONE);
    ck_assert(span_equal(peer_receives(client, LARGE_BYTES), span_of(content, LARGE_BYTES)));
    free(content);
}
END_TEST

START_TEST(send_to_a_peer_that_is_gone)
{
    uint8_t *content = calloc(1, LARGE_BYTES);
    peer client;
    const uint64_t connection = connect_peer(&client);
    ck_assert_ptr_nonnull(content);
    peer_pauses(client, true);
    const struct piece piece = piece_of(content, LARGE_BYTES);
    const uint64_t send = ask(send_effect(connection, &piece, 1));
    settle();
    peer_leaves(client);
    ck_assert_int_eq(await(send)->error, ERR_CLOSED);
    ck_assert_uint_lt(await(send)->count, LARGE_BYTES);
    free(content);
}
END_TEST

/* A watch may complete although there is nothing; then it is asked for again. */
static uint64_t watch_that_waits(uint64_t connection)
{
    char byte;
    uint64_t watch;
    for (;;) {
        settle();
        watch = ask(watch_effect(connection));
        if (completion_of(watch) == NULL)
            return watch;
        ck_assert_uint_eq(count_of(receive_effect(connection, &byte, 1)), 0);
    }
}

START_TEST(close_ends_what_is_under_way_first)
{
    uint8_t *content = calloc(1, LARGE_BYTES);
    peer client;
    const uint64_t connection = connect_peer(&client);
    ck_assert_ptr_nonnull(content);
    peer_pauses(client, true);
    const struct piece piece = piece_of(content, LARGE_BYTES);
    const uint64_t send = ask(send_effect(connection, &piece, 1));
    settle();
    const uint64_t watch = watch_that_waits(connection);
    const uint64_t close = ask(close_effect(connection));
    ck_assert_int_eq(await(close)->error, ERR_NONE);
    ck_assert_int_eq(await(watch)->error, ERR_CLOSED);
    ck_assert_int_eq(await(send)->error, ERR_CLOSED);
    ck_assert_uint_lt(order_of(watch), order_of(close));
    ck_assert_uint_lt(order_of(send), order_of(close));
    peer_pauses(client, false);
    peer_sees_end(client);
    free(content);
}
END_TEST

START_TEST(nothing_is_done_for_a_closed_connection)
{
    char text[8];
    peer client;
    const uint64_t connection = connect_peer(&client);
    const struct piece piece = piece_of("x", 1);
    peer_sends(client, SPAN("hello"));
    settle();
    ck_assert_int_eq(error_of(close_effect(connection)), ERR_NONE);
    ck_assert_int_eq(error_of(watch_effect(connection)), ERR_CLOSED);
    ck_assert_int_eq(error_of(receive_effect(connection, text, sizeof(text))), ERR_CLOSED);
    ck_assert_int_eq(error_of(send_effect(connection, &piece, 1)), ERR_CLOSED);
    ck_assert_int_eq(error_of(close_effect(connection)), ERR_CLOSED);
    peer_sees_end(client);
    ck_assert_uint_eq(peer_receives(client, 0).length, 0);
}
END_TEST

START_TEST(connections_do_not_mix)
{
    peer clients[8];
    uint64_t connections[8];
    uint64_t sends[8];
    char texts[8][4];
    struct piece pieces[8];
    for (size_t i = 0; i < 8; i++)
        connections[i] = connect_peer(&clients[i]);
    for (size_t i = 0; i < 8; i++) {
        memset(texts[i], 'a' + (int)i, sizeof(texts[i]));
        pieces[i] = piece_of(texts[i], sizeof(texts[i]));
        peer_sends(clients[i], span_of(texts[i], 1));
        sends[i] = ask(send_effect(connections[i], &pieces[i], 1));
    }
    for (size_t i = 0; i < 8; i++) {
        char got = 0;
        ck_assert_uint_eq(receive_some(connections[i], &got, 1), 1);
        ck_assert_int_eq(got, 'a' + (int)i);
        ck_assert_int_eq(await(sends[i])->error, ERR_NONE);
        ck_assert(span_equal(peer_receives(clients[i], 4), span_of(texts[i], 4)));
    }
}
END_TEST

START_TEST(connect_leads_to_a_listener)
{
    char text[8] = {0};
    uint64_t accepted;
    const struct piece there = piece_of("ping", 4);
    const struct piece back = piece_of("pong", 4);
    const uint64_t dialled = dial_listener(&accepted);
    ck_assert_uint_eq(count_of(send_effect(dialled, &there, 1)), 4);
    for (size_t got = 0; got < 4;)
        got += receive_some(accepted, text + got, sizeof(text) - got);
    ck_assert_str_eq(text, "ping");
    const uint64_t watch = ask(watch_effect(dialled));
    ck_assert_uint_eq(count_of(send_effect(accepted, &back, 1)), 4);
    ck_assert_int_eq(await(watch)->error, ERR_NONE);
    for (size_t got = 0; got < 4;)
        got += receive_some(dialled, text + got, sizeof(text) - got);
    ck_assert_str_eq(text, "pong");
}
END_TEST

/* More than is under way at a time goes from end to end, whole. */
START_TEST(both_ends_of_a_connection_may_be_ours)
{
    uint8_t *content = malloc(LARGE_BYTES);
    uint8_t *got = malloc(LARGE_BYTES);
    uint64_t accepted;
    ck_assert(content != NULL && got != NULL);
    fill(content, LARGE_BYTES, 3);
    const uint64_t dialled = dial_listener(&accepted);
    const struct piece piece = piece_of(content, LARGE_BYTES);
    for (int way = 0; way < 2; way++) {
        const uint64_t send = ask(send_effect(way == 0 ? dialled : accepted, &piece, 1));
        for (size_t length = 0; length < LARGE_BYTES;)
            length +=
                receive_some(way == 0 ? accepted : dialled, got + length, LARGE_BYTES - length);
        ck_assert_uint_eq(await(send)->count, LARGE_BYTES);
        ck_assert_int_eq(memcmp(got, content, LARGE_BYTES), 0);
    }
    free(content);
    free(got);
}
END_TEST

START_TEST(either_end_may_close)
{
    char text[8];
    for (int way = 0; way < 2; way++) {
        uint64_t accepted;
        const struct piece last = piece_of("last", 4);
        const uint64_t dialled = dial_listener(&accepted);
        const uint64_t goes = way == 0 ? dialled : accepted;
        const uint64_t stays = way == 0 ? accepted : dialled;
        ck_assert_uint_eq(count_of(send_effect(goes, &last, 1)), 4);
        const uint64_t watch = watch_that_waits(goes);
        ck_assert_int_eq(error_of(close_effect(goes)), ERR_NONE);
        ck_assert_int_eq(await(watch)->error, ERR_CLOSED);
        size_t length = 0;
        size_t got;
        while ((got = receive_some(stays, text, sizeof(text))) > 0)
            length += got;
        ck_assert_uint_eq(length, 4);
        ck_assert_int_eq(error_of(close_effect(stays)), ERR_NONE);
        ck_assert_int_eq(error_of(close_effect(stays)), ERR_CLOSED);
    }
}
END_TEST

START_TEST(connect_where_nobody_listens)
{
    /* A port that was free a moment ago. */
    const uint16_t port = (uint16_t)(listener_port() == 9099 ? 9098 : 9099);
    const struct completion *done = carry_out(connect_effect("127.0.0.1", port));
    ck_assert_int_eq(done->error, ERR_REFUSED);
    ck_assert_uint_eq(done->count, 0);
}
END_TEST

START_TEST(connect_to_no_host)
{
    const struct completion *done = carry_out(connect_effect("no..such..host", 9092));
    ck_assert_int_eq(done->error, ERR_NOT_FOUND);
    ck_assert_uint_eq(done->count, 0);
    ck_assert_int_eq(error_of(connect_effect("", 9092)), ERR_NOT_FOUND);
}
END_TEST

/* It cannot be taken back; its owner closes what comes of it. */
START_TEST(connects_beside_each_other)
{
    enum { COUNT = 12 };
    uint64_t connects[COUNT];
    const uint16_t port = listener_port();
    for (size_t i = 0; i < COUNT; i++)
        connects[i] = ask(connect_effect("127.0.0.1", port));
    const uint64_t refused =
        ask(connect_effect("127.0.0.1", (uint16_t)(port == 9097 ? 9096 : 9097)));
    for (size_t i = 0; i < COUNT; i++) {
        ck_assert_int_eq(await(connects[i])->error, ERR_NONE);
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(await(connects[i])->count, await(connects[j])->count);
    }
    ck_assert_int_eq(await(refused)->error, ERR_REFUSED);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(error_of(close_effect(await(connects[i])->count)), ERR_NONE);
}
END_TEST

static void add(TCase *tcase)
{
    tcase_add_test(tcase, a_port_has_one_listener);
    tcase_add_test(tcase, watch_waits_for_bytes);
    tcase_add_test(tcase, watch_tells_of_what_came_before_it);
    tcase_add_test(tcase, receive_takes_at_most_what_was_asked_for);
    tcase_add_test(tcase, the_end_comes_after_the_last_byte);
    tcase_add_test(tcase, a_watch_sees_the_end);
    tcase_add_test(tcase, send_gives_all_pieces_in_order);
    tcase_add_test(tcase, send_after_its_time);
    tcase_add_test(tcase, send_of_nothing);
    tcase_add_test(tcase, send_mixes_memory_and_files);
    tcase_add_test(tcase, send_of_more_than_the_file_has);
    tcase_add_test(tcase, send_waits_for_a_peer_that_does_not_read);
    tcase_add_test(tcase, both_ways_at_once);
    tcase_add_test(tcase, send_to_a_peer_that_is_gone);
    tcase_add_test(tcase, close_ends_what_is_under_way_first);
    tcase_add_test(tcase, nothing_is_done_for_a_closed_connection);
    tcase_add_test(tcase, connections_do_not_mix);
    tcase_add_test(tcase, connect_leads_to_a_listener);
    tcase_add_test(tcase, both_ends_of_a_connection_may_be_ours);
    tcase_add_test(tcase, either_end_may_close);
    tcase_add_test(tcase, connect_where_nobody_listens);
    tcase_add_test(tcase, connect_to_no_host);
    tcase_add_test(tcase, connects_beside_each_other);
}

SUITE(conformance_connections)
{
    conformance_cases(suite, add);
}
