/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Votes for who leads the quorum: a voter, which is a node with one disk, gives one in a term,
 * whatever becomes of its process; it has it on that disk when it tells anybody, and stores no
 * other one in that term. Who leads has the votes of a majority of the voters; that a node gave one
 * whose disk was another by then counts for nothing. The judge reads what nodes send one another,
 * where they send it: to vote for itself is to ask others for votes.
 */
#include "core/base/crc32c.h"
#include "core/base/endian.h"
#include "core/meta/quorum_state.h"
#include "core/peer/message.h"
#include "core/raft/message.h"
#include "core/view.h"
#include "core/wire/codec.h"
#include "core/wire/error.h"
#include "sim/file_node.h"
#include "sim/judge.h"
#include "sim/notes.h"

#define SIZE_BYTES 4

/* What decoding one message may take beyond its bytes. */
#define ARENA_BYTES_MAX ((size_t)64 * 1024)

/* Where a place of the file has its fields (core/meta/quorum_state.h). */
enum { AT_CRC = 12, AT_SEQUENCE = 16, AT_TERM = 24, AT_VOTED = 28, AT_OWN = 48, AT_END = 64 };

struct vote_note {
    struct vote_key {
        struct uuid directory; /* of who gave it */
        int64_t term;
    } key;
    int32_t voted; /* 0: new */
};

/* A connect of a process, and the connection that it led to. */
struct dial_note {
    struct dial_key {
        uint64_t host;
        uint64_t number; /* of the connection; while it is under way, of the effect, negated */
    } key;
    int32_t to;
};

struct votes {
    struct notes votes;
    struct notes dials;
    int32_t terms[SIM_HOSTS_MAX]; /* that each was seen to lead in last */
    struct arena arena;
};

static void begin(struct judge *judge)
{
    struct votes *votes = judge->state;
    notes_init(&votes->votes, &judge->memory, sizeof(struct vote_note), sizeof(struct vote_key));
    notes_init(&votes->dials, &judge->memory, sizeof(struct dial_note), sizeof(struct dial_key));
    arena_init(&votes->arena, &judge->memory, MEMORY_STATE, ARENA_BYTES_MAX);
}

/* ---- Who is dialled. ---- */

/* The machine of that name; 0: there is none. */
static int32_t host_named(const struct judge *judge, struct span name)
{
    for (uint32_t i = 0; i < judge->sim->hosts_count; i++) {
        if (span_equal(name, span_text(judge->sim->hosts[i]->name)))
            return (int32_t)judge->sim->hosts[i]->number;
    }
    return 0;
}

static void dialled(struct judge *judge, const struct host *host, const struct effect *effect)
{
    struct votes *votes = judge->state;
    const struct dial_key key = {.host = host->number, .number = -effect->id};
    struct dial_note *note = notes_get(&votes->dials, &key);
    note->to = host_named(judge, effect->connect.host);
}

static void completed(struct judge *judge, const struct host *host,
                      const struct completion *completion)
{
    struct votes *votes = judge->state;
    const struct dial_key key = {.host = host->number, .number = -completion->effect};
    struct dial_note *note = notes_find(&votes->dials, &key);
    if (note == NULL)
        return;
    const struct dial_key link = {.host = host->number, .number = completion->count};
    if (completion->error == ERR_NONE)
        ((struct dial_note *)notes_get(&votes->dials, &link))->to = note->to;
    notes_remove(&votes->dials, note);
}

/* ---- What is on the disk. ---- */

static bool is_whole(const uint8_t *place)
{
    return get_be32(place + AT_CRC) == crc32c(0, place + AT_SEQUENCE, AT_END - AT_SEQUENCE) &&
           get_be64(place + AT_SEQUENCE) > 0;
}

static struct uuid own_directory(const uint8_t *place)
{
    struct uuid directory;
    memcpy(directory.bytes, place + AT_OWN, sizeof(directory.bytes));
    return directory;
}

/* A vote as the file has it. */
struct vote {
    struct uuid directory;
    int32_t term;
    int32_t voted;
};

/* The vote that the worst power loss would leave; else none, in term -1. */
static struct vote durable_vote(const struct host *host)
{
    const struct file_node *file = NULL;
    for (uint32_t i = 0; i < FILES_FOLDERS_MAX && file == NULL; i++)
        file =
            host->files.roots[i] == NULL ? NULL : files_durable(&host->files, i, QUORUM_STATE_FILE);
    const uint8_t *newest = NULL;
    for (size_t at = 0; file != NULL && at + AT_END <= file->durable.length;
         at += QUORUM_STATE_PLACE_BYTES) {
        const uint8_t *place = file->durable.data + at;
        if (is_whole(place) &&
            (newest == NULL || get_be64(newest + AT_SEQUENCE) < get_be64(place + AT_SEQUENCE)))
            newest = place;
    }
    if (newest == NULL)
        return (struct vote){.directory = host->disk.directories[0], .term = -1, .voted = -1};
    return (struct vote){.directory = own_directory(newest),
                         .term = (int32_t)get_be32(newest + AT_TERM),
                         .voted = (int32_t)get_be32(newest + AT_VOTED)};
}

/* The file, or what will be it. */
static bool is_of_votes(struct span path)
{
    const struct span name = SPAN(QUORUM_STATE_FILE);
    return path.length >= name.length && memcmp(path.data, name.data, name.length) == 0;
}

/* What was told of a term stays on the disk as long as that term does. */
static void stored(struct judge *judge, const struct host *host, const struct effect *effect)
{
    struct votes *votes = judge->state;
    const struct piece *piece = &effect->write.pieces[0];
    for (size_t at = 0; at + AT_END <= piece->length; at += QUORUM_STATE_PLACE_BYTES) {
        const uint8_t *place = piece->data + at;
        const struct vote_key key = {.directory = own_directory(place),
                                     .term = (int32_t)get_be32(place + AT_TERM)};
        const struct vote_note *note = is_whole(place) ? notes_find(&votes->votes, &key) : NULL;
        if (note == NULL)
            continue;
        judge->judged++;
        if (note->voted != (int32_t)get_be32(place + AT_VOTED))
            judge_object(judge, "%s stores a vote for %d in term %d, in which it has voted for n%d",
                         host->name, (int32_t)get_be32(place + AT_VOTED), (int32_t)key.term,
                         note->voted);
    }
}

/* ---- What is said. ---- */

static void vote_given(struct judge *judge, const struct host *host, int32_t term, int32_t to)
{
    struct votes *votes = judge->state;
    const struct vote durable = durable_vote(host);
    const struct vote_key key = {.directory = durable.directory, .term = term};
    struct vote_note *note = notes_get(&votes->votes, &key);
    judge->judged++;
    if (host->disk.owner != host->number)
        judge_object(judge, "%s votes for n%d in term %d, with the disk of n%u", host->name, to,
                     term, host->disk.owner);
    if (note->voted != 0 && note->voted != to)
        judge_object(judge, "%s votes for n%d in term %d, in which it has voted for n%d",
                     host->name, to, term, note->voted);
    note->voted = to;
    if (durable.term < term || (durable.term == term && durable.voted != to))
        judge_object(judge,
                     "%s votes for n%d in term %d, and a power loss now would leave it with a vote "
                     "for %d in term %d",
                     host->name, to, term, durable.voted, durable.term);
}

/* ---- Who is elected. ---- */

/* A voter alone asks nobody. */
static bool has_voted(const struct judge *judge, struct uuid directory, int32_t term,
                      const struct host *host)
{
    const struct votes *votes = judge->state;
    const struct vote_key key = {.directory = directory, .term = term};
    const struct vote_note *note = notes_find(&votes->votes, &key);
    const struct vote own = durable_vote(host);
    return (note != NULL && note->voted == (int32_t)host->number) ||
           (uuid_equal(own.directory, directory) && own.term == term &&
            own.voted == (int32_t)host->number);
}

static void elected(struct judge *judge, const struct host *host, int32_t term)
{
    struct voter_set set = {.count = 0};
    uint32_t count = 0;
    bool is_new = false;
    judge->judged++;
    for (uint32_t i = 0; committed_voters(judges_committed(judge->sim->judges), i, &set); i++) {
        count = 0;
        for (uint32_t j = 0; j < set.count; j++)
            count += has_voted(judge, set.voters[j].directory, term, host);
        if (count > set.count / 2)
            return;
        is_new = true;
    }
    if (is_new)
        judge_object(judge, "%s leads in term %d, and has the votes of too few voters: %u of %u",
                     host->name, term, count, set.count);
}

static void leader_seen(struct judge *judge, const struct host *host)
{
    struct votes *votes = judge->state;
    struct quorum_view view;
    int32_t *last = &votes->terms[host->number - 1];
    if (host->is_rotten || host->broker == NULL || !broker_view_quorum(host->broker, &view) ||
        view.leader != (int32_t)host->number || view.term == *last)
        return;
    *last = view.term;
    elected(judge, host, view.term);
}

/* One frame, without its size. */
static void said(struct judge *judge, const struct host *host, int32_t to, struct span frame)
{
    struct votes *votes = judge->state;
    struct raft_message message;
    if (frame.length < PEER_TYPE_BYTES)
        return;
    const int32_t type = (int16_t)get_be16(frame.data) - PEER_MESSAGE_FIRST;
    if (type != RAFT_MESSAGE_VOTE && type != RAFT_MESSAGE_VOTED)
        return;
    const struct span body = span_of(frame.data + PEER_TYPE_BYTES, frame.length - PEER_TYPE_BYTES);
    if (wire_decode(raft_message_schema(type), 0, body, &votes->arena, &message.body) != ERR_NONE)
        judge_object(judge, "%s says something about votes that cannot be read", host->name);
    else if (type == RAFT_MESSAGE_VOTE && !message.body.vote.pre_vote)
        vote_given(judge, host, message.body.vote.term, (int32_t)host->number);
    else if (type == RAFT_MESSAGE_VOTED && message.body.voted.granted &&
             !message.body.voted.pre_vote)
        vote_given(judge, host, message.body.voted.term, to);
    arena_reset(&votes->arena);
}

/* Whole frames are sent, of which the small ones are one piece each. */
static void sent(struct judge *judge, const struct host *host, const struct effect *effect)
{
    struct votes *votes = judge->state;
    const struct dial_key key = {.host = host->number, .number = effect->send.connection};
    const struct dial_note *note = notes_find(&votes->dials, &key);
    size_t rest = 0; /* of a frame that goes on in later pieces */
    if (note == NULL)
        return;
    for (uint32_t i = 0; i < effect->send.pieces_count; i++) {
        const struct piece *piece = &effect->send.pieces[i];
        if (rest == 0 && piece->length >= SIZE_BYTES) {
            rest = SIZE_BYTES + get_be32(piece->data);
            if (rest == piece->length)
                said(judge, host, note->to,
                     span_of(piece->data + SIZE_BYTES, piece->length - SIZE_BYTES));
        }
        rest -= piece->length < rest ? piece->length : rest;
    }
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    if (event->kind == EVENT_COMPLETED)
        completed(judge, host, &event->completed);
    for (uint32_t i = 0; i < host->effects.count; i++) {
        const struct effect *effect = &host->effects.items[i];
        if (effect->kind == EFFECT_CONNECT)
            dialled(judge, host, effect);
        else if (effect->kind == EFFECT_SEND)
            sent(judge, host, effect);
        else if (effect->kind == EFFECT_WRITE && is_of_votes(files_path(&host->files, effect)))
            stored(judge, host, effect);
    }
    if (event->kind == EVENT_TURN_END)
        leader_seen(judge, host);
}

/* Numbers of effects and connections are those of one process. */
static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct votes *votes = judge->state;
    struct dial_note *next = notes_first(&votes->dials);
    while (change == HOST_BOOTED && next != NULL) {
        struct dial_note *note = next;
        next = notes_next(note);
        if (note->key.host == host->number)
            notes_remove(&votes->dials, note);
    }
}

static void end(struct judge *judge)
{
    struct votes *votes = judge->state;
    notes_clear(&votes->votes);
    notes_clear(&votes->dials);
    arena_reset(&votes->arena);
}

const struct judge_kind judge_votes = {
    .name = "votes",
    .rule = "a voter gives one vote in a term, and has it on its disk when it tells anybody, and "
            "from then on; who leads has those of a majority of the voters",
    .source = "Ongaro's thesis, 3.4 and 3.8; KIP-853: a voter is a node with one disk",
    .size = sizeof(struct votes),
    .is_of_cluster = true,
    .begin = begin,
    .stepped = stepped,
    .host_changed = host_changed,
    .end = end,
};
