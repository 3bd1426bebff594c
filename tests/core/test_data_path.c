/* SPDX-License-Identifier: Apache-2.0 */
/* Stories of one broker and its clients: produce, fetch, and what survives. */
#include "core/base/check.h"
#include "core/records/batch.h"
#include "core/wire/error.h"
#include "tests/support/client.h"
#include "tests/support/fetch.h"
#include "tests/support/node.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

#define FETCH_VERSION 12

static struct node node;

static void start_with(const char *const *settings)
{
    node_init(&node, 7, settings);
    ck_assert(node_start(&node));
}

static void start(void)
{
    start_with(NULL);
}

static void end(void)
{
    node_free(&node);
}

static const struct fetch_response_response_partition *fetch(struct client *client,
                                                             struct span topic, int64_t offset)
{
    const struct fetch_response *response =
        client_call(client, API_FETCH, FETCH_VERSION, fetch_of(client, topic, offset, 0));
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    return &response->responses[0].partitions[0];
}

START_TEST(an_empty_folder_is_formatted_and_served)
{
    struct client *client = client_new(node.world);
    const struct api_versions_response *response =
        client_call(client, API_API_VERSIONS, 0, client_request(client, API_API_VERSIONS));
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    ck_assert_int_gt(response->api_keys_count, 0);
    ck_assert(!span_is_null(world_file(node.world, "meta.properties")));
    client_free(client);
}
END_TEST

START_TEST(what_was_produced_is_fetched)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    const struct span batch = batch_of(client, 3, SPAN("hello"));
    ck_assert_int_eq(produce(client, SPAN("story"), -1, batch)->base_offset, 0);
    ck_assert_int_eq(produce(client, SPAN("story"), 1, batch)->base_offset, 3);
    const struct fetch_response_response_partition *fetched = fetch(client, SPAN("story"), 0);
    ck_assert_int_eq(fetched->error_code, ERR_NONE);
    ck_assert_int_eq(fetched->high_watermark, 6);
    ck_assert_uint_eq(fetched->records.length, 2 * batch.length);
    struct batch_info info;
    batch_info_read(fetched->records.data + batch.length, &info);
    ck_assert_int_eq(info.base_offset, 3);
    client_free(client);
}
END_TEST

/* It was found empty, and nobody watches it while the next is being loaded. */
START_TEST(what_comes_while_another_partition_is_loaded_is_told_at_once)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 2);
    struct produce_request *other =
        produce_of(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")));
    other->topic_data[0].partition_data[0].index = 1;
    ck_assert_ptr_nonnull(client_call(client, API_PRODUCE, PRODUCE_VERSION, other));
    client_free(client);
    node_kill(&node);
    world_hold(node.world, EFFECT_LIST, "story-1");
    ck_assert(node_start(&node));
    client = client_new(node.world);
    struct client *reader = client_new(node.world);
    struct fetch_request *request = fetch_of(reader, SPAN("story"), 0, 30000);
    struct fetch_request_topic_partition *partitions =
        arena_array(client_arena(reader), 2, sizeof(*partitions));
    partitions[0] = request->topics[0].partitions[0];
    partitions[1] = partitions[0];
    partitions[1].partition = 1;
    partitions[1].fetch_offset = 1;
    request->topics[0].partitions = partitions;
    request->topics[0].partitions_count = 2;
    client_send(reader, API_FETCH, FETCH_VERSION, request);
    world_run(node.world);
    ck_assert_ptr_nonnull(produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("y"))));
    ck_assert_ptr_null(client_take(reader));
    world_release(node.world);
    world_run(node.world);
    const struct fetch_response *response = client_take(reader);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses[0].partitions[0].high_watermark, 1);
    ck_assert_uint_gt(response->responses[0].partitions[0].records.length, 0);
    client_free(reader);
    client_free(client);
}
END_TEST

START_TEST(acks_all_is_answered_only_after_the_sync)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("first")));
    world_hold(node.world, EFFECT_SYNC, "story-0");
    ck_assert_ptr_null(produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x"))));
    world_release(node.world);
    world_run(node.world);
    const struct produce_response *response = client_take(client);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses[0].partition_responses[0].base_offset, 1);
    client_free(client);
}
END_TEST

START_TEST(acks_1_is_answered_after_the_write_and_not_shown_before_the_sync)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("first")));
    world_hold(node.world, EFFECT_SYNC, "story-0");
    ck_assert_ptr_nonnull(produce(client, SPAN("story"), 1, batch_of(client, 1, SPAN("x"))));
    ck_assert_int_eq(fetch(client, SPAN("story"), 0)->high_watermark, 1);
    world_release(node.world);
    world_run(node.world);
    ck_assert_int_eq(fetch(client, SPAN("story"), 0)->high_watermark, 2);
    client_free(client);
}
END_TEST

START_TEST(with_write_caching_nothing_waits_for_a_sync)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    world_hold(node.world, EFFECT_SYNC, "story-0/0");
    ck_assert_ptr_nonnull(produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x"))));
    ck_assert_int_eq(fetch(client, SPAN("story"), 0)->high_watermark, 1);
    client_free(client);
}
END_TEST

START_TEST(a_parked_fetch_is_woken_by_the_append)
{
    struct client *consumer = client_new(node.world);
    struct client *producer = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    client_send(consumer, API_FETCH, FETCH_VERSION, fetch_of(consumer, SPAN("story"), 0, 5000));
    world_run(node.world);
    ck_assert_ptr_null(client_take(consumer));
    produce(producer, SPAN("story"), 1, batch_of(producer, 1, SPAN("x")));
    world_run(node.world);
    const struct fetch_response *response = client_take(consumer);
    ck_assert_ptr_nonnull(response);
    ck_assert_uint_gt(response->responses[0].partitions[0].records.length, 0);
    client_free(consumer);
    client_free(producer);
}
END_TEST

START_TEST(a_parked_fetch_ends_with_its_time)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    client_send(client, API_FETCH, FETCH_VERSION, fetch_of(client, SPAN("story"), 0, 500));
    world_run(node.world);
    world_advance_ms(node.world, 499);
    ck_assert_ptr_null(client_take(client));
    world_advance_ms(node.world, 2);
    world_run(node.world);
    const struct fetch_response *response = client_take(client);
    ck_assert_ptr_nonnull(response);
    ck_assert_uint_eq(response->responses[0].partitions[0].records.length, 0);
    client_free(client);
}
END_TEST

START_TEST(replies_keep_the_order_of_requests)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    client_send(client, API_FETCH, FETCH_VERSION, fetch_of(client, SPAN("story"), 0, 500));
    client_send(client, API_API_VERSIONS, 0, client_request(client, API_API_VERSIONS));
    world_run(node.world);
    ck_assert_ptr_null(client_take(client));
    world_advance_ms(node.world, 501);
    world_run(node.world);
    ck_assert_ptr_nonnull(client_take(client));
    ck_assert_ptr_nonnull(client_take(client));
    client_free(client);
}
END_TEST

START_TEST(the_log_goes_on_where_it_ended)
{
    static void (*const ends[])(struct node *) = {node_stop, node_kill, node_power_loss};
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    produce(client, SPAN("story"), -1, batch_of(client, 2, SPAN("x")));
    client_free(client);
    ends[_i](&node);
    ck_assert(node_start(&node));
    client = client_new(node.world);
    ck_assert_int_eq(fetch(client, SPAN("story"), 0)->high_watermark, 2);
    ck_assert_int_eq(
        produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("y")))->base_offset, 2);
    /* Another process never appends under the leader epoch of the one before. */
    const struct span records = fetch(client, SPAN("story"), 0)->records;
    struct batch_info first;
    batch_info_read(records.data, &first);
    struct batch_info second;
    batch_info_read(records.data + first.size_bytes, &second);
    ck_assert_int_gt(second.leader_epoch, first.leader_epoch);
    client_free(client);
}
END_TEST

/* The leader epoch of the last batch of a topic's partition 0. */
static int32_t last_epoch(struct client *client, struct span topic)
{
    const struct span records = fetch(client, topic, 0)->records;
    struct batch_info info = {0};
    for (size_t at = 0; at < records.length; at += info.size_bytes)
        batch_info_read(records.data + at, &info);
    return info.leader_epoch;
}

/* Metadata that were put back from an earlier copy know of fewer leader epochs than the log. */
START_TEST(no_append_is_under_an_epoch_that_the_log_is_beyond)
{
    static const char wal[] = "__cluster_metadata-0/00000000000000000000.log";
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    client_free(client);
    node_kill(&node);
    const struct span file = world_file(node.world, wal);
    uint8_t *copy = malloc(file.length);
    memcpy(copy, file.data, file.length);
    for (int life = 0; life < 3; life++) {
        ck_assert(node_start(&node));
        client = client_new(node.world);
        produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")));
        client_free(client);
        node_kill(&node);
    }
    world_put_file(node.world, wal, span_of(copy, file.length));
    free(copy);
    ck_assert(node_start(&node));
    client = client_new(node.world);
    const int32_t before = last_epoch(client, SPAN("story"));
    int16_t error = ERR_NOT_LEADER_OR_FOLLOWER;
    int tries = 0;
    for (; tries < 10 && error == ERR_NOT_LEADER_OR_FOLLOWER; tries++)
        error = produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("y")))->error_code;
    ck_assert_int_eq(error, ERR_NONE);
    ck_assert_int_gt(tries, 1);
    ck_assert_int_gt(last_epoch(client, SPAN("story")), before);
    ck_assert(world_logged(node.world, "metadata know of fewer leader epochs"));
    client_free(client);
}
END_TEST

static void delete_topic(struct client *client, struct span name)
{
    struct delete_topics_request *request = client_request(client, API_DELETE_TOPICS);
    request->topic_names = &name;
    request->topic_names_count = 1;
    request->timeout_ms = 1000;
    const struct delete_topics_response *response =
        client_call(client, API_DELETE_TOPICS, 4, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses[0].error_code, ERR_NONE);
}

START_TEST(a_topic_made_again_begins_anew)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    produce(client, SPAN("story"), -1, batch_of(client, 2, SPAN("old")));
    client_free(client);
    node_stop(&node);
    ck_assert(node_start(&node));
    client = client_new(node.world);
    for (int i = 0; i < 2; i++) {
        delete_topic(client, SPAN("story"));
        node_create_topic(&node, SPAN("story"), 1);
        ck_assert_int_eq(
            produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("new")))->base_offset, 0);
    }
    ck_assert(!world_is_stopped(node.world));
    client_free(client);
}
END_TEST

START_TEST(a_topic_made_again_waits_until_the_old_one_gave_its_name_up)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    produce(client, SPAN("story"), -1, batch_of(client, 2, SPAN("old")));
    world_hold(node.world, EFFECT_RENAME, "story-0");
    delete_topic(client, SPAN("story"));
    node_create_topic(&node, SPAN("story"), 1);
    ck_assert_ptr_null(produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("new"))));
    world_release(node.world);
    world_run(node.world);
    const struct produce_response *response = client_take(client);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->responses[0].partition_responses[0].error_code, ERR_NONE);
    client_free(client);
    node_power_loss(&node);
    ck_assert(node_start(&node));
    client = client_new(node.world);
    ck_assert_int_eq(fetch(client, SPAN("story"), 0)->high_watermark, 1);
    client_free(client);
}
END_TEST

START_TEST(a_failed_sync_is_never_believed)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")));
    world_fail(node.world, EFFECT_SYNC, "story-0", 0, 1, ERR_IO, 0);
    const struct produce_response_response_partition_response *answer =
        produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("y")));
    ck_assert(answer == NULL || answer->error_code == ERR_KAFKA_STORAGE_ERROR);
    ck_assert(world_is_stopped(node.world));
    client_free(client);
}
END_TEST

START_TEST(a_full_disk_refuses_produce_and_serves_fetch)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")));
    world_fail(node.world, EFFECT_WRITE, "story-0", 0, 1, ERR_NO_SPACE, 10);
    ck_assert_int_eq(produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("y")))->error_code,
                     ERR_KAFKA_STORAGE_ERROR);
    ck_assert_int_eq(fetch(client, SPAN("story"), 0)->high_watermark, 1);
    ck_assert_int_eq(
        produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("z")))->base_offset, 1);
    const struct span records = fetch(client, SPAN("story"), 0)->records;
    struct batch_info first;
    batch_info_read(records.data, &first);
    struct batch_info second;
    batch_info_read(records.data + first.size_bytes, &second);
    ck_assert_int_gt(second.leader_epoch, first.leader_epoch);
    client_free(client);
}
END_TEST

/* The disk was so full that the higher leader epoch could not be written either: it is asked for
 * again by whoever appends, and when a while has gone by. */
START_TEST(a_partition_serves_again_when_a_full_disk_has_room)
{
    const int tries_most = _i == 0 ? 5 : 1;
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    world_fail(node.world, EFFECT_WRITE, "story-0", 0, 1, ERR_NO_SPACE, 10);
    world_fail(node.world, EFFECT_WRITE, "__cluster_metadata-0", 0, 2, ERR_NO_SPACE, 0);
    ck_assert_int_eq(produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")))->error_code,
                     ERR_KAFKA_STORAGE_ERROR);
    if (_i == 1)
        world_advance_ms(node.world, 2000);
    int16_t error = ERR_UNKNOWN_SERVER_ERROR;
    for (int tries = 0; tries < tries_most && error != ERR_NONE; tries++)
        error = produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")))->error_code;
    ck_assert_int_eq(error, ERR_NONE);
    client_free(client);
}
END_TEST

START_TEST(acks_0_gets_no_answer_and_an_error_closes)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    ck_assert_ptr_null(produce(client, SPAN("story"), 0, batch_of(client, 1, SPAN("x"))));
    ck_assert(!client_is_closed(client));
    client_send(client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(client, SPAN("nowhere"), 0, batch_of(client, 1, SPAN("x"))));
    world_run(node.world);
    ck_assert(client_is_closed(client));
    client_free(client);
}
END_TEST

START_TEST(acks_other_than_0_1_all_are_refused)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    ck_assert_int_eq(produce(client, SPAN("story"), 2, batch_of(client, 1, SPAN("x")))->error_code,
                     ERR_INVALID_REQUIRED_ACKS);
    client_free(client);
}
END_TEST

/* As Kafka 4.3.1 does. */
START_TEST(acks_all_needs_no_more_replicas_than_there_are)
{
    static const char *const settings[] = {"min.insync.replicas", "2", NULL};
    end();
    start_with(settings);
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    ck_assert_int_eq(
        produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")))->base_offset, 0);
    client_free(client);
}
END_TEST

START_TEST(connections_beyond_the_limits_are_closed)
{
    static const char *const settings[][3] = {{"max.connections", "2", NULL},
                                              {"max.connections.per.ip", "2", NULL}};
    end();
    start_with(settings[_i]);
    struct client *clients[3];
    for (int i = 0; i < 3; i++)
        clients[i] = client_new(node.world);
    ck_assert(!client_is_closed(clients[0]));
    ck_assert(!client_is_closed(clients[1]));
    ck_assert(client_is_closed(clients[2]));
    for (int i = 0; i < 3; i++)
        client_free(clients[i]);
}
END_TEST

START_TEST(a_fetch_beyond_the_end_or_before_the_start_is_out_of_range)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")));
    ck_assert_int_eq(fetch(client, SPAN("story"), 1)->error_code, ERR_NONE);
    ck_assert_int_eq(fetch(client, SPAN("story"), 2)->error_code, ERR_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(fetch(client, SPAN("story"), -5)->error_code, ERR_OFFSET_OUT_OF_RANGE);
    client_free(client);
}
END_TEST

START_TEST(malformed_requests_end_only_their_own_connection)
{
    static const struct {
        const char *what;
        uint8_t bytes[12];
        size_t length;
    } frames[] = {
        {"no such API", {0x7f, 0x7f, 0, 0, 0, 0, 0, 1, 0xff, 0xff}, 10},
        {"no such version", {0, 3, 0x7f, 0, 0, 0, 0, 1, 0xff, 0xff}, 10},
        {"a body cut short", {0, 0, 0, 3, 0, 0, 0, 1, 0xff, 0xff}, 10},
        {"too short for a header", {0, 3}, 2},
    };
    struct client *good = client_new(node.world);
    struct client *bad = client_new(node.world);
    client_send_raw(bad, span_of(frames[_i].bytes, frames[_i].length));
    world_run(node.world);
    ck_assert_msg(client_is_closed(bad), "%s", frames[_i].what);
    ck_assert_ptr_nonnull(
        client_call(good, API_API_VERSIONS, 0, client_request(good, API_API_VERSIONS)));
    client_free(good);
    client_free(bad);
}
END_TEST

START_TEST(a_request_in_pieces_is_a_request)
{
    world_set_receive_max(node.world, 1);
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    ck_assert_int_eq(
        produce(client, SPAN("story"), -1, batch_of(client, 1, SPAN("x")))->base_offset, 0);
    client_free(client);
}
END_TEST

START_TEST(an_idle_broker_has_no_deadline)
{
    struct client *client = client_new(node.world);
    node_create_topic(&node, SPAN("story"), 1);
    world_client_close(node.world, client_connection(client));
    world_advance_ms(node.world, 3600 * 1000);
    world_run(node.world);
    ck_assert_uint_eq(world_next_timer_us(node.world), TIMER_NEVER);
    client_free(client);
}
END_TEST

static void start_caching(void)
{
    static const char *const settings[] = {"write.caching.default", "true", NULL};
    start_with(settings);
}

SUITE(data_path)
{
    TCase *tcase = tcase_create("broker");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, an_empty_folder_is_formatted_and_served);
    tcase_add_test(tcase, what_was_produced_is_fetched);
    tcase_add_test(tcase, what_comes_while_another_partition_is_loaded_is_told_at_once);
    tcase_add_test(tcase, acks_all_is_answered_only_after_the_sync);
    tcase_add_test(tcase, acks_1_is_answered_after_the_write_and_not_shown_before_the_sync);
    tcase_add_test(tcase, a_parked_fetch_is_woken_by_the_append);
    tcase_add_test(tcase, a_parked_fetch_ends_with_its_time);
    tcase_add_test(tcase, replies_keep_the_order_of_requests);
    tcase_add_test(tcase, no_append_is_under_an_epoch_that_the_log_is_beyond);
    tcase_add_loop_test(tcase, the_log_goes_on_where_it_ended, 0, 3);
    tcase_add_test(tcase, a_topic_made_again_begins_anew);
    tcase_add_test(tcase, a_topic_made_again_waits_until_the_old_one_gave_its_name_up);
    tcase_add_test(tcase, a_failed_sync_is_never_believed);
    tcase_add_test(tcase, a_full_disk_refuses_produce_and_serves_fetch);
    tcase_add_loop_test(tcase, a_partition_serves_again_when_a_full_disk_has_room, 0, 2);
    tcase_add_test(tcase, acks_0_gets_no_answer_and_an_error_closes);
    tcase_add_test(tcase, acks_other_than_0_1_all_are_refused);
    tcase_add_test(tcase, acks_all_needs_no_more_replicas_than_there_are);
    tcase_add_loop_test(tcase, connections_beyond_the_limits_are_closed, 0, 2);
    tcase_add_test(tcase, a_fetch_beyond_the_end_or_before_the_start_is_out_of_range);
    tcase_add_loop_test(tcase, malformed_requests_end_only_their_own_connection, 0, 4);
    tcase_add_test(tcase, a_request_in_pieces_is_a_request);
    tcase_add_test(tcase, an_idle_broker_has_no_deadline);
    suite_add_tcase(suite, tcase);
    TCase *caching = tcase_create("write caching");
    tcase_add_checked_fixture(caching, start_caching, end);
    tcase_add_test(caching, with_write_caching_nothing_waits_for_a_sync);
    suite_add_tcase(suite, caching);
}
