/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/placement.h"

#include "core/base/check.h"

static bool racks_count(const struct image *image)
{
    for (uint32_t i = 0; i < image->brokers_count; i++) {
        if (image->brokers[i].rack.length == 0)
            return false;
    }
    return true;
}

/* Numbers the racks in the order of their first brokers. */
static void racks_number(struct placement *placement)
{
    const struct image *image = placement->image;
    uint32_t racks = 0;
    if (!racks_count(image))
        return;
    for (uint32_t i = 0; i < image->brokers_count; i++) {
        uint32_t same = 0;
        while (same < i && !span_equal(image->brokers[same].rack, image->brokers[i].rack))
            same++;
        placement->rack[i] = same < i ? placement->rack[same] : racks++;
    }
}

/* The first broker of each rack, then the second of each, … */
static void racks_take_turns(struct placement *placement)
{
    const uint32_t count = placement->image->brokers_count;
    uint32_t *turn = placement->holds; /* of no use yet: how many of its rack come before it */
    uint32_t placed = 0;
    for (uint32_t i = 0; i < count; i++) {
        turn[i] = 0;
        for (uint32_t k = 0; k < i; k++)
            turn[i] += placement->rack[k] == placement->rack[i];
    }
    for (uint32_t at = 0; placed < count; at++) {
        for (uint32_t i = 0; i < count; i++) {
            if (turn[i] == at)
                placement->order[placed++] = i;
        }
    }
    memset(turn, 0, count * sizeof(*turn));
}

/* Counts what the topic has already. */
static void count_replicas(struct placement *placement, const struct meta_topic *topic)
{
    const struct image *image = placement->image;
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        const struct meta_partition *partition = &topic->partitions[i];
        const int32_t *replicas = meta_replicas(partition);
        for (uint32_t k = 0; k < image->brokers_count; k++) {
            const int32_t id = image->brokers[k].id;
            placement->holds[k] += meta_is_member(replicas, partition->replicas_count, id);
            placement->leads[k] += replicas[0] == id;
        }
    }
}

bool placement_begin(struct placement *placement, const struct image *image,
                     const struct meta_topic *topic, uint64_t chance, struct arena *arena)
{
    const uint32_t count = image->brokers_count;
    CHECK(image_live_brokers(image) > 0);
    uint32_t *room = arena_array(arena, (size_t)count * 5, sizeof(*room));
    if (room == NULL)
        return false;
    *placement = (struct placement){
        .image = image,
        .order = room,
        .rack = room + count,
        .leads = room + (size_t)2 * count,
        .holds = room + (size_t)3 * count,
        .rack_holds = room + (size_t)4 * count,
        .next = (uint32_t)(chance % count),
    };
    racks_number(placement);
    racks_take_turns(placement);
    if (topic != NULL)
        count_replicas(placement, topic);
    return true;
}

/* Takes the broker at this place of `order` for the partition at hand. */
static int32_t take(struct placement *placement, uint32_t turn)
{
    const uint32_t place = placement->order[turn];
    placement->holds[place]++;
    placement->rack_holds[placement->rack[place]]++;
    return placement->image->brokers[place].id;
}

/* Where in `order` the live broker is that leads least. */
static uint32_t choose_leader(const struct placement *placement)
{
    const struct image *image = placement->image;
    uint32_t best = image->brokers_count;
    for (uint32_t i = 0; i < image->brokers_count; i++) {
        const uint32_t turn = (placement->next + i) % image->brokers_count;
        const uint32_t place = placement->order[turn];
        if (meta_broker_is_live(&image->brokers[place]) &&
            (best == image->brokers_count ||
             placement->leads[place] < placement->leads[placement->order[best]]))
            best = turn;
    }
    return best;
}

/* How bad the broker at `place` would be, but for what it holds: by racks first. */
static uint32_t badness(const struct placement *placement, uint32_t place)
{
    const bool is_live = meta_broker_is_live(&placement->image->brokers[place]);
    return 2 * placement->rack_holds[placement->rack[place]] + !is_live;
}

/* Where in `order` a broker is that has none of the `count` replicas yet: of the best, the first
 * from `first` on that holds about as few replicas as any. Were it none but those that hold fewest,
 * these and the leaders' turns would decide, and never the round. */
static uint32_t choose_follower(const struct placement *placement, uint32_t first,
                                const int32_t *brokers, uint32_t count)
{
    const struct image *image = placement->image;
    uint32_t bad = UINT32_MAX;
    uint32_t holds = 0;
    uint32_t best = 0;
    for (uint32_t i = 0; i < image->brokers_count; i++) {
        const uint32_t worse = badness(placement, i);
        if (meta_is_member(brokers, count, image->brokers[i].id) || worse > bad ||
            (worse == bad && placement->holds[i] >= holds))
            continue;
        bad = worse;
        holds = placement->holds[i];
    }
    for (uint32_t i = image->brokers_count; i-- > 0;) {
        const uint32_t turn = (first + i) % image->brokers_count;
        const uint32_t place = placement->order[turn];
        if (!meta_is_member(brokers, count, image->brokers[place].id) &&
            badness(placement, place) == bad && placement->holds[place] <= holds + count)
            best = turn;
    }
    return best;
}

void placement_choose(struct placement *placement, int32_t count, int32_t *ret_brokers)
{
    const uint32_t brokers = placement->image->brokers_count;
    CHECK(count >= 1 && (uint32_t)count <= brokers);
    memset(placement->rack_holds, 0, brokers * sizeof(*placement->rack_holds));
    const uint32_t leader = choose_leader(placement);
    placement->leads[placement->order[leader]]++;
    ret_brokers[0] = take(placement, leader);
    /* One further away each time that all have led. */
    const uint32_t round = brokers > 1 ? placement->chosen / brokers % (brokers - 1) : 0;
    for (int32_t i = 1; i < count; i++)
        ret_brokers[i] = take(
            placement, choose_follower(placement, leader + 1 + round, ret_brokers, (uint32_t)i));
    placement->next = (leader + 1) % brokers;
    placement->chosen++;
}
