/* SPDX-License-Identifier: Apache-2.0 */
/* The inputs that are kept in fuzz/corpus, run without libFuzzer. */
#ifndef FUZZ_CORPUS_H
#define FUZZ_CORPUS_H

/* Runs LLVMFuzzerTestOneInput() on one file; -1, and says why, when it cannot be read. */
int corpus_replay_file(const char *path);

/* The same for each file of $srcdir/fuzz/corpus/NAME, whose names it prints as comments of TAP. How
 * many ran; -1 when one could not be read. */
int corpus_replay(const char *name);

#endif
