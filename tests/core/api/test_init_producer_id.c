/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/brokers.h"
#include "tests/core/api/admin.h"

#define NEWEST 5

static struct admin admin;

static void set_up(void)
{
    admin_start(&admin, NULL);
}

static void tear_down(void)
{
    admin_end(&admin);
}

static struct init_producer_id_request *asking(void)
{
    struct init_producer_id_request *request = client_request(admin.client, API_INIT_PRODUCER_ID);
    request->transactional_id = SPAN_NULL;
    request->producer_id = -1;
    request->producer_epoch = -1;
    return request;
}

static const struct init_producer_id_response *call(int16_t version,
                                                    const struct init_producer_id_request *request)
{
    const struct init_producer_id_response *response =
        client_call(admin.client, API_INIT_PRODUCER_ID, version, request);
    ck_assert_ptr_nonnull(response);
    return response;
}

START_TEST(every_version_gives_a_fresh_id)
{
    for (int16_t version = 0; version <= NEWEST; version++) {
        const struct init_producer_id_response *response = call(version, asking());
        ck_assert_int_eq(response->error_code, ERR_NONE);
        ck_assert_int_eq(response->producer_id, version);
        ck_assert_int_eq(response->producer_epoch, 0);
    }
}
END_TEST

START_TEST(no_process_gives_an_id_of_an_earlier_one)
{
    ck_assert_int_eq(call(NEWEST, asking())->producer_id, 0);
    admin_restart(&admin);
    ck_assert_int_eq(call(NEWEST, asking())->producer_id, PRODUCER_IDS_BLOCK);
}
END_TEST

START_TEST(ids_go_on_behind_a_block)
{
    for (int64_t id = 0; id < 2 * PRODUCER_IDS_BLOCK + 1; id++)
        ck_assert_int_eq(call(NEWEST, asking())->producer_id, id);
}
END_TEST

START_TEST(ids_wait_for_their_block_to_be_durable)
{
    world_hold(admin.node.world, EFFECT_SYNC, "__cluster_metadata-0");
    const struct init_producer_id_request *request = asking();
    client_send(admin.client, API_INIT_PRODUCER_ID, NEWEST, request);
    client_send(admin.client, API_INIT_PRODUCER_ID, NEWEST, request);
    world_run(admin.node.world);
    ck_assert_ptr_null(client_take(admin.client));
    world_release(admin.node.world);
    world_run(admin.node.world);
    for (int64_t id = 0; id < 2; id++) {
        const struct init_producer_id_response *response = client_take(admin.client);
        ck_assert_ptr_nonnull(response);
        ck_assert_int_eq(response->producer_id, id);
    }
}
END_TEST

START_TEST(a_client_that_goes_while_it_waits_takes_no_id)
{
    struct client *other = client_new(admin.node.world);
    const struct init_producer_id_request *request = asking();
    world_hold(admin.node.world, EFFECT_SYNC, "__cluster_metadata-0");
    client_send(other, API_INIT_PRODUCER_ID, NEWEST, request);
    world_run(admin.node.world);
    world_client_close(admin.node.world, client_connection(other));
    world_run(admin.node.world);
    world_release(admin.node.world);
    world_run(admin.node.world);
    ck_assert_int_eq(call(NEWEST, request)->producer_id, 0);
    client_free(other);
}
END_TEST

START_TEST(transactions_are_refused_for_good)
{
    struct init_producer_id_request *request = asking();
    request->transactional_id = SPAN("t");
    const struct init_producer_id_response *response = call(NEWEST, request);
    ck_assert_int_eq(response->error_code, ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    ck_assert_int_eq(response->producer_id, -1);
    ck_assert_int_eq(response->producer_epoch, -1);
    request->transactional_id = SPAN("");
    ck_assert_int_eq(call(NEWEST, request)->error_code, ERR_INVALID_REQUEST);
}
END_TEST

START_TEST(id_and_epoch_come_together)
{
    struct init_producer_id_request *request = asking();
    request->producer_id = 5;
    ck_assert_int_eq(call(NEWEST, request)->error_code, ERR_INVALID_REQUEST);
    request->producer_epoch = 0;
    ck_assert_int_eq(call(NEWEST, request)->error_code, ERR_NONE);
}
END_TEST

START_TEST(a_full_disk_gives_none)
{
    world_fail(admin.node.world, EFFECT_WRITE, "__cluster_metadata-0", 0, 1, ERR_NO_SPACE, 0);
    ck_assert_int_eq(call(NEWEST, asking())->error_code, ERR_KAFKA_STORAGE_ERROR);
    ck_assert_int_eq(call(NEWEST, asking())->error_code, ERR_NONE);
}
END_TEST

SUITE(init_producer_id)
{
    TCase *tcase = tcase_create("init_producer_id");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_version_gives_a_fresh_id);
    tcase_add_test(tcase, no_process_gives_an_id_of_an_earlier_one);
    tcase_add_test(tcase, ids_go_on_behind_a_block);
    tcase_add_test(tcase, ids_wait_for_their_block_to_be_durable);
    tcase_add_test(tcase, a_client_that_goes_while_it_waits_takes_no_id);
    tcase_add_test(tcase, transactions_are_refused_for_good);
    tcase_add_test(tcase, id_and_epoch_come_together);
    tcase_add_test(tcase, a_full_disk_gives_none);
    suite_add_tcase(suite, tcase);
}
