/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which operations a client may carry out, as Metadata and its kin tell it (KIP-430): a bit for
 * each operation, by its number in Kafka. Nobody is kept from anything yet, so that these are all
 * that the kind of resource has.
 */
#ifndef CORE_API_AUTHORIZED_H
#define CORE_API_AUTHORIZED_H

enum operation {
    OPERATION_READ = 3,
    OPERATION_WRITE = 4,
    OPERATION_CREATE = 5,
    OPERATION_DELETE = 6,
    OPERATION_ALTER = 7,
    OPERATION_DESCRIBE = 8,
    OPERATION_CLUSTER_ACTION = 9,
    OPERATION_DESCRIBE_CONFIGS = 10,
    OPERATION_ALTER_CONFIGS = 11,
    OPERATION_IDEMPOTENT_WRITE = 12,
};

#define AUTHORIZED_TOPIC                                                                          \
    (1 << OPERATION_READ | 1 << OPERATION_WRITE | 1 << OPERATION_CREATE | 1 << OPERATION_DELETE | \
     1 << OPERATION_ALTER | 1 << OPERATION_DESCRIBE | 1 << OPERATION_DESCRIBE_CONFIGS |           \
     1 << OPERATION_ALTER_CONFIGS)

#define AUTHORIZED_GROUP                                                     \
    (1 << OPERATION_READ | 1 << OPERATION_DELETE | 1 << OPERATION_DESCRIBE | \
     1 << OPERATION_DESCRIBE_CONFIGS | 1 << OPERATION_ALTER_CONFIGS)

#define AUTHORIZED_CLUSTER                                                    \
    (1 << OPERATION_CREATE | 1 << OPERATION_ALTER | 1 << OPERATION_DESCRIBE | \
     1 << OPERATION_CLUSTER_ACTION | 1 << OPERATION_DESCRIBE_CONFIGS |        \
     1 << OPERATION_ALTER_CONFIGS | 1 << OPERATION_IDEMPOTENT_WRITE)

#endif
