/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/api/admin.h"

#define NEWEST 2

static struct admin admin;

static void set_up(void)
{
    admin_start(&admin, NULL);
}

static void tear_down(void)
{
    admin_end(&admin);
}

static const struct describe_cluster_response *call(int16_t version, int8_t endpoint_type)
{
    struct describe_cluster_request *request = client_request(admin.client, API_DESCRIBE_CLUSTER);
    request->endpoint_type = endpoint_type;
    request->include_cluster_authorized_operations = endpoint_type == 1 && version == 1;
    const struct describe_cluster_response *response =
        client_call(admin.client, API_DESCRIBE_CLUSTER, version, request);
    ck_assert_ptr_nonnull(response);
    return response;
}

START_TEST(it_agrees_with_metadata)
{
    const struct metadata_response *metadata = admin_metadata(&admin, 13, NULL, 0);
    for (int16_t version = 0; version <= NEWEST; version++) {
        const struct describe_cluster_response *response = call(version, 1);
        ck_assert_int_eq(response->error_code, ERR_NONE);
        ck_assert(span_equal(response->cluster_id, metadata->cluster_id));
        ck_assert_int_eq(response->controller_id, metadata->controller_id);
        ck_assert_int_eq(response->brokers_count, 1);
        ck_assert_int_eq(response->brokers[0].broker_id, metadata->brokers[0].node_id);
        ck_assert(span_equal(response->brokers[0].host, metadata->brokers[0].host));
        ck_assert_int_eq(response->brokers[0].port, metadata->brokers[0].port);
        ck_assert(!response->brokers[0].is_fenced);
        ck_assert_int_eq(response->cluster_authorized_operations,
                         version == 1 ? 0x1fa0 : INT32_MIN);
    }
}
END_TEST

START_TEST(other_endpoints_are_refused)
{
    ck_assert_int_eq(call(1, 2)->error_code, ERR_MISMATCHED_ENDPOINT_TYPE);
    ck_assert_int_eq(call(2, 3)->error_code, ERR_UNSUPPORTED_ENDPOINT_TYPE);
    ck_assert_int_eq(call(2, 3)->brokers_count, 0);
}
END_TEST

START_TEST(the_cluster_keeps_its_id)
{
    char before[64];
    const struct span id = call(NEWEST, 1)->cluster_id;
    ck_assert_uint_eq(id.length, 22);
    memcpy(before, id.data, id.length);
    admin_restart(&admin);
    ck_assert(span_equal(call(NEWEST, 1)->cluster_id, span_of(before, 22)));
}
END_TEST

SUITE(describe_cluster)
{
    TCase *tcase = tcase_create("describe_cluster");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, it_agrees_with_metadata);
    tcase_add_test(tcase, other_endpoints_are_refused);
    tcase_add_test(tcase, the_cluster_keeps_its_id);
    suite_add_tcase(suite, tcase);
}
