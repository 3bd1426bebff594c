/* SPDX-License-Identifier: Apache-2.0 */
#include "core/metrics.h"

#include <string.h>

#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/conf/conf.h"
#include "core/log/folder.h"
#include "core/meta/quorum.h"

static void count_led(const struct meta_partition *partition, uint32_t isr_least,
                      struct broker_metrics *metrics)
{
    metrics->leaders++;
    metrics->under_replicated += partition->isr_count < partition->replicas_count;
    metrics->under_min_isr += partition->isr_count < isr_least;
    metrics->at_min_isr += partition->isr_count == isr_least;
}

static void count_topic(const struct broker *broker, const struct meta_topic *topic,
                        struct broker_metrics *metrics)
{
    const int32_t own = broker->conf->node_id;
    struct topic_conf_agreed rules;
    image_topic_rules(&broker->image, topic, &rules);
    metrics->topics++;
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        const struct meta_partition *partition = image_partition(topic, i);
        const int32_t *replicas = meta_replicas(partition);
        metrics->partitions++;
        metrics->replicas += meta_is_member(replicas, partition->replicas_count, own);
        metrics->preferred_imbalance += partition->leader != replicas[0];
        if (partition->leader == META_NO_LEADER)
            metrics->offline_partitions[leaderless_wait(partition)]++;
        else if (partition->leader == own)
            count_led(partition,
                      meta_isr_least(rules.min_insync_replicas, partition->replicas_count),
                      metrics);
    }
}

static void count_brokers(const struct broker *broker, struct broker_metrics *metrics)
{
    for (uint32_t i = 0; i < broker->image.brokers_count; i++) {
        if (broker->image.brokers[i].fenced)
            metrics->fenced_brokers++;
        else
            metrics->active_brokers++;
    }
}

static void ask_quorum(const struct broker *broker, struct broker_metrics *metrics)
{
    metrics->current_leader = META_NO_LEADER;
    metrics->last_applied = broker->image.end_offset - 1;
    if (broker->controller == NULL)
        return; /* it begins, or has ended */
    const struct raft_status status = quorum_status(controller_quorum(broker->controller));
    metrics->is_active_controller = status.is_established;
    metrics->current_leader = status.leader;
    metrics->current_epoch = status.term;
    metrics->high_watermark = status.committed;
    metrics->log_end = quorum_log_end(controller_quorum(broker->controller));
}

void broker_metrics(const struct broker *broker, struct broker_metrics *ret_metrics)
{
    *ret_metrics = (struct broker_metrics){
        .unclean_elections = broker->cluster == NULL ? 0 : broker->cluster->unclean.total,
        .connections = broker->sessions_count,
    };
    for (uint32_t i = 0; i < broker->folders_count; i++)
        ret_metrics->offline_folders += folder_is_offline(broker->folders[i]);
    count_brokers(broker, ret_metrics);
    ask_quorum(broker, ret_metrics);
    for (const struct meta_topic *topic = image_first_topic(&broker->image); topic != NULL;
         topic = image_next_topic(topic))
        count_topic(broker, topic, ret_metrics);
    memcpy(ret_metrics->memory_used_bytes, broker->memory.used_bytes,
           sizeof(ret_metrics->memory_used_bytes));
    memcpy(ret_metrics->memory_limit_bytes, broker->memory.limit_bytes,
           sizeof(ret_metrics->memory_limit_bytes));
}
