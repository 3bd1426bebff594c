/* SPDX-License-Identifier: Apache-2.0 */
/* A broker's metrics as text that Prometheus reads. */
#ifndef CLI_METRICS_PRINT_H
#define CLI_METRICS_PRINT_H

#include <stddef.h>

#include "core/metrics.h"

/* What the text is, for HTTP: Prometheus' exposition format. */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * The metrics under the names that Kafka's get by the JMX exporter's own example of rules for it
 * (kafka-kraft-3_0_0.yml), "kafka_server_replicamanager_underreplicatedpartitions", so that boards
 * and alarms made for Kafka work; those that Kafka lacks begin with "chronik_". Returns the text,
 * to be freed by the caller; NULL when there is no memory for it.
 */
char *metrics_print(const struct broker_metrics *metrics, size_t *ret_length);

#endif
