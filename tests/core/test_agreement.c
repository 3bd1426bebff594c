/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that all nodes have to judge alike. */
#include "core/broker_state.h"
#include "tests/core/crew.h"
#include "tests/support/runner.h"

#define NODES 3

static const char *const two[] = {"min.insync.replicas", "2", NULL};
static const char *const three[] = {"min.insync.replicas", "3", "write.caching.default", "true",
                                    NULL};

static int32_t leader(int32_t asked)
{
    return quorum_status(controller_quorum(crew_nodes[asked].broker->controller)).leader;
}

/* What a node takes for the cluster's setting; null for none. */
static struct span setting(int32_t id, const char *key)
{
    const struct meta_configs *configs = &crew_nodes[id].broker->image.configs;
    for (uint32_t i = 0; i < configs->count; i++) {
        if (span_equal(configs->items[i].key, span_text(key)))
            return configs->items[i].value;
    }
    return SPAN_NULL;
}

START_TEST(what_is_the_default_is_not_agreed_on)
{
    crew_begin(NODES, NULL, NULL);
    for (int32_t id = 1; id <= NODES; id++)
        ck_assert_uint_eq(crew_nodes[id].broker->image.configs.count, 0);
    crew_end();
}
END_TEST

START_TEST(every_node_has_what_all_files_say)
{
    crew_begin(NODES, two, NULL);
    for (int32_t id = 1; id <= NODES; id++) {
        ck_assert(span_equal(setting(id, "min.insync.replicas"), SPAN("2")));
        ck_assert_uint_eq(crew_nodes[id].broker->image.configs.count, 1);
    }
    const int64_t end = crew_nodes[1].broker->image.end_offset;
    crew_advance(30000);
    ck_assert_int_eq(crew_nodes[1].broker->image.end_offset, end);
    crew_end();
}
END_TEST

static void expect_settings_of(int32_t leads)
{
    for (int32_t id = 1; id <= NODES; id++) {
        if (crew_nodes[id].broker == NULL)
            continue;
        ck_assert(
            span_equal(setting(id, "min.insync.replicas"), leads == NODES ? SPAN("3") : SPAN("2")));
        ck_assert(span_equal(setting(id, "write.caching.default"),
                             leads == NODES ? SPAN("true") : SPAN_NULL));
    }
}

/* Whichever node leads: the last one's file is another than those of the others. */
START_TEST(the_controllers_file_counts)
{
    bool has_led[NODES + 1] = {false};
    crew_begin(NODES, two, three);
    for (int i = 0; i < 12 && !(has_led[NODES] && (has_led[1] || has_led[2])); i++) {
        const int32_t leads = leader(1);
        has_led[leads] = true;
        expect_settings_of(leads);
        crew_kill(leads);
        crew_advance(5000);
        expect_settings_of(leader(leads % NODES + 1));
        crew_start(leads);
    }
    ck_assert(has_led[NODES] && (has_led[1] || has_led[2]));
    crew_end();
}
END_TEST

SUITE(agreement)
{
    TCase *tcase = tcase_create("agreement");
    tcase_add_test(tcase, what_is_the_default_is_not_agreed_on);
    tcase_add_test(tcase, every_node_has_what_all_files_say);
    tcase_add_test(tcase, the_controllers_file_counts);
    suite_add_tcase(suite, tcase);
}
