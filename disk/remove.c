/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a file, or a folder with everything in it. */
#include <errno.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/list.h"
#include "disk/state.h"

/* Folders inside folders; ours are two deep, and the stack of a thread is small. */
#define REMOVE_DEPTH_MAX 16

static int remove_tree(const struct disk_calls *calls, int folder, const char *path,
                       uint32_t depth);

static int remove_entries(const struct disk_calls *calls, DIR *stream, uint32_t depth)
{
    for (;;) {
        errno = 0;
        const struct dirent *found = calls->readdir(stream);
        if (found == NULL)
            return errno;
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        const int error = remove_tree(calls, dirfd(stream), found->d_name, depth);
        if (error != 0 && error != ENOENT)
            return error;
    }
}

static int remove_folder(const struct disk_calls *calls, int folder, const char *path,
                         uint32_t depth)
{
    if (depth == REMOVE_DEPTH_MAX)
        return ELOOP;
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const int fd = calls_openat(calls, folder, path, flags, 0);
    if (fd < 0)
        return errno;
    DIR *stream = calls->fdopendir(fd);
    if (stream == NULL) {
        const int error = errno;
        calls->close(fd);
        return error;
    }
    const int error = remove_entries(calls, stream, depth + 1);
    calls->closedir(stream);
    if (error != 0)
        return error;
    return calls->unlinkat(folder, path, AT_REMOVEDIR) == 0 ? 0 : errno;
}

/* Removes what is at `path`, without following links. Returns 0 or an errno. */
static int remove_tree(const struct disk_calls *calls, int folder, const char *path, uint32_t depth)
{
    if (calls->unlinkat(folder, path, 0) == 0)
        return 0;
    /* Linux says EISDIR for a folder, POSIX EPERM. */
    if (errno != EISDIR && errno != EPERM)
        return errno;
    return remove_folder(calls, folder, path, depth);
}

static void run_remove(struct job *job)
{
    struct disk_job *own = container_of(job, struct disk_job, job);
    struct path path;
    own->call = "remove";
    /* The data folder itself is locked by us and is the operator's. */
    own->error =
        own->effect.path.path.length == 0 ? EINVAL : disk_path(own->effect.path.path, &path);
    if (own->error == 0)
        own->error = remove_tree(own->disk->options.calls, own->fd, path.text, 0);
}

void disk_remove(struct disk *disk, const struct effect *effect)
{
    disk_submit(disk, effect, NULL, disk_folder(disk, effect->path.folder)->fd, run_remove);
}
