/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/replay.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/format.h"
#include "core/broker.h"
#include "core/trace/digest.h"
#include "core/trace/header.h"
#include "core/trace/pending.h"
#include "core/wire/error.h"
#include "sim/blocks.h"
#include "sim/host.h"
#include "sim/memory.h"
#include "sim/replay_messages.h"
#include "sim/trace_names.h"

/* Effects that a divergence names. */
#define EFFECTS_NAMED_MAX 16

/* One entry of a LIST takes at least so many bytes: its name's length, its size, what it is. */
#define ENTRY_BYTES_MIN 3

struct player {
    struct replay *replay;
    const struct replay_options *options;
    struct memory memory; /* of everything but the broker */
    struct blocks blocks; /* of the broker, which may be left in the middle of anything */
    struct conf conf;
    struct broker *broker;
    struct effects effects;
    struct trace_pending pending;
    struct sim sim;                   /* a world in which there is the digest, the time and … */
    struct host host;                 /* … this machine, for the sink */
    struct replay_messages *messages; /* NULL: there is no sink */
    struct trace_before before;
    enum event_kind kind; /* of the last event delivered */
    char completed[32];   /* what it completed, in words */
    uint32_t given;       /* effects that its step gave, the last ones of `effects` */
    uint64_t first_us;    /* times of the first event and of the last */
    uint64_t last_us;
    bool stepped; /* the last item was an event, whose result has to follow */
};

static enum replay_result say(struct player *player, enum replay_result result, const char *format,
                              ...) __attribute__((format(printf, 3, 4)));

static enum replay_result say(struct player *player, enum replay_result result, const char *format,
                              ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(player->replay->text, sizeof(player->replay->text), format, arguments);
    va_end(arguments);
    return result;
}

/* The first thing that a setting is refused for is what counts. */
static void on_finding(void *context, bool is_refused, uint32_t place, struct span text)
{
    struct player *player = context;
    (void)place;
    if (is_refused && player->replay->text[0] == '\0')
        say(player, REPLAY_REFUSED, "a setting: %.*s", SPAN_ARGS(text));
}

/* NULL when the event is one that a driver may deliver now; else what is wrong with it. */
static const char *objection(const struct player *player, const struct trace_item *item,
                             const struct trace_effect *effect)
{
    const struct event *event = &item->event;
    if ((event->kind == EVENT_START) != (player->replay->events == 0))
        return "START is the first event, and no other";
    if (event->mono_us < player->last_us)
        return "its time lies before that of the last one";
    if (event->kind == EVENT_ACCEPTED &&
        event->accepted.listener >=
            player->conf.listeners_count + player->conf.peer_listeners_count)
        return "its connection came to a listener that is not there";
    if (event->kind != EVENT_COMPLETED)
        return NULL;
    const struct completion *completion = &event->completed;
    const bool brings = effect->kind == EFFECT_RECEIVE || effect->kind == EFFECT_READ;
    if (effect->id == 0)
        return "it completes an effect that is not under way";
    if (brings ? item->bytes.length != completion->count || completion->count > effect->length
               : item->bytes.length > 0 && effect->kind != EFFECT_LIST)
        return "it brings more or fewer bytes than its effect";
    if (effect->kind == EFFECT_LIST
            ? completion->entries_count > item->bytes.length / ENTRY_BYTES_MIN
            : completion->entries_count > 0)
        return "it has more entries than there can be";
    if (effect->kind == EFFECT_WRITE && completion->error == ERR_NONE &&
        completion->count != effect->length)
        return "a write ended early without an error";
    return NULL;
}

/* The entries of a LIST, to be given back; false when they are malformed. */
static bool entries_take(struct player *player, struct event *event, struct span bytes)
{
    const uint32_t count = event->completed.entries_count;
    if (count == 0)
        return bytes.length == 0;
    struct folder_entry *entries =
        memory_take(&player->memory, MEMORY_STATE, count * sizeof(*entries));
    event->completed.entries = entries;
    for (uint32_t i = 0; i < count; i++) {
        if (!trace_entry_read(&bytes, &entries[i]))
            return false;
    }
    return bytes.length == 0;
}

static void entries_give(struct player *player, const struct event *event)
{
    if (event->kind == EVENT_COMPLETED)
        memory_give(&player->memory, MEMORY_STATE, (void *)(uintptr_t)event->completed.entries,
                    event->completed.entries_count * sizeof(struct folder_entry));
}

/* Takes over what the last step asked for: effects from the place `first` on. */
static void take_effects(struct player *player, uint32_t first, uint64_t cause)
{
    const struct effects *effects = &player->effects;
    const struct replay_options *options = player->options;
    for (uint32_t i = first; i < effects->count; i++) {
        const struct effect *effect = &effects->items[i];
        const uint64_t number = ++player->sim.trace_number;
        trace_digest_effect(&player->sim.digest, effect);
        if (effect->id != 0)
            trace_pending_add(&player->pending, effect, number);
        if (options->sink != NULL) {
            options->sink->effect(options->sink_context, &player->sim, &player->host, effect,
                                  number, cause);
            replay_messages_effect(player->messages, effect, number);
        }
    }
    player->given = effects->count - first;
    player->replay->effects += player->given;
}

/* `cause`: the number of the effect that the event completes. */
static void step(struct player *player, const struct event *event, struct span payload,
                 uint64_t cause)
{
    const struct replay_options *options = player->options;
    const uint32_t first = player->effects.count;
    const uint64_t number = ++player->sim.trace_number;
    player->kind = event->kind;
    player->last_us = event->mono_us;
    player->sim.now_us = event->mono_us - player->first_us;
    player->sim.steps++;
    trace_digest_event(&player->sim.digest, event, payload);
    if (options->sink != NULL) {
        options->sink->event(options->sink_context, &player->sim, &player->host, event, payload,
                             number, cause);
        if (event->kind == EVENT_COMPLETED)
            replay_messages_completed(player->messages, event->completed.effect, payload, number);
    }
    broker_step(player->broker, event, &player->effects);
    take_effects(player, first, number);
    player->replay->events++;
    player->replay->duration_us = player->sim.now_us;
    player->replay->digest = player->sim.digest.value;
}

/* What nodes say to one another are no requests of clients. */
static void note_link(struct player *player, const struct event *event,
                      const struct trace_effect *effect)
{
    if (event->kind == EVENT_ACCEPTED && event->accepted.listener >= player->conf.listeners_count)
        replay_messages_link(player->messages, event->accepted.connection);
    else if (effect->kind == EFFECT_CONNECT && effect->id != 0 &&
             event->completed.error == ERR_NONE)
        replay_messages_link(player->messages, event->completed.count);
}

static enum replay_result deliver(struct player *player, const struct trace_item *item)
{
    struct event event = item->event;
    struct trace_effect effect = {0};
    struct span payload = SPAN_NULL;
    enum replay_result result = REPLAY_SAME;
    if (event.kind == EVENT_COMPLETED)
        trace_pending_find(&player->pending, event.completed.effect, &effect);
    const char *why = objection(player, item, &effect);
    if (why != NULL)
        return say(player, REPLAY_REFUSED, "event %llu: %s",
                   (unsigned long long)player->replay->events + 1, why);
    if (player->replay->events == 0)
        player->first_us = event.mono_us;
    player->completed[0] = '\0';
    if (event.kind == EVENT_COMPLETED) {
        trace_pending_remove(&player->pending, effect.id);
        snprintf(player->completed, sizeof(player->completed), " of %s",
                 trace_effect_name(effect.kind));
        if (effect.kind == EFFECT_LIST && !entries_take(player, &event, item->bytes))
            result = say(player, REPLAY_REFUSED, "event %llu: its entries are malformed",
                         (unsigned long long)player->replay->events + 1);
    }
    if (effect.data != NULL && item->bytes.length > 0) {
        memcpy(effect.data, item->bytes.data, item->bytes.length);
        payload = span_of(effect.data, item->bytes.length);
    }
    if (player->messages != NULL)
        note_link(player, &event, &effect);
    if (item->cleared)
        effects_clear(&player->effects);
    if (result == REPLAY_SAME)
        step(player, &event, payload, effect.number);
    entries_give(player, &event);
    player->stepped = true;
    return result;
}

/* The names of what the last step gave. */
static void name_effects(const struct player *player, char *text, size_t text_bytes)
{
    const struct effect *given = player->effects.items + player->effects.count - player->given;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < player->given && i < EFFECTS_NAMED_MAX; i++) {
        const int wrote = snprintf(text + length, text_bytes - length, "%s%s", i == 0 ? "" : ", ",
                                   trace_effect_name(given[i].kind));
        if (wrote < 0 || (size_t)wrote >= text_bytes - length)
            return;
        length += (size_t)wrote;
    }
    if (player->given > EFFECTS_NAMED_MAX)
        snprintf(text + length, text_bytes - length, ", …");
}

static enum replay_result compare(struct player *player, const struct trace_item *item)
{
    char effects[512];
    player->stepped = false;
    if (item->effects == player->given && item->digest == player->sim.digest.value)
        return REPLAY_SAME;
    const uint64_t at_us = player->sim.now_us;
    name_effects(player, effects, sizeof(effects));
    if (item->effects == player->given)
        snprintf(effects + strlen(effects), sizeof(effects) - strlen(effects),
                 ": as many as when it was recorded, with other contents");
    say(player, REPLAY_DIVERGED,
        "event %llu, %s%s at %llu.%06llu s: it asked for %u effects then, and for %u now%s%s",
        (unsigned long long)player->replay->events, trace_event_name(player->kind),
        player->completed, (unsigned long long)(at_us / 1000000),
        (unsigned long long)(at_us % 1000000), item->effects, player->given,
        effects[0] == '\0' ? "" : ": ", effects);
    player->replay->differences++;
    if (player->options->differs == NULL)
        return REPLAY_DIVERGED;
    player->options->differs(player->options->context, player->replay->text);
    player->sim.digest.value = item->digest;
    return REPLAY_SAME;
}

static enum replay_result play_item(struct player *player, const struct trace_item *item)
{
    if (player->stepped != (item->kind == TRACE_RESULT) ||
        player->replay->ending != TRACE_ENDING_NONE)
        return say(player, REPLAY_REFUSED, "what follows event %llu has no place there",
                   (unsigned long long)player->replay->events);
    switch (item->kind) {
    case TRACE_EVENT:
        return deliver(player, item);
    case TRACE_RESULT:
        return compare(player, item);
    case TRACE_END:
        player->replay->ending = item->ending;
        break;
    }
    return REPLAY_SAME;
}

static enum replay_result play(struct player *player, struct span file)
{
    struct span items;
    enum replay_result result = REPLAY_SAME;
    while (trace_chunk_read(&file, &items)) {
        while (items.length > 0) {
            struct trace_item item;
            if (!trace_item_read(&items, &player->before, &item))
                return say(player, REPLAY_REFUSED, "what follows event %llu is malformed",
                           (unsigned long long)player->replay->events);
            result = play_item(player, &item);
            if (result != REPLAY_SAME)
                return result;
        }
    }
    player->replay->torn_bytes = file.length;
    return player->replay->differences == 0 ? REPLAY_SAME : REPLAY_DIVERGED;
}

enum replay_result replay_record(struct span record, const struct replay_options *options,
                                 struct replay *ret_replay)
{
    struct trace_header header;
    *ret_replay = (struct replay){.ending = TRACE_ENDING_NONE};
    struct player player = {.replay = ret_replay, .options = options};
    const char *wrong = trace_header_read(&record, &header);
    if (wrong != NULL)
        return say(&player, REPLAY_REFUSED, "%s", wrong);
    ret_replay->program = header.program;
    memory_init(&player.memory, sim_allocator());
    blocks_init(&player.blocks);
    conf_init(&player.conf, &player.memory, on_finding, &player);
    enum replay_result result = REPLAY_REFUSED;
    if (trace_header_conf(&header, &player.conf) != 0) {
        if (ret_replay->text[0] == '\0')
            say(&player, REPLAY_REFUSED, "its settings are malformed");
        goto out;
    }
    const struct broker_options broker_options = {
        .allocator = blocks_allocator(&player.blocks),
        .conf = &player.conf,
        .codecs = options->codecs,
    };
    player.host.number = (uint32_t)player.conf.node_id;
    player.broker = broker_new(&broker_options);
    effects_init(&player.effects, broker_memory(player.broker));
    trace_pending_init(&player.pending, &player.memory);
    trace_digest_init(&player.sim.digest);
    player.sim.sink = options->sink;
    player.sim.sink_context = options->sink_context;
    if (options->sink != NULL)
        player.messages = replay_messages_new(&player.sim, &player.host);
    result = play(&player, record);
    replay_messages_free(player.messages);
    trace_pending_free(&player.pending);
    blocks_release(&player.blocks);
out:
    conf_free(&player.conf);
    return result;
}
