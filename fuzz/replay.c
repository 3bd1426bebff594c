/* SPDX-License-Identifier: Apache-2.0 */
/* The main() of a fuzz target without libFuzzer: runs each file of its corpus once, and says so in
 * TAP. fuzz_X replays $srcdir/fuzz/corpus/X; arguments name other files to run, in gdb for one. */
#include <stdio.h>
#include <string.h>

#include "fuzz/corpus.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            if (corpus_replay_file(argv[i]) != 0)
                return 1;
        return 0;
    }
    const char *base = strrchr(argv[0], '/');
    const char *name = strstr(base == NULL ? argv[0] : base, "fuzz_");
    if (name == NULL)
        return 2;
    name += strlen("fuzz_");
    /* The plan goes first: when an input kills us, the case is missed, not forgotten. */
    printf("1..1\n");
    fflush(stdout);
    int count = corpus_replay(name);
    printf("%sok 1 - %s: %d inputs of the corpus\n", count > 0 ? "" : "not ", name, count);
    return count > 0 ? 0 : 1;
}
