#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/labels.h"
#include "common/wire/text_for_tests.h"
#include "liveops/v1/metrics.pb.h"
#include "services/rule-evaluation/codec/decoder.h"

// For tests: what the hand-written decoder makes of a record, and what libprotobuf and the checks
// of a batch make of it, as text.
namespace liveops::evaluation::testing {

using wire::testing::Bits;
using wire::testing::List;

// --- what came out, as text ---

inline std::string Dump(const engine::RecordView& record) {
  std::string out = fmt::format("{}|{}|{}|", record.source.emitter, record.source.session,
                                record.source.sequence);
  const auto* batch = std::get_if<engine::BatchView>(&record.body);
  if (batch == nullptr) return out + fmt::format("body {}", record.body.index());
  out += fmt::format("{}|{}|{}\n", batch->service, static_cast<int>(batch->protocol),
                     batch->base_time_ms);
  for (const engine::SeriesView& s : batch->series) {
    out += fmt::format("{} {} {} {} {} {}\n", s.fingerprint.hi, s.fingerprint.lo,
                       static_cast<int>(s.kind), s.metric, s.unit, s.labels);
  }
  out += List(batch->point_series) + List(batch->point_time_delta_ms) +
         List(batch->point_duration_ms) + List(batch->point_value) + "\n";
  for (const engine::HistogramView& h : batch->histograms) {
    out += fmt::format("{} {} {} {} {} {}{}\n", h.series, h.time_delta_ms, h.duration_ms, h.count,
                       Bits(h.sum), List(h.bounds), List(h.bucket_counts));
  }
  return out;
}

// --- what libprotobuf makes of it ---

inline constexpr std::int64_t kTimeMax = 1'000'000'000'000'000;

inline bool InRange(std::int64_t ms) { return ms >= -kTimeMax && ms <= kTimeMax; }
inline bool InRange(std::uint64_t ms) { return ms <= std::uint64_t{kTimeMax}; }

inline std::string SeriesFault(const v1::MetricBatch& batch) {
  const auto strings = static_cast<std::uint32_t>(batch.strings_size());
  for (const v1::SeriesEntry& entry : batch.series()) {
    if (entry.metric() >= strings || entry.unit() >= strings) {
      return fmt::format("a series names string {} of {}", std::max(entry.metric(), entry.unit()),
                         strings);
    }
    if (entry.kind() < 1 || entry.kind() > 6)
      return fmt::format("series kind {} is not known", static_cast<int>(entry.kind()));
  }
  return "";
}

inline std::string HistogramFault(const v1::MetricBatch& batch) {
  for (const v1::HistogramPoint& point : batch.histograms()) {
    if (point.series() >= static_cast<std::uint32_t>(batch.series_size()))
      return "a histogram names an unknown series";
    if (point.bucket_counts_size() != point.bounds_size() + 1) {
      return fmt::format("a histogram has {} buckets for {} bounds", point.bucket_counts_size(),
                         point.bounds_size());
    }
    for (int i = 0; i < point.bounds_size(); ++i) {
      if (!std::isfinite(point.bounds(i)) || (i > 0 && point.bounds(i) <= point.bounds(i - 1)))
        return "the bounds of a histogram do not ascend";
    }
    if (!InRange(point.time_delta_ms()) || !InRange(point.duration_ms()))
      return "a histogram's time is out of range";
  }
  return "";
}

inline std::string BatchFault(const v1::MetricBatch& batch) {
  if (batch.service().empty()) return "no service";
  const int points = batch.point_series_size();
  const int durations = batch.point_duration_ms_size();
  if (batch.point_time_delta_ms_size() != points || batch.point_value_size() != points ||
      (durations != 0 && durations != points)) {
    return "its columns differ in length";
  }
  if (!InRange(batch.base_time_ms())) return "its base time is out of range";
  if (std::string fault = SeriesFault(batch); !fault.empty()) return fault;
  if (std::string fault = HistogramFault(batch); !fault.empty()) return fault;
  for (const std::uint32_t i : batch.point_series()) {
    if (i >= static_cast<std::uint32_t>(batch.series_size()))
      return "a point names an unknown series";
  }
  for (const std::int64_t t : batch.point_time_delta_ms()) {
    if (!InRange(t)) return "a point's time is out of range";
  }
  for (const std::uint64_t t : batch.point_duration_ms()) {
    if (!InRange(t)) return "a point's duration is out of range";
  }
  return "";
}

inline engine::RecordView ViewOf(const v1::ShardRecord& record,
                                 std::vector<engine::SeriesView>& series,
                                 std::vector<engine::HistogramView>& histograms) {
  const v1::MetricBatch& batch = record.batch();
  const auto span = [](const auto& column) {
    return std::span(column.data(), static_cast<std::size_t>(column.size()));
  };
  for (const v1::SeriesEntry& s : batch.series()) {
    series.push_back({{s.fingerprint_hi(), s.fingerprint_lo()},
                      static_cast<engine::SeriesKind>(s.kind()),
                      batch.strings(static_cast<int>(s.metric())),
                      batch.strings(static_cast<int>(s.unit())),
                      s.labels()});
  }
  for (const v1::HistogramPoint& h : batch.histograms()) {
    histograms.push_back({h.series(), h.time_delta_ms(), h.duration_ms(), h.count(), h.sum(),
                          span(h.bounds()), span(h.bucket_counts())});
  }
  engine::BatchView view;
  view.service = batch.service();
  if (batch.protocol() == v1::PROTOCOL_OTLP) view.protocol = engine::Protocol::kOtlp;
  if (batch.protocol() == v1::PROTOCOL_REMOTE_WRITE) view.protocol = engine::Protocol::kRemoteWrite;
  view.series = series;
  view.base_time_ms = batch.base_time_ms();
  view.point_series = span(batch.point_series());
  view.point_time_delta_ms = span(batch.point_time_delta_ms());
  view.point_duration_ms = span(batch.point_duration_ms());
  view.point_value = span(batch.point_value());
  view.histograms = histograms;
  engine::RecordView out;
  out.source = {record.source().emitter(), record.source().session(), record.source().sequence()};
  out.body = view;
  return out;
}

inline std::string Expected(std::string_view bytes) {
  v1::ShardRecord record;
  if (!record.ParseFromString(std::string(bytes)))
    return fmt::format("refused: not a ShardRecord ({} bytes)", bytes.size());
  const std::string source = fmt::format("{}|{}|{}|", record.source().emitter(),
                                         record.source().session(), record.source().sequence());
  switch (record.body_case()) {
    case v1::ShardRecord::kBatch: {
      if (const std::string fault = BatchFault(record.batch()); !fault.empty())
        return "refused: malformed metric batch: " + fault;
      std::vector<engine::SeriesView> series;
      std::vector<engine::HistogramView> histograms;
      return Dump(ViewOf(record, series, histograms));
    }
    case v1::ShardRecord::kTick:
      return source + "body 1";
    case v1::ShardRecord::kPlan:
      if (!InRange(record.plan().spread_from_ms()))
        return "refused: the time from which on a service is spread is out of range";
      return source + "body 2";
    case v1::ShardRecord::kDeployment:
      if (!InRange(record.deployment().time_ms()))
        return "refused: a deployment's time is out of range";
      return source + "body 3";
    case v1::ShardRecord::kProbe:
      if (!InRange(record.probe().within_ms()))
        return "refused: a probe's time limit is out of range";
      return source + "body 4";
    case v1::ShardRecord::kReadings:
      if (!InRange(record.readings().step_end_ms())) return "refused: a step's end is out of range";
      return source + "body 5";
    case v1::ShardRecord::kAlert:
      if (!InRange(record.alert().starts_ms()) || !InRange(record.alert().valid_until_ms()))
        return "refused: an alert's time is out of range";
      return source + "body 6";
    case v1::ShardRecord::kDecommission:
      if (!InRange(record.decommission().time_ms()))
        return "refused: a decommission's time is out of range";
      if (record.decommission().labels().empty() || !Labels::Decode(record.decommission().labels()))
        return "refused: a decommission without readable labels";
      return source + "body 7";
    case v1::ShardRecord::BODY_NOT_SET:
      break;
  }
  return "refused: a ShardRecord without a body that this build knows";
}

inline std::string Outcome(Decoder& decoder, std::string_view bytes) {
  const auto view = decoder.Decode(5, RealFromMs(6), bytes);
  return view.ok() ? Dump(**view) : "refused: " + view.error().message;
}

}  // namespace liveops::evaluation::testing
