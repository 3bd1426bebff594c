/* SPDX-License-Identifier: Apache-2.0 */
/* chronik sim why: what led to something that happened. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "sim/cmd.h"
#include "sim/trace.h"

#define STEPS_MOST 200 /* that are printed, the latest ones */
#define TEXT_BYTES 160

static int run_why(const struct cmd *cmd, int argc, char **argv);

static const struct option no_options[] = {{0}};

const struct cmd cmd_why = {
    .program = "chronik sim",
    .name = "why",
    .arguments = "FILE.db [NUMBER]",
    .summary = "walk back from something that happened to what caused it",
    .help =
        "Prints the chain of causes that led to the thing with this number (chronik sim show\n"
        "prints numbers), the first cause first. Without a number, what led to the violation or\n"
        "the crash.",
    .examples = "chronik sim why failed.db\n"
                "    what led to what the judge objected to\n"
                "chronik sim why failed.db 48311\n"
                "    what led to that event",
    .options = no_options,
    .run = run_why,
};

/* The number that is asked about: the argument, or the violation's cause, or the crash. -1: there
 * is none. */
static int64_t number_read(sqlite3 *db, const char *argument)
{
    if (argument != NULL) {
        char *end;
        const long long number = strtoll(argument, &end, 10);
        return end == argument || *end != '\0' || number < 1 ? -1 : number;
    }
    sqlite3_stmt *row = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db,
                           "SELECT cause FROM violation UNION ALL"
                           " SELECT (SELECT max(number) FROM thing) FROM run"
                           " WHERE result = 'crash'",
                           -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return number;
}

static int chain_print(sqlite3 *db, int64_t number)
{
    static const char question[] = "WITH RECURSIVE chain(number, cause, depth) AS ("
                                   "  SELECT number, cause, 0 FROM thing WHERE number = ?1"
                                   "  UNION ALL SELECT t.number, t.cause, depth + 1 FROM chain c"
                                   "    JOIN thing t ON t.number = c.cause WHERE depth < ?2)"
                                   " SELECT t.number, t.at_us, t.node, t.class, t.kind, "
                                   "coalesce(t.text, t.message), t.count, t.error"
                                   " FROM chain JOIN thing t USING (number) ORDER BY depth DESC";
    sqlite3_stmt *row = NULL;
    int count = 0;
    if (sqlite3_prepare_v2(db, question, -1, &row, NULL) != SQLITE_OK) {
        fprintf(stderr, "chronik sim why: %s\n", sqlite3_errmsg(db));
        return EXIT_CODE_FAILED;
    }
    sqlite3_bind_int64(row, 1, number);
    sqlite3_bind_int(row, 2, STEPS_MOST - 1);
    while (sqlite3_step(row) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(row, 5);
        char node[16] = "";
        if (sqlite3_column_type(row, 2) != SQLITE_NULL)
            snprintf(node, sizeof(node), "n%d", sqlite3_column_int(row, 2));
        printf("%11.3f %9lld %-3s %s %s%s%.*s", (double)sqlite3_column_int64(row, 1) / 1000,
               (long long)sqlite3_column_int64(row, 0), node, sqlite3_column_text(row, 3),
               sqlite3_column_text(row, 4), text == NULL ? "" : " ", TEXT_BYTES,
               text == NULL ? (const unsigned char *)"" : text);
        if (sqlite3_column_int(row, 7) != 0)
            printf(" error %d", sqlite3_column_int(row, 7));
        printf("\n");
        count++;
    }
    sqlite3_finalize(row);
    if (count > 0)
        return EXIT_CODE_DONE;
    fprintf(stderr, "chronik sim why: nothing has the number %lld\n", (long long)number);
    return EXIT_CODE_FAILED;
}

static int run_why(const struct cmd *cmd, int argc, char **argv)
{
    struct options options;
    const char *arguments[2] = {NULL, NULL};
    uint32_t count = 0;
    const char *value = NULL;
    int found;
    options_start(&options, cmd, argc, argv);
    while ((found = options_next(&options, &value)) != OPTIONS_END) {
        if (found == OPTIONS_EXIT)
            return options.exit_code;
        if (count == 2)
            return options_mistake(cmd, "cannot take \"%s\" too", value);
        arguments[count++] = value;
    }
    if (count == 0)
        return options_mistake(cmd, "a trace is missing: FILE.db");
    struct trace_run run;
    char reason[TRACE_REASON_BYTES];
    sqlite3 *db = trace_open(arguments[0], &run, reason);
    if (db == NULL) {
        fprintf(stderr, "chronik sim why: %s\n", reason);
        return EXIT_CODE_FAILED;
    }
    int exit_code;
    const int64_t number = number_read(db, arguments[1]);
    if (number >= 0)
        exit_code = chain_print(db, number);
    else if (arguments[1] != NULL)
        exit_code = options_mistake(cmd, "\"%s\" is no number of a thing", arguments[1]);
    else
        exit_code =
            options_mistake(cmd, "no judge objected in this run, nor did it crash: give a number");
    trace_run_free(&run);
    sqlite3_close(db);
    return exit_code;
}
