#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/plan/parse.h"
#include "services/liveopsctl/rehearse/expected.h"
#include "services/liveopsctl/rehearse/notation.h"
#include "services/liveopsctl/rehearse/watched.h"
#include "services/rule-evaluation/engine/record.h"

// A file of tests of a plan (docs/rehearsing-plans.md). Pure.
namespace liveops::rehearse {

struct TestSeries {
  engine::SeriesKind kind = engine::SeriesKind::kGauge;
  std::string metric;
  std::string unit;
  Labels labels;
  Sequence values;
};

struct PlanTest {
  std::string name;
  int line = 0;
  Duration interval{15'000};
  std::vector<TestSeries> series;
  std::vector<Expected> expect;
  std::optional<std::vector<Expected>> pages;  // nullopt = not asked
  std::vector<Expected> looks;
  bool only_listed = false;  // a transition that is not expected is no fault

  // Of the last sample; below 0 when there is none.
  Duration last_sample() const;
  Duration last_expected() const;
};

struct PlanTestFile {
  std::string plan;  // the path as written
  std::vector<PlanTest> tests;
};

struct PlanTestFileResult {
  PlanTestFile file;                    // meaningful only when problems is empty
  std::vector<plan::Problem> problems;  // in file order
};

// Gives the plan at a path as the file writes it, which must outlive the call; nullptr and why not.
using PlanLoader = std::function<const plan::Plan*(const std::string& path, std::string& why)>;

// Refuses unknown keys, alarms that the plan does not have and metrics that it does not read. Never
// throws.
PlanTestFileResult ReadPlanTests(std::string_view yaml, const PlanLoader& load);

struct ExpectedPagesResult {
  std::vector<Expected> pages;          // meaningful only when problems is empty
  std::vector<plan::Problem> problems;  // in file order
};

// `pages: [{at: 4min5s, alarm: error-rate}, …]`: what a plan tells of a recording, from whose
// beginning the times count. Never throws.
ExpectedPagesResult ReadExpectedPages(std::string_view yaml, const plan::Plan& plan);

// The word for a kind of series: "delta", … and back.
const char* KindWord(engine::SeriesKind kind);
std::optional<engine::SeriesKind> KindOf(std::string_view word);
const std::vector<std::string>& KindWords();

}  // namespace liveops::rehearse
