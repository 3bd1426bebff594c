/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/topic_print.h"

#include <stdlib.h>

#include "cli/json.h"
#include "core/conf/conf.h"
#include "tests/support/runner.h"

static char *text;
static size_t text_length;
static FILE *out;

static int32_t nodes[] = {1, 2, 3};

/* In no order, as a broker may answer. */
static struct metadata_response_topic_partition partitions[] = {
    {.partition_index = 1,
     .leader_id = -1,
     .leader_epoch = 12,
     .replica_nodes = nodes,
     .replica_nodes_count = 3,
     .isr_nodes = nodes,
     .isr_nodes_count = 0},
    {.partition_index = 0,
     .leader_id = 1,
     .leader_epoch = 4,
     .replica_nodes = nodes,
     .replica_nodes_count = 3,
     .isr_nodes = nodes,
     .isr_nodes_count = 2},
};
static struct metadata_response_topic topics[2];
static struct metadata_response response;

static struct describe_configs_response_result_config configs[] = {
    {.name = SPAN("retention.ms"), .value = SPAN("1\n2"), .config_source = CONF_SOURCE_TOPIC},
    {.name = SPAN("segment.bytes"), .value = SPAN("4096"), .config_source = CONF_SOURCE_FILE},
    {.name = SPAN("cleanup.policy"), .value = SPAN("compact"), .config_source = CONF_SOURCE_TOPIC},
};
static const struct describe_configs_response_result result = {.configs = configs,
                                                               .configs_count = 3};

static void set_up(void)
{
    topics[0] = (struct metadata_response_topic){
        .name = SPAN("zebras"), .partitions = partitions, .partitions_count = 2};
    topics[1] = (struct metadata_response_topic){
        .name = SPAN("__offsets"), .is_internal = true, .topic_id = {{0xff}}};
    response = (struct metadata_response){.topics = topics, .topics_count = 2};
    out = open_memstream(&text, &text_length);
    topic_sort(&response);
}

static void tear_down(void)
{
    fclose(out);
    free(text);
}

static void ck_printed(const char *expected)
{
    fflush(out);
    ck_assert_str_eq(text, expected);
}

START_TEST(lists_by_name_in_columns)
{
    topic_print_list(out, &response, false);
    ck_printed("TOPIC      PARTITIONS  REPLICAS  ID\n"
               "__offsets           0         0  _wAAAAAAAAAAAAAAAAAAAA\n"
               "zebras              2         3  AAAAAAAAAAAAAAAAAAAAAA\n");
}
END_TEST

START_TEST(lists_as_json)
{
    topic_print_list(out, &response, true);
    ck_printed("{\"name\":\"__offsets\",\"id\":\"_wAAAAAAAAAAAAAAAAAAAA\",\"internal\":true,"
               "\"partitions\":0,\"replicas\":0}\n"
               "{\"name\":\"zebras\",\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"internal\":false,"
               "\"partitions\":2,\"replicas\":3}\n");
}
END_TEST

START_TEST(describes_partitions_in_order_and_own_settings)
{
    topic_print_description(out, &topics[1], &result, false);
    ck_printed("zebras  id AAAAAAAAAAAAAAAAAAAAAA, 2 partitions, 3 replicas\n"
               "  retention.ms=1?2\n"
               "  cleanup.policy=compact\n"
               "  PARTITION  LEADER  EPOCH  REPLICAS      IN SYNC\n"
               "          0       1      4  1,2,3         1,2\n"
               "          1    none     12  1,2,3         \n");
}
END_TEST

START_TEST(describes_as_json)
{
    topic_print_description(out, &topics[1], &result, true);
    ck_printed("{\"name\":\"zebras\",\"id\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"internal\":false,"
               "\"configs\":{\"retention.ms\":\"1\\u000a2\",\"cleanup.policy\":\"compact\"},"
               "\"partitions\":[{\"partition\":0,\"leader\":1,\"leader_epoch\":4,"
               "\"replicas\":[1,2,3],\"in_sync\":[1,2]},{\"partition\":1,\"leader\":-1,"
               "\"leader_epoch\":12,\"replicas\":[1,2,3],\"in_sync\":[]}]}\n");
}
END_TEST

static const struct {
    const char *text;
    const char *json;
} strings[] = {
    {NULL, "null"},
    {"", "\"\""},
    {"a\"b\\c", "\"a\\\"b\\\\c\""},
    {"\t\x01\x7f", "\"\\u0009\\u0001\\u007f\""},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"\xc2\x9b\xc2\xa0", "\"\\u009b\xc2\xa0\""},
    {"\xc3", "\"\\ufffd\""},
    {"\xc3(", "\"\\ufffd(\""},
    {"\xc0\x80", "\"\\ufffd\\ufffd\""},
    {"\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\""},
    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
    {"\xf0\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {"\xff", "\"\\ufffd\""},
};

START_TEST(json_strings_are_valid_whatever_the_bytes)
{
    json_text(out, span_text(strings[_i].text));
    ck_printed(strings[_i].json);
}
END_TEST

SUITE(topic_print)
{
    TCase *tcase = tcase_create("topic_print");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, lists_by_name_in_columns);
    tcase_add_test(tcase, lists_as_json);
    tcase_add_test(tcase, describes_partitions_in_order_and_own_settings);
    tcase_add_test(tcase, describes_as_json);
    tcase_add_loop_test(tcase, json_strings_are_valid_whatever_the_bytes, 0,
                        sizeof(strings) / sizeof(strings[0]));
    suite_add_tcase(suite, tcase);
}
