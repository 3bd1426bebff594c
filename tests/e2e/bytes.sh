#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our broker is asked what "make check-kafka" asks Apache Kafka, a request of every API in every
# version, and answers with the same error codes. TAP, by tests/kafka_bytes.
set -u
# shellcheck disable=SC1091
. "$(dirname "$0")/broker.sh"
broker_start
# shellcheck disable=SC2154 # broker_start leaves it
tests/kafka_bytes 127.0.0.1 "${address##*:}"
broker_end $?
