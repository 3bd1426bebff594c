/* SPDX-License-Identifier: Apache-2.0 */
/* Brokers in the image: who is there, who takes part. */
#include "core/meta/election.h"
#include "core/meta/image_internal.h"
#include "core/wire/error.h"

/* Where the broker with this id is, or would be. */
static uint32_t broker_place(const struct image *image, int32_t id)
{
    uint32_t place = 0;
    while (place < image->brokers_count && image->brokers[place].id < id)
        place++;
    return place;
}

struct span image_text_copy(uint8_t **at, struct span text)
{
    if (span_is_null(text))
        return SPAN_NULL;
    memcpy(*at, text.data, text.length);
    const struct span copy = span_of(*at, text.length);
    *at += text.length;
    return copy;
}

/* Endpoints, directories and rack of a registration, in one block. */
static void broker_fill(struct image *image, struct meta_broker *broker,
                        const struct register_broker_record *record)
{
    const size_t endpoints_bytes = (size_t)record->end_points_count * sizeof(*broker->endpoints);
    const size_t directories_bytes = (size_t)record->log_dirs_count * sizeof(struct uuid);
    size_t bytes = endpoints_bytes + directories_bytes + record->rack.length + 1;
    for (int32_t i = 0; i < record->end_points_count; i++)
        bytes += record->end_points[i].name.length + record->end_points[i].host.length;
    broker->block_bytes = bytes;
    broker->endpoints = memory_take(image->memory, MEMORY_STATE, bytes);
    broker->endpoints_count = (uint32_t)record->end_points_count;
    uint8_t *at = (uint8_t *)broker->endpoints + endpoints_bytes;
    broker->directories = (struct uuid *)at; /* of bytes: it lies anywhere */
    broker->directories_count = (uint32_t)record->log_dirs_count;
    if (directories_bytes > 0)
        memcpy(at, record->log_dirs, directories_bytes);
    at += directories_bytes;
    for (uint32_t i = 0; i < broker->endpoints_count; i++) {
        broker->endpoints[i] = (struct meta_endpoint){
            .listener = image_text_copy(&at, record->end_points[i].name),
            .host = image_text_copy(&at, record->end_points[i].host),
            .port = record->end_points[i].port,
            .security_protocol = record->end_points[i].security_protocol,
        };
    }
    broker->rack = image_text_copy(&at, record->rack);
    broker->id = record->broker_id;
    broker->epoch = record->broker_epoch;
    broker->incarnation = record->incarnation_id;
    broker->fenced = record->fenced;
    broker->is_shutting_down = record->in_controlled_shutdown;
}

static bool registration_is_sound(const struct register_broker_record *record)
{
    if (record->broker_id < 0 || record->broker_epoch < 0 || record->end_points_count < 0 ||
        record->end_points_count > META_ENDPOINTS_MAX || record->log_dirs_count < 0 ||
        record->log_dirs_count > META_DIRECTORIES_MAX ||
        record->rack.length > META_ENDPOINT_TEXT_MAX)
        return false;
    for (int32_t i = 0; i < record->end_points_count; i++) {
        if (record->end_points[i].name.length > META_ENDPOINT_TEXT_MAX ||
            record->end_points[i].host.length > META_ENDPOINT_TEXT_MAX)
            return false;
    }
    return true;
}

/* Where the broker is; NULL when it is not known. */
static struct meta_broker *broker_find(struct image *image, int32_t id)
{
    const uint32_t place = broker_place(image, id);
    return place < image->brokers_count && image->brokers[place].id == id ? &image->brokers[place]
                                                                          : NULL;
}

static struct meta_broker *broker_insert(struct image *image, int32_t id)
{
    const uint32_t place = broker_place(image, id);
    image->brokers = memory_grow(image->memory, image->brokers, &image->brokers_capacity,
                                 image->brokers_count + 1, sizeof(*image->brokers));
    memmove(&image->brokers[place + 1], &image->brokers[place],
            (image->brokers_count - place) * sizeof(*image->brokers));
    image->brokers_count++;
    image->brokers[place] = (struct meta_broker){.id = id};
    return &image->brokers[place];
}

/* A folder that the broker had is not there any more, or was emptied and formatted anew. */
static bool has_lost_folder(const struct meta_broker *before,
                            const struct register_broker_record *record)
{
    for (uint32_t i = 0; record->log_dirs_count > 0 && i < before->directories_count; i++) {
        int32_t place = 0;
        while (place < record->log_dirs_count &&
               !uuid_equal(before->directories[i], record->log_dirs[place]))
            place++;
        if (place == record->log_dirs_count)
            return true;
    }
    return false;
}

int image_apply_register_broker(struct image *image, const struct register_broker_record *record)
{
    struct meta_broker *broker = broker_find(image, record->broker_id);
    if (!registration_is_sound(record) || !image_epochs_can_rise(image, record->broker_id) ||
        (broker != NULL && record->broker_epoch <= broker->epoch) ||
        (broker == NULL && image->brokers_count >= META_BROKERS_MAX))
        return ERR_INVALID_RECORD;
    const struct election_news news = {
        .broker_id = record->broker_id,
        .is_restarted = broker != NULL && !uuid_equal(broker->incarnation, record->incarnation_id),
        .is_unclean = record->unclean_restart,
        .has_lost_folder = broker != NULL && has_lost_folder(broker, record),
    };
    if (broker == NULL)
        broker = broker_insert(image, record->broker_id);
    memory_give(image->memory, MEMORY_STATE, broker->endpoints, broker->block_bytes);
    broker_fill(image, broker, record);
    election_run(image, &news);
    image_notify(image, &(struct image_change){.kind = IMAGE_BROKER_REGISTERED, .broker = broker});
    return ERR_NONE;
}

int image_apply_registration_change(struct image *image,
                                    const struct broker_registration_change_record *record)
{
    struct meta_broker *broker = broker_find(image, record->broker_id);
    if (broker == NULL || broker->epoch != record->broker_epoch || record->fenced < -1 ||
        record->fenced > 1 || record->in_controlled_shutdown < 0 ||
        record->in_controlled_shutdown > 1 || !image_epochs_can_rise(image, record->broker_id))
        return ERR_INVALID_RECORD;
    if (record->fenced != 0)
        broker->fenced = record->fenced > 0;
    if (record->in_controlled_shutdown > 0)
        broker->is_shutting_down = true;
    election_run(image, &(struct election_news){.broker_id = record->broker_id});
    image_notify(image, &(struct image_change){.kind = IMAGE_BROKER_CHANGED, .broker = broker});
    return ERR_NONE;
}

int image_apply_unregister_broker(struct image *image,
                                  const struct unregister_broker_record *record)
{
    struct meta_broker *broker = broker_find(image, record->broker_id);
    if (broker == NULL || broker->epoch != record->broker_epoch ||
        !image_epochs_can_rise(image, record->broker_id))
        return ERR_INVALID_RECORD;
    const struct meta_broker gone = *broker;
    const size_t place = (size_t)(broker - image->brokers);
    image->brokers_count--;
    memmove(broker, broker + 1, (image->brokers_count - place) * sizeof(*broker));
    election_run(image, &(struct election_news){.broker_id = record->broker_id});
    image_notify(image, &(struct image_change){.kind = IMAGE_BROKER_REMOVED, .broker = &gone});
    memory_give(image->memory, MEMORY_STATE, gone.endpoints, gone.block_bytes);
    return ERR_NONE;
}
