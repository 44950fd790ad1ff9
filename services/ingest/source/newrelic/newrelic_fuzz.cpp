// Whatever is posted as New Relic's webhook.
#include "common/testing/fuzz.h"
#include "services/ingest/source/alert/alert_fuzz_for_tests.h"
#include "services/ingest/source/newrelic/newrelic.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  return {
      R"({"id":"i-1","issueUrl":"https://x","title":"s","priority":"CRITICAL","state":"ACTIVATED",)"
      R"("createdAt":1770000000000,"updatedAt":1770000001000,)"
      R"("alertConditionNames":["Memory high"],"alertPolicyNames":["p"],"service":"shop"})",
      R"({"id":7,"state":"CLOSED","updatedAt":"1770000001000","alertConditionNames":[]})",
      R"({"id":"1","state":")" + std::string(600, 'x') + "\"}"};
}

std::vector<std::string> Words() {
  return {"\"id\":",
          "\"state\":\"",
          "ACTIVATED",
          "CLOSED",
          "\"createdAt\":",
          "\"updatedAt\":",
          "\"alertConditionNames\":[",
          "[[]]",
          "9223372036854775807"};
}

void Run(std::string_view input) { ingest::source::DemandAlerts(ingest::newrelic::Read(input)); }

}  // namespace liveops::fuzz
