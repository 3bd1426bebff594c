/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "sim/fault_kinds.h"
#include "sim/scenario_words.h"
#include "tests/sim/quoted.h"
#include "tests/support/runner.h"

static void parse(const char *text, struct scenario *scenario)
{
    struct scenario_error error;
    if (quoted_parse(text, scenario, &error) != 0)
        ck_abort_msg("%u:%u: %s", error.line, error.column, error.text);
}

static void expect_range(struct range range, uint64_t least, uint64_t most)
{
    ck_assert_uint_eq(range.least, least);
    ck_assert_uint_eq(range.most, most);
}

START_TEST(what_is_missing_has_its_default)
{
    struct scenario scenario;
    parse("{'tells': 'Nothing happens.'}", &scenario);
    ck_assert_str_eq(scenario.name, "story");
    ck_assert_str_eq(scenario.tells, "Nothing happens.");
    ck_assert(!scenario.is_soak && !scenario.draws_knobs && !scenario.draws_faults);
    expect_range(scenario.load_ms, 1000, 3000);
    ck_assert_uint_eq(scenario.settle_ms, 60000);
    ck_assert_uint_eq(scenario.nodes_count, 1);
    ck_assert_uint_eq(scenario.nodes[0].settings.count, 0);
    ck_assert_uint_eq(scenario.topics_count + scenario.clients_count + scenario.faults_count, 0);
    scenario_free(&scenario);
    ck_assert_ptr_null(scenario.nodes);
}
END_TEST

START_TEST(nodes_and_topics_have_settings)
{
    struct scenario scenario;
    parse("{'tells': 'x', 'nodes': [{}, {'settings': {'log.segment.bytes': 16384,"
          " 'auto.create.topics.enable': false, 'log.dirs': 'a,b'}}],"
          " 'cluster': true, 'settings': {'min.insync.replicas': 2},"
          " 'topics': [{'name': 'a.b-c_D9'}, {'name': 'b', 'partitions': 3,"
          " 'replication_factor': 2, 'config': {'retention.ms': '-1'}}]}",
          &scenario);
    ck_assert(scenario.is_cluster);
    ck_assert_uint_eq(scenario.settings.count, 1);
    ck_assert_str_eq(scenario.settings.items[0].key, "min.insync.replicas");
    ck_assert_uint_eq(scenario.topics[0].replication_factor, 0);
    ck_assert_uint_eq(scenario.topics[1].replication_factor, 2);
    ck_assert_uint_eq(scenario.nodes_count, 2);
    const struct settings_list *settings = &scenario.nodes[1].settings;
    ck_assert_uint_eq(settings->count, 3);
    ck_assert_str_eq(settings->items[0].key, "log.segment.bytes");
    ck_assert_str_eq(settings->items[0].value, "16384");
    ck_assert_str_eq(settings->items[1].value, "false");
    ck_assert_str_eq(settings->items[2].value, "a,b");
    ck_assert_uint_eq(scenario.topics_count, 2);
    ck_assert_str_eq(scenario.topics[0].name, "a.b-c_D9");
    ck_assert_uint_eq(scenario.topics[0].partitions, 1);
    ck_assert_uint_eq(scenario.topics[1].partitions, 3);
    ck_assert_str_eq(scenario.topics[1].config.items[0].value, "-1");
    scenario_free(&scenario);
}
END_TEST

START_TEST(clients_have_what_they_do)
{
    struct scenario scenario;
    parse("{'tells': 'x', 'topics': [{'name': 'a'}, {'name': 'b'}], 'clients': ["
          "{'idempotent': true, 'in_flight': [1, 5], 'kind': 'producer', 'records': 10},"
          "{'kind': 'producer', 'acks': '0', 'topic': 'b', 'pause_us': [0, 1], 'count': 4},"
          "{'kind': 'member', 'group': 'g', 'static': true, 'sessions': true, 'life_ms': 7}]}",
          &scenario);
    ck_assert_uint_eq(scenario.clients_count, 3);
    const struct scenario_client *client = &scenario.clients[0];
    ck_assert_int_eq(client->kind, CLIENT_PRODUCER);
    ck_assert_int_eq(client->acks, -1);
    ck_assert(client->idempotent);
    ck_assert_uint_eq(client->count, 1);
    ck_assert_uint_eq(client->node, 0);
    ck_assert_ptr_null(client->topic);
    ck_assert_uint_eq(client->records, 10);
    expect_range(client->in_flight, 1, 5);
    expect_range(client->batch_records, 0, 0);
    client = &scenario.clients[1];
    ck_assert_int_eq(client->acks, 0);
    ck_assert_str_eq(client->topic, "b");
    ck_assert_uint_eq(client->count, 4);
    expect_range(client->pause_us, 0, 1);
    client = &scenario.clients[2];
    ck_assert_int_eq(client->kind, CLIENT_MEMBER);
    ck_assert_str_eq(client->group, "g");
    ck_assert(client->is_static && client->sessions);
    expect_range(client->life_ms, 7, 7);
    scenario_free(&scenario);
}
END_TEST

START_TEST(faults_have_times_and_amounts)
{
    struct scenario scenario;
    parse("{'tells': 'x', 'knobs': true, 'swarm': true, 'differing': true, 'soak': true,"
          " 'nodes': [{}, {}],"
          " 'faults': ["
          "{'kind': 'crash', 'node': 1, 'every_ms': [2, 3], 'from_ms': 5, 'to_ms': [6, 7]},"
          "{'kind': 'power_loss', 'when': 'rename_in_flight', 'nth': [1, 9], 'again': true},"
          "{'kind': 'write_error', 'at_ms': 0, 'lasts_ms': 4, 'path': '.log'},"
          "{'kind': 'slow_link', 'at_ms': 0, 'factor': [2, 8]},"
          "{'kind': 'disk_full', 'all_nodes': true, 'at_ms': 0},"
          "{'kind': 'power_loss', 'count': [1, 2], 'at_ms': 0},"
          "{'kind': 'partition', 'parts': 3, 'at_ms': 0},"
          "{'kind': 'cut_link', 'node': 2, 'other_node': 1, 'flap_ms': [4, 5], 'at_ms': 0},"
          "{'kind': 'other_file', 'count': 2, 'at_ms': 0}],"
          " 'expect': {'acked_records': 5, 'consumed_records': 6, 'steps': 8, 'errors': true,"
          " 'latency_ms': 7, 'no_elections': true}}",
          &scenario);
    ck_assert(scenario.is_soak && scenario.draws_knobs && scenario.draws_faults);
    ck_assert(scenario.files_differ);
    ck_assert_uint_eq(scenario.faults_count, 9);
    const struct scenario_fault *faults = scenario.faults;
    ck_assert_int_eq(faults[0].kind, FAULT_CRASH);
    ck_assert_int_eq(faults[0].when, MOMENT_NONE);
    ck_assert_uint_eq(faults[0].node, 1);
    expect_range(faults[0].every_ms, 2, 3);
    expect_range(faults[0].from_ms, 5, 5);
    expect_range(faults[0].to_ms, 6, 7);
    expect_range(faults[0].lasts_ms, 1, 100);
    expect_range(faults[0].nth, 1, 1);
    ck_assert_int_eq(faults[1].when, MOMENT_RENAME_IN_FLIGHT);
    ck_assert(faults[1].again);
    expect_range(faults[1].nth, 1, 9);
    ck_assert_str_eq(faults[2].path, ".log");
    expect_range(faults[2].lasts_ms, 4, 4);
    expect_range(faults[2].amount, 30, 30);
    expect_range(faults[3].amount, 2, 8);
    expect_range(faults[4].amount, 0, 0);
    ck_assert(faults[4].hits_all_nodes && !faults[3].hits_all_nodes);
    expect_range(faults[4].count, 1, 1);
    expect_range(faults[5].count, 1, 2);
    expect_range(faults[6].amount, 3, 3);
    ck_assert_uint_eq(faults[7].node, 2);
    ck_assert_uint_eq(faults[7].other_node, 1);
    expect_range(faults[7].flap_ms, 4, 5);
    ck_assert_uint_eq(scenario.expect.acked_least, 5);
    ck_assert_uint_eq(scenario.expect.consumed_least, 6);
    ck_assert_uint_eq(scenario.expect.steps_most, 8);
    ck_assert(scenario.expect.errors_allowed);
    ck_assert_uint_eq(scenario.expect.latency_ms_most, 7);
    ck_assert(scenario.expect.no_elections);
    scenario_free(&scenario);
}
END_TEST

/* An example of an object, or of a member of the scenario, as a whole file. */
static void try_example(enum scenario_object object, const char *key, const char *example)
{
    static const char *const around[SCENARIO_OBJECTS][2] = {
        [OBJECT_SCENARIO] = {"", ""},
        [OBJECT_NODE] = {"\"nodes\": [", "]"},
        [OBJECT_TOPIC] = {"\"nodes\": [{}, {}, {}], \"topics\": [", "]"},
        [OBJECT_CLIENT] =
            {"\"cluster\": true, \"nodes\": [{}, {}], \"topics\": [{\"name\": \"orders\"}], "
             "\"clients\": [",
             "]"},
        [OBJECT_FAULT] =
            {"\"cluster\": true, \"differing\": true, \"nodes\": [{}, {}, {}], \"faults\": [", "]"},
        [OBJECT_EXPECT] = {"\"expect\": ", ""},
    };
    char text[1000];
    char word[100];
    struct scenario scenario;
    struct scenario_error error;
    const bool is_tells = object == OBJECT_SCENARIO && strcmp(key, "tells") == 0;
    snprintf(word, sizeof(word), "\"%s\"", key);
    ck_assert_ptr_nonnull(strstr(example, word));
    snprintf(text, sizeof(text), "{%s%s%s%s}", is_tells ? "" : "\"tells\": \"x\", ",
             around[object][0], example, around[object][1]);
    if (scenario_parse(span_text(text), "story", &scenario, &error) != 0)
        ck_abort_msg("%s\n%u:%u: %s", text, error.line, error.column, error.text);
    scenario_free(&scenario);
}

START_TEST(every_word_has_an_example_that_is_good)
{
    for (int object = 0; object < SCENARIO_OBJECTS; object++) {
        const struct scenario_object_info *info = scenario_object_info(object);
        for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
            try_example(object, word->key, word->example);
            const struct scenario_choice *choice = word->choices;
            for (; choice != NULL && choice->name != NULL; choice++)
                try_example(object, choice->name, choice->example);
        }
    }
}
END_TEST

START_TEST(a_fault_has_one_name)
{
    const struct scenario_choice *kinds = scenario_object_info(OBJECT_FAULT)->kind->choices;
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        ck_assert_str_eq(scenario_choice_name(kinds, kind), fault_name((enum fault_kind)kind));
}
END_TEST

START_TEST(files_are_named_after)
{
    char path[] = "/tmp/chronik-scenario.XXXXXX";
    struct scenario scenario;
    char *said = NULL;
    char *text = NULL;
    size_t length = 0;
    const int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, "{\"tells\": \"x\"}", 14), 14);
    FILE *errors = open_memstream(&said, &length);
    ck_assert_int_eq(scenario_load(path, &scenario, &text, errors), 0);
    ck_assert_str_eq(scenario.name, "chronik-scenario");
    ck_assert_str_eq(text, "{\"tells\": \"x\"}");
    free(text);
    scenario_free(&scenario);
    ck_assert_int_eq(ftruncate(descriptor, 5), 0);
    ck_assert_int_eq(scenario_load(path, &scenario, &text, errors), -1);
    ck_assert_int_eq(close(descriptor) + unlink(path), 0);
    ck_assert_int_eq(scenario_load(path, &scenario, &text, errors), -1);
    ck_assert_int_eq(fclose(errors), 0);
    const char *line = strchr(said, '\n');
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(strncmp(said + strlen(path), ":1:", 3), 0);
    ck_assert_int_eq(strncmp(line + 1, path, strlen(path)), 0);
    ck_assert_str_eq(line + 1 + strlen(path), ": No such file or directory\n");
    free(said);
}
END_TEST

SUITE(scenario)
{
    TCase *tcase = tcase_create("parse");
    tcase_add_test(tcase, what_is_missing_has_its_default);
    tcase_add_test(tcase, nodes_and_topics_have_settings);
    tcase_add_test(tcase, clients_have_what_they_do);
    tcase_add_test(tcase, faults_have_times_and_amounts);
    tcase_add_test(tcase, every_word_has_an_example_that_is_good);
    tcase_add_test(tcase, a_fault_has_one_name);
    tcase_add_test(tcase, files_are_named_after);
    suite_add_tcase(suite, tcase);
}
