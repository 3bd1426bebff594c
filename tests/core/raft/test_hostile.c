/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that say anything, and records that are none: nothing of that may end the process. */
#include <string.h>

#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "tests/core/raft/story.h"

#define ROUNDS   20
#define MESSAGES 3000
#define BYTES    400

/* Numbers near those that matter. */
static int64_t draw_number(void)
{
    static const int64_t far[] = {INT64_MIN, INT32_MIN, INT32_MAX, INT64_MAX, 1 << 20};
    const uint32_t what = world_draw(&world, 20);
    if (what < sizeof(far) / sizeof(far[0]))
        return far[what];
    return (int64_t)world_draw(&world, 12) - 2;
}

static int32_t draw_term(const struct world_node *node)
{
    if (world_draw(&world, 30) == 0)
        return (int32_t)draw_number();
    return raft_status(node->raft).term + (int32_t)world_draw(&world, 3) - 1;
}

/* A batch of some log, whole or damaged, or any bytes. */
static struct buffer *draw_bytes(const struct world_node *node, struct span *ret_bytes)
{
    const struct world_entries *log = &node->disk.log;
    struct buffer *buffer = buffer_new(&world.memory, MEMORY_STATE, BYTES);
    size_t length = world_draw(&world, BYTES);
    memset(buffer->data, (int)world_draw(&world, 256), BYTES);
    if (log->count > 0 && world_draw(&world, 3) != 0) {
        const struct world_entry *entry = &log->items[world_draw(&world, log->count)];
        length = entry->length < BYTES ? entry->length : BYTES;
        memcpy(buffer->data, entry->bytes, length);
        if (world_draw(&world, 2) == 0)
            batch_patch(buffer->data, draw_number(), draw_term(node));
        else if (world_draw(&world, 2) == 0)
            buffer->data[world_draw(&world, (uint32_t)length)] ^= 1;
    }
    *ret_bytes = world_draw(&world, 4) == 0 ? SPAN_NULL : span_of(buffer->data, length);
    return buffer;
}

static void draw_message(const struct world_node *node, struct raft_message *message,
                         struct span bytes)
{
    union raft_message_body *body = &message->body;
    memset(message, 0, sizeof(*message));
    message->type = (enum raft_message_type)(RAFT_MESSAGE_VOTE + world_draw(&world, 10));
    switch (message->type) {
    case RAFT_MESSAGE_VOTE:
        body->vote = (struct raft_vote){draw_term(node), world_draw(&world, 2),
                                        world_draw(&world, 2), draw_number(), draw_term(node)};
        break;
    case RAFT_MESSAGE_VOTED:
        body->voted = (struct raft_voted){.term = draw_term(node),
                                          .asked_term = draw_term(node),
                                          .pre_vote = world_draw(&world, 2),
                                          .granted = world_draw(&world, 2),
                                          .leader_id = (int32_t)draw_number()};
        break;
    case RAFT_MESSAGE_APPEND:
        body->append = (struct raft_append){draw_term(node), draw_number(), draw_number(),
                                            draw_term(node), draw_number(), bytes};
        break;
    case RAFT_MESSAGE_APPENDED:
        body->appended =
            (struct raft_appended){draw_term(node), draw_number(), world_draw(&world, 2),
                                   draw_number(),   draw_number(), draw_term(node)};
        break;
    case RAFT_MESSAGE_SNAPSHOT:
        body->snapshot = (struct raft_snapshot){draw_term(node),
                                                draw_number(),
                                                draw_number(),
                                                draw_term(node),
                                                1 + world_draw(&world, BYTES),
                                                draw_number(),
                                                bytes};
        break;
    case RAFT_MESSAGE_SNAPPED:
        body->snapped =
            (struct raft_snapped){draw_term(node), draw_number(), draw_number(),
                                  draw_term(node), draw_number(), world_draw(&world, 2)};
        break;
    case RAFT_MESSAGE_FOLLOW:
        body->follow.term = draw_term(node);
        break;
    case RAFT_MESSAGE_STAND:
        body->stand.term = draw_term(node);
        break;
    case RAFT_MESSAGE_FORM:
        body->form = (struct raft_form){(int8_t)draw_number(), 7, world_draw(&world, 2)};
        break;
    case RAFT_MESSAGE_FORM_FIRST:
        body->form_first.records = bytes;
        break;
    }
}

/* The judges are not asked: somebody lies. Snapshots would be the host's to judge. */
START_TEST(any_message_is_survived)
{
    world_init(&world, (uint64_t)_i + 1, _i % 4 == 0 ? 1 : 3, 1);
    for (uint32_t i = 0; i < world.nodes_count; i++)
        world_start(&world.nodes[i]);
    if (_i % 3 != 0)
        world_run(&world, 2000000);
    for (int i = 0; i < MESSAGES; i++) {
        struct world_node *node = &world.nodes[world_draw(&world, world.nodes_count)];
        struct span bytes;
        struct raft_message message;
        if (node->is_cutting || node->is_installing || raft_status(node->raft).term > 1 << 30)
            continue;
        struct buffer *buffer = draw_bytes(node, &bytes);
        struct raft_id from = world_id(&world.nodes[world_draw(&world, world.nodes_count)]);
        if (world_draw(&world, 8) == 0)
            from.directory.bytes[0] ^= 1;
        draw_message(node, &message, bytes);
        if (message.type == RAFT_MESSAGE_SNAPSHOT)
            message.body.snapshot.position = 1; /* never whole */
        raft_receive(node->raft, from, &message, buffer);
        world_end_turn(node);
        buffer_release(buffer);
        world.violation = NULL;
        if (world_draw(&world, 8) == 0)
            world_run(&world, world_draw(&world, 20000));
        world.violation = NULL;
    }
    story_end();
}
END_TEST

/* ---- Records ---- */

static struct voters_record_voter voters[RAFT_VOTERS_MAX + 1];

static int decode(const struct voters_record *record)
{
    struct raft_voters *ret = NULL;
    const int error = raft_voters_copy(&world.memory, 5, record, &ret);
    if (error == ERR_NONE) {
        ck_assert_int_eq(ret->offset, 5);
        ck_assert_int_eq(ret->record.voters_count, record->voters_count);
    }
    raft_voters_free(ret);
    return error;
}

START_TEST(sets_of_voters_have_limits)
{
    struct voters_record record = {.voters = voters};
    world_init(&world, 1, 1, 0);
    ck_assert_int_eq(decode(&record), ERR_CORRUPT_MESSAGE); /* nobody */
    for (int32_t i = 0; i <= RAFT_VOTERS_MAX; i++)
        voters[i] = (struct voters_record_voter){.voter_id = i, .voter_directory_id = {{1}}};
    record.voters_count = RAFT_VOTERS_MAX;
    ck_assert_int_eq(decode(&record), ERR_NONE);
    record.voters_count = RAFT_VOTERS_MAX + 1;
    ck_assert_int_eq(decode(&record), ERR_CORRUPT_MESSAGE);
    record.voters_count = 2;
    voters[1].voter_id = 0; /* a node with two folders */
    ck_assert_int_eq(decode(&record), ERR_CORRUPT_MESSAGE);
    voters[1].voter_id = -1;
    ck_assert_int_eq(decode(&record), ERR_CORRUPT_MESSAGE);
    struct raft_voters *ret;
    ck_assert_int_eq(raft_voters_decode(&world.memory, 0, SPAN("\x00\x00\x7f"), &ret),
                     ERR_CORRUPT_MESSAGE);
    story_end();
}
END_TEST

/* The bytes of Kafka: a control batch, version 0 and type 6 as the key. */
START_TEST(control_records_are_kafkas)
{
    struct voters_record record = {.voters = voters, .voters_count = 1};
    struct span value;
    struct batch_info info;
    world_init(&world, 1, 1, 0);
    voters[0] = (struct voters_record_voter){.voter_id = 3, .voter_directory_id = {{1}}};
    struct buffer *buffer =
        control_batch(&world.memory, CONTROL_VOTERS, &wire_voters_record, &record, 7, 2, 1000);
    batch_info_read(buffer->data, &info);
    ck_assert(batch_is_control(&info));
    ck_assert_int_eq(info.base_offset, 7);
    ck_assert_int_eq(info.leader_epoch, 2);
    static const uint8_t key[] = {8, 0, 0, 0, 6}; /* behind its length, 4 */
    ck_assert_ptr_nonnull(memmem(buffer->data, buffer->capacity, key, sizeof(key)));
    const struct span batch = span_of(buffer->data, buffer->capacity);
    ck_assert_int_eq(control_find(batch, CONTROL_VOTERS, &value), ERR_NONE);
    ck_assert_uint_eq(value.length, wire_size(&wire_voters_record, 0, &record));
    ck_assert_int_eq(control_find(batch, CONTROL_LEADER_CHANGE, &value), ERR_NONE);
    ck_assert(span_is_null(value));
    buffer_release(buffer);
    story_end();
}
END_TEST

SUITE(hostile)
{
    TCase *tcase = tcase_create("hostile");
    tcase_add_loop_test(tcase, any_message_is_survived, 0, ROUNDS);
    tcase_add_test(tcase, sets_of_voters_have_limits);
    tcase_add_test(tcase, control_records_are_kafkas);
    suite_add_tcase(suite, tcase);
}
