/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of one simulated machine: carries out the file effects of core/effect.h, knows what is
 * visible and what is durable, and loses power.
 *
 * It has no time: who drives it decides when an effect happens, by files_submitted() when it is
 * asked for and files_carry_out() when it happens.
 */
#ifndef SIM_FILES_H
#define SIM_FILES_H

#include "core/effect.h"
#include "core/event.h"
#include "sim/chance.h"

#define FILES_FOLDERS_MAX 4

struct file_node; /* a file or a folder */

/* A file number of the process: asked for, open when it has a node, closed again. */
struct file_handle {
    uint64_t file;
    char *path;
    struct file_node *node;
    uint32_t effects; /* that were asked for and are not carried out */
    bool writes;
    bool closing; /* nothing more may be asked of it */
    bool closed;
};

struct files {
    struct chance *rng;
    struct file_node *roots[FILES_FOLDERS_MAX]; /* data folders */
    struct file_node *nodes;                    /* all, the newest first */
    size_t nodes_count;
    size_t nodes_swept; /* how many were left by the last files_sweep() */
    struct file_handle *handles;
    size_t handles_count;
    size_t handles_capacity;
    uint64_t used_bytes;
    uint64_t capacity_bytes; /* of the disk; UINT64_MAX: no limit */
};

/* Empty data folders. `rng` is borrowed: power losses draw from it. */
void files_init(struct files *files, struct chance *rng);
void files_free(struct files *files);

/* Puts a file into a data folder, durable, as somebody beside the process does. */
void files_put(struct files *files, uint32_t folder, const char *name, struct span bytes);

/* True for the effects that files_carry_out() knows. */
bool files_serve(enum effect_kind kind);

/* The path that the effect is about, relative to its data folder. Borrowed; of OPEN from the effect
 * itself. */
struct span files_path(const struct files *files, const struct effect *effect);

/* Takes note of an effect when it is asked for; it has to be given back to files_carry_out(): the
 * number of the last change that a sync covers. Spoils the buffer of a read. */
uint64_t files_submitted(struct files *files, const struct effect *effect);

/* The number of the last change of the file that a WRITE or TRUNCATE is about. */
uint64_t files_sequence(const struct files *files, const struct effect *effect);

/* Carries one effect out. With an `error`, a write stops after `bytes_max` bytes, a sync loses the
 * bytes that it would have covered, and any other effect does nothing. The entries of a LIST are
 * one block of the caller's, to be given back by free(). */
void files_carry_out(struct files *files, const struct effect *effect, uint64_t covers, int error,
                     uint64_t bytes_max, struct completion *completion);

/* Bytes of an open file as a process sees them, borrowed; NULL when the file is shorter. */
const uint8_t *files_bytes(const struct files *files, uint64_t file, uint64_t offset,
                           size_t length);

/* The process ended: its file numbers are free again. */
void files_process_ended(struct files *files);

/* True when a power loss now could lose something. */
bool files_are_dirty(const struct files *files);

/* Flips one bit of one file whose name ends in ".log", ".index", ".timeindex" or ".snapshot", on
 * the device itself; `part`: of one with this in its path, NULL: of any. False when there is none;
 * else *ret_is_derived tells whether what the file says can be made anew of others, as indexes
 * can. */
bool files_rot(struct files *files, const char *part, bool *ret_is_derived);

/* What no sync covered is kept, lost, torn by sectors or reordered, as the rng says. */
void files_power_loss(struct files *files);

/* What the worst power loss would leave of a file or folder (an empty path: the data folder
 * itself): its durable bytes or entries (sim/file_node.h), reached through durable entries.
 * Borrowed; NULL when it would not be there. */
const struct file_node *files_durable(const struct files *files, uint32_t folder, const char *path);

/* A copy of a disk, with what is durable and what is not, for a power loss of its own. `rng` is
 * borrowed. No file is open on it. */
void files_clone(struct files *to, const struct files *from, struct chance *rng);

#endif
