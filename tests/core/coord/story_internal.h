/* SPDX-License-Identifier: Apache-2.0 */
/* What tells stories of a group (story.h), between its files: story.c has the story, its lines and
 * its clients, story_members.c what members ask, story_log.c what is committed and written. */
#ifndef TESTS_CORE_COORD_STORY_INTERNAL_H
#define TESTS_CORE_COORD_STORY_INTERNAL_H

#include "core/coord/shard.h"
#include "tests/core/coord/fake_log.h"
#include "tests/core/coord/story.h"
#include "tests/support/heap.h"

#define STORY_CLIENTS_MAX      8
#define STORY_IDS_MAX          64
#define STORY_REQUESTS_MAX     64 /* of each kind */
#define STORY_TRANSCRIPT_BYTES 16384
#define STORY_LINE_BYTES       512
#define STORY_WORDS_MAX        16
#define STORY_ID_BYTES         320

struct story_id {
    char id[STORY_ID_BYTES];
    char label[32];
};

struct story_client {
    char name[16];
    char id[STORY_ID_BYTES]; /* the last one that it was given */
    int32_t generation;
    int ids; /* how many it was given */
};

struct story {
    struct heap heap;
    struct memory memory;
    struct effects effects;
    struct io io;
    struct group_settings settings;
    struct shard shard;
    struct fake_log log;
    int told_batches; /* of the log, by the verb "log" */
    struct story_client clients[STORY_CLIENTS_MAX];
    int clients_count;
    struct story_id ids[STORY_IDS_MAX];
    int ids_count;
    bool hold;
    char transcript[STORY_TRANSCRIPT_BYTES];
    size_t transcript_length;
};

/* One line's words; and the options among them. */
struct story_line {
    const char *text;
    size_t length;
    char bytes[STORY_LINE_BYTES];
    char *words[STORY_WORDS_MAX];
    int count;
};

extern struct story *story;

/* Adds to what happened. */
__attribute__((format(printf, 1, 2))) void story_say(const char *format, ...);

void story_split(struct story_line *line, const char *text, size_t length);

/* The value of option `name=` in a line, or NULL; or as a number, `otherwise` without one. */
const char *story_option(const struct story_line *line, const char *name);
int32_t story_number(const struct story_line *line, const char *name, int32_t otherwise);

/* The group that all stories are about, or NULL. */
struct group *story_group(void);

/* A client by its name; it is made when it is first named. */
struct story_client *story_client(const char *name);

/* The label of a member id, an unknown one being the next of `client`; of a member; and back. */
const char *story_label(struct span id, struct story_client *client);
const char *story_label_of_member(const struct group_member *member);
const char *story_id_of(const char *label);

/* ---- story_members.c ---- */
void story_join(const struct story_line *told);
void story_sync(const struct story_line *told);
void story_beat(const struct story_line *line);
void story_may(const struct story_line *line);
void story_leave(const struct story_line *line);
void story_drop(const struct story_line *line);
/* No request is known; none may be left. */
void story_members_start(void);
void story_members_end(void);

/* ---- story_log.c ---- */
void story_commit(const struct story_line *told);
void story_offsets(const struct story_line *line);
void story_log(const struct story_line *line);
void story_log_start(void);
void story_log_end(void);

#endif
