#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/wire/wire.h"

// Prometheus' remote write, 1.0 (https://prometheus.io/docs/specs/prw/remote_write_spec/) and 2.0
// (https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/), read in place without libprotobuf.
namespace liveops::ingest {

// The value that says that a series is over; any other NaN is just none.
inline constexpr std::uint64_t kStaleMarker = 0x7ff0'0000'0000'0002;

// As both versions number them; what is neither is kUnknown.
enum class PromType : std::uint8_t {
  kUnknown = 0,
  kCounter = 1,
  kGauge = 2,
  kHistogram = 3,
  kGaugeHistogram = 4,
  kSummary = 5,
  kInfo = 6,
  kStateset = 7,
};

inline PromType PromTypeOf(std::uint64_t number) {
  const auto value = static_cast<std::int32_t>(number);  // an enum is the low half of what came
  return value >= 0 && value <= 7 ? static_cast<PromType>(value) : PromType::kUnknown;
}

struct RemoteSeries {
  // Of its labels, as they came: the same again means the same labels.
  Fingerprint key;
  std::uint32_t first_sample = 0;  // of the columns
  std::uint32_t samples = 0;
  std::uint32_t first_histogram = 0;
  std::uint32_t histograms = 0;
  std::uint32_t first_exemplar = 0;
  std::uint32_t exemplars = 0;
  PromType type = PromType::kUnknown;  // 2.0 alone says it
  std::int64_t created_ms = 0;         // likewise, real; 0 = not said
  std::string_view labels;             // 1.0: the fields with its labels, one after another
  std::uint32_t first_ref = 0;         // 2.0: of the references to symbols
  std::uint32_t refs = 0;
};

// An observation of a series, with the trace in which it was made.
struct RemoteExemplar {
  std::int64_t time_ms = 0;  // real
  double value = 0;
  std::string trace_id;  // 16 bytes
  std::string span_id;   // 8 bytes, or empty
};

struct RemoteMetadata {
  std::string_view metric;  // the family's name
  PromType type = PromType::kUnknown;
};

// What a request says. Views it, which must stay unchanged meanwhile. Used again it needs no more
// memory. One thread at a time.
class RemoteWriteRequest {
 public:
  using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

  // prometheus.WriteRequest. False: the message is malformed. Labels are not looked into.
  bool Read1(std::string_view message);
  // io.prometheus.write.v2.Request. Likewise; and its first symbol is not empty, or a reference
  // leads nowhere.
  bool Read2(std::string_view message);

  std::span<const RemoteSeries> series() const { return series_; }
  std::span<const RemoteMetadata> metadata() const { return metadata_; }
  std::span<const double> values() const { return values_.All(); }
  std::span<const std::int64_t> times_ms() const { return times_ms_.All(); }  // real
  // When the counting began, by sample; 0 = not said. Empty: of none.
  std::span<const std::int64_t> starts_ms() const { return starts_ms_.All(); }
  std::span<const std::string_view> histograms() const { return histograms_; }
  std::span<const std::string_view> exemplars() const { return exemplars_; }  // as messages
  // What one of them says. Nothing without a trace (a label `trace_id`, `traceID` or `traceId` in
  // hexadecimal: of 128 bits, or of 64), and of what is no such message: nothing hangs on it.
  std::optional<RemoteExemplar> ReadExemplar(std::string_view message) const;

  // The labels of a series, in the order in which they came. False: they are malformed, and with
  // them the message.
  bool LabelsOf(const RemoteSeries& series, Pairs& pairs) const;

 private:
  void Clear();
  void Begin(RemoteSeries& series) const;
  void End(RemoteSeries& series);
  bool Series1(std::string_view message);
  bool Sample(std::string_view message);
  bool Series2(std::string_view message);
  bool Sample2(std::string_view message);
  bool Refs(std::string_view run);
  bool KeyByRefs(RemoteSeries& series);
  bool Metadata(std::string_view message);

  std::vector<RemoteSeries> series_;
  std::vector<RemoteMetadata> metadata_;
  wire::Column<double> values_;
  wire::Column<std::int64_t> times_ms_;
  std::vector<std::string_view> histograms_;  // as messages
  std::vector<std::string_view> exemplars_;   // likewise
  std::deque<std::string> rejoined_;          // labels that stood apart from each other

  // Of 2.0.
  std::vector<std::string_view> symbols_;
  std::vector<Fingerprint> symbol_keys_;
  std::vector<std::string_view> messages_;  // of the series
  wire::Column<std::uint32_t> refs_;
  wire::Column<std::int64_t> starts_ms_;
  std::string joined_;
};

}  // namespace liveops::ingest
