#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "services/liveopsctl/rehearse/player.h"
#include "services/liveopsctl/rehearse/test_file.h"

// Runs tests of a plan on the engine, by virtual time. Pure.
namespace liveops::rehearse {

// Tests begin at midnight, so that a time of day in the engine's words is the time since then.
inline constexpr std::int64_t kTestBegin = 1'767'225'600'000;  // 2026-01-01T00:00:00Z

// Something that did not come as expected, or came and was not.
struct Discrepancy {
  enum class Kind { kTransition, kPage, kLook };
  Kind kind = Kind::kTransition;
  int line = 0;             // of the entry in the test file, 0 = none
  Duration at{0};           // the expected moment, else that at which it happened
  std::string alarm;        // with its group: `error-rate{zone="a"}`
  std::string expected;     // "4min5s firing, 8%"; "" = nothing
  std::string got;          // "4min10s firing 7.41 %"; "" = nothing
  std::string explanation;  // what the engine said of the alarm at the expected moment
};

struct TestOutcome {
  std::string name;
  int line = 0;
  Duration length{0};
  std::vector<engine::Transition> told;  // of every alarm
  std::vector<Discrepancy> discrepancies;
  std::vector<std::string> notes;  // of points that counted for nothing
  // Alarms, for the coverage: those that fired, that resolved, whose data stopped.
  std::set<std::string> fired;
  std::set<std::string> resolved;
  std::set<std::string> silent;

  // A test that rests on points which count for nothing shows nothing.
  bool passed() const { return discrepancies.empty() && notes.empty(); }
};

// What no test of a plan showed, of the alarms that page.
class Coverage {
 public:
  explicit Coverage(const plan::Plan& plan);
  void Add(const TestOutcome& outcome);

  std::size_t alarms() const { return alarms_.size(); }
  std::vector<std::string> NeverFired() const { return Missing(fired_); }
  std::vector<std::string> NeverResolved() const { return Missing(resolved_); }
  std::vector<std::string> NeverSilent() const { return Missing(silent_); }

 private:
  std::vector<std::string> Missing(const std::set<std::string>& seen) const;

  std::vector<std::string> alarms_;
  std::set<std::string> fired_;
  std::set<std::string> resolved_;
  std::set<std::string> silent_;
};

class TestRunner {
 public:
  // The part of a test that is done, 0 to 1; called now and then.
  using Progress = std::function<void(double)>;

  // The plan has been in force for as long as its longest window, and nothing was reported. `text`
  // is what `plan` was parsed from.
  TestRunner(const plan::Plan& plan, std::string_view text);

  Result<TestOutcome> Run(const PlanTest& test, const Progress& progress = {}) const;

 private:
  Watchlist watched_;
  Player settled_;
};

// "firing 7.41 %" and the like, as the lists of a test say it.
std::string ToldText(const engine::Transition& told);
// A page is the beginning of an episode of an alarm that pages, and each rise of its severity.
bool IsPage(const engine::Transition& told);

}  // namespace liveops::rehearse
