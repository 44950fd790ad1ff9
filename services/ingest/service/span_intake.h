#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/telemetry/metrics.h"
#include "services/ingest/service/core.h"
#include "services/ingest/service/export_book.h"
#include "services/ingest/service/slow_spans.h"

namespace liveops::ingest {

// OpenTelemetry's spans, whose durations become observations (codec/otlp_spans.h); none is stored.
//
// A span counts once: its record has this instance as its source, and a number that an export which
// is sent again has again (ExportBook). Series have nobody's instance in their labels, so their
// points come in no order, and cannot be told from repeats by time. Thread-safe.
class SpanIntake {
 public:
  // `core` must outlive it.
  explicit SpanIntake(Core& core);

  // `request`: an ExportTraceServiceRequest. As Core::Export; the points of an answer are spans.
  void Export(std::string_view request, const rpc::Peer& peer, std::string_view traceparent,
              Core::Done done);

  // As Core::RetryAfter.
  Duration RetryAfter(std::string_view identity) const { return core_.RetryAfter(identity); }
  const std::string& instance() const { return core_.settings().instance; }
  const SlowSpans& slowest() const { return slowest_; }
  void AddMetrics(metrics::List& list) const;
  std::map<std::string, double> Counters() const;  // as GetStatus tells them

 private:
  Core& core_;
  const std::string emitter_;  // the source of its records
  ExportBook book_;
  SlowSpans slowest_;
  std::atomic<std::uint64_t> others_{0};
  std::atomic<std::uint64_t> repeats_{0};
};

}  // namespace liveops::ingest
