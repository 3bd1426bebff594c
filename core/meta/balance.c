/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/balance.h"

#include "core/meta/topics.h"
#include "core/wire/error.h"

#define US_PER_S ((uint64_t)1000 * 1000)

/* Until the rest is elected that one proposal had no room for. */
#define REST_US US_PER_S

/* Who is in sync is neither fenced nor shutting down. */
static bool is_out_of_balance(const struct image *image, const struct meta_topic *topic,
                              int32_t index)
{
    const struct meta_partition *partition = &topic->partitions[index];
    (void)image;
    const int32_t preferred = meta_replicas(partition)[0];
    return partition->leader != META_NO_LEADER && partition->leader != preferred &&
           meta_is_member(meta_isr(partition), partition->isr_count, preferred) &&
           meta_epochs_can_rise(partition);
}

/* Whether any partition is; its cost is that of all partitions. */
static bool any_is_out_of_balance(const struct image *image)
{
    const struct meta_topic *topic = image_first_topic(image);
    for (; topic != NULL; topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            if (is_out_of_balance(image, topic, i))
                return true;
        }
    }
    return false;
}

static void balance_now(struct timer *timer)
{
    struct balance *balance = container_of(timer, struct balance, timer);
    if (!balance->leads || balance->is_proposing)
        return;
    balance->is_proposing = true;
    controller_propose(balance->controller, &balance->proposal);
}

static void balance_later(struct balance *balance)
{
    const int64_t wait_s = conf_int(balance->conf, CONF_LEADER_IMBALANCE_CHECK_INTERVAL_SECONDS);
    if (!timer_is_set(&balance->timer) && !balance->is_proposing)
        timer_set(&balance->io->timers, &balance->timer,
                  balance->io->now_us + (balance->is_full ? REST_US : (uint64_t)wait_s * US_PER_S),
                  balance_now);
}

static int balance_prepare(struct meta_proposal *proposal, const struct image *image,
                           struct meta_writer *writer)
{
    struct balance *balance = container_of(proposal, struct balance, proposal);
    struct topics_context context;
    struct arena arena;
    if (!quorum_leads(controller_quorum(balance->controller)))
        return ERR_NONE; /* it waited, and another node sees to it now */
    arena_init(&arena, balance->io->memory, MEMORY_STATE, 0); /* there is nothing to say */
    topics_begin(&context, image, balance->conf, &balance->io->rng, &arena, writer);
    const int error = topics_elect_due(&context, is_out_of_balance, TOPICS_ELECT_PREFERRED,
                                       BALANCE_ELECTIONS_MAX, &balance->is_full);
    topics_end(&context);
    if (writer->count > 0)
        io_log(balance->io, LOG_INFO, "preferred leaders lead again: partitions=%u", writer->count);
    return error;
}

static void balance_done(struct meta_proposal *proposal, int error)
{
    struct balance *balance = container_of(proposal, struct balance, proposal);
    balance->is_proposing = false;
    balance->is_full = balance->is_full && error == ERR_NONE;
    if (balance->leads && any_is_out_of_balance(balance->image))
        balance_later(balance);
}

static void image_changed(struct image_observer *observer, const struct image_change *change)
{
    struct balance *balance = container_of(observer, struct balance, image_observer);
    if (balance->leads && change->kind == IMAGE_PARTITION_CHANGED &&
        is_out_of_balance(balance->image, change->topic, change->partition))
        balance_later(balance);
}

static void leadership_changed(struct controller_watcher *watcher)
{
    struct balance *balance = container_of(watcher, struct balance, watcher);
    const bool leads = quorum_leads(controller_quorum(balance->controller));
    if (leads && !balance->leads && any_is_out_of_balance(balance->image))
        balance_later(balance);
    if (!leads)
        timer_cancel(&balance->io->timers, &balance->timer);
    balance->leads = leads;
}

void balance_start(struct balance *balance, struct io *io, const struct conf *conf,
                   struct controller *controller, struct image *image)
{
    *balance = (struct balance){
        .io = io,
        .conf = conf,
        .controller = controller,
        .image = image,
        .image_observer.changed = image_changed,
        .watcher.changed = leadership_changed,
        .proposal = {.prepare = balance_prepare, .done = balance_done},
    };
    if (!conf_bool(conf, CONF_AUTO_LEADER_REBALANCE_ENABLE))
        return;
    image_observe(image, &balance->image_observer);
    controller_watch(controller, &balance->watcher);
}
