/* SPDX-License-Identifier: Apache-2.0 */
/* What has settings, by Kafka's numbers. */
#ifndef CORE_API_RESOURCE_H
#define CORE_API_RESOURCE_H

enum resource_type {
    RESOURCE_TOPIC = 2,
    RESOURCE_BROKER = 4,
    RESOURCE_BROKER_LOGGER = 8,
};

#endif
