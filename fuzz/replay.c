/* SPDX-License-Identifier: Apache-2.0 */
/* The main() of a fuzz target without libFuzzer: runs each file of its corpus once, and says so in
 * TAP. fuzz_X replays $srcdir/fuzz/corpus/X; arguments name other files to run, in gdb for one. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int replay_file(const char *path)
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

/* How many inputs of the folder ran; -1 when one could not be read. */
static int replay_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, visible, alphasort);
    int result = count;
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        /* Said first, so that the log ends with the input that killed us. */
        printf("# %s\n", entries[i]->d_name);
        fflush(stdout);
        if (length < 0 || (size_t)length >= sizeof(path) || replay_file(path) != 0)
            result = -1;
        free(entries[i]);
    }
    free(entries);
    return result;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            if (replay_file(argv[i]) != 0)
                return 1;
        return 0;
    }
    const char *base = strrchr(argv[0], '/');
    const char *name = strstr(base == NULL ? argv[0] : base, "fuzz_");
    const char *srcdir = getenv("srcdir");
    char folder[PATH_MAX];
    if (name == NULL)
        return 2;
    name += strlen("fuzz_");
    snprintf(folder, sizeof(folder), "%s/fuzz/corpus/%s", srcdir == NULL ? "." : srcdir, name);
    /* The plan goes first: when an input kills us, the case is missed, not forgotten. */
    printf("1..1\n");
    fflush(stdout);
    int count = replay_folder(folder);
    printf("%sok 1 - %s: %d inputs of the corpus\n", count > 0 ? "" : "not ", name, count);
    return count > 0 ? 0 : 1;
}
