/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of nodes and topics, which the core judges as it would judge a user's. */
#include <stdlib.h>

#include "core/base/format.h"
#include "core/conf/topic_conf.h"
#include "sim/memory.h"
#include "sim/node_conf.h"
#include "sim/scenario_reader.h"

#define MESSAGE_BYTES_MAX 65536
#define NUMBER_BYTES      40

/* What the simulator decides for every node. */
static const char *const taken[] = {"node.id", "broker.id", "listeners", "advertised.listeners",
                                    "controller.listener.names"};

/* Settings are checked before it is known whose they are: a controller is among the voters, as the
 * first node is, and no other node is. */
#define CONTROLLER_NODE 1
#define BROKER_NODE     1000

static void *heap_take(void *context, size_t size)
{
    (void)context;
    return sim_allocate(NULL, size);
}

static void heap_give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

/* A setting's value as text, owned by the caller; NULL for what is none. */
static char *value_text(json_t *json)
{
    char number[NUMBER_BYTES];
    if (json_is_string(json))
        return sim_text_copy(json_string_value(json), json_string_length(json));
    if (json_is_boolean(json))
        snprintf(number, sizeof(number), "%s", json_is_true(json) ? "true" : "false");
    else if (json_is_integer(json))
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(json));
    else if (json_is_real(json))
        snprintf(number, sizeof(number), "%.17g", json_real_value(json));
    else
        return NULL;
    return sim_text_copy(number, strlen(number));
}

static void on_finding(void *context, bool is_refused, uint32_t place, struct span text)
{
    struct reader *reader = context;
    if (!is_refused)
        return;
    if (place > 0)
        json_place_enter(&reader->place, place - 1);
    reader_refuse(reader, "%.*s", SPAN_ARGS(text));
    if (place > 0)
        json_place_leave(&reader->place);
}

/* A place of a finding is the setting's number, counted from 1. */
static void check_node(struct reader *reader, const struct settings_list *list,
                       struct memory *memory)
{
    struct conf conf;
    uint32_t number = CONTROLLER_NODE;
    conf_init(&conf, memory, on_finding, reader);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct setting *setting = &list->items[i];
        for (size_t j = 0; j < sizeof(taken) / sizeof(taken[0]); j++) {
            if (strcmp(setting->key, taken[j]) == 0)
                on_finding(reader, true, i + 1, SPAN("the simulator sets this itself"));
        }
        if (strcmp(setting->key, "process.roles") == 0 &&
            strstr(setting->value, "controller") == NULL)
            number = BROKER_NODE;
    }
    node_conf_fill(&conf, number, list, SPAN("host"));
    conf_free(&conf);
}

static void check_topic(struct reader *reader, const struct settings_list *list,
                        struct memory *memory)
{
    struct arena arena;
    arena_init(&arena, memory, MEMORY_STATE, MESSAGE_BYTES_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        struct span message = SPAN_NULL;
        if (topic_conf_check(span_text(list->items[i].key), span_text(list->items[i].value), &arena,
                             &message) != 0)
            on_finding(reader, true, i + 1, message);
    }
    arena_reset(&arena);
}

void reader_settings(struct reader *reader, json_t *json, bool of_node,
                     struct settings_list *ret_list)
{
    const char *key;
    json_t *value;
    if (!json_is_object(json) || json_object_size(json) > SCENARIO_SETTINGS_MAX) {
        reader_refuse(reader, "settings are an object of at most %d keys and values",
                      SCENARIO_SETTINGS_MAX);
        return;
    }
    ret_list->items = sim_allocate(NULL, json_object_size(json) * sizeof(*ret_list->items));
    json_object_foreach(json, key, value)
    {
        char *text = value_text(value);
        if (text == NULL) {
            reader_refuse_member(reader, json, key, "a setting is a text, a number, true or false");
            return;
        }
        ret_list->items[ret_list->count++] =
            (struct setting){.key = sim_text_copy(key, strlen(key)), .value = text};
    }
    struct memory memory;
    memory_init(&memory, (struct allocator){heap_take, heap_give, NULL});
    if (of_node)
        check_node(reader, ret_list, &memory);
    else
        check_topic(reader, ret_list, &memory);
}
