/* SPDX-License-Identifier: Apache-2.0 */
#include "disk/files.h"

#include <stdlib.h>

struct file *files_find(const struct files *files, uint64_t number)
{
    struct file *file;
    HASH_FIND(hh, files->first, &number, sizeof(number), file);
    return file;
}

struct file *files_add(struct files *files, uint64_t number, int fd)
{
    struct file *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->number = number;
    file->fd = fd;
    HASH_ADD(hh, files->first, number, sizeof(file->number), file);
    if (file->hh.tbl == NULL) {
        free(file);
        return NULL;
    }
    return file;
}

void files_remove(struct files *files, struct file *file)
{
    HASH_DELETE(hh, files->first, file);
    free(file);
}
