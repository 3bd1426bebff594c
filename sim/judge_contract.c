/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core must not ask of the world (core/effect.h): ids used again, files that were closed
 * or never opened, a write where one failed before the file was cut, a sync after one failed, bytes
 * that are being sent closed or cut off, two receives or sends at once on a connection, and turns
 * for nothing without end.
 */
#include "core/wire/error.h"
#include "sim/judge.h"
#include "sim/notes.h"

/* Turns in which nothing but the timer came, at one moment of the world. */
#define IDLE_TURNS_MAX 100

enum file_state { FILE_OPENING = 1, FILE_OPEN, FILE_CLOSED };

struct file {
    struct file_key {
        uint64_t host;
        uint64_t file;
    } key;
    enum file_state state;
    uint32_t under_way; /* effects on it */
    bool write_failed;  /* and it was not cut since */
    bool sync_failed;
};

/* An effect that has not completed, at the place that follows from its id. */
struct asked {
    uint64_t effect;  /* 0: the place is free */
    uint64_t subject; /* file or connection */
    enum effect_kind kind;
};

struct wire_end {
    struct file_key key; /* the connection's number */
    bool receives;       /* or watches */
    bool sends;
    bool closed;
};

/* A run of a file's bytes that is being sent. */
struct sent {
    uint64_t effect;
    uint64_t file;
    uint64_t end; /* the position behind it */
};

struct process {
    struct asked *askeds;
    uint32_t askeds_capacity; /* a power of two */
    struct sent *sents;
    uint32_t sents_count;
    uint32_t sents_capacity;
    uint64_t last_effect;
    uint64_t turn_us; /* of the world: of the last turn */
    uint32_t idle;    /* turns at that moment in which nothing but the timer came */
    bool has_timer;   /* the turn has brought the timer … */
    bool has_more;    /* … and something else */
};

struct contract {
    struct notes files;
    struct notes ends;
    struct process processes[SIM_HOSTS_MAX];
};

static void begin(struct judge *judge)
{
    struct contract *contract = judge->state;
    struct memory *memory = &judge->memory;
    notes_init(&contract->files, memory, sizeof(struct file), sizeof(struct file_key));
    notes_init(&contract->ends, memory, sizeof(struct wire_end), sizeof(struct file_key));
}

static void broken(struct judge *judge, const struct host *host, const struct effect *effect,
                   const char *what)
{
    judge_object(judge, "effect %llu of %s: %s", (unsigned long long)effect->id, host->name, what);
}

static bool is_of_file(enum effect_kind kind)
{
    return kind >= EFFECT_OPEN && kind <= EFFECT_RESERVE;
}

static bool is_of_connection(enum effect_kind kind)
{
    return kind >= EFFECT_WATCH && kind <= EFFECT_CLOSE;
}

static uint64_t subject_of(const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_OPEN:
        return effect->open.file;
    case EFFECT_READ:
        return effect->read.file;
    case EFFECT_WRITE:
        return effect->write.file;
    case EFFECT_TRUNCATE:
    case EFFECT_RESERVE:
        return effect->range.file;
    case EFFECT_RECEIVE:
        return effect->receive.connection;
    case EFFECT_SEND:
        return effect->send.connection;
    case EFFECT_WATCH:
    case EFFECT_CLOSE:
        return effect->connection;
    case EFFECT_CONNECT:
        return 0; /* its connection is not there yet */
    default:
        return effect->file;
    }
}

/* ---- What is asked for. ---- */

static void sends_noted(struct judge *judge, struct process *process, const struct effect *effect)
{
    for (uint32_t i = 0; i < effect->send.pieces_count; i++) {
        const struct piece *piece = &effect->send.pieces[i];
        if (piece->data != NULL || piece->length == 0)
            continue;
        process->sents = memory_grow(&judge->memory, process->sents, &process->sents_capacity,
                                     process->sents_count + 1, sizeof(*process->sents));
        process->sents[process->sents_count++] = (struct sent){
            .effect = effect->id, .file = piece->file, .end = piece->offset + piece->length};
    }
}

static void sends_forget(struct process *process, uint64_t effect)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < process->sents_count; i++) {
        if (process->sents[i].effect != effect)
            process->sents[kept++] = process->sents[i];
    }
    process->sents_count = kept;
}

/* Bytes of the file from `position` on are being sent. */
static bool is_being_sent(const struct process *process, uint64_t file, uint64_t position)
{
    for (uint32_t i = 0; i < process->sents_count; i++) {
        if (process->sents[i].file == file && process->sents[i].end > position)
            return true;
    }
    return false;
}

static void file_asked(struct judge *judge, const struct host *host, const struct effect *effect)
{
    struct contract *contract = judge->state;
    const struct file_key key = {host->number, subject_of(effect)};
    struct file *file = notes_get(&contract->files, &key);
    const struct process *process = &contract->processes[host->number - 1];
    if (effect->kind == EFFECT_OPEN) {
        if (file->state != 0)
            broken(judge, host, effect, "a file's number is used again");
        file->state = FILE_OPENING;
    } else if (file->state != FILE_OPEN) {
        broken(judge, host, effect, "it is about a file that is not open");
    } else if (effect->kind == EFFECT_CLOSE_FILE) {
        if (is_being_sent(process, key.file, 0))
            broken(judge, host, effect, "a file is closed of which bytes are being sent");
        file->state = FILE_CLOSED;
    } else if (effect->kind == EFFECT_TRUNCATE &&
               is_being_sent(process, key.file, effect->range.offset)) {
        broken(judge, host, effect, "bytes that are being sent are cut off");
    } else if (effect->kind == EFFECT_WRITE && file->write_failed) {
        broken(judge, host, effect, "a write follows a failed one before the file was cut");
    } else if (effect->kind == EFFECT_SYNC && file->sync_failed) {
        broken(judge, host, effect, "a sync follows a failed one of the same file");
    }
    file->under_way++;
}

static void connection_asked(struct judge *judge, const struct host *host,
                             const struct effect *effect)
{
    struct contract *contract = judge->state;
    const struct file_key key = {host->number, subject_of(effect)};
    struct wire_end *end = notes_get(&contract->ends, &key);
    if (end->closed) {
        broken(judge, host, effect, "it is about a connection that is closed");
    } else if (effect->kind == EFFECT_CLOSE) {
        end->closed = true;
    } else if (effect->kind == EFFECT_SEND) {
        if (end->sends)
            broken(judge, host, effect, "two sends at once on a connection");
        end->sends = true;
    } else {
        if (end->receives)
            broken(judge, host, effect, "two receives at once on a connection");
        end->receives = true;
    }
}

static struct asked *asked_place(const struct process *process, uint64_t effect)
{
    return &process->askeds[effect & (process->askeds_capacity - 1)];
}

/* Twice as many places. */
static void askeds_grow(struct judge *judge, struct process *process)
{
    const struct process before = *process;
    process->askeds_capacity = before.askeds_capacity == 0 ? 64 : before.askeds_capacity * 2;
    process->askeds = memory_take(&judge->memory, MEMORY_STATE,
                                  process->askeds_capacity * sizeof(*process->askeds));
    for (uint32_t i = 0; i < before.askeds_capacity; i++) {
        if (before.askeds[i].effect != 0)
            *asked_place(process, before.askeds[i].effect) = before.askeds[i];
    }
    memory_give(&judge->memory, MEMORY_STATE, before.askeds,
                before.askeds_capacity * sizeof(*before.askeds));
}

static void effect_noted(struct judge *judge, struct process *process, const struct effect *effect)
{
    while (process->askeds_capacity == 0 || asked_place(process, effect->id)->effect != 0)
        askeds_grow(judge, process);
    *asked_place(process, effect->id) =
        (struct asked){.effect = effect->id, .subject = subject_of(effect), .kind = effect->kind};
}

static void effect_asked(struct judge *judge, const struct host *host, const struct effect *effect)
{
    struct contract *contract = judge->state;
    struct process *process = &contract->processes[host->number - 1];
    if (effect->id == 0)
        return;
    judge->judged++;
    if (effect->id <= process->last_effect) {
        broken(judge, host, effect, "its id is not a new one");
        return;
    }
    process->last_effect = effect->id;
    effect_noted(judge, process, effect);
    if (effect->kind == EFFECT_SEND)
        sends_noted(judge, process, effect);
    if (is_of_file(effect->kind))
        file_asked(judge, host, effect);
    else if (is_of_connection(effect->kind))
        connection_asked(judge, host, effect);
}

/* ---- What has completed. ---- */

static void file_completed(struct contract *contract, const struct host *host,
                           const struct asked *asked, int error)
{
    const struct file_key key = {host->number, asked->subject};
    struct file *file = notes_find(&contract->files, &key);
    file->under_way--;
    if (asked->kind == EFFECT_OPEN)
        file->state = error == ERR_NONE ? FILE_OPEN : FILE_CLOSED;
    else if (asked->kind == EFFECT_TRUNCATE && error == ERR_NONE)
        file->write_failed = false;
    else if (asked->kind == EFFECT_WRITE && error != ERR_NONE)
        file->write_failed = true;
    else if (asked->kind == EFFECT_SYNC && error != ERR_NONE)
        file->sync_failed = true;
    if (file->state == FILE_CLOSED && file->under_way == 0)
        notes_remove(&contract->files, file);
}

static void connection_completed(struct contract *contract, const struct host *host,
                                 const struct asked *asked)
{
    const struct file_key key = {host->number, asked->subject};
    struct wire_end *end = notes_find(&contract->ends, &key);
    if (end == NULL)
        return;
    if (asked->kind == EFFECT_SEND)
        end->sends = false;
    else if (asked->kind != EFFECT_CLOSE)
        end->receives = false;
    else
        notes_remove(&contract->ends, end);
}

static void completed(struct contract *contract, const struct host *host,
                      const struct completion *completion)
{
    struct process *process = &contract->processes[host->number - 1];
    if (process->askeds_capacity == 0)
        return;
    struct asked *asked = asked_place(process, completion->effect);
    if (asked->effect != completion->effect)
        return;
    if (is_of_file(asked->kind))
        file_completed(contract, host, asked, completion->error);
    else if (is_of_connection(asked->kind))
        connection_completed(contract, host, asked);
    if (asked->kind == EFFECT_SEND)
        sends_forget(process, asked->effect);
    asked->effect = 0;
}

/* A turn that the timer alone made, again and again while no time passes, is for nothing. */
static void turn_ends(struct judge *judge, const struct host *host, struct process *process)
{
    const bool is_idle = process->has_timer && !process->has_more;
    if (!is_idle || judge->sim->now_us > process->turn_us + IDLE_TURNS_MAX)
        process->idle = 0;
    else if (++process->idle > IDLE_TURNS_MAX)
        judge_object(judge, "%s spins: the timer made %u turns in a row, without a pause",
                     host->name, process->idle);
    process->turn_us = judge->sim->now_us;
    process->has_timer = false;
    process->has_more = false;
}

static void stepped(struct judge *judge, struct host *host, const struct event *event)
{
    struct contract *contract = judge->state;
    struct process *process = &contract->processes[host->number - 1];
    if (event->kind == EVENT_COMPLETED)
        completed(contract, host, &event->completed);
    for (uint32_t i = 0; i < host->effects.count; i++)
        effect_asked(judge, host, &host->effects.items[i]);
    if (event->kind == EVENT_TURN_END)
        turn_ends(judge, host, process);
    else if (event->kind == EVENT_TIMER)
        process->has_timer = true;
    else
        process->has_more = true;
}

static void forget(struct notes *notes, uint64_t host)
{
    void *next;
    for (void *note = notes_first(notes); note != NULL; note = next) {
        next = notes_next(note);
        if (*(const uint64_t *)note == host)
            notes_remove(notes, note);
    }
}

static void process_forget(struct judge *judge, struct process *process)
{
    memory_give(&judge->memory, MEMORY_STATE, process->askeds,
                process->askeds_capacity * sizeof(*process->askeds));
    memory_give(&judge->memory, MEMORY_STATE, process->sents,
                process->sents_capacity * sizeof(*process->sents));
    *process = (struct process){0};
}

static void host_changed(struct judge *judge, struct host *host, enum host_change change)
{
    struct contract *contract = judge->state;
    if (change != HOST_BOOTED)
        return;
    forget(&contract->files, host->number);
    forget(&contract->ends, host->number);
    process_forget(judge, &contract->processes[host->number - 1]);
}

static void end(struct judge *judge)
{
    struct contract *contract = judge->state;
    notes_clear(&contract->files);
    notes_clear(&contract->ends);
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++)
        process_forget(judge, &contract->processes[i]);
}

const struct judge_kind judge_contract = {
    .name = "contract",
    .rule = "the core asks of the world only what the contract of effects allows",
    .source = "core/effect.h",
    .size = sizeof(struct contract),
    .begin = begin,
    .stepped = stepped,
    .host_changed = host_changed,
    .end = end,
};
