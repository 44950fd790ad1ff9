// Whatever is posted as Datadog's webhook.
#include "common/testing/fuzz.h"
#include "services/ingest/source/alert/alert_fuzz_for_tests.h"
#include "services/ingest/source/datadog/datadog.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  return {
      R"({"alert_id":"77","title":"s","transition":"Triggered","scope":"host:a,x","tags":"service:shop, x:y",)"
      R"("priority":"P1","type":"error","link":"https://x","date":"1770000000000","body":"b"})",
      R"({"alert_id":77,"transition":"Recovered","date":1770000000})",
      R"({"alert_id":"","transition":[]})"};
}

std::vector<std::string> Words() {
  return {"\"alert_id\":", "\"transition\":\"", "\"scope\":\"",       "\"tags\":\"",
          "\"date\":",     "Triggered",         "Recovered",          "No Data",
          "Warn",          "service:",          "9223372036854775807"};
}

void Run(std::string_view input) { ingest::source::DemandAlerts(ingest::datadog::Read(input)); }

}  // namespace liveops::fuzz
