/* SPDX-License-Identifier: Apache-2.0 */
#include "core/unfinished.h"

#include "core/broker_state.h"
#include "core/session.h"

void unfinished_set(struct session *session, const struct buffer *buffer)
{
    const uint64_t bytes = buffer == NULL ? 0 : sizeof(*buffer) + buffer->capacity;
    struct unfinished *unfinished = &session->broker->unfinished;
    struct unfinished_part *part = &session->unfinished;
    if (part->bytes == 0 && bytes > 0) {
        part->since_us = session->broker->io.now_us;
        list_append(&unfinished->sessions, &part->place);
    } else if (part->bytes > 0 && bytes == 0) {
        list_remove(&part->place);
    }
    unfinished->bytes += bytes;
    unfinished->bytes -= part->bytes;
    part->bytes = bytes;
}

/* The least that anybody waits for; 0: nobody does. */
static uint64_t least_wanted(const struct broker *broker)
{
    uint64_t least = 0;
    struct list *place;
    struct list *next;
    list_each(&broker->muted, place, next)
    {
        const uint64_t wanted = container_of(place, struct session, muted)->starved_bytes;
        if (wanted > 0 && (least == 0 || wanted < least))
            least = wanted;
    }
    return least;
}

static void unfinished_look(struct timer *timer)
{
    struct unfinished *unfinished = container_of(timer, struct unfinished, timer);
    struct broker *broker = container_of(unfinished, struct broker, unfinished);
    unfinished_reclaim(broker);
}

void unfinished_reclaim(struct broker *broker)
{
    struct unfinished *unfinished = &broker->unfinished;
    const uint64_t limit = broker->memory.limit_bytes[MEMORY_RECEIVE];
    uint64_t wanted;
    while (limit > 0 && !list_empty(&unfinished->sessions) && (wanted = least_wanted(broker)) > 0 &&
           (unfinished->bytes > limit / 2 || unfinished->bytes + wanted > limit)) {
        struct session *first =
            container_of(unfinished->sessions.next, struct session, unfinished.place);
        const uint64_t due_us = first->unfinished.since_us + UNFINISHED_PATIENCE_US;
        if (due_us > broker->io.now_us) {
            timer_set(&broker->io.timers, &unfinished->timer, due_us, unfinished_look);
            return;
        }
        session_close(first, "others wait for the memory that its unfinished request holds");
    }
}
