/* SPDX-License-Identifier: Apache-2.0 */
/* Groups are described, listed and deleted. */
#include <string.h>

#include "core/wire/error.h"
#include "tests/core/api/groups.h"
#include "tests/support/runner.h"

static const struct describe_groups_response_group *describe(struct span group, int16_t version)
{
    struct describe_groups_request *request = client_request(groups.client, API_DESCRIBE_GROUPS);
    request->groups = groups_array(groups.client, 1, sizeof(struct span));
    request->groups[0] = group;
    request->groups_count = 1;
    const struct describe_groups_response *response =
        client_call(groups.client, API_DESCRIBE_GROUPS, version, request);
    ck_assert_int_eq(response->groups_count, 1);
    return &response->groups[0];
}

START_TEST(groups_are_described)
{
    groups_find(SPAN("g"));
    groups_find(SPAN("nobody's"));
    const struct join_group_response *joined = groups_join(groups.client, SPAN("g"));
    const struct describe_groups_response_group *group = describe(SPAN("g"), 5);
    ck_assert(span_equal(group->group_state, SPAN("CompletingRebalance")));
    ck_assert_uint_eq(group->protocol_data.length, 0);
    ck_assert_int_eq(group->members_count, 1);
    ck_assert_uint_eq(group->members[0].member_metadata.length, 0);
    client_call(groups.client, API_SYNC_GROUP, GROUPS_SYNC,
                groups_sync_of(groups.client, SPAN("g"), joined, SPAN("all")));
    group = describe(SPAN("g"), 5);
    ck_assert(span_equal(group->group_state, SPAN("Stable")));
    ck_assert(span_equal(group->protocol_type, SPAN("consumer")));
    ck_assert(span_equal(group->protocol_data, SPAN("range")));
    ck_assert(span_equal(group->members[0].client_id, SPAN("story")));
    ck_assert_uint_eq(group->members[0].client_host.data[0], '/');
    ck_assert_ptr_null(
        memchr(group->members[0].client_host.data, ':', group->members[0].client_host.length));
    ck_assert(span_equal(group->members[0].member_metadata, SPAN("topics")));
    ck_assert(span_equal(group->members[0].member_assignment, SPAN("all")));
    for (int16_t version = 0; version <= 6; version++) {
        group = describe(SPAN("nobody's"), version);
        ck_assert(span_equal(group->group_state, SPAN("Dead")));
        ck_assert_int_eq(group->error_code, version < 6 ? ERR_NONE : ERR_GROUP_ID_NOT_FOUND);
    }
}
END_TEST

static int32_t listed(struct span state, struct span type)
{
    struct list_groups_request *request = client_request(groups.client, API_LIST_GROUPS);
    request->states_filter = &state;
    request->states_filter_count = state.length > 0;
    request->types_filter = &type;
    request->types_filter_count = type.length > 0;
    const struct list_groups_response *response =
        client_call(groups.client, API_LIST_GROUPS, 5, request);
    ck_assert_int_eq(response->error_code, ERR_NONE);
    return response->groups_count;
}

START_TEST(groups_are_listed_by_state_and_type)
{
    node_create_topic(&groups.node, SPAN("t"), 1);
    groups_find(SPAN("g"));
    groups_enter(SPAN("g"));
    groups_find(SPAN("h"));
    groups_fetch(SPAN("h"), SPAN("t"), 0);
    ck_assert_int_eq(groups_commit(SPAN("h"), SPAN("t"), 0, 1), ERR_NONE);
    ck_assert_int_eq(listed(SPAN(""), SPAN("")), 2);
    ck_assert_int_eq(listed(SPAN(" STABLE "), SPAN("")), 1);
    ck_assert_int_eq(listed(SPAN("empty"), SPAN("Classic")), 1);
    ck_assert_int_eq(listed(SPAN("Dead"), SPAN("")), 0);
    ck_assert_int_eq(listed(SPAN("stable"), SPAN("consumer")), 0);
    node_kill(&groups.node);
    groups_start_again();
    ck_assert_int_eq(listed(SPAN(""), SPAN("")), 2);
}
END_TEST

static int16_t delete_group(struct span group)
{
    struct delete_groups_request *request = client_request(groups.client, API_DELETE_GROUPS);
    request->groups_names = groups_array(groups.client, 2, sizeof(struct span));
    request->groups_names[0] = SPAN("nobody's");
    request->groups_names[1] = group;
    request->groups_names_count = 2;
    const struct delete_groups_response *response =
        client_call(groups.client, API_DELETE_GROUPS, 2, request);
    ck_assert_int_eq(response->results[0].error_code, ERR_GROUP_ID_NOT_FOUND);
    ck_assert(span_equal(response->results[1].group_id, group));
    return response->results[1].error_code;
}

START_TEST(groups_are_deleted)
{
    groups_find(SPAN("nobody's"));
    groups_find(SPAN("g"));
    node_create_topic(&groups.node, SPAN("t"), 1);
    groups_fetch(SPAN("g"), SPAN("t"), 0);
    groups_commit(SPAN("g"), SPAN("t"), 0, 1);
    const struct join_group_response *joined = groups_enter(SPAN("g"));
    ck_assert_int_eq(delete_group(SPAN("g")), ERR_NON_EMPTY_GROUP);
    ck_assert_int_eq(groups_leave(SPAN("g"), joined->member_id), ERR_NONE);
    ck_assert_int_eq(delete_group(SPAN("g")), ERR_NONE);
    ck_assert_int_eq(delete_group(SPAN("g")), ERR_GROUP_ID_NOT_FOUND);
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, -1);
    node_kill(&groups.node);
    groups_start_again();
    ck_assert_int_eq(groups_fetch(SPAN("g"), SPAN("t"), 0)->committed_offset, -1);
}
END_TEST

SUITE(group_admin)
{
    TCase *tcase = tcase_create("group_admin");
    tcase_add_checked_fixture(tcase, groups_start, groups_end);
    tcase_add_test(tcase, groups_are_described);
    tcase_add_test(tcase, groups_are_listed_by_state_and_type);
    tcase_add_test(tcase, groups_are_deleted);
    suite_add_tcase(suite, tcase);
}
