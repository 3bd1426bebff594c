/* SPDX-License-Identifier: Apache-2.0 */
/* Effects on folders, and the paths that all effects name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/wire/error.h"
#include "disk/state.h"

#define FOLDER_MODE 0755

int disk_path(struct span path, struct path *ret_path)
{
    if (path.length > DISK_PATH_BYTES_MAX)
        return ENAMETOOLONG;
    if (path.length == 0) {
        ret_path->text[0] = '.';
        ret_path->text[1] = '\0';
        return 0;
    }
    if (memchr(path.data, '\0', path.length) != NULL)
        return EINVAL;
    memcpy(ret_path->text, path.data, path.length);
    ret_path->text[path.length] = '\0';
    const char *part = ret_path->text;
    while (part != NULL) {
        const char *end = strchr(part, '/');
        const size_t length = end == NULL ? strlen(part) : (size_t)(end - part);
        /* An empty first part is an absolute path. */
        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && part[0] == '.' && part[1] == '.'))
            return EINVAL;
        part = end == NULL ? NULL : end + 1;
    }
    return 0;
}

static void path_complete(const struct disk *disk, const struct effect *effect, const char *call,
                          int error)
{
    if (error != 0)
        disk_report_path(disk, call, effect->path.folder, effect->path.path, error);
    disk_complete(disk, effect->id, error, 0);
}

void disk_make_folder(struct disk *disk, const struct effect *effect)
{
    struct path path;
    int error = disk_path(effect->path.path, &path);
    const int folder = disk_folder(disk, effect->path.folder)->fd;
    if (error == 0 && disk->options.calls->mkdirat(folder, path.text, FOLDER_MODE) != 0)
        error = errno;
    path_complete(disk, effect, "mkdir", error);
}

void disk_rename(struct disk *disk, const struct effect *effect)
{
    struct path path;
    struct path path_to;
    int error = disk_path(effect->path.path, &path);
    if (error == 0)
        error = disk_path(effect->path.path_to, &path_to);
    const int folder = disk_folder(disk, effect->path.folder)->fd;
    if (error == 0 && disk->options.calls->renameat(folder, path.text, folder, path_to.text) != 0)
        error = errno;
    path_complete(disk, effect, "rename", error);
}

static void run_sync_folder(struct job *job)
{
    struct disk_job *own = container_of(job, struct disk_job, job);
    const struct disk_calls *calls = own->disk->options.calls;
    struct path path;
    own->call = "fsync";
    own->error = disk_path(own->effect.path.path, &path);
    if (own->error != 0)
        return;
    const int fd = calls_openat(calls, own->fd, path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) {
        own->error = errno;
        return;
    }
    own->error = calls_fsync(calls, fd) == 0 ? 0 : errno;
    calls->close(fd);
}

void disk_sync_folder(struct disk *disk, const struct effect *effect)
{
    disk_submit(disk, effect, NULL, disk_folder(disk, effect->path.folder)->fd, run_sync_folder);
}

/* A folder's entries while they are being read: first name offsets, since the text moves. */
struct listing {
    struct folder_entry *entries;
    size_t count;
    size_t capacity;
    char *text;
    size_t text_length;
    size_t text_capacity;
};

/* Room for one more entry and its name. Returns 0 or an errno. */
static int listing_grow(struct listing *listing, size_t name_length)
{
    if (listing->count == listing->capacity) {
        const size_t capacity = listing->capacity == 0 ? 64 : listing->capacity * 2;
        void *entries = reallocarray(listing->entries, capacity, sizeof(*listing->entries));
        if (entries == NULL)
            return ENOMEM;
        listing->entries = entries;
        listing->capacity = capacity;
    }
    if (listing->text_length + name_length > listing->text_capacity) {
        const size_t capacity = (listing->text_capacity + name_length) * 2;
        char *text = realloc(listing->text, capacity);
        if (text == NULL)
            return ENOMEM;
        listing->text = text;
        listing->text_capacity = capacity;
    }
    return 0;
}

/* Adds one entry; one that went meanwhile is left out. Returns 0 or an errno. */
static int listing_add(const struct disk_calls *calls, struct listing *listing, int fd,
                       const struct dirent *found)
{
    struct stat status;
    bool is_folder = found->d_type == DT_DIR;
    uint64_t size_bytes = 0;
    if (!is_folder) {
        if (calls->fstatat(fd, found->d_name, &status, 0) != 0)
            return errno == ENOENT ? 0 : errno;
        is_folder = S_ISDIR(status.st_mode);
        if (S_ISREG(status.st_mode))
            size_bytes = (uint64_t)status.st_size;
    }
    const size_t length = strlen(found->d_name);
    const int error = listing_grow(listing, length);
    if (error != 0)
        return error;
    memcpy(listing->text + listing->text_length, found->d_name, length);
    listing->entries[listing->count++] = (struct folder_entry){
        .name = {NULL, length},
        .size_bytes = size_bytes,
        .is_folder = is_folder,
    };
    listing->text_length += length;
    return 0;
}

static int listing_read(const struct disk_calls *calls, struct listing *listing, int folder,
                        const char *path)
{
    const int fd = calls_openat(calls, folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    DIR *stream = calls->fdopendir(fd);
    if (stream == NULL) {
        const int error = errno;
        calls->close(fd);
        return error;
    }
    int error = 0;
    while (error == 0) {
        errno = 0;
        const struct dirent *found = calls->readdir(stream);
        if (found == NULL) {
            error = errno;
            break;
        }
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        error = listing_add(calls, listing, fd, found);
    }
    calls->closedir(stream);
    return error;
}

static int compare_entries(const void *a, const void *b)
{
    const struct folder_entry *first = a;
    const struct folder_entry *second = b;
    return span_compare(first->name, second->name);
}

/* Makes the one block that a completion hands over: sorted entries, then their names. */
static struct folder_entry *listing_block(const struct listing *listing)
{
    const size_t entries_bytes = listing->count * sizeof(*listing->entries);
    struct folder_entry *block = malloc(entries_bytes + listing->text_length + 1);
    if (block == NULL)
        return NULL;
    uint8_t *text = (uint8_t *)block + entries_bytes;
    if (listing->count > 0) {
        memcpy(block, listing->entries, entries_bytes);
        memcpy(text, listing->text, listing->text_length);
    }
    for (size_t i = 0; i < listing->count; i++) {
        block[i].name.data = text;
        text += block[i].name.length;
    }
    qsort(block, listing->count, sizeof(*block), compare_entries);
    return block;
}

void disk_list(struct disk *disk, const struct effect *effect)
{
    struct listing listing = {0};
    struct folder_entry *block = NULL;
    struct path path;
    int error = disk_path(effect->path.path, &path);
    if (error == 0) {
        const int folder = disk_folder(disk, effect->path.folder)->fd;
        error = listing_read(disk->options.calls, &listing, folder, path.text);
    }
    if (error == 0) {
        block = listing_block(&listing);
        error = block == NULL ? ENOMEM : 0;
    }
    if (error == 0) {
        const struct completion completion = {
            .effect = effect->id,
            .error = ERR_NONE,
            .entries = block,
            .entries_count = (uint32_t)listing.count,
        };
        disk->options.complete(disk->options.context, &completion);
    } else {
        path_complete(disk, effect, "list", error);
    }
    free(listing.entries);
    free(listing.text);
}
