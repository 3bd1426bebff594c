/* SPDX-License-Identifier: Apache-2.0 */
/* chronik format: gives the data folders of a node their identity, as kafka-storage format does. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/allocator.h"
#include "cli/cmd.h"
#include "cli/folders.h"
#include "cli/logger.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "core/base/format.h"
#include "core/meta/format.h"

static int run(const struct cmd *cmd, int argc, char **argv);

enum { OPTION_CLUSTER_ID, OPTION_NODE_ID, OPTION_IGNORE_FORMATTED, OPTION_SET };

static const struct option rows[] = {
    [OPTION_CLUSTER_ID] = {"cluster-id", "ID",
                           "The cluster's id, the same on all of its nodes: \"chronik "
                           "random-uuid\" makes one."},
    [OPTION_NODE_ID] = {"node-id", "N", "The same as --set node.id=N."},
    [OPTION_IGNORE_FORMATTED] = {"ignore-formatted", NULL,
                                 "Passes over folders that are formatted already, for this "
                                 "cluster and node."},
    [OPTION_SET] = {"set", "KEY=VALUE",
                    "Sets one configuration key, over what the file says; may be given many "
                    "times."},
    {NULL, NULL, NULL},
};

const struct cmd cmd_format = {
    .program = "chronik",
    .name = "format",
    .arguments = "--cluster-id ID [--node-id N] [--ignore-formatted] [--set KEY=VALUE]...\n"
                 "                      [FILE.properties]",
    .summary = "give data folders their identity, before a cluster starts",
    .help =
        "Makes the data folders that log.dirs names and writes the file meta.properties into\n"
        "each: the ids of the cluster, of the node and of the folder. All of them are formatted,\n"
        "or none: one that holds anything, that is formatted already, or that is another\n"
        "cluster's or node's is refused. A node of a cluster does not start unformatted; a node "
        "of\n"
        "its own formats its folders itself.",
    .examples = "chronik format --cluster-id \"$(chronik random-uuid)\" server.properties\n"
                "    on the first node; then the same id on the others\n"
                "chronik format --cluster-id ID --ignore-formatted server.properties\n"
                "    when a folder was added, or its disk was replaced",
    .options = rows,
    .run = run,
};

/* What the command line says. */
struct arguments {
    const char *cluster_id;
    const char *path;
    bool ignores_formatted;
    const char *sets[SETTINGS_OPTIONS_MAX];
    uint32_t sets_count;
    char node_id[64]; /* one of them */
};

/* Notes one option or argument. Returns the exit code when it is a mistake, else
 * EXIT_CODE_DONE. */
static int argument_take(struct arguments *arguments, int found, const char *value)
{
    const char *set = NULL;
    if (found == OPTION_CLUSTER_ID)
        arguments->cluster_id = value;
    else if (found == OPTION_IGNORE_FORMATTED)
        arguments->ignores_formatted = true;
    else if (found == OPTION_SET)
        set = value;
    else if (found == OPTION_NODE_ID)
        set = arguments->node_id;
    else if (arguments->path != NULL)
        return options_mistake(&cmd_format, "more than one file: %s", value);
    else
        arguments->path = value;
    if (found == OPTION_NODE_ID && snprintf(arguments->node_id, sizeof(arguments->node_id),
                                            "node.id=%s", value) >= (int)sizeof(arguments->node_id))
        return options_mistake(&cmd_format, "--node-id is no number: %s", value);
    if (set == NULL)
        return EXIT_CODE_DONE;
    if (arguments->sets_count == SETTINGS_OPTIONS_MAX)
        return options_mistake(&cmd_format, "too many --set; use a file");
    arguments->sets[arguments->sets_count++] = set;
    return EXIT_CODE_DONE;
}

/* Reads the command line. Returns false with the exit code when nothing is to be done. */
static bool arguments_read(struct arguments *arguments, int argc, char **argv, int *ret_exit_code)
{
    struct options parser;
    const char *value = NULL;
    int found;
    options_start(&parser, &cmd_format, argc, argv);
    while ((found = options_next(&parser, &value)) != OPTIONS_END) {
        *ret_exit_code =
            found == OPTIONS_EXIT ? parser.exit_code : argument_take(arguments, found, value);
        if (found == OPTIONS_EXIT || *ret_exit_code != EXIT_CODE_DONE)
            return false;
    }
    if (arguments->cluster_id == NULL)
        *ret_exit_code = options_mistake(&cmd_format, "--cluster-id is missing");
    else if (!identity_cluster_id_is_sound(span_text(arguments->cluster_id)))
        *ret_exit_code =
            options_mistake(&cmd_format, "--cluster-id has to be 1 to %d characters without blanks",
                            IDENTITY_CLUSTER_ID_MAX);
    else
        return true;
    return false;
}

static void step(void *core, const struct event *event, struct effects *effects)
{
    format_step(core, event, effects);
}

static void print_folders(const struct format *format, const struct conf *conf,
                          const char *cluster_id)
{
    for (uint32_t i = 0; i < conf->folders_count; i++)
        printf("%.*s %s: cluster.id=%s node.id=%d\n", SPAN_ARGS(conf->folders[i]),
               format_was_new(format, i) ? "formatted" : "was formatted already", cluster_id,
               conf->node_id);
}

static int format_folders(const struct conf *conf, const struct arguments *arguments)
{
    const struct identity_wish wish = {
        .node_id = conf->node_id,
        .cluster_id = span_text(arguments->cluster_id),
        .formats = true,
        .all_new = !arguments->ignores_formatted,
    };
    struct logger logger;
    logger_init(&logger, STDERR_FILENO, SPAN("error"));
    struct format *format =
        format_new(allocator_process(), conf->folders, conf->folders_count, &wish);
    const struct loop_options options = {
        .step = step, .core = format, .memory = format_memory(format), .logger = &logger};
    int exit_code = EXIT_CODE_FAILED;
    struct loop *loop = loop_new(&options);
    if (loop == NULL) {
        fprintf(stderr, "chronik format: %s\n", strerror(errno));
    } else if (folders_add(loop, conf, &cmd_format) && loop_run(loop)) {
        print_folders(format, conf, arguments->cluster_id);
        exit_code = EXIT_CODE_DONE;
    }
    loop_free(loop);
    format_free(format);
    return exit_code;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct arguments arguments = {0};
    struct memory memory;
    struct settings settings;
    int exit_code;
    (void)cmd;
    if (!arguments_read(&arguments, argc, argv, &exit_code))
        return exit_code;
    memory_init(&memory, allocator_process());
    settings_init(&settings, &memory, stderr);
    if (arguments.path != NULL)
        settings_file(&settings, arguments.path);
    for (uint32_t i = 0; i < arguments.sets_count; i++)
        settings_option(&settings, arguments.sets[i]);
    exit_code = EXIT_CODE_FAILED;
    if (settings_check(&settings) == 0)
        exit_code = format_folders(&settings.conf, &arguments);
    settings_free(&settings);
    return exit_code;
}
