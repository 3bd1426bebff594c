#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/run.sh"
