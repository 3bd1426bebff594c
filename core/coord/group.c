/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/group.h"

#include "core/base/check.h"
#include "core/coord/rebalance.h"
#include "core/wire/error.h"

#define TO(state) (1u << (state))

/* The moves drawn in group.h. */
static const uint32_t group_may[] = {
    [GROUP_EMPTY] = TO(GROUP_PREPARING_REBALANCE) | TO(GROUP_DEAD),
    [GROUP_PREPARING_REBALANCE] = TO(GROUP_COMPLETING_REBALANCE) | TO(GROUP_EMPTY) | TO(GROUP_DEAD),
    [GROUP_COMPLETING_REBALANCE] =
        TO(GROUP_STABLE) | TO(GROUP_PREPARING_REBALANCE) | TO(GROUP_DEAD),
    [GROUP_STABLE] = TO(GROUP_PREPARING_REBALANCE) | TO(GROUP_DEAD),
    [GROUP_DEAD] = 0,
};

struct span group_state_name(enum group_state state)
{
    switch (state) {
    case GROUP_EMPTY:
        return SPAN("Empty");
    case GROUP_PREPARING_REBALANCE:
        return SPAN("PreparingRebalance");
    case GROUP_COMPLETING_REBALANCE:
        return SPAN("CompletingRebalance");
    case GROUP_STABLE:
        return SPAN("Stable");
    case GROUP_DEAD:
        break;
    }
    return SPAN("Dead");
}

void group_move(struct group *group, enum group_state state)
{
    CHECK((group_may[group->state] & TO(state)) != 0);
    group->previous_state = group->state;
    group->state = state;
    group->state_ms = group->host->io->wall_ms;
}

static struct memory *memory_of(const struct group *group)
{
    return group->host->io->memory;
}

/* A copy that the group owns; null stays null. One byte more keeps the empty text from being
 * null. */
static struct span text_own(const struct group *group, struct span text)
{
    if (span_is_null(text))
        return SPAN_NULL;
    uint8_t *copy = memory_take(memory_of(group), MEMORY_STATE, text.length + 1);
    if (text.length > 0)
        memcpy(copy, text.data, text.length);
    return span_of(copy, text.length);
}

static void text_disown(const struct group *group, struct span text)
{
    if (!span_is_null(text))
        memory_give(memory_of(group), MEMORY_STATE, (void *)(uintptr_t)text.data, text.length + 1);
}

static void text_replace(const struct group *group, struct span *text, struct span by)
{
    const struct span copy = text_own(group, by);
    text_disown(group, *text);
    *text = copy;
}

struct group *group_new(struct group_host *host, struct span id)
{
    struct io *io = host->io;
    struct group *group = memory_new(io->memory, struct group);
    group->host = host;
    group->id = text_own(group, id);
    group->state = GROUP_EMPTY;
    group->previous_state = GROUP_EMPTY;
    group->state_ms = io->wall_ms;
    group->storing_generation = -1;
    map_init(&group->members, io->memory, rng_next(&io->rng));
    map_init(&group->pending, io->memory, rng_next(&io->rng));
    offsets_init(&group->offsets, io->memory, rng_next(&io->rng));
    return group;
}

static void group_free(struct group *group)
{
    offsets_clear(&group->offsets);
    map_clear(&group->members);
    map_clear(&group->pending);
    text_disown(group, group->protocol_type);
    text_disown(group, group->protocol_name);
    text_disown(group, group->id);
    memory_give(memory_of(group), MEMORY_STATE, group, sizeof(*group));
}

void group_release(struct group *group)
{
    CHECK(group->references > 0);
    if (--group->references == 0 && group->removed)
        group_free(group);
}

void group_remove(struct group *group, int error)
{
    struct timers *timers = &group->host->io->timers;
    group_move(group, GROUP_DEAD);
    timer_cancel(timers, &group->rebalance);
    timer_cancel(timers, &group->sync_expiry);
    timer_cancel(timers, &group->expiry);
    while (group->members.first != NULL)
        group_remove_member(group, container_of(group->members.first, struct group_member, node),
                            error);
    while (group->pending.first != NULL)
        group_remove_pending(group, container_of(group->pending.first, struct group_pending, node));
    group->removed = true;
    if (group->references == 0)
        group_free(group);
}

struct group_member *group_find_member(const struct group *group, struct span member_id)
{
    struct map_node *node = map_find(&group->members, member_id);
    return node == NULL ? NULL : container_of(node, struct group_member, node);
}

struct group_pending *group_find_pending(const struct group *group, struct span member_id)
{
    struct map_node *node = map_find(&group->pending, member_id);
    return node == NULL ? NULL : container_of(node, struct group_pending, node);
}

const struct group_member *group_next_member(const struct group *group,
                                             const struct group_member *member)
{
    struct map_node *node = member == NULL ? group->members.first : map_next(&member->node);
    return node == NULL ? NULL : container_of(node, struct group_member, node);
}

struct group_member *group_find_static(const struct group *group, struct span instance_id)
{
    for (struct map_node *node = group->members.first; node != NULL; node = map_next(node)) {
        struct group_member *member = container_of(node, struct group_member, node);
        if (!span_is_null(member->instance_id) && span_equal(member->instance_id, instance_id))
            return member;
    }
    return NULL;
}

int group_check_member(const struct group *group, struct span member_id, struct span instance_id,
                       struct group_member **ret_member)
{
    struct group_member *member = group_find_member(group, member_id);
    if (!span_is_null(instance_id)) {
        const struct group_member *holder = group_find_static(group, instance_id);
        if (holder == NULL)
            return ERR_UNKNOWN_MEMBER_ID;
        if (holder != member)
            return ERR_FENCED_INSTANCE_ID;
    }
    if (member == NULL)
        return ERR_UNKNOWN_MEMBER_ID;
    *ret_member = member;
    return ERR_NONE;
}

/* Lays a text behind the last one of a block; null stays null. */
static struct span block_put(uint8_t **end, struct span text)
{
    if (span_is_null(text))
        return SPAN_NULL;
    uint8_t *start = *end;
    if (text.length > 0)
        memcpy(start, text.data, text.length);
    *end += text.length;
    return span_of(start, text.length);
}

static void member_set_texts(struct group_member *member, const struct group_join *join,
                             struct span member_id)
{
    member->text_bytes = member_id.length + join->instance_id.length + join->client_id.length +
                         join->client_host.length + 1;
    uint8_t *end = memory_take(memory_of(member->group), MEMORY_STATE, member->text_bytes);
    /* The id comes first: the block is given back by its address. */
    member->id = block_put(&end, member_id);
    member->instance_id = block_put(&end, join->instance_id);
    member->client_id = block_put(&end, join->client_id);
    member->client_host = block_put(&end, join->client_host);
}

static void member_set_protocols(struct group_member *member, const struct group_join *join)
{
    size_t bytes = join->protocols_count * sizeof(struct group_protocol) + 1;
    for (uint32_t i = 0; i < join->protocols_count; i++)
        bytes += join->protocols[i].name.length + join->protocols[i].metadata.length;
    struct group_protocol *protocols = memory_take(memory_of(member->group), MEMORY_STATE, bytes);
    uint8_t *end = (uint8_t *)(protocols + join->protocols_count);
    for (uint32_t i = 0; i < join->protocols_count; i++) {
        protocols[i].name = block_put(&end, join->protocols[i].name);
        protocols[i].metadata = block_put(&end, join->protocols[i].metadata);
    }
    if (member->protocols != NULL)
        memory_give(memory_of(member->group), MEMORY_STATE, member->protocols,
                    member->protocols_bytes);
    member->protocols = protocols;
    member->protocols_count = join->protocols_count;
    member->protocols_bytes = bytes;
}

void member_update(struct group_member *member, const struct group_join *join)
{
    member_set_protocols(member, join);
    member->session_timeout_ms = join->session_timeout_ms;
    member->rebalance_timeout_ms =
        join->rebalance_timeout_ms < 0 ? join->session_timeout_ms : join->rebalance_timeout_ms;
}

struct group_member *group_add_member(struct group *group, const struct group_join *join,
                                      struct span member_id)
{
    struct group_member *member = memory_new(memory_of(group), struct group_member);
    member->group = group;
    member_set_texts(member, join, member_id);
    member_update(member, join);
    member->assignment = text_own(group, SPAN(""));
    if (group->members.first == NULL)
        text_replace(group, &group->protocol_type, join->protocol_type);
    map_add(&group->members, &member->node, member->id);
    if (group->leader == NULL)
        group->leader = member;
    return member;
}

void group_remove_member(struct group *group, struct group_member *member, int error)
{
    const struct group_joined joined = group_joined_error(error, SPAN(""));
    const struct group_synced synced = {.error = error, .assignment = SPAN("")};
    member_answer_join(member, &joined);
    member_answer_sync(member, &synced);
    if (member->pending_sync)
        group->pending_sync_count--;
    timer_cancel(&group->host->io->timers, &member->session);
    map_remove(&group->members, &member->node);
    if (group->leader == member) {
        struct map_node *first = group->members.first;
        group->leader = first == NULL ? NULL : container_of(first, struct group_member, node);
    }
    text_disown(group, member->assignment);
    memory_give(memory_of(group), MEMORY_STATE, member->protocols, member->protocols_bytes);
    memory_give(memory_of(group), MEMORY_STATE, (void *)(uintptr_t)member->id.data,
                member->text_bytes);
    memory_give(memory_of(group), MEMORY_STATE, member, sizeof(*member));
}

void group_add_pending(struct group *group, struct span member_id, int32_t timeout_ms,
                       timer_action *expired)
{
    struct io *io = group->host->io;
    struct group_pending *pending = memory_new(io->memory, struct group_pending);
    pending->group = group;
    pending->id = text_own(group, member_id);
    map_add(&group->pending, &pending->node, pending->id);
    timer_set(&io->timers, &pending->expiry, io->now_us + (uint64_t)timeout_ms * 1000, expired);
}

void group_remove_pending(struct group *group, struct group_pending *pending)
{
    timer_cancel(&group->host->io->timers, &pending->expiry);
    map_remove(&group->pending, &pending->node);
    text_disown(group, pending->id);
    memory_give(memory_of(group), MEMORY_STATE, pending, sizeof(*pending));
}

void member_assign(struct group_member *member, struct span assignment)
{
    text_replace(member->group, &member->assignment,
                 span_is_null(assignment) ? SPAN("") : assignment);
}

static const struct group_protocol *member_protocol(const struct group_member *member,
                                                    struct span name)
{
    for (uint32_t i = 0; i < member->protocols_count; i++)
        if (span_equal(member->protocols[i].name, name))
            return &member->protocols[i];
    return NULL;
}

struct span group_member_metadata(const struct group_member *member)
{
    const struct group_protocol *protocol =
        span_is_null(member->group->protocol_name)
            ? NULL
            : member_protocol(member, member->group->protocol_name);
    return protocol == NULL ? SPAN("") : protocol->metadata;
}

bool member_matches(const struct group_member *member, const struct group_join *join)
{
    if (member->protocols_count != join->protocols_count)
        return false;
    for (uint32_t i = 0; i < join->protocols_count; i++)
        if (!span_equal(member->protocols[i].name, join->protocols[i].name) ||
            !span_equal(member->protocols[i].metadata, join->protocols[i].metadata))
            return false;
    return true;
}

static bool everyone_supports(const struct group *group, struct span protocol)
{
    const struct group_member *member = NULL;
    while ((member = group_next_member(group, member)) != NULL)
        if (member_protocol(member, protocol) == NULL)
            return false;
    return true;
}

bool group_supports(const struct group *group, const struct group_join *join)
{
    if (group->state == GROUP_EMPTY)
        return join->protocol_type.length > 0 && join->protocols_count > 0;
    if (!span_equal(group->protocol_type, join->protocol_type))
        return false;
    for (uint32_t i = 0; i < join->protocols_count; i++)
        if (everyone_supports(group, join->protocols[i].name))
            return true;
    return false;
}

/* How many members prefer candidate `protocol` to every other candidate. */
static uint32_t votes_for(const struct group *group, struct span protocol, const bool *candidate,
                          const struct group_member *first)
{
    uint32_t votes = 0;
    const struct group_member *member = NULL;
    while ((member = group_next_member(group, member)) != NULL) {
        bool decided = false;
        for (uint32_t i = 0; i < member->protocols_count && !decided; i++) {
            const struct group_protocol *known = member_protocol(first, member->protocols[i].name);
            if (known == NULL || !candidate[known - first->protocols])
                continue;
            decided = true;
            if (span_equal(known->name, protocol))
                votes++;
        }
    }
    return votes;
}

struct span group_select_protocol(const struct group *group)
{
    const struct group_member *first = group_next_member(group, NULL);
    bool candidate[GROUP_PROTOCOLS_MAX];
    CHECK(first != NULL && first->protocols_count <= GROUP_PROTOCOLS_MAX);
    for (uint32_t i = 0; i < first->protocols_count; i++)
        candidate[i] = everyone_supports(group, first->protocols[i].name);
    struct span best = SPAN_NULL;
    uint32_t best_votes = 0;
    for (uint32_t i = 0; i < first->protocols_count; i++) {
        if (!candidate[i])
            continue;
        const uint32_t votes = votes_for(group, first->protocols[i].name, candidate, first);
        if (votes > best_votes) {
            best = first->protocols[i].name;
            best_votes = votes;
        }
    }
    CHECK(best_votes > 0);
    return best;
}

void group_next_generation(struct group *group)
{
    /* A record may have brought any number. */
    group->generation =
        group->generation < 0 || group->generation == INT32_MAX ? 1 : group->generation + 1;
    sync_forget(group);
    if (group->members.first == NULL) {
        text_replace(group, &group->protocol_name, SPAN_NULL);
        group_move(group, GROUP_EMPTY);
        group->host->emptied(group->host, group);
    } else {
        text_replace(group, &group->protocol_name, group_select_protocol(group));
        group_move(group, GROUP_COMPLETING_REBALANCE);
    }
}

bool group_is_simple(const struct group *group)
{
    return span_is_null(group->protocol_type) && group->state == GROUP_EMPTY &&
           group->pending.first == NULL;
}

int group_check_delete(const struct group *group)
{
    return group->state == GROUP_EMPTY ? ERR_NONE : ERR_NON_EMPTY_GROUP;
}

void group_restore(struct group *group, int32_t generation, struct span protocol_type,
                   struct span protocol_name, int64_t state_ms)
{
    while (group->members.first != NULL)
        group_remove_member(group, container_of(group->members.first, struct group_member, node),
                            ERR_UNKNOWN_MEMBER_ID);
    group->generation = generation;
    group->state_ms = state_ms;
    text_replace(group, &group->protocol_type,
                 protocol_type.length == 0 ? SPAN_NULL : protocol_type);
    text_replace(group, &group->protocol_name, protocol_name);
}

void group_restore_member(struct group *group, const struct group_join *join,
                          struct span assignment)
{
    if (group_find_member(group, join->member_id) != NULL)
        return;
    struct group_member *member = group_add_member(group, join, join->member_id);
    member->knows_id = true;
    member_assign(member, assignment);
}

void group_restored(struct group *group, struct span leader)
{
    group->state = group->members.first == NULL ? GROUP_EMPTY : GROUP_STABLE;
    struct group_member *member = span_is_null(leader) ? NULL : group_find_member(group, leader);
    if (member != NULL)
        group->leader = member;
}

void group_resume(struct group *group)
{
    for (struct map_node *node = group->members.first; node != NULL; node = map_next(node)) {
        struct group_member *member = container_of(node, struct group_member, node);
        member_keep(member, member->session_timeout_ms);
    }
    if (map_count(&group->members) > group->host->settings->max_size)
        rebalance_prepare(group);
}
