/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/base/list.h"
#include "core/wire/error.h"
#include "disk/state.h"

#define REPORT_BYTES_MAX (DISK_PATH_BYTES_MAX + 256)

typedef void perform_effect(struct disk *disk, const struct effect *effect);

static perform_effect *const performs[] = {
    [EFFECT_OPEN] = disk_open,
    [EFFECT_CLOSE_FILE] = disk_close_file,
    [EFFECT_READ] = disk_read,
    [EFFECT_WRITE] = disk_write,
    [EFFECT_SYNC] = disk_sync,
    [EFFECT_TRUNCATE] = disk_truncate,
    [EFFECT_RESERVE] = disk_reserve,
    [EFFECT_LIST] = disk_list,
    [EFFECT_MAKE_FOLDER] = disk_make_folder,
    [EFFECT_RENAME] = disk_rename,
    [EFFECT_REMOVE] = disk_remove,
    [EFFECT_SYNC_FOLDER] = disk_sync_folder,
};

struct disk *disk_new(const struct disk_options *options)
{
    CHECK(options->threads_max >= 1 && options->threads_max <= DISK_THREADS_MAX);
    struct disk *disk = calloc(1, sizeof(*disk));
    if (disk == NULL)
        return NULL;
    disk->options = *options;
    disk->pool = pool_new(options->calls, options->threads_max);
    if (disk->pool == NULL) {
        free(disk);
        return NULL;
    }
    return disk;
}

void disk_perform(struct disk *disk, const struct effect *effect)
{
    CHECK(effect->kind < sizeof(performs) / sizeof(performs[0]));
    CHECK(performs[effect->kind] != NULL);
    performs[effect->kind](disk, effect);
}

int disk_fd(const struct disk *disk)
{
    return pool_fd(disk->pool);
}

void disk_collect(struct disk *disk)
{
    pool_collect(disk->pool);
}

int disk_file_fd(const struct disk *disk, uint64_t number)
{
    const struct file *file = files_find(&disk->files, number);
    return file == NULL ? -1 : file->fd;
}

void disk_free(struct disk *disk)
{
    if (disk == NULL)
        return;
    pool_free(disk->pool);
    while (disk->files.first != NULL)
        disk_forget_file(disk, disk->files.first);
    for (uint32_t i = 0; i < disk->folders_count; i++) {
        disk->options.calls->close(disk->folders[i].lock_fd);
        disk->options.calls->close(disk->folders[i].fd);
        free(disk->folders[i].path);
    }
    free(disk->folders);
    free(disk);
}

const struct data_folder *disk_folder(const struct disk *disk, uint32_t number)
{
    CHECK(number < disk->folders_count);
    return &disk->folders[number];
}

static int error_of(int error)
{
    switch (error) {
    case 0:
        return ERR_NONE;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
    case ENOTEMPTY:
        return ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EMLINK: /* a folder with as many others as some file systems have room for */
        return ERR_NO_SPACE;
    case EMFILE:
    case ENFILE:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}

void disk_complete(const struct disk *disk, uint64_t effect, int error, uint64_t count)
{
    const struct completion completion = {
        .effect = effect,
        .error = error_of(error),
        .count = count,
    };
    disk->options.complete(disk->options.context, &completion);
}

static void report(const struct disk *disk, const char *call, const char *path, int error)
{
    char line[REPORT_BYTES_MAX];
    snprintf(line, sizeof(line), "%s failed path=%s error=%s", call, path, strerror(error));
    disk->options.report(disk->options.context, line);
}

void disk_report_fd(const struct disk *disk, const char *call, int fd, int error)
{
    if (error_of(error) != ERR_IO)
        return;
    /* Asking the system for the path now costs nothing until then, unlike keeping it per file. */
    char link[32];
    char path[DISK_PATH_BYTES_MAX + 1];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t length = disk->options.calls->readlinkat(AT_FDCWD, link, path, sizeof(path) - 1);
    path[length < 0 ? 0 : length] = '\0';
    report(disk, call, path, error);
}

void disk_report_path(const struct disk *disk, const char *call, uint32_t folder, struct span path,
                      int error)
{
    if (error_of(error) != ERR_IO)
        return;
    char text[DISK_PATH_BYTES_MAX + 1];
    snprintf(text, sizeof(text), "%s/%.*s", disk_folder(disk, folder)->path, SPAN_ARGS(path));
    report(disk, call, text, error);
}

void disk_file_release(struct disk *disk, struct file *file)
{
    if (--file->jobs > 0 || file->close_effect == 0)
        return;
    const uint64_t effect = file->close_effect;
    disk_complete(disk, effect, disk_forget_file(disk, file), 0);
}

static void job_done(struct job *job)
{
    struct disk_job *own = container_of(job, struct disk_job, job);
    struct disk *disk = own->disk;
    const struct effect *effect = &own->effect;
    struct file *file = own->file;
    if (own->error != 0 && file != NULL)
        disk_report_fd(disk, own->call, file->fd, own->error);
    else if (own->error != 0)
        disk_report_path(disk, own->call, effect->path.folder, effect->path.path, own->error);
    disk_complete(disk, effect->id, own->error, own->count);
    if (file != NULL)
        disk_file_release(disk, file);
    free(own);
}

void disk_submit(struct disk *disk, const struct effect *effect, struct file *file, int fd,
                 void (*run)(struct job *job))
{
    struct disk_job *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        disk_complete(disk, effect->id, ENOMEM, 0);
        return;
    }
    own->job.run = run;
    own->job.done = job_done;
    own->disk = disk;
    own->effect = *effect;
    own->file = file;
    own->fd = fd;
    if (file != NULL)
        file->jobs++;
    pool_submit(disk->pool, &own->job);
}
