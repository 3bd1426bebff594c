/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/controller.h"

#include "core/wire/error.h"

struct controller {
    struct io *io;
    struct image *image;
    struct quorum *quorum;
    struct quorum_observer observer;
    struct turn_task task;
    struct list queue;
    struct list watchers;
    bool is_writing;               /* something is proposed, and not decided */
    bool is_forwarded;             /* to another node, which leads */
    struct meta_proposal *writing; /* whose it is; NULL: cancelled */
    uint32_t losses;               /* of the quorum's, when the last ones were refused for them */
    bool is_closing;
    struct log_waiter *close_waiter; /* until nothing is undecided */
};

/* Refuses everything that is queued, and what that queues. */
static void controller_refuse_all(struct controller *controller)
{
    struct list *place;
    while ((place = list_pop(&controller->queue)) != NULL) {
        struct meta_proposal *proposal = container_of(place, struct meta_proposal, place);
        proposal->done(proposal, ERR_KAFKA_STORAGE_ERROR);
    }
}

/* Lets `proposal` see the image and write its records. */
static void controller_take(struct controller *controller, struct meta_proposal *proposal)
{
    struct meta_writer writer;
    meta_writer_init(&writer, controller->io->memory, controller->image->end_offset);
    int error = proposal->prepare(proposal, controller->image, &writer);
    if (error == ERR_NONE && writer.count > 0) {
        controller->is_forwarded = !quorum_leads(controller->quorum);
        error = quorum_propose(controller->quorum, &writer);
        controller->is_writing = error == ERR_NONE;
    }
    meta_writer_free(&writer);
    if (controller->is_writing)
        controller->writing = proposal;
    else
        proposal->done(proposal, error);
}

/* What its owner is told. */
static int error_of(const struct controller *controller, enum quorum_fate fate)
{
    if (fate == QUORUM_COMMITTED)
        return ERR_NONE;
    return fate == QUORUM_UNKNOWN && !quorum_has_failed(controller->quorum)
               ? ERR_REQUEST_TIMED_OUT
               : ERR_KAFKA_STORAGE_ERROR;
}

/* Tells whose proposal was decided. */
static void controller_decide(struct controller *controller)
{
    if (!controller->is_writing)
        return;
    const enum quorum_fate fate = quorum_fate(controller->quorum);
    if (fate == QUORUM_UNDECIDED)
        return;
    struct meta_proposal *proposal = controller->writing;
    controller->is_writing = false;
    controller->writing = NULL;
    quorum_forget(controller->quorum);
    if (proposal == NULL)
        return;
    if (fate == QUORUM_LOST && controller->is_forwarded && !controller->is_closing)
        list_prepend(&controller->queue, &proposal->place); /* something else was first */
    else
        proposal->done(proposal, error_of(controller, fate));
}

/* Appends were lost: the disk may be full, or have room again. Whoever wants something has it
 * tried, and a try that fails refuses all who waited for it. */
static void controller_retry(struct controller *controller)
{
    const uint32_t losses = quorum_losses(controller->quorum);
    if (losses == 0) {
        controller->losses = 0;
    } else if (losses != controller->losses) {
        controller->losses = losses;
        controller_refuse_all(controller);
    } else if (!list_empty(&controller->queue)) {
        quorum_retry(controller->quorum);
    }
}

/* The quorum ends once nothing is undecided, unless that is for others to decide, who may be away.
 */
static void close_if_decided(struct controller *controller)
{
    struct log_waiter *waiter = controller->close_waiter;
    if (waiter == NULL || (controller->is_writing && quorum_is_alone(controller->quorum)))
        return;
    controller->close_waiter = NULL;
    quorum_close(controller->quorum, waiter);
}

static void controller_run(struct turn_task *task)
{
    struct controller *controller = container_of(task, struct controller, task);
    controller_decide(controller);
    while (!controller->is_writing && !controller->is_closing &&
           quorum_takes_proposals(controller->quorum)) {
        struct list *place = list_pop(&controller->queue);
        if (place == NULL)
            return;
        controller_take(controller, container_of(place, struct meta_proposal, place));
    }
    if (quorum_has_failed(controller->quorum) || controller->is_closing)
        controller_refuse_all(controller);
    else if (!controller->is_writing)
        controller_retry(controller);
    close_if_decided(controller);
}

static void controller_changed(struct quorum_observer *observer)
{
    struct controller *controller = container_of(observer, struct controller, observer);
    io_at_turn_end(controller->io, &controller->task, controller_run);
    for (struct list *place = controller->watchers.next; place != &controller->watchers;
         place = place->next) {
        struct controller_watcher *watcher = container_of(place, struct controller_watcher, place);
        watcher->changed(watcher);
    }
}

void controller_watch(struct controller *controller, struct controller_watcher *watcher)
{
    list_append(&controller->watchers, &watcher->place);
}

struct controller *controller_new(struct io *io, const struct quorum_options *options)
{
    struct controller *controller = memory_new(io->memory, struct controller);
    controller->io = io;
    controller->image = options->image;
    controller->observer.changed = controller_changed;
    list_init(&controller->queue);
    list_init(&controller->watchers);
    list_init(&controller->task.place);
    controller->quorum = quorum_new(io, options, &controller->observer);
    return controller;
}

void controller_boot(struct controller *controller, struct log_waiter *waiter)
{
    quorum_boot(controller->quorum, waiter);
}

void controller_propose(struct controller *controller, struct meta_proposal *proposal)
{
    list_append(&controller->queue, &proposal->place);
    io_at_turn_end(controller->io, &controller->task, controller_run);
}

void controller_cancel(struct controller *controller, struct meta_proposal *proposal)
{
    if (controller->writing == proposal)
        controller->writing = NULL;
    else if (proposal->place.next != NULL)
        list_remove(&proposal->place);
}

struct quorum *controller_quorum(const struct controller *controller)
{
    return controller->quorum;
}

bool controller_has_failed(const struct controller *controller)
{
    return quorum_has_failed(controller->quorum);
}

void controller_close(struct controller *controller, struct log_waiter *waiter)
{
    controller->is_closing = true;
    controller_refuse_all(controller);
    controller->close_waiter = waiter;
    close_if_decided(controller);
}

void controller_free(struct controller *controller)
{
    if (controller == NULL)
        return;
    list_remove(&controller->task.place);
    quorum_free(controller->quorum);
    memory_give(controller->io->memory, MEMORY_STATE, controller, sizeof(*controller));
}
