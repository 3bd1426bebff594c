/* SPDX-License-Identifier: Apache-2.0 */
/* What is said before a link is up, also by those that should not be there. */
#include <string.h>

#include "core/base/endian.h"
#include "core/wire/codec.h"
#include "tests/core/peer/rig.h"

#define PLAYED 3 /* the node that the test plays */

static struct peer_hello hello_of(uint8_t incarnation)
{
    struct peer_hello hello = {
        .magic = PEER_MAGIC,
        .cluster_id = SPAN("cluster"),
        .to_node_id = 1,
        .node_id = PLAYED,
        .version_lowest = PEER_VERSION_LOWEST,
        .version_highest = PEER_VERSION_HIGHEST,
    };
    hello.directory_id.bytes[0] = PLAYED;
    hello.incarnation.bytes[0] = PLAYED;
    hello.incarnation.bytes[1] = incarnation;
    return hello;
}

/* Any message as a frame. */
static struct small_frame frame_of(int16_t type, const struct wire_schema *schema,
                                   const void *message)
{
    struct small_frame frame;
    struct wire_writer writer = {.data = frame.bytes + 6, .capacity = sizeof(frame.bytes) - 6};
    ck_assert_int_eq(wire_encode(schema, 0, message, &writer), ERR_NONE);
    put_be32(frame.bytes, (uint32_t)writer.length + PEER_TYPE_BYTES);
    put_be16(frame.bytes + 4, (uint16_t)type);
    frame.length = (uint32_t)writer.length + 6;
    return frame;
}

static uint64_t say_hello(const struct rig_node *node, const struct peer_hello *hello)
{
    const struct small_frame frame = frame_of(PEER_HELLO, &wire_peer_hello, hello);
    const uint64_t connection = rig_dial(node);
    rig_say(node, connection, &frame);
    return connection;
}

/* Takes the welcome that came. */
static struct peer_welcome take_welcome(const struct rig_node *node, uint64_t connection)
{
    static struct small_frame frame;
    struct peer_welcome welcome;
    struct span body;
    ck_assert_int_eq(rig_hears(node, connection, &frame), PEER_WELCOME);
    frame_type(span_of(frame.bytes + 4, frame.length - 4), &body);
    ck_assert(frame_read_welcome(body, &welcome));
    return welcome;
}

static void say_nonce(const struct rig_node *node, uint64_t connection, int64_t nonce)
{
    struct small_frame frame;
    frame_heartbeat(nonce, &frame);
    rig_say(node, connection, &frame);
}

/* A hello and what belongs to it. Returns the connection. */
static uint64_t join(const struct rig_node *node, uint8_t incarnation)
{
    const struct peer_hello hello = hello_of(incarnation);
    const uint64_t connection = say_hello(node, &hello);
    say_nonce(node, connection, take_welcome(node, connection).nonce);
    return connection;
}

START_TEST(a_hello_is_welcomed)
{
    struct rig_node *node = rig_start(1);
    const struct peer_hello hello = hello_of(1);
    const uint64_t connection = say_hello(node, &hello);
    const struct peer_welcome welcome = take_welcome(node, connection);
    ck_assert(span_equal(welcome.cluster_id, SPAN("cluster")));
    ck_assert_int_eq(welcome.node_id, 1);
    ck_assert(uuid_equal(welcome.incarnation, node->identity.incarnation));
    ck_assert_int_eq(welcome.version, PEER_VERSION_HIGHEST);
    /* Nothing is known of it before the nonce comes back. */
    ck_assert_uint_eq(rig_heard_us(node, PLAYED), 0);
    say_nonce(node, connection, welcome.nonce);
    ck_assert_uint_ne(rig_heard_us(node, PLAYED), 0);
    /* What it says later is answered. */
    rig_advance(HEARTBEAT_MS);
    say_nonce(node, connection, welcome.nonce);
    struct small_frame frame;
    ck_assert_int_eq(rig_hears(node, connection, &frame), PEER_HEARTBEAT);
    ck_assert(!world_client_is_closed(node->world, connection));
}
END_TEST

/* What a node must not be welcomed with, and what its refusal and the log say. */
static const struct {
    const char *cluster_id;
    int32_t to_node_id;
    int32_t node_id;
    int16_t lowest;
    int16_t highest;
    int16_t error;
    const char *text;
} refusals[] = {
    {"another", 1, 3, 0, 0, ERR_INCONSISTENT_CLUSTER_ID, "cluster.id is another one"},
    {"cluster", 2, 3, 0, 0, ERR_INVALID_REQUEST, "has another node.id"},
    {"cluster", 1, 1, 0, 0, ERR_INVALID_REQUEST, "has another node.id"},
    {"cluster", 1, -1, 0, 0, ERR_INVALID_REQUEST, "has another node.id"},
    {"cluster", 1, 3, PEER_VERSION_HIGHEST + 1, PEER_VERSION_HIGHEST + 5, ERR_UNSUPPORTED_VERSION,
     "no version of the protocol"},
    {"cluster", 1, 3, -7, -1, ERR_UNSUPPORTED_VERSION, "no version of the protocol"},
    {"cluster", 1, 3, 9, 0, ERR_UNSUPPORTED_VERSION, "no version of the protocol"},
};

START_TEST(who_is_refused_learns_why)
{
    struct rig_node *node = rig_start(1);
    struct peer_hello hello = hello_of(1);
    hello.cluster_id = span_text(refusals[_i].cluster_id);
    hello.to_node_id = refusals[_i].to_node_id;
    hello.node_id = refusals[_i].node_id;
    hello.version_lowest = refusals[_i].lowest;
    hello.version_highest = refusals[_i].highest;
    const uint64_t connection = say_hello(node, &hello);
    struct small_frame frame;
    struct peer_refusal refusal;
    struct span body;
    ck_assert_int_eq(rig_hears(node, connection, &frame), PEER_REFUSAL);
    frame_type(span_of(frame.bytes + 4, frame.length - 4), &body);
    ck_assert(frame_read_refusal(body, &refusal));
    ck_assert_int_eq(refusal.error_code, refusals[_i].error);
    ck_assert(memmem(refusal.text.data, refusal.text.length, refusals[_i].text,
                     strlen(refusals[_i].text)) != NULL);
    ck_assert(world_logged(node->world, refusals[_i].text));
    ck_assert(world_client_is_closed(node->world, connection));
}
END_TEST

/* The highest version that both know. */
START_TEST(a_newer_node_is_spoken_to_as_we_can)
{
    struct rig_node *node = rig_start(1);
    struct peer_hello hello = hello_of(1);
    hello.version_highest = INT16_MAX;
    const uint64_t connection = say_hello(node, &hello);
    ck_assert_int_eq(take_welcome(node, connection).version, PEER_VERSION_HIGHEST);
}
END_TEST

START_TEST(an_older_node_is_spoken_to_as_it_can)
{
    struct rig_node *node = rig_start(1);
    struct peer_hello hello = hello_of(1);
    hello.version_highest = PEER_VERSION_LOWEST;
    const uint64_t connection = say_hello(node, &hello);
    ck_assert_int_eq(take_welcome(node, connection).version, PEER_VERSION_LOWEST);
}
END_TEST

/* A request of Kafka's, garbage, an announcement of very much, a frame that is none. */
static const struct {
    uint8_t bytes[16];
    uint32_t length;
} strangers[] = {
    {{0, 0, 0, 10, 0, 18, 0, 3, 0, 0, 0, 1, 0, 0}, 14},
    {{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, 11},
    {{0, 0, 0, 0}, 4},
    {{0, 0, 0, 1, 0}, 5},
    {{0xff, 0xff, 0xff, 0xff}, 4},
    {{0, 0, 0, 3, 0x6b, 0x70, 0}, 7},
    {{0, 0, 0, 2, 0, PEER_HEARTBEAT}, 6},
    {{0, 0, 0, 2, 0, PEER_MESSAGE_FIRST}, 6},
};

START_TEST(strangers_are_closed)
{
    struct rig_node *node = rig_start(1);
    const uint64_t connection = rig_dial(node);
    world_client_send(node->world, connection, span_of(strangers[_i].bytes, strangers[_i].length));
    rig_run();
    ck_assert(world_client_is_closed(node->world, connection));
    ck_assert(world_logged(node->world, "a connection to a listener for nodes is closed: "
                                        "from=127.0.0.1:40000 why="));
}
END_TEST

START_TEST(who_says_nothing_is_closed)
{
    struct rig_node *node = rig_start(1);
    const uint64_t connection = rig_dial(node);
    rig_advance(SILENCE_MS - 100);
    ck_assert(!world_client_is_closed(node->world, connection));
    rig_advance(200);
    ck_assert(world_client_is_closed(node->world, connection));
    ck_assert(world_logged(node->world, "did not say in time who it is"));
}
END_TEST

START_TEST(a_wrong_nonce_is_no_sign_of_life)
{
    struct rig_node *node = rig_start(1);
    const struct peer_hello hello = hello_of(1);
    const uint64_t connection = say_hello(node, &hello);
    say_nonce(node, connection, take_welcome(node, connection).nonce + 1);
    ck_assert(world_client_is_closed(node->world, connection));
    ck_assert_uint_eq(rig_heard_us(node, PLAYED), 0);
}
END_TEST

/* A node's newer connection takes the place of the older one. */
START_TEST(the_newer_connection_counts)
{
    struct rig_node *node = rig_start(1);
    const uint64_t first = join(node, 1);
    const uint64_t second = join(node, 1);
    ck_assert(world_client_is_closed(node->world, first));
    ck_assert(!world_client_is_closed(node->world, second));
    ck_assert_uint_eq(rig_count(node, TOLD_DIED, PLAYED), 0);
}
END_TEST

START_TEST(a_new_incarnation_proves_the_end_of_the_old_one)
{
    struct rig_node *node = rig_start(1);
    const uint64_t first = join(node, 1);
    const uint64_t second = join(node, 2);
    ck_assert_uint_eq(rig_count(node, TOLD_DIED, PLAYED), 1);
    ck_assert_uint_eq(node->told[0].incarnation.bytes[1], 1);
    ck_assert(world_client_is_closed(node->world, first));
    ck_assert(!world_client_is_closed(node->world, second));
}
END_TEST

/* The hello of a process that has ended, which was long on its way, is no news. */
START_TEST(a_late_hello_does_not_revive)
{
    struct rig_node *node = rig_start(1);
    const struct peer_hello old = hello_of(1);
    const uint64_t late = say_hello(node, &old);
    const struct peer_welcome welcome = take_welcome(node, late);
    const uint64_t good = join(node, 2);
    /* Its nonce, too, was under way. */
    say_nonce(node, late, welcome.nonce);
    ck_assert(world_client_is_closed(node->world, late));
    ck_assert(!world_client_is_closed(node->world, good));
    ck_assert_uint_eq(node->told_count, 0);
}
END_TEST

START_TEST(a_message_that_is_objected_to_ends_the_connection)
{
    struct rig_node *node = rig_start(1);
    const uint64_t connection = join(node, 1);
    node->objects = "it is not to our taste";
    const struct peer_heartbeat body = {.nonce = 1};
    const struct small_frame frame = frame_of(PEER_MESSAGE_FIRST, &wire_peer_heartbeat, &body);
    rig_say(node, connection, &frame);
    ck_assert_uint_eq(node->received_count, 1);
    ck_assert(world_client_is_closed(node->world, connection));
    ck_assert(world_logged(node->world, "node=3 from=127.0.0.1:40000 why=it is not to our taste"));
}
END_TEST

/* As a dialler: another cluster's node, told once however often it is dialled. */
START_TEST(a_refusal_is_told_once)
{
    struct rig_node *a = rig_start(1);
    rig_start(2);
    rig_nodes[2].identity.cluster_id = SPAN("another");
    peers_free(rig_nodes[2].peers);
    static const struct peers_settings settings = {.heartbeat_us = 500000, .silence_us = 2000000};
    rig_nodes[2].peers =
        peers_new(&rig_nodes[2].io, &rig_nodes[2].identity, &settings, &rig_nodes[2].observer);
    rig_know(1, 2);
    world_reset_counts(a->world);
    rig_advance(10000);
    ck_assert_uint_eq(a->told_count, 0);
    ck_assert_uint_ge(world_count(a->world, EFFECT_CONNECT), 8);
    ck_assert_uint_le(world_count(a->world, EFFECT_CONNECT), 30);
    ck_assert_uint_eq(world_count(a->world, EFFECT_LOG), 1);
    ck_assert(world_logged(a->world, "a node refused this one: node=2 host=n2 port=9093 why="));
}
END_TEST

SUITE(peer_handshake)
{
    TCase *tcase = tcase_create("handshake");
    tcase_add_checked_fixture(tcase, rig_begin, rig_end);
    tcase_add_test(tcase, a_hello_is_welcomed);
    tcase_add_loop_test(tcase, who_is_refused_learns_why, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(tcase, a_newer_node_is_spoken_to_as_we_can);
    tcase_add_test(tcase, an_older_node_is_spoken_to_as_it_can);
    tcase_add_loop_test(tcase, strangers_are_closed, 0, sizeof(strangers) / sizeof(strangers[0]));
    tcase_add_test(tcase, who_says_nothing_is_closed);
    tcase_add_test(tcase, a_wrong_nonce_is_no_sign_of_life);
    tcase_add_test(tcase, the_newer_connection_counts);
    tcase_add_test(tcase, a_new_incarnation_proves_the_end_of_the_old_one);
    tcase_add_test(tcase, a_late_hello_does_not_revive);
    tcase_add_test(tcase, a_message_that_is_objected_to_ends_the_connection);
    tcase_add_test(tcase, a_refusal_is_told_once);
    suite_add_tcase(suite, tcase);
}
