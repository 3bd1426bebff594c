/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/quoted.h"
#include "tests/support/runner.h"

#define TELLS "{'tells': 'x',\n"
#define TOPIC "'topics': [{'name': 'orders'}],\n"

/* Each with where it is refused and why. */
static const struct {
    const char *text;
    uint32_t line;
    uint32_t column;
    const char *why;
} refused[] = {
    /* Not JSON, or not an object. */
    {"", 1, 1, "this is not JSON: '[' or '{' expected near end of file"},
    {"{'tells': 'x',}", 1, 15, "this is not JSON: string or '}' expected near '}'"},
    {"{'tells': 'x', 'tells': 'y'}", 1, 22,
     "this is not JSON: duplicate object key near '\"tells\"'"},
    {"[]", 1, 1, "a scenario is an object, as in {\"$schema\": …}"},
    /* Words. */
    {"{}", 1, 1, "a scenario needs the word \"tells\""},
    {TELLS "  'load': 5}", 2, 3,
     "there is no word \"load\" in a scenario; there are \"tells\", \"soak\", \"seed\", "
     "\"load_ms\", "
     "\"settle_ms\", \"nodes\", \"cluster\", \"settings\", \"topics\", \"clients\", "
     "\"faults\", \"differing\", \"knobs\", \"swarm\", \"expect\""},
    {TELLS "  'laod_ms': 5}", 2, 3,
     "there is no word \"laod_ms\" in a scenario; did you mean \"load_ms\"?"},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1},\n {'kind': 'crash',\n 'at_ns': 1}]}", 4, 2,
     "there is no word \"at_ns\" in a fault; did you mean \"at_ms\"?"},
    {TELLS "'clients': [{'count': 2}]}", 2, 13, "a client needs the word \"kind\""},
    {TELLS "'topics': [{'partitions': 2}]}", 2, 12, "a topic needs the word \"name\""},
    /* Kinds. */
    {TELLS "'faults': [{'kind': 'crsh', 'at_ms': 1}]}", 2, 21,
     "\"kind\" cannot be \"crsh\"; did you mean \"crash\"?"},
    {TELLS "'clients': [{'kind': 'x'}]}", 2, 22,
     "\"kind\" is one of \"producer\", \"consumer\", \"member\", \"admin\", \"hostile\", "
     "\"silent\", \"operator\""},
    {TELLS "'clients': [{'kind': 1}]}", 2, 22,
     "\"kind\" is one of \"producer\", \"consumer\", \"member\", \"admin\", \"hostile\", "
     "\"silent\", \"operator\""},
    {TELLS "'faults': [{'percent': 5, 'kind': 'crash', 'at_ms': 1}]}", 2, 13,
     "\"percent\" is no word for \"crash\", but for \"reset\", \"half_open\", \"write_error\", "
     "\"read_error\", \"sync_error\", \"open_error\""},
    {TELLS TOPIC "'clients': [{'kind': 'consumer', 'acks': 'all'}]}", 3, 34,
     "\"acks\" is no word for \"consumer\", but for \"producer\""},
    /* Numbers and ranges. */
    {TELLS "'load_ms': '5'}", 2, 12, "\"load_ms\" needs a whole number, or a range as in [1, 5]"},
    {TELLS "'settle_ms': 5.5}", 2, 14, "\"settle_ms\" needs a whole number"},
    {TELLS "'load_ms': 0}", 2, 12, "\"load_ms\" is 0, and may be 1 to 2592000000"},
    {TELLS "'load_ms': -1}", 2, 12, "\"load_ms\" is -1, and may be 1 to 2592000000"},
    {TELLS "'load_ms': [1, 2592000001]}", 2, 16,
     "\"load_ms\" is 2592000001, and may be 1 to 2592000000"},
    {TELLS "'load_ms': [1, 2, 3]}", 2, 12, "\"load_ms\" needs two numbers, the least and the most"},
    {TELLS "'load_ms': [2, 1]}", 2, 12, "\"load_ms\" is from more to less"},
    {TELLS TOPIC "'clients': [{'kind': 'producer', 'pause_us': 0}]}", 3, 46,
     "\"pause_us\" has to be more than 0 at its upper end"},
    /* Flags, texts, lists. */
    {TELLS "'knobs': 1}", 2, 10, "\"knobs\" is true or false"},
    {"{'tells': 5}", 1, 11, "\"tells\" needs a text in quotes"},
    {"{'tells': ''}", 1, 11, "\"tells\" may have 1 to 1000 bytes"},
    {TELLS "'topics': [{'name': 'a/b'}]}", 2, 21,
     "\"name\" may have letters, digits, '.', '_' and '-' alone"},
    {TELLS "'topics': [{'name': '..'}]}", 2, 21,
     "\"name\" may have letters, digits, '.', '_' and '-' alone"},
    {TELLS "'nodes': {}}", 2, 10, "\"nodes\" needs an array, as in [{…}, {…}]"},
    {TELLS "'nodes': []}", 2, 10, "\"nodes\" has 0 items, and may have 1 to 16"},
    {TELLS "'nodes': [{}, 5]}", 2, 15, "a node is an object, as in {\"settings\": …}"},
    {TELLS "'expect': []}", 2, 11, "an expectation is an object, as in {\"acked_records\": …}"},
    /* Settings. */
    {TELLS "'nodes': [{}, {'settings':\n {'num.partitions': 2,\n  'log.segment.byte': 1}}]}", 4, 23,
     "there is no key log.segment.byte; did you mean log.segment.bytes?"},
    {TELLS "'nodes': [{'settings': {'num.partitions': 'two'}}]}", 2, 43,
     "num.partitions: 'two' is not a whole number"},
    {TELLS "'nodes': [{'settings': {'node.id': 1}}]}", 2, 36, "the simulator sets this itself"},
    {TELLS "'nodes': [{'settings': {'num.partitions': [1]}}]}", 2, 43,
     "a setting is a text, a number, true or false"},
    {TELLS "'settings': {'num.partitions': 'two'}}", 2, 32,
     "num.partitions: 'two' is not a whole number"},
    {TELLS "'nodes': [{'settings': []}]}", 2, 24,
     "settings are an object of at most 64 keys and values"},
    {TELLS "'topics': [{'name': 'a', 'config': {'retention.byte': 1}}]}", 2, 55,
     "Topics have no key retention.byte; did you mean retention.bytes?"},
    /* Words that have to agree. */
    {TELLS "'topics': [{'name': 'a'}, {'name': 'b'}, {'name': 'a'}]}", 2, 51,
     "there are two topics \"a\""},
    {TELLS "'clients': [{'kind': 'silent', 'node': 2}]}", 2, 40, "there is no node 2; there are 1"},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'node': 2}]}", 2, 50,
     "there is no node 2; there are 1"},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'all_nodes': true, 'node': 1}]}", 2, 69,
     "a fault cannot have both \"node\" and \"all_nodes\""},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'all_nodes': true, 'count': 1}]}", 2, 70,
     "a fault cannot have both \"all_nodes\" and \"count\""},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'count': [1, 2], 'node': 1}]}", 2, 51,
     "a fault cannot have both \"node\" and \"count\""},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'count': [1, 2]}]}", 2, 51,
     "there are only 1 nodes"},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'counts': 2}]}", 2, 42,
     "there is no word \"counts\" in a fault; did you mean \"count\"?"},
    {TELLS "'faults': [{'kind': 'partition', 'at_ms': 1, 'part': 3}]}", 2, 46,
     "there is no word \"part\" in a fault; did you mean \"parts\"?"},
    {TELLS "'faults': [{'kind': 'empty_disk', 'at_ms': 1}]}", 2, 21,
     "only a \"cluster\" can do without a disk"},
    {TELLS "'faults': [{'kind': 'other_file', 'at_ms': 1}]}", 2, 21,
     "there is no other file: none is \"differing\""},
    {TELLS "'faults': [{'kind': 'empty_disks', 'at_ms': 1}]}", 2, 21,
     "\"kind\" cannot be \"empty_disks\"; did you mean \"empty_disk\"?"},
    {TELLS "'clients': [{'kind': 'operator'}]}", 2, 22,
     "only a \"cluster\" has voters to look after"},
    {TELLS "'faults': [{'kind': 'one_way', 'at_ms': 1, 'parts': 3}]}", 2, 44,
     "\"parts\" is no word for \"one_way\", but for \"partition\""},
    {TELLS "'faults': [{'kind': 'partition', 'at_ms': 1, 'node': 1, 'parts': 2}]}", 2, 66,
     "a fault cannot have both \"node\" and \"parts\""},
    {TELLS "'faults': [{'kind': 'cut_link', 'at_ms': 1}]}", 2, 21, "a link needs two nodes"},
    {TELLS "'nodes': [{}, {}], 'faults': [{'kind': 'cut_link', 'at_ms': 1, 'other_node': 2}]}", 2,
     78, "\"other_node\" needs \"node\""},
    {TELLS "'nodes': [{}, {}], 'faults': [{'kind': 'cut_link', 'at_ms': 1, 'node': 1, "
           "'other_node': 3}]}",
     2, 89, "there is no node 3; there are 2"},
    {TELLS "'nodes': [{}, {}], 'faults': [{'kind': 'one_way_link', 'at_ms': 1, 'node': 2, "
           "'other_node': 2}]}",
     2, 93, "a link needs two nodes"},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'flap_ms': 2}]}", 2, 42,
     "\"flap_ms\" is no word for \"crash\", but for \"partition\", \"one_way\", \"cut_link\", "
     "\"one_way_link\""},
    {TELLS "'faults': [{'kind': 'partition', 'at_ms': 1, 'parts': 1}]}", 2, 55,
     "\"parts\" is 1, and may be 2 to 16"},
    {TELLS "'topics': [{'name': 'a', 'replication_factor': 2}]}", 2, 48, "there are only 1 nodes"},
    {TELLS "'clients': [{'kind': 'producer'}]}", 2, 13,
     "a client of this kind needs a topic; \"topics\" has none"},
    {TELLS TOPIC "'clients': [{'kind': 'member', 'topic': 'order'}]}", 3, 41,
     "there is no topic \"order\"; did you mean \"orders\"?"},
    {TELLS TOPIC "'clients': [{'kind': 'admin', 'topic': 'order'}]}", 3, 40,
     "there is no topic \"order\"; did you mean \"orders\"?"},
    {TELLS TOPIC "'clients': [{'kind': 'member', 'topic': 'x'}]}", 3, 41,
     "there is no topic \"x\" in \"topics\""},
    {TELLS TOPIC "'clients': [{'kind': 'producer', 'idempotent': true, 'acks': '1'}]}", 3, 48,
     "an idempotent producer needs acks \"all\""},
    {TELLS TOPIC "'clients': [{'kind': 'producer', 'idempotent': true, 'in_flight': 6}]}", 3, 67,
     "an idempotent producer may have 5 requests in flight at most"},
    {TELLS "'clients': [{'kind': 'silent', 'count': 600}, {'kind': 'silent', 'count': 401}]}", 2,
     75, "these are more than 1000 clients together"},
    {TELLS "'faults': [{'kind': 'crash'}]}", 2, 12,
     "the fault does not say when: it needs \"at_ms\", \"every_ms\" or \"when\""},
    {TELLS "'faults': [{'kind': 'crash', 'every_ms': 1, 'at_ms': 1}]}", 2, 42,
     "a fault cannot have both \"at_ms\" and \"every_ms\""},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'nth': 1}]}", 2, 49, "\"nth\" needs \"when\""},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'again': true}]}", 2, 51,
     "\"again\" needs \"when\""},
    {TELLS "'faults': [{'kind': 'crash', 'at_ms': 1, 'to_ms': 1}]}", 2, 51,
     "\"to_ms\" needs \"every_ms\" or \"when\""},
    {TELLS "'faults': [{'kind': 'crash', 'every_ms': 1, 'from_ms': 5, 'to_ms': [1, 4]}]}", 2, 68,
     "\"to_ms\" is before \"from_ms\""},
};

START_TEST(mistakes_are_told)
{
    struct scenario scenario;
    struct scenario_error error;
    ck_assert_int_eq(quoted_parse(refused[_i].text, &scenario, &error), -1);
    ck_assert_str_eq(error.text, refused[_i].why);
    ck_assert_uint_eq(error.line, refused[_i].line);
    ck_assert_uint_eq(error.column, refused[_i].column);
}
END_TEST

SUITE(scenario_refused)
{
    TCase *tcase = tcase_create("refused");
    tcase_add_loop_test(tcase, mistakes_are_told, 0, sizeof(refused) / sizeof(refused[0]));
    suite_add_tcase(suite, tcase);
}
