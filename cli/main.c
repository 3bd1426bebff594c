/* SPDX-License-Identifier: Apache-2.0 */
/* chronik: one command with sub-commands, one file each. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("chronik %s\n", CHRONIK_VERSION);
        return 0;
    }
    fprintf(stderr, "usage: chronik --version\n");
    return 2;
}
