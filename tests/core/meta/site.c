/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/meta/site.h"

#include <check.h>

#include "core/meta/brokers.h"
#include "core/wire/error.h"

static void woken(struct log_waiter *waiter, int error)
{
    struct site *site = container_of(waiter, struct site, waiter);
    site->woken++;
    site->error = error;
}

static void folder_offline(struct folder_observer *observer, struct folder *folder)
{
    (void)observer;
    (void)folder;
}

void site_begin(struct site *site, uint64_t seed)
{
    memset(site, 0, sizeof(*site));
    site->world = world_new(seed);
    site->waiter.wake = woken;
    site->folder_observer.offline = folder_offline;
    settings_read(&site->settings, "");
}

void site_end(struct site *site)
{
    world_free(site->world);
    settings_free(&site->settings);
}

int site_boot(struct site *site)
{
    site->io = world_boot_io(site->world);
    site->folder = folder_new(site->io, 0, &site->folder_observer);
    site->woken = 0;
    folder_load(site->folder, &site->waiter);
    world_run(site->world);
    if (site->woken == 0)
        return -1;
    ck_assert_int_eq(site->error, ERR_NONE);
    image_init(&site->image, site->io->memory, 7);
    const struct raft_seed self = {.node = 1, .listener = SPAN("A"), .host = SPAN("h"), .port = 1};
    const struct quorum_options options = {
        .folder = site->folder,
        .snapshot_bytes = (uint64_t)1024 * 1024,
        .image = &site->image,
        .self = {1, {{1}}},
        .seeds = &self,
        .seeds_count = 1,
        .election_timeout_ms = 1000,
        .fetch_timeout_ms = 2000,
        .heartbeat_ms = 500,
    };
    site->controller = controller_new(site->io, &options);
    site->woken = 0;
    controller_boot(site->controller, &site->waiter);
    ck_assert_int_eq(site->woken, 0);
    world_run(site->world);
    return site->woken == 0 ? -1 : site->error;
}

void site_close(struct site *site)
{
    site->woken = 0;
    controller_close(site->controller, &site->waiter);
    world_run(site->world);
    ck_assert_int_eq(site->woken, 1);
    folder_close(site->folder, &site->waiter);
    world_run(site->world);
    ck_assert_int_eq(site->woken, 2);
    controller_free(site->controller);
    image_free(&site->image);
    world_exit(site->world);
}

void site_kill(struct site *site)
{
    world_kill(site->world);
}

void site_power_loss(struct site *site)
{
    world_power_loss(site->world);
}

static int prepare_registration(struct wish *wish, const struct image *image,
                                struct meta_writer *writer)
{
    const struct broker_registration registration = {
        .id = 1,
        .incarnation = rng_uuid(&wish->site->io->rng),
        .rack = SPAN_NULL,
    };
    return brokers_register(image, writer, &registration);
}

static int wish_prepare(struct meta_proposal *proposal, const struct image *image,
                        struct meta_writer *writer)
{
    struct wish *wish = container_of(proposal, struct wish, proposal);
    struct topics_context context;
    struct arena arena;
    int error;
    wish->prepared = true;
    if (wish->kind == WISH_REGISTER)
        return prepare_registration(wish, image, writer);
    arena_init(&arena, wish->site->io->memory, MEMORY_STATE, (size_t)1 << 20);
    topics_begin(&context, image, &wish->site->settings.conf, &wish->site->io->rng, &arena, writer);
    if (wish->kind == WISH_REMOVE) {
        struct span message;
        error = topics_remove(&context, image_topic(image, span_text(wish->topic)), &message);
    } else {
        struct topic_creation creation = {
            .name = span_text(wish->topic),
            .partitions = wish->partitions,
            .replication_factor = 1,
        };
        error = topics_create(&context, &creation);
    }
    topics_end(&context);
    arena_reset(&arena);
    return error;
}

static void wish_done(struct meta_proposal *proposal, int error)
{
    struct wish *wish = container_of(proposal, struct wish, proposal);
    wish->done = true;
    wish->error = error;
}

void site_wish(struct site *site, struct wish *wish, enum wish_kind kind, const char *topic,
               int32_t partitions)
{
    *wish = (struct wish){
        .proposal = {.prepare = wish_prepare, .done = wish_done},
        .site = site,
        .kind = kind,
        .topic = topic,
        .partitions = partitions,
    };
    controller_propose(site->controller, &wish->proposal);
    ck_assert(!wish->prepared && !wish->done);
}

int site_do(struct site *site, enum wish_kind kind, const char *topic, int32_t partitions)
{
    struct wish wish;
    site_wish(site, &wish, kind, topic, partitions);
    world_run(site->world);
    if (!wish.done)
        controller_cancel(site->controller, &wish.proposal);
    return wish.done ? wish.error : -1;
}

bool site_has(const struct site *site, const char *topic)
{
    return image_topic(&site->image, span_text(topic)) != NULL;
}
