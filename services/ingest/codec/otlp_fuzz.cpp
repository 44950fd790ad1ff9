// OTLP's requests: whatever libprotobuf takes is taken, and the same points come out; likewise when
// they are packed into small records.
#include <google/protobuf/stubs/logging.h>

#include "common/testing/fuzz.h"
#include "services/ingest/codec/otlp_exporter_for_tests.h"
#include "services/ingest/codec/otlp_reference_for_tests.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (std::uint64_t seed = 0; seeds.size() < 200; ++seed) {
    std::string request = ingest::testing::Exporter(seed).Request().SerializeAsString();
    if (request.size() <= 4000) seeds.push_back(std::move(request));
  }
  return seeds;
}

std::vector<std::string> Words() { return {"service.name", "unknown_service"}; }

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  const std::string read = ingest::testing::Read(input);
  DemandSame(ingest::testing::Read(input, 600), read);
  // What the reader does not look into it may take.
  if (const std::string expected = ingest::testing::Reference::Read(input); expected != "refused")
    DemandSame(read, expected);
}

}  // namespace liveops::fuzz
