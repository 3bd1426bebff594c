/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/corpus.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

int corpus_replay_file(const char *path)
{
    uint8_t *data = NULL;
    long size = -1;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        goto out;
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        goto out;
    /* Exactly as long as the input, so that a sanitizer sees a read past its end. */
    data = malloc(size > 0 ? (size_t)size : 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        size = -1;
        goto out;
    }
    LLVMFuzzerTestOneInput(data, (size_t)size);
out:
    if (size < 0)
        perror(path);
    if (file != NULL)
        fclose(file);
    free(data);
    return size < 0 ? -1 : 0;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int corpus_replay(const char *name)
{
    const char *srcdir = getenv("srcdir");
    char folder[PATH_MAX];
    struct dirent **entries = NULL;
    snprintf(folder, sizeof(folder), "%s/fuzz/corpus/%s", srcdir == NULL ? "." : srcdir, name);
    int count = scandir(folder, &entries, visible, alphasort);
    int result = count;
    for (int i = 0; i < count; i++) {
        char path[2 * PATH_MAX];
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        /* Said first, so that the log ends with the input that killed us. */
        printf("# %s\n", entries[i]->d_name);
        fflush(stdout);
        if (length < 0 || (size_t)length >= sizeof(path) || corpus_replay_file(path) != 0)
            result = -1;
        free(entries[i]);
    }
    free(entries);
    return result;
}
