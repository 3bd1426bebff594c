/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a chronik of which the tables of system calls are those of faulty.h. By the environment:
 * CHRONIK_FAULTY_SEED, a number; CHRONIK_FAULTY_CONTROL, a file with a struct faulty_control, which
 * is mapped and obeyed. Without such a file every harmless fault happens now and then.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/faulty/faulty.h"

#define HARMLESS_PER_MILLE 50

static struct faulty_control *control_map(const char *path)
{
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    void *control = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof(struct faulty_control)) == 0)
        control =
            mmap(NULL, sizeof(struct faulty_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) {
        fprintf(stderr, "cannot map CHRONIK_FAULTY_CONTROL=%s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    close(fd);
    return control;
}

__attribute__((constructor)) static void faulty_start(void)
{
    const char *seed = getenv("CHRONIK_FAULTY_SEED");
    const char *path = getenv("CHRONIK_FAULTY_CONTROL");
    faulty_use(path == NULL ? NULL : control_map(path),
               seed == NULL ? 1 : strtoull(seed, NULL, 10));
    for (enum fault_kind kind = FAULT_SHORT; path == NULL && kind <= FAULT_SLOW; kind++)
        atomic_store(&faulty_control()->per_mille[kind], HARMLESS_PER_MILLE);
}
