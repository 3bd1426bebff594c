/* SPDX-License-Identifier: Apache-2.0 */
#include "core/replica/replicas.h"

#include "core/conf/conf.h"
#include "core/replica/internal.h"
#include "core/wire/error.h"

#define US_PER_MS ((uint64_t)1000)

/* What decoding a message may take beyond its bytes, and building one. */
#define REPLICAS_ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* ---- Nodes ---- */

struct replica_node *node_find(const struct replicas *replicas, int32_t id)
{
    struct list *at = replicas->nodes.next;
    for (; at != &replicas->nodes; at = at->next) {
        struct replica_node *node = container_of(at, struct replica_node, place);
        if (node->id == id)
            return node;
    }
    return NULL;
}

struct replica_node *replicas_node(struct replicas *replicas, int32_t id)
{
    struct peer_status status;
    struct replica_node *node = node_find(replicas, id);
    if (node != NULL)
        return node;
    node = memory_new(replicas->io->memory, struct replica_node);
    node->replicas = replicas;
    node->id = id;
    node->ask_again_us = ASK_AGAIN_US;
    node->is_up = peers_status(replicas->peers, id, &status) && status.is_up;
    list_init(&node->followed);
    list_init(&node->to_ask);
    list_init(&node->to_ack);
    list_init(&node->streams);
    list_init(&node->to_place);
    list_init(&node->to_mark);
    list_init(&node->lagging);
    list_append(&replicas->nodes, &node->place);
    return node;
}

static void node_free(struct replica_node *node)
{
    struct io *io = node->replicas->io;
    timer_cancel(&io->timers, &node->silence_timer);
    timer_cancel(&io->timers, &node->ask_timer);
    timer_cancel(&io->timers, &node->retry_timer);
    list_remove(&node->place);
    memory_give(io->memory, MEMORY_STATE, node, sizeof(*node));
}

/* Whoever had no answer yet asks again: the leader's image may have been behind. */
static void ask_again(struct timer *timer)
{
    struct replica_node *node = container_of(timer, struct replica_node, ask_timer);
    struct list *place;
    struct list *next;
    const uint64_t again_us =
        node->ask_again_us * 2 < ASK_AGAIN_MAX_US ? node->ask_again_us * 2 : ASK_AGAIN_MAX_US;
    list_each(&node->followed, place, next)
    {
        struct replica_follower *follow = container_of(place, struct replica_follower, place);
        if (follow->state == FOLLOW_ASKING)
            follow_ask(follow);
    }
    node->ask_again_us = again_us;
}

void node_ask_later(struct replica_node *node)
{
    struct io *io = node->replicas->io;
    if (!timer_is_set(&node->ask_timer))
        timer_set(&io->timers, &node->ask_timer, io->now_us + node->ask_again_us, ask_again);
}

static void node_send_asks(struct replica_node *node)
{
    if (list_empty(&node->to_ask))
        return;
    outbox_send_asks(node);
    node_ask_later(node);
}

/* ---- The end of a turn ---- */

static void flush(struct turn_task *task)
{
    struct replicas *replicas = container_of(task, struct replicas, task);
    struct list *place;
    struct list *next;
    if (replicas->is_stopped)
        return;
    list_each(&replicas->nodes, place, next)
    {
        struct replica_node *node = container_of(place, struct replica_node, place);
        node_send_asks(node);
        outbox_send_acks(node);
        outbox_send_places(node);
        catch_up_next(node);
    }
    while ((place = list_pop(&replicas->to_pump)) != NULL)
        lead_pump(container_of(place, struct replica_leader, pump_place));
    list_each(&replicas->nodes, place, next)
    {
        outbox_send_marks(container_of(place, struct replica_node, place));
    }
}

void replicas_wake(struct replicas *replicas)
{
    if (!replicas->is_stopped)
        io_at_turn_end(replicas->io, &replicas->task, flush);
}

/* ---- Begin and end ---- */

struct replicas *replicas_new(struct broker *broker, struct peers *peers)
{
    struct replicas *replicas = memory_new(&broker->memory, struct replicas);
    replicas->broker = broker;
    replicas->peers = peers;
    replicas->io = &broker->io;
    list_init(&replicas->nodes);
    list_init(&replicas->leads);
    list_init(&replicas->tails);
    list_init(&replicas->to_pump);
    list_init(&replicas->task.place);
    arena_init(&replicas->arena, &broker->memory, MEMORY_STATE, REPLICAS_ARENA_BYTES_MAX);
    isr_init(replicas);
    offline_init(replicas);
    return replicas;
}

void replica_forget(struct partition *partition)
{
    if (partition->leading != NULL)
        lead_end(partition->leading);
    if (partition->following != NULL)
        follow_end(partition->following);
}

void replicas_stop(struct replicas *replicas)
{
    if (replicas == NULL || replicas->is_stopped)
        return;
    replicas->is_stopped = true;
    isr_free(replicas);
    offline_free(replicas);
    timer_cancel(&replicas->io->timers, &replicas->throttle_timer);
    list_remove(&replicas->task.place);
    while (!list_empty(&replicas->leads))
        lead_end(container_of(replicas->leads.next, struct replica_leader, place));
    while (!list_empty(&replicas->nodes)) {
        struct replica_node *node = container_of(replicas->nodes.next, struct replica_node, place);
        while (!list_empty(&node->followed))
            follow_end(container_of(node->followed.next, struct replica_follower, place));
        node_free(node);
    }
}

void replicas_free(struct replicas *replicas)
{
    replicas_stop(replicas);
    arena_reset(&replicas->arena);
    memory_give(replicas->io->memory, MEMORY_STATE, replicas, sizeof(*replicas));
}

void replicas_start(struct replicas *replicas)
{
    const struct meta_topic *topic = image_first_topic(&replicas->broker->image);
    for (; topic != NULL; topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++)
            replicas_partition_changed(replicas, topic, i);
    }
}

/* ---- What the image says ---- */

int64_t replicas_broker_epoch(const struct replicas *replicas, int32_t id)
{
    const struct meta_broker *broker = image_broker(&replicas->broker->image, id);
    return broker == NULL ? -1 : broker->epoch;
}

struct partition *replicas_find(struct replicas *replicas, struct uuid topic_id, int32_t index)
{
    return partition_hosted(replicas->broker, topic_id, index);
}

const struct meta_partition *replica_meta(const struct partition *partition)
{
    const struct meta_topic *topic =
        image_topic_by_id(&partition->broker->image, partition->topic->id);
    return topic == NULL || partition->index >= topic->partitions_count
               ? NULL
               : image_partition(topic, partition->index);
}

/* True when the role that there is goes on. */
static bool role_goes_on(const struct partition *partition, const struct meta_partition *meta,
                         int32_t self)
{
    if (partition->leading != NULL)
        return meta->leader == self && partition->leading->epoch == meta->leader_epoch;
    return partition->following != NULL && partition->following->node->id == meta->leader &&
           partition->following->epoch == meta->leader_epoch;
}

void replicas_partition_changed(struct replicas *replicas, const struct meta_topic *topic,
                                int32_t index)
{
    const struct meta_partition *meta = image_partition(topic, index);
    const int32_t self = replicas->broker->conf->node_id;
    const bool is_replica = meta_is_member(meta_replicas(meta), meta->replicas_count, self);
    struct partition *partition = partition_hosted(replicas->broker, topic->id, index);
    if (replicas->is_stopped)
        return;
    if (partition != NULL && role_goes_on(partition, meta, self)) {
        if (partition->leading != NULL)
            lead_changed(partition->leading);
        return;
    }
    if (partition != NULL) {
        replica_forget(partition);
        if (meta->leader != self)
            partition_resign(partition);
    }
    if (!is_replica || meta->replicas_count == 1 || meta->leader == META_NO_LEADER)
        return;
    partition = partition_host(replicas->broker, topic, index);
    if (meta->leader == self)
        lead_begin(replicas, partition, meta);
    else
        follow_begin(replicas, partition, meta);
}

void replicas_broker_changed(struct replicas *replicas, int32_t broker_id)
{
    struct replica_node *node = node_find(replicas, broker_id);
    struct list *place;
    struct list *next;
    if (replicas->is_stopped || node == NULL)
        return;
    list_each(&node->streams, place, next)
    {
        lead_changed(container_of(place, struct replica_stream, place)->lead);
    }
}

/* ---- What the links tell ---- */

bool replicas_expect(int16_t type)
{
    return type >= REPLICA_TYPE_FIRST && type <= REPLICA_TYPE_LAST;
}

const char *replicas_receive(struct replicas *replicas, const struct peer_message *message)
{
    const char *why = NULL;
    if (replicas->is_stopped)
        return NULL;
    switch (message->type) {
    case REPLICA_TYPE_FOLLOW:
        why = lead_asked(replicas, message);
        break;
    case REPLICA_TYPE_PLACE:
        why = follow_placed(replicas, message);
        break;
    case REPLICA_TYPE_APPEND:
        why = follow_appended(replicas, message);
        break;
    case REPLICA_TYPE_MARK:
        why = follow_marked(replicas, message);
        break;
    default:
        why = lead_acknowledged(replicas, message);
        break;
    }
    arena_reset(&replicas->arena);
    return why;
}

void replicas_wake_streams(struct replica_node *node)
{
    struct list *place;
    struct list *next;
    list_each(&node->streams, place, next)
    {
        lead_wake(container_of(place, struct replica_stream, place)->lead);
    }
}

void replicas_peer_up(struct replicas *replicas, int32_t node_id)
{
    struct replica_node *node = node_find(replicas, node_id);
    struct list *place;
    struct list *next;
    if (node == NULL)
        return;
    node->is_up = true;
    node->is_full = false;
    list_each(&node->streams, place, next)
    {
        replica_stream_resend(container_of(place, struct replica_stream, place));
    }
    list_each(&node->followed, place, next)
    {
        follow_link_is_new(container_of(place, struct replica_follower, place));
    }
    replicas_wake(replicas);
}

void replicas_peer_down(struct replicas *replicas, int32_t node_id)
{
    struct replica_node *node = node_find(replicas, node_id);
    if (node == NULL)
        return;
    node->is_up = false;
    replicas_wake_streams(node); /* nothing waits in memory for it any more */
}

void replicas_peer_drained(struct replicas *replicas, int32_t node_id)
{
    struct replica_node *node = node_find(replicas, node_id);
    if (node == NULL)
        return;
    node->is_full = false;
    replicas_wake_streams(node);
    replicas_wake(replicas);
}

static void node_look(struct replica_node *node)
{
    struct list *place;
    struct list *next;
    list_each(&node->streams, place, next)
    {
        isr_look(container_of(place, struct replica_stream, place)->lead);
    }
}

static void silence_over(struct timer *timer)
{
    struct replica_node *node = container_of(timer, struct replica_node, silence_timer);
    node->is_timed_out = true;
    io_log(node->replicas->io, LOG_WARN,
           "nothing is heard of a broker, which leaves the in-sync replicas: node=%d", node->id);
    node_look(node);
}

void replicas_peer_silent(struct replicas *replicas, int32_t node_id)
{
    struct replica_node *node = node_find(replicas, node_id);
    struct peer_status status;
    if (node == NULL || !peers_status(replicas->peers, node_id, &status))
        return;
    const uint64_t timeout_us =
        (uint64_t)conf_int(replicas->broker->conf, CONF_REPLICA_SOCKET_TIMEOUT_MS) * US_PER_MS;
    timer_set(&replicas->io->timers, &node->silence_timer, status.heard_us + timeout_us,
              silence_over);
}

void replicas_peer_heard(struct replicas *replicas, int32_t node_id)
{
    struct replica_node *node = node_find(replicas, node_id);
    if (node == NULL)
        return;
    timer_cancel(&replicas->io->timers, &node->silence_timer);
    if (!node->is_timed_out)
        return;
    node->is_timed_out = false;
    node_look(node); /* its replicas may be in sync again */
}
