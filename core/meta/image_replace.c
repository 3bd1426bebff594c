/* SPDX-License-Identifier: Apache-2.0 */
/* The image as a snapshot of the leader's has it, in the place of what this node had. */
#include "core/meta/image_internal.h"

static void tell_topic(struct image *image, const struct meta_topic *topic, const struct image *old)
{
    const struct meta_topic *before = image_topic_by_id(old, topic->id);
    if (before == NULL)
        image_notify(image, &(struct image_change){.kind = IMAGE_TOPIC_ADDED, .topic = topic});
    image_notify(image, &(struct image_change){.kind = IMAGE_CONFIG_CHANGED, .topic = topic});
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        const bool is_new = before == NULL || i >= before->partitions_count;
        image_notify(image, &(struct image_change){
                                .kind = is_new ? IMAGE_PARTITION_ADDED : IMAGE_PARTITION_CHANGED,
                                .topic = topic,
                                .partition = i,
                            });
    }
}

void image_replace(struct image *image, struct image *fresh)
{
    struct image old = *image;
    *image = *fresh;
    image->observers = old.observers; /* the head stays where its members know it */
    for (const struct meta_topic *topic = image_first_topic(&old); topic != NULL;
         topic = image_next_topic(topic)) {
        if (image_topic_by_id(image, topic->id) == NULL)
            image_notify(image,
                         &(struct image_change){.kind = IMAGE_TOPIC_REMOVED, .topic = topic});
    }
    for (uint32_t i = 0; i < image->brokers_count; i++)
        image_notify(image, &(struct image_change){.kind = IMAGE_BROKER_REGISTERED,
                                                   .broker = &image->brokers[i]});
    for (const struct meta_topic *topic = image_first_topic(image); topic != NULL;
         topic = image_next_topic(topic))
        tell_topic(image, topic, &old);
    image_free(&old);
    image_init(fresh, image->memory, 0);
}
