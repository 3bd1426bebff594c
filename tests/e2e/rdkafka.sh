#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# librdkafka in C (tests/e2e/rdkafka.c) against a broker of its own.
set -u
# shellcheck disable=SC1091
. "$(dirname "$0")/broker.sh"
broker_start
# shellcheck disable=SC2154 # broker_start leaves it
tests/rdkafka "$address" 20000
broker_end $?
