/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever was proposed: the live image, a full replay, and every snapshot with the log behind it
 * are the same. */
#include "core/meta/brokers.h"
#include "core/meta/snapshot.h"
#include "core/wire/error.h"
#include "tests/core/meta/cluster.h"
#include "tests/support/runner.h"

#define STEPS         200
#define SNAPSHOTS_MAX 16

struct taken {
    uint8_t *block;
    uint32_t length;
    uint32_t capacity;
    struct snapshot_id id;
    uint32_t batches_count; /* that it contains */
};

static struct cluster cluster;
static struct taken taken[SNAPSHOTS_MAX];
static uint32_t taken_count;

static uint32_t draw(uint32_t below)
{
    return (uint32_t)(rng_next(&cluster.rng) % below);
}

static const struct meta_topic *draw_topic(void)
{
    const struct meta_topic *topic = image_first_topic(&cluster.image);
    for (uint32_t i = draw(8); i > 0 && topic != NULL; i--)
        topic = image_next_topic(topic);
    return topic;
}

static void create_some(void)
{
    char name[] = "topic.?";
    name[6] = (char)('a' + draw(20));
    if (draw(2) == 0)
        name[5] = '_';
    cluster_create(&cluster, name, (int32_t)draw(6), (int32_t)draw(5));
}

static void alter_some(const struct meta_topic *topic)
{
    static const char *const values[] = {"1", "77", "-1", "compact", "delete", ""};
    const struct topic_alteration alterations[] = {
        {SPAN("retention.ms"), span_text(values[draw(6)]), (int8_t)draw(5)},
        {SPAN("cleanup.policy"), span_text(values[draw(6)]), (int8_t)draw(5)},
    };
    struct span message;
    topics_alter(&cluster.context, topic, &alterations[draw(2)], 1, &message);
}

static void change_some(const struct meta_topic *topic)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    const struct meta_partition *partition = &topic->partitions[0];
    int32_t replicas[META_REPLICAS_MAX];
    memcpy(replicas, meta_replicas(partition), partition->replicas_count * sizeof(int32_t));
    record.body.partition_change.partition_id = 0;
    record.body.partition_change.topic_id = topic->id;
    const int32_t count = 1 + (int32_t)draw(partition->replicas_count);
    record.body.partition_change.isr = replicas;
    record.body.partition_change.isr_count = count;
    record.body.partition_change.leader = replicas[draw((uint32_t)count)];
    record.body.partition_change.eligible_leader_replicas = replicas + count;
    record.body.partition_change.eligible_leader_replicas_count =
        (int32_t)draw(partition->replicas_count - (uint32_t)count + 1);
    record.body.partition_change.leader_recovery_state = (int8_t)draw(2);
    record.body.partition_change.last_known_elr_count = 0;
    ck_assert_int_eq(meta_write(&cluster.writer, &record), ERR_NONE);
}

/* Fences a broker, lets it in again or has it shut down. */
static void change_broker(void)
{
    const struct meta_broker *broker = image_broker(&cluster.image, 1 + (int32_t)draw(4));
    if (broker == NULL)
        return;
    struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
    record.body.registration_change.broker_id = broker->id;
    record.body.registration_change.broker_epoch = broker->epoch;
    record.body.registration_change.fenced = broker->fenced ? -1 : 1;
    record.body.registration_change.in_controlled_shutdown = draw(10) == 0;
    ck_assert_int_eq(meta_write(&cluster.writer, &record), ERR_NONE);
}

static void propose_some(void)
{
    const struct meta_topic *topic = draw_topic();
    struct span message;
    int64_t first;
    switch (topic == NULL ? draw(3) : draw(10)) {
    case 0:
    case 1:
        create_some();
        break;
    case 2:
        cluster_register(&cluster, 1 + (int32_t)draw(4));
        break;
    case 3:
        ck_assert_int_eq(topics_remove(&cluster.context, topic, &message), ERR_NONE);
        break;
    case 4:
        topics_grow(&cluster.context, topic, (int32_t)draw(8), NULL, 0, &message);
        break;
    case 5:
        alter_some(topic);
        break;
    case 6:
        ck_assert_int_eq(topics_raise_epoch(&cluster.image, &cluster.writer, topic->id, 0,
                                            topic->partitions[0].leader_epoch),
                         ERR_NONE);
        break;
    case 7:
        change_some(topic);
        break;
    case 8:
        change_broker();
        break;
    default:
        ck_assert_int_eq(brokers_take_producer_ids(&cluster.image, &cluster.writer, 1, &first),
                         ERR_NONE);
        ck_assert_int_eq(first, cluster.image.next_producer_id);
        break;
    }
    cluster_commit(&cluster);
}

static void take_snapshot(void)
{
    if (taken_count == SNAPSHOTS_MAX)
        return;
    struct taken *snapshot = &taken[taken_count++];
    snapshot->id = (struct snapshot_id){cluster.image.end_offset, cluster.image.epoch};
    snapshot->batches_count = cluster.batches_count;
    snapshot->block =
        snapshot_save(&cluster.image, SPAN_NULL, 0, &snapshot->length, &snapshot->capacity);
}

static void replay_from(struct image *image, uint32_t batch)
{
    for (; batch < cluster.batches_count; batch++)
        ck_assert_int_eq(cluster_replay(&cluster, batch, image), ERR_NONE);
    ck_assert_uint_eq(image_digest(image), image_digest(&cluster.image));
    ck_assert_int_eq(image->end_offset, cluster.image.end_offset);
    ck_assert_int_eq(image->epoch, cluster.image.epoch);
    ck_assert_int_eq(image->partitions_count, cluster.image.partitions_count);
    image_free(image);
}

START_TEST(snapshot_and_suffix_are_the_full_replay)
{
    struct image image;
    cluster_start(&cluster, (uint64_t)_i, 4, "");
    taken_count = 0;
    for (int step = 0; step < STEPS; step++) {
        propose_some();
        if (draw(20) == 0)
            take_snapshot();
        if (draw(30) == 0)
            cluster.epoch++;
    }
    ck_assert_uint_gt(cluster.batches_count, STEPS / 4);
    image_init(&image, &cluster.settings.memory, 99);
    replay_from(&image, 0);
    for (uint32_t i = 0; i < taken_count; i++) {
        uint64_t position;
        image_init(&image, &cluster.settings.memory, i);
        ck_assert(snapshot_is_whole(span_of(taken[i].block, taken[i].length), taken[i].id));
        ck_assert_int_eq(snapshot_restore(span_of(taken[i].block, taken[i].length), taken[i].id,
                                          &image, &position),
                         ERR_NONE);
        replay_from(&image, taken[i].batches_count);
        memory_give(&cluster.settings.memory, MEMORY_STATE, taken[i].block, taken[i].capacity);
    }
    cluster_end(&cluster);
}
END_TEST

START_TEST(the_digest_knows_every_change)
{
    cluster_start(&cluster, 1, 2, "");
    ck_assert_int_eq(cluster_create(&cluster, "first", 1, 1), ERR_NONE);
    uint64_t digest = image_digest(&cluster.image);
    for (int step = 0; step < 100; step++) {
        const uint32_t batches = cluster.batches_count;
        propose_some();
        if (cluster.batches_count > batches)
            ck_assert_uint_ne(image_digest(&cluster.image), digest);
        else
            ck_assert_uint_eq(image_digest(&cluster.image), digest);
        digest = image_digest(&cluster.image);
    }
    cluster_end(&cluster);
}
END_TEST

SUITE(replay)
{
    TCase *tcase = tcase_create("replay");
    tcase_add_loop_test(tcase, snapshot_and_suffix_are_the_full_replay, 0, 40);
    tcase_add_test(tcase, the_digest_knows_every_change);
    suite_add_tcase(suite, tcase);
}
