/* SPDX-License-Identifier: Apache-2.0 */
/* Registration of brokers, and the blocks of producer ids that they are given. */
#ifndef CORE_META_BROKERS_H
#define CORE_META_BROKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/meta/image.h"
#include "core/meta/writer.h"

/* Producer ids that a broker is given at a time, as in Kafka; what is left when it ends is lost. */
#define PRODUCER_IDS_BLOCK 1000

struct broker_registration {
    int32_t id;
    struct uuid incarnation; /* of this process */
    struct span rack;        /* null: none */
    bool is_unclean;         /* what an earlier process had on disk may not be all there */
    const struct meta_endpoint *endpoints;
    uint32_t endpoints_count;
    struct uuid *directories; /* the ids of its data folders */
    uint32_t directories_count;
};

/* Writes the record of a broker process that joins; its epoch is the record's offset. Every
 * partition that an earlier process of this broker led has a higher leader epoch from then on.
 * ERR_INVALID_REGISTRATION, and nothing is written, where it is too large or its epochs cannot be
 * higher than those in the image. */
int brokers_register(const struct image *image, struct meta_writer *writer,
                     const struct broker_registration *registration);

/* Writes the record of a broker that is about to end: others lead in its place from then on, where
 * they can. Nothing is written when that process is not registered (any more), or is known to end
 * already, or where its partitions' epochs cannot be higher. */
int brokers_leave(const struct image *image, struct meta_writer *writer, int32_t broker_id,
                  struct uuid incarnation);

/* Writes the record that gives a registered broker the ids *ret_first … + PRODUCER_IDS_BLOCK - 1.
 */
int brokers_take_producer_ids(const struct image *image, struct meta_writer *writer,
                              int32_t broker_id, int64_t *ret_first);

#endif
