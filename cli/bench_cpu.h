/* SPDX-License-Identifier: Apache-2.0 */
/* What processors did for brokers, and for us. */
#ifndef CLI_BENCH_CPU_H
#define CLI_BENCH_CPU_H

#include <stdint.h>
#include <sys/types.h>

/* The processor's time of all threads of some processes so far, in nanoseconds. Returns 0; or an
 * errno, with the process that is not there. */
int bench_cpu_read(const pid_t *pids, uint32_t count, uint64_t *ret_ns, pid_t *ret_missing);

/* The same of this process. */
uint64_t bench_cpu_own_ns(void);

#endif
