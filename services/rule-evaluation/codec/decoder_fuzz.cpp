// Records of a shard's log: for whatever bytes, the hand-written decoder says what libprotobuf and
// the checks of a batch say.
#include <google/protobuf/stubs/logging.h>

#include "common/testing/fuzz.h"
#include "common/wire/wire_scribe_for_tests.h"
#include "services/rule-evaluation/codec/decoder_reference_for_tests.h"

namespace liveops::fuzz {
namespace {

std::string Of(v1::ShardRecord record) {
  record.mutable_source()->set_emitter("e");
  record.mutable_source()->set_session(7);
  return record.SerializeAsString();
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (std::uint64_t seed = 0; seeds.size() < 200; ++seed) {
    std::string record = wire::testing::Scribe(seed).Record();
    if (record.size() <= 4000) seeds.push_back(std::move(record));
  }
  v1::ShardRecord record;
  record.mutable_tick()->set_instance("i");
  record.mutable_tick()->set_steady_ms(5000);
  seeds.push_back(Of(record));
  record.mutable_plan()->set_service("shop");
  record.mutable_plan()->set_version(3);
  seeds.push_back(Of(record));
  record.mutable_deployment()->set_service("shop");
  record.mutable_deployment()->set_time_ms(1'770'195'600'000);
  seeds.push_back(Of(record));
  record.mutable_decommission()->set_service("shop");
  record.mutable_decommission()->set_labels(std::string("\x03pod\x01z", 6));
  seeds.push_back(Of(record));
  record.mutable_probe()->set_probe_id("p");
  record.mutable_probe()->set_within_ms(60'000);
  seeds.push_back(Of(record));
  record.mutable_alert()->set_service("shop");
  record.mutable_alert()->add_labels()->set_name("pod");
  record.mutable_alert()->set_starts_ms(1'770'195'600'000);
  seeds.push_back(Of(record));
  return seeds;
}

std::vector<std::string> Words() { return {}; }

void Run(std::string_view input) {
  google::protobuf::SetLogHandler(nullptr);
  static evaluation::Decoder decoder;  // whose memory is used again
  DemandSame(evaluation::testing::Outcome(decoder, input), evaluation::testing::Expected(input));
}

}  // namespace liveops::fuzz
