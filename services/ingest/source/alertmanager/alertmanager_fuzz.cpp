// Whatever is posted as alerts to an Alertmanager.
#include "common/testing/fuzz.h"
#include "services/ingest/source/alert/alert_fuzz_for_tests.h"
#include "services/ingest/source/alertmanager/alertmanager.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  return {
      R"([{"labels":{"alertname":"Down","service":"shop","severity":"page"},)"
      R"("annotations":{"summary":"s","runbook_url":"https://x"},)"
      R"("startsAt":"2026-02-04T09:15:00.5+09:00","endsAt":"2026-02-04T09:20:00Z",)"
      R"("generatorURL":"https://judge/1"}])",
      R"([{"labels":{"alertname":"A"}},7,{"labels":{"job":"x"}},{"labels":{}}])",
      R"([{"labels":{"alertname":"A","n":1,"b":true,"x":null},"endsAt":"0001-01-01T00:00:00Z"}])",
      "[]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"};
}

std::vector<std::string> Words() {
  return {"\"alertname\":",   "\"labels\":{",         "\"startsAt\":\"", "\"endsAt\":\"",
          "\"annotations\":", "2026-02-04T09:15:00Z", "+14:00",          "null",
          "\\u0000"};
}

void Run(std::string_view input) {
  ingest::source::DemandAlerts(ingest::alertmanager::Read(input));
}

}  // namespace liveops::fuzz
