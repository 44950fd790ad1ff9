// LiveOps' own requests: read by hand and by libprotobuf; what is admitted is written by hand as
// libprotobuf would.
#include <google/protobuf/stubs/logging.h>

#include <limits>

#include "common/testing/fuzz.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "liveops/v1/metrics.pb.h"
#include "services/ingest/codec/record_writer.h"
#include "services/ingest/codec/request_reference_for_tests.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (std::uint64_t seed = 0; seeds.size() < 200; ++seed) {
    std::string record = wire::testing::Scribe(seed).Record();
    if (record.size() <= 4000) seeds.push_back(std::move(record));
  }
  return seeds;
}

std::vector<std::string> Words() { return {}; }

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  ingest::RequestReader reader;
  DemandSame(ingest::testing::Outcome(reader, input), ingest::testing::Expected(input));
  if (!reader.Read(input)) return;
  admit::BatchInput batch = reader.input();
  if (batch.base_time_ms < 0 || batch.base_time_ms > std::numeric_limits<std::int64_t>::max() / 4)
    batch.base_time_ms = 1'770'000'000'000;
  const auto admission = admit::Admit(batch, {}, RealFromMs(batch.base_time_ms), {});
  if (!admission.ok() || admission->batch.points() == 0) return;
  const std::string bytes = ingest::EncodeBatch(reader.source(), batch.service,
                                                ingest::Protocol::kNative, admission->batch);
  v1::ShardRecord record;
  Demand(record.ParseFromString(bytes), "what is written is a record");
  DemandSame(record.SerializeAsString(), bytes);
}

}  // namespace liveops::fuzz
