/* SPDX-License-Identifier: Apache-2.0 */
/* Messages whose bytes were written down by hand from the protocol's rules: each line is decoded,
 * shown, and encoded again. */
#include "core/wire/codec.h"

#include <string.h>

#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/core/wire/hex.h"
#include "tests/support/heap.h"
#include "tests/support/runner.h"

#define UUID_HEX  "000102030405060708090a0b0c0d0e0f"
#define UUID_TEXT "'AAECAwQFBgcICQoLDA0ODw'"

static const struct {
    const char *what;
    const struct wire_schema *schema;
    int16_t version;
    const char *hex;
    const char *json;
} golden[] = {
    {"a header has a client id", &wire_request_header, 1, "0012 0003 00000007 0003 6b6361",
     "{'request_api_key':18,'request_api_version':3,'correlation_id':7,'client_id':'kca'}"},
    {"a header may have none", &wire_request_header, 1, "0012 0000 ffffffff ffff",
     "{'request_api_key':18,'request_api_version':0,'correlation_id':-1,'client_id':null}"},
    {"the flexible header keeps the long string", &wire_request_header, 2,
     "0000 0009 00000007 0001 78 00",
     "{'request_api_key':0,'request_api_version':9,'correlation_id':7,'client_id':'x'}"},
    {"a response's header", &wire_response_header, 0, "0000002a", "{'correlation_id':42}"},
    {"a flexible response's header", &wire_response_header, 1, "0000002a 00",
     "{'correlation_id':42}"},

    {"the first request of most clients", &wire_api_versions_request, 0, "", "{}"},
    {"compact strings", &wire_api_versions_request, 3, "04 6c6962 01 00",
     "{'client_software_name':'lib','client_software_version':''}"},
    {"an array of structs", &wire_api_versions_response, 0, "0023 00000001 0012 0000 0004",
     "{'error_code':35,'api_keys':[{'api_key':18,'min_version':0,'max_version':4}]}"},
    {"tagged fields by tag, each with its size", &wire_api_versions_response, 4,
     "0000 01 00000000 02"
     " 01 08 0000000000000005"
     " 03 01 01",
     "{'error_code':0,'api_keys':[],'throttle_time_ms':0,'supported_features':[],"
     "'finalized_features_epoch':5,'finalized_features':[],'zk_migration_ready':true}"},
    {"a tagged array", &wire_api_versions_response, 3,
     "0000 01 00000000 01"
     " 00 08 02 02 66 0001 0002 00",
     "{'error_code':0,'api_keys':[],'throttle_time_ms':0,'supported_features':"
     "[{'name':'f','min_version':1,'max_version':2}],"
     "'finalized_features_epoch':-1,'finalized_features':[],'zk_migration_ready':false}"},

    {"produce with plain lengths", &wire_produce_request, 7,
     "ffff ffff 000005dc 00000001 0001 74 00000001 00000002 00000003 010203",
     "{'transactional_id':null,'acks':-1,'timeout_ms':1500,'topic_data':[{'name':'t',"
     "'partition_data':[{'index':2,'records':'010203'}]}]}"},
    {"produce with compact lengths", &wire_produce_request, 9,
     "00 0001 000005dc 02 02 74 02 00000002 04 010203 00 00 00",
     "{'transactional_id':null,'acks':1,'timeout_ms':1500,'topic_data':[{'name':'t',"
     "'partition_data':[{'index':2,'records':'010203'}]}]}"},
    {"produce by topic id, without records", &wire_produce_request, 13,
     "03 7478 0001 000005dc 02 " UUID_HEX " 02 00000002 00 00 00 00",
     "{'transactional_id':'tx','acks':1,'timeout_ms':1500,'topic_data':[{'topic_id':" UUID_TEXT
     ",'partition_data':[{'index':2,'records':null}]}]}"},
    {"a struct in a tag", &wire_produce_response, 10,
     "02 02 74 02 00000000 0006 ffffffffffffffff ffffffffffffffff ffffffffffffffff 01 00"
     " 01 00 09 00000001 00000005 00"
     " 00 00000000"
     " 01 00 0d 02 00000001 02 68 00002384 00 00",
     "{'responses':[{'name':'t','partition_responses':[{'index':0,'error_code':6,'base_offset':-1,"
     "'log_append_time_ms':-1,'log_start_offset':-1,'record_errors':[],'error_message':null,"
     "'current_leader':{'leader_id':1,'leader_epoch':5}}]}],'throttle_time_ms':0,"
     "'node_endpoints':[{'node_id':1,'host':'h','port':9092,'rack':null}]}"},
    {"fetch with a session", &wire_fetch_request, 7,
     "ffffffff 000001f4 00000001 00100000 00 00000000 ffffffff"
     " 00000001 0001 74 00000001 00000000 000000000000000a ffffffffffffffff 00010000"
     " 00000001 0001 75 00000002 00000001 00000002",
     "{'replica_id':-1,'max_wait_ms':500,'min_bytes':1,'max_bytes':1048576,'isolation_level':0,"
     "'session_id':0,'session_epoch':-1,'topics':[{'topic':'t','partitions':[{'partition':0,"
     "'fetch_offset':10,'log_start_offset':-1,'partition_max_bytes':65536}]}],"
     "'forgotten_topics_data':[{'topic':'u','partitions':[1,2]}]}"},
    {"null and empty arrays differ", &wire_fetch_response, 4,
     "00000000 00000001 0001 74 00000002"
     " 00000000 0000 0000000000000007 0000000000000007 ffffffff 00000000"
     " 00000001 0003 ffffffffffffffff ffffffffffffffff 00000000 ffffffff",
     "{'throttle_time_ms':0,'responses':[{'topic':'t','partitions':["
     "{'partition_index':0,'error_code':0,'high_watermark':7,'last_stable_offset':7,"
     "'aborted_transactions':null,'records':''},"
     "{'partition_index':1,'error_code':3,'high_watermark':-1,'last_stable_offset':-1,"
     "'aborted_transactions':[],'records':null}]}]}"},
    {"no list of topics is no topics in version 0", &wire_metadata_request, 0, "00000000",
     "{'topics':[]}"},
    {"the null list is all topics later", &wire_metadata_request, 1, "ffffffff", "{'topics':null}"},
    {"the compact null list", &wire_metadata_request, 9, "00 01 00 00 00",
     "{'topics':null,'allow_auto_topic_creation':true,'include_cluster_authorized_operations':"
     "false,"
     "'include_topic_authorized_operations':false}"},
    {"a topic by id alone", &wire_metadata_request, 12, "02 " UUID_HEX " 00 00 00 01 00",
     "{'topics':[{'topic_id':" UUID_TEXT ",'name':null}],'allow_auto_topic_creation':false,"
     "'include_topic_authorized_operations':true}"},
    {"lists of numbers", &wire_metadata_response, 1,
     "00000001 00000001 0009 6c6f63616c686f7374 00002384 ffff 00000001"
     " 00000001 0000 0001 74 00 00000001 0000 00000000 00000001 00000002 00000001 00000002"
     " 00000001 00000001",
     "{'brokers':[{'node_id':1,'host':'localhost','port':9092,'rack':null}],'controller_id':1,"
     "'topics':[{'error_code':0,'name':'t','is_internal':false,'partitions':[{'error_code':0,"
     "'partition_index':0,'leader_id':1,'replica_nodes':[1,2],'isr_nodes':[1]}]}]}"},
    {"lists of strings", &wire_find_coordinator_request, 4, "00 03 02 61 03 6262 00",
     "{'key_type':0,'coordinator_keys':['a','bb']}"},
    {"bytes of a group's member", &wire_sync_group_request, 0,
     "0001 67 00000003 0001 6d 00000001 0001 6d 00000002 cafe",
     "{'group_id':'g','generation_id':3,'member_id':'m','assignments':[{'member_id':'m',"
     "'assignment':'cafe'}]}"},
    {"a committed offset's key", &wire_offset_commit_key, 0, "0001 67 0001 74 00000005",
     "{'group':'g','topic':'t','partition':5}"},
    {"a committed offset", &wire_offset_commit_value, 3,
     "0000000000000064 00000002 0000 0000018bcfe56800",
     "{'offset':100,'leader_epoch':2,'metadata':'','commit_timestamp':1700000000000}"},
    {"a version of its own has a field of its own", &wire_offset_commit_value, 1,
     "0000000000000064 0000 0000000000000001 0000000000000002",
     "{'offset':100,'metadata':'','commit_timestamp':1,'expire_timestamp':2}"},
};

static struct heap heap;
static struct memory memory;
static struct arena arena;

static void set_up(void)
{
    heap_memory(&heap, &memory);
    arena_init(&arena, &memory, MEMORY_REQUEST, 1 << 20);
}

static void tear_down(void)
{
    arena_reset(&arena);
    ck_assert_uint_eq(heap.blocks, 0);
}

struct text {
    char bytes[8192];
    size_t length;
};

static void gather(void *context, struct span piece)
{
    struct text *text = context;
    ck_assert_uint_lt(text->length + piece.length, sizeof(text->bytes));
    memcpy(text->bytes + text->length, piece.data, piece.length);
    text->length += piece.length;
}

START_TEST(bytes_are_what_the_protocol_says)
{
    const struct wire_schema *schema = golden[_i].schema;
    const int16_t version = golden[_i].version;
    uint8_t bytes[1024];
    uint8_t again[1024];
    const struct span wanted = hex_read(golden[_i].hex, bytes, sizeof(bytes));
    void *message = arena_take(&arena, schema->size);

    const int error = wire_decode(schema, version, wanted, &arena, message);
    ck_assert_msg(error == ERR_NONE, "%s: %s", golden[_i].what, error_name(error));
    struct wire_writer writer = {.data = again, .capacity = sizeof(again)};
    ck_assert_int_eq(wire_encode(schema, version, message, &writer), ERR_NONE);
    ck_assert_uint_eq(writer.length, wanted.length);
    ck_assert_mem_eq(again, wanted.data, wanted.length);
    ck_assert_uint_eq(wire_size(schema, version, message), wanted.length);
    struct text text = {.length = 0};
    const struct wire_printer printer = {.print = gather, .context = &text, .bytes_max = 64};
    wire_print(schema, version, message, &printer);
    /* The tables above have the one kind of quotes that needs no escape. */
    for (size_t i = 0; i < text.length; i++)
        if (text.bytes[i] == '"')
            text.bytes[i] = '\'';
    ck_assert_str_eq(text.bytes, golden[_i].json);
}
END_TEST

SUITE(golden)
{
    TCase *tcase = tcase_create("golden");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, bytes_are_what_the_protocol_says, 0,
                        sizeof(golden) / sizeof(golden[0]));
    suite_add_tcase(suite, tcase);
}
