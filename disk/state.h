/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of disk/ share among themselves. */
#ifndef DISK_STATE_H
#define DISK_STATE_H

#include "disk/disk.h"
#include "disk/files.h"
#include "disk/pool.h"

struct data_folder {
    char *path; /* for messages */
    int fd;
    int lock_fd;
};

struct disk {
    struct disk_options options;
    struct files files;
    struct data_folder *folders;
    uint32_t folders_count;
    struct pool *pool;
};

/* An effect on its way through the pool. `run` reads the options' calls and what is here. */
struct disk_job {
    struct job job;
    struct disk *disk;
    struct effect effect;
    struct file *file; /* NULL: the effect is about a path */
    int fd;            /* of the file, or of the data folder */
    int error;         /* of the system (errno), 0: done */
    uint64_t count;
    const char *call; /* which call failed */
};

/* A path as the system wants it. */
struct path {
    char text[DISK_PATH_BYTES_MAX + 1];
};

/* Completes an effect with what the system said: `error` is an errno, 0 for none. */
void disk_complete(const struct disk *disk, uint64_t effect, int error, uint64_t count);

/* Reports a failed call on a descriptor, when the completion's code alone says too little. */
void disk_report_fd(const struct disk *disk, const char *call, int fd, int error);

/* The same for a path in a data folder. */
void disk_report_path(const struct disk *disk, const char *call, uint32_t folder, struct span path,
                      int error);

/* Has `run` done on a thread and completes the effect after it. */
void disk_submit(struct disk *disk, const struct effect *effect, struct file *file, int fd,
                 void (*run)(struct job *job));

/* The data folder of that number; any other number is a defect. */
const struct data_folder *disk_folder(const struct disk *disk, uint32_t number);

/* Copies a path of the core's after a look at it: relative, no "..", no empty or "." part; the
 * empty path is the data folder itself. Returns 0 or an errno. */
int disk_path(struct span path, struct path *ret_path);

/* One job of `file` is done; the last one ends a close that waited for it. */
void disk_file_release(struct disk *disk, struct file *file);

/* disk/file.c */
void disk_open(struct disk *disk, const struct effect *effect);
void disk_close_file(struct disk *disk, const struct effect *effect);
void disk_read(struct disk *disk, const struct effect *effect);
void disk_write(struct disk *disk, const struct effect *effect);
void disk_sync(struct disk *disk, const struct effect *effect);
void disk_truncate(struct disk *disk, const struct effect *effect);
void disk_reserve(struct disk *disk, const struct effect *effect);

/* Closes a file's descriptor and forgets it. Returns 0 or an errno. */
int disk_forget_file(struct disk *disk, struct file *file);

/* disk/folder.c */
void disk_list(struct disk *disk, const struct effect *effect);
void disk_make_folder(struct disk *disk, const struct effect *effect);
void disk_rename(struct disk *disk, const struct effect *effect);
void disk_sync_folder(struct disk *disk, const struct effect *effect);

/* disk/remove.c */
void disk_remove(struct disk *disk, const struct effect *effect);

#endif
