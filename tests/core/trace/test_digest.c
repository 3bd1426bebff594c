/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace/digest.h"

#include <stdlib.h>

#include "core/wire/error.h"
#include "tests/support/runner.h"

#define BYTES_MAX 300

static uint64_t of_event(const struct event *event, struct span payload)
{
    struct trace_digest digest;
    trace_digest_init(&digest);
    trace_digest_event(&digest, event, payload);
    return digest.value;
}

static uint64_t of_effect(const struct effect *effect)
{
    struct trace_digest digest;
    trace_digest_init(&digest);
    trace_digest_effect(&digest, effect);
    return digest.value;
}

static uint64_t of_bytes(const void *data, size_t length)
{
    struct trace_digest digest;
    trace_digest_init(&digest);
    trace_digest_bytes(&digest, span_of(data, length));
    return digest.value;
}

/* Digests that all have to differ from one another. */
struct distinct {
    uint64_t values[4096];
    size_t count;
};

static void expect_new(struct distinct *distinct, uint64_t value)
{
    ck_assert_uint_lt(distinct->count, sizeof(distinct->values) / sizeof(distinct->values[0]));
    for (size_t i = 0; i < distinct->count; i++) {
        if (distinct->values[i] == value)
            ck_abort_msg("number %zu is as number %zu", distinct->count, i);
    }
    distinct->values[distinct->count++] = value;
}

/* Records and regressions elsewhere rely on these: changing the form costs them their digests. */
START_TEST(golden_values_stay)
{
    uint8_t bytes[BYTES_MAX];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    ck_assert_uint_eq(of_bytes(NULL, 0), UINT64_C(0xf7e27beadf4196a5));
    ck_assert_uint_eq(of_bytes(bytes, 5), UINT64_C(0xffa6b99aa49b732d));
    ck_assert_uint_eq(of_bytes(bytes, 32), UINT64_C(0x103ef5741348397f));
    ck_assert_uint_eq(of_bytes(bytes, sizeof(bytes)), UINT64_C(0x4967ea8c31e72403));
    const struct event event = {
        .kind = EVENT_COMPLETED,
        .mono_us = 1000,
        .wall_ms = -5,
        .completed = {.effect = 7, .error = ERR_IO, .count = 300},
    };
    ck_assert_uint_eq(of_event(&event, span_of(bytes, sizeof(bytes))),
                      UINT64_C(0x1ad6b54097e91e40));
    const struct piece pieces[] = {{.data = bytes, .length = 40},
                                   {.file = 3, .offset = 4096, .length = 100}};
    const struct effect effect = {
        .kind = EFFECT_SEND,
        .id = 9,
        .send = {.connection = 2, .pieces = pieces, .pieces_count = 2},
    };
    ck_assert_uint_eq(of_effect(&effect), UINT64_C(0x492f934e7c3f3cc6));
}
END_TEST

START_TEST(every_byte_and_the_length_count)
{
    struct distinct *distinct = calloc(1, sizeof(*distinct));
    uint8_t bytes[BYTES_MAX] = {0};
    for (size_t length = 0; length <= sizeof(bytes); length++)
        expect_new(distinct, of_bytes(bytes, length));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 0x80;
        expect_new(distinct, of_bytes(bytes, sizeof(bytes)));
        bytes[i] = 1;
        expect_new(distinct, of_bytes(bytes, sizeof(bytes)));
        bytes[i] = 0;
    }
    free(distinct);
}
END_TEST

START_TEST(the_address_does_not_count)
{
    uint8_t room[BYTES_MAX + 16];
    uint64_t first = 0;
    for (size_t shift = 0; shift < 16; shift++) {
        for (size_t i = 0; i < BYTES_MAX; i++)
            room[shift + i] = (uint8_t)(i * 31);
        const struct piece piece = {.data = room + shift, .length = BYTES_MAX};
        const struct effect write = {.kind = EFFECT_WRITE,
                                     .write = {.pieces = &piece, .pieces_count = 1}};
        if (shift == 0)
            first = of_effect(&write);
        ck_assert_uint_eq(of_effect(&write), first);
    }
    const struct effect here = {.kind = EFFECT_RECEIVE, .receive = {.data = room, .length = 8}};
    const struct effect there = {.kind = EFFECT_RECEIVE,
                                 .receive = {.data = room + 1, .length = 8}};
    ck_assert_uint_eq(of_effect(&here), of_effect(&there));
}
END_TEST

START_TEST(what_is_between_the_fields_does_not_count)
{
    uint64_t values[2];
    for (int i = 0; i < 2; i++) {
        struct effect effect;
        struct event event;
        memset(&effect, i == 0 ? 0 : 0xff, sizeof(effect));
        memset(&event, i == 0 ? 0 : 0xff, sizeof(event));
        effect.kind = EFFECT_TIMER;
        effect.id = 0;
        effect.due_us = 12;
        event.kind = EVENT_ACCEPTED;
        event.mono_us = 1;
        event.wall_ms = 2;
        event.accepted.connection = 3;
        event.accepted.listener = 4;
        event.accepted.peer = SPAN("127.0.0.1:5");
        values[i] = of_effect(&effect) ^ of_event(&event, SPAN_NULL);
    }
    ck_assert_uint_eq(values[0], values[1]);
}
END_TEST

START_TEST(every_field_of_an_event_counts)
{
    struct distinct *distinct = calloc(1, sizeof(*distinct));
    struct event event = {.kind = EVENT_START};
    expect_new(distinct, of_event(&event, SPAN_NULL));
    for (size_t i = 0; i < START_ENTROPY_BYTES; i++) {
        event.start.entropy[i] = 1;
        expect_new(distinct, of_event(&event, SPAN_NULL));
    }
    for (enum event_kind kind = EVENT_ACCEPTED; kind <= EVENT_TURN_END; kind++) {
        event = (struct event){.kind = kind};
        expect_new(distinct, of_event(&event, SPAN_NULL));
        event.mono_us = 1;
        expect_new(distinct, of_event(&event, SPAN_NULL));
        event.wall_ms = 1;
        expect_new(distinct, of_event(&event, SPAN_NULL));
    }
    event = (struct event){.kind = EVENT_ACCEPTED, .accepted = {.connection = 1}};
    expect_new(distinct, of_event(&event, SPAN_NULL));
    event.accepted.listener = 1;
    expect_new(distinct, of_event(&event, SPAN_NULL));
    event.accepted.peer = SPAN("peer");
    expect_new(distinct, of_event(&event, SPAN_NULL));
    event = (struct event){.kind = EVENT_COMPLETED, .completed = {.effect = 1}};
    expect_new(distinct, of_event(&event, SPAN_NULL));
    event.completed.error = ERR_IO;
    expect_new(distinct, of_event(&event, SPAN_NULL));
    event.completed.count = 1;
    expect_new(distinct, of_event(&event, SPAN_NULL));
    expect_new(distinct, of_event(&event, SPAN("\0")));
    expect_new(distinct, of_event(&event, SPAN("payload")));
    free(distinct);
}
END_TEST

START_TEST(every_field_of_a_listed_entry_counts)
{
    struct distinct *distinct = calloc(1, sizeof(*distinct));
    struct folder_entry entries[2] = {{.name = SPAN("a")}, {.name = SPAN("b")}};
    struct event event = {.kind = EVENT_COMPLETED, .completed = {.entries = entries}};
    for (uint32_t count = 0; count <= 2; count++) {
        event.completed.entries_count = count;
        expect_new(distinct, of_event(&event, SPAN_NULL));
    }
    entries[1].size_bytes = 1;
    expect_new(distinct, of_event(&event, SPAN_NULL));
    entries[1].is_folder = true;
    expect_new(distinct, of_event(&event, SPAN_NULL));
    entries[1].name = SPAN("bc");
    expect_new(distinct, of_event(&event, SPAN_NULL));
    free(distinct);
}
END_TEST

/* One effect of a kind with a single field set, by its number; false past the last field. */
static bool with_field(struct effect *effect, int field)
{
    static const uint8_t bytes[] = "12";
    static const struct piece pieces[] = {
        {.data = bytes, .length = 1},
        {.data = bytes, .length = 2},
        {.data = bytes + 1, .length = 1},
        {.file = 1},
        {.offset = 1},
        {.length = 1},
        {.data = bytes, .length = 0},
    };
    const int pieces_count = (int)(sizeof(pieces) / sizeof(pieces[0]));
    if (field == 0) {
        effect->id = 1;
        return true;
    }
    switch (effect->kind) {
    case EFFECT_LISTEN:
        effect->listen.listener = field == 1;
        effect->listen.port = field == 2;
        effect->listen.host = field == 3 ? SPAN("::") : SPAN_NULL;
        return field <= 3;
    case EFFECT_WATCH:
    case EFFECT_CLOSE:
        effect->connection = 1;
        return field <= 1;
    case EFFECT_RECEIVE:
        effect->receive.connection = field == 1;
        effect->receive.length = field == 2;
        return field <= 2;
    case EFFECT_SEND:
        effect->send.connection = field == 1;
        effect->send.until_us = field == 2;
        effect->send.pieces = field >= 3 ? &pieces[(field - 3) % pieces_count] : NULL;
        effect->send.pieces_count = field >= 3;
        return field < 3 + pieces_count;
    case EFFECT_OPEN:
        effect->open.file = field == 1;
        effect->open.mode = field == 2 ? OPEN_CREATE : OPEN_READ;
        effect->open.folder = field == 3;
        effect->open.path = field == 4 ? SPAN("t-0") : SPAN_NULL;
        return field <= 4;
    case EFFECT_CLOSE_FILE:
    case EFFECT_SYNC:
        effect->file = 1;
        return field <= 1;
    case EFFECT_READ:
        effect->read.file = field == 1;
        effect->read.offset = field == 2;
        effect->read.length = field == 3;
        return field <= 3;
    case EFFECT_WRITE:
        effect->write.file = field == 1;
        effect->write.offset = field == 2;
        effect->write.pieces = field >= 3 ? &pieces[field % 3] : NULL;
        effect->write.pieces_count = field >= 3;
        return field < 6;
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        effect->range.file = field == 1;
        effect->range.offset = field == 2;
        effect->range.length = field == 3;
        return field <= 3;
    case EFFECT_LIST:
    case EFFECT_MAKE_FOLDER:
    case EFFECT_RENAME:
    case EFFECT_REMOVE:
    case EFFECT_SYNC_FOLDER:
        effect->path.folder = field == 1;
        effect->path.path = field == 2 ? SPAN("t-0") : SPAN_NULL;
        effect->path.path_to = field == 3 ? SPAN("t-0") : SPAN_NULL;
        return field <= 3;
    case EFFECT_TIMER:
        effect->due_us = 1;
        return field <= 1;
    case EFFECT_LOG:
    case EFFECT_STOPPED:
        effect->log.level = field == 1 ? LOG_DEBUG : LOG_ERROR;
        effect->log.failed = field == 2;
        effect->log.text = field == 3 ? SPAN("text") : SPAN_NULL;
        return field <= 3;
    case EFFECT_READY:
        return false;
    case EFFECT_CONNECT:
        effect->connect.port = field == 1;
        effect->connect.host = field == 2 ? SPAN("::") : SPAN_NULL;
        return field <= 2;
    }
    return false;
}

START_TEST(every_field_of_an_effect_counts)
{
    struct distinct *distinct = calloc(1, sizeof(*distinct));
    for (enum effect_kind kind = EFFECT_LISTEN; kind <= EFFECT_CONNECT; kind++) {
        struct effect effect = {.kind = kind};
        expect_new(distinct, of_effect(&effect));
        for (int field = 0;; field++) {
            effect = (struct effect){.kind = kind};
            if (!with_field(&effect, field))
                break;
            expect_new(distinct, of_effect(&effect));
        }
    }
    ck_assert_uint_ge(distinct->count, 80);
    free(distinct);
}
END_TEST

/* Where one piece ends and the next begins belongs to what is asked. */
START_TEST(the_cut_between_pieces_counts)
{
    static const uint8_t bytes[] = "abcdef";
    struct distinct *distinct = calloc(1, sizeof(*distinct));
    for (size_t cut = 0; cut <= 6; cut++) {
        const struct piece pieces[] = {{.data = bytes, .length = cut},
                                       {.data = bytes + cut, .length = 6 - cut}};
        const struct effect write = {.kind = EFFECT_WRITE,
                                     .write = {.pieces = pieces, .pieces_count = 2}};
        expect_new(distinct, of_effect(&write));
    }
    free(distinct);
}
END_TEST

SUITE(digest)
{
    TCase *tcase = tcase_create("digest");
    tcase_add_test(tcase, golden_values_stay);
    tcase_add_test(tcase, every_byte_and_the_length_count);
    tcase_add_test(tcase, the_address_does_not_count);
    tcase_add_test(tcase, what_is_between_the_fields_does_not_count);
    tcase_add_test(tcase, every_field_of_an_event_counts);
    tcase_add_test(tcase, every_field_of_a_listed_entry_counts);
    tcase_add_test(tcase, every_field_of_an_effect_counts);
    tcase_add_test(tcase, the_cut_between_pieces_counts);
    suite_add_tcase(suite, tcase);
}
