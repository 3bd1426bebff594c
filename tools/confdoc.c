/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what there is to say about configuration keys, from core/conf/keys.def and ignored.def:
 *
 *     confdoc sample      contrib/server.properties
 *     confdoc markdown    doc/CONFIGURATION.md
 *     confdoc man         the manual page chronik.properties(5)
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum row_kind { ROW_SECTION, ROW_NODE, ROW_TOPIC, ROW_FIXED };

struct row {
    enum row_kind kind;
    const char *name;
    const char *type;
    const char *value;
    int64_t least;
    int64_t most;
    const char *allowed;
    const char *documentation;
    const char *node_key; /* TOPIC: the name of the key that it falls back to */
};

/* The names of node keys by their ids, for rows of topic keys. */
#define NODE_KEY(id, name, type, value, least, most, allowed, documentation) \
    static const char name_of_##id[] = name;
#include "core/conf/keys.def"

static const struct row rows[] = {
#define SECTION(title) {.kind = ROW_SECTION, .name = title},
#define NODE_KEY(id, key_name, key_type, key_value, key_least, key_most, key_allowed, text) \
    {.kind = ROW_NODE,                                                                      \
     .name = key_name,                                                                      \
     .type = #key_type,                                                                     \
     .value = key_value,                                                                    \
     .least = key_least,                                                                    \
     .most = key_most,                                                                      \
     .allowed = key_allowed,                                                                \
     .documentation = text},
#define TOPIC_KEY(id, key_name, key_of_node, text) \
    {.kind = ROW_TOPIC, .name = key_name, .documentation = text, .node_key = name_of_##key_of_node},
#define TOPIC_FIXED(id, key_name, key_type, key_value, text) \
    {.kind = ROW_FIXED,                                      \
     .name = key_name,                                       \
     .type = #key_type,                                      \
     .value = key_value,                                     \
     .documentation = text},
#include "core/conf/keys.def"
};

static const struct {
    const char *name;
    const char *instead;
} ignored[] = {
#define IGNORED(name, instead) {name, instead},
#include "core/conf/ignored.def"
#define IGNORED_PREFIX(beginning, instead) {beginning "*", instead},
#include "core/conf/ignored.def"
};

static const struct {
    const char *name;
    const char *why;
} refused[] = {
#define REFUSED(name, why) {name, why},
#include "core/conf/ignored.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct row *node_row(const char *name)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].kind == ROW_NODE && strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    return NULL;
}

/* The row that has the type and range: a topic key's is that of its node key. */
static const struct row *typed(const struct row *row)
{
    return row->kind == ROW_TOPIC ? node_row(row->node_key) : row;
}

/* "at least 1", "0 to 1", "delete, compact"; "" when anything of the type goes. */
static const char *range_of(const struct row *row)
{
    static char text[128];
    text[0] = '\0';
    if (row->kind == ROW_FIXED) {
        snprintf(text, sizeof(text), "this alone");
    } else if (row->allowed != NULL) {
        size_t length = 0;
        for (const char *at = row->allowed; *at != '\0' && length + 3 < sizeof(text); at++) {
            text[length++] = *at == '|' ? ',' : *at;
            if (*at == '|')
                text[length++] = ' ';
        }
        text[length] = '\0';
    } else if (row->most == INT32_MAX || row->most == INT64_MAX) {
        snprintf(text, sizeof(text), "at least %lld", (long long)row->least);
    } else if (row->least != row->most && strcmp(row->type, "BOOLEAN") != 0) {
        snprintf(text, sizeof(text), "%lld to %lld", (long long)row->least, (long long)row->most);
    }
    return text;
}

static const char *type_of(const struct row *row)
{
    static const char *const types[][2] = {
        {"BOOLEAN", "boolean"}, {"STRING", "text"},    {"INT", "integer"}, {"SHORT", "integer"},
        {"LONG", "integer"},    {"DOUBLE", "decimal"}, {"LIST", "list"},
    };
    for (size_t i = 0; i < COUNT(types); i++) {
        if (strcmp(types[i][0], row->type) == 0)
            return types[i][1];
    }
    return row->type;
}

/* Prints `text` in lines of at most `columns`, each after `indent`. */
static void print_wrapped(const char *indent, const char *text, size_t columns)
{
    size_t column = 0;
    while (*text != '\0') {
        const size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > columns) {
            putchar('\n');
            column = 0;
        }
        if (column == 0)
            column = (size_t)printf("%s", indent);
        else
            column += (size_t)printf(" ");
        column += (size_t)printf("%.*s", (int)word, text);
        text += word + (text[word] == ' ');
    }
    putchar('\n');
}

static void print_sample(void)
{
    printf(
        "# Settings of a chronik broker: chronik broker FILE. Every line shows the default; take\n"
        "# away its '#' to change it. One that ends in '=' has none: give it a value with that.\n"
        "# chronik.properties(5) and doc/CONFIGURATION.md say more.\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        if (row->kind == ROW_SECTION)
            printf("\n\n### %s\n", row->name);
        if (row->kind != ROW_NODE)
            continue;
        const char *range = range_of(row);
        putchar('\n');
        print_wrapped("# ", row->documentation, 96);
        printf("# (%s%s%s)\n#%s=%s\n", type_of(row), range[0] == '\0' ? "" : ": ", range, row->name,
               row->value == NULL ? "" : row->value);
    }
}

/* A table's cell, in which a bar would end it. */
static void print_cell(const char *text)
{
    for (; *text != '\0'; text++)
        printf(*text == '|' ? "\\%c" : "%c", *text);
}

static void print_markdown_rows(bool topics)
{
    bool open = false;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        if (row->kind == ROW_SECTION)
            open = false;
        if (row->kind == ROW_SECTION || (row->kind == ROW_NODE) == topics)
            continue;
        if (!open) {
            const struct row *section = row;
            while (section->kind != ROW_SECTION)
                section--;
            printf("\n### %s\n\n| Key | Type | Default | Allowed | Meaning |\n|-|-|-|-|-|\n",
                   section->name);
            open = true;
        }
        printf("| `%s` | %s | ", row->name, type_of(typed(row)));
        if (row->kind == ROW_TOPIC)
            printf("`%s`", row->node_key);
        else if (row->value != NULL && row->value[0] != '\0')
            printf("`%s`", row->value);
        printf(" | %s | ", row->kind == ROW_FIXED ? "the default" : range_of(typed(row)));
        print_cell(row->documentation);
        printf(" |\n");
    }
}

static void print_markdown(void)
{
    printf(
        "# Configuration\n\n"
        "<!-- Made by tools/confdoc.c from core/conf/keys.def; `make update-conf-docs` makes it "
        "anew. "
        "-->\n\n"
        "`chronik broker FILE --set key=value` reads a file in the syntax of Java's properties, "
        "then\n"
        "the settings of the command line, which count more. Names are Kafka's where Kafka has "
        "the\n"
        "key; names that begin with `chronik.` are our own. What is wrong is refused at start, "
        "with\n"
        "file, line and the mend. `contrib/server.properties` has every key with its default.\n\n"
        "## The node\n\n"
        "They are read at start; changing one needs a restart.\n");
    print_markdown_rows(false);
    printf(
        "\n## Topics\n\n"
        "A topic may have settings of its own, given when it is created or altered later by any\n"
        "client. Where it has none the named key of the node counts.\n");
    print_markdown_rows(true);
    printf("\n## Keys of Kafka that have no effect here\n\n"
           "A file that works with Kafka starts chronik. Each of these gets one warning that says "
           "what\nhappens instead.\n\n| Key | What happens instead |\n|-|-|\n");
    for (size_t i = 0; i < COUNT(ignored); i++) {
        printf("| `%s` | ", ignored[i].name);
        print_cell(ignored[i].instead);
        printf(" |\n");
    }
    printf(
        "\n## Keys of Kafka that are refused\n\n"
        "A listener in `listeners` whose security protocol is not `PLAINTEXT` is refused as well: "
        "nobody\nshall believe in a protection that is not there.\n\n| Key | Why |\n|-|-|\n");
    for (size_t i = 0; i < COUNT(refused); i++) {
        printf("| `%s` | ", refused[i].name);
        print_cell(refused[i].why);
        printf(" |\n");
    }
}

/* Text for roff: a hyphen that is one, no request at a line's begin. */
static void print_roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        printf("\\&");
    for (; *text != '\0'; text++) {
        if (*text == '-')
            printf("\\-");
        else if (*text == '\\')
            printf("\\e");
        else
            putchar(*text);
    }
}

static void print_man_row(const struct row *row)
{
    const char *range = range_of(typed(row));
    printf(".TP\n.B ");
    print_roff(row->name);
    printf("\n");
    print_roff(row->documentation);
    printf("\n%c%s", type_of(typed(row))[0] - 'a' + 'A', type_of(typed(row)) + 1);
    if (range[0] != '\0' && row->kind != ROW_FIXED) {
        printf(": ");
        print_roff(range);
    }
    printf(".\n");
    if (row->kind == ROW_TOPIC) {
        printf("Default: that of the node,\n.IR ");
        print_roff(row->node_key);
        printf(" .\n");
    } else if (row->kind == ROW_FIXED) {
        printf("Only \\(lq");
        print_roff(row->value);
        printf("\\(rq is accepted.\n");
    } else if (row->value != NULL) {
        printf("Default:\n.IR ");
        print_roff(row->value);
        printf(" .\n");
    }
}

static void print_man_rows(bool topics)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].kind == ROW_SECTION && !topics)
            printf(".SS %s\n", rows[i].name);
        else if (rows[i].kind != ROW_SECTION && (rows[i].kind == ROW_NODE) == !topics)
            print_man_row(&rows[i]);
    }
}

static void print_man(void)
{
    printf(
        ".\\\" SPDX-License-Identifier: Apache-2.0\n"
        ".TH CHRONIK.PROPERTIES 5 \"\" \"chronik\" \"File formats\"\n"
        ".SH NAME\nchronik.properties \\- settings of a chronik broker\n"
        ".SH DESCRIPTION\n"
        ".B chronik broker\n.I FILE\n"
        "reads its settings from a file in the syntax of Java's properties: a key and a value in\n"
        "each line, with an equals sign, a colon or blanks between them; comments begin with a\n"
        "number sign or an exclamation mark; a backslash at a line's end joins the next one, and\n"
        "before anything else writes the character itself, or \\et, \\en, \\er, \\ef and\n"
        "\\eu\\fIXXXX\\fR. A setting given by\n.B \\-\\-set\n.IR key = value\n"
        "counts more than the file.\n.PP\n"
        "Names are Kafka's where Kafka has the key. A key of Kafka that has no effect gets a\n"
        "warning that says what happens instead; a key that nobody has, and a value out of its\n"
        "range, are refused.\n"
        ".SH KEYS OF THE NODE\n");
    print_man_rows(false);
    printf(".SH KEYS OF TOPICS\n"
           "A topic may have these of its own, set by\n.B chronik topic create\n"
           "or by any client of Kafka.\n");
    print_man_rows(true);
    printf(".SH SEE ALSO\n.BR chronik (1)\n");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "sample") == 0)
        print_sample();
    else if (argc == 2 && strcmp(argv[1], "markdown") == 0)
        print_markdown();
    else if (argc == 2 && strcmp(argv[1], "man") == 0)
        print_man();
    else {
        fprintf(stderr, "usage: confdoc sample|markdown|man\n");
        return 2;
    }
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
