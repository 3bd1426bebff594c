/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/heap.h"
#include "tests/support/runner.h"

static struct heap heap;
static struct memory memory;
static struct settings settings;
static char *said;
static size_t said_length;
static char path[] = "/tmp/chronik-settings-XXXXXX";

static void set_up(void)
{
    const int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
    heap_memory(&heap, &memory);
    settings_init(&settings, &memory, open_memstream(&said, &said_length));
}

static void tear_down(void)
{
    settings_free(&settings);
    fclose(settings.out);
    free(said);
    unlink(path);
    ck_assert_uint_eq(heap.blocks, 0);
}

static void read_text(const char *text)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    settings_file(&settings, path);
}

/* Asserts what was said; "FILE" stands for the path. */
static void ck_said(const char *expected)
{
    char text[1024] = "";
    size_t length = 0;
    fflush(settings.out);
    for (const char *at = said; *at != '\0' && length + 5 < sizeof(text);) {
        const bool is_path = strncmp(at, path, strlen(path)) == 0;
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%.*s", is_path ? 4 : 1,
                                   is_path ? "FILE" : at);
        at += is_path ? strlen(path) : 1;
    }
    ck_assert_str_eq(text, expected);
}

START_TEST(nothing_at_all_is_good)
{
    ck_assert_int_eq(settings_check(&settings), 0);
    ck_said("");
}
END_TEST

START_TEST(an_option_counts_more_than_the_file)
{
    read_text("num.partitions=3\nnode.id=8\n");
    settings_option(&settings, "num.partitions = 5");
    ck_assert_int_eq(settings_check(&settings), 0);
    ck_assert_int_eq(conf_int(&settings.conf, CONF_NUM_PARTITIONS), 5);
    ck_assert_int_eq(settings.conf.node_id, 8);
    ck_said("");
}
END_TEST

START_TEST(everything_wrong_is_said_by_its_place)
{
    read_text("num.partitions=0\nnum.io.threads=8\n\nlog.dirs=/a\nlog.dirs=/"
              "b\nnodeid=1\nprocess.roles=broker\n");
    settings_option(&settings, "fetch.max.bytes=1");
    settings_option(&settings, "queued.max.request.bytes=1");
    ck_assert_int_eq(settings_check(&settings), -1);
    ck_said(
        "FILE:1: error: num.partitions: '0' is out of range, it has to be at least 1\n"
        "FILE:2: warning: num.io.threads has no effect here: one loop does the work, with a few "
        "threads for what waits for a disk\n"
        "FILE:5: warning: log.dirs was set in line 4 too; the last one counts\n"
        "FILE:6: error: there is no key nodeid; did you mean node.id?\n"
        "--set fetch.max.bytes=1: error: fetch.max.bytes: '1' is out of range, it has to be at "
        "least 1024\n"
        "FILE:7: error: process.roles: a node of its own has both roles; set broker,controller or "
        "leave it out\n"
        "--set queued.max.request.bytes=1: error: queued.max.request.bytes=1 holds no request of "
        "socket.request.max.bytes=104857600; raise the first or lower the second\n");
}
END_TEST

START_TEST(bad_syntax_is_said_by_its_line)
{
    read_text("node.id=1\nlog.dirs=C:\\users\n");
    ck_assert_int_eq(settings_check(&settings), -1);
    ck_said(
        "FILE:2: error: \\u is not followed by the four hexadecimal digits of a character; for a "
        "backslash write two\n");
}
END_TEST

START_TEST(a_missing_file_is_said)
{
    unlink(path);
    settings_file(&settings, path);
    ck_assert_int_eq(settings_check(&settings), -1);
    ck_said("FILE: error: No such file or directory\n");
}
END_TEST

START_TEST(a_folder_is_no_file)
{
    settings_file(&settings, "/");
    ck_assert_int_eq(settings_check(&settings), -1);
    ck_said("/: error: Is a directory\n");
}
END_TEST

static const struct {
    const char *text;
    const char *said;
} options[] = {
    {"node.id", "--set node.id: error: is not of the form key=value\n"},
    {"#node.id=1", "--set #node.id=1: error: is not one setting of the form key=value\n"},
    {"node.id=1\nnum.partitions=2",
     "--set node.id=1\nnum.partitions=2: error: is not one setting of the form key=value\n"},
    {"=1", "--set =1: error: there is no key before the '=' or ':'\n"},
    {"broker.rack=", ""},
    {"controller.quorum.voters=1@localhost:9093", ""},
};

START_TEST(an_option_is_one_setting)
{
    settings_option(&settings, options[_i].text);
    ck_assert_int_eq(settings_check(&settings), options[_i].said[0] == '\0' ? 0 : -1);
    ck_said(options[_i].said);
}
END_TEST

START_TEST(options_have_a_limit)
{
    for (int i = 0; i <= SETTINGS_OPTIONS_MAX; i++)
        settings_option(&settings, "node.id=1");
    ck_assert_int_eq(settings_check(&settings), -1);
    ck_said("error: more than 256 times --set; use a file\n");
}
END_TEST

/* Every line of the sample that shows a default, without its '#'. */
START_TEST(the_sample_file_is_the_default)
{
    const char *srcdir = getenv("srcdir");
    char sample[4096];
    char line[512];
    int count = 0;
    snprintf(sample, sizeof(sample), "%s/contrib/server.properties", srcdir == NULL ? "." : srcdir);
    FILE *in = fopen(sample, "r");
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(in);
    while (fgets(line, sizeof(line), in) != NULL) {
        const char *equals = strchr(line, '=');
        if (line[0] != '#' || line[1] == ' ' || equals == NULL || equals[1] == '\n')
            continue;
        fputs(line + 1, out);
        count++;
    }
    fclose(in);
    fclose(out);
    settings_file(&settings, path);
    ck_assert_int_eq(settings_check(&settings), 0);
    ck_said("");
    ck_assert_int_gt(count, 40);
    for (int key = 0; key < CONF_KEYS; key++) {
        const char *value = conf_key_info((enum conf_key)key)->value;
        ck_assert(span_equal(settings.conf.values[key].text, span_text(value)));
        ck_assert_int_eq(settings.conf.values[key].source,
                         value == NULL ? CONF_SOURCE_DEFAULT : CONF_SOURCE_FILE);
    }
}
END_TEST

SUITE(settings)
{
    TCase *tcase = tcase_create("settings");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, nothing_at_all_is_good);
    tcase_add_test(tcase, an_option_counts_more_than_the_file);
    tcase_add_test(tcase, everything_wrong_is_said_by_its_place);
    tcase_add_test(tcase, bad_syntax_is_said_by_its_line);
    tcase_add_test(tcase, a_missing_file_is_said);
    tcase_add_test(tcase, a_folder_is_no_file);
    tcase_add_loop_test(tcase, an_option_is_one_setting, 0, sizeof(options) / sizeof(options[0]));
    tcase_add_test(tcase, options_have_a_limit);
    tcase_add_test(tcase, the_sample_file_is_the_default);
    suite_add_tcase(suite, tcase);
}
