/* SPDX-License-Identifier: Apache-2.0 */
#include "core/shutdown.h"

#include "core/base/check.h"
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/coord/coordinator.h"
#include "core/log/folder.h"
#include "core/partition.h"
#include "core/replica/replicas.h"
#include "core/session.h"
#include "core/wire/error.h"

struct shutdown_part {
    struct shutdown *shutdown;
    struct log_waiter waiter;
};

struct shutdown {
    struct broker *broker;
    struct shutdown_part *parts; /* one for each log, then for each folder */
    uint32_t parts_count;
    uint32_t pending;
    void (*next)(struct shutdown *shutdown);
    bool failed;
};

static void stopped(struct broker *broker, bool failed, const char *text)
{
    broker->state = BROKER_STOPPED;
    struct effect *effect = effects_add(broker->io.effects, EFFECT_STOPPED);
    effect->log.level = failed ? LOG_ERROR : LOG_INFO;
    effect->log.text = span_text(text);
    effect->log.failed = failed;
}

static void parts_free(struct shutdown *shutdown)
{
    memory_give(&shutdown->broker->memory, MEMORY_STATE, shutdown->parts,
                shutdown->parts_count * sizeof(struct shutdown_part));
    shutdown->parts = NULL;
    shutdown->parts_count = 0;
}

static void part_closed(struct log_waiter *waiter, int error)
{
    struct shutdown *shutdown = container_of(waiter, struct shutdown_part, waiter)->shutdown;
    if (error != ERR_NONE)
        shutdown->failed = true;
    if (--shutdown->pending == 0)
        shutdown->next(shutdown);
}

/* Waiters for `count` parts and one more, so that `next` runs when all were started and ended. */
static struct shutdown_part *parts_begin(struct shutdown *shutdown, uint32_t count,
                                         void (*next)(struct shutdown *shutdown))
{
    parts_free(shutdown);
    shutdown->parts_count = count + 1;
    shutdown->parts = memory_take(&shutdown->broker->memory, MEMORY_STATE,
                                  shutdown->parts_count * sizeof(struct shutdown_part));
    shutdown->pending = count + 1;
    shutdown->next = next;
    for (uint32_t i = 0; i <= count; i++) {
        shutdown->parts[i].shutdown = shutdown;
        shutdown->parts[i].waiter.wake = part_closed;
        list_init(&shutdown->parts[i].waiter.place);
    }
    return shutdown->parts;
}

static void parts_begun(struct shutdown *shutdown)
{
    part_closed(&shutdown->parts[shutdown->parts_count - 1].waiter, ERR_NONE);
}

static void folders_closed(struct shutdown *shutdown)
{
    if (shutdown->failed)
        stopped(shutdown->broker, true, "ended, but not everything could be written: see above");
    else
        stopped(shutdown->broker, false, "ended in order");
}

static void folders_close(struct shutdown *shutdown)
{
    struct broker *broker = shutdown->broker;
    cluster_stop(broker); /* the quorum has said its last */
    struct shutdown_part *parts = parts_begin(shutdown, broker->folders_count, folders_closed);
    for (uint32_t i = 0; i < broker->folders_count; i++)
        folder_close(broker->folders[i], &parts[i].waiter);
    parts_begun(shutdown);
}

static void metadata_close(struct shutdown *shutdown)
{
    struct shutdown_part *parts = parts_begin(shutdown, 1, folders_close);
    controller_close(shutdown->broker->controller, &parts[0].waiter);
    parts_begun(shutdown);
}

/* Calls `visit` for every hosted log; returns how many there are. */
static uint32_t logs_each(struct broker *broker, struct shutdown_part *parts)
{
    uint32_t count = 0;
    for (struct map_node *node = broker->hosted.first; node != NULL; node = map_next(node)) {
        const struct hosted_topic *hosted = container_of(node, struct hosted_topic, node);
        for (uint32_t i = 0; i < hosted->partitions_capacity; i++) {
            if (hosted->partitions[i] == NULL)
                continue;
            if (parts != NULL)
                log_close(hosted->partitions[i]->log, &parts[count].waiter);
            count++;
        }
    }
    return count;
}

static void logs_close(struct shutdown *shutdown)
{
    struct broker *broker = shutdown->broker;
    struct shutdown_part *parts = parts_begin(shutdown, logs_each(broker, NULL), metadata_close);
    logs_each(broker, parts);
    parts_begun(shutdown);
}

void shutdown_start(struct broker *broker, bool failed)
{
    if (failed) {
        cluster_stop(broker);
        stopped(broker, true, "ended because it could not go on: see above");
        return;
    }
    struct shutdown *shutdown = memory_new(&broker->memory, struct shutdown);
    shutdown->broker = broker;
    broker->shutdown = shutdown;
    if (broker->cluster != NULL) {
        replicas_stop(broker->cluster->replicas);
        lease_stop(&broker->cluster->lease);
    }
    coordinator_free(broker->coordinator);
    broker->coordinator = NULL;
    struct list *place;
    struct list *next;
    list_each(&broker->sessions, place, next)
    {
        session_close(container_of(place, struct session, place), NULL);
    }
    logs_close(shutdown);
}

void shutdown_free(struct broker *broker)
{
    struct shutdown *shutdown = broker->shutdown;
    if (shutdown == NULL)
        return;
    parts_free(shutdown);
    memory_give(&broker->memory, MEMORY_STATE, shutdown, sizeof(*shutdown));
    broker->shutdown = NULL;
}
