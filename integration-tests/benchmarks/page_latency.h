#pragma once

#include "common/base/result.h"
#include "deploy/local/stack/stack.h"

namespace liveops::bench {

struct LatencyOptions {
  int alarms = 500;
  int per_second = 20;
  int discarded = 100;  // of the first, while everything warms up
};

struct Latency {
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

// From the steady clock just before the client writes a batch to the moment when the Slack sink on
// the same host has read the last byte of the page: `alarms` alarms `last(flip) by flip > 0.5`,
// without hold and grouping. kInternal: a page was missing, doubled or broke the provider's
// contract.
Result<Latency> MeasurePageLatency(stack::Stack& stack, const LatencyOptions& options);

}  // namespace liveops::bench
