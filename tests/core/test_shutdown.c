/* SPDX-License-Identifier: Apache-2.0 */
/* Stories of brokers that are asked to end. */
#include "core/wire/error.h"
#include "tests/support/node.h"
#include "tests/support/produce.h"
#include "tests/support/runner.h"

#define CLEAN_MARK ".kafka_cleanshutdown"

static struct node node;

/* A broker with three logs, killed. */
static void start(void)
{
    static const char *const topics[] = {"a", "b", "c"};
    node_init(&node, 7, NULL);
    ck_assert(node_start(&node));
    struct client *client = client_new(node.world);
    for (size_t i = 0; i < 3; i++) {
        node_create_topic(&node, span_text(topics[i]), 1);
        const struct produce_response_response_partition_response *answer =
            produce(client, span_text(topics[i]), -1, batch_of(client, 1, span_text(topics[i])));
        ck_assert_int_eq(answer->error_code, ERR_NONE);
    }
    client_free(client);
    node_kill(&node);
}

static void end(void)
{
    node_free(&node);
}

/* A broker that is asked to end while it still reads its logs loads no other one, and does not say
 * that all of them are clean: the next start, ours or Kafka's, has to look at them. */
START_TEST(an_end_while_logs_are_loading)
{
    world_hold(node.world, EFFECT_OPEN, "b-0/");
    ck_assert(node_start(&node));
    world_stop(node.world);
    world_run(node.world);
    ck_assert(!world_is_stopped(node.world));
    world_release(node.world);
    world_run(node.world);
    ck_assert(world_is_stopped(node.world));
    ck_assert(span_is_null(world_file(node.world, CLEAN_MARK)));
    world_exit(node.world);
    node.broker = NULL;
    ck_assert(node_start(&node));
}
END_TEST

START_TEST(an_end_after_all_logs_were_loaded_is_clean)
{
    ck_assert(node_start(&node));
    node_stop(&node);
    ck_assert(!span_is_null(world_file(node.world, CLEAN_MARK)));
    /* And stays so when the next process has loaded nothing yet. */
    world_hold(node.world, EFFECT_OPEN, "b-0/leader-epoch");
    ck_assert(node_start(&node));
    world_release(node.world);
    node_stop(&node);
    ck_assert(!span_is_null(world_file(node.world, CLEAN_MARK)));
}
END_TEST

SUITE(shutdown)
{
    TCase *tcase = tcase_create("shutdown");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, an_end_while_logs_are_loading);
    tcase_add_test(tcase, an_end_after_all_logs_were_loaded_is_clean);
    suite_add_tcase(suite, tcase);
}
