/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/topic_print.h"

#include <stdlib.h>

#include "cli/json.h"
#include "cli/plain.h"
#include "core/base/format.h"
#include "core/base/uuid.h"
#include "core/conf/conf.h"

static int by_name(const void *a, const void *b)
{
    const struct metadata_response_topic *topic_a = a;
    const struct metadata_response_topic *topic_b = b;
    return span_compare(topic_a->name, topic_b->name);
}

static int by_number(const void *a, const void *b)
{
    const struct metadata_response_topic_partition *partition_a = a;
    const struct metadata_response_topic_partition *partition_b = b;
    return (partition_a->partition_index > partition_b->partition_index) -
           (partition_a->partition_index < partition_b->partition_index);
}

void topic_sort(struct metadata_response *response)
{
    if (response->topics_count > 1)
        qsort(response->topics, (size_t)response->topics_count, sizeof(response->topics[0]),
              by_name);
    for (int32_t i = 0; i < response->topics_count; i++) {
        struct metadata_response_topic *topic = &response->topics[i];
        if (topic->partitions_count > 1)
            qsort(topic->partitions, (size_t)topic->partitions_count, sizeof(topic->partitions[0]),
                  by_number);
    }
}

/* How many replicas a topic has; its first partition tells. */
static int32_t replicas_of(const struct metadata_response_topic *topic)
{
    return topic->partitions_count == 0 ? 0 : topic->partitions[0].replica_nodes_count;
}

static void print_json_head(FILE *out, const struct metadata_response_topic *topic)
{
    fputs("{\"name\":", out);
    json_text(out, topic->name);
    fprintf(out, ",\"id\":\"%s\",\"internal\":%s", uuid_text(topic->topic_id).text,
            topic->is_internal ? "true" : "false");
}

void topic_print_list(FILE *out, const struct metadata_response *response, bool json)
{
    int width = (int)strlen("TOPIC");
    for (int32_t i = 0; i < response->topics_count; i++) {
        if ((int)response->topics[i].name.length > width)
            width = (int)response->topics[i].name.length;
    }
    if (!json)
        fprintf(out, "%-*s  PARTITIONS  REPLICAS  ID\n", width, "TOPIC");
    for (int32_t i = 0; i < response->topics_count; i++) {
        const struct metadata_response_topic *topic = &response->topics[i];
        if (json) {
            print_json_head(out, topic);
            fprintf(out, ",\"partitions\":%d,\"replicas\":%d}\n", topic->partitions_count,
                    replicas_of(topic));
            continue;
        }
        plain_print(out, topic->name);
        fprintf(out, "%*s  %10d  %8d  %s\n", width - (int)topic->name.length, "",
                topic->partitions_count, replicas_of(topic), uuid_text(topic->topic_id).text);
    }
}

int topic_print_nodes(FILE *out, const int32_t *nodes, int32_t count)
{
    int length = 0;
    for (int32_t i = 0; i < count; i++)
        length += fprintf(out, "%s%d", i == 0 ? "" : ",", nodes[i]);
    return length;
}

static void print_json_description(FILE *out, const struct metadata_response_topic *topic,
                                   const struct describe_configs_response_result *configs)
{
    const char *comma = "";
    print_json_head(out, topic);
    fputs(",\"configs\":{", out);
    for (int32_t i = 0; configs != NULL && i < configs->configs_count; i++) {
        if (configs->configs[i].config_source != CONF_SOURCE_TOPIC)
            continue;
        fputs(comma, out);
        json_text(out, configs->configs[i].name);
        fputc(':', out);
        json_text(out, configs->configs[i].value);
        comma = ",";
    }
    fputs("},\"partitions\":[", out);
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        const struct metadata_response_topic_partition *partition = &topic->partitions[i];
        fprintf(out, "%s{\"partition\":%d,\"leader\":%d,\"leader_epoch\":%d,\"replicas\":[",
                i == 0 ? "" : ",", partition->partition_index, partition->leader_id,
                partition->leader_epoch);
        topic_print_nodes(out, partition->replica_nodes, partition->replica_nodes_count);
        fputs("],\"in_sync\":[", out);
        topic_print_nodes(out, partition->isr_nodes, partition->isr_nodes_count);
        fputs("]}", out);
    }
    fputs("]}\n", out);
}

void topic_print_description(FILE *out, const struct metadata_response_topic *topic,
                             const struct describe_configs_response_result *configs, bool json)
{
    if (json) {
        print_json_description(out, topic, configs);
        return;
    }
    plain_print(out, topic->name);
    fprintf(out, "  id %s, %d partition%s, %d replica%s%s\n", uuid_text(topic->topic_id).text,
            topic->partitions_count, topic->partitions_count == 1 ? "" : "s", replicas_of(topic),
            replicas_of(topic) == 1 ? "" : "s", topic->is_internal ? ", internal" : "");
    for (int32_t i = 0; configs != NULL && i < configs->configs_count; i++) {
        if (configs->configs[i].config_source != CONF_SOURCE_TOPIC)
            continue;
        fputs("  ", out);
        plain_print(out, configs->configs[i].name);
        fputc('=', out);
        plain_print(out, configs->configs[i].value);
        fputc('\n', out);
    }
    fputs("  PARTITION  LEADER  EPOCH  REPLICAS      IN SYNC\n", out);
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        const struct metadata_response_topic_partition *partition = &topic->partitions[i];
        fprintf(out, "  %9d  ", partition->partition_index);
        if (partition->leader_id < 0)
            fprintf(out, "%6s  ", "none");
        else
            fprintf(out, "%6d  ", partition->leader_id);
        fprintf(out, "%5d  ", partition->leader_epoch);
        const int length =
            topic_print_nodes(out, partition->replica_nodes, partition->replica_nodes_count);
        fprintf(out, "%*s  ", length < 12 ? 12 - length : 0, "");
        topic_print_nodes(out, partition->isr_nodes, partition->isr_nodes_count);
        fputc('\n', out);
    }
}
