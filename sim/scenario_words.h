/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the scenario language, as a table: the one truth for the parser, for the JSON schema
 * that editors read, and for the list of words in doc/SIMULATOR.md. To add a word, add its field to
 * sim/scenario.h and a row to sim/scenario_words.c.
 */
#ifndef SIM_SCENARIO_WORDS_H
#define SIM_SCENARIO_WORDS_H

#include <stddef.h>

#include "sim/scenario.h"

/* Limits of what a file may ask for. */
#define SCENARIO_NODES_MAX    16
#define SCENARIO_TOPICS_MAX   64
#define SCENARIO_ROWS_MAX     64   /* of clients, each with a count */
#define SCENARIO_CLIENTS_MAX  1000 /* all counts together */
#define SCENARIO_FAULTS_MAX   256
#define SCENARIO_SETTINGS_MAX 64
#define SCENARIO_TEXT_MAX     1000 /* bytes of a text */
#define SCENARIO_NAME_MAX     249  /* of a topic's or a group's name, as Kafka has it */
#define SCENARIO_PARTITIONS   1000
#define SCENARIO_SEED_MAX     ((uint64_t)INT64_MAX - 1)
#define SCENARIO_MS_MAX       ((uint64_t)1000 * 60 * 60 * 24 * 30)
#define SCENARIO_US_MAX       (SCENARIO_MS_MAX * 1000)
#define SCENARIO_RECORDS_MAX  ((uint64_t)1000 * 1000 * 1000)

/* Things that a file is made of. */
enum scenario_object {
    OBJECT_SCENARIO,
    OBJECT_NODE,
    OBJECT_TOPIC,
    OBJECT_CLIENT,
    OBJECT_FAULT,
    OBJECT_EXPECT,
    SCENARIO_OBJECTS
};

enum word_type {
    WORD_NOTE,     /* a text for others, read over */
    WORD_TEXT,     /* char * */
    WORD_NAME,     /* char *: of a topic or group */
    WORD_FLAG,     /* bool */
    WORD_NUMBER,   /* uint32_t or uint64_t */
    WORD_RANGE,    /* struct range: a number, or [least, most] */
    WORD_CHOICE,   /* int8_t or an enum: one of some names */
    WORD_SETTINGS, /* struct settings_list: of a node */
    WORD_CONFIG,   /* struct settings_list: of a topic */
    WORD_OBJECT,   /* an object within */
    WORD_LIST,     /* an array of objects, and its count */
};

/* One of the names that a WORD_CHOICE may have. */
struct scenario_choice {
    const char *name; /* NULL ends the list */
    int value;
    const char *tells;
    const char *example; /* a whole object, as JSON */
};

struct scenario_word {
    const char *key; /* NULL ends the list */
    enum word_type type;
    size_t offset;               /* of the field in the object's struct */
    size_t bytes;                /* of the field; of a list: of one of its items */
    size_t count_offset;         /* LIST: of the count, uint32_t */
    enum scenario_object object; /* OBJECT and LIST: what is within */
    bool is_required;
    uint64_t least; /* of a number; of a text's length; of what a list or settings have */
    uint64_t most;
    bool above_zero;       /* RANGE: 0 alone is refused, since it stands for the kind's own */
    struct range preset;   /* of numbers, flags, choices and ranges: the default */
    const char *otherwise; /* what counts when it is missing, in words; NULL: `preset` */
    uint32_t kinds;        /* of clients and faults that have the word, a bit each; 0: all */
    const struct scenario_choice *choices;
    const char *tells;   /* one sentence or two */
    const char *example; /* of a scenario: the member; else the whole object; as JSON */
};

struct scenario_object_info {
    const char *name;   /* "fault" */
    const char *plural; /* "Faults" */
    const char *tells;
    size_t size; /* of the struct */
    const struct scenario_word *words;
    const struct scenario_word *kind; /* the word that `kinds` is about; NULL: none */
};

const struct scenario_object_info *scenario_object_info(enum scenario_object object);

/* The name of a choice's value, "crash"; NULL when there is none. */
const char *scenario_choice_name(const struct scenario_choice *choices, int value);

#endif
