/* SPDX-License-Identifier: Apache-2.0 */
#include "core/departure.h"

#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/conf/conf.h"
#include "core/meta/brokers.h"
#include "core/meta/controller.h"
#include "core/wire/error.h"

#define US_PER_MS ((uint64_t)1000)

enum departure_state { DEPARTURE_TELLING, DEPARTURE_HANDING_OVER, DEPARTURE_OVER };

struct departure {
    struct broker *broker;
    enum departure_state state;
    struct meta_proposal proposal;
    struct controller_watcher watcher;
    struct timer timer; /* until it is too late */
    struct turn_task task;
};

static struct quorum *quorum_of(const struct departure *departure)
{
    return controller_quorum(departure->broker->controller);
}

static void end(struct turn_task *task)
{
    broker_stop(container_of(task, struct departure, task)->broker, false);
}

static void over(struct departure *departure)
{
    struct broker *broker = departure->broker;
    if (departure->state == DEPARTURE_OVER)
        return;
    if (departure->state == DEPARTURE_TELLING)
        controller_cancel(broker->controller, &departure->proposal);
    departure->state = DEPARTURE_OVER;
    timer_cancel(&broker->io.timers, &departure->timer);
    io_at_turn_end(&broker->io, &departure->task, end);
}

static void is_late(struct timer *timer)
{
    struct departure *departure = container_of(timer, struct departure, timer);
    io_log(&departure->broker->io, LOG_WARN, "this broker ends before others took its place");
    over(departure);
}

/* As long as Kafka's broker would try again and again. */
static uint64_t patience_us(const struct conf *conf)
{
    return (uint64_t)conf_int(conf, CONF_CONTROLLED_SHUTDOWN_MAX_RETRIES) *
           (uint64_t)conf_int(conf, CONF_CONTROLLED_SHUTDOWN_RETRY_BACKOFF_MS) * US_PER_MS;
}

/* After which the quorum's leader gives a transfer up by itself. */
static uint64_t takeover_us(const struct conf *conf)
{
    return (uint64_t)conf_int(conf, CONF_CONTROLLER_QUORUM_ELECTION_TIMEOUT_MS) * US_PER_MS;
}

static void leader_changed(struct controller_watcher *watcher)
{
    struct departure *departure = container_of(watcher, struct departure, watcher);
    if (departure->state != DEPARTURE_HANDING_OVER)
        return;
    /* Not before it is elected: this node's vote may be needed for that. */
    const struct raft_status status = quorum_status(quorum_of(departure));
    if (status.role != RAFT_LEADER && status.leader != RAFT_NOBODY)
        over(departure);
}

static int leave_prepare(struct meta_proposal *proposal, const struct image *image,
                         struct meta_writer *writer)
{
    const struct broker *broker = container_of(proposal, struct departure, proposal)->broker;
    lease_give_up(&broker->cluster->lease);
    return brokers_leave(image, writer, broker->conf->node_id, broker->cluster->incarnation);
}

static void left(struct meta_proposal *proposal, int error)
{
    struct departure *departure = container_of(proposal, struct departure, proposal);
    struct broker *broker = departure->broker;
    departure->state = DEPARTURE_HANDING_OVER;
    if (error != ERR_NONE)
        io_log(&broker->io, LOG_WARN, "this broker's end could not be announced: error=%s",
               error_name(error));
    if (quorum_hand_over(quorum_of(departure)) == ERR_NONE)
        timer_set(&broker->io.timers, &departure->timer,
                  broker->io.now_us + takeover_us(broker->conf), is_late);
    else
        over(departure);
}

bool departure_holds(struct broker *broker)
{
    if (broker->cluster == NULL || !conf_bool(broker->conf, CONF_CONTROLLED_SHUTDOWN_ENABLE))
        return false;
    struct departure *departure = broker->departure;
    if (departure != NULL)
        return departure->state != DEPARTURE_OVER;
    if (!quorum_reaches_majority(controller_quorum(broker->controller)))
        return false;
    departure = memory_new(&broker->memory, struct departure);
    departure->broker = broker;
    broker->departure = departure;
    list_init(&departure->task.place);
    departure->proposal.prepare = leave_prepare;
    departure->proposal.done = left;
    departure->watcher.changed = leader_changed;
    controller_watch(broker->controller, &departure->watcher);
    timer_set(&broker->io.timers, &departure->timer, broker->io.now_us + patience_us(broker->conf),
              is_late);
    controller_propose(broker->controller, &departure->proposal);
    return true;
}

void departure_look(struct broker *broker)
{
    struct departure *departure = broker->departure;
    if (departure != NULL && !quorum_reaches_majority(quorum_of(departure)))
        over(departure);
}

void departure_free(struct broker *broker)
{
    struct departure *departure = broker->departure;
    if (departure == NULL)
        return;
    list_remove(&departure->task.place);
    timer_cancel(&broker->io.timers, &departure->timer);
    memory_give(&broker->memory, MEMORY_STATE, departure, sizeof(*departure));
    broker->departure = NULL;
}
