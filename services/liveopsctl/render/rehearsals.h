#pragma once

#include <string>
#include <vector>

#include "services/liveopsctl/rehearse/test_run.h"
#include "services/liveopsctl/render/text.h"

// What tests of plans came to, as text. Pure.
namespace liveops::ctl {

// One file of tests that was run.
struct TestedFile {
  std::string file;
  std::string plan;
  std::vector<rehearse::TestOutcome> outcomes;
};

struct TestedPlan {
  std::string plan;
  rehearse::Coverage coverage;
};

// `ok    name  (9min 2s, 1 page)`, or FAIL with a table of what differs.
std::string RenderTest(const rehearse::TestOutcome& outcome, const Style& style);
// What no test showed of the alarms that page.
std::string RenderCoverage(const TestedPlan& plan, const Style& style);
// "11 passed, 1 failed\n"
std::string RenderTotals(const std::vector<TestedFile>& files, const Style& style);

std::string TestsJson(const std::vector<TestedFile>& files, const std::vector<TestedPlan>& plans);

}  // namespace liveops::ctl
