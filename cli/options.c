/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/nearest.h"

void options_start(struct options *options, const struct cmd *cmd, int argc, char **argv)
{
    *options = (struct options){.cmd = cmd, .argc = argc, .argv = argv, .index = 1};
}

int options_mistake(const struct cmd *cmd, const char *format, ...)
{
    fprintf(stderr, "%s %s: ", cmd->program, cmd->name);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nTry \"%s help %s\".\n", cmd->program, cmd->name);
    return EXIT_CODE_USAGE;
}

static int unknown(const struct options *options, const char *text, size_t length)
{
    struct nearest nearest;
    nearest_start(&nearest, span_of(text, length));
    for (const struct option *row = options->cmd->options; row->name != NULL; row++)
        nearest_consider(&nearest, row->name);
    nearest_consider(&nearest, "help");
    if (nearest.name == NULL)
        return options_mistake(options->cmd, "there is no option --%.*s", (int)length, text);
    return options_mistake(options->cmd, "there is no option --%.*s; did you mean --%s?",
                           (int)length, text, nearest.name);
}

/* The place of the option that `text` names, or OPTIONS_END. */
static int find(const struct options *options, const char *text, size_t length)
{
    for (int i = 0; options->cmd->options[i].name != NULL; i++) {
        const char *name = options->cmd->options[i].name;
        if (strlen(name) == length && memcmp(name, text, length) == 0)
            return i;
    }
    return OPTIONS_END;
}

static int leave(struct options *options, int exit_code)
{
    options->exit_code = exit_code;
    return OPTIONS_EXIT;
}

/* Takes "--name", "--name=value" or "--name value"; `text` is without the dashes. */
static int take_option(struct options *options, const char *text, const char **ret_value)
{
    const char *equals = strchr(text, '=');
    const size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
    const int place = find(options, text, length);
    if (place < 0)
        return leave(options, unknown(options, text, length));
    const struct option *row = &options->cmd->options[place];
    if (row->value == NULL && equals != NULL)
        return leave(options, options_mistake(options->cmd, "--%s takes no value", row->name));
    if (row->value == NULL)
        return place;
    if (equals != NULL) {
        *ret_value = equals + 1;
        return place;
    }
    if (options->index == options->argc)
        return leave(options,
                     options_mistake(options->cmd, "--%s needs %s", row->name, row->value));
    *ret_value = options->argv[options->index++];
    return place;
}

int options_next(struct options *options, const char **ret_value)
{
    if (options->index == options->argc)
        return OPTIONS_END;
    const char *text = options->argv[options->index++];
    if (options->only_arguments || text[0] != '-' || text[1] == '\0') {
        *ret_value = text;
        return OPTIONS_ARGUMENT;
    }
    if (strcmp(text, "--") == 0) {
        options->only_arguments = true;
        return options_next(options, ret_value);
    }
    if (strcmp(text, "-h") == 0 || strcmp(text, "--help") == 0) {
        options_help(options->cmd, stdout);
        return leave(options, EXIT_CODE_DONE);
    }
    if (text[1] != '-')
        return leave(options, options_mistake(options->cmd, "there is no option %s", text));
    return take_option(options, text + 2, ret_value);
}

/* Prints lines, each after `indent`. */
static void print_lines(FILE *out, const char *indent, const char *text)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        fprintf(out, "%s%.*s\n", length == 0 ? "" : indent, (int)length, text);
        text += length;
        if (*text == '\n')
            text++;
    }
}

static void print_option(FILE *out, const struct option *row)
{
    fprintf(out, "  --%s%s%s\n", row->name, row->value == NULL ? "" : " ",
            row->value == NULL ? "" : row->value);
    print_lines(out, "        ", row->help);
}

void options_help(const struct cmd *cmd, FILE *out)
{
    fprintf(out, "usage: %s %s%s%s\n\n", cmd->program, cmd->name,
            cmd->arguments[0] == '\0' ? "" : " ", cmd->arguments);
    print_lines(out, "", cmd->help);
    if (cmd->options[0].name != NULL)
        fprintf(out, "\nOptions:\n");
    for (const struct option *row = cmd->options; row->name != NULL; row++)
        print_option(out, row);
    fprintf(out, "\nExamples:\n");
    print_lines(out, "  ", cmd->examples);
}
