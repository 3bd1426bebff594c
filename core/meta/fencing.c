/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/fencing.h"

#include "core/meta/quorum.h"
#include "core/wire/error.h"

#define US_PER_MS ((uint64_t)1000)

static struct fencing_note *note_find(struct fencing *fencing, int32_t node_id)
{
    for (uint32_t i = 0; i < fencing->notes_count; i++) {
        if (fencing->notes[i].node_id == node_id)
            return &fencing->notes[i];
    }
    return NULL;
}

bool fencing_is_under_way(const struct fencing *fencing, int32_t node_id)
{
    for (uint32_t i = 0; i < fencing->notes_count; i++) {
        if (fencing->notes[i].node_id == node_id)
            return fencing->notes[i].is_leaving;
    }
    return false;
}

/* NULL when there is no room: such a node is not fenced, as if it were heard. */
static struct fencing_note *note_of(struct fencing *fencing, int32_t node_id)
{
    struct fencing_note *note = note_find(fencing, node_id);
    if (note == NULL && fencing->notes_count < META_BROKERS_MAX) {
        note = &fencing->notes[fencing->notes_count++];
        *note = (struct fencing_note){.node_id = node_id};
    }
    return note;
}

/* True when every lease must be over that the controller before this one, or this one before the
 * cluster's session timeout changed, may have granted to a broker that is silent (core/lease.h).
 * Its own cannot reach further than that it was followed: who voted for another had heard nothing
 * of it for as long, as far as that one remembers. Or who stands at its word has heard it just
 * then, and waits for as long before it is taken for silent. */
static bool leases_are_over(const struct fencing *fencing, int32_t id)
{
    return fencing->io->now_us >= fencing->leases_end_us ||
           (id == fencing->leader_before && fencing->is_followed_longer);
}

/* What the image should say of a broker. */
static bool is_to_be_fenced(struct fencing *fencing, const struct meta_broker *broker)
{
    const struct fencing_note *note = note_find(fencing, broker->id);
    if (broker->id == fencing->self || note == NULL)
        return false;
    return uuid_equal(note->dead, broker->incarnation) ||
           (note->is_silent && (broker->fenced || leases_are_over(fencing, broker->id)));
}

static void fencing_look(struct fencing *fencing);

static int fencing_prepare(struct meta_proposal *proposal, const struct image *image,
                           struct meta_writer *writer)
{
    struct fencing *fencing = container_of(proposal, struct fencing, proposal);
    int error = ERR_NONE;
    if (!quorum_leads(controller_quorum(fencing->controller)))
        return ERR_NONE; /* it waited, and another node judges now */
    for (uint32_t i = 0; i < image->brokers_count && error == ERR_NONE; i++) {
        const struct meta_broker *broker = &image->brokers[i];
        const bool fenced = is_to_be_fenced(fencing, broker);
        if (fenced == broker->fenced || !image_epochs_can_rise(image, broker->id))
            continue;
        struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
        record.body.registration_change.broker_id = broker->id;
        record.body.registration_change.broker_epoch = broker->epoch;
        record.body.registration_change.fenced = fenced ? 1 : -1;
        error = meta_write(writer, &record);
        if (fenced)
            note_find(fencing, broker->id)->is_leaving = true;
        io_log(fencing->io, LOG_INFO, "a broker is %s: node=%d epoch=%lld",
               fenced ? "fenced" : "let in again", broker->id, (long long)broker->epoch);
    }
    return error;
}

static void fencing_done(struct meta_proposal *proposal, int error)
{
    struct fencing *fencing = container_of(proposal, struct fencing, proposal);
    fencing->is_proposing = false;
    for (uint32_t i = 0; i < fencing->notes_count; i++)
        fencing->notes[i].is_leaving = false;
    if (error == ERR_NONE)
        fencing_look(fencing); /* more may have happened meanwhile */
}

static void look(struct turn_task *task)
{
    struct fencing *fencing = container_of(task, struct fencing, task);
    if (fencing->controller == NULL || fencing->is_proposing ||
        !quorum_leads(controller_quorum(fencing->controller)))
        return;
    for (uint32_t i = 0; i < fencing->image->brokers_count; i++) {
        const struct meta_broker *broker = &fencing->image->brokers[i];
        if (broker->fenced == is_to_be_fenced(fencing, broker))
            continue;
        fencing->is_proposing = true;
        controller_propose(fencing->controller, &fencing->proposal);
        return;
    }
}

static void fencing_look(struct fencing *fencing)
{
    io_at_turn_end(fencing->io, &fencing->task, look);
}

/* Links tell of silence only where there was something to hear before. */
static void unheard(struct timer *timer)
{
    struct fencing *fencing = container_of(timer, struct fencing, unheard_timer);
    if (!quorum_leads(controller_quorum(fencing->controller)))
        return;
    for (uint32_t i = 0; i < fencing->image->brokers_count; i++) {
        const struct meta_broker *broker = &fencing->image->brokers[i];
        const struct fencing_note *note = note_find(fencing, broker->id);
        if (broker->id != fencing->self && !broker->fenced && (note == NULL || !note->is_heard))
            fencing_silent(fencing, broker->id);
    }
    fencing_look(fencing); /* leases are over */
}

static void listen_to_all(struct fencing *fencing)
{
    const uint64_t silent_us = fencing->io->now_us + fencing->silence_us;
    if (!timer_is_set(&fencing->unheard_timer))
        timer_set(&fencing->io->timers, &fencing->unheard_timer,
                  silent_us > fencing->leases_end_us ? silent_us : fencing->leases_end_us, unheard);
    fencing_look(fencing);
}

/* None that was asked for until now holds for longer. */
static void leases_reach(struct fencing *fencing)
{
    const uint64_t end_us = fencing->io->now_us + fencing->session_us;
    if (end_us > fencing->leases_end_us)
        fencing->leases_end_us = end_us;
}

/* Those that are asked for from now on may be of another length. */
static void leases_change(struct fencing *fencing)
{
    leases_reach(fencing);
    fencing->session_us = image_session_timeout_ms(fencing->image) * US_PER_MS;
    timer_cancel(&fencing->io->timers, &fencing->unheard_timer);
    listen_to_all(fencing);
}

static void image_changed(struct image_observer *observer, const struct image_change *change)
{
    struct fencing *fencing = container_of(observer, struct fencing, image_observer);
    if (change->broker != NULL)
        listen_to_all(fencing);
    else if (change->kind == IMAGE_CONFIG_CHANGED && change->topic == NULL)
        leases_change(fencing);
}

/* The process of another voter is as old as its link, or cannot have voted, being away for long.
 * One that started since has forgotten whom it followed, and so confirmed the leases of. */
static bool remembers(const struct fencing *fencing, int32_t id)
{
    struct peer_status status;
    if (id == fencing->leader_before || !peers_status(fencing->peers, id, &status))
        return true;
    const uint64_t since_us = status.is_up ? status.up_us : status.heard_us;
    return fencing->io->now_us - since_us >= fencing->followed_us;
}

/* This one's, too: all that may have voted for it. */
static bool voters_remember(const struct fencing *fencing)
{
    const struct raft_voters *voters = quorum_voters(controller_quorum(fencing->controller));
    bool all = fencing->io->now_us - fencing->began_us >= fencing->followed_us;
    for (int32_t i = 0; i < voters->record.voters_count && all; i++) {
        const int32_t id = voters->record.voters[i].voter_id;
        all = id == fencing->self || remembers(fencing, id);
    }
    return all;
}

static void leadership_changed(struct controller_watcher *watcher)
{
    struct fencing *fencing = container_of(watcher, struct fencing, watcher);
    const struct raft_status status = quorum_status(controller_quorum(fencing->controller));
    const bool leads = status.role == RAFT_LEADER;
    if (leads && !fencing->has_led) {
        fencing->session_us = image_session_timeout_ms(fencing->image) * US_PER_MS;
        fencing->is_followed_longer = fencing->followed_us >= fencing->session_us &&
                                      fencing->silence_us >= fencing->session_us &&
                                      voters_remember(fencing);
        leases_reach(fencing);
        timer_cancel(&fencing->io->timers, &fencing->unheard_timer); /* its time begins now */
    }
    if (!leads && status.leader != RAFT_NOBODY)
        fencing->leader_before = status.leader;
    fencing->has_led = leads;
    listen_to_all(fencing);
}

void fencing_init(struct fencing *fencing, struct io *io, int32_t self, uint64_t silence_us,
                  uint64_t followed_us)
{
    *fencing = (struct fencing){
        .io = io,
        .self = self,
        .began_us = io->now_us,
        .silence_us = silence_us,
        .followed_us = followed_us,
        .leader_before = RAFT_NOBODY,
        .image_observer = {.changed = image_changed},
        .watcher = {.changed = leadership_changed},
        .proposal = {.prepare = fencing_prepare, .done = fencing_done},
    };
    list_init(&fencing->task.place);
}

void fencing_start(struct fencing *fencing, struct controller *controller,
                   const struct peers *peers, struct image *image)
{
    fencing->controller = controller;
    fencing->peers = peers;
    fencing->image = image;
    image_observe(image, &fencing->image_observer);
    controller_watch(controller, &fencing->watcher);
}

void fencing_heard(struct fencing *fencing, int32_t node_id)
{
    struct fencing_note *note = note_of(fencing, node_id);
    if (note == NULL)
        return;
    const bool was_silent = note->is_silent;
    note->is_heard = true;
    note->is_silent = false;
    if (was_silent)
        fencing_look(fencing);
}

void fencing_silent(struct fencing *fencing, int32_t node_id)
{
    struct fencing_note *note = note_of(fencing, node_id);
    if (note == NULL)
        return;
    note->is_silent = true;
    note->is_heard = false;
    fencing_look(fencing);
}

void fencing_died(struct fencing *fencing, int32_t node_id, struct uuid incarnation)
{
    struct fencing_note *note = note_of(fencing, node_id);
    if (note == NULL)
        return;
    note->dead = incarnation;
    note->is_heard = false;
    note->is_silent = false; /* it has been heard of: the next process is another one */
    fencing_look(fencing);
}
