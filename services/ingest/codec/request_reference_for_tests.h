#pragma once

#include <fmt/format.h>

#include <bit>
#include <string>
#include <string_view>

#include "common/wire/text_for_tests.h"
#include "liveops/v1/ingest.pb.h"
#include "services/ingest/codec/batch_views_for_tests.h"
#include "services/ingest/codec/request_reader.h"

// For tests: what the hand-written reader makes of a WriteRequest, and what libprotobuf makes of
// it, as text.
namespace liveops::ingest::testing {

using wire::testing::List;

inline std::string Dump(const wire::Source& source, const admit::BatchInput& in) {
  std::string out = fmt::format("{}|{}|{}|{}|{}\n", source.emitter, source.session, source.sequence,
                                in.service, in.base_time_ms);
  for (const std::string_view text : in.strings) out += fmt::format("{};", text);
  for (const admit::SeriesInput& s : in.series)
    out += fmt::format("{} {} {} {}\n", s.kind, s.metric, s.unit, s.labels);
  out += List(in.point_series) + List(in.point_time_delta_ms) + List(in.point_duration_ms) +
         List(in.point_value);
  for (const admit::HistogramInput& h : in.histograms) {
    out += fmt::format("{} {} {} {} {:x} {}{}\n", h.series, h.time_delta_ms, h.duration_ms, h.count,
                       std::bit_cast<std::uint64_t>(h.sum), List(h.bounds), List(h.bucket_counts));
  }
  return out;
}

inline std::string Expected(std::string_view bytes) {
  v1::WriteRequest request;
  if (!request.ParseFromString(std::string(bytes))) return "refused";
  const BatchViews views(request.batch());
  const v1::Source& source = request.source();
  return Dump({source.emitter(), source.session(), source.sequence()}, views.input());
}

inline std::string Outcome(RequestReader& reader, std::string_view bytes) {
  return reader.Read(bytes) ? Dump(reader.source(), reader.input()) : "refused";
}

}  // namespace liveops::ingest::testing
