/* SPDX-License-Identifier: Apache-2.0 */
/* One node's controller in a world: its processes, their deaths, and what was promised. */
#ifndef TESTS_CORE_META_SITE_H
#define TESTS_CORE_META_SITE_H

#include "core/log/folder.h"
#include "core/meta/controller.h"
#include "core/meta/topics.h"
#include "tests/core/conf/settings.h"
#include "tests/support/world.h"

struct site {
    struct world *world;
    struct settings settings;
    struct io *io;
    struct folder *folder;
    struct folder_observer folder_observer;
    struct image image;
    struct controller *controller;
    struct log_waiter waiter;
    int woken;
    int error;
};

void site_begin(struct site *site, uint64_t seed);
void site_end(struct site *site);

/* Starts a process and boots its controller: how that ended, or -1 while it has not. */
int site_boot(struct site *site);
void site_close(struct site *site);
void site_kill(struct site *site);
void site_power_loss(struct site *site);

enum wish_kind { WISH_CREATE, WISH_REMOVE, WISH_REGISTER };

/* One proposal. */
struct wish {
    struct meta_proposal proposal;
    struct site *site;
    enum wish_kind kind;
    const char *topic;
    int32_t partitions;
    bool prepared;
    bool done;
    int error;
};

/* Proposes; the world does not run. */
void site_wish(struct site *site, struct wish *wish, enum wish_kind kind, const char *topic,
               int32_t partitions);

/* Proposes and runs the world: how the proposal ended, or -1. */
int site_do(struct site *site, enum wish_kind kind, const char *topic, int32_t partitions);

bool site_has(const struct site *site, const char *topic);

#endif
