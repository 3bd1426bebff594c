/* SPDX-License-Identifier: Apache-2.0 */
#include "core/unfinished.h"

#include "core/broker_state.h"
#include "core/session.h"

void unfinished_set(struct session *session, uint32_t bytes)
{
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

static bool somebody_waits(const struct broker *broker)
{
    struct list *place;
    struct list *next;
    list_each(&broker->muted, place, next)
    {
        if (container_of(place, struct session, muted)->starved_bytes > 0)
            return true;
    }
    return false;
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
    if (limit == 0 || !somebody_waits(broker))
        return;
    while (unfinished->bytes > limit / 2) {
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
