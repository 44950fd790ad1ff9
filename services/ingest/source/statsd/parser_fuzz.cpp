// Datagrams that anybody on the host can send: what is taken is a number, and its line says it.
#include <cmath>

#include "common/testing/fuzz.h"
#include "services/ingest/source/statsd/parser.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  return {"gorets:1|c|@0.1\nglork:320|ms\ngaugor:-10|g",
          "song.length:240:234|h|@0.5|#a:b,c",
          "uniques:765|s",
          "_e{5,4}:title|text",
          "a:1|c|T1656581400|c:ci-6bd",
          "a:+4|g\r\n"};
}

std::vector<std::string> Words() {
  return {"|c", "|g", "|ms", "|h", "|d", "|s",  "|@0.",  "|#",
          ":1", ":-", ":+",  "\n", ",",  "nan", "1e308", "service:"};
}

void Run(std::string_view input) {
  using namespace ingest::statsd;
  std::uint64_t seen = 0;
  const PacketCount count = ReadPacket(input, [&](const Sample& sample) {
    ++seen;
    Demand(std::isfinite(sample.value), "a value is a number");
    Demand(sample.rate > 0 && sample.rate <= 1, "a rate is a share");
    Demand(!sample.name.empty() && sample.name.find('|') == std::string_view::npos, "a name");
    Demand(sample.name.data() >= input.data() &&
               sample.name.data() + sample.name.size() <= input.data() + input.size(),
           "it views the packet");
    Demand(sample.type != Type::kCounter || sample.value >= 0, "a counter does not fall");
    std::string service;
    const Labels labels = ReadTags(sample.tags, service);
    Demand(Labels::Decode(labels.Encode()) == labels, "labels can be written");
  });
  Demand(count.values == seen, "each value is counted");
}

}  // namespace liveops::fuzz
