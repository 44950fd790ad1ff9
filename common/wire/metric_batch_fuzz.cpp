// The reader of batches on its own: two messages of one field are one, as protobuf has it. What it
// takes and what it makes of it is held against libprotobuf where there is that: in the codecs of
// ingest and of the evaluation.
#include <fmt/format.h>

#include "common/testing/fuzz.h"
#include "common/wire/metric_batch.h"
#include "common/wire/text_for_tests.h"
#include "common/wire/wire_scribe_for_tests.h"

namespace liveops::fuzz {
namespace {

using wire::testing::Bits;
using wire::testing::List;

std::string Dump(const wire::MetricBatchReader& in) {
  std::string out =
      fmt::format("{} {} {} {} {} {}\n", in.source().emitter, in.source().session,
                  in.source().sequence, in.service(), in.protocol(), in.base_time_ms());
  for (const std::string_view text : in.strings()) out += fmt::format("{};", text);
  for (const wire::SeriesEntry& s : in.series()) {
    out += fmt::format("{} {} {} {} {} {}\n", s.fingerprint.hi, s.fingerprint.lo, s.kind, s.metric,
                       s.unit, s.labels);
  }
  out += List(in.point_series()) + List(in.point_time_delta_ms()) + List(in.point_duration_ms()) +
         List(in.point_value());
  for (std::size_t i = 0; i < in.histogram_count(); ++i) {
    const wire::HistogramPoint h = in.histogram(i);
    out += fmt::format("{} {} {} {} {} {}{}\n", h.series, h.time_delta_ms, h.duration_ms, h.count,
                       Bits(h.sum), List(h.bounds), List(h.bucket_counts));
  }
  return out;
}

}  // namespace

// The first byte says which message, the second where the rest is cut in two.
std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string record = wire::testing::Scribe(seed).Record();
    wire::Reader in(record);
    std::uint32_t tag = 0;
    std::string_view message;
    while (!in.AtEnd() && in.Tag(tag) && wire::TypeOf(tag) == wire::Type::kBytes &&
           in.Bytes(message)) {
      if (wire::FieldOf(tag) > 2 || message.size() > 2000) continue;
      seeds.push_back(static_cast<char>(wire::FieldOf(tag)) + std::string(1, '\x40') +
                      std::string(message));
    }
  }
  return seeds;
}

std::vector<std::string> Words() { return {}; }

void Run(std::string_view input) {
  if (input.size() < 2) return;
  const bool source = input[0] == 1;
  const auto where = static_cast<unsigned char>(input[1]);
  const std::string_view whole = input.substr(2);
  // Each part on its own heap block, so that a read past its end is one that a sanitizer sees.
  const std::string first(whole.substr(0, whole.size() * where / 256));
  const std::string second(whole.substr(first.size()));
  const auto add = [&](wire::MetricBatchReader& in, std::string_view message) {
    return source ? in.AddSource(message) : in.AddBatch(message);
  };
  wire::MetricBatchReader in_two;
  const bool parts = add(in_two, first) && add(in_two, second);
  wire::MetricBatchReader in_one;
  const bool one = add(in_one, whole);
  if (parts) {
    Demand(one, "two messages after each other are a message");
    DemandSame(Dump(in_one), Dump(in_two));
  }
  if (!one) return;
  const std::string before = Dump(in_one);
  in_one.ClearSource();
  in_one.ClearBatch();
  Demand(add(in_one, whole), "a reader that is used again reads the same");
  DemandSame(Dump(in_one), before);
}

}  // namespace liveops::fuzz
