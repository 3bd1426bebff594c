/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/controller.h"

#include "core/wire/error.h"

struct controller {
    struct io *io;
    struct image *image;
    struct wal *wal;
    struct wal_observer observer;
    struct turn_task task;
    struct list queue;
    struct meta_proposal *writing; /* whose records are in the WAL; NULL: cancelled, or none */
    bool is_closing;
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
    bool is_written = false;
    if (error == ERR_NONE && writer.count > 0) {
        error = wal_append(controller->wal, &writer);
        is_written = error == ERR_NONE;
    }
    meta_writer_free(&writer);
    if (is_written)
        controller->writing = proposal;
    else
        proposal->done(proposal, error);
}

static void controller_run(struct turn_task *task)
{
    struct controller *controller = container_of(task, struct controller, task);
    while (wal_state(controller->wal) == WAL_READY && !controller->is_closing) {
        struct list *place = list_pop(&controller->queue);
        if (place == NULL)
            return;
        controller_take(controller, container_of(place, struct meta_proposal, place));
    }
    if (wal_state(controller->wal) == WAL_FAILED || controller->is_closing)
        controller_refuse_all(controller);
}

static void controller_written(struct wal_observer *observer, int error)
{
    struct controller *controller = container_of(observer, struct controller, observer);
    struct meta_proposal *proposal = controller->writing;
    controller->writing = NULL;
    if (proposal != NULL)
        proposal->done(proposal, error);
}

static void controller_settled(struct wal_observer *observer)
{
    struct controller *controller = container_of(observer, struct controller, observer);
    io_at_turn_end(controller->io, &controller->task, controller_run);
}

struct controller *controller_new(struct io *io, struct folder *folder, const struct codecs *codecs,
                                  uint64_t snapshot_bytes, struct image *image)
{
    struct controller *controller = memory_new(io->memory, struct controller);
    controller->io = io;
    controller->image = image;
    controller->observer.written = controller_written;
    controller->observer.settled = controller_settled;
    list_init(&controller->queue);
    list_init(&controller->task.place);
    controller->wal = wal_new(io, folder, codecs, snapshot_bytes, image, &controller->observer);
    return controller;
}

void controller_boot(struct controller *controller, struct log_waiter *waiter)
{
    wal_boot(controller->wal, waiter);
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

bool controller_has_failed(const struct controller *controller)
{
    return wal_state(controller->wal) == WAL_FAILED;
}

void controller_close(struct controller *controller, struct log_waiter *waiter)
{
    controller->is_closing = true;
    controller_refuse_all(controller);
    wal_close(controller->wal, waiter);
}

void controller_free(struct controller *controller)
{
    if (controller == NULL)
        return;
    list_remove(&controller->task.place);
    wal_free(controller->wal);
    memory_give(controller->io->memory, MEMORY_STATE, controller, sizeof(*controller));
}
