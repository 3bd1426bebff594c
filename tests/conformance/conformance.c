/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EFFECTS_MAX     4096
#define CONNECTIONS_MAX 64
#define LISTENER        2
#define WAITS_MAX       20000
#define SETTLE_WAITS    20

static const struct {
    const char *name;
    const struct conformance_driver *driver;
} drivers[] = {
    {"net and disk", &conformance_real},        {"net and disk, disturbed", &conformance_disturbed},
    {"world, in order", &conformance_in_order}, {"world, reversed", &conformance_reversed},
    {"world, shuffled", &conformance_shuffled}, {"simulator", &conformance_simulated},
};

static struct {
    const struct conformance_driver *driver;
    void *state;
    struct completion completions[EFFECTS_MAX]; /* in their order */
    uint32_t completions_count;
    uint64_t asked;
    uint64_t files;
    uint64_t connections[CONNECTIONS_MAX]; /* accepted */
    uint32_t connections_count;
    uint16_t port; /* 0: nothing listens */
} stage;

static void entries_copy(struct completion *completion)
{
    if (completion->entries == NULL)
        return;
    const uint32_t count = completion->entries_count;
    struct folder_entry *entries = calloc((size_t)count + 1, sizeof(*entries));
    ck_assert_ptr_nonnull(entries);
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = completion->entries[i];
        const struct span name = completion->entries[i].name;
        entries[i].name = span_of(strndup((const char *)name.data, name.length), name.length);
    }
    completion->entries = entries;
}

static void entries_free(const struct completion *completion)
{
    for (uint32_t i = 0; completion->entries != NULL && i < completion->entries_count; i++)
        free((void *)(uintptr_t)completion->entries[i].name.data);
    free((void *)(uintptr_t)completion->entries);
}

void conformance_completed(const struct completion *completion)
{
    ck_assert_uint_ge(completion->effect, 1);
    ck_assert_uint_le(completion->effect, stage.asked);
    ck_assert_ptr_null(completion_of(completion->effect));
    ck_assert_uint_lt(stage.completions_count, EFFECTS_MAX);
    struct completion *copy = &stage.completions[stage.completions_count++];
    *copy = *completion;
    entries_copy(copy);
}

void conformance_accepted(uint64_t connection, uint32_t listener)
{
    ck_assert_uint_eq(listener, LISTENER);
    ck_assert_uint_lt(stage.connections_count, CONNECTIONS_MAX);
    for (uint32_t i = 0; i < stage.connections_count; i++)
        ck_assert_uint_ne(stage.connections[i], connection);
    stage.connections[stage.connections_count++] = connection;
}

static void start(const struct conformance_driver *driver)
{
    stage.driver = driver;
    stage.state = driver->start();
}

static void start_real(void)
{
    start(drivers[0].driver);
}

static void start_disturbed(void)
{
    start(drivers[1].driver);
}

static void start_in_order(void)
{
    start(drivers[2].driver);
}

static void start_reversed(void)
{
    start(drivers[3].driver);
}

static void start_shuffled(void)
{
    start(drivers[4].driver);
}

static void start_simulated(void)
{
    start(drivers[5].driver);
}

static void end(void)
{
    for (uint64_t id = 1; id <= stage.asked; id++)
        await(id);
    stage.driver->end(stage.state);
    for (uint32_t i = 0; i < stage.completions_count; i++)
        entries_free(&stage.completions[i]);
    memset(&stage, 0, sizeof(stage));
}

void conformance_cases(Suite *suite, void (*add)(TCase *tcase))
{
    static void (*const starts[])(void) = {start_real,     start_disturbed, start_in_order,
                                           start_reversed, start_shuffled,  start_simulated};
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        TCase *tcase = tcase_create(drivers[i].name);
        tcase_add_checked_fixture(tcase, starts[i], end);
        add(tcase);
        suite_add_tcase(suite, tcase);
    }
}

uint64_t ask(struct effect effect)
{
    effect.id = ++stage.asked;
    stage.driver->perform(stage.state, &effect);
    return effect.id;
}

const struct completion *completion_of(uint64_t id)
{
    for (uint32_t i = 0; i < stage.completions_count; i++) {
        if (stage.completions[i].effect == id)
            return &stage.completions[i];
    }
    return NULL;
}

static void wait(void)
{
    stage.driver->wait(stage.state);
}

const struct completion *await(uint64_t id)
{
    for (uint32_t waits = 0; completion_of(id) == NULL; waits++) {
        ck_assert_msg(waits < WAITS_MAX, "effect %llu does not complete", (unsigned long long)id);
        wait();
    }
    return completion_of(id);
}

uint32_t order_of(uint64_t id)
{
    return (uint32_t)(await(id) - stage.completions);
}

const struct completion *carry_out(struct effect effect)
{
    return await(ask(effect));
}

int error_of(struct effect effect)
{
    return carry_out(effect)->error;
}

uint64_t count_of(struct effect effect)
{
    const struct completion *completion = carry_out(effect);
    ck_assert_int_eq(completion->error, ERR_NONE);
    return completion->count;
}

void settle(void)
{
    for (uint32_t i = 0; i < SETTLE_WAITS; i++)
        wait();
}

uint64_t new_file(void)
{
    return ++stage.files;
}

uint64_t open_file(enum open_mode mode, const char *path)
{
    const uint64_t file = new_file();
    ck_assert_int_eq(error_of(open_effect(file, mode, path)), ERR_NONE);
    return file;
}

void write_text(uint64_t file, uint64_t offset, const char *text)
{
    const struct piece piece = {.data = (const uint8_t *)text, .length = strlen(text)};
    ck_assert_uint_eq(count_of(write_effect(file, offset, &piece, 1)), strlen(text));
}

void assert_file(const char *path, struct span bytes)
{
    const struct span found = stage.driver->file(stage.state, path);
    ck_assert_msg(found.data != NULL, "there is no file %s", path);
    ck_assert_msg(span_equal(found, bytes), "%s has %zu bytes, or others than the %zu wanted", path,
                  found.length, bytes.length);
}

void assert_text(const char *path, const char *text)
{
    assert_file(path, span_text(text));
}

void assert_no_file(const char *path)
{
    ck_assert_ptr_null(stage.driver->file(stage.state, path).data);
}

void fill(uint8_t *data, size_t length, uint8_t first)
{
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)((first + i) % 251);
}

void put_file(const char *path, const char *text)
{
    stage.driver->put_file(stage.state, path, span_text(text));
}

void put_folder(const char *path)
{
    stage.driver->put_folder(stage.state, path);
}

bool make_fail(enum effect_kind kind, int error)
{
    return stage.driver->make_fail(stage.state, kind, error);
}

void mend(void)
{
    stage.driver->mend(stage.state);
}

void hold_syncs(void)
{
    stage.driver->hold_syncs(stage.state);
}

void release_syncs(void)
{
    stage.driver->release_syncs(stage.state);
}

uint16_t listener_port(void)
{
    if (stage.port == 0) {
        stage.port = (uint16_t)count_of(listen_effect(LISTENER, "127.0.0.1", 0));
        ck_assert_uint_ne(stage.port, 0);
    }
    return stage.port;
}

/* The connection that is accepted after the first `before` ones. */
static uint64_t await_accepted(uint32_t before)
{
    for (uint32_t waits = 0; stage.connections_count == before; waits++) {
        ck_assert_msg(waits < WAITS_MAX, "no connection is accepted");
        wait();
    }
    return stage.connections[before];
}

uint64_t connect_peer(peer *ret_peer)
{
    const uint16_t port = listener_port();
    const uint32_t before = stage.connections_count;
    *ret_peer = stage.driver->connect(stage.state, LISTENER, port);
    return await_accepted(before);
}

uint64_t dial_listener(uint64_t *ret_accepted)
{
    const uint16_t port = listener_port();
    const uint32_t before = stage.connections_count;
    const uint64_t dialled = count_of(connect_effect("127.0.0.1", port));
    *ret_accepted = await_accepted(before);
    ck_assert_uint_ne(dialled, 0);
    ck_assert_uint_ne(dialled, *ret_accepted);
    return dialled;
}

void peer_sends(peer from, struct span bytes)
{
    stage.driver->send(stage.state, from, bytes);
}

void peer_leaves(peer closed)
{
    stage.driver->close(stage.state, closed);
}

void peer_pauses(peer paused, bool pause)
{
    stage.driver->pause(stage.state, paused, pause);
}

struct span peer_receives(peer by, size_t length)
{
    bool ended = false;
    struct span bytes = stage.driver->received(stage.state, by, &ended);
    for (uint32_t waits = 0; bytes.length < length && !ended; waits++) {
        ck_assert_msg(waits < WAITS_MAX, "the client received %zu bytes of %zu", bytes.length,
                      length);
        wait();
        bytes = stage.driver->received(stage.state, by, &ended);
    }
    return bytes;
}

void peer_sees_end(peer by)
{
    bool ended = false;
    for (uint32_t waits = 0; !ended; waits++) {
        ck_assert_msg(waits < WAITS_MAX, "the client sees no end");
        stage.driver->received(stage.state, by, &ended);
        wait();
    }
}

size_t receive_some(uint64_t connection, void *data, size_t length)
{
    for (uint32_t tries = 0;; tries++) {
        ck_assert_msg(tries < WAITS_MAX, "nothing is received");
        ck_assert_int_eq(error_of(watch_effect(connection)), ERR_NONE);
        const struct completion *done = carry_out(receive_effect(connection, data, length));
        ck_assert(done->error == ERR_NONE || (done->error == ERR_CLOSED && done->count == 0));
        ck_assert_uint_le(done->count, length);
        if (done->error == ERR_CLOSED || done->count > 0)
            return (size_t)done->count;
    }
}
