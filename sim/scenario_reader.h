/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one file of the scenario language: what its parts share. */
#ifndef SIM_SCENARIO_READER_H
#define SIM_SCENARIO_READER_H

#include <jansson.h>

#include "core/conf/conf.h"
#include "sim/json_place.h"
#include "sim/scenario_parse.h"
#include "sim/scenario_words.h"

struct reader {
    struct span text;
    struct json_place place; /* of what is being read */
    struct scenario_error *error;
    bool refused; /* the first reason is in `error`; nothing more is read */
};

/* Refuses the file because of what stands at reader->place; further refusals are not heard. */
void reader_refuse(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same because of the value of a member of `object`, which stands at reader->place; because of
 * the object itself when it has no such member. */
void reader_refuse_member(struct reader *reader, json_t *object, const char *key,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Goes on to a member of `object`, which is at reader->place and has it. */
void reader_enter(struct reader *reader, json_t *object, const char *key);

/* Fills the struct of an object from JSON that stands at reader->place, by the table of words. What
 * it allocates belongs to the struct, also when the file is refused. */
void reader_object(struct reader *reader, json_t *json, enum scenario_object object,
                   void *ret_struct);

/* Fills a list of settings from an object; each is one that a node (or else a topic) may have. */
void reader_settings(struct reader *reader, json_t *json, bool of_node,
                     struct settings_list *ret_list);

/* Checks what concerns more than one word. `root` is the whole file. */
void reader_check(struct reader *reader, json_t *root, const struct scenario *scenario);

#endif
