/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "tests/support/runner.h"

#define WORDS_MAX      8
#define WORD_BYTES_MAX 32

static const struct option rows[] = {
    {"set", "KEY=VALUE", "Sets a key.\nOr two."},
    {"json", NULL, "As JSON."},
    {0},
};

static const struct cmd cmd = {
    .program = "chronik",
    .name = "paint",
    .arguments = "FILE...",
    .summary = "paint",
    .help = "Paints.\n\nWell.",
    .examples = "chronik paint wall\n    all of it",
    .options = rows,
};

static char errors[1024];

/* Reads a command line; returns what was found as text: "json set=a=b <file>". */
static const char *read_line(const char *const words[WORDS_MAX], int *ret_exit_code)
{
    static char found[256];
    char copies[WORDS_MAX][WORD_BYTES_MAX];
    char *argv[WORDS_MAX];
    int argc = 0;
    for (; argc < WORDS_MAX && words[argc] != NULL; argc++) {
        snprintf(copies[argc], WORD_BYTES_MAX, "%s", words[argc]);
        argv[argc] = copies[argc];
    }
    size_t length = 0;
    struct options options;
    const char *value = NULL;
    found[0] = '\0';
    options_start(&options, &cmd, argc, argv);
    int place;
    while ((place = options_next(&options, &value)) >= OPTIONS_ARGUMENT) {
        if (place == OPTIONS_ARGUMENT)
            length += (size_t)snprintf(found + length, sizeof(found) - length, "<%s> ", value);
        else if (rows[place].value != NULL)
            length += (size_t)snprintf(found + length, sizeof(found) - length, "%s=%s ",
                                       rows[place].name, value);
        else
            length +=
                (size_t)snprintf(found + length, sizeof(found) - length, "%s ", rows[place].name);
    }
    *ret_exit_code = place == OPTIONS_EXIT ? options.exit_code : -1;
    return found;
}

static const struct {
    const char *words[WORDS_MAX];
    const char *found;
    const char *mistake; /* NULL: none */
} lines[] = {
    {{"paint"}, "", NULL},
    {{"paint", "a", "b"}, "<a> <b> ", NULL},
    {{"paint", "--json", "a", "--set", "k=v"}, "json <a> set=k=v ", NULL},
    {{"paint", "--set=k=v"}, "set=k=v ", NULL},
    {{"paint", "--set="}, "set= ", NULL},
    {{"paint", "--set", "--json"}, "set=--json ", NULL},
    {{"paint", "-", "a"}, "<-> <a> ", NULL},
    {{"paint", "--", "--json", "--"}, "<--json> <--> ", NULL},
    {{"paint", "--set"}, "", "chronik paint: --set needs KEY=VALUE\n"},
    {{"paint", "--json=1"}, "", "chronik paint: --json takes no value\n"},
    {{"paint", "--jsno"}, "", "chronik paint: there is no option --jsno\n"},
    {{"paint", "--jso"}, "", "chronik paint: there is no option --jso; did you mean --json?\n"},
    {{"paint", "a", "--sett=x"},
     "<a> ",
     "chronik paint: there is no option --sett; did you mean --set?\n"},
    {{"paint", "--halp"}, "", "chronik paint: there is no option --halp; did you mean --help?\n"},
    {{"paint", "-x"}, "", "chronik paint: there is no option -x\n"},
    {{"paint", "--="}, "", "chronik paint: there is no option --\n"},
};

START_TEST(command_lines_are_understood_or_explained)
{
    FILE *before = stderr;
    stderr = fmemopen(errors, sizeof(errors), "w");
    ck_assert_ptr_nonnull(stderr);
    int exit_code;
    const char *found = read_line(lines[_i].words, &exit_code);
    fclose(stderr);
    stderr = before;
    ck_assert_str_eq(found, lines[_i].found);
    if (lines[_i].mistake == NULL) {
        ck_assert_int_eq(exit_code, -1);
        ck_assert_str_eq(errors, "");
        return;
    }
    ck_assert_int_eq(exit_code, EXIT_CODE_USAGE);
    char expected[256];
    snprintf(expected, sizeof(expected), "%sTry \"chronik help paint\".\n", lines[_i].mistake);
    ck_assert_str_eq(errors, expected);
}
END_TEST

static const char *const help_words[] = {"-h", "--help"};

START_TEST(help_is_an_option_of_every_command)
{
    static char text[1024];
    FILE *before = stdout;
    stdout = fmemopen(text, sizeof(text), "w");
    ck_assert_ptr_nonnull(stdout);
    const char *const words[WORDS_MAX] = {"paint", "a", help_words[_i], "--jsno"};
    int exit_code;
    read_line(words, &exit_code);
    fclose(stdout);
    stdout = before;
    ck_assert_int_eq(exit_code, EXIT_CODE_DONE);
    ck_assert_str_eq(text, "usage: chronik paint FILE...\n"
                           "\n"
                           "Paints.\n"
                           "\n"
                           "Well.\n"
                           "\n"
                           "Options:\n"
                           "  --set KEY=VALUE\n"
                           "        Sets a key.\n"
                           "        Or two.\n"
                           "  --json\n"
                           "        As JSON.\n"
                           "\n"
                           "Examples:\n"
                           "  chronik paint wall\n"
                           "      all of it\n");
}
END_TEST

SUITE(options)
{
    TCase *tcase = tcase_create("options");
    tcase_add_loop_test(tcase, command_lines_are_understood_or_explained, 0,
                        sizeof(lines) / sizeof(lines[0]));
    tcase_add_loop_test(tcase, help_is_an_option_of_every_command, 0, 2);
    suite_add_tcase(suite, tcase);
}
