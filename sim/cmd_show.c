/* SPDX-License-Identifier: Apache-2.0 */
/* chronik sim show: the story of a run, a column for each machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "sim/cmd.h"
#include "sim/trace.h"

#define NODES_MAX          SIM_HOSTS_MAX
#define COLUMN_BYTES_LEAST 24
#define WIDTH_DEFAULT      100
#define TEXT_DEFAULT       120

enum { OPTION_FROM, OPTION_TO, OPTION_ALL, OPTION_FAULTS };

static int run_show(const struct cmd *cmd, int argc, char **argv);

static const struct option rows[] = {
    {"from", "MS", "Begins at this time of the run, in milliseconds."},
    {"to", "MS", "Ends at this time."},
    {"all", NULL, "Shows every event and effect, too."},
    {"faults", NULL, "Shows only faults, and lives of machines."},
    {NULL, NULL, NULL},
};

const struct cmd cmd_show = {
    .program = "chronik sim",
    .name = "show",
    .arguments = "FILE.db [OPTION]...",
    .summary = "tell the story of a run that was traced",
    .help =
        "Prints what happened in a traced run, in its order: time, number, a column for each\n"
        "machine. Faults are marked with \"!\", what clients asked with \">\", what they got\n"
        "with \"<\". The number is what \"chronik sim why\" takes.\n"
        "\n"
        "The file is a SQLite database: \"sqlite3 FILE.db .schema\" shows its tables and views.",
    .examples = "chronik sim show failed.db\n"
                "    the whole story\n"
                "chronik sim show failed.db --from 1200 --to 1300 --all\n"
                "    every event and effect of a tenth of a second",
    .options = rows,
    .run = run_show,
};

struct show {
    const char *path;
    int64_t from_us;
    int64_t to_us;
    bool all;
    bool faults;
    bool colour;
};

static bool milliseconds_read(const char *text, int64_t *ret_us)
{
    char *end;
    const double ms = strtod(text, &end);
    if (end == text || *end != '\0' || ms < 0 || ms > 1e12)
        return false;
    *ret_us = (int64_t)(ms * 1000);
    return true;
}

/* Reads the command line. False with the exit code. */
static bool show_read(struct show *show, const struct cmd *cmd, int argc, char **argv,
                      int *ret_exit_code)
{
    struct options options;
    const char *value = NULL;
    int found;
    *show = (struct show){.to_us = INT64_MAX, .colour = isatty(STDOUT_FILENO)};
    options_start(&options, cmd, argc, argv);
    while ((found = options_next(&options, &value)) != OPTIONS_END) {
        bool good = true;
        if (found == OPTIONS_EXIT) {
            *ret_exit_code = options.exit_code;
            return false;
        }
        if (found == OPTIONS_ARGUMENT && show->path == NULL)
            show->path = value;
        else if (found == OPTION_FROM || found == OPTION_TO)
            good = milliseconds_read(value, found == OPTION_FROM ? &show->from_us : &show->to_us);
        else if (found == OPTION_ALL)
            show->all = true;
        else if (found == OPTION_FAULTS)
            show->faults = true;
        else
            good = false;
        if (!good) {
            *ret_exit_code = options_mistake(cmd, "cannot take \"%s\" here", value);
            return false;
        }
    }
    if (show->path != NULL)
        return true;
    *ret_exit_code = options_mistake(cmd, "a trace is missing: FILE.db");
    return false;
}

static char mark_of(const char *class, const char *kind)
{
    if (strcmp(class, "request") == 0)
        return '>';
    if (strcmp(class, "reply") == 0 || strcmp(class, "lost") == 0)
        return '<';
    if (strcmp(class, "action") == 0)
        return strcmp(kind, "phase") == 0 ? '=' : '!';
    return ' ';
}

static void line_print(const struct show *show, sqlite3_stmt *row)
{
    const char *class = (const char *)sqlite3_column_text(row, 3);
    const char *kind = (const char *)sqlite3_column_text(row, 4);
    const char *text = (const char *)sqlite3_column_text(row, 5);
    const int node = sqlite3_column_int(row, 2);
    const char mark = mark_of(class, kind);
    const bool is_message = mark == '>' || mark == '<';
    const bool coloured = show->colour && mark == '!';
    printf("%s%11.3f %9lld %c %*s%s %s %s%s%.*s%s\n", coloured ? "\033[31m" : "",
           (double)sqlite3_column_int64(row, 1) / 1000, (long long)sqlite3_column_int64(row, 0),
           mark, node > 1 ? (node - 1) * COLUMN_BYTES_LEAST : 0, "",
           strcmp(class, "effect") == 0 ? "…" : "", kind, is_message ? class : "",
           is_message ? " " : "", show->all ? 4096 : TEXT_DEFAULT, text == NULL ? "" : text,
           coloured ? "\033[0m" : "");
}

static void header_print(sqlite3 *db, const struct trace_run *run)
{
    printf("scenario %s, seed %llu: ", run->scenario_name, (unsigned long long)run->seed);
    if (run->judge == NULL)
        printf("%s, %llu steps\n", run->result, (unsigned long long)run->steps);
    else
        printf("%s: %s\n", run->judge, run->text);
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(db, "SELECT rule, source, cause FROM violation", -1, &row, NULL) ==
            SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        printf("  rule: %s\n  from: %s\n  see:  chronik sim why FILE.db %lld\n",
               sqlite3_column_text(row, 0), sqlite3_column_text(row, 1),
               (long long)sqlite3_column_int64(row, 2));
    sqlite3_finalize(row);
    printf("\n%11s %9s   what happened\n", "ms", "number");
}

static int64_t ask(sqlite3_stmt *row, int64_t number, int64_t otherwise)
{
    sqlite3_bind_int64(row, 1, number);
    const int64_t answer =
        sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int64(row, 0) : otherwise;
    sqlite3_reset(row);
    return answer;
}

/* The number of the first thing at or after a time; numbers and times rise together, so there need
 * be no index of times. */
static int64_t first_at(sqlite3 *db, int64_t at_us)
{
    sqlite3_stmt *row = NULL;
    int64_t low = 0;
    int64_t high = INT64_MAX;
    if (sqlite3_prepare_v2(db, "SELECT at_us FROM thing WHERE number >= ? ORDER BY number LIMIT 1",
                           -1, &row, NULL) != SQLITE_OK)
        return 0;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (ask(row, middle, INT64_MAX) < at_us)
            low = middle + 1;
        else
            high = middle;
    }
    sqlite3_finalize(row);
    return low;
}

static int run_show(const struct cmd *cmd, int argc, char **argv)
{
    struct show show;
    struct trace_run run;
    char reason[TRACE_REASON_BYTES];
    int exit_code = EXIT_CODE_USAGE;
    if (!show_read(&show, cmd, argc, argv, &exit_code))
        return exit_code;
    sqlite3 *db = trace_open(show.path, &run, reason);
    if (db == NULL) {
        fprintf(stderr, "chronik sim show: %s\n", reason);
        return EXIT_CODE_FAILED;
    }
    const char *question =
        show.faults ? "SELECT number, at_us, node, 'action', kind, text FROM faults"
                      " WHERE number >= ?"
        : show.all  ? "SELECT number, at_us, node, class, kind, coalesce(text, message)"
                      " FROM thing"
                      " WHERE number >= ? ORDER BY number"
                    : "SELECT number, at_us, node, class, kind, text FROM story"
                      " WHERE number >= ?";
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(db, question, -1, &row, NULL) == SQLITE_OK) {
        header_print(db, &run);
        sqlite3_bind_int64(row, 1, first_at(db, show.from_us));
        while (sqlite3_step(row) == SQLITE_ROW && sqlite3_column_int64(row, 1) <= show.to_us)
            line_print(&show, row);
        exit_code = EXIT_CODE_DONE;
    } else {
        fprintf(stderr, "chronik sim show: %s: %s\n", show.path, sqlite3_errmsg(db));
        exit_code = EXIT_CODE_FAILED;
    }
    sqlite3_finalize(row);
    trace_run_free(&run);
    sqlite3_close(db);
    return exit_code;
}
