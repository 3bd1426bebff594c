/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines of one cluster keep one metadata log: a term has one leader, what one of them has
 * committed all have alike, and images of the same offset are equal, whether they were built record
 * by record or from a snapshot. What a leader commits ends with an entry of its own term: that a
 * majority has those of earlier ones says nothing. Machines that are clusters of their own are
 * judged each for itself.
 */
#include "core/view.h"
#include "sim/judge.h"
#include "sim/notes.h"

#define HEALED_ELECTIONS_MOST 2

/* The image at an offset of a cluster's metadata log, as the first who reached it had it. */
struct image_note {
    struct image_key {
        uint64_t cluster;
        int64_t end_offset;
    } key;
    uint64_t digest;
    int32_t epoch;
    uint32_t host; /* 0: new */
};

struct term_note {
    struct term_key {
        uint64_t cluster;
        int64_t term;
    } key;
    uint32_t leader; /* the host; 0: new */
};

struct quorum_state {
    struct notes images;
    struct notes terms;
    uint32_t elections; /* since faults stopped */
    struct {
        int64_t end_offset; /* of the image that was judged last */
        int64_t committed;
        int32_t term;
        bool led;
        bool led_at_all; /* be it before it was established */
    } hosts[SIM_HOSTS_MAX];
};

static void begin(struct judge *judge)
{
    struct quorum_state *state = judge->state;
    notes_init(&state->images, &judge->memory, sizeof(struct image_note), sizeof(struct image_key));
    notes_init(&state->terms, &judge->memory, sizeof(struct term_note), sizeof(struct term_key));
}

/* When faults stop, one election may be needed, and another be under way of whose term the others
 * have yet to hear; then a leader is heard by all, and nobody gets pre-votes any more (KIP-996).
 * Who was told to end hands over as soon as it leads, and does not count. */
static void judge_healed(struct judge *judge, const struct host *host, int32_t term)
{
    struct quorum_state *state = judge->state;
    if (judge->sim->phase < SIM_SETTLE || host->state == HOST_STOPPING ||
        ++state->elections <= HEALED_ELECTIONS_MOST)
        return;
    judge_object(judge, "%s is elected for term %d, number %u since faults have stopped",
                 host->name, term, state->elections);
}

static void judge_term(struct judge *judge, const struct host *host, int32_t term)
{
    struct quorum_state *state = judge->state;
    const struct term_key key = {.cluster = host_cluster(host), .term = term};
    struct term_note *note = notes_get(&state->terms, &key);
    judge->judged++;
    if (note->leader == 0 && judge_forbids_elections(judge))
        judge_object(judge, "%s is elected for term %d, though nobody died", host->name, term);
    if (note->leader == 0) {
        note->leader = host->number;
        judge_healed(judge, host, term);
    } else if (note->leader != host->number)
        judge_object(judge, "n%u and n%u both lead the quorum in term %d", note->leader,
                     host->number, term);
}

static void judge_image(struct judge *judge, const struct host *host,
                        const struct quorum_view *view)
{
    struct quorum_state *state = judge->state;
    const struct image_key key = {.cluster = host_cluster(host), .end_offset = view->image_end};
    struct image_note *note = notes_get(&state->images, &key);
    const uint64_t digest = broker_view_metadata(host->broker);
    judge->judged++;
    if (note->host == 0) {
        note->host = host->number;
        note->digest = digest;
        note->epoch = view->image_epoch;
    } else if (note->digest != digest || note->epoch != view->image_epoch) {
        judge_object(judge,
                     "the metadata before offset %lld is not the same on n%u (epoch %d) and n%u "
                     "(epoch %d)",
                     (long long)view->image_end, note->host, note->epoch, host->number,
                     view->image_epoch);
    }
}

static void judge_commit(struct judge *judge, const struct host *host,
                         const struct quorum_view *view)
{
    judge->judged++;
    if (view->committed_epoch != view->term)
        judge_object(
            judge,
            "%s leads in term %d, and commits up to offset %lld, where an entry of term %d "
            "ends",
            host->name, view->term, (long long)view->committed, view->committed_epoch);
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    struct quorum_state *state = judge->state;
    struct quorum_view view;
    /* The last batch of a log may be the one that a bit flipped in: it is a torn tail then. */
    if (event->kind != EVENT_TURN_END || host->is_rotten || host->broker == NULL ||
        !broker_view_quorum(host->broker, &view))
        return;
    const uint32_t place = host->number - 1;
    if (view.leads && (!state->hosts[place].led || state->hosts[place].term != view.term))
        judge_term(judge, host, view.term);
    if (view.committed < state->hosts[place].committed)
        judge_object(judge, "what is committed goes back from %lld to %lld on %s",
                     (long long)state->hosts[place].committed, (long long)view.committed,
                     host->name);
    const bool leads = view.leader == (int32_t)host->number;
    if (leads && state->hosts[place].led_at_all && state->hosts[place].term == view.term &&
        view.committed > state->hosts[place].committed)
        judge_commit(judge, host, &view);
    if (view.image_end != state->hosts[place].end_offset && view.image_end > 0)
        judge_image(judge, host, &view);
    state->hosts[place].led = view.leads;
    state->hosts[place].led_at_all = leads;
    state->hosts[place].term = view.term;
    state->hosts[place].committed = view.committed;
    state->hosts[place].end_offset = view.image_end;
}

static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct quorum_state *state = judge->state;
    const uint32_t place = host->number - 1;
    if (change != HOST_ENDED)
        return;
    state->hosts[place].end_offset = 0;
    state->hosts[place].committed = 0;
    state->hosts[place].led = false;
    state->hosts[place].led_at_all = false;
}

static void end(struct judge *judge)
{
    struct quorum_state *state = judge->state;
    notes_clear(&state->images);
    notes_clear(&state->terms);
}

const struct judge_kind judge_quorum = {
    .name = "quorum",
    .rule = "a term has one leader, which commits by entries of that term, what is committed "
            "stays, at each offset of the metadata log all nodes have the same metadata, and "
            "nobody is elected in a healthy quorum, nor often in one that has healed",
    .source = "Raft: election safety, 5.4.2, state machine safety; KIP-630: a snapshot is what its "
              "log was; KIP-996: no election without need",
    .size = sizeof(struct quorum_state),
    .begin = begin,
    .stepped = stepped,
    .host_changed = host_changed,
    .end = end,
};
