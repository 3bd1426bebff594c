/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reader.h"

#include "core/base/check.h"

void reader_init(struct reader *reader, struct contacts *contacts, struct span topic,
                 bool uses_sessions)
{
    *reader = (struct reader){.contacts = contacts,
                              .topic = topic,
                              .ways = fetch_ways_draw(contacts->client, uses_sessions)};
}

static struct fetcher *fetcher_at(struct reader *reader, uint32_t node)
{
    struct fetcher *fetcher = &reader->fetchers[node - 1];
    fetcher->contact = contacts_at(reader->contacts, node);
    fetcher->topic = reader->topic;
    fetcher->ways = reader->ways;
    return fetcher;
}

/* Gives every partition to its leader's fetcher. */
static void deal(struct reader *reader)
{
    bool is_wanted[SIM_HOSTS_MAX] = {false};
    for (uint32_t i = 0; i < reader->count; i++) {
        struct fetch_partition *partition = &reader->partitions[i];
        const uint32_t leader = uuid_equal(reader->topic_id, reader->learned_id)
                                    ? reader->leaders[partition->index]
                                    : 0;
        if (leader != partition->leader)
            partition->high_watermark = OFFSET_UNKNOWN; /* the next one knows of more, perhaps */
        partition->leader = leader;
        partition->leader_epoch =
            reader->ways.names_epochs && leader != 0 ? reader->leader_epochs[partition->index] : -1;
        if (partition->leader != 0)
            is_wanted[partition->leader - 1] = true;
    }
    for (uint32_t node = 1; node <= SIM_HOSTS_MAX; node++) {
        if (is_wanted[node - 1] || reader->fetchers[node - 1].contact != NULL)
            fetcher_set(fetcher_at(reader, node), reader->topic_id, reader->partitions,
                        reader->count);
    }
}

/* A node may be behind the others: what it says of an earlier epoch is known better. */
void reader_learn(struct reader *reader, const struct metadata_response_topic *topic)
{
    const struct client *client = reader->contacts->client;
    const bool is_other = !uuid_equal(topic->topic_id, reader->learned_id);
    bool has_changed = is_other;
    if (is_other) {
        memset(reader->leaders, 0, sizeof(reader->leaders));
        memset(reader->leader_epochs, 0, sizeof(reader->leader_epochs));
    }
    reader->learned_id = topic->topic_id;
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        const struct metadata_response_topic_partition *partition = &topic->partitions[i];
        const int32_t index = partition->partition_index;
        if (index < 0 || index >= FETCHER_PARTITIONS_MAX ||
            (contacts_in_cluster(client) && partition->leader_epoch < reader->leader_epochs[index]))
            continue;
        const uint32_t leader = contacts_leader(client, partition->leader_id);
        has_changed =
            has_changed || leader != reader->leaders[index] ||
            (reader->ways.names_epochs && partition->leader_epoch != reader->leader_epochs[index]);
        reader->leaders[index] = leader;
        reader->leader_epochs[index] = partition->leader_epoch;
    }
    if (has_changed)
        deal(reader);
}

void reader_set(struct reader *reader, struct uuid topic_id, const int32_t *partitions,
                uint32_t count, int64_t offset)
{
    CHECK(count <= FETCHER_PARTITIONS_MAX);
    reader->topic_id = topic_id;
    reader->count = count;
    for (uint32_t i = 0; i < count; i++)
        reader->partitions[i] = (struct fetch_partition){
            .index = partitions[i], .offset = offset, .high_watermark = OFFSET_UNKNOWN};
    deal(reader);
}

void reader_ask(struct reader *reader)
{
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        struct fetcher *fetcher = &reader->fetchers[i];
        if (fetcher->contact != NULL && fetcher->contact->is_open)
            fetcher_ask(fetcher);
    }
}

bool reader_received(struct reader *reader, const struct exchange *exchange)
{
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        if (!fetcher_received(&reader->fetchers[i], exchange))
            continue;
        reader->has_failed = reader->fetchers[i].has_failed;
        return true;
    }
    return false;
}

bool reader_lost(struct reader *reader, const struct exchange *exchange)
{
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        if (fetcher_lost(&reader->fetchers[i], exchange))
            return true;
    }
    return false;
}

bool reader_is_leaderless(const struct reader *reader)
{
    for (uint32_t i = 0; i < reader->count; i++) {
        if (reader->partitions[i].leader == 0)
            return true;
    }
    return false;
}

bool reader_is_at_end(const struct reader *reader)
{
    struct host *const *hosts = reader->contacts->client->sim->hosts;
    for (uint32_t i = 0; i < reader->count; i++) {
        const struct fetch_partition *partition = &reader->partitions[i];
        /* What is damaged nobody reads to its end. */
        if (partition->leader != 0 && hosts[partition->leader - 1]->is_rotten)
            continue;
        if (partition->offset == OFFSET_UNKNOWN || partition->high_watermark == OFFSET_UNKNOWN ||
            partition->offset < partition->high_watermark)
            return false;
    }
    return true;
}
