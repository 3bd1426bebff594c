/* SPDX-License-Identifier: Apache-2.0 */
/* chronik topic: lists, describes, creates and deletes topics over Kafka's protocol. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/cmd.h"
#include "cli/options.h"
#include "cli/topic_print.h"
#include "core/base/format.h"
#include "core/base/nearest.h"
#include "core/conf/keys.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "core/wire/messages.h"

#define TOPICS_MAX         1000
#define CONFIGS_MAX        100
#define TIMEOUT_MS_DEFAULT 10000

#define RESOURCE_TOPIC 2

enum option_place {
    OPTION_SERVER,
    OPTION_PARTITIONS,
    OPTION_REPLICAS,
    OPTION_CONFIG,
    OPTION_IF_NOT_EXISTS,
    OPTION_IF_EXISTS,
    OPTION_JSON,
    OPTION_TIMEOUT,
};

static const struct option options_of_topic[] = {
    [OPTION_SERVER] = {"bootstrap-server", "HOST:PORT",
                       "A broker, or several with commas between, of which the first that answers\n"
                       "is asked. Default: 127.0.0.1:9092."},
    [OPTION_PARTITIONS] = {"partitions", "N", "create: partitions; the broker's default without."},
    [OPTION_REPLICAS] = {"replication-factor", "N",
                         "create: replicas of each partition; the broker's default without."},
    [OPTION_CONFIG] = {"config", "KEY=VALUE",
                       "create: a setting of the topic's own, see chronik.properties(5). May be\n"
                       "given again."},
    [OPTION_IF_NOT_EXISTS] = {"if-not-exists", NULL, "create: a topic that exists is no error."},
    [OPTION_IF_EXISTS] = {"if-exists", NULL, "delete: a topic that does not exist is no error."},
    [OPTION_JSON] = {"json", NULL, "list, describe: a line of JSON for each topic."},
    [OPTION_TIMEOUT] = {"timeout", "MS",
                        "How long to wait for the broker, in milliseconds. Default: 10000."},
    {NULL, NULL, NULL},
};

enum action { ACTION_LIST, ACTION_DESCRIBE, ACTION_CREATE, ACTION_DELETE, ACTIONS };

static const char *const action_names[ACTIONS] = {"list", "describe", "create", "delete"};

/* The command line. */
struct topic_run {
    enum action action;
    const char *servers;
    const char *topics[TOPICS_MAX];
    int32_t topics_count;
    struct create_topics_request_topic_config configs[CONFIGS_MAX];
    int32_t configs_count;
    int32_t partitions; /* -1: the broker's default */
    int16_t replicas;   /* likewise */
    int timeout_ms;
    uint32_t given; /* options, as bits by their place */
    struct client client;
};

static bool is_given(const struct topic_run *run, enum option_place place)
{
    return (run->given & 1u << place) != 0;
}

/* Reads a whole number from `least` to `most`. Returns 0, or -1. */
static int read_number(const char *text, int64_t least, int64_t most, int64_t *ret_number)
{
    int64_t number;
    if (parse_int64(span_text(text), &number) != 0 || number < least || number > most)
        return -1;
    *ret_number = number;
    return 0;
}

static int take_config(const struct cmd *cmd, struct topic_run *run, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return options_mistake(cmd, "--config %s is not of the form KEY=VALUE", text);
    if (run->configs_count == CONFIGS_MAX)
        return options_mistake(cmd, "more than %d times --config", CONFIGS_MAX);
    run->configs[run->configs_count++] = (struct create_topics_request_topic_config){
        .name = span_of(text, (size_t)(equals - text)), .value = span_text(equals + 1)};
    return EXIT_CODE_DONE;
}

static int take_option(const struct cmd *cmd, struct topic_run *run, int place, const char *value)
{
    int64_t number = 0;
    run->given |= 1u << place;
    switch ((enum option_place)place) {
    case OPTION_SERVER:
        run->servers = value;
        break;
    case OPTION_PARTITIONS:
        if (read_number(value, 1, INT32_MAX, &number) != 0)
            return options_mistake(cmd, "--partitions %s is not a number of 1 or more", value);
        run->partitions = (int32_t)number;
        break;
    case OPTION_REPLICAS:
        if (read_number(value, 1, INT16_MAX, &number) != 0)
            return options_mistake(cmd, "--replication-factor %s is not a number from 1 to %d",
                                   value, INT16_MAX);
        run->replicas = (int16_t)number;
        break;
    case OPTION_CONFIG:
        return take_config(cmd, run, value);
    case OPTION_TIMEOUT:
        if (read_number(value, 1, INT_MAX, &number) != 0)
            return options_mistake(cmd, "--timeout %s is not a number of milliseconds", value);
        run->timeout_ms = (int)number;
        break;
    case OPTION_IF_NOT_EXISTS:
    case OPTION_IF_EXISTS:
    case OPTION_JSON:
        break;
    }
    return EXIT_CODE_DONE;
}

static int take_action(const struct cmd *cmd, struct topic_run *run, const char *name)
{
    struct nearest nearest;
    nearest_start(&nearest, span_text(name));
    for (int i = 0; i < ACTIONS; i++) {
        nearest_consider(&nearest, action_names[i]);
        if (strcmp(action_names[i], name) == 0) {
            run->action = (enum action)i;
            return EXIT_CODE_DONE;
        }
    }
    if (nearest.name != NULL)
        return options_mistake(cmd, "there is no \"%s\"; did you mean \"%s\"?", name, nearest.name);
    return options_mistake(cmd, "there is no \"%s\"; there are list, describe, create and delete",
                           name);
}

/* Options that only one action has a use for. */
static int check_options(const struct cmd *cmd, const struct topic_run *run)
{
    static const struct {
        enum option_place place;
        unsigned actions;
    } uses[] = {
        {OPTION_PARTITIONS, 1u << ACTION_CREATE},
        {OPTION_REPLICAS, 1u << ACTION_CREATE},
        {OPTION_CONFIG, 1u << ACTION_CREATE},
        {OPTION_IF_NOT_EXISTS, 1u << ACTION_CREATE},
        {OPTION_IF_EXISTS, 1u << ACTION_DELETE},
        {OPTION_JSON, 1u << ACTION_LIST | 1u << ACTION_DESCRIBE},
    };
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        if (is_given(run, uses[i].place) && (uses[i].actions & 1u << run->action) == 0)
            return options_mistake(cmd, "--%s is not for %s", options_of_topic[uses[i].place].name,
                                   action_names[run->action]);
    }
    if (run->action == ACTION_LIST && run->topics_count > 0)
        return options_mistake(cmd, "list takes no topic; describe does");
    if ((run->action == ACTION_CREATE || run->action == ACTION_DELETE) && run->topics_count == 0)
        return options_mistake(cmd, "%s needs the name of a topic", action_names[run->action]);
    return EXIT_CODE_DONE;
}

/* Reads the command line. Returns true when there is something to run, else *ret_code. */
static bool read_command_line(const struct cmd *cmd, int argc, char **argv, struct topic_run *run,
                              int *ret_code)
{
    struct options options;
    const char *value = NULL;
    bool has_action = false;
    int code = EXIT_CODE_DONE;
    options_start(&options, cmd, argc, argv);
    for (int place;
         code == EXIT_CODE_DONE && (place = options_next(&options, &value)) != OPTIONS_END;) {
        if (place == OPTIONS_EXIT) {
            *ret_code = options.exit_code;
            return false;
        }
        if (place >= 0) {
            code = take_option(cmd, run, place, value);
        } else if (!has_action) {
            has_action = true;
            code = take_action(cmd, run, value);
        } else if (run->topics_count == TOPICS_MAX) {
            code = options_mistake(cmd, "more than %d topics at once", TOPICS_MAX);
        } else {
            run->topics[run->topics_count++] = value;
        }
    }
    if (code == EXIT_CODE_DONE && !has_action)
        code = options_mistake(cmd, "say what to do: list, describe, create or delete");
    if (code == EXIT_CODE_DONE)
        code = check_options(cmd, run);
    *ret_code = code;
    return code == EXIT_CODE_DONE;
}

static int fail(const char *what, const char *topic, const char *why)
{
    fprintf(stderr, "chronik topic: %s%s%s: %s\n", what, topic[0] == '\0' ? "" : " ", topic, why);
    return EXIT_CODE_FAILED;
}

/* All topics, sorted. Returns 0 or -1, with the client's message. */
static int ask_topics(struct topic_run *run, struct metadata_response *response)
{
    struct metadata_request request;
    wire_defaults(&wire_metadata_request, &request);
    request.topics_count = -1; /* null: all of them */
    request.allow_auto_topic_creation = false;
    if (client_call(&run->client, API_METADATA, &request, response) != 0)
        return -1;
    topic_sort(response);
    return 0;
}

static int run_list(struct topic_run *run)
{
    struct metadata_response response;
    if (ask_topics(run, &response) != 0)
        return fail("list", "", run->client.message);
    topic_print_list(stdout, &response, is_given(run, OPTION_JSON));
    return EXIT_CODE_DONE;
}

static const struct metadata_response_topic *find_topic(const struct metadata_response *response,
                                                        struct span name)
{
    for (int32_t i = 0; i < response->topics_count; i++) {
        if (span_equal(response->topics[i].name, name))
            return &response->topics[i];
    }
    return NULL;
}

/* Says that there is no such topic, and which one may have been meant. */
static int fail_unknown(struct topic_run *run, const struct metadata_response *response,
                        const char *name)
{
    struct nearest nearest;
    nearest_start(&nearest, span_text(name));
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct span other =
            arena_format(&run->client.arena, "%.*s", SPAN_ARGS(response->topics[i].name));
        if (!span_is_null(other))
            nearest_consider(&nearest, (const char *)other.data);
    }
    if (nearest.name == NULL)
        return fail("describe", name,
                    "there is no such topic; chronik topic list shows those that there are");
    fprintf(stderr, "chronik topic: describe %s: there is no such topic; did you mean %s?\n", name,
            nearest.name);
    return EXIT_CODE_FAILED;
}

/* The settings of one topic. Returns 0 or -1, with the client's message. */
static int ask_configs(struct topic_run *run, struct span topic,
                       struct describe_configs_response *response)
{
    struct describe_configs_request_resource resource;
    struct describe_configs_request request;
    memset(&resource, 0, sizeof(resource));
    wire_defaults(&wire_describe_configs_request, &request);
    resource.resource_type = RESOURCE_TOPIC;
    resource.resource_name = topic;
    resource.configuration_keys_count = -1; /* null: all of them */
    request.resources = &resource;
    request.resources_count = 1;
    return client_call(&run->client, API_DESCRIBE_CONFIGS, &request, response);
}

static int describe_one(struct topic_run *run, const struct metadata_response_topic *topic)
{
    struct describe_configs_response configs;
    const char *name =
        (const char *)arena_format(&run->client.arena, "%.*s", SPAN_ARGS(topic->name)).data;
    if (topic->error_code != ERR_NONE)
        return fail("describe", name,
                    client_error_text(&run->client, topic->error_code, SPAN_NULL));
    if (ask_configs(run, topic->name, &configs) != 0)
        return fail("describe", name, run->client.message);
    if (configs.results_count != 1)
        return fail("describe", name, "the broker did not answer about its settings");
    if (configs.results[0].error_code != ERR_NONE)
        return fail("describe", name,
                    client_error_text(&run->client, configs.results[0].error_code,
                                      configs.results[0].error_message));
    topic_print_description(stdout, topic, &configs.results[0], is_given(run, OPTION_JSON));
    return EXIT_CODE_DONE;
}

static int run_describe(struct topic_run *run)
{
    struct metadata_response response;
    int code = EXIT_CODE_DONE;
    if (ask_topics(run, &response) != 0)
        return fail("describe", "", run->client.message);
    for (int32_t i = 0; run->topics_count == 0 && i < response.topics_count; i++)
        code |= describe_one(run, &response.topics[i]);
    for (int32_t i = 0; i < run->topics_count; i++) {
        const struct metadata_response_topic *topic =
            find_topic(&response, span_text(run->topics[i]));
        code |=
            topic == NULL ? fail_unknown(run, &response, run->topics[i]) : describe_one(run, topic);
    }
    return code;
}

/* Says what became of one topic to be created. */
static int report_created(struct topic_run *run, const struct create_topics_response_topic *topic)
{
    const char *name =
        (const char *)arena_format(&run->client.arena, "%.*s", SPAN_ARGS(topic->name)).data;
    if (topic->error_code == ERR_TOPIC_ALREADY_EXISTS && is_given(run, OPTION_IF_NOT_EXISTS)) {
        printf("%s exists\n", name);
        return EXIT_CODE_DONE;
    }
    if (topic->error_code != ERR_NONE)
        return fail("create", name,
                    client_error_text(&run->client, topic->error_code, topic->error_message));
    printf("%s created", name);
    if (topic->num_partitions > 0)
        printf(": %d partition%s, %d replica%s", topic->num_partitions,
               topic->num_partitions == 1 ? "" : "s", topic->replication_factor,
               topic->replication_factor == 1 ? "" : "s");
    printf("\n");
    return EXIT_CODE_DONE;
}

static int run_create(struct topic_run *run)
{
    struct create_topics_request request;
    struct create_topics_response response;
    int code = EXIT_CODE_DONE;
    wire_defaults(&wire_create_topics_request, &request);
    request.topics =
        arena_array(&run->client.arena, (size_t)run->topics_count, sizeof(request.topics[0]));
    if (request.topics == NULL)
        return fail("create", "", "out of memory");
    request.topics_count = run->topics_count;
    request.timeout_ms = run->timeout_ms;
    for (int32_t i = 0; i < run->topics_count; i++) {
        request.topics[i].name = span_text(run->topics[i]);
        request.topics[i].num_partitions = run->partitions;
        request.topics[i].replication_factor = run->replicas;
        request.topics[i].configs = run->configs;
        request.topics[i].configs_count = run->configs_count;
    }
    if (client_call(&run->client, API_CREATE_TOPICS, &request, &response) != 0)
        return fail("create", "", run->client.message);
    for (int32_t i = 0; i < response.topics_count; i++)
        code |= report_created(run, &response.topics[i]);
    return response.topics_count == run->topics_count
               ? code
               : fail("create", "", "the broker did not answer about every topic");
}

static int report_deleted(struct topic_run *run,
                          const struct delete_topics_response_response *topic)
{
    const char *name =
        (const char *)arena_format(&run->client.arena, "%.*s", SPAN_ARGS(topic->name)).data;
    if (topic->error_code == ERR_UNKNOWN_TOPIC_OR_PARTITION && is_given(run, OPTION_IF_EXISTS)) {
        printf("%s does not exist\n", name);
        return EXIT_CODE_DONE;
    }
    if (topic->error_code != ERR_NONE)
        return fail("delete", name,
                    client_error_text(&run->client, topic->error_code, topic->error_message));
    printf("%s deleted\n", name);
    return EXIT_CODE_DONE;
}

static int run_delete(struct topic_run *run)
{
    struct delete_topics_request request;
    struct delete_topics_response response;
    int code = EXIT_CODE_DONE;
    const size_t count = (size_t)run->topics_count;
    wire_defaults(&wire_delete_topics_request, &request);
    /* Versions before 6 have plain names, later ones pairs of name and id. */
    request.topics = arena_array(&run->client.arena, count, sizeof(request.topics[0]));
    request.topic_names = arena_array(&run->client.arena, count, sizeof(request.topic_names[0]));
    if (request.topics == NULL || request.topic_names == NULL)
        return fail("delete", "", "out of memory");
    request.topics_count = request.topic_names_count = run->topics_count;
    request.timeout_ms = run->timeout_ms;
    for (int32_t i = 0; i < run->topics_count; i++)
        request.topics[i].name = request.topic_names[i] = span_text(run->topics[i]);
    if (client_call(&run->client, API_DELETE_TOPICS, &request, &response) != 0)
        return fail("delete", "", run->client.message);
    for (int32_t i = 0; i < response.responses_count; i++)
        code |= report_deleted(run, &response.responses[i]);
    return response.responses_count == run->topics_count
               ? code
               : fail("delete", "", "the broker did not answer about every topic");
}

static int run_topic(const struct cmd *cmd, int argc, char **argv)
{
    static int (*const actions[ACTIONS])(struct topic_run *) = {run_list, run_describe, run_create,
                                                                run_delete};
    int code = EXIT_CODE_DONE;
    struct topic_run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        fprintf(stderr, "chronik topic: out of memory\n");
        return EXIT_CODE_FAILED;
    }
    run->servers = "127.0.0.1:9092";
    run->partitions = -1;
    run->replicas = -1;
    run->timeout_ms = TIMEOUT_MS_DEFAULT;
    if (!read_command_line(cmd, argc, argv, run, &code)) {
        free(run);
        return code;
    }
    if (client_open(&run->client, run->servers, run->timeout_ms) == 0) {
        code = actions[run->action](run);
    } else {
        fprintf(stderr, "chronik topic: %s\n", run->client.message);
        code = EXIT_CODE_FAILED;
    }
    client_close(&run->client);
    free(run);
    return code;
}

const struct cmd cmd_topic = {
    .program = "chronik",
    .name = "topic",
    .arguments = "list|describe|create|delete [TOPIC]... [OPTION]...",
    .summary = "list, describe, create and delete topics",
    .help =
        "Lists all topics; describes the named ones (without a name, all) with their partitions\n"
        "and the settings that are their own; creates or deletes the named ones.\n"
        "\n"
        "Works with any broker that speaks Kafka's protocol.",
    .examples = "chronik topic create orders --partitions 3 --config retention.ms=3600000\n"
                "    A topic that keeps its records for an hour.\n"
                "chronik topic list --json | jq -r .name\n"
                "    The names of all topics, a line each.\n"
                "chronik topic describe orders --bootstrap-server broker.example:9092\n"
                "    What a broker elsewhere knows of a topic.\n"
                "chronik topic delete orders --if-exists\n"
                "    No topic of this name afterwards.",
    .options = options_of_topic,
    .run = run_topic,
};
