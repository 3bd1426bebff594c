/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/logger.h"
#include "cli/notify.h"
#include "tests/support/runner.h"

static int ends[2];

static void start(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
}

static void end(void)
{
    close(ends[0]);
    close(ends[1]);
}

/* Writes one line and returns it without its time; NULL when it was left out. */
static const char *logged(const char *most, enum log_level level, struct span text)
{
    static char line[LOGGER_LINE_BYTES_MAX + 1];
    struct logger logger;
    logger_init(&logger, ends[0], span_text(most));
    logger_write(&logger, level, text);
    const ssize_t length = read(ends[1], line, sizeof(line) - 1);
    if (length < 0)
        return NULL;
    line[length] = '\0';
    ck_assert_int_gt(length, 25);
    return line + 25;
}

static const struct {
    const char *most;
    enum log_level level;
    const char *expected;
} levels[] = {
    {"info", LOG_ERROR, "ERROR text\n"},  {"info", LOG_WARN, "WARN  text\n"},
    {"info", LOG_INFO, "INFO  text\n"},   {"info", LOG_DEBUG, NULL},
    {"debug", LOG_DEBUG, "DEBUG text\n"}, {"warn", LOG_INFO, NULL},
    {"warn", LOG_WARN, "WARN  text\n"},   {"error", LOG_WARN, NULL},
    {"error", LOG_ERROR, "ERROR text\n"},
};

START_TEST(lines_of_the_level_and_above_are_written)
{
    ck_assert_pstr_eq(logged(levels[_i].most, levels[_i].level, SPAN("text")), levels[_i].expected);
}
END_TEST

START_TEST(lines_begin_with_the_time)
{
    const char *line = logged("info", LOG_INFO, SPAN("text")) - 25;
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd')
            ck_assert(line[i] >= '0' && line[i] <= '9');
        else
            ck_assert_int_eq(line[i], form[i]);
    }
}
END_TEST

START_TEST(one_text_is_one_line_whatever_is_in_it)
{
    ck_assert_str_eq(logged("info", LOG_INFO, SPAN("a\nb\x1b[2J\x7f\0c \xc3\xa9")),
                     "INFO  a\\x0ab\\x1b[2J\\x7f\\x00c \xc3\xa9\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
    static uint8_t text[2 * LOGGER_LINE_BYTES_MAX];
    const char *line = logged("info", LOG_INFO, span_of(text, sizeof(text)));
    const size_t length = strlen(line);
    ck_assert_uint_lt(length, LOGGER_LINE_BYTES_MAX - 25);
    ck_assert_uint_gt(length, LOGGER_LINE_BYTES_MAX - 40);
    ck_assert_int_eq(line[length - 1], '\n');
}
END_TEST

static const char *const notify_prefixes[] = {"/tmp/", "@"};

START_TEST(the_service_manager_hears)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[64];
    snprintf(path, sizeof(path), "%schronik-test-notify-%d", notify_prefixes[_i], (int)getpid());
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    const socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    const int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
    notify_send("READY=1");
    char state[32] = {0};
    ck_assert_int_eq(read(manager, state, sizeof(state) - 1), 7);
    close(manager);
    ck_assert_str_eq(state, "READY=1");
    unlink(path);
}
END_TEST

START_TEST(without_a_service_manager_nothing_happens)
{
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
    static const char *const paths[] = {"", "relative", "/nonexistent/socket"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", paths[i], 1), 0);
        notify_send("READY=1");
    }
}
END_TEST

SUITE(logger)
{
    TCase *tcase = tcase_create("logger");
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_loop_test(tcase, lines_of_the_level_and_above_are_written, 0,
                        sizeof(levels) / sizeof(levels[0]));
    tcase_add_test(tcase, lines_begin_with_the_time);
    tcase_add_test(tcase, one_text_is_one_line_whatever_is_in_it);
    tcase_add_test(tcase, long_lines_are_cut);
    tcase_add_loop_test(tcase, the_service_manager_hears, 0, 2);
    tcase_add_test(tcase, without_a_service_manager_nothing_happens);
    suite_add_tcase(suite, tcase);
}
