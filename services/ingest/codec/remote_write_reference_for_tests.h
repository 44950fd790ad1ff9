#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/wire/text_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "remote_write_1.pb.h"
#include "services/ingest/codec/remote_write.h"

// For tests: random requests of remote write 1.0, and what the hand-written reader and libprotobuf
// make of one, as text.
namespace liveops::ingest::testing::remote_write_1 {

using wire::testing::Chance;

inline constexpr const char* kTrace = "abababABABababab0101010101010101";
inline constexpr const char* kShortTrace = "cdcdcdcdcdcdcdcd";

class Prometheus {
 public:
  explicit Prometheus(std::uint64_t seed) : chance_(seed) {}

  prometheus::WriteRequest Request() {
    prometheus::WriteRequest request;
    for (std::uint64_t n = chance_.Below(4); n > 0; --n) Series(*request.add_timeseries());
    for (std::uint64_t n = chance_.OneIn(3) ? chance_.Below(3) : 0; n > 0; --n) {
      auto& metadata = *request.add_metadata();
      metadata.set_type(static_cast<prometheus::MetricMetadata::MetricType>(chance_.Below(9)));
      metadata.set_metric_family_name(chance_.Pick({"", "cpu", "http_requests"}));
      if (chance_.OneIn(2)) metadata.set_help("what it is");
    }
    return request;
  }

 private:
  void Series(prometheus::TimeSeries& series) {
    for (std::uint64_t n = chance_.Below(5); n > 0; --n) {
      auto& label = *series.add_labels();
      label.set_name(chance_.Pick({"", "__name__", "job", "größe", "\xff"}));
      label.set_value(
          chance_.Pick({"", "a", "shop", "\xc3\x28", "0123456789012345678901234567890"}));
    }
    for (std::uint64_t n = chance_.Below(4); n > 0; --n) {
      auto& sample = *series.add_samples();
      if (!chance_.OneIn(4)) sample.set_value(chance_.Double());
      if (!chance_.OneIn(9)) sample.set_timestamp(static_cast<std::int64_t>(chance_.Number()));
    }
    if (chance_.OneIn(8)) series.add_exemplars(chance_.OneIn(4) ? "exemplar" : Exemplar());
    if (chance_.OneIn(8)) series.add_histograms("histogram");
  }

  std::string Exemplar() {
    prometheus::Exemplar exemplar;
    for (std::uint64_t n = chance_.Below(3); n > 0; --n) {
      auto& label = *exemplar.add_labels();
      label.set_name(chance_.Pick({"trace_id", "traceID", "span_id", "user"}));
      label.set_value(chance_.Pick({kTrace, kShortTrace, "none"}));
    }
    exemplar.set_value(chance_.Double());
    exemplar.set_timestamp(static_cast<std::int64_t>(chance_.Number()));
    return exemplar.SerializeAsString();
  }

  Chance chance_;
};

// --- what came out ---

// Of so many bytes at most, as hexadecimal says it, zeros in front; nothing when it is none, or of
// another length than that or half of that.
inline std::optional<std::string> IdOf(const std::string& hex, std::size_t bytes, bool or_half) {
  if (hex.size() != 2 * bytes && !(or_half && hex.size() == bytes)) return std::nullopt;
  if (hex.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return std::nullopt;
  std::string out(bytes - hex.size() / 2, '\0');
  for (std::size_t i = 0; i < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

struct Dump {
  std::string text;

  void Sample(double value, std::int64_t time_ms) {
    text += fmt::format(" {}@{}", wire::testing::Bits(value), time_ms);
  }
  void Label(std::string_view name, std::string_view value) {
    text += fmt::format(" {}={}", name, value);
  }
  void Exemplar(const std::optional<RemoteExemplar>& exemplar) {
    if (!exemplar) return;
    text += fmt::format(" E{}@{} {}/{}", wire::testing::Bits(exemplar->value), exemplar->time_ms,
                        exemplar->trace_id, exemplar->span_id);
  }
  void Metadata(std::string_view family, int type) {
    text += fmt::format("\nM {} {}", family, type >= 0 && type <= 7 ? type : 0);
  }
};

inline std::string Read(std::string_view bytes) {
  RemoteWriteRequest request;
  if (!request.Read1(bytes)) return "refused";
  Dump out;
  RemoteWriteRequest::Pairs pairs;
  for (const RemoteSeries& series : request.series()) {
    out.text += "\nS";
    if (!request.LabelsOf(series, pairs)) return "refused";
    for (const auto& [name, value] : pairs) out.Label(name, value);
    for (std::uint32_t i = series.first_sample; i < series.first_sample + series.samples; ++i)
      out.Sample(request.values()[i], request.times_ms()[i]);
    for (std::uint32_t i = 0; i < series.histograms; ++i)
      out.text += fmt::format(" H{}", request.histograms()[series.first_histogram + i]);
    for (std::uint32_t i = 0; i < series.exemplars; ++i)
      out.Exemplar(request.ReadExemplar(request.exemplars()[series.first_exemplar + i]));
  }
  for (const RemoteMetadata& metadata : request.metadata())
    out.Metadata(metadata.metric, static_cast<int>(metadata.type));
  return out.text + fmt::format("\n{} exemplars", request.exemplars().size());
}

inline std::optional<RemoteExemplar> ExpectedExemplar(const std::string& bytes) {
  prometheus::Exemplar exemplar;
  if (!exemplar.ParseFromString(bytes)) return std::nullopt;
  RemoteExemplar out{exemplar.timestamp(), exemplar.value(), "", ""};
  for (const auto& label : exemplar.labels()) {
    const std::string& name = label.name();
    if (name == "trace_id" || name == "traceID" || name == "traceId")
      out.trace_id = IdOf(label.value(), 16, true).value_or(out.trace_id);
    if (name == "span_id" || name == "spanID" || name == "spanId")
      out.span_id = IdOf(label.value(), 8, false).value_or(out.span_id);
  }
  if (out.trace_id.empty()) return std::nullopt;
  return out;
}

inline std::string Expected(std::string_view bytes) {
  prometheus::WriteRequest request;
  if (!request.ParseFromString(std::string(bytes))) return "refused";
  Dump out;
  int exemplars = 0;
  for (const auto& series : request.timeseries()) {
    out.text += "\nS";
    for (const auto& label : series.labels()) out.Label(label.name(), label.value());
    for (const auto& sample : series.samples()) out.Sample(sample.value(), sample.timestamp());
    for (const auto& histogram : series.histograms()) out.text += " H" + histogram;
    for (const auto& exemplar : series.exemplars()) out.Exemplar(ExpectedExemplar(exemplar));
    exemplars += series.exemplars_size();
  }
  for (const auto& metadata : request.metadata())
    out.Metadata(metadata.metric_family_name(), metadata.type());
  return out.text + fmt::format("\n{} exemplars", exemplars);
}

}  // namespace liveops::ingest::testing::remote_write_1
