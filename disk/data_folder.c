/* SPDX-License-Identifier: Apache-2.0 */
/* Data folders: made when missing, opened, and locked against a second broker. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/state.h"

#define FOLDER_MODE 0755
#define LOCK_NAME   ".lock"
#define LOCK_MODE   0644

/* Syncs the folder that holds `path`, in which something new was made. */
static int sync_parent(const struct disk_calls *calls, const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/')
        length--;
    char *parent = length == 0 ? strdup(".") : strndup(path, length);
    if (parent == NULL)
        return ENOMEM;
    const int fd = calls_openat(calls, AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int error = 0;
    if (fd < 0 || calls_fsync(calls, fd) != 0)
        error = errno;
    if (fd >= 0)
        calls->close(fd);
    free(parent);
    return error;
}

/* True for a folder, there or not, that no broker has ever come so far as to lock. */
static bool is_untouched(const struct disk_calls *calls, const char *path)
{
    struct stat status;
    const size_t size = strlen(path) + sizeof("/" LOCK_NAME);
    char *lock = malloc(size);
    if (lock == NULL)
        return true;
    snprintf(lock, size, "%s/" LOCK_NAME, path);
    const bool untouched = calls->fstatat(AT_FDCWD, lock, &status, 0) != 0;
    free(lock);
    return untouched;
}

/* Makes `path` and its parents, each of them durable. One that is there may have been made by a
 * process that ended before it synced it: until the data folder is in use they are synced, too, as
 * far as they let us. Returns 0 or an errno. */
static int make_folders(const struct disk_calls *calls, const char *path)
{
    char *partial = strdup(path);
    if (partial == NULL)
        return ENOMEM;
    const bool untouched = is_untouched(calls, path);
    int error = 0;
    size_t length = 0;
    while (error == 0 && path[length] != '\0') {
        while (path[length] == '/')
            length++;
        while (path[length] != '\0' && path[length] != '/')
            length++;
        partial[length] = '\0';
        if (calls->mkdirat(AT_FDCWD, partial, FOLDER_MODE) == 0)
            error = sync_parent(calls, partial, length);
        else if (errno != EEXIST)
            error = errno;
        else if (untouched)
            sync_parent(calls, partial, length);
        partial[length] = path[length];
    }
    free(partial);
    return error;
}

/* A lock of the open file description: it meets a Kafka broker's lock (a POSIX one) as well as
 * another chronik's, and ends with this process however that ends. */
static int lock_folder(const struct disk_calls *calls, int folder, int *ret_fd)
{
    const int fd = calls_openat(calls, folder, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, LOCK_MODE);
    if (fd < 0)
        return errno;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (calls->lock(fd, &whole) != 0) {
        const int error = errno;
        calls->close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

static int add(struct disk *disk, const char *path, int fd, int lock_fd)
{
    const size_t count = (size_t)disk->folders_count + 1;
    struct data_folder *folders = reallocarray(disk->folders, count, sizeof(*folders));
    if (folders == NULL)
        return ENOMEM;
    disk->folders = folders;
    char *copy = strdup(path);
    if (copy == NULL)
        return ENOMEM;
    folders[disk->folders_count++] = (struct data_folder){
        .path = copy,
        .fd = fd,
        .lock_fd = lock_fd,
    };
    return 0;
}

int disk_add_folder(struct disk *disk, const char *path, char *ret_reason, size_t reason_bytes)
{
    const struct disk_calls *calls = disk->options.calls;
    int fd = -1;
    int lock_fd = -1;
    int error = make_folders(calls, path);
    if (error == 0) {
        fd = calls_openat(calls, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        error = fd < 0 ? errno : 0;
    }
    if (error != 0) {
        snprintf(ret_reason, reason_bytes, "cannot open the data folder %s: %s", path,
                 strerror(error));
        goto out;
    }
    error = lock_folder(calls, fd, &lock_fd);
    if (error == EAGAIN || error == EACCES) {
        snprintf(ret_reason, reason_bytes,
                 "the data folder %s is in use by another broker (its file " LOCK_NAME
                 " is locked)",
                 path);
        goto out;
    }
    if (error == 0)
        error = add(disk, path, fd, lock_fd);
    if (error == 0)
        return 0;
    snprintf(ret_reason, reason_bytes, "cannot lock the data folder %s: %s", path, strerror(error));
out:
    if (lock_fd >= 0)
        calls->close(lock_fd);
    if (fd >= 0)
        calls->close(fd);
    return -1;
}
