/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that apply records to the image share. For core/meta/image*.c and election.c. */
#ifndef CORE_META_IMAGE_INTERNAL_H
#define CORE_META_IMAGE_INTERNAL_H

#include "core/meta/image.h"

/* Tells every observer. */
void image_notify(struct image *image, const struct image_change *change);

/* As image_topic() and image_topic_by_id(), to be changed. */
struct meta_topic *image_find_topic(const struct image *image, struct span name);
struct meta_topic *image_find_topic_by_id(const struct image *image, struct uuid id);

/* Notes it when the topic's writes are cached: to be called whenever they may be from now on. */
void image_note_caching(const struct image *image, struct meta_topic *topic);

/* Copies `text` to *at, which moves behind it; null stays null. */
struct span image_text_copy(uint8_t **at, struct span text);

/* Records by type, each as image_apply() says. */
int image_apply_register_broker(struct image *image, const struct register_broker_record *record);
int image_apply_registration_change(struct image *image,
                                    const struct broker_registration_change_record *record);
int image_apply_unregister_broker(struct image *image,
                                  const struct unregister_broker_record *record);
int image_apply_config(struct image *image, const struct config_record *record);
int image_apply_partition(struct image *image, const struct partition_record *record);
int image_apply_partition_change(struct image *image, const struct partition_change_record *record);

/* Gives back all settings. */
void image_configs_clear(struct image *image, struct meta_configs *configs);

/* The lists of a partition: borrowed, and none of them the partition's own. */
struct partition_lists {
    const int32_t *replicas;
    const int32_t *isr;
    const int32_t *elr;
    uint32_t replicas_count;
    uint32_t isr_count;
    uint32_t elr_count;
    int32_t last_known_leader; /* META_NO_LEADER: none */
};

/* Members of all lists of a partition. */
size_t meta_lists_length(const struct meta_partition *partition);

/* Replaces the lists of a partition, or gives their memory back. */
void image_partition_set_lists(struct image *image, struct meta_partition *partition,
                               const struct partition_lists *lists);
void image_partition_clear(struct image *image, struct meta_partition *partition);

#endif
