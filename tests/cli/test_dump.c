/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/records/builder.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"
#include "tests/support/runner.h"

/* A folder of a partition, and what the command prints about it; "DIR" stands for its parent. */
static char parent[] = "/tmp/chronik-dump-XXXXXX";
static char folder[128];
static char output[65536];

static uint8_t segment[4096];
static size_t segment_length;

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(parent));
    snprintf(folder, sizeof(folder), "%s/orders-0", parent);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    segment_length = 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void tear_down(void)
{
    ck_assert_int_eq(nftw(parent, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void write_file(const char *name, const void *bytes, size_t length)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

/* Adds a batch of one record to the segment. */
static void add_batch(int64_t offset, int32_t epoch, struct span key, struct span value)
{
    struct batch_builder builder;
    uint8_t *at = segment + segment_length;
    batch_builder_start(&builder, at, sizeof(segment) - segment_length, 1700000000123, false);
    batch_builder_add(&builder, 1700000000123, key, value);
    segment_length += batch_builder_finish(&builder);
    batch_patch(at, offset, epoch);
}

static void write_segment(void)
{
    write_file("00000000000000000000.log", segment, segment_length);
}

/* Runs "chronik dump OPTIONS FOLDER/NAME" with both outputs in `output`. Returns the exit code. */
static int run(const char *name, const char *option_one, const char *option_two)
{
    char path[512];
    char out_path[128];
    char name_of_command[] = "dump";
    char *argv[] = {name_of_command, path, (char *)(uintptr_t)option_one,
                    (char *)(uintptr_t)option_two};
    const int argc = option_one == NULL ? 2 : option_two == NULL ? 3 : 4;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    snprintf(out_path, sizeof(out_path), "%s/output", parent);
    const int saved_out = dup(1);
    const int saved_err = dup(2);
    const int file = open(out_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    fflush(stdout);
    fflush(stderr);
    dup2(file, 1);
    dup2(file, 2);
    const int code = cmd_dump.run(&cmd_dump, argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(saved_out, 1);
    dup2(saved_err, 2);
    close(saved_out);
    close(saved_err);
    const ssize_t length = pread(file, output, sizeof(output) - 1, 0);
    ck_assert_int_ge(length, 0);
    output[length] = '\0';
    close(file);
    return code;
}

/* Asserts the output, with "DIR" for the folder's parent. */
static void ck_output(const char *expected)
{
    static char text[sizeof(output)];
    size_t length = 0;
    for (const char *at = output; *at != '\0';) {
        const bool is_parent = strncmp(at, parent, strlen(parent)) == 0;
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%.*s", is_parent ? 3 : 1,
                                   is_parent ? "DIR" : at);
        at += is_parent ? strlen(parent) : 1;
    }
    ck_assert_str_eq(text, expected);
}

#define LOG "00000000000000000000.log"
#define BATCH_0                                                                  \
    "batch offset 0 last_offset 0 position 0 bytes 74 records 1 leader_epoch 2 " \
    "base_time 2023-11-14T22:13:20.123Z max_time 2023-11-14T22:13:20.123Z codec \"none\"\n"

START_TEST(shows_batches_and_records)
{
    add_batch(0, 2, SPAN("k"), SPAN("value"));
    add_batch(7, 3, SPAN_NULL, SPAN("\xff\x00"));
    write_segment();
    ck_assert_int_eq(run(LOG, "--records", NULL), 0);
    ck_output(
        "DIR/orders-0/" LOG "\n" BATCH_0
        "  record offset 0 time 2023-11-14T22:13:20.123Z key \"k\" value \"value\"\n"
        "batch offset 7 last_offset 7 position 74 bytes 70 records 1 leader_epoch 3 "
        "base_time 2023-11-14T22:13:20.123Z max_time 2023-11-14T22:13:20.123Z codec \"none\"\n"
        "  record offset 7 time 2023-11-14T22:13:20.123Z key null value_hex ff00\n");
}
END_TEST

START_TEST(shows_json)
{
    add_batch(0, 2, SPAN("k"), SPAN("\xff"));
    write_segment();
    ck_assert_int_eq(run(LOG, "--records", "--json"), 0);
    ck_output("{\"file\":\"DIR/orders-0/" LOG
              "\",\"kind\":\"batch\",\"offset\":0,\"last_offset\":0,"
              "\"position\":0,\"bytes\":70,\"records\":1,\"leader_epoch\":2,"
              "\"base_time\":1700000000123,\"max_time\":1700000000123,\"codec\":\"none\"}\n"
              "{\"file\":\"DIR/orders-0/" LOG "\",\"kind\":\"record\",\"offset\":0,"
              "\"time\":1700000000123,\"key\":\"k\",\"value_hex\":\"ff\"}\n");
}
END_TEST

/* Damage to a segment of two good batches of 74 bytes each: some bytes at a position, or its
 * length; and what is said after the good ones. */
static const struct {
    size_t position;
    const char *bytes;
    size_t bytes_length;
    size_t length; /* 0: as it is */
    int good;
    const char *said;
} damages[] = {
    {148, "", 0, 0, 2, ""},
    {0, "", 0, 147, 1, "position 74: the file ends inside of a batch, of which it has 73 bytes\n"},
    {0, "", 0, 75, 1, "position 74: nothing but zeros follows, 1 in all\n"},
    {0, "", 0, 200, 2, "position 148: nothing but zeros follows, 52 in all\n"},
    {0, "", 0, 160, 2, "position 148: nothing but zeros follows, 12 in all\n"},
    {147, "\x55", 1, 0, 1, "position 74: the batch of offset 1 is damaged: its checksum is"},
    {16, "\x01", 1, 0, 0, "position 0: messages of format 1 (before Kafka 0.11) are not known\n"},
    {16, "\x07", 1, 0, 0, "position 0: these bytes are not a record batch\n"},
    {82, "\x80", 1, 0, 1, "position 74: these bytes are not a record batch\n"},
    {82, "\x7f\xff\xff\xff", 4, 0, 1,
     "position 74: the file ends inside of a batch, of which it has 74 bytes\n"},
    {74, "\0\0\0\0\0\0\0\0", 8, 0, 2,
     "position 74: the batch begins at offset 0, after 1 was reached\n"},
    {86, "\0\0\0\1", 4, 0, 2, "position 74: the batch of offset 1 has leader epoch 1, after 2\n"},
};

START_TEST(says_where_a_segment_is_damaged)
{
    int batches = 0;
    add_batch(0, 2, SPAN("k"), SPAN("value"));
    add_batch(1, 2, SPAN("k"), SPAN("value"));
    ck_assert_uint_eq(segment_length, 148);
    memcpy(segment + damages[_i].position, damages[_i].bytes, damages[_i].bytes_length);
    if (damages[_i].length > segment_length)
        memset(segment + segment_length, 0, damages[_i].length - segment_length);
    segment_length = damages[_i].length == 0 ? segment_length : damages[_i].length;
    write_segment();
    ck_assert_int_eq(run(LOG, NULL, NULL), damages[_i].said[0] == '\0' ? 0 : 1);
    for (const char *at = output; (at = strstr(at, "batch offset")) != NULL; at++)
        batches++;
    ck_assert_int_eq(batches, damages[_i].good);
    ck_assert_msg(strstr(output, damages[_i].said) != NULL, "%s", output);
}
END_TEST

START_TEST(an_error_is_a_line_of_json_too)
{
    add_batch(0, 2, SPAN("k"), SPAN("value"));
    segment_length--;
    write_segment();
    ck_assert_int_eq(run(LOG, "--json", NULL), 1);
    ck_output("chronik dump: DIR/orders-0/" LOG ": position 0: the file ends inside of a batch, of "
              "which it has 73 bytes\n"
              "{\"file\":\"DIR/orders-0/" LOG
              "\",\"kind\":\"error\",\"position\":0,\"error\":\"the "
              "file ends inside of a batch, of which it has 73 bytes\"}\n");
}
END_TEST

START_TEST(records_that_are_none_are_said)
{
    add_batch(0, 2, SPAN("k"), SPAN("value"));
    segment[BATCH_HEADER_BYTES] = 0x7f; /* the record's length */
    put_be32(segment + BATCH_AT_CRC, batch_checksum(segment, segment_length));
    write_segment();
    ck_assert_int_eq(run(LOG, NULL, NULL), 0);
    ck_assert_int_eq(run(LOG, "--records", NULL), 1);
    ck_assert_ptr_nonnull(
        strstr(output, "position 0: the records of the batch at offset 0 cannot be read: "));
}
END_TEST

START_TEST(decodes_committed_offsets)
{
    const struct offset_commit_key key = {.group = SPAN("g"), .topic = SPAN("t"), .partition = 4};
    const struct offset_commit_value value = {.offset = 42, .metadata = SPAN("m")};
    uint8_t key_bytes[64];
    uint8_t value_bytes[128];
    struct wire_writer key_writer = {.data = key_bytes, .capacity = sizeof(key_bytes)};
    struct wire_writer value_writer = {.data = value_bytes, .capacity = sizeof(value_bytes)};
    ck_assert_int_eq(wire_encode_record(&wire_offset_commit_key, 0, &key, &key_writer), ERR_NONE);
    ck_assert_int_eq(wire_encode_record(&wire_offset_commit_value, 3, &value, &value_writer),
                     ERR_NONE);
    snprintf(folder, sizeof(folder), "%s/__consumer_offsets-7", parent);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    add_batch(0, 0, span_of(key_bytes, key_writer.length),
              span_of(value_bytes, value_writer.length));
    add_batch(1, 0, span_of(key_bytes, key_writer.length), SPAN_NULL);
    add_batch(2, 0, SPAN("rubbish"), SPAN_NULL);
    write_segment();
    ck_assert_int_eq(run(LOG, "--records", NULL), 0);
    ck_assert_ptr_nonnull(strstr(output,
                                 "type \"offset_commit_value\" key {\"group\":\"g\",\"topic\":"
                                 "\"t\",\"partition\":4} value {\"offset\":42,"));
    ck_assert_ptr_nonnull(strstr(output, "\"partition\":4} value null\n"));
    ck_assert_ptr_nonnull(strstr(output, "key \"rubbish\" value null\n"));
}
END_TEST

START_TEST(decodes_metadata)
{
    const struct topic_record topic = {.name = SPAN("orders")};
    uint8_t frame[64] = {1, 2, 0};
    struct wire_writer writer = {.data = frame, .capacity = sizeof(frame), .length = 3};
    ck_assert_int_eq(wire_encode(&wire_topic_record, 0, &topic, &writer), ERR_NONE);
    snprintf(folder, sizeof(folder), "%s/__cluster_metadata-0", parent);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    add_batch(0, 0, SPAN_NULL, span_of(frame, writer.length));
    add_batch(1, 0, SPAN_NULL, SPAN("\1\x63\4ab"));
    add_batch(2, 0, SPAN_NULL, SPAN("\1"));
    write_segment();
    ck_assert_int_eq(run(LOG, "--records", NULL), 0);
    ck_assert_ptr_nonnull(
        strstr(output, "type \"topic_record\" value {\"name\":\"orders\",\"topic_id\":\""));
    ck_assert_ptr_nonnull(strstr(output, " type 99 version 4 value \"ab\"\n"));
    ck_assert_ptr_nonnull(strstr(output, "key null value_hex 01\n"));
}
END_TEST

/* Small files: what is in them, and what is printed after the line with their path. */
static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    const char *printed;
} files[] = {
    {"leader-epoch-checkpoint", "0\n2\n0 0\n3 17\n", 13,
     "epoch leader_epoch 0 offset 0\nepoch leader_epoch 3 offset 17\n"},
    {"leader-epoch-checkpoint", "0\n1\nx", 5,
     "!position 0: this is not a list of leader epochs of version 0\n"},
    {"recovery-point-offset-checkpoint", "0\n1\norders 0 17\n", 16,
     "checkpoint topic \"orders\" partition 0 offset 17\n"},
    {"recovery-point-offset-checkpoint", "0\n2\norders 0 17\n", 16,
     "!position 0: this is not a list of offsets of version 0\n"},
    {"partition.metadata", "version: 0\ntopic_id: _6-JaKfNTS2TcJEvitiLtA\n", 44,
     "partition topic_id \"_6-JaKfNTS2TcJEvitiLtA\"\n"},
    {"partition.metadata", "version: 0\ntopic_id: _6-JaKfNTS2TcJEvitiLtA", 43,
     "partition topic_id \"_6-JaKfNTS2TcJEvitiLtA\"\n"},
    {"partition.metadata", "version: 1\n", 11,
     "!position 0: this is not the topic id of a partition, version 0\n"},
    {"00000000000000000005.timeindex", "\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0", 24,
     "time_entry time 1970-01-01T00:00:00.001Z offset 7\n"},
    {"00000000000000000005.timeindex", "\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\3", 24,
     "!time_entry time 1970-01-01T00:00:00.001Z offset 7\n"
     "time_entry time 1970-01-01T00:00:00.001Z offset 8\n"
     "!position 12: the entry of offset 8 does not come after the one before\n"},
    {"00000000000000000000.index", "\0\0\0\1\0\0\0\x4a", 8, "index_entry offset 1 position 74\n"},
    {"00000000000000000000.index", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, ""},
    {"00000000000000000000.index", "\0\0\0\1\0\0\0\x4b", 8,
     "!index_entry offset 1 position 75\n"
     "!position 0: no batch that could hold offset 1 begins at 75 of the log\n"},
    {"00000000000000000000.index", "\0\0\0\1\0\0\x10\0", 8,
     "!index_entry offset 1 position 4096\n"
     "!position 0: no batch that could hold offset 1 begins at 4096 of the log\n"},
    {"00000000000000000000.index", "\0\0\0\1\0\0\0\x4a\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\x4b", 24,
     "!index_entry offset 1 position 74\n"
     "!position 8: there are zeros between entries\n"
     "index_entry offset 2 position 75\n"
     "!position 16: no batch that could hold offset 2 begins at 75 of the log\n"},
    {"00000000000000000000.index", "\0\0\0\1\0\0\0\x4a\0", 9,
     "!index_entry offset 1 position 74\n!position 8: the file ends inside of an entry\n"},
    {"00000000000000000009.snapshot", "\0\1", 2,
     "!position 0: this is not a snapshot of producers of version 1\n"},
    {"00000000000000000009.snapshot", "\0\1\0\0\0\0\0\0\0\1", 10,
     "!position 2: the file is damaged: its checksum is 00000000, its bytes give "},
    {"meta.properties", "version=1\n", 10, "!position 0: "},
};

START_TEST(shows_the_files_beside_the_segments)
{
    char text[1024];
    size_t length = 0;
    add_batch(0, 2, SPAN("k"), SPAN("value"));
    add_batch(1, 2, SPAN("k"), SPAN("value"));
    write_segment();
    write_file(files[_i].name, files[_i].bytes, files[_i].length);
    const bool good = files[_i].printed[0] != '!';
    ck_assert_int_eq(run(files[_i].name, NULL, NULL), good ? 0 : 1);
    /* Both outputs in one: a line of errors begins with the command's name and the path. */
    length = (size_t)snprintf(text, sizeof(text), "%s/%s\n", folder, files[_i].name);
    for (const char *at = files[_i].printed; *at != '\0'; at++) {
        if (*at == '!' && strncmp(at + 1, "position", 8) == 0)
            length += (size_t)snprintf(text + length, sizeof(text) - length,
                                       "chronik dump: %s/%s: ", folder, files[_i].name);
        else if (*at != '!')
            text[length++] = *at;
    }
    text[length] = '\0';
    output[length] = '\0';
    ck_assert_str_eq(output, text);
}
END_TEST

START_TEST(shows_a_snapshot_of_producers)
{
    uint8_t bytes[10 + 46] = {0, 1};
    put_be32(bytes + 6, 1);
    put_be64(bytes + 10, 1000);
    put_be16(bytes + 18, 3);
    put_be32(bytes + 20, 9);
    put_be64(bytes + 24, 99);
    put_be32(bytes + 32, 4);
    put_be64(bytes + 36, 1700000000123);
    put_be32(bytes + 44, UINT32_MAX);
    put_be64(bytes + 48, UINT64_MAX);
    put_be32(bytes + 2, crc32c(0, bytes + 6, sizeof(bytes) - 6));
    write_file("00000000000000000100.snapshot", bytes, sizeof(bytes));
    ck_assert_int_eq(run("00000000000000000100.snapshot", NULL, NULL), 0);
    ck_output("DIR/orders-0/00000000000000000100.snapshot\n"
              "producer producer_id 1000 producer_epoch 3 last_sequence 9 last_offset 99 "
              "offset_delta 4 time 2023-11-14T22:13:20.123Z coordinator_epoch -1 "
              "transaction_first_offset -1\n");
    put_be32(bytes + 6, 2);
    put_be32(bytes + 2, crc32c(0, bytes + 6, sizeof(bytes) - 6));
    write_file("00000000000000000100.snapshot", bytes, sizeof(bytes));
    ck_assert_int_eq(run("00000000000000000100.snapshot", NULL, NULL), 1);
    ck_assert_ptr_nonnull(strstr(output, "does not have the length of 2 producers"));
}
END_TEST

START_TEST(takes_a_folder_by_the_names_in_it)
{
    add_batch(0, 2, SPAN("k"), SPAN("value"));
    write_segment();
    write_file("leader-epoch-checkpoint", "0\n0\n", 4);
    write_file("notes.txt", "x", 1);
    write_file("123.log", "x", 1);
    ck_assert_int_eq(run("..", NULL, NULL), 0);
    ck_output("DIR/orders-0/../orders-0/" LOG "\n" BATCH_0
              "DIR/orders-0/../orders-0/leader-epoch-checkpoint\n");
}
END_TEST

/* A broker that runs removes files as it goes on; the link is one that was there when the folder
 * was listed. */
START_TEST(a_file_that_goes_meanwhile_is_left_out)
{
    char link_path[256];
    write_file("leader-epoch-checkpoint", "0\n0\n", 4);
    snprintf(link_path, sizeof(link_path), "%s/00000000000000000007.snapshot", folder);
    ck_assert_int_eq(symlink("gone", link_path), 0);
    ck_assert_int_eq(run("..", NULL, NULL), 0);
    ck_output("DIR/orders-0/../orders-0/leader-epoch-checkpoint\n");
    ck_assert_int_eq(run("00000000000000000007.snapshot", NULL, NULL), 1);
}
END_TEST

START_TEST(refuses_what_it_does_not_know)
{
    write_file("notes.txt", "x", 1);
    ck_assert_int_eq(run("notes.txt", NULL, NULL), 1);
    ck_assert_ptr_nonnull(strstr(output, "none of the files of a data folder"));
    ck_assert_int_eq(run("missing.log", NULL, NULL), 1);
    ck_output("chronik dump: DIR/orders-0/missing.log: No such file or directory\n");
    char pipe_path[256];
    snprintf(pipe_path, sizeof(pipe_path), "%s/" LOG, folder);
    ck_assert_int_eq(mkfifo(pipe_path, 0600), 0);
    ck_assert_int_eq(run(LOG, NULL, NULL), 1);
    ck_output("chronik dump: DIR/orders-0/" LOG ": not a regular file\n");
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

SUITE(dump)
{
    TCase *tcase = tcase_create("dump");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, shows_batches_and_records);
    tcase_add_test(tcase, shows_json);
    tcase_add_loop_test(tcase, says_where_a_segment_is_damaged, 0, COUNT(damages));
    tcase_add_test(tcase, an_error_is_a_line_of_json_too);
    tcase_add_test(tcase, records_that_are_none_are_said);
    tcase_add_test(tcase, decodes_committed_offsets);
    tcase_add_test(tcase, decodes_metadata);
    tcase_add_loop_test(tcase, shows_the_files_beside_the_segments, 0, COUNT(files));
    tcase_add_test(tcase, shows_a_snapshot_of_producers);
    tcase_add_test(tcase, takes_a_folder_by_the_names_in_it);
    tcase_add_test(tcase, a_file_that_goes_meanwhile_is_left_out);
    tcase_add_test(tcase, refuses_what_it_does_not_know);
    suite_add_tcase(suite, tcase);
}
