/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what there is to say about scenarios, from sim/scenario_words.c and from the scenarios
 * themselves:
 *
 *     simdoc words FILE          the page, with its list of words made anew
 *     simdoc scenarios FOLDER    doc/SCENARIOS.md, also of what FOLDER/failures.txt tells
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/campaign.h"
#include "sim/scenario_words.h"

#define LINE_BYTES 4096
#define PATH_BYTES 1024

/* Beside the scenarios: what went wrong elsewhere, and what shows it. */
#define FAILURES_FILE "failures.txt"

static const char words_begin[] = "<!-- words: begin (made by tools/simdoc.c) -->\n";
static const char words_end[] = "<!-- words: end -->\n";

/* ---- Words. ---- */

static void print_value(const struct scenario_word *word)
{
    switch (word->type) {
    case WORD_NOTE:
    case WORD_TEXT:
        printf("a text");
        break;
    case WORD_NAME:
        printf("a name");
        break;
    case WORD_FLAG:
        printf("true or false");
        break;
    case WORD_NUMBER:
    case WORD_RANGE:
        printf("%" PRIu64 " to %" PRIu64 "%s", word->least, word->most,
               word->type == WORD_RANGE ? ", or a range of these" : "");
        break;
    case WORD_CHOICE:
        printf("see below");
        break;
    case WORD_SETTINGS:
    case WORD_CONFIG:
        printf("keys and values, %" PRIu64 " at most", word->most);
        break;
    case WORD_OBJECT:
        printf("an object");
        break;
    case WORD_LIST:
        printf("an array, %" PRIu64 " at most", word->most);
        break;
    }
}

static void print_default(const struct scenario_word *word)
{
    if (word->is_required)
        printf("needed");
    else if (word->otherwise != NULL)
        printf("%s", word->otherwise);
    else if (word->type == WORD_FLAG)
        printf("`%s`", word->preset.least != 0 ? "true" : "false");
    else if (word->type == WORD_CHOICE)
        printf("`\"%s\"`", scenario_choice_name(word->choices, (int)word->preset.least));
    else if (word->preset.least == word->preset.most)
        printf("`%" PRIu64 "`", word->preset.least);
    else
        printf("`[%" PRIu64 ", %" PRIu64 "]`", word->preset.least, word->preset.most);
}

/* Which kinds have the word, when not all have it. */
static void print_kinds(const struct scenario_object_info *info, const struct scenario_word *word)
{
    if (word->kinds == 0)
        return;
    printf(" For");
    const char *comma = " ";
    for (const struct scenario_choice *choice = info->kind->choices; choice->name != NULL;
         choice++) {
        if ((word->kinds >> choice->value & 1) == 0)
            continue;
        printf("%s`%s`", comma, choice->name);
        comma = ", ";
    }
    printf(".");
}

static void print_choices(const struct scenario_word *word)
{
    printf("\nWhat `%s` may be:\n\n| `%s` | Meaning | Example |\n|-|-|-|\n", word->key, word->key);
    for (const struct scenario_choice *choice = word->choices; choice->name != NULL; choice++) {
        printf("| `\"%s\"` | %s | `%s` |\n", choice->name, choice->tells, choice->example);
    }
}

static void print_object(const struct scenario_object_info *info)
{
    printf("\n### %s\n\n%s\n\n| Word | Value | Default | Meaning | Example |\n|-|-|-|-|-|\n",
           info->plural, info->tells);
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        printf("| `%s` | ", word->key);
        print_value(word);
        printf(" | ");
        print_default(word);
        printf(" | %s", word->tells);
        print_kinds(info, word);
        printf(" | `%s` |\n", word->example);
    }
    for (const struct scenario_word *word = info->words; word->key != NULL; word++) {
        if (word->type == WORD_CHOICE)
            print_choices(word);
    }
}

static int print_words(const char *path)
{
    char line[LINE_BYTES];
    bool is_within = false;
    FILE *page = fopen(path, "re");
    if (page == NULL)
        return -1;
    while (fgets(line, sizeof(line), page) != NULL) {
        is_within = is_within && strcmp(line, words_end) != 0;
        if (!is_within)
            printf("%s", line);
        if (strcmp(line, words_begin) != 0)
            continue;
        is_within = true;
        for (int object = 0; object < SCENARIO_OBJECTS; object++)
            print_object(scenario_object_info((enum scenario_object)object));
        printf("\n");
    }
    const int result = ferror(page) ? -1 : 0;
    fclose(page);
    return result;
}

/* ---- Scenarios. ---- */

static void print_scenario(const struct campaign_scenario *item, const char *folder)
{
    const struct scenario *scenario = &item->scenario;
    printf("| [%s](../scenarios%s) | %s | %s |\n", scenario->name, item->path + strlen(folder),
           scenario->tells,
           scenario->seed != 0 ? "once, with its own seed"
           : scenario->is_soak ? "once"
                               : "with each seed");
}

static void print_scenarios(const struct campaign *campaign, const char *folder)
{
    printf("# Scenarios\n\n<!-- Made by tools/simdoc.c from scenarios/; `make update-sim-docs` "
           "makes it anew. -->\n\n"
           "What the simulator runs ([SIMULATOR.md](SIMULATOR.md)), and what each of them "
           "shows.\n\n| Scenario | What it tells, and whence it comes | Runs |\n|-|-|-|\n");
    for (uint32_t i = 0; i < campaign->count; i++)
        print_scenario(&campaign->items[i], folder);
}

/* ---- Failures. ---- */

/* The test file, beside the folder of the scenarios, has a test of that name. */
static bool has_test(const char *folder, const char *file, const char *test)
{
    char path[PATH_BYTES];
    char line[LINE_BYTES];
    char begin[PATH_BYTES];
    bool found = false;
    snprintf(path, sizeof(path), "%s/../%s", folder, file);
    snprintf(begin, sizeof(begin), "START_TEST(%s)", test);
    FILE *source = fopen(path, "re");
    while (source != NULL && !found && fgets(line, sizeof(line), source) != NULL)
        found = strncmp(line, begin, strlen(begin)) == 0;
    if (source != NULL)
        fclose(source);
    return found;
}

static const struct campaign_scenario *scenario_named(const struct campaign *campaign,
                                                      const char *name)
{
    for (uint32_t i = 0; i < campaign->count; i++) {
        if (strcmp(campaign->items[i].scenario.name, name) == 0)
            return &campaign->items[i];
    }
    return NULL;
}

/* One scenario or FILE:TEST; -1 when there is none. */
static int print_shower(const struct campaign *campaign, const char *folder, char *name)
{
    char *test = strchr(name, ':');
    if (test != NULL) {
        *test++ = '\0';
        printf("`%s` in `%s`", test, name);
        return has_test(folder, name, test) ? 0 : -1;
    }
    const struct campaign_scenario *item = scenario_named(campaign, name);
    if (item == NULL)
        return -1;
    printf("[%s](../scenarios%s)", name, item->path + strlen(folder));
    return 0;
}

/* "WHAT | NAME NAME…" */
static int print_failure(const struct campaign *campaign, const char *folder, char *line)
{
    char *rest;
    char *names = strstr(line, " | ");
    if (names == NULL)
        return -1;
    *names = '\0';
    printf("| %s |", line);
    const char *comma = " ";
    for (char *name = strtok_r(names + 3, " \n", &rest); name != NULL;
         name = strtok_r(NULL, " \n", &rest)) {
        printf("%s", comma);
        comma = ", ";
        if (print_shower(campaign, folder, name) != 0) {
            fprintf(stderr, "%s/" FAILURES_FILE ": there is no %s\n", folder, name);
            return -1;
        }
    }
    printf(" |\n");
    return 0;
}

static int print_failures(const struct campaign *campaign, const char *folder)
{
    char path[PATH_BYTES];
    char line[LINE_BYTES];
    int result = 0;
    snprintf(path, sizeof(path), "%s/" FAILURES_FILE, folder);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    printf("\n## What went wrong in clusters of others\n\nEach is a way in which another broker "
           "failed, "
           "and what fails here if it comes back.\n\n| What went wrong | What would show it |\n"
           "|-|-|\n");
    while (result == 0 && fgets(line, sizeof(line), file) != NULL) {
        if (line[0] != '#')
            result = print_failure(campaign, folder, line);
    }
    fclose(file);
    return result;
}

static int print_page(const char *folder)
{
    struct campaign campaign;
    int result = campaign_load(&campaign, folder, stderr);
    if (result == 0) {
        print_scenarios(&campaign, folder);
        result = print_failures(&campaign, folder);
    }
    campaign_free(&campaign);
    return result;
}

int main(int argc, char **argv)
{
    int result;
    if (argc == 3 && strcmp(argv[1], "words") == 0)
        result = print_words(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "scenarios") == 0)
        result = print_page(argv[2]);
    else {
        fprintf(stderr, "usage: simdoc words FILE | scenarios FOLDER\n");
        return 2;
    }
    return result == 0 && fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
