// Prometheus' remote write, of both versions: whatever libprotobuf takes is taken, if it also means
// something, and the same comes out; a native histogram that can be used adds up.
#include <google/protobuf/stubs/logging.h>

#include <numeric>

#include "common/testing/fuzz.h"
#include "services/ingest/codec/remote_write_2_reference_for_tests.h"
#include "services/ingest/codec/remote_write_reference_for_tests.h"

namespace liveops::fuzz {
namespace {

namespace one = ingest::testing::remote_write_1;
namespace two = ingest::testing::remote_write_2;

void RunParts(std::string_view input) {
  ingest::RemoteWriteRequest request;
  if (!request.Read2(input)) return;
  for (const std::string_view message : request.exemplars()) {
    const auto exemplar = request.ReadExemplar(message);
    Demand(!exemplar || (exemplar->trace_id.size() == 16 && exemplar->span_id.size() % 8 == 0),
           "ids are of their length");
  }
  for (const std::string_view message : request.histograms()) {
    ingest::NativeHistogram histogram;
    if (!histogram.Read(message) || histogram.Lay()) continue;
    const auto counts = histogram.counts();
    Demand(counts.size() == histogram.bounds().size() + 1, "there is a count for each bucket");
    Demand(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) == histogram.count(),
           "the buckets add up to the count");
  }
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    seeds.push_back(one::Prometheus(seed).Request().SerializeAsString());
    seeds.push_back(two::Random(seed).Request().SerializeAsString());
  }
  return seeds;
}

std::vector<std::string> Words() { return {"__name__", "job", "trace_id", one::kShortTrace}; }

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  DemandSame(one::Read(input), one::Expected(input));
  DemandSame(two::Read(input), two::Expected(input));
  RunParts(input);
}

}  // namespace liveops::fuzz
