/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets of voters that the log names, by offset. The newest one counts as soon as it is in the
 * log (KIP-853; thesis 4.1), and no longer when it is cut off again.
 */
#include "core/raft/internal.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"

const struct raft_voters *voters_newest(const struct raft *raft)
{
    if (list_empty(&raft->voters))
        return NULL;
    return container_of(raft->voters.previous, struct raft_voters, place);
}

const struct raft_voters *voters_before(const struct raft *raft)
{
    const struct raft_voters *newest = voters_newest(raft);
    if (newest == NULL || newest->offset < raft->committed ||
        raft->voters.next == raft->voters.previous)
        return newest;
    return container_of(newest->place.previous, struct raft_voters, place);
}

static struct raft_voters *voters_second(const struct raft *raft)
{
    if (list_empty(&raft->voters) || raft->voters.next == raft->voters.previous)
        return NULL;
    return container_of(raft->voters.next->next, struct raft_voters, place);
}

/* The newest set is another one. */
static void voters_turned(struct raft *raft)
{
    raft->voters_dirty = true;
    if (raft->role == RAFT_LEADER)
        leader_voters_changed(raft);
    else if (raft->role == RAFT_PROSPECTIVE || raft->role == RAFT_CANDIDATE)
        raft_become_follower(raft); /* its votes are those of another set */
    raft_wake(raft);
}

void voters_push(struct raft *raft, struct raft_voters *voters)
{
    if (!list_empty(&raft->voters) && voters_newest(raft)->offset >= voters->offset) {
        raft_voters_free(voters); /* a log that was lost gets again what is known already */
        return;
    }
    list_append(&raft->voters, &voters->place);
    voters_turned(raft);
}

int voters_read(struct raft *raft, struct span batch, struct raft_voters **ret_voters)
{
    struct span value;
    *ret_voters = NULL;
    const int error = control_find(batch, CONTROL_VOTERS, &value);
    if (error != ERR_NONE || span_is_null(value))
        return error;
    const int64_t offset = (int64_t)get_be64(batch.data + BATCH_AT_BASE_OFFSET);
    return raft_voters_decode(raft->io->memory, offset, value, ret_voters);
}

void voters_cut(struct raft *raft, int64_t offset)
{
    bool turned = false;
    while (!list_empty(&raft->voters)) {
        struct raft_voters *last = container_of(raft->voters.previous, struct raft_voters, place);
        if (last->offset < offset || last->offset < raft->committed)
            break; /* what is committed is true even where it was lost */
        list_remove(&last->place);
        raft_voters_free(last);
        turned = true;
    }
    if (turned)
        voters_turned(raft);
}

void voters_clear(struct raft *raft)
{
    struct list *place;
    while ((place = list_pop(&raft->voters)) != NULL)
        raft_voters_free(container_of(place, struct raft_voters, place));
}

void voters_trim(struct raft *raft)
{
    struct raft_voters *second;
    while ((second = voters_second(raft)) != NULL && second->offset < raft->applied &&
           second->offset < raft->committed) {
        struct list *first = list_pop(&raft->voters);
        raft_voters_free(container_of(first, struct raft_voters, place));
    }
}

void voters_replace(struct raft *raft, struct raft_voters *voters)
{
    struct list *place;
    struct list *next;
    list_each(&raft->voters, place, next)
    {
        struct raft_voters *other = container_of(place, struct raft_voters, place);
        if (other->offset > voters->offset)
            break;
        list_remove(place);
        raft_voters_free(other);
    }
    list_prepend(&raft->voters, &voters->place);
    voters_cut(raft, voters->offset + 1);
    voters_turned(raft);
}

const struct raft_voters *raft_voters(const struct raft *raft)
{
    return voters_newest(raft);
}

const struct raft_voters *raft_voters_at(const struct raft *raft, int64_t offset)
{
    const struct raft_voters *found = NULL;
    for (struct list *place = raft->voters.next; place != &raft->voters; place = place->next) {
        const struct raft_voters *voters = container_of(place, struct raft_voters, place);
        if (found != NULL && voters->offset >= offset)
            break;
        found = voters;
    }
    return found;
}
