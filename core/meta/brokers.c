/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/brokers.h"

#include "core/wire/error.h"

static bool registration_fits(const struct image *image,
                              const struct broker_registration *registration)
{
    if (registration->endpoints_count > META_ENDPOINTS_MAX ||
        registration->directories_count > META_DIRECTORIES_MAX || registration->id < 0 ||
        registration->rack.length > META_ENDPOINT_TEXT_MAX ||
        (image_broker(image, registration->id) == NULL && image->brokers_count >= META_BROKERS_MAX))
        return false;
    for (uint32_t i = 0; i < registration->endpoints_count; i++) {
        if (registration->endpoints[i].listener.length > META_ENDPOINT_TEXT_MAX ||
            registration->endpoints[i].host.length > META_ENDPOINT_TEXT_MAX)
            return false;
    }
    return true;
}

/* Epochs only rise, and what the disk says of them may leave no room for that. */
static bool registration_can_follow(const struct image *image, int32_t id, int64_t epoch)
{
    const struct meta_broker *before = image_broker(image, id);
    return before == NULL || (before->epoch < epoch && image_epochs_can_rise(image, id));
}

int brokers_register(const struct image *image, struct meta_writer *writer,
                     const struct broker_registration *registration)
{
    if (!registration_fits(image, registration) ||
        !registration_can_follow(image, registration->id, meta_writer_next_offset(writer)))
        return ERR_INVALID_REGISTRATION;
    struct register_broker_record_end_point end_points[META_ENDPOINTS_MAX];
    for (uint32_t i = 0; i < registration->endpoints_count; i++) {
        end_points[i] = (struct register_broker_record_end_point){
            .name = registration->endpoints[i].listener,
            .host = registration->endpoints[i].host,
            .port = registration->endpoints[i].port,
            .security_protocol = registration->endpoints[i].security_protocol,
        };
    }
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = registration->id;
    record.body.register_broker.incarnation_id = registration->incarnation;
    record.body.register_broker.broker_epoch = meta_writer_next_offset(writer);
    record.body.register_broker.end_points = end_points;
    record.body.register_broker.end_points_count = (int32_t)registration->endpoints_count;
    record.body.register_broker.rack = registration->rack;
    record.body.register_broker.log_dirs = registration->directories;
    record.body.register_broker.log_dirs_count = (int32_t)registration->directories_count;
    record.body.register_broker.fenced = false;
    record.body.register_broker.unclean_restart =
        registration->is_unclean && image_broker(image, registration->id) != NULL;
    return meta_write(writer, &record);
}

int brokers_leave(const struct image *image, struct meta_writer *writer, int32_t broker_id,
                  struct uuid incarnation)
{
    const struct meta_broker *broker = image_broker(image, broker_id);
    if (broker == NULL || !uuid_equal(broker->incarnation, incarnation) ||
        broker->is_shutting_down || !image_epochs_can_rise(image, broker_id))
        return ERR_NONE;
    struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
    record.body.registration_change.broker_id = broker_id;
    record.body.registration_change.broker_epoch = broker->epoch;
    record.body.registration_change.in_controlled_shutdown = 1;
    return meta_write(writer, &record);
}

int brokers_take_producer_ids(const struct image *image, struct meta_writer *writer,
                              int32_t broker_id, int64_t *ret_first)
{
    const struct meta_broker *broker = image_broker(image, broker_id);
    if (broker == NULL)
        return ERR_BROKER_ID_NOT_REGISTERED;
    if (image->next_producer_id > INT64_MAX - PRODUCER_IDS_BLOCK)
        return ERR_UNKNOWN_SERVER_ERROR;
    struct meta_record record = meta_record_of(META_RECORD_PRODUCER_IDS);
    record.body.producer_ids.broker_id = broker_id;
    record.body.producer_ids.broker_epoch = broker->epoch;
    record.body.producer_ids.next_producer_id = image->next_producer_id + PRODUCER_IDS_BLOCK;
    const int error = meta_write(writer, &record);
    if (error == ERR_NONE)
        *ret_first = image->next_producer_id;
    return error;
}
