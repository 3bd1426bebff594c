/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a data folder belongs to: its file meta.properties, in Kafka's format, names the cluster, the
 * node and the folder. An empty folder is given one on first use by a node of its own, and by
 * "chronik format" for a node of a cluster; a folder of another node or cluster, or one with files
 * but without an identity, is refused.
 */
#ifndef CORE_META_IDENTITY_H
#define CORE_META_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/io.h"
#include "core/log/log.h"

#define IDENTITY_FILE           "meta.properties"
#define IDENTITY_BYTES_MAX      4096
#define IDENTITY_CLUSTER_ID_MAX 64

struct identity {
    char cluster_id[IDENTITY_CLUSTER_ID_MAX + 1];
    int32_t node_id;
    struct uuid directory_id;
};

/* Reads the text of a meta.properties file. On failure *ret_why says what is wrong, a literal. */
int identity_parse(struct span text, struct identity *ret_identity, const char **ret_why);

/* The text of the file, as many bytes as it returns (at most IDENTITY_BYTES_MAX). */
size_t identity_print(const struct identity *identity, char *out, size_t capacity);

/* True for what a cluster's id may be: up to IDENTITY_CLUSTER_ID_MAX visible characters of ASCII,
 * none of them a backslash. */
bool identity_cluster_id_is_sound(struct span id);

/* What is wanted of data folders. */
struct identity_wish {
    int32_t node_id;
    struct span cluster_id; /* null: whichever they have, or one that is drawn. Borrowed. */
    bool formats;           /* those that are new are given an identity; else they are refused */
    bool all_new;           /* those that are not new are refused */
};

/* Makes sure of the identities of all data folders. */
struct identity_check;

/* `folders` has the data folders' paths, for messages; borrowed. */
struct identity_check *identity_check_new(struct io *io, const struct span *folders,
                                          uint32_t folders_count, const struct identity_wish *wish);

/* Wakes with ERR_NONE when every folder has an identity, and they fit; or with an error that was
 * logged with file and mend, and then the broker must not start. */
void identity_check_run(struct identity_check *check, struct log_waiter *waiter);

/* The cluster's id, once checked. */
struct span identity_cluster_id(const struct identity_check *check);

/* True when the folder with this number was given its identity by this check. */
bool identity_was_new(const struct identity_check *check, uint32_t folder);

/* The id of one of the folders, by its number in `folders`, once checked. */
struct uuid identity_directory_id(const struct identity_check *check, uint32_t folder);

void identity_check_free(struct identity_check *check);

#endif
