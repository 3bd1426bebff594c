/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what there is to say about scenarios, from sim/scenario_words.c and from the scenarios
 * themselves:
 *
 *     simdoc words FILE          the page, with its list of words made anew
 *     simdoc scenarios FOLDER    doc/SCENARIOS.md
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/campaign.h"
#include "sim/scenario_words.h"

#define LINE_BYTES 4096

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

static int print_scenarios(const char *folder)
{
    struct campaign campaign;
    const int result = campaign_load(&campaign, folder, stderr);
    if (result == 0) {
        printf("# Scenarios\n\n<!-- Made by tools/simdoc.c from scenarios/; `make update-sim-docs` "
               "makes it anew. -->\n\n"
               "What the simulator runs ([SIMULATOR.md](SIMULATOR.md)), and what each of them "
               "shows.\n\n| Scenario | What it tells, and whence it comes | Runs |\n|-|-|-|\n");
    }
    for (uint32_t i = 0; result == 0 && i < campaign.count; i++)
        print_scenario(&campaign.items[i], folder);
    campaign_free(&campaign);
    return result;
}

int main(int argc, char **argv)
{
    int result;
    if (argc == 3 && strcmp(argv[1], "words") == 0)
        result = print_words(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "scenarios") == 0)
        result = print_scenarios(argv[2]);
    else {
        fprintf(stderr, "usage: simdoc words FILE | scenarios FOLDER\n");
        return 2;
    }
    return result == 0 && fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
